"""When two values are the same, which cannot change in place, how defaults are copied, how messages show them."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import reprlib
import types
import uuid
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .calls import FATAL, at_once

__all__ = (
    "IMMUTABLE",
    "PLAIN",
    "Itself",
    "brief",
    "compare_by_identity",
    "is_a",
    "is_immutable",
    "private_copy",
    "same",
)

T = TypeVar("T")

is_a: Callable[[Any, type[Any] | tuple[type[Any], ...]], bool] = isinstance
"""`isinstance` for the generic classes: a type checker would narrow to one of unknown parameters."""

_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = 100


def brief(value: Any) -> str:
    """A value as messages show it: in a few words, however much it holds, and also when its own `repr` raises."""
    try:
        text = _shortened.repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 200 else f"{text[:200]}..."


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
    if type(value) in IMMUTABLE:
        return True
    todo, seen = [value], {id(value)}  # neither how deep it is nor how often it holds the same thing matters
    for each in todo:
        kind = cast("Any", type(each))
        if is_a(each, (enum.Enum, type)):
            continue
        if is_a(each, (tuple, frozenset)) and not hasattr(each, "__dict__"):
            parts = each
        elif hasattr(kind, "__dataclass_params__") and kind.__dataclass_params__.frozen:
            parts = [getattr(each, field.name, None) for field in dataclasses.fields(kind)]
        else:
            return False
        for part in parts:
            if type(part) not in IMMUTABLE and id(part) not in seen:
                seen.add(id(part))
                todo.append(part)
    return True


def same(old: Any, new: Any, equals: Callable[[Any, Any], bool] | None = None) -> bool:
    """Say whether `new` is no change from `old`.

    Without `equals`: the same object, or the same type and `==`. An `==` that raises or
    answers something other than a bool (an array, say) means "changed".
    """
    if equals is not None:
        return bool(at_once(equals(old, new), "equals="))
    if old is new:
        return True
    if type(old) is not type(new) or isinstance(new, _by_identity):
        return False
    try:
        return (old == new) is True
    except FATAL:
        raise
    except BaseException:
        # A value that cannot be compared has changed, as far as anybody can tell.
        return False


class Itself:
    """Something that a copy of a value holds as well, and not a copy of it: that would be another one."""

    __slots__ = ()

    def __copy__(self: T) -> T:
        """The same."""
        return self

    def __deepcopy__(self: T, memo: object) -> T:
        """The same."""
        return self


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
