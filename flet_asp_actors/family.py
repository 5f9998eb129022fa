"""Families: a selector for each parameter, `user(7)`, and which of them a store lets go of."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeVar, overload

from .async_key import AsyncSelectorKey, is_async
from .async_selector import AsyncSelector
from .computation import Options
from .core.evaluate import after_evaluation
from .core.graph import Node
from .core.values import Itself, is_a
from .key import Readable
from .owner import Owner
from .reading import Get
from .retry import Retry
from .selector import Selector, SelectorKey, name_of
from .timer import Timer

if TYPE_CHECKING:
    from anyio import CapacityLimiter

__all__ = ("Family", "Member", "Members", "family")

T = TypeVar("T")
D = TypeVar("D")
P = ParamSpec("P")
K_co = TypeVar("K_co", covariant=True)


class Family(Itself, Generic[P, K_co]):
    """A selector by parameter: `user(7)` is a key, equal to any other `user(7)`. The idea is Recoil's.

    A store lets go of a member `keep_for` seconds after the last use, and of the one that was
    used longest ago when there are more than `max_size`; never of one that somebody observes
    or awaits, or that is being computed. To observe, to await and, of a sync one, to read is to
    use it. Its cleanups are called then, and who has read it reads another one the next time.

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
    item: tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]

    def applied(self, function: Callable[..., Any]) -> Callable[[Get], Any]:
        """A function of `get` and of parameters, with the parameters of this member."""
        args, named = self.item
        kwargs = dict(named)

        def call(get: Get) -> Any:
            return function(get, *args, **kwargs)

        return call


def _begin_member(member: Any, family: Family[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    member.family = family
    member.item = (args, tuple(sorted(kwargs.items())))
    try:
        member._hash = hash((id(family), member.item))
    except TypeError as error:
        raise TypeError(f"the arguments of {family.name}(...) must be hashable: {error}") from error
    member.function = member.applied(family.function)


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


class MemberSelector(Selector[T]):
    """A sync member of a family in one store: whoever reads it, uses it."""

    __slots__ = ("_stamp", "on_read")

    def __init__(
        self,
        key: Any,
        function: Callable[[Get], T],
        owner: Owner,
        equals: Callable[[T, T], bool] | None = None,
    ) -> None:
        self.on_read: Callable[[], object] = _nobody_cares
        super().__init__(key, function, owner, equals)

    @property
    def stamp(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]  # every reading that is not observed looks at it
        """When it was last known to be fresh."""
        self.on_read()
        return self._stamp

    @stamp.setter
    def stamp(self, stamp: int) -> None:
        self._stamp = stamp


def _nobody_cares() -> None:
    """It is not in the store yet."""


class Members:
    """The members of one family in one store, and which of them it lets go of.

    Args:
        family: The family.
        owner: The store.
        evict: How the store lets go of a member.
    """

    def __init__(self, family: Family[..., Any], owner: Owner, evict: Callable[[Any, Node], object]) -> None:
        self._max_size = family.max_size
        self._keep_for = family.options.keep_for
        self._owner = owner
        self._evict = evict
        self._nodes: dict[Any, Node] = {}
        self._is_full = False
        self._asked_for: Any = None
        self._resting: OrderedDict[Any, Timer | None] = OrderedDict()  # the one that was used longest ago first

    def add(self, key: Any, node: Node) -> None:
        """A member is new in the store."""
        self._nodes[key] = node

        def use() -> None:
            self._use(key, node)

        member: Any = node
        if is_a(node, AsyncSelector):
            member.on_interest = use
        else:
            member.attention += (use,)
            member.on_read = lambda: self._use(key, node, is_asked_for=True)
        self._use(key, node, is_asked_for=True)

    def nodes(self) -> list[Node]:
        """All members that the store has."""
        return list(self._nodes.values())

    def drop(self, key: Any) -> None:
        """The store has let go of a member."""
        self._nodes.pop(key, None)
        if not self._nodes:
            self._asked_for = None  # it holds the family
        self._wake(key)

    def _wake(self, key: Any) -> None:
        timer = self._resting.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _use(self, key: Any, node: Node, is_asked_for: bool = False) -> None:
        """A member was made or read, or is observed anew, or no more: it is the youngest now."""
        if self._nodes.get(key) is not node or self._owner.is_closed:
            return
        self._wake(key)
        if _is_needed(node):
            return
        timer: Timer | None = None
        if self._keep_for is not None:
            timer = self._owner.timers.start(self._keep_for, lambda: self._let_go(key))
        self._resting[key] = timer
        if is_asked_for:
            self._asked_for = key
        if self._max_size is not None and len(self._nodes) > self._max_size and not self._is_full:
            self._is_full = True
            after_evaluation(self._make_room)  # what computes just now may be about to read them again

    def _make_room(self) -> None:
        """Let go of those that nobody needs, but not of one that somebody has just asked for."""
        assert self._max_size is not None
        self._is_full = False
        while len(self._nodes) > self._max_size and self._resting:
            key = next(iter(self._resting))
            if key is self._asked_for and len(self._resting) == 1:
                break
            self._let_go(key)
        self._asked_for = None

    def _let_go(self, key: Any) -> None:
        """Let go of a member, unless it is needed after all."""
        node = self._nodes[key]
        if _is_needed(node):  # and we are about to be told
            self._wake(key)
        else:
            self.drop(key)
            self._evict(key, node)


def _is_needed(node: Node) -> bool:
    """Whether somebody observes it, or waits for somebody to do so, as a service does."""
    each: Any = node
    if not is_a(each, AsyncSelector):
        return bool(each.dependents) or len(each.attention) > 1  # one is the family's
    return not each.is_at_rest or any(len(part.attention) > 1 for part in (each, each.status))  # one is its own


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


class FamilyInThreadFrom(Protocol[D]):
    """The decorator with `in_thread` and an `initial`."""

    def __call__(self, function: Callable[Concatenate[Get, P], T], /) -> Family[P, AsyncSelectorKey[T, T | D]]: ...


@overload
def family(  # type: ignore[overload-overlap]  # a coroutine is a value, too
    function: Callable[Concatenate[Get, P], Coroutine[Any, Any, T]], /
) -> Family[P, AsyncSelectorKey[T, T | None]]: ...
@overload
def family(function: Callable[Concatenate[Get, P], T], /) -> Family[P, SelectorKey[T]]: ...
@overload
def family(
    *,
    initial: D,
    in_thread: Literal[True] | CapacityLimiter,
    max_size: int | None = None,
    debounce: float = 0.0,
    retry: Retry | None = None,
    keep_previous: bool = True,
    stale_after: float | None = None,
    refresh_every: float | None = None,
    keep_for: float | None = None,
    equals: Callable[[Any, Any], bool] | None = None,
) -> FamilyInThreadFrom[D]: ...
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
            observes or reads it; for ever without it.

    Raises:
        TypeError: For an option that the function has no use for.
        ValueError: For a negative time, or no room at all.
    """

    def decorate(function: Any, /) -> Any:
        made: Family[..., Any] = Family(function, max_size, Options.of(name_of(function), options))
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
