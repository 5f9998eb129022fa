"""The shop's server, as far as this example has one. Tests put another in its place."""

import asyncio
import random

from examples.dashboard.state.records import PEOPLE, PRICES, Order, Profile


async def next_order(number: int) -> Order:
    """Wait for the next order; now and then the line breaks."""
    await asyncio.sleep(5)
    if random.random() < 0.1:
        raise ConnectionError("The line to the shop was cut")
    product = random.choice(tuple(PRICES))
    return Order(number, random.choice(PEOPLE), product, PRICES[product] * random.randint(1, 3), 6)


async def new_visitors() -> int:
    return random.randint(4, 30)


async def save(profile: Profile) -> None:
    await asyncio.sleep(0.6)
