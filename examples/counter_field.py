"""Counter field: a number to step or to type in, bound by a Ref and bound directly; what is typed counts."""

import flet as ft

import flet_asp_actors as fa

COUNT = fa.Key("count", 0)


def whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("A whole number") from None


def counter_field(state: fa.StateManager) -> ft.Control:
    def fewer() -> None:
        state.update(COUNT, lambda count: count - 1)

    def more() -> None:
        state.update(COUNT, lambda count: count + 1)

    def number(label: str, ref: ft.Ref[ft.TextField] | None = None) -> ft.TextField:
        return ft.TextField(ref=ref, label=label, width=160, text_align=ft.TextAlign.RIGHT)

    ref = ft.Ref[ft.TextField]()
    state.bind_two_way(COUNT, ref, parse=whole_number)  # before there is a field
    by_ref: list[ft.Control] = [
        ft.IconButton(ft.Icons.REMOVE, on_click=fewer, tooltip="One less", width=48, height=48),
        number("Bound by a Ref", ref),
        ft.IconButton(ft.Icons.ADD, on_click=more, tooltip="One more", width=48, height=48),
    ]
    directly: list[ft.Control] = [
        ft.TextButton(ft.Text("-", size=24), on_click=fewer, width=48, height=48),
        state.bound(number("Bound directly"), value=fa.two_way(COUNT, parse=whole_number)),
        ft.TextButton(ft.Text("+", size=24), on_click=more, width=48, height=48),
    ]
    middle, top = ft.MainAxisAlignment.CENTER, ft.CrossAxisAlignment.START
    rows = [ft.Row(parts, alignment=middle, vertical_alignment=top) for parts in (by_ref, directly)]
    heading = ft.Text("Counter field", size=30)
    return ft.Column([heading, *rows], tight=True, spacing=24, horizontal_alignment=ft.CrossAxisAlignment.CENTER)


def main(page: ft.Page) -> None:
    page.title, page.padding = "Counter field", 24
    page.vertical_alignment, page.horizontal_alignment = ft.MainAxisAlignment.CENTER, ft.CrossAxisAlignment.CENTER
    page.add(counter_field(fa.get_state_manager(page)))


if __name__ == "__main__":
    ft.run(main)
