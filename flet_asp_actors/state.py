"""The StateManager: the store, and its pages."""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Callable, Collection, Hashable, Mapping
from contextvars import Context
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, Union, overload

from .action import find_store_by
from .async_key import is_async
from .atom import is_atom
from .core.evaluate import now_computing
from .core.graph import Derived, Node
from .deprecation import deprecated
from .errors import BindingError, UnknownKeyError
from .handle import make_stores_by
from .key import Key, Name, Readable, Writable, label
from .owner import current_owner
from .reading import Get
from .row import Index, Items, Row
from .selector import make_selector, name_of, takes_one
from .system.store import Statistics, Store

if TYPE_CHECKING:
    import flet as ft

    from .ui.binding import Binding
    from .ui.frame import UIActor
    from .ui.session import OnDisconnect
    from .ui.two_way import TwoWayBinding

__all__ = ("StateManager", "TwoWay", "current", "get_state_manager", "two_way")

T = TypeVar("T")
C = TypeVar("C", bound="ft.BaseControl")
B = TypeVar("B", bound="Binding")


class TwoWay:
    """What `two_way` returns: for `state.bound(control, value=two_way(key))`."""

    __slots__ = ("debounce", "error", "event", "key", "parse", "to")

    error: Readable[str | None]
    """Why what was entered last has been refused, or None. It is read, watched and bound like any key.

    `disabled=lambda get: get(age.error) is not None` is a button that waits for the field. Each
    store has its own. It is None again when something is entered that is accepted, when the
    value is changed from elsewhere or reset, and when the control leaves the page. Of several
    controls bound by one `two_way` it is about the last one.
    """

    def __init__(
        self,
        key: Any,
        parse: Callable[[Any], Any] | None,
        to: Callable[[Any], Any] | None,
        event: str | None,
        debounce: float,
    ) -> None:
        given: Any = parse
        if given is not None and (not callable(given) or is_async(given)):
            raise TypeError(f"parse makes a value of what was entered, at once: a plain function, and not {parse!r}")
        if debounce < 0:
            raise ValueError(f"debounce is in seconds and cannot be negative, not {debounce!r}")
        self.key = key
        self.debounce = debounce
        self.parse = parse
        self.to = to
        self.event = event
        self.error = Key[Union[str, None]](f"error of {label(key)}", None)

    def __repr__(self) -> str:
        return f"two_way({label(self.key)})"


@overload
def two_way(
    key: Writable[T],
    /,
    *,
    parse: Callable[[Any], T],
    to: Callable[[T], Any] | None = None,
    event: str | None = None,
    debounce: float = 0.0,
) -> TwoWay: ...
@overload
def two_way(
    key: Writable[Any] | Name,
    /,
    *,
    event: str | None = None,
    debounce: float = 0.0,
) -> TwoWay: ...
@overload
def two_way(
    key: Name,
    /,
    *,
    parse: Callable[[Any], Any],
    to: Callable[[Any], Any] | None = None,
    event: str | None = None,
    debounce: float = 0.0,
) -> TwoWay: ...
def two_way(
    key: Any,
    /,
    *,
    parse: Callable[[Any], Any] | None = None,
    to: Callable[[Any], Any] | None = None,
    event: str | None = None,
    debounce: float = 0.0,
) -> TwoWay:
    """Say that a bound property works both ways: the control shows the value, and entering changes it.

    What the control says is written as the kind of value that the key holds: whole numbers
    stay whole, text becomes a member of an enum, a list is copied, a chosen day is a date.
    The rest is for `parse`. `docs/controls.md` has a table of the controls.

    Args:
        key: An atom's key.
        parse: Makes a value of what was entered. A `ValueError` leaves the atom and the text
            as they are; it shows on the control, and in `.error` of what this returns. Where the
            control has no place for it and nobody watches `.error`, it goes to `on_error`.
        to: Makes what the control shows of a value; `str` by default when there is a `parse` and
            the property is text.
        event: The event by which the control says that it was changed; by default the one that
            belongs to the property.
        debounce: Seconds without a further change before the value is written. Another event of
            the control, such as a submit or a blur, and its leaving the page write it at once.
    """
    return TwoWay(key, parse, to, event, debounce)


class StateManager(Store):
    """The store: finds actors by key, owns the tasks, and brings values to the screen.

    One per page comes from `get_state_manager(page)` and ends with the page's session.
    One of your own needs neither a page nor an event loop for what is synchronous;
    `async with fa.StateManager() as state:` gives it a task group and ends it.

    Args:
        page: A page to attach to.
        overrides: Values and functions in place of those that keys, selectors and actions
            were defined with: `{KEY: value, some_selector: value_or_function, some_action: handler}`.
    """

    def __init__(self, page: ft.Page | None = None, *, overrides: Mapping[Any, Any] | None = None) -> None:
        super().__init__(overrides=overrides)
        self._pages: weakref.WeakSet[ft.Page] = weakref.WeakSet()
        self._bindings: weakref.WeakSet[Binding] = weakref.WeakSet()
        self.ends_with_page = False
        if page is not None:
            self.attach(page)

    # ------------------------------------------------------------------ binding

    def bound(self, control: C, /, **props: Readable[Any] | Name | TwoWay | Callable[[Get], Any]) -> C:
        """Bind properties of a control and return the control.

        Each property follows a key, a function of `get`, or a `two_way(key)`. The values are
        assigned at once, so they are in the first thing that the client gets; later changes
        are on the screen at the next frame. The bindings end with the control.

        Raises:
            BindingError: For a property or an event that the control does not have, text
                bound both ways to something that is no text without a `parse`, or a control
                that belongs to a component.
            UnknownKeyError: For a name that was never declared.
        """
        from .ui.binding import check_target

        for prop, source in props.items():
            check_target(control, prop)
            self._check_source(source, type(control).__name__, prop)
        for prop, source in props.items():
            if isinstance(source, TwoWay):
                self._bind_both(source, control, prop, True, None)
            else:
                self._bind(source, control, prop, True, None)
        return control

    @overload
    def bind(
        self,
        key: Readable[T],
        target: ft.BaseControl | ft.Ref[Any],
        prop: str = "value",
        update: bool = True,
        *,
        to: Callable[[T], Any] | None = None,
    ) -> Binding: ...
    @overload
    def bind(
        self,
        key: Name | Callable[[Get], Any],
        target: ft.BaseControl | ft.Ref[Any],
        prop: str = "value",
        update: bool = True,
        *,
        to: Callable[[Any], Any] | None = None,
    ) -> Binding: ...
    @overload
    @deprecated("the control, or the Ref, is the second argument: bind(key, control)")
    def bind(
        self,
        key: Readable[Any] | Name | Callable[[Get], Any],
        *,
        control: ft.BaseControl | ft.Ref[Any],
        prop: str = "value",
        update: bool = True,
    ) -> Binding: ...
    def bind(
        self,
        key: Any,
        target: Any = None,
        prop: str = "value",
        update: bool = True,
        *,
        to: Callable[[Any], Any] | None = None,
        control: Any = None,
    ) -> Binding:
        """Have a property of a control follow a key or a function of `get`.

        Works in whatever order: before the control exists (a Ref), before it is on the page,
        in `did_mount`, after. Binding the same property again replaces the binding.

        Args:
            key: What to follow.
            target: The control, or a Ref that holds it or will.
            prop: The property.
            update: Whether a change is pushed; else it is only assigned.
            to: Makes what the control shows of a value. An error in it goes to `on_error`, and
                the control keeps what it shows.
            control: What flet-asp calls the target.

        Returns:
            The binding; closing it is not necessary, it ends with the control.

        Raises:
            BindingError: As for `bound`.
            UnknownKeyError: For a name that was never declared.
        """
        return self._bind(key, target if control is None else control, prop, update, to)

    @deprecated("bind takes a control as well as a Ref")
    def bind_dynamic(
        self,
        key: Readable[Any] | Name | Callable[[Get], Any],
        control: ft.BaseControl | ft.Ref[Any],
        prop: str = "value",
        update: bool = True,
    ) -> Binding:
        """The same as `bind`, which takes a control as well as a Ref."""
        return self._bind(key, control, prop, update, None)

    @overload
    def bind_two_way(
        self,
        key: Writable[Any] | Name,
        target: ft.BaseControl | ft.Ref[Any],
        prop: str = "value",
        update: bool = True,
        on_input_change: Callable[[Any], object] | None = None,
        *,
        to: Callable[[Any], Any] | None = None,
        parse: Callable[[Any], Any] | None = None,
        event: str | None = None,
        debounce: float = 0.0,
    ) -> TwoWayBinding: ...
    @overload
    @deprecated("the control, or the Ref, is the second argument: bind_two_way(key, control)")
    def bind_two_way(
        self,
        key: Writable[Any] | Name,
        *,
        control: ft.BaseControl | ft.Ref[Any],
        prop: str = "value",
        update: bool = True,
        on_input_change: Callable[[Any], object] | None = None,
    ) -> TwoWayBinding: ...
    def bind_two_way(
        self,
        key: Any,
        target: Any = None,
        prop: str = "value",
        update: bool = True,
        on_input_change: Callable[[Any], object] | None = None,
        *,
        to: Callable[[Any], Any] | None = None,
        parse: Callable[[Any], Any] | None = None,
        event: str | None = None,
        debounce: float = 0.0,
        control: Any = None,
    ) -> TwoWayBinding:
        """Have a property follow an atom, and the atom follow what is entered at the control.

        See `two_way` for `to`, `parse`, `event` and `debounce`, and `bind` for the rest. With
        `on_input_change` that is called with the event, and nothing is written for you. An async one
        goes on on the page's loop, in a task of this store, or of the page's own if this lives elsewhere.

        Returns:
            The binding; its `error` is the key that `two_way(...).error` is.

        Raises:
            ReadOnlyError: For a selector.
            BindingError: As for `bound`.
            UnknownKeyError: For a name that was never declared.
        """
        target = target if control is None else control
        return self._bind_both(TwoWay(key, parse, to, event, debounce), target, prop, update, on_input_change)

    @overload
    def bind_list(
        self,
        key: Readable[Collection[T] | None],
        container: ft.BaseControl | ft.Ref[Any],
        build: Callable[[Row[T]], ft.BaseControl],
        item_key: Callable[[T], Hashable] | None = None,
    ) -> Binding: ...
    @overload
    def bind_list(
        self,
        key: Callable[[Get], Collection[T] | None],
        container: ft.BaseControl | ft.Ref[Any],
        build: Callable[[Row[T]], ft.BaseControl],
        item_key: Callable[[T], Hashable] | None = None,
    ) -> Binding: ...
    @overload
    def bind_list(
        self,
        key: Name,
        container: ft.BaseControl | ft.Ref[Any],
        build: Callable[[Row[Any]], ft.BaseControl],
        item_key: Callable[[Any], Hashable] | None = None,
    ) -> Binding: ...
    def bind_list(
        self, key: Any, container: Any, build: Any, item_key: Callable[[Any], Hashable] | None = None
    ) -> Binding:
        """Have the children of a container follow a list: a control for each item, made once.

        `build(row)` makes the control of an item that is new. When the list changes, the
        controls move with their items, those of items that are gone go, and nothing else is
        built. What has become of an item is in `row`: bind to it, and only what shows the
        change is pushed. The controls are there at once, so they are in the first thing that
        the client gets; later changes are on the screen at the next frame.

        The list fills the container alone: `controls` or, where a control has none, `options`,
        `items`, `segments`, `destinations`, `tabs`, `rows`, `actions` or `spans`. What a build
        binds ends with its control, and what it listens to or has done (`listen`, `effect`)
        ends with the row. A build that raises costs its row, until the list changes next.

        Args:
            key: What to follow: a list, a tuple, another collection, or None for no items; a
                function of `get` that makes one may stand in for a key.
            container: The control, or a Ref that holds it or will.
            build: Makes the control of a row; a plain function. It is called in the context of
                this call, with `fa.current()` being this store.
            item_key: Makes of an item what it is known by. Without it that is the item itself, so
                that another value is another row; of items that are not hashable it is
                which object they are. Items of one key are told apart by their order.

        Returns:
            The binding. Closing it leaves the controls as they are; their rows follow no longer.

        Raises:
            BindingError: For a container without such a list or with children of its own, or for a
                value that is no collection. Later, and what a build raises, it goes to `on_error`.
            UnknownKeyError: For a name that was never declared.
        """
        from .ui.list_binding import ListBinding

        self._refuse_closed("bind")
        _check_functions(build, item_key)
        node: Node | None = None
        read: Callable[[Get], Any] = key
        if callable(key) and not isinstance(key, Readable):
            name: object = f"{name_of(key)} for a list"
            make_selector(key, str(name), {})  # says what is wrong with it
        else:
            found = node = self._source(key, "the children")
            name = _name_of(key, found)
            read = _reader(key)
            if is_atom(found):
                Index(found.current, item_key)
        items = Items(name, lambda get: Index(read(get), item_key), self)
        return self._begin(ListBinding(name, node, items, build, self, self.capture_context()), container)

    @deprecated("close the binding that bind returns: binding.close()")
    def unbind(self, key: Readable[Any] | Name, target: ft.BaseControl | ft.Ref[Any]) -> None:
        """End the bindings of a key to a control or a Ref; nothing happens if there are none."""
        node = self.find(key)
        for binding in list(self._bindings):
            if binding.source is node and (binding.control is target or binding.ref is target):
                binding.close()

    async def flushed(self) -> None:
        """Wait until what is dirty now on the pages of this store has been pushed."""
        for actor in self._actors():
            await actor.flushed()

    # ------------------------------------------------------------------ pages

    @property
    def page(self) -> ft.Page | None:
        """A page that the store is attached to. Assigning one attaches it, and None detaches all."""
        return next(iter(self._pages), None)

    @page.setter
    def page(self, page: ft.Page | None) -> None:
        if page is not None:
            self.attach(page)
            return
        for attached in list(self._pages):
            self.detach(attached)

    def attach(self, page: ft.Page) -> None:
        """Serve a page: errors of its frames are reported here. Attaching twice is allowed.

        Values are bound to controls of any page, attached or not. A store of your own
        outlives the pages that it serves.

        Raises:
            TypeError: For what is no page.
        """
        self._refuse_closed("be attached")
        from .ui.frame import ui_actor
        from .ui.page import is_page

        if not is_page(page):
            raise TypeError(f"a store is attached to a page, not to {page!r}; it needs none: fa.StateManager()")
        self.settle_home()
        if page in self._pages:
            return
        self._pages.add(page)
        ui_actor(page).serve(self)

    def detach(self, page: ft.Page) -> None:
        """Stop serving a page. Bindings to its controls go on until the controls are gone."""
        if page not in self._pages:
            return
        from .ui.frame import ui_actor

        self._pages.discard(page)
        ui_actor(page).drop(self)

    # ------------------------------------------------------------------ what the rings below need

    def origin(self) -> Callable[[], object] | None:
        """The page whose handler makes a run now, weakly."""
        if "flet" not in sys.modules:
            return None
        from .ui import page as adapter

        page = adapter.current_page()
        if page is None:
            return None
        if page in self._pages:
            from .ui.frame import ui_actor

            ui_actor(page).touched()  # a status is about to change, and what the run writes is pushed by itself
        return weakref.ref(page)

    def visitor(self, handler: object) -> Callable[[], object] | None:
        """The page of the caller, weakly, if a handler is of no use to anybody else and the store outlives it."""
        if self.ends_with_page or not self._pages:
            return None
        from .ui import page as adapter

        page = adapter.current_page()
        return weakref.ref(page) if page in self._pages and adapter.is_local(handler) else None

    def fresh_context(self) -> None:
        """Give a run an update flag of its own, so that it does not switch off its starter's automatic update."""
        if "flet" in sys.modules:
            from .ui import page as adapter

            adapter.fresh_context()

    def watchers_of(self, node: Node) -> list[Any]:
        """The subscriptions and bindings of this store to a node."""
        bindings = [each for each in list(self._bindings) if each.source is node and each.is_open]
        return [*super().watchers_of(node), *bindings]

    def capture_context(self) -> Context | None:
        """A copy of the current context if it belongs to a page: callbacks that a page sets up run in it."""
        if "flet" not in sys.modules:
            return None
        from .ui import page as adapter

        return adapter.capture_context()

    def statistics(self) -> Statistics:
        """Count what the store holds and does just now."""
        actors = self._actors()
        return replace(
            super().statistics(),
            frames=sum(actor.frames for actor in actors),
            pushed=sum(actor.pushed for actor in actors),
        )

    # ------------------------------------------------------------------ the machinery

    def _check_source(self, source: Any, kind: str, prop: str) -> None:
        """Say of a plain value that it is one, where a key belongs."""
        if isinstance(source, (Readable, TwoWay)) or callable(source):
            return
        try:
            known = self.has(source)
        except TypeError:
            known = False
        if not known:
            raise UnknownKeyError(
                f"{kind}.{prop}: {source!r} is not declared in this store. If it is a value, give it to the control: "
                f"{kind}({prop}={source!r}); bound() takes what the value is to follow: a key, or a function of get."
            )

    def _source(self, key: Any, prop: str) -> Node:
        from .ui.page import is_control

        if is_control(key):
            raise BindingError("bind(key, control): the key comes first, and this is a control")
        if callable(key) and not isinstance(key, Readable):
            known = make_selector(key, f"{name_of(key)} for {prop}", {})
            made: Node = self._make_selector(known, known)
            return made
        if isinstance(key, TwoWay):
            raise BindingError("two_way(...) is for bound(control, prop=two_way(key)); here use bind_two_way(key, ...)")
        node: Node = self.find(key)
        return node

    def _bind(self, key: Any, target: Any, prop: str, update: bool, to: Callable[[Any], Any] | None) -> Binding:
        from .ui.binding import Binding

        self._refuse_closed("bind")
        node = self._source(key, prop)
        return self._begin(Binding(_name_of(key, node), node, prop, self, to, update), target, key)

    def _bind_both(
        self, ways: TwoWay, target: Any, prop: str, update: bool, on_input: Callable[[Any], object] | None
    ) -> TwoWayBinding:
        from .ui.two_way import Editing, TwoWayBinding

        self._refuse_closed("bind")
        node = self.find(ways.key)
        editing = Editing(ways.error, get_state_manager, ways.parse, ways.event, on_input, ways.debounce)
        binding = TwoWayBinding(_name_of(ways.key, node), node, prop, self, editing, ways.to, update)
        return self._begin(binding, target, ways.key)

    def _begin(self, binding: B, target: Any, key: Any = None) -> B:
        self.settle_home()
        if isinstance(key, Readable) or not callable(key):  # else it is a function, and its node nobody else's
            binding.asked = key
        try:
            binding.follow(target)
        except BaseException:
            binding.close()  # nobody gets it
            raise
        self._bindings.add(binding)
        return binding

    def _actors(self) -> list[UIActor]:
        if not self._pages:
            return []
        from .ui.frame import ui_actor

        return [ui_actor(page) for page in self._pages]

    def on_session(self, page: ft.Page, event: str) -> None:
        """The session of a page was connected, disconnected or closed."""
        if event != "close" or page not in self._pages:
            return
        self.detach(page)
        if self.ends_with_page:
            self._begin_close()
        else:
            self.later(lambda: self.let_visitors_go(page))  # when its bindings have ended

    def leave_page(self, page: ft.Page, reason: str) -> None:
        """There is nobody at the page any more: cancel the runs that were started from it."""
        if self.ends_with_page:
            self.cancel_runs(reason)
        else:
            self.cancel_runs_of(page, reason)

    def _begin_close(self) -> None:
        if not self._is_closing:
            for binding in list(self._bindings):
                binding.flush()
        super()._begin_close()

    def _end(self) -> None:
        super()._end()
        for binding in list(self._bindings):
            binding.close()


def _check_functions(build: Any, item_key: Any) -> None:
    for name, function, takes in (("build", build, "the row"), ("item_key", item_key, "an item")):
        if function is None and name == "item_key":
            continue
        if not callable(function) or is_async(function) or not takes_one(function):
            raise BindingError(f"{name} is a plain function of {takes}, and not {function!r}: lambda row: ft.Text(...)")


def _reader(key: Any) -> Callable[[Get], Any]:
    return lambda get: get(key)


def _name_of(key: Any, node: Node) -> object:
    return node.key if isinstance(node, Derived) or not isinstance(key, (str, int)) else key


def get_state_manager(
    page: ft.Page,
    max_fps: float | None = None,
    auto_update: bool | None = None,
    on_disconnect: OnDisconnect | None = None,
    grace: float | None = None,
) -> StateManager:
    """Return the store of a page; there is one, also as `page.state`.

    It is made at the first call, and ends with the page's session: runs are cancelled,
    bindings and listeners close, tasks end. The settings are the page's; what is not given
    stays as it is.

    Args:
        page: The page.
        max_fps: How many frames a second its changes may cause at most; 60 at first.
        auto_update: Whether Flet compares the whole page after every handler, as it does
            by itself; true at first. With False it does not after a handler that has itself changed
            something bound on the page, or started a run: their cost is then that of the
            changes and not of the page. Such a handler has to call `update()` for what it
            edits by hand. One that leaves state alone is followed by the automatic update
            as ever, and so is the page's main.
        on_disconnect: What happens when the client is gone, before the session ends or the
            client is back. "keep", at first: everything goes on. "pause": what is bound on
            the page does not count as observed, so services that run `while_watched` rest,
            and nothing is recomputed for it. "cancel": that, and the runs that were started
            from the page are cancelled after the grace. Either way nothing is sent
            meanwhile, and a client that comes back sees what is current.
        grace: Seconds without a client before runs are cancelled; 3 at first: a reload of
            the browser takes about one.

    Raises:
        ValueError: For a `max_fps` that is not positive, a negative `grace`, or an unknown
            `on_disconnect`.
        TypeError: When it is not given a page.
    """
    if max_fps is not None and not 0 < max_fps < math.inf:
        raise ValueError(f"max_fps is frames a second and must be positive, not {max_fps!r}")
    if grace is not None and not grace >= 0:
        raise ValueError(f"grace is in seconds and cannot be negative, not {grace!r}")
    if on_disconnect not in (None, "keep", "pause", "cancel"):
        raise ValueError(f'on_disconnect is "keep", "pause" or "cancel", not {on_disconnect!r}')
    from .ui.frame import ui_actor
    from .ui.page import is_page

    if not is_page(page):
        raise TypeError(
            f"get_state_manager takes the page, not {type(page).__name__}. Inside a control use self.page once it is "
            "mounted, or fa.current()."
        )
    state = page.__dict__.get("state")
    if not isinstance(state, StateManager) or not state.ends_with_page:
        state = StateManager(page)
        state.ends_with_page = True
        # Page tracks its own fields only: this is neither compared nor sent.
        page.__dict__["state"] = state
    actor = ui_actor(page)
    actor.max_fps = max_fps if max_fps is not None else actor.max_fps
    actor.on_disconnect = on_disconnect if on_disconnect is not None else actor.on_disconnect
    actor.grace = grace if grace is not None else actor.grace
    actor.auto_update = auto_update if auto_update is not None else actor.auto_update
    return state


def current() -> StateManager:
    """Return the store of the running action or selector, else that of the page being served.

    Raises:
        RuntimeError: Outside all of these.
    """
    computing = now_computing()
    owner = getattr(computing, "owner", None)
    if isinstance(owner, StateManager):
        return owner
    running = current_owner.get()
    if isinstance(running, StateManager):
        return running
    if "flet" in sys.modules:
        from .ui import page as adapter

        page = adapter.current_page()
        if page is not None:
            return get_state_manager(page)
    raise RuntimeError(
        "fa.current() is for code that an action, a selector or a page runs, and there is none of these. "
        "Pass the store to what needs it: state = fa.get_state_manager(page)."
    )


find_store_by(current)
make_stores_by(StateManager)
