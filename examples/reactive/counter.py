"""A counter that keeps count for itself."""

import flet as ft

import flet_asp_actors as fa


class ReactiveCounter(ft.Card):
    """A title, a number and three buttons; `count` is the number.

    Args:
        title: What is counted.
        initial: Where it begins, and where a reset puts it.
        step: How far a click goes.
        color: The colour of the number.
    """

    def __init__(
        self, title: str, initial: int = 0, step: int = 1, *, color: ft.ColorValue = ft.Colors.PRIMARY
    ) -> None:
        state = fa.current()
        count = state.atom(fa.Key(title, initial))
        number = ft.Text(size=36, weight=ft.FontWeight.W_600, color=color)
        buttons: list[ft.Control] = [
            ft.IconButton(ft.Icons.REMOVE, on_click=self.decrement, tooltip=f"{title}: {step} less"),
            ft.IconButton(ft.Icons.REFRESH, on_click=self.reset, tooltip=f"{title}: reset"),
            ft.IconButton(ft.Icons.ADD, on_click=self.increment, tooltip=f"{title}: {step} more"),
        ]
        rows: list[ft.Control] = [
            ft.Text(title, color=ft.Colors.ON_SURFACE_VARIANT),
            state.bound(number, value=lambda get: str(get(count))),
            ft.Row(buttons, spacing=4, alignment=ft.MainAxisAlignment.CENTER),
        ]
        column = ft.Column(rows, spacing=8, tight=True, horizontal_alignment=ft.CrossAxisAlignment.CENTER)
        super().__init__(ft.Container(column, padding=16, width=220), semantic_container=False)
        self.count = count
        self.step = step

    def increment(self) -> None:
        """One step up."""
        self.count.value += self.step

    def decrement(self) -> None:
        """One step down."""
        self.count.value -= self.step

    def reset(self) -> None:
        """Back to where it began."""
        self.count.reset()
