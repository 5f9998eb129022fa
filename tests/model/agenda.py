"""What is to happen, and when: time goes on when `advance` says so, from one entry to the next."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable

__all__ = ("Agenda", "Ambiguous", "Due")

CLOSE = 1e-5
"""Seconds within which two things count as happening at once; which is first is then anybody's guess."""


class Ambiguous(Exception):
    """Two things happen at once, so there is more than one right result."""


class Due:
    """Something that is to happen, unless it is taken back."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call: Callable[[], object] | None = call

    def take_back(self) -> None:
        self.call = None

    def happen(self) -> None:
        if self.call is not None:
            self.call()


class Agenda:
    """What is due later, and what is due at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self._soon: deque[Due] = deque()
        self._later: list[tuple[float, int, Due]] = []
        self._order = itertools.count()

    def look(self) -> None:
        """Something has happened; what comes of it is the business of who knows."""

    def soon(self, call: Callable[[], object]) -> Due:
        due = Due(call)
        self._soon.append(due)
        return due

    def after(self, seconds: float, call: Callable[[], object]) -> Due:
        due = Due(call)
        heapq.heappush(self._later, (self.now + seconds, next(self._order), due))
        return due

    def settle(self) -> None:
        """Do what is to be done at once, one thing after the other."""
        self.look()
        while self._soon:
            self._soon.popleft().happen()
            self.look()

    def advance(self, now: float) -> None:
        """Let everything happen that is due until then."""
        self.settle()
        last = -1.0
        while self._later and self._later[0][0] <= now + CLOSE:
            when, _, due = heapq.heappop(self._later)
            if due.call is None:
                continue
            if when - last < CLOSE or when > now - CLOSE:
                raise Ambiguous
            self.now = last = when
            due.happen()
            self.settle()
        self.now = now
