"""Services that act on cue."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import anyio

import flet_asp_actors as fa

__all__ = ("Feed", "Stage", "states")

Feed = Callable[[fa.Get, fa.Set], Coroutine[Any, Any, object]]


class Stage:
    """Services that wait for their cue to fail or to end, and a diary of what they do."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.lives: dict[str, int] = {}
        self._cues: dict[str, anyio.Event] = {}
        self._errors: dict[str, Exception | None] = {}

    def play(self, name: str, last_words: float = 0.0) -> Feed:
        async def act(get: fa.Get, set: fa.Set) -> None:
            cue = self._cues[name] = anyio.Event()
            self.lives[name] = self.lives.get(name, 0) + 1
            self.diary.append(f"+{name}")
            try:
                await cue.wait()
                if (error := self._errors[name]) is not None:
                    raise error
            finally:
                if last_words:
                    async with set.cleanup(60):
                        await anyio.sleep(last_words)
                self.diary.append(f"-{name}")

        act.__name__ = name
        return act

    def cue(self, name: str, error: Exception | None = None) -> None:
        self._errors[name] = error
        self._cues[name].set()

    def kill(self, *names: str) -> None:
        for name in names:
            self.cue(name, ConnectionError(name))

    def read(self) -> str:
        said, self.diary = " ".join(self.diary), []
        return said


def states(state: fa.StateManager, *services: fa.Service) -> list[str]:
    """What their statuses say."""
    return [state.get(each.status).state for each in services]
