"""Growth plots: what something costs, by how much of it there is. They go to docs/pictures."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from .frames import FLOOR as CLICK_FLOOR
from .frames import OURS as CLICK_OURS
from .growth import GROWTHS
from .workers import ROOT

__all__ = ("PLACE", "PLOTS", "draw")

PLACE = ROOT / "docs/pictures"
PLOTS = (*(growth.picture for growth in GROWTHS), "growth-page.png", "growth-sessions.png")
COLORS = 10
"""How many there are, before they come again."""
Lines = Mapping[str, Mapping[int, float]]
"""By name: the cost by the size."""


def draw(found: Mapping[str, Any]) -> None:
    """Draw those of what is recorded."""
    for growth in GROWTHS if "growth" in found else ():
        lines: dict[str, dict[int, float]] = {}
        for point in found["growth"]["found"]:
            if point["growth"] == growth.name:
                lines.setdefault(point["peer"], {})[point["size"]] = point["microseconds"]
        _plot(growth.picture, growth.what, lines)
    if "clicks" in found:
        _draw_clicks(found["clicks"]["found"])


def _draw_clicks(clicks: Mapping[str, Any]) -> None:
    by_page: dict[str, dict[int, float]] = {}
    for cell in clicks["cells"]:
        if cell["dirty"] == 1:
            by_page.setdefault(cell["column"], {})[cell["size"]] = cell["microseconds"]
    _plot("growth-page.png", "controls on the page of which a click changes one", by_page)
    by_sessions: dict[str, dict[int, float]] = {}
    for each in clicks["sessions"]:
        for name in each.keys() - {"sessions"}:
            by_sessions.setdefault(name, {})[each["sessions"]] = each[name]
    _plot("growth-sessions.png", "sessions in one of which is clicked", dict(sorted(by_sessions.items(), reverse=True)))


def _plot(picture: str, what: str, lines: Lines) -> None:
    """Draw one of them: both scales are logarithmic, so that what is flat is cheap at any size."""
    matplotlib: Any = importlib.import_module("matplotlib")  # a large thing, for this alone
    matplotlib.use("Agg")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    figure, axes = pyplot.subplots(figsize=(8, 4.5), dpi=110, layout="constrained")
    ours = [name for name in lines if name.startswith("ours")]
    others = [name for name in lines if name not in ours]
    for place, name in enumerate([*ours, *others]):
        is_floor, is_ours = name in ("floor", CLICK_FLOOR.name), name in ("ours", CLICK_OURS.name)
        style = ":" if is_floor else "-" if place < COLORS else "--"
        points = lines[name]
        axes.plot(
            list(points),
            list(points.values()),
            style,
            linewidth=2.6 if is_ours else 1.4,
            marker="o",
            markersize=3,
            color="black" if is_floor else None,
            zorder=3 if is_ours else 2,
            label=name,
        )
    axes.set(xscale="log", yscale="log", xlabel=what, ylabel="microseconds, each")
    axes.grid(visible=True, which="major", alpha=0.3)
    figure.legend(loc="outside right upper", fontsize="small", frameon=False)
    figure.savefig(PLACE / picture, metadata={"Software": None})
    pyplot.close(figure)
