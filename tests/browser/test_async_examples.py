"""The examples that talk to a server, in a browser: real sockets, and a server that does what the test says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flet as ft
import pytest
from playwright.sync_api import Locator, expect

from examples import api, prices, profiles, search, todo, upload
from tests.kit.backstage import Backstage
from tests.kit.browser import Screen
from tests.kit.server import Server

Open = Callable[[Callable[[ft.Page], Any]], Screen]


@pytest.fixture
def server(servers: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch) -> Server:
    server = servers.enter_context(Server())
    monkeypatch.setattr(api, "URL", server.url)
    return server


def checkbox(screen: Screen, name: str) -> Locator:
    return screen.page.get_by_role("checkbox", name=name, exact=True)


# ------------------------------------------------------------------ profiles


def test_profiles_show_whom_was_clicked_last(open_app: Open, server: Server) -> None:
    screen = open_app(profiles.main)
    alice = server.take("/profiles/Alice")
    screen.see("Asking")
    alice.answer({"name": "Alice", "job": "Designs bridges"})
    screen.see("Designs bridges")
    screen.see_not("Asking")

    screen.click("Bob")
    bob = server.take("/profiles/Bob")
    screen.click("Carol")
    carol = server.take("/profiles/Carol")
    bob.wait_gone()
    screen.see("Asking")
    screen.see("Designs bridges")  # until there is something newer
    screen.shot("example-profiles-asking")
    carol.answer({"name": "Carol", "job": "Flies gliders"})
    screen.see("Flies gliders")
    screen.see_not("Asking")
    screen.shot("example-profiles")

    screen.click("Bob")
    server.take("/profiles/Bob").fail(500)
    screen.see("The server says: 500 Internal Server Error")
    screen.see("Flies gliders")
    screen.shot("example-profiles-failed")
    screen.click("Bob")
    server.take("/profiles/Bob").answer({"name": "Bob", "job": "Bakes bread"})
    screen.see("Bakes bread")
    screen.see_not("The server says: 500 Internal Server Error")
    assert [request.path[-5:] for request in server.requests] == ["Alice", "s/Bob", "Carol", "s/Bob", "s/Bob"]


# ------------------------------------------------------------------ search


def test_search_asks_once_for_what_was_typed_and_again_if_the_server_is_busy(open_app: Open, server: Server) -> None:
    screen = open_app(search.main)
    screen.type("City", "b")
    superseded = server.take("/cities", q="b")
    screen.field("City").press_sequentially("er", delay=10)
    superseded.wait_gone()
    server.take("/cities", q="ber").fail(503)
    server.take("/cities", q="ber").fail(503)
    last = server.take("/cities", q="ber")
    screen.see("Searching...")
    last.answer(["Bergen", "Berlin", "Bern"])
    screen.see("3 cities")
    screen.see("Bergen")
    screen.shot("example-search")
    assert [request.query["q"] for request in server.requests] == ["b", "ber", "ber", "ber"]

    screen.type("City", "berl")
    for _ in range(3):
        server.take("/cities", q="berl").drop()
    screen.see("The connection was lost")
    screen.see("Bergen")
    screen.shot("example-search-failed")
    screen.type("City", "berli")
    server.take("/cities", q="berli").answer(["Berlin"])
    screen.see("1 city")
    screen.see_not("Bergen")
    screen.see_not("The connection was lost")


# ------------------------------------------------------------------ todo


def test_todo_shows_at_once_and_takes_back_what_was_not_saved(open_app: Open, server: Server) -> None:
    screen = open_app(todo.main)
    for task in ("Buy bread", "Call Ann"):
        screen.type("New task", task)
        screen.click("Add")
        expect(checkbox(screen, task)).not_to_be_checked()  # before the server has said a word
        saving = server.take("/tasks")
        assert saving.json == {"task": task, "done": False}
        screen.see(f"Saving {task}")
        saving.answer()
        screen.see_not(f"Saving {task}")

    screen.click("Buy bread", "checkbox")
    expect(checkbox(screen, "Buy bread")).to_be_checked()
    server.take("/tasks").fail(500)
    expect(checkbox(screen, "Buy bread")).not_to_be_checked()
    screen.see("Buy bread: The server says: 500 Internal Server Error")

    screen.click("Buy bread", "checkbox")
    screen.see_not("Buy bread: The server says: 500 Internal Server Error")
    server.take("/tasks").drop()
    expect(checkbox(screen, "Buy bread")).not_to_be_checked()
    screen.see("Buy bread: The connection was lost")

    screen.click("Call Ann", "checkbox")
    server.take("/tasks").answer()
    screen.type("New task", "Fly to the moon")
    screen.click("Add")
    expect(checkbox(screen, "Fly to the moon")).to_be_attached()
    screen.shot("example-todo-saving")
    server.take("/tasks").fail(507)
    expect(checkbox(screen, "Fly to the moon")).to_have_count(0)
    screen.see("Fly to the moon: The server says: 507 Insufficient Storage", exact=False)
    expect(checkbox(screen, "Call Ann")).to_be_checked()
    screen.shot("example-todo")


def test_todo_saves_two_quick_ticks_one_after_the_other(open_app: Open, server: Server) -> None:
    screen = open_app(todo.main)
    screen.type("New task", "Buy bread")
    screen.click("Add")
    server.take("/tasks").answer()
    screen.see_not("Saving Buy bread")
    checkbox(screen, "Buy bread").evaluate("node => node.click()")
    first = server.take("/tasks")
    expect(checkbox(screen, "Buy bread")).to_be_checked()
    checkbox(screen, "Buy bread").evaluate("node => node.click()")
    expect(checkbox(screen, "Buy bread")).not_to_be_checked()
    assert len(server.requests) == 2, "the second one waits for the first"
    first.fail(500)
    second = server.take("/tasks")
    assert (first.json["done"], second.json["done"]) == (True, False)
    second.answer()
    screen.see_not("Saving Buy bread")
    expect(checkbox(screen, "Buy bread")).not_to_be_checked()
    screen.see_not("Buy bread: The server says: 500 Internal Server Error")


# ------------------------------------------------------------------ prices


def test_prices_come_back_when_the_line_breaks_and_end_with_the_session(open_app: Open, server: Server) -> None:
    app = Backstage(prices.main)
    screen = open_app(app)
    feed = server.take("/prices")
    screen.see("Connecting...")
    feed.send({"Apples": (2.5, 0.1), "Bananas": (1.8, -0.1), "Cherries": (7, 0)})
    screen.see("Live")
    screen.see("2.50")
    feed.send({"Apples": (2.41, -0.09), "Bananas": (1.8, -0.1), "Cherries": (7, 0)})
    screen.see("2.41")
    screen.shot("example-prices")

    feed.drop()
    screen.see("Reconnecting...")
    screen.see("2.41")
    server.take("/prices").fail(503)
    feed = server.take("/prices")
    screen.see("Reconnecting...")
    screen.shot("example-prices-reconnecting")
    feed.send({"Apples": (2.6, 0.2), "Bananas": (1.8, -0.1), "Cherries": (7, 0)})
    screen.see("Live")
    screen.see("2.60")

    screen.click("Stop")
    feed.wait_gone()
    screen.see("Stopped")
    screen.click("Start")
    feed = server.take("/prices")
    feed.send({"Apples": (3, 0.4)})
    screen.see("Live")

    screen.page.context.close()
    assert app.left.wait(20)
    assert not feed.is_gone, "they may come back"
    app.expire()
    feed.wait_gone()
    assert app.ask(lambda: app.state.statistics().jobs) == 0


# ------------------------------------------------------------------ upload


def pick(screen: Screen, path: Path) -> None:
    """Choose a file. Browsers open the dialog for a real click only."""
    with screen.page.expect_file_chooser() as chooser:
        screen.page.get_by_role("button", name="Choose a file", exact=True).click()
    chooser.value.set_files(path)


def test_upload_shows_how_far_it_is_and_can_be_cancelled(open_app: Open, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "holiday.jpg"
    data = bytes(range(256)) * 1000  # four parts
    file.write_bytes(data)
    screen = open_app(upload.main)
    pick(screen, file)
    server.take("/files", start="0").answer()
    part = server.take("/files", name="holiday.jpg", start="65536")
    assert part.body == data[65536 : 2 * 65536]
    screen.see("holiday.jpg: 64 of 250 KB")
    screen.shot("example-upload-sending")
    screen.click("Cancel")
    part.wait_gone()
    screen.see("Cancelled")
    screen.see_not("Cancel")

    pick(screen, file)
    for start in range(0, len(data), 65536):
        server.take("/files", start=str(start)).answer()
    screen.see("It has arrived")
    screen.shot("example-upload")
    assert b"".join(request.body for request in server.requests[2:]) == data, "and after the cancel nothing was sent"

    pick(screen, file)
    server.take("/files").drop()
    screen.see("The connection was lost")
