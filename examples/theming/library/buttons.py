"""Buttons in the shape of the tokens."""

from collections.abc import Callable
from typing import TypeVar

import flet as ft

import flet_asp_actors as fa
from examples.theming.tokens import shape

B = TypeVar("B", bound=ft.Control)


def shaped(state: fa.StateManager, button: B) -> B:
    """Any of Flet's buttons, with the corners of the tokens."""
    return state.bound(button, style=lambda get: ft.ButtonStyle(shape=get(shape)))


def icon_button(state: fa.StateManager, icon: ft.IconData, tooltip: str, on_click: Callable[[], object]) -> ft.Control:
    return shaped(state, ft.IconButton(icon, tooltip=tooltip, on_click=on_click))
