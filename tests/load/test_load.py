"""The short form of what `make load` and `make soak` do at length."""

from __future__ import annotations

import asyncio
import importlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing.headless import HeadlessApp
from flet_asp_actors.ui.frame import BACKLOG
from tests.kit.failures import collect

from . import soak as endurance
from .app import FLOOD, POURED
from .crowd import crowd
from .server import ServerProcess
from .soak import growth, soak
from .waves import wave

FletApp: Any = importlib.import_module("flet_web.fastapi.flet_app").FletApp  # it has no types
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_crowd_leaves_nothing_behind() -> None:
    server = ServerProcess()
    try:
        await wave(server, 1, 2, 0.0)  # what is made only once
        before = await server.ask("census")
        first = await wave(server, 20, 5, 0.1)
        second = await wave(server, 20, 5, 0.0)  # nobody thinks
    finally:
        server.stop()
    assert first.wrong == second.wrong == []
    assert first.census == second.census == before
    assert before["StateManager"] == 1  # the one for all
    assert {"Session", "Binding", "BaseControl"}.isdisjoint(before)
    assert max(second.trips.floods) < FLOOD  # what is written in between is conflated
    assert second.memory <= first.memory * 1.1


async def test_the_crowd_sees_what_is_wrong() -> None:
    """The comparison finds a client that has something else than the server."""
    server = ServerProcess()
    try:
        (person,), _ = await crowd(server, 1, 1, 0.0)
        await server.ask("rest")
        person.visitor.screen.node("Add")["content"] = "Subtract"
        person.patience = 0.0
        assert any("Subtract" in each for each in await person.differences())
        await person.visitor.leave()
    finally:
        server.stop()


async def test_a_client_that_does_not_read_is_waited_for() -> None:
    """Frames are not made faster than they leave: what comes in between is in the next one."""
    server = ServerProcess()
    try:
        (person,), _ = await crowd(server, 1, 1, 0.0)
        visitor = person.visitor
        before = (await server.ask("queue", visitor.session_id))[1]
        visitor.look_away()
        await visitor.click("Pour")
        longest = frames = 0
        while await server.ask("is_pouring", visitor.session_id):
            length, frames = await server.ask("queue", visitor.session_id)
            longest = max(longest, length)
            await asyncio.sleep(0.01)
        visitor.look()
        await visitor.until(lambda: any(text.endswith(f" {POURED}") for text in visitor.screen.texts()))
        assert 0 < longest <= 3 * BACKLOG  # what may wait, and the messages of one more frame: a few, not thousands
        assert frames - before < POURED / 2
        await server.ask("rest")
        assert await person.differences() == []
        await visitor.leave()
    finally:
        server.stop()


async def test_clicks_leave_nothing_behind() -> None:
    samples = await soak(2_000)
    assert growth(samples) == []


async def test_what_grows_is_seen() -> None:
    kept: list[list[int]] = []

    def hoards(page: ft.Page) -> None:
        def add() -> None:
            kept.append([len(kept)])
            shown.value = str(len(kept))

        page.add(ft.Button("Add", on_click=add), shown := ft.Text())

    assert "blocks" in " ".join(growth(await soak(2_000, hoards)))


async def test_the_soaked_app_is_right() -> None:
    async with HeadlessApp(endurance.main) as app:
        for _ in range(100):
            await app.click("Add")
        assert app.texts()[:3] == ["count 100", "100 clicks, rows up to 29", "noted 100"]
        assert app.mirror_diff() == []


async def test_a_client_that_has_just_gone_is_no_error() -> None:
    """For a step of the loop the session still has the connection, and the connection nothing to send by."""
    count = fa.Key("count", 0)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(*(state.bound(ft.Text(), value=lambda get: f"count {get(count)}") for _ in range(2)))

    async with HeadlessApp(main) as app:
        state = fa.get_state_manager(app.page)
        failures = collect(state)
        with ThreadPoolExecutor(1) as executor:
            gone: Any = FletApp(asyncio.get_running_loop(), executor, main, None)
            gone._FletApp__send_queue = None
            app.session.attach_connection(gone)
            state.set(count, 1)
            await app.settle()
            assert failures == []
            assert state.statistics().frames == 0
            await app.disconnect()
        await app.reconnect()
        assert app.texts() == ["count 1"] * 2
        state.set(count, 2)
        await app.settle()
        assert app.texts() == ["count 2"] * 2
        assert app.mirror_diff() == []
