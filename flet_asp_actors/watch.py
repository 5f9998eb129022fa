"""Those who watch: callbacks, sync and async, that are told when a value has changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from types import TracebackType
from typing import Any

import anyio

from .core.calls import FATAL, as_exception
from .core.evaluate import read, refuse_in_selector
from .core.graph import NEVER, Node
from .core.listeners import Listeners
from .core.turn import Watcher
from .owner import Job, Owner, current_owner
from .run import current_run
from .waiting import behaviour

__all__ = ("Subscription", "belongings")

belongings: ContextVar[dict[Subscription, None] | None] = ContextVar("flet_asp_actors_belongings", default=None)
"""Where subscriptions that are set up now are noted, by whoever ends them."""


class Subscription(Watcher):
    """A callback that is called once a turn in which the value has changed.

    `close()` ends it; so does leaving it as a context manager, and the end of the store.
    It is called with the value current at the time of the call, on the store's thread, in
    the context where it was set up. What it raises goes to `on_error` and disturbs nobody
    else. An async callback runs as a task: its calls come in order, one at a time, and if
    several changes come while it is busy it is called once more, with the latest value.
    """

    __slots__ = ("_among", "_context", "_is_async", "_listeners", "_owner", "_pump", "callback", "on_close")

    kind = "listener"
    callback: Callable[[Any], object]
    _is_closed: bool = False  # noted where something may close it that is done before it is called

    def __init__(
        self,
        node: Node,
        callback: Callable[[Any], object],
        owner: Owner,
        context: Context | None,
        on_close: Callable[[Subscription], None],
    ) -> None:
        super().__init__(node)
        self.callback = callback
        self.on_close = on_close
        self._owner = owner
        self._context = context
        self._is_async = inspect.iscoroutinefunction(callback)
        self._pump: _Pump | None = None
        self._listeners: Listeners | None = None
        self._among: list[dict[Subscription, None]] | None = []
        self.set_up()

    def notify(self) -> None:
        if self._pump is not None and not self._pump.is_done:
            self._pump.again = True
            return
        try:
            if self._is_async:
                self.begin(None)
                return
            value = self.argument()
            if self._is_closed:
                result = None
            elif self._context is None:
                result = self.callback(value)
            else:
                # A copy: the context itself may be entered already, further up the stack.
                result = self._context.copy().run(self.callback, value)
        except BaseException as error:
            self.take(None, as_exception(error))
        else:
            self.take(result, None)

    def take(self, result: object, error: BaseException | None) -> None:
        """The callback has been called, and has returned something or has raised."""
        if error is not None:
            self.called()
            self.failed(error)
        elif result is not None and inspect.iscoroutine(result):  # not every awaitable: it may be a write's receipt
            self.begin(result)
        else:
            self.called()

    def argument(self) -> Any:
        """What the callback is given: the value now."""
        node = self.node
        if not node.mark and node.error is None:
            return node.current
        try:
            return read(node)
        except BaseException:
            self.seen = NEVER  # of the value that it was to be called with it is told when that comes back
            raise

    def failed(self, error: BaseException) -> None:
        """A call has raised; of what the node itself fails with all who watch it are told once."""
        if error is not self.node.error or self.know_failure():
            self.report(error)

    def called(self) -> None:
        """A call has ended, in whatever way."""

    def begin(self, first: Coroutine[Any, Any, Any] | None) -> None:
        """Go on in a task: with a call that has been made already, or with one for the latest value."""
        if self._owner.is_closed:  # what a run puts back at the very end is of interest to nobody
            if first is not None:
                first.close()
            return
        pump = _Pump(self, self._owner, first)
        if self._context is None:
            self._owner.spawn(pump)
        else:
            self._context.copy().run(self._owner.spawn, pump)
        self._pump = pump

    def ended(self, pump: _Pump) -> None:
        """The task has ended. The one holds the other, and with it what the callback has in its hands."""
        if self._pump is pump:
            self._pump = None

    def report(self, error: BaseException) -> None:
        name = getattr(self.callback, "__qualname__", None) or repr(self.callback)
        self._owner.report(error, self.node.key, f"listener {name}")

    def set_up(self) -> None:
        """It is asked for here: it ends when all have left where it was, unless that was nowhere in particular."""
        among = belongings.get()
        if self._among is None or among is None:
            self._among = None
        elif self not in among:
            among[self] = None
            self._among.append(among)

    def leave(self, among: dict[Subscription, None]) -> None:
        """It is no longer asked for where `among` belongs to."""
        among.pop(self, None)
        if self._among is not None:
            self._among = [each for each in self._among if each is not among]
            if not self._among:
                self.close()

    @property
    def is_plain(self) -> bool:
        """Whether all there is to do is to call a function."""
        return not self._is_async and self._context is None

    def start_among(self, listeners: Listeners) -> None:
        """Begin to watch, together with the other plain ones of the node."""
        self._listeners = listeners
        listeners.add(self)

    def stop(self) -> None:
        if self._listeners is not None:
            self._listeners.remove(self)
        else:
            super().stop()

    def close(self) -> None:
        """End the subscription; a call under way is cancelled if it is async. May be called twice."""
        refuse_in_selector("closes a subscription")
        self._owner.look_after_home()
        self._owner.on_home(self._close)

    def _close(self) -> None:
        for belongings_of_one in self._among or ():
            belongings_of_one.pop(self, None)
        self.stop()
        if self._pump is not None:
            self._pump.cancel()
        self.on_close(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Subscription to {self.node.key}>"


class _Pump(Job):
    """The task of an async listener: one call after the other."""

    __slots__ = ("_first", "_owner", "_scope", "_subscription", "again", "is_done", "kind", "name")

    can_wait = True

    def __init__(self, subscription: Subscription, owner: Owner, first: Coroutine[Any, Any, Any] | None) -> None:
        self._subscription = subscription
        self._owner = owner
        self._first = first  # a call that has been made already
        self._scope: anyio.CancelScope | None = None
        self.again = False
        self.is_done = False
        self.kind = subscription.kind
        self.name = str(subscription.node.key)

    async def run(self) -> None:
        try:
            # It was started by whoever wrote, and is not part of that one's work.
            behaviour.set(None)
            current_owner.set(self._owner)
            current_run.set(None)
            with anyio.CancelScope() as self._scope:
                while not self.is_done:
                    call: object
                    call, self._first = self._first, None
                    try:
                        if call is None:
                            self.again = False  # what came before this is in what it is given
                            value = self._subscription.argument()
                            if not self.is_done:
                                call = self._subscription.callback(value)
                        if inspect.isawaitable(call):
                            await call
                    except (anyio.get_cancelled_exc_class(), *FATAL):
                        raise
                    except BaseException as error:
                        self._subscription.failed(as_exception(error))
                    finally:
                        self._subscription.called()
                    if not self.again:
                        break
        except anyio.get_cancelled_exc_class():
            # the outermost frame: the host is ending, or something awaited was cancelled
            if self.again and not self.is_done:
                self._subscription.begin(None)  # a stray cancellation must not lose the latest value
        finally:
            self.is_done = True
            self._subscription.ended(self)

    def cancel(self) -> None:
        if not self.is_done and self._scope is not None:
            self._scope.cancel()
        self.is_done = True

    def abandon(self) -> None:
        self.is_done = True
        self._subscription.ended(self)
        if self._first is not None:
            self._first.close()
