"""The door between threads: where a store's loop lives, and how to get work onto it.

The only module that knows about threads and locks. A store has one home loop; whoever is
on another thread posts to it. A store without a home is guarded by one lock.
"""

from __future__ import annotations

import concurrent.futures
import os
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from threading import get_ident
from typing import Any, TypeVar

import anyio
import anyio.lowlevel

from .errors import DeadlockError

__all__ = (
    "CLOSED",
    "HOMELESS",
    "LOCK",
    "PATIENCE",
    "Home",
    "HomeIsGone",
    "refuse_with_lock",
    "running_home",
)

T = TypeVar("T")

LOCK = threading.RLock()
"""Serialises every store that has no home loop."""

_holding = threading.Condition(LOCK)


def refuse_with_lock(what: str) -> None:
    """Raise when the caller holds the lock: the loop that it is about to wait for may be waiting for the lock.

    Raises:
        DeadlockError: Inside a turn of a store without a home loop.
    """
    try:
        _holding.notify()  # nobody waits on it: it only knows whether the caller holds the lock
    except RuntimeError:
        return
    raise DeadlockError(
        f"{what} inside a listener or a selector of a store without an event loop may wait for ever. "
        "Open that store on a loop, or wait outside."
    )


_asked: dict[int, int] = {}
"""Threads that wait for the answer of a loop, and the threads of those loops."""

_asking = threading.Lock()

_forks = 0
"""How many forks have led to this process. The loops from before are there, and nobody runs them."""

_forking: dict[int, bool] = {}
"""Threads that fork just now, and whether they have got the lock for that."""


def _before_fork() -> None:  # pragma: no cover - what forks is a test in a process of its own
    """Wait until no other thread is in the middle of a write: in the child that one would never finish it."""
    _forking[get_ident()] = LOCK.acquire(timeout=PATIENCE)


def _after_fork() -> None:  # pragma: no cover - what forks is a test in a process of its own
    if _forking.pop(get_ident()):
        LOCK.release()


def _after_fork_in_child() -> None:  # pragma: no cover - what forks is a test in a process of its own
    global _forks
    _forks += 1
    has_lock = _forking.pop(get_ident())
    _forking.clear()
    _asked.clear()
    _asking._at_fork_reinit()  # type: ignore[attr-defined]  # as below
    if has_lock:
        LOCK.release()
    else:
        LOCK._at_fork_reinit()  # type: ignore[attr-defined]  # as the standard library does with its own


if hasattr(os, "register_at_fork"):  # pragma: no branch - nearly everywhere there is a fork
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)

try:
    from sniffio import current_async_library_cvar as _library
except ImportError:  # pragma: no cover - anyio asks it only where it is installed, and trio brings it
    _library = None  # type: ignore[assignment]  # the same as for a module that is missing

PATIENCE = 0.5
"""Seconds after which a thread that waits for a loop looks whether it is still there."""

HOMELESS = -1
"""What a store without a home has for a thread: no thread has it."""

CLOSED = -2
"""What a closed store has for a thread."""


class HomeIsGone(RuntimeError):
    """The loop is closed and will never call anything again."""


class Home:
    """One event loop, and the thread it runs on."""

    __slots__ = ("_forks", "_is_asyncio", "_post", "native", "thread")

    def __init__(self, native: Any) -> None:
        self.native = native
        self._forks = _forks
        self.thread = get_ident()
        # asyncio and trio spell the same thing differently.
        asyncio_post = getattr(native, "call_soon_threadsafe", None)
        self._post: Callable[..., object] = asyncio_post or native.run_sync_soon
        self._is_asyncio = asyncio_post is not None

    @property
    def is_here(self) -> bool:
        """Whether the caller is on this loop's thread."""
        return self.thread == get_ident()

    @property
    def stands_still(self) -> bool:
        """Whether the loop does not run just now, and may again: between two calls of `run_until_complete`."""
        return self._is_asyncio and not self.native.is_running()

    @property
    def is_left(self) -> bool:
        """Whether the caller is on this loop's thread, and it is another loop that runs there now."""
        return self.is_here and self.stands_still and running_home() is not None

    @property
    def is_gone(self) -> bool:
        """Whether the loop is closed, or was left behind by a fork."""
        if self._forks != _forks:
            return True  # pragma: no cover - the same
        is_closed = getattr(self.native, "is_closed", None)
        if is_closed is not None:
            return bool(is_closed())
        return not self.post(lambda: None)  # trio says it only so

    def post(self, function: Callable[[], object]) -> bool:
        """Have `function` called on the loop, soon and in order, in the caller's context; from any thread.

        Returns:
            False when the loop is dead and will never call it.
        """
        if self._forks != _forks:
            return False  # pragma: no cover - the same
        try:
            self._post(copy_context().run, self._enter, function)
        except RuntimeError:  # asyncio: the loop is closed; trio's RunFinishedError is one too
            return False
        return True

    def _enter(self, function: Callable[[], object]) -> object:
        self.enter()  # a worker thread's context says that no loop is running, and came along
        return function()

    def enter(self) -> None:
        """Say in this context what loop is running: in a callback of the loop no task tells."""
        if self._is_asyncio and _library is not None:
            _library.set("asyncio")

    def call(self, function: Callable[[], T]) -> T:
        """Call `function` on the loop and wait for what it returns; from another thread.

        Raises:
            HomeIsGone: When the loop is dead.
            DeadlockError: When that loop waits, perhaps by way of others, for the caller's thread.
        """
        refuse_with_lock("waiting for another store's loop")
        me = get_ident()
        future: concurrent.futures.Future[T] = concurrent.futures.Future()

        def answer() -> None:
            try:
                try:
                    result = function()
                finally:
                    _asked.pop(me, None)  # before anything else happens here: who asked may be slow to wake up
                future.set_result(result)
            except BaseException as error:
                future.set_exception(error)

        self._ask(me)
        try:
            if not self.post(answer):
                raise HomeIsGone
            while not concurrent.futures.wait([future], PATIENCE).done:
                if self.is_gone and not future.done():
                    raise HomeIsGone
            return future.result()
        finally:
            _asked.pop(me, None)

    def _ask(self, me: int) -> None:
        """Note that a thread waits for this loop, unless that would close a circle."""
        with _asking:
            thread: int | None = self.thread
            while thread is not None:
                thread = _asked.get(thread)
                if thread == me:
                    raise DeadlockError(
                        "event loops that wait for each other: this one has asked a store that lives on another one, "
                        "which waits for this one. Ask from a thread: `await asyncio.to_thread(store.get, key)`."
                    )
            _asked[me] = self.thread


def running_home() -> Home | None:
    """The home of the loop that runs on this thread, or None where none does."""
    try:
        return Home(anyio.lowlevel.current_token().native_token)
    except RuntimeError:
        pass  # no loop; asyncio and trio say it where a thread was given a context of one, as asyncio.to_thread does
    try:
        return Home(sys.modules["asyncio"].get_running_loop())  # in a callback of the loop
    except (KeyError, RuntimeError):
        return None
