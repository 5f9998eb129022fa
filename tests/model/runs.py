"""Runs of actions: which may begin, what they write, and what those put back that are stopped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .agenda import Ambiguous, Due
from .declared import ACTIONS, DONE, LOADING, TIMEOUT
from .hopes import Hopes

__all__ = ("Run", "Runs")


@dataclass
class Note:
    """What a run knows of an atom that it has written."""

    run: Run
    before: Any = None
    last: int = 0
    """How many writes there had been with its own last one."""
    below: Note | None = None
    """Of the run that had written last before it."""
    is_theirs: bool = False
    wishes: list[Any] = field(default_factory=list[Any])
    """What it wanted to put back."""
    messages: int = 0
    """How many of the run are in the mailbox."""

    @property
    def is_over(self) -> bool:
        return self.run.is_done and not self.messages

    @property
    def bottom(self) -> Note:
        note, below = self, self.below
        while note.is_over and note.run.is_undone and below is not None and below.run.is_undone:
            note, below = below, below.below
        return note


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
    def hopes(self) -> bool:
        return self.how.startswith("hopes")

    @property
    def fails(self) -> bool:
        return self.how not in ("does", "hopes")

    @property
    def is_undone(self) -> bool:
        return self.stopped_at >= 0

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

    def follow(self, run: Run) -> None:
        self.latest, self.state = run, "running"


class Runs(Hopes):
    """What actions do to the store."""

    def __init__(self) -> None:
        super().__init__()
        self._lanes: dict[tuple[Any, ...], list[Run]] = {}
        """The runs that a policy is about: those of an action, or those with one argument as well."""
        self.statuses: defaultdict[tuple[Any, ...], Status] = defaultdict(Status)
        self._latest: dict[Any, Note] = {}
        """By atom: of the run that has written last, unless somebody else has done so since."""

    # ------------------------------------------------------------------ from the start to the end

    def start(self, run: Run) -> None:
        lane, policy = self._lanes.setdefault(run.lane, []), run.action.policy
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
                    status.follow(run)
            return
        if policy == "restartable":
            for other in lane[::-1]:
                self.cancel(other)
        lane.append(run)
        for status in statuses:
            status.follow(run)
        self.soon(lambda: self._begin(run))

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
        self._write(run, LOADING[run.number % 2], lambda: True)
        if run.hopes:
            self.send(run.key, lambda: self._hope(run))
        else:
            self._write(run, run.key, lambda: run.value)
            self._wait(run)

    def _hope(self, run: Run) -> None:
        if run.is_stopping:
            if run.stopped_at == self.now:
                raise Ambiguous  # the cancellation may come first, or the atom
            return
        self.hope(run, run.key, run.value)
        self.soon(lambda: None if run.is_stopping else self._wait(run))

    def _wait(self, run: Run) -> None:
        run.due = self.after(run.seconds, lambda: self._finish(run))

    def _finish(self, run: Run) -> None:
        if run.hopes:
            self.send(run.key, lambda: self.end_hope(run, run.key, run.value, not run.fails))
        if run.fails:
            if run.how == "puts back":
                self._restore(run)
        else:
            self._write(run, DONE, lambda: self.get(DONE) + 1)
        self._write(run, LOADING[run.number % 2], lambda: False)
        if run.fails and run.action.retry is not None and run.attempt < run.action.retry.attempts:
            run.attempt += 1
            self.look()
            self._try(run)
        else:
            self._ended(run, "failed" if run.fails else "succeeded")

    def _ended(self, run: Run, state: str) -> None:
        run.is_done, run.is_stopping, run.state = True, True, state
        if run.limit is not None:
            run.limit.take_back()
        for key, note in run.notes.items():
            self._leave(note, key)
        lane, statuses = self._lanes[run.lane], [self.statuses[track] for track in run.tracks]
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
                status.follow(following)
            self.soon(lambda: self._begin(following))

    def _restore(self, run: Run) -> None:
        """Put back what this try has found; the next one may find something else before the atom gets to it."""
        before = run.before
        self._write(run, run.key, lambda: before)

    # ------------------------------------------------------------------ stopping

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
            run.due.take_back()

        def stop() -> None:
            if run.hopes:
                self.send(run.key, lambda: self.end_hope(run, run.key, run.value, False))
            elif run.how == "puts back":
                self._restore(run)
            self._write(run, LOADING[run.number % 2], lambda: False)
            self._ended(run, state)

        self.soon(stop)

    def cancel_all(self, action: Any) -> None:
        for run in self._of(action)[::-1]:
            self.cancel(run)

    def reset_action(self, action: Any) -> None:
        self.cancel_all(action)
        for run in self._of(action):
            run.is_forgotten = True
        for track in self.statuses:
            if track[0] is action:
                self.statuses[track] = Status()

    def clear(self) -> None:
        for action in ACTIONS:
            self.reset_action(action)
        super().clear()

    def _of(self, action: Any) -> list[Run]:
        return [run for lane, runs in self._lanes.items() if lane[0] is action for run in runs]

    # ------------------------------------------------------------------ writing

    def _write(self, run: Run, key: Any, make: Callable[[], Any]) -> None:
        """A write by a run; if it is stopping, only what puts back, and nobody else has written since."""
        note = run.notes.get(key)
        if run.is_stopping:
            if (known := note) is not None:
                self._send(known, key, lambda: self._put_back(known, key, make()))
            return
        if note is None:
            note = run.notes[key] = Note(run)
            self._begin_note(note, key)
            if key in self.mail:
                self.mail[key].append(lambda: self._begin_note(note, key))
        elif key in self.mail:
            self.mail[key].append(lambda: None)  # a message that says when it is the run's turn

        def write() -> None:
            note.is_theirs = note.is_theirs or note.last != self.writes[key]
            self.write(key, make())
            self._written(note, key)

        self._send(note, key, write)

    def _send(self, note: Note, key: Any, message: Callable[[], object]) -> None:
        def arrive() -> None:
            message()
            note.messages -= 1
            self._leave(note, key)

        note.messages += 1
        self.send(key, arrive)

    def _begin_note(self, note: Note, key: Any) -> None:
        note.before, note.last = self.get(key), self.writes[key]
        latest = self._latest.get(key)
        if latest is not None and latest.last == note.last:
            note.below = latest.bottom
        else:
            note.below = None

    def _is_last(self, note: Note, key: Any) -> bool:
        """Whether nobody else has written since, nor came in between."""
        return not note.is_theirs and note.last == self.writes[key]

    def _written(self, note: Note, key: Any) -> None:
        note.last = self.writes[key]
        self._latest[key] = note

    def _leave(self, note: Note, key: Any) -> None:
        """If all is done: when it has put back, or wanted what one under it may, then that one has written last."""
        if not note.is_over:
            return
        if self._latest.get(key) is note:
            del self._latest[key]
            chain = [note]
            while (lower := chain[-1].below) is not None:
                chain.append(lower)
            if note.run.is_undone and self._is_last(note, key) and any(each.before in note.wishes for each in chain):
                heirs = (each for each in chain[1:] if not each.run.is_undone or not each.is_over)
                heir = next(heirs, None)
                if heir is not None and not heir.is_over:
                    self._written(heir, key)
        if not note.run.is_undone:
            note.below = None

    def _put_back(self, note: Note, key: Any, value: Any) -> None:
        """Write what there was before, of this run or of those under it that are stopping as well."""
        note.wishes.append(value)
        if not self._is_last(note, key):
            return
        below: Note | None = note
        while below is not None and below.run.is_undone:
            if below.before == value:
                self.write(key, value)
                self._written(note, key)
                return
            below = below.below
