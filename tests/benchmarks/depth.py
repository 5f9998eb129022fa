"""How deep a chain may be: each try is a process of its own, which may end in any way."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from .measuring import NO_SUCH_THING, Column
from .workers import NoAnswer, TooSlow

__all__ = ("measure", "table")

LENGTHS = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
MEMORY = 2 << 30
SECONDS = 20.0


def measure(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Find the longest chain, of these, that each survives and gets right; None for who has none."""
    found: list[dict[str, Any]] = []
    for column in columns:
        if not column.peer.on_loop:
            longest = deepest(column)
            if longest is not None:
                found.append({"peer": column.peer.name, **longest})
                print(f"deepest chain, {column.peer.name}: {longest['length']:,}", file=sys.stderr)
    return found


def deepest(column: Column) -> dict[str, Any] | None:
    """Find the longest chain of one peer, and what becomes of the next one."""
    longest = 0
    for length in LENGTHS:
        try:
            is_right = column.ask("chain", SECONDS, length=length, most=MEMORY)
        except TooSlow:
            return {"length": longest, "then": f"not done in {SECONDS:.0f} seconds"}
        except NoAnswer as error:
            return {"length": longest, "then": str(error)}
        if is_right is None:
            return None
        if not is_right:
            return {"length": longest, "then": "the value is wrong"}
        longest = length
        column.close()
    return {"length": longest, "then": ""}


def table(depths: Sequence[dict[str, Any]]) -> str:
    """A line for each peer."""
    lines = ["| deepest chain | selectors | a longer one |", "|---|---:|---|"]
    lines += [f"| {each['peer']} | {each['length']:,} | {each['then'] or NO_SUCH_THING} |" for each in depths]
    return "\n".join(lines)
