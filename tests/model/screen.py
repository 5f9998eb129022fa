"""The machine with a page: a client looks at what the store holds, goes, comes back, and does something itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import flet as ft

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp

from .agenda import Due
from .declared import ACTIONS, FRESH, LIST, MEMBERS, NUMBERS, ROUTE, SLOW, TEXT, TOTAL, USERS, A, B, shown, sturdy
from .machine import Machine

__all__ = ("POLICIES", "SHOWN", "OnPage", "build")


@dataclass(frozen=True)
class Place:
    """Something that can be mounted."""

    make: Callable[[fa.StateManager], ft.Control]
    keys: tuple[Any, ...]
    """What is observed for it."""
    said: Callable[[Callable[[Any], Any]], list[str]]
    """What a person reads there, with a `get` to look values up by."""

    @property
    def is_work(self) -> bool:
        """Whether to observe it is work, and nothing that is done before it is on the screen for the first time."""
        return any(key in WORK for key in self.keys)


WORK = {shown, sturdy, *SLOW, *MEMBERS}  # of those that read C a service is up


def _text(key: Any) -> Place:
    def make(state: fa.StateManager) -> ft.Control:
        text = ft.Text()
        state.bind(key, text, to=str)
        return text

    return Place(make, (key,), lambda get: [str(get(key))])


def _by_ref(key: Any) -> Place:
    def make(state: fa.StateManager) -> ft.Control:
        ref = ft.Ref[ft.Text]()
        state.bind(key, ref, to=str)
        text = ft.Text(ref=ref)
        text.data = ref
        return text

    return Place(make, (key,), lambda get: [str(get(key))])


def _by_function(state: fa.StateManager) -> ft.Control:
    return state.bound(ft.Text(), value=lambda get: f"{get(A)} and {get(sturdy)}", visible=lambda get: get(B) > 0)


def _list(state: fa.StateManager) -> ft.Control:
    def build(row: fa.Row[int]) -> ft.Control:
        text = ft.Text()
        state.bind(row, text, to=str)
        return text

    column = ft.Column()
    state.bind_list(LIST, column, build)
    return column


SHOWN: tuple[Place, ...] = (
    *map(_text, (A, NUMBERS[3], TOTAL, sturdy, TEXT, shown, ROUTE, FRESH, *USERS, *MEMBERS)),
    _by_ref(A),
    Place(_by_function, (A, sturdy, B), lambda get: [f"{get(A)} and {get(sturdy)}"] if get(B) > 0 else []),
    Place(_list, (LIST,), lambda get: list(map(str, get(LIST)))),
)
"""What there is a place for."""

POLICIES = ("keep", "pause", "cancel")


def build(page: ft.Page) -> None:
    """The app: a field, a button, and room for what is mounted."""
    state = fa.get_state_manager(page)
    page.add(
        state.bound(ft.TextField(label="Text"), value=fa.two_way(TEXT)),
        ft.Button("Add", on_click=lambda: state.update(B, lambda held: (held + 1) % 5)),
        ft.Column(),
    )


class OnPage(Machine):
    """A machine with the store of a page.

    Args:
        app: The app, fresh.
    """

    def __init__(self, app: HeadlessApp) -> None:
        super().__init__(fa.get_state_manager(app.page))
        self.app = app
        self.controls: list[ft.Control] = []
        self.mounted: set[int] = set()
        self._new: set[int] = set()
        """What was never mounted follows what it is bound to, unless that is work."""
        self._policy: str | None = None
        """What the way of the client that is away means; None if it is there."""
        self._cancelling: Due | None = None
        self._observed: list[Any] = []
        self._build()
        self._observe()

    def _build(self) -> None:
        self.field, _, column = self.app.page.controls
        self.column: ft.Column = cast("Any", column)
        self.controls = [place.make(self.state) for place in SHOWN]
        self._new = {number for number, place in enumerate(SHOWN) if not place.is_work}

    def _observe(self) -> None:
        """Tell the model what is observed for the page."""
        for key in self._observed:
            self.model.watched.remove(key)
        self._observed = self._looked_at()
        self.model.watched += self._observed

    def _looked_at(self) -> list[Any]:
        places = self._new if self._is_resting else self._new | self.mounted
        return [key for place in places for key in SHOWN[place].keys] + [TEXT] * (not self._is_resting)

    async def show(self) -> None:
        await self.app.settle()
        await self.rest()
        self.model.advance(self._loop.time())

    async def do_mount(self, number: int, place: int) -> None:
        if place not in self.mounted:
            self.mounted.add(place)
            self._new.discard(place)
            self.column.controls.append(self.controls[place])
            self.column.update()
            self._observe()

    async def do_unmount(self, number: int, place: int) -> None:
        if place in self.mounted:
            self.mounted.remove(place)
            leaves = self.controls[place]
            self.column.controls[:] = [
                each for each in self.column.controls if each is not leaves
            ]  # others may be equal
            self.column.update()
            self._observe()

    async def do_type(self, number: int, text: str) -> None:
        if self._policy is None:
            await self.app.enter(self.field, text)
            self.model.write(TEXT, text)

    async def do_click(self, number: int) -> None:
        if self._policy is None:
            await self.app.click("Add")
            self.model.send(B, lambda: self.model.write(B, (self.model.get(B) + 1) % 5))

    async def do_disconnect(self, number: int, policy: Any) -> None:
        if self._policy is None:
            fa.get_state_manager(self.app.page, on_disconnect=policy)
            await self.app.disconnect()
            self._policy = policy
            self.app.take()
            self._observe()
            if policy == "cancel":
                self._cancelling = self.model.after(3.0, self._cancel)

    async def do_reconnect(self, number: int) -> None:
        if self._policy is not None:
            if self._cancelling is not None:
                self._cancelling.take_back()
                self._cancelling = None
            self._policy = None
            self._observe()
            await self.app.reconnect()

    async def end(self) -> None:
        await self.do_reconnect(0)
        await super().end()

    def compare(self, number: int, everything: bool = False) -> None:
        super().compare(number, everything)
        if self._policy is not None:
            assert not self.app.take(), "nobody is there to be told"
            return
        self._compare_screen()

    def _compare_screen(self) -> None:
        assert not self.app.mirror_diff(), self.app.mirror_diff()
        for place in self.mounted:
            found, expected = self._read(self.controls[place]), SHOWN[place].said(self.model.get)
            assert found == expected, f"{SHOWN[place].keys}: {found} is on the screen, and not {expected}"
        assert self.app.one("TextField").get("value", "") == self.model.get(TEXT)

    def _read(self, control: ft.Control) -> list[str]:
        nodes = [
            self.app.client.node(each) for each in (control.controls if isinstance(control, ft.Column) else [control])
        ]
        return [node.get("value", "") for node in nodes if node.get("visible", True)]

    @property
    def _is_resting(self) -> bool:
        return self._policy in ("pause", "cancel")

    def _cancel(self) -> None:
        for action in ACTIONS[::-1]:
            self.model.cancel_all(action)
