"""How the cost grows with the size: of a chain, of a fan-out, of a store."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .measuring import LEAST_ROUNDS, Column
from .measuring import measure as measure_one
from .peers import FLOOR, OURS
from .primitives import Kit
from .shapes import Run, Scenario, chain, fan_out

__all__ = ("GROWTHS", "SCENARIOS", "Growth", "measure")

WRITTEN = 100


def among(kit: Kit, size: int, observed: bool) -> Run:
    """Write to a hundred of many values, all of which have been used; one write is one operation."""
    signals = [kit.signal(0) for _ in range(size)]
    for signal in signals:
        kit.read(signal)
        if observed:
            kit.listen(signal, lambda value: None)
    some = signals[:: max(1, size // WRITTEN)][:WRITTEN]
    last = some[-1]
    write, read = kit.write, kit.read
    writes = itertools.count(1)

    def run(n: int) -> Any:
        for signal, value in zip(itertools.cycle(some), itertools.islice(writes, n), strict=False):
            write(signal, value)
        return read(last)

    kit.kept.append(signals)
    return run


@dataclass(frozen=True)
class Growth:
    """One plot: a shape at some sizes."""

    name: str
    what: str
    """What there is so many of."""
    build: Callable[..., Run]
    sizes: tuple[int, ...]
    for_peers: int
    """More than that takes some of them minutes, and gigabytes."""

    @property
    def picture(self) -> str:
        """The name of its plot."""
        return f"growth-{'-'.join(re.findall('[a-z]+', self.name))}.png"

    def scenario(self, size: int) -> Scenario:
        return Scenario(f"{self.name}: {size:,}", partial(self.build, size=size), partial(self.build, size=7))


SHORT = (1, 10, 100, 1_000, 10_000)
LONG = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
GROWTHS = (
    Growth("chain", "selectors in a chain", chain, SHORT, 10_000),
    Growth("fan-out", "listeners of one value", fan_out, SHORT, 10_000),
    Growth("store", "values there are", partial(among, observed=False), LONG, 100_000),
    Growth("store, all listened to", "values there are, each listened to", partial(among, observed=True), LONG, 10_000),
)  # fmt: skip
SCENARIOS = tuple(growth.scenario(size) for growth in GROWTHS for size in growth.sizes)


def measure(columns: Sequence[Column], seconds: float, is_quick: bool) -> list[dict[str, Any]]:
    """Measure each at each size, with the peers that still got the size before right."""
    found: list[dict[str, Any]] = []
    for growth in GROWTHS:
        there = [each for each in columns if not (each.peer.on_loop or each.peer.has_threads)]
        for size in growth.sizes[:-2] if is_quick else growth.sizes:
            if size > growth.for_peers:
                there = [each for each in there if each.peer in (OURS, FLOOR)]
            name = growth.scenario(size).name
            print(name, file=sys.stderr)
            cells = measure_one(name, there, LEAST_ROUNDS, seconds)
            points = {cell.peer: cell.microseconds for cell in cells if cell.microseconds is not None}
            there = [each for each in there if each.peer.name in points]
            found += [
                {"growth": growth.name, "size": size, "peer": peer, "microseconds": microseconds}
                for peer, microseconds in points.items()
            ]
    return found
