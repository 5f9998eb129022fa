"""The server under load, in a process of its own, and the questions that can be put to it.

What is asked is answered on the loop of the server: in between, nothing happens there.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import multiprocessing
import os
import resource
import threading
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import flet as ft
from flet.messaging import session as flet_session
from starlette.websockets import WebSocketDisconnect

import flet_asp_actors as fa
from flet_asp_actors.testing.headless import Client, Node, difference
from flet_asp_actors.ui import page as adapter
from flet_asp_actors.ui.binding import Binding
from flet_asp_actors.ui.frame import UIActor
from flet_asp_actors.ui.mount import Mount
from tests.kit.browser import AppServer

from . import app

__all__ = ("ServerProcess",)

PATIENCE = 120.0
"""Seconds after which an answer that does not come is missing."""

_app_manager: Any = importlib.import_module("flet_web.fastapi.flet_app_manager")  # it has no types
_flet_app: Any = importlib.import_module("flet_web.fastapi.flet_app")
_KINDS = (flet_session.Session, ft.BaseControl, Binding, Mount, UIActor, _flet_app.FletApp, fa.StateManager)
Session = flet_session.Session
_STATM = Path("/proc/self/statm")


class ServerProcess:
    """A server of `app.main`, and a line to it."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._line, other = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(other,), name="server under load")
        self._process.start()
        other.close()
        self._turn = asyncio.Lock()
        self.url: str = self._receive()

    async def ask(self, what: str, *args: Any) -> Any:
        """Ask a question; its name is that of a function below."""
        async with self._turn:
            return await asyncio.to_thread(self._ask, what, args)

    def stop(self) -> None:
        """End the server."""
        self._line.send(None)
        self._process.join(PATIENCE)
        assert self._process.exitcode == 0, f"the server has ended with {self._process.exitcode}"

    def _ask(self, what: str, args: tuple[Any, ...]) -> Any:
        self._line.send((what, args))
        return self._receive()

    def _receive(self) -> Any:
        assert self._line.poll(PATIENCE), "the server does not answer"
        answer = self._line.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


# ------------------------------------------------------------------ the other process


def _mend_flet() -> None:
    """Have Flet notice that a client has gone also when a message to it was on the way.

    Flet 1.0.5 does not: `FletApp.handle` raises what its sending has raised, before it tells the
    session. That session then counts as connected for good: it is never swept, and whoever
    comes back to it gets a new one.
    """
    handle = _flet_app.FletApp.handle

    async def mended(self: Any, websocket: Any) -> None:
        try:
            await handle(self, websocket)
        except WebSocketDisconnect:
            session = self._FletApp__session
            if session is not None and session.connection is self:
                _mended.append(session.id)
                key = self._FletApp__get_unique_session_id(session.id)
                await _app_manager.app_manager.disconnect_session(key, self._FletApp__session_timeout_seconds)

    _flet_app.FletApp.handle = mended


_mended: list[str] = []


def _serve(line: Connection) -> None:
    _mend_flet()
    server = AppServer(app.main)
    line.send(server.url)
    while (question := line.recv()) is not None:
        what, args = question
        try:
            line.send(asyncio.run_coroutine_threadsafe(_QUESTIONS[what](*args), server.loop).result(PATIENCE))
        except Exception as error:
            line.send(error)
    asyncio.run_coroutine_threadsafe(app.ALL.aclose(), server.loop).result(PATIENCE)
    server.stop()


def _sessions() -> dict[str, Session]:
    found: dict[str, Session] = (
        _app_manager.app_manager._FletAppManager__sessions
    )  # there is no public way to all of them
    return found


def _session(session_id: str) -> Session:
    (found,) = [session for session in _sessions().values() if session.id == session_id]
    return found


async def is_away(session_id: str) -> bool:
    """Whether the server has noticed that the client of a session is gone."""
    return _session(session_id).expires_at is not None


async def sessions() -> int:
    """How many sessions there are."""
    return len(_sessions())


async def rest() -> None:
    """Have nothing happen without a click any more, and wait until it is so on every page."""
    app.rest()
    for session in list(_sessions().values()):
        await session.page.__dict__["state"].flushed()
    await app.ALL.flushed()


async def wake() -> None:
    """Undo `rest` for the sessions to come."""
    app.wake()


async def differences(session_id: str, page: Node) -> list[str]:
    """Where what a client has differs from its page here."""
    mirror = Client()
    mirror.register(page)
    return difference(mirror, _session(session_id).page)


async def keep_for(seconds: int) -> None:
    """How long sessions without a client are kept, those to come and those that come back."""
    os.environ["FLET_SESSION_TIMEOUT"] = str(seconds)


async def expire() -> int:
    """Do what the server does with sessions whose time is over; it looks every ten seconds. How many there were."""
    over = [key for key, session in _sessions().items() if session.expires_at is not None]
    for key in over:
        await _app_manager.app_manager.delete_session(key)
    await asyncio.sleep(0)
    return len(over)


async def census() -> dict[str, int]:
    """How many there are of what belongs to sessions."""
    await _renew_sweeper()
    for _ in range(3):
        await asyncio.sleep(0.01)  # the close of a session is a task
        gc.collect()
    found = Counter(kind.__name__ for each in gc.get_objects() for kind in _KINDS if isinstance(each, kind))
    return {**found, "tasks": len(asyncio.all_tasks()), "threads": threading.active_count()}


async def _renew_sweeper() -> None:
    """Flet's task that sweeps holds on to the last session that it has looked at, until it looks at another."""
    manager = _app_manager.app_manager
    manager._FletAppManager__evict_sessions_task.cancel()
    manager._FletAppManager__evict_oauth_states_task.cancel()
    manager._FletAppManager__evict_sessions_task = None
    await manager.start()


def _resident() -> int:
    return int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()


async def memory() -> int:
    """The resident memory in bytes."""
    return _resident()


async def queue(session_id: str) -> tuple[int, int]:
    """How many messages to a client have not left yet, and how many frames were pushed to its page."""
    session = _session(session_id)
    return adapter.backlog(session.page), session.page.__dict__["state"].statistics().frames


async def is_pouring(session_id: str) -> bool:
    """Whether large writes are under way, or will be."""
    state = _session(session_id).page.__dict__["state"]
    return bool(state.get(state.action(app.pour).status).state != "succeeded")


async def frames() -> dict[str, int]:
    """What was written to the levels of all sessions, and what was pushed."""
    states = [session.page.__dict__["state"] for session in _sessions().values()]
    statistics = [state.statistics() for state in states]
    return {
        "frames": sum(each.frames for each in statistics),
        "pushed": sum(each.pushed for each in statistics),
        "jobs": sum(each.jobs for each in statistics),
        "mended": len(_mended),
    }


_QUESTIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        *(is_away, sessions, rest, wake, differences, keep_for, expire),
        *(census, memory, queue, is_pouring, frames),
    )
}
