"""Reactive controls: each with state of its own, side by side, and a line that follows three of them."""

import asyncio

import flet as ft

import flet_asp_actors as fa
from examples import reactive as ui
from examples.reactive.feeds import follow, transfer


async def sign_up(values: dict[str, str]) -> str:
    await asyncio.sleep(0.4)
    return "\n".join([f"Welcome, {values['Name']}", values["E-mail"], "*" * len(values["Password"])])


def sign_up_form() -> ft.Control:
    name = ui.ReactiveInput("Name", check=lambda text: None if text.strip() else "Please say who you are")
    mail = ui.ReactiveInput("E-mail", check=lambda text: None if "@" in text else "An address has an @ in it")
    word = ui.ReactiveInput(
        "Password", check=lambda text: None if len(text) > 3 else "Four characters at least", password=True
    )
    return ui.ReactiveForm("Sign up", [name, mail, word], sign_up, placeholder="Submit the form to see what came of it")


def gallery() -> ft.Control:
    state = fa.current()
    counters = [
        ui.ReactiveCounter("One by one"),
        ui.ReactiveCounter("Tens", 10, 5),
        ui.ReactiveCounter("Hundreds", 100, 10),
    ]
    cards = [
        ui.ReactiveStatCard("Visitors", 1200, ft.Icons.PEOPLE),
        ui.ReactiveStatCard("Sales", 340, ft.Icons.SHOPPING_CART),
    ]
    up, down = ui.ReactiveProgress("Upload"), ui.ReactiveProgress("Download", color=ft.Colors.TERTIARY)
    move = state.action(transfer)
    follow(state, cards)
    total = state.bound(ft.Text(size=18), value=lambda get: f"Total: {sum(get(each.count) for each in counters)}")
    side: list[ft.Control] = [
        up,
        ft.OutlinedButton("Upload", icon=ft.Icons.UPLOAD, on_click=lambda: move(up, 5, 0.1)),
        down,
        ft.OutlinedButton("Download", icon=ft.Icons.DOWNLOAD, on_click=lambda: move(down, 3, 0.15)),
    ]
    parts = [sign_up_form(), ft.Column(list[ft.Control](cards), spacing=16), ft.Column(side, spacing=16)]
    lower = ft.Row(parts, spacing=16, run_spacing=16, wrap=True, vertical_alignment=ft.CrossAxisAlignment.START)
    upper = ft.Row(list[ft.Control](counters), spacing=16, run_spacing=16, wrap=True)
    return ft.Column([upper, total, lower], spacing=16, tight=True)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.scroll = "Reactive controls", 24, ft.ScrollMode.AUTO
    page.add(gallery())


if __name__ == "__main__":
    ft.run(main)
