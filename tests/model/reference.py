"""The reference: the naive store, and everything that takes time around it."""

from __future__ import annotations

from .agenda import Due
from .declared import BEAT, BEATS, CRASH, TOTAL, C
from .runs import Runs
from .slow import SlowValues

__all__ = ("Reference",)


class Reference(Runs, SlowValues):
    """What the store has to say, and how it comes to it. It has a service as well."""

    def __init__(self) -> None:
        super().__init__()
        self.watched.append(TOTAL)
        self.service = "idle"
        self.beat: Due | None = None

    def look(self) -> None:
        """Let those begin, end and write who are concerned by what has happened."""
        observed = self.observed()
        self.look_at_slow(observed)
        if C not in observed:
            self._halt("idle")
        elif self.service == "idle":
            self._launch()
        self.tell()

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
            self.beat.take_back()
            self.beat = None
            self.service = state
