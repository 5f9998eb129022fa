"""What the README and docs/performance.md say of the run in docs/performance.json: `make bench-docs`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import depth, plots
from .frames import ALL_SHOW, SESSIONS
from .frames import FLOOR as CLICK_FLOOR
from .frames import OURS as CLICK_OURS
from .measuring import NO_SUCH_THING
from .peers import ACTOR, FLOOR, OURS, OURS_ON_LOOP, PEERS
from .workers import ROOT

__all__ = ("PAGES", "RECORD", "recorded", "write", "written_in")

Found = Mapping[str, Any]
RECORD = ROOT / "docs/performance.json"
"""The run that the docs tell of."""
BRIEF = (
    "set + get, by key", "set + get, by handle", "listeners: 1,000", "chain of 1,000", "diamond of 100",
    "cellx 100, observed", "kairo: mux", "layers: large web", "await set",
)  # fmt: skip
RUST = "signified"
BESIDE, AUTOMATIC = "ours, beside auto-update", "Flet: auto-update"


def recorded() -> Found:
    """Give the run that the docs tell of."""
    found: Found = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


def written_in(text: str, found: Found) -> str:
    """A page with what is between its marks made anew: <!-- bench: NAME --> to <!-- bench: end -->.

    What tells of a part that is not recorded stays as it is.
    """

    def part(match: re.Match[str]) -> str:
        of, say = PARTS[match[2]]
        return f"{match[1]}\n\n{say(found)}\n\n{match[3]}" if of in found else match[0]

    return re.sub(r"(<!-- bench: (\w+) -->)\n.*?\n(<!-- bench: end -->)", part, text, flags=re.DOTALL)


def write() -> None:
    """Write the pages, and draw the plots."""
    found = recorded()
    for path in PAGES:
        path.write_text(written_in(path.read_text(encoding="utf-8"), found), encoding="utf-8")
    plots.draw(found)


PAGES: tuple[Path, ...] = (ROOT / "README.md", ROOT / "docs/performance.md")


# ------------------------------------------------------------------ by what


def _origin(found: Found) -> str:
    by = found["table"]["by"]
    versions = ", ".join(f"{name} {number}" for name, number in by["versions"].items())
    return (
        f"By `make bench-all` with {by['python']}, {by['machine']}: the medians of {by['rounds']} rounds, in the\n"
        f"processor's time. {versions}."
    )


# ------------------------------------------------------------------ the big table

Cell = Mapping[str, Any]


def _rows(found: Found) -> dict[str, dict[str, Cell]]:
    rows: dict[str, dict[str, Cell]] = {}
    for cell in found["table"]["found"]:
        rows.setdefault(cell["scenario"], {})[cell["peer"]] = cell
    return rows


def _to_ours(row: Mapping[str, Cell], name: str) -> float | None:
    """How much slower another one is than this library on a loop, as in an app."""
    ratio, ours = row.get(name, {}).get("to_ours"), row[OURS_ON_LOOP.name]["to_ours"]
    return None if ratio is None or ours is None else ratio / ours


def _brief(found: Found) -> str:
    """The README's table."""
    lines = ["| | by hand | signified, in Rust | the best of the others |", "|---|---:|---:|---:|"]
    for name in BRIEF:
        row = _rows(found)[name]
        best = _best(row)
        words = f"{best} {_figure(_to_ours(row, best))}" if best else _why_none(row)
        lines.append(f"| {name} | {_figure(_to_ours(row, FLOOR.name))} | {_mark(row, RUST)} | {words} |")
    return "\n".join(lines)


def _best(row: Mapping[str, Cell]) -> str | None:
    others = [peer.name for peer in PEERS if (peer.module or peer is ACTOR) and peer.name != RUST]
    right = {name: row[name]["to_ours"] for name in others if name in row and not row[name]["mark"]}
    return min(right, key=lambda name: right[name], default=None)


def _why_none(row: Mapping[str, Cell]) -> str:
    marks = {cell["mark"] for name, cell in row.items() if name not in (OURS.name, OURS_ON_LOOP.name, FLOOR.name)}
    return "none gets it right" if marks - {NO_SUCH_THING, ""} else NO_SUCH_THING


def _mark(row: Mapping[str, Cell], name: str) -> str:
    cell = row.get(name)
    if cell is None:
        return NO_SUCH_THING
    if cell["to_ours"] is None:
        return str(cell["mark"])
    return _figure(_to_ours(row, name)) + ("\\*" if cell["mark"] else "")


def _figure(ratio: float | None) -> str:
    if ratio is None:
        return NO_SUCH_THING
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


def _ratios(found: Found) -> str:
    """All scenarios, and all others."""
    rows = _rows(found)
    ours = (OURS.name, OURS_ON_LOOP.name)
    names = [peer.name for peer in PEERS if peer.name not in ours and any(peer.name in row for row in rows.values())]
    lines = ["| | " + " | ".join(names) + " |", "|---" + "|---:" * len(names) + "|"]
    lines += [f"| {name} | " + " | ".join(_mark(row, each) for each in names) + " |" for name, row in rows.items()]
    return "\n".join(lines)


def _mistakes(found: Found) -> str:
    """Who gets what wrong, and how."""
    by_peer: dict[str, list[str]] = {}
    for cell in found["table"]["found"]:
        if cell["why"]:
            by_peer.setdefault(cell["peer"], []).append(f"{cell['scenario']} ({cell['why']})")
    return "\n".join(f"- **{peer}**: {'; '.join(mistakes)}." for peer, mistakes in by_peer.items())


def _ahead(found: Found) -> str:
    """Where another one that is right is faster."""
    ahead: dict[str, list[str]] = {}
    for name, row in _rows(found).items():
        for peer in PEERS:
            ratio = _to_ours(row, peer.name)
            if peer.module and ratio is not None and ratio < 0.95 and row[peer.name]["mark"] in ("", "*"):
                ahead.setdefault(peer.name, []).append(f"{name} ({_figure(ratio)})")
    if not ahead:
        return "No other library that gets a scenario right is ahead in it."
    return "\n".join(f"- **{peer}** is ahead in {', '.join(scenarios)}." for peer, scenarios in ahead.items())


# ------------------------------------------------------------------ values, chains


def _weights(found: Found) -> Sequence[dict[str, Any]]:
    weights: Sequence[dict[str, Any]] = found["memory"]["found"]
    return weights


def _memory(found: Found) -> str:
    """The bytes of one, and the time of all as ratios to ours."""
    kinds: dict[str, dict[str, dict[str, float]]] = {}
    for each in _weights(found):
        if each["n"] <= 100_000:
            kinds.setdefault(f"{each['what']}, one of {each['n']:,}", {})[each["peer"]] = each
    names = [peer.name for peer in PEERS if any(peer.name in row for row in kinds.values())]
    lines = ["| | " + " | ".join(names) + " |", "|---" + "|---:" * len(names) + "|"]
    for kind, row in kinds.items():
        ours = row[OURS.name]
        shown: dict[str, Callable[[dict[str, float]], str]] = {
            "bytes": lambda each: f"{each['bytes']:,.0f}",
            "time, to ours": lambda each, ours=ours: _figure(each["us"] / ours["us"]),  # type: ignore[misc]
            "a gc pass over all, ms": lambda each: f"{each['gc_ms']:.1f}",
        }
        for what, say in shown.items():
            cells = [say(row[name]) if name in row else NO_SUCH_THING for name in names]
            lines.append(f"| {kind}: {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _million(found: Found) -> str:
    each = next(each for each in _weights(found) if each["n"] > 100_000 and each["peer"] == OURS.name)
    return (
        f"Of {each['n']:,} atoms, each set once, one takes {each['bytes']:,.0f} bytes with its key. When the store is\n"
        f"gone {max(0, each['left']):.1f} bytes of each are left."
    )


def _depth(found: Found) -> str:
    return depth.table(found["depth"]["found"])


def _flat(found: Found) -> str:
    """How a write grows with the number of values, per growth of the store."""
    lines = ["| a write, to one with 10 values in the store | 1,000 | 100,000 | 1,000,000 |", "|---|---:|---:|---:|"]
    for growth in ("store", "store, all listened to"):
        points: dict[str, dict[int, float]] = {}
        for point in found["growth"]["found"]:
            if point["growth"] == growth:
                points.setdefault(point["peer"], {})[point["size"]] = point["microseconds"]
        what = "" if growth == "store" else ", each value listened to"
        for peer, sizes in points.items():
            cells = [_figure(sizes[n] / sizes[10]) if n in sizes else NO_SUCH_THING for n in (1_000, 100_000, 10**6)]
            lines.append(f"| {peer}{what} | " + " | ".join(cells) + " |")
    if "clicks" in found:
        among = {each["atoms"]: each["ours"] for each in found["clicks"]["found"]["atoms"]}
        cells = [_figure(among[n] / among[10]) for n in (1_000, 100_000, 1_000_000)]
        lines.append(f"| {OURS.name}, a click that changes a bound value | " + " | ".join(cells) + " |")
    return "\n".join(lines)


# ------------------------------------------------------------------ clicks


def _clicks(found: Found) -> str:
    """A column a line, a setting a column; ratios to Flet's own update of what has changed."""
    cells = found["clicks"]["found"]["cells"]
    settings = list(dict.fromkeys((cell["size"], cell["dirty"]) for cell in cells))
    by_column: dict[str, dict[tuple[int, int], str]] = {}
    for cell in cells:
        by_column.setdefault(cell["column"], {})[cell["size"], cell["dirty"]] = _figure(cell["to_floor"])
    lines = [
        "| changed, of the controls on the page | " + " | ".join(f"{d:,} of {n:,}" for n, d in settings) + " |",
        "|---" + "|---:" * len(settings) + "|",
    ]
    for name, figures in by_column.items():
        lines.append(f"| {name} | " + " | ".join(figures.get(each, NO_SUCH_THING) for each in settings) + " |")
    return "\n".join(lines)


def _click(found: Found, column: str, size: int) -> float:
    cells = found["clicks"]["found"]["cells"]
    return next(
        float(cell["microseconds"])
        for cell in cells
        if (cell["column"], cell["size"], cell["dirty"]) == (column, size, 1)
    )


def _page(found: Found) -> str:
    grown = _click(found, CLICK_OURS.name, 10_000) / _click(found, CLICK_OURS.name, 10)
    automatic = _click(found, AUTOMATIC, 10_000) / _click(found, AUTOMATIC, 10)
    to_floor = _click(found, CLICK_OURS.name, 10_000) / _click(found, CLICK_FLOOR.name, 10_000)
    to_automatic = _click(found, AUTOMATIC, 10_000) / _click(found, CLICK_OURS.name, 10_000)
    return (
        f"A click that changes one bound value costs on a page of 10,000 controls {_figure(grown)} times what it does\n"
        f"on one of 10 (with Flet's automatic update: {_figure(automatic)} times): {_figure(to_floor)} times Flet's\n"
        f"own `control.update()`, and 1/{_figure(to_automatic)} of the automatic update."
    )


def _sessions(found: Found) -> str:
    sessions = {each["sessions"]: each for each in found["clicks"]["found"]["sessions"]}
    few, many = sessions[SESSIONS[0]], sessions[SESSIONS[-1]]
    own, of_all = (_figure(many[name] / few[name]) for name in ("ours", ALL_SHOW))
    return (
        f"With {SESSIONS[-1]:,} sessions open a click in one of them costs {own} times what it does in the only one;\n"
        f"a value that all of them show costs each of them {of_all} times what it costs the only one."
    )


PARTS: dict[str, tuple[str, Callable[[Found], str]]] = {
    "origin": ("table", _origin),
    "brief": ("table", _brief),
    "ratios": ("table", _ratios),
    "mistakes": ("table", _mistakes),
    "ahead": ("table", _ahead),
    "memory": ("memory", _memory),
    "million": ("memory", _million),
    "depth": ("depth", _depth),
    "flat": ("growth", _flat),
    "clicks": ("clicks", _clicks),
    "page": ("clicks", _page),
    "sessions": ("clicks", _sessions),
}
"""Of which part of the run each tells."""
