"""The kit itself, in a browser: Flet alone, without the library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flet as ft

from tests.kit.browser import Screen

Open = Callable[[Callable[[ft.Page], Any]], Screen]

SCRIPT = """
import flet as ft

def main(page):
    page.add(ft.Text("from a script"))

ft.run(main)
"""


def test_a_counter_is_clicked(open_app: Open) -> None:
    def main(page: ft.Page) -> None:
        shown = ft.Text("0", size=40)

        def increment() -> None:
            shown.value = str(int(shown.value) + 1)

        page.add(shown, ft.Button("Increment", on_click=increment))

    screen, other = open_app(main), open_app(main)
    for _ in range(3):
        screen.click("Increment")
    screen.see("3")
    screen.see_not("0")
    other.see("0")  # a session of its own
    assert screen.shot("kit-counter").stat().st_size > 0
    screen.reload()
    screen.see("3")


def test_typing_echoes(open_app: Open) -> None:
    def main(page: ft.Page) -> None:
        echo = ft.Text()

        def say(event: ft.Event[ft.TextField]) -> None:
            echo.value = f"Hello, {event.control.value}"

        page.add(ft.TextField(label="Name", on_change=say), ft.TextField(label="E-mail"), echo)

    screen = open_app(main)
    screen.type("Name", "Zoë")
    screen.type("E-mail", "zoe@example.org")
    screen.see("Hello, Zoë")
    screen.type("Name", "Ann")
    screen.see("Hello, Ann")
    screen.shot("kit-typing")


def test_a_script_is_served(
    serve_script: Callable[[str | Path], str], open_url: Callable[[str], Screen], tmp_path: Path
) -> None:
    script = tmp_path / "hello.py"
    script.write_text(SCRIPT)
    open_url(serve_script(script)).see("from a script")
