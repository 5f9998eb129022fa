"""The async selector: a derived value that takes time, computed by a task of the store.

Latest wins: when what it has read changes, the computation under way is cancelled and a new
one begins; what the old one still brings is refused. Nobody who observes or awaits it: no task.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import replace
from typing import Any, Generic, NoReturn, TypeVar, cast

import anyio
import anyio.lowlevel

from .async_value import IDLE_VALUE, AsyncState, AsyncValue
from .computation import NO_INITIAL, Computation, Options
from .core.evaluate import evaluating, now_computing, read_by
from .core.graph import Node, clock, tick, user_traceback
from .core.inputs import Inputs
from .core.turn import Watcher, here, mark_dependents
from .core.values import is_immutable, private_copy, same
from .door import running_home
from .errors import ClosedError, ReadOnlyError, RunCancelled
from .key import Readable, label
from .owner import Owner
from .reading import Async, Get
from .receipt import Pending, Receipt
from .status import Status
from .timer import Timer
from .waiting import Behaviour, wait_on

__all__ = ("AsyncSelector", "AsyncSelectorKey", "AsyncStatusKey", "Options", "is_async")

T = TypeVar("T")
V = TypeVar("V")

_STALE = -1
"""The version of inputs that no value belongs to."""


def is_async(function: Any) -> bool:
    """Whether calling it gives a coroutine: an async function, a partial of one, an object with an async `__call__`."""
    while isinstance(function, functools.partial):
        function = cast("Any", function).func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


class AsyncSelectorKey(Async[T, V]):
    """What `@fa.selector` makes of an async function: a typed key that works in any store.

    Calling it calls the function, with whatever `get` is handed in.
    """

    __slots__ = ("__weakref__", "function", "name", "options")

    def __init__(self, function: Callable[[Get], Any], name: str, options: Options) -> None:
        options.check(name)
        self.function = function
        self.name = name
        self.options = options

    def __call__(self, get: Get) -> Any:
        return self.function(get)

    @property
    def status(self) -> Readable[AsyncValue[T]]:
        return AsyncStatusKey[T](self)

    def __repr__(self) -> str:
        return f"selector {self.name}"


class AsyncStatusKey(Readable[AsyncValue[T]]):
    """The key of an async selector's status."""

    __slots__ = ("selector",)

    def __init__(self, selector: Any) -> None:
        self.selector = selector

    def __hash__(self) -> int:
        return hash((AsyncStatusKey, self.selector))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncStatusKey) and bool(other.selector == self.selector)

    def __repr__(self) -> str:
        return f"status of {self.selector}"


class AsyncSelector(Node, Async[T, V], Generic[T, V]):
    """A live handle of one async selector in one store.

    `value` is the last value, or `initial`, or None; `status` is an `AsyncValue` to bind or
    to read; `await state.resolve(key)` gives the value for the latest inputs. It is computed
    as long as somebody observes or awaits it. After a failure the previous value stays; if
    there is none (nor an `initial`), reading it raises.
    """

    __slots__ = (
        "__weakref__",
        "_cleanups",
        "_computation",
        "_computed_for",
        "_function",
        "_has_failed",
        "_inputs",
        "_is_given",
        "_is_wanted",
        "_settled_at",
        "_status",
        "_timer",
        "_traceback",
        "_trigger",
        "_waiters",
        "error",
        "has_value",
        "is_reported",
        "on_rest",
        "options",
        "owner",
    )

    def __init__(self, key: Any, function: Callable[[Any], Any], owner: Owner, options: Options) -> None:
        super().__init__(key, None)
        self.owner = owner
        self.options = options
        self.error: BaseException | None = None
        self.is_reported = True  # by the computation that failed, to whoever awaited it or to on_error
        self.has_value = self._has_failed = False
        self.on_rest: Callable[[], object] | None = None
        """Called when nobody observes or awaits it any more."""
        self._function = function
        self._traceback: Any = None
        self._inputs = Inputs(key, owner.scope, self._is_own, keeps_fresh=options.debounce > 0)
        self._trigger = _Trigger(self)
        self._status: Status[AsyncValue[T]] = _AsyncStatus(self)
        self.attention = self._status.attention = (self.look,)
        self._is_given = False
        self._is_wanted = False
        self._waiters = 0
        self._computation: Computation | None = None
        self._computed_for = _STALE  # the version of the inputs that the value, or the failure, belongs to
        self._settled_at = 0.0
        self._timer: Timer | None = None  # until the next refresh while wanted, until the value is given up else
        self._cleanups: list[Callable[[], object]] = []
        self.current = self._initial()

    # ------------------------------------------------------------------ the face

    @property
    def value(self) -> V:
        """The last value; it never waits, and starts nothing.

        Raises:
            Exception: What the function raised, when there is no value to fall back to.
        """
        if evaluating and (computing := now_computing()) is not None:
            watched: V = read_by(computing, self)
            return watched
        if self.error is not None:
            self.throw()
        value: V = self.current
        return value

    @property
    def status(self) -> Readable[AsyncValue[T]]:
        return self._status

    def throw(self) -> NoReturn:
        assert self.error is not None
        raise self.error.with_traceback(self._traceback)

    async def resolve(self) -> T:
        """Wait for the value of the latest inputs, those of the selectors above included.

        All who wait share one computation; it is cancelled only when the last of them, and
        the last observer, has gone.

        Raises:
            DeadlockError: Inside its own computation.
            ClosedError: When the store has ended.
            Exception: What the function raised.
        """
        await anyio.lowlevel.checkpoint_if_cancelled()
        self.owner.on_home(self._join)
        try:
            while (busy := self.owner.on_home(self._under_way)) is not None:
                await wait_on(busy.completion, busy.behaviour)
            failure = self._status.current.error
            if failure is not None:
                raise failure.with_traceback(self._traceback)
            value: T = self.current
            return value
        finally:
            self.owner.on_home(self._leave)

    def refresh(self) -> Receipt:
        """Compute it anew now, whoever observes it or not; a computation under way is superseded."""
        self.owner.look_after_home()
        if self.owner.is_closed:
            raise ClosedError(f"cannot refresh {label(self.key)}: the store is closed")
        work = Behaviour(f"a refresh of {label(self.key)}")
        receipt = Pending(work, self.owner, self.failed_unheard)
        self._computed_for = _STALE
        self._join(begin=True)

        def follow(last: Computation | None = None) -> None:
            computation = self._computation
            if computation is None:
                self._leave()
                receipt.finish(last.completion.error if last is not None else None)
                return
            work.waits = [computation.behaviour]
            computation.completion.waiters += 1  # the receipt hears of its error
            computation.completion.on_finish(lambda: follow(computation))

        follow()
        return receipt

    def know(self, value: Any) -> None:
        """The value is given, once and for all: there is nothing to compute."""
        self._is_given = True
        self.current = value
        self.has_value = True
        self._status.current = AsyncValue("ready", value, updated_at=time.time())

    def invalidate(self) -> None:
        """The value is no longer what it should be: compute it anew now if it is observed, else when it is needed."""
        self._computed_for = _STALE
        if self._is_wanted and not self._is_given:
            with here():
                self._begin(0)

    def forget(self) -> None:
        """Begin as at first: without a value; computed anew at once if somebody observes it."""
        if self._is_given:
            return
        with here():
            self._computed_for = _STALE
            self._forget_value()
            if self._is_wanted:
                self._begin(0)
                return
            self._cancel_timer()
            self.clean_up()
            self._replace(None)
            self._status.publish(IDLE_VALUE)

    def close(self, why: str) -> None:
        """End for good: no computation, no task; those who wait get a `ClosedError`."""
        self.attention = self._status.attention = ()
        self.stop(why)
        self.clean_up()

    def stop(self, why: str) -> None:
        """Its loop has ended: let go of everything, and begin again when it is next observed or awaited."""
        self._cancel_timer()
        self._inputs.end()
        self._trigger.stop()
        self._is_wanted = False
        if self._computation is not None:
            self._give_up(ClosedError(why))

    def _refuse(self, *_: object) -> NoReturn:
        """Raise `ReadOnlyError`: a selector is computed, not written."""
        raise ReadOnlyError(
            f"{label(self.key)} is a selector, and its value is computed. Write the atoms that it reads."
        )

    set = update = mutate = reset = _refuse

    def __repr__(self) -> str:
        return f"<AsyncSelector {self.key}: {self._status.current.state}>"

    # ------------------------------------------------------------------ who wants it

    @property
    def upstream(self) -> Iterable[Node]:
        return self._inputs.sources

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody observes or awaits it, and nothing is under way."""
        return not (self._is_wanted or self._waiters or self.dependents or self._status.dependents)

    def _is_own(self, node: Node) -> bool:
        return node is self or node is self._status

    def look(self) -> None:
        """Somebody has begun to observe or await it, or nobody does any more."""
        wanted = not self.owner.is_closed and bool(self.dependents or self._status.dependents or self._waiters)
        if wanted == self._is_wanted:
            return
        self._is_wanted = wanted
        self._cancel_timer()
        if wanted:
            self._trigger.start()
            self._ensure()
            return
        self._inputs.end()
        self._trigger.stop()
        if self._computation is not None:
            self._give_up(None)
        if self.on_rest is not None:
            self.on_rest()
        elif self.options.keep_for is not None and not self.owner.is_closed:
            self._timer = Timer(self.owner, self.options.keep_for, self.forget, f"{label(self.key)} is kept")

    def _join(self, begin: bool = False) -> None:
        self._waiters += 1
        with here():
            self.look()
            if begin and not self._is_given and (self._computation is None or self._computation.has_begun):
                self._begin(0)
            else:
                self._ensure()

    def _leave(self) -> None:
        self._waiters -= 1
        with here():
            self.look()

    def _ensure(self) -> None:
        """Begin a computation, unless one is under way or the value is fresh."""
        if self._computation is None:
            if self._is_stale:
                self._begin(0)
            elif self._timer is None:
                self._wait_for_next()

    @property
    def _is_stale(self) -> bool:
        if self._is_given:
            return False
        if self._computed_for != self._inputs.version:
            return True
        limit = self.options.stale_after
        return limit is not None and running_home() is not None and anyio.current_time() - self._settled_at >= limit

    def _under_way(self) -> Computation | None:
        """The computation that a fresh value has to wait for: its own, or that of a selector above."""
        if self.owner.is_closed:
            raise ClosedError(f"cannot resolve {label(self.key)}: the store is closed")
        self._ensure()
        if self._computation is not None:
            return self._computation
        seen: set[Node] = set()
        todo = list(self.upstream)
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            if isinstance(node, AsyncSelector) and node._computation is not None:
                return node._computation
            todo.extend(node.upstream)
        return None

    # ------------------------------------------------------------------ one computation after the other

    def on_change(self) -> None:
        """What the last computation has read is another now."""
        self._begin(self.options.debounce)

    def _begin(self, debounce: float) -> None:
        """Begin a computation; the one under way is superseded, and lets go of what it holds."""
        self._cancel_timer()
        self.clean_up()
        if not self.options.keep_previous and self.has_value:
            self._forget_value()
        computation = Computation(self, debounce)
        self._replace(computation)
        try:
            # It belongs to no page, and to no run.
            Context().run(self.owner.spawn, computation)
        except BaseException:
            self._replace(None)
            raise
        state: AsyncState = "refreshing" if self.has_value else "loading"
        if self._status.current.state != state or self._status.current.progress is not None:
            self._show(state, None)

    def _replace(self, computation: Computation | None, error: BaseException | None = None) -> None:
        last, self._computation = self._computation, computation
        if last is not None:
            last.cancel()
            last.completion.finish(error)  # those who wait look again

    def _give_up(self, error: BaseException | None) -> None:
        """Cancel what is under way, with nothing in its place; it begins from the start when it is needed."""
        self._inputs.forget()
        self._computed_for = _STALE
        self._replace(None, error)
        self._show("ready" if self.has_value else "idle", None)

    def _show(self, state: AsyncState, error: BaseException | None) -> None:
        self._status.publish(replace(self._status.current, state=state, error=error, progress=None, progress_text=""))

    def on_progress(self, fraction: float | None, text: str) -> None:
        """The computation says how far it is."""
        self._status.publish(replace(self._status.current, progress=fraction, progress_text=text))

    def owes_cleanup(self, call: Callable[[], object]) -> None:
        """Have `call` called before the next computation, and at the end."""
        self._cleanups.append(call)

    def clean_up(self) -> None:
        """Call what the last computation, or the last try, has left to be called."""
        calls, self._cleanups = self._cleanups, []
        for call in calls[::-1]:
            try:
                call()
            except Exception as error:
                self.owner.report(error, self.key, "cleanup of a selector")

    def settle(self, value: Any, error: BaseException | None) -> None:
        """The computation under way has ended."""
        computation, self._computation = self._computation, None
        assert computation is not None
        was_for, self._computed_for = self._computed_for, self._inputs.version
        self._inputs.end()
        self._settled_at = anyio.current_time()
        with here():
            if error is None:
                self._take(value, touched=self._inputs.edited > was_for >= 0)
                self._status.publish(AsyncValue("ready", value, updated_at=time.time()))
            else:
                self._has_failed = True
                self._traceback = user_traceback(error.__traceback__)
                if not self.has_value and self.options.initial is NO_INITIAL:
                    self.error = error
                    self._tell()
                self._show("failed", error)
        self._wait_for_next()
        computation.completion.finish(error)

    def _take(self, value: Any, touched: bool) -> None:
        edited = value is self.current and not is_immutable(value)
        if not edited and touched and not is_immutable(value):
            edited = self.options.equals is None  # made of something that was edited in place
        # Whoever has seen it fail has to look again, also where the value is that of before.
        unchanged = (
            self.has_value and not edited and not self._has_failed and same(self.current, value, self.options.equals)
        )
        self.current = value
        self.has_value = True
        self._has_failed = False
        self.error = self._traceback = None
        if not unchanged:
            self._tell()
            if edited:
                clock.edited = self.edited = self.version

    def _tell(self) -> None:
        self.version = tick()
        if self.dependents:
            mark_dependents(self, here())

    def _initial(self) -> Any:
        initial = self.options.initial
        return None if initial is NO_INITIAL else private_copy(initial)

    def _forget_value(self) -> None:
        had = self.has_value or self.error is not None
        self.has_value = self._has_failed = False
        self.error = self._traceback = None
        self.current = self._initial()
        self._status.current = IDLE_VALUE
        if had:
            self._tell()

    def failed_unheard(self, error: BaseException) -> None:
        """A computation has failed, and nobody awaits it."""
        if not isinstance(error, (ClosedError, RunCancelled)):
            self.owner.report(error, self.key, "async selector")

    # ------------------------------------------------------------------ time

    def _wait_for_next(self) -> None:
        if self._is_wanted and self.options.refresh_every is not None:
            self._cancel_timer()
            self._timer = Timer(
                self.owner, self.options.refresh_every, self.invalidate, f"{label(self.key)} is refreshed"
            )

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    # ------------------------------------------------------------------ what a computation needs

    def is_current(self, computation: Computation) -> bool:
        """Whether the computation is the one that counts."""
        return self._computation is computation

    @property
    def inputs(self) -> Inputs:
        """What the computation under way has read."""
        return self._inputs

    def call(self, get: Get) -> Any:
        """Call the function for one computation."""
        return self._function(get)


class _AsyncStatus(Status[AsyncValue[T]]):
    """The status of an async selector. To observe it is to observe the selector."""

    __slots__ = ("_selector",)

    writer = "selector"

    def __init__(self, selector: AsyncSelector[T, Any]) -> None:
        super().__init__(AsyncStatusKey[T](selector.key), IDLE_VALUE)
        self._selector = selector

    @property
    def upstream(self) -> Iterable[Node]:
        return self._selector.upstream


class _Trigger(Watcher):
    """Begins a new computation when the inputs of the last one have changed."""

    __slots__ = ("_selector",)

    def __init__(self, selector: AsyncSelector[Any, Any]) -> None:
        super().__init__(selector.inputs)
        self._selector = selector

    def notify(self) -> None:
        self._selector.on_change()

    def report(self, error: BaseException) -> None:
        raise AssertionError("inputs do not fail")
