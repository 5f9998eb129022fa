"""Counter: one atom, one bound text, one button."""

import flet as ft

import flet_asp_actors as fa


def counter(state: fa.StateManager) -> ft.Control:
    count = state.atom("count", 0)

    def increment() -> None:
        count.value += 1

    return ft.Column(
        [
            ft.Text("Counter", size=30),
            state.bound(ft.Text(size=50), value=count),
            ft.FilledButton("Increment", on_click=increment),
        ],
        tight=True,
        spacing=20,
    )


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Counter", 24, ft.CrossAxisAlignment.CENTER
    page.add(counter(fa.get_state_manager(page)))


if __name__ == "__main__":
    ft.run(main)
