"""The tests of the payment in `cart_logic`: no bank, and no waiting. From the root of the repository, with either:

python -m pytest examples/test_cart_payment.py
python -m unittest examples.test_cart_payment
"""

# ruff: noqa: PT009  # what both runners know
import functools
import unittest
from collections.abc import Awaitable, Callable
from decimal import Decimal

import anyio

import flet_asp_actors as fa
from examples.cart_logic import BANK, CART, Declined, add, pay
from flet_asp_actors.testing import virtual_backend


def in_virtual_time(test: Callable[["TestPayment"], Awaitable[None]]) -> Callable[["TestPayment"], None]:
    """Run an async test with a clock that jumps: half a minute that is slept through takes no time."""

    @functools.wraps(test)
    def run(case: "TestPayment") -> None:
        name, options = virtual_backend()
        anyio.run(test, case, backend=name, backend_options=options)

    return run


class TestPayment(unittest.TestCase):
    def setUp(self) -> None:
        self.answers: list[str | Exception] = []  # of the bank, one after the other; then it is silent
        self.state = fa.StateManager(overrides={BANK: self.bank})
        add(self.state, "Mouse")

    async def bank(self, amount: Decimal) -> str:
        if not self.answers:
            await anyio.sleep_forever()
        if isinstance(answer := self.answers.pop(0), Exception):
            raise answer
        return f"{answer}: {amount}"

    @in_virtual_time
    async def test_what_was_paid_leaves_the_cart(self) -> None:
        self.answers = [ConnectionError(), ConnectionError(), "Paid"]  # it is asked again after a second, and after two
        async with self.state as state:  # the tasks of the test end with the block
            self.assertEqual(await state.action(pay)(), "Paid: 29.99")
            self.assertEqual(state.get(CART), {})

    @in_virtual_time
    async def test_what_was_not_paid_stays_in_the_cart(self) -> None:
        answers: dict[str, list[str | Exception]] = {"No money": [Declined("No money")], "not finish within 30 s": []}
        async with self.state as state:
            for message, self.answers in answers.items():
                await state.action(pay)().wait()  # watches the run, and does not raise
                self.assertIn(message, state.get(pay.status).message)
                self.assertEqual(state.get(CART), {"Mouse": 1})
