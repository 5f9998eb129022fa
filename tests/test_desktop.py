"""The transport of desktop apps: Flet's socket server, with a client at the other end of a real socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import flet as ft
import flet.app as flet_app
import pytest
from flet.messaging.flet_socket_server import FletSocketServer  # pyright: ignore[reportMissingTypeStubs]  # no package

import flet_asp_actors as fa
from tests.kit.visitor import Visitor

COUNT = fa.Key("count", 0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Pipe:
    """What a visitor needs of a connection, over a socket: each message after its length."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, message: bytes) -> None:
        self._writer.write(len(message).to_bytes(4, "little") + message)
        await self._writer.drain()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                length = int.from_bytes(await self._reader.readexactly(4), "little")
                yield await self._reader.readexactly(length)
        except asyncio.IncompleteReadError:
            return

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


class DesktopVisitor(Visitor):
    """A visitor who comes by a socket."""

    async def connect(self) -> Any:
        return Pipe(*await asyncio.open_unix_connection(self._url))


@asynccontextmanager
async def desktop(main: Any, path: Path) -> AsyncGenerator[tuple[DesktopVisitor, Any]]:
    server: Any = FletSocketServer(
        loop=asyncio.get_running_loop(),
        # As a string, because in a class the name would be mangled.
        on_session_created=getattr(flet_app, "__get_on_session_created")(main),
        uds_path=str(path),
        executor=ThreadPoolExecutor(max_workers=1),
    )
    await server.start()
    visitor = DesktopVisitor(str(path))
    try:
        await visitor.come()
        yield visitor, server
    finally:
        await visitor.leave()
        await server.close()


@fa.action
async def work(get: fa.Get, set: fa.Set) -> None:
    await asyncio.sleep(3600)


async def test_a_desktop_app_from_its_first_frame_to_its_end(tmp_path: Path) -> None:
    states: list[fa.StateManager] = []
    runs: list[fa.Run[None]] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, auto_update=False)
        states.append(state)

        def add() -> None:
            state.update(COUNT, lambda count: count + 1)

        page.add(
            state.bound(ft.Text(), value=COUNT),
            ft.Button("add", on_click=add),
            ft.Button("thread", on_click=lambda: threading.Thread(target=add).start()),
            ft.Button("work", on_click=lambda: runs.append(state.action(work)())),
        )

    async with desktop(main, tmp_path / "socket") as (visitor, server):
        await visitor.until(lambda: "0" in visitor.screen.texts())
        await visitor.click(visitor.screen.find("Button")[0])
        await visitor.until(lambda: "1" in visitor.screen.texts())
        await visitor.click(visitor.screen.find("Button")[1])
        await visitor.until(lambda: "2" in visitor.screen.texts(), seconds=2)  # not at the next event
        await visitor.click(visitor.screen.find("Button")[2])
        await states[0].wait_for(work.status, lambda status: status.is_busy)
        session = server.session
        assert session.page.session is session
    await runs[0].wait()
    assert (runs[0].state, runs[0].reason) == ("cancelled", "the store was closed")
    assert "closed" in repr(states[0])
