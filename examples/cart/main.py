"""Shopping cart: a list that is edited in place, and everything that follows from it is right at once."""

import flet as ft

import flet_asp_actors as fa
from examples.cart.cart import cart
from examples.cart.goods import CART, PRODUCTS, Product, more


def products(state: fa.StateManager) -> ft.Control:
    def build(row: fa.Row[Product]) -> ft.Control:
        product = row.value
        add = ft.IconButton(ft.Icons.ADD_SHOPPING_CART, tooltip=f"Add {product.name}")
        add.on_click = lambda: state.mutate(CART, more(product, 1))
        price = ft.Text(f"${product.price:.2f}", color=ft.Colors.ON_SURFACE_VARIANT)
        about = ft.Column([ft.Text(product.name, size=16), price], spacing=0, expand=True)
        return ft.Card(ft.Container(ft.Row([about, add]), padding=16), semantic_container=False)

    cards = ft.Column(spacing=8)
    state.bind_list(PRODUCTS, cards, build)
    return ft.Column([ft.Text("Products", theme_style=ft.TextThemeStyle.TITLE_LARGE), cards], spacing=16)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.scroll = "Shopping cart", 24, ft.ScrollMode.AUTO
    state = fa.get_state_manager(page)
    halves = [ft.Container(half, col={"xs": 12, "md": 6}) for half in (products(state), cart(state))]
    page.add(ft.ResponsiveRow(list[ft.Control](halves), spacing=24, run_spacing=24))


if __name__ == "__main__":
    ft.run(main)
