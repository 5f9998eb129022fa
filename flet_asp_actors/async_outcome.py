"""What an async selector shows: its value, its failure, its status."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Generic, NoReturn, TypeVar, cast

from .async_key import AsyncStatusKey
from .async_value import IDLE_VALUE, AsyncState, AsyncValue
from .computation import NO_INITIAL, Failed, Options
from .core.evaluate import evaluating, now_computing, read_by
from .core.graph import Node, clock, tick, tick_edit, user_traceback
from .core.inputs import Inputs
from .core.turn import here, mark_dependents
from .core.values import is_a, is_immutable, private_copy, same
from .errors import ClosedError, ReadOnlyError, RunCancelled
from .key import Readable, label
from .owner import Owner
from .reading import Async
from .status import Status

__all__ = ("Outcome",)

T = TypeVar("T")
V = TypeVar("V")

_WANTED = (ClosedError, RunCancelled)
"""Failures that somebody has brought about, and nobody is told of but who awaits."""


class Outcome(Node, Async[T, V], Generic[T, V]):
    """The last value of an async selector, or its failure, to those who read, and the status beside it.

    A failure takes nothing from those who have a value already: they keep that, and only
    who has awaited the selector, and depends on it, learns that there is none for its latest inputs.
    """

    __slots__ = (
        "_is_given",
        "_status",
        "_taken_at",
        "_traceback",
        "has_value",
        "inputs",
        "is_reported",
        "last_failure",
        "options",
        "owner",
    )

    def __init__(self, key: Any, owner: Owner, options: Options) -> None:
        super().__init__(key, None)
        self.owner = owner
        self.options = options
        self.error = None
        """What it failed with, if there is no value to fall back to."""
        self.has_value = False
        self.is_reported = True  # by the computation that failed, to whoever awaited it or to on_error
        self.inputs = Inputs(key, owner.scope, self._is_own, keeps_fresh=options.debounce > 0)
        """What the computation under way has read, or the last one."""
        self.last_failure: Failed | None = None
        """How the last computation that has ended failed, also while the next one is under way."""
        self._is_given = False
        self._traceback: Any = None
        self._taken_at = 0  # by the clock of changes
        self._status: Status[AsyncValue[T]] = _AsyncStatus(self)
        self.current = self._initial()

    # ------------------------------------------------------------------ reading

    @property
    def value(self) -> V:
        """The last value; it never waits, and starts nothing.

        Raises:
            Exception: What the function raised, when there is no value to fall back to.
        """
        if evaluating and (computing := now_computing()) is not None:
            watched: V = read_by(computing, self)
            return watched
        if self.error is not None:
            self.throw()
        value: V = self.current
        return value

    @property
    def status(self) -> Readable[AsyncValue[T]]:
        return self._status

    def throw(self) -> NoReturn:
        assert self.error is not None
        raise self.error.with_traceback(self._traceback)

    def outcome(self) -> T:
        """What the last computation ended with.

        Raises:
            Exception: What the function raised, also where a value of before is kept.
        """
        failure = self._status.current.error
        if failure is not None:
            raise failure.with_traceback(self._traceback)
        value: T = self.current
        return value

    @property
    def failure(self) -> BaseException | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]  # read-only here
        """What the last computation failed with, also where a value of before is kept."""
        failure: BaseException | None = self._status.current.error
        return failure

    @property
    def upstream(self) -> Iterable[Node]:
        return self.inputs.sources

    def _is_own(self, node: Node) -> bool:
        return node is self or node is self._status

    def _refuse(self, *_: object) -> NoReturn:
        """Raise `ReadOnlyError`: a selector is computed, not written."""
        raise ReadOnlyError(
            f"{label(self.key)} is a selector, and its value is computed. Write the atoms that it reads."
        )

    set = update = mutate = reset = _refuse

    # ------------------------------------------------------------------ what a computation brings

    def know(self, value: Any) -> None:
        """The value is given, once and for all: there is nothing to compute."""
        self._is_given = True
        self.current = value
        self.has_value = True
        self._status.current = AsyncValue("ready", value, updated_at=time.time())

    def take(self, value: Any) -> None:
        """A computation has brought a value.

        Raises:
            Exception: What the user's `equals` raised; nothing was taken then.
        """
        is_edited = self._is_edited(value)
        if not self.has_value or is_edited or not same(self.current, value, self.options.equals):
            self._tell(is_edited)
        elif self.last_failure is not None and self.dependents:
            mark_dependents(self, here())  # those whom the failure has stopped look again, and nobody else
        self.current = value
        self.has_value = True
        self.last_failure = None
        self.error = self._traceback = None
        self._taken_at = clock.now
        self._status.publish(AsyncValue("ready", value, updated_at=time.time()))

    def _is_edited(self, value: Any) -> bool:
        """Whether the value may differ from the last one, though it is equal: something was edited in place."""
        if self.options.equals is not None or is_immutable(value):
            return False
        return value is self.current or any(source.edited > self._taken_at for source in self.inputs.sources)

    def fail(self, error: BaseException) -> None:
        """A computation has failed."""
        self.last_failure = Failed(error, self._was_told(error) or isinstance(error, _WANTED))
        self._traceback = user_traceback(error.__traceback__)
        error.__traceback__ = self._traceback  # our own frames hold the computation
        if not self.has_value and self.options.initial is NO_INITIAL:
            self.error = error
            self._tell()
        elif self.dependents:
            for dependent in self.dependents:
                if isinstance(dependent, Inputs):
                    dependent.doubt(self)
            mark_dependents(self, here())
        self.show("failed", error)

    def _tell(self, is_edited: bool = False) -> None:
        self.version = tick_edit() if is_edited else tick()
        if is_edited:
            self.edited = self.version
        if self.dependents:
            mark_dependents(self, here())

    def _initial(self) -> Any:
        initial = self.options.initial
        return None if initial is NO_INITIAL else private_copy(initial)

    def forget_value(self) -> None:
        """There is no value any more."""
        had = self.has_value or self.error is not None
        self.has_value = False
        self.last_failure = None
        self.error = self._traceback = None
        self.current = self._initial()
        self._status.current = IDLE_VALUE
        if had:
            self._tell()

    # ------------------------------------------------------------------ whom a failure is told

    def failed_unheard(self, error: BaseException, failed: Failed | None = None) -> None:
        """A computation has failed, and nobody awaits it."""
        if isinstance(error, _WANTED):
            return
        if failed is None and self.last_failure is not None and self.last_failure.error is error:
            failed = self.last_failure
        if failed is None or failed.claim():
            self.owner.report(error, self.key, "async selector")

    def _was_told(self, error: BaseException) -> bool:
        """Whether an error is told where it comes from, if that is above; else it is for those who hear of it here."""
        was_told = False
        for source in self.inputs.sources:
            if is_a(source, Outcome):
                failed: Failed | None = cast("Any", source).last_failure
                if failed is not None and failed.error is error:
                    was_told = not failed.claim() or was_told
            elif source.error is error:
                was_told = was_told or source.is_reported
                source.is_reported = True  # type: ignore[misc]  # whatever stores an error has a slot for this
        return was_told

    # ------------------------------------------------------------------ the status

    def show(self, state: AsyncState, error: BaseException | None = None) -> None:
        """Show another state, with what else there was."""
        self._status.publish(replace(self._status.current, state=state, error=error, progress=None, progress_text=""))

    def on_progress(self, fraction: float | None, text: str) -> None:
        """The computation says how far it is."""
        self._status.publish(replace(self._status.current, progress=fraction, progress_text=text))


class _AsyncStatus(Status[AsyncValue[T]]):
    """The status of an async selector. To observe it is to observe the selector."""

    __slots__ = ("_selector",)

    writer = "selector"

    def __init__(self, selector: Outcome[T, Any]) -> None:
        super().__init__(AsyncStatusKey[T](selector.key), IDLE_VALUE)
        self._selector = selector

    @property
    def upstream(self) -> Iterable[Node]:
        return self._selector.upstream
