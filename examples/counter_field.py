"""Counter field: a number to step or to type in; what is typed counts. Bound by a Ref, and bound directly."""

import flet as ft

import flet_asp_actors as fa

COUNT = fa.Key("count", 0)


def whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("A whole number, please") from None


def counter_field(state: fa.StateManager) -> ft.Control:
    def add(step: int) -> None:
        state.update(COUNT, lambda count: count + step)

    def number(label: str, ref: ft.Ref[ft.TextField] | None = None) -> ft.TextField:
        keyboard, right = ft.KeyboardType.NUMBER, ft.TextAlign.RIGHT
        return ft.TextField(ref=ref, label=label, width=160, keyboard_type=keyboard, text_align=right)

    ref = ft.Ref[ft.TextField]()
    state.bind_two_way(COUNT, ref, parse=whole_number)  # before there is a field
    by_ref: list[ft.Control] = [
        ft.IconButton(ft.Icons.REMOVE, on_click=lambda: add(-1), tooltip="One less"),
        number("Bound by a Ref", ref),
        ft.IconButton(ft.Icons.ADD, on_click=lambda: add(1), tooltip="One more"),
    ]
    directly: list[ft.Control] = [
        ft.TextButton("-", on_click=lambda: add(-1)),
        state.bound(number("Bound directly"), value=fa.two_way(COUNT, parse=whole_number)),
        ft.TextButton("+", on_click=lambda: add(1)),
    ]
    rows = [ft.Row(parts, alignment=ft.MainAxisAlignment.CENTER) for parts in (by_ref, directly)]
    centre = ft.CrossAxisAlignment.CENTER
    return ft.Column([ft.Text("Counter field", size=30), *rows], tight=True, spacing=24, horizontal_alignment=centre)


def main(page: ft.Page) -> None:
    page.title, page.padding = "Counter field", 24
    page.vertical_alignment, page.horizontal_alignment = ft.MainAxisAlignment.CENTER, ft.CrossAxisAlignment.CENTER
    page.add(counter_field(fa.get_state_manager(page)))


if __name__ == "__main__":
    ft.run(main)
