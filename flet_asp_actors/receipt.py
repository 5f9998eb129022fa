"""What a write returns: something to wait on, which costs nothing when there is nothing to wait for."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from threading import get_ident
from typing import Any, Protocol, cast

import anyio
import anyio.lowlevel

from .door import refuse_with_lock
from .errors import DeadlockError
from .waiting import Behaviour, Completion, wait_on

__all__ = ("DONE", "REFUSED", "Door", "Pending", "Posted", "Receipt", "gather")

BUDGET = 32
"""How many finished receipts may be awaited before one of them yields to the loop."""

_spent = 0

_NOTHING = iter(())
"""What is awaited when there is nothing to wait for: over before it begins."""


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
        if _spent < BUDGET:
            return cast("Generator[Any, None, None]", _NOTHING)
        _spent = 0
        return anyio.lowlevel.checkpoint().__await__()

    def wait(self, timeout: float | None = None) -> None:
        """Block this thread until the write has been applied.

        For threads other than the store's own; in async code use `await`.

        Args:
            timeout: How long to wait at most, in seconds.

        Raises:
            TimeoutError: When the time is over; the write stays on its way.
            DeadlockError: On the thread of the store's own loop, which would have to apply it, and inside
                the batch that holds it back.
        """

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'done' if self.is_done else 'pending'}>"


DONE = Receipt()
"""The receipt of every write that was applied at once."""


class _Refused(Receipt):
    """The receipt of a write that a cancelled run was not allowed."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, None]:
        yield from anyio.lowlevel.checkpoint().__await__()
        # Still here: it was delivered once and swallowed, as asyncio lets one do, or there is a shield.
        raise (yield from _cancellation().__await__())


async def _cancellation() -> BaseException:
    """Make the exception that a cancellation is."""
    kind = anyio.get_cancelled_exc_class()
    try:
        return kind()
    except TypeError:  # trio makes its own alone
        with anyio.CancelScope() as scope:
            scope.cancel()
            try:
                await anyio.lowlevel.checkpoint()
            except kind as error:
                return error
        raise  # pragma: no cover - the checkpoint has raised


REFUSED = _Refused()


class Door(Protocol):
    """What a receipt needs of the store: its way to the thread that applies the write."""

    @property
    def thread(self) -> int:
        """That thread; none at all where whoever comes applies it."""
        ...

    def look_after_home(self) -> None:
        """See to it that somebody applies what was posted: the loop, or the caller when the loop is gone."""
        ...

    def later(self, call: Callable[[], object]) -> None:
        """Have something called on that thread; from anywhere."""
        ...


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
        try:
            self._raise()
        finally:
            del self  # an error that is raised holds this frame, and is held by its receipt

    def wait(self, timeout: float | None = None) -> None:
        if not self.completion.is_done:
            self._door.look_after_home()
            if self._door.thread == get_ident():
                raise DeadlockError(
                    f"Receipt.wait() on the thread that has to apply the write to {self._target.name}; "
                    "use `await` there."
                )
            refuse_with_lock(f"Receipt.wait() for {self._target.name}")
            if not self.completion.wait_blocking(timeout, self._door.look_after_home):
                raise TimeoutError(f"the write to {self._target.name} was not applied within {timeout} s")
        try:
            self._raise()
        finally:
            del self

    def _raise(self) -> None:
        error = self.completion.error
        if error is not None:
            try:
                raise error
            finally:
                del self, error


class Posted(Pending):
    """The receipt of a write from another thread.

    It follows the receipt of the write itself. The thread may come to wait for it late, so
    an error counts as heard by nobody only when the receipt is dropped.
    """

    __slots__ = ("_is_heard", "_late", "is_held_back")

    def __init__(self, target: Behaviour, door: Door, unheard: Callable[[BaseException], object]) -> None:
        super().__init__(target, door)
        self._late = unheard
        self._is_heard = False
        self.is_held_back: Callable[[], bool] = bool
        """Whether it waits for the end of a batch, and the calling thread is in that."""

    def wait(self, timeout: float | None = None) -> None:
        try:
            if self.is_held_back():
                raise DeadlockError(
                    f"Receipt.wait() for {self._target.name} inside the batch that holds it back; wait after the batch."
                )
            super().wait(timeout)
        finally:
            del self

    def follow(self, write: Receipt) -> None:
        """Finish as `write` does."""
        parts = _parts(write)
        for each in parts:
            each.completion.waiters += 1  # this receipt waits for it

        def finish() -> None:
            errors = [each.completion.error for each in parts if each.completion.error is not None]
            self.finish(errors[0] if errors else None)

        write.on_done(finish)

    def _raise(self) -> None:
        self._is_heard = True
        try:
            super()._raise()
        finally:
            del self

    def __del__(self) -> None:
        error = self.completion.error
        if error is not None and not self._is_heard:
            # This may be the collector's doing, in the middle of anything: only ask for it.
            self._door.later(lambda: self._late(error))


class _Gathered(Receipt):
    """The receipt of several writes: done when all are."""

    __slots__ = ("_receipts",)

    def __init__(self, receipts: list[Receipt]) -> None:
        self._receipts = receipts

    @property
    def parts(self) -> list[Pending]:
        """The receipts of the writes themselves."""
        return [part for each in self._receipts for part in _parts(each)]

    @property
    def is_done(self) -> bool:
        return all(each.is_done for each in self._receipts)

    def on_done(self, call: Callable[[], object]) -> None:
        left = len(self._receipts)

        def one_done() -> None:
            nonlocal left
            left -= 1
            if not left:
                call()

        for each in self._receipts:
            each.on_done(one_done)

    def __await__(self) -> Generator[Any, None, None]:
        first: Exception | None = None
        for each in self._receipts:
            try:
                yield from each.__await__()
            except Exception as error:  # the others are waited for all the same
                first = first or error
        if first is not None:
            raise first

    def wait(self, timeout: float | None = None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        for each in self._receipts:
            each.wait(None if end is None else max(end - time.monotonic(), 0))


def _parts(write: Receipt) -> list[Pending]:
    """What a receipt waits for; nothing where it is done."""
    if isinstance(write, _Gathered):
        return write.parts
    return [write] if isinstance(write, Pending) else []


def gather(receipts: list[Receipt]) -> Receipt:
    """One receipt for several writes; the first error that is met is the one that it raises."""
    pending = [each for each in receipts if not each.is_done]
    return _Gathered(pending) if len(pending) > 1 else pending[0] if pending else DONE
