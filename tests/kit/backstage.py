"""An app that a browser is served, as seen from behind the screen: its sessions, stores and loop."""

from __future__ import annotations

import asyncio
import importlib
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import flet as ft
from flet.messaging import session as flet_session

import flet_asp_actors as fa

__all__ = ("PATIENCE", "Backstage")

Main: TypeAlias = Callable[[ft.Page], Any]
T = TypeVar("T")
Session = flet_session.Session

PATIENCE = 20.0
"""Seconds after which what does not come is missing."""

_app_manager: Any = importlib.import_module("flet_web.fastapi.flet_app_manager")  # it has no types


class Backstage:
    """An app, and its server side: the sessions, their stores, and the loop they are on."""

    def __init__(self, main: Main) -> None:
        self.states: list[fa.StateManager] = []
        self.pages: list[weakref.ref[ft.Page]] = []
        self.left = threading.Event()
        """Whether a client has gone."""
        self.gone = threading.Event()
        """Whether a page was collected."""
        self._main = main
        self._loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, page: ft.Page) -> None:
        self._loop = asyncio.get_running_loop()
        self.states.append(fa.get_state_manager(page))
        self.pages.append(weakref.ref(page, lambda _: self.gone.set()))
        page.on_disconnect = self.left.set
        self._main(page)

    @property
    def state(self) -> fa.StateManager:
        """The store of the only session."""
        (state,) = self.states
        return state

    def ask(self, question: Callable[[], T]) -> T:
        """Ask on the loop of the server: in between, nothing happens there."""
        assert self._loop is not None

        async def answer() -> T:
            return question()

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(PATIENCE)

    def expire(self) -> None:
        """Do what the server does with the session when its time is over; it looks every ten seconds."""
        assert self._loop is not None
        manager = _app_manager.app_manager

        async def sweep() -> None:
            sessions: dict[str, Session] = manager._FletAppManager__sessions  # there is no public way to all of them
            (key,) = [key for key, session in sessions.items() if session.page is self.pages[0]()]
            assert sessions[key].expires_at is not None, "the client is still there"
            await manager.delete_session(key)

        asyncio.run_coroutine_threadsafe(sweep(), self._loop).result(PATIENCE)
