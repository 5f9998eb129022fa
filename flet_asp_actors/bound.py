"""The action in one store: who is let in, in what order, and the status that shows it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import replace
from threading import get_ident
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypeVar

from .core.evaluate import refuse_in_selector
from .core.turn import here
from .errors import LoopError
from .key import Readable
from .owner import Owner
from .receipt import DONE, Receipt
from .retry import Retry
from .run import Run, current_run
from .status import IDLE, ActionStatus, Status, StatusKey
from .writing import RunSet

__all__ = ("BoundAction", "Definition", "Policy")

R = TypeVar("R")
P = ParamSpec("P")

Policy = Literal["concurrent", "sequential", "droppable", "restartable"]
"""What a call does while a run is under way: start another one beside it, wait for its end, be
dropped, or cancel it and take its place. The words are bloc_concurrency's."""

IDLE_LANES = 1_000
"""How many arguments that nothing runs for keep a status of their own, if nobody observes it."""


class Definition(Protocol):
    """What a bound action needs of its definition."""

    name: str
    policy: Policy
    timeout: float | None
    retry: Retry | None
    expect: tuple[type[Exception], ...]
    takes: int
    per: str | None
    function: Callable[..., Any]

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Hashable, ...]:
        """Raise TypeError for arguments that do not fit; give the one that policy and status go by, if any."""
        ...


class _Track(Generic[R]):
    """A status, and the run that it follows: the one that was started last."""

    def __init__(self, key: StatusKey[R], report: Callable[[BaseException, object, str], object]) -> None:
        self.status: Status[ActionStatus[R]] = Status(key, IDLE)
        self._report = report
        self._latest: Run[R] | None = None
        self._active = 0

    def started(self, run: Run[R]) -> None:
        self._active += 1
        self.begun(run)

    def begun(self, run: Run[R]) -> None:
        self._latest = run
        self._publish(ActionStatus("running", attempt=1, active=self._active))

    def changed(self, run: Run[Any], **parts: Any) -> None:
        if self._latest is run:
            self._publish(replace(self.status.current, **parts))

    def ended(self, run: Run[Any]) -> None:
        self._active -= 1
        if self._latest is run:
            attempt = self.status.current.attempt
            self._publish(
                ActionStatus(run.state, run.value, run.error, attempt=attempt, active=self._active)  # type: ignore[arg-type]  # it has ended, so it is not pending
            )
        else:
            self._publish(replace(self.status.current, active=self._active))

    def reset(self) -> None:
        self._latest, self._active = None, 0
        self._publish(IDLE)

    def _publish(self, status: ActionStatus[R]) -> None:
        try:
            self.status.publish(status)
        except LoopError as error:
            # Nobody called a write here: the loop is the listeners'.
            self._report(error, self.status.key, "action")


class _Lane(Generic[R]):
    """The runs that a policy is about: all of an action, or those for one argument."""

    __slots__ = ("runs", "track")

    def __init__(self, track: _Track[R]) -> None:
        self.runs: list[Run[R]] = []  # those under way or queued, in the order of their start
        self.track = track


class BoundAction(Generic[P, R]):
    """An action in one store: callable, and usable as `on_click` as it is.

    Calling it starts a run and returns it at once; nothing has to be awaited. `cancel` and
    `reset` work as event handlers too. A run that is started inside another run of the
    store is its child: it is cancelled with it.
    """

    __slots__ = ("__weakref__", "_all", "_lanes", "_owner", "action")

    def __init__(self, action: Definition, owner: Owner) -> None:
        self.action = action
        self._owner = owner
        self._all: _Track[R] = _Track(StatusKey(action), owner.report)
        self._lanes: dict[tuple[Hashable, ...], _Lane[R]] = {}

    # ------------------------------------------------------------------ the face

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Start a run.

        It runs as a task of the store and inherits the context of the caller. The status is
        `running` at once. As an event handler it drops the event that Flet passes, unless the
        handler requires an argument. While another run is under way the policy decides.

        Returns:
            The run: await it for the result, or leave it alone.

        Raises:
            TypeError: When the arguments do not fit the handler.
            NotRunningError: Without an event loop.
            PurityError: Inside a selector.
            ClosedError: When the store has ended.
        """
        refuse_in_selector(f"starts {self.name}")
        run, item = self._make(args, kwargs)
        if self._owner.thread != get_ident():
            started = self._owner.elsewhere(self.name, lambda: self._start(run, item))
            started.on_done(lambda: self._refused(run, item))
        else:
            self._start(run, item)
        return run

    def call_now(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a sync handler here and now, without a task or an event loop, and return its result.

        It has a status like any other run. A droppable action that is under way is not called.

        Raises:
            RunCancelled: When it was dropped.
            PurityError: Inside a selector.
            Exception: What the handler raises.
        """
        refuse_in_selector(f"starts {self.name}")
        run, item = self._make(args, kwargs)

        def call() -> R:
            lane = self._lane(item)
            if self._is_dropped(lane, run):
                raise run.cancelled_error()
            self._note_start(lane, run)
            return run.call_now()

        return self._owner.on_home(call)

    @property
    def status(self) -> Readable[ActionStatus[R]]:
        """What to read, watch or bind to know how the action is doing."""
        return self._all.status

    def status_for(self, item: Hashable, /) -> Readable[ActionStatus[R]]:
        """The status of the runs for one argument, the one that `per=` names.

        Raises:
            TypeError: When the action has no `per=`.
        """
        return self.status_of(item)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.action.name

    @property
    def timeout(self) -> float | None:
        """Seconds that a run may take."""
        return self.action.timeout

    @property
    def retry(self) -> Retry | None:
        """When a try that has failed is followed by another."""
        return self.action.retry

    def cancel(self, reason: object = None) -> None:
        """Cancel every run that is under way. Works as `on_click=action.cancel`."""
        for run in [run for lane in list(self._lanes.values()) for run in lane.runs][::-1]:
            run.cancel(None if is_event(reason) else reason)

    def reset(self, _event: object = None) -> None:
        """Cancel every run and set the status back to idle. Works as `on_click=action.reset`."""
        refuse_in_selector(f"resets {self.name}")
        self._owner.elsewhere(self.name, self._reset)

    @property
    def handler(self) -> Callable[P, Coroutine[Any, Any, R]]:
        """The action as a coroutine function, for where one is insisted on: `page.run_task`."""

        @functools.wraps(self.action.function)
        async def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return await self(*args, **kwargs)

        del call.__wrapped__  # its signature is not that of the function: get and set are given
        return call

    def __repr__(self) -> str:
        return f"<BoundAction {self.name}: {self._all.status.current.state}>"

    # ------------------------------------------------------------------ what runs need of it

    def call(self, set: RunSet, args: tuple[Any, ...], kwargs: dict[str, Any], /) -> Any:
        """Call the handler for one run."""
        return self.action.function(self._owner.reader, set, *args, **kwargs)

    def on_progress(self, run: Run[Any], fraction: float | None, text: str, /) -> None:
        """Show how far the run is, in the statuses that follow it."""
        for track in self._tracks(run):
            track.changed(run, progress=fraction, progress_text=text)

    def on_attempt(self, run: Run[Any], attempt: int, /) -> None:
        """Show which try of the run this is."""
        for track in self._tracks(run):
            track.changed(run, attempt=attempt, progress=None, progress_text="")

    def on_end(self, run: Run[Any], /) -> None:
        """Show how the run has ended, and let the next one begin."""
        with here():
            for lane in list(self._lanes.values()):
                if run in lane.runs:  # else it was dropped, or the action was reset meanwhile
                    tracks = self._tracks(run)
                    lane.runs.remove(run)
                    for track in tracks:
                        track.ended(run)
                    if lane.runs and lane.runs[0].is_queued and not self._owner.is_closed:
                        self._begin_queued(lane, lane.runs[0])
                    return

    def is_expected(self, error: BaseException, /) -> bool:
        """Whether an error is part of the action's normal results."""
        return isinstance(error, self.action.expect)

    def status_of(self, *item: Hashable) -> Status[ActionStatus[R]]:
        """The status of all runs, or of those for one argument."""
        if not item:
            return self._all.status
        if self.action.per is None:
            raise TypeError(f"action {self.name} has one status for all; give it per=, the name of an argument")
        return self._lane(item).track.status

    # ------------------------------------------------------------------ the machinery

    def _make(self, args: Any, kwargs: Any) -> tuple[Run[R], tuple[Hashable, ...]]:
        given: tuple[Any, ...] = args
        if len(given) == 1 and not self.action.takes and is_event(given[0]):
            given = ()
        item = self.action.check(given, kwargs)
        return Run(self, self._owner, given, kwargs), item

    def _refused(self, run: Run[R], item: tuple[Hashable, ...]) -> None:
        """Answer a run from another thread that was never started here."""
        if run not in self._lane(item).runs:
            run.abandon()

    def _start(self, run: Run[R], item: tuple[Hashable, ...]) -> Receipt:
        lane = self._lane(item)
        if self._is_dropped(lane, run):
            return DONE
        parent = current_run.get()
        # A listener is not the run that has written; and who takes a run's place is not its child.
        takes_its_place = self.action.policy == "restartable" and parent in lane.runs
        if parent is not None and not (parent.is_done or here().draining or takes_its_place):
            parent.adopt(run)
        with here():
            if self.action.policy == "sequential" and lane.runs:
                run.queue_after(lane.runs[-1])
                lane.runs.append(run)
                for track in self._tracks(run):
                    track.started(run)
                return DONE
            if self.action.policy == "restartable":
                for other in lane.runs[::-1]:
                    other.cancel("a later call has taken its place")
            run.begin()
            self._note_start(lane, run)
        return DONE

    def _begin_queued(self, lane: _Lane[R], run: Run[R]) -> None:
        try:
            run.begin()
        except Exception:
            run.abandon()  # the store has no loop any more
            return
        for track in self._tracks(run):
            track.begun(run)

    def _is_dropped(self, lane: _Lane[R], run: Run[R]) -> bool:
        dropped = self.action.policy == "droppable" and bool(lane.runs)
        if dropped:
            run.drop()
        return dropped

    def _note_start(self, lane: _Lane[R], run: Run[R]) -> None:
        lane.runs.append(run)
        with here():
            for track in self._tracks(run):
                track.started(run)

    def _tracks(self, run: Run[Any]) -> list[_Track[R]]:
        """The statuses that have to do with a run."""
        for lane in self._lanes.values():
            if run in lane.runs:
                return [self._all] if lane.track is self._all else [self._all, lane.track]
        return []

    def _lane(self, item: tuple[Hashable, ...]) -> _Lane[R]:
        lane = self._lanes.get(item)
        if lane is None:
            track = _Track(StatusKey[R](self.action, *item), self._owner.report) if item else self._all
            lane = self._lanes[item] = _Lane(track)
            if len(self._lanes) > IDLE_LANES:
                self._forget_lanes()
        return lane

    def _forget_lanes(self) -> None:
        """Forget the arguments that were met longest ago, where nothing runs and nobody looks."""
        for item, lane in list(self._lanes.items())[: IDLE_LANES // 2]:
            if not lane.runs and not lane.track.status.dependents:
                del self._lanes[item]

    def _reset(self) -> Receipt:
        self.cancel("reset")
        with here():
            for lane in self._lanes.values():
                lane.runs = []
                lane.track.reset()
            self._all.reset()
        return DONE


def is_event(value: object) -> bool:
    """Whether `value` is what Flet passes to an event handler. Does not import Flet."""
    module = sys.modules.get("flet.controls.control_event")
    return module is not None and isinstance(value, module.Event)
