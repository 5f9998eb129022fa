"""The listeners of one node: many of them, told in one go."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from operator import length_hint
from typing import Any, Protocol

from .calls import as_exception
from .evaluate import validate
from .graph import CHECK, NEVER, Node
from .turn import Watcher, here

__all__ = ("Listeners",)


class Listener(Protocol):
    """One of them: what `Listeners` needs of a subscription."""

    node: Node
    seen: int
    callback: Any
    """A function of the value."""

    def notify(self) -> None:
        """Call the callback with the value now, and see to what it returns or raises."""
        ...

    def take(self, result: object, error: BaseException | None) -> None:
        """The callback has been called, and has returned something or has raised."""
        ...

    def report(self, error: BaseException) -> None:
        """Send an error to where the owner's errors go."""
        ...

    def __hash__(self) -> int: ...


class Listeners(Watcher):
    """The plain listeners of one node in one store: one end of the graph for all of them.

    A change marks one end, and not thousands, and a loop that does nothing but call tells
    them. Who of them has seen what is noted only when it is not the same for all: when one
    of them writes, or is new while the others have not been told yet.

    Args:
        node: The node.
        on_empty: Called when the last one has gone, or all listen to another node from here on.
    """

    __slots__ = ("_calls", "_is_uneven", "_on_empty", "_telling")

    def __init__(self, node: Node, on_empty: Callable[[Listeners], object]) -> None:
        super().__init__(node)
        self._calls: dict[Listener, Callable[[Any], object]] = {}
        self._telling: dict[Listener, Callable[[Any], object]] | None = None
        self._is_uneven = False
        self._on_empty = on_empty

    def add(self, listener: Listener) -> None:
        """One more listens; what is there now counts as seen."""
        if not self._calls:
            self.start()
        elif self.node.mark:
            validate(self.node)
        now = self.there
        if self.seen != now or self.mark:  # the others are still to be told, or know a value from before the failure
            self._part(self._calls, ())
        if now == NEVER:
            self.seen = NEVER
        listener.seen = now
        self._own_calls()[listener] = listener.callback

    def remove(self, listener: Listener) -> None:
        """One less listens; it is not called any more, in a turn under way neither. Twice is allowed."""
        telling = self._telling
        if telling is not None and listener in telling:
            telling[listener] = _nobody
        self._own_calls().pop(listener, None)
        if not self._calls:
            self.stop()
            self._on_empty(self)

    def move_to(self, node: Node) -> None:
        self._on_empty(self)  # whoever is new listens with others
        self._is_uneven = False
        super().move_to(node)
        for listener in self._calls:
            listener.node = node

    def notify(self) -> None:
        if self._is_uneven:
            self._tell_each(list(self._calls))
            return
        node, turn = self.node, here()
        telling = self._telling = self._calls
        calls = turn.telling = iter(telling.values())
        turn.untold = 0
        try:
            while True:
                value = node.current
                result: object = None
                error: BaseException | None = None
                try:
                    for call in calls:
                        result = call(value)
                        if result is not None:
                            break
                except BaseException as raised:
                    error = as_exception(raised)
                if result is None and error is None:
                    break
                number = len(telling) - length_hint(calls) - turn.untold - 1
                next(itertools.islice(telling, number, None)).take(result, error)
        except BaseException:
            self._part(telling, self._last_of(telling, length_hint(calls) + turn.untold))
            self._put_off()
            raise
        finally:
            turn.telling = self._telling = None
        if (turn.untold or self.mark) and self.node is node:
            # One has written: those after it are told of that now, and the others in the next turn.
            untold = self._last_of(telling, turn.untold)
            self._part(telling, untold)
            self._tell_each(untold)

    def _tell_each(self, listeners: list[Listener]) -> None:
        """Tell those who have not seen what is there now."""
        node = self.node
        try:
            for listener in listeners:
                if self.node is not node:  # one has deleted the name: the others wait for what it stands for next
                    return
                if listener not in self._calls:
                    continue
                if self.node.mark:
                    validate(self.node)
                if self.node.error is not None:
                    self.seen = NEVER  # when it recovers, also to the value from before, those after this one look
                    if self.know_failure():
                        self.report(self.node.error)
                    return
                now = self.newest
                if listener.seen != now:
                    listener.seen = now
                    listener.notify()
        except BaseException:
            self._put_off()
            raise
        if not self.mark:
            self._is_uneven = False

    @staticmethod
    def _last_of(telling: dict[Listener, Callable[[Any], object]], number: int) -> list[Listener]:
        return list(telling)[len(telling) - number :]

    def _put_off(self) -> None:
        """What was raised is for the interpreter: those who were not told are told in the next turn."""
        self.seen = NEVER
        if not self.mark:
            self.mark = CHECK
            here().pending.append(self)

    def _part(self, told: Iterable[Listener], untold: Iterable[Listener]) -> None:
        """From here on it is noted who has seen what."""
        if not self._is_uneven:
            self._is_uneven = True
            for listener in told:
                listener.seen = self.seen
        for listener in untold:
            listener.seen = NEVER

    def _own_calls(self) -> dict[Listener, Callable[[Any], object]]:
        """The dict of them, to be changed: not the one that is gone through just now."""
        if self._telling is self._calls:
            self._calls = dict(self._calls)
        return self._calls

    def report(self, error: BaseException) -> None:
        for listener in self._calls:  # pragma: no branch - where nobody listens, nothing is watched
            listener.report(error)
            return


def _nobody(_: object) -> None:
    """Called in the place of one who has left."""
