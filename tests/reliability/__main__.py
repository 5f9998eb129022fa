"""Say what the library can be relied on for: random programs, a day of a busy app, leaks, mutants.

python -m tests.reliability [--programs 10000] [--first 0]
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from time import perf_counter

import anyio

from tests.kit.lives import LIVES, PAGES, rounds
from tests.model.driving import drive

from .day import a_day, live

RECORD = Path(__file__).parents[1] / "mutants" / "record.json"
"""What the mutation tests have found when they were last run; that takes hours."""


def report(programs: int, first: int) -> list[str]:
    """Try everything, print what comes of it, and return what is wrong."""
    rows: list[tuple[str, str]] = []
    begun = perf_counter()

    def tell(what: str, found: str) -> None:
        rows.append((what, found))
        print(f"{perf_counter() - begun:8.1f} s  {what}: {found}", flush=True)

    tally = drive(range(first, first + programs), lambda so_far: tell("so far", str(so_far)))
    rows.clear()
    tell("programs run", f"{tally.programs:,}")
    tell("their steps, each compared with the model", f"{tally.steps:,}")
    tell("programs followed up to an open end", f"{tally.open:,}")
    day = live(a_day())
    tell("messages on a day of a busy app", f"{day.plan.messages:,}")
    tell("restarts of services", f"{day.restarts:,}")
    tell("conflicts of transactions", f"{day.conflicts:,}")
    tell("stores, one after the other", f"{day.stores:,}")
    wrong = day.differences()
    leaks: list[str] = []
    for name in LIVES:
        growth = anyio.run(rounds, name, 20 if name in PAGES else 200)
        if not growth.is_none:
            leaks.append(f"{name}: {growth}")
    tell("objects of the public face used again and again", f"{len(LIVES):,}")
    tell("faults injected", f"{tally.faults + day.faults.total():,}")
    tell("sessions", f"{tally.on_page + day.sessions:,}")
    if RECORD.exists():
        record = json.loads(RECORD.read_text(encoding="utf-8"))
        tell("mutants killed", f"{record['killed']:,} of {record['total']:,}, when they were last made")
    tell("leaks found", f"{len(leaks):,}")
    tell("lost writes", f"{day.lost:,}")
    width = max(len(what) for what, _ in rows)
    print("\n".join(["", *(f"{what:{width}}  {found}" for what, found in rows)]))
    return wrong + leaks


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # of services that crash, which they do on purpose
    try:
        wrong = report(options.programs, options.first)
    except AssertionError as error:
        raise SystemExit(str(error)) from error
    if wrong:
        raise SystemExit("\n".join(["Wrong:", *wrong]))
    print("\nEverything was as it has to be.")


if __name__ == "__main__":
    main()
