"""The store: the verbs of the public face, without a screen."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, overload

import anyio.lowlevel

from ..async_selector import AsyncSelector
from ..atom import is_atom
from ..core.evaluate import refuse_in_selector
from ..core.graph import Node
from ..core.listeners import Listeners
from ..core.turn import here
from ..deprecation import deprecated
from ..effect import Effect
from ..errors import ClosedError
from ..key import Name, Readable, label
from ..reading import Get
from ..retry import Retry
from ..selector import (
    name_of,
    takes_one,
)
from ..service import Restart, Service
from ..supervisor import ServiceDecorator, Strategy, Supervisor
from ..watch import Subscription
from ..watching import WaitFor, Watch
from ..writing import Set
from .declarations import Declarations
from .supervision import Supervision, describe_store

__all__ = ("Statistics", "Store")

T = TypeVar("T")
D = TypeVar("D")
R = TypeVar("R")
P = ParamSpec("P")
S = TypeVar("S", bound="Store")

_NOT_GIVEN: Any = object()


@dataclass(frozen=True)
class Statistics:
    """A count of what a store holds and does just now."""

    atoms: int
    selectors: int
    observed: int
    """Atoms and selectors that somebody watches."""
    actions: int
    jobs: int
    """Tasks under way."""
    messages: int
    """Messages that wait in mailboxes."""
    busy: int = 0
    """Actions whose status says that a run is under way."""
    frames: int = 0
    """Frames pushed to the pages of the store, each one `page.update`."""
    pushed: int = 0
    """Controls in these frames."""


class Store(Declarations):
    """A store without a screen: atoms, selectors, actions, and the supervision of their tasks.

    `StateManager` adds the pages. Everything synchronous works without an event loop; what
    needs one opens a host on the loop that is running, or says how to get one.
    """

    def __init__(self, *, overrides: Mapping[Any, Any] | None = None) -> None:
        super().__init__(overrides)
        self.services: Supervisor = Supervisor("services", self, None, max_restarts=None)
        """Supervises what was declared in the store itself; it never gives up on all for the sake of one."""
        self._subscriptions: dict[Any, Subscription] = {}
        self._listeners: dict[Node, Listeners] = {}
        self._effects: set[Subscription] = set()
        self._waits: set[WaitFor] = set()
        self._watches: weakref.WeakSet[Watch[Any]] = weakref.WeakSet()

    # ------------------------------------------------------------------ supervision

    @overload
    def service(self, function: Callable[[Get, Set], Coroutine[Any, Any, object]], /) -> Service: ...
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
    def service(self, name: Any = None, /, **options: Any) -> Any:
        """Have `async def feed(get, set)` run as long as the store does: `@state.service(...)`.

        It starts at once; without an event loop, when there is one. If it fails, it is started
        again after a delay that grows from half a second to half a minute. See
        `Supervisor.service` for the options.

        Raises:
            TypeError: When the function is not async.
            ValueError: For an unknown `restart`.
            UnknownKeyError: When `while_watched` is a name that was never declared.
            ClosedError: When the store has ended.
        """
        self._refuse_closed("start a service")
        declare: Any = self.services.service
        return declare(name, **options)

    def supervisor(
        self,
        strategy: Strategy = "one_for_one",
        max_restarts: int | None = 3,
        within: float = 5.0,
        *,
        name: str | None = None,
    ) -> Supervisor:
        """Make a supervisor: `@supervisor.service(...)` adds services that stand or fall together.

        Args:
            strategy: Who is started again when a service has failed: `one_for_one` that one,
                `one_for_all` all of them, `rest_for_one` that one and those declared after it.
            max_restarts: How many restarts `within` some seconds are still all right; with one
                more it halts all its services and escalates. None for any number.
            within: Seconds.
            name: What messages call it.

        Raises:
            ValueError: For an unknown strategy, or numbers that make no sense.
            ClosedError: When the store has ended.
        """
        self._refuse_closed("make a supervisor")
        return self.services.supervisor(strategy, max_restarts, within, name=name)

    def supervision(self) -> Supervision:
        """Give the supervision tree: what is alive just now, and who is its parent. Print it, or walk it."""
        jobs = self._host.jobs if self._host is not None else []
        state = "closed" if self._is_closed else "closing" if self._is_closing else "open"
        return describe_store(type(self).__name__, state, self.services, [*jobs, *self._held])

    # ------------------------------------------------------------------ watching

    @overload
    def listen(self, key: Readable[T], callback: Callable[[T], object], immediate: bool = True) -> Subscription: ...
    @overload
    def listen(self, key: Name, callback: Callable[[Any], object], immediate: bool = True) -> Subscription: ...
    def listen(self, key: Any, callback: Callable[[Any], object], immediate: bool = True) -> Subscription:
        """Have `callback(value)` called whenever a turn has changed the value of a key.

        Args:
            key: What to watch.
            callback: A sync or an async function. What it raises goes to `on_error`. The same
                one for the same key is not listed twice.
            immediate: Call it now, too, with the value now.

        Returns:
            The subscription; close it to end it.

        Raises:
            UnknownKeyError: For a name that was never declared.
            ClosedError: When the store has ended.
        """
        self._refuse_closed("listen")
        refuse_in_selector(f"listens to {label(key)}")
        if not callable(callback):
            raise TypeError(f"a listener is a function of the value, and {callback!r} is none")
        if not takes_one(callback):
            raise TypeError(f"a listener takes the value: `lambda value: ...`; {callback!r} does not")
        return self.on_home(lambda: self._listen(key, callback, immediate))

    @deprecated("call listen for each of them")
    def listen_multiple(
        self, callbacks: Mapping[Any, Callable[[Any], object]], immediate: bool = True
    ) -> list[Subscription]:
        """Listen to several keys: `{key: callback}`."""
        return [self.listen(key, callback, immediate) for key, callback in callbacks.items()]

    @deprecated("close the subscription that listen returns: subscription.close()")
    def unlisten(self, key: Any, callback: Callable[[Any], object]) -> None:
        """End the subscription of `callback` to a key; nothing happens if there is none."""
        subscription = self._subscriptions.get(_listener_id(self.find(key), callback))
        if subscription is not None:
            subscription.close()

    @overload
    def watch(self, key: Readable[T], /) -> Watch[T]: ...
    @overload
    def watch(self, key: Name, /) -> Watch[Any]: ...
    def watch(self, key: Any, /) -> Watch[Any]:
        """Iterate over the values of a key as they come: `async for value in state.watch(key): ...`.

        The first is the value now; who is slow gets the latest. See `Watch`.

        Raises:
            UnknownKeyError: For a name that was never declared.
            ClosedError: When the store has ended.
        """
        node = self._watched(key, "watch")
        watch: Watch[Any] = Watch(node, self)
        self._watches.add(watch)
        return watch

    @overload
    async def wait_for(self, key: Readable[T], predicate: Callable[[T], object] = bool, /) -> T: ...
    @overload
    async def wait_for(self, key: Name, predicate: Callable[[Any], object] = bool, /) -> Any: ...
    async def wait_for(self, key: Any, predicate: Callable[[Any], object] = bool, /) -> Any:
        """Wait until `predicate(value)` is true, looking at the value now and in every turn; return the value.

        For a limit of time use anyio's: `with anyio.fail_after(5): await state.wait_for(...)`.

        Args:
            key: What to watch.
            predicate: A sync function; the truth of the value itself without one.

        Raises:
            UnknownKeyError: For a name that was never declared.
            ClosedError: When the store has ended, or ends meanwhile.
            Exception: What the predicate, or the selector that is watched, raises.
        """
        await anyio.lowlevel.checkpoint_if_cancelled()
        waiting = WaitFor(self._watched(key, "wait"), predicate)
        self._waits.add(waiting)
        try:
            self.on_home(waiting.begin)
            return await waiting.wait()
        finally:
            self._waits.discard(waiting)
            self.on_home(waiting.stop)

    def _watched(self, key: Any, what: str) -> Node:
        self._refuse_closed(what)
        refuse_in_selector(f"watches {label(key)}")
        self.settle_home()
        node: Node = self.find(key)
        self.adopt(node)
        return node

    def effect(self, function: Callable[[Get], object], /) -> Subscription:
        """Run a function of `get` now, and again whenever what it has read has changed: `@state.effect`.

        `def` or `async def`; see `Effect`. What it raises goes to `on_error`, and it lives on.

        Returns:
            The subscription; close it to end the effect.

        Raises:
            TypeError: When the function does not take `get`.
            ClosedError: When the store has ended.
        """
        self._refuse_closed("start an effect")
        refuse_in_selector("starts an effect")
        if not callable(function):
            raise TypeError(f"an effect is a function of get, and {function!r} is none")
        if not takes_one(function):
            raise TypeError(f"an effect takes get: `def {name_of(function)}(get)`")

        def begin() -> Subscription:
            self.settle_home()
            effect = Effect(function, name_of(function), self, self.capture_context(), self._effects.discard)
            self._effects.add(effect)
            try:
                effect.first_run()
            except BaseException:
                effect.close()  # nobody gets it
                raise
            return effect

        return self.on_home(begin)

    def statistics(self) -> Statistics:
        """Count what the store holds and does just now."""
        nodes: set[Node] = {*self._nodes.values(), *self._given_up.values()}
        atoms = [node for node in nodes if is_atom(node)]
        return Statistics(
            atoms=len(atoms),
            selectors=len(nodes) - len(atoms),
            observed=sum(bool(node.dependents) for node in nodes),
            actions=len(self._actions),
            jobs=self._host.size if self._host is not None else 0,
            messages=sum(len(atom.mailbox) for atom in atoms if atom.mailbox is not None),
            busy=sum(self.get(bound.status).is_busy for bound in self.bound_actions()),
        )

    # ------------------------------------------------------------------ what the nouns need

    def watchers_of(self, node: Node) -> list[Any]:
        """The subscriptions of this store to a node."""
        return [subscription for subscription in list(self._subscriptions.values()) if subscription.node is node]

    # ------------------------------------------------------------------ the machinery

    async def _wind_down(self) -> None:
        await self.services.wind_down()

    def _resume(self) -> None:
        self.services.resume()

    def _listen(self, key: Any, callback: Callable[[Any], object], immediate: bool) -> Subscription:
        self.settle_home()
        node = self.find(key)
        name = _listener_id(node, callback)
        known = self._subscriptions.get(name)
        if known is not None:
            known.set_up()
            return known

        def forget(subscription: Subscription) -> None:
            if self._subscriptions.get(name) is subscription:
                del self._subscriptions[name]

        self.adopt(node)
        subscription = Subscription(node, callback, self, self.capture_context(), forget)
        if subscription.is_plain:
            subscription.start_among(self._listeners_of(node))
        else:
            subscription.start()
        self._subscriptions[name] = subscription
        if immediate:
            try:
                with here():  # what it writes is told when it has returned, as in every later call
                    subscription.notify()
            except BaseException:
                subscription.close()  # who is told that it went wrong gets nothing to close
                raise
        return subscription

    def _listeners_of(self, node: Node) -> Listeners:
        listeners = self._listeners.get(node)
        if listeners is None:
            listeners = self._listeners[node] = Listeners(node, self._forget_listeners)
        return listeners

    def _forget_listeners(self, listeners: Listeners) -> None:
        if self._listeners.get(listeners.node) is listeners:
            del self._listeners[listeners.node]

    def _end(self) -> None:
        super()._end()
        self.services.close()
        for subscription in [*self._subscriptions.values(), *self._effects]:
            subscription.close()
        for waiting in list(self._waits):
            waiting.finish(ClosedError("the store was closed before the value came that is waited for"))
        for watch in list(self._watches):
            watch.close()
        for node in list(self._nodes.values()):
            if isinstance(node, AsyncSelector):
                node.close("the store was closed")
        for node in list(self.scope.cleanups):
            self.scope.clean_up(node)


def _listener_id(node: Node, callback: Callable[[Any], object]) -> Hashable:
    try:
        hash(callback)
    except TypeError:
        return (node, id(callback))
    return (node, callback)
