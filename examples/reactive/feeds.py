"""What goes on by itself: figures that come every few seconds, and files that are on their way."""

import asyncio
import random
from collections.abc import Sequence

import flet_asp_actors as fa
from examples.reactive.progress import ReactiveProgress
from examples.reactive.stat_card import ReactiveStatCard

PERIOD = 3.0
"""Seconds between two figures."""


def change() -> float:
    """By how much the next figure is more than the last, as a share of it."""
    return random.uniform(-0.08, 0.1)


def follow(state: fa.StateManager, cards: Sequence[ReactiveStatCard]) -> fa.Service:
    """Have the cards show new figures as long as the first of them is on the page."""

    @state.service("figures", while_watched=cards[0].history)
    async def figures(get: fa.Get, set: fa.Set) -> None:
        while True:
            await asyncio.sleep(PERIOD)
            for card in cards:
                card.show(round(get(card.history)[1] * (1 + change())))

    return figures


@fa.action(policy="restartable", per="bar")
async def transfer(get: fa.Get, set: fa.Set, bar: ReactiveProgress, part: float, seconds: float) -> None:
    """Move a file, a part at a time; `bar` shows how far it is."""
    bar.reset()
    while get(bar.done) < bar.total:
        await asyncio.sleep(seconds)
        bar.advance(part)
