"""Two-way bindings: a value that a control shows, and that the person at the control changes."""

from __future__ import annotations

import asyncio
import contextvars
import enum
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import anyio
import flet as ft

from ..atom import is_atom
from ..core.calls import FATAL, as_exception, at_once
from ..core.graph import Node
from ..core.values import same
from ..errors import BindingError, ReadOnlyError
from ..key import Readable, label
from ..owner import Job, Owner
from . import controls
from . import page as adapter
from .binding import Binding, check_target
from .ears import ears_of
from .mount import Mount, mount_of

__all__ = ("Editing", "TwoWayBinding")


@dataclass(frozen=True)
class Editing:
    """How what a person does at a control becomes a value."""

    error: Readable[str | None]
    """The key that holds why the last entry was refused, if it was."""
    store_of: Callable[[ft.Page], Owner]
    """The store of a page: it has the task of an `on_input` where the one of the binding lives on another loop."""
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

    __slots__ = ("_editing", "_event", "_is_carried", "_own_to", "_refused", "_sent", "_teller", "_timer", "_waiting")

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
        self._own_to = to
        self._event = ""
        self._is_carried = False
        self._teller: Mount | None = None  # of the control whose event it is
        self._refused: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: Any = None  # what the event said for which the timer runs
        self._sent: tuple[Any, Any, int] | None = None  # what the control last said, the value made of it, and when
        super().__init__(key, node, prop, owner, to, update)

    @property
    def error(self) -> Readable[str | None]:
        """Why what was entered last has been refused, or None: to read, watch and bind like any key."""
        return self._editing.error

    # ------------------------------------------------------------------ life

    def attach(self, control: ft.BaseControl) -> None:
        event = self._check(control)
        self.detach()  # while it knows what it listens to
        self._event = event
        self._is_carried = controls.carries_value(self.prop, event)
        if self._own_to is None and self._editing.parse is not None and adapter.is_text(control, self.prop):
            self._to = functools.partial(_as_text, getattr(type(control), self.prop, None))
        else:
            self._to = self._own_to
        super().attach(control)
        if not self._is_told_by_parent(control):
            try:
                self._hear(control)
            except BindingError:
                self.close()
                raise

    def detach(self) -> None:
        control = self.control
        if control is not None:
            self.flush()
            self._accept(control)
        super().detach()
        self._stop_hearing()

    def resume(self) -> None:
        self._sent = None
        control = self.control
        if control is not None and self._is_told_by_parent(control) and control.parent is not None:
            self._stop_hearing()
            self._hear(control.parent)
        super().resume()

    def pause(self) -> None:
        self.flush()
        if self._refused is not None:
            self._tell(None)  # what was refused is not what the control comes back with
        control = self.control
        if control is not None and self._is_told_by_parent(control):
            self._stop_hearing()  # it may come back somewhere else
        super().pause()

    def _is_told_by_parent(self, control: ft.BaseControl) -> bool:
        return self._editing.event is None and controls.teller_of(control, self.prop) is not None

    def _hear(self, control: ft.BaseControl) -> None:
        ears_of(control).listen(self._event)
        self._teller = mount_of(control)
        self._teller.listeners.append(self._on_event)

    def _stop_hearing(self) -> None:
        teller, self._teller = self._teller, None
        if teller is None:
            return
        teller.listeners[:] = [each for each in teller.listeners if each != self._on_event]
        control = teller.control
        if control is not None:
            ears_of(control).ignore(self._event)

    def _check(self, control: ft.BaseControl) -> str:
        check_target(control, self.prop)
        kind = type(control).__name__
        known = adapter.properties(control)
        event = (self._editing.event or controls.event_of(control, self.prop) or "").removeprefix("on_")
        events = ", ".join(sorted(name[3:] for name in known if name.startswith("on_"))) or "none"
        if not event:
            changed = controls.entered(type(control))
            hint = f"A person changes {', '.join(f'{kind}.{name}' for name in changed)}. " if changed else ""
            raise BindingError(
                f"{kind} has no event that says that a person has changed {self.prop!r}. {hint}"
                f"If another event says so, name it: event=; it has {events}. Otherwise bind it one way."
            )
        if f"on_{event}" not in known and controls.teller_of(control, self.prop) != event:
            raise BindingError(f"{kind} has no event {event!r} to bind both ways by. It has {events}.")
        value = self.node.current
        if (
            adapter.is_text(control, self.prop)
            and self._editing.parse is None
            and self._editing.on_input is None
            and not (value is None or isinstance(value, str))
            and not (isinstance(value, enum.Enum) and isinstance(value.value, str))
        ):
            raise BindingError(
                f"{label(self.key)} holds {value!r}, and {kind}.{self.prop} gives text. "
                f"Give parse=, a function that makes a value of the text, such as parse={type(value).__name__}."
            )
        return event

    # ------------------------------------------------------------------ from the control

    def _on_event(self, event: Any) -> None:
        if adapter.event_name(event) != self._event:
            self.flush()  # a submit or a blur: what was entered is to be there
            return
        control = self.control
        if control is None:
            return  # pragma: no cover - the control has been collected on the way
        said = event.data if self._is_carried else None
        if self._editing.debounce and self._editing.on_input is None:
            if self._timer is not None:
                self._timer.cancel()
            self._waiting = said
            self._timer = asyncio.get_running_loop().call_later(
                self._editing.debounce, self.flush, context=contextvars.copy_context()
            )
            return
        try:
            if self._editing.on_input is not None:
                page = adapter.page_of(control)  # it may leave that now
                result = self._editing.on_input(event)
                if inspect.isawaitable(result):
                    owner = self._owner
                    if page is not None and not owner.is_here:
                        owner = self._editing.store_of(page)
                    owner.spawn(_Input(self, result))
                return
            self._take(control, said)
        except BaseException as error:
            self.report(as_exception(error))

    def flush(self) -> None:
        timer, self._timer = self._timer, None
        said, self._waiting = self._waiting, None
        control = self.control
        if timer is None or control is None:
            return
        timer.cancel()
        try:
            self._take(control, said)
        except BaseException as error:
            self.report(as_exception(error))

    def _take(self, control: ft.BaseControl, said: Any) -> None:
        entered = said if self._is_carried else getattr(control, self.prop)
        if self._is_carried and entered is None:
            return  # the event was about something else
        if not controls.fits(control, self.prop, entered):
            self._sent = None
            self.notify()  # the value of the atom is on the control again
            raise BindingError(
                f"the client has sent {entered!r} for {self._describe(control)}, which is of another type; "
                f"{label(self.key)} keeps its value"
            )
        adapter.has_changed(control, self.prop, entered)
        if isinstance(entered, list):
            entered = list(cast("Iterable[Any]", entered))  # the control's own is replaced item by item
        parse = self._editing.parse
        try:
            value = (
                at_once(parse(entered), "parse=")
                if parse is not None
                else controls.as_held(control, entered, self.node.current)
            )
        except ValueError as error:
            self._refuse(control, str(error) or "not valid")
            return
        self._accept(control)
        if self._is_carried:
            self.assign(control, entered)
        self._sent = (entered, value, self.node.edited)
        if self.node.set(value).is_done:  # type: ignore[attr-defined]  # an atom, see __init__
            self.notify()  # also if it was no change: parse may have made something else of the text

    # ------------------------------------------------------------------ to the control

    def was_reset(self) -> None:
        """Show the default, also where the person had entered something that was refused."""
        if self._is_active:  # pragma: no branch - who does not watch is not told
            self._sent = None
            self.notify()

    def show(self) -> None:
        """Show the latest value, unless it came from the control, which shows it already."""
        control = self.control
        if control is None:
            return  # pragma: no cover - the control has been collected on the way
        if self._sent is not None:
            entered, value, edited = self._sent
            if same(self._latest, value) and self.node.edited == edited:
                if not same(getattr(control, self.prop), entered):
                    return  # the person has typed on
                if (self._editing.parse is None and self._to is None) or _says(entered, value, self._to):
                    return
            self._sent = None
        self._accept(control)  # the text that was refused is replaced
        super().show()

    def assign(self, control: ft.BaseControl, value: Any) -> None:
        """Set the property; a list of the atom's stays the atom's own."""
        if isinstance(value, (list, tuple, set, frozenset)):
            value = list(cast("Iterable[Any]", value))
        super().assign(control, value)

    # ------------------------------------------------------------------ errors

    def _refuse(self, control: ft.BaseControl, why: str) -> None:
        self._refused = why
        prop = controls.error_property(control)
        if prop is not None:
            for other in self._bindings_of(prop):
                other.pause()  # a text of the user's own comes back after this one
            self._show_error(control, prop, why)
        self._tell(why)
        if prop is None and not self._is_error_watched():
            self.report(ValueError(why))

    def _accept(self, control: ft.BaseControl) -> None:
        if self._refused is None:
            return
        self._refused = None
        self._tell(None)
        prop = controls.error_property(control)
        if prop is not None:
            self._show_error(control, prop, None)
            for other in self._bindings_of(prop):
                other.resume()

    def _show_error(self, control: ft.BaseControl, prop: str, text: str | None) -> None:
        setattr(control, prop, text)
        if self._mount is not None:  # pragma: no branch - else it has ended in between
            self._mount.changed()

    def _bindings_of(self, prop: str) -> list[Binding]:
        return [other for other in self._mount.bindings if other.prop == prop] if self._mount is not None else []

    def _tell(self, why: str | None) -> None:
        if not self._owner.is_closed:
            self._owner.on_home(lambda: self._owner.writable(self._editing.error).set(why))

    def _is_error_watched(self) -> bool:
        return bool(self._owner.on_home(lambda: self._owner.find(self._editing.error)).dependents)


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


def _as_text(empty: Any, value: Any) -> Any:
    return empty if value is None else str(value)


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
        except (anyio.get_cancelled_exc_class(), *FATAL):
            raise
        except BaseException as error:
            self._binding.report(as_exception(error))

    def abandon(self) -> None:
        getattr(self._call, "close", lambda: None)()
