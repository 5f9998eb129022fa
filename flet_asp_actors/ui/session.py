"""The session of a page: who serves it, who looks at it, and what rests while nobody does."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Literal, Protocol, TypeVar

import flet as ft

from ..system.failure import Failure, log_failure
from . import page as adapter
from .place import Place

__all__ = ("Observer", "OnDisconnect", "PageSession", "Served")

T = TypeVar("T")

OnDisconnect = Literal["keep", "pause", "cancel"]


class Served(Protocol):
    """What the session of a page needs of the stores that serve the page."""

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


class PageSession(Place):
    """Tells those who serve the page, and those who watch for its sake, what becomes of its session."""

    def __init__(self, page: ft.Page) -> None:
        super().__init__(page)
        self.on_disconnect: OnDisconnect = "keep"
        self.grace = 3.0
        """Seconds without a client after which the runs are cancelled, if they are."""
        self.is_resting = False
        """Whether there is no client, and what watches for its sake has been told to rest."""
        self._stores: weakref.WeakSet[Served] = weakref.WeakSet()
        self._observers: dict[Observer, None] = {}
        self._canceller: asyncio.TimerHandle | None = None
        adapter.watch_session(page, self._on_session)

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

    def report(self, error: BaseException, key: object, actor: str) -> None:
        """Send an error that nobody waits for to a store that serves the page; without one it is logged."""
        for store in list(self._stores):
            store.report(error, key, actor)
            return
        log_failure(Failure(error, key, actor))

    def _on_session(self, event: str) -> None:
        page = self._page()
        if page is None:
            return  # pragma: no cover - it has been collected in the middle of its event
        if event == "connect":
            self._connected()
        elif event == "disconnect":
            self._disconnected()
        else:
            self._closed()
        self._tell(self._stores, lambda store: store.on_session(page, event))
        if event == "close":
            self._tell(self._observers, lambda observer: observer.leave())
            self._observers.clear()

    def _connected(self) -> None:
        self._find_loop()  # a client may come back to another one
        self._forgive()
        if self.is_resting:
            self.is_resting = False
            self._tell(self._observers, lambda observer: observer.resume())

    def _disconnected(self) -> None:
        if self.on_disconnect == "keep" or self.is_resting:
            return
        self.is_resting = True
        self._tell(self._observers, lambda observer: observer.rest())
        if self.on_disconnect == "cancel" and self._loop is not None:
            self._canceller = self._loop.call_later(self.grace, self._cancel, context=Context())

    def _closed(self) -> None:
        self._is_closed = True
        self._forgive()

    def _forgive(self) -> None:
        """Cancel no runs any more."""
        if self._canceller is not None:
            self._canceller.cancel()
            self._canceller = None

    def _cancel(self) -> None:
        self._canceller = None
        page = self._page()
        if page is not None:  # pragma: no branch - else it has been collected within the grace
            self._tell(self._stores, lambda store: store.leave_page(page, "the client has disconnected"))

    def _tell(self, everyone: Iterable[T], tell: Callable[[T], object]) -> None:
        """Tell each of them; what goes wrong with one keeps nothing from the others."""
        for each in list(everyone):
            try:
                tell(each)
            except Exception as error:
                self.report(error, type(each).__name__, "session")
