"""Lanes: the runs that a policy is about, all of an action or those for one argument, and the statuses they show in."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from typing import Any, Generic, TypeVar

from .run import Run
from .status import IDLE, ActionStatus, Status, StatusKey

__all__ = ("IDLE_LANES", "Lane", "Lanes", "Track")

R = TypeVar("R")

Item = tuple[Hashable, ...]
"""The argument that `per=` names; nothing for an action without one."""

IDLE_LANES = 1_000
"""How many arguments that nothing runs for keep a status of their own, if nobody observes it."""


class Track(Generic[R]):
    """A status, and the run that it follows: the one that was started last."""

    def __init__(self, status: Status[ActionStatus[R]]) -> None:
        self.status = status
        self._latest: Run[R] | None = None
        self._active = 0

    def queued(self, run: Run[R]) -> None:
        """A run waits for the end of those before it; the status goes on following the one that runs."""
        self._active += 1
        if self._latest is None:
            self._follow(run)
        else:
            self.status.publish(replace(self.status.current, active=self._active))

    def started(self, run: Run[R]) -> None:
        """A run was started."""
        self._active += 1
        self._follow(run)

    def begun(self, run: Run[R]) -> None:
        """A run that was queued is started now."""
        self._follow(run)

    def changed(self, run: Run[Any], **parts: Any) -> None:
        """A run says something of itself."""
        if self._latest is run:
            self.status.publish(replace(self.status.current, **parts))

    def ended(self, run: Run[Any]) -> None:
        """A run has ended."""
        self._active -= 1
        if self._latest is run:
            attempt = self.status.current.attempt
            self.status.publish(
                ActionStatus(run.state, run.value, run.error, attempt=attempt, active=self._active)  # type: ignore[arg-type]  # it has ended, so it is not pending
            )
        else:
            self.status.publish(replace(self.status.current, active=self._active))

    def reset(self) -> None:
        """Know of no run any more."""
        self._latest, self._active = None, 0
        self.status.publish(IDLE)

    def _follow(self, run: Run[R]) -> None:
        self._latest = run
        self.status.publish(ActionStatus("running", attempt=1, active=self._active))


class Lane(Generic[R]):
    """The runs that a policy is about, and the statuses that they show in."""

    __slots__ = ("is_beginning", "runs", "tracks")

    def __init__(self, *tracks: Track[R]) -> None:
        self.runs: list[Run[R]] = []
        """Those under way or queued, in the order of their start."""
        self.is_beginning = False
        """Whether the next of those that are queued is made to begin just now, or all of them to end."""
        self.tracks = tracks
        """The status of all runs, and that for the argument, if there is one."""

    @property
    def active(self) -> list[Run[R]]:
        """The runs that the action has not forgotten in a reset."""
        return [run for run in self.runs if not run.is_forgotten]


class Lanes(Generic[R]):
    """The lanes of an action in one store.

    With `per=` there is one for each argument. Of those that nothing runs for and whose
    status nobody observes only the latest are kept.
    """

    def __init__(self, make_key: Callable[..., StatusKey[R]]) -> None:
        self._make_key = make_key
        self.all: Track[R] = Track(Status(make_key(), IDLE))
        """The status of all runs."""
        self._lanes: dict[Item, Lane[R]] = {}
        self._places: dict[Run[Any], Lane[R]] = {}
        self._forgotten: weakref.WeakValueDictionary[Item, Status[ActionStatus[R]]] = weakref.WeakValueDictionary()
        self._limit = IDLE_LANES

    def __iter__(self) -> Iterator[Lane[R]]:
        return iter(list(self._lanes.values()))

    @property
    def statuses(self) -> list[Status[ActionStatus[R]]]:
        """That of all runs, and those for an argument."""
        return [self.all.status, *(lane.tracks[-1].status for lane in self), *self._forgotten.values()]

    def __len__(self) -> int:
        return len(self._lanes)

    def of(self, item: Item) -> Lane[R]:
        """The lane for an argument."""
        lane = self._lanes.get(item)
        if lane is None:
            lane = self._lanes[item] = self._make(item)
            if len(self._lanes) > self._limit:
                self._forget_idle()
        return lane

    def enter(self, run: Run[R], lane: Lane[R]) -> None:
        """A run is under way, or queued."""
        lane.runs.append(run)
        self._places[run] = lane

    def leave(self, run: Run[Any]) -> Lane[R] | None:
        """A run has ended; gives its lane, if it was let into one."""
        lane = self._places.pop(run, None)
        if lane is not None:
            lane.runs.remove(run)
        return lane

    def place(self, run: Run[Any]) -> Lane[R] | None:
        """The lane that a run is in."""
        return self._places.get(run)

    def _make(self, item: Item) -> Lane[R]:
        if not item:
            return Lane(self.all)
        known = self._forgotten.pop(item, None)  # somebody still has it, and is to see what comes
        return Lane(self.all, Track(known if known is not None else Status(self._make_key(*item), IDLE)))

    def _forget_idle(self) -> None:
        idle = [
            item
            for item, lane in self._lanes.items()
            if item and not lane.runs and not lane.tracks[-1].status.dependents
        ]
        for item in idle[: -IDLE_LANES // 2]:
            self._forgotten[item] = self._lanes.pop(item).tracks[-1].status
        self._limit = len(self._lanes) + IDLE_LANES // 2
