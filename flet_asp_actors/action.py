"""The action: a workflow (login, fetch, save) that runs as a supervised, cancellable task."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, get_args, overload

from .async_key import is_async
from .bound import BoundAction, Policy
from .core.values import Itself
from .deprecation import deprecated
from .key import Readable
from .reading import Get
from .retry import Retry, check_retry
from .run import Run
from .status import ActionStatus, StatusKey
from .writing import Set

__all__ = ("Action", "ActionStatus", "BoundAction", "BoundActionDecorator", "Policy", "action", "find_store_by")

R = TypeVar("R")
P = ParamSpec("P")


class Action(Itself, Generic[P, R]):
    """The definition of a workflow, for any store. `state.action(definition)` binds it to one.

    Args:
        handler: `async def handler(get, set, ...)`; a plain function will do as well.
        policy: What a call does while a run is under way: `concurrent` starts another one,
            `sequential` waits for its end, `droppable` is dropped, `restartable` cancels it and
            takes its place. The words are bloc_concurrency's.
        per: The name of an argument by which policy and status go: calls with different ones
            have nothing to do with each other. See `status_for`.
        timeout: Seconds that a run may take, all its tries included; then it fails with
            `TimeoutError`, and what it writes after that is treated as if it had been cancelled.
        retry: When a try that has failed is followed by another. Errors named in `expect`, and
            the library's own, are not tried again.
        expect: Errors that are part of its normal results: they show in the status and are
            raised to who awaits the run, but never go to `on_error`.
        name: What messages call it; the name of the handler by default.

    Raises:
        ValueError: For an unknown policy, a timeout that is not positive, or a `per` that the
            handler has no argument of.
        TypeError: When the handler does not take `get` and `set`.
    """

    @overload
    def __init__(
        self,
        handler: Callable[Concatenate[Get, Set, P], Coroutine[Any, Any, R]],
        *,
        policy: Policy = "concurrent",
        per: str | None = None,
        timeout: float | None = None,
        retry: Retry | None = None,
        expect: tuple[type[Exception], ...] = (),
        name: str | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        handler: Callable[Concatenate[Get, Set, P], R],
        *,
        policy: Policy = "concurrent",
        per: str | None = None,
        timeout: float | None = None,
        retry: Retry | None = None,
        expect: tuple[type[Exception], ...] = (),
        name: str | None = None,
    ) -> None: ...
    def __init__(
        self,
        handler: Callable[..., Any],
        *,
        policy: Policy = "concurrent",
        per: str | None = None,
        timeout: float | None = None,
        retry: Retry | None = None,
        expect: tuple[type[Exception], ...] = (),
        name: str | None = None,
    ) -> None:
        self.name: str = name or getattr(handler, "__name__", None) or repr(handler)
        if policy not in get_args(Policy):
            raise ValueError(f"action {self.name}: unknown policy {policy!r}; one of {', '.join(get_args(Policy))}")
        check_retry(f"action {self.name}", retry)
        given: Any = timeout
        if given is not None and not isinstance(given, (int, float)):
            raise TypeError(f"action {self.name}: timeout is a number of seconds, and not {timeout!r}")
        if timeout is not None and timeout <= 0:
            raise ValueError(f"action {self.name}: timeout is in seconds and must be positive, not {timeout!r}")
        self.function: Callable[..., Any] = handler
        self.policy: Policy = policy
        self.per = per
        self.timeout = timeout
        self.retry = retry
        self.expect = expect
        self._signature = inspect.signature(handler)
        self.takes = _positional(self._signature) - 2
        if self.takes < 0:
            raise TypeError(
                f"action {self.name}: the handler takes (get, set, ...), and {self._signature} has no room for both"
            )
        if per is not None and per not in list(self._signature.parameters)[2:]:
            raise ValueError(f"action {self.name}: per={per!r} is none of its arguments; it is {self._signature}")
        self.__doc__ = handler.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Start a run in the current store, `fa.current()`: inside an action, a selector or a handler of a page.

        Raises:
            RuntimeError: Where there is no current store; bind it with `state.action(definition)`.
        """
        try:
            store = _current_store()
        except RuntimeError as error:
            raise RuntimeError(
                f"action {self.name} is called where no store is the current one; "
                f"bind it: state.action({self.name})(...)"
            ) from error
        bound: BoundAction[P, R] = store.action(self)
        return bound(*args, **kwargs)

    @property
    def status(self) -> Readable[ActionStatus[R]]:
        """The key of the action's status; each store has its own."""
        return StatusKey[R](self)

    def status_for(self, item: Hashable, /) -> Readable[ActionStatus[R]]:
        """The key of the status of the runs for one argument, the one that `per=` names."""
        return StatusKey[R](self, item)

    # ------------------------------------------------------------------ flet-asp's form

    def start(self, state: Any, args: Any = None) -> Run[R]:
        """Start a run in a store, of a handler that takes `(get, set, args)` or `(get, set)`. See `BoundAction`."""
        bound: BoundAction[..., R] = state.action(self)
        return bound(*self._given(args))

    @deprecated("bind it and call it, which starts a run: state.action(definition)(...)")
    def run(self, state: Any, args: Any = None) -> Any:
        """Call a sync handler here and now and return its result; of an async one start a run, and return that.

        Raises:
            Exception: What a sync handler raises.
        """
        if is_async(self.function):
            return self.start(state, args)
        bound: BoundAction[..., R] = state.action(self)
        return bound.call_now(*self._given(args))

    @deprecated("bind it and await the run: await state.action(definition)(...)")
    async def run_async(self, state: Any, args: Any = None) -> R:
        """Start a run in a store, of a sync or an async handler, and wait for its result."""
        return await self.start(state, args)

    def _given(self, params: Any) -> tuple[Any, ...]:
        if not self.takes:
            if params is None:
                return ()
            try:
                self._signature.bind_partial(None, None, params)
            except TypeError:
                return ()  # there is no room for it
        return (params,)

    # ------------------------------------------------------------------ what bound actions need of it

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Hashable, ...]:
        """Raise TypeError where the call is made, not later in the task; give the argument that `per` names."""
        try:
            given = self._signature.bind(None, None, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"action {self.name}{self._signature}: {error}") from None
        if self.per is None:
            return ()
        given.apply_defaults()
        item = given.arguments[self.per]
        try:
            hash(item)
        except TypeError as error:
            raise TypeError(f"action {self.name}: per={self.per!r} must be hashable: {error}") from None
        return (item,)

    def __repr__(self) -> str:
        return f"<Action {self.name}>"


def _positional(signature: inspect.Signature) -> int:
    """How many positional arguments must be given; `*args` counts as the two that are always there."""
    kinds = [p.kind for p in signature.parameters.values()]
    required = sum(
        p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
        for p in signature.parameters.values()
    )
    return max(required, 2) if inspect.Parameter.VAR_POSITIONAL in kinds else required


_current_store: Callable[[], Any]
"""How to find the current store; the ring of the pages knows, and says so by `find_store_by`."""


def find_store_by(finder: Callable[[], Any]) -> None:
    """Say how to find the current store."""
    global _current_store
    _current_store = finder


class ActionDecorator(Protocol):
    """What `action` with options returns: the decorator."""

    @overload
    def __call__(self, fn: Callable[Concatenate[Get, Set, P], Coroutine[Any, Any, R]], /) -> Action[P, R]: ...
    @overload
    def __call__(self, fn: Callable[Concatenate[Get, Set, P], R], /) -> Action[P, R]: ...


class BoundActionDecorator(Protocol):
    """What `state.action` with options returns: the decorator."""

    @overload
    def __call__(self, fn: Callable[Concatenate[Get, Set, P], Coroutine[Any, Any, R]], /) -> BoundAction[P, R]: ...
    @overload
    def __call__(self, fn: Callable[Concatenate[Get, Set, P], R], /) -> BoundAction[P, R]: ...


@overload
def action(fn: Callable[Concatenate[Get, Set, P], Coroutine[Any, Any, R]], /) -> Action[P, R]: ...
@overload
def action(fn: Callable[Concatenate[Get, Set, P], R], /) -> Action[P, R]: ...
@overload
def action(
    *,
    policy: Policy = "concurrent",
    per: str | None = None,
    timeout: float | None = None,
    retry: Retry | None = None,
    expect: tuple[type[Exception], ...] = (),
    name: str | None = None,
) -> ActionDecorator: ...
def action(
    fn: Any = None,
    /,
    *,
    policy: Policy = "concurrent",
    per: str | None = None,
    timeout: float | None = None,
    retry: Retry | None = None,
    expect: tuple[type[Exception], ...] = (),
    name: str | None = None,
) -> Any:
    """Make an action of `async def handler(get, set, ...)`, for any store. Use it as a decorator.

    Options are those of `Action`. Bind it with `state.action(definition)`.
    """
    options: dict[str, Any] = {
        "policy": policy,
        "per": per,
        "timeout": timeout,
        "retry": retry,
        "expect": expect,
        "name": name,
    }
    if fn is None:
        return functools.partial(Action[..., Any], **options)
    return Action[..., Any](fn, **options)
