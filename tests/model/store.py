"""A store that is naive: a dict holds the values, and everything is computed anew whenever it is asked.

Nothing here takes time, and nothing runs at the same time as anything else. What does is in the
modules beside this one; they say when something is written, and this one what there is then.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import flet_asp_actors as fa

from .declared import NAME, SINK, Unlucky

__all__ = ("FAILED", "Store")

FAILED = "failed"
"""Stands for the value of what has none."""


class Store:
    """What is held, and what that comes to."""

    def __init__(self) -> None:
        self.values: dict[Any, Any] = {}
        self.defaults: dict[Any, Any] = {}
        """Of names that are declared."""
        self.writes: Counter[Any] = Counter()
        self.changes: Counter[Any] = Counter()
        """Of these the ones that have made another value."""
        self.watched: list[Any] = []
        """What somebody observes."""
        self.writers: dict[int, Any] = {}
        """Listeners that write, and what each listens to."""
        self._told: dict[int, Any] = {}

    # ------------------------------------------------------------------ reading

    def get(self, key: Any) -> Any:
        """The value of a key, computed from nothing but what is held."""
        if isinstance(key, fa.SelectorKey):
            function: Any = key.function
            return function(self.get)
        if key in self.values:
            return self.values[key]
        if key == NAME:
            raise KeyError(key)
        return key.initial()

    def outcome(self, key: Any) -> Any:
        """The value of a key, or that it has none."""
        try:
            return self.get(key)
        except (Unlucky, KeyError):
            return FAILED

    def sources(self, key: Any) -> Iterable[Any]:
        """What a key is made of."""
        read: list[Any] = []

        def get(source: Any) -> Any:
            read.append(source)
            return self.get(source)

        if isinstance(key, fa.SelectorKey):
            function: Any = key.function
            with contextlib.suppress(Unlucky, KeyError):
                function(get)
        return read

    def observed(self) -> set[Any]:
        """What somebody observes, and what that is made of."""
        found: set[Any] = set()
        todo = list(self.watched)
        while todo:
            key = todo.pop()
            if key not in found:
                found.add(key)
                todo.extend(self.sources(key))
        return found

    # ------------------------------------------------------------------ writing

    def write(self, key: Any, value: Any, edited: bool = False) -> None:
        self.writes[key] += 1
        if edited or self.outcome(key) != value:
            self.changes[key] += 1
        self.values[key] = value

    def reset(self, key: Any) -> None:
        self.write(key, self.defaults[key] if key == NAME else key.initial())

    def declare(self, value: Any) -> None:
        if NAME not in self.values:
            self.values[NAME] = self.defaults[NAME] = value
            self.changes[NAME] += 1

    def delete(self, key: Any) -> None:
        self.interrupt(key)
        if key == NAME:
            del self.values[key], self.defaults[key]
        else:
            self.send(key, lambda: self.reset(key))

    def clear(self) -> None:
        for key in self.atoms():
            self.interrupt(key)
            self.send(key, lambda key=key: self.reset(key))  # type: ignore[misc]  # a loop variable

    def restore(self, values: dict[Any, Any]) -> None:
        for key in {**values, **dict.fromkeys(self.atoms())}:
            if key in values:
                self.send(key, lambda key=key: self.write(key, values[key]))  # type: ignore[misc]  # a loop variable
            else:
                self.send(key, lambda key=key: self.reset(key))  # type: ignore[misc]  # a loop variable

    def atoms(self) -> list[Any]:
        """Those that there is something to say of."""
        return list(self.values)

    def send(self, key: Any, message: Callable[[], object]) -> None:
        """Do it: nothing is under way."""
        message()

    def interrupt(self, key: Any) -> None:
        """End what is under way: nothing is."""

    # ------------------------------------------------------------------ listeners

    def listen(self, slot: int, key: Any, writes: bool) -> None:
        self.watched.append(key)
        if writes:
            self.writers[slot] = key

    def unlisten(self, slot: int, key: Any) -> None:
        self.watched.remove(key)
        self.writers.pop(slot, None)
        self._told.pop(slot, None)

    def tell(self) -> None:
        """Let those write who hear of something."""
        for slot, key in self.writers.items():
            said = self.changes[key] if isinstance(key, fa.Key) else self.get(key)
            if self._told.get(slot) != said:
                self._told[slot] = said
                self.write(SINK[slot], self.get(key) % 3)
