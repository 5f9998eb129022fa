"""When something that has failed is tried again: how often, after how long, after which errors."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .errors import StateError

__all__ = ("Retry", "check_retry")

JITTER = 0.25
"""How much of a delay is left to chance, so that a thousand clients do not come back at once."""


@dataclass(frozen=True)
class Retry:
    """Try again after an error, with delays that double: exponential backoff with jitter.

    Raises:
        ValueError: For less than one attempt, or a delay that is negative.
    """

    attempts: int | None = 3
    """How many tries there are in all, the first included; None for no limit."""
    base: float = 0.1
    """Seconds before the second try; each delay after it is twice as long."""
    cap: float = 5.0
    """Seconds that a delay never exceeds."""
    on: tuple[type[Exception], ...] = (Exception,)
    """Errors that are worth another try; any other one fails at once, and so does the library's own, if not named."""

    def __post_init__(self) -> None:
        if self.attempts is not None and self.attempts < 1:
            raise ValueError(f"Retry(attempts={self.attempts!r}): the first try counts, so there is at least one")
        if self.base < 0 or self.cap < 0:
            raise ValueError(f"Retry(base={self.base!r}, cap={self.cap!r}): delays are in seconds, and not negative")

    def allows(self, error: BaseException, attempt: int) -> bool:
        """Whether try number `attempt` (from 1), which failed with `error`, is followed by another."""
        worth_it = self.on
        if isinstance(error, StateError):
            # A mistake in the code, or a run that was cancelled: the same again, unless it is named (a ConflictError).
            worth_it = tuple(kind for kind in self.on if issubclass(kind, StateError))
        return isinstance(error, worth_it) and (self.attempts is None or attempt < self.attempts)

    def delay(self, attempt: int) -> float:
        """Seconds to wait after try number `attempt` (from 1): at most a quarter less than twice the one before."""
        longest = min(self.cap, self.base * 2.0 ** min(attempt - 1, 60))
        return longest * (1 - JITTER * random.random())


def check_retry(where: str, retry: object) -> None:
    """Refuse what is no `Retry` where it is given, so that it does not get in the way of an error later on.

    Raises:
        TypeError: For anything but a `Retry` or None.
    """
    if retry is not None and not isinstance(retry, Retry):
        raise TypeError(f"{where}: retry takes a fa.Retry, such as fa.Retry(3), and not {retry!r}")
