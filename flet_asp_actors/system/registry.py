"""The registry of a store: it finds the actors by key, and makes them at the first need."""

from __future__ import annotations

import difflib
import weakref
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, cast

from ..action import Action, BoundAction
from ..async_key import AsyncSelectorKey, AsyncStatusKey
from ..async_selector import AsyncSelector
from ..atom import Atom, is_atom, make_atom
from ..core.evaluate import freshen, leave_route, now_computing, read, refuse_in_selector
from ..core.graph import CHECK, NEVER, Derived, Node, link, tick
from ..core.turn import Watcher, here, invalidate, tell
from ..core.values import is_a, private_copy
from ..door import LOCK
from ..errors import KeyConflictError, UnknownKeyError
from ..family import Family, Member, Members, MemberSelector
from ..key import Key, NamedKey, Readable, is_item_of, label
from ..reading import Get
from ..receipt import DONE, Receipt
from ..resolving import resolve as resolve_node
from ..selector import Selector, SelectorKey
from ..status import StatusKey
from .root import Root

__all__ = ("Registry",)

SUGGESTED_FROM = 10_000
"""How many names are looked through for one that an unknown name may have meant."""


class Registry(Root):
    """Atoms, selectors and bound actions by their keys."""

    def __init__(self, overrides: Mapping[Any, Any] | None) -> None:
        super().__init__()
        self._nodes: dict[Any, Node] = {}
        self._given_up: weakref.WeakValueDictionary[Any, Atom[Any]] = weakref.WeakValueDictionary()
        self._missing: dict[Any, Atom[Any]] = {}  # names read or watched that are not declared (any more)
        self._actions: dict[Action[..., Any], BoundAction[..., Any]] = {}
        self._defined: dict[Any, Action[..., Any]] = {}  # what was made of plain handlers
        self._visiting: dict[Action[..., Any], Callable[[], object]] = {}  # which leave with the page that uses them
        self._gone: weakref.WeakSet[BoundAction[..., Any]] = weakref.WeakSet()  # they have left, and may be held
        self._families: weakref.WeakKeyDictionary[Family[..., Any], Members] = weakref.WeakKeyDictionary()
        self._overrides = dict(overrides or {})
        self.scope.get = self._make_get()
        self.reader: Any = self._make_reader()

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
            node = self._nodes.get(key.kept if is_a(key, Readable) else key)
        except TypeError:
            raise TypeError(f"a key must be hashable, and {type(key).__name__} is not: {key!r}") from None
        if node is not None:
            return node
        if is_a(key, Key):
            if self._deferred and self._home is None:
                self.on_home(_nothing)  # it does what was put off: keys that are gone, above all
            kept = key.keep(self)
            known = self._given_up.get(kept)
            if known is not None and not kept.is_there:
                return known  # it belongs to its handles and bindings
            self._given_up.pop(kept, None)
            return self._nodes.setdefault(kept, known if known is not None else make_atom(kept, self))
        if is_a(key, (SelectorKey, AsyncSelectorKey)):
            return self._make_known(key)
        if is_a(key, StatusKey):
            return self._bind_action(key.action).status_of(*key.item)
        if is_a(key, AsyncStatusKey):
            return self.find(key.selector).status
        if is_a(key, Family):
            raise TypeError(f"{key!r} is no key; call it with its parameters: {key.name}(...)")
        if is_a(key, (Action, BoundAction)):
            raise TypeError(f"{key!r} is no value; did you mean its .status?")
        if is_a(key, Readable):
            raise TypeError(f"{key!r} cannot be read from this store")
        raise self._unknown(key)

    writable = find

    def initial(self, node: Node) -> Any:
        """The value an atom begins with, overrides included."""
        key = node.key.given if isinstance(node.key, NamedKey) else node.key
        if self._overrides and key in self._overrides:
            return private_copy(self._overrides[key])
        return node.key.initial()

    def _make_get(self) -> Callable[[Any], Any]:
        """Build the `get` that is handed to the selectors of this store: it notes what they read."""
        lookup, scope, find, adopt = self._nodes.get, self.scope, self.find, self.adopt
        plain_key: type[Any] = Key

        def get(key: Any) -> Any:
            current: Any = scope.node
            if current is None:  # called after the selector has returned
                return find(key).value
            step = current.step
            if step:
                route = current.route
                met = route[step]
                if met is key or (type(key) is plain_key and met is key.kept):
                    known: Any = route[step + 1]
                    current.step = step + 2
                    if known.mark:
                        freshen(known, scope.here)
                    if known.error is not None:
                        known.throw()
                    return known.current
                leave_route(current)
            seen = scope.seen
            kept = key.kept if type(key) is plain_key else key
            try:
                node: Any = seen.get(kept)
            except TypeError:
                node = find(key)  # it has the words for it
            if node is None:
                node = lookup(kept)
                if node is None:
                    node = find(key)
                seen[_on_route(kept, node)] = node
                if current.dependents and not (node.dependents and current in node.dependents):
                    link(node, current)  # it is an edge from here on, whatever happens below
                    adopt(node)
                node.is_noted = True
            if node.mark:
                freshen(node, scope.here)
            if node.error is not None:
                node.throw()
            return node.current

        def peek(key: Any) -> Any:
            return read(find(key))

        # A function is the cheapest callable, and can carry what else a Get has.
        vars(get).update(
            peek=peek,
            resolve=_cannot_wait,
            on_cleanup=scope.on_cleanup,
            progress=_no_progress,
        )
        return get

    def _make_reader(self) -> Callable[[Any], Any]:
        """Build the `get` that is handed to actions: whatever computes meanwhile must not depend on what they read."""
        find = self.find

        def get(key: Any) -> Any:
            return find(key).value

        async def resolve(key: Any) -> Any:
            return await resolve_node(find(key))

        vars(get).update(peek=get, resolve=resolve, on_cleanup=_has_finally, progress=_no_progress)
        return get

    def _unknown(self, key: Any) -> UnknownKeyError:
        current = now_computing()
        if current is not None:
            # The selector fails now, but it is to be computed again when the name is declared.
            missing = self.missing(key)
            if current.dependents:
                link(missing, current)
            missing.is_noted = True
            if current.step:
                leave_route(current)
            current.scope.seen[missing] = missing  # no way for the name: it is looked up each time
        # The newest are enough for a hint: matching a million names would take seconds.
        known = {str(getattr(name, "name", name)): name for name in list(self._nodes)[-SUGGESTED_FROM:]}
        close = difflib.get_close_matches(str(key), known, n=1)
        hint = (
            f"Did you mean {label(known[close[0]])}?"
            if close
            else "Declare it with state.atom(name, default), or use a fa.Key."
        )
        return UnknownKeyError(f"{label(key)} is not declared in this store. {hint}")

    def missing(self, name: Any) -> Node:
        """The place of a name that is not declared: it changes when the name is."""
        atom = self._missing.get(name)
        if atom is None:
            atom = self._missing[name] = make_atom(NamedKey(name, None), self)
        return atom

    # ------------------------------------------------------------------ declaring

    def adopt(self, node: Node) -> None:
        """Something of another store is watched from here: it lives on our loop, unless it has one."""
        owner: Any = getattr(node, "owner", None)
        if owner is not None and owner is not self:
            owner.settle_home()

    def _declare(self, name: Any, default: Any) -> Atom[Any]:
        key = NamedKey(name, default)
        if name in self._overrides:
            default = private_copy(self._overrides[name])
        with LOCK:
            atom = self._missing.pop(name, None)
            if atom is None:
                atom = make_atom(key, self, default)
                return cast("Atom[Any]", self._nodes.setdefault(name, atom))
            atom.key = key
            self._nodes[name] = atom
        atom.revive(default)
        return atom

    def _declare_selector(self, name: Any, key: Any) -> Any:
        known: Any = self._nodes.get(name)
        if is_a(known, (Selector, AsyncSelector)):
            return known
        if known is not None:
            raise KeyConflictError(f"{label(name)} is already an atom; use another name for the selector")
        node = self._make_selector(key, name)
        self._nodes[name] = self._nodes[key] = node
        missing = self._missing.pop(name, None)
        if missing is not None:
            turn = here()
            with turn:
                for watcher in _move_watchers(missing, node):
                    watcher.seen = NEVER  # what it has seen was another's
                    watcher.mark = CHECK
                    turn.pending.append(watcher)
                missing.revive(None)
                _send_on(missing)
        return node

    def _make_known(self, key: Any) -> Any:
        """Make the node of a typed selector key, at its first use."""
        with LOCK:
            node = self._nodes.get(key)
            if node is not None:  # another thread was faster
                return node
            node = self._nodes[key] = self._make_selector(key, key)
        if is_a(key, Member):
            self.on_home(lambda: self._members(key.family).add(key, node))
        return node

    def _make_selector(self, key: Any, name: Any) -> Any:
        function: Any = key.function
        is_known = False
        for overridden in (key.family, key) if is_a(key, Member) else (key, name):
            if overridden in self._overrides:
                value = self._overrides[overridden]
                is_known = not callable(value)
                function = _constant(value) if is_known else value
                if overridden is not key and not is_known and is_a(key, Member):
                    function = key.applied(value)
        if is_a(key, SelectorKey):
            kind: Any = MemberSelector if is_a(key, Member) else Selector
            return kind(key, function, self, key.equals)
        node: AsyncSelector[Any, Any] = AsyncSelector(key, function, self, key.options)
        if is_known:
            node.know(function(None))
        return node

    def _members(self, family: Family[..., Any]) -> Members:
        members = self._families.get(family)
        if members is None:
            members = self._families[family] = Members(family, self, self._evict)
        return members

    def _evict(self, key: Any, node: Node) -> None:
        """Let go of a member of a family that nobody observes. Who has read it finds another one the next time."""
        self._nodes.pop(key, None)
        self.scope.epoch += 1
        self._retire(node)
        node.attention = ()
        if isinstance(node, Derived) and node.mark == CHECK:
            node.sources = ()  # who has read it looks at it once more, and it is not to be computed for that

    def _retire(self, node: Node) -> None:
        """A selector is no longer the one that its key finds."""
        if is_a(node, AsyncSelector):
            selector = cast("AsyncSelector[Any, Any]", node)
            selector.close(f"{label(node.key)} was given up")
            self.find(selector.status).version = tick()
        self.scope.clean_up(node)
        node.version = tick()

    def _bind_action(self, definition: Any) -> BoundAction[..., Any]:
        if is_a(definition, Action):
            known: Action[..., Any] = definition
        else:
            known = self._defined.get(definition) or self._defined.setdefault(definition, Action[..., Any](definition))
        bound = self._actions.get(known)
        if bound is None:
            actual = known
            if known in self._overrides:
                actual = Action[..., Any](
                    self._overrides[known],
                    policy=known.policy,
                    per=known.per,
                    retry=known.retry,
                    timeout=known.timeout,
                    expect=known.expect,
                    name=known.name,
                )
            bound = self._actions.setdefault(known, BoundAction(actual, self))
            if (page := self.visitor(known.function)) is not None:
                self._visiting[known] = page
        elif known in self._visiting:
            page = self.visitor(known.function)
            if page is None or page() is not self._visiting[known]():
                self._visiting.pop(known, None)  # it is not that page's alone
        return bound

    def give_up(self, kept: Any) -> None:
        """A key is gone: its atom, and those of its items, live on only as long as somebody holds them."""
        gone = [kept]
        if kept.has_items:
            gone += [key for key in list(self._nodes) if is_item_of(key, kept)]
        for key in gone:
            atom: Any = self._nodes.pop(key, None)
            if atom is not None:
                self.scope.epoch += 1
                self._given_up[key] = atom

    def _delete(self, key: Any) -> Receipt:
        refuse_in_selector(f"deletes {label(key)}")
        node = self.find(key)
        if is_atom(node):
            node.interrupt()
            if not isinstance(node.key, NamedKey):
                receipt = node.reset()
                if not node.dependents:  # selectors and handles that know the atom find it again
                    self._nodes.pop(node.key, None)
                    self._given_up[node.key] = node
                return receipt
            del self._nodes[node.key.given]
            self.scope.epoch += 1
            with here():
                self._leave(node.key.given, node)
            return DONE
        names = [name for name, held in list(self._nodes.items()) if held is node]
        if all(is_a(name, Readable) for name in names) and not _is_unwatched(node):
            # A typed key has no declaration to lose: those who watch go on, with a value that is made anew.
            if is_a(node, AsyncSelector):
                node.refuse_itself("deletes")
                node.forget()
            else:
                turn = here()
                invalidate(node, turn)
                turn.propagate()
            return DONE
        self.scope.epoch += 1
        for name in names:
            del self._nodes[name]
            if is_a(name, Member):
                self._members(name.family).drop(name)
        with here():
            if names:
                self._retire(node)
            for name in names:
                if not is_a(name, Readable):
                    self._leave(name, node)
            for part in (node, node.status) if is_a(node, AsyncSelector) else (node,):
                _send_on(part)
        return DONE

    def _leave(self, name: Any, node: Any) -> None:
        """A name is gone: who watched it waits at a missing atom, who read it reads again, and fails."""
        # One in the middle of a message stays behind with all that waits for its turn there.
        missing = node if is_atom(node) and not node.is_busy else make_atom(NamedKey(name, None), self)
        if node.dependents or node.attention:
            self._missing[name] = missing
        if missing is not node:
            _move_watchers(node, missing)
            _send_on(node)
        node.version = tick()
        for watcher in _watchers(node):
            watcher.seen = node.version  # nothing to see until the name is declared again
        tell(node)

    def cancel_runs_of(self, origin: object, reason: str) -> None:
        """Cancel the runs that a page has started."""
        for bound in self.bound_actions()[::-1]:
            bound.cancel_those_of(origin, reason)

    def bound_actions(self) -> list[BoundAction[..., Any]]:
        """All of them, also those that only somebody else holds."""
        return [*self._actions.values(), *self._gone]

    def let_visitors_go(self, page: object) -> None:
        """A page has ended: let go of the actions that are its own; of one that still runs when the next page ends."""
        gone: set[Action[..., Any]] = set()
        for known, visited in list(self._visiting.items()):
            if visited() is None or visited() is page:
                self._visiting[known] = _nothing
                bound = self._actions[known]
                if bound.is_at_rest:
                    del self._visiting[known], self._actions[known]
                    gone.add(known)
                    self._gone.add(bound)
                    bound.retire()
                    self.scope.epoch += 1
        for definition, known in list(self._defined.items()):
            if known in gone:
                del self._defined[definition]

    def cancel_runs(self, reason: str) -> None:
        """Cancel every run that is under way."""
        for bound in self.bound_actions()[::-1]:
            bound.cancel(reason)

    def _cancel_runs(self) -> None:
        self.cancel_runs("the store was closed")


def _on_route(kept: Any, node: Node) -> Any:
    """What a route has of a key. It keeps none alive that may go, and its value with it."""
    is_passing = is_a(kept, Key) and kept is not node.key  # the key of an item is made anew each time
    return node if is_passing else kept


def _cannot_wait(key: Any) -> NoReturn:
    raise TypeError(
        f"get.resolve({label(key)}) waits, and a sync selector cannot. "
        "Make it `async def`, or read what is there with get()."
    )


def _has_finally(_: object) -> NoReturn:
    raise TypeError("get.on_cleanup is for selectors and effects; an action cleans up with try and finally")


def _nothing() -> None:
    """Called for what is done on the way."""


def _no_progress(_fraction: float | None, _text: str = "") -> None:
    """Shown by async selectors; an action has set.progress."""


def _is_unwatched(node: Any) -> bool:
    return not node.dependents and (not is_a(node, AsyncSelector) or node.is_at_rest)


def _constant(value: Any) -> Callable[[Get], Any]:
    return lambda get: value


def _send_on(node: Node) -> None:
    """Have those who wait for somebody to observe a node look for what its key finds now."""
    calls, node.attention = node.attention, ()
    here().noticed.extend(calls)


def _watchers(node: Node) -> list[Watcher]:
    return [each for each in node.dependents or () if isinstance(each, Watcher)]


def _move_watchers(old: Node, new: Node) -> list[Watcher]:
    """Have those who watch one node watch another; returns them."""
    moved = _watchers(old)
    for watcher in moved:
        watcher.move_to(new)
    return moved
