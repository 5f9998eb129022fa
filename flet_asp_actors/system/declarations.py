"""The verbs of what is declared in a store: atoms by name, selectors, actions; and of computing selectors."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, overload

from anyio import CapacityLimiter

from ..action import Action, BoundAction, BoundActionDecorator, Policy
from ..action import action as make_action
from ..async_key import AsyncSelectorKey
from ..async_selector import AsyncSelector
from ..atom import Atom, is_atom
from ..core.evaluate import refuse_in_selector
from ..core.graph import Derived, Node
from ..core.turn import here, invalidate
from ..core.values import is_a
from ..deprecation import deprecated
from ..errors import KeyConflictError
from ..family import Family
from ..key import Key, Name, Readable, label
from ..reading import Async, Get
from ..receipt import DONE, Receipt, gather
from ..retry import Retry
from ..selector import (
    Selector,
    SelectorDecorator,
    SelectorFrom,
    SelectorInThread,
    SelectorInThreadFrom,
    SelectorKey,
    make_selector,
    name_of,
)
from ..writing import Set
from .values import Values

__all__ = ("Declarations",)

T = TypeVar("T")
D = TypeVar("D")
R = TypeVar("R")
P = ParamSpec("P")


class Declarations(Values):
    """A store, as far as selectors and actions go."""

    # ------------------------------------------------------------------ computing

    @overload
    async def resolve(self, key: Async[T, Any], /) -> T: ...
    @overload
    async def resolve(self, key: Readable[T], /) -> T: ...
    @overload
    async def resolve(self, key: Name, /) -> Any: ...
    async def resolve(self, key: Any, /) -> Any:
        """Wait for the value of an async selector for the latest inputs, and return it.

        All who wait share one computation. Cancelling the wait leaves it to the others; when
        the last who waits or observes has gone, it is cancelled. Of a sync selector it waits for
        the async ones that it is made of; an atom has its value. From a task of any loop.

        Raises:
            DeadlockError: When it waits for the caller itself.
            ClosedError: When the store has ended, or the loop that it was computed on.
            RunCancelled: When the computation was cancelled from outside, or something that it awaited.
            Exception: What the selector's function raised for these inputs, also where the value
                of before is still shown.
        """
        return await self.reader.resolve(key)

    def refresh(self, key: Readable[Any] | Family[..., Any] | Name, /) -> Receipt:
        """Compute a selector anew now, whether somebody observes it or not; of a family, those that are observed.

        An async selector shows its previous value meanwhile. A member of a family that nobody
        observes is computed anew when it is next needed. Nothing happens to an atom. May be
        called from any thread; nothing has to be awaited.

        Returns:
            A receipt; `await` it for the end of the computation, and for its error.

        Raises:
            UnknownKeyError: For a name that was never declared.
            ClosedError: When the store has ended.
        """
        refuse_in_selector(f"refreshes {label(key)}")
        return self.elsewhere(key, lambda: self._refresh(key))

    def _refresh(self, key: Any) -> Receipt:
        if is_a(key, Family):
            with here():
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

    def invalidate(self, key: Readable[Any] | Family[..., Any] | Name) -> None:
        """Have a selector, or a family, computed again, at once if it is observed. Nothing happens to an atom.

        Raises:
            UnknownKeyError: For a name that was never declared.
        """
        refuse_in_selector(f"invalidates {label(key)}")
        family: Any = key if isinstance(key, Family) else None

        def apply() -> Receipt:
            with here():
                for node in self._members(family).nodes() if family is not None else [self.find(key)]:
                    if isinstance(node, AsyncSelector):
                        node.invalidate()
                    else:
                        self._refresh_node(node)
            return DONE

        self.elsewhere(key, apply)

    # ------------------------------------------------------------------ declaring

    @overload
    def atom(self, key: Key[T]) -> Atom[T]: ...
    @overload
    def atom(self, key: Name, default: T) -> Atom[T]: ...
    @overload
    def atom(self, key: Name) -> Atom[Any]: ...
    def atom(self, key: Any, default: Any = None) -> Atom[Any]:
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
    def selector(
        self,
        name: Name | None = None,
        /,
        *,
        initial: D,
        in_thread: Literal[True] | CapacityLimiter,
        debounce: float = 0.0,
        retry: Retry | None = None,
        keep_previous: bool = True,
        stale_after: float | None = None,
        refresh_every: float | None = None,
        keep_for: float | None = None,
        equals: Callable[[Any, Any], bool] | None = None,
    ) -> SelectorInThreadFrom[D]: ...
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
    @deprecated("decorate the function: @state.selector(key), or @fa.selector for a typed key")
    def add_selector(  # pyright: ignore[reportOverlappingOverload]  # a coroutine is a value, too
        self, key: Name, select_fn: Callable[[Get], Coroutine[Any, Any, T]], **options: Any
    ) -> AsyncSelector[T, T | None]: ...
    @overload
    @deprecated("decorate the function: @state.selector(key), or @fa.selector for a typed key")
    def add_selector(self, key: Name, select_fn: Callable[[Get], T], **options: Any) -> Selector[T]: ...
    def add_selector(self, key: Any, select_fn: Callable[[Get], Any], **options: Any) -> Any:
        """Declare a selector under a name; a second declaration of one name is ignored.

        Raises:
            KeyConflictError: When the name is that of an atom.
        """
        return self.on_home(lambda: self._declare_selector(key, make_selector(select_fn, str(key), options)))

    @overload
    def action(self, definition: Action[P, R], /) -> BoundAction[P, R]: ...
    @overload
    def action(self, fn: Callable[Concatenate[Get, Set, P], Coroutine[Any, Any, R]], /) -> BoundAction[P, R]: ...
    @overload
    def action(self, fn: Callable[Concatenate[Get, Set, P], R], /) -> BoundAction[P, R]: ...
    @overload
    def action(
        self,
        *,
        policy: Policy = "concurrent",
        per: str | None = None,
        timeout: float | None = None,
        retry: Retry | None = None,
        expect: tuple[type[Exception], ...] = (),
        name: str | None = None,
    ) -> BoundActionDecorator: ...
    def action(self, definition: Any = None, /, **options: Any) -> Any:  # type: ignore[misc]  # it takes them all
        """Bind an action to this store, or make one of a handler: `@state.action`, `@state.action(policy="droppable")`.

        Args:
            definition: An action, or a handler; none when it is called with options.
            **options: For a handler that follows; those of `Action`.

        Returns:
            The bound action; for one definition always the same object. With options, a decorator.

        Raises:
            TypeError: For options of an action that has its own.
        """
        if definition is None:
            decorate = make_action(**options)

            def bind(handler: Callable[..., Any], /) -> BoundAction[..., Any]:
                return self._bind_action(decorate(handler))

            return bind
        if options:
            raise TypeError(
                f"state.action({label(definition)}, {', '.join(f'{name}=' for name in options)}): options go where "
                "an action is made: @fa.action(policy=...), or @state.action(policy=...) over a handler"
            )
        return self._bind_action(definition)
