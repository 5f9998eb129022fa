"""The async selector: a derived value that takes time, computed by a task of the store.

Latest wins: when what it has read changes, the computation under way is cancelled and a new
one begins; what the old one still brings is refused. Nobody who observes or awaits it: no task.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVar

import anyio

from .async_key import is_async
from .async_outcome import Outcome
from .async_value import IDLE_VALUE, AsyncState
from .computation import Computation, Options
from .core.calls import call_all
from .core.turn import Leader, Watcher, here
from .core.values import is_a
from .deprecation import deprecated
from .door import HOMELESS, running_home
from .errors import ClosedError, CycleError, DeadlockError, RunCancelled
from .handle import Handle
from .key import label
from .owner import Job, Owner
from .reading import Get
from .receipt import DONE, Pending, Receipt
from .timer import Timer
from .waiting import Behaviour, behaviour

__all__ = ("AsyncSelector", "Interest")

T = TypeVar("T")
V = TypeVar("V")

_STALE = -1
"""The version of inputs that no value belongs to."""

_PASSING = (RunCancelled, CycleError, DeadlockError)
"""Failures that say nothing about the inputs: the next one who needs the value has it computed again."""


class AsyncSelector(Outcome[T, V], Handle[V]):
    """A live handle of one async selector in one store.

    `value` is the last value, or `initial`, or None; `status` is an `AsyncValue` to bind or
    to read; `await handle.resolve()` gives the value for the latest inputs. It is computed
    as long as somebody observes or awaits it. After a failure the previous value stays; if
    there is none (nor an `initial`), reading it raises.
    """

    __slots__ = (
        "__weakref__",
        "_cleanups",
        "_computed_for",
        "_function",
        "_is_held",
        "_is_wanted",
        "_settled_at",
        "_timer",
        "_trigger",
        "computation",
        "on_interest",
    )

    def __init__(self, key: Any, function: Callable[[Any], Any], owner: Owner, options: Options) -> None:
        super().__init__(key, owner, options)
        self.on_interest: Callable[[], object] | None = None
        """Called when somebody begins to observe or await it, and when nobody does any more."""
        self.computation: Computation | None = None
        """The one under way."""
        self._function = function
        self._trigger = _Trigger(self)
        self.attention = self._status.attention = (self.look,)
        self._is_wanted = False
        self._is_held = False
        self._computed_for = _STALE  # the version of the inputs that the value, or the failure, belongs to
        self._settled_at = 0.0  # by the loop's clock
        self._timer: Timer | None = None  # until the next refresh while wanted, until the value is given up else
        self._cleanups: list[Callable[[], object]] = []

    # ------------------------------------------------------------------ the face

    async def resolve(self) -> T:
        """Wait for the value of the latest inputs, those of the selectors above included. See `state.resolve`.

        Raises:
            DeadlockError: Inside its own computation.
            ClosedError: When the store has ended, or the loop.
            Exception: What the function raised.
        """
        value: T = await self.owner.reader.resolve(self)
        return value

    def refresh(self) -> Receipt:
        """Compute it anew now, whoever observes it or not; a computation under way is superseded. From any thread.

        Returns:
            A receipt; `await` it for the end of the computation, or of that which supersedes it.

        Raises:
            DeadlockError: Inside its own computation.
            ClosedError: When the store has ended.
        """
        self.owner.look_after_home()
        if self.owner.is_closed:
            raise ClosedError(f"cannot refresh {label(self.key)}: the store is closed")
        self.refuse_itself("refreshes")
        return self.owner.elsewhere(self.key, self._refresh)

    def _refresh(self) -> Receipt:
        work = Behaviour(f"a refresh of {label(self.key)}")
        receipt = Pending(work, self.owner, self.failed_unheard)
        interest = Interest(self)

        def follow(last: Computation | None = None) -> None:
            computation = self.computation
            if computation is None:
                interest.stop()
                receipt.finish(last.completion.error if last is not None else None)
                return
            work.waits = [computation.behaviour]
            computation.completion.hear(lambda: follow(computation))
            if last is not None:
                last.completion.disregard()  # the receipt is for what comes after it

        with here():
            self._computed_for = _STALE
            was_wanted = self._is_wanted
            interest.begin()
            if was_wanted and not self._is_given:
                self._begin(0)
        follow()
        return receipt

    @deprecated("use refresh, whose receipt can be awaited")
    def recompute(self) -> Receipt:
        """The same as `refresh`."""
        return self.refresh()

    def invalidate(self) -> None:
        """The value is no longer what it should be: compute it anew now if it is observed, else when it is needed.

        May be called from any thread.

        Raises:
            DeadlockError: Inside its own computation.
            ClosedError: When the store has ended.
        """
        self.refuse_itself("invalidates")
        self.owner.elsewhere(self.key, self._invalidate)

    def _invalidate(self) -> Receipt:
        self._computed_for = _STALE
        if self._is_wanted and not self._is_given:
            self._begin(0)
        return DONE

    def __repr__(self) -> str:
        return f"<AsyncSelector {self.key}: {self._status.current.state}>"

    # ------------------------------------------------------------------ life

    def forget(self) -> None:
        """Begin as at first: without a value; computed anew at once if somebody observes it."""
        if self._is_given:
            return
        with here():
            self._computed_for = _STALE
            self.forget_value()
            if self._is_wanted:
                self._begin(0)
                return
            self._cancel_timer()
            self.clean_up()
            self.inputs.forget()
            self._replace(None)
            self._status.publish(IDLE_VALUE)

    def close(self, why: str) -> None:
        """End for good: no computation, no task; those who wait get a `ClosedError`."""
        for part in (self, self._status):
            part.attention = tuple(call for call in part.attention if call != self.look)
        self._rest(ClosedError(why))
        self.clean_up()

    def lose_loop(self, why: str) -> None:
        """Its loop has ended in the middle: those who wait are told, and it begins again on the next one."""
        if self.owner.is_closed:
            self._rest(ClosedError(why))
            return
        again = Computation(self, 0)
        self._replace(again, ClosedError(why))
        self.owner.hold(again)

    # ------------------------------------------------------------------ who wants it

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody observes or awaits it, and nothing is under way."""
        return not (self._is_wanted or self._is_needed)

    @property
    def _is_needed(self) -> bool:
        return bool(self.dependents or self._status.dependents)

    def refuse_itself(self, what: str) -> None:
        """Raise `DeadlockError` inside its own computation: what it does then would begin another, for ever."""
        if self.computation is not None and behaviour.get() is self.computation.behaviour:
            raise DeadlockError(f"{label(self.key)} {what} itself while it computes, and would never come to an end")

    def look(self) -> None:
        """Somebody has begun to observe or await it, or nobody does any more."""
        is_wanted = self._is_needed and not self.owner.is_closed
        if is_wanted == self._is_wanted:
            return
        if is_wanted:
            self._is_wanted = True
            self._cancel_timer()
            self.inputs.look_again()
            self._trigger.start()
            self.ensure()
        else:
            self._rest(None)
            if self.on_interest is None and self.options.keep_for is not None and not self.owner.is_closed:
                self._timer = self.owner.timers.start(self.options.keep_for, self.forget)
        if self.on_interest is not None:
            self.on_interest()

    def _rest(self, error: BaseException | None) -> None:
        """Hold no task, and be told of nothing. It begins from the start, or goes on, when it is needed again."""
        self._is_wanted = False
        self._cancel_timer()
        self.inputs.end()
        self._trigger.stop()
        if self.computation is not None:
            self.inputs.forget()
            self._computed_for = _STALE
            self._replace(None, error)
            self.show("ready" if self.has_value else "idle")

    def go_on(self) -> None:
        """There is a loop again."""
        self._is_held = False
        self.ensure()

    def ensure(self) -> None:
        """Begin a computation, unless one is under way or the value is fresh."""
        if not self._is_wanted or self.computation is not None:
            return
        if self._is_stale:
            self._begin(0)
        elif self._timer is None:
            self._wait_for_next()

    @property
    def _is_stale(self) -> bool:
        if self._is_given:
            return False
        if self._computed_for != self.inputs.version:
            return True
        limits = (self.options.stale_after, self.options.refresh_every)
        return any(limit is not None and self._age() >= limit for limit in limits)

    # ------------------------------------------------------------------ one computation after the other

    def on_change(self) -> None:
        """What the last computation has read is another now."""
        if self._is_needed and not self.owner.is_closed:
            self._begin(self.options.debounce)

    def _begin(self, debounce: float) -> None:
        """Begin a computation; the one under way is superseded, and lets go of what it holds."""
        self.owner.look_after_home()
        with here():
            self._cancel_timer()
            if not self.options.keep_previous and self.has_value:
                self.forget_value()
            if self._is_about_to_begin:
                assert self.computation is not None
                self.computation.debounce = debounce  # it has not read anything yet
            else:
                self.clean_up()
                self._replace(Computation(self, debounce))
                self._start()
            state: AsyncState = "refreshing" if self.has_value else "loading"
            if self._status.current.state != state or self._status.current.progress is not None:
                self.show(state)

    @property
    def _is_about_to_begin(self) -> bool:
        if self.computation is None or self.computation.has_begun:
            return False
        return self.owner.thread != HOMELESS or running_home() is None  # else it was held, and there is a loop now

    def _start(self) -> None:
        assert self.computation is not None
        try:
            # It belongs to no page, and to no run.
            Context().run(self.owner.spawn, self.computation)
        except BaseException:
            self._replace(None)
            raise

    def _replace(self, computation: Computation | None, error: BaseException | None = None) -> None:
        last, self.computation = self.computation, computation
        if last is not None:
            last.cancel()
            last.completion.finish(error)  # those who wait look again

    def settle(self, value: Any, error: BaseException | None) -> None:
        """The computation under way has ended."""
        computation, self.computation = self.computation, None
        assert computation is not None
        self._computed_for = _STALE if isinstance(error, _PASSING) else self.inputs.version
        self._settled_at = anyio.current_time()
        if isinstance(error, RunCancelled) and not self._is_held:
            self._is_held = True
            self.owner.hold(_Again(self))  # it may be that the loop is ending
        try:
            with here():
                self.inputs.end()
                if error is None:
                    try:
                        self.take(value)
                    except Exception as wrong:  # out of the user's equals
                        error = wrong
                if error is not None:
                    self.fail(error)
                    computation.failed = self.last_failure
            if self.computation is None:  # else somebody who was told has changed the inputs
                self._wait_for_next()
        finally:
            computation.completion.finish(error)

    # ------------------------------------------------------------------ time

    def _age(self) -> float:
        """Seconds since the last computation has ended; 0 where no clock goes."""
        if running_home() is None:
            return 0.0
        age = anyio.current_time() - self._settled_at
        return age if age >= 0 else float("inf")  # by the clock of another loop

    def _wait_for_next(self) -> None:
        """Have the value computed anew in a while, if it is one that is."""
        every = self.options.refresh_every
        if every is None or not self._is_wanted:
            return
        self._cancel_timer()
        self._timer = self.owner.timers.start(max(0.0, every - self._age()), self._invalidate)

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    # ------------------------------------------------------------------ what a computation needs

    def is_current(self, computation: Computation) -> bool:
        """Whether the computation is the one that counts."""
        return self.computation is computation

    @property
    def is_async(self) -> bool:
        """Whether its function is a coroutine function."""
        return is_async(self._function)

    def call(self, get: Get) -> Any:
        """Call the function for one computation."""
        return self._function(get)

    def owes_cleanup(self, call: Callable[[], object]) -> None:
        """Have `call` called before the next computation, and at the end."""
        self._cleanups.append(call)

    def clean_up(self) -> None:
        """Call what the last computation, or the last try, has left to be called."""
        call_all(self._cleanups, lambda error: self.owner.report(error, self.key, "cleanup of a selector"))


class Interest(Watcher):
    """Somebody who waits: to the selector the same as one who observes."""

    __slots__ = ()

    def begin(self) -> None:
        """From now on somebody waits; a value that is stale is computed."""
        self.start()
        node: Any = self.node
        if is_a(node, AsyncSelector):
            node.look()  # now, also in the middle of a turn
            node.ensure()

    def notify(self) -> None:
        """It looks by itself when a computation has ended."""

    def report(self, error: BaseException) -> None:
        """The same: it raises what it finds then."""


class _Again(Job):
    """Computes on the next loop what may have been cut off with the last one, if somebody observes it."""

    __slots__ = ("_selector", "name")

    is_service = True
    can_wait = True

    def __init__(self, selector: AsyncSelector[Any, Any]) -> None:
        self.name = label(selector.key)
        self._selector = selector

    async def run(self) -> None:
        self._selector.go_on()

    def abandon(self) -> None:
        """Nobody waits for it."""


class _Trigger(Leader):
    """Begins a new computation when the inputs of the last one have changed."""

    __slots__ = ("_selector",)

    def __init__(self, selector: AsyncSelector[Any, Any]) -> None:
        super().__init__(selector.inputs)
        self._selector = selector

    def notify(self) -> None:
        self._selector.on_change()

    def report(self, error: BaseException) -> None:
        raise AssertionError("inputs do not fail")  # pragma: no cover - and so nobody calls it
