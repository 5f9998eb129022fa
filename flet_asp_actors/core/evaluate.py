"""Pulling: how a stale value becomes fresh again.

Nothing here recurses with the depth of the graph. Known dependencies are checked on an
explicit stack. A *first* computation enters its sources through the user's function; past
`DEPTH` of those the whole descent is unwound, the deepest source is computed on the flat
stack, and the functions above are entered a second time.
"""

from __future__ import annotations

import functools
import itertools
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from threading import get_ident
from typing import Any

from ..errors import CycleError, PurityError
from .calls import FATAL, as_exception
from .graph import (
    CHECK,
    CHECKING,
    CLEAN,
    DIRTY,
    END,
    NO_ROUTE,
    NOTING,
    RUNNING,
    Derived,
    Node,
    clock,
    link,
    take_sources,
    ticks,
    unlink,
)

__all__ = (
    "after_evaluation",
    "evaluating",
    "freshen",
    "is_evaluating",
    "leave_route",
    "now_computing",
    "read",
    "read_by",
    "refuse_in_selector",
    "validate",
    "validate_all",
    "watch_rendering",
)

DEPTH = 60
"""How many functions may be entered inside one another before the descent is unwound."""


class _Unwind(BaseException):
    """Thrown through user functions to get back to the flat stack; never leaves this module."""

    def __init__(self, node: Derived) -> None:
        self.node = node


class _Evaluation:
    """What one thread is computing just now."""

    __slots__ = ("afterwards", "cleaning", "cursors", "nesting", "now", "stack", "unwinding")

    def __init__(self) -> None:
        self.now = 0  # what is as it was then, or later, is fresh
        self.stack: list[Derived] = []  # nodes being checked or computed, outermost first
        self.cursors: list[Iterator[Node] | None] = []  # where each check stands; None: compute
        self.nesting = 0  # functions entered inside one another
        self.unwinding: Derived | None = None
        self.cleaning: Derived | None = None  # whose cleanups are called, for it is about to be computed anew
        self.afterwards: list[Callable[[], object]] = []  # to be called when the outermost validation is over


class _Here(threading.local):
    def __init__(self) -> None:
        self.evaluation = _Evaluation()


_here = _Here()

evaluating: set[int] = set()
"""Threads that are computing a selector just now; empty nearly always, and cheap to ask."""


def is_evaluating() -> bool:
    """Whether this thread is computing a selector."""
    return bool(_here.evaluation.stack)


def now_computing() -> Derived | None:
    """The selector whose function is running on this thread, if any."""
    for node in reversed(_here.evaluation.stack):
        if node.mark == RUNNING:
            return node
    return None


def after_evaluation(call: Callable[[], object]) -> None:
    """Have something called when this thread computes no selector (any more): now, or soon."""
    here = _here.evaluation
    if here.stack:
        here.afterwards.append(call)
    else:
        call()


def read_by(computing: Derived, node: Node) -> Any:
    """Read a node for the selector that computes now, as its own `get` would: it depends on it."""
    return computing.scope.get(node)


def refuse_in_selector(what: str) -> None:
    """Raise `PurityError` when a selector or a component is being computed on this thread: they only read."""
    if not evaluating:
        return
    cleaning = _here.evaluation.cleaning
    computing = cleaning or now_computing()
    if computing is not None:
        who = computing.key if cleaning is None else f"a cleanup of {computing.key}"
        raise PurityError(f"{who} {what}, and a selector only reads. Do it in an action, a listener or a handler.")
    if -get_ident() in evaluating and (component := _now_rendering()) is not None:
        raise PurityError(
            f"{component} {what} while it is rendered, and rendering only reads. Do it in a handler "
            "(on_click=lambda: ..., and not the call itself), in ft.use_effect or in an action."
        )


def _nobody() -> str | None:
    return None  # pragma: no cover - nobody asks before it is replaced


_now_rendering: Callable[[], str | None] = _nobody


def watch_rendering(now_rendering: Callable[[], str | None]) -> Callable[[], object] | None:
    """Say that components may be rendered on this thread just now, and how to ask which one.

    Returns:
        A function that says that this is over; None if it has been said already, and is not over.
    """
    global _now_rendering
    _now_rendering = now_rendering
    mark = -get_ident()  # no thread is evaluating by this number, and the test above stays cheap
    if mark in evaluating:
        return None
    evaluating.add(mark)
    return functools.partial(evaluating.discard, mark)


def read(node: Node) -> Any:
    """Return the fresh value of a node, or raise its stored error."""
    if node.mark:
        validate(node)
    if node.error is not None:
        node.throw()
    return node.current


def validate(node: Node) -> None:
    """Make a derived node fresh: recompute it, and what it needs, at most once each.

    Dependencies are checked in the order they were last read, up to the first that has
    changed; one that the function no longer reads is not computed.
    """
    assert isinstance(node, Derived), "only a derived node is ever marked"
    here = _here.evaluation
    if here.stack:
        _descend(node, here)
    elif node.mark != CHECK or node.stamp < clock.written or node.dependents:
        validate_all((node,))


def validate_all(nodes: Iterable[Node]) -> None:
    """Make nodes fresh, those among them that are marked. Not inside a selector."""
    here = _here.evaluation
    here.now = clock.written
    thread = get_ident()
    evaluating.add(thread)
    try:
        for node in nodes:
            if node.mark:
                try:
                    freshen(node, here)
                except _Unwind as unwind:
                    here.unwinding = None
                    _descend(unwind.node, here)
                    _descend(node, here)  # type: ignore[arg-type]  # only a derived node is ever marked
    finally:
        here.unwinding = None
        evaluating.discard(thread)
        while here.afterwards:
            here.afterwards.pop()()


def _descend(node: Derived, here: _Evaluation) -> None:
    """Make a marked node fresh on the flat stack: down to what has changed, and up again."""
    stack, cursors, now = here.stack, here.cursors, here.now
    base, held = len(stack), len(cursors)
    if node.mark >= CHECKING:
        _doubt(stack[-1])
        raise _cycle(stack, node)
    if node.mark == CHECK and node.stamp >= now and not node.dependents:
        return
    if here.nesting >= DEPTH:
        here.unwinding = node
        raise _Unwind(node)
    here.nesting += 1
    top, stale = node, False
    cursor: Iterator[Any] | None = None
    entering: Derived | None = node
    try:
        while True:
            if entering is not None:
                top, entering = entering, None
                stale = top.mark == DIRTY
                cursor = iter(top.sources)
                top.mark = CHECKING
                stack.append(top)
            if not stale:
                stamp = top.stamp
                for source in cursor or ():
                    mark = source.mark
                    # A plain node is CLEAN, so whatever passes the first test is derived.
                    if mark and (source.dependents or source.stamp < now or mark != CHECK):
                        if mark >= CHECKING:  # a known circle: let the function run into it
                            stale = True
                        else:
                            cursors.append(cursor)
                            entering = source
                        break
                    if source.version > stamp:
                        stale = True
                        break
                else:
                    top.mark = CLEAN if top.dependents else CHECK
                    top.stamp = clock.now
                if entering is not None:
                    continue
            if stale:
                try:
                    _compute(top, here)
                except _Unwind as unwind:
                    if base:
                        raise
                    here.unwinding = None
                    top.mark = CHECKING  # it waits on the stack: who reads it meanwhile reads in a circle
                    cursors.append(None)
                    entering = unwind.node
                    continue
            stack.pop()
            if len(stack) == base:
                return
            version = top.version
            top, cursor = stack[-1], cursors.pop()
            stale = cursor is None or version > top.stamp  # the one below waited for this
    finally:
        here.nesting -= 1
        del cursors[held:]
        while len(stack) > base:  # unwound or interrupted: compute these from the start next time
            stack.pop().mark = DIRTY


def freshen(node: Any, here: Any) -> None:
    """Make a node fresh that is read by a selector which computes: `validate`, without a detour if none is needed.

    Args:
        node: A marked one.
        here: What the thread is computing, as the selector's scope has it.
    """
    mark = node.mark
    if mark == CHECK:
        stamp, now = node.stamp, here.now
        if stamp >= now and not node.dependents:
            return
        for source in node.sources:
            if source.mark and (source.dependents or source.stamp < now or source.mark != CHECK):
                _descend(node, here)
                return
            if source.version > stamp:
                break
        else:
            node.mark = CLEAN if node.dependents else CHECK
            node.stamp = clock.now
            return
    elif mark != DIRTY:
        _descend(node, here)
        return  # pragma: no cover - that has raised
    if here.nesting >= DEPTH:
        _descend(node, here)
        return  # pragma: no cover - that has raised
    here.nesting += 1
    here.stack.append(node)
    try:
        _compute(node, here)
    finally:
        here.nesting -= 1
        here.stack.pop()


def _compute(node: Derived, here: _Evaluation) -> None:
    """Run the function of `node` and keep its edges to what it has read.

    It takes the route of the last time, as far as that leads: on it no key need be looked
    up, and every edge is there already.
    """
    scope, old, route = node.scope, node.sources, node.route
    if scope.cleanups:
        outermost, here.cleaning = here.cleaning, node
        try:
            scope.clean_up(node)
        finally:
            here.cleaning = outermost
    outer, outer_seen, epoch = scope.node, scope.seen, scope.epoch
    if outer is None:
        scope.here = here
    scope.node = node
    node.mark = RUNNING
    if route[0] == epoch:
        node.step = 1
    else:
        node.step, scope.seen = NOTING, {}
    try:
        value = node.function(scope.get) if node.is_plain else node.compute()
        if here.unwinding is not None:  # the function has swallowed it
            raise _Unwind(here.unwinding)
        if node.step and route[node.step] is not END:
            leave_route(node)
        if type(value) is node.plain:
            # As `settle` does; spelled out here it saves a tenth of a computation.
            current = node.current
            if value is not current:
                node.current = value
                if value != current:
                    node.version = node.good = clock.now = next(ticks)
        else:
            node.settle(value, old)
    except BaseException as error:
        if node.step:
            leave_route(node)
        if here.unwinding is not None or isinstance(error, FATAL):
            if node.is_plain:
                take_sources(node, (*old, *scope.seen.values()))  # both are linked; the next run sorts it out
            node.route = NO_ROUTE
            node.mark = DIRTY
            if here.unwinding is not None and not isinstance(error, _Unwind):
                raise _Unwind(here.unwinding) from None
            raise
        node.fail(as_exception(error), scope.seen.values())
    finally:
        scope.node = outer
        seen = scope.seen
        if not node.step:
            scope.seen = outer_seen
    node.mark = CLEAN if node.dependents else CHECK
    node.stamp = clock.now
    if not node.step and node.is_plain:
        _take_route(node, seen, epoch)


def _take_route(node: Derived, seen: dict[Any, Node], epoch: int) -> None:
    """What was read is what the node is made of from here on, and the way that it goes the next time."""
    old, read = node.sources, dict.fromkeys(seen.values())
    sources = tuple(read)
    if node.error is not None:
        node.route = NO_ROUTE
    elif sources != old or node.route[0] != epoch:
        node.route = (epoch, *itertools.chain.from_iterable(seen.items()), END)
    if sources != old:
        take_sources(node, sources)
        if node.dependents:
            for source in old:
                if source not in read:
                    unlink(source, node)
            for source in sources:
                if not (source.dependents and node in source.dependents):
                    _link_late(source, node)


def _link_late(source: Node, node: Derived) -> None:
    """An edge to what was read before somebody in the middle of it, in a circle, came to observe `node`."""
    link(source, node)
    if source.mark and source.mark < CHECKING:
        validate(source)


def leave_route(node: Derived) -> None:
    """What is computed reads something else than the last time, less, or something again: from here on it is noted."""
    route, step = node.route, node.step
    node.scope.seen = dict(zip(route[1:step:2], route[2 : step + 1 : 2], strict=True))
    node.step = NOTING


def _doubt(reader: Derived) -> None:
    """What is made of a circle depends on where it was entered: `reader` is computed anew whenever it is looked at."""
    if reader.mark == RUNNING:
        if reader.step:
            leave_route(reader)
        circle = Node("a circle", None)
        circle.version = sys.maxsize  # it has always changed since
        reader.scope.seen[circle] = circle


def _cycle(stack: list[Derived], node: Derived) -> CycleError:
    path = [*stack[stack.index(node) :], node]
    return CycleError(
        "selectors read each other in a circle: "
        + " -> ".join(str(step.key) for step in path)
        + ". Break the circle: let one of them read an atom, or use get.peek."
    )
