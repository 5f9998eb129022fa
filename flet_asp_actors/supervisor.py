"""The supervisor: it starts its children, and decides what happens when one of them fails. The rules are OTP's."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Literal, Protocol, TypeVar, get_args, overload

import anyio

from .async_key import is_async
from .key import Name, Readable
from .owner import Job, Owner
from .reading import Get
from .retry import Retry
from .selector import name_of
from .service import RESTARTED, Child, Restart, Service
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

    Made by `state.supervisor(...)`; `@supervisor.service(...)` adds a service, and
    `supervisor.supervisor(...)` one that is supervised in turn. More than `max_restarts` restarts
    `within` seconds are too many: it halts all its children, the last one first, and its own
    supervisor decides. When the store itself has to, they stay down, and the error goes to
    `on_error`, once.
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
        self._pending: list[_Restarting] = []

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
            TypeError: When the function is not async.
            ValueError: For an unknown `restart`.
            UnknownKeyError: When `while_watched` is a name that was never declared.
            ClosedError: When the store has ended.
        """
        if restart not in get_args(Restart):
            raise ValueError(f"service: unknown restart {restart!r}; one of {', '.join(get_args(Restart))}")

        def add(function: Any) -> Service:
            if not is_async(function):
                raise TypeError(f"a service is made of `async def name(get, set)`, and {function!r} is not async")
            watched = None if while_watched is None else self._owner.find(while_watched)
            service = Service(
                function,
                name if isinstance(name, str) else name_of(function),
                self._owner,
                self,
                restart,
                retry or RESTARTED,
                watched,
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

        def stop() -> None:
            self.is_stopped = True
            self.halt()
            self.state = "stopped"

        self._owner.on_home(stop)

    def start(self, _event: object = None) -> None:
        """Start the children again, after a `stop` or after it has given up."""

        def start() -> None:
            self.is_stopped = False
            self.failures = 0
            self.launch()

        self._owner.on_home(start)

    def __repr__(self) -> str:
        return f"<Supervisor {self.name}: {self.strategy}, {len(self.children)} children, {self.state}>"

    # ------------------------------------------------------------------ what its own supervisor needs

    def launch(self) -> None:
        if self.is_stopped:
            return
        self.state, self.error = "running", None
        self._restarts.clear()
        for child in self.children:
            child.failures = 0
            child.launch()

    def resume(self) -> None:
        """Start what is not up and should be: the store has a loop again."""
        if self.state == "running":
            for child in self.children:
                if isinstance(child, Supervisor):
                    child.resume()
                elif isinstance(child, Service) and child.current.state == "idle":
                    child.launch()

    def halt(self) -> None:
        for restarting in self._pending:
            restarting.cancel()
        self._pending.clear()
        for child in self.children[::-1]:
            child.halt()
            if not child.is_stopped:
                child.show("cancelled", None)
        if self.state == "running":
            self.state = "halted"

    async def halted(self) -> None:
        for child in self.children[::-1]:
            await child.halted()

    async def wind_down(self) -> None:
        """Halt the children one after the other, each when the one that was started after it has ended."""
        for restarting in self._pending:
            restarting.cancel()
        self._pending.clear()
        for child in self.children[::-1]:
            if isinstance(child, Supervisor):
                await child.wind_down()
            child.halt()
            await child.halted()
            if isinstance(child, Service):
                child.forget()
                if child.current.is_busy:
                    child.show("cancelled", None)

    def show(self, state: Literal["idle", "failed", "cancelled"], error: Exception | None) -> None:
        if state == "failed":
            self.state, self.error = "failed", error

    # ------------------------------------------------------------------ decisions

    def child_failed(self, child: Child, error: Exception | None, /) -> None:
        """A child has ended that should not have: start it again, and whom the strategy says, or give up."""
        cause = error or RuntimeError(f"service {child.name} has ended, and is permanent")
        child.show("failed", cause)
        if self._is_hopeless(child, cause):
            self._give_up(child, cause)
            return
        delay = child.retry.delay(child.failures)
        affected = self._affected(child)
        logger.warning(
            "%s has failed (%s: %s); %s again in %.3g s",
            child.name,
            type(cause).__name__,
            cause,
            "it is started" if len(affected) == 1 else f"{len(affected)} are started",
            delay,
        )
        for other in affected[::-1]:
            for restarting in self._pending:
                restarting.children = [each for each in restarting.children if each is not other]
            if other is not child:
                other.halt()
                other.show("idle", None)
        restarting = _Restarting(self, [each for each in affected if not each.is_temporary], delay)
        self._pending.append(restarting)
        Context().run(self._owner.spawn, restarting)

    def _affected(self, child: Child) -> list[Child]:
        if self.strategy == "one_for_one":
            return [child]
        first = 0 if self.strategy == "one_for_all" else self.children.index(child)
        return [each for each in self.children[first:] if not each.is_stopped]

    def _is_hopeless(self, child: Child, error: Exception) -> bool:
        if self._parent is None and isinstance(child, Supervisor):
            return True  # what it could not mend is not mended here
        attempts = child.retry.attempts
        if (attempts is not None and child.failures >= attempts) or not isinstance(error, child.retry.on):
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
        self.halt()
        child.show("failed", error)
        self.failures += 1
        self._parent.child_failed(self, error)

    def restarted(self, restarting: _Restarting) -> None:
        """The children that failed together have been started again."""
        if restarting in self._pending:
            self._pending.remove(restarting)

    def _add(self, child: Child) -> None:
        def add() -> None:
            self.children.append(child)
            if self.state == "running":
                child.launch()

        self._owner.on_home(add)


class _Restarting(Job):
    """Waits until those who are to be started again have ended, and for the delay; then starts them in their order."""

    __slots__ = ("_delay", "_is_over", "_scope", "_supervisor", "children", "name")

    is_service = True

    def __init__(self, supervisor: Supervisor, children: list[Child], delay: float) -> None:
        self.name = f"a restart by {supervisor.name}"
        self.children = children
        self._supervisor = supervisor
        self._delay = delay
        self._scope: anyio.CancelScope | None = None
        self._is_over = False

    async def run(self) -> None:
        with anyio.CancelScope() as self._scope:
            if not self._is_over:
                began = anyio.current_time()
                for child in self.children[::-1]:
                    await child.halted()
                await anyio.sleep(began + self._delay - anyio.current_time())
        if self._is_over:
            return
        self._is_over = True
        self._supervisor.restarted(self)
        for child in self.children:
            child.launch()

    def cancel(self) -> None:
        """Nobody is to be started again."""
        self._is_over = True
        if self._scope is not None:
            self._scope.cancel()

    def abandon(self) -> None:
        self._is_over = True
