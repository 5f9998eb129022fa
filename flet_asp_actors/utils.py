"""flet-asp's path of `deep_equal`. There is nothing else here, and nothing here uses it."""

from __future__ import annotations

from typing import Any

from .core.values import is_a, same
from .deprecation import deprecated

__all__ = ("deep_equal",)


@deprecated('values are compared by type and ==; a key may bring its own comparison: fa.Key("cart", [], equals=...)')
def deep_equal(a: Any, b: Any) -> bool:
    """Whether two values are equal, with the same types all the way down: 1 is neither 1.0 nor True.

    Containers may hold themselves. What cannot be compared, such as an array, is not equal.
    It will do for `fa.Key(..., equals=deep_equal)`.
    """
    todo: list[tuple[Any, Any]] = [(a, b)]
    seen: set[tuple[int, int]] = set()  # pairs that are being compared already
    while todo:
        a, b = todo.pop()
        if type(a) is not type(b):
            return False
        pair = id(a), id(b)
        if pair in seen:
            continue
        seen.add(pair)
        if is_a(a, dict):
            if a.keys() != b.keys():
                return False
            todo.extend((a[key], b[key]) for key in a)
        elif is_a(a, (list, tuple)):
            if len(a) != len(b):
                return False
            todo.extend(zip(a, b, strict=True))
        elif not same(a, b):
            return False
    return True
