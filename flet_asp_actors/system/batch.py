"""A batch: many writes, one turn."""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident
from types import TracebackType
from typing import Protocol

from ..core.turn import Turn, here
from ..door import LOCK, Home, running_home
from ..errors import BatchError

__all__ = ("Batch", "Collected")


class Collected(Protocol):
    """What a batch needs of its store."""

    batches: dict[int, list[Callable[[], None]]]
    """Writes that threads away from the home loop hold back, until their batch ends."""

    def take_home(self) -> Home | None:
        """Where the batch is to happen now; None for here, under the lock, which is held from here on."""
        ...

    def post_all(self, writes: list[Callable[[], None]]) -> None:
        """Have these writes applied on the home loop, in one turn."""
        ...


class Batch:
    """`with state.batch():` puts propagation off to its end; `get` is fresh all along.

    On a thread that is not the store's own the writes are posted together at the end.

    It must not be held open across an `await`: other tasks write too, and would find their
    writes put off by somebody who is not even running. If it is, it is flushed at that
    moment, and leaving it raises `BatchError`.
    """

    __slots__ = ("_broken", "_collects", "_home", "_open", "_store", "_turn")

    def __init__(self, store: Collected) -> None:
        self._store = store
        self._home: Home | None = None
        self._turn: Turn | None = None
        self._open = False
        self._collects = False
        self._broken = False

    def __enter__(self) -> None:
        if self._open:
            raise BatchError("this batch is open already; a batch inside of it is one of its own: state.batch()")
        self._home = loop = self._store.take_home()
        if loop is not None and not loop.is_here:
            self._collects = get_ident() not in self._store.batches  # else the batch around this one does it
            self._store.batches.setdefault(get_ident(), [])
            loop = running_home()
        else:
            self._turn = here()
            self._turn.depth += 1
        self._open = True
        if loop is not None:
            # It gets to this only if the batch is still open when its task is suspended.
            loop.post(self._on_suspended)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self._close()
        if self._broken and error is None:
            raise BatchError(
                "a batch was held open across an await; it was flushed there. "
                "Finish the batch before awaiting, or use one batch before and one after."
            )

    def _close(self) -> None:
        if not self._open:
            return
        self._open = False
        turn, self._turn = self._turn, None  # it may be used again, on another thread
        if turn is None:
            if self._collects:
                self._store.post_all(self._store.batches.pop(get_ident()))
            return
        turn.depth -= 1
        try:
            turn.propagate()
        finally:
            if self._home is None:
                LOCK.release()

    def _on_suspended(self) -> None:
        if self._open:
            self._broken = True
            self._close()
