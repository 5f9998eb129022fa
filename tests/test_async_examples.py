"""The examples that talk to a server, gone through without a screen, a socket, or waiting for real time."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

import flet_asp_actors as fa
from examples import api, prices, profiles, search, server, todo, upload
from examples.showcase import main as showcase
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from tests.kit.apps import passes


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return virtual_backend("asyncio")


class Asked:
    """One request, and what becomes of it."""

    def __init__(self, request: httpx.Request, body: bytes, at: float) -> None:
        self.path = request.url.path
        self.query = dict(request.url.params)
        self.body = body
        self.at = at
        self.is_gone = False
        """Whether it was taken back."""
        self.lines: asyncio.Queue[bytes | httpx.TransportError] = asyncio.Queue()
        self.response: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()

    def answer(self, value: object = None, status: int = 200) -> None:
        self.response.set_result(httpx.Response(status, content=json.dumps(value)))

    def fail(self, status: int) -> None:
        self.answer(status=status)

    def send(self, value: object) -> None:
        if not self.response.done():
            self.response.set_result(httpx.Response(200, content=self._content()))
        self.lines.put_nowait(json.dumps(value).encode() + b"\n")

    def drop(self) -> None:
        error = httpx.ReadError("the line is cut")
        if self.response.done():
            self.lines.put_nowait(error)
        else:
            self.response.set_exception(error)

    async def _content(self) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                line = await self.lines.get()
            except asyncio.CancelledError:
                self.is_gone = True
                raise
            if isinstance(line, httpx.TransportError):
                raise line
            yield line


class Line(httpx.AsyncBaseTransport):
    """The line to the server: what is asked waits for what the test says."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._untaken: list[Asked] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = Asked(request, await request.aread(), asyncio.get_running_loop().time())
        self.asked.append(asked)
        self._untaken.append(asked)
        try:
            return await asked.response
        except asyncio.CancelledError:
            asked.is_gone = True
            raise

    def take(self, path: str, **query: str) -> Asked:
        """The only request that was not taken yet."""
        (asked,) = self._untaken
        assert (asked.path, {**asked.query, **query}) == (path, asked.query)
        self._untaken = []
        return asked


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()

    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url="http://server.test", transport=line, trust_env=False)

    monkeypatch.setattr(api, "client", client)
    return line


# ------------------------------------------------------------------ profiles


def card(app: HeadlessApp) -> tuple[list[str], bool]:
    """What the card says, and whether it is being asked for anew."""
    return app.texts()[1:], bool(app.find("ProgressRing"))


async def test_profiles_show_whom_was_clicked_last(line: Line) -> None:
    async with HeadlessApp(profiles.main) as app:
        assert card(app) == ([], True)
        line.take("/profiles/Alice").answer({"name": "Alice", "job": "Designs bridges"})
        await app.settle()
        assert card(app) == (["Alice", "Designs bridges"], False)
        await app.click("Bob")
        bob = line.take("/profiles/Bob")
        await app.click("Carol")
        carol = line.take("/profiles/Carol")
        assert (bob.is_gone, carol.is_gone) == (True, False)
        assert card(app) == (["Alice", "Designs bridges"], True)
        assert [column["opacity"] for column in app.find("Column") if "opacity" in column] == [0.4]
        carol.answer({"name": "Carol", "job": "Flies gliders"})
        await app.settle()
        assert card(app) == (["Carol", "Flies gliders"], False)
        assert app.mirror_diff() == []


async def test_profiles_recover_from_an_error_with_the_next_click(line: Line) -> None:
    async with HeadlessApp(profiles.main) as app:
        failures: list[fa.Failure] = []
        fa.get_state_manager(app.page).on_error = failures.append
        line.take("/profiles/Alice").answer({"name": "Alice", "job": "Designs bridges"})
        await app.settle()
        await app.click("Bob")
        line.take("/profiles/Bob").fail(500)
        await app.settle()
        assert card(app) == (["Alice", "Designs bridges", "The server says: 500 Internal Server Error"], False)
        await app.click("Bob")
        line.take("/profiles/Bob").drop()
        await app.settle()
        assert card(app) == (["Alice", "Designs bridges", "The connection was lost"], False)
        await app.click("Bob")
        line.take("/profiles/Bob").answer({"name": "Bob", "job": "Bakes bread"})
        await app.settle()
        assert card(app) == (["Bob", "Bakes bread"], False)
        assert [type(failure.error) for failure in failures] == [api.ServerError, api.ServerError]


# ------------------------------------------------------------------ search


async def test_search_asks_once_when_the_typing_pauses(line: Line) -> None:
    async with HeadlessApp(search.main) as app:
        for typed in ("b", "be", "ber"):
            await app.type("City", typed)
            await passes(app, 0.2)
        assert line.asked == []
        assert app.texts() == ["Search", "Searching..."]
        await passes(app, 0.2)
        line.take("/cities", q="ber").answer(["Bergen", "Berlin", "Bern"])
        await app.settle()
        assert app.texts() == ["Search", "3 cities", "Bergen", "Berlin", "Bern"]
        await app.type("City", "  ")
        await passes(app, 1)
        assert (app.texts(), len(line.asked)) == (["Search"], 1)
        assert app.mirror_diff() == []


async def test_search_tries_again_if_the_server_is_busy(line: Line) -> None:
    async with HeadlessApp(search.main) as app:
        await app.type("City", "oslo")
        await passes(app, 0.4)
        for _ in range(2):
            line.take("/cities", q="oslo").fail(503)
            await passes(app, 0.5)
        assert app.texts() == ["Search", "Searching..."]
        line.take("/cities", q="oslo").answer(["Oslo"])
        await app.settle()
        assert app.texts() == ["Search", "1 city", "Oslo"]


async def test_search_drops_what_is_superseded_and_recovers_from_a_lost_connection(line: Line) -> None:
    async with HeadlessApp(search.main) as app:
        fa.get_state_manager(app.page).on_error = lambda failure: None
        await app.type("City", "os")
        await passes(app, 0.4)
        first = line.take("/cities", q="os")
        await app.type("City", "osl")
        assert first.is_gone
        await passes(app, 0.4)
        for _ in range(3):
            line.take("/cities", q="osl").drop()
            await passes(app, 1)
        assert app.texts() == ["Search", "The connection was lost"]
        await app.type("City", "oslo")
        await passes(app, 0.4)
        line.take("/cities", q="oslo").answer([])
        await app.settle()
        assert app.texts() == ["Search", "No cities"]


# ------------------------------------------------------------------ todo


def tasks(app: HeadlessApp) -> dict[str, bool]:
    return {str(box["label"]): bool(box.get("value")) for box in app.find("Checkbox")}


async def add(app: HeadlessApp, task: str) -> None:
    await app.type("New task", task)
    await app.click("Add")


async def test_todo_shows_at_once_and_takes_back_what_was_not_saved(line: Line) -> None:
    async with HeadlessApp(todo.main) as app:
        await add(app, "Buy bread")
        await add(app, "Call Ann")
        assert tasks(app) == {"Buy bread": False, "Call Ann": False}
        assert len(app.find("ProgressRing")) == 2
        bread, ann = line.asked
        ann.answer()
        bread.fail(500)
        await app.settle()
        assert tasks(app) == {"Call Ann": False}
        assert app.texts() == ["To do", "Buy bread: The server says: 500 Internal Server Error"]
        await app.enter("Call Ann", True)
        assert tasks(app) == {"Call Ann": True}
        assert json.loads(line.asked[-1].body) == {"task": "Call Ann", "done": True}
        line.asked[-1].drop()
        await app.settle()
        assert tasks(app) == {"Call Ann": False}
        assert app.texts()[1:] == [
            "Buy bread: The server says: 500 Internal Server Error\nCall Ann: The connection was lost"
        ]
        await app.enter("Call Ann", True)
        line.asked[-1].answer()
        await add(app, "Buy bread")
        line.asked[-1].answer()
        await app.settle()
        assert (tasks(app), app.texts()) == ({"Buy bread": False, "Call Ann": True}, ["To do"])
        assert app.mirror_diff() == []


@pytest.mark.parametrize(("first", "second"), list(itertools.product([True, False], repeat=2)))
async def test_todo_saves_two_quick_ticks_one_after_the_other(line: Line, first: bool, second: bool) -> None:
    async with HeadlessApp(todo.main) as app:
        await add(app, "Buy bread")
        line.take("/tasks").answer()
        await app.settle()
        is_done = False
        await app.enter("Buy bread", True)
        await app.enter("Buy bread", False)
        assert tasks(app) == {"Buy bread": False}
        for value, succeeds in ((True, first), (False, second)):
            saving = line.take("/tasks")
            assert json.loads(saving.body)["done"] == value
            saving.answer(status=200 if succeeds else 500)
            await app.settle()
            is_done = value if succeeds else is_done
        assert tasks(app) == {"Buy bread": is_done}
        assert not app.find("ProgressRing")
        assert len(app.texts()) == 1 + (not second)
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ prices


async def test_prices_come_back_when_the_line_breaks(line: Line) -> None:
    async with HeadlessApp(prices.main) as app:
        assert app.texts() == ["Prices", "Connecting..."]
        feed = line.take("/prices")
        feed.send({"Apples": (2.5, 0.1), "Bananas": (1.8, -0.1)})
        await app.settle()
        assert app.texts() == ["Prices", "Live", "Apples", "2.50", "Bananas", "1.80"]
        feed.send({"Apples": (2.4, -0.1), "Bananas": (1.8, 0)})
        await app.settle()
        assert app.texts()[2:4] == ["Apples", "2.40"]
        feed.drop()
        await app.settle()
        assert app.texts() == ["Prices", "Reconnecting...", "Apples", "2.40", "Bananas", "1.80"]
        for _ in range(6):  # an outage of some seconds
            await passes(app, 10)
            line.take("/prices").drop()
        times = [asked.at for asked in line.asked[1:]]
        assert times[0] < 0.6, "it does not wait long at first"
        await passes(app, 10)
        assert app.texts()[1] == "Reconnecting..."
        line.take("/prices").send({"Apples": (2.6, 0.2), "Bananas": (1.8, 0)})
        await app.settle()
        assert app.texts()[1:4] == ["Live", "Apples", "2.60"]
        assert app.mirror_diff() == []


async def test_prices_can_be_stopped_and_end_with_the_session(line: Line) -> None:
    async with HeadlessApp(prices.main) as app:
        line.take("/prices").send({"Apples": (2.5, 0.1)})
        await app.settle()
        await app.click("Stop")
        assert line.asked[0].is_gone
        assert app.texts()[1] == "Stopped"
        await passes(app, 100)
        await app.click("Start")
        feed = line.take("/prices")
        feed.send({"Apples": (2.5, 0.1)})
        await app.settle()
        assert app.texts()[1] == "Live"
        await app.close()
        assert feed.is_gone
        assert fa.get_state_manager(app.page).statistics().jobs == 0


# ------------------------------------------------------------------ upload


async def choose(app: HeadlessApp, data: bytes) -> None:
    file = {"id": 1, "name": "holiday.jpg", "size": len(data), "bytes": data}
    await app.fire(app.one("FilePicker", hidden=True), "result", {"files": [file]})


async def test_upload_shows_how_far_it_is(line: Line) -> None:
    data = bytes(range(256)) * 1000
    async with HeadlessApp(upload.main) as app:
        await choose(app, data)
        for start, text in ((0, "0 of 250"), (65536, "64 of 250"), (131072, "128 of 250"), (196608, "192 of 250")):
            assert app.texts() == ["Upload", f"holiday.jpg: {text} KB"]
            assert app.one("ProgressBar")["value"] == start / len(data)
            line.take("/files", start=str(start)).answer()
            await app.settle()
        assert app.texts() == ["Upload", "It has arrived"]
        assert app.one("ProgressBar")["value"] == 1
        assert b"".join(asked.body for asked in line.asked) == data
        assert app.mirror_diff() == []


async def test_upload_is_cancelled_or_fails_and_can_be_done_again(line: Line) -> None:
    async with HeadlessApp(upload.main) as app:
        await choose(app, b"some")
        await app.click("Cancel")
        assert line.take("/files").is_gone
        assert (app.texts(), app.one("ProgressBar")["value"]) == (["Upload", "Cancelled"], 0)
        assert not app.find(content="Cancel")
        await choose(app, b"some")
        line.take("/files").drop()
        await app.settle()
        assert app.texts() == ["Upload", "The connection was lost"]
        await choose(app, b"some")
        line.take("/files").answer()
        await app.settle()
        assert app.texts() == ["Upload", "It has arrived"]


# ------------------------------------------------------------------ showcase


async def test_showcase_asks_nothing_for_a_screen_that_nobody_sees(line: Line) -> None:
    async with HeadlessApp(showcase.main) as app:

        async def go_to(screen: str) -> None:
            titles = [node["label"] for node in app.find("NavigationRailDestination")]
            await app.enter(app.one("NavigationRail"), titles.index(screen), prop="selected_index")

        assert line.asked == []
        await go_to("Profiles")
        alice = line.take("/profiles/Alice")
        await go_to("Prices")
        assert alice.is_gone
        feed = line.take("/prices")
        feed.send({"Apples": (2.5, 0.1)})
        await app.settle()
        assert app.texts()[1] == "Live"
        await go_to("Counter")
        assert feed.is_gone
        await go_to("Prices")
        line.take("/prices").send({"Apples": (2.6, 0.1)})
        await app.settle()
        assert app.texts() == ["Prices", "Live", "Apples", "2.60"]
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ the server that is built in


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def client() -> httpx.AsyncClient:
        transport = httpx.ASGITransport(server.app)
        return httpx.AsyncClient(base_url="http://server.test", transport=transport, trust_env=False)

    monkeypatch.setattr(api, "client", client)


async def test_the_server_of_the_examples_knows_what_they_ask(at_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 1.0)  # in a good mood
    for name in ("Alice", "Bob", "Carol"):
        assert profiles.Profile(**await api.ask("GET", f"/profiles/{name}")).name == name
    assert await api.ask("GET", "/cities", params={"q": "ber"}) == ["Berlin", "Bern", "Bergen"]
    async with fa.StateManager() as state:
        await state.action(todo.save)("Buy bread", True)
        await state.action(upload.upload)("holiday.jpg", bytes(100_000))
    response = await server.prices()
    ticks: list[dict[str, Any]] = [json.loads(str(line)) async for line in response.body_iterator]
    assert [list(tick) for tick in ticks] == [["Apples", "Bananas", "Cherries"]] * 40


async def test_the_server_of_the_examples_has_its_moods(at_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.0)
    with pytest.raises(api.ServerError, match="The server says: 503 Service Unavailable"):
        await api.ask("GET", "/cities", params={"q": "ber"})
    with pytest.raises(api.ServerError, match="The server says: 500 Internal Server Error"):
        await api.ask("PUT", "/tasks")
