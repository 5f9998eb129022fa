"""The state of the page: a hundred numbers, what was measured, and how it is to look."""

from typing import NamedTuple

import flet_asp_actors as fa

CELLS = 100
NUMBER = fa.Key("number", 0)  # by cell
SHARED = fa.Key("shared", 0)  # all cells follow it


class Measure(NamedTuple):
    name: str
    writes: int
    frames: int
    messages: int
    size: int
    seconds: float

    def __str__(self) -> str:
        sent = f"{self.messages:,} messages of {self.size / 1000:,.1f} KB"
        return f"{self.writes:,} writes, {self.frames} frames, {sent}, {self.seconds * 1000:,.0f} ms of the processor"


MEASURES = fa.Key[tuple[Measure, ...]]("measures", ())
FPS = fa.Key("frames a second", 60)
DARK = fa.Key("dark", False)


@fa.selector
def verdict(get: fa.Get) -> str:
    """What the numbers say, and nothing that was not measured."""
    if len(get(MEASURES)) < 2:
        return ""
    by_hand, bound = get(MEASURES)[:2]
    fewer, faster = by_hand.messages / max(bound.messages, 1), by_hand.seconds / max(bound.seconds, 1e-6)
    return f"Bound: {fewer:,.0f} times fewer messages, and {faster:,.1f} times less of the processor, than by hand"
