"""Components in a browser: typing, clicking, and a bound bar beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from examples import components
from tests.kit.browser import Screen

Open = Callable[[Callable[[ft.Page], Any]], Screen]


def test_a_trip_is_searched_for_and_chosen_and_outlives_a_reload(open_app: Open) -> None:
    screen = open_app(components.main)
    screen.see("0 cities, 0 nights")
    screen.type("City", "b")
    screen.see("Lisbon")
    screen.field("City").press_sequentially("er", delay=10)
    screen.see_not("Lisbon")
    screen.see("Bern")
    assert screen.field("City").input_value() == "ber"
    screen.click("Bern")
    screen.see("1 cities, 1 nights")
    screen.click("Berlin")
    screen.page.get_by_label("More nights").click()
    screen.see("2 cities, 4 nights")
    screen.shot("example-components")
    screen.reload()
    screen.see("2 cities, 4 nights")
    screen.click("Bern")
    screen.see("1 cities, 2 nights")
    screen.click("Start over")
    screen.see("0 cities, 0 nights")
    assert screen.field("City").input_value() == ""
