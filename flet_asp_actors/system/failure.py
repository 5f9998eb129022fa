"""Where an error goes that nobody waits for."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..key import label

__all__ = ("Failure", "log_failure")

logger = logging.getLogger("flet_asp_actors")


@dataclass(frozen=True)
class Failure:
    """An error in user code that nobody waited for."""

    error: BaseException
    """What was raised, traceback included."""
    key: object
    """The key it happened at."""
    actor: str
    """What was running, such as "listener save_draft", "action" or "binding of Text.value"."""

    def __str__(self) -> str:
        try:
            return f"{self.actor} at {label(self.key)}: {type(self.error).__name__}: {self.error}"
        except Exception:  # it is the user's own, and has a __str__ of its own
            return f"{self.actor} at {label(self.key)}: {type(self.error).__name__}"


def log_failure(failure: Failure) -> None:
    """Log a failure with its traceback: what a store does unless `on_error` says otherwise."""
    error = failure.error
    logger.error("%s", failure, exc_info=(type(error), error, error.__traceback__))
