"""The root of a store: where it lives, what runs in it, and how it ends."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from contextvars import Context
from threading import get_ident
from types import TracebackType
from typing import Any, TypeVar, cast

import anyio
import anyio.lowlevel

from ..core.calls import FATAL, as_exception, at_once
from ..core.graph import Node, Scope, user_traceback
from ..core.turn import here
from ..door import CLOSED, HOMELESS, LOCK, Home, HomeIsGone, running_home
from ..ending import GRACE
from ..errors import BusyError, ClosedError, DeadlockError, LoopError, NotRunningError
from ..key import label, user_key
from ..owner import Job, current_owner
from ..receipt import Posted, Receipt
from ..timer import Timers
from ..waiting import Behaviour, Completion
from .failure import Failure, log_failure
from .host import Host

__all__ = ("Root",)

T = TypeVar("T")
S = TypeVar("S", bound="Root")


class Root:
    """What a store is before it holds a value: a home loop, a host for tasks, a beginning and an end."""

    def __init__(self) -> None:
        self.on_error: Callable[[Failure], object] | None = None
        """Called with every error that nobody waits for; logged on "flet_asp_actors" when None."""
        self.scope = Scope(lambda error, key: self.report(error, key, "cleanup of a selector"))
        self.thread = HOMELESS
        self._home: Home | None = None
        self._host: Host | None = None
        self._held: list[Job] = []  # waiting for a loop
        self.timers = Timers(self)
        self._posted: dict[object, tuple[Posted, Callable[[], None]]] = {}  # writes under way from other threads
        self.batches: dict[int, list[Callable[[], None]]] = {}  # of threads away from the home loop
        self._deferred: list[Callable[[], object]] = []  # what was asked for without a loop
        self._entered = False
        self._settlers: list[Completion] = []
        self._ended = Completion()
        self._is_leaving = False  # the loop ends: what comes of that waits for the next one
        self._is_closing = False
        self._is_closed = False
        self.settle_home(open_host=False)

    # ------------------------------------------------------------------ life

    async def __aenter__(self: S) -> S:
        """Open the store: a task group of its own, in the task of the caller."""
        self._refuse_closed("be opened again")
        if self._entered:
            raise BusyError("the store is open already, in another `async with`; use it there, or make one of your own")
        self._entered = True
        self.settle_home(again=True, open_host=False)
        if self._host is None:
            host = self._make_host()
            await host.enter()
            self._release_held()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool | None:
        """Cancel and close everything; waits until every run has ended."""
        self._begin_close()
        host = self._host
        try:
            if host is None:
                return None
            if not host.is_entered:
                with anyio.CancelScope(shield=True):
                    await host.over.wait(hears=False)
                return None
            cancelled = error if isinstance(error, anyio.get_cancelled_exc_class()) else None
            return await host.leave(cancelled)
        finally:
            self._end()

    async def aclose(self) -> None:
        """End the store: cancel every run, answer whoever waits, close listeners and bindings.

        Waits until the runs have ended, but not longer than some seconds for one that is
        stuck. Inside a run it only asks for the end. May be called twice.
        """
        self._begin_close()
        host = self._host
        if host is None or self._is_inside_a_run():
            return
        if host.is_entered:
            self.on_home(host.cancel)
        with anyio.move_on_after(3 * GRACE):  # a block that the store was opened by may be stuck as well
            await self._ended.wait(hears=False)

    async def settled(self) -> None:
        """Wait until no run, no update and no async listener is under way. Services do not count.

        Raises:
            DeadlockError: Inside a run of this store, which would wait for itself.
        """
        if self._is_inside_a_run():
            raise DeadlockError("settled() inside a run of the same store waits for itself; await the runs you need")
        await anyio.lowlevel.checkpoint()
        while self._posted or not (self._host is None or self._host.is_idle):
            settler = Completion()
            self._settlers.append(settler)
            await settler.wait()

    def _is_inside_a_run(self) -> bool:
        running = cast("object", current_owner.get())
        return running is self

    # ------------------------------------------------------------------ what the nouns need

    @property
    def is_here(self) -> bool:
        """Whether the caller is on the thread of the home loop; anywhere is, without one."""
        home = self._home
        return home is None or home.is_here

    @property
    def is_closed(self) -> bool:
        """Whether the store has ended, or is about to."""
        return self._is_closing

    def elsewhere(self, key: object, apply: Callable[[], Receipt]) -> Receipt:
        """Apply a write wherever the caller is: at once on the home thread, else post it or take the lock."""
        if self._is_closed:
            self._refuse_closed(f"write {label(key)}")
        home = self._home
        if home is None:
            with LOCK:
                if self._home is None:
                    return apply()
            return self.elsewhere(key, apply)  # it got a home while we waited
        if home.is_here:
            return apply()
        receipt = Posted(
            Behaviour(f"a write to {label(key)}"),
            self,
            lambda error: self.report(error, key, "write from another thread"),
        )
        ticket = object()  # not the receipt itself: a callback that is kept must not keep it alive

        def on_loop() -> None:
            receipt, _ = self._posted.pop(ticket, (None, None))
            if receipt is None:
                return  # it was applied or answered when the store lost its loop
            try:
                if self._is_closed:
                    self._refuse_closed(f"write {label(key)}")
                receipt.follow(apply())
            except FATAL as error:
                receipt.finish(error)
                raise
            except BaseException as error:
                error.__traceback__ = user_traceback(error.__traceback__)
                receipt.finish(as_exception(error))
            del receipt  # the frames of an error keep this one alive, and an error must not keep its receipt
            self._wake_settlers()

        self._posted[ticket] = receipt, on_loop
        batch = self.batches.get(get_ident())
        if batch is not None:
            batch.append(on_loop)
            receipt.is_held_back = lambda: self.batches.get(get_ident()) is batch
        else:
            self._apply_soon(on_loop)
        return receipt

    def post_all(self, writes: list[Callable[[], None]]) -> None:
        """Have these writes applied on the home loop, in one turn."""
        self._apply_soon(lambda: self._apply_together(writes))

    def _apply_together(self, writes: Iterable[Callable[[], None]]) -> None:
        try:
            with here():
                for write in writes:
                    write()
        except LoopError as error:
            self.report(error, "a batch", "write from another thread")  # it is no write's: the loop is the listeners'

    def _apply_soon(self, posted: Callable[[], None]) -> None:
        """Have writes that were noted as posted applied on the home loop; here, if the store has lost that.

        Who leaves the home loop applies what was noted by then. What was noted too late for that is
        applied by whoever has noted it: that is why the home is looked at again after it was posted.
        """
        while True:
            home = self._home
            if home is None:
                with LOCK:
                    if self._home is None:  # pragma: no branch - else it got one while we waited
                        posted()
                        return
            elif not home.post(functools.partial(self._apply_at, home, posted)):
                self._leave_home(home)
            elif self._home is home:
                return

    def _apply_at(self, home: Home, posted: Callable[[], None]) -> None:
        if self._home is home:  # else whoever left it has applied this, or whoever has noted it does
            posted()

    def spawn(self, job: Job) -> None:
        """Start a job in a task of the host; open one if there is none.

        Raises:
            NotRunningError: Without an event loop.
            ClosedError: When the store has ended.
        """
        if self._is_closed or (self._is_closing and not job.is_service):
            self._refuse_closed(f"start {job.name}")
        self.look_after_home()
        if self._host is None:
            self.settle_home(again=True)
        if self._home is None or (self._host is not None and self._host.is_full):
            if job.can_wait:
                self._held.append(job)
                return
            raise NotRunningError(
                f"{job.name} needs an event loop, and none is running. "
                "Call it in async code, or open the store: `async with fa.StateManager() as state:`."
            )
        if self._host is None:  # it is not, if something was held until there was a loop
            self._make_host().start()
            self._release_held()
        assert self._host is not None
        self._host.spawn(job)

    def hold(self, job: Job) -> None:
        """Start a job on the next loop: the one there was has ended."""
        self._held.append(job)

    def later(self, call: Callable[[], object]) -> None:
        """Have something called on the home loop, or at the next call without one; from a finaliser, too."""
        home = self._home
        if home is None or not home.post(call):
            self._deferred.append(call)

    def report(self, error: BaseException, key: object, actor: str) -> None:
        """Send an error that nobody waits for to `on_error`; log it if that fails, too."""
        if isinstance(error, FATAL):
            return  # it has gone to the interpreter
        failure = Failure(error, user_key(key), actor)
        try:
            at_once((self.on_error or log_failure)(failure), "on_error")
        except FATAL:
            raise
        except BaseException as again:
            log_failure(failure)
            log_failure(Failure(again, key, "on_error"))

    def origin(self) -> Callable[[], object] | None:
        """Who a run that is made now belongs to beside its store, weakly."""
        raise NotImplementedError

    def visitor(self, handler: object) -> Callable[[], object] | None:
        """The page of the caller, weakly, if a handler is of no use to anybody else and the store outlives it."""
        raise NotImplementedError

    def fresh_context(self) -> None:
        """Called in the context of a run before it starts, which it has inherited from its starter."""

    def watchers_of(self, node: Node) -> list[Any]:
        """The subscriptions and bindings of this store to a node."""
        raise NotImplementedError

    def capture_context(self) -> Context | None:
        """The context that a callback set up now is to run in; None where it makes no difference."""
        raise NotImplementedError

    # ------------------------------------------------------------------ threads

    def on_home(self, call: Callable[[], T]) -> T:
        """Call on the home thread, or under the lock, and wait for what it returns."""
        home = self._home
        if home is None:
            with LOCK:
                if self._home is None:
                    self._call_deferred()
                    return call()
            return self.on_home(call)  # it got a home while we waited
        if home.is_here:
            return call()
        try:
            return home.call(call)
        except HomeIsGone:
            self._leave_home(home)
            return self.on_home(call)

    def settle_home(self, again: bool = False, open_host: bool = True) -> None:
        """Take the running loop for a home, if there is one and the store has none (or a dead one)."""
        self.look_after_home()
        if (self._home is None or again) and not self._is_leaving:
            home = running_home()
            if home is not None and (self._home is None or self._home.native is not home.native):
                if self._home is not None:
                    self._leave_home(self._home)
                with LOCK:  # a thread may be in the middle of a write
                    is_first = self._home is None
                    if is_first:
                        self._home, self.thread = home, home.thread
                        self._call_deferred()
                if not is_first:
                    self.settle_home(again, open_host)  # another loop has come in between
                elif open_host:
                    self._release_held()

    def _call_deferred(self) -> None:
        while self._deferred:
            self._deferred.pop()()

    def take_home(self) -> Home | None:
        """The home loop, for what is done as a whole; None without one: then the lock is held from here on."""
        self.settle_home()
        home = self._home
        if home is None:
            LOCK.acquire()
            home = self._home
            if home is not None:  # it got one while we waited
                LOCK.release()
        return home

    def look_after_home(self) -> None:
        """See to it that somebody applies what was posted: the loop, or the caller when the loop is gone."""
        home = self._home
        if home is not None and (home.is_gone or home.is_left):
            self._leave_home(home)

    def _leave_home(self, dead: Home) -> None:
        """The loop is gone, or about to: end what ran there, and apply here what was posted to it."""
        if self._home is not dead:
            return
        with LOCK:
            if self._home is not dead:
                return  # pragma: no cover - another thread was faster
            host = self._host
            self._home, self._host, self.thread = None, None, HOMELESS
            self._is_leaving = True
            try:
                if host is not None:
                    host.abandon()
                posted = self._posted.copy()  # other threads may note more; they will see to that themselves
                self._apply_together([apply for _, apply in posted.values()])
            finally:
                self._is_leaving = False
        if self._is_closing:
            self._end()

    # ------------------------------------------------------------------ tasks

    def _make_host(self) -> Host:
        assert self._home is not None
        home = self._home

        def on_end() -> None:
            self._leave_home(home)

        def on_late() -> None:
            if self._is_closing:  # pragma: no branch - else the loop ends, and the store goes on with the next one
                self._end()

        def on_escape(error: BaseException, job: Job) -> None:  # pragma: no cover - a job lets nothing out
            self.report(error, job.name, "host")

        self._host = Host(home, on_end, on_late, self._wake_settlers, on_escape, self._wind_down)
        return self._host

    def _release_held(self) -> None:
        """Start what has waited for a loop, and the services that the last loop has left behind."""
        held, self._held = self._held, []
        for job in held:
            Context().run(self.spawn, job)  # whoever opens the store is no parent of theirs
        self._resume()

    async def _wind_down(self) -> None:
        """Before everything is cancelled: end what has an order to end in."""

    def _resume(self) -> None:
        """There is a loop again: start what the last one has left behind."""

    def _wake_settlers(self) -> None:
        settlers, self._settlers = self._settlers, []
        for settler in settlers:
            settler.finish()

    # ------------------------------------------------------------------ the end

    def _refuse_closed(self, what: str) -> None:
        if self._is_closing:
            raise ClosedError(f"cannot {what}: the store is closed. Make a new one, or keep this one open for longer.")

    def _begin_close(self) -> None:
        """Cancel the runs and have the host end; sync, so that a page's close can call it."""
        self.look_after_home()
        if self._is_closing:
            return
        if not self.is_here:
            self.on_home(self._begin_close)
            return
        self._is_closing = True
        self._cancel_runs()
        host = self._host
        if host is None:
            self._end()
        elif not host.is_entered:
            host.stop(self._end)

    def _cancel_runs(self) -> None:
        """Cancel every run, with a reason: the store is about to end."""

    def _end(self) -> None:
        """Everything has ended: answer who still waits."""
        if self._is_closed:
            return
        self._is_closing = self._is_closed = True
        self.thread = CLOSED
        self._home = self._host = None
        for job in self._held:
            job.abandon()
        self._held.clear()
        while self._posted:
            _, (receipt, _) = self._posted.popitem()
            receipt.finish(ClosedError("the store was closed before the write was applied"))
        self._wake_settlers()
        self._ended.finish()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "closing" if self._is_closing else "open"
        return f"<{type(self).__name__} {state}>"
