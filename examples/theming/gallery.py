"""The gallery: a section for each kind of control. Each does something, if only to say that it was used."""

import flet as ft

import flet_asp_actors as fa
from examples.theming import library as ui
from examples.theming.roles import ROLES

IS_LIKED = fa.Key("is_liked", False)
MESSAGES = fa.Key("messages", 3)
IS_ONLINE = fa.Key("is_online", True)


def colours(state: fa.StateManager) -> ft.Control:
    swatches = ft.ResponsiveRow([ui.swatch(state, name) for name in ROLES], spacing=8, run_spacing=8)
    return ui.section(state, "Colour roles", swatches)


def cards(state: fa.StateManager) -> ft.Control:
    kinds = {"Elevated": "It has a shadow", "Filled": "It has a ground", "Outlined": "It has a line"}
    rows = [ui.card(state, name, about, ft.CardVariant[name.upper()], IS_LIKED[name]) for name, about in kinds.items()]
    return ui.section(state, "Cards", *rows)


def badges(state: fa.StateManager) -> ft.Control:
    def add(number: int) -> None:
        state.update(MESSAGES, lambda messages: max(0, messages + number))

    more = ft.IconButton(ft.Icons.ADD, tooltip="One more message", on_click=lambda: add(1))
    less = ft.IconButton(ft.Icons.REMOVE, tooltip="One message less", on_click=lambda: add(-1))
    there = state.bound(ft.Switch(tooltip="Ada is online"), value=fa.two_way(IS_ONLINE))
    return ui.section(
        state,
        "Badges",
        ft.Row([ui.badge(state, name) for name in ROLES], spacing=8, run_spacing=8, wrap=True),
        ui.line(state, ui.counted(state, ft.Icons.MAIL_OUTLINE, MESSAGES), less, more),
        ui.line(state, ui.presence(state, "Ada", IS_ONLINE), there),
    )
