"""What a key showed, one value after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import anyio

if TYPE_CHECKING:
    from ..key import Name, Readable
    from ..state import StateManager

__all__ = ("Recording", "record")

T = TypeVar("T")


@overload
def record(
    state: StateManager, key: Readable[T], *, initial: bool = False, copy: Callable[[T], T] | None = None
) -> Recording[T]: ...
@overload
def record(
    state: StateManager, key: Name, *, initial: bool = False, copy: Callable[[Any], Any] | None = None
) -> Recording[Any]: ...
def record(
    state: StateManager, key: Any, *, initial: bool = False, copy: Callable[[Any], Any] | None = None
) -> Recording[Any]:
    """Record every value that a turn shows for a key, from now on.

    For example::

        seen = record(state, login.status)
        await state.action(login)("ann")
        assert seen.states == ["running", "succeeded"]

    Args:
        state: The store.
        key: An atom, a selector, a status; recording observes it, as a listener does.
        initial: Record the value now, too.
        copy: Makes what is kept of a value: `list` for a list that is edited in place, which
            else is the same object in every place.

    Returns:
        The recording; close it, or leave it to the store's end.

    Raises:
        UnknownKeyError: For a name that was never declared.
        ClosedError: When the store has ended.
    """
    return Recording(state, key, initial, copy)


class Recording(Sequence[T], Generic[T]):
    """The values that a key has shown: a sequence that compares equal to a list. Made by `record`."""

    __slots__ = ("_copy", "_key", "_subscription", "_waiters", "values")

    def __init__(self, state: StateManager, key: Any, initial: bool, copy: Callable[[T], T] | None) -> None:
        self.values: list[T] = []
        """The values themselves, oldest first."""
        self._key = key
        self._copy = copy
        self._waiters: list[anyio.Event] = []
        self._subscription = state.listen(key, self._show, initial)

    @property
    def states(self) -> list[str]:
        """The `.state` of each value, such as `["running", "succeeded"]` for the status of an action."""
        values: list[Any] = list(self.values)
        return [value.state for value in values]

    def clear(self) -> None:
        """Forget what was recorded so far; recording goes on."""
        self.values.clear()

    def close(self) -> None:
        """End the recording; what was recorded stays. May be called twice."""
        self._subscription.close()

    async def until(self, predicate: Callable[[T], object], timeout: float = 5.0) -> T:
        """Wait until a value that fits has been shown, and return the first that did.

        Values recorded before the call count as well: `clear()` first to wait for a new one.

        Args:
            predicate: Says whether a value fits.
            timeout: Seconds, of whatever time the loop has.

        Raises:
            TimeoutError: When none was shown in time; the text has those that were.
        """
        looked = 0
        try:
            with anyio.fail_after(timeout):
                while True:
                    for value in self.values[looked:]:
                        if predicate(value):
                            return value
                    looked = len(self.values)
                    waiter = anyio.Event()
                    self._waiters.append(waiter)
                    try:
                        await waiter.wait()
                    finally:
                        self._waiters.remove(waiter)
        except TimeoutError:
            raise TimeoutError(
                f"{self._key} showed nothing that fits within {timeout} s, only {self.values!r}"
            ) from None

    def _show(self, value: T) -> None:
        self.values.append(value if self._copy is None else self._copy(value))
        for waiter in self._waiters:
            waiter.set()

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.values[index]

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[T]:
        return iter(self.values)

    def __eq__(self, other: object) -> bool:
        return self.values == getattr(other, "values", other)

    __hash__ = None  # type: ignore[assignment]  # as a list's

    def __enter__(self) -> Recording[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Recording of {self._key}: {self.values!r}>"
