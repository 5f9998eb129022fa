"""The bar that says that something has worked."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard.state.keys import HAS_MESSAGE, MESSAGE
from examples.dashboard.state.screen import is_narrow, on_success, success


def message_bar(state: fa.StateManager) -> ft.SnackBar:
    words = state.bound(ft.Text(), value=MESSAGE, color=on_success)
    bar = ft.SnackBar(words, behavior=ft.SnackBarBehavior.FLOATING)
    state.bound(bar, width=lambda get: None if get(is_narrow) else 400)
    return state.bound(bar, open=fa.two_way(HAS_MESSAGE), bgcolor=success)
