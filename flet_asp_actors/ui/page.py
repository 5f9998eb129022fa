"""The page adapter: everything the library knows about how Flet behaves, in one place.

What is private to Flet and used all the same is used here only, each with its reason, and
a test fails loudly when Flet changes it: `_i` (a control's id; the public `Event.target`
has it only once there is an event), the snapshots `__prev_lists` and `__prev_classes` and the
set `__changes` (what the next difference counts from; Flet does not correct it by what the
client changes), `_frozen` (marks controls that a component owns; there
is no public question to ask), `_context_page` (`ft.context.page` can be read, not set),
`_values` (what a control has been given: the only quick way to the controls in it), `_dirty` and
`_prop_defaults` (which changes Flet would send, and how it tracks them: it forgets them when an update fails) and the
`__send_queue` of Flet's two servers (what has not left yet; nothing public tells).
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import enum
import functools
import operator
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from typing import Any, cast

import flet as ft
from flet.components.utils import current_component  # public there, though not a name of `ft`
from flet.controls.context import _context_page  # pyright: ignore[reportPrivateUsage]  # see above
from flet.messaging import session

from ..core.values import compare_by_identity

__all__ = (
    "announce",
    "backlog",
    "can_be_sent",
    "capture_context",
    "change_again",
    "changes",
    "children",
    "connected",
    "current_page",
    "event_name",
    "fresh_context",
    "has_changed",
    "has_new_parts",
    "is_away",
    "is_control",
    "is_frozen",
    "is_handling",
    "is_isolated",
    "is_local",
    "is_page",
    "is_mounted",
    "is_text",
    "loop_of",
    "page_of",
    "properties",
    "push",
    "push_context",
    "rendering_component",
    "skip_auto_update",
    "watch_session",
)


# ------------------------------------------------------------------ controls


# Controls are dataclasses: two that look alike are equal, and comparing them walks the whole tree.
compare_by_identity(ft.BaseControl)


def properties(control: ft.BaseControl) -> dict[str, bool]:
    """The properties of a control that can be bound, each with whether it holds text."""
    return _properties(cast("Any", type(control)))


@functools.cache
def _properties(kind: Any) -> dict[str, bool]:
    found = {
        field.name: field.type in (str, "str", "Optional[str]") or field.type == (str | None)
        for field in dataclasses.fields(kind)
        if not field.name.startswith("_")
    }
    for owner in cast("tuple[type[Any], ...]", kind.__mro__):
        for name, member in vars(owner).items():
            if isinstance(member, property) and member.fset is not None and not name.startswith("_"):
                found.setdefault(name, False)
    return found


def is_control(value: object) -> bool:
    """Whether a value is a control."""
    return isinstance(value, ft.BaseControl)


def is_page(value: object) -> bool:
    """Whether a value is a page."""
    return isinstance(value, ft.Page)


def is_text(control: ft.BaseControl, prop: str) -> bool:
    """Whether a property of a control holds text and nothing else."""
    return properties(control).get(prop, False)


def is_frozen(control: ft.BaseControl) -> bool:
    """Whether a control belongs to a component, which alone may change it."""
    return hasattr(control, "_frozen")


def is_isolated(control: ft.BaseControl) -> bool:
    """Whether an update of what a control is in leaves the control out."""
    is_isolated: Callable[[], bool] = control.is_isolated
    return is_isolated()


def page_of(control: ft.BaseControl) -> ft.Page | None:
    """The page that a control is on now, or None."""
    if isinstance(control, ft.Page):
        return control
    try:
        page = control.page
    except RuntimeError:
        return None
    # A control that was removed still has its parents; only the index tells.
    return page if is_mounted(page, control) else None


def is_mounted(page: ft.Page, control: ft.BaseControl) -> bool:
    """Whether the client of the page has this control."""
    try:
        return page.get_control(control._i) is control  # pyright: ignore[reportPrivateUsage]  # see above
    except RuntimeError:  # the session is gone for good
        return False


def children(control: ft.BaseControl) -> Iterator[ft.BaseControl]:
    """The controls directly in a control."""
    given = cast("dict[str, Any]", control._values)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]  # see above
    lists = [value for name, value in vars(control).items() if name != "data" and _is_list(value)]
    for value in (*given.values(), *lists):
        for each in cast("Iterable[Any]", value) if isinstance(value, list) else (value,):
            if isinstance(each, ft.BaseControl):
                yield each


def has_changed(control: ft.BaseControl, prop: str, value: Any) -> None:
    """The client has changed a property by itself: the next difference counts from there.

    Flet notes down only what it has sent. It would send the difference from that on top of
    what the client has: of `["b"]` and an appended "a" the client would make `["b", "b"]`.
    """
    kind = "__prev_lists" if isinstance(value, list) else "__prev_classes"
    snapshots: Any = getattr(control, kind, None)
    if snapshots is not None and (isinstance(value, list) or dataclasses.is_dataclass(value)):
        snapshots[prop] = list(cast("Iterable[Any]", value)) if isinstance(value, list) else value


def announce(control: ft.BaseControl, prop: str) -> None:
    """Have a property sent with the next difference.

    Flet sees no change of a plain value whose default is made by a factory, such as the time of a TimePicker.
    """
    control.__dict__.setdefault("__changes", set()).add(prop)


_SNAPSHOTS = ("__prev_lists", "__prev_dicts", "__prev_classes")


def changes(control: ft.BaseControl) -> list[str]:
    """The properties that the next update of a control sends, as far as they are its own."""
    found: list[str] = [*_dirty(control), *getattr(control, "__changes", ())]
    for kind in ("__prev_lists", "__prev_dicts"):
        snapshots: dict[str, Any] = getattr(control, kind, _NONE)
        found += (name for name, known in snapshots.items() if _differs(known, getattr(control, name)))
    return found


def _differs(known: Any, value: Any) -> bool:
    if _is_list(known) and _is_list(value):
        return len(known) != len(value) or any(map(operator.is_not, known, value))
    return bool(known != value)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def has_new_parts(control: ft.BaseControl) -> bool:
    """Whether the next update of a control may bring other controls, or take some away."""
    plain = (str, int, float, enum.Enum)
    return any(not isinstance(getattr(control, name), plain) for name in changes(control))


def change_again(control: ft.BaseControl, names: Iterable[str]) -> None:
    """Have properties sent whose update has failed: Flet notes a change as sent before it sends it.

    What has been sent all the same is sent twice, which makes no difference: lists and dicts are sent whole.
    """
    dirty, tracked = _dirty(control), cast("Any", type(control))._prop_defaults
    for name in names:
        if name in dirty:
            continue
        snapshots = [found for kind in _SNAPSHOTS if (found := getattr(control, kind, None)) and name in found]
        for snapshot in snapshots:
            snapshot[name] = None
        if name in tracked:
            dirty[name] = None
        elif not snapshots:
            announce(control, name)


def _dirty(control: ft.BaseControl) -> dict[str, None]:
    return cast("Any", control)._dirty  # type: ignore[no-any-return]  # see above


_NONE: dict[str, Any] = {}

_DEEPEST = 100
"""How deep a value may be nested: msgpack has a limit too, and a cyclic value none."""


def can_be_sent(value: Any, depth: int = 0) -> bool:
    """Whether Flet can serialise a value. If it cannot, it would take the whole patch down.

    Flet's own encoder cannot be asked: it notes down what it has encoded as being on the
    client's side, and then the next difference would never be sent.
    """
    if value is None or isinstance(value, (bool, float, bytes, ft.BaseControl)):
        return True
    if isinstance(value, enum.Enum):
        return can_be_sent(value.value, depth)
    if isinstance(value, str):
        return value.isascii() or _is_utf8(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    if depth > _DEEPEST:
        return False
    if isinstance(value, (list, tuple)):
        parts = cast("Iterable[Any]", value)
        return all(can_be_sent(each, depth + 1) for each in parts)
    if isinstance(value, dict):
        entries = cast("Iterable[Any]", value.items())
        return all(can_be_sent(name, depth + 1) and can_be_sent(each, depth + 1) for name, each in entries)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time, ft.Duration)):
        return True
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if cast("Any", value).__dataclass_params__.frozen:  # Flet notes in each of them where it belongs
            return False
        return all(can_be_sent(getattr(value, field.name), depth + 1) for field in dataclasses.fields(value))
    return False


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


# ------------------------------------------------------------------ contexts


def fresh_context() -> None:
    """Give the current context an update flag of its own.

    Otherwise a run that calls `page.update()` would, through the flag it has inherited,
    make Flet skip the automatic update after the handler that started it.
    """
    reset_auto_update: Callable[[], None] = ft.context.reset_auto_update
    reset_auto_update()


def skip_auto_update() -> None:
    """See to it that Flet makes no automatic update after the handler that runs in this context."""
    mark_update_called: Callable[[], None] = ft.context.mark_update_called
    mark_update_called()


def is_handling() -> bool:
    """Whether what runs just now is a handler that Flet has called, and no task beside it."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop: another thread
        return False
    return task is not None and getattr(task.get_coro(), "cr_code", None) is _HANDLING


_HANDLING = session.Session.dispatch_event.__code__


def capture_context() -> Context | None:
    """A copy of the current context if it belongs to a page."""
    return copy_context() if _context_page.get() is not None else None


def rendering_component() -> ft.Component | None:
    """The component whose function is running now, if any."""
    try:
        return current_component()
    except RuntimeError:
        return None


def current_page() -> ft.Page | None:
    """The page that the current context belongs to, if any."""
    page: ft.Page | None = _context_page.get()
    return page


def is_local(handler: object) -> bool:
    """Whether a handler is one page's own: a method of a control, or a function inside of another one."""
    owner = getattr(handler, "__self__", None)
    return isinstance(owner, ft.BaseControl) or "<locals>" in getattr(handler, "__qualname__", "")


def push_context(page: ft.Page) -> Context:
    """A context that knows the page and nothing else of whoever caused the push.

    In it `page.update` neither triggers nor suppresses the automatic update of a handler.
    """
    context = Context()
    context.run(_context_page.set, page)  # type: ignore[arg-type]  # Flet declares it with its default, None
    context.run(fresh_context)
    return context


# ------------------------------------------------------------------ the page


def connected(page: ft.Page) -> bool:
    """Whether there is a client to send to."""
    try:
        # None while disconnected, whatever its type says.
        connection = cast("object", page.session.connection)
    except RuntimeError:  # the session is gone for good
        return False
    # The connection of a client that has just gone has no queue any more; the session is told a step later.
    return connection is not None and _send_queue(connection) is not None


def is_away(page: ft.Page) -> bool:
    """Whether the client has gone and may come back. It is sent the whole page then; until then Flet sends nothing."""
    try:
        return cast("object", page.session.connection) is None
    except RuntimeError:  # the session is gone for good
        return False


def loop_of(page: ft.Page) -> asyncio.AbstractEventLoop | None:
    """The loop that serves the page, while there is a client."""
    return page.loop if connected(page) else None


def backlog(page: ft.Page) -> int:
    """How many messages to the client have not left yet, on the transports that have a queue for them."""
    queue = _send_queue(cast("object", page.session.connection))
    return queue.qsize() if isinstance(queue, asyncio.Queue) else 0


def _send_queue(connection: object) -> object:
    """What a connection keeps for its client; something else for one without such a queue."""
    return next((value for name, value in vars(connection).items() if name.endswith("__send_queue")), connection)


def push(page: ft.Page, controls: Iterable[ft.BaseControl]) -> None:
    """Send what has changed in these controls: the one call of `page.update` in the library."""
    page.update(*controls)  # type: ignore[arg-type]  # it takes any control, and is annotated with less


def event_name(event: Any) -> str | None:
    """The name of an event. What comes with a page's `on_media_change` is none, and has no name."""
    return getattr(event, "name", None)


def watch_session(page: ft.Page, on_event: Callable[[str], object]) -> None:
    """Have `on_event` called with "connect", "disconnect" and "close", whatever handlers the user sets.

    The page's `before_event` sees them on every transport, also without a handler.
    """
    weak = weakref.ref(page)
    previous = page.__dict__.get("before_event")  # somebody else's, set on the instance

    def before_event(event: Any) -> Any:
        name = event_name(event)
        if name in ("connect", "disconnect", "close"):
            on_event(name)
        here = weak()
        if previous is not None:
            return previous(event)
        return type(here).before_event(here, event) if here is not None else True

    page.before_event = before_event  # type: ignore[assignment]  # Flet calls what the instance has
