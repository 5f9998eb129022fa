"""Hooks: values, statuses and actions inside `@ft.component` functions.

There are two objects for each value that a component uses. The component holds a `_Slot`: an
`ft.Observable`, which is how Flet lets others ask for a rendering. The store and the page hold
a `Use`, which is weak to the slot: a component that left the page or was collected takes what
it watched with it, without any cleanup that Flet would have to run.

The tick is the UI actor's: it asks for each stale component once, parents first. Rendering
and pushing a component are Flet's.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar, cast, overload

import flet as ft

from ..action import Action
from ..async_key import is_async
from ..async_selector import AsyncSelector
from ..async_value import AsyncValue
from ..atom import is_atom
from ..bound import BoundAction
from ..core.evaluate import watch_rendering
from ..core.graph import NEVER, Node
from ..core.turn import Watcher, here
from ..core.values import is_a
from ..errors import ReadOnlyError
from ..key import Name, Readable, Writable, label
from ..owner import Owner
from ..reading import Async, Get
from ..receipt import Receipt
from ..selector import Selector, make_selector, name_of
from ..state import StateManager, get_state_manager
from ..status import ActionStatus
from . import page as adapter
from .frame import UIActor, ui_actor

__all__ = ("use_action", "use_atom", "use_status", "use_value")

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")


# ------------------------------------------------------------------ the hooks


@overload
def use_value(key: Readable[T], /) -> T: ...
@overload
def use_value(key: Callable[[Get], T], /) -> T: ...
@overload
def use_value(key: Name, /) -> Any: ...
def use_value(key: Any, /) -> Any:
    """Give a value to the component that is being rendered, and render it anew when the value changes.

    The component is rendered at most once a frame, however many of the values that it uses
    have changed and however often. Another key at the next rendering is another value: `KEY[id]`
    follows the id. A function of `get` may be written in place; it is called at each rendering,
    and in between when something that it has read changes, which renders the component only if
    the result is another one.

    The value is that of the store of the page which renders; a handle of another store gives
    the value there. The watching ends when the component leaves the page, and with the session.
    While a selector fails the component keeps the value that it had; the error goes to
    `on_error`.

    Raises:
        RuntimeError: Outside the rendering of a component.
        UnknownKeyError: For a name that was never declared.
        TypeError: For an async function; make it an `fa.selector`.
        Exception: What the selector raises, if the component has had no value of this key yet.
    """
    rendering = _Rendering("use_value", "Elsewhere read with state.get(key).")
    return rendering.slot().read(rendering, key)


@overload
def use_atom(key: Writable[T], /) -> tuple[T, Callable[[T], Receipt]]: ...
@overload
def use_atom(key: Name, /) -> tuple[Any, Callable[[Any], Receipt]]: ...
def use_atom(key: Any, /) -> tuple[Any, Callable[[Any], Receipt]]:
    """Give the value of an atom, as `use_value` does, and a function that sets it.

    The function is the same at each rendering and does what `state.set(key, value)` does. It is
    for handlers; called while a component is rendered it raises `PurityError`.

    Raises:
        ReadOnlyError: For a selector or a status; those are for `use_value`.
        RuntimeError: As for `use_value`.
        UnknownKeyError: For a name that was never declared.
    """
    rendering = _Rendering("use_atom", "Elsewhere use state.get(key) and state.set(key, value).")
    slot = rendering.slot()
    value = slot.read(rendering, key)
    if not is_atom(slot.node):
        raise ReadOnlyError(f"{label(slot.node.key)} is no atom and cannot be set. Read it with fa.use_value(...).")
    return value, slot.setter(rendering.state, key)


@overload
def use_status(key: Async[T, Any], /) -> AsyncValue[T]: ...
@overload
def use_status(key: Action[..., R] | BoundAction[..., R], /) -> ActionStatus[R]: ...
@overload
def use_status(key: Name, /) -> AsyncValue[Any]: ...
def use_status(key: Any, /) -> Any:
    """Give the status of an async selector or of an action, and render the component anew when it changes.

    For the status of an action for one argument use `use_value(go.status_for(argument))`.

    Raises:
        TypeError: For something that has no status.
        RuntimeError: As for `use_value`.
        UnknownKeyError: For a name that was never declared.
    """
    rendering = _Rendering("use_status", "Elsewhere read with state.get(key.status).")
    if isinstance(key, (Action, BoundAction)):
        return rendering.slot().read(rendering, cast("Any", key).status)
    node = rendering.state.find(key)
    if not isinstance(node, AsyncSelector):
        raise TypeError(f"{label(key)} has no status: use_status is for async selectors and actions")
    return rendering.slot().read(rendering, cast("Any", node).status)


def use_action(action: Action[P, R] | BoundAction[P, R], /) -> BoundAction[P, R]:
    """Give an action, bound to the store of the page: to start, to cancel, to give to a button as it is.

    It is the same object at each rendering. Using it renders nothing; `use_status` does.

    Raises:
        TypeError: For something that is no action. An action has to be made once, outside the
            component; one made at each rendering would be another each time.
        RuntimeError: Outside the rendering of a component.
    """
    rendering = _Rendering("use_action", "Elsewhere use state.action(action).")
    if isinstance(action, BoundAction):
        return action
    if not isinstance(cast("object", action), Action):
        raise TypeError(
            f"use_action takes an action, and {action!r} is none. Make one outside the component, with @fa.action."
        )
    return rendering.state.action(action)


# ------------------------------------------------------------------ within a rendering


class _Rendering:
    """What a hook knows of the rendering that calls it."""

    def __init__(self, hook: str, elsewhere: str) -> None:
        component = adapter.rendering_component()
        if component is None:
            raise RuntimeError(
                f"fa.{hook}() is a hook: call it in the body of a function with @ft.component, while that is "
                f"rendered. {elsewhere}"
            )
        self.component = component
        page = adapter.current_page()
        if page is None:
            raise RuntimeError(f"fa.{hook}() needs the page that renders, and there is none in this context")
        self.page = page
        self.state = get_state_manager(page)
        _refuse_writes()

    def slot(self) -> _Slot:
        """The place of the hook in the component, the same at each rendering."""
        slot = _use_state(_Slot)[0]
        if not isinstance(slot, _Slot):
            raise RuntimeError(  # noqa: TRY004  # it is the order that is wrong
                f"the hooks of component {_name(self.component)} are not called in the same order at each rendering. "
                "Call them at the top of it, outside of if, for and try."
            )
        return slot


_use_state: Callable[[Callable[[], object]], tuple[object, object]] = cast("Any", ft).use_state  # not fully typed


def _refuse_writes() -> None:
    """Have writes refused while the component is rendered, which is over at the loop's next step."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # pragma: no cover - a thread that updates the page
        return  # nobody would say when it is over
    over = watch_rendering(_now_rendering)
    if over is not None:
        loop.call_soon(over)


def _now_rendering() -> str | None:
    if here().draining:
        return None  # a listener that hears of what the rendering has begun to watch
    component = adapter.rendering_component()
    return f"component {_name(component)}" if component is not None else None


def _name(component: ft.Component) -> str:
    return name_of(component.fn)


class _Slot(ft.Observable):
    """What a component holds for one of its hooks."""

    def __init__(self) -> None:
        self._use: Use | None = None
        self._source: Any = None
        self._has_value = False
        self._value: Any = None
        self._setter: tuple[Any, Callable[[Any], Receipt]] | None = None

    @property
    def node(self) -> Node:
        """What the component follows."""
        assert self._use is not None
        return self._use.node

    def read(self, rendering: _Rendering, source: Any) -> Any:
        """Follow the source, and give its value; while it fails, the value that it had."""
        use = self._follow(rendering, source)
        try:
            value = use.read(rendering.component)
        except Exception:
            if not self._has_value:
                raise
            return self._value
        self._value, self._has_value = value, True
        return value

    def setter(self, state: StateManager, key: Any) -> Callable[[Any], Receipt]:
        """The function that sets the atom; the same one for the same atom."""
        if self._setter is None or self._setter[0] is not self.node:
            self._setter = self.node, lambda value: state.set(key, value)
        return self._setter[1]

    def _follow(self, rendering: _Rendering, source: Any) -> Use:
        old = self._use
        is_function = callable(source) and not is_a(source, Readable)
        if is_function:
            if old is not None and source is self._source:
                return old
            node: Node = _select(source, rendering.state)
        else:
            node = rendering.state.find(source)
            if old is not None and node is old.node:
                return old
        use = Use(node, self, rendering.state, _stage_of(rendering.page), is_function)
        use.begin()
        if old is not None:
            old.close()  # after the new one has begun: what both watch is not left in between
        if not (is_function and callable(self._source)):
            self._has_value, self._value = False, None  # the value of another key
        self._use, self._source = use, source if is_function else None
        return use


def _select(function: Callable[[Get], Any], state: StateManager) -> Node:
    """A selector of the component's own, that no registry knows."""
    if is_async(function):
        raise TypeError(
            f"use_value({name_of(function)}): an async function would begin anew at each rendering. "
            "Make a selector of it outside the component, with @fa.selector, and use that."
        )
    key = cast("Any", make_selector(function, name_of(function), {}))
    return Selector(key, function, state)


# ------------------------------------------------------------------ between renderings


class Use(Watcher):
    """A component's watching of one value."""

    __slots__ = ("__weakref__", "_component", "_is_active", "_is_own", "_owner", "_shown", "_slot", "_stage")

    def __init__(self, node: Node, slot: _Slot, state: StateManager, stage: Stage, is_own: bool) -> None:
        super().__init__(node)
        self._is_own = is_own  # a function of the component, whose selector nobody else knows
        self._owner: Owner = getattr(node, "owner", state)
        self._slot = weakref.ref(slot, self._on_collected)
        self._component: weakref.ref[ft.Component] | None = None
        self._stage = stage
        self._shown = -1  # the version that the component has been rendered with
        self._is_active = False

    def begin(self) -> None:
        """Watch, as long as the page is looked at."""
        self._owner.settle_home()
        self._start()
        self._stage.ui.join(self)

    def close(self) -> None:
        """End the watching. May be called twice."""
        self._stage.drop(self)
        self.rest()
        if self._is_own:
            node = cast("Selector[Any]", self.node)
            node.scope.clean_up(node)

    def read(self, component: ft.Component) -> Any:
        """The value, for a component that is being rendered."""
        self._component = weakref.ref(component)
        try:
            value = cast("Any", self.node).value
        except Exception:
            self.miss()
            raise
        self._shown = self.node.version
        return value

    def miss(self) -> None:
        """It fails before the component has shown what it was told of: when that comes back, it is told again."""
        good = self.node.good
        if good is not None and good > self._shown:
            self.seen = NEVER
            if self.is_stale:  # pragma: no cover - it has come back just now, on another thread
                self._stage.mark(self)

    @property
    def is_stale(self) -> bool:
        """Whether the component has been rendered with another value."""
        return self._is_active and self.node.error is None and self.node.version != self._shown

    @property
    def component(self) -> ft.Component | None:
        """The component, as it was last rendered."""
        return self._component() if self._component is not None else None

    def ask(self) -> None:
        """Ask Flet to render the component."""
        slot = self._slot()
        if slot is not None:
            cast("Any", slot).notify()  # Flet's has no types

    # What the turn, the page and the collector call.

    def notify(self) -> None:
        self._stage.mark(self)

    def report(self, error: BaseException) -> None:
        component = self.component
        where = f"component {_name(component)}" if component is not None else "a component"
        self._owner.report(error, self.node.key, where)

    def rest(self) -> None:
        """Do not watch for now: nobody looks."""
        if self._is_active:
            self._is_active = False
            self._owner.on_home(self.stop)

    def resume(self) -> None:
        """Watch again, and have the component rendered if it has missed something."""
        self._start()
        if self.is_stale:
            self._stage.mark(self)

    def leave(self) -> None:
        """The session has ended."""
        self.close()

    def show(self) -> None:
        """On the page's loop, for a change on another one."""
        self._stage.mark(self)

    def _start(self) -> None:
        if not self._is_active:  # pragma: no branch - else it has begun again in between
            self._is_active = True
            self._owner.on_home(self.start)

    def _on_collected(self, _: object) -> None:
        # This is called from the collector, at any point of anything: do nothing here but ask.
        self._owner.later(self.close)


class Stage:
    """The components of a page that are to be rendered anew."""

    def __init__(self, ui: UIActor) -> None:
        self.ui = ui
        self._stale: dict[Use, None] = {}
        self._asked: weakref.WeakSet[ft.Component] = weakref.WeakSet()  # in this frame

    @property
    def is_stale(self) -> bool:
        """Whether there is something to be rendered."""
        return bool(self._stale)

    def mark(self, use: Use) -> None:
        """Have a component rendered in the next frame, if it still shows another value then; from any thread."""
        if self.ui.is_here:
            self._stale[use] = None
            self.ui.ask()
        else:
            self.ui.post(use)

    def drop(self, use: Use) -> None:
        """A component watches something no more."""
        self._stale.pop(use, None)
        self.ui.part(use)

    def show(self, page: ft.Page) -> bool:
        """Ask Flet to render what is stale, a component before those within it, which may be fresh then.

        What has been asked for is stale until it has been rendered: a client that was lost in
        between is asked for it again.

        Returns:
            Whether there are more, within those that were asked for now.
        """
        asked, self._stale = self._stale, {}
        for use in asked:
            if use.is_stale:
                self._stale[use] = None
            else:
                use.miss()
        stale = {cast("object", use.component) for use in self._stale}
        ready = [use for use in self._stale if not any(each in stale for each in self._around(use))]
        more = len(ready) < len(self._stale)
        if ready:
            # An error in a rendering may have ended it, and with it all later ones. Flet's has no types.
            cast("Any", page.session).start_updates_scheduler()
        for use in ready:
            component = use.component
            if component is not None:
                self._asked.add(component)
            use.ask()
        if not more:
            self._asked.clear()
        return more

    def _around(self, use: Use) -> Iterator[ft.BaseControl]:
        """What a component is within and was not asked for in this frame."""
        control: ft.BaseControl | None = use.component
        while control is not None:
            control = control.parent
            if isinstance(control, ft.Component) and control not in self._asked:
                yield control


def _stage_of(page: ft.Page) -> Stage:
    ui = ui_actor(page)
    if not isinstance(ui.stage, Stage):
        ui.stage = Stage(ui)
    return ui.stage
