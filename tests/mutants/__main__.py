"""Run it: `python -m tests.mutants [--again] [MODULE ...]`; all of them take hours.

What is found goes to record.json, module by module. A mistake that no test finds is a gap,
to be closed by a test, or it makes no difference, which survivors.md explains. With
`--again` only the mistakes are made that no test has found the last time, and nobody has explained.
"""

from __future__ import annotations

import sys

import pytest

from .record import MODULES, recorded, unexplained
from .running import Runner

__all__ = ("main",)

TESTS = (
    *("selectors", "listeners", "atoms", "hot_paths", "effects", "oracle", "reactions", "watching", "async_selectors"),
    *("async_life", "async_waiting", "transactions", "threads", "updates", "own_keys", "flet_asp_api", "families"),
    *("runs", "policies", "actions", "optimistic", "otp", "services", "supervision", "printed", "interrupts"),
    *("hooks", "hostile", "async_times", "async_oracle", "graphs", "async_places", "hostile_async_table", "kindness"),
    *("rows", "lists"),
)
"""The tests of the core and of the nouns; those that are left find more, and take their time."""
OPTIONS = [*(f"tests/test_{name}.py" for name in TESTS), "-k", "not uvloop and not trio and not 100_000", "-q", "-s"]
"""What a loop is made of makes no difference to most of the package: one kind is enough."""


def main(modules: list[str], *, again: bool) -> None:
    """Make every mistake, and write down which are found."""
    pytest.main(OPTIONS, plugins=[Runner(modules, again=again)])
    record = recorded()
    print(record["killed"], "of", record["total"], "were found; of the others these are not explained:")
    print("\n".join(unexplained()) or "none")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main([each for each in arguments if each != "--again"] or list(MODULES), again="--again" in arguments)
