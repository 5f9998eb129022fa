"""Full name: a name that follows two fields as they are filled in, without a space too many."""

import flet as ft

import flet_asp_actors as fa

FIRST = fa.Key("first", "")
LAST = fa.Key("last", "")


@fa.selector
def full_name(get: fa.Get) -> str:
    return " ".join(f"{get(FIRST)} {get(LAST)}".split())


def full_name_form(state: fa.StateManager) -> ft.Control:
    rows: list[ft.Control] = [
        ft.Text("Full name", size=30),
        state.bound(ft.Text(size=24, color=ft.Colors.PRIMARY), value=full_name),
        state.bound(ft.TextField(label="First name"), value=fa.two_way(FIRST)),
        state.bound(ft.TextField(label="Last name"), value=fa.two_way(LAST)),
    ]
    return ft.Column(rows, tight=True, spacing=16)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Full name", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Container(full_name_form(fa.get_state_manager(page)), width=300))


if __name__ == "__main__":
    ft.run(main)
