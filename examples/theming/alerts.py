"""The alerts of the gallery: who dismisses one has it gone, until they are wanted again."""

from typing import NamedTuple

import flet as ft

import flet_asp_actors as fa
from examples.theming import library as ui


class Alert(NamedTuple):
    role: str
    text: str
    icon: ft.IconData


ALERTS = (
    Alert("Container", "A new version is there", ft.Icons.INFO_OUTLINE),
    Alert("Success", "Your changes were saved", ft.Icons.CHECK_CIRCLE_OUTLINE),
    Alert("Warning", "Your session ends soon", ft.Icons.WARNING_AMBER),
    Alert("Error", "The server did not answer", ft.Icons.ERROR_OUTLINE),
)
IS_DISMISSED = fa.Key("is_dismissed", False)  # by the alert's role


@fa.selector
def shown(get: fa.Get) -> tuple[Alert, ...]:
    return tuple(each for each in ALERTS if not get(IS_DISMISSED[each.role]))


def alerts(state: fa.StateManager) -> ft.Control:
    def build(row: fa.Row[Alert]) -> ft.Control:
        return ui.alert(state, *row.value, on_dismiss=lambda: state.set(IS_DISMISSED[row.value.role], True))

    def show_all() -> None:
        with state.batch():
            for each in ALERTS:
                state.reset(IS_DISMISSED[each.role])

    rows = ui.group(state)
    state.bind_list(shown, rows, build, item_key=lambda each: each.role)
    again = ui.line(state, ft.TextButton("Show them again", icon=ft.Icons.REFRESH, on_click=show_all))
    state.bound(again, visible=lambda get: len(get(shown)) < len(ALERTS))
    return ui.section(state, "Alerts", rows, again)
