"""Where to push from: the fewest and cheapest updates that carry all that has changed."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import flet as ft

from . import page as adapter

__all__ = ("cheapest",)

FEW = 16
"""So many controls are pushed as they are: what there is to save is not worth the look."""

PER_UPDATE, PER_NODE, PER_CHANGE = 4.0, 1.0, 1.5
"""What Flet's update of a changed control costs; of an ancestor, for each control in it; and more for each changed one.

Only their ratios matter; `make bench-frames` measures them.
"""


def cheapest(dirty: list[ft.BaseControl]) -> list[ft.BaseControl]:
    """The controls to update so that these are: an ancestor, where that is cheaper than all those in it.

    An ancestor's update compares everything in it, but for the isolated controls, which are
    always updated themselves; it makes one message of what it finds. It would render the
    components in it, too, so what has any is not updated as a whole.
    """
    if len(dirty) < FEW:
        return dirty
    below: dict[ft.BaseControl, dict[ft.BaseControl, None]] = {}  # the way down from each root to the dirty ones
    tops: dict[ft.BaseControl, None] = {}
    for control in dirty:
        _climb(control, below, tops)
    changed = set(dirty)
    plan: list[ft.BaseControl] = []
    for top in tops:
        plan += _plan(top, changed, below).roots
    return plan


def _climb(
    control: ft.BaseControl, below: dict[ft.BaseControl, dict[ft.BaseControl, None]], tops: dict[ft.BaseControl, None]
) -> None:
    while True:
        parent = None if adapter.is_isolated(control) else control.parent
        if parent is None or adapter.is_frozen(parent):
            tops[control] = None
            return
        siblings = below.get(parent)
        if siblings is not None:
            siblings[control] = None
            return
        below[parent] = {control: None}
        control = parent


class _Plan(NamedTuple):
    cost: float
    changes: int
    roots: list[ft.BaseControl]


def _plan(
    control: ft.BaseControl, changed: set[ft.BaseControl], below: dict[ft.BaseControl, dict[ft.BaseControl, None]]
) -> _Plan:
    """The cheapest way for what is dirty in a control, and what it costs."""
    if control in changed:
        return _Plan(PER_UPDATE, 1, [control])  # it has to be compared as a whole anyway
    parts = [_plan(child, changed, below) for child in below[control]]
    cost = sum(part.cost for part in parts)
    changes = sum(part.changes for part in parts)
    if len(parts) > 1:  # what goes around one part alone costs more than the part
        at_all = PER_UPDATE + PER_CHANGE * changes
        whole = at_all + PER_NODE * _size(control, (cost - at_all) / PER_NODE)
        if whole < cost:
            return _Plan(whole, changes, [control])
    return _Plan(cost, changes, [root for part in parts for root in part.roots])


def _size(control: ft.BaseControl, limit: float) -> int:
    """How many controls there are in a control; it stops counting at `limit`, or at a component."""
    size = 1
    todo = [control]
    while todo and size <= limit:
        inner = list(islice(adapter.children(todo.pop()), int(limit) - size + 1))
        if any(isinstance(each, ft.Component) for each in inner):
            return int(limit) + 1
        size += len(inner)
        todo += inner
    return size
