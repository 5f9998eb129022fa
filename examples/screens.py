"""Screens: components by route, with Flet's own Router; both follow one number, and no visit leaves a trace."""

# ruff: noqa: N802  # components are named as controls are
import flet as ft

import flet_asp_actors as fa

COUNT = fa.Key("count", 0)


def go_to(route: str) -> None:
    ft.context.page.navigate(route)


@ft.component
def ScreenA() -> ft.Control:
    count, set_count = fa.use_atom(COUNT)
    rows: list[ft.BaseControl] = [
        ft.Text(str(count), theme_style=ft.TextThemeStyle.DISPLAY_LARGE, color=ft.Colors.PRIMARY),
        ft.FilledButton("Increment", icon=ft.Icons.ADD, on_click=lambda: set_count(count + 1)),
        ft.OutlinedButton("Go to B", icon=ft.Icons.ARROW_FORWARD, on_click=lambda: go_to("/b")),
    ]
    bar = ft.AppBar(title="Screen A", bgcolor=ft.Colors.PRIMARY_CONTAINER)
    return ft.View(rows, ft.use_view_path(), appbar=bar, padding=24, spacing=16)


@ft.component
def ScreenB() -> ft.Control:
    count, set_count = fa.use_atom(COUNT)
    number = ft.TextSpan(str(count), style=ft.TextStyle(weight=ft.FontWeight.BOLD, color=ft.Colors.PRIMARY))
    rows: list[ft.BaseControl] = [
        ft.Text(spans=[ft.TextSpan("Count is still: "), number], theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM),
        ft.FilledButton("Increment", icon=ft.Icons.ADD, on_click=lambda: set_count(count + 1)),
        ft.OutlinedButton("Go back", icon=ft.Icons.ARROW_BACK, on_click=lambda: go_to("/")),
    ]
    bar = ft.AppBar(title="Screen B", bgcolor=ft.Colors.SECONDARY_CONTAINER)
    return ft.View(rows, ft.use_view_path(), appbar=bar, padding=24, spacing=16)


@ft.component
def Nowhere() -> ft.Control:
    return ft.TextButton("There is nothing here. Go to screen A.", on_click=lambda: go_to("/"))


@ft.component
def App() -> ft.Control:
    # B is within A: its way back, by the app bar's arrow or a swipe, leads there.
    routes = [ft.Route(path="/", component=ScreenA, children=[ft.Route(path="b", component=ScreenB)])]
    return ft.Router(routes, not_found=Nowhere, manage_views=True)  # pyright: ignore[reportUnknownMemberType]  # Flet's


def main(page: ft.Page) -> None:
    page.title = "Screens"
    fa.get_state_manager(page)
    page.render_views(App)


if __name__ == "__main__":
    ft.run(main)
