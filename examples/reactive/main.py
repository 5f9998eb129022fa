"""Reactive controls side by side: each with its own state, and a line that follows three of them."""

import asyncio

import flet as ft

import flet_asp_actors as fa
from examples import reactive as ui


@fa.action(policy="restartable")
async def upload(get: fa.Get, set: fa.Set, bar: ui.ReactiveProgress) -> None:
    bar.reset()
    while bar.done.value < bar.total:
        await asyncio.sleep(0.1)
        bar.advance(5)


async def sign_up(values: dict[str, str]) -> str:
    await asyncio.sleep(0.4)
    return f"Welcome, {values['Name']}"


def gallery() -> ft.Control:
    state = fa.current()
    counters = [
        ui.ReactiveCounter("One by one"),
        ui.ReactiveCounter("Tens", 10, 5),
        ui.ReactiveCounter("Hundreds", 100, 10),
    ]
    people = ui.ReactiveStatCard("Visitors", 1200, ft.Icons.PEOPLE)
    sales = ui.ReactiveStatCard("Sales", 340, ft.Icons.SHOPPING_CART)
    note = ui.ReactiveText("Nothing has happened yet", color=ft.Colors.ON_SURFACE_VARIANT)
    name = ui.ReactiveInput("Name", check=lambda text: None if text.strip() else "Please say who you are")
    mail = ui.ReactiveInput("E-mail", check=lambda text: None if "@" in text else "An address has an @ in it")
    form = ui.ReactiveForm("Sign up", [name, mail], sign_up)
    bar = ui.ReactiveProgress("Upload")

    def refresh() -> None:
        people.show(people.history.value[1] + 60)
        sales.show(sales.history.value[1] - 17)
        note.text.value = "The figures are new"

    total = state.bound(ft.Text(size=18), value=lambda get: f"Total: {sum(get(each.count) for each in counters)}")
    fresh = ft.OutlinedButton("New figures", icon=ft.Icons.REFRESH, on_click=refresh)
    begin = ft.OutlinedButton("Upload", icon=ft.Icons.UPLOAD, on_click=lambda: state.action(upload)(bar))
    side = ft.Column([bar, begin, fresh, note], spacing=12, tight=True)
    stats = ft.Column([people, sales], spacing=12, tight=True)
    lower = ft.Row([form, stats, side], spacing=12, wrap=True, vertical_alignment=ft.CrossAxisAlignment.START)
    return ft.Column([ft.Row(list[ft.Control](counters), spacing=12, wrap=True), total, lower], spacing=16, tight=True)


def main(page: ft.Page) -> None:
    page.theme_mode, page.padding, page.scroll = ft.ThemeMode.LIGHT, 24, ft.ScrollMode.AUTO
    page.add(gallery())


if __name__ == "__main__":
    ft.run(main)
