"""The store: the verbs of the public face, without a screen."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, overload

import anyio.lowlevel
from anyio import CapacityLimiter

from ..action import Action, BoundAction
from ..async_selector import AsyncSelector, AsyncSelectorKey
from ..atom import Atom, is_atom
from ..core.evaluate import evaluating, refuse_in_selector
from ..core.graph import Derived, Node
from ..core.turn import here, invalidate
from ..core.values import is_a
from ..effect import Effect
from ..errors import ClosedError, KeyConflictError
from ..family import Family
from ..key import Key, Name, Readable, Writable, label
from ..reading import Async, Get
from ..receipt import DONE, Receipt, gather
from ..retry import Retry
from ..selector import (
    Selector,
    SelectorDecorator,
    SelectorFrom,
    SelectorInThread,
    SelectorKey,
    make_selector,
    name_of,
    takes_one,
)
from ..service import Restart, Service
from ..supervisor import ServiceDecorator, Strategy, Supervisor
from ..watch import Subscription
from ..watching import WaitFor, Watch
from ..writing import Set
from .batch import Batch
from .registry import Registry
from .snapshot import Snapshot
from .supervision import Supervision, describe_store
from .transaction import Transaction

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
    frames: int = 0
    """Frames pushed to the pages of the store, each one `page.update`."""
    pushed: int = 0
    """Controls in these frames."""


class Store(Registry):
    """A store without a screen: atoms, selectors, actions, and the supervision of their tasks.

    `StateManager` adds the pages. Everything synchronous works without an event loop; what
    needs one opens a host on the loop that is running, or says how to get one.
    """

    def __init__(self, *, overrides: Mapping[Any, Any] | None = None) -> None:
        super().__init__(overrides)
        self.services: Supervisor = Supervisor("services", self, None, max_restarts=None)
        """Supervises what was declared in the store itself; it never gives up on all for the sake of one."""
        self._subscriptions: dict[Any, Subscription] = {}
        self._effects: set[Subscription] = set()
        self._waits: set[WaitFor] = set()
        self._watches: weakref.WeakSet[Watch[Any]] = weakref.WeakSet()

    # ------------------------------------------------------------------ reading

    @overload
    def get(self, key: Readable[T], /) -> T: ...
    @overload
    def get(self, key: Name, /) -> Any: ...
    def get(self, key: Any, /) -> Any:
        """Return the value of a key now.

        A selector that is stale is computed first. May be called from any thread; from a
        foreign one an atom gives the last committed value, and a stale selector waits for
        the loop.

        Raises:
            UnknownKeyError: For a name that was never declared.
            Exception: What the selector's function raised.
        """
        node: Any = None
        try:
            node = self._nodes[key if type(key) is str else key.kept]
        except (AttributeError, KeyError, TypeError):
            pass  # find() has the words for it
        if node is None:
            node = self.find(key)
        if node.mark or evaluating or node.error is not None:
            return node.value
        return node.current

    def has(self, key: Any, /) -> bool:
        """Say whether this store holds something under the key: declared, read or written before."""
        return isinstance(key, Node) or (key.kept if is_a(key, Readable) else key) in self._nodes

    # ------------------------------------------------------------------ writing

    @overload
    def set(self, key: Writable[T], value: T, /) -> Receipt: ...
    @overload
    def set(self, key: Name, value: Any, /) -> Receipt: ...
    def set(self, key: Any, value: Any, /) -> Receipt:
        """Replace the value of a key. See `Atom.set`.

        Raises:
            UnknownKeyError: For a name that was never declared.
            ReadOnlyError: For a selector or a status.
            PurityError: Inside a selector.
            ClosedError: When the store has ended.
        """
        node: Any = None
        try:
            node = self._nodes[key if type(key) is str else key.kept]
        except (AttributeError, KeyError, TypeError):
            pass  # find() has the words for it
        if node is None:
            node = self.find(key)
        receipt: Receipt = node.set(value)
        return receipt

    @overload
    def update(self, key: Writable[T], fn: Callable[[T], Awaitable[T]], /) -> Receipt: ...
    @overload
    def update(self, key: Writable[T], fn: Callable[[T], T], /) -> Receipt: ...
    @overload
    def update(self, key: Name, fn: Callable[[Any], Any], /) -> Receipt: ...
    def update(self, key: Any, fn: Callable[[Any], Any], /) -> Receipt:
        """Replace the value of a key by `fn(value)`, sync or async, as one message. See `Atom.update`."""
        receipt: Receipt = self.find(key).update(fn)
        return receipt

    @overload
    def mutate(self, key: Writable[T], fn: Callable[[T], object], /) -> Receipt: ...
    @overload
    def mutate(self, key: Name, fn: Callable[[Any], object], /) -> Receipt: ...
    def mutate(self, key: Any, fn: Callable[[Any], object], /) -> Receipt:
        """Edit the value of a key in place with `fn(value)`. See `Atom.mutate`."""
        receipt: Receipt = self.find(key).mutate(fn)
        return receipt

    def reset(self, key: Writable[Any] | Name, value: Any = _NOT_GIVEN, /) -> Receipt:
        """Set a key back to its default, or to `value` if one is given."""
        node: Any = self.find(key)
        receipt: Receipt = node.reset() if value is _NOT_GIVEN else node.set(value)
        return receipt

    def batch(self) -> Batch:
        """Make one turn of many writes: `with state.batch(): ...`.

        Raises:
            BatchError: At its exit, when it was held open across an `await`.
            ClosedError: When the store has ended.
        """
        self._refuse_closed("open a batch")
        self.settle_home()
        return Batch(self, self._home)

    @overload
    async def resolve(self, key: Async[T, Any], /) -> T: ...
    @overload
    async def resolve(self, key: Readable[T], /) -> T: ...
    @overload
    async def resolve(self, key: Name, /) -> Any: ...
    async def resolve(self, key: Any, /) -> Any:
        """Wait for the value of an async selector for the latest inputs, and return it.

        All who wait share one computation. Cancelling the wait leaves it to the others; when
        the last who waits or observes has gone, it is cancelled. Of anything else the value now
        is returned.

        Raises:
            DeadlockError: When it waits for the caller itself.
            ClosedError: When the store has ended.
            Exception: What the selector's function raised for these inputs.
        """
        return await self.reader.resolve(key)

    def refresh(self, key: Readable[Any] | Family[..., Any] | Name, /) -> Receipt:
        """Compute a selector anew now, whether somebody observes it or not; of a family, those that are observed.

        An async selector shows its previous value meanwhile. A member of a family that nobody
        observes is computed anew when it is next needed. Nothing happens to an atom. May be
        called from any thread; nothing has to be awaited.

        Returns:
            A receipt: `await` it for the end of the computation, and for its error.

        Raises:
            UnknownKeyError: For a name that was never declared.
            ClosedError: When the store has ended.
        """
        refuse_in_selector(f"refreshes {label(key)}")
        return self.elsewhere(key, lambda: self._refresh(key))

    def _refresh(self, key: Any) -> Receipt:
        if is_a(key, Family):
            return gather([self._refresh_node(node) for node in self._members(key).nodes()])
        node: Any = self.find(key)
        refreshed: Receipt = node.refresh() if is_a(node, AsyncSelector) else self._refresh_node(node)
        return refreshed

    def _refresh_node(self, node: Node) -> Receipt:
        if isinstance(node, AsyncSelector):
            if not node.is_at_rest:
                return node.refresh()
            node.invalidate()
        elif isinstance(node, Derived):
            turn = here()
            invalidate(node, turn)
            turn.propagate()
        return DONE

    def invalidate(self, key: Readable[Any] | Family[..., Any] | Name, /) -> None:
        """Have a selector, or a family, computed again, at once if it is observed. Nothing happens to an atom.

        Raises:
            UnknownKeyError: For a name that was never declared.
        """
        refuse_in_selector(f"invalidates {label(key)}")
        family: Any = key if isinstance(key, Family) else None

        def apply() -> Receipt:
            for node in self._members(family).nodes() if family is not None else [self.find(key)]:
                if isinstance(node, AsyncSelector):
                    node.invalidate()
                else:
                    self._refresh_node(node)
            return DONE

        self.elsewhere(key, apply)

    def delete(self, key: Readable[Any] | Name, /) -> None:
        """Give up a key.

        A name is unknown afterwards, until it is declared again: selectors that read it
        fail meanwhile, listeners and bindings wait. A typed key has no declaration to lose;
        it goes back to its default.

        Raises:
            UnknownKeyError: For a name that was never declared.
        """
        self.elsewhere(key, lambda: self._delete(key))

    def clear(self) -> None:
        """Start afresh, as at a logout: values back to their defaults, runs cancelled, statuses idle.

        Listeners and bindings live on and see the defaults.
        """
        self.elsewhere("clear", self._clear)

    def transaction(self) -> Transaction:
        """Stage writes and make them all at once: `async with state.transaction() as tx: tx.set(KEY, value)`.

        See `Transaction` for what it sees and when it conflicts.

        Raises:
            ClosedError: When the store has ended.
        """
        self._refuse_closed("open a transaction")
        self.settle_home()
        return Transaction(self)

    def snapshot(self) -> Snapshot:
        """Take down what all atoms hold now, as copies. From a foreign thread that waits for the loop.

        Raises:
            TypeError: When a value is mutable and cannot be copied; names its key.
        """
        return self.on_home(lambda: Snapshot(self._atoms()))

    def restore(self, snapshot: Snapshot, /) -> Receipt:
        """Have all atoms hold what they held then, in one turn; those that were not there go back to their default.

        It is a write like any other: an atom in the middle of a message takes it when that is done.

        Raises:
            UnknownKeyError: For a name that this store does not know; nothing is restored then.
            PurityError: Inside a selector.
            ClosedError: When the store has ended.
        """
        refuse_in_selector("restores a snapshot")

        def apply() -> Receipt:
            values = {
                self.find(key): value
                for key, value in snapshot.values().items()
                if not is_a(key, Key) or key.is_there or key in self._given_up  # else nobody could see it
            }
            with here():
                return gather(
                    [atom.set(value) for atom, value in values.items()]
                    + [atom.reset() for atom in self._atoms() if atom not in values]
                )

        return self.elsewhere("restore", apply)

    def _atoms(self) -> list[Atom[Any]]:
        """All atoms, those included that only handles and bindings know any more."""
        return [node for node in dict.fromkeys([*self._nodes.values(), *self._given_up.values()]) if is_atom(node)]

    # ------------------------------------------------------------------ declaring

    @overload
    def atom(self, key: Key[T], /) -> Atom[T]: ...
    @overload
    def atom(self, key: Name, default: T, /) -> Atom[T]: ...
    @overload
    def atom(self, key: Name, /) -> Atom[Any]: ...
    def atom(self, key: Any, default: Any = None, /) -> Atom[Any]:
        """Return the atom of a key, declared now if it is a new name.

        Args:
            key: A typed key, or a name.
            default: The value of a new name; ignored if the name is known already.

        Raises:
            KeyConflictError: When the name is that of a selector.
        """
        if is_a(key, Readable):
            node = self.find(key)
        else:
            node = self._nodes.get(key) or self.on_home(lambda: self._declare(key, default))
        if not is_atom(node):
            raise KeyConflictError(
                f"{label(key)} is already a {type(node).__name__.lower()}; use another name for the atom"
            )
        return node

    @overload
    def selector(self, function: Callable[[Get], Coroutine[Any, Any, T]], /) -> AsyncSelectorKey[T, T | None]: ...  # type: ignore[overload-overlap]  # a coroutine is a value, too
    @overload
    def selector(self, function: Callable[[Get], T], /) -> SelectorKey[T]: ...
    @overload
    def selector(
        self,
        name: Name | None = None,
        /,
        *,
        initial: D,
        debounce: float = 0.0,
        retry: Retry | None = None,
        keep_previous: bool = True,
        stale_after: float | None = None,
        refresh_every: float | None = None,
        keep_for: float | None = None,
        equals: Callable[[Any, Any], bool] | None = None,
    ) -> SelectorFrom[D]: ...
    @overload
    def selector(
        self,
        name: Name | None = None,
        /,
        *,
        debounce: float = 0.0,
        retry: Retry | None = None,
        keep_previous: bool = True,
        stale_after: float | None = None,
        refresh_every: float | None = None,
        keep_for: float | None = None,
        in_thread: Literal[False] = False,
        equals: Callable[[Any, Any], bool] | None = None,
    ) -> SelectorDecorator: ...
    @overload
    def selector(
        self,
        name: Name | None = None,
        /,
        *,
        in_thread: Literal[True] | CapacityLimiter,
        debounce: float = 0.0,
        retry: Retry | None = None,
        keep_previous: bool = True,
        stale_after: float | None = None,
        refresh_every: float | None = None,
        keep_for: float | None = None,
        equals: Callable[[Any, Any], bool] | None = None,
    ) -> SelectorInThread: ...
    def selector(self, name: Any = None, /, **options: Any) -> Any:
        """Declare a selector in this store, sync or async: `@state.selector` or `@state.selector("full_name")`.

        The options are those of `fa.selector`.

        Returns:
            The typed key, which still can be called like the function.

        Raises:
            KeyConflictError: When the name is that of an atom.
        """
        if callable(name) and not is_a(name, Readable):
            return make_selector(name, name_of(name), options)

        def decorate(function: Any) -> Any:
            key = make_selector(function, str(name) if name is not None else name_of(function), options)
            if name is not None:
                self.on_home(lambda: self._declare_selector(name, key))
            return key

        return decorate

    @overload
    def add_selector(  # pyright: ignore[reportOverlappingOverload]  # a coroutine is a value, too
        self, name: Name, function: Callable[[Get], Coroutine[Any, Any, T]], /, **options: Any
    ) -> AsyncSelector[T, T | None]: ...
    @overload
    def add_selector(self, name: Name, function: Callable[[Get], T], /, **options: Any) -> Selector[T]: ...
    def add_selector(self, name: Any, function: Callable[[Get], Any], /, **options: Any) -> Any:
        """Declare a selector under a name; a second declaration of one name is ignored.

        Raises:
            KeyConflictError: When the name is that of an atom.
        """
        return self.on_home(lambda: self._declare_selector(name, make_selector(function, str(name), options)))

    @overload
    def action(self, definition: Action[P, R], /) -> BoundAction[P, R]: ...
    @overload
    def action(self, fn: Callable[Concatenate[Get, Set, P], Coroutine[Any, Any, R]], /) -> BoundAction[P, R]: ...
    @overload
    def action(self, fn: Callable[Concatenate[Get, Set, P], R], /) -> BoundAction[P, R]: ...
    def action(self, definition: Any, /) -> BoundAction[..., Any]:
        """Bind an action to this store, or make one of a handler: `@state.action`.

        Returns:
            The bound action; for one definition always the same object.
        """
        return self._bind_action(definition)

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
        if not takes_one(callback):
            raise TypeError(f"a listener takes the value: `lambda value: ...`; {callback!r} does not")
        return self.on_home(lambda: self._listen(key, callback, immediate))

    def listen_multiple(
        self, callbacks: Mapping[Any, Callable[[Any], object]], immediate: bool = True
    ) -> list[Subscription]:
        """Listen to several keys: `{key: callback}`."""
        return [self.listen(key, callback, immediate) for key, callback in callbacks.items()]

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
        if not takes_one(function):
            raise TypeError(f"an effect takes get: `def {name_of(function)}(get)`")

        def begin() -> Subscription:
            self.settle_home()
            effect = Effect(function, name_of(function), self, self.capture_context(), self._effects.discard)
            self._effects.add(effect)
            effect.start()
            effect.notify()
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
        )

    # ------------------------------------------------------------------ the machinery

    async def _wind_down(self) -> None:
        await self.services.wind_down()

    def _resume(self) -> None:
        self.services.resume()

    def _clear(self) -> Receipt:
        refuse_in_selector("clears the store")
        failed: list[Exception] = []
        turn = here()
        with turn:
            for bound in list(self._actions.values()):
                bound.reset()
            for node in dict.fromkeys([*self._nodes.values(), *self._given_up.values()]):
                if is_atom(node):
                    node.interrupt()
                    try:
                        node.reset()
                    except Exception as error:  # the others are to be cleared all the same
                        failed.append(error)
                elif isinstance(node, AsyncSelector):
                    node.forget()
                elif isinstance(node, Derived):
                    invalidate(node, turn)
        if failed:
            raise failed[0]
        return DONE

    def _listen(self, key: Any, callback: Callable[[Any], object], immediate: bool) -> Subscription:
        self.settle_home()
        node = self.find(key)
        name = _listener_id(node, callback)
        known = self._subscriptions.get(name)
        if known is not None:
            return known

        def forget(subscription: Subscription) -> None:
            if self._subscriptions.get(name) is subscription:
                del self._subscriptions[name]

        self.adopt(node)
        subscription = Subscription(node, callback, self, self.capture_context(), forget)
        subscription.start()
        self._subscriptions[name] = subscription
        if immediate:
            subscription.notify()
        return subscription

    def _end(self) -> None:
        super()._end()
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
