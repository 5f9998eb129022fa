"""The machine with a page: a client looks at what the store holds, goes, comes back, and does something itself."""

from __future__ import annotations

from typing import Any, cast

import flet as ft

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp

from .declared import ACTIONS, LIST, NUMBERS, ROUTE, TEXT, TOTAL, A, B, shown, sturdy
from .machine import Machine
from .reference import Due

__all__ = ("POLICIES", "SHOWN", "OnPage", "build")

SHOWN: tuple[Any, ...] = (A, NUMBERS[3], LIST, TOTAL, sturdy, shown, ROUTE, TEXT)
"""What there is a control for."""

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
        self.field, _, column = app.page.controls
        self.column: ft.Column = cast("Any", column)
        self.texts = [ft.Text(key=place) for place in range(len(SHOWN))]
        for key, text in zip(SHOWN, self.texts, strict=True):
            self.state.bind(key, text, to=str)
        self.mounted: set[int] = set()
        self._new = {place for place, key in enumerate(SHOWN) if key not in (shown, ROUTE)}
        """What was never mounted follows what it is bound to, unless that is work."""
        self._policy: str | None = None
        """What the way of the client that is away means; None if it is there."""
        self._cancelling: Due | None = None
        self._observed: list[Any] = []
        self._observe()

    def _observe(self) -> None:
        """Tell the model for whom the controls look."""
        for key in self._observed:
            self.model.watched.remove(key)
        places = self._new if self._is_resting else self._new | self.mounted
        self._observed = [SHOWN[place] for place in places] + [TEXT] * (not self._is_resting)
        self.model.watched += self._observed

    async def show(self) -> None:
        await self.app.settle()
        await self.rest()
        self.model.advance(self._loop.time())

    async def do_mount(self, number: int, place: int) -> None:
        if place not in self.mounted:
            self.mounted.add(place)
            self._new.discard(place)
            self.column.controls.append(self.texts[place])
            self.column.update()
            self._observe()

    async def do_unmount(self, number: int, place: int) -> None:
        if place in self.mounted:
            self.mounted.remove(place)
            self.column.controls.remove(self.texts[place])
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
                self._cancelling.call = None
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
        assert not self.app.mirror_diff(), self.app.mirror_diff()
        for place in self.mounted:
            key = SHOWN[place]
            said = self.app.one("Text", key=place).get("value", "")
            assert said == str(self.model.get(key)), f"{key} is shown as {said!r}, and is {self.model.get(key)!r}"
        assert self.app.one("TextField").get("value", "") == self.model.get(TEXT)

    @property
    def _is_resting(self) -> bool:
        return self._policy in ("pause", "cancel")

    def _cancel(self) -> None:
        for action in ACTIONS[::-1]:
            self.model.cancel_all(action)
