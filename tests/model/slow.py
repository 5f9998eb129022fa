"""Selectors that take time: when each is computed, and what it has to show meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from .agenda import Due
from .declared import SLOW, TOTAL, Unlucky
from .mailboxes import Mailboxes

__all__ = ("SlowValues",)


@dataclass
class Outcome:
    """What there is of a selector that takes time."""

    value: Any = None
    has_value: bool = False
    has_failed: bool = False
    state: str = "idle"
    version: int = 0
    is_wanted: bool = False
    reads: dict[Any, Any] | None = None
    """What the last computation has read, with the version of each; None if there was none that counts."""
    is_fresh: bool = False
    due: Due | None = None
    """The computation under way."""
    settled_at: float = 0.0
    timer: Due | None = None
    """Until it is computed anew, or given up."""
    waiting: list[int] = field(default_factory=list[int])
    """Steps that wait for the value."""
    refreshing: list[int] = field(default_factory=list[int])
    """Steps that have asked for a new one."""

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.take_back()
            self.timer = None


class SlowValues(Mailboxes):
    """What takes time to compute, and what is computed of that."""

    def __init__(self) -> None:
        super().__init__()
        self.slow: dict[Any, Outcome] = {key: Outcome() for key in SLOW}
        self._total: Any = None
        self._total_version = 0

    def get(self, key: Any) -> Any:
        if key not in self.slow:
            return super().get(key)
        outcome = self.slow[key]
        if outcome.has_failed and not outcome.has_value:
            raise Unlucky
        return outcome.value

    def sources(self, key: Any) -> Iterable[Any]:
        return (self.slow[key].reads or ()) if key in self.slow else super().sources(key)

    def delete(self, key: Any) -> None:
        if key in self.slow:
            self._forget(self.slow[key])
        else:
            super().delete(key)

    def clear(self) -> None:
        super().clear()
        for outcome in self.slow.values():
            self._forget(outcome)

    # ------------------------------------------------------------------ asking for it

    def resolve(self, number: int, key: Any) -> None:
        """Wait for the value for the latest inputs."""
        self.watched.append(key)
        self.look()
        outcome = self.slow[key]
        if outcome.due is None:
            self._resolved(number, key)
        else:
            outcome.waiting.append(number)

    def _resolved(self, number: int, key: Any) -> None:
        self.watched.remove(key)
        outcome = self.slow[key]
        self.outcomes[number] = "failed" if outcome.state == "failed" else f"done {outcome.value}"

    def refresh(self, number: int, key: Any) -> None:
        """Compute it anew, whoever observes it."""
        outcome = self.slow[key]
        was_wanted, outcome.is_fresh = outcome.is_wanted, False
        self.watched.append(key)
        self.look()
        if was_wanted:
            self._compute(key, 0.0)
        outcome.refreshing.append(number)

    def invalidate(self, key: Any) -> None:
        self.slow[key].is_fresh = False
        if self.slow[key].is_wanted:
            self._compute(key, 0.0)

    def _forget(self, outcome: Outcome) -> None:
        outcome.version += outcome.has_value or outcome.has_failed or not outcome.is_wanted
        outcome.value, outcome.has_value, outcome.has_failed = None, False, False
        outcome.is_fresh = False
        if outcome.is_wanted:
            self._compute(next(key for key, each in self.slow.items() if each is outcome), 0.0)
        else:
            outcome.state, outcome.reads = "idle", None

    # ------------------------------------------------------------------ finding out that it is stale

    def look_at_slow(self, observed: set[Any]) -> None:
        """Somebody observes, or nobody does any more, or something has changed."""
        total = self.get(TOTAL)
        self._total_version += total != self._total
        self._total = total
        for key, outcome in self.slow.items():
            was_wanted, outcome.is_wanted = outcome.is_wanted, key in observed
            now = outcome.reads and {each: self._version(each) for each in outcome.reads}
            if not outcome.is_wanted:
                if was_wanted:
                    self._rest(outcome, SLOW[key].keep_for)
                continue
            is_same, outcome.reads = outcome.reads == now, now
            if was_wanted:
                if not is_same:
                    self._compute(key, SLOW[key].debounce)
                continue
            outcome.stop_timer()
            every = SLOW[key].refresh_every
            is_old = every is not None and self.now - outcome.settled_at >= every
            if not is_same or not outcome.is_fresh or is_old:
                self._compute(key, 0.0)
            elif every is not None:
                outcome.timer = self.after(outcome.settled_at + every - self.now, lambda key=key: self.invalidate(key))  # type: ignore[misc]  # a loop variable

    def _version(self, key: Any) -> Any:
        if key in self.slow:
            return self.slow[key].version
        return self._total_version if key == TOTAL else self.changes[key]

    def _rest(self, outcome: Outcome, keep_for: float | None) -> None:
        """Nobody wants it any more."""
        outcome.stop_timer()
        if outcome.due is not None:
            outcome.due.take_back()
            outcome.due = None
            outcome.reads, outcome.is_fresh = None, False
            outcome.state = "ready" if outcome.has_value else "idle"
        if keep_for is not None:
            outcome.timer = self.after(keep_for, lambda: self._forget(outcome))

    # ------------------------------------------------------------------ computing

    def _compute(self, key: Any, debounce: float, attempt: int = 1) -> None:
        outcome, slow = self.slow[key], SLOW[key]
        outcome.stop_timer()
        if outcome.due is not None:
            outcome.due.take_back()
        outcome.state = "refreshing" if outcome.has_value else "loading"

        def read() -> None:
            reads: dict[Any, Any] = {}

            def get(source: Any) -> Any:
                reads[source] = self._version(source)
                return self.get(source)

            value = slow.read(cast("Any", get))
            outcome.reads = reads
            outcome.due = self.after(slow.seconds, lambda: self._settle(key, value, attempt))

        outcome.due = self.after(debounce, read) if debounce else self.soon(read)

    def _settle(self, key: Any, value: int, attempt: int) -> None:
        outcome, slow = self.slow[key], SLOW[key]
        if slow.is_bad(value) and attempt < slow.tries:
            self._compute(key, 0.0, attempt + 1)
            return
        outcome.due, outcome.is_fresh, outcome.settled_at = None, True, self.now
        if slow.is_bad(value):
            outcome.has_failed, outcome.state = True, "failed"
            outcome.version += not outcome.has_value
            self.reported[key] += not outcome.waiting and not outcome.refreshing
        else:
            outcome.version += not outcome.has_value or outcome.value != value
            outcome.value, outcome.has_value, outcome.has_failed, outcome.state = value, True, False, "ready"
        if slow.refresh_every is not None:
            outcome.timer = self.after(slow.refresh_every, lambda: self.invalidate(key))
        self.soon(lambda: self._answer(key))

    def _answer(self, key: Any) -> None:
        """Tell those who wait, unless it is computed once more already."""
        outcome = self.slow[key]
        if outcome.due is not None:
            return
        waiting, outcome.waiting = outcome.waiting, []
        for number in waiting:
            self._resolved(number, key)
        refreshing, outcome.refreshing = outcome.refreshing, []
        for number in refreshing:
            self.watched.remove(key)
            is_told = any(other % 2 == 0 for other in refreshing[: refreshing.index(number)])  # of one failure, once
            self.end(number, "failed" if outcome.state == "failed" else "done", () if is_told else (key,))
