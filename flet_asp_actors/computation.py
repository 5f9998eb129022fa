"""One computation of an async selector: the task, and the `get` that remembers what it reads."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import anyio
import anyio.to_thread

from .core.evaluate import FATAL, as_exception
from .core.inputs import Inputs
from .errors import RunCancelled, UnknownKeyError
from .key import label
from .owner import Job, Owner, current_owner
from .retry import Retry
from .waiting import Behaviour, Completion, behaviour

__all__ = ("NO_INITIAL", "Computation", "Options")

NO_INITIAL: Any = object()


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

    def check(self, name: str) -> None:
        """Refuse what makes no sense.

        Raises:
            ValueError: For a negative time.
        """
        for option in ("debounce", "stale_after", "keep_for", "refresh_every"):
            seconds = getattr(self, option)
            if seconds is not None and (seconds < 0 or (option == "refresh_every" and not seconds)):
                raise ValueError(f"selector {name}: {option} is in seconds and must be positive, not {seconds!r}")


class Computed(Protocol):
    """What a computation needs of its selector."""

    key: Any
    owner: Owner
    options: Options

    @property
    def inputs(self) -> Inputs:
        """What the computation under way has read."""
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

    def stop(self, why: str) -> None:
        """The loop has ended."""
        ...

    def failed_unheard(self, error: BaseException) -> None:
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

    __slots__ = ("_debounce", "_scope", "_selector", "behaviour", "completion", "has_begun", "is_interrupted", "name")

    can_wait = True

    kind = "selector"

    def __init__(self, selector: Computed, debounce: float) -> None:
        self.name = f"{label(selector.key)}"
        self._selector = selector
        self._debounce = debounce
        self._scope: anyio.CancelScope | None = None
        self.has_begun = False
        self.is_interrupted = False
        self.behaviour = Behaviour(f"the computation of {label(selector.key)}")
        self.completion = Completion(selector.failed_unheard)

    async def run(self) -> None:
        selector = self._selector
        behaviour.set(self.behaviour)
        current_owner.set(selector.owner)
        self.has_begun = True
        value: Any = None
        failed: BaseException | None = None
        try:
            with anyio.CancelScope() as self._scope:
                if self.is_interrupted:
                    return
                if self._debounce:
                    await anyio.sleep(self._debounce)
                value = await self._attempts()
        except Exception as error:
            failed = error
        except anyio.get_cancelled_exc_class():
            # Not by our scope: the host is ending, or something that was awaited was cancelled.
            failed = RunCancelled(f"the computation of {label(selector.key)} was cancelled from outside")
        except FATAL as error:
            if selector.is_current(self):
                selector.settle(None, error)
            raise
        except BaseException as error:
            failed = as_exception(error)
        if selector.is_current(self):
            if selector.owner.is_closed:
                self.abandon()
                return
            selector.settle(value, failed)
        elif failed is not None and not isinstance(failed, RunCancelled):
            selector.owner.report(failed, selector.key, "async selector (superseded)")

    async def _attempts(self) -> Any:
        selector, retry, attempt = self._selector, self._selector.options.retry, 0
        while True:
            attempt += 1
            if selector.is_current(self):
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
            if selector.is_current(self):
                selector.clean_up()

    async def _call(self, get: _Tracking) -> Any:
        where = self._selector.options.in_thread
        if where is False:
            value = self._selector.call(get)
        else:
            value = await anyio.to_thread.run_sync(
                self._selector.call,
                _FromThread(get, self._selector.owner),
                abandon_on_cancel=True,
                limiter=None if where is True else where,
            )
        return await value if inspect.isawaitable(value) else value

    def cancel(self) -> None:
        """It is superseded, or nobody is interested any more."""
        self.is_interrupted = True
        if self._scope is not None:
            self._scope.cancel()

    def abandon(self) -> None:
        selector = self._selector
        if selector.is_current(self):
            selector.stop(f"{label(selector.key)} has no value: the store, or its loop, has ended")


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
        owner = self._selector.owner
        if not self.counts:
            return owner.find(key).value  # nobody will see what is made of it
        try:
            node = owner.find(key)
        except UnknownKeyError:
            self._selector.inputs.read(owner.missing(key))  # it fails now, and is computed when that is declared
            raise
        owner.adopt(node)
        return self._selector.inputs.read(node)

    def peek(self, key: Any, /) -> Any:
        return self._selector.owner.find(key).value

    async def resolve(self, key: Any, /) -> Any:
        owner = self._selector.owner
        try:
            await owner.reader.resolve(key)
        except Exception:
            node = owner.find(key)
            if self.counts and node.error is None:
                self._selector.inputs.read(node)  # when it recovers, this is to be computed again
            raise
        return self(key)

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
