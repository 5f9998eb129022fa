"""Time that passes at once: an asyncio loop with a clock of its own.

What waits for a time is served by it: `asyncio.sleep`, `loop.call_later`, anyio's timeouts,
a debounce, a retry's delay. What looks at `time.monotonic` or `time.time` is not.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import math
import selectors
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from concurrent.futures.thread import (
    _worker,  # pyright: ignore[reportPrivateUsage]  # by what it runs a pool's thread is known
)
from contextvars import Context
from types import CodeType
from typing import Any, TypeVar

from anyio._backends._asyncio import (
    _threadpool_idle_workers as _idle_workers,  # pyright: ignore[reportPrivateUsage]  # anyio does not tell otherwise
)
from anyio._backends._asyncio import (
    _threadpool_workers as _workers,  # pyright: ignore[reportPrivateUsage]  # the same
)

from ..errors import DeadlockError
from .places import position
from .schedule import shuffle_ready

__all__ = ("VirtualLoop",)

T = TypeVar("T")

_SLICE = 0.005
"""Real seconds after which a loop that waits for threads looks at them again."""

_PATIENCE = 0.25
"""Real seconds for which every thread must have been parked before time goes on without them."""

_LONG_PATIENCE = 5.0
"""The same, where no timer is set: the end of the loop, not of a wait."""

_PARKED: frozenset[CodeType] = frozenset(
    function.__code__
    for function in (
        threading.Condition.wait,
        threading.Thread.join,
        getattr(threading.Thread, "_wait_for_tstate_lock", threading.Thread.join),  # until 3.12
        selectors.DefaultSelector.select,
        _worker,
    )
)
"""Where a thread stands that waits to be woken, and will do nothing before."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits for a time: when nothing is ready, it is the time of the next timer.

    Give it to whatever makes loops: `asyncio.Runner(loop_factory=VirtualLoop)`,
    `anyio.run(main, backend_options={"loop_factory": VirtualLoop})`. For anyio's pytest plugin
    there is `virtual_backend`.

    Threads take real time. As long as one is at work that this loop waits for, or that was
    started since the loop was made, no time is jumped over. If all that those threads do is
    to wait themselves, it is for us, and after a quarter of a second time goes on. Sockets
    are served when they are ready, but no timer waits for them.

    Args:
        seed: Permute the order of ready tasks, each seed in its own way; None leaves it as
            asyncio has it. See `explore`.
        strict: Raise `DeadlockError` out of the loop when every task waits, and nothing is left
            that could ever wake one; else wait for good, as other loops do. Turn it off where a
            thread that is older than the loop may yet call.
    """

    def __init__(self, *, seed: int | None = None, strict: bool = True) -> None:
        self._now = 0.0
        self._strict = strict
        self._outside = 0  # calls in executors
        self._waiter = _Waiter(self._pass_time)
        super().__init__(self._waiter)
        # What is due within it is due now. With asyncio's, a nanosecond, a time that has become
        # large could not go on by the last bit, for a float has too few.
        self._clock_resolution = 1e-6
        # What was there before has business of its own; but a pool may come to work for us.
        busy = _at_work(_others())
        self._unrelated = weakref.WeakSet(each for each in _others() if each in busy or not _is_pooled(each))
        if seed is not None:
            shuffle_ready(self, seed)

    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._now

    def call_at(  # type: ignore[override]  # as run_in_executor
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call at a time, as every loop does; one that never comes is no timer, though anyio sleeps until it."""
        if when == math.inf:
            return asyncio.TimerHandle(when, callback, args, self, context)
        return super().call_at(when, callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]  # typeshed's is a generic over *Ts, which Python 3.10 does not have
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Call in a thread, as every loop does; time stands still until it has returned."""
        future = super().run_in_executor(executor, func, *args)
        self._outside += 1
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: object) -> None:
        self._outside -= 1

    def _pass_time(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Nothing is ready: wait for threads, else go on to the next timer, or say that there is none."""
        patience = _PATIENCE if timeout is not None else _LONG_PATIENCE
        parked_since: float | None = None
        while self._has_threads():
            events = self._waiter.wait(_SLICE)
            if events:
                return events
            now = time.monotonic()
            if any(_at_work(self._threads())):
                parked_since = None
            elif parked_since is None:
                parked_since = now
            elif now - parked_since >= patience:
                break
        events = self._waiter.wait(0)  # the last thread may have called, and ended, since we looked
        if events:
            return events  # pragma: no cover - a thread that has called and ended in between
        if timeout is None:
            if self._strict and not self._has_sockets():
                raise DeadlockError(self._describe_deadlock())
            return self._waiter.wait(None)
        self._now += timeout
        return []

    def _has_threads(self) -> bool:
        """Whether a thread may be about to wake us."""
        if self._outside or any(not _is_pooled(thread) for thread in self._threads()):
            return True
        return Context().run(_has_workers)

    def _threads(self) -> list[threading.Thread]:
        return [thread for thread in _others() if thread not in self._unrelated]

    def _has_sockets(self) -> bool:
        return len(self._waiter.get_map()) > 1  # one is the loop's own

    def _describe_deadlock(self) -> str:
        waits = sorted(f"  {task.get_name()} at {position(task.get_coro())}" for task in asyncio.all_tasks(self))
        return "\n".join(
            ["every task waits, no timer is set and no thread is at work: nothing will ever happen.", *waits]
        )


class _Waiter(selectors.DefaultSelector):
    """A selector that asks before it waits."""

    def __init__(self, pass_time: Callable[[float | None], list[tuple[selectors.SelectorKey, int]]]) -> None:
        super().__init__()
        self._pass_time = pass_time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        return self._pass_time(timeout)

    def wait(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait in real time."""
        return super().select(timeout)


def _has_workers() -> bool:
    """Whether a thread of anyio's is at work for the loop. Called between its steps, where sniffio sees no task."""
    sniffio = sys.modules.get("sniffio")
    if sniffio is not None:  # pragma: no branch - trio brings it
        sniffio.current_async_library_cvar.set("asyncio")
    workers = _workers.get(None)
    return workers is not None and len(workers) > len(_idle_workers.get(()))


def _others() -> list[threading.Thread]:
    me = threading.current_thread()
    return [thread for thread in threading.enumerate() if thread is not me]


def _at_work(threads: Iterable[threading.Thread]) -> list[threading.Thread]:
    """Those of the threads that are not just waiting to be woken."""
    frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage]  # documented all the same
    return [
        thread
        for thread in threads
        if thread.ident not in frames or frames[thread.ident].f_code not in _PARKED  # not there: it is starting
    ]


def _is_pooled(thread: threading.Thread) -> bool:
    """Whether it is one of a pool's, which waits between calls; those under way are counted."""
    target: Any = getattr(thread, "_target", None)
    module = type(thread).__module__
    return module.startswith("anyio.") or getattr(target, "__module__", "") == concurrent.futures.thread.__name__
