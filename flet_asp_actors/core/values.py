"""When two values are the same, which values cannot change in place, and how defaults are copied."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import types
import uuid
from collections.abc import Callable
from typing import Any, cast

__all__ = ("IMMUTABLE", "PLAIN", "compare_by_identity", "is_a", "is_immutable", "private_copy", "same")

is_a: Callable[[Any, type[Any] | tuple[type[Any], ...]], bool] = isinstance
"""`isinstance` for the generic classes: a type checker would narrow to one of unknown parameters."""

IMMUTABLE: frozenset[type] = frozenset(
    {
        type(None),
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        range,
        type(...),
        type(NotImplemented),
        decimal.Decimal,
        fractions.Fraction,
        datetime.date,
        datetime.time,
        datetime.datetime,
        datetime.timedelta,
        datetime.timezone,
        uuid.UUID,
        pathlib.PurePosixPath,
        pathlib.PureWindowsPath,
        pathlib.PosixPath,
        pathlib.WindowsPath,
        types.FunctionType,
        types.BuiltinFunctionType,
        types.MethodType,  # a function as well: what it is bound to is not its own
        types.ModuleType,
        type,
    }
)
"""Types whose instances never change in place, whatever they hold."""


PLAIN: frozenset[type] = frozenset({bool, bytes, float, int, str, type(None)})
"""Types whose instances can be compared by `==` and nothing else."""

_by_identity: tuple[type[Any], ...] = ()


def compare_by_identity(kind: type[Any]) -> None:
    """Have values of a type compared by `is`, where its `==` takes two for one."""
    global _by_identity
    _by_identity = (*_by_identity, kind)


def is_immutable(value: Any) -> bool:
    """Say whether `value` is known never to change in place. "Unknown" is False.

    Tuples, frozen sets and frozen dataclasses are as immutable as what they hold.
    """
    kind = cast("Any", type(value))
    if kind in IMMUTABLE:
        return True
    if is_a(value, (enum.Enum, type)):
        return True
    if is_a(value, (tuple, frozenset)):
        return not hasattr(value, "__dict__") and all(map(is_immutable, value))
    if hasattr(kind, "__dataclass_params__") and kind.__dataclass_params__.frozen:
        return all(is_immutable(getattr(value, f.name, None)) for f in dataclasses.fields(kind))
    return False


def same(old: Any, new: Any, equals: Callable[[Any, Any], bool] | None = None) -> bool:
    """Say whether `new` is no change from `old`.

    Without `equals`: the same object, or the same type and `==`. An `==` that raises or
    answers something other than a bool (an array, say) means "changed".
    """
    if equals is not None:
        return bool(equals(old, new))
    if old is new:
        return True
    if type(old) is not type(new) or isinstance(new, _by_identity):
        return False
    try:
        return (old == new) is True
    except Exception:
        # A value that cannot be compared has changed, as far as anybody can tell.
        return False


def private_copy(value: Any) -> Any:
    """Return a value that shares nothing mutable with `value`.

    Raises:
        TypeError: When the value cannot be copied.
    """
    if is_immutable(value):
        return value
    try:
        return copy.deepcopy(value)
    except Exception as error:
        raise TypeError(f"{type(value).__name__} cannot be copied: {error}") from error
