"""Waiting for what is derived: until everything it is made of has arrived."""

from __future__ import annotations

from typing import Any

import anyio.lowlevel

from .async_selector import AsyncSelector, Interest
from .computation import Computation
from .core.graph import Derived, Node
from .core.values import is_a
from .errors import ClosedError
from .key import label
from .owner import Owner
from .waiting import Completion, wait_on

__all__ = ("resolve",)


async def resolve(node: Any) -> Any:
    """Wait for the value that a node has for the latest inputs, and return it.

    An async selector is computed if its value is stale, and so are the async selectors that
    it, or a sync one, is made of. All who wait for one share its computation. An atom has its value.

    Raises:
        DeadlockError: When it waits for the caller itself.
        ClosedError: When its store has ended, or the loop that computed it.
        Exception: What the selector's function raised.
    """
    await anyio.lowlevel.checkpoint_if_cancelled()
    if not is_a(node, (AsyncSelector, Derived)):
        await anyio.lowlevel.checkpoint()
        return node.value
    owner: Owner = node.owner
    owner.look_after_home()
    owner.settle_home()
    interest = Interest(node)
    owner.on_home(interest.begin)
    heard: Completion | None = None  # of the node itself: what it ended with is for us
    try:
        while (busy := owner.on_home(lambda: _under_way(node, owner))) is not None:
            # An error is for those who asked for that very value; here it shows in what is made of it.
            await wait_on(busy.completion, busy.behaviour, hears=busy.selector is node)
            if isinstance(busy.completion.error, ClosedError):
                raise busy.completion.error
            if busy.selector is node:
                before, heard = heard, busy.completion
                if before is not None:
                    owner.on_home(before.disregard)
        return owner.on_home(lambda: _outcome(node))
    except BaseException as error:
        if heard is not None and heard.error is error:
            heard = None
        raise
    finally:
        if heard is not None:
            owner.on_home(heard.disregard)
        owner.on_home(interest.stop)


def _under_way(node: Node, owner: Owner) -> Computation | None:
    """The computation that a fresh value has to wait for: its own, or that of a selector above."""
    if owner.is_closed:
        raise ClosedError(f"cannot resolve {label(node.key)}: the store is closed")
    seen: set[Node] = {node}
    todo: list[Any] = [node]
    while todo:
        each = todo.pop()
        if is_a(each, AsyncSelector) and each.computation is not None:
            computation: Computation = each.computation
            return computation
        for source in each.upstream:
            if source not in seen:
                seen.add(source)
                todo.append(source)
    return None


def _outcome(node: Any) -> Any:
    return node.outcome() if is_a(node, AsyncSelector) else node.value
