"""Cards: one look for a section of the page, and three kinds with something in them."""

import flet as ft

import flet_asp_actors as fa
from examples.theming.library.layout import group
from examples.theming.tokens import RADIUS, shape, space


def section(state: fa.StateManager, title: str, *controls: ft.Control) -> ft.Control:
    words = ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_MEDIUM, weight=ft.FontWeight.W_600)
    inner = state.bound(ft.Container(group(state, words, *controls)), padding=lambda get: get(space) + 8)
    return state.bound(ft.Card(inner, elevation=1, margin=0, semantic_container=False), shape=shape)


def card(state: fa.StateManager, title: str, about: str, variant: ft.CardVariant, liked: fa.Key[bool]) -> ft.Control:
    def flip() -> None:
        state.update(liked, lambda is_liked: not is_liked)

    heart = state.bound(
        ft.IconButton(on_click=flip),
        icon=lambda get: ft.Icons.FAVORITE if get(liked) else ft.Icons.FAVORITE_BORDER,
        icon_color=lambda get: ft.Colors.PRIMARY if get(liked) else ft.Colors.ON_SURFACE_VARIANT,
        tooltip=lambda get: f"{title}: {'liked' if get(liked) else 'like'}",
    )
    words = ft.Column(
        [ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_SMALL), ft.Text(about, color=ft.Colors.ON_SURFACE_VARIANT)],
        spacing=4,
        expand=True,
    )

    def outline(get: fa.Get) -> ft.RoundedRectangleBorder:
        side = ft.BorderSide(1, ft.Colors.OUTLINE_VARIANT) if variant is ft.CardVariant.OUTLINED else None
        return ft.RoundedRectangleBorder(radius=get(RADIUS), side=side)

    inner = state.bound(ft.Container(ft.Row([words, heart])), padding=space)
    return state.bound(ft.Card(inner, variant=variant, margin=0, semantic_container=False), shape=outline)
