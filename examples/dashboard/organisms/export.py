"""The button that gives the orders of the table as a file."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard.state.actions import as_csv
from examples.dashboard.state.found import found_orders
from examples.dashboard.state.keys import HAS_MESSAGE, MESSAGE


@fa.action(policy="droppable")
async def export(get: fa.Get, set: fa.Set) -> None:
    orders = get(found_orders)
    picker = ft.FilePicker()
    saved = await picker.save_file(file_name="orders.csv", src_bytes=as_csv(orders))
    if saved or picker.page.web:  # a browser does not tell
        set(MESSAGE, f"Exported {len(orders)} orders")
        set(HAS_MESSAGE, True)


def export_button(state: fa.StateManager) -> ft.Control:
    go = state.action(export)
    button = ft.OutlinedButton("Export", icon=ft.Icons.DOWNLOAD, on_click=go)
    return state.bound(button, disabled=lambda get: get(go.status).is_busy or not get(found_orders))
