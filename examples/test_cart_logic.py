"""The tests of `cart_logic` that need no event loop. From the root of the repository, with either runner:

python -m pytest examples/test_cart_logic.py
python -m unittest examples.test_cart_logic

Its payment, which takes time, is tested in `test_cart_payment.py`.
"""

# ruff: noqa: PT009, PT027  # what both runners know
import unittest
from decimal import Decimal

import flet_asp_actors as fa
from examples.cart_logic import VOUCHER, add, items, total


class TestCart(unittest.TestCase):
    def setUp(self) -> None:
        self.state = fa.StateManager()  # a new one for each test: nothing is left over, nothing has to be cleared

    def test_a_cart_is_empty_at_first(self) -> None:
        self.assertEqual((self.state.get(items), self.state.get(total)), (0, Decimal(0)))

    def test_the_total_follows_the_cart_and_the_voucher(self) -> None:
        add(self.state, "Laptop")
        add(self.state, "Mouse")
        add(self.state, "Mouse")
        self.assertEqual((self.state.get(items), self.state.get(total)), (3, Decimal("1059.97")))
        self.state.set(VOUCHER, "TEN")
        self.assertEqual(self.state.get(total), Decimal("953.97"))

    def test_what_is_not_sold_changes_nothing(self) -> None:
        with self.assertRaisesRegex(LookupError, "no Piano"):
            add(self.state, "Piano")
        self.assertEqual(self.state.get(items), 0)

    def test_who_listens_is_told_once_for_a_batch(self) -> None:
        heard: list[Decimal] = []
        self.state.listen(total, heard.append, immediate=False)
        with self.state.batch():
            add(self.state, "Mouse")
            add(self.state, "Mouse")
        self.assertEqual(heard, [Decimal("59.98")])

    def test_a_store_can_be_used_again(self) -> None:
        add(self.state, "Mouse")
        self.state.set(VOUCHER, "TEN")
        self.state.clear()  # every value, whatever there was, back to its default
        self.assertEqual((self.state.get(items), self.state.get(VOUCHER)), (0, ""))


if __name__ == "__main__":
    unittest.main()
