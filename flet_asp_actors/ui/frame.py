"""The UI actor: one per page; collects the controls that have changed and pushes them, once per tick."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from contextvars import Context
from threading import Lock, get_ident
from typing import Any, Literal, Protocol

import flet as ft

from ..waiting import Completion
from . import page as adapter
from .roots import cheapest

__all__ = ("OnDisconnect", "UIActor", "ui_actor")

_SLOT = "_flet_asp_actors_ui"


OnDisconnect = Literal["keep", "pause", "cancel"]

BACKLOG = 8
"""So many messages may wait for a slow client before the next frame waits, too."""


class Served(Protocol):
    """What a UI actor needs of the stores that serve its page."""

    def report(self, error: BaseException, key: object, actor: str) -> None:
        """Send an error that nobody waits for to `on_error`."""
        ...

    def on_session(self, page: ft.Page, event: str) -> None:
        """The session of the page was connected, disconnected or closed."""
        ...

    def leave_page(self, page: ft.Page, reason: str) -> None:
        """There is nobody at the page any more: cancel the runs that were started from it."""
        ...

    def __hash__(self) -> int: ...


class Observer(Protocol):
    """Something on the page that watches values as long as the page is looked at."""

    def rest(self) -> None:
        """Do not watch for now: nobody looks."""
        ...

    def resume(self) -> None:
        """Watch again, and catch up."""
        ...

    def leave(self) -> None:
        """The session has ended: let go of everything."""
        ...

    def __hash__(self) -> int: ...


class Arriving(Protocol):
    """Something that has a value from another thread to show."""

    def show(self) -> None:
        """Show it, on the page's thread."""
        ...

    def __hash__(self) -> int: ...


class Stage(Protocol):
    """The components of the page: Flet renders and pushes them, when the frame asks for it."""

    @property
    def is_stale(self) -> bool:
        """Whether any is to be rendered anew."""
        ...

    def show(self, page: ft.Page) -> bool:
        """Ask Flet to render those that can be; whether there are more, at the loop's next step."""
        ...


class UIActor:
    """Makes one `page.update(*dirty)` of all the changes of a tick.

    Its mailbox conflates: a control is in it once, however often it changed. The first
    change after a quiet time is pushed at the loop's next step, the ones after it at most
    `max_fps` times a second, and the last one is never lost. It needs no task: a timer of
    the loop is all, in a context of its own, so that Flet's automatic updates go on as if
    it were not there. While no client is connected nothing is pushed; what is dirty is kept.
    When a client does not take what was sent, the next frame waits until it has.
    """

    def __init__(self, page: ft.Page) -> None:
        self.max_fps = 60.0
        self.auto_update = True
        self.on_disconnect: OnDisconnect = "keep"
        self.grace = 3.0
        """Seconds without a client after which the runs are cancelled, if they are."""
        self.frames = 0
        self.pushed = 0
        self._page = weakref.ref(page)
        self._dirty: dict[ft.BaseControl, None] = {}
        self._timer: asyncio.Handle | None = None
        self._last = float("-inf")  # when the last frame was pushed, on the loop's clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = -1
        self._waiting: list[Completion] = []
        self._observers: dict[Observer, None] = {}
        self.is_resting = False
        """Whether there is no client, and what watches for its sake has been told to rest."""
        self.stage: Stage | None = None
        """The components of the page, if they use values."""
        self._arrived: dict[Arriving, None] = {}  # from other threads
        self._arriving = Lock()
        self._canceller: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._main: weakref.ref[asyncio.Task[Any]] | None = None
        self._find_loop()
        self._stores: weakref.WeakSet[Served] = weakref.WeakSet()
        adapter.watch_session(page, self._on_session)

    # ------------------------------------------------------------------ who takes part

    def serve(self, store: Served) -> None:
        """Tell a store of the page's session and of errors in its frames, as long as the store is there."""
        self._stores.add(store)

    def drop(self, store: Served) -> None:
        """Undo `serve`."""
        self._stores.discard(store)

    def join(self, observer: Observer) -> None:
        """Have an observer rest while nobody looks, and leave at the end of the session."""
        self._observers[observer] = None
        if self.is_resting:
            observer.rest()

    def part(self, observer: Observer) -> None:
        """Undo `join`."""
        self._observers.pop(observer, None)

    # ------------------------------------------------------------------ dirty

    def mark(self, control: ft.BaseControl) -> None:
        """Note that a control has to be pushed; from the page's loop or from any thread."""
        loop = self._loop or self._find_loop()
        if loop is None or self._is_closed:
            return  # nothing can be on screen yet, or any more
        if self._thread != get_ident():
            _post(loop, self._mark_on_loop, control)
            return
        self._dirty[control] = None
        if self._timer is None:
            self._schedule(loop)
        if not self.auto_update:
            self.touched()

    def ask(self) -> None:
        """Have a frame for what is stale on the stage; on the page's loop."""
        loop = self._loop or self._find_loop()
        if loop is not None and self._timer is None and not self._is_closed:
            self._schedule(loop)

    def has(self, control: ft.BaseControl) -> bool:
        """Whether the client has this control, as far as can be seen from here."""
        page = self._page()
        return page is None or adapter.is_mounted(page, control)

    @property
    def is_here(self) -> bool:
        """Whether the caller is on the thread of the page's loop."""
        if self._thread == -1:
            self._find_loop()
        return self._loop is None or self._thread == get_ident()

    def post(self, arriving: Arriving) -> None:
        """Have a value shown that has come from another thread; more of them from one source are one."""
        loop = self._loop
        if loop is None:
            return
        with self._arriving:
            is_first = not self._arrived
            self._arrived[arriving] = None
        if is_first:
            _post(loop, self._arrive)

    def _arrive(self) -> None:
        self._thread = get_ident()
        with self._arriving:
            arrived, self._arrived = self._arrived, {}
        page = self._page()
        if page is not None and not self._is_closed:
            context = adapter.push_context(page)
            for each in arrived:
                context.run(each.show)

    def touched(self) -> None:
        """State was written by what runs just now: without `auto_update` Flet need not look at the page after it.

        The page's main is left alone: what it builds by hand is shown as ever.
        """
        if self.auto_update or self._main is None or adapter.current_page() is not self._page():
            return
        try:
            if asyncio.current_task() is self._main():
                return
        except RuntimeError:  # no loop: another thread
            return
        adapter.skip_auto_update()

    def trust_handlers(self, trusts: bool) -> None:
        """Whether handlers that write state need no automatic update; see `touched`."""
        self.auto_update = not trusts
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        self._main = weakref.ref(task) if task is not None else _NOBODY

    # ------------------------------------------------------------------ frames

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
        self._wake()

    def _push(self, page: ft.Page, controls: list[ft.BaseControl]) -> None:
        try:
            adapter.push(page, cheapest(controls))
        except Exception as error:
            # One of them is to blame; the others must not suffer for it. The one need not fail
            # again: Flet may have noted its change as sent. Then the error is told as it was.
            failed = [(control, its) for control in controls if (its := _push_alone(page, control)) is not None]
            for control, its in failed or [(page, error)]:
                for store in list(self._stores)[:1]:
                    store.report(its, type(control).__name__, "frame")

    # ------------------------------------------------------------------ the session

    def _on_session(self, event: str) -> None:
        page = self._page()
        if page is None:
            return
        if event == "connect":
            self._connected(page)
        elif event == "disconnect":
            self._disconnected(page)
        else:
            self._closed()
        for store in list(self._stores):
            store.on_session(page, event)
        if event == "close":
            for observer in list(self._observers):
                observer.leave()
            self._observers.clear()

    def _connected(self, page: ft.Page) -> None:
        self._find_loop()  # a client may come back to another one
        if self._canceller is not None:
            self._canceller.cancel()
            self._canceller = None
        if self.is_resting:
            self.is_resting = False
            for observer in list(self._observers):
                observer.resume()
        if self._has_changes and self._timer is None and self._loop is not None:
            self._schedule(self._loop)

    def _disconnected(self, page: ft.Page) -> None:
        if self.on_disconnect == "keep" or self.is_resting:
            return
        self.is_resting = True
        for observer in list(self._observers):
            observer.rest()
        if self.on_disconnect == "cancel" and self._loop is not None:
            self._canceller = self._loop.call_later(self.grace, self._cancel, context=Context())

    def _cancel(self) -> None:
        page = self._page()
        if page is not None:
            for store in list(self._stores):
                store.leave_page(page, "the client has disconnected")

    def _closed(self) -> None:
        self._is_closed = True
        self._dirty.clear()
        for timer in (self._timer, self._canceller):
            if timer is not None:
                timer.cancel()
        self._timer = self._canceller = None
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.finish()

    def _mark_on_loop(self, control: ft.BaseControl) -> None:
        self._thread = get_ident()
        self.mark(control)

    def _find_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that serves the page; before there is a client, the one that runs here."""
        page = self._page()
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        loop = (adapter.loop_of(page) if page is not None else None) or self._loop or running
        if loop is not self._loop:
            self._loop, self._thread = loop, -1
        if loop is not None and loop is running:
            self._thread = get_ident()
        return loop


_NOBODY: Any = lambda: None  # noqa: E731  # in place of a weak reference


def _push_alone(page: ft.Page, control: ft.BaseControl) -> Exception | None:
    """Push one control; gives what it failed with."""
    try:
        adapter.push(page, [control])
    except Exception as error:
        return error
    return None


def _post(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: Any) -> None:
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:  # the loop is closed, and the page died with it
        pass


def ui_actor(page: ft.Page) -> UIActor:
    """The UI actor of a page; made at the first use, ends with the session."""
    known = page.__dict__.get(_SLOT)
    if isinstance(known, UIActor):
        return known
    actor = page.__dict__[_SLOT] = UIActor(page)
    return actor
