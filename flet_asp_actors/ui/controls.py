"""What is known of Flet's controls: by which event a person changes which property, and what Flet refuses.

Flet calls the same thing by the same name in every control, so that nearly all of it
follows from names; what does not is said here, control by control.
"""

from __future__ import annotations

import datetime
import enum
import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any, cast

import flet as ft
from flet.controls.base_control import Prop
from flet.utils.validation import validate

from . import page as adapter

__all__ = (
    "as_held",
    "carries_value",
    "complaint",
    "entered",
    "error_property",
    "event_of",
    "fits",
    "put",
    "teller_of",
)

_EVENTS: dict[str, tuple[str, ...]] = {
    "value": ("change", "select"),
    "start_value": ("change",),
    "end_value": ("change",),
    "selected_index": ("change",),
    "selected": ("change", "select", "select_change"),
    "expanded": ("change",),
    "open": ("dismiss",),
    "checked": ("click",),
}
"""The properties that a person changes, each with the events that may say so; the first that a control has.
Any other property is changed by an event of its name, if there is one: `text` by `text_change`."""

_NOT_ENTERED = {"size", "media", "route", "platform_brightness"}
"""What changes by an event of its name, but not because a person has entered it."""

_CARRIED = {("selected", "select_change"), ("checked", "click")}
"""Where the client leaves the property as it is, and only the event says what the person wants."""

_TOLD_BY_PARENT: dict[tuple[type[ft.BaseControl], str], str] = {(ft.ExpansionPanel, "expanded"): "change"}
"""Where it is an event of the control around it that says so."""

_DAYS = (ft.DatePicker, ft.DateRangePicker)
"""The controls whose values are days, though they give them as points in time."""


# ------------------------------------------------------------------ events


def event_of(control: ft.BaseControl, prop: str) -> str | None:
    """The event that says that a person has changed a property; None if there is none."""
    told = teller_of(control, prop)
    return told if told is not None else _event(_kind(control), prop)


def teller_of(control: ft.BaseControl, prop: str) -> str | None:
    """The event of the control's parent that says so, where it has none of its own."""
    return next((e for (kind, name), e in _TOLD_BY_PARENT.items() if name == prop and isinstance(control, kind)), None)


def carries_value(prop: str, event: str) -> bool:
    """Whether the new value is in the event, and not in the property."""
    return (prop, event) in _CARRIED


def entered(kind: Any) -> dict[str, str]:
    """The properties of a kind of control that a person changes, each with the event that says so."""
    found = {name: _event(kind, name) for name in _names(kind)}
    found |= {name: event for (told, name), event in _TOLD_BY_PARENT.items() if issubclass(kind, told)}
    return {name: event for name, event in found.items() if event is not None}


@functools.cache
def _event(kind: Any, prop: str) -> str | None:
    known = _names(kind)
    events = (*_EVENTS.get(prop, ()), f"{prop}_change") if prop in known and prop not in _NOT_ENTERED else ()
    return next((event for event in events if f"on_{event}" in known), None)


@functools.cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def error_property(control: ft.BaseControl) -> str | None:
    """The property in which a control shows the text of an error."""
    return _error_property(_kind(control))


@functools.cache
def _error_property(kind: Any) -> str | None:
    return next((name for name in ("error", "error_text") if str in _types(kind).get(name, ())), None)


def _kind(control: ft.BaseControl) -> Any:
    return type(control)


# ------------------------------------------------------------------ types


def fits(control: ft.BaseControl, prop: str, value: Any) -> bool:
    """Whether a value is of the type that Flet declares for a property. A client may send anything."""
    declared = _types(_kind(control)).get(prop, ())
    return not declared or any(_is_a(value, option) for option in declared)


@functools.cache
def _types(kind: Any) -> dict[str, tuple[Any, ...]]:
    """The types that each property may have; none where it cannot be told."""
    return {field.name: _options(field.type) for field in fields(kind)}


def _options(hint: Any) -> tuple[Any, ...]:
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _options(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        return tuple(option for each in typing.get_args(hint) for option in _options(each))
    return () if isinstance(hint, (str, typing.TypeVar)) or hint is Any else (hint,)


def _is_a(value: Any, option: Any) -> bool:
    if typing.get_origin(option) is list:
        parts = _options(typing.get_args(option)[0])
        return isinstance(value, list) and all(
            not parts or any(_is_a(each, part) for part in parts) for each in cast("Iterable[Any]", value)
        )
    if not isinstance(option, type):
        return True  # a forward reference, say
    if isinstance(value, bool) or option is bool:
        return isinstance(value, bool) and option is bool
    return isinstance(value, (int, float) if option is float else option)


def as_held(control: ft.BaseControl, entered: Any, held: Any) -> Any:
    """Make of what a control says the kind of value that its key holds.

    Numbers become whole, or not; text becomes a member of the enum; a list becomes a list of
    its own, a tuple or a set; a point in time becomes a day, or the local time.

    Raises:
        ValueError: When it cannot be made.
    """
    if isinstance(entered, list):
        items = cast("Iterable[Any]", entered)
        kinds: tuple[Any, ...] = (tuple, frozenset, set)
        return next((each for each in kinds if isinstance(held, each)), list)(items)
    if isinstance(held, enum.Enum) and entered is not None:
        return type(held)(entered.value if isinstance(entered, enum.Enum) else entered)
    if isinstance(entered, ft.Duration) and type(held) in (int, float):
        entered = entered.in_microseconds / 1_000_000
    if type(held) is int and isinstance(entered, float):
        return round(entered)
    if type(held) is float and type(entered) is int:
        return float(entered)
    if isinstance(entered, datetime.datetime):
        if type(held) is datetime.date or (held is None and isinstance(control, _DAYS)):
            return _day(entered)
        if isinstance(held, datetime.datetime) and held.tzinfo is None and entered.tzinfo is not None:
            return entered.astimezone().replace(tzinfo=None)
    return entered


def _day(at: datetime.datetime) -> datetime.date:
    """The day that a person has chosen: the client sends the midnight of its own time zone."""
    if at.tzinfo is None:
        return at.date()
    local = at.astimezone()
    if local.time() == datetime.time():
        return local.date()
    # A client elsewhere: its midnight is at most half a day from that of UTC, nearly everywhere.
    return (at.astimezone(datetime.timezone.utc) + datetime.timedelta(hours=12)).date()


# ------------------------------------------------------------------ what Flet refuses


def put(control: ft.BaseControl, prop: str, value: Any) -> str | None:
    """Set a property, unless Flet would refuse the value when it is sent, and with it the whole patch.

    Returns:
        Why it would be refused, the property being what it was; None when it is set.
    """
    old = getattr(control, prop)
    _set(control, prop, old, value)
    why = complaint(control)
    if why is None:
        return None
    _set(control, prop, value, old)
    if complaint(control) is None:
        return why
    _set(control, prop, old, value)  # this value is not to blame
    return None


def complaint(control: ft.BaseControl) -> str | None:
    """What Flet would raise now if the control were sent; None if nothing."""
    try:
        before_update = _before_update(_kind(control))
        if before_update is not None:
            before_update(control)
        validate(control)
    except Warning:
        return None  # warnings are errors here, and this is none
    except Exception as error:
        return str(error) or type(error).__name__
    return None


class _NeverEqual:
    """Equal to nothing, so that the assignment after it is always a change."""

    __hash__ = None  # type: ignore[assignment]  # it is never a key

    def __eq__(self, other: object) -> bool:
        return False


_NEVER_EQUAL = _NeverEqual()


def _set(control: ft.BaseControl, prop: str, old: Any, value: Any) -> None:
    if old is not value and (type(old) is not type(value) or isinstance(value, ft.BaseControl)):
        # Flet compares with ==: it would take True for 1, and one control for another like it.
        setattr(control, prop, _NEVER_EQUAL)
    setattr(control, prop, value)
    is_plain = not isinstance(value, (list, dict)) and not is_dataclass(value)
    if is_plain and prop in _untracked(_kind(control)) and adapter.page_of(control) is not None:
        adapter.announce(control, prop)


@functools.cache
def _untracked(kind: Any) -> frozenset[str]:
    """The properties whose assignments Flet does not see."""
    return frozenset(
        field.name
        for field in fields(kind)
        if not field.name.startswith("_") and not isinstance(inspect.getattr_static(kind, field.name, None), Prop)
    )


@functools.cache
def _before_update(kind: Any) -> Callable[[ft.BaseControl], object] | None:
    """What Flet itself checks before a control is sent, besides its rules; nothing that a user has written."""
    own = next(each for each in kind.__mro__ if each.__module__.startswith("flet.controls."))
    found: Callable[[ft.BaseControl], object] = own.before_update
    return None if found is ft.BaseControl.before_update or issubclass(kind, ft.Service) else found
