"""The store: finds the actors by key, and owns the host that is the parent of their tasks."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from contextvars import Context
from dataclasses import dataclass
from threading import get_ident
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, overload

import anyio
import anyio.lowlevel

from ..action import Action, BoundAction, StatusKey
from ..atom import Atom, is_atom
from ..core.evaluate import read, refuse_in_selector, validate
from ..core.graph import Derived, Node, Scope, link, tick, user_traceback
from ..core.turn import Watcher, here, invalidate, mark_dependents
from ..core.values import is_a, private_copy
from ..door import HOMELESS, LOCK, Home, HomeIsGone, running_home
from ..errors import (
    ClosedError,
    DeadlockError,
    KeyConflictError,
    NotRunningError,
    UnknownKeyError,
)
from ..key import Key, Name, NamedKey, Readable, Writable, label
from ..owner import Job, current_owner
from ..receipt import DONE, Behaviour, Completion, Posted, Receipt
from ..run import GRACE, Set
from ..selector import Get, Selector, SelectorKey, selector
from ..watch import Subscription
from .batch import Batch
from .failure import Failure, log_failure
from .host import Host

__all__ = ("Statistics", "Store")

T = TypeVar("T")
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


class Store:
    """A store without a screen: atoms, selectors, actions, and the supervision of their tasks.

    `StateManager` adds the pages. Everything synchronous works without an event loop; what
    needs one opens a host on the loop that is running, or says how to get one.
    """

    def __init__(self, *, overrides: Mapping[Any, Any] | None = None) -> None:
        self.on_error: Callable[[Failure], object] | None = None
        """Called with every error that nobody waits for; logged on "flet_asp_actors" when None."""
        self.scope = Scope()
        self.thread = HOMELESS
        self._nodes: dict[Any, Node] = {}
        self._missing: dict[Any, Atom[Any]] = {}  # names read or watched that are not declared (any more)
        self._actions: dict[Action[..., Any], BoundAction[..., Any]] = {}
        self._subscriptions: dict[Any, Subscription] = {}
        self._overrides = dict(overrides or {})
        self._home: Home | None = None
        self._host: Host | None = None
        self._held: list[Job] = []  # waiting for a loop
        self._posted: dict[object, Posted] = {}  # writes under way from other threads
        self._settlers: list[Completion] = []
        self._is_closing = False
        self._is_closed = False
        self.scope.get = self._make_get()
        self._settle_home()

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
            node = self._nodes[key]
        except (KeyError, TypeError):
            pass  # find() has the words for it
        if node is None:
            node = self.find(key)
        return node.value

    def has(self, key: Any, /) -> bool:
        """Say whether this store holds something under the key: declared, read or written before."""
        return isinstance(key, Node) or key in self._nodes

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
            node = self._nodes[key]
        except (KeyError, TypeError):
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
        return Batch(self._home)

    def invalidate(self, key: Readable[Any] | Name, /) -> None:
        """Have a selector computed again, at once if somebody observes it. Nothing happens to an atom."""

        def apply() -> Receipt:
            node = self.find(key)
            if isinstance(node, Derived):
                turn = here()
                invalidate(node, turn)
                turn.propagate()
            return DONE

        self._gate(key, apply)

    def delete(self, key: Readable[Any] | Name, /) -> None:
        """Give up a key.

        A name is unknown afterwards, until it is declared again: selectors that read it
        fail meanwhile, listeners and bindings wait. A typed key has no declaration to lose;
        it goes back to its default.

        Raises:
            UnknownKeyError: For a name that was never declared.
        """
        self._gate(key, lambda: self._delete(key))

    def clear(self) -> None:
        """Start afresh, as at a logout: values back to their defaults, runs cancelled, statuses idle.

        Listeners and bindings live on and see the defaults.
        """
        self._gate("clear", self._clear)

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
            node = self._nodes.get(key) or self._declare(key, default)
        if not is_atom(node):
            raise KeyConflictError(
                f"{label(key)} is already a {type(node).__name__.lower()}; use another name for the atom"
            )
        return node

    @overload
    def selector(self, function: Callable[[Get], T], /) -> SelectorKey[T]: ...
    @overload
    def selector(
        self, name: Name | None = None, /, *, equals: Callable[[Any, Any], bool] | None = None
    ) -> Callable[[Callable[[Get], T]], SelectorKey[T]]: ...
    def selector(self, name: Any = None, /, *, equals: Callable[[Any, Any], bool] | None = None) -> Any:
        """Declare a selector in this store: `@state.selector` or `@state.selector("full_name")`.

        Returns:
            The typed key, which still can be called like the function.

        Raises:
            KeyConflictError: When the name is that of an atom.
        """
        if callable(name) and not is_a(name, Readable):
            return selector(cast("Callable[[Get], Any]", name))

        def decorate(function: Callable[[Get], T]) -> SelectorKey[T]:
            key: SelectorKey[T] = selector(cast("Name", name), equals=equals)(function)
            if name is not None:
                self._declare_selector(name, key)
            return key

        return decorate

    def add_selector(self, name: Name, function: Callable[[Get], T], /) -> Selector[T]:
        """Declare a selector under a name; a second declaration of one name is ignored.

        Raises:
            KeyConflictError: When the name is that of an atom.
        """
        node: Selector[T] = self._declare_selector(name, selector(name)(function))
        return node

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
        known: Action[..., Any] = definition if is_a(definition, Action) else Action[..., Any](definition)
        bound = self._actions.get(known)
        if bound is None:
            actual = known
            if known in self._overrides:
                actual = Action[..., Any](
                    self._overrides[known],
                    policy=known.policy,
                    timeout=known.timeout,
                    expect=known.expect,
                    name=known.name,
                )
            bound = self._actions.setdefault(known, BoundAction(actual, self))
        return bound

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
        return self._enter(lambda: self._listen(key, callback, immediate))

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

    # ------------------------------------------------------------------ life

    async def __aenter__(self: S) -> S:
        """Open the store: a task group of its own, in the task of the caller."""
        self._refuse_closed("be opened again")
        self._settle_home()
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
    ) -> None:
        """Cancel and close everything; waits until every run has ended."""
        host = self._host
        self._begin_close()
        if host is not None:
            if host.is_entered:
                await host.leave()
            else:
                await host.wait_ended()
        self._end()

    async def aclose(self) -> None:
        """End the store: cancel every run, answer whoever waits, close listeners and bindings.

        Waits until the runs have ended, but not longer than some seconds for one that is
        stuck. Inside a run it only asks for the end. May be called twice.
        """
        host = self._host
        self._begin_close()
        if host is None or current_owner.get() is self:
            return
        if host.is_entered:
            host.cancel()
        with anyio.move_on_after(2 * GRACE):
            await host.wait_ended()

    async def settled(self) -> None:
        """Wait until no run, no update and no async listener is under way. Services do not count.

        Raises:
            DeadlockError: Inside a run of this store, which would wait for itself.
        """
        if current_owner.get() is self:
            raise DeadlockError("settled() inside a run of the same store waits for itself; await the runs you need")
        await anyio.lowlevel.checkpoint()
        while self._posted or not (self._host is None or self._host.is_idle):
            settler = Completion()
            self._settlers.append(settler)
            await settler.wait()

    def statistics(self) -> Statistics:
        """Count what the store holds and does just now."""
        nodes = set(self._nodes.values())
        atoms = [node for node in nodes if is_atom(node)]
        return Statistics(
            atoms=len(atoms),
            selectors=len(nodes) - len(atoms),
            observed=sum(bool(node.dependents) for node in nodes),
            actions=len(self._actions),
            jobs=self._host.size if self._host is not None else 0,
            messages=sum(len(atom.mailbox) for atom in atoms if atom.mailbox is not None),
        )

    # ------------------------------------------------------------------ finding

    def find(self, key: Any) -> Any:
        """Return the node of a key; typed keys get theirs at the first use.

        Raises:
            UnknownKeyError: For a name that was never declared.
            TypeError: For something that is no key.
        """
        if isinstance(key, Node):  # a handle, maybe of another store
            return key
        try:
            node = self._nodes.get(key)
        except TypeError:
            raise TypeError(f"a key must be hashable, and {type(key).__name__} is not: {key!r}") from None
        if node is not None:
            return node
        if is_a(key, Key):
            return self._nodes.setdefault(key, Atom[Any](key, self))
        if is_a(key, SelectorKey):
            return self._nodes.setdefault(key, self._make_selector(key, key))
        if is_a(key, StatusKey):
            return self.action(key.action).status
        if is_a(key, BoundAction):
            raise TypeError(f"{key!r} is no value; did you mean its .status?")
        if is_a(key, Readable):
            raise TypeError(f"{key!r} cannot be read from this store")
        raise self._unknown(key)

    writable = find

    def _make_get(self) -> Callable[[Any], Any]:
        """Build the `get` that is handed to selectors and actions of this store."""
        nodes, scope, find = self._nodes, self.scope, self.find

        def get(key: Any) -> Any:
            node: Any = None
            try:
                node = nodes[key]
            except (KeyError, TypeError):
                pass  # find() has the words for it
            if node is None:
                node = find(key)
            reads = scope.reads
            if reads is None:  # no selector is computing: an action reads
                return node.value
            current = scope.node
            if current is not None and current.dependents and node not in current.sources:
                link(node, current)
            if node.mark:
                validate(node)
            reads[node] = node.version
            if node.error is not None:
                node.throw()
            return node.current

        def peek(key: Any) -> Any:
            return read(find(key))

        get.peek = peek  # type: ignore[attr-defined]  # a function is the cheapest callable, and can carry this
        return get

    def _unknown(self, key: Any) -> UnknownKeyError:
        current = self.scope.node
        if current is not None and self.scope.reads is not None:
            # The selector fails now, but it is to be computed again when the name is declared.
            missing = self._missing.get(key)
            if missing is None:
                missing = self._missing[key] = Atom(NamedKey(key, None), self)
            if current.dependents:
                link(missing, current)
            self.scope.reads[missing] = missing.version
        known = {str(getattr(name, "name", name)): name for name in self._nodes}
        close = difflib.get_close_matches(str(key), known, n=1)
        hint = (
            f"Did you mean {label(known[close[0]])}?"
            if close
            else "Declare it with state.atom(name, default), or use a fa.Key."
        )
        return UnknownKeyError(f"{label(key)} is not declared in this store. {hint}")

    def _declare(self, name: Any, default: Any) -> Atom[Any]:
        key = NamedKey(name, default)
        if name in self._overrides:
            default = private_copy(self._overrides[name])
        with LOCK:
            atom = self._missing.pop(name, None)
            if atom is None:
                atom = Atom(key, self, default)
                return cast("Atom[Any]", self._nodes.setdefault(name, atom))
            atom.key = key
            self._nodes[name] = atom
        atom.revive(default)
        return atom

    def _declare_selector(self, name: Any, key: SelectorKey[T]) -> Selector[T]:
        known: Any = self._nodes.get(name)
        if is_a(known, Selector):
            return cast("Selector[T]", known)
        if known is not None:
            raise KeyConflictError(f"{label(name)} is already an atom; use another name for the selector")
        node = self._make_selector(key, name)
        self._nodes[name] = self._nodes[key] = node
        missing = self._missing.pop(name, None)
        if missing is not None:
            missing.revive(None)
        return node

    def _make_selector(self, key: SelectorKey[T], name: Any) -> Selector[T]:
        function: Any = key.function
        for overridden in (key, name):
            if overridden in self._overrides:
                value = self._overrides[overridden]
                function = value if callable(value) else _constant(value)
        return Selector(key, function, self, key.equals)

    # ------------------------------------------------------------------ what the nouns need

    @property
    def is_here(self) -> bool:
        """Whether the caller is on the thread of the home loop; anywhere is, without one."""
        return self._home is None or self._home.is_here

    @property
    def is_closed(self) -> bool:
        """Whether the store has ended, or is about to."""
        return self._is_closing

    def initial(self, node: Node) -> Any:
        """The value an atom begins with, overrides included."""
        key = node.key.given if isinstance(node.key, NamedKey) else node.key
        if self._overrides and key in self._overrides:
            return private_copy(self._overrides[key])
        return node.key.initial()

    def elsewhere(self, key: object, apply: Callable[[], Receipt]) -> Receipt:
        """Apply a write when the caller is not on the home thread: post it, or take the lock."""
        if self._is_closed:
            self._refuse_closed(f"write {label(key)}")
        home = self._home
        if home is None:
            with LOCK:
                return apply()
        if home.is_here:
            return apply()
        receipt = Posted(
            Behaviour(f"a write to {label(key)}"),
            lambda: self.is_here,
            lambda error: self.report(error, key, "write from another thread"),
        )

        ticket = object()  # not the receipt itself: a callback that is kept must not keep it alive

        def on_loop() -> None:
            receipt = self._posted.pop(ticket, None)
            if receipt is None:
                return  # the store was closed meanwhile, and the receipt answered
            try:
                receipt.follow(apply())
            except Exception as error:
                error.__traceback__ = user_traceback(error.__traceback__)
                receipt.finish(error)
            del receipt  # the frames of an error keep this one alive, and an error must not keep its receipt
            self._wake_settlers()

        self._posted[ticket] = receipt
        if home.post(on_loop):
            return receipt
        del self._posted[ticket]
        self._leave_home(home)
        return self.elsewhere(key, apply)

    def read_elsewhere(self, node: Derived) -> Any:
        """Read a stale selector when the caller is not on the home thread."""
        return self._enter(lambda: read(node))

    def spawn(self, job: Job) -> None:
        """Start a job in a task of the host; open one if there is none.

        Raises:
            NotRunningError: Without an event loop.
            ClosedError: When the store has ended.
        """
        if self._is_closed or (self._is_closing and not job.is_service):
            self._refuse_closed(f"start {job.name}")
        if self._host is None:
            self._settle_home(again=True)
            if self._home is None:
                if job.can_wait:
                    self._held.append(job)
                    return
                raise NotRunningError(
                    f"{job.name} needs an event loop, and none is running. "
                    "Call it in async code, or open the store: `async with fa.StateManager() as state:`."
                )
            self._make_host().start()
            self._release_held()
        assert self._host is not None
        self._host.spawn(job)

    def later(self, call: Callable[[], object]) -> None:
        """Have something called on the home loop, if there is one; from anywhere, a finaliser too."""
        if self._home is not None:
            self._home.post(call)

    def report(self, error: BaseException, key: object, actor: str) -> None:
        """Send an error that nobody waits for to `on_error`; log it if that fails, too."""
        failure = Failure(error, key, actor)
        try:
            (self.on_error or log_failure)(failure)
        except Exception as again:
            log_failure(failure)
            log_failure(Failure(again, key, "on_error"))

    def fresh_context(self) -> None:
        """Called in the context of a run before it starts, which it has inherited from its starter."""

    def capture_context(self) -> Context | None:
        """The context that a callback set up now is to run in; None where it makes no difference."""
        return None

    # ------------------------------------------------------------------ the machinery

    def _gate(self, key: object, apply: Callable[[], Receipt]) -> None:
        if self.thread != get_ident():
            self.elsewhere(key, apply)
        else:
            apply()

    def _enter(self, call: Callable[[], T]) -> T:
        """Call on the home thread, or under the lock, and wait for what it returns."""
        home = self._home
        if home is None:
            with LOCK:
                return call()
        if home.is_here:
            return call()
        try:
            return home.call(call)
        except HomeIsGone:
            self._leave_home(home)
            return self._enter(call)

    def _delete(self, key: Any) -> Receipt:
        refuse_in_selector(f"deletes {label(key)}")
        node = self.find(key)
        if is_atom(node):
            node.interrupt()
            if not isinstance(node.key, NamedKey):
                if node.dependents:
                    return node.reset()
                self._nodes.pop(key, None)
                return DONE
            del self._nodes[node.key.given]
            if node.dependents:
                self._missing[node.key.given] = node
        else:
            for name in [name for name, held in self._nodes.items() if held is node]:
                del self._nodes[name]
        node.version = tick()
        for dependent in list(node.dependents or ()):
            if isinstance(dependent, Watcher):
                dependent.seen = node.version  # nothing to see until the name is declared again
        turn = here()
        mark_dependents(node, turn)
        turn.propagate()
        return DONE

    def _clear(self) -> Receipt:
        refuse_in_selector("clears the store")
        turn = here()
        turn.depth += 1
        try:
            for bound in list(self._actions.values()):
                bound.reset()
            for node in set(self._nodes.values()):
                if is_atom(node):
                    node.interrupt()
                    node.reset()
                elif isinstance(node, Derived):
                    invalidate(node, turn)
        finally:
            turn.depth -= 1
            turn.propagate()
        return DONE

    def _listen(self, key: Any, callback: Callable[[Any], object], immediate: bool) -> Subscription:
        self._settle_home()
        node = self.find(key)
        name = _listener_id(node, callback)
        known = self._subscriptions.get(name)
        if known is not None:
            return known

        def forget(subscription: Subscription) -> None:
            if self._subscriptions.get(name) is subscription:
                del self._subscriptions[name]

        subscription = Subscription(node, callback, self, self.capture_context(), forget)
        self._subscriptions[name] = subscription
        subscription.start()
        if immediate:
            subscription.notify()
        return subscription

    def _settle_home(self, again: bool = False) -> None:
        """Take the running loop for a home, if there is one and the store has none (or a dead one)."""
        if self._home is None or again:
            home = running_home()
            if home is not None and (self._home is None or self._home.native is not home.native):
                self._home, self.thread = home, home.thread

    def _leave_home(self, dead: Home) -> None:
        if self._home is dead:
            self._home, self._host, self.thread = None, None, HOMELESS

    def _make_host(self) -> Host:
        assert self._home is not None
        home = self._home

        def on_end() -> None:
            self._leave_home(home)

        def on_escape(error: BaseException, job: Job) -> None:
            self.report(error, job.name, "host")

        self._host = Host(home, on_end, self._wake_settlers, on_escape)
        return self._host

    def _release_held(self) -> None:
        held, self._held = self._held, []
        for job in held:
            self.spawn(job)

    def _wake_settlers(self) -> None:
        settlers, self._settlers = self._settlers, []
        for settler in settlers:
            settler.finish()

    def _refuse_closed(self, what: str) -> None:
        if self._is_closing:
            raise ClosedError(f"cannot {what}: the store is closed. Make a new one, or keep this one open for longer.")

    def _begin_close(self) -> None:
        """Cancel the runs and have the host end; sync, so that a page's close can call it."""
        if self._is_closing:
            return
        self._is_closing = True
        for bound in list(self._actions.values())[::-1]:
            bound.cancel("the store was closed")
        host = self._host
        if host is None:
            self._end()
        elif not host.is_entered:
            host.stop(self._end)

    def _end(self) -> None:
        """Everything has ended: answer who waits, let go of who watches."""
        if self._is_closed:
            return
        self._is_closing = self._is_closed = True
        self.thread = HOMELESS
        self._home = self._host = None
        for job in self._held:
            job.abandon()
        self._held.clear()
        for subscription in list(self._subscriptions.values()):
            subscription.close()
        for receipt in list(self._posted.values()):
            receipt.finish(ClosedError("the store was closed before the write was applied"))
        self._posted.clear()
        self._wake_settlers()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "closing" if self._is_closing else "open"
        return f"<{type(self).__name__} {state}: {len(self._nodes)} keys>"


def _constant(value: Any) -> Callable[[Get], Any]:
    return lambda get: value


def _listener_id(node: Node, callback: Callable[[Any], object]) -> Hashable:
    try:
        hash(callback)
    except TypeError:
        return (node, id(callback))
    return (node, callback)
