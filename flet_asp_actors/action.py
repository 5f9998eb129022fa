"""The action: a workflow (login, fetch, save) that runs as a supervised, cancellable task."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from threading import get_ident
from typing import Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeVar, get_args, overload

from .core.evaluate import refuse_in_selector
from .errors import LoopError
from .key import Readable
from .owner import Owner
from .receipt import DONE, Receipt
from .run import Run
from .selector import Get
from .status import IDLE, ActionStatus, Status, StatusKey
from .writing import RunSet, Set

__all__ = ("Action", "ActionStatus", "BoundAction", "Policy", "action")

R = TypeVar("R")
P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)

Policy = Literal["concurrent", "droppable"]
"""What a call does while a run is under way: start another one, or be dropped."""


class Action(Generic[P, R]):
    """The definition of a workflow, for any store. `state.action(definition)` binds it to one.

    Args:
        handler: `async def handler(get, set, ...)`; a plain function will do as well.
        policy: What a call does while a run is under way.
        timeout: Seconds that a run may take; then it fails with `TimeoutError`, and what it
            writes after that is treated as if it had been cancelled.
        expect: Errors that are part of its normal results: they show in the status and are
            raised to who awaits the run, but never go to `on_error`.
        name: What messages call it; the name of the handler by default.

    Raises:
        ValueError: For an unknown policy or a timeout that is not positive.
        TypeError: When the handler does not take `get` and `set`.
    """

    def __init__(
        self,
        handler: Callable[Concatenate[Get, Set, P], Coroutine[Any, Any, R]] | Callable[Concatenate[Get, Set, P], R],
        *,
        policy: Policy = "concurrent",
        timeout: float | None = None,
        expect: tuple[type[Exception], ...] = (),
        name: str | None = None,
    ) -> None:
        self.name: str = name or getattr(handler, "__name__", None) or repr(handler)
        if policy not in get_args(Policy):
            raise ValueError(f"action {self.name}: unknown policy {policy!r}; one of {', '.join(get_args(Policy))}")
        if timeout is not None and timeout <= 0:
            raise ValueError(f"action {self.name}: timeout is in seconds and must be positive, not {timeout!r}")
        self.function: Callable[..., Any] = handler
        self.policy: Policy = policy
        self.timeout = timeout
        self.expect = expect
        self._signature = inspect.signature(handler)
        self.takes = _positional(self._signature) - 2
        if self.takes < 0:
            raise TypeError(
                f"action {self.name}: the handler takes (get, set, ...), and {self._signature} has no room for both"
            )
        self.__doc__ = handler.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Start a run in the current store, `fa.current()`: inside an action, a selector or a handler of a page.

        Raises:
            RuntimeError: Where there is no current store; bind it with `state.action(definition)`.
        """
        bound: BoundAction[P, R] = _current_store().action(self)
        return bound(*args, **kwargs)

    @property
    def status(self) -> Readable[ActionStatus[R]]:
        """The key of the action's status; each store has its own."""
        return StatusKey[R](self)

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise TypeError where the call is made, not later in the task."""
        try:
            self._signature.bind(None, None, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"action {self.name}{self._signature}: {error}") from None

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


class BoundAction(Generic[P, R]):
    """An action in one store: callable, and usable as `on_click` as it is.

    Calling it starts a run and returns it at once; nothing has to be awaited. `cancel` and
    `reset` work as event handlers too.
    """

    __slots__ = ("__weakref__", "_latest", "_owner", "_runs", "_status", "action")

    def __init__(self, action: Action[P, R], owner: Owner) -> None:
        self.action = action
        self._owner = owner
        self._runs: list[Run[R]] = []  # those under way, in the order of their start
        self._latest: Run[R] | None = None  # the one that the status follows
        self._status: Status[R] = Status(StatusKey(action), IDLE)

    # ------------------------------------------------------------------ the face

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Start a run.

        It runs as a task of the store and inherits the context of the caller. The status is
        `running` at once. As an event handler it drops the event that Flet passes, unless the
        handler requires an argument.

        Returns:
            The run: await it for the result, or leave it alone.

        Raises:
            TypeError: When the arguments do not fit the handler.
            NotRunningError: Without an event loop.
            PurityError: Inside a selector.
            ClosedError: When the store has ended.
        """
        refuse_in_selector(f"starts {self.name}")
        given: tuple[Any, ...] = args
        if len(given) == 1 and not self.action.takes and is_event(given[0]):
            given = ()
        self.action.check(given, kwargs)
        run: Run[R] = Run(self, self._owner, given, kwargs)
        if self._owner.thread != get_ident():
            started = self._owner.elsewhere(self.name, lambda: self._start(run))
            started.on_done(lambda: self._refused(run))
        else:
            self._start(run)
        return run

    @property
    def status(self) -> Readable[ActionStatus[R]]:
        """What to read, watch or bind to know how the action is doing."""
        return self._status

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.action.name

    @property
    def timeout(self) -> float | None:
        """Seconds that a run may take."""
        return self.action.timeout

    def cancel(self, reason: object = None) -> None:
        """Cancel every run that is under way. Works as `on_click=action.cancel`."""
        for run in self._runs[::-1]:
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
        return f"<BoundAction {self.name}: {self._status.current.state}>"

    # ------------------------------------------------------------------ what runs need of it

    def call(self, set: RunSet, args: tuple[Any, ...], kwargs: dict[str, Any], /) -> Any:
        """Call the handler for one run."""
        return self.action.function(self._owner.reader, set, *args, **kwargs)

    def on_progress(self, run: Run[Any], fraction: float | None, text: str, /) -> None:
        """Show how far the run is, if it is the one that the status follows."""
        if self._latest is run:
            self._publish(replace(self._status.current, progress=fraction, progress_text=text))

    def on_end(self, run: Run[Any], /) -> None:
        """Show how the run ended, if it is the one that the status follows."""
        if run not in self._runs:
            return  # dropped, or the action was reset meanwhile
        self._runs.remove(run)
        if self._latest is run:
            self._publish(
                ActionStatus(run.state, run.value, run.error, active=len(self._runs), attempt=1)  # type: ignore[arg-type]  # it has ended, so it is not pending
            )
        else:
            self._publish(replace(self._status.current, active=len(self._runs)))

    def is_expected(self, error: BaseException, /) -> bool:
        """Whether an error is part of the action's normal results."""
        return isinstance(error, self.action.expect)

    def _refused(self, run: Run[R]) -> None:
        """Answer a run from another thread that was never started here."""
        if run not in self._runs:
            run.abandon()

    def _start(self, run: Run[R]) -> Receipt:
        if self.action.policy == "droppable" and self._runs:
            run.drop()
            return DONE
        self._owner.spawn(run)
        self._runs.append(run)
        self._latest = run
        self._publish(ActionStatus("running", attempt=1, active=len(self._runs)))
        return DONE

    def _reset(self) -> Receipt:
        self.cancel("reset")
        self._runs = []
        self._latest = None
        self._publish(IDLE)
        return DONE

    def _publish(self, status: ActionStatus[R]) -> None:
        try:
            self._status.publish(status)
        except LoopError as error:
            # Nobody called a write here: the loop is the listeners'.
            self._owner.report(error, self._status.key, "action")


_current_store: Callable[[], Any]
"""How to find the current store; the ring of the pages knows, and says so by `find_store_by`."""


def find_store_by(finder: Callable[[], Any]) -> None:
    """Say how to find the current store."""
    global _current_store
    _current_store = finder


def is_event(value: object) -> bool:
    """Whether `value` is what Flet passes to an event handler. Does not import Flet."""
    module = sys.modules.get("flet.controls.control_event")
    return module is not None and isinstance(value, module.Event)


class ActionDecorator(Protocol):
    """What `action` with options returns: the decorator."""

    @overload
    def __call__(self, fn: Callable[Concatenate[Get, Set, P], Coroutine[Any, Any, R]], /) -> Action[P, R]: ...
    @overload
    def __call__(self, fn: Callable[Concatenate[Get, Set, P], R], /) -> Action[P, R]: ...


@overload
def action(fn: Callable[Concatenate[Get, Set, P], Coroutine[Any, Any, R]], /) -> Action[P, R]: ...
@overload
def action(fn: Callable[Concatenate[Get, Set, P], R], /) -> Action[P, R]: ...
@overload
def action(
    *,
    policy: Policy = "concurrent",
    timeout: float | None = None,
    expect: tuple[type[Exception], ...] = (),
    name: str | None = None,
) -> ActionDecorator: ...
def action(
    fn: Any = None,
    /,
    *,
    policy: Policy = "concurrent",
    timeout: float | None = None,
    expect: tuple[type[Exception], ...] = (),
    name: str | None = None,
) -> Any:
    """Make an action of `async def handler(get, set, ...)`, for any store. Use it as a decorator.

    Options are those of `Action`. Bind it with `state.action(definition)`.
    """
    if fn is None:
        return functools.partial(Action[..., Any], policy=policy, timeout=timeout, expect=expect, name=name)
    return Action[..., Any](fn, policy=policy, timeout=timeout, expect=expect, name=name)
