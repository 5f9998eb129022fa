"""The UI actor: one per page; collects the controls that have changed and pushes them, once per tick."""

from __future__ import annotations

import asyncio
import weakref
from contextvars import Context
from threading import get_ident
from typing import Protocol

import flet as ft

from ..waiting import Completion
from . import page as adapter

__all__ = ("UIActor", "ui_actor")

_SLOT = "_flet_asp_actors_ui"


class Served(Protocol):
    """What a UI actor needs of the stores that serve its page."""

    def report(self, error: BaseException, key: object, actor: str) -> None:
        """Send an error that nobody waits for to `on_error`."""
        ...

    def on_session(self, page: ft.Page, event: str) -> None:
        """The session of the page was connected, disconnected or closed."""
        ...

    def __hash__(self) -> int: ...


class UIActor:
    """Makes one `page.update(*dirty)` of all the changes of a tick.

    Its mailbox conflates: a control is in it once, however often it changed. The first
    change after a quiet time is pushed at the loop's next step, the ones after it at most
    `max_fps` times a second, and the last one is never lost. It needs no task: a timer of
    the loop is all, in a context of its own, so that Flet's automatic updates go on as if
    it were not there. While no client is connected nothing is pushed; what is dirty is kept.
    """

    def __init__(self, page: ft.Page) -> None:
        self.max_fps = 60.0
        self.frames = 0
        self.pushed = 0
        self._page = weakref.ref(page)
        self._dirty: dict[ft.BaseControl, None] = {}
        self._timer: asyncio.Handle | None = None
        self._last = float("-inf")  # when the last frame was pushed, on the loop's clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = -1
        self._waiting: list[Completion] = []
        self._is_closed = False
        self._find_loop()
        self._stores: weakref.WeakSet[Served] = weakref.WeakSet()
        adapter.watch_session(page, self._on_session)

    def serve(self, store: Served) -> None:
        """Tell a store of the page's session and of errors in its frames, as long as the store is there."""
        self._stores.add(store)

    def drop(self, store: Served) -> None:
        """Undo `serve`."""
        self._stores.discard(store)

    def mark(self, control: ft.BaseControl) -> None:
        """Note that a control has to be pushed; from the page's loop or from any thread."""
        if self._loop is None:
            self._find_loop()
        loop = self._loop
        if loop is None or self._is_closed:
            return  # nothing can be on screen yet, or any more
        if loop.is_closed():
            return  # the page died with its loop
        if self._thread != get_ident():
            try:
                loop.call_soon_threadsafe(self._mark_on_loop, control)
            except RuntimeError:  # it died just now
                pass
            return
        self._dirty[control] = None
        if self._timer is None:
            self._schedule(loop)

    def has(self, control: ft.BaseControl) -> bool:
        """Whether the client has this control, as far as can be seen from here."""
        page = self._page()
        return page is None or adapter.is_mounted(page, control)

    async def flushed(self) -> None:
        """Wait until everything that is dirty now has been pushed."""
        if self._timer is not None:
            done = Completion()
            self._waiting.append(done)
            await done.wait()

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        due = self._last + 1 / self.max_fps
        if due <= loop.time():
            self._timer = loop.call_soon(self._flush, context=Context())
        else:
            self._timer = loop.call_at(due, self._flush, context=Context())

    def _flush(self) -> None:
        self._timer = None
        page = self._page()
        try:
            if page is not None and self._dirty and adapter.connected(page):
                dirty, self._dirty = self._dirty, {}
                controls = [control for control in dirty if adapter.is_mounted(page, control)]
                if controls:
                    assert self._loop is not None
                    self._last = self._loop.time()
                    self.frames += 1
                    self.pushed += len(controls)
                    adapter.push_context(page).run(self._push, page, controls)
        finally:
            self._wake()

    def _push(self, page: ft.Page, controls: list[ft.BaseControl]) -> None:
        try:
            adapter.push(page, controls)
        except Exception:
            # One of them is to blame; the others must not suffer for it.
            for control in controls:
                try:
                    adapter.push(page, [control])
                except Exception as error:
                    for store in list(self._stores)[:1]:
                        store.report(error, type(control).__name__, "frame")

    def _on_session(self, event: str) -> None:
        if event == "connect" and self._dirty and self._timer is None and self._loop is not None:
            self._schedule(self._loop)
        elif event == "close":
            self._is_closed = True
            self._dirty.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._wake()
        page = self._page()
        if page is not None:
            for store in list(self._stores):
                store.on_session(page, event)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.finish()

    def _mark_on_loop(self, control: ft.BaseControl) -> None:
        self._thread = get_ident()
        self.mark(control)

    def _find_loop(self) -> None:
        """The loop that runs here is the page's; a thread has to ask the page."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            page = self._page()
            self._loop = adapter.loop_of(page) if page is not None else None
            return
        self._thread = get_ident()


def ui_actor(page: ft.Page) -> UIActor:
    """The UI actor of a page; made at the first use, ends with the session."""
    known = page.__dict__.get(_SLOT)
    if isinstance(known, UIActor):
        return known
    actor = page.__dict__[_SLOT] = UIActor(page)
    return actor
