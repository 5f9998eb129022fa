"""Charts: of days, products, customers, statuses. What they count is a choice of the person."""

from collections.abc import Sequence

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import molecules, tokens
from examples.dashboard.state.figures import share, sums
from examples.dashboard.state.keys import METRIC
from examples.dashboard.state.records import DAYS, PEOPLE, PRICES


def short(get: fa.Get, number: float) -> str:
    if get(METRIC) == "Orders":
        return f"{number:.0f}"
    return f"${number / 1000:.1f}k" if number >= 1000 else f"${number:.0f}"


def by_day_chart(state: fa.StateManager) -> ft.Control:
    def bar(number: int, day: str) -> ft.Control:
        return molecules.bar(
            state, day, lambda get: get(share("day", number)), lambda get: short(get, get(sums("day")).get(number, 0))
        )

    return ft.Row([bar(*day) for day in enumerate(DAYS)], spacing=tokens.S)


def shares(state: fa.StateManager, field: str, values: Sequence[str]) -> ft.Control:
    def row(value: str) -> ft.Control:
        return molecules.share(
            state, value, lambda get: get(share(field, value)), lambda get: short(get, get(sums(field)).get(value, 0))
        )

    return ft.Column([row(value) for value in values], spacing=tokens.M)


def by_product_chart(state: fa.StateManager) -> ft.Control:
    return shares(state, "product", tuple(PRICES))


def by_customer_chart(state: fa.StateManager) -> ft.Control:
    return shares(state, "customer", PEOPLE)


def by_status_chart(state: fa.StateManager) -> ft.Control:
    return shares(state, "status", ("Paid", "Pending", "Refunded"))
