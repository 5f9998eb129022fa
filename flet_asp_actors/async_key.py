"""The keys of async selectors and of their statuses, which work in any store."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .async_value import AsyncValue
from .computation import Options
from .key import Readable
from .reading import Async, Get

__all__ = ("AsyncSelectorKey", "AsyncStatusKey", "is_async")

T = TypeVar("T")
V = TypeVar("V")


def is_async(function: Any) -> bool:
    """Whether calling it gives a coroutine: an async function, a partial of one, an object with an async `__call__`."""
    while isinstance(function, functools.partial):
        function = cast("Any", function).func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


class AsyncSelectorKey(Async[T, V]):
    """What `@fa.selector` makes of an async function: a typed key that works in any store.

    Calling it calls the function, with whatever `get` is handed in.
    """

    __slots__ = ("__weakref__", "function", "name", "options")

    def __init__(self, function: Callable[[Get], Any], name: str, options: Options) -> None:
        options.check(name)
        self.function = function
        self.name = name
        self.options = options

    def __call__(self, get: Get) -> Any:
        return self.function(get)

    @property
    def status(self) -> Readable[AsyncValue[T]]:
        return AsyncStatusKey[T](self)

    def __repr__(self) -> str:
        return f"selector {self.name}"


class AsyncStatusKey(Readable[AsyncValue[T]]):
    """The key of an async selector's status."""

    __slots__ = ("selector",)

    def __init__(self, selector: Any) -> None:
        self.selector = selector

    def __hash__(self) -> int:
        return hash((AsyncStatusKey, self.selector))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncStatusKey) and bool(other.selector == self.selector)

    def __repr__(self) -> str:
        return f"status of {self.selector}"
