"""The selector: an actor that owns a value derived from atoms and other selectors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from threading import get_ident
from typing import Any, NoReturn, Protocol, TypeVar, overload

from .core.evaluate import evaluating, now_computing, read, read_by
from .core.graph import CLEAN, Derived
from .core.values import is_a
from .errors import ReadOnlyError
from .key import Name, Readable, label
from .owner import Owner

__all__ = ("Get", "Selector", "SelectorKey", "selector", "takes_one")

T = TypeVar("T")


class Get(Protocol):
    """How a selector or an action reads: `get(key)`, or `get.peek(key)` without depending on it.

    In a selector every reading is remembered as a dependency, anew in each run; in an
    action it is a plain reading of the value now.
    """

    @overload
    def __call__(self, key: Readable[T], /) -> T: ...
    @overload
    def __call__(self, key: Name, /) -> Any: ...

    @overload
    def peek(self, key: Readable[T], /) -> T: ...
    @overload
    def peek(self, key: Name, /) -> Any: ...


class SelectorKey(Readable[T]):
    """What `@fa.selector` makes of a function: a typed key that works in any store.

    Calling it calls the function, with whatever `get` is handed in.
    """

    __slots__ = ("__weakref__", "equals", "function", "name")

    def __init__(
        self,
        function: Callable[[Get], T],
        name: str,
        equals: Callable[[T, T], bool] | None = None,
    ) -> None:
        if inspect.iscoroutinefunction(function):
            raise TypeError(
                f"selector {name} is async; a selector computes its value at once. "
                "Load the data in an action and set an atom with it."
            )
        if not callable(function):
            raise TypeError(f"a selector is made of a function of get, not of {function!r}")
        if not takes_one(function):
            raise TypeError(f"selector {name} takes get, and nothing else: `lambda get: ...`, `def {name}(get)`")
        self.function = function
        self.name = name
        self.equals = equals

    def __call__(self, get: Get) -> T:
        return self.function(get)

    def __repr__(self) -> str:
        return f"selector {self.name}"


class Selector(Derived, Readable[T]):
    """A live handle of one selector in one store.

    The value is computed when it is first read, and again when it is read (or at the end
    of the turn, if somebody observes it) after a dependency has changed: never more than
    once for one change. An exception of the function is stored like a value and raised
    to whoever reads it; those who observe keep the last good value.

    The function runs on the loop's thread; one that takes long holds everybody up.
    """

    __slots__ = ("__weakref__", "owner")

    def __init__(
        self,
        key: Any,
        function: Callable[[Get], T],
        owner: Owner,
        equals: Callable[[T, T], bool] | None = None,
    ) -> None:
        super().__init__(key, function, owner.scope, equals)
        self.owner = owner

    @property
    def value(self) -> T:
        """The value, computed now if it is stale. From a foreign thread that waits for the loop.

        Raises:
            Exception: What the function raised.
            CycleError: When it reads itself.
        """
        if evaluating and (computing := now_computing()) is not None:
            watched: T = read_by(computing, self)
            return watched
        if self.owner.thread != get_ident():
            value: T = self.current  # a foreign thread looks, and never validates
            if self.mark != CLEAN or self.error is not None:
                value = self.owner.on_home(lambda: read(self))
        else:
            value = read(self)
        return value

    def compute(self) -> T:
        """Call the function; a coroutine is no value."""
        value: T = self.function(self.scope.get)
        if inspect.iscoroutine(value):
            value.close()
            raise TypeError(
                f"{self.key} returned a coroutine; a selector computes its value at once. "
                "Load the data in an action and set an atom with it."
            )
        return value

    def _refuse(self, *_: object) -> NoReturn:
        """Raise `ReadOnlyError`: a selector is computed, not written."""
        raise ReadOnlyError(
            f"{label(self.key)} is a selector, and its value is computed. Write the atoms that it reads."
        )

    set = update = mutate = reset = _refuse

    def __repr__(self) -> str:
        if self.error is not None:
            return f"<Selector {self.key} failed: {self.error!r}>"
        return f"<Selector {self.key} = {self.current!r}{'' if self.mark == CLEAN else ' (unchecked)'}>"


class SelectorDecorator(Protocol):
    """What `selector` with options returns: the decorator."""

    def __call__(self, function: Callable[[Get], T], /) -> SelectorKey[T]: ...


@overload
def selector(function: Callable[[Get], T], /) -> SelectorKey[T]: ...
@overload
def selector(name: Name | None = None, /, *, equals: Callable[[Any, Any], bool] | None = None) -> SelectorDecorator: ...
def selector(
    function: Any = None, /, *, equals: Callable[[Any, Any], bool] | None = None
) -> SelectorKey[Any] | SelectorDecorator:
    """Make a selector of a function of `get`, for any store. Use it as a decorator.

    Args:
        function: The function, or a name for it when the decorator is called with options.
        equals: Says whether two values are the same, instead of "same type and `==`".

    Returns:
        A typed key: `state.get(key)`, `state.listen(key, ...)`, `get(key)` in other selectors.

    Raises:
        TypeError: When the function is async.
    """
    if callable(function) and not is_a(function, Readable):
        return SelectorKey(function, _name_of(function), equals)
    name = function

    def decorate(function: Callable[[Get], T], /) -> SelectorKey[T]:
        return SelectorKey(function, str(name) if name is not None else _name_of(function), equals)

    return decorate


def takes_one(function: Callable[..., Any]) -> bool:
    """Whether a plain function can be called with one argument; anything else gets the benefit of the doubt."""
    code = getattr(function, "__code__", None)
    if code is None or inspect.ismethod(function):
        return True
    optional = len(getattr(function, "__defaults__", None) or ())
    takes_more = bool(code.co_flags & inspect.CO_VARARGS)
    return code.co_argcount - optional <= 1 and (code.co_argcount >= 1 or takes_more)


def _name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", None) or repr(function)
