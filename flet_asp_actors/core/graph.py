"""The graph of values: nodes, and the edges that say who depends on whom.

A plain node keeps a value that an atom assigns; a `Derived` one keeps a value that its
function computes. An edge goes both ways only while somebody watches: a derived node that
is observed is listed by its sources (`dependents`) and is told by a mark when they change.
One that nobody observes is listed nowhere, costs no write anything and holds nobody back
from being collected; it looks whether its sources have changed since when it is read.

The graph is used by one thread at a time; the store sees to that.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Collection, Iterable
from types import CoroutineType, TracebackType
from typing import Any, NoReturn, Protocol

from .calls import call_all
from .values import IMMUTABLE, PLAIN, is_immutable, same

__all__ = (
    "CHECK",
    "CHECKING",
    "CLEAN",
    "DIRTY",
    "END",
    "NEVER",
    "NOTING",
    "NO_ROUTE",
    "RUNNING",
    "Dependent",
    "Derived",
    "Node",
    "Scope",
    "clock",
    "link",
    "notice_by",
    "take_sources",
    "tick",
    "tick_edit",
    "ticks",
    "unlink",
    "user_traceback",
)

CLEAN, CHECK, DIRTY, CHECKING, RUNNING = range(5)
"""The marks. `CHECK`: a source may have changed. `DIRTY`: compute, whatever they say.
`CHECKING` and `RUNNING`: on the stack of a validation just now."""

ticks = itertools.count(1)
_editing = threading.Lock()
if hasattr(os, "register_at_fork"):  # pragma: no branch - nearly everywhere there is a fork
    # Who holds it in another thread is not there in the child.
    os.register_at_fork(after_in_child=_editing._at_fork_reinit)  # type: ignore[attr-defined]  # as the standard library does


class _Clock:
    """Counts changes. Every version is a reading of it, so no version is ever used twice."""

    __slots__ = ("edited", "now", "written")

    def __init__(self) -> None:
        self.now = 0
        self.written = 0  # the last change that no selector has made, anywhere
        self.edited = 0  # the last edit in place, anywhere


clock = _Clock()


def tick() -> int:
    """Move the clock; the new reading is the version of the change that asked."""
    now = next(ticks)
    if now > clock.written:  # a loop on another thread may have come in between, and the clock must not go back
        clock.now = clock.written = now
    return now


def tick_edit() -> int:
    """Move the clock for an edit in place, which unlike a new value shows in no comparison."""
    with _editing:  # loops on other threads edit too, and `edited` must not go back
        clock.edited = version = tick()
    return version


END: Any = object()
"""The end of a route: no key is this."""

NO_ROUTE: tuple[Any, ...] = (None,)
"""The route of what has none yet: it belongs to no epoch."""

NOTING = 0
"""The step of whoever is on no route: what it reads is noted."""

NEVER = -1
"""A version that no node ever has, and a time before all changes."""


class Dependent(Protocol):
    """What a node lists as depending on it: a derived node, or an end of the graph."""

    mark: int

    @property
    def is_end(self) -> bool:
        """Whether it is to be told, and has no dependents of its own."""
        ...

    def __hash__(self) -> int: ...


class Node:
    """Something with a value that others can depend on."""

    __slots__ = ("attention", "current", "dependents", "edited", "error", "is_noted", "key", "mark", "version")

    is_node = True
    """Whether it is a node itself, and not a key of one."""

    # What a plain node has no use for, so that both kinds can be read alike.
    is_end = False
    failure: BaseException | None = None  # also behind a value that is kept
    is_reported: bool = False
    sources: Collection[Node] = ()
    wanted = 0
    good: int | None = None  # the version by which those go who watch; None: by any

    def __init__(self, key: Any, value: Any) -> None:
        self.key = key
        self.current: Any = value
        self.mark = CLEAN
        self.error: BaseException | None = None
        self.version = 0
        self.is_noted = False  # whether anybody goes by the version; until then a write needs none
        self.edited = 0  # version of the last edit in place
        self.dependents: dict[Dependent, None] | None = None
        self.attention: tuple[Callable[[], object], ...] = ()
        """Called at the end of the outermost call when the node comes to be observed, or is not any more."""

    @property
    def upstream(self) -> Iterable[Node]:
        """What the value was made of, whether by the graph or by a piece of work."""
        return self.sources

    def throw(self) -> NoReturn:
        """Raise the stored error."""
        raise AssertionError("a plain node stores no error")  # pragma: no cover - and so nobody calls it


class Scope:
    """What the selectors of one store share while one of them computes.

    Args:
        report: Where the error of a cleanup goes, with the key of its selector.
    """

    __slots__ = ("_report", "cleanups", "epoch", "get", "here", "node", "seen")

    def __init__(self, report: Callable[[BaseException, Any], object]) -> None:
        self.node: Derived | None = None  # the one that computes
        self.here: Any = None  # what its thread is computing
        self.seen: dict[Any, Any] = {}  # what it has read, by key, unless it goes the way of the last time
        self.epoch = 0  # moves when a key leads to another node than before: no route of before is taken again
        self.get: Any = None
        self.cleanups: dict[Node, list[Callable[[], object]]] = {}
        self._report = report

    def on_cleanup(self, call: Callable[[], object]) -> None:
        """Have `call` called before the selector that computes now is computed again, and at the end."""
        if self.node is None:
            raise TypeError("get.on_cleanup is called while the selector computes, and not later")
        self.cleanups.setdefault(self.node, []).append(call)

    def clean_up(self, node: Node) -> None:
        """Call what a computation has left to be called."""
        owed = self.cleanups.get(node, [])
        try:
            call_all(owed, lambda error: self._report(error, node.key))
        finally:
            if not owed:
                self.cleanups.pop(node, None)


class Derived(Node):
    """A node whose value is computed from other nodes by a function."""

    __slots__ = (
        "_traceback",
        "equals",
        "function",
        "good",
        "is_reported",
        "plain",
        "route",
        "scope",
        "sources",
        "stamp",
        "step",
        "wanted",
    )

    is_plain = True
    """Whether to compute is to call the function, which reads with `get`, and nothing else."""

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
        self.sources: Collection[Node] = ()  # in the order they were read
        self.route: tuple[Any, ...] = NO_ROUTE  # the scope's epoch, the keys it read, each with its node, and END
        self.step = NOTING  # how far it has come on its route, while it computes; `NOTING`: it is a new one
        self.stamp = 0  # when it was last known to be fresh: a source with a later version has changed since
        self.wanted = 0  # how many there are who look at it first thing in every turn
        self.error = None
        self.is_reported = False  # whether somebody has been told of the error
        self.good: int | None = 0  # version of the last value that was no error
        self.plain: type | None = None  # the type of the value, if there is one that `==` alone compares
        self._traceback: TracebackType | None = None

    def throw(self) -> NoReturn:
        # A fresh start of the traceback: it must not grow with every reader.
        assert self.error is not None
        raise self.error.with_traceback(self._traceback)

    def compute(self) -> Any:
        """Make the value, where there is more to it than to call the function."""
        raise NotImplementedError

    def settle(self, value: Any, old: Iterable[Node]) -> None:
        """Take a computed value. `old` are the sources of the value before."""
        # An edit in place shows in no comparison: whatever was derived from the edited
        # value counts as changed, unless its type says that it cannot have been touched.
        since = self.stamp if self.error is None else self.good or 0  # while it failed it has seen no edit
        touched = clock.edited > since and self._may_be_touched(value, old)
        unchanged = self.good and not touched and same(self.current, value, self.equals)
        if type(value) is CoroutineType:
            value.close()
            raise TypeError(
                f"{self.key} returned a coroutine, and a sync selector computes its value at once. "
                "Declare its function with `async def`."
            )
        self.current = value
        self.plain = type(value) if self.equals is None and type(value) in PLAIN else None
        if unchanged and self.error is None:
            return
        self.version = clock.now = next(ticks)  # whoever saw a failure is not up to date
        self.error = self._traceback = None
        if unchanged:
            return  # those who watch go by `good`
        self.good = self.version
        if touched:
            self.edited = self.version

    def _may_be_touched(self, value: Any, old: Iterable[Node]) -> bool:
        others = self.scope.seen.values() if self.step == NOTING else ()  # who knows when those were edited
        return (
            self.equals is None
            and type(value) not in IMMUTABLE
            and (
                self.error is not None
                or any(source.edited > self.stamp for source in old)
                or not set(old).issuperset(others)
            )
            and not is_immutable(value)
        )

    def fail(self, error: BaseException, reads: Iterable[Node]) -> None:
        """Store an error in place of a value; the last good value stays for those who watch."""
        self.error = error
        self.plain = None
        # The error of a source that has failed for a while is no new failure.
        self.is_reported = any(source.error is error and source.is_reported for source in reads)
        self._traceback = user_traceback(error.__traceback__)
        self.version = clock.now = next(ticks)


def _want(node: Node, by: int = 1) -> None:
    """One more looks at `node` first thing in every turn, or one less.

    That is so for an end of the graph, and for a derived node at which somebody looks: it
    begins with its first source. Only those that are wanted can be computed before anybody
    has asked, for the others may turn out not to be read any more.
    """
    while isinstance(node, Derived):
        node.wanted += by
        if node.wanted != (by > 0) or not node.is_plain or not node.sources:
            return
        node = next(iter(node.sources))


def take_sources(node: Derived, sources: tuple[Node, ...]) -> None:
    """From here on `node` is made of these; the edges are the caller's business."""
    old = tuple(node.sources)
    node.sources = sources
    if node.wanted and old[:1] != sources[:1]:
        for source in old[:1]:
            _want(source, -1)
        for source in sources[:1]:
            _want(source)


def link(node: Node, dependent: Dependent) -> None:
    """List `dependent` at `node`; a derived node that becomes observed is listed by its sources."""
    if dependent.is_end and not (node.dependents and dependent in node.dependents):
        _want(node)
    todo: list[tuple[Node, Dependent]] = [(node, dependent)]
    while todo:
        node, dependent = todo.pop()
        if node.dependents:
            node.dependents[dependent] = None
        else:
            node.is_noted = True
            node.dependents = {dependent: None}
            for source in node.sources:
                todo.append((source, node))
            for call in node.attention:
                _notice(call)


def unlink(node: Node, dependent: Dependent) -> None:
    """Undo `link`; a derived node that nobody observes any more leaves its sources."""
    if dependent.is_end and node.dependents and dependent in node.dependents:
        _want(node, -1)
    todo: list[tuple[Node, Dependent]] = [(node, dependent)]
    while todo:
        node, dependent = todo.pop()
        if not node.dependents:
            continue
        node.dependents.pop(dependent, None)
        if not node.dependents:
            node.dependents = None
            for call in node.attention:
                _notice(call)
            if isinstance(node, Derived):
                if node.mark == CLEAN:
                    node.mark = CHECK
                    node.stamp = clock.now
                for source in node.sources:
                    todo.append((source, node))


_notice: Callable[[Callable[[], object]], object]
"""How to have something called at the end of the outermost call; the turns know, and say so by `notice_by`."""


def notice_by(notice: Callable[[Callable[[], object]], object]) -> None:
    """Say how to have something called at the end of the outermost call."""
    global _notice
    _notice = notice


_PACKAGE = os.path.dirname(os.path.dirname(__file__))


def user_traceback(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without our own frames at its top: they hold nodes, and through them pages."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        traceback = traceback.tb_next
    return traceback
