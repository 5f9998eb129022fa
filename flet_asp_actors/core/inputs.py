"""Inputs: what a piece of work has read that goes on for a while, or is done again for its effect.

A selector's function is called by the graph, and its readings end when it returns. An async
selector and an effect run outside of any validation; they read when they please. What they
have read is a node of its own here: it changes whenever one of its sources does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import CycleError, DeadlockError
from .evaluate import validate
from .graph import CHECKING, DIRTY, NEVER, Derived, Node, Scope, link, unlink
from .turn import here

__all__ = ("Inputs",)


class Inputs(Derived):
    """The readings of one piece of work. Its value says nothing; its version says when they changed.

    Args:
        key: What messages call the work.
        scope: That of the store.
        is_own: Whether a node is what the work itself brings about, so that reading it is a circle.
        keeps_fresh: Whether the sources go on being watched after one of them has changed, also
            if the work does not begin anew at once (it is debounced).
    """

    __slots__ = ("_awaited", "_is_own", "_keeps_fresh", "_retained", "_seen")

    def __init__(
        self,
        key: Any,
        scope: Scope,
        is_own: Callable[[Node], bool] | None = None,
        keeps_fresh: bool = False,
    ) -> None:
        super().__init__(key, self._unused, scope)
        self._start_over()
        self._is_own = is_own
        self._keeps_fresh = keeps_fresh
        self._retained: dict[Node, None] = {}  # read by the work before, or waited for, and not yet read by this one

    is_plain = False

    def compute(self) -> object:
        """One of the sources may have changed. All are kept, for the work is about to read most of them again."""
        if self._keeps_fresh:
            for source in self._seen:
                if source.mark:
                    validate(source)  # may be unwound, and done again: until all are fresh none counts as seen
        unchanged = bool(self._seen)
        for source, seen in self._seen.items():
            if unchanged and source.mark:  # one before it looked as if it had changed, for it is newer than this
                validate(source)
            if source.version != seen:
                self._seen[source] = source.version
                unchanged = False
        return self.current if unchanged else object()  # equal to nothing, so this is a change

    def _start_over(self) -> None:
        self.sources = self._seen = dict[Node, int]()  # with the version that the work has seen of each
        self._awaited = set[Node]()  # of the sources those that the work has waited for

    @staticmethod
    def _unused(_: object) -> object:
        raise AssertionError("inputs have no function of their own")  # pragma: no cover - and so nobody calls it

    def begin(self) -> None:
        """The work begins: what it reads counts from here on, and only that.

        What was read before stays observed meanwhile, so that nothing upstream ends only
        to be begun again.
        """
        self._retained.update(dict.fromkeys(self.sources))
        self._start_over()

    def end(self) -> None:
        """The work has read everything it reads: let go of what it no longer does."""
        retained, self._retained = self._retained, {}
        if self.dependents:
            for source in retained:
                if source not in self.sources:
                    unlink(source, self)

    def forget(self) -> None:
        """Nobody needs the work: hold on to nothing, and do it from the start the next time."""
        self.end()
        if not self.dependents:  # pragma: no branch - else somebody has come to need it in between
            self._start_over()
        if self.mark < CHECKING:  # pragma: no branch - else it is looked at just now
            self.mark = DIRTY

    def read(self, node: Node) -> Any:
        """Read a node for the work, which depends on it from here on.

        Raises:
            CycleError: When the node depends on what the work brings about.
            Exception: The error that the node stores.
        """
        is_new = node not in self.sources
        if is_new:
            self._link(node)
        if node.mark:
            validate(node)
        if is_new:
            self._refuse_circle(node)  # now it is known what the node depends on
        node.is_noted = True
        self._seen[node] = node.version
        here().look()  # a node that is observed for the first time may have something to begin
        if node.error is not None:
            node.throw()
        return node.current

    def hold(self, node: Node) -> None:
        """Observe a node that the work is about to read, and waits for: what it does until then is no change."""
        self._link(node)
        here().look()

    def read_awaited(self, node: Node) -> Any:
        """Read a node that the work has waited for: from here on its failure is a change, too."""
        value = self.read(node)
        self._awaited.add(node)
        return value

    def doubt(self, node: Node) -> None:
        """The node has failed behind a value that it keeps: who has waited for it waits for something else now."""
        if node in self._awaited:
            self._doubt(node)

    def _doubt(self, node: Node) -> None:
        self._seen[node] = NEVER
        self.stamp = NEVER

    def look_again(self) -> None:
        """It is needed again: what it has waited for may have failed, or recovered, behind a value that is kept."""
        if self.mark < CHECKING:  # pragma: no branch - else it is looked at just now
            for node, seen in self._seen.items():
                if seen == NEVER or (node in self._awaited and node.failure is not None):
                    self._doubt(node)
                    self.mark = DIRTY

    def failed(self, node: Node, error: Exception) -> None:
        """The node that the work has waited for has failed: when it recovers, in whatever way, that is a change."""
        if not isinstance(error, (CycleError, DeadlockError)):  # the edge would close the circle
            self._link(node)
            node.is_noted = True
            # Behind a value that is kept the failure does not show, nor does the recovery.
            self._seen[node] = node.version
            if node.error is None:
                self._doubt(node)

    def _link(self, node: Node) -> None:
        if node not in self.sources and node not in self._retained:
            self._retained[node] = None
            if self.dependents:
                link(node, self)

    def _refuse_circle(self, node: Node) -> None:
        if self._is_own is None:
            return
        came_from: dict[Node, Node | None] = {node: None}
        todo = [node]
        while todo:
            each = todo.pop()
            if self._is_own(each):
                path: list[str] = [str(self.key)]
                step: Node | None = each
                while step is not None:
                    path.append(str(step.key))
                    step = came_from[step]
                raise CycleError(
                    "selectors read each other in a circle: "
                    + " -> ".join(path[:1] + path[:0:-1])
                    + ". Break the circle: let one of them read an atom, or use get.peek."
                )
            for source in each.upstream:
                if source not in came_from:
                    came_from[source] = each
                    todo.append(source)
