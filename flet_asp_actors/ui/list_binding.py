"""Lists: the children of a control that follow the items of a list, a row each."""

from __future__ import annotations

import inspect
import reprlib
import weakref
from collections.abc import Callable, Hashable, Iterable
from contextvars import Context, copy_context
from typing import Any, cast

import flet as ft

from ..core.calls import as_exception
from ..core.graph import Node
from ..core.turn import here
from ..errors import BindingError
from ..key import label
from ..owner import Owner, current_owner
from ..row import Items, Row
from ..watch import belongings
from . import controls
from . import page as adapter
from .binding import Binding, check_target

__all__ = ("ListBinding",)

_CHILDREN = ("controls", "options", "items", "segments", "destinations", "tabs", "rows", "actions", "spans")
"""What controls call the list of their children; the first that one has."""

_SHOWN = "_flet_asp_actors_rows"
_ROW = "_flet_asp_actors_row"
_BUILDER = "_flet_asp_actors_builder"

Build = Callable[[Row[Any]], Any]


class _Builder:
    """What makes the control of a row, and the context of the page that has bound the list."""

    __slots__ = ("__weakref__", "_build", "_context", "_owner")

    def __init__(self, build: Build, context: Context | None, owner: Owner) -> None:
        self._build = build
        self._context = context
        self._owner = owner

    def make(self, row: Row[Any]) -> Any:
        # A copy: the context itself may be entered already, further up the stack.
        context = self._context.copy() if self._context is not None else copy_context()
        return context.run(self._make, row)

    def _make(self, row: Row[Any]) -> Any:
        current_owner.set(self._owner)
        belongings.set(row.made)
        return self._build(row)


class ListBinding(Binding):
    """The children of a container that follow a list: for each item the control that `build` has made of its row.

    A control stays as long as there is an item of its key. The container holds the controls
    and what makes them, and the binding only the rows: what a build or a row has in its hands,
    such as the container, does not stay because a store has the list.
    """

    __slots__ = ("_builder", "_new", "_rows", "_source")

    def __init__(
        self, key: object, source: Node | None, items: Items, build: Build, owner: Owner, context: Context | None
    ) -> None:
        super().__init__(key, items, _CHILDREN[0], owner)
        self._source = source
        self._new: _Builder | None = _Builder(build, context, owner)  # until there is what holds it
        self._builder = weakref.ref(self._new)
        self._rows: dict[Hashable, Row[Any]] = {}

    @property
    def source(self) -> Node:
        return self._source or self.node

    def follow(self, target: ft.BaseControl | ft.Ref[Any]) -> None:
        builder, self._new = self._new, None
        if isinstance(target, ft.Ref):
            target.__dict__[_BUILDER] = builder
        super().follow(target)

    def attach(self, control: ft.BaseControl) -> None:
        prop = _children_of(control)
        check_target(control, prop)
        _refuse_others(control, prop)
        self.detach()
        self.prop = prop
        control.__dict__[_BUILDER] = self._builder()
        super().attach(control)

    def detach(self) -> None:
        container = self.control
        super().detach()
        if container is not None:
            container.__dict__.pop(_SHOWN, None)
            self._take_from(container)
        rows, self._rows = self._rows, {}
        if rows:
            self._owner.on_home(lambda: Row.end(rows.values()))

    def close(self) -> None:
        ref = self.ref
        super().close()
        if ref is not None:
            self._take_from(ref)

    def _take_from(self, holder: Any) -> None:
        """Nothing is built there any more: what makes the rows holds the page, and would be held by it."""
        if holder.__dict__.get(_BUILDER) is self._builder():
            holder.__dict__.pop(_BUILDER, None)

    def __del__(self) -> None:
        """A list that nobody watched is collected with its container: what was set up for its rows ends, too."""
        rows = self._rows
        if rows:
            self._owner.later(lambda: Row.end(rows.values()))

    # ------------------------------------------------------------------ the rows

    def show(self) -> None:
        """Have a control for each item, in order."""
        container, builder = self.control, self._builder()
        if container is not None and builder is not None:  # pragma: no branch - else it was collected on the way
            with here():  # what a build writes is told when all the rows are there
                self._follow(container, builder, self._latest.by_key)

    def _follow(self, container: ft.BaseControl, builder: _Builder, items: dict[Hashable, Any]) -> None:
        rows = self._rows
        if _SHOWN in container.__dict__ and list(rows) == list(items):
            return  # what has become of an item is the business of its row
        shown: dict[Hashable, ft.BaseControl] = container.__dict__.setdefault(_SHOWN, {})
        gone = {key: rows.pop(key) for key in list(rows) if key not in items}
        self._owner.on_home(lambda: Row.end(gone.values()))
        for key in gone:
            del shown[key]
        new = {key: item for key, item in items.items() if key not in rows}
        built = {key: row for key, item in new.items() if (row := self._make(builder, key, item, shown))}
        if self.control is not container:  # one of them has bound something else here
            self._owner.on_home(lambda: Row.end(built.values()))
            return
        rows |= built
        self._rows = {key: rows[key] for key in items if key in rows}
        self._put(container, [shown[key] for key in self._rows])

    def _make(
        self, builder: _Builder, key: Hashable, item: Any, shown: dict[Hashable, ft.BaseControl]
    ) -> Row[Any] | None:
        """Build one row; None if that fails. The next change of the list tries again."""
        items: Any = self.node
        row: Row[Any] = Row(items, self.key, key, item, self._owner)
        try:
            control = builder.make(row)
            _check(control, row)
        except BaseException as error:
            self._owner.on_home(lambda: Row.end([row]))
            self._owner.report(as_exception(error), self.key, f"row for {reprlib.repr(item)} of {self._place}")
            return None
        control.__dict__[_ROW] = row
        shown[key] = control
        return row

    def _put(self, container: ft.BaseControl, children: list[ft.BaseControl]) -> None:
        held: Any = getattr(container, self.prop)
        if not held and not children:
            return
        if held and isinstance(held, list):
            before = list(cast("Iterable[Any]", held))
            # In place: Flet compares what is assigned with ==, to which two rows that look alike are one.
            held[:] = children
            why = controls.complaint(container)
            if why is not None:
                held[:] = before
        else:
            why = controls.put(container, self.prop, children)
        if why is not None:
            self.report(
                BindingError(
                    f"Flet refuses the rows of {label(self.key)} for {self._place}: {why}. It keeps those that it has."
                )
            )
        elif self._mount is not None:  # pragma: no branch - else it has ended in between
            self._mount.changed()

    @property
    def _place(self) -> str:
        control = self.control
        return self._describe(control) if control is not None else self.prop


def _children_of(container: object) -> str:
    """The property of a control that holds its children."""
    if not isinstance(container, ft.BaseControl):
        return _CHILDREN[0]
    known = adapter.properties(container)
    found = next((name for name in _CHILDREN if name in known), None)
    if found is None:
        raise BindingError(
            f"{type(container).__name__} has no list of children to bind. bind_list fills "
            f"{', '.join(_CHILDREN)}, such as those of ft.Column, ft.ListView or ft.Dropdown."
        )
    return found


def _refuse_others(container: ft.BaseControl, prop: str) -> None:
    """The rows are all that there is in a container: what was put there otherwise would be lost."""
    held: Any = getattr(container, prop) or ()
    others = [child for child in held if _ROW not in child.__dict__]
    if others:
        kind = type(container).__name__
        raise BindingError(
            f"{kind}.{prop} has {type(others[0]).__name__} in it already, and bind_list fills it alone. "
            f"Give the list a container of its own, beside that: ft.Column([header, {kind}()])."
        )


def _check(control: object, row: Row[Any]) -> None:
    if not isinstance(control, ft.BaseControl):
        if inspect.iscoroutine(control):
            control.close()
        raise BindingError(
            f"build returned {reprlib.repr(control)} for {row.key}, and a row is a control. "
            "It takes the row and returns a control that was made for it."
        )
    other: Row[Any] | None = control.__dict__.get(_ROW)
    if other is not None and not other.is_gone:
        raise BindingError(
            f"build returned the same {type(control).__name__} for {row.key} as for {other.key}, and a control can be "
            "in one place only. Make a new one for each row."
        )
