"""The cards of the page but for the benchmark: configuration, tuning, tips."""

import sys

import flet as ft

import flet_asp_actors as fa
from examples.performance.values import FPS


def card(title: str, icon: ft.IconData, *rows: ft.Control) -> ft.Control:
    head = ft.Row([ft.Icon(icon, color=ft.Colors.PRIMARY), ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_MEDIUM)])
    return ft.Card(ft.Container(ft.Column([head, *rows], spacing=12), padding=16), semantic_container=False)


def configuration(state: fa.StateManager) -> ft.Control:
    def line(name: str, value: str | ft.Text) -> ft.Control:
        value = value if isinstance(value, ft.Text) else ft.Text(value)
        return ft.Row([ft.Text(name, color=ft.Colors.ON_SURFACE_VARIANT, expand=True), value])

    has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    fps = state.bound(ft.Text(), value=lambda get: str(get(FPS)))
    return card(
        "Configuration",
        ft.Icons.SETTINGS_OUTLINED,
        line("Python", sys.version.split()[0] + (", with a global lock" if has_lock else ", free threading")),
        line("Flet", ft.__version__),
        line("Frames a second, at most", fps),
        line("Selectors in threads at a time", str(fa.Atom.MAX_PARALLEL_BINDS)),
        line("Tries for a control that is not mounted", "none are needed"),
    )


def tuning(page: ft.Page, state: fa.StateManager) -> ft.Control:
    slider = state.bound(ft.Slider(min=1, max=60, divisions=59, label="{value}"), value=fa.two_way(FPS))
    state.listen(FPS, lambda fps: fa.get_state_manager(page, max_fps=fps))
    about = state.bound(ft.Text(), value=lambda get: f"At most {get(FPS)} frames a second; the benchmark shows it")
    box = ft.Text("Bindings use no threads, so Atom.MAX_PARALLEL_BINDS does not change this benchmark.", expand=True)
    warning = ft.Row([ft.Icon(ft.Icons.INFO_OUTLINE, color=ft.Colors.ON_SECONDARY_CONTAINER), box])
    box.color = ft.Colors.ON_SECONDARY_CONTAINER
    note = ft.Container(warning, padding=12, border_radius=8, bgcolor=ft.Colors.SECONDARY_CONTAINER)
    return card("Tuning", ft.Icons.TUNE, slider, about, note)


def tips() -> ft.Control:
    texts = (
        "Bind what changes, and never call update(): a frame has all changes of its tick.",
        "Several writes that belong together are one turn in a state.batch().",
        "Give a long list to bind_list: what has not changed costs next to nothing.",
        "On a large page, get_state_manager(page, auto_update=False) spares Flet's comparison after each click.",
    )
    rows = [ft.Row([ft.Icon(ft.Icons.CHECK, color=ft.Colors.PRIMARY), ft.Text(text, expand=True)]) for text in texts]
    return card("Tips", ft.Icons.LIGHTBULB_OUTLINE, *rows)
