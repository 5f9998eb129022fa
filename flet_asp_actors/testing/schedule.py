"""Other orders: the ready tasks of an asyncio loop in an order that a seed decides."""

from __future__ import annotations

import asyncio
import random
import weakref
from collections import deque
from collections.abc import Iterable
from typing import Any

__all__ = ("shuffle_ready",)


def shuffle_ready(loop: asyncio.AbstractEventLoop, seed: int) -> None:
    """Have a loop take its ready tasks in a random order, the same one each time for a seed.

    Only steps of tasks change places, and only among themselves: that a task which could go
    on does so before another one is nothing that a program may rely on. Callbacks keep the
    order in which they were asked for, which asyncio promises.

    Args:
        loop: One of asyncio's own, fresh. `VirtualLoop(seed=...)` does it for you.
        seed: Which order.

    Raises:
        TypeError: For a loop that is not asyncio's own, such as uvloop.
    """
    if not isinstance(loop, asyncio.BaseEventLoop):
        raise TypeError(f"only asyncio's own loops can be seeded, not {type(loop).__name__}")
    ours: Any = loop
    ours._ready = _Shuffled(ours._ready, seed)


class _Shuffled(deque[asyncio.Handle]):
    """The ready queue of a loop, from which not always the first task is taken first."""

    def __init__(self, ready: Iterable[asyncio.Handle], seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)
        # A set of tasks has another order in each process, and anyio cancels by sets: choose
        # by the age of the tasks, not by their place, and a seed means the same everywhere.
        self._ages: weakref.WeakKeyDictionary[asyncio.Task[Any], int] = weakref.WeakKeyDictionary()
        self._born = 0
        for handle in ready:
            self.append(handle)

    def append(self, handle: asyncio.Handle, /) -> None:
        task = _task_of(handle)
        if task is not None and task not in self._ages:
            self._ages[task] = self._born = self._born + 1
        super().append(handle)

    def popleft(self) -> asyncio.Handle:
        if len(self) > 1 and _task_of(self[0]) is not None:
            steps = [
                (self._ages[task], place) for place, handle in enumerate(self) if (task := _task_of(handle)) is not None
            ]
            if len(steps) > 1:
                steps.sort()
                place = self._random.choice(steps)[1]
                self[0], self[place] = self[place], self[0]
        return super().popleft()


def _task_of(handle: asyncio.Handle) -> asyncio.Task[Any] | None:
    """The task of which a handle is the next step, or None for any other callback."""
    owner: Any = getattr(getattr(handle, "_callback", None), "__self__", None)
    if isinstance(owner, asyncio.Task):
        return owner  # pyright: ignore[reportUnknownVariableType]  # a task is one whatever it returns
    return None
