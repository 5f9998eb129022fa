"""The reference: a store that is naive. A dict holds the values, and everything is computed anew whenever it is asked.

Nothing here runs at the same time as anything else. What takes time is an entry in a list of
what is due, and time goes on when `advance` says so, from one entry to the next.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import flet_asp_actors as fa

from .declared import (
    ACTIONS,
    BEAT,
    BEATS,
    CRASH,
    DONE,
    LOADING,
    NAME,
    SINK,
    SLOW,
    TIMEOUT,
    TOTAL,
    C,
    Unlucky,
)

__all__ = ("FAILED", "Ambiguous", "Reference")

FAILED = "failed"
"""Stands for the value of what has none."""

CLOSE = 1e-5
"""Seconds within which two things count as happening at once; which is first is then anybody's guess."""


class Ambiguous(Exception):
    """Two things happen at once, so there is more than one right result."""


class Due:
    """Something that is to happen, unless it is taken back."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call: Callable[[], object] | None = call


@dataclass
class Note:
    """What a run knows of an atom that it has written."""

    before: Any
    last: int
    """How many writes there had been with its own last one."""
    is_theirs: bool = False


@dataclass(eq=False)
class Run:
    """A run of an action."""

    number: int
    action: Any
    key: Any
    value: int
    seconds: float
    how: str
    state: str = "pending"
    is_queued: bool = False
    is_forgotten: bool = False
    is_stopping: bool = False
    is_done: bool = False
    stopped_at: float = -1.0
    before: Any = None
    notes: dict[Any, Note] = field(default_factory=dict[Any, Note])
    due: Due | None = None
    limit: Due | None = None
    attempt: int = 1

    @property
    def lane(self) -> tuple[Any, ...]:
        return (self.action,) if self.action.per is None else (self.action, self.value)

    @property
    def tracks(self) -> set[tuple[Any, ...]]:
        return {(self.action,), self.lane}


@dataclass
class Status:
    """The status of an action, and the run that it follows."""

    state: str = "idle"
    active: int = 0
    latest: Run | None = None


@dataclass
class Outcome:
    """A selector that takes time."""

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


class Reference:
    """What the store has to say, and how it comes to it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.values: dict[Any, Any] = {}
        self.defaults: dict[Any, Any] = {}
        """Of names that are declared."""
        self.writes: Counter[Any] = Counter()
        self.changes: Counter[Any] = Counter()
        """Of these the ones that have made another value."""
        self.mail: dict[Any, deque[Callable[[], object]]] = {}
        """Of atoms in the middle of a message: what they will do then."""
        self.updates: dict[Any, tuple[Due, int]] = {}
        self.layers: dict[Any, list[tuple[Run | None, Any]]] = {}
        """Optimistic values, the base first."""
        self.lanes: dict[tuple[Any, ...], list[Run]] = {}
        """The runs that a policy is about: those of an action, or those with one argument as well."""
        self.statuses: defaultdict[tuple[Any, ...], Status] = defaultdict(Status)
        self.service = "idle"
        self.beat: Due | None = None
        self.slow: dict[Any, Outcome] = {key: Outcome() for key in SLOW}
        self.watched: list[Any] = [TOTAL]
        """What somebody observes."""
        self.writers: dict[int, Any] = {}
        """Listeners that write, and what each listens to."""
        self.outcomes: dict[int, str] = {}
        """How what was awaited has ended, by the step that has begun it."""
        self.reported: Counter[Any] = Counter()
        """What nobody awaited, and has failed."""
        self._seen: dict[int, Any] = {}
        self._total: Any = None
        self._total_version = 0
        self._soon: deque[Callable[[], object]] = deque()
        self._later: list[tuple[float, int, Due]] = []
        self._order = itertools.count()
        self._committed_at = -1.0

    # ------------------------------------------------------------------ reading

    def get(self, key: Any) -> Any:
        """The value of a key, computed from nothing but the atoms and what took time."""
        if key in self.slow:
            outcome = self.slow[key]
            if outcome.has_failed and not outcome.has_value:
                raise Unlucky
            return outcome.value
        if isinstance(key, fa.SelectorKey):
            function: Any = key.function
            return function(self.get)
        if key in self.values:
            return self.values[key]
        if key == NAME:
            raise KeyError(key)
        return key.initial()

    def outcome(self, key: Any) -> Any:
        """The value of a key, or that it has none."""
        try:
            return self.get(key)
        except (Unlucky, KeyError):
            return FAILED

    def observed(self) -> set[Any]:
        """What somebody observes, and what that is made of."""
        found: set[Any] = set()
        todo = list(self.watched)
        while todo:
            key = todo.pop()
            if key not in found:
                found.add(key)
                todo.extend(self._sources(key))
        return found

    def _sources(self, key: Any) -> Iterable[Any]:
        if key in self.slow:
            return list(self.slow[key].reads or ())
        if not isinstance(key, fa.SelectorKey):
            return ()
        read: list[Any] = []

        def get(source: Any) -> Any:
            read.append(source)
            return self.get(source)

        try:
            function: Any = key.function
            function(get)
        except (Unlucky, KeyError):
            pass
        return read

    # ------------------------------------------------------------------ writing

    def write(self, key: Any, value: Any, edited: bool = False) -> None:
        """Anybody's plain write: it drops what was hoped for."""
        self.layers.pop(key, None)
        self._show(key, value, edited)

    def _show(self, key: Any, value: Any, edited: bool = False) -> None:
        self.writes[key] += 1
        if edited or self.outcome(key) != value:
            self.changes[key] += 1
        self.values[key] = value

    def reset(self, key: Any) -> None:
        self.write(key, self.defaults[key] if key == NAME else key.initial())

    def send(self, key: Any, message: Callable[[], object]) -> None:
        """Do it now, or when the atom has done what it is in the middle of."""
        if key in self.mail:
            self.mail[key].append(message)
        else:
            message()

    def update_later(self, key: Any, number: int, add: int, seconds: float, fails: bool) -> None:
        """An update that awaits: the atom is in the middle of it for so long."""

        def begin() -> None:
            before = self.get(key)
            self.mail[key] = deque()

            def finish() -> None:
                self.end(number, "failed" if fails else "done")
                if not fails:
                    self.write(key, (before + add) % 5)
                    self._look()
                self._go_on(key)

            self.updates[key] = self.after(seconds, finish), number

        self.send(key, begin)

    def _go_on(self, key: Any) -> None:
        waiting = self.mail.pop(key)
        self.updates.pop(key, None)
        while waiting:
            waiting.popleft()()
            if key in self.mail:
                self.mail[key].extend(waiting)
                return

    def interrupt(self, key: Any) -> None:
        """Cancel the update that awaits."""
        if key in self.updates:
            due, number = self.updates.pop(key)
            due.call = None

            def ended() -> None:
                self.end(number, "cancelled")
                self._go_on(key)

            self._soon.append(ended)

    def delete(self, key: Any) -> None:
        if key in self.slow:
            self._forget(self.slow[key])
        elif key == NAME:
            self.interrupt(key)
            del self.values[key], self.defaults[key]
        else:
            self.interrupt(key)
            self.send(key, lambda: self.reset(key))

    def clear(self) -> None:
        for action in ACTIONS:
            self.reset_action(action)
        for key in {**self.values, **self.mail}:
            self.interrupt(key)
            self.send(key, lambda key=key: self.reset(key))  # type: ignore[misc]  # a loop variable
        for outcome in self.slow.values():
            self._forget(outcome)

    def restore(self, values: dict[Any, Any]) -> None:
        for key in {**values, **self.values, **self.mail}:
            if key in values:
                self.send(key, lambda key=key: self.write(key, values[key]))  # type: ignore[misc]  # a loop variable
            else:
                self.send(key, lambda key=key: self.reset(key))  # type: ignore[misc]  # a loop variable

    def transact(self, number: int, key: Any, value: int, other: Any, add: int, seconds: float, how: str) -> None:
        """Write one blindly and another by what it holds, after a while, or not at all."""
        seen = {key: self.changes[key]}
        if key in self.mail:
            self.mail[key].append(lambda: seen.update({key: self.changes[key]}))
        if other is not key:
            seen[other] = self.changes[other]
        staged = {key: value}
        staged[other] = ((value if other is key else self.get(other)) + add) % 5

        def again() -> None:
            if self._committed_at == self.now:
                raise Ambiguous  # two have waited for the same atom
            self._committed_at = self.now
            commit()

        def commit() -> None:
            for each in staged:
                if each in self.mail:
                    self.mail[each].append(lambda: self._soon.append(again))
                    return
            if any(self.changes[each] != version for each, version in seen.items()):
                self.outcomes[number] = "conflict"
                return
            for each, new in staged.items():
                self.write(each, new)
            self.outcomes[number] = "done"

        self.after(seconds, commit if how == "done" else lambda: self.outcomes.update({number: how}))

    # ------------------------------------------------------------------ actions

    def start(self, run: Run) -> None:
        lane, policy = self.lanes.setdefault(run.lane, []), run.action.policy
        if policy == "droppable" and any(not other.is_forgotten for other in lane):
            run.is_done = True
            self.end(run.number, "cancelled")
            return
        statuses = [self.statuses[track] for track in run.tracks]
        for status in statuses:
            status.active += 1
        if policy == "sequential" and lane:
            run.is_queued = True
            lane.append(run)
            for status in statuses:
                if status.latest is None:
                    status.latest, status.state = run, "running"
            return
        if policy == "restartable":
            for other in lane[::-1]:
                self.cancel(other)
        lane.append(run)
        for status in statuses:
            status.latest, status.state = run, "running"
        self._soon.append(lambda: self._begin(run))

    def _begin(self, run: Run) -> None:
        if run.is_stopping:
            self._ended(run, "cancelled")
            return
        run.state = "running"
        if run.action.timeout is not None:
            run.limit = self.after(TIMEOUT, lambda: self._stop(run, "late"))
        self._try(run)

    def _try(self, run: Run) -> None:
        run.before = self.get(run.key)
        self._write_for(run, LOADING[run.number], lambda: True)
        if run.how.startswith("hopes"):
            self.send(run.key, lambda: self._hope(run))
        else:
            self._write_for(run, run.key, lambda: run.value)
            self._wait(run)

    def _wait(self, run: Run) -> None:
        run.due = self.after(run.seconds, lambda: self._finish(run))

    def _finish(self, run: Run) -> None:
        fails = run.how not in ("does", "hopes")
        if run.how.startswith("hopes"):
            self.send(run.key, lambda: self._end_hope(run, not fails))
        if fails:
            if run.how == "puts back":
                self._write_for(run, run.key, lambda: run.before)
        else:
            self._write_for(run, DONE, lambda: self.get(DONE) + 1)
        self._write_for(run, LOADING[run.number], lambda: False)
        if fails and run.action.retry is not None and run.attempt < run.action.retry.attempts:
            run.attempt += 1
            self._look()
            self._try(run)
        else:
            self._ended(run, "failed" if fails else "succeeded")

    def cancel(self, run: Run) -> None:
        if run.is_done or run.is_stopping:
            return
        run.is_stopping = True
        if run.is_queued:
            self._ended(run, "cancelled")
        elif run.state == "running":
            self._stop(run, "cancelled")

    def _stop(self, run: Run, state: str) -> None:
        """It was cancelled, or its time is over: from here on it only puts back."""
        run.is_stopping, run.stopped_at = True, self.now
        if run.due is not None:
            run.due.call = None

        def stop() -> None:
            if run.how.startswith("hopes"):
                self.send(run.key, lambda: self._end_hope(run, False))
            elif run.how == "puts back":
                self._write_for(run, run.key, lambda: run.before)
            self._write_for(run, LOADING[run.number], lambda: False)
            self._ended(run, state)

        self._soon.append(stop)

    def cancel_all(self, action: Any) -> None:
        for run in self._runs(action)[::-1]:
            self.cancel(run)

    def _runs(self, action: Any) -> list[Run]:
        return [run for lane, runs in self.lanes.items() if lane[0] is action for run in runs]

    def reset_action(self, action: Any) -> None:
        self.cancel_all(action)
        for run in self._runs(action):
            run.is_forgotten = True
        for track in self.statuses:
            if track[0] is action:
                self.statuses[track] = Status()

    def _ended(self, run: Run, state: str) -> None:
        for key, note in run.notes.items():
            note.is_theirs = note.is_theirs or note.last != self.writes[key]
            note.last = self.changes[key]
        run.is_done = run.is_stopping = True
        if run.limit is not None:
            run.limit.call = None
        lane, statuses = self.lanes[run.lane], [self.statuses[track] for track in run.tracks]
        lane.remove(run)
        what: Any = "late" if state == "late" else run.number
        state = "failed" if state == "late" else state
        for status in () if run.is_forgotten else statuses:
            status.active -= 1
            if status.latest is run:
                status.state = state
        self.end(run.number, state, () if run.action.expect else (what,))
        if lane and lane[0].is_queued:
            following = lane[0]
            following.is_queued = False
            for status in statuses:
                status.latest, status.state = following, "running"
            self._soon.append(lambda: self._begin(following))

    def _write_for(self, run: Run, key: Any, make: Callable[[], Any]) -> None:
        """A write by a run; if it is stopping, only what puts back, and nobody else has written since."""
        note = run.notes.get(key)

        def count() -> int:
            """What comes after the end of the run is told by the value alone."""
            return self.changes[key] if run.is_done else self.writes[key]

        def look(note: Note) -> None:
            note.is_theirs = note.is_theirs or note.last != count()

        if run.is_stopping:
            known = note

            def put_back() -> None:
                assert known is not None
                look(known)
                if not known.is_theirs and known.before == make():
                    self.write(key, known.before)
                    known.last = count()

            if known is not None:
                self.send(key, put_back)
            return
        if note is None:
            mine = note = run.notes[key] = Note(self.get(key), self.writes[key])
            if key in self.mail:
                self.mail[key].append(lambda: vars(mine).update(before=self.get(key), last=count()))
        else:
            self.send(key, lambda: look(note))

        def write() -> None:
            self.write(key, make())
            note.last = count()

        self.send(key, write)

    # ------------------------------------------------------------------ optimistic values

    def _hope(self, run: Run) -> None:
        if run.is_stopping:
            if run.stopped_at == self.now:
                raise Ambiguous  # the cancellation may come first, or the atom
            return
        self.layers.setdefault(run.key, [(None, self.get(run.key))]).append((run, run.value))
        self._show(run.key, run.value)
        self._soon.append(lambda: None if run.is_stopping else self._wait(run))

    def _end_hope(self, run: Run, succeeded: bool) -> None:
        layers = self.layers.get(run.key, [])
        place = next((place for place, (owner, _) in enumerate(layers) if owner is run), None)
        if place is None:
            return
        was_on_top = place == len(layers) - 1
        if succeeded:
            layers[: place + 1] = [(None, run.value)]
        else:
            del layers[place]
        if was_on_top and not succeeded:
            self._show(run.key, layers[-1][1])
        if len(layers) == 1:
            del self.layers[run.key]

    # ------------------------------------------------------------------ the service

    def start_service(self) -> None:
        if self.service == "cancelled":
            self.service = "idle"

    def stop_service(self) -> None:
        self._halt("cancelled")
        self.service = "cancelled"

    def _launch(self) -> None:
        self.service = "running"
        self.beat = self.after(BEAT, self._beat)

    def _beat(self) -> None:
        if self.get(CRASH):
            self.write(CRASH, False)
        else:
            self.send(BEATS, lambda: self.write(BEATS, self.get(BEATS) + 1))
        self._launch()

    def _halt(self, state: str) -> None:
        if self.beat is not None:
            self.beat.call = None
            self.beat = None
            self.service = state

    # ------------------------------------------------------------------ what takes time

    def resolve(self, number: int, key: Any) -> None:
        """Wait for the value for the latest inputs."""
        self.watched.append(key)
        self._look()
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
        self._look()
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

    def _version(self, key: Any) -> Any:
        if key in self.slow:
            return self.slow[key].version
        return self._total_version if key == TOTAL else self.changes[key]

    def _look(self) -> None:
        """Somebody observes, or nobody does any more, or something has changed."""
        total = self.get(TOTAL)
        self._total_version += total != self._total
        self._total = total
        observed = self.observed()
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
            self._cancel_timer(outcome)
            every = SLOW[key].refresh_every
            is_old = every is not None and self.now - outcome.settled_at >= every
            if not is_same or not outcome.is_fresh or is_old:
                self._compute(key, 0.0)
            elif every is not None:
                outcome.timer = self.after(outcome.settled_at + every - self.now, lambda key=key: self.invalidate(key))  # type: ignore[misc]  # a loop variable
        if C not in observed:
            self._halt("idle")
        elif self.service == "idle":
            self._launch()
        for slot, key in self.writers.items():
            seen = self.changes[key] if isinstance(key, fa.Key) else self.get(key)
            if self._seen.get(slot) != seen:
                self._seen[slot] = seen
                self.write(SINK[slot], self.get(key) % 3)

    def _rest(self, outcome: Outcome, keep_for: float | None) -> None:
        """Nobody wants it any more."""
        self._cancel_timer(outcome)
        if outcome.due is not None:
            outcome.due.call = None
            outcome.due = None
            outcome.reads, outcome.is_fresh = None, False
            outcome.state = "ready" if outcome.has_value else "idle"
        if keep_for is not None:
            outcome.timer = self.after(keep_for, lambda: self._forget(outcome))

    def _cancel_timer(self, outcome: Outcome) -> None:
        if outcome.timer is not None:
            outcome.timer.call = None
            outcome.timer = None

    def _compute(self, key: Any, debounce: float, attempt: int = 1) -> None:
        outcome, slow = self.slow[key], SLOW[key]
        self._cancel_timer(outcome)
        if outcome.due is not None:
            outcome.due.call = None
        outcome.state = "refreshing" if outcome.has_value else "loading"

        def read() -> None:
            reads: dict[Any, Any] = {}

            def get(source: Any) -> Any:
                reads[source] = self._version(source)
                return self.get(source)

            value = slow.read(cast("Any", get))
            outcome.reads = reads
            outcome.due = self.after(slow.seconds, lambda: self._settle(key, value, attempt))

        outcome.due = self.after(debounce, read) if debounce else self._at_once(read)

    def _at_once(self, call: Callable[[], object]) -> Due:
        due = Due(call)
        self._soon.append(lambda: due.call and due.call())
        return due

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

        def tell() -> None:
            if outcome.due is None:
                waiting, outcome.waiting = outcome.waiting, []
                for number in waiting:
                    self._resolved(number, key)
                refreshing, outcome.refreshing = outcome.refreshing, []
                for number in refreshing:
                    self.watched.remove(key)
                    self.end(number, "failed" if outcome.state == "failed" else "done", (key,))

        self._soon.append(tell)

    # ------------------------------------------------------------------ time

    def after(self, seconds: float, call: Callable[[], object]) -> Due:
        due = Due(call)
        heapq.heappush(self._later, (self.now + seconds, next(self._order), due))
        return due

    def advance(self, now: float) -> None:
        """Let everything happen that is due until then."""
        self.settle()
        last = -1.0
        while self._later and self._later[0][0] <= now + CLOSE:
            when, _, due = heapq.heappop(self._later)
            if due.call is None:
                continue
            if when - last < CLOSE or when > now - CLOSE:
                raise Ambiguous
            self.now = last = when
            due.call()
            self.settle()
        self.now = now

    def settle(self) -> None:
        """Do what is to be done at once, one thing after the other."""
        self._look()
        while self._soon:
            self._soon.popleft()()
            self._look()

    def end(self, number: int, how: str, reports: Iterable[Any] | None = None) -> None:
        """Something that a step has begun has ended; every other one is awaited, and what fails else is reported."""
        if number % 2:
            self.outcomes[number] = how
        elif how == "failed":
            self.reported.update([number] if reports is None else reports)

    # ------------------------------------------------------------------ listeners

    def listen(self, slot: int, key: Any, writes: bool) -> None:
        self.watched.append(key)
        if writes:
            self.writers[slot] = key

    def unlisten(self, slot: int, key: Any) -> None:
        self.watched.remove(key)
        self.writers.pop(slot, None)
        self._seen.pop(slot, None)
