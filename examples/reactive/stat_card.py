"""A figure with its trend."""

import flet as ft

import flet_asp_actors as fa


class ReactiveStatCard(ft.Card):
    """An icon, a title, a figure, and how it has changed; `history` is the last two figures.

    Args:
        title: What the figure is about.
        initial: The figure at first.
        icon: An icon for it.
        show_trend: Whether the change is shown.
    """

    def __init__(self, title: str, initial: float, icon: ft.IconData, *, show_trend: bool = True) -> None:
        state = fa.current()
        history = state.atom(fa.Key(title, (initial, initial)))

        def change(get: fa.Get) -> float:
            before, now = get(history)
            return (now - before) / before if before else 0.0

        def arrow(get: fa.Get) -> ft.IconData:
            return ft.Icons.TRENDING_UP if change(get) > 0 else ft.Icons.TRENDING_DOWN

        def color(get: fa.Get) -> ft.ColorValue:
            return ft.Colors.GREEN_700 if change(get) > 0 else ft.Colors.ERROR

        sign = state.bound(ft.Icon(ft.Icons.TRENDING_UP, size=18), icon=arrow, color=color)
        percent = state.bound(ft.Text(), value=lambda get: f"{change(get):+.1%}", color=color)
        figure = ft.Text(size=24, weight=ft.FontWeight.W_600)
        rows: list[ft.Control] = [
            ft.Row([ft.Icon(icon, color=ft.Colors.PRIMARY), ft.Text(title)], spacing=8),
            state.bound(figure, value=lambda get: f"{get(history)[1]:,g}"),
        ]
        if show_trend:
            trend = ft.Row([sign, percent], spacing=4)
            rows.append(state.bound(trend, opacity=lambda get: 1.0 if change(get) else 0.0))
        column = ft.Column(rows, spacing=8, tight=True)
        super().__init__(ft.Container(column, padding=16, width=220), semantic_container=False)
        self.history = history

    def show(self, figure: float) -> None:
        """Show another figure; the trend is the way from the last one to it."""
        self.history.update(lambda history: (history[1], figure))
