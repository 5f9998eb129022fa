"""Global state: a number that all visitors share, and beside it one that each has alone."""

import flet as ft

import flet_asp_actors as fa

EVERYBODY = fa.StateManager()  # made with the module, before there is a page; it outlives them all
SHARED = EVERYBODY.atom(fa.Key("shared", 0))  # a handle, pinned to that store: it can be bound on every page
MINE = fa.Key("mine", 0)  # a key: each page's store has a value of its own


def screen_a(page: ft.Page, state: fa.StateManager) -> ft.View:
    def increment() -> None:
        SHARED.value += 1
        state.update(MINE, lambda mine: mine + 1)

    number = ft.Text(theme_style=ft.TextThemeStyle.DISPLAY_LARGE, color=ft.Colors.PRIMARY)
    mine = ft.Text(color=ft.Colors.ON_SURFACE_VARIANT)
    buttons: list[ft.Control] = [
        ft.FilledButton("Increment", icon=ft.Icons.ADD, on_click=increment),
        ft.OutlinedButton("Go to B", icon=ft.Icons.ARROW_FORWARD, on_click=lambda: page.navigate("/b")),
    ]
    rows: list[ft.BaseControl] = [
        ft.Row([ft.Icon(ft.Icons.PUBLIC), ft.Text("Counted by all visitors")]),
        state.bound(number, value=SHARED),
        ft.Row([ft.Icon(ft.Icons.PERSON), state.bound(mine, value=lambda get: f"Counted by you: {get(MINE)}")]),
        ft.Row(buttons, wrap=True),
    ]
    bar = ft.AppBar(title="Screen A: global state", bgcolor=ft.Colors.PRIMARY_CONTAINER)
    return ft.View(rows, "/", appbar=bar, padding=24, spacing=16)


def screen_b(page: ft.Page, state: fa.StateManager) -> ft.View:
    live = state.bound(ft.TextSpan(style=ft.TextStyle(color=ft.Colors.PRIMARY)), text=SHARED)
    back = ft.FilledButton("Go back", icon=ft.Icons.ARROW_BACK, on_click=lambda: page.navigate("/"))
    rows: list[ft.BaseControl] = [
        # Read once, and bound: the one stays what it was, the other follows.
        ft.Row([ft.Icon(ft.Icons.PHOTO_CAMERA), ft.Text(f"Counter value when you came: {SHARED.value}")]),
        ft.Row([ft.Icon(ft.Icons.SENSORS), ft.Text(spans=[ft.TextSpan("Counter value now: "), live])]),
        ft.Text("No page owns this number: it stays when you go.", color=ft.Colors.ON_SURFACE_VARIANT),
        back,
    ]
    bar = ft.AppBar(title="Screen B: global state", bgcolor=ft.Colors.SECONDARY_CONTAINER)
    return ft.View(rows, "/b", appbar=bar, padding=24, spacing=16)


def main(page: ft.Page) -> None:
    page.title = "Global state"
    state = fa.get_state_manager(page)

    def show() -> None:
        page.views[:] = [page.views[0], screen_b(page, state)] if page.route == "/b" else [page.views[0]]

    page.views[:] = [screen_a(page, state)]
    page.on_route_change, page.on_view_pop = show, lambda: page.navigate("/")
    show()


if __name__ == "__main__":
    ft.run(main)
