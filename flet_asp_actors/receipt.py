"""What a write returns: something to wait on, which costs nothing when there is nothing to wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any

import anyio
import anyio.lowlevel

from .door import running_home
from .errors import DeadlockError

__all__ = ("DONE", "Behaviour", "Completion", "Pending", "Posted", "Receipt", "behaviour", "wait_on")

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
    """Something that finishes once, on one thread, and whom to wake then."""

    __slots__ = ("_wakers", "error", "is_done", "waiters")

    def __init__(self) -> None:
        self.is_done = False
        self.error: BaseException | None = None
        self.waiters = 0
        self._wakers: list[Callable[[], object]] = []

    def finish(self, error: BaseException | None = None) -> bool:
        """Finish, once; later calls change nothing.

        Returns:
            Whether an error was left with nobody there to get it.
        """
        if self.is_done:
            return False
        self.error = error
        self.is_done = True
        nobody = not self.waiters
        wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()
        return error is not None and nobody

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

    async def wait(self) -> None:
        """Wait until this has finished; from a task of any loop."""
        if self.is_done:
            await anyio.lowlevel.checkpoint()
            return
        event, home = anyio.Event(), running_home()

        def wake() -> None:
            if home is None or home.is_here:
                event.set()
            else:
                home.post(event.set)

        self.waiters += 1
        self.on_finish(wake)
        try:
            await event.wait()
        finally:
            self.waiters -= 1
            self.forget(wake)

    def wait_blocking(self, timeout: float | None) -> bool:
        """Block the calling thread until this has finished; False when the time is over."""
        woken = threading.Event()
        wake = woken.set
        self.waiters += 1
        self.on_finish(wake)
        try:
            return woken.wait(timeout)
        finally:
            self.waiters -= 1
            self.forget(wake)


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


async def wait_on(completion: Completion, target: Behaviour) -> None:
    """Wait until `completion`, which `target` brings about, has finished.

    Raises:
        DeadlockError: When `target` cannot end before the caller does.
    """
    me = behaviour.get()
    if me is None or completion.is_done:
        await completion.wait()
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
        await completion.wait()
    finally:
        me.waits.remove(target)


class Pending(Receipt):
    """The receipt of a write that is still on its way."""

    __slots__ = ("__weakref__", "_completion", "_is_home", "_target")

    def __init__(self, target: Behaviour, is_home: Callable[[], bool]) -> None:
        self._completion = Completion()
        self._target = target
        self._is_home = is_home  # whether the caller is on the thread that applies the write

    @property
    def is_done(self) -> bool:
        return self._completion.is_done

    def on_done(self, call: Callable[[], object]) -> None:
        self._completion.on_finish(call)

    def finish(self, error: BaseException | None = None) -> bool:
        """Say that the write was applied, or why not; True when an error reached nobody."""
        return self._completion.finish(error)

    def __await__(self) -> Generator[Any, None, None]:
        yield from wait_on(self._completion, self._target).__await__()
        if self._completion.error is not None:
            raise self._completion.error

    def wait(self, timeout: float | None = None) -> None:
        if not self._completion.is_done:
            if self._is_home():
                raise DeadlockError(
                    f"Receipt.wait() on the thread that has to apply the write to {self._target.name}; "
                    "use `await` there."
                )
            if not self._completion.wait_blocking(timeout):
                raise TimeoutError(f"the write to {self._target.name} was not applied within {timeout} s")
        if self._completion.error is not None:
            raise self._completion.error


class Posted(Pending):
    """The receipt of a write from another thread.

    It follows the receipt of the write itself. The thread may come to wait for it late, so
    an error counts as heard by nobody only when the receipt is dropped.
    """

    __slots__ = ("_is_heard", "_unheard")

    def __init__(
        self, target: Behaviour, is_home: Callable[[], bool], unheard: Callable[[BaseException], object]
    ) -> None:
        super().__init__(target, is_home)
        self._unheard = unheard
        self._is_heard = False

    def follow(self, write: Receipt) -> None:
        """Finish as `write` does."""
        if not isinstance(write, Pending):
            self.finish()
            return
        write._completion.waiters += 1  # this receipt waits for it
        write.on_done(lambda: self.finish(write._completion.error))

    def __await__(self) -> Generator[Any, None, None]:
        self._is_heard = True
        return super().__await__()

    def wait(self, timeout: float | None = None) -> None:
        self._is_heard = True
        super().wait(timeout)

    def __del__(self) -> None:
        error = self._completion.error
        if error is not None and not self._is_heard:
            self._unheard(error)
