"""Controls with state of their own, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flet as ft

from examples.reactive.main import main as gallery
from tests.kit.browser import Screen

Open = Callable[[Callable[[ft.Page], Any]], Screen]


def test_the_controls_of_the_gallery_work_side_by_side(open_app: Open) -> None:
    screen = open_app(gallery)
    screen.page.set_viewport_size({"width": 1040, "height": 760})
    screen.see("Total: 110")
    screen.page.get_by_label("Tens: 5 more").click()
    screen.see("Total: 115")
    screen.page.get_by_label("One by one: 1 less").click()
    screen.see("Total: 114")
    screen.type("Name", "Ann")
    screen.type("E-mail", "ann")
    screen.see("An address has an @ in it")
    screen.shot("example-reactive-mistake")
    screen.type("E-mail", "ann@b.c")
    screen.type("Password", "secret")
    screen.click("Send")
    screen.see("Welcome, Ann", exact=False)
    screen.click("Upload")
    screen.see("100%")
    screen.shot("example-reactive")
    screen.page.get_by_label("Tens: reset").click()
    screen.see("Total: 109")
