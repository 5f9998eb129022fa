"""The graph of values: who depends on whom, and how a stale value becomes fresh again.

Two kinds of node keep a value: a plain one (an atom assigns it) and a `Derived` one (its
function computes it). A `Watcher` is an end: something outside the graph that wants to
be told.

An edge goes both ways only while somebody watches: a derived node that is observed is
listed by its sources (`dependents`) and is told when they change, by a mark. One that
nobody observes is listed nowhere, costs no write anything and holds nobody back from
being collected; it checks the versions of its sources when it is read.

Nothing here recurses with the depth of the graph. Known dependencies are checked on an
explicit stack. A *first* computation enters its sources through the user's function; past
`DEPTH` of those the whole descent is unwound, the deepest source is computed on the flat
stack, and the functions above are entered a second time.

The graph is used by one thread at a time; the store sees to that.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NoReturn

from ..errors import CycleError, LoopError, PurityError
from .values import IMMUTABLE, is_immutable, same

__all__ = (
    "CHECK",
    "CLEAN",
    "DIRTY",
    "Derived",
    "Node",
    "Scope",
    "Turn",
    "Watcher",
    "here",
    "link",
    "mark_dependents",
    "refuse_in_selector",
    "tick",
    "unlink",
    "user_traceback",
    "validate",
)

CLEAN, CHECK, DIRTY, CHECKING, RUNNING = range(5)
"""The marks. `CHECK`: a source may have changed. `DIRTY`: compute, whatever they say.
`CHECKING` and `RUNNING`: on the stack of a validation just now."""

DEPTH = 60
"""How many functions may be entered inside one another before the descent is unwound."""

MAX_TURNS = 10_000
"""How many turns one drain may take before it is called a loop."""

_ticks = itertools.count(1)


class _Clock:
    """Counts changes. Every version is a reading of it, so no version is ever used twice."""

    __slots__ = ("edited", "now")

    def __init__(self) -> None:
        self.now = 0
        self.edited = 0  # the last edit in place, anywhere


clock = _Clock()


def tick() -> int:
    """Move the clock; the new reading is the version of the change that asked."""
    clock.now = now = next(_ticks)
    return now


class Node:
    """Something with a value that others can depend on."""

    __slots__ = ("current", "dependents", "edited", "key", "version")

    # What a plain node has no use for, so that both kinds can be read alike.
    mark: int = CLEAN
    error: BaseException | None = None
    sources: dict[Node, int] = {}  # noqa: RUF012  # never written: only a derived node has any

    def __init__(self, key: Any, value: Any) -> None:
        self.key = key
        self.current = value
        self.version = 0
        self.edited = 0  # version of the last edit in place
        self.dependents: dict[Derived | Watcher, None] | None = None

    def read(self) -> Any:
        """Return the fresh value, or raise the stored error."""
        if self.mark:
            validate(self)  # type: ignore[arg-type]  # only a derived node is ever marked
        if self.error is not None:
            self.throw()
        return self.current

    def throw(self) -> NoReturn:
        """Raise the stored error."""
        raise AssertionError("a plain node stores no error")


class Scope:
    """What the selectors of one store share while one of them computes."""

    __slots__ = ("get", "node", "reads")

    def __init__(self) -> None:
        self.node: Derived | None = None  # the one that computes
        self.reads: dict[Node, int] | None = None  # what it has read so far
        self.get: Any = None


class Derived(Node):
    """A node whose value is computed from other nodes by a function."""

    __slots__ = ("_traceback", "equals", "error", "function", "good", "mark", "scope", "sources", "stamp")

    def __init__(
        self,
        key: Any,
        function: Callable[[Any], Any],
        scope: Scope,
        equals: Callable[[Any, Any], bool] | None = None,
    ) -> None:
        super().__init__(key, None)
        self.function = function
        self.scope = scope
        self.equals = equals
        self.mark = DIRTY
        self.sources: dict[Node, int] = {}  # in the order they were read, with the version read
        self.stamp = 0  # when it was last known to be fresh; used while nobody observes
        self.error: BaseException | None = None
        self.good = 0  # version of the last value that was no error
        self._traceback: TracebackType | None = None

    def throw(self) -> NoReturn:
        # A fresh start of the traceback: it must not grow with every reader.
        assert self.error is not None
        raise self.error.with_traceback(self._traceback)

    def compute(self) -> Any:
        """Call the function. A subclass may look at what it returns."""
        return self.function(self.scope.get)

    def settle(self, value: Any, old: dict[Node, int]) -> None:
        """Take a computed value. `old` are the sources of the value before, with their versions."""
        # An edit in place shows in no comparison: whatever was derived from the edited
        # value counts as changed, unless its type says that it cannot have been touched.
        touched = (
            clock.edited > self.stamp
            and self.equals is None
            and type(value) not in IMMUTABLE
            and any(source.edited > seen for source, seen in old.items())
            and not is_immutable(value)
        )
        unchanged = self.has_value and not touched and same(self.current, value, self.equals)
        self.current = value
        self.error = self._traceback = None
        if unchanged:
            self.version = self.good  # also after a failure: whoever saw the last value is up to date
            return
        self.good = self.version = tick()
        if touched:
            self.edited = self.version

    def fail(self, error: BaseException) -> None:
        """Store an error in place of a value; the last good value stays for those who watch."""
        self.error = error
        self._traceback = user_traceback(error.__traceback__)
        self.version = tick()

    @property
    def has_value(self) -> bool:
        """Whether the function has ever returned."""
        return self.good != 0

    def invalidate(self, turn: Turn) -> None:
        """Forget the memo: the function runs again at the next reading, or in this turn if observed."""
        if self.mark < CHECKING:
            self.mark = DIRTY
            tick()
            mark_dependents(self, turn)


class Watcher:
    """An end of the graph: told, at most once a turn, that the node it watches has changed."""

    __slots__ = ("mark", "node", "seen")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.mark = CLEAN
        self.seen = 0

    def notify(self) -> None:
        """React to the change. Read the value from `node`; raise nothing but BaseException."""
        raise NotImplementedError

    def report(self, error: BaseException) -> None:
        """Send the error of a failing node to where the owner's errors go."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to watch; what is there now counts as seen."""
        link(self.node, self)
        if self.node.mark:
            validate(self.node)  # type: ignore[arg-type]  # only a derived node is ever marked
        self.seen = self.node.good if isinstance(self.node, Derived) else self.node.version

    def stop(self) -> None:
        """End the watching, also in a turn under way. Stopping twice is allowed."""
        self.mark = CLEAN
        unlink(self.node, self)


# --------------------------------------------------------------------------- edges


def link(node: Node, dependent: Derived | Watcher) -> None:
    """List `dependent` at `node`; a derived node that becomes observed is listed by its sources."""
    todo: list[tuple[Node, Derived | Watcher]] = [(node, dependent)]
    while todo:
        node, dependent = todo.pop()
        if node.dependents:
            node.dependents[dependent] = None
        else:
            node.dependents = {dependent: None}
            todo.extend((source, node) for source in node.sources)  # type: ignore[misc]  # only a derived node has sources


def unlink(node: Node, dependent: Derived | Watcher) -> None:
    """Undo `link`; a derived node that nobody observes any more leaves its sources."""
    todo: list[tuple[Node, Derived | Watcher]] = [(node, dependent)]
    while todo:
        node, dependent = todo.pop()
        if not node.dependents:
            continue
        node.dependents.pop(dependent, None)
        if not node.dependents:
            node.dependents = None
            if isinstance(node, Derived):
                if node.mark == CLEAN:
                    node.mark = CHECK
                node.stamp = 0
                todo.extend((source, node) for source in node.sources)


def mark_dependents(node: Node, turn: Turn, mark: int = CHECK) -> None:
    """Tell everything downstream that it may be stale, and queue the watchers there."""
    todo = [node]
    while todo:
        for dependent in todo.pop().dependents or ():
            if isinstance(dependent, Watcher):
                if not dependent.mark:
                    dependent.mark = CHECK
                    turn.pending.append(dependent)
            elif dependent.mark == CLEAN:
                dependent.mark = mark
                todo.append(dependent)
            elif dependent.mark == CHECK:
                dependent.mark = mark
        mark = CHECK  # only the direct dependents get the stronger one


# --------------------------------------------------------------------------- pulling


class _Unwind(BaseException):
    """Thrown through user functions to get back to the flat stack; never leaves this module."""

    def __init__(self, node: Derived) -> None:
        self.node = node


class Turn:
    """One thread's propagation: what is being computed now, and who is to be told.

    A turn is one propagation to quiescence. It belongs to the thread, not to a store, so
    that the laws hold across the stores of one loop.
    """

    __slots__ = ("cursors", "depth", "draining", "nesting", "now", "pending", "stack", "unwinding")

    def __init__(self) -> None:
        self.now = 0  # the clock when the outermost validation began
        self.pending: list[Watcher] = []
        self.depth = 0  # open batches and messages: while > 0, nothing is propagated
        self.draining = False
        self.stack: list[Derived] = []  # nodes being checked or computed, outermost first
        self.cursors: list[Iterator[tuple[Node, int]] | None] = []  # where each check stands; None: compute
        self.nesting = 0  # functions entered inside one another
        self.unwinding: Derived | None = None

    @property
    def computing(self) -> Derived | None:
        """The selector whose function is running on this thread, if any."""
        for node in reversed(self.stack):
            if node.mark == RUNNING:
                return node
        return None

    def propagate(self) -> None:
        """Run turns until nothing is pending, unless a batch, a message or a drain is under way.

        Raises:
            LoopError: After `MAX_TURNS` turns; everything pending counts as told.
        """
        if self.depth or self.draining or self.stack:
            return
        self.draining = True
        turns = 0
        try:
            while self.pending:
                turns += 1
                if turns > MAX_TURNS:
                    self._give_up()
                self._run_turn()
        finally:
            self.draining = False

    def _run_turn(self) -> None:
        batch, self.pending = self.pending, []
        told = 0
        reported: list[BaseException] = []  # held, so that no id is used twice
        try:
            # First everything becomes fresh, then everybody is told: nobody sees a mixture.
            for watcher in batch:
                if watcher.mark and watcher.node.mark:
                    validate(watcher.node)  # type: ignore[arg-type]  # only a derived node is ever marked
            for watcher in batch:
                told += 1
                if not watcher.mark:  # stopped meanwhile
                    continue
                watcher.mark = CLEAN
                node = watcher.node
                if node.mark:  # a watcher before this one wrote
                    validate(node)  # type: ignore[arg-type]  # only a derived node is ever marked
                if node.error is not None:
                    root = _root(node.error)
                    if not any(root is other for other in reported):
                        reported.append(root)
                        watcher.report(node.error)
                elif node.version != watcher.seen:
                    watcher.seen = node.version
                    watcher.notify()
        finally:
            # Only a BaseException gets here early: those not told yet stay queued.
            self.pending[:0] = batch[told:]

    def _give_up(self) -> NoReturn:
        pending, self.pending = self.pending, []
        for watcher in pending:
            watcher.mark = CLEAN
            watcher.start()
        names = ", ".join(sorted({str(watcher.node.key) for watcher in pending}))
        raise LoopError(
            f"listeners feed each other for ever: after {MAX_TURNS} turns {names} still change. "
            "Make one of these listeners stop writing once its value is right."
        )


class _Here(threading.local):
    def __init__(self) -> None:
        self.turn = Turn()


_here = _Here()


def here() -> Turn:
    """The turn of the calling thread."""
    return _here.turn


evaluating: set[int] = set()
"""Threads that are computing a selector just now; empty nearly always, and cheap to ask."""


def refuse_in_selector(what: str) -> None:
    """Raise `PurityError` when a selector is being computed on this thread: it only reads."""
    if evaluating and (computing := here().computing) is not None:
        raise PurityError(
            f"{computing.key} {what}, and a selector only reads. Do it in an action, a listener or a handler."
        )


def validate(node: Derived) -> None:
    """Make a derived node fresh: recompute it, and what it needs, at most once each.

    Dependencies are checked in the order they were last read, up to the first that has
    changed; one that the function no longer reads is not computed.
    """
    if node.mark == CHECK and node.stamp == clock.now and not node.dependents:
        return
    turn = _here.turn
    stack, cursors = turn.stack, turn.cursors
    base = len(stack)
    if node.mark >= CHECKING:
        raise _cycle(stack, node)
    if base:
        if node.mark == CHECK and node.stamp == turn.now and not node.dependents:
            return
        if turn.nesting >= DEPTH:
            turn.unwinding = node
            raise _Unwind(node)
    else:
        turn.now = clock.now
        evaluating.add(threading.get_ident())
    now = turn.now
    turn.nesting += 1
    try:
        _push(turn, node)
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
                        _push(turn, source)  # type: ignore[arg-type]
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
                    _compute(stack[-1], turn)
                except _Unwind as unwind:
                    if base:
                        raise
                    turn.unwinding = None
                    _push(turn, unwind.node)
                    continue
            done = _pop(turn)
            if len(stack) > base and cursors[-1] is not None and stack[-1].sources[done] != done.version:
                cursors[-1] = None  # the one below waited for this, and it has changed
    finally:
        turn.nesting -= 1
        while len(stack) > base:  # unwound or interrupted: compute these from the start next time
            stack.pop().mark = DIRTY
            cursors.pop()
        if not base:
            turn.unwinding = None
            evaluating.discard(threading.get_ident())


def _push(turn: Turn, node: Derived) -> None:
    turn.stack.append(node)
    turn.cursors.append(None if node.mark == DIRTY else iter(node.sources.items()))
    node.mark = CHECKING


def _pop(turn: Turn) -> Derived:
    node = turn.stack.pop()
    turn.cursors.pop()
    node.mark = CLEAN if node.dependents else CHECK
    node.stamp = turn.now
    return node


def _compute(node: Derived, turn: Turn) -> None:
    """Run the function of `node` and keep its edges to what it has read."""
    scope, old = node.scope, node.sources
    outer = scope.node, scope.reads
    reads: dict[Node, int] = {}
    scope.node, scope.reads = node, reads
    node.mark = RUNNING
    try:
        try:
            node.settle(node.compute(), old)
        except Exception as error:
            node.fail(error)
        finally:
            scope.node, scope.reads = outer
            node.mark = CHECKING
        if turn.unwinding is not None:  # the function swallowed the unwinding
            raise _Unwind(turn.unwinding)
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


_PACKAGE = os.path.dirname(os.path.dirname(__file__))


def user_traceback(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without our own frames at its top: they hold nodes, and through them pages."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        traceback = traceback.tb_next
    return traceback


def _root(error: BaseException) -> BaseException:
    """The error at the bottom of a chain of causes: one failure, however often it was wrapped."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        error = error.__cause__ or error.__context__ or error
    return error
