"""Lists in a browser: a person goes on typing while rows move, and one of 10,000 rows changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft
from playwright.sync_api import expect

import flet_asp_actors as fa
from tests.kit.backstage import Backstage
from tests.kit.browser import Screen

Open = Callable[[Callable[[ft.Page], Any]], Screen]

NAMES = fa.Key[tuple[str, ...]]("names", ("Ann", "Bob", "Cid"))
NUMBERS = fa.Key[list[int]]("numbers", factory=lambda: list(range(10_000)))
WORD = fa.Key("word", "")


def notes(page: ft.Page) -> None:
    state = fa.get_state_manager(page)

    def build(row: fa.Row[str]) -> ft.Control:
        return ft.TextField(label=f"About {row.value}")

    rows = ft.Column()
    state.bind_list(NAMES, rows, build)
    page.add(rows, state.bound(ft.Text(), value=lambda get: "order: " + " ".join(get(NAMES))))


def numbers(page: ft.Page) -> None:
    state = fa.get_state_manager(page, auto_update=False)

    def build(row: fa.Row[int]) -> ft.Control:
        return state.bound(ft.Text(height=30), value=lambda get: f"{get(row)}: {get(WORD[get(row)])}")

    view = ft.ListView(item_extent=30, expand=True)
    state.bind_list(NUMBERS, view, build)
    page.add(view)


def test_who_types_goes_on_typing_while_rows_come_go_and_move_around(open_app: Open) -> None:
    app = Backstage(notes)
    screen = open_app(app)
    screen.see("order: Ann Bob Cid")
    screen.type("About Bob", "ab")
    field = screen.field("About Bob")
    field.press("ArrowLeft")
    for typed, names in enumerate((("Ann", "Cid", "Bob"), ("Eve", "Ann", "Cid", "Bob"), ("Cid", "Bob", "Fay")), 1):
        app.ask(lambda names=names: app.state.set(NAMES, names))  # type: ignore[misc]  # the names of this round
        screen.see("order: " + " ".join(names))
        expect(field).to_be_focused()
        screen.page.keyboard.type("x")
        expect(field).to_have_value("a" + "x" * typed + "b")
    expect(screen.field("About Ann")).to_have_count(0)
    # The row itself moves. Flet's client takes the focus from it, but not what is in it.
    app.ask(lambda: app.state.set(NAMES, ("Bob", "Cid", "Fay")))
    screen.see("order: Bob Cid Fay")
    field.focus()
    expect(field).to_have_value("axxxb")


def test_one_of_10_000_rows_changes_and_one_is_put_before_all(open_app: Open) -> None:
    app = Backstage(numbers)
    screen = open_app(app)
    screen.see("0:")
    screen.see("1:")
    app.ask(lambda: app.state.set(WORD[1], "one"))
    screen.see("1: one")
    app.ask(lambda: app.state.mutate(NUMBERS, lambda numbers: numbers.insert(0, 10_000)))
    screen.see("10000:")
    screen.see("1: one")
