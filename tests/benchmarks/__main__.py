"""Measure every scenario at every peer and print one table."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

from .scenarios import OURS, PEERS, SCENARIOS, Peer, Probe, Run, Scenario, build, check, finish

LEAST_ROUNDS = 7
CHECKED_WEIGHT = 100
"""How many things are made for a check; what is weighed is checked again as it is weighed."""
NO_SUCH_THING = "\N{EN DASH}"


@dataclass(frozen=True)
class Cell:
    """One figure of the table, or a word in place of it."""

    scenario: str
    peer: str
    unit: str
    figure: float | None = None
    """Microseconds or bytes; the median of the rounds."""
    ratio: float | None = None
    """To ours; the median of the ratios within each round."""
    mark: str = ""
    why: str = ""

    def __str__(self) -> str:
        if self.figure is None or self.ratio is None:
            return self.mark
        figure = f"{self.figure:,.0f}" if self.unit == "bytes" or self.figure >= 100 else f"{self.figure:.3g}"
        return f"{figure} ({self.ratio:.2f}x)"


def measure(scenario: Scenario, loop: asyncio.AbstractEventLoop, rounds: int, seconds: float) -> list[Cell]:
    """Measure one scenario at every peer that gets it right."""
    cells: dict[Peer, Cell] = {}
    runs: dict[Peer, Run] = {}
    unit = "bytes" if scenario.weighs else "us"
    for peer in PEERS:
        mark, why = "", ""
        if peer not in scenario.adapters:
            mark = NO_SUCH_THING
        elif not peer.is_installed:
            mark = "not installed"
        else:
            why = check(scenario, peer, loop, CHECKED_WEIGHT if scenario.weighs else scenario.size) or ""
            mark = "wrong" if why else ""
        cells[peer] = Cell(scenario.name, peer.name, unit, mark=mark, why=why)
        if not mark:
            runs[peer] = build(scenario, peer, loop, Probe(), scenario.size)
    if OURS not in runs:
        raise SystemExit(f"{scenario.name}: ours is wrong: {cells[OURS].why}")
    if scenario.weighs:
        figures = {peer: [finish(loop, run(scenario.size)) / scenario.size] for peer, run in runs.items()}
    else:
        figures = _time(runs, loop, rounds, seconds)
    for peer, column in figures.items():
        ratio = median(theirs / ours for theirs, ours in zip(column, figures[OURS], strict=True))
        cells[peer] = Cell(scenario.name, peer.name, unit, median(column), ratio)
    return list(cells.values())


def _time(
    runs: Mapping[Peer, Run], loop: asyncio.AbstractEventLoop, rounds: int, seconds: float
) -> dict[Peer, list[float]]:
    """Time the peers in turn, round after round; microseconds per operation."""
    gc.collect()
    counts = {peer: _calibrate(run, loop, seconds) for peer, run in runs.items()}
    figures: dict[Peer, list[float]] = {peer: [] for peer in runs}
    for _ in range(rounds):
        for peer, run in runs.items():
            figures[peer].append(_seconds(run, loop, counts[peer]) / counts[peer] * 1e6)
    return figures


def _calibrate(run: Run, loop: asyncio.AbstractEventLoop, seconds: float) -> int:
    """Find how many operations take about so many seconds. At least two, so that each is a change."""
    n = 2
    while (took := _seconds(run, loop, n)) < seconds / 4:
        n *= 2
    return max(2, round(n * seconds / took))


def _seconds(run: Run, loop: asyncio.AbstractEventLoop, n: int) -> float:
    gc.disable()
    try:
        start = perf_counter()
        finish(loop, run(n))
        return perf_counter() - start
    finally:
        gc.enable()


def table(rows: Sequence[Sequence[Cell]]) -> str:
    """Write the cells as a Markdown table."""
    lines = [
        "| " + " | ".join(["", *(peer.name for peer in PEERS)]) + " |",
        "|---" + "|---:" * len(PEERS) + "|",
    ]
    for cells in rows:
        head = f"{cells[0].scenario} [{cells[0].unit}]"
        lines.append("| " + " | ".join([head, *map(str, cells)]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the cells to FILE, too")
    parser.add_argument("--rounds", type=int, default=15, help=f"rounds of each scenario, at least {LEAST_ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="shorter rounds, and no more of them than needed")
    options = parser.parse_args()
    rounds = LEAST_ROUNDS if options.quick else max(LEAST_ROUNDS, options.rounds)
    seconds = 0.005 if options.quick else 0.025

    loop = asyncio.new_event_loop()
    try:
        rows = [measure(scenario, loop, rounds, seconds) for scenario in SCENARIOS]
    finally:
        loop.close()

    peers = [f"{peer.module} {version(peer.module)}" for peer in PEERS if peer.module and peer.is_installed]
    print(table(rows))
    print(f"\nPython {platform.python_version()}; {', '.join(peers)}. Median of {rounds} rounds; in brackets, to ours.")
    print(f"Bytes by tracemalloc. A cell without figures: {NO_SUCH_THING}, it has no such thing; wrong, because")
    for cell in (cell for cells in rows for cell in cells if cell.why):
        print(f"- {cell.scenario}, {cell.peer}: {cell.why}")
    if options.json is not None:
        report = {"python": platform.python_version(), "peers": peers, "rounds": rounds}
        cells = [asdict(cell) for row in rows for cell in row]
        options.json.write_text(json.dumps({**report, "cells": cells}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
