"""Dashboard: a shop with live figures, by Atomic Design: six pages, light and dark, on wide and narrow windows."""

import functools

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import organisms, pages, templates, tokens
from examples.dashboard.state import services
from examples.dashboard.state.keys import PAGE, WIDTH
from examples.dashboard.state.screen import theme_mode

PAGES = {
    "Overview": pages.overview,
    "Analytics": pages.analytics,
    "Orders": pages.orders,
    "Users": pages.users,
    "Settings": pages.settings,
    "Help": pages.help,
}


def main(page: ft.Page) -> None:
    state = fa.get_state_manager(page)
    feed = services.start(state)

    def measure() -> None:
        state.set(WIDTH, float(page.width or 1280))

    measure()
    page.on_resize = page.on_connect = measure
    page.title, page.padding, page.theme = "Harbour", 0, tokens.THEME
    state.bind(theme_mode, page, "theme_mode")
    page.drawer = organisms.drawer(state, page)
    page.overlay.append(organisms.message_bar(state))

    @functools.cache  # made when it is first shown, and kept
    def screen(name: str) -> ft.Control:
        return PAGES[name](state, feed)

    stage = ft.Container(expand=True)
    state.bind(PAGE, stage, "content", to=screen)
    page.add(templates.shell(state, organisms.sidebar(state), organisms.top_bar(state, page), stage))


if __name__ == "__main__":
    ft.run(main)
