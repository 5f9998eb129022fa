"""Badges: a word in its colour, a number on an icon, a person who is there or not."""

import flet as ft

import flet_asp_actors as fa
from examples.theming.roles import role
from examples.theming.tokens import RADIUS


def badge(state: fa.StateManager, name: str) -> ft.Control:
    words = ft.Text(name, theme_style=ft.TextThemeStyle.LABEL_MEDIUM)
    state.bound(words, color=lambda get: get(role(name))[1])
    box = ft.Container(words, padding=ft.Padding.symmetric(horizontal=8, vertical=4))
    return state.bound(box, bgcolor=lambda get: get(role(name))[0], border_radius=RADIUS)


def counted(state: fa.StateManager, icon: ft.IconData, count: fa.Key[int]) -> ft.Control:
    def text(get: fa.Get) -> str | None:
        return (str(get(count)) if get(count) < 100 else "99+") if get(count) else None

    box = ft.Container(ft.Icon(icon, size=28), padding=8)
    return state.bound(box, badge=text)


def presence(state: fa.StateManager, name: str, is_there: fa.Key[bool]) -> ft.Control:
    def color(get: fa.Get) -> ft.ColorValue:
        return get(role("Success"))[1] if get(is_there) else ft.Colors.OUTLINE

    dot = state.bound(ft.Icon(ft.Icons.CIRCLE, size=12), color=color)
    words = state.bound(ft.Text(), value=lambda get: f"{name} is {'online' if get(is_there) else 'away'}")
    return ft.Row([dot, words], spacing=8, tight=True)
