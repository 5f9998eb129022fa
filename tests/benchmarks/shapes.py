"""The scenarios: each one function over primitives, which builds a graph and gives what is done with it.

`run(n)` does the operation n times, each of which is a change, and gives what can be read at
the end. The kairo shapes, cellx and the layered graphs are those of the public
js-reactivity-benchmark, in their sizes; the latter draw from a generator of our own.
"""

# Graphs of any values: the lambdas in them have no types.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .primitives import Kit, Read, Source

__all__ = ("SCENARIOS", "Run", "Scenario")

Run = Callable[[int], Any]


@dataclass(frozen=True)
class Scenario:
    """A row of the table."""

    name: str
    build: Callable[[Kit], Run]
    checks_with: Callable[[Kit], Run] | None = None
    """The same in small, for the tests; None where it is small."""


def _deaf(value: object) -> None:
    pass


def _add_all(*values: int) -> int:
    return sum(values)


def _plus_one(value: int) -> int:
    return value + 1


def _writing(kit: Kit, head: Source, last: Source) -> Run:
    """Write the head, read the last."""
    write, read = kit.write, kit.read

    def run(n: int) -> Any:
        value = None
        for i in range(1, n + 1):
            write(head, i)
            value = read(last)
        return value

    return run


# ------------------------------------------------------------------ one value


def by_key(kit: Kit) -> Run:
    key, write, read = kit.by_key()

    def run(n: int) -> int:
        value = 0
        for i in range(1, n + 1):
            write(key, i)
            value = read(key)
        return value

    return run


def by_handle(kit: Kit) -> Run:
    write, read = kit.bare()

    def run(n: int) -> int:
        value = 0
        for i in range(1, n + 1):
            write(i)
            value = read()
        return value

    return run


def fan_out(kit: Kit, size: int) -> Run:
    head = kit.signal(0)
    for _ in range(size):
        kit.listen(head, lambda value: None)  # a new one each time: some list one only once
    return _writing(kit, head, head)


# ------------------------------------------------------------------ static graphs


def chain(kit: Kit, size: int) -> Run:
    head = last = kit.signal(0)
    for _ in range(size):
        last = kit.derive(_plus_one, last)
    kit.listen(last, _deaf)
    return _writing(kit, head, last)


def diamond(kit: Kit, size: int) -> Run:
    head = kit.signal(0)
    sides = [kit.derive(_plus_one, head) for _ in range(size)]
    total = kit.derive(_add_all, *sides)
    kit.listen(total, _deaf)
    return _writing(kit, head, total)


def cellx(kit: Kit, layers: int, observed: bool) -> Run:
    with kit.batch():  # whoever has none need not build what without one takes for ever
        pass
    first = layer = [kit.signal(value) for value in (1, 2, 3, 4)]
    for _ in range(layers):
        a, b, c, d = layer
        layer = [
            kit.derive(lambda b: b, b),
            kit.derive(lambda a, c: a - c, a, c),
            kit.derive(lambda b, d: b + d, b, d),
            kit.derive(lambda c: c, c),
        ]
        for each in layer if observed else ():
            kit.listen(each, _deaf)
    write, read, batch = kit.write, kit.read, kit.batch
    turns = itertools.count(1)

    def run(n: int) -> list[int]:
        for i in itertools.islice(turns, n):
            with batch():
                for place, signal in enumerate(first):
                    write(signal, 4 - place if i % 2 else 1 + place)
            for each in layer:
                read(each)
        return [read(each) for each in layer]

    return run


def batch_of(kit: Kit, size: int) -> Run:
    signals = [kit.signal(0) for _ in range(size)]
    total = kit.derive(_add_all, *signals)
    kit.listen(total, _deaf)
    write, batch = kit.write, kit.batch

    def run(n: int) -> Any:
        for i in range(1, n + 1):
            with batch():
                for signal in signals:
                    write(signal, i)
        return kit.read(total)

    return run


# ------------------------------------------------------------------ kairo


def _busy(value: int) -> int:
    for _ in range(100):
        pass
    return value + 1


def avoidable(kit: Kit) -> Run:
    head = kit.signal(0)
    same = kit.derive(lambda value: 0, kit.derive(lambda value: value, head))
    last = kit.derive(lambda value: value + 3, kit.derive(lambda value: value + 2, kit.derive(_busy, same)))
    kit.listen(last, _deaf)
    return _writing(kit, head, last)


def broad(kit: Kit) -> Run:
    head = last = kit.signal(0)
    for i in range(50):
        last = kit.derive(_plus_one, kit.derive(partial(int.__add__, i), head))
        kit.listen(last, _deaf)
    return _writing(kit, head, last)


def mux(kit: Kit) -> Run:
    heads = [kit.signal(0) for _ in range(100)]
    together = kit.derive(lambda *values: dict(enumerate(values)), *heads)
    ends: list[Source] = []
    for i in range(100):
        ends.append(kit.derive(_plus_one, kit.derive(lambda values, i=i: values[i], together)))
        kit.listen(ends[-1], _deaf)
    write, read = kit.write, kit.read
    writes = itertools.count(1)

    def run(n: int) -> Any:
        for i in itertools.islice(writes, n):
            write(heads[i % 10], i)
            read(ends[i % 10])
        return [read(end) for end in ends]

    return run


def repeated(kit: Kit) -> Run:
    head = kit.signal(0)

    def compute(read: Read) -> int:
        total = 0
        for _ in range(30):
            total += read(head)
        return total

    last = kit.computed(compute, [head])
    kit.listen(last, _deaf)
    return _writing(kit, head, last)


def triangle(kit: Kit) -> Run:
    steps = [kit.signal(0)]
    for _ in range(9):
        steps.append(kit.derive(_plus_one, steps[-1]))
    total = kit.derive(_add_all, *steps)
    kit.listen(total, _deaf)
    return _writing(kit, steps[0], total)


def unstable(kit: Kit) -> Run:
    head = kit.signal(0)
    double, inverse = kit.derive(lambda value: value * 2, head), kit.derive(int.__neg__, head)

    def compute(read: Read) -> int:
        total = 0
        for _ in range(20):
            total += read(double) if read(head) % 2 else read(inverse)
        return total

    last = kit.computed(compute, [head, double, inverse])
    kit.listen(last, _deaf)
    return _writing(kit, head, last)


# ------------------------------------------------------------------ layers, some of them dynamic


@dataclass(frozen=True)
class Layers:
    """A rectangle of values, each of which reads some of the row before."""

    width: int
    rows: int
    sources: int
    static: float = 1.0
    """The share of those that always read the same."""
    read: float = 1.0
    """The share of the last row that is looked at."""


def layered(kit: Kit, layers: Layers) -> Run:
    draw = random.Random(1)
    row = heads = [kit.signal(i) for i in range(layers.width)]
    for _ in range(layers.rows - 1):
        row = [_cell(kit, row, place, layers, draw.random() >= layers.static) for place in range(layers.width)]
    leaves = draw.sample(row, round(layers.width * layers.read))
    kit.listen(kit.computed(lambda read: sum([read(leaf) for leaf in leaves]), leaves), _deaf)
    write, read = kit.write, kit.read
    writes = itertools.count(1)  # goes on from run to run, so that each write is a change

    def run(n: int) -> Any:
        for i in itertools.islice(writes, n):
            place = i % layers.width
            write(heads[place], i + place)
        return sum([read(leaf) for leaf in leaves])

    return run


def _cell(kit: Kit, row: Sequence[Source], place: int, layers: Layers, is_dynamic: bool) -> Source:
    first, *others = sources = [row[(place + i) % len(row)] for i in range(layers.sources)]
    count = len(others)

    def add(read: Read) -> int:
        total = 0
        for source in sources:
            total += read(source)
        return total

    def choose(read: Read) -> int:
        total: int = read(first)
        dropped = total % count if total & 1 else count
        for i in range(count):
            if i != dropped:
                total += read(others[i])
        return total

    return kit.computed(choose if is_dynamic else add, sources)


def _with(build: Callable[..., Run], small: int, *sizes: int) -> Callable[[str], list[Scenario]]:
    def scenarios(name: str) -> list[Scenario]:
        return [Scenario(name.format(size), partial(build, size=size), partial(build, size=small)) for size in sizes]

    return scenarios


def _layered(name: str, layers: Layers) -> Scenario:
    small = Layers(min(layers.width, 7), min(layers.rows, 4), min(layers.sources, 4), layers.static, layers.read)
    return Scenario(f"layers: {name}", partial(layered, layers=layers), partial(layered, layers=small))


SCENARIOS = (
    Scenario("set + get, by key", by_key),
    Scenario("set + get, by handle", by_handle),
    *_with(fan_out, 7, 1, 1_000)("listeners: {:,}"),
    *_with(chain, 7, 100, 1_000)("chain of {:,}"),
    *_with(diamond, 7, 100)("diamond of {:,}"),
    *(
        Scenario(
            f"cellx {layers:,}, {'observed' if observed else 'not observed'}",
            partial(cellx, layers=layers, observed=observed),
            partial(cellx, layers=5, observed=observed),
        )
        for layers in (10, 100, 1_000)
        for observed in (True, False)
    ),
    *_with(batch_of, 7, 1_000)("batch of {:,} writes"),
    Scenario("kairo: avoidable", avoidable),
    Scenario("kairo: broad", broad),
    Scenario("kairo: deep", partial(chain, size=50)),
    Scenario("kairo: diamond", partial(diamond, size=5)),
    Scenario("kairo: mux", mux),
    Scenario("kairo: repeated", repeated),
    Scenario("kairo: triangle", triangle),
    Scenario("kairo: unstable", unstable),
    _layered("simple", Layers(10, 5, 2, 1, 0.2)),
    _layered("dynamic", Layers(10, 10, 6, 0.75, 0.2)),
    _layered("large web", Layers(1_000, 12, 4, 0.95)),
    _layered("wide, dense", Layers(1_000, 5, 25)),
    _layered("deep", Layers(5, 500, 3)),
    _layered("very dynamic", Layers(100, 15, 6, 0.5)),
)
