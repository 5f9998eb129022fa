"""Lists in a browser: what a person has half typed in a row goes along with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

import flet_asp_actors as fa
from tests.kit.browser import Screen

Open = Callable[[Callable[[ft.Page], Any]], Screen]

NAMES = fa.Key[list[str]]("names", factory=lambda: ["Ann", "Bob", "Cid"])
NOTE = fa.Key("note", "")


def main(page: ft.Page) -> None:
    state = fa.get_state_manager(page)

    def build(row: fa.Row[str]) -> ft.Control:
        note = fa.two_way(NOTE[row.value], debounce=3600)  # it is not written while it is being typed
        return ft.Row(
            [state.bound(ft.Text(), value=row), state.bound(ft.TextField(label=f"About {row.value}"), value=note)]
        )

    rows = ft.Column()
    state.bind_list(NAMES, rows, build)
    page.add(
        ft.Button("Turn", on_click=lambda: state.mutate(NAMES, lambda names: names.reverse())),
        ft.Button("Add", on_click=lambda: state.mutate(NAMES, lambda names: names.insert(0, "Eve"))),
        ft.Button("Drop", on_click=lambda: state.mutate(NAMES, lambda names: names.remove("Bob"))),
        rows,
        state.bound(ft.Text(), value=lambda get: "order: " + " ".join(get(NAMES))),
    )


def test_what_is_half_typed_goes_along(open_app: Open) -> None:
    screen = open_app(main)
    screen.see("order: Ann Bob Cid")
    screen.type("About Ann", "half a no")
    screen.click("Turn")
    screen.see("order: Cid Bob Ann")
    screen.click("Add")
    screen.see("order: Eve Cid Bob Ann")
    screen.click("Drop")
    screen.see("order: Eve Cid Ann")
    field = screen.field("About Ann")
    field.focus()
    assert field.input_value() == "half a no"
    assert screen.field("About Ann").bounding_box()["y"] > screen.field("About Cid").bounding_box()["y"]  # type: ignore[index]  # pyright: ignore[reportOptionalSubscript]  # it is shown
    screen.shot("rows")
