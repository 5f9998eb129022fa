"""A person: the initials on a disc, and the name beside it."""

from collections.abc import Callable

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, tokens


def initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()


def avatar(state: fa.StateManager, name: Callable[[fa.Get], str]) -> ft.CircleAvatar:
    letters = ft.Text(theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=ft.Colors.ON_SECONDARY_CONTAINER)
    state.bound(letters, value=lambda get: initials(name(get)))
    return ft.CircleAvatar(letters, radius=16, bgcolor=ft.Colors.SECONDARY_CONTAINER)


def person(state: fa.StateManager, name: Callable[[fa.Get], str]) -> ft.Control:
    words = state.bound(atoms.one_line(atoms.body()), value=name)
    words.expand = True
    return ft.Row([avatar(state, name), words], spacing=tokens.S)
