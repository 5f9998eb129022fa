"""Pulling: how a stale value becomes fresh again.

Nothing here recurses with the depth of the graph. Known dependencies are checked on an
explicit stack. A *first* computation enters its sources through the user's function; past
`DEPTH` of those the whole descent is unwound, the deepest source is computed on the flat
stack, and the functions above are entered a second time.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import CycleError, PurityError
from .graph import CHECK, CHECKING, CLEAN, DIRTY, RUNNING, Derived, Node, clock, unlink

__all__ = (
    "FATAL",
    "after_evaluation",
    "as_exception",
    "evaluating",
    "is_evaluating",
    "now_computing",
    "read",
    "read_by",
    "refuse_in_selector",
    "validate",
    "watch_rendering",
)

DEPTH = 60
"""How many functions may be entered inside one another before the descent is unwound."""


FATAL = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""What is meant for the interpreter and passes through everything. Any other BaseException out of
user code is an error of that code, a stray CancelledError above all."""


def as_exception(error: BaseException) -> Exception:
    """A CancelledError out of a future that was asked for its result is an error, and no cancellation."""
    if isinstance(error, Exception):
        return error
    stray = RuntimeError(f"a stray {type(error).__name__}: something that was cancelled was asked for its result")
    stray.__cause__ = error
    return stray


class _Unwind(BaseException):
    """Thrown through user functions to get back to the flat stack; never leaves this module."""

    def __init__(self, node: Derived) -> None:
        self.node = node


class _Evaluation:
    """What one thread is computing just now."""

    __slots__ = ("afterwards", "cursors", "nesting", "now", "stack", "unwinding")

    def __init__(self) -> None:
        self.now = 0  # the clock when the outermost validation began
        self.stack: list[Derived] = []  # nodes being checked or computed, outermost first
        self.cursors: list[Iterator[tuple[Node, int]] | None] = []  # where each check stands; None: compute
        self.nesting = 0  # functions entered inside one another
        self.unwinding: Derived | None = None
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
    computing = now_computing()
    if computing is not None:
        raise PurityError(
            f"{computing.key} {what}, and a selector only reads. Do it in an action, a listener or a handler."
        )
    if -threading.get_ident() in evaluating and (component := _now_rendering()) is not None:
        raise PurityError(
            f"{component} {what} while it is rendered, and rendering only reads. Do it in a handler "
            "(on_click=lambda: ..., and not the call itself), in ft.use_effect or in an action."
        )


def _nobody() -> str | None:
    return None


_now_rendering: Callable[[], str | None] = _nobody


def watch_rendering(now_rendering: Callable[[], str | None]) -> Callable[[], object] | None:
    """Say that components may be rendered on this thread just now, and how to ask which one.

    Returns:
        A function that says that this is over; None if it has been said already, and is not over.
    """
    global _now_rendering
    _now_rendering = now_rendering
    mark = -threading.get_ident()  # no thread is evaluating by this number, and the test above stays cheap
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
    if node.mark == CHECK and node.stamp == clock.now and not node.dependents:
        return
    here = _here.evaluation
    stack, cursors = here.stack, here.cursors
    base = len(stack)
    if node.mark >= CHECKING:
        raise _cycle(stack, node)
    if base:
        if node.mark == CHECK and node.stamp == here.now and not node.dependents:
            return
        if here.nesting >= DEPTH:
            here.unwinding = node
            raise _Unwind(node)
    else:
        here.now = clock.now
        evaluating.add(threading.get_ident())
    now = here.now
    here.nesting += 1
    try:
        _push(here, node)
        while len(stack) > base:
            cursor = cursors[-1]
            stale = cursor is None
            pushed = False
            for source, seen in cursor or ():
                mark = source.mark
                # A plain node is CLEAN, so whatever passes the first test is derived.
                if mark and (mark != CHECK or source.stamp != now or source.dependents):  # type: ignore[attr-defined]
                    if mark >= CHECKING:  # a known circle: let the function run into it
                        stale = True
                    else:
                        _push(here, source)  # type: ignore[arg-type]
                        pushed = True
                    break
                if source.version != seen:
                    stale = True
                    break
            if pushed:
                continue
            if stale:
                cursors[-1] = None
                try:
                    _compute(stack[-1], here)
                except _Unwind as unwind:
                    if base:
                        raise
                    here.unwinding = None
                    _push(here, unwind.node)
                    continue
            done = _pop(here)
            if len(stack) > base and cursors[-1] is not None and stack[-1].sources[done] != done.version:
                cursors[-1] = None  # the one below waited for this, and it has changed
    finally:
        here.nesting -= 1
        while len(stack) > base:  # unwound or interrupted: compute these from the start next time
            stack.pop().mark = DIRTY
            cursors.pop()
        if not base:
            here.unwinding = None
            evaluating.discard(threading.get_ident())
            while here.afterwards:
                here.afterwards.pop()()


def _push(here: _Evaluation, node: Derived) -> None:
    here.stack.append(node)
    here.cursors.append(None if node.mark == DIRTY else iter(node.sources.items()))
    node.mark = CHECKING


def _pop(here: _Evaluation) -> Derived:
    node = here.stack.pop()
    here.cursors.pop()
    node.mark = CLEAN if node.dependents else CHECK
    node.stamp = here.now
    return node


def _compute(node: Derived, here: _Evaluation) -> None:
    """Run the function of `node` and keep its edges to what it has read."""
    scope, old = node.scope, node.sources
    if scope.cleanups:
        scope.clean_up(node)
    outer = scope.node, scope.reads
    reads: dict[Node, int] = {}
    scope.node, scope.reads = node, reads
    node.mark = RUNNING
    try:
        try:
            node.settle(node.compute(), old)
        except (_Unwind, *FATAL):
            raise
        except BaseException as error:
            node.fail(as_exception(error), reads)
        finally:
            scope.node, scope.reads = outer
            node.mark = CHECKING
        if here.unwinding is not None:  # the function swallowed the unwinding
            raise _Unwind(here.unwinding)
    except BaseException:
        node.sources = {**old, **reads}  # both are linked; the next run sorts it out
        raise
    node.sources = reads
    if node.dependents:
        for source in old:
            if source not in reads:
                unlink(source, node)


def _cycle(stack: list[Derived], node: Derived) -> CycleError:
    path = [*stack[stack.index(node) :], node]
    return CycleError(
        "selectors read each other in a circle: "
        + " -> ".join(str(step.key) for step in path)
        + ". Break the circle: let one of them read an atom, or use get.peek."
    )
