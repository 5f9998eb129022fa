"""Events that bindings need: the client sends one only while the control has a handler for it."""

from __future__ import annotations

import weakref
from typing import Any, cast

import flet as ft

from ..errors import BindingError
from . import page as adapter
from .controls import complaint
from .mount import mount_of

__all__ = ("Ears", "ears_of")

_SLOT = "_flet_asp_actors_ears"


class Ears:
    """Keeps a handler in place for the events that bindings wait for, whatever the user sets and removes.

    The control holds it, it holds the control weakly. Before the control is sent it looks
    whether a handler is there, and puts in one that does nothing if there is none.
    """

    __slots__ = ("_control", "_needed", "_own")

    def __init__(self, control: ft.BaseControl) -> None:
        self._control = weakref.ref(control)
        self._needed: list[str] = []
        self._own = control.__dict__.get("before_update")  # somebody else's, set on the instance
        control.before_update = self.before_update  # type: ignore[method-assign]  # Flet calls what the instance has

    def listen(self, event: str) -> None:
        """Have an event sent, until as many calls of `ignore`.

        Raises:
            BindingError: When Flet does not allow a handler there, beside another one, say.
        """
        control = self._control()
        assert control is not None, "whoever binds it holds it"
        allowed = complaint(control) is None
        if self._put(control, event):
            why = complaint(control) if allowed else None
            if why is not None:
                setattr(control, f"on_{event}", None)
                raise BindingError(f"{type(control).__name__} cannot be bound both ways by {event!r}: {why}")
            mount_of(control).changed()
        self._needed.append(event)

    def ignore(self, event: str) -> None:
        """Undo one `listen`."""
        control = self._control()
        self._needed.remove(event)
        if control is not None and event not in self._needed and getattr(control, f"on_{event}") is _nothing:
            setattr(control, f"on_{event}", None)
            mount_of(control).changed()

    def before_update(self) -> None:
        """The control is about to be sent."""
        control = self._control()
        assert control is not None, "it calls this"
        for event in self._needed:
            self._put(control, event)
        if self._own is not None:
            self._own()
        else:
            cast("Any", type(control)).before_update(control)

    def _put(self, control: ft.BaseControl, event: str) -> bool:
        if getattr(control, f"on_{event}") is not None:
            return False
        setattr(control, f"on_{event}", _nothing)
        return True


def _nothing() -> None:
    """Stands in for a handler. What it changes is pushed by the frame: no automatic update is needed after it."""
    adapter.skip_auto_update()


def ears_of(control: ft.BaseControl) -> Ears:
    """The ears of a control; made at the first use."""
    ears = control.__dict__.get(_SLOT)
    if not isinstance(ears, Ears):
        ears = control.__dict__[_SLOT] = Ears(control)
    return ears
