"""Navigation: two screens over one number; it is raised on the one and shows on the other."""

import flet as ft

import flet_asp_actors as fa

COUNT = fa.Key("count", 0)


def home(page: ft.Page, state: fa.StateManager) -> ft.View:
    number = ft.Text(theme_style=ft.TextThemeStyle.DISPLAY_LARGE, color=ft.Colors.PRIMARY)
    return ft.View(
        route="/",
        appbar=ft.AppBar(title="Home", bgcolor=ft.Colors.PRIMARY_CONTAINER),
        padding=24,
        spacing=16,
        controls=[
            ft.Text("Counter value:", theme_style=ft.TextThemeStyle.TITLE_LARGE),
            state.bound(number, value=COUNT),
            ft.FilledButton("Go to Settings", icon=ft.Icons.SETTINGS, on_click=lambda: page.navigate("/settings")),
        ],
    )


def settings(page: ft.Page, state: fa.StateManager) -> ft.View:
    def increment() -> None:
        state.update(COUNT, lambda count: count + 1)

    hint = ft.Text(color=ft.Colors.ON_SURFACE_VARIANT)
    return ft.View(
        route="/settings",
        appbar=ft.AppBar(title="Settings", bgcolor=ft.Colors.SECONDARY_CONTAINER),
        padding=24,
        spacing=16,
        controls=[
            ft.Text("Modify the counter", theme_style=ft.TextThemeStyle.TITLE_LARGE),
            state.bound(hint, value=lambda get: f"Home shows {get(COUNT)}"),
            ft.FilledButton("Increment", icon=ft.Icons.ADD, on_click=increment),
            ft.OutlinedButton("Go Back", icon=ft.Icons.ARROW_BACK, on_click=lambda: page.navigate("/")),
        ],
    )


def main(page: ft.Page) -> None:
    page.title = "Navigation"
    state = fa.get_state_manager(page)
    page.views[:] = [home(page, state)]

    def show() -> None:  # the route is changed by a button, by the browser, or by a link
        del page.views[1:]
        if page.route == "/settings":
            page.views.append(settings(page, state))  # a new one; the bindings of the last have gone with it

    page.on_route_change = show
    page.on_view_pop = lambda: page.navigate("/")  # the arrow of the app bar; Home alone has none
    show()  # a link may lead to Settings at once


if __name__ == "__main__":
    ft.run(main)
