"""The live handle: what an atom or a selector of one store can do beside its value, by flet-asp's names."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .deprecation import deprecated
from .door import HOMELESS, LOCK
from .key import Readable

if TYPE_CHECKING:
    import flet as ft

    from .ui.binding import Binding
    from .ui.two_way import TwoWayBinding
    from .watch import Subscription

__all__ = ("Handle", "make_stores_by", "store_of_its_own", "store_to_come")

T_co = TypeVar("T_co", covariant=True)


class Handle(Readable[T_co]):
    """A value in one store that can be watched and bound. It asks its store, and adds nothing to that."""

    __slots__ = ()

    owner: Any

    def listen(self, callback: Callable[[T_co], object], immediate: bool = True) -> Subscription:
        """Have `callback(value)` called whenever the value has changed. See `StateManager.listen`."""
        subscription: Subscription = self.owner.listen(self, callback, immediate)
        return subscription

    @deprecated("close the subscription that listen returns: subscription.close()")
    def unlisten(self, callback: Callable[[T_co], object]) -> None:
        """End the subscription of `callback`; nothing happens if there is none."""
        self.owner.unlisten(self, callback)

    def bind(
        self,
        control: ft.BaseControl | ft.Ref[Any],
        prop: str = "value",
        update: bool = True,
        *,
        to: Callable[[T_co], Any] | None = None,
    ) -> Binding:
        """Have a property of a control, or of what a Ref holds or will, follow the value. See `StateManager.bind`."""
        binding: Binding = self.owner.bind(self, control, prop, update, to=to)
        return binding

    @deprecated("bind takes a control as well as a Ref")
    def bind_dynamic(self, control: ft.BaseControl | ft.Ref[Any], prop: str = "value", update: bool = True) -> Binding:
        """The same as `bind`, which takes a control as well as a Ref."""
        return self.bind(control, prop, update)

    def bind_two_way(
        self,
        control: ft.BaseControl | ft.Ref[Any],
        prop: str = "value",
        update: bool = True,
        on_input_change: Callable[[Any], object] | None = None,
        *,
        to: Callable[[T_co], Any] | None = None,
        parse: Callable[[Any], Any] | None = None,
        event: str | None = None,
        debounce: float = 0.0,
    ) -> TwoWayBinding:
        """Have a property follow the value, and the value what is entered. See `StateManager.bind_two_way`.

        Raises:
            ReadOnlyError: For a selector.
        """
        binding: TwoWayBinding = self.owner.bind_two_way(
            self, control, prop, update, on_input_change, to=to, parse=parse, event=event, debounce=debounce
        )
        return binding

    @deprecated("close the binding that bind returns: binding.close()")
    def unbind(self, target: ft.BaseControl | ft.Ref[Any]) -> None:
        """End the bindings to a control or a Ref; nothing happens if there are none."""
        self.owner.unbind(self, target)

    def has_listeners(self) -> bool:
        """Whether somebody listens, or something is bound, by its store. Effects and selectors do not count."""
        return bool(self.owner.watchers_of(self))

    def clear_listeners(self) -> None:
        """End the subscriptions and the bindings that were made by its store. Effects and selectors go on."""
        for watcher in self.owner.watchers_of(self):
            watcher.close()


_make_store: Callable[[], Any]
"""How to make a store; the ring of the pages knows, and says so by `make_stores_by`."""


def make_stores_by(make: Callable[[], Any]) -> None:
    """Say how to make a store."""
    global _make_store
    _make_store = make


class _StoreToCome:
    """Stands for the store of a value until more is asked of it: a value alone needs none."""

    __slots__ = ("_of",)

    thread = HOMELESS

    def __init__(self, of: Any) -> None:
        self._of = weakref.ref(of)

    def watchers_of(self, _: object) -> list[Any]:
        return []

    def __getattr__(self, name: str) -> Any:
        of = self._of()
        assert of is not None, "only the value itself asks its owner"
        with LOCK:
            if of.owner is self:  # else another thread was faster
                of.owner = store_of_its_own()
        return getattr(of.owner, name)


def store_to_come(of: Any) -> Any:
    """What is the owner of a value that stands alone until it needs a store of its own, which then takes its place."""
    return _StoreToCome(of)


def store_of_its_own() -> Any:
    """A store for an atom or a selector that was made without one.

    It lives as long as that; once it has had something to await, as long as the loop.
    """
    return _make_store()
