"""Theming: a library of controls that follow design tokens. A switch flips all colours, for this session alone."""

import flet as ft

import flet_asp_actors as fa
from examples.theming import gallery, tokens
from examples.theming import library as ui
from examples.theming.alerts import alerts
from examples.theming.buttons import buttons
from examples.theming.inputs import inputs
from examples.theming.panel import panel


def header(state: fa.StateManager) -> ft.Control:
    words = ft.Text("Theming", theme_style=ft.TextThemeStyle.HEADLINE_SMALL, weight=ft.FontWeight.W_600, expand=True)
    switch = state.bound(ft.Switch(), value=fa.two_way(tokens.IS_DARK), label=tokens.mode_label)
    row = ft.Row([ft.Icon(ft.Icons.PALETTE_OUTLINED, color=ft.Colors.PRIMARY), words, switch], spacing=16)
    return ft.Container(
        row, padding=ft.Padding.symmetric(horizontal=24, vertical=8), bgcolor=ft.Colors.SURFACE_CONTAINER_LOW
    )


def column(
    state: fa.StateManager, col: dict[str | ft.ResponsiveRowBreakpoint, ft.Number], *parts: ft.Control
) -> ft.Control:
    """Sections below each other, in a column of the page."""
    stack = ui.group(state, *parts)
    stack.col = col
    return stack


def main(page: ft.Page) -> None:
    state = fa.get_state_manager(page)
    page.title, page.padding = "Theming", 0
    for prop in ("theme", "dark_theme"):
        state.bind(tokens.theme, page, prop)
    state.bind(tokens.theme_mode, page, "theme_mode")
    columns = ft.ResponsiveRow(
        [
            column(state, {"xs": 12, "md": 4, "xl": 3}, panel(state), gallery.badges(state)),
            column(state, {"xs": 12, "md": 8, "xl": 5}, gallery.colours(state), buttons(state), alerts(state)),
            column(state, {"xs": 12, "xl": 4}, inputs(state), gallery.cards(state)),
        ]
    )
    state.bound(columns, spacing=tokens.space, run_spacing=tokens.space)
    scroll = ft.Column([ft.Container(columns, padding=24)], scroll=ft.ScrollMode.AUTO, expand=True)
    page.add(ft.Column([header(state), scroll], spacing=0, expand=True))


if __name__ == "__main__":
    ft.run(main)
