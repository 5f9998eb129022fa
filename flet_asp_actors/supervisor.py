"""The supervisor: it starts its children, and decides what happens when one of them fails. The rules are OTP's."""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol, TypeVar, get_args, overload

import anyio

from .async_key import is_async
from .core.evaluate import refuse_in_selector
from .door import running_home
from .errors import ClosedError
from .key import Name, Readable
from .owner import Owner
from .reading import Get
from .retry import Retry
from .selector import name_of
from .service import RESTARTED, Child, Down, Restart, Service, is_good_while
from .status import telling
from .timer import Timer, Timers
from .waiting import Completion
from .writing import Set

__all__ = ("ServiceDecorator", "Strategy", "Supervisor")

T = TypeVar("T")

logger = logging.getLogger("flet_asp_actors")

Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]
"""Who is started again when a child has failed: that child; all; that child and those that were
declared after it."""

ServiceFunction = Callable[[Get, Set], Coroutine[Any, Any, object]]


class ServiceDecorator(Protocol):
    """What `service` with options returns: the decorator."""

    def __call__(self, function: ServiceFunction, /) -> Service: ...


class Supervisor(Child):
    """Starts services again when they fail; gives up when they fail too often, and escalates to its parent.

    The strategies, and what too often is, are those of Erlang's OTP.

    Made by `state.supervisor(...)`; `@supervisor.service(...)` adds a service, and
    `supervisor.supervisor(...)` one that is supervised in turn. More than `max_restarts` restarts
    `within` seconds are too many: it halts all its children, the last one first, and its own
    supervisor decides. When the store itself has to, they stay down, and the error goes to
    `on_error`, once.

    With the defaults that is four failures at once, and the waits between them: an outage of a few
    seconds. Services for which that is nothing unusual take `max_restarts=None`, or belong to the
    store itself.
    """

    def __init__(
        self,
        name: str,
        owner: Owner,
        parent: Supervisor | None,
        strategy: Strategy = "one_for_one",
        max_restarts: int | None = 3,
        within: float = 5.0,
    ) -> None:
        if strategy not in get_args(Strategy):
            raise ValueError(f"supervisor: unknown strategy {strategy!r}; one of {', '.join(get_args(Strategy))}")
        if max_restarts is not None and max_restarts < 0:
            raise ValueError(f"supervisor: max_restarts cannot be negative, and it is {max_restarts!r}")
        if within <= 0:
            raise ValueError(f"supervisor: within is in seconds and must be positive, not {within!r}")
        self.name = name
        self.retry = RESTARTED
        self.strategy: Strategy = strategy
        self.children: list[Child] = []
        self.state: Literal["running", "halted", "failed", "stopped"] = "running"
        """`failed` when it has given up, `stopped` by the user."""
        self.error: Exception | None = None
        """What it has given up over."""
        self._owner = owner
        self._parent = parent
        self._max_restarts = max_restarts
        self._within = within
        self._restarts: deque[float] = deque()  # when, the oldest first
        self._pending: list[_Restart] = []
        self._began: float | None = None  # when it was started; None is long ago, or without a loop
        self._begun: Completion | None = None
        self._is_ending = False

    # ------------------------------------------------------------------ the face

    @overload
    def service(self, function: ServiceFunction, /) -> Service: ...
    @overload
    def service(
        self,
        name: str | None = None,
        /,
        *,
        restart: Restart = "permanent",
        retry: Retry | None = None,
        while_watched: Readable[Any] | Name | None = None,
    ) -> ServiceDecorator: ...
    def service(
        self,
        name: Any = None,
        /,
        *,
        restart: Restart = "permanent",
        retry: Retry | None = None,
        while_watched: Any = None,
    ) -> Any:
        """Add a service, and start it: `@supervisor.service(...)` of `async def feed(get, set)`.

        Args:
            name: What messages call it; the name of the function by default.
            restart: When it is started again after it has ended: `permanent` always, `transient`
                after an error only, `temporary` never.
            retry: How long after a failure, and how often in a row at most; without a limit, half
                a second at first and half a minute at last, by default.
            while_watched: Run only while somebody observes this key.

        Raises:
            TypeError: When the function is not async, or does not take `(get, set)`.
            ValueError: For an unknown `restart`.
            UnknownKeyError: When `while_watched` is a name that was never declared.
            ClosedError: When the store has ended.
        """
        if restart not in get_args(Restart):
            raise ValueError(f"service: unknown restart {restart!r}; one of {', '.join(get_args(Restart))}")

        def add(function: Any) -> Service:
            _check(function)
            self._refuse_closed("start", name_of(function))
            service = Service(
                function,
                name if isinstance(name, str) else name_of(function),
                self._owner,
                self,
                restart,
                retry or RESTARTED,
                while_watched,
            )
            self._add(service)
            return service

        return add(name) if callable(name) else add

    def supervisor(
        self,
        strategy: Strategy = "one_for_one",
        max_restarts: int | None = 3,
        within: float = 5.0,
        *,
        name: str | None = None,
    ) -> Supervisor:
        """Add a supervisor below this one; see `StateManager.supervisor`."""
        child = Supervisor(
            name or f"supervisor {len(self.children) + 1}", self._owner, self, strategy, max_restarts, within
        )
        self._add(child)
        return child

    def stop(self, _event: object = None) -> None:
        """Halt all children, the last one first, until `start`."""
        refuse_in_selector(f"stops {self.name}")
        self._owner.look_after_home()

        def stop() -> None:
            with self._telling():
                self.is_stopped = True
                self.halt()
                self.state = "stopped"

        self._owner.on_home(stop)

    def start(self, _event: object = None) -> None:
        """Start the children again, after a `stop` or after it has given up; nothing happens if it is at work.

        Raises:
            ClosedError: When the store has ended.
        """
        refuse_in_selector(f"starts {self.name}")
        self._owner.look_after_home()
        self._refuse_closed("start", self.name)

        def start() -> None:
            self.is_stopped = False
            if self.state != "running":
                self.revive()
                self.launch()

        self._owner.on_home(start)

    def __repr__(self) -> str:
        return f"<Supervisor {self.name}: {self.strategy}, {len(self.children)} children, {self.state}>"

    # ------------------------------------------------------------------ what its own supervisor needs

    def launch(self) -> None:
        if self.is_stopped:
            return
        assert self._parent is not None, "the one at the top is always at work"
        self._parent.has_launched(self)
        self.state, self.error = "running", None
        self._began = anyio.current_time() if running_home() is not None else None
        self._restarts.clear()
        for child in self.children:
            child.failures = 0
        restart = _Restart(self, list(self.children))
        self._pending.append(restart)
        restart.begin()

    def halt(self, state: Down = "cancelled") -> None:
        pending, self._pending = self._pending, []
        for restart in pending:
            restart.cancel()
            for child in restart.children:
                child.show(state)
        for child in self.children[::-1]:
            child.halt(state)
        if self.state == "running":
            self.state = "halted"

    def ending(self) -> Completion | None:
        return next(filter(None, (child.ending() for child in self.children[::-1])), None)

    def show(self, state: Down, error: Exception | None = None) -> None:
        if state == "failed":
            self.state, self.error = "failed", error

    def forget(self) -> None:
        for child in self.children:
            child.forget()

    # ------------------------------------------------------------------ the loop, and the store

    def resume(self) -> None:
        """There is a loop again: start what is not up and should be."""
        self._is_ending = False
        for child in self.children:
            if isinstance(child, Supervisor):
                child.resume()
            elif isinstance(child, Service) and child.current.state == "idle" and self.may_launch(child):
                child.launch()

    async def wind_down(self) -> None:
        """The loop is about to end: end the children one after the other, each when the one after it has ended."""
        self._is_ending = True
        try:
            for child in self.children[::-1]:
                if isinstance(child, Supervisor):
                    await child.wind_down()
                    continue
                child.halt(self._state_at_end)
                ending = child.ending()
                if ending is not None:
                    await ending.wait(hears=False)
        finally:
            self._end_services()  # if there is no time left, then all at once

    def close(self) -> None:
        """The store has ended."""
        self.halt()
        self.forget()

    @property
    def _state_at_end(self) -> Down:
        return "cancelled" if self._owner.is_closed else "idle"

    def _end_services(self) -> None:
        for child in self.children[::-1]:
            if isinstance(child, Supervisor):
                child._end_services()
            else:
                child.halt(self._state_at_end)

    # ------------------------------------------------------------------ what its children need

    @property
    def is_ending(self) -> bool:
        """Whether the loop, or the store, is about to end."""
        return self._is_ending or (self._parent is not None and self._parent.is_ending)

    @property
    def begun(self) -> Completion | None:
        """Finishes when the service that was started last, anywhere in the store, has begun."""
        return self._begun if self._parent is None else self._parent.begun

    @begun.setter
    def begun(self, begun: Completion) -> None:
        if self._parent is None:
            self._begun = begun
        else:
            self._parent.begun = begun

    def may_launch(self, child: Child, /) -> bool:
        """Whether a child may begin for reasons of its own: this is at work, and does not start it with others."""
        return self.state == "running" and not any(
            child in restart.children and len(restart.children) > 1 for restart in self._pending
        )

    def will_restart(self, child: Child, /) -> bool:
        """Whether a child is to be started again, after a delay."""
        return any(child in restart.children for restart in self._pending)

    def has_launched(self, child: Child, /) -> None:
        """A child has begun, for whatever reason: it is not to be started again later."""
        self._forget_restarts([child])

    def revive(self) -> None:
        """The user starts a child: be at work again."""
        if self.state != "running":
            self.is_stopped, self.failures = False, 0
            self.state, self.error = "running", None
            self._restarts.clear()
            assert self._parent is not None, "the one at the top is always at work"
            self._parent.revive()

    def child_failed(self, child: Child, error: Exception | None, /) -> None:
        """A child has ended that should not have: start it again, and whom the strategy says, or give up."""
        with self._telling():
            self._mend(child, error, error or RuntimeError(f"service {child.name} has ended, and is permanent"))

    def _mend(self, child: Child, error: Exception | None, cause: Exception) -> None:
        child.show("failed", cause)
        if self._is_hopeless(child, error):
            self._give_up(child, cause)
            return
        affected = self._affected(child)
        again = [each for each in affected if not each.is_temporary]
        delay = child.retry.delay(child.failures)
        logger.warning(
            "%s has failed (%s: %s); %s again in %.3g s",
            child.name,
            type(cause).__name__,
            cause,
            "it is started" if len(again) == 1 else f"{len(again)} are started",
            delay,
        )
        self._forget_restarts(affected)
        for other in affected[::-1]:
            if other is not child:
                other.halt("cancelled" if other.is_temporary else "idle")
        restart = _Restart(self, again)
        self._pending.append(restart)
        restart.begin_after(delay, self._owner.timers)

    def _forget_restarts(self, children: list[Child]) -> None:
        for restart in self._pending:
            restart.children = [each for each in restart.children if each not in children]

    def _affected(self, child: Child) -> list[Child]:
        if self.strategy == "one_for_one":
            return [child]
        first = 0 if self.strategy == "one_for_all" else self.children.index(child)
        return [each for each in self.children[first:] if not each.is_stopped]

    def _is_hopeless(self, child: Child, error: Exception | None) -> bool:
        if self._parent is None and isinstance(child, Supervisor):
            return True  # what it could not mend is not mended here
        retry = child.retry
        if retry.attempts is not None and child.failures >= retry.attempts:
            return True
        if error is not None and not isinstance(error, retry.on):
            return True
        now = anyio.current_time()
        self._restarts.append(now)
        while self._restarts[0] < now - self._within:
            self._restarts.popleft()
        return self._max_restarts is not None and len(self._restarts) > self._max_restarts

    def _give_up(self, child: Child, error: Exception) -> None:
        if self._parent is None:
            self._owner.report(error, child.name, "supervisor" if isinstance(child, Supervisor) else "service")
            return
        if self._began is None or is_good_while(anyio.current_time() - self._began, self.retry):
            self.failures = 0
        self.failures += 1
        self.halt()
        self._parent.child_failed(self, error)

    def restart(self, restart: _Restart) -> None:
        """All of them have ended, and the delay is over: start them in their order."""
        self._pending.remove(restart)
        with self._telling():
            for child in restart.children:
                child.launch()

    def _telling(self) -> AbstractContextManager[None]:
        """Tell of what becomes of the children when all is done: who hears of it may stop or start them."""
        return telling(self._owner, self.name, "supervisor")

    def _add(self, child: Child) -> None:
        self._refuse_closed("start", child.name)

        def add() -> None:
            self.children.append(child)
            if self.state == "running":
                child.launch()

        self._owner.on_home(add)

    def _refuse_closed(self, what: str, name: str) -> None:
        if self._owner.is_closed:
            raise ClosedError(f"cannot {what} {name}: the store is closed")


def _check(function: Any) -> None:
    if not is_async(function):
        raise TypeError(f"a service is made of `async def name(get, set)`, and {function!r} is not async")
    signature = inspect.signature(function)
    try:
        signature.bind(None, None)
    except TypeError:
        raise TypeError(f"service {name_of(function)}: it takes (get, set), and not {signature}") from None


class _Restart:
    """Children that are to be started again, when the delay is over and all of them have come to their end."""

    def __init__(self, supervisor: Supervisor, children: list[Child]) -> None:
        self.children = children
        self._supervisor = supervisor
        self._timer: Timer | None = None
        self._is_over = False

    def begin_after(self, delay: float, timers: Timers) -> None:
        """Start them after a delay. If the loop ends meanwhile, it is the next one that starts them."""
        self._timer = timers.start(delay, self.begin)

    def cancel(self) -> None:
        """Nobody is to be started again."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()

    def begin(self) -> None:
        """Start them, or wait until those that were halted have ended."""
        if self._is_over:
            return
        ending = next(filter(None, (child.ending() for child in self.children)), None)
        if ending is not None:
            ending.on_finish(self.begin)
            return
        self._is_over = True
        self._supervisor.restart(self)
