"""Echo: a field and an atom follow each other, both ways; a listener hears every value."""

import flet as ft

import flet_asp_actors as fa

TEXT = fa.Key("text", "Hello, world!")
HEARD = fa.Key[tuple[str, ...]]("heard", ())


def echo(state: fa.StateManager) -> ft.Control:
    def hear(text: str) -> None:
        state.update(HEARD, lambda heard: (*heard, text)[-6:])

    state.listen(TEXT, hear, immediate=False)  # what was there before is no news
    buttons: list[ft.Control] = [
        ft.OutlinedButton("Clear", on_click=lambda: state.set(TEXT, "")),
        ft.OutlinedButton("Reset", on_click=lambda: state.reset(TEXT)),
    ]
    heard = ft.Text(color=ft.Colors.ON_SURFACE_VARIANT)
    rows: list[ft.Control] = [
        ft.Text("Echo", size=30),
        state.bound(ft.TextField(label="Say something"), value=fa.two_way(TEXT)),
        ft.Row(buttons, spacing=8),
        state.bound(ft.Text(size=20, color=ft.Colors.PRIMARY), value=TEXT),
        ft.Divider(),
        ft.Text("Heard so far", weight=ft.FontWeight.BOLD),
        state.bound(heard, value=lambda get: "\n".join(f'"{text}"' for text in get(HEARD))),
    ]
    return ft.Column(rows, tight=True, spacing=16)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Echo", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Container(echo(fa.get_state_manager(page)), width=300))


if __name__ == "__main__":
    ft.run(main)
