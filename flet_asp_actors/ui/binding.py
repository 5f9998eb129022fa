"""Bindings: a property of a control that follows a value."""

from __future__ import annotations

import difflib
import weakref
from collections.abc import Callable
from typing import Any

import flet as ft

from ..core.calls import FATAL, as_exception, at_once
from ..core.evaluate import read
from ..core.graph import Node
from ..core.turn import Watcher, here
from ..errors import BindingError, UnknownKeyError
from ..key import label
from ..owner import Owner
from . import controls
from . import page as adapter
from .mount import Mount, mount_of

__all__ = ("Binding", "check_target", "follow_ref")


class Binding(Watcher):
    """One property of one control (or of whatever control a Ref comes to hold) that follows a value.

    It is weak to the control: collected is gone. A control that has left the page is
    paused; the current value is assigned when it comes back. One that has not been on a page
    yet is assigned to, but keeps nothing running. `close()` ends it and leaves the property
    as it is.
    """

    __slots__ = (
        "__weakref__",
        "_control",
        "_is_active",
        "_latest",
        "_mount",
        "_owner",
        "_ref",
        "_refusal",
        "_to",
        "_unfollow",
        "_update",
        "asked",
        "key",
        "prop",
    )

    def __init__(
        self,
        key: object,
        node: Node,
        prop: str,
        owner: Owner,
        to: Callable[[Any], Any] | None = None,
        update: bool = True,
    ) -> None:
        super().__init__(node)
        self.key = key
        self.asked: Any = None
        """The key that the node was found by, if it was one: what that finds may be another node some day."""
        self.prop = prop
        self._owner = owner
        self._to = to
        self._update = update
        self._control: weakref.ref[ft.BaseControl] | None = None
        self._mount: Mount | None = None
        self._is_active = False
        self._latest: Any = None  # the last value that was read
        self._refusal: tuple[Any, str] | None = None  # a value that Flet does not take for now, and why
        self._ref: weakref.ref[ft.Ref[Any]] | None = None
        self._unfollow: Callable[[], None] | None = None

    @property
    def ref(self) -> ft.Ref[Any] | None:
        """The Ref that it was bound to, if it was one."""
        return self._ref() if self._ref is not None else None

    @property
    def control(self) -> ft.BaseControl | None:
        """The control, while there is one."""
        return self._control() if self._control is not None else None

    @property
    def is_open(self) -> bool:
        """Whether it has a control, or waits at a Ref for one."""
        return self.control is not None or self._unfollow is not None

    @property
    def source(self) -> Node:
        """What it was bound to."""
        return self.node

    # ------------------------------------------------------------------ life

    def follow(self, target: ft.BaseControl | ft.Ref[Any]) -> None:
        """Bind to a control, or to every control that a Ref comes to hold.

        Raises:
            BindingError: When the property cannot be bound. For a Ref that holds no control
                yet the error goes to `on_error`, once there is one.
        """
        if not isinstance(target, ft.Ref):
            self.attach(target)
            return
        held = target.current
        if held is not None:
            self.attach(held)
        self._ref = weakref.ref(target)
        self._unfollow = follow_ref(target, self.prop, self._on_ref, self.close)

    def _on_ref(self, control: ft.BaseControl) -> None:
        if control is self.control:
            return
        try:
            self.attach(control)
        except Exception as error:
            self.report(error)

    def attach(self, control: ft.BaseControl) -> None:
        """Begin to follow, on this control; the value is assigned at once."""
        self.detach()
        check_target(control, self.prop)
        mount = mount_of(control)
        for other in list(mount.bindings):
            if other.prop == self.prop:  # bound again: the later one counts
                other.close()
        mount.bindings.append(self)
        self._mount = mount
        self._control = weakref.ref(control, self._on_collected)
        self.resume()

    def detach(self) -> None:
        """Let go of the control."""
        self.pause()
        if self._mount is not None:
            self._mount.bindings.remove(self)
            self._mount = self._control = None

    def close(self) -> None:
        """End the binding. The property keeps its value. May be called twice."""
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None
        self.detach()

    def resume(self) -> None:
        """Follow again, and catch up: what is assigned here is in the control before it is sent."""
        if self._owner.on_home(self._start):
            self.show()

    def _start(self) -> bool:
        if not (self._is_active or self._find_again()):
            return False
        has_value = self._is_active or self._is_looked_at or self._read()  # known is then what it is made of
        if not self._is_active and (self._is_looked_at or (has_value and not _calls_for_attention(self.node, 0))):
            self._is_active = True
            self.start()
        self.seen = self.node.version
        return self._read()

    def _find_again(self) -> bool:
        """While nobody looked the key may have been given up: follow what it finds now, or wait until it does."""
        if self.asked is not None:
            try:
                self.node = self._owner.find(self.asked)
            except UnknownKeyError:
                self.node = self._owner.missing(self.asked)
                self._is_active = True
                self.start()
                return False
        return True

    @property
    def _is_looked_at(self) -> bool:
        return self._mount is not None and self._mount.is_looked_at

    def pause(self) -> None:
        """Stop following: what is not on the page does not keep selectors busy."""
        if self._is_active:
            self._is_active = False
            self._owner.on_home(self.stop)

    def flush(self) -> None:
        """Write what was entered at the control a moment ago, if that has not been done."""

    def _on_collected(self, _: object) -> None:
        # This is called from the collector, at any point of anything: do nothing here but ask.
        self._owner.later(self.close)

    # ------------------------------------------------------------------ the value

    def notify(self) -> None:
        """Take the value, on the store's thread, and show it on the page's."""
        if self.control is None:
            self.close()
        elif self._read():  # pragma: no branch - else it fails by now, and that is told
            mount = self._mount
            if (mount is None or not mount.is_looked_at) and _calls_for_attention(self.node, 1):
                self.pause()  # what it has come to be made of would be kept busy for nobody
            ui = mount.ui if mount is not None else None
            if ui is None or ui.is_here:
                self.show()
            else:
                ui.post(self)

    def _read(self) -> bool:
        try:
            self._latest = read(self.node)
        except FATAL:
            raise
        except BaseException as error:
            if self.node.error is None or self.know_failure():
                self.report(as_exception(error))
            return False
        return True

    def show(self) -> None:
        """Make of the latest value what the control shows, and assign it."""
        control = self.control
        if control is None:
            return  # pragma: no cover - the control has been collected on the way
        value = self._latest
        if self._to is not None:
            try:
                value = at_once(self._to(value), "to=")
            except BaseException as error:
                self.report(as_exception(error))
                return
        self.assign(control, value)

    def assign(self, control: ft.BaseControl, value: Any) -> None:
        """Set the property, unless Flet would refuse the value, and have it pushed."""
        if not adapter.can_be_sent(value):
            self.report(
                BindingError(
                    f"{label(self.key)} holds a {type(value).__name__}, which Flet cannot send to the client; "
                    f"{self._describe(control)} keeps its value. Bind a function that makes text of it: "
                    "lambda get: str(get(key)), or to=str in bind()."
                )
            )
            return
        try:
            why = controls.put(control, self.prop, value)
        except Exception as error:
            self.report(_frozen(type(control).__name__) if adapter.is_frozen(control) else error)
            return
        if why is None:
            self._was_put()
        else:
            # Another property that is about to change may make it right; if not, that is told.
            self._refusal = refusal = (value, why)
            self._owner.later(lambda: self._complain(refusal))

    def _was_put(self) -> None:
        self._refusal = None
        mount = self._mount
        if mount is None:
            return
        if self._update:
            mount.changed()
        for other in list(mount.bindings):
            if other._refusal is not None:
                other.show()

    def _complain(self, refusal: tuple[Any, str]) -> None:
        """Tell that Flet refuses a value, unless it has come to be right meanwhile."""
        control = self.control
        if control is None or self._refusal is not refusal:
            return
        value, why = refusal
        if controls.put(control, self.prop, value) is None:
            self._was_put()  # the control was changed by hand
            return
        self.report(
            BindingError(
                f"{label(self.key)} has {value!r} for {self._describe(control)}, which Flet refuses: {why}. "
                "The control keeps its value."
            )
        )

    def repeat(self) -> None:
        """Have what the property holds sent once more."""
        control = self.control
        if control is not None and self._mount is not None:  # pragma: no branch - else it has ended in between
            adapter.change_again(control, [self.prop])
            self._mount.changed()

    def report(self, error: BaseException) -> None:
        control = self.control
        where = self._describe(control) if control is not None else self.prop
        self._owner.report(error, self.key, f"binding of {where}")

    def _describe(self, control: ft.BaseControl) -> str:
        return f"{type(control).__name__}.{self.prop}"

    def __repr__(self) -> str:
        control = self.control
        where = self._describe(control) if control is not None else f"a control to come ({self.prop})"
        return f"<Binding of {where} to {self.key}>"


def _calls_for_attention(node: Node, observers: int) -> bool:
    """Whether observing a value has something run: a piece of work, a service, a timer.

    What has more observers than the caller accounts for is observed anyhow, with all that it is made of.
    """
    if not node.attention and not node.upstream:
        return False
    todo, seen = [node], {node}
    while todo:
        node = todo.pop()
        if node.attention:
            return True
        if node.dependents and len(node.dependents) > observers:
            continue
        fresh = [each for each in node.upstream if each not in seen]
        seen.update(fresh)
        todo += fresh
    return False


def _frozen(kind: str) -> BindingError:
    return BindingError(
        f"{kind} belongs to a component, which alone may change it; it cannot be bound. Read the state inside the "
        "component, with fa.use_value(key), or put the control beside the component and not in it: "
        "page.render(lambda: [App(), control])."
    )


def check_target(control: object, prop: str) -> None:
    """Refuse what cannot be bound, where the mistake is made.

    Raises:
        BindingError: For a property that the control does not have, or a control that a
            component owns.
    """
    if not isinstance(control, ft.BaseControl):
        raise BindingError(
            f"only a control can be bound, and {control!r} is none; bound(control, ...), bind(key, control)"
        )
    kind = type(control).__name__
    if prop.startswith("on_"):
        raise BindingError(f"{prop} is an event, not a value; give it to the control: {kind}(..., {prop}=handler)")
    # What is built in a turn is not the component's, also if it was the rendering that has begun the turn.
    if adapter.is_frozen(control) or (adapter.rendering_component() is not None and not here().draining):
        raise _frozen(kind)
    known = adapter.properties(control)
    if prop not in known and prop not in control.__dict__:
        close = difflib.get_close_matches(prop, known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"It has {', '.join(sorted(known))}."
        raise BindingError(f"{kind} has no property {prop!r}. {hint}")


# ------------------------------------------------------------------ refs


class _Follower:
    """One binding that waits at a Ref."""

    __slots__ = ("close", "prop", "tell")

    def __init__(self, prop: str, tell: Callable[[Any], object], close: Callable[[], object]) -> None:
        self.prop = prop
        self.tell = tell
        self.close = close


class _Followed(ft.Ref[Any]):
    """A Ref that tells when it gets a control. `follow_ref` turns an existing Ref into one."""

    followers: list[_Follower]

    @property
    def current(self) -> Any:
        return ft.Ref.current.fget(self)  # type: ignore[attr-defined]  # a property, whatever the stubs say

    @current.setter
    def current(self, value: Any) -> None:
        ft.Ref.current.fset(self, value)  # type: ignore[attr-defined]  # a property, whatever the stubs say
        if value is not None:
            for follower in list(self.followers):
                follower.tell(value)


def follow_ref(
    ref: ft.Ref[Any], prop: str, tell: Callable[[Any], object], close: Callable[[], object]
) -> Callable[[], None]:
    """Have `tell(control)` called for each control that the Ref comes to hold.

    The control calls it while it is being built, so the value is in the first patch. One
    follower for each property: a later one closes the earlier.

    Returns:
        A function that ends it.
    """
    followers: list[_Follower] | None = ref.__dict__.get("followers")
    if followers is None:
        followers = ref.__dict__["followers"] = []
        kind = type(ref)
        ref.__class__ = _Followed if kind is ft.Ref else type(kind.__name__, (_Followed, kind), {})
    for other in list(followers):
        if other.prop == prop:
            other.close()
    follower = _Follower(prop, tell, close)
    followers.append(follower)

    def end() -> None:
        followers.remove(follower)

    return end
