"""What the library hangs on a control: it follows the control's life, and passes on its events."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import flet as ft

from ..core.turn import here
from ..errors import LoopError
from . import page as adapter
from .frame import UIActor, ui_actor

if TYPE_CHECKING:
    from .binding import Binding

__all__ = ("Mount", "mount_of")

_SLOT = "_flet_asp_actors_mount"
_HOOKS = ("build", "did_mount", "will_unmount", "before_event")


class Mount:
    """The life of one control: built, on the page, off the page, gone.

    The control holds it, it holds the control weakly. The hooks are set on the instance,
    which Flet honours for every control, and call what was there before.
    """

    __slots__ = ("_control", "_is_built", "_is_leaving", "_own", "bindings", "is_stale", "listeners", "ui")

    def __init__(self, control: ft.BaseControl) -> None:
        page = adapter.page_of(control)
        self._control = weakref.ref(control)
        self.bindings: list[Binding] = []
        self.listeners: list[Callable[[Any], object]] = []
        self._is_built = page is not None
        self.is_stale = False  # a property was assigned since the control was built
        # A property was assigned while the control was being taken off the page: Flet sends that when
        # the control is back, after the control as it is then.
        self._is_leaving = False
        self.ui: UIActor | None = None
        self._own = {name: control.__dict__[name] for name in _HOOKS if name in control.__dict__}
        control.__dict__.update({name: getattr(self, name) for name in _HOOKS})
        if page is not None:
            self._enter(page)

    def _enter(self, page: ft.Page) -> None:
        self.ui = ui_actor(page)
        self.ui.join(self)

    @property
    def control(self) -> ft.BaseControl | None:
        """The control, while there is one."""
        return self._control()

    @property
    def is_looked_at(self) -> bool:
        """Whether the control is on a page, or about to be, and there is somebody to see it."""
        return self._is_built and not (self.ui is not None and self.ui.is_resting)

    def changed(self) -> None:
        """A property of the control was assigned: have it pushed if it is on a page."""
        control = self._control()
        if self.ui is None or control is None:
            self.is_stale = True
        elif self.ui.has(control):
            self.ui.mark(control)
        else:
            self._is_leaving = True

    # ------------------------------------------------------------------ what the UI actor asks

    def rest(self) -> None:
        """Nobody looks at the page for now."""
        self._each(lambda binding: binding.pause())

    def resume(self) -> None:
        """Somebody does again."""
        self._each(lambda binding: binding.resume())

    def leave(self) -> None:
        """The session has ended."""
        self._each(lambda binding: binding.close())

    def _each(self, call: Callable[[Binding], object]) -> None:
        """Call for each binding; an error of one keeps nothing from the others."""
        for binding in list(self.bindings):
            try:
                call(binding)
            except Exception as error:  # pragma: no cover - it has told what goes wrong in it; who knows what else
                binding.report(error)

    # ------------------------------------------------------------------ the hooks, named as Flet calls them

    def build(self) -> None:
        """The control is about to be sent whole: what is assigned now is part of it."""
        self._is_built = True
        self._each(lambda binding: binding.resume())
        self.is_stale = False
        self._inherited("build")

    def did_mount(self) -> None:
        """The client has the control."""
        control = self._control()
        page = adapter.page_of(control) if control is not None else None
        if page is not None:  # pragma: no branch - else it has left again, or was collected
            self._enter(page)
            if self._is_leaving:
                self._is_leaving = False
                self._each(lambda binding: binding.repeat())
            if self.is_stale:
                self.changed()
        self._inherited("did_mount")

    def will_unmount(self) -> None:
        """The control leaves the page; it may come back."""
        self._inherited("will_unmount")
        control = self._control()
        self._is_built = False
        if self.ui is not None:  # pragma: no branch - else it had left before it was there
            self.ui.part(self)
            if control is not None:  # pragma: no branch - else it has been collected in the middle of this
                self.ui.forget(control)
                # In Flet 1.0.0 it is on the page until it has been told that it leaves.
                self._is_leaving = self._is_leaving or bool(adapter.changes(control))
            self.ui = None
        self._each(lambda binding: binding.pause())

    def before_event(self, event: Any) -> Any:
        """An event of the control, before its handler."""
        verdict = self._inherited("before_event", event)
        if verdict is None or verdict:
            try:
                with here():  # one event may change several properties: nobody sees the one without the other
                    for listener in list(self.listeners):
                        listener(event)
            except LoopError as error:
                for binding in self.bindings[:1]:
                    binding.report(error)
        return verdict

    def _inherited(self, name: str, *args: Any) -> Any:
        own = self._own.get(name)
        if own is not None:
            return own(*args)
        control = self._control()
        return getattr(type(control), name)(control, *args) if control is not None else None


def mount_of(control: ft.BaseControl) -> Mount:
    """The mount of a control; made at the first use."""
    mount = control.__dict__.get(_SLOT)
    if not isinstance(mount, Mount):
        mount = control.__dict__[_SLOT] = Mount(control)
    return mount
