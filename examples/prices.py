"""Prices: a feed as a supervised service. It runs while somebody looks, and comes back when the line breaks."""

import json

import flet as ft

import flet_asp_actors as fa
from examples import api

PRICES = fa.Key[dict[str, tuple[float, float]]]("prices", factory=dict)  # each with its last change


async def feed(get: fa.Get, set: fa.Set) -> None:
    async with api.request("GET", "/prices") as response:
        set.progress(None, "Live")
        async for line in response.aiter_lines():
            set(PRICES, json.loads(line))


@fa.selector
def names(get: fa.Get) -> tuple[str, ...]:
    return tuple(get(PRICES))


def prices(state: fa.StateManager) -> ft.Control:
    service = state.service(retry=fa.Retry(attempts=None, base=0.5, cap=10), while_watched=PRICES)(feed)

    def line(get: fa.Get) -> str:
        status = get(service.status)
        if status.state == "cancelled":
            return "Stopped"
        is_again = status.state == "failed" or status.attempt > 1
        return status.progress_text or ("Reconnecting..." if is_again else "Connecting...")

    def row(name: str) -> ft.Control:
        up = ft.Icon(ft.Icons.TRENDING_UP, color=ft.Colors.GREEN)
        down = ft.Icon(ft.Icons.TRENDING_DOWN, color=ft.Colors.RED)
        trend = state.bound(ft.Container(), content=lambda get: down if get(PRICES)[name][1] < 0 else up)
        price = state.bound(ft.Text(size=20), value=lambda get: f"{get(PRICES)[name][0]:.2f}")
        return ft.Row([ft.Text(name, expand=True), price, trend])

    buttons: list[ft.Control] = [
        state.bound(ft.OutlinedButton("Stop", on_click=service.stop), disabled=lambda get: line(get) == "Stopped"),
        state.bound(ft.OutlinedButton("Start", on_click=service.start), disabled=lambda get: line(get) != "Stopped"),
    ]
    rows: list[ft.Control] = [
        ft.Text("Prices", size=30),
        state.bound(ft.Text(), value=line, color=lambda get: ft.Colors.GREEN if line(get) == "Live" else ft.Colors.RED),
        state.bound(ft.Column(), controls=lambda get: [row(name) for name in get(names)]),
        ft.Row(buttons),
    ]
    return ft.Column(rows, tight=True, spacing=20)


def main(page: ft.Page) -> None:
    page.add(ft.Container(prices(fa.get_state_manager(page)), width=350, padding=14))


if __name__ == "__main__":
    ft.run(main)
