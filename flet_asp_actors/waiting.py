"""Waiting for something that finishes once, and never for oneself."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextvars import ContextVar
from typing import Any

import anyio
import anyio.lowlevel

from .door import PATIENCE, running_home
from .errors import DeadlockError

__all__ = ("Behaviour", "Completion", "Wrapped", "behaviour", "wait_on")


class Completion:
    """Something that finishes once, on one thread, and whom to wake then.

    Args:
        unheard: Called with an error that nobody waits for, and with one whose last waiter
            was cancelled before it could look.
    """

    __slots__ = ("_heard", "_unheard", "_wakers", "error", "is_done", "waiters")

    def __init__(self, unheard: Callable[[BaseException], object] | None = None) -> None:
        self.is_done = False
        self.error: BaseException | None = None
        self.waiters = 0
        """How many wait and will hear of an error; those who only watch do not count."""
        self._heard = 0  # how many have waited and look at the error
        self._unheard = unheard
        self._wakers: list[Callable[[], object]] = []

    def finish(self, error: BaseException | None = None) -> None:
        """Finish, once; later calls change nothing."""
        if self.is_done:
            return
        self.error = error
        self.is_done = True
        nobody = not self.waiters
        wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()
        if nobody:
            self._tell_unheard()

    def on_finish(self, wake: Callable[[], object]) -> None:
        """Have `wake` called when this finishes, or at once if it has."""
        self._wakers.append(wake)
        if self.is_done and wake in self._wakers:  # it finished on another thread meanwhile
            self._wakers.remove(wake)
            wake()

    def forget(self, wake: Callable[[], object]) -> None:
        """Undo `on_finish`."""
        if wake in self._wakers:
            self._wakers.remove(wake)

    async def wait(self, hears: bool = True) -> None:
        """Wait until this has finished; from a task of any loop.

        Args:
            hears: Whether the caller looks at the error afterwards, or only watches.
        """
        if self.is_done:
            await anyio.lowlevel.checkpoint()
            return
        event, home = anyio.Event(), running_home()

        def wake() -> None:
            if home is None or home.is_here:
                try:
                    event.set()
                except RuntimeError:
                    pass  # the loop that it was awaited on is closed, and nobody waits there any more
            else:
                home.post(event.set)

        self.waiters += hears
        self.on_finish(wake)
        try:
            await event.wait()
            self._heard += hears
        except BaseException:
            if hears and self.waiters == 1 and not self._heard:
                self._tell_unheard()
            raise
        finally:
            self.waiters -= hears
            self.forget(wake)

    def hear(self, wake: Callable[[], object]) -> None:
        """Have `wake` called when this finishes, for one who looks at the error then."""

        def heard() -> None:
            self.waiters -= 1
            self._heard += 1
            wake()

        self.waiters += 1
        self.on_finish(heard)

    def disregard(self) -> None:
        """One who has waited does not look at the error after all: it waits for something newer."""
        self._heard -= 1
        if not self._heard and not self.waiters:
            self._tell_unheard()

    def wait_blocking(self, timeout: float | None, look_after: Callable[[], object]) -> bool:
        """Block the calling thread until this has finished; False when the time is over.

        Args:
            timeout: Seconds; None waits for ever.
            look_after: Called now and then, to see to it that somebody is there to finish it.
        """
        woken = threading.Event()
        wake = woken.set
        self.waiters += 1
        self.on_finish(wake)
        end = None if timeout is None else time.monotonic() + timeout
        try:
            while not self.is_done:
                look_after()
                left = PATIENCE if end is None else min(PATIENCE, end - time.monotonic())
                if left <= 0:
                    break
                woken.wait(left)
            return self.is_done
        finally:
            self.waiters -= 1
            self.forget(wake)

    def _tell_unheard(self) -> None:
        if self.error is not None and self._unheard is not None:
            self._unheard(self.error)


class Wrapped:
    """Some work with something around it: `around(work)` is awaited, and if it never is, `close` closes the work."""

    __slots__ = ("_around", "_work")

    def __init__(self, work: Awaitable[Any], around: Callable[[Awaitable[Any]], Awaitable[Any]]) -> None:
        self._work = work
        self._around = around

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._around(self._work).__await__()

    def close(self) -> None:
        """Nobody is going to await it any more."""
        getattr(self._work, "close", lambda: None)()


class Behaviour:
    """Something that runs as a task and may wait for another such: an update, a run.

    `waits` are the edges it has in the graph of who waits for whom; a wait that would
    close a circle there could never end.
    """

    __slots__ = ("name", "waits")

    def __init__(self, name: str) -> None:
        self.name = name
        self.waits: list[Behaviour] = []

    def path_to(self, other: Behaviour) -> list[Behaviour] | None:
        """The chain of waits from this to `other`, or None where there is none."""
        came_from: dict[Behaviour, Behaviour | None] = {self: None}
        todo: list[Behaviour] = [self]
        while todo:
            step: Behaviour | None = todo.pop()
            assert step is not None
            if step is other:
                path: list[Behaviour] = []
                while step is not None:
                    path.append(step)
                    step = came_from[step]
                return path[::-1]
            for waits_for in step.waits:
                if waits_for not in came_from:
                    came_from[waits_for] = step
                    todo.append(waits_for)
        return None


behaviour: ContextVar[Behaviour | None] = ContextVar("flet_asp_actors_behaviour", default=None)
"""The behaviour that the current task is running, if any."""


async def wait_on(completion: Completion, target: Behaviour, hears: bool = True) -> None:
    """Wait until `completion`, which `target` brings about, has finished.

    Raises:
        DeadlockError: When `target` cannot end before the caller does.
    """
    me = behaviour.get()
    if me is None or completion.is_done:
        await completion.wait(hears)
        return
    path = target.path_to(me)
    if path is not None:
        raise DeadlockError(
            "a wait for oneself: "
            + " waits for ".join(each.name for each in [me, *path])
            + ". Call it without awaiting it, or move the wait out of the handler."
        )
    me.waits.append(target)
    try:
        await completion.wait(hears)
    finally:
        me.waits.remove(target)
