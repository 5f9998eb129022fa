"""The rows of a list: each item as a value of its own, that whatever is made for it follows."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .core.graph import CHECK, CLEAN, Node, tick, unlink
from .core.turn import here
from .core.values import IMMUTABLE, is_a
from .errors import BindingError
from .owner import Owner
from .selector import Selector
from .watch import Subscription

__all__ = ("Index", "Items", "Row", "RowKey")

T = TypeVar("T")


class Index:
    """The items of a list by their keys, in order, as they were at one moment. Equal to nothing but itself.

    An item's key is what `item_key` makes of it. Without that it is the item, or, of one that
    is not hashable, which object it is. Items of one key are told apart by their order.

    Raises:
        BindingError: For a value that is no collection of items, or an `item_key` that raises or
            makes something that is not hashable.
    """

    __slots__ = ("by_key",)

    def __init__(self, value: object, item_key: Callable[[Any], Hashable] | None = None) -> None:
        items = _items(value)
        try:
            keys = items if item_key is None else map(item_key, items)
            found: dict[Hashable, Any] = dict(zip(keys, items, strict=True))
        except Exception:
            found = {}  # one of them is not hashable, or makes item_key raise: it is looked for below
        if len(found) < len(items):
            found = _told_apart(items, item_key)
        self.by_key = found


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    if not is_a(value, Collection) or is_a(value, (str, bytes, bytearray, Mapping)):
        raise BindingError(
            f"a list is bound to a list, a tuple or another collection of items, and not to {reprlib.repr(value)}, "
            f"a {type(value).__name__}. Bind a function that makes a list of it: lambda get: list(...)."
        )
    return list(value)


@dataclass(frozen=True)
class _Again:
    """The key of an item before which there are others of the same key."""

    key: Hashable
    before: int


@dataclass(frozen=True)
class _Object:
    """The key of an item that is not hashable: which object it is."""

    number: int


def _told_apart(items: list[Any], item_key: Callable[[Any], Hashable] | None) -> dict[Hashable, Any]:
    found: dict[Hashable, Any] = {}
    met: dict[Hashable, int] = {}
    for item in items:
        key = _key(item, item_key)
        met[key] = before = met.get(key, -1) + 1
        found[_Again(key, before) if before else key] = item
    return found


def _key(item: Any, item_key: Callable[[Any], Hashable] | None) -> Hashable:
    if item_key is None:
        try:
            hash(item)
        except TypeError:
            return _Object(id(item))
        plain: Hashable = item
        return plain
    try:
        key = item_key(item)
        hash(key)
    except Exception as error:
        raise BindingError(
            f"item_key makes no key of {reprlib.repr(item)}: {type(error).__name__}: {error}. "
            "It takes an item and returns what tells it from the others: a number, a text, a tuple of those."
        ) from error
    return key


class Items(Selector[Index]):
    """The index of what a list holds now: computed once for each change of it, before anybody is told."""

    __slots__ = ()

    def settle(self, value: Index, old: Iterable[Node]) -> None:
        before = self.version
        super().settle(value, old)
        by_key, version = value.by_key, self.version
        was_edited = self.edited == version
        # Most items are what they were, and it takes a fifth of the time if their rows need not find that out.
        for row in self.dependents or ():
            if type(row) is Row and row.mark == CHECK and row.stamp >= before:
                item = row.current
                if by_key.get(row.key.key, item) is item and (not was_edited or type(item) in IMMUTABLE):
                    row.stamp = version
                    row.mark = CLEAN


class RowKey:
    """What messages call a row."""

    __slots__ = ("key", "list")

    def __init__(self, list: object, key: Hashable) -> None:
        self.list = list
        self.key = key

    def __repr__(self) -> str:
        return f"row {reprlib.repr(self.key)} of {self.list}"


class Row(Selector[T]):
    """One item of a bound list: what `build` gets, and what it binds to.

    It can be read, watched and bound like any key: `row.value`, `state.get(row)`, `get(row)`
    in a function, `state.bound(ft.Text(), value=row)`. As long as the list has an item with
    the same key it is that item, wherever it stands and whatever it has become. After that it
    keeps the last value, and what was set up in its `build` (listeners, effects) has ended.
    """

    __slots__ = ("_items", "made")

    def __init__(self, items: Items, list: object, key: Hashable, value: T, owner: Owner) -> None:
        super().__init__(RowKey(list, key), self._unused, owner)
        self._items: Items | None = items
        self.made: dict[Subscription, None] = {}
        """The listeners and effects that were set up in `build`."""
        self.current = value
        self.good = self.version = tick()
        self.sources = (items,)
        self.mark = CHECK

    @staticmethod
    def _unused(_: object) -> Any:
        raise AssertionError("a row finds its value by itself")  # pragma: no cover - and so nobody calls it

    is_plain = False

    def compute(self) -> T:
        """Find the item; of one that is gone, or of a list that has failed, the last value."""
        value: T = self.current
        items = self._items
        if items is None:
            return value
        try:
            index: Index = self.scope.get(items)
        except Exception:
            # It is told to the one that follows the list; the rows stay as they are.
            return value
        found: T = index.by_key.get(self.key.key, value)
        return found

    @property
    def is_gone(self) -> bool:
        """Whether the list has let go of it."""
        return self._items is None

    @staticmethod
    def end(rows: Iterable[Row[Any]]) -> None:
        """Let go of rows, on the store's thread: each keeps its value, and what was made for it ends."""
        for row in rows:
            items, row._items = row._items, None
            if items is not None and row.dependents:
                unlink(items, row)
            row.sources = ()
            for subscription in list(row.made):
                subscription.leave(row.made)
        here().look()
