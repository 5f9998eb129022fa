"""What a write returns: something to wait on, which costs nothing when there is nothing to wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any, Protocol

import anyio
import anyio.lowlevel

from .door import PATIENCE, refuse_with_lock, running_home
from .errors import DeadlockError

__all__ = ("DONE", "Behaviour", "Completion", "Door", "Pending", "Posted", "Receipt", "behaviour", "wait_on")

BUDGET = 32
"""How many finished receipts may be awaited before one of them yields to the loop."""

_spent = 0


class Receipt:
    """The outcome of a write. The write itself has happened, or is on its way, whether you wait or not.

    `await receipt` waits until the write has been applied and raises what made it fail.
    It also yields to the loop, and so delivers a pending cancellation, at least every so
    often (a cooperative budget, as tokio's), so a loop of awaited writes starves nobody.
    Cancelling the wait leaves the write as it is.
    """

    __slots__ = ()

    @property
    def is_done(self) -> bool:
        """Whether the write has been applied, or has failed."""
        return True

    def on_done(self, call: Callable[[], object]) -> None:
        """Have `call` called when the write has been applied or has failed; at once if it has."""
        call()

    def __await__(self) -> Generator[Any, None, None]:
        global _spent
        _spent += 1
        if _spent >= BUDGET:
            _spent = 0
            yield from anyio.lowlevel.checkpoint().__await__()

    def wait(self, timeout: float | None = None) -> None:
        """Block this thread until the write has been applied.

        For threads other than the store's own; in async code use `await`.

        Args:
            timeout: How long to wait at most, in seconds.

        Raises:
            TimeoutError: When the time is over; the write stays on its way.
            DeadlockError: On the thread of the store's own loop, which would have to apply it.
        """

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'done' if self.is_done else 'pending'}>"


DONE = Receipt()
"""The receipt of every write that was applied at once."""


class Completion:
    """Something that finishes once, on one thread, and whom to wake then.

    Args:
        unheard: Called with an error that nobody waits for, and with one whose last waiter
            was cancelled before it could look.
    """

    __slots__ = ("_is_heard", "_unheard", "_wakers", "error", "is_done", "waiters")

    def __init__(self, unheard: Callable[[BaseException], object] | None = None) -> None:
        self.is_done = False
        self.error: BaseException | None = None
        self.waiters = 0
        """How many wait and will hear of an error; those who only watch do not count."""
        self._is_heard = False
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
                event.set()
            else:
                home.post(event.set)

        self.waiters += hears
        self.on_finish(wake)
        try:
            await event.wait()
            self._is_heard = self._is_heard or hears
        except BaseException:
            if hears and self.waiters == 1 and not self._is_heard:
                self._tell_unheard()
            raise
        finally:
            self.waiters -= hears
            self.forget(wake)

    def wait_blocking(self, timeout: float | None, is_alive: Callable[[], bool]) -> bool:
        """Block the calling thread until this has finished; False when the time is over.

        Args:
            timeout: Seconds; None waits for ever.
            is_alive: Asked now and then whether there still is somebody who could finish it.
        """
        woken = threading.Event()
        wake = woken.set
        self.waiters += 1
        self.on_finish(wake)
        end = None if timeout is None else time.monotonic() + timeout
        try:
            while not self.is_done and is_alive():
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


class Door(Protocol):
    """What a receipt needs of the store: its way to the thread that applies the write."""

    @property
    def is_here(self) -> bool:
        """Whether the caller is on that thread."""
        ...

    def keep_alive(self) -> bool:
        """See to it that somebody applies what was posted, the loop or the caller; always True."""
        ...

    def later(self, call: Callable[[], object]) -> None:
        """Have something called on that thread; from anywhere."""
        ...


# ------------------------------------------------------------------ waiting for oneself


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
        if self is other:
            return [self]
        for next_one in self.waits:
            path = next_one.path_to(other)
            if path is not None:
                return [self, *path]
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


class Pending(Receipt):
    """The receipt of a write that is still on its way."""

    __slots__ = ("__weakref__", "_door", "_target", "completion")

    def __init__(self, target: Behaviour, door: Door, unheard: Callable[[BaseException], object] | None = None) -> None:
        self.completion = Completion(unheard)
        self._target = target
        self._door = door

    @property
    def is_done(self) -> bool:
        return self.completion.is_done

    def on_done(self, call: Callable[[], object]) -> None:
        self.completion.on_finish(call)

    def finish(self, error: BaseException | None = None) -> None:
        """Say that the write was applied, or why not."""
        self.completion.finish(error)

    def __await__(self) -> Generator[Any, None, None]:
        yield from wait_on(self.completion, self._target).__await__()
        self._raise()

    def wait(self, timeout: float | None = None) -> None:
        if not self.completion.is_done:
            if self._door.is_here:
                raise DeadlockError(
                    f"Receipt.wait() on the thread that has to apply the write to {self._target.name}; "
                    "use `await` there."
                )
            refuse_with_lock(f"Receipt.wait() for {self._target.name}")
            if not self.completion.wait_blocking(timeout, self._door.keep_alive):
                raise TimeoutError(f"the write to {self._target.name} was not applied within {timeout} s")
        self._raise()

    def _raise(self) -> None:
        if self.completion.error is not None:
            raise self.completion.error


class Posted(Pending):
    """The receipt of a write from another thread.

    It follows the receipt of the write itself. The thread may come to wait for it late, so
    an error counts as heard by nobody only when the receipt is dropped.
    """

    __slots__ = ("_is_heard", "_late")

    def __init__(self, target: Behaviour, door: Door, unheard: Callable[[BaseException], object]) -> None:
        super().__init__(target, door)
        self._late = unheard
        self._is_heard = False

    def follow(self, write: Receipt) -> None:
        """Finish as `write` does."""
        if not isinstance(write, Pending):
            self.finish()
            return
        write.completion.waiters += 1  # this receipt waits for it
        write.on_done(lambda: self.finish(write.completion.error))

    def _raise(self) -> None:
        self._is_heard = True
        super()._raise()

    def __del__(self) -> None:
        error = self.completion.error
        if error is not None and not self._is_heard:
            # This may be the collector's doing, in the middle of anything: only ask for it.
            self._door.later(lambda: self._late(error))
