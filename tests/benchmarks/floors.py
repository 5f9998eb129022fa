"""The floor: the same graph wired by hand, in a fixed order, of slotted objects, without tracking.

And the oracle that says what is right: the same, but it computes only what is stale.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from operator import attrgetter
from typing import Any

from .primitives import Bare, ByKey, Kit, Read, Source

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


class Cells:
    """A dict of slotted objects, with compare-and-store."""

    __slots__ = ("cells",)

    def __init__(self, *keys: Any) -> None:
        self.cells = {key: Cell() for key in keys}

    def set(self, key: Any, value: int) -> None:
        cell = self.cells[key]
        if value != cell.value:
            cell.value = value

    def get(self, key: Any) -> int:
        return self.cells[key].value


Step = tuple[Cell, Callable[..., Any], "Cell | None", Sequence[Cell]]
"""What is assigned, the function, and its argument: one cell, or several."""
Plan = tuple[Sequence[Step], Sequence[tuple[Cell, Sequence[Callable[[Any], object]]]]]
"""What is computed, in order, and who is told of what."""


class Wired(Cell):
    """A cell of a graph, and what follows from its change."""

    __slots__ = ("plan",)

    def __init__(self, value: int = 0) -> None:
        super().__init__(value)
        self.plan: Plan | None = None


class Floor(Kit):
    """Who has to run after a write is known beforehand; all of them do, changed or not."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[tuple[Step, Sequence[Cell]]] = []
        """Each step, and of what it depends."""
        self.listeners: dict[Cell, list[Callable[[Any], object]]] = {}
        self.signals: list[Wired] = []
        self._readers: dict[Cell, list[int]] = {}
        """The places of the steps that depend on a cell."""
        self._leading = set[Cell]()
        self._everything = Wired()
        self._is_batching = False

    def signal(self, value: int) -> Source:
        self.signals.append(Wired(value))
        return self.signals[-1]

    def write(self, signal: Source, value: int) -> None:
        signal.value = value
        if self._is_batching:
            return
        steps, told = signal.plan or self._plan(signal)
        for cell, function, source, sources in steps:
            if source is not None:
                cell.value = function(source.value)
            else:
                cell.value = function(*[each.value for each in sources])
        for cell, listeners in told:
            value = cell.value
            for listener in listeners:
                listener(value)

    def read(self, source: Source) -> Any:
        return source.value

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        self.listeners.setdefault(source, []).append(listener)
        self._everything.plan = None

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        cell = Wired(function(*[source.value for source in sources]))
        single = sources[0] if len(sources) == 1 else None
        return self._add((cell, function, single, sources), sources)

    def computed(self, function: Callable[[Read], Any], may_read: Sequence[Source]) -> Source:
        compute = partial(function, attrgetter("value"))
        cell = Wired(compute())
        return self._add((cell, compute, None, ()), may_read)

    def batch(self) -> AbstractContextManager[Any]:
        return self

    def __enter__(self) -> None:
        self._is_batching = True

    def __exit__(self, *_: object) -> None:
        self._is_batching = False
        self.write(self._everything, 0)

    def bare(self) -> Bare:
        cell = Cell()
        return Bare(cell.set, cell.get)

    def by_key(self) -> ByKey:
        cells = Cells("count")
        return ByKey("count", cells.set, cells.get)

    def ready(self) -> None:
        self._plan(self._everything)
        for signal in self.signals if self.order else ():
            self._plan(signal)

    def _add(self, step: Step, sources: Sequence[Cell]) -> Cell:
        for source in sources:
            self._readers.setdefault(source, []).append(len(self.order))
        self.order.append((step, sources))
        self._everything.plan = None
        return step[0]

    def _plan(self, written: Wired) -> Plan:
        """What follows when this was written, in order; found once.

        Where there are listeners, what leads to none is not looked at, and need not be computed.
        """
        if written is self._everything:  # by a batch: in these graphs it writes whatever there is
            reached, cells = list(range(len(self.order))), list(self.listeners)
        else:
            places, cells = set[int](), list[Cell]([written])
            for cell in cells:
                for place in self._readers.get(cell, ()):
                    if place not in places:
                        places.add(place)
                        cells.append(self.order[place][0][0])
            reached = sorted(places)
        needed = self._needed()
        steps = [self.order[place][0] for place in reached if not needed or self.order[place][0][0] in needed]
        told = [(cell, tuple(self.listeners[cell])) for cell in cells if cell in self.listeners]
        written.plan = steps, told
        return written.plan

    def _needed(self) -> set[Cell]:
        """What leads to a listener."""
        if self._everything.plan is None:
            self._leading = set[Cell](self.listeners)
            for step, sources in reversed(self.order):
                if step[0] in self._leading:
                    self._leading.update(sources)
        return self._leading


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
