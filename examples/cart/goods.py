"""What there is to buy, and what is in the cart. None of it knows of a screen."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import flet_asp_actors as fa


@dataclass(frozen=True)
class Product:
    name: str
    price: Decimal


@dataclass
class Line:
    """A product in the cart, and how many of it. It is edited in place."""

    product: Product
    quantity: int = 1

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity


PRODUCTS = fa.Key[tuple[Product, ...]](
    "products",
    (
        Product("Laptop", Decimal("999.99")),
        Product("Mouse", Decimal("29.99")),
        Product("Keyboard", Decimal("79.99")),
    ),
)
CART = fa.Key[list[Line]]("cart", factory=list)


@fa.selector
def items(get: fa.Get) -> int:
    return sum(line.quantity for line in get(CART))


@fa.selector
def total(get: fa.Get) -> Decimal:
    return sum((line.total for line in get(CART)), Decimal(0))


def more(product: Product, by: int) -> Callable[[list[Line]], None]:
    """So many more of a product, or fewer; a line of none is gone. For `state.mutate(CART, ...)`."""

    def edit(lines: list[Line]) -> None:
        line = next((line for line in lines if line.product == product), None)
        if line is None:
            lines.append(line := Line(product, 0))
        line.quantity += by
        if line.quantity <= 0:
            lines.remove(line)

    return edit
