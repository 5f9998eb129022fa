"""The action in one store: who is let in, in what order, and the status that shows it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Coroutine, Hashable
from contextlib import AbstractContextManager
from threading import get_ident
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypeVar

from .core.evaluate import refuse_in_selector
from .core.graph import tick
from .core.turn import here
from .core.values import Itself
from .ending import errors_in
from .errors import BusyError, ClosedError
from .key import Readable
from .lanes import Lane, Lanes
from .owner import Owner
from .receipt import DONE, Receipt
from .retry import Retry
from .run import LOST, Run, current_run
from .status import ActionStatus, Status, StatusKey, telling
from .writing import RunSet

__all__ = ("BoundAction", "Definition", "Policy")

R = TypeVar("R")
P = ParamSpec("P")

Policy = Literal["concurrent", "sequential", "droppable", "restartable"]
"""What a call does while a run is under way: start another one beside it, wait for its end, be
dropped, or cancel it and take its place. The words are bloc_concurrency's."""


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


class BoundAction(Itself, Generic[P, R]):
    """An action in one store: callable, and usable as `on_click` as it is.

    Calling it starts a run and returns it at once; nothing has to be awaited. `cancel` and
    `reset` work as event handlers too. A run that is started inside another run of the
    store is its child: it is cancelled with it.
    """

    __slots__ = ("__weakref__", "_lanes", "_owner", "action")

    def __init__(self, action: Definition, owner: Owner) -> None:
        self.action = action
        self._owner = owner
        self._lanes: Lanes[R] = Lanes(functools.partial(StatusKey[R], action))

    # ------------------------------------------------------------------ the face

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Start a run.

        It runs as a task of the store and inherits the context of the caller. The status is
        `running` at once. As an event handler it drops the event that Flet passes, unless the
        handler requires an argument. While another run is under way the policy decides.

        Returns:
            The run. Await it for the result, or leave it alone.

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
            started.on_done(lambda: self._refused(run))
        else:
            self._start(run, item)
        return run

    def call_now(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a sync handler here and now, without a task or an event loop, and return its result.

        It has a status like any other run. A droppable action that is under way is not called.

        Raises:
            RunCancelled: When it was dropped, or was cancelled by what it did.
            BusyError: For a sequential action that is under way.
            PurityError: Inside a selector.
            Exception: What the handler raises.
        """
        refuse_in_selector(f"starts {self.name}")
        run, item = self._make(args, kwargs)

        def call() -> R:
            lane = self._lanes.of(item)
            self._refuse_closed()
            if self._is_dropped(lane, run):
                raise run.cancelled_error()
            if self.action.policy == "sequential" and lane.runs:
                raise BusyError(
                    f"{self.name} is sequential and under way, so a call has to wait, and a sync one cannot. "
                    "Start a run: call the bound action, or use start or run_async."
                )
            self._take_its_place(lane)
            with self._telling():
                self._lanes.enter(run, lane)
                for track in lane.tracks:
                    track.started(run)
            return run.call_now()

        return self._owner.on_home(call)

    @property
    def status(self) -> Readable[ActionStatus[R]]:
        """What to read, watch or bind to know how the action is doing."""
        return self._lanes.all.status

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
        for run in [run for lane in self._lanes for run in lane.runs][::-1]:
            run.cancel(None if is_event(reason) else reason)

    def cancel_those_of(self, origin: object, reason: object) -> None:
        """Cancel the runs under way that a page has started."""
        for run in [run for lane in self._lanes for run in lane.runs][::-1]:
            if run.origin is not None and run.origin() is origin:
                run.cancel(reason)

    @property
    def is_at_rest(self) -> bool:
        """Whether no run is under way, and nobody observes how it is doing."""
        is_busy = any(lane.runs for lane in self._lanes)
        return not is_busy and not any(status.dependents for status in self._lanes.statuses)

    def retire(self) -> None:
        """Another one is found from here on: whoever has read how this one is doing looks again."""
        for status in self._lanes.statuses:
            status.version = tick()

    def reset(self, _event: object = None) -> None:
        """Cancel every run and set the status back to idle. Works as `on_click=action.reset`."""
        refuse_in_selector(f"resets {self.name}")
        self._owner.elsewhere(self.name, self._reset)

    @property
    def handler(self) -> Callable[P, Coroutine[Any, Any, R]]:
        """The action as a coroutine function, for where one is insisted on, such as `page.run_task`."""

        @functools.wraps(self.action.function)
        async def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return await self(*args, **kwargs)

        del call.__wrapped__  # its signature is not that of the function: get and set are given
        return call

    def __repr__(self) -> str:
        return f"<BoundAction {self.name}: {self._lanes.all.status.current.state}>"

    # ------------------------------------------------------------------ what runs need of it

    def call(self, set: RunSet, args: tuple[Any, ...], kwargs: dict[str, Any], /) -> Any:
        """Call the handler for one run."""
        return self.action.function(self._owner.reader, set, *args, **kwargs)

    def on_progress(self, run: Run[Any], fraction: float | None, text: str, /) -> None:
        """Show how far the run is, in the statuses that follow it."""
        self._show(run, progress=fraction, progress_text=text)

    def on_attempt(self, run: Run[Any], attempt: int, /) -> None:
        """Show which try of the run this is."""
        self._show(run, attempt=attempt, progress=None, progress_text="")

    def on_end(self, run: Run[Any], /) -> None:
        """Show how the run has ended, and let the next one begin."""
        with self._telling():
            lane = self._lanes.leave(run)
            if lane is None:
                return  # it was dropped
            if not run.is_forgotten:
                for track in lane.tracks:
                    track.ended(run)
            self._begin_queued(lane, run)

    def is_expected(self, error: BaseException, /) -> bool:
        """Whether an error is part of the action's normal results."""
        inner = errors_in(error)
        return all(map(self.is_expected, inner)) if inner else isinstance(error, self.action.expect)

    def status_of(self, *item: Hashable) -> Status[ActionStatus[R]]:
        """The status of all runs, or of those for one argument."""
        if not item:
            return self._lanes.all.status
        if self.action.per is None:
            raise TypeError(f"action {self.name} has one status for all; give it per=, the name of an argument")
        try:
            return self._lanes.of(item).tracks[-1].status
        except TypeError:
            raise TypeError(f"action {self.name}: an argument for per= must be hashable: {item[0]!r} is not") from None

    # ------------------------------------------------------------------ the machinery

    def _make(self, args: Any, kwargs: Any) -> tuple[Run[R], tuple[Hashable, ...]]:
        given: tuple[Any, ...] = args
        if len(given) == 1 and not self.action.takes and is_event(given[0]):
            given = ()
        item = self.action.check(given, kwargs)
        return Run(self, self._owner, given, kwargs), item

    def _refused(self, run: Run[R]) -> None:
        """Answer a run from another thread that was never started here."""
        if self._lanes.place(run) is None:
            run.abandon()

    def _start(self, run: Run[R], item: tuple[Hashable, ...]) -> Receipt:
        self._refuse_closed()
        lane = self._lanes.of(item)
        if self._is_dropped(lane, run):
            return DONE
        parent = current_run.get()
        # A listener is not the run that has written; and who takes a run's place is not its child.
        takes_its_place = self.action.policy == "restartable" and parent is not None and parent.is_below(lane.runs)
        if parent is not None and not (parent.is_done or here().draining or takes_its_place):
            parent.adopt(run)
        with self._telling():
            if self.action.policy == "sequential" and lane.runs:
                run.queue_after(lane.runs[-1])
                self._lanes.enter(run, lane)
                for track in lane.tracks:
                    track.queued(run)
                return DONE
            self._take_its_place(lane)
            run.begin()
            self._lanes.enter(run, lane)
            for track in lane.tracks:
                track.started(run)
        return DONE

    def _begin_queued(self, lane: Lane[R], ended: Run[Any]) -> None:
        if lane.is_beginning:  # it was one of those that end without having begun
            return
        lane.is_beginning, is_lost = True, ended.reason is LOST
        try:
            while lane.runs and lane.runs[0].is_queued and not self._owner.is_closed:
                run = lane.runs[0]
                if is_lost or not self._begins(run):
                    run.abandon()  # with its loop, as the one before it
                    continue
                for track in lane.tracks:
                    track.begun(run)
        finally:
            lane.is_beginning = False

    @staticmethod
    def _begins(run: Run[Any]) -> bool:
        try:
            run.begin()
        except Exception:  # pragma: no cover - its loop ends just then, and it is seldom that far
            return False  # the store has no loop any more
        return True

    def _is_dropped(self, lane: Lane[R], run: Run[R]) -> bool:
        dropped = self.action.policy == "droppable" and bool(lane.active)
        if dropped:
            run.drop()
        return dropped

    def _take_its_place(self, lane: Lane[R]) -> None:
        if self.action.policy == "restartable":
            for other in lane.runs[::-1]:
                other.cancel("a later call has taken its place")

    def _show(self, run: Run[Any], **parts: Any) -> None:
        lane = self._lanes.place(run)
        if lane is not None:
            with self._telling():
                for track in lane.tracks:
                    track.changed(run, **parts)

    def _refuse_closed(self) -> None:
        if self._owner.is_closed:
            raise ClosedError(f"cannot start {self.name}: the store is closed. Make a new one, or start it earlier.")

    def _telling(self) -> AbstractContextManager[None]:
        """Have the statuses change in one turn."""
        return telling(self._owner, self._lanes.all.status.key, "action")

    def _reset(self) -> Receipt:
        with self._telling():
            self.cancel("reset")
            for lane in self._lanes:
                for run in lane.runs:
                    run.is_forgotten = True  # it is still ending
                for track in lane.tracks:
                    track.reset()
            self._lanes.all.reset()
        return DONE


def is_event(value: object) -> bool:
    """Whether `value` is what Flet passes to an event handler. Does not import Flet."""
    module = sys.modules.get("flet.controls.control_event")
    return module is not None and isinstance(value, module.Event)
