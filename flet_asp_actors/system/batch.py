"""A batch: many writes, one turn."""

from __future__ import annotations

from types import TracebackType

from ..core.turn import Turn, here
from ..door import LOCK, Home
from ..errors import BatchError

__all__ = ("Batch",)


class Batch:
    """`with state.batch():` puts propagation off to its end; `get` is fresh all along.

    It must not be held open across an `await`: other tasks write too, and would find their
    writes put off by somebody who is not even running. If it is, it is flushed at that
    moment, and leaving it raises `BatchError`.
    """

    __slots__ = ("_broken", "_home", "_open", "_turn")

    def __init__(self, home: Home | None) -> None:
        self._home = home
        self._turn: Turn | None = None
        self._open = False
        self._broken = False

    def __enter__(self) -> None:
        if self._home is None:
            LOCK.acquire()
        elif self._home.is_here:
            # The loop gets to this only if the batch is still open when its task is suspended.
            self._home.post(self._on_suspended)
        self._turn = here()
        self._turn.depth += 1
        self._open = True

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
        assert self._turn is not None
        self._open = False
        self._turn.depth -= 1
        try:
            self._turn.propagate()
        finally:
            if self._home is None:
                LOCK.release()

    def _on_suspended(self) -> None:
        if self._open:
            self._broken = True
            self._close()
