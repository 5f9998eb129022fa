"""Where a page lives: the loop that serves it, and the door for what comes from other threads."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from threading import Lock, get_ident
from typing import Any, Protocol

import flet as ft

from . import page as adapter

__all__ = ("Arriving", "Place")

NOWHERE = -1
"""What a place without a loop has for a thread: no thread has it."""


class Arriving(Protocol):
    """Something that has a value from another thread to show."""

    def show(self) -> None:
        """Show it, on the page's thread."""
        ...

    def report(self, error: BaseException) -> None:
        """Take what `show` has raised."""
        ...

    def __hash__(self) -> int: ...


class Place:
    """The loop of a page. It is known once there is a client, or a loop runs where the page is first used."""

    def __init__(self, page: ft.Page) -> None:
        self._page = weakref.ref(page)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = NOWHERE
        self._arrived: dict[Arriving, None] = {}  # from other threads
        self._is_awaited = False  # the loop has been asked to take what has arrived
        self._arriving = Lock()
        self._is_closed = False

    @property
    def is_here(self) -> bool:
        """Whether the caller is on the thread of the page's loop."""
        if self._thread == NOWHERE:
            self._find_loop()
        return self._loop is None or self._thread == get_ident()

    def post(self, arriving: Arriving) -> None:
        """Have a value shown that has come from another thread; more of them from one source are one."""
        with self._arriving:
            self._arrived[arriving] = None
            if self._is_awaited:
                return
            self._is_awaited = True
        if not self._call(self._arrive):
            self._is_awaited = False

    def _arrive(self) -> None:
        self._thread = get_ident()
        with self._arriving:
            arrived, self._arrived = self._arrived, {}
            self._is_awaited = False
        page = self._page()
        if page is None or self._is_closed:
            return  # pragma: no cover - the page has ended since
        context = adapter.push_context(page)
        for each in arrived:
            try:
                context.run(each.show)
            except Exception as error:
                each.report(error)

    def _call(self, call: Callable[..., object], *args: Any) -> bool:
        """Have something called on the page's loop, soon; from any thread. False when the loop is dead."""
        if self._loop is None:
            return False  # pragma: no cover - who is elsewhere knows of a loop
        try:
            self._loop.call_soon_threadsafe(call, *args)
        except RuntimeError:  # it is closed
            return False
        return True

    def _find_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that serves the page; before there is a client, the one that runs here."""
        page = self._page()
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        loop = (adapter.loop_of(page) if page is not None else None) or self._loop or running
        if loop is not self._loop:
            self._loop, self._thread = loop, NOWHERE
            self._has_moved()
        if loop is not None and loop is running:
            self._thread = get_ident()
        return loop

    def _has_moved(self) -> None:
        """The page is served by another loop from here on: what the last one has not taken is for this one."""
        with self._arriving:
            self._is_awaited = bool(self._arrived)
        if self._is_awaited:
            self._call(self._arrive)
