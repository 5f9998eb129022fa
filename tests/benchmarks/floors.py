"""The floor: the same graph wired by hand, in a fixed order, of slotted objects, without tracking.

And the oracle that says what is right: the same, but it computes only what is stale.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from .primitives import Bare, Kit, Read, Source

__all__ = ("Cell", "Floor", "Oracle")


class Cell:
    """A slotted object that compares and stores."""

    __slots__ = ("value",)

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def set(self, value: int) -> None:
        if value != self.value:
            self.value = value

    def get(self) -> int:
        return self.value


class Floor(Kit):
    """Who has to run after a write is known beforehand; all of them do, changed or not."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[tuple[Callable[[], None], Sequence[Cell], Cell]] = []
        self.listeners: list[tuple[Cell, Callable[[Any], object]]] = []
        self._plans: dict[frozenset[Cell], list[Callable[[], None]]] = {}
        self._batched: set[Cell] | None = None
        self._last: tuple[Cell, list[Callable[[], None]]] = Cell(), []

    def signal(self, value: int) -> Source:
        return Cell(value)

    def write(self, signal: Source, value: int) -> None:
        signal.value = value
        if self._batched is not None:
            self._batched.add(signal)
            return
        if self._last[0] is not signal:
            self._last = signal, self._plan(frozenset([signal]))
        for run in self._last[1]:
            run()

    def read(self, source: Source) -> Any:
        return source.value

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        self.listeners.append((source, listener))

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        cell, a = Cell(), sources[0]
        if len(sources) == 1:

            def run() -> None:
                cell.value = function(a.value)
        else:

            def run() -> None:
                cell.value = function(*[source.value for source in sources])

        return self._add(cell, run, sources)

    def computed(self, function: Callable[[Read], Any], may_read: Sequence[Source]) -> Source:
        cell, read = Cell(), attrgetter("value")

        def run() -> None:
            cell.value = function(read)

        return self._add(cell, run, may_read)

    @contextmanager
    def batch(self) -> Generator[None, None, None]:
        self._batched = written = set[Cell]()
        yield
        self._batched = None
        for run in self._plan(frozenset(written)):
            run()

    def bare(self) -> Bare:
        cell = Cell()
        return Bare(cell.set, cell.get)

    def by_key(self, key: Any) -> tuple[Callable[[Any, int], object], Callable[[Any], int]]:
        cells = {key: Cell()}

        def write(key: Any, value: int) -> None:
            cells[key].set(value)

        return write, lambda key: cells[key].value

    def _add(self, cell: Cell, run: Callable[[], None], sources: Sequence[Source]) -> Cell:
        run()
        self.order.append((run, sources, cell))
        return cell

    def _plan(self, written: frozenset[Cell]) -> list[Callable[[], None]]:
        """What runs after these were written, in order; found once."""
        if written not in self._plans:
            reached, plan = set(written), list[Callable[[], None]]()
            for run, sources, cell in self.order:
                if not reached.isdisjoint(sources):
                    reached.add(cell)
                    plan.append(run)
            plan += [_telling(cell, listener) for cell, listener in self.listeners if cell in reached]
            self._plans[written] = plan
        return self._plans[written]


def _telling(cell: Cell, listener: Callable[[Any], object]) -> Callable[[], None]:
    def tell() -> None:
        listener(cell.value)

    return tell


class Oracle(Kit):
    """What is right: each stale value is computed once, and who listens is told of each change once."""

    def __init__(self) -> None:
        super().__init__()
        self._nodes: list[tuple[Cell, Callable[[Read], Any], set[Cell]]] = []
        self.listeners: list[tuple[Cell, Callable[[Any], object]]] = []
        self._changed = set[Cell]()
        self._is_open = False

    def signal(self, value: int) -> Source:
        return Cell(value)

    def write(self, signal: Source, value: int) -> None:
        if signal.value != value:
            signal.value = value
            self._changed.add(signal)
        if not self._is_open:
            self._settle()

    def read(self, source: Source) -> Any:
        return source.value

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        self.listeners.append((source, listener))

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        return self.computed(lambda read: function(*map(read, sources)), sources)

    def computed(self, function: Callable[[Read], Any], may_read: Sequence[Source]) -> Source:
        cell, was_read = Cell(), set[Cell]()
        self._nodes.append((cell, function, was_read))
        self._run(cell, function, was_read)
        return cell

    @contextmanager
    def batch(self) -> Generator[None, None, None]:
        self._is_open = True
        yield
        self._is_open = False
        self._settle()

    def _settle(self) -> None:
        for cell, function, was_read in self._nodes:
            if not self._changed.isdisjoint(was_read):
                self._run(cell, function, was_read)
        for cell, listener in self.listeners:
            if cell in self._changed:
                listener(cell.value)
        self._changed.clear()

    def _run(self, cell: Cell, function: Callable[[Read], Any], was_read: set[Cell]) -> None:
        was_read.clear()

        def read(source: Source) -> Any:
            was_read.add(source)
            return source.value

        value = function(read)
        if value != cell.value:
            cell.value = value
            self._changed.add(cell)
