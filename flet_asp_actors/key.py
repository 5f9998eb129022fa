"""Keys: how values are named, and the types that tell a checker what can be read and written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from enum import Enum
from typing import Any, Generic, NoReturn, TypeVar, Union, overload

from .core.values import is_a, is_immutable, private_copy

__all__ = ("Key", "Name", "NamedKey", "Readable", "Writable", "label")

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Name = Union[str, int, Enum, tuple[Hashable, ...]]
"""An untyped key, as flet-asp has them. It must be declared in a store before use."""


class Readable(Generic[T_co]):
    """Anything that `get`, `listen`, `bind` and the `get` of a selector accept."""

    __slots__ = ()


class Writable(Readable[T]):
    """Anything that `set`, `update`, `mutate` and `reset` accept."""

    __slots__ = ()


class Key(Writable[T]):
    """A typed key that owns its default. It needs no declaration and works in any store.

    Identity is the object; the name is for people. Two keys of one name are two keys.
    `KEY[item]` is a key per item with the same default: `DONE[7]` and `DONE[7]` are equal.

    Args:
        name: What error messages and `repr` call it.
        default: The value in every store at first and after a reset. One that is not
            known to be immutable is copied, once for each store and each reset, so that
            no two sessions ever share it.
        factory: Makes the default instead; called once for each store and each reset.
        equals: Says whether two values are the same, instead of "same type and `==`".

    Raises:
        TypeError: When both or neither of `default` and `factory` are given, or when the
            default is mutable and cannot be copied.
    """

    __slots__ = ("_default", "_make", "_name", "equals")

    @overload
    def __init__(self, name: str, default: T, *, equals: Callable[[T, T], bool] | None = None) -> None: ...
    @overload
    def __init__(
        self, name: str, *, factory: Callable[[], T], equals: Callable[[T, T], bool] | None = None
    ) -> None: ...
    def __init__(
        self,
        name: str,
        default: Any = ...,
        *,
        factory: Callable[[], Any] | None = None,
        equals: Callable[[Any, Any], bool] | None = None,
    ) -> None:
        if (default is ...) == (factory is None):
            raise TypeError(f"Key({name!r}) takes either a default or a factory=, and one of them")
        self._name: str | None = name
        self.equals = equals
        self._default: Any = None
        self._make: Callable[[], Any] | None = factory
        if factory is not None:
            return
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
        value: T = self._default if self._make is None else self._make()
        return value

    def __getitem__(self, item: Hashable) -> Key[T]:
        """The key of one item, with the same default.

        Raises:
            TypeError: When the item is not hashable.
        """
        return _ItemKey(self, item)

    def __repr__(self) -> str:
        return f"Key({self.name!r})"

    __str__ = __repr__


class _ItemKey(Key[T]):
    """`KEY[item]`: made anew at each use, and equal by key and item."""

    __slots__ = ("_hash", "family", "item")

    def __init__(self, family: Key[T], item: Hashable) -> None:
        try:
            self._hash = hash((id(family), item))
        except TypeError as error:
            raise TypeError(f"{family!r}[...]: an item must be hashable, and {type(item).__name__} is not") from error
        self.family = family
        self.item = item
        self.equals = family.equals
        self._name = None  # put together when somebody asks

    @property
    def name(self) -> str:
        return f"{self.family.name}[{self.item!r}]"

    def initial(self) -> T:
        return self.family.initial()

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: Any) -> bool:
        return is_a(other, _ItemKey) and self.family is other.family and self.item == other.item


class NamedKey(Key[Any]):
    """What stands behind an untyped name in one store: the name as given, and its default."""

    __slots__ = ("given",)

    def __init__(self, given: Name, default: Any) -> None:
        self.given = given
        try:
            super().__init__(repr(given), default)
        except TypeError as error:
            why = str(error.__cause__ or error)
            super().__init__(repr(given), factory=lambda: self._cannot_reset(why))

    def _cannot_reset(self, why: str) -> NoReturn:
        raise TypeError(
            f"{self.name} cannot be reset: its default is mutable and no copy of it could be kept ({why}). "
            "Declare it with a fa.Key(..., factory=...)."
        )

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__


def label(key: object) -> str:
    """How messages show a key: `Key('count')` for a typed one, `'count'` for a name."""
    return str(key) if is_a(key, Readable) else repr(key)
