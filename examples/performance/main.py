"""Performance: what writes cost on a real page, measured as it runs, with progress, Cancel and a slider."""

import flet as ft

import flet_asp_actors as fa
from examples.performance.cards import configuration, tips, tuning
from examples.performance.results import benchmark_card
from examples.performance.values import DARK


def main(page: ft.Page) -> None:
    page.title, page.padding, page.scroll = "Performance", 24, ft.ScrollMode.AUTO
    state = fa.get_state_manager(page, on_disconnect="cancel", grace=0)  # nothing to measure when nobody is there
    state.bound(page, theme_mode=lambda get: ft.ThemeMode.DARK if get(DARK) else ft.ThemeMode.LIGHT)
    toggle = state.bound(
        ft.IconButton(ft.Icons.DARK_MODE, on_click=lambda: state.update(DARK, lambda dark: not dark)),
        icon=lambda get: ft.Icons.LIGHT_MODE if get(DARK) else ft.Icons.DARK_MODE,
        tooltip=lambda get: "Switch to light" if get(DARK) else "Switch to dark",
    )
    heading = ft.Text("Performance", theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM, expand=True)
    left = ft.Column([configuration(state), tuning(page, state), tips()], spacing=8, col={"xs": 12, "md": 5})
    right = ft.Container(benchmark_card(page, state), col={"xs": 12, "md": 7})
    page.add(ft.Row([heading, toggle]), ft.ResponsiveRow([left, right], spacing=16, run_spacing=16))


if __name__ == "__main__":
    ft.run(main)
