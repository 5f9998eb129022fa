"""The service: something that runs as long as the store does, and is started again when it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import Context
from dataclasses import replace
from typing import Any, Literal, Protocol

import anyio

from .core.evaluate import FATAL, as_exception, refuse_in_selector
from .core.graph import Node
from .errors import RunCancelled
from .key import Readable
from .owner import Job, Owner, current_owner
from .retry import Retry
from .status import IDLE, ActionStatus, Status
from .waiting import Behaviour, Completion, behaviour
from .writing import Notes, RunSet

__all__ = ("RESTARTED", "Child", "Restart", "Service")

logger = logging.getLogger("flet_asp_actors")

Restart = Literal["permanent", "transient", "temporary"]
"""When a service that has ended is started again: always, after an error only, never. The words are OTP's."""

RESTARTED = Retry(attempts=None, base=0.5, cap=30.0)
"""How long it takes until something that failed is started again, unless somebody says otherwise:
it goes on for ever, and survives an outage of minutes without hammering on the door."""


class Parent(Protocol):
    """What a service needs of its supervisor."""

    def child_failed(self, child: Any, error: Exception | None, /) -> None:
        """A child has ended that should not have: start it again, or give up."""
        ...


class Child:
    """What a supervisor starts, halts, and starts again."""

    name: str
    retry: Retry
    failures: int = 0
    """How often it has failed since it was last up for a good while."""
    is_stopped: bool = False
    """Whether the user has stopped it."""
    is_temporary: bool = False

    def launch(self) -> None:
        """Start it, or leave it, if it is not to run just now."""
        raise NotImplementedError

    def halt(self) -> None:
        """Cancel it; `halted` waits for its end."""
        raise NotImplementedError

    async def halted(self) -> None:
        """Wait until it has come to its end."""
        raise NotImplementedError

    def show(self, state: Literal["idle", "failed", "cancelled"], error: Exception | None) -> None:
        """Say what has become of it."""
        raise NotImplementedError


class StatusOf(Readable[ActionStatus[None]]):
    """The key of a service's status."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"status of service {self._name}"


class Service(Child):
    """A task of the store that should be up: a feed, a heartbeat, a queue that is emptied.

    Made by `@state.service(...)` or `@supervisor.service(...)` of `async def feed(get, set)`; it
    starts at once, on the store's loop, in a context that holds no page, and ends with the store.
    If it fails, it is started again after a delay that grows, as its supervisor says. Its
    `set` knows the run that writes, as that of an action does: a run that has ended, or was
    cancelled, only puts back.
    """

    def __init__(
        self,
        function: Callable[[Any, Any], Any],
        name: str,
        owner: Owner,
        parent: Parent,
        restart: Restart,
        retry: Retry,
        while_watched: Node | None,
    ) -> None:
        self.name = name
        self.restart: Restart = restart
        self.retry = retry
        self.is_temporary = restart == "temporary"
        self.function = function
        self._owner = owner
        self._parent = parent
        self._watched = while_watched
        self._status: Status[ActionStatus[None]] = Status(StatusOf(name), IDLE)
        self._incarnation: _Incarnation | None = None
        self._last: _Incarnation | None = None  # one that is perhaps still ending
        if while_watched is not None:
            while_watched.attention += (self._look,)

    # ------------------------------------------------------------------ the face

    @property
    def status(self) -> Readable[ActionStatus[None]]:
        """How it is doing, to read, watch or bind.

        `running`; `failed` until it is started again, with the error; `idle` when nobody watches
        what it is for; `cancelled` when it was stopped. `attempt` counts the starts since it was
        last up for a good while.
        """
        return self._status

    @property
    def current(self) -> ActionStatus[None]:
        """Its status now."""
        return self._status.value

    def stop(self, _event: object = None) -> None:
        """End it, until `start`. Works as `on_click=service.stop`, and from any thread."""
        refuse_in_selector(f"stops {self.name}")

        def stop() -> None:
            self.is_stopped = True
            self.halt()
            self.show("cancelled", None)

        self._owner.on_home(stop)

    def start(self, _event: object = None) -> None:
        """Start it again after a `stop`, or after its supervisor has given up; nothing happens if it is up.

        Raises:
            ClosedError: When the store has ended.
        """
        refuse_in_selector(f"starts {self.name}")

        def start() -> None:
            self.is_stopped = False
            self.failures = 0
            self.launch()

        self._owner.on_home(start)

    def __repr__(self) -> str:
        return f"<Service {self.name}: {self._status.current.state}>"

    # ------------------------------------------------------------------ what its supervisor needs

    def launch(self) -> None:
        if self._incarnation is not None or self.is_stopped or self._owner.is_closed:
            return
        if self._watched is not None and not self._watched.dependents:
            self.show("idle", None)
            return
        incarnation = self._incarnation = self._last = _Incarnation(self, self._owner)
        try:
            Context().run(self._owner.spawn, incarnation)  # it belongs to no page, and to no run
        except BaseException:
            self._incarnation = None
            raise
        self._status.publish(ActionStatus("running", attempt=self.failures + 1, active=1))

    def halt(self) -> None:
        incarnation, self._incarnation = self._incarnation, None
        if incarnation is not None:
            incarnation.cancel()

    async def halted(self) -> None:
        if self._last is not None:
            await self._last.ended.wait(hears=False)

    def show(self, state: Literal["idle", "failed", "cancelled"], error: Exception | None) -> None:
        self._status.publish(ActionStatus(state, error=error, attempt=self.failures))

    # ------------------------------------------------------------------ what its runs need

    def on_progress(self, incarnation: _Incarnation, fraction: float | None, text: str) -> None:
        """It says how far it is."""
        if self._incarnation is incarnation:
            self._status.publish(replace(self._status.current, progress=fraction, progress_text=text))

    def on_end(self, incarnation: _Incarnation, error: Exception | None) -> None:
        """A run has come to its end on its own."""
        if self._incarnation is not incarnation:
            if error is not None and not isinstance(error, RunCancelled):
                self._owner.report(error, self.name, "service (while it was being stopped)")
            return
        self._incarnation = None
        if self._owner.is_closed:
            self.show("cancelled", None)
        elif error is None and self.restart != "permanent":
            self._status.publish(ActionStatus("succeeded", attempt=self.failures + 1))
        elif self.is_temporary:
            self.failures += 1
            self.show("failed", error)
            if error is not None:
                self._owner.report(error, self.name, "service")
        else:
            if incarnation.uptime >= self.retry.cap:
                self.failures = 0
            self.failures += 1
            self._parent.child_failed(self, error)

    def lost(self, incarnation: _Incarnation) -> None:
        """The loop of the store has ended with it. The next one brings it back."""
        if self._incarnation is incarnation:
            self._incarnation = None
            self.show("cancelled" if self._owner.is_closed else "idle", None)

    def _look(self) -> None:
        """Somebody has begun to observe what it is for, or nobody does any more."""
        assert self._watched is not None
        if self._owner.is_closed:
            return
        if self._watched.dependents:
            if self._incarnation is None and self._status.current.state == "idle":
                self.failures = 0
                self.launch()
        elif not self.is_stopped:
            self.halt()
            self.show("idle", None)

    def forget(self) -> None:
        """The store has ended: hold on to nothing outside."""
        if self._watched is not None:
            self._watched.attention = tuple(call for call in self._watched.attention if call != self._look)


class _Incarnation(Job):
    """One life of a service: the task from its start to its end."""

    __slots__ = ("_began", "_owner", "_scope", "_service", "ended", "is_over", "name", "uptime")

    is_service = True
    can_wait = True

    def __init__(self, service: Service, owner: Owner) -> None:
        self.name = service.name
        self._service = service
        self._owner = owner
        self._scope: anyio.CancelScope | None = None
        self.ended = Completion()
        self.is_over = False
        self.uptime = 0.0

    @property
    def is_stopping(self) -> bool:
        """Whether it may only put back what it wrote."""
        return self.is_over

    def on_progress(self, fraction: float | None, text: str) -> None:
        """It says how far it is."""
        self._service.on_progress(self, fraction, text)

    def cancel(self) -> None:
        """End it; `ended` finishes when it has."""
        self.is_over = True
        if self._scope is not None:
            self._scope.cancel()

    async def run(self) -> None:
        behaviour.set(Behaviour(f"service {self.name}"))
        current_owner.set(self._owner)
        began = anyio.current_time()
        error: Exception | None = None
        try:
            with anyio.CancelScope() as self._scope:
                if not self.is_over:
                    await self._service.function(self._owner.reader, RunSet(self, self._owner, Notes()))
        except Exception as raised:
            error = raised
        except anyio.get_cancelled_exc_class():
            # Not by our scope: the host is ending, or something that was awaited was cancelled.
            error = RunCancelled(f"service {self.name} was cancelled from outside")
        except FATAL:
            raise
        except BaseException as raised:
            error = as_exception(raised)
        self.uptime = anyio.current_time() - began
        self.is_over = True
        self._service.on_end(self, error)
        self.ended.finish()

    def abandon(self) -> None:
        self.is_over = True
        if not self.ended.is_done:
            self.ended.finish()
            self._service.lost(self)
