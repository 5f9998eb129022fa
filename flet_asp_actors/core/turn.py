"""Pushing: the turns in which everybody who watches is told, once everything is consistent."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from threading import get_ident
from typing import Any, NoReturn

from ..errors import LoopError
from .evaluate import evaluating, is_evaluating, validate, validate_all
from .graph import CHECK, CHECKING, CLEAN, DIRTY, NEVER, Derived, Node, link, notice_by, tick, unlink

__all__ = ("Leader", "Turn", "Watcher", "here", "invalidate", "mark_dependents", "step_out_by", "tell")

MAX_TURNS = 10_000
"""How many turns one drain may take before it is called a loop."""

interrupted: set[int] = set()
"""Threads whose last drain was broken off by what is meant for the interpreter. Who is still to be
told is marked already, and queued: whoever writes next there has to see to it that they are told."""


class Watcher:
    """An end of the graph: told, at most once a turn, that the node it watches has changed."""

    __slots__ = ("mark", "node", "seen")

    is_end = True

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

    @property
    def keys(self) -> Iterable[object]:
        """What a message says that is watched."""
        return (self.node.key,)

    def was_reset(self) -> None:
        """The value was set back to its default, also if that was no change."""

    def know_failure(self) -> bool:
        """Whether the node has failed and nobody has been told yet; it counts as told from here on."""
        node = self.node
        if node.error is None or node.is_reported:
            return False
        node.is_reported = True  # type: ignore[misc]  # whatever stores an error has a slot for this
        return True

    def start(self) -> None:
        """Begin to watch; what is there now counts as seen."""
        self.mark = CHECK  # what comes of being observed at all is part of what is there now, and no news
        link(self.node, self)
        if self.node.mark:
            validate(self.node)
        here().look()
        self.mark = CLEAN
        self.seen = self.there

    @property
    def newest(self) -> int:
        """The version of what there is to see now; a failure behind which a value is kept is none."""
        node = self.node
        return node.version if node.good is None else node.good

    @property
    def there(self) -> int:
        """What counts as seen by who begins to watch now: of what fails nothing, whatever value is kept behind that."""
        return NEVER if self.node.error is not None else self.newest

    def move_to(self, node: Node) -> None:
        """Watch another node from here on."""
        self.stop()
        self.node = node
        self.start()

    def stop(self) -> None:
        """End the watching, also in a turn under way. Stopping twice is allowed."""
        self.mark = CLEAN
        unlink(self.node, self)
        here().look()


def tell(node: Node) -> None:
    """A node has changed, and is observed: mark everything downstream, and tell those who watch."""
    for dependent in node.dependents or ():
        if not dependent.mark:
            break
    else:
        if interrupted:
            _here.turn.propagate()
        return  # they know already, and whoever told them will see to it that they look
    turn = _here.turn
    mark_dependents(node, turn)
    turn.propagate()


def mark_dependents(node: Node, turn: Turn) -> None:
    """Tell everything downstream that it may be stale, and queue the watchers there."""
    todo: list[Any] = [node]
    for each in todo:  # which grows meanwhile
        for dependent in each.dependents or ():
            if not dependent.mark:
                dependent.mark = CHECK
                if dependent.is_end:
                    turn.pending.append(dependent)
                else:
                    todo.append(dependent)
    if len(todo) > 1:
        turn.marked += todo
    if turn.telling is not None:
        turn.break_off()


def invalidate(node: Derived, turn: Turn) -> None:
    """Forget the memo: the function runs again at the next reading, or in this turn if observed."""
    if node.mark < CHECKING:  # pragma: no branch - else it is computed just now
        node.mark = DIRTY
        tick()
        mark_dependents(node, turn)


class Leader(Watcher):
    """A watcher who is told before anybody else in the turn looks: it begins work anew, and a status says so."""

    __slots__ = ("_mark",)

    @property
    def mark(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]  # marking it is how it is found
        """The mark."""
        return self._mark

    @mark.setter
    def mark(self, mark: int) -> None:
        self._mark = mark
        if mark:
            here().leading.append(self)


class Turn:
    """One thread's propagation: who is to be told of what has changed.

    A turn is one propagation to quiescence. It belongs to the thread, not to a store, so
    that the laws hold across the stores of one loop. `with turn:` puts propagation off to
    its end, for a message or for many writes.
    """

    __slots__ = ("depth", "draining", "leading", "marked", "noticed", "pending", "telling", "untold")

    def __init__(self) -> None:
        self.marked: list[Any] = []  # what may be stale, sources before those who read them, as far as that goes
        self.pending: list[Watcher] = []
        self.leading: list[Watcher] = []  # those among them who are told before anybody else looks
        self.noticed: deque[Callable[[], object]] = deque()  # asked for by nodes that are observed anew, or no more
        self.depth = 0  # open batches and messages: while > 0, nothing is propagated
        self.draining = False
        self.telling: Iterator[object] | None = None  # the listeners of one node, while a loop goes through them
        self.untold = 0  # how many were left when it was broken off

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        self.propagate()

    def propagate(self) -> None:
        """Run turns until nothing is pending, unless a batch, a message or a drain is under way.

        Raises:
            LoopError: After `MAX_TURNS` turns; everything pending counts as told.
        """
        if self.depth or self.draining or (evaluating and is_evaluating()):
            return
        self.draining = True
        turns = 0
        go_back = None if _working() is None else _step_out()  # whoever is told does not work for the one who writes
        try:
            while self.pending or self.noticed:
                while self.noticed and not self.pending:  # who leaves in one turn may be back in the next
                    self.noticed.popleft()()
                turns += 1
                if turns > MAX_TURNS:
                    self._give_up()
                self._run_turn()
            if interrupted:
                interrupted.discard(get_ident())
        except BaseException:
            interrupted.add(get_ident())
            raise
        finally:
            self.draining = False
            if go_back is not None:
                go_back()
            if self.marked and not self.pending:
                self.marked = []

    def break_off(self) -> None:
        """Something is stale from here on: end the loop that tells listeners, which does not look for that itself."""
        for _ in self.telling or ():
            self.untold += 1
        self.telling = None

    def look(self) -> None:
        """Have those called who wait for an observer, unless somebody further up the stack will do it."""
        if self.noticed:
            self.propagate()

    def _run_turn(self) -> None:
        if self.leading:
            self._lead()
        batch, self.pending = self.pending, []
        marked, self.marked = self.marked, []
        told = 0
        reported: list[BaseException] = []  # held, so that no id is used twice
        try:
            # First everything becomes fresh, then everybody is told: nobody sees a mixture.
            if marked:
                validate_all([node for node in marked if node.wanted])
            for watcher in batch:
                node = watcher.node
                if node.mark and watcher.mark:  # a watcher before this one wrote
                    validate(node)  # a BaseException out of it leaves this one queued
                told += 1
                if not watcher.mark:  # stopped meanwhile
                    continue
                watcher.mark = CLEAN
                if node.error is not None:
                    self._tell_failure(watcher, node.error, reported)
                    continue
                good = node.good
                newest = node.version if good is None else good  # its `newest`, at less cost
                if node.version != watcher.seen and newest != watcher.seen:
                    watcher.seen = newest
                    watcher.notify()
        except BaseException:
            self.pending[:0] = batch[told:]  # those not told yet stay queued
            self.marked[:0] = marked
            raise

    @staticmethod
    def _tell_failure(watcher: Watcher, error: BaseException, reported: list[BaseException]) -> None:
        """Report an error, once for all who watch and a turn, however often it was wrapped."""
        root = _root(error)
        if any(root is other for other in reported):
            watcher.know_failure()
        elif watcher.know_failure():
            reported.append(root)
            watcher.report(error)

    def _lead(self) -> None:
        """Tell those who begin work anew, so that its status says so to all who look in this turn."""
        while self.leading:
            watcher = self.leading.pop()
            if watcher.mark and watcher.node.mark:
                try:
                    validate(watcher.node)
                except BaseException:
                    self.leading.append(watcher)
                    raise
            if watcher.mark:
                watcher.mark = CLEAN
                if watcher.node.version != watcher.seen:
                    watcher.seen = watcher.node.version
                    watcher.notify()

    def _give_up(self) -> NoReturn:
        pending, self.pending = self.pending, []
        pending = [watcher for watcher in pending if watcher.mark]  # a stopped one stays stopped
        for watcher in pending:
            watcher.mark = CLEAN
            watcher.start()
        names = ", ".join(sorted({str(key) for watcher in pending for key in watcher.keys}))
        raise LoopError(
            f"listeners feed each other for ever: after {MAX_TURNS} turns there is still something new at {names}. "
            "Make one of these listeners stop writing once its value is right."
        )


class _Here(threading.local):
    def __init__(self) -> None:
        self.turn = Turn()


_here = _Here()


def here() -> Turn:
    """The turn of the calling thread."""
    return _here.turn


def _at_nothing() -> None:
    """The core by itself knows of no work."""


_working: Callable[[], object] = _at_nothing
_step_out: Callable[[], Callable[[], object]]


def step_out_by(working: Callable[[], object], step_out: Callable[[], Callable[[], object]]) -> None:
    """Say how to ask for what the caller works, None for nothing, and how to be nobody's for a while, and go back."""
    global _working, _step_out
    _working, _step_out = working, step_out


notice_by(lambda call: here().noticed.append(call))


def _root(error: BaseException) -> BaseException:
    """The error at the bottom of a chain of causes: one failure, however often it was wrapped."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        error = error.__cause__ or error.__context__ or error
    return error
