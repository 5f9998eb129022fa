"""Fields in the shape of the tokens."""

from collections.abc import Callable, Sequence

import flet as ft

import flet_asp_actors as fa
from examples.theming.tokens import RADIUS


def border(get: fa.Get) -> ft.OutlineInputBorder:
    return ft.OutlineInputBorder(border_radius=get(RADIUS))


def text_field(
    state: fa.StateManager,
    label: str,
    key: fa.Key[str],
    icon: ft.IconData,
    error: Callable[[fa.Get], str | None] | None = None,
    *,
    password: bool = False,
) -> ft.Control:
    field = ft.TextField(label=label, prefix_icon=icon, password=password, can_reveal_password=password)
    state.bound(field, value=fa.two_way(key), border=border)
    return state.bound(field, error=error) if error is not None else field


def dropdown(state: fa.StateManager, label: str, key: fa.Key[str], options: Sequence[str]) -> ft.Control:
    field = ft.Dropdown(label=label, options=[ft.DropdownOption(each) for each in options], expand=True)
    return state.bound(field, value=fa.two_way(key), border=border)
