"""The cart: a row for each line, and the sum of all."""

import flet as ft

import flet_asp_actors as fa
from examples.cart.goods import CART, Line, items, more, total

TIMES = "\N{MULTIPLICATION SIGN}"


def cart(state: fa.StateManager) -> ft.Control:
    def build(row: fa.Row[Line]) -> ft.Control:
        product = row.value.product

        def button(icon: ft.IconData, words: str, by: int) -> ft.Control:
            return ft.IconButton(icon, tooltip=words, on_click=lambda: state.mutate(CART, more(product, by)))

        remove = ft.IconButton(ft.Icons.DELETE_OUTLINE, tooltip=f"Remove {product.name}")
        remove.on_click = lambda: state.mutate(CART, lambda lines: lines.remove(state.get(row)))
        each = ft.Text(color=ft.Colors.ON_SURFACE_VARIANT, expand=True)
        about = [
            state.bound(each, value=lambda get: f"${product.price:.2f} {TIMES} {get(row).quantity}"),
            button(ft.Icons.REMOVE, f"One {product.name} less", -1),
            button(ft.Icons.ADD, f"One {product.name} more", 1),
            remove,
        ]
        price = state.bound(ft.Text(), value=lambda get: f"${get(row).total:.2f}")
        return ft.Column([ft.Row([ft.Text(product.name, expand=True), price]), ft.Row(about, spacing=0)], spacing=0)

    lines = ft.Column(spacing=8)
    state.bind_list(CART, lines, build, lambda line: line.product)
    empty = ft.Text("Cart is empty", italic=True, color=ft.Colors.ON_SURFACE_VARIANT)
    clear = ft.OutlinedButton("Clear Cart", icon=ft.Icons.REMOVE_SHOPPING_CART, on_click=lambda: state.reset(CART))
    sum_up = ft.Text(weight=ft.FontWeight.BOLD, size=18, expand=True)
    rows: list[ft.Control] = [
        ft.Text("Shopping Cart", theme_style=ft.TextThemeStyle.TITLE_LARGE),
        state.bound(ft.Text(), value=lambda get: f"Items: {get(items)}"),
        state.bound(empty, visible=lambda get: not get(CART)),
        lines,
        ft.Divider(),
        ft.Row(
            [
                state.bound(sum_up, value=lambda get: f"Total: ${get(total):.2f}"),
                state.bound(clear, disabled=lambda get: not get(CART)),
            ]
        ),
    ]
    return ft.Card(ft.Container(ft.Column(rows, spacing=16), padding=24), semantic_container=False)
