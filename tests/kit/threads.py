"""Threads of a test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ("in_thread",)


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
