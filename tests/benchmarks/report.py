"""What was measured, as Markdown tables; and what of it the docs say."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

from . import depth, memory
from .measuring import NO_SUCH_THING
from .peers import FLET_ASP, PEERS

__all__ = ("TABLES", "as_json", "head", "origin", "row")

Cells = Sequence[Mapping[str, Any]]


def origin(rounds: int) -> dict[str, Any]:
    """By what a part was measured."""
    modules = sorted({peer.module for peer in PEERS if peer.module and not peer.packages} | {"flet"})
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{platform.system()} on {_processor()}",
        "versions": {
            **{module: _version(module) for module in modules},
            "flet-asp": FLET_ASP.packages[1].split("==")[1],
        },
        "rounds": rounds,
    }


def _version(module: str) -> str:
    try:
        return version(module)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def as_json(found: Mapping[str, Any]) -> str:
    """A file of parts; a figure has four digits."""
    return json.dumps(_short(found), indent=1, ensure_ascii=False) + "\n"


def _short(found: Any) -> Any:
    if isinstance(found, float):
        return float(f"{found:.4g}")
    if isinstance(found, dict):
        return {key: _short(value) for key, value in cast("dict[str, Any]", found).items()}
    if isinstance(found, list):
        return [_short(each) for each in cast("Sequence[Any]", found)]
    return found


# ------------------------------------------------------------------ the big table


def head(names: Iterable[str]) -> str:
    """The first two lines."""
    names = list(names)
    return "\n".join([_line("us (to the best peer, to the floor)", names), "|---" + "|---:" * len(names) + "|"])


def row(cells: Cells) -> str:
    """A line: microseconds, and in brackets the ratios to the best peer that is right and to the floor."""
    return _line(cells[0]["scenario"], map(_cell, cells))


def table(cells: Cells) -> str:
    """All the lines, and then what the marks mean."""
    names = list(dict.fromkeys(cell["peer"] for cell in cells))
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for cell in cells:
        rows.setdefault(cell["scenario"], []).append(cell)
    marks = [f"- {cell['scenario']}, {cell['peer']}: {cell['mark']}, {cell['why']}" for cell in cells if cell["why"]]
    return "\n".join([head(names), *map(row, rows.values()), "", *marks, ""])


def _line(first: str, others: Iterable[str]) -> str:
    return f"| {first} | " + " | ".join(others) + " |"


def _cell(cell: Mapping[str, Any]) -> str:
    microseconds = cell["microseconds"]
    if microseconds is None:
        return str(cell["mark"])
    figure = f"{microseconds:,.0f}" if microseconds >= 100 else f"{microseconds:.3g}"
    return f"{figure}{cell['mark']} ({_ratio(cell['to_best'])}, {_ratio(cell['to_floor'])})"


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return NO_SUCH_THING
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def growth_table(points: Cells) -> str:
    """A line for each shape and size."""
    names = list(dict.fromkeys(point["peer"] for point in points))
    rows: dict[str, dict[str, float]] = {}
    for point in points:
        rows.setdefault(f"{point['growth']}: {point['size']:,}", {})[point["peer"]] = point["microseconds"]
    lines = [_line("us", names), "|---" + "|---:" * len(names) + "|"]
    lines += [
        _line(name, [f"{found[peer]:.3g}" if peer in found else NO_SUCH_THING for peer in names])
        for name, found in rows.items()
    ]
    return "\n".join(lines)


def clicks_table(found: Mapping[str, Any]) -> str:
    """See `frames`."""
    from . import frames  # Flet takes a second to import

    return frames.tables(found)


TABLES: dict[str, Callable[[Any], str]] = {
    "table": table,
    "memory": memory.table,
    "depth": depth.table,
    "growth": growth_table,
    "clicks": clicks_table,
}
