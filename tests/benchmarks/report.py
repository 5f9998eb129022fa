"""What was measured, as a Markdown table and for a file."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from .measuring import NO_SUCH_THING, Cell
from .peers import Peer

__all__ = ("report", "table")


def report(rows: Sequence[Sequence[Cell]], peers: Sequence[Peer], rounds: int) -> dict[str, Any]:
    """All of a run, for a file."""
    modules = sorted({peer.module for peer in peers if peer.module and peer.is_installed})
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {module: version(module) for module in modules},
        "rounds": rounds,
        "cells": [asdict(cell) for cells in rows for cell in cells],
    }


def table(rows: Sequence[Sequence[Cell]]) -> str:
    """Microseconds, and in brackets the ratios to the best peer that is right and to the floor."""
    names = list(dict.fromkeys(cell.peer for cells in rows for cell in cells))
    lines = ["| us (to the best peer, to the floor) | " + " | ".join(names) + " |", "|---" + "|---:" * len(names) + "|"]
    for cells in rows:
        found = {cell.peer: _cell(cell) for cell in cells}
        lines.append(f"| {cells[0].scenario} | " + " | ".join(found.get(name, NO_SUCH_THING) for name in names) + " |")
    return "\n".join(lines)


def _cell(cell: Cell) -> str:
    if cell.microseconds is None:
        return cell.mark
    figure = f"{cell.microseconds:,.0f}" if cell.microseconds >= 100 else f"{cell.microseconds:.3g}"
    ratios = [_ratio(cell.to_best), _ratio(cell.to_floor)]
    return f"{figure}{cell.mark} ({', '.join(ratios)})"


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return NO_SUCH_THING
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"
