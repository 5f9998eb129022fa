"""Measure and print tables; the figures go to a file, each part of them by itself. See `__init__`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import awaiting, depth, growth, guard, memory, report
from .measuring import LEAST_ROUNDS, Column, columns, measure
from .peers import OURS, OURS_ON_LOOP, PEERS
from .shapes import SCENARIOS
from .workers import HOME

PARTS = ("table", "memory", "depth", "growth", "clicks")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; by default the first two")
    parser.add_argument("--all", action="store_true", help="every part")
    parser.add_argument("--json", type=Path, metavar="FILE", default=HOME / "bench.json", help="what it is written to")
    parser.add_argument("--rounds", type=int, default=11, help=f"rounds of each scenario, at least {LEAST_ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="shorter rounds, smaller sizes")
    parser.add_argument("--only", default="", metavar="PATTERN", help="scenarios of the table with this in their name")
    parser.add_argument("--check", action="store_true", help="compare the counts of work with the recorded ones")
    parser.add_argument("--record", action="store_true", help="with --check: record them instead")
    parser.add_argument("--docs", action="store_true", help="write what was measured into the docs, with plots")
    options = parser.parse_args()
    if options.check:
        sys.exit(guard.main(options.record))
    if options.docs:
        from . import documents  # with Flet, and what draws

        documents.write()
        return
    parts: Sequence[str] = PARTS if options.all else options.parts or PARTS[:2]
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")

    rounds = LEAST_ROUNDS if options.quick else max(LEAST_ROUNDS, options.rounds)
    seconds = 0.002 if options.quick else 0.02
    is_wrong = False
    for part in parts:
        with columns(PEERS) as found_peers:
            found = MEASURES[part](found_peers, rounds, seconds, options)
        print(report.TABLES[part](found), flush=True)
        _write(options.json, part, rounds, found)
        is_wrong |= part == "table" and any(
            cell["mark"] in ("wrong", "too slow") for cell in found if cell["peer"] in (OURS.name, OURS_ON_LOOP.name)
        )
    print(f"\nAll of it is in {options.json}")
    sys.exit("ours is wrong" if is_wrong else 0)


def _table(peers: Sequence[Column], rounds: int, seconds: float, options: argparse.Namespace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    print(report.head([column.peer.name for column in peers]), file=sys.stderr)
    for name in [*(each.name for each in SCENARIOS), *(each.name for each in awaiting.SCENARIOS)]:
        if options.only in name:
            cells = [asdict(cell) for cell in measure(name, peers, rounds, seconds)]
            print(report.row(cells), file=sys.stderr, flush=True)
            found += cells
            _write(options.json, "table", rounds, found)  # what has been measured once is not lost
    return found


def _memory(peers: Sequence[Column], rounds: int, seconds: float, options: argparse.Namespace) -> list[dict[str, Any]]:
    return memory.measure(peers, options.quick)


def _depth(peers: Sequence[Column], rounds: int, seconds: float, options: argparse.Namespace) -> list[dict[str, Any]]:
    return depth.measure(peers)


def _growth(peers: Sequence[Column], rounds: int, seconds: float, options: argparse.Namespace) -> list[dict[str, Any]]:
    return growth.measure(peers, seconds, options.quick)


def _clicks(peers: Sequence[Column], rounds: int, seconds: float, options: argparse.Namespace) -> Mapping[str, Any]:
    from . import frames  # Flet takes a second to import

    return frames.measure_all(LEAST_ROUNDS, seconds * 2, options.quick)


MEASURES: dict[str, Callable[[Sequence[Column], int, float, argparse.Namespace], Any]] = {
    "table": _table,
    "memory": _memory,
    "depth": _depth,
    "growth": _growth,
    "clicks": _clicks,
}


def _write(path: Path, part: str, rounds: int, found: Any) -> None:
    """Write a part to the file; what else is in there stays."""
    all_parts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    all_parts[part] = {"by": report.origin(rounds), "found": found}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.as_json(all_parts), encoding="utf-8")


if __name__ == "__main__":
    main()
