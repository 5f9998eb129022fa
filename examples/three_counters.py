"""Three counters: one card, written once, used three times; each instance counts for itself."""

import flet as ft

import flet_asp_actors as fa


class CounterCard(ft.Container):
    """A title, a number and two buttons, in a border. It is given no page: `fa.current()` is the store of the page
    that is being served. `count` is its own atom, to read, to listen to and to bind from outside.
    """

    def __init__(self, title: str, initial: int = 0) -> None:
        state = fa.current()
        count = state.atom(fa.Key(title, initial))  # this instance's own key, whatever the title
        number = ft.Text(theme_style=ft.TextThemeStyle.DISPLAY_MEDIUM, color=ft.Colors.PRIMARY)
        buttons: list[ft.Control] = [
            ft.IconButton(ft.Icons.REMOVE, on_click=self.decrement, tooltip=f"{title}: one less"),
            ft.IconButton(ft.Icons.ADD, on_click=self.increment, tooltip=f"{title}: one more"),
        ]
        rows: list[ft.Control] = [
            ft.Text(title, theme_style=ft.TextThemeStyle.TITLE_MEDIUM),
            state.bound(number, value=count),
            ft.Row(buttons, alignment=ft.MainAxisAlignment.CENTER, spacing=8),
        ]
        super().__init__(
            ft.Column(rows, tight=True, spacing=8, horizontal_alignment=ft.CrossAxisAlignment.CENTER),
            width=176,
            padding=16,
            border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
            border_radius=16,
        )
        self.count = count

    def increment(self) -> None:
        self.count.value += 1

    def decrement(self) -> None:
        self.count.value -= 1


def main(page: ft.Page) -> None:
    page.title, page.padding, page.spacing = "Three counters", 24, 16
    fa.get_state_manager(page)
    cards: list[ft.Control] = [CounterCard(f"Counter {letter}") for letter in "ABC"]
    page.add(
        ft.Text("Three counters", theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM),
        ft.Text("One class, three instances: each has an atom of its own.", color=ft.Colors.ON_SURFACE_VARIANT),
        ft.Row(cards, wrap=True, spacing=16, run_spacing=16),
    )


if __name__ == "__main__":
    ft.run(main)
