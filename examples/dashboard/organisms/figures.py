"""The four figures, and the line that they come by."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, molecules, tokens
from examples.dashboard.state import services
from examples.dashboard.state.figures import figures, trends
from examples.dashboard.state.screen import success

CARDS = {
    "Revenue": (ft.Icons.PAYMENTS_OUTLINED, "${:,.0f}"),
    "Orders": (ft.Icons.SHOPPING_BAG_OUTLINED, "{:,}"),
    "Visitors": (ft.Icons.GROUPS_OUTLINED, "{:,}"),
    "Conversion": (ft.Icons.PERCENT, "{:.1%}"),
}


def figure_cards(state: fa.StateManager) -> ft.Control:
    def card(name: str, icon: ft.IconData, form: str) -> ft.Control:
        one = molecules.stat_card(
            state, name, icon, lambda get: form.format(get(figures)[name]), lambda get: get(trends)[name]
        )
        one.col = {"xs": 6, "lg": 3}
        return one

    cards = [card(name, *how) for name, how in CARDS.items()]
    return ft.ResponsiveRow(cards, spacing=tokens.M, run_spacing=tokens.M)


def live_line(state: fa.StateManager, feed: fa.Service) -> ft.Control:
    """How the line is, and a button that stops it or has it go on."""

    def color(get: fa.Get) -> ft.ColorValue:
        return {"Live": get(success), "Reconnecting": ft.Colors.ERROR}.get(services.line(get, feed), tokens.QUIET)

    def is_paused(get: fa.Get) -> bool:
        return services.line(get, feed) == "Paused"

    pause = ft.IconButton(ft.Icons.PAUSE, tooltip="Pause", on_click=feed.stop, icon_size=20)
    go_on = ft.IconButton(ft.Icons.PLAY_ARROW, tooltip="Go on", on_click=feed.start, icon_size=20)
    parts: list[ft.Control] = [
        state.bound(ft.Icon(ft.Icons.CIRCLE, size=12), color=color),
        state.bound(atoms.body(), value=lambda get: services.line(get, feed)),
        state.bound(pause, visible=lambda get: not is_paused(get)),
        state.bound(go_on, visible=is_paused),
    ]
    return ft.Row(parts, spacing=tokens.S, tight=True)
