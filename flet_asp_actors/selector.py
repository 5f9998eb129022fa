"""The selector: an actor that owns a value derived from atoms and other selectors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol, TypeVar, overload

from .async_key import AsyncSelectorKey, is_async
from .computation import Options
from .core.evaluate import evaluating, now_computing, read, read_by
from .core.graph import CLEAN, Derived, Node
from .core.values import is_a
from .deprecation import deprecated
from .errors import ReadOnlyError
from .handle import Handle, store_of_its_own
from .key import Name, Readable, label
from .owner import Owner
from .reading import Get
from .retry import Retry

if TYPE_CHECKING:
    from anyio import CapacityLimiter

__all__ = ("Get", "Selector", "SelectorKey", "make_selector", "name_of", "selector", "takes_one")

T = TypeVar("T")
D = TypeVar("D")


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
        self.function = function
        self.name = name
        self.equals = equals

    def __call__(self, get: Get) -> T:
        return self.function(get)

    def __repr__(self) -> str:
        return f"selector {self.name}"


class Selector(Derived, Handle[T]):
    """A live handle of one selector in one store.

    The value is computed when it is first read, and again when it is read (or at the end
    of the turn, if somebody observes it) after a dependency has changed: never more than
    once for one change. An exception of the function is stored like a value and raised
    to whoever reads it; those who observe keep the last good value.

    The function runs on the loop's thread; one that takes long holds everybody up.

    `Selector(select_fn, resolve_atom)`, flet-asp's form, makes one that stands alone: the
    second function gives the atom, or the selector, of a key that the first one reads.
    """

    __slots__ = ("__weakref__", "owner")

    owner: Owner

    @overload
    @deprecated('declare it in a store: @state.selector("name"), or use @fa.selector')
    def __init__(self, select_fn: Callable[[Any], T], resolve_atom: Callable[[Any], Any], /) -> None: ...
    @overload
    def __init__(
        self, key: Any, function: Callable[[Get], T], owner: Owner, equals: Callable[[T, T], bool] | None = None
    ) -> None: ...
    def __init__(
        self,
        key: Any,
        function: Callable[[Any], Any],
        owner: Owner | None = None,
        equals: Callable[[Any, Any], bool] | None = None,
    ) -> None:
        if owner is None:  # flet-asp's form
            key, function, owner = _standing_alone(key, function)
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

    @deprecated("refresh it in its store: state.refresh(key)")
    def recompute(self) -> None:
        """Call the function once more, now, whatever it has read is the same.

        Raises:
            Exception: What the function raises.
        """
        store: Any = self.owner
        store.refresh(self)
        _ = self.value

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


def _standing_alone(
    function: Callable[[Any], Any], resolve_atom: Callable[[Any], Any]
) -> tuple[Any, Callable[[Get], Any], Owner]:
    """What a selector is made of that has no store: keys are looked up by a function."""
    key = make_selector(function, name_of(function), {})
    if is_a(key, AsyncSelectorKey):
        raise TypeError(
            f"Selector(...) computes at once, and {key.name} is async. Declare it in a store, "
            f'`@state.selector("{key.name}")` or state.add_selector("{key.name}", ...), or use @fa.selector.'
        )

    def find(name: Any) -> Any:
        found = name if isinstance(name, Node) else resolve_atom(name)
        if not isinstance(found, Node):
            raise TypeError(
                f"resolve_atom gives the atom, or the selector, of a key: state.atom; {name!r} gave it {found!r}"
            )
        return found

    def compute(get: Get) -> Any:
        def read(name: Any) -> Any:
            return get(find(name))

        def peek(name: Any) -> Any:
            return get.peek(find(name))

        vars(read).update({**vars(get), "peek": peek})
        return function(read)

    return key, compute, store_of_its_own()


class SelectorDecorator(Protocol):
    """What `selector` with options returns: the decorator."""

    @overload
    def __call__(self, function: Callable[[Get], Coroutine[Any, Any, T]], /) -> AsyncSelectorKey[T, T | None]: ...  # type: ignore[overload-overlap]  # a coroutine is a value, too
    @overload
    def __call__(self, function: Callable[[Get], T], /) -> SelectorKey[T]: ...


class SelectorFrom(Protocol[D]):
    """The decorator when there is an `initial`."""

    def __call__(self, function: Callable[[Get], Coroutine[Any, Any, T]], /) -> AsyncSelectorKey[T, T | D]: ...


class SelectorInThread(Protocol):
    """The decorator with `in_thread`."""

    def __call__(self, function: Callable[[Get], T], /) -> AsyncSelectorKey[T, T | None]: ...


class SelectorInThreadFrom(Protocol[D]):
    """The decorator with `in_thread` and an `initial`."""

    def __call__(self, function: Callable[[Get], T], /) -> AsyncSelectorKey[T, T | D]: ...


@overload
def selector(function: Callable[[Get], Coroutine[Any, Any, T]], /) -> AsyncSelectorKey[T, T | None]: ...  # type: ignore[overload-overlap]  # a coroutine is a value, too
@overload
def selector(function: Callable[[Get], T], /) -> SelectorKey[T]: ...
@overload
def selector(
    name: Name | None = None,
    /,
    *,
    initial: D,
    in_thread: Literal[True] | CapacityLimiter,
    debounce: float = 0.0,
    retry: Retry | None = None,
    keep_previous: bool = True,
    stale_after: float | None = None,
    refresh_every: float | None = None,
    keep_for: float | None = None,
    equals: Callable[[Any, Any], bool] | None = None,
) -> SelectorInThreadFrom[D]: ...
@overload
def selector(
    name: Name | None = None,
    /,
    *,
    in_thread: Literal[True] | CapacityLimiter,
    debounce: float = 0.0,
    retry: Retry | None = None,
    keep_previous: bool = True,
    stale_after: float | None = None,
    refresh_every: float | None = None,
    keep_for: float | None = None,
    equals: Callable[[Any, Any], bool] | None = None,
) -> SelectorInThread: ...
@overload
def selector(
    name: Name | None = None,
    /,
    *,
    initial: D,
    debounce: float = 0.0,
    retry: Retry | None = None,
    keep_previous: bool = True,
    stale_after: float | None = None,
    refresh_every: float | None = None,
    keep_for: float | None = None,
    equals: Callable[[Any, Any], bool] | None = None,
) -> SelectorFrom[D]: ...
@overload
def selector(
    name: Name | None = None,
    /,
    *,
    debounce: float = 0.0,
    retry: Retry | None = None,
    keep_previous: bool = True,
    stale_after: float | None = None,
    refresh_every: float | None = None,
    keep_for: float | None = None,
    equals: Callable[[Any, Any], bool] | None = None,
) -> SelectorDecorator: ...
def selector(function: Any = None, /, **options: Any) -> Any:
    """Make a selector of a function of `get`, sync or async, for any store. Use it as a decorator.

    An async one is computed by a task of the store, as long as somebody observes or awaits
    it; the options below but `equals` are for those. Times are in seconds.

    Args:
        function: The function, or a name for it when the decorator is called with options.
        initial: What `get` gives before the first value; None without it. A mutable one is
            copied for every store.
        debounce: How long the inputs must be quiet before it is computed anew. The first
            computation, a `refresh` and an `invalidate` do not wait.
        retry: When a computation that failed is tried again. It stays `loading` meanwhile.
        keep_previous: Whether the value before is shown while a new one is computed, and
            after a failure.
        stale_after: After how long a value is computed anew when somebody begins to observe
            it, or resolves it.
        refresh_every: How long after a computation the next one begins, while it is observed;
            at once when it is observed again after a longer time.
        keep_for: How long a value is kept when nobody observes it; for ever without it.
        in_thread: Compute a sync function, one that keeps the processor busy, in a worker thread:
            True for one of the `Atom.MAX_PARALLEL_BINDS` that all share, or a limiter of your own,
            which is what a function that rather waits needs. Its `get` asks the loop each time.
        equals: Says whether two values are the same, instead of "same type and `==`".
        **options: All of these.

    Returns:
        A typed key, for `state.get(key)`, `state.listen(key, ...)`, `get(key)` in other selectors;
        of an async one also `key.status` and `await state.resolve(key)`.

    Raises:
        TypeError: For an option that the function has no use for.
        ValueError: For a negative time.
    """
    if callable(function) and not is_a(function, Readable):
        return make_selector(function, name_of(function), options)
    name = function

    def decorate(function: Any, /) -> Any:
        return make_selector(function, str(name) if name is not None else name_of(function), options)

    return decorate


def make_selector(
    function: Callable[..., Any], name: str, options: Mapping[str, Any]
) -> SelectorKey[Any] | AsyncSelectorKey[Any, Any]:
    """The key of a selector: of a sync one, or of one that a task computes."""
    if not callable(function):
        raise TypeError(f"a selector is made of a function of get, not of {function!r}")
    if not takes_one(function):
        raise TypeError(f"selector {name} takes get, and nothing else: `lambda get: ...`, `def {name}(get)`")
    in_thread = options.get("in_thread", False)
    if is_async(function):
        if in_thread is not False:
            raise TypeError(f"selector {name} is async, and in_thread= is for sync functions; it needs no thread")
        return AsyncSelectorKey(function, name, Options.of(name, options))
    if in_thread is not False:
        return AsyncSelectorKey(function, name, Options.of(name, options))
    unused = sorted(options.keys() - {"equals", "in_thread"})
    if unused:
        raise TypeError(
            f"selector {name} is sync, and {', '.join(unused)} is for those that take time. "
            "Make it `async def`, or give in_thread=True."
        )
    return SelectorKey(function, name, options.get("equals"))


def takes_one(function: Callable[..., Any]) -> bool:
    """Whether a plain function can be called with one argument; anything else gets the benefit of the doubt."""
    code = getattr(function, "__code__", None)
    if code is None or inspect.ismethod(function):
        return True
    optional = len(getattr(function, "__defaults__", None) or ())
    takes_more = bool(code.co_flags & inspect.CO_VARARGS)
    return code.co_argcount - optional <= 1 and (code.co_argcount >= 1 or takes_more)


def name_of(function: Callable[..., Any]) -> str:
    """What a function is called."""
    return getattr(function, "__name__", None) or repr(function)
