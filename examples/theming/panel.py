"""The panel: what a person chooses of the tokens."""

import flet as ft

import flet_asp_actors as fa
from examples.theming import library as ui
from examples.theming.tokens import CHOSEN, DENSITY, IS_DARK, RADIUS, SEED, SEEDS


@fa.selector
def is_changed(get: fa.Get) -> bool:
    return (get(IS_DARK), get(SEED), get(RADIUS), get(DENSITY)) != (False, "Indigo", 12, "Comfortable")


def seed(state: fa.StateManager, name: str) -> ft.Control:
    tick = ft.Icon(ft.Icons.CHECK, size=20, color=ft.Colors.WHITE)  # on a colour that is the same in both modes
    state.bound(tick, visible=lambda get: get(SEED) == name)
    return ft.Container(
        tick,
        width=40,
        height=40,
        border_radius=20,
        bgcolor=SEEDS[name],
        alignment=ft.Alignment.CENTER,
        tooltip=name,
        on_click=lambda: state.set(SEED, name),
    )


def panel(state: fa.StateManager) -> ft.Control:
    def quiet(text: str) -> ft.Control:
        return ft.Text(text, color=ft.Colors.ON_SURFACE_VARIANT)

    def reset() -> None:
        with state.batch():
            for key in CHOSEN:
                state.reset(key)

    density = ft.SegmentedButton(
        segments=[ft.Segment(value=each, label=each) for each in ("Comfortable", "Compact")], show_selected_icon=False
    )
    choice = fa.two_way(DENSITY, to=lambda name: [name], parse=lambda names: names[0])
    corners = ft.Slider(min=0, max=24, divisions=6, label="{value}")
    return ui.section(
        state,
        "Tokens",
        quiet("Seed colour"),
        ft.Row([seed(state, name) for name in SEEDS], spacing=8, run_spacing=8, wrap=True),
        state.bound(ft.Text(color=ft.Colors.ON_SURFACE_VARIANT), value=lambda get: f"Corners: {get(RADIUS)}"),
        state.bound(corners, value=fa.two_way(RADIUS)),
        quiet("Density"),
        state.bound(density, selected=choice),
        state.bound(
            ft.OutlinedButton("Back to the defaults", on_click=reset),
            disabled=lambda get: not get(is_changed),
        ),
    )
