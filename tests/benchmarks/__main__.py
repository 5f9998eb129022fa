"""Measure, print one table, and write JSON. `--check` compares with what was recorded."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import awaiting, guard, memory
from .measuring import LEAST_ROUNDS, Cell, measure
from .peers import PEERS
from .report import report, table
from .shapes import SCENARIOS, Scenario

RESULTS = Path(__file__).parents[2] / ".benchmarks" / "bench.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", default=RESULTS, help=f"by default {RESULTS.name}")
    parser.add_argument("--rounds", type=int, default=11, help=f"rounds of each scenario, at least {LEAST_ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="shorter rounds, and no more of them than needed")
    parser.add_argument("--only", default="", metavar="PATTERN", help="scenarios with this in their name")
    parser.add_argument("--check", action="store_true", help="compare the counts of work with the recorded ones")
    parser.add_argument("--record", action="store_true", help="with --check: record them instead")
    options = parser.parse_args()
    if options.check:
        sys.exit(guard.main(options.record))

    rounds = LEAST_ROUNDS if options.quick else max(LEAST_ROUNDS, options.rounds)
    seconds = 0.002 if options.quick else 0.02
    rows: list[list[Cell]] = []
    scenarios: list[Scenario | awaiting.Waiting] = [*SCENARIOS, *awaiting.SCENARIOS]
    for each in scenarios:
        if options.only in each.name:
            print(each.name, file=sys.stderr)
            if isinstance(each, Scenario):
                rows.append(measure(each, PEERS, rounds, seconds))
            else:
                rows.append(awaiting.measure(each, rounds, seconds))
    weights = memory.measure(options.quick) if options.only in "memory" else []
    print(table(rows))
    for cell in (cell for cells in rows for cell in cells if cell.why):
        print(f"- {cell.scenario}, {cell.peer}: {cell.mark}, {cell.why}")
    if weights:
        print(memory.table(weights))
    found = {**report(rows, PEERS, rounds), "weights": weights}
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"\n{found['python']}; {found['versions']}; {rounds} rounds. All of it is in {options.json}")


if __name__ == "__main__":
    main()
