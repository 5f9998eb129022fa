"""Families: a selector for each parameter, `user(7)`, and which of them a store lets go of."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeVar, overload

from .async_selector import AsyncSelector, AsyncSelectorKey, is_async
from .computation import Options
from .core.graph import Node
from .core.values import is_a
from .key import Readable
from .owner import Owner
from .reading import Get
from .retry import Retry
from .selector import SelectorKey, name_of
from .timer import Timer

if TYPE_CHECKING:
    from anyio import CapacityLimiter

__all__ = ("Family", "Member", "Members", "family")

T = TypeVar("T")
D = TypeVar("D")
P = ParamSpec("P")
K_co = TypeVar("K_co", covariant=True)


class Family(Generic[P, K_co]):
    """A selector by parameter: `user(7)` is a key, equal to any other `user(7)`.

    A store lets go of a member `keep_for` seconds after nobody observes it any more, and of
    the one that was used longest ago when there are more than `max_size`; never of one that
    somebody observes or awaits, or that is being computed.

    Args:
        function: `def fn(get, item)`, sync or async, with any parameters after `get`.
        max_size: How many members a store keeps; no limit without it.
        options: Those of `selector`.
    """

    def __init__(self, function: Callable[..., Any], max_size: int | None, options: Options) -> None:
        self.name = name_of(function)
        options.check(self.name)
        if max_size is not None and max_size < 1:
            raise ValueError(f"family {self.name}: max_size is how many members to keep, and not {max_size!r}")
        parameters = list(inspect.signature(function).parameters.values())
        if not parameters:
            raise TypeError(f"family {self.name} takes get and its parameters: `def {self.name}(get, item)`")
        self.function = function
        self.max_size = max_size
        self.options = options
        self.signature = inspect.Signature(parameters[1:])  # without get
        self.is_async = is_async(function) or options.in_thread is not False
        plain = all(each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters[1:])
        self._plain = len(parameters) - 1 if plain else -1  # so many arguments by position need no look at the names
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> K_co:
        """The key of the member for these arguments.

        Raises:
            TypeError: When the arguments do not fit, or are not hashable.
        """
        given: tuple[Any, ...] = args
        named: dict[str, Any] = kwargs
        if named or len(given) != self._plain:
            try:
                bound = self.signature.bind(*given, **named)
            except TypeError as error:
                raise TypeError(f"{self.name}{self.signature}: {error}") from None
            bound.apply_defaults()
            given, named = bound.args, bound.kwargs
        make: Any = _AsyncMember if self.is_async else _SyncMember
        member: K_co = make(self, given, named)
        return member

    def __repr__(self) -> str:
        return f"<Family {self.name}>"


class Member:
    """What the keys of a family have beside those of other selectors."""

    __slots__ = ()

    family: Family[..., Any]
    item: Hashable


def _begin_member(member: Any, family: Family[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    member.family = family
    member.item = (args, tuple(sorted(kwargs.items())))
    try:
        member._hash = hash((id(family), member.item))
    except TypeError as error:
        raise TypeError(f"the arguments of {family.name}(...) must be hashable: {error}") from error
    function = family.function

    def call(get: Get) -> Any:
        return function(get, *args, **kwargs)

    member.function = call


def _name(member: Any) -> str:
    args, kwargs = member.item
    return f"{member.family.name}({', '.join([*map(repr, args), *(f'{name}={value!r}' for name, value in kwargs)])})"


def _equal(one: Any, other: Any) -> bool:
    return is_a(other, Member) and one.family is other.family and one.item == other.item


class _SyncMember(SelectorKey[T], Member):
    __slots__ = ("_hash", "family", "item")

    _hash: int
    name = property(_name)  # put together when somebody asks

    def __init__(self, family: Family[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        _begin_member(self, family, args, kwargs)
        self.equals = family.options.equals

    def __hash__(self) -> int:
        return self._hash

    __eq__ = _equal


class _AsyncMember(AsyncSelectorKey[T, T], Member):
    __slots__ = ("_hash", "family", "item")

    _hash: int
    name = property(_name)  # put together when somebody asks

    def __init__(self, family: Family[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        _begin_member(self, family, args, kwargs)
        self.options = family.options

    def __hash__(self) -> int:
        return self._hash

    __eq__ = _equal


class Members:
    """The members of one family in one store, the one that was used longest ago first.

    Args:
        family: The family.
        owner: The store.
        evict: How the store lets go of a member.
    """

    def __init__(self, family: Family[..., Any], owner: Owner, evict: Callable[[Any, Node], object]) -> None:
        self._family = family
        self._owner = owner
        self._evict = evict
        self._nodes: OrderedDict[Any, Node] = OrderedDict()
        self._timers: dict[Any, Timer] = {}

    def add(self, key: Any, node: Node) -> None:
        """A member is new in the store."""
        self._nodes[key] = node
        if isinstance(node, AsyncSelector):
            node.on_rest = lambda: self._used(key)
        else:
            node.attention += (lambda: self._used(key),)
        self._used(key, is_new=True)

    def nodes(self) -> list[Node]:
        """All members that the store has."""
        return list(self._nodes.values())

    def drop(self, key: Any) -> None:
        """The store has let go of a member."""
        self._nodes.pop(key, None)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _used(self, key: Any, is_new: bool = False) -> None:
        """A member was made, or is observed anew, or no more: it is the youngest now."""
        node = self._nodes.get(key)
        if node is None or self._owner.is_closed:
            return
        self._nodes.move_to_end(key)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if self._family.options.keep_for is not None and _is_at_rest(node):
            self._timers[key] = Timer(
                self._owner, self._family.options.keep_for, lambda: self._let_go(key), f"{key} is kept"
            )
        limit = self._family.max_size
        if limit is not None and len(self._nodes) > limit:
            # A new one stays: somebody has just asked for it, and is about to do something with it.
            idle = [each for each, other in self._nodes.items() if _is_at_rest(other) and not (is_new and each == key)]
            for each in idle[: len(self._nodes) - limit]:
                self._let_go(each)

    def _let_go(self, key: Any) -> None:
        node = self._nodes.get(key)
        if node is not None and _is_at_rest(node):
            self.drop(key)
            self._evict(key, node)


def _is_at_rest(node: Node) -> bool:
    return node.is_at_rest if isinstance(node, AsyncSelector) else not node.dependents


class FamilyDecorator(Protocol):
    """What `family` with options returns: the decorator."""

    @overload
    def __call__(  # type: ignore[overload-overlap]  # a coroutine is a value, too
        self, function: Callable[Concatenate[Get, P], Coroutine[Any, Any, T]], /
    ) -> Family[P, AsyncSelectorKey[T, T | None]]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[Get, P], T], /) -> Family[P, SelectorKey[T]]: ...


class FamilyFrom(Protocol[D]):
    """The decorator when there is an `initial`."""

    def __call__(
        self, function: Callable[Concatenate[Get, P], Coroutine[Any, Any, T]], /
    ) -> Family[P, AsyncSelectorKey[T, T | D]]: ...


class FamilyInThread(Protocol):
    """The decorator with `in_thread`."""

    def __call__(self, function: Callable[Concatenate[Get, P], T], /) -> Family[P, AsyncSelectorKey[T, T | None]]: ...


@overload
def family(  # type: ignore[overload-overlap]  # a coroutine is a value, too
    function: Callable[Concatenate[Get, P], Coroutine[Any, Any, T]], /
) -> Family[P, AsyncSelectorKey[T, T | None]]: ...
@overload
def family(function: Callable[Concatenate[Get, P], T], /) -> Family[P, SelectorKey[T]]: ...
@overload
def family(
    *,
    in_thread: Literal[True] | CapacityLimiter,
    max_size: int | None = None,
    debounce: float = 0.0,
    retry: Retry | None = None,
    keep_previous: bool = True,
    stale_after: float | None = None,
    refresh_every: float | None = None,
    keep_for: float | None = None,
    equals: Callable[[Any, Any], bool] | None = None,
) -> FamilyInThread: ...
@overload
def family(
    *,
    initial: D,
    max_size: int | None = None,
    debounce: float = 0.0,
    retry: Retry | None = None,
    keep_previous: bool = True,
    stale_after: float | None = None,
    refresh_every: float | None = None,
    keep_for: float | None = None,
    equals: Callable[[Any, Any], bool] | None = None,
) -> FamilyFrom[D]: ...
@overload
def family(
    *,
    max_size: int | None = None,
    debounce: float = 0.0,
    retry: Retry | None = None,
    keep_previous: bool = True,
    stale_after: float | None = None,
    refresh_every: float | None = None,
    keep_for: float | None = None,
    equals: Callable[[Any, Any], bool] | None = None,
) -> FamilyDecorator: ...
def family(function: Any = None, /, *, max_size: int | None = None, **options: Any) -> Any:
    """Make a family of selectors of `def fn(get, item)`, sync or async. Use it as a decorator.

    `user(7)` is the key of one; `await state.refresh(user)` is about all that a store has.

    Args:
        function: The function.
        max_size: How many members a store keeps; the one that was used longest ago goes first.
        options: Those of `selector`. `keep_for` is the seconds that a member is kept when nobody
            observes it; for ever without it.

    Raises:
        TypeError: For an option that the function has no use for.
        ValueError: For a negative time, or no room at all.
    """

    def decorate(function: Any, /) -> Any:
        made: Family[..., Any] = Family(function, max_size, Options(**options))
        unused = sorted(options.keys() - {"equals", "keep_for", "in_thread"})
        if unused and not made.is_async:
            raise TypeError(
                f"family {made.name} is sync, and {', '.join(unused)} is for those that take time. "
                "Make it `async def`, or give in_thread=True."
            )
        return made

    if function is None:
        return decorate
    if not callable(function) or is_a(function, Readable):
        raise TypeError(f"a family is made of a function of get and its parameters, not of {function!r}")
    return decorate(function)
