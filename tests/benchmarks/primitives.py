"""What every peer is asked for: a few primitives, of which the scenarios are made.

A new scenario is one function over these; a new peer is one class in `peers`. A peer that
has no such thing leaves the method out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ("Bare", "ByKey", "Kit", "Missing", "Read", "Source", "Watched", "Witness")

Source = Any
"""What a peer has for a value that can be read: an opaque thing of its own."""
Read = Callable[[Source], Any]


class Missing(Exception):
    """The peer has no such thing."""


class Bare(NamedTuple):
    """How one value is written and read, as directly as the peer can."""

    write: Callable[[int], object]
    read: Callable[[], int]


class ByKey(NamedTuple):
    """How one value of a store is written and read."""

    key: Any
    write: Callable[[Any, int], object]
    read: Callable[[Any], int]


class Kit(ABC):
    """A fresh graph of one peer. What it makes lives as long as it does."""

    def __init__(self) -> None:
        self.kept: list[object] = []
        """What has to be held for the graph to stay alive."""

    @abstractmethod
    def signal(self, value: int) -> Source: ...

    @abstractmethod
    def write(self, signal: Source, value: int) -> object: ...

    @abstractmethod
    def read(self, source: Source) -> Any:
        """Read from outside the graph."""

    @abstractmethod
    def listen(self, source: Source, listener: Callable[[Any], object]) -> None: ...

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        """A value that is computed of always the same ones, handed to the function one by one."""
        raise Missing

    def computed(self, function: Callable[[Read], Any], may_read: Sequence[Source]) -> Source:
        """A value whose function reads what it likes, of these."""
        raise Missing

    def batch(self) -> AbstractContextManager[Any]:
        raise Missing

    def bare(self) -> Bare:
        """One value, held in the hand."""
        signal = self.signal(0)

        def write(value: int) -> None:
            self.write(signal, value)

        return Bare(write, lambda: self.read(signal))

    def by_key(self) -> ByKey:
        """Write and read by key. For a peer that has no store: a dict of what it has, by name."""
        cells = {"count": self.bare()}

        def write(key: Any, value: int) -> None:
            cells[key].write(value)

        def read(key: Any) -> int:
            return cells[key].read()

        return ByKey("count", write, read)

    def ready(self) -> None:  # noqa: B027  # there seldom is something
        """Prepare what need not be timed: the graph is complete."""

    def close(self) -> None:  # noqa: B027  # there seldom is something
        """End what does not end by itself."""


@dataclass
class Witness:
    """What a graph has done since it was asked last."""

    computed: list[tuple[int, Any]] = field(default_factory=list[tuple[int, Any]])
    """Which of the functions has run, and its result."""
    heard: list[tuple[int, Any]] = field(default_factory=list[tuple[int, Any]])
    """Which of the listeners was called, and with what."""

    def forget(self) -> None:
        self.computed.clear()
        self.heard.clear()


class Watched(Kit):
    """A kit whose functions and listeners keep a record."""

    def __init__(self, kit: Kit, witness: Witness) -> None:
        super().__init__()
        self._kit = kit
        self._witness = witness
        self._functions = 0
        self._listeners = 0

    def signal(self, value: int) -> Source:
        return self._kit.signal(value)

    def write(self, signal: Source, value: int) -> object:
        return self._kit.write(signal, value)

    def read(self, source: Source) -> Any:
        return self._kit.read(source)

    def batch(self) -> AbstractContextManager[Any]:
        return self._kit.batch()

    def bare(self) -> Bare:
        return self._kit.bare()

    def by_key(self) -> ByKey:
        return self._kit.by_key()

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        return self._kit.derive(self._recording(function), *sources)

    def computed(self, function: Callable[[Read], Any], may_read: Sequence[Source]) -> Source:
        return self._kit.computed(self._recording(function), may_read)

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        number, self._listeners = self._listeners, self._listeners + 1

        def hear(value: Any) -> None:
            self._witness.heard.append((number, value))

        self._kit.listen(source, hear)

    def _recording(self, function: Callable[..., Any]) -> Callable[..., Any]:
        number, self._functions = self._functions, self._functions + 1

        def record(*values: Any) -> Any:
            result = function(*values)
            self._witness.computed.append((number, result))
            return result

        return record
