"""One bar of a chart, standing or lying. How long it is follows a share between 0 and 1."""

from collections.abc import Callable

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, tokens

HEIGHT = 196
Share = Callable[[fa.Get], float]
Words = Callable[[fa.Get], str]


def bar(state: fa.StateManager, name: str, share: Share, words: Words) -> ft.Control:
    def color(get: fa.Get) -> ft.ColorValue:
        return ft.Colors.PRIMARY if share(get) == 1 else ft.Colors.PRIMARY_CONTAINER

    ground = ft.Container(
        width=48,
        border_radius=ft.BorderRadius.only(top_left=tokens.S, top_right=tokens.S),
        animate=ft.Animation(400, ft.AnimationCurve.EASE_OUT),
    )
    parts: list[ft.Control] = [
        state.bound(ft.Text(theme_style=tokens.SMALL, no_wrap=True), value=words),
        state.bound(ground, height=lambda get: 4 + (HEIGHT - 4) * share(get), bgcolor=color),
        ft.Text(name, theme_style=tokens.SMALL, color=tokens.QUIET),
    ]
    return ft.Column(
        parts,
        expand=True,
        spacing=tokens.XS,
        height=HEIGHT + 48,
        alignment=ft.MainAxisAlignment.END,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )


def share(state: fa.StateManager, name: str, share: Share, words: Words) -> ft.Control:
    head: list[ft.Control] = [atoms.body(name), state.bound(atoms.quiet(), value=words)]
    progress = ft.ProgressBar(
        bar_height=tokens.S, border_radius=tokens.XS, bgcolor=ft.Colors.SURFACE_CONTAINER_HIGHEST, semantics_label=name
    )
    parts: list[ft.Control] = [
        ft.Row(head, alignment=ft.MainAxisAlignment.SPACE_BETWEEN),
        state.bound(progress, value=share),
    ]
    return ft.Column(parts, spacing=tokens.S)
