"""A timer: something called later, by a task of the store, unless it is cancelled before."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context

import anyio

from .owner import Job, Owner

__all__ = ("Timer",)


class Timer(Job):
    """Calls `call` after some seconds. It counts as nothing under way, and ends with the store.

    Args:
        owner: The store whose task it is.
        seconds: How long from now.
        call: What to call, on the store's loop; it handles its own errors.
        name: What a printed supervision tree calls it.
    """

    __slots__ = ("_call", "_is_over", "_scope", "_seconds", "name")

    is_service = True
    can_wait = True

    def __init__(self, owner: Owner, seconds: float, call: Callable[[], object], name: str) -> None:
        self.name = name
        self._seconds = seconds
        self._call = call
        self._scope: anyio.CancelScope | None = None
        self._is_over = False
        Context().run(owner.spawn, self)  # it belongs to no page and to no run

    async def run(self) -> None:
        with anyio.CancelScope() as self._scope:
            if not self._is_over:
                await anyio.sleep(self._seconds)
        if not self._is_over:
            self._is_over = True
            self._call()

    def cancel(self) -> None:
        """See to it that `call` is not called any more. May be called at any time, and twice."""
        self._is_over = True
        if self._scope is not None:
            self._scope.cancel()

    def abandon(self) -> None:
        self._is_over = True
