"""Two-way bindings: a value that a control shows, and that the person at the control changes."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import flet as ft

from ..atom import is_atom
from ..core.graph import Node
from ..core.values import same
from ..errors import BindingError, ReadOnlyError
from ..key import label
from ..owner import Job, Owner
from . import page as adapter
from .binding import Binding
from .mount import mount_of

__all__ = ("Editing", "TwoWayBinding")


@dataclass(frozen=True)
class Editing:
    """How what a person does at a control becomes a value."""

    parse: Callable[[Any], Any] | None = None
    event: str | None = None
    on_input: Callable[[Any], object] | None = None
    """Replaces the writing of the value; gets the event."""
    debounce: float = 0.0
    """Seconds without a further event before the value is written."""


class TwoWayBinding(Binding):
    """A binding that also writes what the person enters.

    It reads the control before the control's own handler runs, and survives handlers that
    are set later. What came from the control is not sent back to it, unless `parse` has
    made something else of it.
    """

    __slots__ = ("_editing", "_event", "_sent", "_shows_error", "_timer")

    def __init__(
        self,
        key: object,
        node: Node,
        prop: str,
        owner: Owner,
        editing: Editing,
        to: Callable[[Any], Any] | None = None,
        update: bool = True,
    ) -> None:
        if not is_atom(node):
            raise ReadOnlyError(
                f"{label(key)} is computed; only an atom can be bound both ways. Use a one-way binding."
            )
        self._editing = editing
        self._event = ""
        self._shows_error = False
        self._timer: asyncio.TimerHandle | None = None
        self._sent: tuple[Any, Any] | None = None  # what the control last said, and the value made of it
        super().__init__(key, node, prop, owner, to or (_as_text if editing.parse is not None else None), update)

    def attach(self, control: ft.BaseControl) -> None:
        self._event = self._check(control)
        super().attach(control)
        mount_of(control).listeners.append(self._on_event)
        handler = f"on_{self._event}"
        if getattr(control, handler) is None:
            # Without any handler the client does not send the event.
            setattr(control, handler, _listening)
            mount_of(control).changed()

    def detach(self) -> None:
        if self._mount is not None:
            self._mount.listeners[:] = [each for each in self._mount.listeners if each != self._on_event]
        super().detach()

    def _check(self, control: ft.BaseControl) -> str:
        kind = type(control).__name__
        known = adapter.properties(control)
        event = self._editing.event or next((e for e in ("change", "select") if f"on_{e}" in known), "change")
        event = event.removeprefix("on_")
        if f"on_{event}" not in known:
            events = ", ".join(sorted(name[3:] for name in known if name.startswith("on_")))
            raise BindingError(f"{kind} has no event {event!r} to bind both ways by. It has {events or 'none'}.")
        value = self.node.current
        if (
            adapter.is_text(control, self.prop)
            and self._editing.parse is None
            and self._editing.on_input is None
            and not (value is None or isinstance(value, str))
        ):
            raise BindingError(
                f"{label(self.key)} holds {value!r}, and {kind}.{self.prop} gives text. "
                f"Give parse=, a function that makes a value of the text, such as parse={type(value).__name__}."
            )
        return event

    def _on_event(self, event: Any) -> None:
        if event.name != self._event:
            self.flush()  # a submit or a blur: what was entered is to be there
            return
        control = self.control
        if control is None:
            return
        if self._editing.debounce and self._editing.on_input is None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(
                self._editing.debounce, self.flush, context=contextvars.copy_context()
            )
            return
        try:
            if self._editing.on_input is not None:
                result = self._editing.on_input(event)
                if inspect.isawaitable(result):
                    self._owner.spawn(_Input(self, result))
                return
            self._take(control, getattr(control, self.prop))
        except Exception as error:
            self.report(error)

    def pause(self) -> None:
        self.flush()
        super().pause()

    def flush(self) -> None:
        timer, self._timer = self._timer, None
        control = self.control
        if timer is None or control is None:
            return
        timer.cancel()
        try:
            self._take(control, getattr(control, self.prop))
        except Exception as error:
            self.report(error)

    def _take(self, control: ft.BaseControl, entered: Any) -> None:
        parse = self._editing.parse
        value = entered
        if parse is not None:
            try:
                value = parse(entered)
            except ValueError as error:
                self._show_error(control, str(error) or "not valid")
                return
            if self._shows_error:
                self._show_error(control, None)
        self._sent = (entered, value)
        if self.node.set(value).is_done:  # type: ignore[attr-defined]  # an atom, see __init__
            self.notify()  # also if it was no change: parse may have made something else of the text

    def resume(self) -> None:
        self._sent = None
        super().resume()

    def was_reset(self) -> None:
        """Show the default, also where the person had entered something that was refused."""
        if self._is_active:
            self._sent = None
            self.notify()

    def notify(self) -> None:
        control = self.control
        if self._sent is not None and control is not None:
            entered, value = self._sent
            if same(self.node.current, value):  # this came from the control itself
                if not same(getattr(control, self.prop), entered):
                    return  # the person has typed on
                if _says(entered, value, self._to):
                    return
            self._sent = None
        if self._shows_error and control is not None:
            self._show_error(control, None)  # the text that it was about is replaced
        super().notify()

    def _show_error(self, control: ft.BaseControl, text: str | None) -> None:
        known = adapter.properties(control)
        prop = next((name for name in ("error_text", "error") if name in known), None)
        if prop is None:
            if text is not None:
                self.report(ValueError(text))
            return
        self._shows_error = text is not None
        setattr(control, prop, text)
        if self._mount is not None:
            for other in self._mount.bindings:
                if text is None and other.prop == prop:  # its own text comes back
                    other.notify()
            self._mount.changed()


def _says(entered: Any, value: Any, to: Callable[[Any], Any] | None) -> bool:
    """Whether the control may go on showing what was entered: it says the value as it is.

    "1." says 1.0 as well as "1.0" does, and a person may be about to type "1.5"; so do spaces
    around a text that `parse` has stripped.
    """
    shown = to(value) if to is not None else value
    if same(shown, entered):
        return True
    if isinstance(shown, str) and isinstance(entered, str) and shown.strip() == entered.strip():
        return True  # a space at the end is one that the next word may follow
    if isinstance(entered, str) and not isinstance(value, str) and value is not None:
        try:
            return same(type(value)(entered), value)
        except Exception:
            # Its type does not read text; then only the same text says the same.
            return False
    return False


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def _listening() -> None:
    """Stands in for a handler, so that the client sends the event."""


class _Input(Job):
    """An async `on_input_change`."""

    __slots__ = ("_binding", "_call", "name")

    def __init__(self, binding: Binding, call: Awaitable[Any]) -> None:
        self._binding = binding
        self._call: Awaitable[Any] | None = call  # until it begins
        self.name = f"input of {binding.key}"

    async def run(self) -> None:
        call, self._call = self._call, None
        assert call is not None
        try:
            await call
        except Exception as error:
            self._binding.report(error)

    def abandon(self) -> None:
        getattr(self._call, "close", lambda: None)()
