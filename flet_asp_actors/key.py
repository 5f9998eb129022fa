"""Keys: how values are named, and the types that tell a checker what can be read and written."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Hashable
from enum import Enum
from typing import Any, Generic, Literal, NoReturn, Protocol, TypeVar, Union, cast, get_args, overload

from .core.calls import at_once
from .core.values import Itself, brief, is_a, is_immutable, private_copy

__all__ = ("Key", "Name", "NamedKey", "Readable", "WhenFull", "Writable", "is_item_of", "label", "user_key")

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

WhenFull = Literal["error", "drop_oldest"]

Name = Union[str, int, Enum, tuple[Hashable, ...]]
"""An untyped key, as flet-asp has them. It must be declared in a store before use."""


class Readable(Itself, Generic[T_co]):
    """Anything that `get`, `listen`, `bind` and the `get` of a selector accept."""

    __slots__ = ()

    is_node = False
    """Whether it is a node of a graph itself, a handle, and not a key of one."""

    @property
    def kept(self) -> Any:
        """What a store finds it by."""
        return self


class Writable(Readable[T]):
    """Anything that `set`, `update`, `mutate` and `reset` accept."""

    __slots__ = ()


class Keeper(Protocol):
    """What a key needs of a store."""

    def later(self, call: Callable[[], object]) -> None:
        """Have something called on the home loop, or soon; from a finaliser, too."""
        ...

    def give_up(self, kept: Any) -> None:
        """A key is gone, and what the store keeps of it can only be reached by a handle or a binding."""
        ...


class Key(Writable[T]):
    """A typed key that owns its default. It needs no declaration and works in any store.

    Identity is the object; the name is for people. Two keys of one name are two keys.
    `KEY[item]` is a key per item with the same default: `DONE[7]` and `DONE[7]` are equal.
    A key that is gone, with the control whose own it was, say, takes its value out of the
    stores with it, unless a handle or a binding still holds that.

    Args:
        name: What error messages and `repr` call it.
        default: The value in every store at first and after a reset. One that is not
            known to be immutable is copied, once for each store and each reset, so that
            no two sessions ever share it.
        factory: Makes the default instead; called once for each store and each reset.
        equals: Says whether two values are the same, instead of "same type and `==`".
        mailbox: How many writes may wait while the atom is in the middle of an update that
            awaits. Without it all of them do, and who awaits one is held back by it.
        when_full: What becomes of one more: "error" raises `BusyError` where it is made, and
            "drop_oldest" takes it in place of the one that has waited longest, whose receipt
            raises `RunCancelled`.

    Raises:
        TypeError: When both or neither of `default` and `factory` are given, or when the
            default is mutable and cannot be copied.
        ValueError: When the mailbox holds less than one write, or `when_full` is another word.
    """

    __slots__ = ("__weakref__", "_default", "_make", "_name", "bound", "equals", "kept")

    kept: Any  # pyright: ignore[reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]  # a slot is faster

    bound: tuple[int, WhenFull] | None
    """How many writes may wait in the mailbox, and what becomes of one more."""

    @overload
    def __init__(
        self,
        name: str,
        default: T,
        *,
        equals: Callable[[T, T], bool] | None = None,
        mailbox: int | None = None,
        when_full: WhenFull = "error",
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        *,
        factory: Callable[[], T],
        equals: Callable[[T, T], bool] | None = None,
        mailbox: int | None = None,
        when_full: WhenFull = "error",
    ) -> None: ...
    def __init__(
        self,
        name: str,
        default: Any = ...,
        *,
        factory: Callable[[], Any] | None = None,
        equals: Callable[[Any, Any], bool] | None = None,
        mailbox: int | None = None,
        when_full: WhenFull = "error",
    ) -> None:
        if (default is ...) == (factory is None):
            raise TypeError(f"Key({name!r}) takes either a default or a factory=, and one of them")
        if when_full not in get_args(WhenFull):
            raise ValueError(f"Key({name!r}): when_full is one of {get_args(WhenFull)}, and not {when_full!r}")
        if mailbox is not None and mailbox < 1:
            raise ValueError(f"Key({name!r}): a mailbox holds one write at least, and not {mailbox!r}")
        self._name: str | None = name
        self.equals = equals
        self.bound = None if mailbox is None else (mailbox, when_full)
        self._default: Any = None
        self._make: Callable[[], Any] | None = factory
        if factory is None:
            self._take_default(default)
        self.kept = _KeptKey(self)

    def _take_default(self, default: Any) -> None:
        name = self._name
        if is_immutable(default):
            self._default = default
            return
        try:
            pristine = private_copy(default)
        except TypeError as error:
            raise TypeError(
                f"Key({name!r}): the default must be copied for every store, and {error}. "
                "Give factory= instead: a function that makes it."
            ) from error
        self._make = functools.partial(private_copy, pristine)

    @property
    def name(self) -> str:
        """What people call it."""
        assert self._name is not None
        return self._name

    def initial(self) -> T:
        """Make the value that a store begins with, shared with nobody."""
        if self._make is None:
            value: T = self._default
        else:
            value = at_once(self._make(), f"the factory of {self}")
        return value

    def __getitem__(self, item: Hashable) -> Key[T]:
        """The key of one item, with the same default.

        Raises:
            TypeError: When the item is not hashable.
        """
        return _ItemKey(self, item)

    def keep(self, store: Keeper) -> Key[T]:
        """What a store keeps of it: the same without the key itself, so that the key can go."""
        kept: Key[T] = self.kept.keep(store)
        return kept

    @property
    def is_there(self) -> bool:
        """Whether the key itself is still there, for what a store keeps of it."""
        raise NotImplementedError

    def __hash__(self) -> int:
        return hash(self.kept)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.kept is other.kept

    def __del__(self) -> None:
        kept = getattr(self, "kept", None)
        if kept is not None and kept.stores:
            kept.give_up()

    def __repr__(self) -> str:
        return f"Key({self.name!r})"

    __str__ = __repr__


class _KeptKey(Key[T]):
    """What stores keep of a key: the name and the default. Messages show it as the key itself."""

    __slots__ = ("_key", "has_items", "stores")

    kept = Readable.kept

    def __init__(self, key: Key[T]) -> None:
        self._name = key._name
        self._default = key._default
        self._make = key._make
        self.equals = key.equals
        self.bound = key.bound
        self._key = weakref.ref(key)
        self.has_items = False
        self.stores: tuple[weakref.ref[Keeper], ...] = ()

    @property
    def key(self) -> Key[T]:
        """The key itself, as long as it is there."""
        return self._key() or self

    def known_to(self, store: Keeper) -> None:
        """A store keeps it; it is to hear when the key is gone."""
        known = weakref.ref(store)
        if known not in self.stores:
            self.stores = (*(each for each in self.stores if each() is not None), known)

    def give_up(self) -> None:
        """The key is gone. This may be the collector's doing, in the middle of anything: only ask for it."""
        for known in self.stores:
            store = known()
            if store is not None:
                self._ask(store)

    def _ask(self, store: Keeper) -> None:
        store.later(lambda: store.give_up(self))  # no name of a module in it: at the very end there are none

    def keep(self, store: Keeper) -> Key[T]:
        self.known_to(store)
        return self

    @property
    def is_there(self) -> bool:
        return self._key() is not None

    __hash__ = object.__hash__
    __eq__: Any = object.__eq__  # as fast as it gets; a key asks this one, or is asked

    def __del__(self) -> None:
        """Nothing: it is not a key of its own."""


class _ItemKey(Key[T]):
    """`KEY[item]`: made anew at each use, and equal by key and item."""

    __slots__ = ("_anchor", "_hash", "family", "item")

    family: Any
    kept = Readable.kept

    def __init__(self, family: Key[T], item: Hashable, anchored: bool = True) -> None:
        kept: Any = family.kept
        self.family = kept
        try:
            self._hash = hash((hash(kept), item))
        except TypeError as error:
            raise TypeError(f"{family!r}[...]: an item must be hashable, and {type(item).__name__} is not") from error
        self.item = item
        self.equals = family.equals
        self.bound = family.bound
        self._anchor = family if anchored else None  # what a store keeps does not keep the family's key

    @property
    def name(self) -> str:
        return f"{self.family.name}[{brief(self.item)}]"

    def initial(self) -> T:
        value: T = self.family.initial()
        return value

    def keep(self, store: Keeper) -> Key[T]:
        family = self.family.keep(store)
        if is_a(family, _KeptKey):
            family.has_items = True
        return _ItemKey(family, self.item, anchored=False)

    @property
    def is_there(self) -> bool:
        return self._anchor is not None or bool(self.family.is_there)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: Any) -> bool:
        return (
            is_a(other, _ItemKey)
            and self.family == other.family
            and (self.item is other.item or self.item == other.item)  # one that is not equal to itself is one item, too
        )

    def __del__(self) -> None:
        """Nothing: whoever has the item can make the key anew."""


def is_item_of(key: object, family: object) -> bool:
    """Whether a key is `family[item]`, or an item of that."""
    each: Any = key
    while is_a(each, _ItemKey):
        each = each.family
        if each is family:
            return True
    return False


class NamedKey(Key[Any]):
    """What stands behind an untyped name in one store: the name as given, and its default."""

    __slots__ = ("given",)

    kept = Readable.kept

    def __init__(self, given: Name, default: Any) -> None:
        self.given = given
        self._name = repr(given)
        self.equals = self.bound = None
        self._default = self._make = None
        try:
            self._take_default(default)
        except TypeError as error:
            why = str(error.__cause__ or error)
            self._make = lambda: self._cannot_reset(why)

    def __hash__(self) -> int:
        return hash(self.given)

    def __eq__(self, other: object) -> bool:
        """Two stores may both have a "count", which are two; but each is the one that is called so."""
        return self is other or (not is_a(other, Key) and self.given == other)

    def __del__(self) -> None:
        """Nothing: a name is no object, and can be said again."""

    def _cannot_reset(self, why: str) -> NoReturn:
        raise TypeError(
            f"{self.name} cannot be reset: its default is mutable and no copy of it could be kept ({why}). "
            "Declare it with a fa.Key(..., factory=...)."
        )

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__


def user_key(key: Any) -> Any:
    """The key that a user knows, for one that a store keeps."""
    return cast("_KeptKey[Any]", key).key if is_a(key, _KeptKey) else key


def label(key: object) -> str:
    """How messages show a key: `Key('count')` for a typed one, `'count'` for a name."""
    return str(key) if is_a(key, Readable) else repr(key)
