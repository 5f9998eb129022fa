"""An alert, which a person can dismiss."""

from collections.abc import Callable

import flet as ft

import flet_asp_actors as fa
from examples.theming.roles import role
from examples.theming.tokens import RADIUS, space


def alert(
    state: fa.StateManager, name: str, text: str, icon: ft.IconData, on_dismiss: Callable[[], object]
) -> ft.Control:
    """Show a text in the colours of the role `name`."""

    def on_color(get: fa.Get) -> ft.ColorValue:
        return get(role(name))[1]

    close = ft.IconButton(ft.Icons.CLOSE, tooltip=f"Dismiss {text}", on_click=on_dismiss, icon_size=20)
    parts: list[ft.Control] = [
        state.bound(ft.Icon(icon), color=on_color),
        state.bound(ft.Text(text, expand=True), color=on_color),
        state.bound(close, icon_color=on_color),
    ]
    box = ft.Container(state.bound(ft.Row(parts), spacing=space))
    return state.bound(
        box,
        bgcolor=lambda get: get(role(name))[0],
        border_radius=RADIUS,
        padding=lambda get: ft.Padding.only(left=get(space), right=4, top=4, bottom=4),
    )
