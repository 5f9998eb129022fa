"""The top bar: search, colours, notices, and who one is."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import molecules, tokens
from examples.dashboard.organisms.notices import bell
from examples.dashboard.state.keys import IS_DARK, PAGE, PROFILE, QUERY
from examples.dashboard.state.screen import is_narrow, margin, searched


def search(state: fa.StateManager) -> ft.Control:
    clear = ft.IconButton(ft.Icons.CLOSE, tooltip="Clear the search", icon_size=18, on_click=lambda: state.reset(QUERY))
    field = ft.TextField(
        dense=True,
        filled=True,
        fill_color=ft.Colors.SURFACE_CONTAINER_HIGH,
        border=ft.OutlineInputBorder(border_radius=tokens.L, side=ft.BorderSide(0, ft.Colors.TRANSPARENT)),
        prefix_icon=ft.Icons.SEARCH,
        suffix_icon=state.bound(clear, visible=lambda get: bool(get(QUERY))),
    )
    state.bound(field, value=fa.two_way(QUERY), hint_text=searched)
    return state.bound(ft.Container(field, expand=2), visible=lambda get: bool(get(searched)))


def top_bar(state: fa.StateManager, page: ft.Page) -> ft.Control:
    def flip() -> None:
        state.update(IS_DARK, lambda is_dark: not is_dark)

    menu = ft.IconButton(ft.Icons.MENU, tooltip="Menu", on_click=page.show_drawer)
    theme = state.bound(
        ft.IconButton(on_click=flip),
        icon=lambda get: ft.Icons.LIGHT_MODE_OUTLINED if get(IS_DARK) else ft.Icons.DARK_MODE_OUTLINED,
        tooltip=lambda get: "Light mode" if get(IS_DARK) else "Dark mode",
    )
    me = ft.Container(
        molecules.avatar(state, lambda get: get(PROFILE).name),
        on_click=lambda: state.set(PAGE, "Settings"),
    )
    parts: list[ft.Control] = [
        state.bound(menu, visible=is_narrow),
        search(state),
        state.bound(ft.Container(expand=3), visible=lambda get: not (get(is_narrow) and get(searched))),
        theme,
        bell(state),
        state.bound(me, visible=lambda get: not get(is_narrow), tooltip=lambda get: get(PROFILE).name),
    ]
    bar = ft.Container(ft.Row(parts, spacing=tokens.S), height=72)
    return state.bound(bar, padding=lambda get: ft.Padding.symmetric(horizontal=get(margin)))
