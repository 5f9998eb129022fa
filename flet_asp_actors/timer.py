"""Timers: things to be done later, all those of one store by one task, and none where nothing waits."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from contextvars import Context
from typing import Protocol

import anyio

from .core.calls import as_exception
from .owner import Job

__all__ = ("Timer", "Timers")


class Place(Protocol):
    """What timers need of their store. See `Owner`."""

    thread: int

    @property
    def is_closed(self) -> bool: ...

    def spawn(self, job: Job) -> None: ...

    def hold(self, job: Job) -> None: ...

    def report(self, error: BaseException, key: object, actor: str) -> None: ...


class Timer:
    """Something to be called later, on the store's loop, unless it is cancelled before."""

    __slots__ = ("_timers", "call", "is_over", "seconds")

    def __init__(self, timers: Timers, seconds: float, call: Callable[[], object]) -> None:
        self._timers = timers
        self.seconds = seconds
        self.call = call
        self.is_over = False

    def cancel(self) -> None:
        """See to it that `call` is not called any more. May be called at any time, and twice."""
        if not self.is_over:
            self.is_over = True
            self._timers.is_cancelled()


class Timers:
    """All that one store is to do later. It counts as nothing under way, and ends with the store.

    What was to be called when its loop ended is called on the next one, after the same time again.
    """

    def __init__(self, owner: Place) -> None:
        self._owner = owner
        self._new: list[Timer] = []  # the task has not seen them yet
        self._due: list[tuple[float, int, Timer]] = []  # a heap
        self._numbers = itertools.count()
        self._waiting = 0  # timers that are not over
        self._clock: _Clock | None = None

    def start(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Have `call` called after some seconds; without an event loop, some seconds after there is one.

        Raises:
            ClosedError: When the store has ended.
        """
        timer = Timer(self, seconds, call)
        self._new.append(timer)
        self._waiting += 1
        if self._clock is not None:
            self._clock.look()
            return timer
        clock = _Clock(self, self._owner)
        Context().run(self._owner.spawn, clock)  # it belongs to no page, and to no run
        self._clock = clock
        return timer

    def is_cancelled(self) -> None:
        """One of the timers was cancelled."""
        self._waiting -= 1
        if self._clock is not None and not self._waiting:
            self._clock.look()
        if len(self._due) > 2 * self._waiting + 64:
            self._due = [each for each in self._due if not each[2].is_over]
            heapq.heapify(self._due)

    def next_due(self) -> float | None:
        """When the clock has to look again; None when nothing waits."""
        new, self._new = self._new, []
        now = anyio.current_time()
        for timer in new:
            if not timer.is_over:
                heapq.heappush(self._due, (now + timer.seconds, next(self._numbers), timer))
        while self._due and self._due[0][2].is_over:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def call_due(self) -> None:
        """Call what is due now."""
        now = anyio.current_time()
        while self._due and self._due[0][0] <= now:
            timer = heapq.heappop(self._due)[2]
            if timer.is_over:
                continue
            timer.is_over = True
            self._waiting -= 1
            try:
                timer.call()
            except BaseException as error:
                self._owner.report(as_exception(error), "timer", "timer")

    def has_stopped(self, clock: _Clock) -> None:
        """The task has ended: nothing waits any more, or its loop has ended."""
        if clock is not self._clock:
            return
        self._clock = None
        self._new = [each for each in (*(each for *_, each in sorted(self._due)), *self._new) if not each.is_over]
        self._due.clear()
        if self._new and not self._owner.is_closed:
            self._clock = _Clock(self, self._owner)
            self._owner.hold(self._clock)


class _Clock(Job):
    """The task that waits."""

    __slots__ = ("_home", "_owner", "_timers", "_wake")

    name = "timers"
    kind = "clock"
    is_service = True
    is_idle = True
    can_wait = True

    def __init__(self, timers: Timers, owner: Place) -> None:
        self._timers = timers
        self._owner = owner
        self._wake: anyio.Event | None = None
        self._home = owner.thread

    def look(self) -> None:
        """There is another timer, or none any more."""
        if self._wake is not None and self._home == self._owner.thread:  # else its loop is gone
            self._wake.set()

    async def run(self) -> None:
        self._home = self._owner.thread
        while (due := self._timers.next_due()) is not None:
            self._wake = anyio.Event()
            with anyio.move_on_after(due - anyio.current_time()):
                await self._wake.wait()
            self._timers.call_due()
        self._timers.has_stopped(self)  # in one step with the look at what waits

    def abandon(self) -> None:
        self._timers.has_stopped(self)
