"""How an action writes, and what it may still write once it is cancelled: put back, not do."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, TypeVar, overload

import anyio

from .core.graph import Node
from .core.turn import here
from .core.values import private_copy, same
from .key import Name, Writable
from .layers import Optimistic
from .owner import Owner
from .receipt import REFUSED, Receipt

__all__ = ("Notes", "RunSet", "Set")

T = TypeVar("T")


class Set(Protocol):
    """How an action writes: `set(key, value)`, `set.update(...)`, `set.mutate(...)`, `set.reset(...)`.

    Like the store's own verbs, but they know which run is writing: once it is cancelled or
    out of time, it may only put back what a key held before the run first wrote it, and
    only if nobody else has written it since. Any other write is dropped, and awaiting its
    receipt raises the cancellation again.
    """

    @overload
    def __call__(self, key: Writable[T], value: T, /) -> Receipt: ...
    @overload
    def __call__(self, key: Name, value: Any, /) -> Receipt: ...
    @overload
    def update(self, key: Writable[T], fn: Callable[[T], Awaitable[T]], /) -> Receipt: ...
    @overload
    def update(self, key: Writable[T], fn: Callable[[T], T], /) -> Receipt: ...
    @overload
    def update(self, key: Name, fn: Callable[[Any], Any], /) -> Receipt: ...
    @overload
    def mutate(self, key: Writable[T], fn: Callable[[T], object], /) -> Receipt: ...
    @overload
    def mutate(self, key: Name, fn: Callable[[Any], object], /) -> Receipt: ...
    def reset(self, key: Writable[Any] | Name, /) -> Receipt:
        """Go back to the default of a key."""
        ...

    def progress(self, fraction: float | None, text: str = "", /) -> None:
        """Show in the action's status how far the run is: a fraction from 0 to 1, and a line of text."""
        ...

    @overload
    def optimistic(self, key: Writable[T], value: T, /) -> AbstractAsyncContextManager[None]: ...
    @overload
    def optimistic(self, key: Name, value: Any, /) -> AbstractAsyncContextManager[None]: ...
    def optimistic(self, key: Any, value: Any, /) -> AbstractAsyncContextManager[None]:
        """Show a value at once, for the block that makes it true: `async with set.optimistic(LIKED, True): ...`.

        An error or a cancellation takes it back, unless somebody has written the key since;
        others who do the same with the key at the same time are not disturbed.

        Raises:
            ReadOnlyError: For a selector or a status.
            ValueError: For the very object that the key holds: there would be nothing to go back to.
            TypeError: When what the key holds is mutable and cannot be copied.
        """
        ...

    def cleanup(self, seconds: float, /) -> AbstractAsyncContextManager[None]:
        """Finish something although the run is cancelled: `async with set.cleanup(2): await api.unlock()`.

        The block is shielded from the cancellation, for `seconds` at most; then it is cancelled
        itself. What it may write is what a cancelled run may write.
        """
        ...


_THEIRS = -1
"""The version of a key that somebody else has written meanwhile: it is not ours to put back."""


@dataclass
class _Write:
    """What a run knows of a key that it has written."""

    before: Any
    """The value before the run's first write."""
    version: int
    """The version of the run's last write: another one means that somebody else wrote."""


class Writer(Protocol):
    """What `set` needs of the run that writes."""

    @property
    def is_stopping(self) -> bool:
        """Whether the run was cancelled, is out of time, or has ended without success."""
        ...

    def on_progress(self, fraction: float | None, text: str) -> None:
        """The run says how far it is."""
        ...


class Notes(dict[Node, _Write]):
    """What a run has written, in all its tries."""


class RunSet:
    """The `set` of one try of one run.

    Args:
        run: The run.
        owner: Its store.
        notes: What the run has written so far.
    """

    def __init__(self, run: Writer, owner: Owner, notes: Notes) -> None:
        self._run = run
        self._owner = owner
        self._writes = notes
        self.is_dead = False
        """Whether there has been another try since: then nothing is accepted any more."""

    def __call__(self, key: Any, value: Any, /) -> Receipt:
        node = self._owner.writable(key)
        if self.is_stopping:
            return self._put_back(node, value)
        return self._note(node, lambda: node.set(value))

    def update(self, key: Any, fn: Callable[[Any], Any], /) -> Receipt:
        node = self._owner.writable(key)
        if self.is_stopping:
            if inspect.iscoroutinefunction(fn):
                return REFUSED
            return self._put_back(node, fn(node.current))
        return self._note(node, lambda: node.update(fn))

    def mutate(self, key: Any, fn: Callable[[Any], object], /) -> Receipt:
        node = self._owner.writable(key)
        if self.is_stopping:
            return REFUSED
        if node not in self._writes:
            try:
                before = private_copy(node.current)
            except TypeError:
                before = node.current  # then only the edited object itself could be put back
            return self._note(node, lambda: node.mutate(fn), before)
        return self._note(node, lambda: node.mutate(fn))

    def reset(self, key: Any, /) -> Receipt:
        node = self._owner.writable(key)
        if self.is_stopping:
            return self._put_back(node, self._owner.initial(node))
        return self._note(node, node.reset)

    def progress(self, fraction: float | None, text: str = "", /) -> None:
        if not self.is_stopping:
            self._run.on_progress(fraction, text)

    def optimistic(self, key: Any, value: Any, /) -> Optimistic:
        return Optimistic(self, self._owner, key, value)

    def cleanup(self, seconds: float, /) -> _Cleanup:
        return _Cleanup(seconds)

    @property
    def is_stopping(self) -> bool:
        """Whether nothing may be written any more but what puts back."""
        return self.is_dead or self._run.is_stopping

    def _note(self, node: Any, write: Callable[[], Receipt], *before: Any) -> Receipt:
        """Write, and remember what was there before the first write and which version is ours."""
        note = self._writes.get(node)
        is_first = note is None
        if note is None:
            note = self._writes[node] = _Write(before[0] if before else node.current, node.version)
        elif note.version != node.version:
            note.version = _THEIRS  # somebody else wrote between two writes of this run

        def written() -> None:
            if note.version != _THEIRS:
                note.version = node.version

        def our_turn() -> None:
            note.before, note.version = node.current, node.version

        with here():  # a listener that writes the same key is somebody else, and comes after the note
            try:
                if is_first and node.is_busy:
                    node.post(our_turn)  # others are before us: what we find is what they leave
                receipt = write()
            except BaseException:
                written()  # a mutate that raised has edited all the same
                raise
            receipt.on_done(written)
        return receipt

    def _put_back(self, node: Any, value: Any) -> Receipt:
        if self.is_dead:
            return REFUSED
        note = self._writes.get(node)
        if note is None or node.is_busy or note.version != node.version or not same(note.before, value):
            return REFUSED
        receipt: Receipt = node.set(value)
        note.version = node.version
        return receipt


class _Cleanup(AbstractAsyncContextManager[None]):
    """Shields its block from the run's cancellation, for some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._scope = anyio.CancelScope(shield=True)

    async def __aenter__(self) -> None:
        self._scope.deadline = anyio.current_time() + self._seconds
        self._scope.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool | None:
        return self._scope.__exit__(kind, error, traceback)
