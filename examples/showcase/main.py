"""Showcase: the examples side by side, with a rail to move between them. State stays as you move."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Demo:
    title: str
    icon: ft.IconData
    content: ft.Control


def main(page: ft.Page) -> None:
    page.title = "flet_asp_actors"
    page.padding = 0
    state = fa.get_state_manager(page)
    demos = [
        Demo("Counter", ft.Icons.ADD_CIRCLE_OUTLINE, counter(state)),
        Demo("Form", ft.Icons.EDIT_NOTE, form(state)),
        Demo("Names", ft.Icons.BADGE_OUTLINED, names(state)),
        Demo("Login", ft.Icons.LOGIN, login_form(state)),
        Demo("Profiles", ft.Icons.PEOPLE_OUTLINE, profiles(state)),
        Demo("Search", ft.Icons.SEARCH, search(state)),
        Demo("To do", ft.Icons.CHECK_BOX_OUTLINED, todo(state)),
        Demo("Prices", ft.Icons.SHOW_CHART, prices(state)),
        Demo("Upload", ft.Icons.UPLOAD_FILE, upload_form(state)),
    ]
    cards = [ft.Card(ft.Container(demo.content, padding=40, width=380), semantic_container=False) for demo in demos]
    rail = ft.NavigationRail(
        destinations=[ft.NavigationRailDestination(icon=demo.icon, label=demo.title) for demo in demos],
        label_type=ft.NavigationRailLabelType.ALL,
    )
    stage = ft.Container(padding=40, expand=True, alignment=ft.Alignment.TOP_CENTER)
    page.add(
        ft.Row(
            [
                state.bound(rail, selected_index=fa.two_way(SCREEN)),
                ft.VerticalDivider(width=1),
                state.bound(stage, content=lambda get: cards[get(SCREEN)]),
            ],
            expand=True,
            vertical_alignment=ft.CrossAxisAlignment.STRETCH,
        )
    )
