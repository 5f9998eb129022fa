"""One computation of an async selector: the task, and the `get` that remembers what it reads."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NoReturn, Protocol

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from .atom import Atom
from .core.calls import FATAL, as_exception
from .core.inputs import Inputs
from .door import running_home
from .errors import RunCancelled, UnknownKeyError
from .key import label
from .owner import Job, Owner, current_owner
from .retry import Retry, check_retry
from .timer import Timer
from .waiting import Behaviour, Completion, behaviour

__all__ = ("NO_INITIAL", "Computation", "Failed", "Options")

NO_INITIAL: Any = object()

GRACE = 5.0
"""Seconds that a computation has to end in after its cancel, before it is reported as stuck."""


@dataclass(frozen=True)
class Options:
    """How an async selector is computed. Times are in seconds."""

    initial: Any = NO_INITIAL
    debounce: float = 0.0
    retry: Retry | None = None
    keep_previous: bool = True
    stale_after: float | None = None
    refresh_every: float | None = None
    keep_for: float | None = None
    in_thread: bool | anyio.CapacityLimiter = False
    equals: Callable[[Any, Any], bool] | None = None

    @classmethod
    def of(cls, name: str, options: Mapping[str, Any]) -> Options:
        """The options that were given for a selector.

        Raises:
            TypeError: For one that there is not; names the closest.
        """
        known = [field.name for field in fields(cls)]
        for option in options:
            if option not in known:
                close = difflib.get_close_matches(option, known, n=1)
                hint = f"Did you mean {close[0]!r}?" if close else f"There are {', '.join(known)}."
                raise TypeError(f"selector {name} has no option {option!r}. {hint}")
        return cls(**options)

    def check(self, name: str) -> None:
        """Refuse what makes no sense.

        Raises:
            ValueError: For a negative time.
            TypeError: For what is no time, or no `Retry`.
        """
        check_retry(f"selector {name}", self.retry)
        for option in ("debounce", "stale_after", "keep_for", "refresh_every"):
            seconds = getattr(self, option)
            if seconds is not None and not isinstance(seconds, (int, float)):
                raise TypeError(f"selector {name}: {option} is a number of seconds, and not {seconds!r}")
            if seconds is not None and (seconds < 0 or (option == "refresh_every" and not seconds)):
                raise ValueError(f"selector {name}: {option} is in seconds and must be positive, not {seconds!r}")


class Failed:
    """How a computation has failed, and whether anybody is told of that, or has taken it on to tell."""

    __slots__ = ("error", "is_told")

    def __init__(self, error: BaseException, is_told: bool) -> None:
        self.error = error
        self.is_told = is_told

    def claim(self) -> bool:
        """Take it on to tell; False when it is told already, or somebody else has taken that on."""
        is_ours, self.is_told = not self.is_told, True
        return is_ours


class Computed(Protocol):
    """What a computation needs of its selector."""

    key: Any
    owner: Owner
    options: Options

    @property
    def inputs(self) -> Inputs:
        """What the computation under way has read."""
        ...

    @property
    def is_async(self) -> bool:
        """Whether its function is a coroutine function."""
        ...

    def call(self, get: Any) -> Any:
        """Call the function for one computation."""
        ...

    def is_current(self, computation: Computation) -> bool:
        """Whether the computation is the one that counts."""
        ...

    def settle(self, value: Any, error: BaseException | None) -> None:
        """The computation that counts has ended."""
        ...

    def lose_loop(self, why: str) -> None:
        """The loop has ended."""
        ...

    def failed_unheard(self, error: BaseException, failed: Failed | None = None) -> None:
        """A computation has failed, and nobody awaits it."""
        ...

    def owes_cleanup(self, call: Callable[[], object]) -> None:
        """Have `call` called before the next computation, and at the end."""
        ...

    def clean_up(self) -> None:
        """Call what earlier tries have left to be called."""
        ...

    def on_progress(self, fraction: float | None, text: str) -> None:
        """The computation says how far it is."""
        ...


class Computation(Job):
    """One computation, with all its tries: the task."""

    __slots__ = (
        "_is_interrupted",
        "_patience",
        "_scope",
        "behaviour",
        "completion",
        "debounce",
        "failed",
        "has_begun",
        "name",
        "selector",
    )

    can_wait = True

    kind = "selector"

    def __init__(self, selector: Computed, debounce: float) -> None:
        self.name = f"{label(selector.key)}"
        self.selector = selector
        self.debounce = debounce
        """Seconds to wait first; may be changed until it has begun."""
        self.has_begun = False
        self._scope: anyio.CancelScope | None = None
        self._is_interrupted = False
        self._patience: Timer | None = None  # until it is reported as stuck
        self.behaviour = Behaviour(f"the computation of {label(selector.key)}")
        self.failed: Failed | None = None
        """How it has failed, if it has."""
        self.completion = Completion(self._unheard)

    async def run(self) -> None:
        self.has_begun = True
        behaviour.set(self.behaviour)
        current_owner.set(self.selector.owner)
        value: Any = None
        error: BaseException | None = None
        try:
            with anyio.CancelScope() as self._scope:
                if self._is_interrupted:
                    return
                if self.debounce:
                    await anyio.sleep(self.debounce)
                value = await self._attempts()
        except Exception as failure:
            error = failure
        except anyio.get_cancelled_exc_class():
            if anyio.current_effective_deadline() == -math.inf:
                raise  # the host is ending
            error = RunCancelled(f"the computation of {self.name} was cancelled, or something that it awaited was")
        except GeneratorExit:
            raise  # pragma: no cover - what leaves a loop is a test in a process of its own
        except FATAL as failure:
            self._end(None, failure)
            raise
        except BaseException as failure:
            error = as_exception(failure)
        finally:
            self._scope = None
            if self._patience is not None:
                self._patience.cancel()
        self._end(value, error)
        del error  # its traceback holds this frame

    def _end(self, value: Any, error: BaseException | None) -> None:
        selector = self.selector
        if not selector.is_current(self):
            if error is not None and not isinstance(error, RunCancelled):
                selector.owner.report(error, selector.key, "async selector (superseded)")
        elif not selector.owner.is_closed:
            selector.settle(value, error)
        elif error is not None:
            selector.failed_unheard(error)  # those who await it hear that the store has ended

    async def _attempts(self) -> Any:
        selector, retry, attempt = self.selector, self.selector.options.retry, 0
        while selector.is_current(self):  # else it was superseded when its turn had come already
            if attempt:
                selector.clean_up()
            attempt += 1
            selector.inputs.begin()
            get = _Tracking(self, selector)
            try:
                return await self._call(get)
            except Exception as error:
                if retry is None or not selector.is_current(self) or not retry.allows(error, attempt):
                    raise
            finally:
                get.is_over = True
            await anyio.sleep(retry.delay(attempt))
        return None

    async def _call(self, get: _Tracking) -> Any:
        where = self.selector.options.in_thread
        if where is False or self.selector.is_async:
            value = self.selector.call(get)
        else:
            value = await anyio.to_thread.run_sync(
                self.selector.call,
                _FromThread(get, self.selector.owner),
                abandon_on_cancel=True,
                limiter=_shared_threads() if where is True else where,
            )
        return await value if inspect.isawaitable(value) else value

    def _unheard(self, error: BaseException) -> None:
        self.selector.failed_unheard(error, self.failed)

    def cancel(self) -> None:
        """It is superseded, or nobody is interested any more."""
        self._is_interrupted = True
        if self._scope is None:
            return
        owner = self.selector.owner
        if running_home() is not None:
            self._cancel_scope()
        else:
            owner.later(self._cancel_scope)  # its loop stands still
        if not owner.is_closed and self._patience is None:
            self._patience = owner.timers.start(GRACE, self._stuck)

    def _cancel_scope(self) -> None:
        if self._scope is not None:
            self._scope.cancel()

    def _stuck(self) -> None:
        error = TimeoutError(f"a computation of {self.name} is stuck: still going {GRACE} s after its cancel")
        self.selector.owner.report(error, self.selector.key, "async selector")

    def abandon(self) -> None:
        self._scope = None  # its loop is gone, or it is over
        if self.selector.is_current(self):
            self.selector.lose_loop(f"{self.name} has no value: the store, or its loop, has ended")


_threads: RunVar[anyio.CapacityLimiter] = RunVar("flet_asp_actors_threads")


def _shared_threads() -> anyio.CapacityLimiter:
    """The limiter of this loop for `in_thread=True`, as it is set now."""
    number: Any = Atom.MAX_PARALLEL_BINDS if Atom.ENABLE_FREE_THREADING else 1
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"Atom.MAX_PARALLEL_BINDS is a number of threads, 1 or more, and not {number!r}")
    try:
        limiter = _threads.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(number)
        _threads.set(limiter)
    if limiter.total_tokens != number:
        limiter.total_tokens = number
    return limiter


class _Tracking:
    """The `get` of one try of one computation: what it reads is remembered, after an `await` too."""

    __slots__ = ("_computation", "_selector", "is_over")

    def __init__(self, computation: Computation, selector: Computed) -> None:
        self._computation = computation
        self._selector = selector
        self.is_over = False

    @property
    def counts(self) -> bool:
        """Whether anybody will see what is made of what it reads."""
        return not self.is_over and self._selector.is_current(self._computation)

    def __call__(self, key: Any, /) -> Any:
        if not self.counts:
            return self.peek(key)  # nobody will see what is made of it
        return self._selector.inputs.read(self._find(key))

    def peek(self, key: Any, /) -> Any:
        return self._selector.owner.find(key).value

    async def resolve(self, key: Any, /) -> Any:
        owner, inputs = self._selector.owner, self._selector.inputs
        if not self.counts:
            return await owner.reader.resolve(key)
        node = self._find(key)
        inputs.hold(node)
        try:
            await owner.reader.resolve(node)
        except Exception as error:
            if self.counts:
                inputs.failed(node, error)
            raise
        return inputs.read_awaited(node) if self.counts else self.peek(node)  # type: ignore[redundant-expr]  # it did count

    def _find(self, key: Any) -> Any:
        owner = self._selector.owner
        try:
            node = owner.find(key)
        except UnknownKeyError:
            self._selector.inputs.read(owner.missing(key))  # it fails now, and is computed when that is declared
            raise
        owner.adopt(node)
        return node

    def on_cleanup(self, call: Callable[[], object], /) -> None:
        if self.counts:
            self._selector.owes_cleanup(call)
        else:
            call()

    def progress(self, fraction: float | None, text: str = "", /) -> None:
        if self.counts:
            self._selector.on_progress(fraction, text)


class _FromThread:
    """The `get` of a computation in a worker thread: each reading is made on the loop."""

    __slots__ = ("_get", "_owner")

    def __init__(self, get: _Tracking, owner: Owner) -> None:
        self._get = get
        self._owner = owner

    def __call__(self, key: Any, /) -> Any:
        return self._owner.on_home(lambda: self._read(key))

    def _read(self, key: Any) -> Any:
        if not self._get.counts:
            raise RunCancelled("this computation is superseded; nobody waits for what the thread computes")
        return self._get(key)

    def peek(self, key: Any, /) -> Any:
        return self._owner.on_home(lambda: self._get.peek(key))

    def resolve(self, key: Any, /) -> NoReturn:
        raise TypeError("get.resolve is for async functions; a selector with in_thread=True reads with get(key)")

    def on_cleanup(self, call: Callable[[], object], /) -> None:
        self._owner.on_home(lambda: self._get.on_cleanup(call))

    def progress(self, fraction: float | None, text: str = "", /) -> None:
        self._owner.on_home(lambda: self._get.progress(fraction, text))
