"""One run of an action: a supervised task, and how it ends."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from types import TracebackType
from typing import Any, Generic, Literal, Protocol, TypeVar, cast

import anyio

from .core.calls import FATAL, as_exception
from .core.graph import user_traceback
from .core.turn import step_out_by
from .ending import GRACE, Watchdog, cancelled_in
from .errors import DeadlockError, RunCancelled
from .owner import Job, Owner, current_owner
from .receipt import DONE, Receipt
from .retry import Retry
from .timer import Timer
from .waiting import Behaviour, Completion, behaviour, wait_on
from .writing import Notes, RunSet

__all__ = ("LOST", "Run", "RunHandler", "RunState", "current_run")

R = TypeVar("R")

LOST = "the store was closed"
"""The reason of a run that its loop has left."""

RunState = Literal["pending", "running", "succeeded", "failed", "cancelled"]


class RunHandler(Protocol):
    """What a run needs of its action in a store."""

    @property
    def name(self) -> str:
        """What the action is called."""
        ...

    @property
    def timeout(self) -> float | None:
        """Seconds that a run may take."""
        ...

    @property
    def retry(self) -> Retry | None:
        """When a try that has failed is followed by another."""
        ...

    def call(self, set: RunSet, args: tuple[Any, ...], kwargs: dict[str, Any], /) -> Any:
        """Call the handler; what it returns may be awaitable."""
        ...

    def on_progress(self, run: Run[Any], fraction: float | None, text: str, /) -> None:
        """The run says how far it is."""
        ...

    def on_attempt(self, run: Run[Any], attempt: int, /) -> None:
        """The run is tried once more."""
        ...

    def on_end(self, run: Run[Any], /) -> None:
        """The run has ended, in whatever way."""
        ...

    def is_expected(self, error: BaseException, /) -> bool:
        """Whether an error is part of the action's normal results."""
        ...


class Run(Job, Generic[R]):
    """One run of an action, made by calling it.

    `await run` gives what the handler returned. Cancelling the task that awaits it cancels
    the run too, if nobody else waits for it, and waits a moment for it to end;
    `await run.wait()` only watches.
    """

    __slots__ = (
        "__weakref__",
        "_args",
        "_behaviour",
        "_cancel_asked",
        "_children",
        "_completion",
        "_context",
        "_error",
        "_kwargs",
        "_limit",
        "_notes",
        "_owner",
        "_parent",
        "_patience",
        "_scope",
        "_state",
        "_traceback",
        "_value",
        "handler",
        "is_forgotten",
        "is_queued",
        "origin",
        "reason",
    )

    kind = "action"

    def __init__(self, handler: RunHandler, owner: Owner, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.handler = handler
        self.reason: object = None
        """What was given to `cancel`, `"dropped"` for a run that never started, or None."""
        self._owner = owner
        self._args = args
        self._kwargs = kwargs
        self._behaviour = Behaviour(f"a run of {handler.name}")
        self._completion = Completion(self._unheard)
        self._state: RunState = "pending"
        self._cancel_asked = False
        self._scope: anyio.CancelScope | None = None
        self._limit: anyio.CancelScope | None = None
        self._value: R | None = None
        self._error: BaseException | None = None
        self._traceback: TracebackType | None = None
        self._notes = Notes()
        self._parent: Run[Any] | None = None
        self._patience: Timer | None = None  # until it is to be reported as stuck, if it has a timeout
        self._children: list[Run[Any]] = []
        self._context: Context | None = None  # of its starter, while it is queued
        self.origin = owner.origin()
        """Who it was started by, if that may go away before it: a page."""
        self.is_queued = False
        """Whether it waits for the run before it to end."""
        self.is_forgotten = False
        """Whether its action was reset meanwhile: then no status knows of it."""

    # ------------------------------------------------------------------ the face

    @property
    def name(self) -> str:  # type: ignore[override]  # read-only here
        """What the action is called."""
        return self.handler.name

    @property
    def state(self) -> RunState:
        """Where the run is, one of `pending`, `running`, `succeeded`, `failed` and `cancelled`."""
        return self._state

    @property
    def error(self) -> BaseException | None:
        """What a failed run failed with."""
        return self._error

    @property
    def value(self) -> R | None:
        """What a succeeded run returned."""
        return self._value

    @property
    def is_done(self) -> bool:
        """Whether the run has ended."""
        return self._completion.is_done

    @property
    def is_stopping(self) -> bool:
        """Whether the run was cancelled, is out of time, or has ended without success."""
        return self._cancel_asked or self._is_late or self._state in ("failed", "cancelled")

    @property
    def _is_late(self) -> bool:
        if self._limit is None:
            return False
        try:
            return self._limit.cancel_called
        except RuntimeError:  # trio looks at the clock, which other threads do not have
            return self._owner.on_home(lambda: self._is_late)

    def on_progress(self, fraction: float | None, text: str) -> None:
        """Show in the action's status how far the run is."""
        self.handler.on_progress(self, fraction, text)

    def cancel(self, reason: object = None) -> None:
        """Ask the run to end; from any thread, at any time. A run that has ended stays as it is.

        The handler gets the cancellation at its next `await`; its cleanup may still put
        values back. The state becomes `cancelled` when it has ended.

        Args:
            reason: What `RunCancelled.reason` says to those who await the run.
        """
        if self._completion.is_done or self._cancel_asked:
            return
        if not self._owner.is_here:
            self._owner.elsewhere(self.name, lambda: self._cancel(reason))
        else:
            self._cancel(reason)

    async def wait(self) -> None:
        """Wait until the run has ended, however it ends. It only watches.

        Cancelling the wait leaves the run alone, and an error of the run still goes to
        whoever awaits the run itself, else to `on_error`.

        Raises:
            DeadlockError: Inside the run itself.
        """
        await wait_on(self._completion, self._behaviour, hears=False)

    def __await__(self) -> Generator[Any, None, R]:
        return self._outcome().__await__()

    def __repr__(self) -> str:
        return f"<Run of {self.name}: {self._state}>"

    # ------------------------------------------------------------------ waiting

    async def _outcome(self) -> R:
        try:
            await wait_on(self._completion, self._behaviour)
        except anyio.get_cancelled_exc_class():
            if not self._completion.waiters and not self._completion.is_done:
                self.cancel("nobody waits for it any more")
                with anyio.CancelScope(shield=True), anyio.move_on_after(GRACE), suppress(DeadlockError):
                    await self.wait()
            raise
        if self._state == "succeeded":
            return cast("R", self._value)
        if self._state == "failed":
            assert self._error is not None
            raise self._error.with_traceback(self._traceback)
        raise self.cancelled_error()

    def cancelled_error(self) -> RunCancelled:
        """What awaiting it raises when it was cancelled."""
        why = f": {self.reason}" if self.reason is not None else ""
        return RunCancelled(f"{self.name} was cancelled{why}", self.reason)

    # ------------------------------------------------------------------ the task

    async def run(self) -> None:
        """The outermost frame of the task: it lets neither exception nor cancellation out."""
        behaviour.set(self._behaviour)
        current_owner.set(self._owner)
        current_run.set(self)
        self._owner.fresh_context()
        if self._cancel_asked:
            self._end("cancelled")
            return
        self._state = "running"
        value: Any = None
        try:
            with anyio.CancelScope() as self._scope:
                with anyio.CancelScope() as self._limit:
                    if self.handler.timeout is not None:
                        self._limit.deadline = anyio.current_time() + self.handler.timeout
                        self._patience = self._owner.timers.start(self.handler.timeout + GRACE, self._stuck)
                    value = await self._attempts()
        except Exception as error:
            self._end_with(error)
        except FATAL as error:
            self._end("failed", error)
            raise
        except BaseException as error:
            self._end_with_stray(error)
        else:
            self._end_well(value)

    async def _attempts(self) -> Any:
        """Call the handler until it succeeds, or is not to be tried again. A timeout covers all of it."""
        retry, attempt = self.handler.retry, 0
        while True:
            attempt += 1
            set = RunSet(self, self._owner, self._notes)
            try:
                value = self.handler.call(set, self._args, self._kwargs)
                return await value if inspect.isawaitable(value) else value
            except Exception as error:
                if (
                    retry is None
                    or self.is_stopping
                    or self.handler.is_expected(error)
                    or cancelled_in(error) is not None
                    or not retry.allows(error, attempt)
                ):
                    raise
            # What the failed try has left running does not write any more, and what it started ends.
            set.is_dead = True
            self._cancel_children(f"{self.name}, which had started it, is tried once more")
            await anyio.sleep(retry.delay(attempt))
            self.handler.on_attempt(self, attempt + 1)

    def call_now(self) -> R:
        """Call a sync handler here and now, without a task; return its result, or raise its error."""
        self._state = "running"
        self._completion.waiters += 1  # the caller hears of the error
        token = current_owner.set(self._owner)
        try:
            value: R = self.handler.call(RunSet(self, self._owner, self._notes), self._args, self._kwargs)
        except Exception as error:
            self._end_with(error)
            raise
        except BaseException as error:
            self._end("failed", error)
            raise
        finally:
            current_owner.reset(token)
        self._end_well(value)
        if self._cancel_asked:
            raise self.cancelled_error()
        return value

    def begin(self) -> None:
        """Start the task."""
        self.is_queued = False
        self._behaviour.waits.clear()
        context, self._context = self._context, None
        if context is None:
            self._owner.spawn(self)
        else:
            context.run(self._owner.spawn, self)

    def queue_after(self, other: Run[Any]) -> None:
        """Wait for another run to end; whoever awaits this one waits for that one, too."""
        self.is_queued = True
        self._context = copy_context()
        self._behaviour.waits.append(other._behaviour)

    @property
    def children(self) -> list[Run[Any]]:
        """The runs that were started by this one and are under way."""
        return [each for each in self._children if not each.is_done]

    def adopt(self, child: Run[Any]) -> None:
        """Another run was started by this one, and is to be cancelled with it."""
        self._children = [*self.children, child]
        child._parent = self

    def is_below(self, others: list[Run[Any]]) -> bool:
        """Whether it is one of these runs, or was started by one of them, or by a run that was."""
        run: Run[Any] | None = self
        while run is not None and run not in others:
            run = run._parent
        return run is not None

    def _end_well(self, value: Any) -> None:
        if self._cancel_asked:  # also if the handler swallowed it
            self._end("cancelled")
        elif self._is_late:
            self._end_with(None)
        else:
            self._value = cast("R", value)
            self._end("succeeded")

    def _end_with_stray(self, error: BaseException) -> None:
        """End after a cancellation that was not by our scopes, or after some other BaseException."""
        stray = anyio.get_cancelled_exc_class()
        rest: BaseException | None = None if isinstance(error, stray) else error
        split: Any = getattr(error, "split", None)
        if callable(split):
            # A group: on trio, a nursery of the handler mixes the host's cancellation with errors of its children.
            rest = cast("Any", split(stray))[1]
        if rest is error:
            self._end("failed", as_exception(error))
            return
        self._end("cancelled", reason=LOST if self._owner.is_closed else None)
        self._report_stirred(rest)

    def _end_with(self, error: Exception | None) -> None:
        """End after an error, which may be only what the cancellation stirred up."""
        if self._cancel_asked:
            self._end("cancelled")
            self._report_stirred(error)
            return
        if self._is_late:
            late = TimeoutError(f"{self.name} did not finish within {self.handler.timeout} s")
            late.__cause__ = error
            error = late
        assert error is not None
        cancelled = cancelled_in(error)
        if cancelled is not None:  # a run that this one awaited was cancelled, and this one did not mind it
            self._end("cancelled", reason=cancelled.reason)
        else:
            self._end("failed", error)

    def _report_stirred(self, error: BaseException | None) -> None:
        """Report what a cancellation has stirred up, unless it is nothing that the action did not expect."""
        if error is not None and cancelled_in(error) is None and not self.handler.is_expected(error):
            self._owner.report(as_exception(error), self.name, "action (while it was being cancelled)")

    def _end(self, state: RunState, error: BaseException | None = None, reason: object = None) -> None:
        if self._completion.is_done:
            return
        if state == "cancelled" and self._state == "pending" and reason is None:
            reason = "dropped"  # it never ran
        self._notes.let_go()  # before the state says that it has ended: what counts is whether it was to stop
        self._state = state
        if state == "cancelled" and self.reason is None:
            self.reason = reason
        if error is not None:
            self._error = error
            self._traceback = user_traceback(error.__traceback__)
        self._args, self._kwargs, self._context, self._parent = (), {}, None, None
        if self._patience is not None:
            self._patience.cancel()
        if state != "succeeded":
            self._cancel_children()
        self.handler.on_end(self)
        self._completion.finish(error)

    def _cancel_children(self, why: str = "") -> None:
        """Cancel what was started for this run: runs, and updates that await."""
        self._notes.stop_work()
        children, self._children = self._children, []
        for child in children[::-1]:
            child.cancel(why or f"{self.name}, which had started it, has ended before it was done")

    def _stuck(self) -> None:
        if not self._cancel_asked:  # else a watchdog says it
            text = f"{self._behaviour.name} is stuck: still going {GRACE} s after its time was over"
            self._owner.report(TimeoutError(text), self.name, "action")

    def _unheard(self, error: BaseException) -> None:
        if not self.handler.is_expected(error):
            self._owner.report(error, self.name, "action")

    def drop(self) -> None:
        """End the run before it has begun: the policy of its action has no place for it."""
        self._end("cancelled", reason="dropped")

    def abandon(self) -> None:
        self._end("cancelled", reason=LOST)

    def _cancel(self, reason: object) -> Receipt:
        if not self._completion.is_done and not self._cancel_asked:
            self._cancel_asked = True
            self.reason = reason
            if self._scope is not None:
                self._scope.cancel()
                self._owner.spawn(Watchdog(self._behaviour.name, self.name, "action", self._completion, self._owner))
                self._cancel_children()
            elif self.is_queued:
                self._end("cancelled")
        return DONE


current_run: ContextVar[Run[Any] | None] = ContextVar("flet_asp_actors_run", default=None)
"""The run that the current task belongs to, if any."""


def _step_out() -> Callable[[], object]:
    """Be no part of any work for a while, with the tasks that are made meanwhile; returns how to go back."""
    before = behaviour.set(None), current_owner.set(None), current_run.set(None)

    def go_back() -> None:
        behaviour.reset(before[0])
        current_owner.reset(before[1])
        current_run.reset(before[2])

    return go_back


step_out_by(behaviour.get, _step_out)
