"""Cart logic: prices, a voucher, a payment. There is no page in it; `test_cart_logic.py` tests it without one."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from decimal import Decimal

import flet_asp_actors as fa

PRICES = {"Laptop": Decimal("999.99"), "Mouse": Decimal("29.99"), "Keyboard": Decimal("79.99")}
VOUCHERS = {"TEN": Decimal("0.9")}

CART = fa.Key[Counter[str]]("cart", factory=Counter)  # how many of each product
VOUCHER = fa.Key("voucher", "")


class Declined(Exception):
    """There will be no payment. Its text is for people."""


async def ask_bank(amount: Decimal) -> str:
    """Take so much from the account, and return the number of the receipt."""
    await asyncio.sleep(1)
    return f"R-{amount}"


BANK = fa.Key[Callable[[Decimal], Awaitable[str]]]("bank", ask_bank)  # a test puts another one in its place


def add(state: fa.StateManager, product: str) -> None:
    if product not in PRICES:
        raise LookupError(f"There is no {product}")
    state.mutate(CART, lambda cart: cart.update([product]))


@fa.selector
def items(get: fa.Get) -> int:
    return sum(get(CART).values())


@fa.selector
def total(get: fa.Get) -> Decimal:
    full = sum((PRICES[product] * quantity for product, quantity in get(CART).items()), Decimal(0))
    return (full * VOUCHERS.get(get(VOUCHER), Decimal(1))).quantize(Decimal("0.01"))


@fa.action(
    policy="droppable", timeout=30, retry=fa.Retry(3, base=1, on=(ConnectionError,)), expect=(Declined, TimeoutError)
)
async def pay(get: fa.Get, set: fa.Set) -> str:
    paid = Counter(get(CART))
    if not paid:
        raise Declined("The cart is empty")
    receipt = await get(BANK)(get(total))
    set.update(CART, lambda cart: cart - paid)  # what was added meanwhile has not been paid, and stays
    return receipt
