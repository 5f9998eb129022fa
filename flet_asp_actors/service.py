"""The service: something that runs as long as the store does, and is started again when it fails."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from dataclasses import replace
from typing import Any, Literal, Protocol

import anyio
import anyio.lowlevel

from .core.calls import as_exception
from .core.evaluate import refuse_in_selector
from .core.graph import Node
from .door import running_home
from .ending import Watchdog
from .errors import ClosedError, RunCancelled, UnknownKeyError
from .key import Readable
from .owner import Job, Owner, current_owner
from .retry import Retry
from .status import IDLE, ActionStatus, Status, telling
from .waiting import Behaviour, Completion, behaviour
from .writing import Notes, RunSet

__all__ = ("RESTARTED", "Child", "Down", "Restart", "Service", "is_good_while")

Restart = Literal["permanent", "transient", "temporary"]
"""When a service that has ended is started again: always, after an error only, never. The words are OTP's."""

Down = Literal["idle", "failed", "cancelled"]
"""What is not up, and why: it waits to be started; it has failed; it was halted."""

RESTARTED = Retry(attempts=None, base=0.5, cap=30.0)
"""How long it takes until something that failed is started again, unless somebody says otherwise:
it goes on for ever, and survives an outage of minutes without hammering on the door."""


def is_good_while(seconds: float, retry: Retry) -> bool:
    """Whether something was up for so long that its next failure is the first of a new row."""
    return seconds >= max(retry.cap, 1.0)


class Parent(Protocol):
    """What a service needs of its supervisor."""

    @property
    def is_ending(self) -> bool:
        """Whether the loop, or the store, is about to end."""
        ...

    @property
    def begun(self) -> Completion | None:
        """Finishes when the service that was started last has begun: the next one begins after it."""
        ...

    @begun.setter
    def begun(self, begun: Completion, /) -> None: ...

    def may_launch(self, child: Any, /) -> bool:
        """Whether a child may begin for reasons of its own: the supervisor is at work, and has no plans with others."""
        ...

    def will_restart(self, child: Any, /) -> bool:
        """Whether a child is to be started again, after a delay."""
        ...

    def has_launched(self, child: Any, /) -> None:
        """A child has begun, for whatever reason: it is not to be started again later."""
        ...

    def revive(self) -> None:
        """The user starts a child: be at work again, if the supervisor was stopped or had given up."""
        ...

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

    def halt(self, state: Down = "cancelled") -> None:
        """Cancel it if it is up, and say what that makes of it. Its end is yet to come; see `ending`."""
        raise NotImplementedError

    def ending(self) -> Completion | None:
        """What finishes when something of it that was halted has come to its end; None where nothing is left."""
        raise NotImplementedError

    def show(self, state: Down, error: Exception | None = None) -> None:
        """Say what has become of it."""
        raise NotImplementedError

    def forget(self) -> None:
        """The store has ended: hold on to nothing outside."""
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
    cancelled, only puts back. There is never more than one: who is started again begins when
    the one before has come to its end. Actions that it starts are runs of the store, and go on
    without it, unless it was the last who waited for them.
    """

    def __init__(
        self,
        function: Callable[[Any, Any], Any],
        name: str,
        owner: Owner,
        parent: Parent,
        restart: Restart,
        retry: Retry,
        while_watched: object,
    ) -> None:
        self.name = name
        self.restart: Restart = restart
        self.retry = retry
        self.is_temporary = restart == "temporary"
        self.function = function
        self.is_up = False
        """Whether it runs, or is about to: when there is a loop, when the run before it has ended."""
        self._owner = owner
        self._parent = parent
        self._key = while_watched
        self._watched: Node | None = None if while_watched is None else owner.find(while_watched)
        self._status: Status[ActionStatus[None]] = Status(StatusOf(name), IDLE)
        self._current: _Incarnation | None = None
        self._last: _Incarnation | None = None  # the current one, or one that is perhaps still ending
        if self._watched is not None:
            self._watched.attention += (self._look,)

    # ------------------------------------------------------------------ the face

    @property
    def status(self) -> Readable[ActionStatus[None]]:
        """How it is doing, to read, watch or bind.

        `running`; `failed` until it is started again, with the error, or for good; `idle` when it
        waits for a loop, for its siblings, or for somebody to watch what it is for; `succeeded`
        when it has ended and is not to be started again; `cancelled` when it was stopped.
        `attempt` counts the starts since it was last up for a good while.
        """
        return self._status

    @property
    def current(self) -> ActionStatus[None]:
        """Its status now."""
        return self._status.value

    def stop(self, _event: object = None) -> None:
        """End it, until `start`. Works as `on_click=service.stop`, and from any thread."""
        refuse_in_selector(f"stops {self.name}")
        self._owner.look_after_home()

        def stop() -> None:
            self.is_stopped = True
            self.halt()
            self.show("cancelled")

        self._owner.on_home(stop)

    def start(self, _event: object = None) -> None:
        """Start it again after a `stop`, or after its supervisor has given up; nothing happens if it is up.

        Raises:
            ClosedError: When the store has ended.
        """
        refuse_in_selector(f"starts {self.name}")
        self._owner.look_after_home()
        if self._owner.is_closed:
            raise ClosedError(f"cannot start {self.name}: the store is closed")

        def start() -> None:
            self.is_stopped = False
            if not self.is_up:
                self.failures = 0
                self._parent.revive()
                self.launch()

        self._owner.on_home(start)

    def __repr__(self) -> str:
        return f"<Service {self.name}: {self._status.current.state}>"

    # ------------------------------------------------------------------ what its supervisor needs

    def launch(self) -> None:
        if self.is_up or self.is_stopped:
            return
        if self._owner.is_closed:
            self.show("cancelled")
            return
        if self._parent.is_ending or (self._watched is not None and not self._watched.dependents):
            self.show("idle")
            return
        self.is_up = True
        self._parent.has_launched(self)
        if self.ending() is None:
            self._begin()

    def halt(self, state: Down = "cancelled") -> None:
        was_up, self.is_up = self.is_up, False
        current, self._current = self._current, None
        if current is not None:
            current.cancel()
        if was_up:
            self.show(state)

    def ending(self) -> Completion | None:
        last = self._last
        return last.ended if last is not None and last is not self._current and not last.ended.is_done else None

    def show(self, state: Down, error: Exception | None = None) -> None:
        status: ActionStatus[None] = ActionStatus(state, error=error, attempt=self.failures)
        if status != self._status.current:
            self._publish(status)

    def forget(self) -> None:
        if self._watched is not None:
            self._watched.attention = tuple(call for call in self._watched.attention if call != self._look)

    # ------------------------------------------------------------------ what its runs need

    def on_begin(self) -> None:
        """It runs, or will with the next step of the loop."""
        if not self._status.current.is_busy:
            self._publish(ActionStatus("running", attempt=self.failures + 1, active=1))

    def on_progress(self, fraction: float | None, text: str) -> None:
        """It says how far it is."""
        self._publish(replace(self._status.current, progress=fraction, progress_text=text))

    def on_end(self, incarnation: _Incarnation, error: Exception | None) -> None:
        """A run has come to its end, on its own or because it was halted."""
        is_halted = self._current is not incarnation
        is_ending = self._owner.is_closed or self._parent.is_ending
        is_expected = isinstance(error, RunCancelled) or (self._owner.is_closed and isinstance(error, ClosedError))
        if (is_halted or is_ending) and error is not None and not is_expected:
            self._owner.report(error, self.name, "service (while it was being stopped)")
        if is_halted:
            if self.is_up and self._current is None:
                self._begin()  # it has waited for this
            return
        self._current, self.is_up = None, False
        if error is None and self.restart != "permanent":
            self._publish(ActionStatus("succeeded", attempt=self.failures + 1))
        elif is_ending:
            self._show_ending()
        else:
            if is_good_while(incarnation.uptime, self.retry):
                self.failures = 0
            self.failures += 1
            if self.is_temporary:
                assert error is not None
                self.show("failed", error)
                self._owner.report(error, self.name, "service")
            else:
                self._parent.child_failed(self, error)

    def lost(self, incarnation: _Incarnation) -> None:
        """The loop has ended with a run in it. The next one brings it back."""
        if self.is_up and self._current in (incarnation, None):
            self._current, self.is_up = None, False
            self._show_ending()

    def _begin(self) -> None:
        if self._owner.is_closed or self._parent.is_ending:
            self.is_up = False
            self._show_ending()
            return
        incarnation = _Incarnation(self, self._owner, self._parent.begun)
        Context().run(self._owner.spawn, incarnation)  # it belongs to no page, and to no run
        self._current = self._last = incarnation
        self._parent.begun = incarnation.begun
        if running_home() is not None:
            self.on_begin()

    def _publish(self, status: ActionStatus[None]) -> None:
        with telling(self._owner, self._status.key, "service"):
            self._status.publish(status)

    def _show_ending(self) -> None:
        self.show("cancelled" if self._owner.is_closed else "idle")

    def _look(self) -> None:
        """Somebody has begun to observe what it is for, or nobody does any more."""
        self._owner.look_after_home()
        if not self._owner.is_here:
            self._owner.later(self._look)
        elif self._owner.is_closed:
            return
        elif self._find_again().dependents:
            if not self.is_up and self._status.current.state == "idle" and self._parent.may_launch(self):
                self.failures = 0
                self.launch()
        elif self.is_up:
            self.halt("idle")
        elif self._status.current.state == "succeeded" or self._parent.will_restart(self):
            self.show("idle")  # who looks again sees it run again

    def _find_again(self) -> Node:
        """What its key finds now: what it has found before may have been given up."""
        try:
            node: Node = self._owner.find(self._key)
        except UnknownKeyError:
            node = self._owner.missing(self._key)
        if self._look not in node.attention:
            node.attention += (self._look,)
        self._watched = node
        return node


class _Incarnation(Job):
    """One life of a service: the task from its start to its end."""

    __slots__ = ("_after", "_notes", "_owner", "_scope", "_service", "begun", "ended", "is_over", "name", "uptime")

    kind = "service"
    is_service = True
    can_wait = True

    def __init__(self, service: Service, owner: Owner, after: Completion | None) -> None:
        self.name = service.name
        self._service = service
        self._owner = owner
        self._after = after
        self._scope: anyio.CancelScope | None = None
        self._notes = Notes()
        self.begun = Completion()
        self.ended = Completion()
        self.is_over = False
        self.uptime = 0.0

    @property
    def is_stopping(self) -> bool:
        """Whether it may only put back what it wrote."""
        return self.is_over

    def on_progress(self, fraction: float | None, text: str) -> None:
        """It says how far it is."""
        self._service.on_progress(fraction, text)

    def cancel(self) -> None:
        """End it; `ended` finishes when it has."""
        self.is_over = True
        self._notes.stop_work()
        if self._scope is not None:
            self._scope.cancel()
            watchdog = Watchdog(f"service {self.name}", self.name, "service", self.ended, self._owner)
            Context().run(self._owner.spawn, watchdog)

    async def run(self) -> None:
        behaviour.set(Behaviour(f"service {self.name}"))
        current_owner.set(self._owner)
        error = None if self.is_over else await self._live()
        if self.is_over or error is not None:
            self._notes.stop_work()
        self._finish()
        if not self.ended.is_done:
            self.ended.finish()
            self._service.on_end(self, error)

    async def _live(self) -> Exception | None:
        """Call the function; return what it failed with."""
        began = anyio.current_time()
        try:
            # Only we cancel it: at the end, whatever is cancelled around it, services end in their order.
            with anyio.CancelScope(shield=True) as self._scope:
                if self._after is not None and not self._after.is_done:
                    await self._after.wait(hears=False)
                self._after = None
                if self.is_over:  # halted in the step in which it was its turn
                    return None
                self._service.on_begin()
                self.begun.finish()
                await self._service.function(self._owner.reader, RunSet(self, self._owner, self._notes))
        except Exception as error:
            return error
        except anyio.get_cancelled_exc_class():
            # Something awaited was cancelled; or the loop is ending, and by the next step the host knows it.
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
            return RunCancelled(f"service {self.name} was cancelled from outside")
        except BaseException as error:
            return as_exception(error)
        finally:
            self.uptime = anyio.current_time() - began
        return None

    def abandon(self) -> None:
        self._finish()
        if not self.ended.is_done:
            self.ended.finish()
            self._service.lost(self)

    def _finish(self) -> None:
        self._notes.let_go()  # first: what counts is whether it was to stop before
        self.is_over = True
        self.begun.finish()
