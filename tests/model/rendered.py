"""The machine with a page of components: what they use is what is on the screen, and nothing else is watched."""

from __future__ import annotations

from typing import Any

import flet as ft

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp

from .declared import FRESH, MEMBERS, NUMBERS, ROUTE, TEXT, TOTAL, USERS, A, shown, sturdy
from .screen import OnPage

__all__ = ("USED", "Rendered", "build_rendered")

USED: tuple[Any, ...] = (A, NUMBERS[3], TOTAL, sturdy, TEXT, shown, ROUTE, FRESH, *USERS, *MEMBERS)
"""What there is a component for."""

PLACES = fa.Key[tuple[int, ...]]("places", ())
"""Which of them are on the page."""


@ft.component
def One(place: int) -> ft.Control:  # noqa: N802  # components are named as controls are
    return ft.Text(str(fa.use_value(USED[place])))


@ft.component
def Two(place: int) -> ft.Control:  # noqa: N802
    """Uses a key, and a function."""
    value = fa.use_value(USED[place])
    both = fa.use_value(lambda get: f"{get(A)} and {get(USED[place])}")
    return ft.Text(f"{value}, {both}")


def _at(place: int) -> ft.Control:
    one: Any = One if place % 2 else Two
    control: ft.Control = one(place, key=place)  # known by it, so that nothing is begun anew when others come and go
    return control


@ft.component
def All() -> ft.Control:  # noqa: N802
    return ft.Column([_at(place) for place in fa.use_value(PLACES)])


def build_rendered(page: ft.Page) -> None:
    """The app: nothing but components."""
    fa.get_state_manager(page, max_fps=1e6)  # what is rendered is watched from then on, so let that be at once
    page.render(All)


class Rendered(OnPage):
    """A machine with the store of a page of components.

    Args:
        app: The app, fresh.
    """

    def __init__(self, app: HeadlessApp) -> None:
        super().__init__(app)
        self.keys.append(PLACES)

    def _build(self) -> None:
        """All controls are the components' own."""

    def _looked_at(self) -> list[Any]:
        if self._is_resting:
            return []
        return [PLACES, *(USED[place] for place in self.mounted), *(A for place in self.mounted if place % 2 == 0)]

    async def do_mount(self, number: int, place: int) -> None:
        if self._policy is None and place not in self.mounted and place < len(USED):
            self._place(self.mounted | {place})

    async def do_unmount(self, number: int, place: int) -> None:
        if self._policy is None and place in self.mounted:
            self._place(self.mounted - {place})

    def _place(self, places: set[int]) -> None:
        """Nobody renders while there is no client, so this is for when there is one."""
        self.mounted = places
        self.state.set(PLACES, tuple(sorted(places)))
        self.model.write(PLACES, tuple(sorted(places)))
        self._observe()

    def _compare_screen(self) -> None:
        get, expected = self.model.get, list[str]()
        for place in sorted(self.mounted):
            value = get(USED[place])
            expected.append(str(value) if place % 2 else f"{value}, {get(A)} and {value}")
        found = self.app.texts()
        assert found == [text for text in expected if text], f"{found} is on the screen, and not {expected}"
