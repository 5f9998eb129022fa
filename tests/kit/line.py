"""The line from an example to a slow server, on which the test says when an answer comes."""

from __future__ import annotations

import asyncio
import threading

from .backstage import PATIENCE

__all__ = ("Line",)


class Line:
    """What waits there goes on when the test says so, from its own thread."""

    def __init__(self) -> None:
        self.asked = 0
        self.cut = threading.Event()
        """Whether a question was taken back."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = threading.Semaphore(0)
        self._answers = asyncio.Semaphore(0)

    async def sleep(self, _seconds: float) -> None:
        """Stand for the time that the server takes, in place of `asyncio.sleep`."""
        self._loop = asyncio.get_running_loop()
        self.asked += 1
        self._waiting.release()
        try:
            await self._answers.acquire()
        except asyncio.CancelledError:
            self.cut.set()
            raise

    def answer(self) -> None:
        """Let one answer through: to who waits, or to who will be the next to."""
        assert self._waiting.acquire(timeout=PATIENCE), "Nobody has asked."
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._answers.release)
