"""What was measured, as a Markdown table and as JSON, and what of it the docs say."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .measuring import NO_SUCH_THING, Cell
from .peers import FLOOR, OURS, OURS_ON_LOOP, Peer

__all__ = ("DOCS", "MARKERS", "RECORD", "document", "recorded", "report", "small_table", "table", "written_in")

ROOT = Path(__file__).parents[2]
RECORD = Path(__file__).with_name("record.json")
"""The run that the docs tell of."""
MARKERS = "<!-- made by make bench-docs -->", "<!-- until here -->"
BRIEF = ("set + get, by key", "listeners: 1,000", "chain of 1,000", "diamond of 100", "kairo: broad", "await set")


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


def document(found: Mapping[str, Any]) -> str:
    """What docs/performance.md says: ratios to this library on a loop, as in an app."""
    return f"{_origin(found)}\n\n{_ratios(found, None)}\n\n{_marks(found)}\n\n{_weights(found)}"


def small_table(found: Mapping[str, Any]) -> str:
    """What the README says."""
    return f"{_ratios(found, BRIEF)}\n\n{_origin(found)}"


def _origin(found: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    return (
        f"Ratios to this library: below 1 is faster. By `make bench`, the median of {found['rounds']} rounds, with\n"
        f"{found['python']} on {found['machine']}; {versions}."
    )


def _ratios(found: Mapping[str, Any], only: Sequence[str] | None) -> str:
    by_row: dict[str, dict[str, Mapping[str, Any]]] = {}
    for cell in found["cells"]:
        if only is None or cell["scenario"] in only:
            by_row.setdefault(cell["scenario"], {})[cell["peer"]] = cell
    hidden = (OURS.name, OURS_ON_LOOP.name)
    names = [name for name in dict.fromkeys(cell["peer"] for cell in found["cells"]) if name not in hidden]
    names = [name for name in names if any(row.get(name, {}).get("to_ours") for row in by_row.values())]
    lines = ["| | " + " | ".join(names) + " |", "|---" + "|---:" * len(names) + "|"]
    for scenario, row in by_row.items():
        base = row.get(OURS_ON_LOOP.name, {}).get("to_ours") or 1.0
        cells = [_to_ours(row.get(name), base) for name in names]
        lines.append(f"| {scenario} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _to_ours(cell: Mapping[str, Any] | None, base: float) -> str:
    if cell is None:
        return NO_SUCH_THING
    if cell["to_ours"] is None:
        return str(cell["mark"])
    return _ratio(cell["to_ours"] / base) + ("\\*" if cell["mark"] else "")


def _weights(found: Mapping[str, Any]) -> str:
    """The bytes of an idle one, as ratios to ours."""
    by_row: dict[str, dict[str, float]] = {}
    for each in found["weights"]:
        by_row.setdefault(each["what"], {})[each["peer"]] = each["bytes"]
    names = [name for name in dict.fromkeys(each["peer"] for each in found["weights"]) if name != OURS.name]
    lines = ["| memory of an idle | " + " | ".join(names) + " |", "|---" + "|---:" * len(names) + "|"]
    for what, row in by_row.items():
        cells = [_ratio(row[name] / row[OURS.name]) if name in row else NO_SUCH_THING for name in names]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _marks(found: Mapping[str, Any]) -> str:
    return (
        f'{NO_SUCH_THING}: it has no such thing. "wrong": an error, a wrong value, or old and new values mixed. '
        "\\*: right, but\nit computes or tells more often than it has to. `make bench` says in which way. "
        f"{FLOOR.name}: wired by hand, no tracking."
    )


def written_in(text: str, part: str) -> str:
    """A file's text with what is between the markers made anew."""
    begin, end = MARKERS
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"there is no {begin!r} to {end!r}")
    return pattern.sub(lambda _: f"{begin}\n\n{part}\n\n{end}", text)


DOCS: dict[Path, Callable[[Mapping[str, Any]], str]] = {}
"""Which file says what. None until a full run is recorded and the markers are in: `document`, `small_table`."""


def recorded() -> Any:
    """Give the run that the docs tell of."""
    return json.loads(RECORD.read_text(encoding="utf-8"))
