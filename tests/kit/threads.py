"""Threads of a test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

__all__ = ("Behind", "in_thread")


def in_thread(function: Callable[[], object]) -> None:
    """Run in a thread of its own and wait for it; raise what it raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    for error in errors:
        raise error


class Behind(AbstractContextManager[None]):
    """A lock that another thread gets first, once: what that does has happened when the lock is got.

    Args:
        lock: The lock.
        first: What the other thread does.
    """

    def __init__(self, lock: AbstractContextManager[object], first: Callable[[], object]) -> None:
        self._lock = lock
        self._first: Callable[[], object] | None = first

    def __enter__(self) -> None:
        first, self._first = self._first, None
        if first is not None:
            in_thread(first)
        self._lock.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._lock.__exit__(*error)
