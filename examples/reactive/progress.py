"""How far something is."""

import flet as ft

import flet_asp_actors as fa


class ReactiveProgress(ft.Card):
    """A bar and a percentage; `done` is how much is done of `total`.

    Args:
        title: What is under way.
        total: When it is complete.
        color: The colour of the bar.
    """

    def __init__(self, title: str, total: float = 100, *, color: ft.ColorValue = ft.Colors.PRIMARY) -> None:
        state = fa.current()
        done = state.atom(fa.Key(title, 0.0))

        def share(get: fa.Get) -> float:
            return get(done) / total

        tick = ft.Icon(ft.Icons.CHECK_CIRCLE, color=color, size=18)
        head: list[ft.Control] = [
            ft.Text(title, expand=True),
            state.bound(tick, opacity=lambda get: 1.0 if share(get) == 1 else 0.0),
            state.bound(ft.Text(), value=lambda get: f"{share(get):.0%}"),
        ]
        bar = state.bound(ft.ProgressBar(color=color, bar_height=8, border_radius=4), value=share)
        column = ft.Column([ft.Row(head, spacing=8), bar], spacing=12, tight=True)
        super().__init__(ft.Container(column, padding=16, width=340), semantic_container=False)
        self.done = done
        self.total = total

    def advance(self, by: float = 1) -> None:
        """So much more is done."""
        self.done.update(lambda done: min(done + by, self.total))

    def complete(self) -> None:
        """All of it is done."""
        self.done.value = self.total

    def reset(self) -> None:
        """Nothing is done."""
        self.done.reset()
