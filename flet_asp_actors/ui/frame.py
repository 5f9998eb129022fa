"""The UI actor: one per page; collects the controls that have changed and pushes them, once per tick."""

from __future__ import annotations

import asyncio
from contextvars import Context
from threading import get_ident
from typing import Protocol

import anyio
import flet as ft

from ..door import PATIENCE
from ..waiting import Completion
from . import page as adapter
from .roots import cheapest
from .session import PageSession

__all__ = ("UIActor", "ui_actor")

_SLOT = "_flet_asp_actors_ui"

BACKLOG = 8
"""So many messages may wait for a slow client before the next frame waits, too."""


class Stage(Protocol):
    """The components of the page: Flet renders and pushes them, when the frame asks for it."""

    @property
    def is_stale(self) -> bool:
        """Whether any is to be rendered anew."""
        ...

    def show(self, page: ft.Page) -> bool:
        """Ask Flet to render those that can be; whether there are more, at the loop's next step."""
        ...


class UIActor(PageSession):
    """Makes one `page.update(*dirty)` of all the changes of a tick.

    Its mailbox conflates: a control is in it once, however often it changed. The first
    change after a quiet time is pushed at the loop's next step, the ones after it at most
    `max_fps` times a second, and the last one is never lost. It needs no task: a timer of
    the loop is all, in a context of its own, so that Flet's automatic updates go on as if
    it were not there. While no client is connected nothing is sent; one that comes back is
    sent the whole page. When a client does not take what was sent, the next frame waits until it has.
    """

    def __init__(self, page: ft.Page) -> None:
        super().__init__(page)
        self.max_fps = 60.0
        self.auto_update = True
        """Whether Flet is to compare the page after handlers that have changed something; see `touched`."""
        self.frames = 0
        self.pushed = 0
        self.stage: Stage | None = None
        """The components of the page, if they use values."""
        self._dirty: dict[ft.BaseControl, None] = {}
        self._timer: asyncio.Handle | None = None
        self._last = float("-inf")  # when the last frame was pushed, on the loop's clock
        self._waiting: list[Completion] = []
        self._find_loop()

    # ------------------------------------------------------------------ dirty

    def mark(self, control: ft.BaseControl) -> None:
        """Note that a control has to be pushed; from the page's loop or from any thread."""
        loop = self._loop or self._find_loop()
        if loop is None or self._is_closed:
            return  # nothing can be on screen yet, or any more
        if self._thread != get_ident():
            self._call(self._mark_on_loop, control)
            return
        self._dirty[control] = None
        if self._timer is None:
            self._schedule(loop)
        self.touched()

    def forget(self, control: ft.BaseControl) -> None:
        """Undo `mark`: the control has left the page, and is sent whole if it comes back."""
        self._dirty.pop(control, None)

    def ask(self) -> None:
        """Have a frame, if there is none to come; on the page's loop."""
        loop = self._loop or self._find_loop()
        if loop is not None and self._timer is None and not self._is_closed:
            self._schedule(loop)

    def has(self, control: ft.BaseControl) -> bool:
        """Whether the client has this control, as far as can be seen from here."""
        page = self._page()
        return page is None or adapter.is_mounted(page, control)

    def touched(self) -> None:
        """State was written: without `auto_update` Flet need not look at the page after the handler that did it.

        Only the handler's own task counts: tasks that it has started have its context, too, and
        what it edits by hand meanwhile would not be shown.
        """
        if not self.auto_update and adapter.current_page() is self._page() and adapter.is_handling():
            adapter.skip_auto_update()

    # ------------------------------------------------------------------ frames

    async def flushed(self) -> None:
        """Wait until everything that is dirty now has been pushed; from a task of any loop."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        done = Completion()
        if not self.is_here:
            if not self._call(self._await_frame, done):
                return  # pragma: no cover - the loop was closed since we looked
        elif self._arrived:
            loop.call_soon(self._await_frame, done)
        elif self._timer is not None:
            self._waiting.append(done)
        else:
            return
        while not done.is_done and not loop.is_closed():
            with anyio.move_on_after(PATIENCE):
                await done.wait()

    def _await_frame(self, done: Completion) -> None:
        """Finish `done` with the next frame; what has come from other threads by now is part of that."""
        if self._timer is not None:
            self._waiting.append(done)
        else:
            done.finish()

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        page = self._page()
        is_away = page is not None and adapter.is_away(page)
        due = self._last + 1 / self.max_fps if not is_away else self._last
        try:
            if due <= loop.time():
                self._timer = loop.call_soon(self._flush, context=Context())
            else:
                self._timer = loop.call_at(due, self._flush, context=Context())
        except RuntimeError:  # it is closed, and nobody is at the page unless another one serves it
            self._timer = None

    @property
    def _has_changes(self) -> bool:
        return bool(self._dirty) or (self.stage is not None and self.stage.is_stale)

    def _flush(self) -> None:
        self._timer = None
        page, loop = self._page(), self._loop
        assert loop is not None
        if page is not None and self._has_changes and adapter.connected(page):
            if adapter.backlog(page) > BACKLOG:
                self._timer = loop.call_later(1 / self.max_fps, self._flush, context=Context())
                return
            dirty, self._dirty = self._dirty, {}
            controls = [control for control in dirty if adapter.is_mounted(page, control)]
            if controls:
                self._last = loop.time()
                self.frames += 1
                self.pushed += len(controls)
                adapter.push_context(page).run(self._push, page, controls)
            if self.stage is not None and self.stage.is_stale:
                self._last = loop.time()
                if adapter.push_context(page).run(self.stage.show, page):
                    self._timer = loop.call_soon(self._flush, context=Context())
                    return
        elif page is not None and adapter.is_away(page):
            self._build_unseen(page)
        self._wake()

    def _build_unseen(self, page: ft.Page) -> None:
        """Have Flet build what has come into the page while nobody is there, and take down what has left it.

        Nothing is sent. The client that comes back is sent the page as it is, and what Flet finds
        in it then for the first time, it would never build: it would not be followed by anything.
        """
        dirty, self._dirty = self._dirty, {}
        controls = [each for each in dirty if adapter.is_mounted(page, each) and adapter.has_new_parts(each)]
        if controls:
            adapter.push_context(page).run(self._push, page, controls)

    def _push(self, page: ft.Page, controls: list[ft.BaseControl]) -> None:
        changes = [adapter.changes(control) for control in controls]
        try:
            adapter.push(page, cheapest(controls))
        except Exception as error:
            # One of them is to blame, or something else in an ancestor; the others must not suffer for it.
            failed = [
                (control, its)
                for control, names in zip(controls, changes, strict=True)
                if (its := _push_again(page, control, names)) is not None
            ]
            for control, its in failed or [(page, error)]:
                self.report(its, type(control).__name__, "frame")

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.finish()

    # ------------------------------------------------------------------ the session

    def _connected(self) -> None:
        super()._connected()
        if self._has_changes:
            self.ask()

    def _disconnected(self) -> None:
        super()._disconnected()
        if self._dirty:
            self.ask()

    def _closed(self) -> None:
        super()._closed()
        self._dirty.clear()
        self._stop_timer()
        self._wake()

    def _has_moved(self) -> None:
        self._stop_timer()
        self._last = float("-inf")  # that was on another clock
        super()._has_moved()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _mark_on_loop(self, control: ft.BaseControl) -> None:
        self._thread = get_ident()
        self.mark(control)


def _push_again(page: ft.Page, control: ft.BaseControl, names: list[str]) -> Exception | None:
    """Push one control whose update may have failed before; gives what it has failed with now."""
    try:
        adapter.change_again(control, names)
        adapter.push(page, [control])
    except Exception as error:
        return error
    return None


def ui_actor(page: ft.Page) -> UIActor:
    """The UI actor of a page; made at the first use, ends with the session."""
    known = page.__dict__.get(_SLOT)
    if isinstance(known, UIActor):
        return known
    actor = page.__dict__[_SLOT] = UIActor(page)
    return actor
