"""Names: a value that is derived from two others, and follows every keystroke."""

import flet as ft

import flet_asp_actors as fa

FIRST = fa.Key("first", "John")
LAST = fa.Key("last", "Doe")


@fa.selector
def full_name(get: fa.Get) -> str:
    return f"{get(FIRST)} {get(LAST)}".strip()


def names(state: fa.StateManager) -> ft.Control:
    return ft.Column(
        [
            ft.Text("Name builder", size=30),
            state.bound(ft.TextField(label="First name"), value=fa.two_way(FIRST)),
            state.bound(ft.TextField(label="Last name"), value=fa.two_way(LAST)),
            ft.Divider(),
            ft.Text("Full name:", weight=ft.FontWeight.BOLD),
            state.bound(ft.Text(size=20, color=ft.Colors.BLUE), value=full_name),
        ],
        tight=True,
        spacing=20,
    )


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Name builder", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Container(names(fa.get_state_manager(page)), width=300))


if __name__ == "__main__":
    ft.run(main)
