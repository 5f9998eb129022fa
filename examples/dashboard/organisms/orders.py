"""The tables of orders."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, molecules
from examples.dashboard.organisms.table import Column, table
from examples.dashboard.state.found import found_orders, recent_orders
from examples.dashboard.state.records import DAYS, Order


def orders_table(state: fa.StateManager) -> ft.Control:
    return table(state, "orders", found_orders, lambda order: order.number, columns(state))


def recent_table(state: fa.StateManager) -> ft.Control:
    """The latest five, as they come."""
    return table(state, "recent", recent_orders, lambda order: order.number, columns(state))


def columns(state: fa.StateManager) -> list[Column[Order]]:
    def total(row: fa.Row[Order]) -> ft.Control:
        return ft.Text(f"${row.value.total:,.2f}", weight=ft.FontWeight.W_600, no_wrap=True)

    def customer(row: fa.Row[Order]) -> ft.Control:
        return molecules.person(state, lambda get: get(row).customer)

    return [
        Column("Order", "number", lambda row: atoms.quiet(f"#{row.value.number}"), only_wide=True),
        Column("Customer", "customer", customer, 4),
        Column("Product", "product", lambda row: atoms.one_line(atoms.body(row.value.product)), 3, only_wide=True),
        Column("Day", "day", lambda row: atoms.quiet(DAYS[row.value.day]), only_wide=True),
        Column("Status", "status", lambda row: molecules.status_tag(row.value.status), 3),
        Column("Total", "total", total, 3, at_end=True),
    ]
