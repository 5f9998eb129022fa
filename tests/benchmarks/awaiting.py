"""What is awaited: writes, tasks, async selectors and actions, beside a bare coroutine or task and an actor by hand."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import process_time
from typing import Any

import anyio
import anyio.abc
from anyio.streams.memory import MemoryObjectReceiveStream

import flet_asp_actors as fa

from .floors import Cell
from .measuring import Verdict
from .peers import ACTOR, FLOOR, OURS_ON_LOOP

__all__ = ("SCENARIOS", "Waiting", "check", "timed")

Run = Callable[[int], Awaitable[int]]
Open = Callable[[], Any]
"""A context in which n operations can be run; the last gives n."""
COUNT = fa.Key("count", 0)


@dataclass(frozen=True)
class Waiting:
    """A row of the table."""

    name: str
    columns: dict[str, Open]


class StreamActor:
    """An actor as one writes it by hand: a task that takes messages from a stream."""

    def __init__(self, group: anyio.abc.TaskGroup) -> None:
        self.value = 0
        self._send, receive = anyio.create_memory_object_stream[tuple[Callable[[int], int], anyio.Event]](16)
        group.start_soon(self._serve, receive)

    async def update(self, function: Callable[[int], int]) -> None:
        done = anyio.Event()
        await self._send.send((function, done))
        await done.wait()

    def stop(self) -> None:
        self._send.close()

    async def _serve(self, receive: MemoryObjectReceiveStream[tuple[Callable[[int], int], anyio.Event]]) -> None:
        with receive:
            async for function, done in receive:
                self.value = function(self.value)
                done.set()


def _one_more(value: int) -> int:
    return value + 1


def _by_store(run: Callable[[fa.StateManager, int], Awaitable[int]]) -> Open:
    @asynccontextmanager
    async def opened() -> AsyncGenerator[Run, None]:
        async with fa.StateManager() as store:
            yield lambda n: run(store, n)

    return opened


def _by_hand(run: Callable[[int], Awaitable[int]]) -> Open:
    @asynccontextmanager
    async def opened() -> AsyncGenerator[Run, None]:
        yield run

    return opened


def _by_actor(run: Callable[[StreamActor, int], Awaitable[int]]) -> Open:
    @asynccontextmanager
    async def opened() -> AsyncGenerator[Run, None]:
        async with anyio.create_task_group() as group:
            actor = StreamActor(group)
            yield lambda n: run(actor, n)
            actor.stop()

    return opened


async def our_set(store: fa.StateManager, n: int) -> int:
    for i in range(1, n + 1):
        await store.set(COUNT, i)
    return store.get(COUNT)


async def actor_set(actor: StreamActor, n: int) -> int:
    for i in range(1, n + 1):
        await actor.update(lambda _, i=i: i)  # type: ignore[misc]
    return actor.value


async def trivial(n: int) -> int:
    value = 0

    async def store(i: int) -> None:
        nonlocal value
        value = i

    for i in range(1, n + 1):
        await store(i)
    return value


async def our_update(store: fa.StateManager, n: int) -> int:
    store.set(COUNT, 0)
    for _ in range(n):
        await store.update(COUNT, _one_more)
    return store.get(COUNT)


async def actor_update(actor: StreamActor, n: int) -> int:
    actor.value = 0
    for _ in range(n):
        await actor.update(_one_more)
    return actor.value


async def our_tasks(store: fa.StateManager, n: int) -> int:
    for _ in range(n):
        store.set(COUNT, 0)

        async def add() -> None:
            await store.update(COUNT, _one_more)

        async with anyio.create_task_group() as group:
            for _ in range(1_000):
                group.start_soon(add)
    return n if store.get(COUNT) == 1_000 else -1


async def actor_tasks(actor: StreamActor, n: int) -> int:
    for _ in range(n):
        actor.value = 0
        async with anyio.create_task_group() as group:
            for _ in range(1_000):
                group.start_soon(actor.update, _one_more)
    return n if actor.value == 1_000 else -1


async def bare_tasks(n: int) -> int:
    cell = Cell()

    async def add() -> None:
        cell.value += 1

    for _ in range(n):
        cell.set(0)
        async with anyio.create_task_group() as group:
            for _ in range(1_000):
                group.start_soon(add)
    return n if cell.get() == 1_000 else -1


@fa.selector
async def loaded(get: fa.Get) -> int:
    return get(COUNT)


async def our_selector(store: fa.StateManager, n: int) -> int:
    value = 0
    for i in range(1, n + 1):
        store.set(COUNT, i)
        value = await store.resolve(loaded)
    return value


async def bare_task(n: int) -> int:
    async def give(i: int) -> int:
        return i

    value = 0
    for i in range(1, n + 1):
        value = await asyncio.create_task(give(i))
    return value


@fa.action
async def put(get: fa.Get, set: fa.Set, value: int) -> int:
    return value


async def our_action(store: fa.StateManager, n: int) -> int:
    value = 0
    for i in range(1, n + 1):
        value = await put.start(store, i)
    return value


async def start_soon(n: int) -> int:
    value = 0

    async def put(i: int) -> None:
        nonlocal value
        value = i

    for i in range(1, n + 1):
        async with anyio.create_task_group() as group:
            group.start_soon(put, i)
    return value


_OURS, _FLOOR, _ACTOR = OURS_ON_LOOP.name, FLOOR.name, ACTOR.name
SCENARIOS = (
    Waiting("await set", {_OURS: _by_store(our_set), _FLOOR: _by_hand(trivial), _ACTOR: _by_actor(actor_set)}),
    Waiting("await update", {_OURS: _by_store(our_update), _FLOOR: _by_hand(trivial), _ACTOR: _by_actor(actor_update)}),
    Waiting("1,000 tasks", {_OURS: _by_store(our_tasks), _FLOOR: _by_hand(bare_tasks), _ACTOR: _by_actor(actor_tasks)}),
    Waiting("async selector", {_OURS: _by_store(our_selector), _FLOOR: _by_hand(bare_task)}),
    Waiting("action", {_OURS: _by_store(our_action), _FLOOR: _by_hand(start_soon)}),
)


def check(opened: Open) -> Verdict:
    """Whether the value at the end is right."""

    async def value() -> int:
        async with opened() as run:
            value: int = await run(3)
            return value

    found = asyncio.run(value())
    return Verdict() if found == 3 else Verdict("wrong", f"{found} instead of 3")


def timed(opened: Open, n: int) -> float:
    """Run n operations, in a context that is opened anew, which is not timed; gives the seconds."""

    async def here() -> float:
        async with opened() as run:
            gc.disable()
            try:
                start = process_time()
                await run(n)
                return process_time() - start
            finally:
                gc.enable()

    return asyncio.run(here())
