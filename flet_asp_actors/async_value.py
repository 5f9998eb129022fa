"""The status of an async selector: where its computation is, beside the value itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from .status import describe

__all__ = ("IDLE_VALUE", "AsyncState", "AsyncValue")

T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")

AsyncState = Literal["idle", "loading", "refreshing", "ready", "failed"]


@dataclass(frozen=True)
class AsyncValue(Generic[T_co]):
    """How an async selector is doing, as one value: bind it, listen to it, or `match` it.

    `case fa.AsyncValue("ready", rows)`, `case fa.AsyncValue("failed", error=error)`.
    """

    state: AsyncState = "idle"
    """It is `idle` when nobody has asked yet, `loading` in the first computation, or in one that
    shows nothing of those before, and `refreshing` in one while the value before is still shown.
    `ready` and `failed` are how the last one ended."""
    value: T_co | None = None
    """The last value; also while it is computed anew, and after a failure, if the previous one is kept."""
    error: BaseException | None = None
    """What the last computation failed with, if it failed."""
    progress: float | None = None
    """How far the computation is, from 0 to 1, if it says so by `get.progress`."""
    progress_text: str = ""
    """The line of text that was given with it."""
    updated_at: float | None = None
    """When the value was computed, in seconds since the epoch; None before the first one."""

    @property
    def is_busy(self) -> bool:
        """Whether a computation is under way, a debounce or a pause before another try included."""
        return self.state in ("loading", "refreshing")

    @property
    def message(self) -> str:
        """The error as a line of text; empty unless the computation failed, and then never empty."""
        return describe(self.error)

    def value_or(self, other: D, /) -> T_co | D:
        """The last value, or `other` before the first one."""
        return other if self.updated_at is None else self.value  # type: ignore[return-value]  # there is one


IDLE_VALUE: AsyncValue[Any] = AsyncValue()
