"""Where to push from: the fewest and cheapest updates that carry all that has changed."""

from __future__ import annotations

import flet as ft

from . import page as adapter

__all__ = ("cheapest",)

FEW = 16
"""So many controls are pushed as they are: what there is to save is not worth the look."""

PER_UPDATE, PER_NODE = 4.0, 1.0
"""What Flet's update of a control costs at all, and what it costs for each control in it.

Only their ratio matters; `make bench-frames` measures it.
"""


def cheapest(dirty: list[ft.BaseControl]) -> list[ft.BaseControl]:
    """The controls to update so that these are: an ancestor, where that is cheaper than all those in it.

    An ancestor's update compares everything in it, but for the isolated controls, which are
    always updated themselves; it makes one message of what it finds.
    """
    if len(dirty) < FEW:
        return dirty
    below: dict[ft.BaseControl, list[ft.BaseControl]] = {}  # the way down from each root to the dirty ones
    tops: dict[ft.BaseControl, None] = {}
    for control in dirty:
        _climb(control, below, tops)
    changed = set(dirty)
    plan: list[ft.BaseControl] = []
    for top in tops:
        plan += _plan(top, changed, below)[1]
    return plan


def _climb(
    control: ft.BaseControl, below: dict[ft.BaseControl, list[ft.BaseControl]], tops: dict[ft.BaseControl, None]
) -> None:
    while True:
        parent = None if adapter.is_isolated(control) else control.parent
        if parent is None or adapter.is_frozen(parent):
            tops[control] = None
            return
        siblings = below.get(parent)
        if siblings is not None:
            siblings.append(control)
            return
        below[parent] = [control]
        control = parent


def _plan(
    control: ft.BaseControl, changed: set[ft.BaseControl], below: dict[ft.BaseControl, list[ft.BaseControl]]
) -> tuple[float, list[ft.BaseControl]]:
    """The cheapest way for what is dirty in a control, and what it costs."""
    if control in changed:
        return PER_UPDATE, [control]  # it has to be compared as a whole anyway
    cost, parts = 0.0, list[ft.BaseControl]()
    for child in below[control]:
        its_cost, its_parts = _plan(child, changed, below)
        cost += its_cost
        parts += its_parts
    if len(parts) > 1:
        whole = PER_UPDATE + PER_NODE * _size(control, (cost - PER_UPDATE) / PER_NODE)
        if whole < cost:
            return whole, [control]
    return cost, parts


def _size(control: ft.BaseControl, limit: float) -> int:
    """How many controls there are in a control; it stops counting when they are more than `limit`."""
    size = 0
    todo = [control]
    while todo and size <= limit:
        size += 1
        todo.extend(adapter.children(todo.pop()))
    return size
