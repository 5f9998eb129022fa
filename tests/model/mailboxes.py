"""The naive store in time: an atom in the middle of a message keeps what comes in the meantime."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

from .agenda import Agenda, Ambiguous, Due
from .store import Store

__all__ = ("Mailboxes",)


class Mailboxes(Store, Agenda):
    """Messages that take time, and transactions."""

    def __init__(self) -> None:
        Store.__init__(self)
        Agenda.__init__(self)
        self.mail: dict[Any, deque[Callable[[], object]]] = {}
        """Of atoms in the middle of a message: what they will do then."""
        self.updates: dict[Any, tuple[Due, int]] = {}
        self.outcomes: dict[int, str] = {}
        """How what was awaited has ended, by the step that has begun it."""
        self.reported: Counter[Any] = Counter()
        """What nobody awaited, and has failed."""
        self._committed_at = -1.0
        self._interrupted_at = -1.0

    def end(self, number: int, how: str, reports: Iterable[Any] | None = None) -> None:
        """Something that a step has begun has ended; every other one is awaited, and what fails else is reported."""
        if number % 2:
            self.outcomes[number] = how
        elif how == "failed":
            self.reported.update([number] if reports is None else reports)

    # ------------------------------------------------------------------ messages

    def atoms(self) -> list[Any]:
        return list({**self.values, **self.mail})

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
                    self.look()
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
            if self._interrupted_at == self.now and self.writers:
                raise Ambiguous  # which of two ends first is anybody's guess, and a listener may write what it has seen
            self._interrupted_at = self.now
            due, number = self.updates.pop(key)
            due.take_back()

            def ended() -> None:
                self.end(number, "cancelled")
                self._go_on(key)

            self.soon(ended)

    # ------------------------------------------------------------------ transactions

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
                    self.mail[each].append(lambda: self.soon(again))
                    return
            if any(self.changes[each] != version for each, version in seen.items()):
                self.outcomes[number] = "conflict"
                return
            for each, new in staged.items():
                self.write(each, new)
            self.outcomes[number] = "done"

        self.after(seconds, commit if how == "done" else lambda: self.outcomes.update({number: how}))
