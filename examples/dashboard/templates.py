"""Templates: where things are, on wide and on narrow windows. They do not know what is in them."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import tokens
from examples.dashboard.state.screen import margin


def shell(state: fa.StateManager, sidebar: ft.Control, top_bar: ft.Control, stage: ft.Control) -> ft.Control:
    """The frame around all pages."""
    right = ft.Column([top_bar, stage], spacing=0, expand=True)
    return ft.Row([sidebar, right], spacing=0, expand=True, vertical_alignment=ft.CrossAxisAlignment.STRETCH)


def stacked(state: fa.StateManager, *parts: ft.Control) -> ft.Control:
    """Parts below each other, in a column that scrolls."""
    inner = state.bound(
        ft.Container(ft.Column(list(parts), spacing=tokens.L)),
        padding=lambda get: ft.Padding.only(left=get(margin), right=get(margin), bottom=get(margin)),
    )
    return ft.Column([inner], scroll=ft.ScrollMode.AUTO, expand=True)


def beside(*parts: tuple[int, ft.Control]) -> ft.Control:
    """Parts beside each other, each with its share of twelve, or below each other where there is no room."""
    for share, part in parts:
        part.col = {"xs": 12, "lg": share}
    return ft.ResponsiveRow([part for _, part in parts], spacing=tokens.L, run_spacing=tokens.L)
