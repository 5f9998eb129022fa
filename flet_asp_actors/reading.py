"""How selectors, effects and actions read: the `get` that they are handed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, overload

from .async_value import AsyncValue
from .key import Name, Readable

__all__ = ("Async", "Get")

T = TypeVar("T")
V = TypeVar("V")


class Async(Readable[V], Generic[T, V]):
    """Something readable whose value arrives later: `get` gives what is there now, `resolve` the value itself."""

    __slots__ = ()

    @property
    def status(self) -> Readable[AsyncValue[T]]:
        """How its computation is doing, as a key of its own. Observing it observes the value."""
        raise NotImplementedError


class Get(Protocol):
    """How a selector, an effect or an action reads: `get(key)`, or `get.peek(key)` without depending on it.

    In a selector and in an effect every reading is remembered as a dependency, anew in each
    run, after an `await` as well; in an action it is a plain reading of the value now.
    """

    @overload
    def __call__(self, key: Readable[T], /) -> T: ...
    @overload
    def __call__(self, key: Name, /) -> Any: ...
    def __call__(self, key: Any, /) -> Any:
        """Read the value of a key now, and depend on it. A stale selector is computed first.

        Raises:
            UnknownKeyError: For a name that was never declared.
            Exception: What the selector that is read raises.
        """
        ...

    @overload
    def peek(self, key: Readable[T], /) -> T: ...
    @overload
    def peek(self, key: Name, /) -> Any: ...
    def peek(self, key: Any, /) -> Any:
        """Read without depending on it."""
        ...

    @overload
    async def resolve(self, key: Async[T, Any], /) -> T: ...
    @overload
    async def resolve(self, key: Readable[T], /) -> T: ...
    @overload
    async def resolve(self, key: Name, /) -> Any: ...
    async def resolve(self, key: Any, /) -> Any:
        """Wait for the value that a selector has for the latest inputs, and depend on it.

        Its failure counts as a change as well: whoever has waited for the value is run again,
        and learns of it here. Only in async code: async selectors, async effects and actions.

        Raises:
            DeadlockError: When it waits for the caller itself.
            Exception: What that selector failed with.
        """
        ...

    def on_cleanup(self, call: Callable[[], object], /) -> None:
        """Have `call` called before the next run, and when there will be none: to let go of what this run holds.

        Only in selectors and effects; an action has `try` and `finally`.
        """
        ...

    def progress(self, fraction: float | None, text: str = "", /) -> None:
        """Show in the status of an async selector how far it is, from 0 to 1. Elsewhere it does nothing."""
        ...
