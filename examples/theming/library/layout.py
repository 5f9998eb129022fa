"""Where things are: below each other, or beside each other as far as there is room."""

import flet as ft

import flet_asp_actors as fa
from examples.theming.roles import role
from examples.theming.tokens import RADIUS, space


def group(state: fa.StateManager, *controls: ft.Control) -> ft.Control:
    column = ft.Column(list(controls), horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return state.bound(column, spacing=space)


def line(state: fa.StateManager, *controls: ft.Control) -> ft.Control:
    row = ft.Row(list(controls), wrap=True, vertical_alignment=ft.CrossAxisAlignment.CENTER)
    return state.bound(row, spacing=space, run_spacing=space)


def swatch(state: fa.StateManager, name: str) -> ft.Control:
    """A colour role and its name."""
    words = ft.Text(name, theme_style=ft.TextThemeStyle.LABEL_LARGE)
    state.bound(words, color=lambda get: get(role(name))[1])
    box = ft.Container(words, height=56, padding=8, alignment=ft.Alignment.CENTER_LEFT, col={"xs": 6, "sm": 3})
    return state.bound(box, bgcolor=lambda get: get(role(name))[0], border_radius=RADIUS)
