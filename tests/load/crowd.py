"""The people: each with a mind of its own, and the same mind whenever it is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median
from time import perf_counter

import anyio

from tests.kit.visitor import Visitor

from .app import FLOOD
from .server import ServerProcess

__all__ = ("Person", "Trips", "crowd")

LETTERS = "abcdefghij"
_IN_TIME = 20.0
"""Seconds in which a client has everything that the server has sent."""


@dataclass
class Trips:
    """How long it took from what a person did until it was on the screen, in seconds."""

    seconds: list[float] = field(default_factory=list[float])
    begun: float = field(default_factory=perf_counter)
    ended: float = 0.0
    floods: list[int] = field(default_factory=list[int])
    """How many messages came of each flood of writes."""

    def __str__(self) -> str:
        ordered = sorted(self.seconds)
        p95 = ordered[int(len(ordered) * 0.95)]
        rate = len(ordered) / (self.ended - self.begun)
        p50 = median(ordered)
        said = f"{len(ordered):,} round trips, {rate:,.0f} a second; p50 {p50 * 1e3:.1f} ms, p95 {p95 * 1e3:.1f} ms"
        if self.floods:
            said += f"; a flood of {FLOOD} writes makes {median(self.floods):.0f} messages"
        return said


class Person:
    """Somebody who uses the app, and knows what has to be on the screen."""

    def __init__(self, server: ServerProcess, seed: int, trips: Trips) -> None:
        self.visitor = Visitor(server.url)
        self._server = server
        self._random = Random(seed)
        self._trips = trips
        self._count = 0
        self._text = ""
        self._saved = ""
        self._items = 0
        self.patience = _IN_TIME
        self._leaves = seed % 2 == 0

    async def visit(self, steps: int, think: float) -> None:
        """Come and do so many things, with so many seconds between them on average; half of all go and come back."""
        await asyncio.sleep(self._random.random() * think)
        await self.visitor.come()
        await self._see("count 0")
        leaves = self._random.randrange(1, steps) if self._leaves and steps > 1 else None
        for step in range(steps):
            if think:
                await asyncio.sleep(self._random.expovariate(1 / think))
            if step == leaves:
                await self._go_and_come_back(think)
            begun = perf_counter()
            await self._random.choice(self._deeds())()
            self._trips.ended = perf_counter()
            self._trips.seconds.append(self._trips.ended - begun)
        if not think:
            await self._flood()

    async def differences(self) -> list[str]:
        """Where the client and the server differ when everything has arrived."""
        found: list[str] = []
        until = perf_counter() + self.patience
        while True:
            found = await self._server.ask("differences", self.visitor.session_id, self.visitor.screen.page)
            if not found or perf_counter() >= until:
                break
            await asyncio.sleep(0.05)
        expected = {f"count {self._count}", f"typed {self._text.upper()}", f"saved {self._saved}"}
        found += [f"not on the screen: {each}" for each in expected - set(self.visitor.screen.texts())]
        if self._count_items() != self._items:
            found.append(f"{self._count_items()} items on the screen instead of {self._items}")
        return found

    def _deeds(self) -> Sequence[Callable[[], Awaitable[None]]]:
        return (self._add, self._add, self._enter, self._append, self._drop, self._save)

    async def _add(self) -> None:
        self._count += 1
        await self.visitor.click("Add")
        await self._see(f"count {self._count}")

    async def _enter(self) -> None:
        """Type a word, a letter after the other, faster than the answers come."""
        for _ in range(4):
            self._text = (self._text + self._random.choice(LETTERS))[-40:]
            await self.visitor.type("Text", self._text)
        await self._see(f"typed {self._text.upper()}")

    async def _append(self) -> None:
        self._items += 1
        await self.visitor.click("Append")
        await self._see_items()

    async def _drop(self) -> None:
        self._items = max(0, self._items - 1)
        await self.visitor.click("Drop")
        await self._see_items()

    async def _save(self) -> None:
        self._saved = self._text
        await self.visitor.click("Save")
        await self._see(f"saved {self._saved}")

    async def _flood(self) -> None:
        """Have more written than frames can be pushed."""
        before = self.visitor.frames
        await self.visitor.click("Flood")
        await self._see(f"level {FLOOD}")
        self._trips.floods.append(self.visitor.frames - before)

    async def _go_and_come_back(self, think: float) -> None:
        session, left = self.visitor.session_id, perf_counter()
        await self.visitor.leave()
        while not await self._server.ask("is_away", session):  # noqa: ASYNC110  # the server is another process
            await asyncio.sleep(0.01)
        await asyncio.sleep(self._random.random() * think)
        await self.visitor.come()
        assert self.visitor.session_id == session, f"after {perf_counter() - left:.1f} s the session is another one"
        await self._see(f"count {self._count}")

    async def _see(self, text: str) -> None:
        await self.visitor.until(lambda: text in self.visitor.screen.texts())

    async def _see_items(self) -> None:
        await self.visitor.until(lambda: self._count_items() == self._items)

    def _count_items(self) -> int:
        return sum(text.startswith("item ") for text in self.visitor.screen.texts())


async def crowd(server: ServerProcess, size: int, steps: int, think: float) -> tuple[list[Person], Trips]:
    """Have so many people visit at once; they are still there at the end."""
    trips = Trips()
    people = [Person(server, seed, trips) for seed in range(size)]
    async with anyio.create_task_group() as group:
        for person in people:
            group.start_soon(person.visit, steps, think)
    return people, trips
