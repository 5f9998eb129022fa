"""A figure with its trend."""

from collections.abc import Callable

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, tokens
from examples.dashboard.state.screen import is_narrow, success


def stat_card(
    state: fa.StateManager,
    name: str,
    icon: ft.IconData,
    figure: Callable[[fa.Get], str],
    trend: Callable[[fa.Get], float],
) -> ft.Control:
    def arrow(get: fa.Get) -> ft.IconData:
        return ft.Icons.TRENDING_UP if trend(get) >= 0 else ft.Icons.TRENDING_DOWN

    def color(get: fa.Get) -> ft.ColorValue:
        return get(success) if trend(get) >= 0 else ft.Colors.ERROR

    number = ft.Text(theme_style=ft.TextThemeStyle.HEADLINE_SMALL, weight=ft.FontWeight.W_600)
    way = ft.Text(theme_style=tokens.SMALL, weight=ft.FontWeight.W_600)
    head: list[ft.Control] = [
        state.bound(atoms.symbol(icon), visible=lambda get: not get(is_narrow)),
        atoms.one_line(atoms.quiet(name)),
    ]
    foot: list[ft.Control] = [
        state.bound(ft.Icon(ft.Icons.TRENDING_UP, size=16), icon=arrow, color=color),
        state.bound(way, value=lambda get: f"{trend(get):+.1%}", color=color),
        state.bound(
            ft.Text("on last week", theme_style=tokens.SMALL, color=tokens.QUIET),
            visible=lambda get: not get(is_narrow),
        ),
    ]
    rows: list[ft.Control] = [
        ft.Row(head, spacing=tokens.M, height=40),
        state.bound(number, value=figure),
        ft.Row(foot, spacing=tokens.XS),
    ]
    return atoms.card(ft.Column(rows, spacing=tokens.S), padding=tokens.M)
