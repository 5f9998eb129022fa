"""The way to the pages: a sidebar, or a drawer where there is no room for one."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, tokens
from examples.dashboard.state.keys import PAGE
from examples.dashboard.state.screen import is_narrow, is_wide

PAGES = {
    "Overview": (ft.Icons.SPACE_DASHBOARD_OUTLINED, ft.Icons.SPACE_DASHBOARD),
    "Analytics": (ft.Icons.INSIGHTS, ft.Icons.INSIGHTS),
    "Orders": (ft.Icons.SHOPPING_BAG_OUTLINED, ft.Icons.SHOPPING_BAG),
    "Users": (ft.Icons.GROUP_OUTLINED, ft.Icons.GROUP),
    "Settings": (ft.Icons.SETTINGS_OUTLINED, ft.Icons.SETTINGS),
    "Help": (ft.Icons.HELP_OUTLINE, ft.Icons.HELP),
}
NAMES = tuple(PAGES)


def brand(state: fa.StateManager) -> ft.Control:
    name = state.bound(atoms.title("Harbour"), visible=is_wide)
    row = ft.Container(ft.Row([atoms.symbol(ft.Icons.SAILING), name], spacing=tokens.M, tight=True))
    return state.bound(row, width=lambda get: 188 if get(is_wide) else None)


def sidebar(state: fa.StateManager) -> ft.Control:
    rail = ft.NavigationRail(
        destinations=[
            ft.NavigationRailDestination(icon=icon, selected_icon=selected, label=name)
            for name, (icon, selected) in PAGES.items()
        ],
        leading=ft.Container(brand(state), padding=ft.Padding.symmetric(vertical=tokens.M)),
        min_extended_width=220,
        bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
        selected_label_text_style=tokens.SELECTED,
        unselected_label_text_style=tokens.UNSELECTED,
    )
    which = fa.two_way(PAGE, to=NAMES.index, parse=NAMES.__getitem__)
    state.bound(rail, selected_index=which, extended=is_wide)
    return state.bound(ft.Container(rail), visible=lambda get: not get(is_narrow))


def drawer(state: fa.StateManager, page: ft.Page) -> ft.NavigationDrawer:
    async def go(event: ft.Event[ft.NavigationDrawer]) -> None:
        state.set(PAGE, NAMES[event.control.selected_index])
        await page.close_drawer()  # type: ignore[no-untyped-call]  # Flet's has no types

    places = [
        ft.NavigationDrawerDestination(icon=icon, selected_icon=selected, label=name)
        for name, (icon, selected) in PAGES.items()
    ]
    head = ft.Container(atoms.title("Harbour"), padding=tokens.L)
    both = ft.NavigationDrawer(controls=[head, *places], on_change=go)
    return state.bound(both, selected_index=lambda get: NAMES.index(get(PAGE)))
