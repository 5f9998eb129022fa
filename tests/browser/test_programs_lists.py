"""Users, cart, tasks, performance, reactive controls, send button: in a browser, as a person uses them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import flet as ft
import pytest
from playwright.sync_api import expect

from examples import users
from examples.cart import main as cart
from examples.performance import main as performance
from examples.performance.values import FPS, MEASURES
from examples.reactive import feeds
from examples.reactive import main as reactive
from examples.send_button import main as send_button
from examples.tasks import main as tasks
from tests.kit.backstage import Backstage
from tests.kit.browser import Screen

Open = Callable[[Callable[[ft.Page], Any]], Screen]

NARROW, WIDE = (400, 800), (1200, 800)


@pytest.fixture(autouse=True)
def unharmed(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What lies under Flet's error screen can still be found: so look whether there was one."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.name == "flet"] == []


def resize(screen: Screen, size: tuple[int, int]) -> None:
    screen.page.set_viewport_size({"width": size[0], "height": size[1]})


def place(screen: Screen, text: str) -> tuple[float, float]:
    """Where on the screen something is."""
    box = screen.page.get_by_text(text, exact=True).first.bounding_box()
    assert box is not None
    return box["x"], box["y"]


# ------------------------------------------------------------------ users


def test_users_load_come_in_order_and_fail(open_app: Open) -> None:
    screen = open_app(users.main)
    screen.see("Loading...")
    screen.see("Asking the server")
    screen.see("Alice (alice@example.com)")
    screen.see_not("Asking the server")
    screen.click("Next User")  # Bob, who takes three seconds
    screen.see("Loading...")
    screen.see_not("Alice (alice@example.com)")
    screen.shot("program-users-loading")
    screen.click("Next User")  # Charlie, who takes one
    screen.see("Charlie (charlie@example.com)")
    screen.shot("program-users")
    screen.click("The server is down", "switch")
    screen.click("Next User")
    screen.see("The server cannot be reached")
    screen.see_not("Bob (bob@example.com)")
    resize(screen, NARROW)
    screen.shot("program-users-failed")
    screen.click("The server is down", "switch")
    screen.click("Try again")
    screen.see("Alice (alice@example.com)")
    screen.see_not("Try again")


# ------------------------------------------------------------------ cart


def test_a_cart_is_filled_changed_and_cleared(open_app: Open) -> None:
    screen = open_app(cart.main)
    resize(screen, WIDE)
    for text in ("Products", "Shopping Cart", "Items: 0", "Cart is empty", "Total: $0.00"):
        screen.see(text)
    screen.shot("program-cart-empty")
    screen.press("Add Laptop")
    screen.see("Items: 1")
    screen.press("Add Laptop")
    screen.press("Add Mouse")
    for text in ("Items: 3", "$999.99 × 2", "$1999.98", "$29.99 × 1", "Total: $2029.97"):  # noqa: RUF001  # so it is shown
        screen.see(text)
    screen.see_not("Cart is empty")
    screen.shot("program-cart-wide")
    (left, high), (right, low) = place(screen, "Products"), place(screen, "Shopping Cart")
    assert right > left + 500
    assert abs(high - low) < 50
    resize(screen, NARROW)
    screen.see("Items: 3")
    screen.shot("program-cart-narrow")
    (left, high), (right, low) = place(screen, "Products"), place(screen, "Shopping Cart")
    assert abs(right - left) < 50
    assert low > high + 200
    screen.press("One Laptop less")
    screen.see("Total: $1029.98")
    screen.press("One Mouse more")
    screen.see("Total: $1059.97")
    screen.press("Remove Laptop")
    screen.see("Total: $59.98")
    screen.see_not("$999.99 × 1")  # noqa: RUF001  # so it is shown
    screen.click("Clear Cart")
    screen.see("Items: 0")
    screen.see("Cart is empty")
    screen.see("Total: $0.00")


# ------------------------------------------------------------------ tasks


def test_tasks_are_added_ticked_edited_and_cleared(open_app: Open) -> None:
    screen = open_app(tasks.main)
    for number, name in enumerate(("Bread", "Milk", "Eggs"), 1):
        screen.type("What is to be done?", name)
        screen.press("Add")
        screen.see(f"Active tasks: {number}")
    screen.click("Milk", "checkbox")
    screen.see("Active tasks: 2")
    screen.press("Edit Bread")
    screen.type("New text of Bread", "Brown bread")
    screen.shot("program-tasks-edit")
    screen.press("Save")
    screen.see("Brown bread")
    screen.shot("program-tasks")
    screen.click("Active", "tab")
    screen.see_not("Milk")
    screen.click("Completed", "tab")
    screen.see_not("Eggs")
    screen.see("Milk")
    resize(screen, NARROW)
    screen.shot("program-tasks-completed")
    screen.click("Clear completed")
    screen.see_not("Milk")
    screen.click("All", "tab")
    screen.see("Eggs")
    screen.press("Delete Eggs")
    screen.see("Active tasks: 1")
    screen.see_not("Eggs")


# ------------------------------------------------------------------ reactive controls


def test_reactive_controls_count_send_and_move_files(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = itertools.cycle((0.1, -0.1))
    monkeypatch.setattr(feeds, "change", lambda: next(changes))
    screen = open_app(reactive.main)
    resize(screen, WIDE)
    screen.see("Total: 110")
    screen.see("Submit the form to see what came of it")
    screen.press("Tens: 5 more")
    screen.see("Total: 115")
    screen.press("Tens: reset")
    screen.see("Total: 110")
    expect(screen.button("Send")).to_be_disabled()
    screen.type("Name", "Ann")
    screen.type("E-mail", "ann@b.c")
    screen.type("Password", "abc")
    screen.see("Four characters at least")
    screen.shot("program-reactive-mistake")
    screen.type("Password", "secret")
    screen.click("Upload")
    screen.click("Download")
    screen.click("Send")
    screen.see("Welcome, Ann ann@b.c ******")
    screen.see("+10.0%")  # the first figures, after three seconds
    screen.see("-10.0%")
    expect(screen.page.get_by_text("100%", exact=True)).to_have_count(2, timeout=10_000)
    screen.shot("program-reactive-wide")
    resize(screen, NARROW)
    screen.shot("program-reactive-narrow")
    screen.click("Clear")
    screen.see("Submit the form to see what came of it")


# ------------------------------------------------------------------ performance


def test_the_benchmark_runs_is_cancelled_and_the_page_turns_dark_meanwhile(open_app: Open) -> None:
    app = Backstage(performance.main)
    screen = open_app(app)
    resize(screen, (1200, 1000))
    for text in ("Configuration", "Benchmark", "Tuning", "Tips", "At most 60 frames a second; the benchmark shows it"):
        screen.see(text)
    screen.click("Run benchmark")
    expect(screen.button("Run benchmark")).to_be_disabled()
    screen.see("Cancel")
    screen.press("Switch to dark")
    screen.see("Switch to light")
    screen.shot("program-performance-running")
    screen.see("times fewer messages", exact=False)
    expect(screen.button("Run benchmark")).to_be_enabled()
    screen.shot("program-performance-dark")
    screen.press("Switch to light")
    screen.see("Switch to dark")
    by_hand, bound, _ = app.ask(lambda: app.state.get(MEASURES))
    screen.see(f"{by_hand.messages:,} messages", exact=False)
    assert by_hand.messages > 20 * bound.messages
    screen.shot("program-performance-wide")
    screen.page.get_by_role("slider").first.focus()
    screen.page.keyboard.press("ArrowLeft")
    screen.see("At most 59 frames a second; the benchmark shows it")
    assert app.ask(lambda: app.state.get(FPS)) == 59
    screen.click("Run benchmark")
    screen.click("Cancel")
    screen.see("Cancelled")
    screen.see_not("Cancel")
    resize(screen, NARROW)
    screen.shot("program-performance-narrow")


# ------------------------------------------------------------------ send button


def test_a_plane_takes_off_under_the_mouse_and_carries_one_message(open_app: Open) -> None:
    screen = open_app(send_button.main)
    resize(screen, (400, 400))
    screen.see("Services that run: bob")
    screen.shot("program-send-idle")
    mouse = screen.page.mouse
    mouse.move(85, 110)
    screen.see("Services that run: drift")
    screen.shot("program-send-hover")
    mouse.move(300, 350)
    screen.see("Services that run: bob")
    mouse.click(85, 110)
    screen.see("Sending:", exact=False)
    mouse.click(85, 110)
    mouse.move(300, 350)
    screen.shot("program-send-sending")
    screen.see("Services that run: drift")
    screen.see("Sent: 1")
    screen.see("Services that run: bob")
    screen.click("On the page", "switch")
    screen.see("Services that run: none")
    screen.shot("program-send-gone")
    screen.click("On the page", "switch")
    screen.see("Services that run: bob")
    screen.see("Sent: 1")
