"""The buttons of the gallery, and a line that says which one was pressed."""

from collections.abc import Callable

import flet as ft

import flet_asp_actors as fa
from examples.theming import library as ui

PRESSED = fa.Key("pressed", "")
PRESSES = fa.Key("presses", 0)


def buttons(state: fa.StateManager) -> ft.Control:
    def press(name: str) -> Callable[[], None]:
        def handler() -> None:
            with state.batch():
                state.set(PRESSED, name)
                state.update(PRESSES, lambda presses: presses + 1)

        return handler

    def said(get: fa.Get) -> str:
        return f"{get(PRESSED)}, {get(PRESSES)} in all" if get(PRESSES) else "Nothing pressed yet"

    row: list[ft.Control] = [
        ft.FilledButton("Filled", on_click=press("Filled")),
        ft.FilledTonalButton("Tonal", on_click=press("Tonal")),
        ft.OutlinedButton("Outlined", on_click=press("Outlined")),
        ft.TextButton("Text", on_click=press("Text")),
    ]
    icons: list[ft.Control] = [
        ft.IconButton(ft.Icons.BOLT, tooltip="Icon", on_click=press("Icon")),
        ft.FloatingActionButton(icon=ft.Icons.ADD, mini=True, tooltip="Floating", on_click=press("Floating")),
    ]
    return ui.section(
        state, "Buttons", ui.line(state, *row), ui.line(state, *icons), state.bound(ft.Text(), value=said)
    )
