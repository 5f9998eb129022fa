"""Showcase: the examples side by side, with a rail to move between them. Their state stays as you move."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import flet as ft

import flet_asp_actors as fa
from examples.counter import counter
from examples.form import form
from examples.login import login_form
from examples.names import names
from examples.prices import prices
from examples.profiles import profiles
from examples.search import search
from examples.todo import todo
from examples.upload import upload_form

SCREEN = fa.Key("screen", 0)


class Demo(NamedTuple):
    title: str
    icon: ft.IconData
    build: Callable[[fa.StateManager], ft.Control]


DEMOS = [
    Demo("Counter", ft.Icons.ADD_CIRCLE_OUTLINE, counter),
    Demo("Form", ft.Icons.EDIT_NOTE, form),
    Demo("Names", ft.Icons.BADGE_OUTLINED, names),
    Demo("Login", ft.Icons.LOGIN, login_form),
    Demo("Profiles", ft.Icons.PEOPLE_OUTLINE, profiles),
    Demo("Search", ft.Icons.SEARCH, search),
    Demo("To do", ft.Icons.CHECK_BOX_OUTLINED, todo),
    Demo("Prices", ft.Icons.SHOW_CHART, prices),
    Demo("Upload", ft.Icons.UPLOAD_FILE, upload_form),
]


def main(page: ft.Page) -> None:
    page.title, page.padding = "flet_asp_actors", 0
    state = fa.get_state_manager(page)

    @functools.cache  # made when it is first shown, and kept
    def card(number: int) -> ft.Control:
        return ft.Card(ft.Container(DEMOS[number].build(state), padding=40, width=380), semantic_container=False)

    places = [ft.NavigationRailDestination(icon=demo.icon, label=demo.title) for demo in DEMOS]
    rail = ft.NavigationRail(destinations=places, label_type=ft.NavigationRailLabelType.ALL)
    stage = ft.Container(padding=40, expand=True, alignment=ft.Alignment.TOP_CENTER)
    state.bind(SCREEN, stage, "content", to=card)
    line = ft.VerticalDivider(width=1)
    parts: list[ft.Control] = [state.bound(rail, selected_index=fa.two_way(SCREEN)), line, stage]
    page.add(ft.Row(parts, expand=True, vertical_alignment=ft.CrossAxisAlignment.STRETCH))


if __name__ == "__main__":
    ft.run(main)
