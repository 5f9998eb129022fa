"""A wave: many people come at once, use the app, compare what they have, and leave for good."""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from .crowd import Trips, crowd
from .server import ServerProcess

__all__ = ("Wave", "wave")

_KEPT, _FOR_GOOD = 20, 3600
"""Seconds that a session is kept without a client: if it is to be swept, and if not."""
_SWEEP = 60.0
"""Seconds in which the server must have swept a session that is over; it looks every ten."""


@dataclass(frozen=True)
class Wave:
    """What came of a wave."""

    trips: Trips
    sent: int
    """Messages to all clients."""
    pushed: int
    """Controls in the frames of all pages."""
    full: int
    """Bytes of the server's memory while everybody was there."""
    memory: int
    """Bytes of it when everybody had gone."""
    census: dict[str, int]
    """What was there when everybody had gone."""
    wrong: list[str]

    def __str__(self) -> str:
        there, after = self.full / 2**20, self.memory / 2**20
        return f"{self.trips}; {self.sent:,} messages; {there:.1f} MB, and {after:.1f} MB afterwards; {self.census}"


async def wave(server: ServerProcess, people: int, steps: int, think: float, *, is_swept: bool = False) -> Wave:
    """Run a wave.

    Args:
        server: The server.
        people: How many.
        steps: What each of them does.
        think: Seconds between, on average; none is as fast as the server can.
        is_swept: Whether to wait for the server to sweep the sessions, instead of asking it to.
    """
    await server.ask("keep_for", _KEPT if is_swept else _FOR_GOOD)
    there, trips = await crowd(server, people, steps, think)
    await server.ask("rest")
    wrong = [f"{person.visitor.session_id}: {each}" for person in there for each in await person.differences()]
    pushed, full = (await server.ask("frames"))["pushed"], await server.ask("memory")
    async with anyio.create_task_group() as group:
        for person in there:
            group.start_soon(person.visitor.leave)
    with anyio.fail_after(_SWEEP):
        while await server.ask("sessions"):
            if not is_swept:
                await server.ask("expire")
            await anyio.sleep(0.05)
    await server.ask("wake")
    census = await server.ask("census")
    sent = sum(person.visitor.frames for person in there)
    return Wave(trips, sent, pushed, full, await server.ask("memory"), census, wrong)
