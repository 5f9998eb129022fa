"""The test kit's schedules: an order for each seed, the same one each time, and races that do not get away."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from typing import Any, Literal

import anyio
import anyio.lowlevel
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import SEED_VARIABLE, explore, virtual_backends
from flet_asp_actors.testing.schedule import shuffle_ready

Backend = Literal["asyncio", "trio"]
COUNT = fa.Key("count", 0)


@pytest.fixture(autouse=True)
def no_seed_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SEED_VARIABLE, raising=False)


@pytest.fixture(params=virtual_backends())
def backend(request: pytest.FixtureRequest) -> Backend:
    name: Backend = request.param
    return name


def orders(seeds: range, backend: Backend = "asyncio", *, clock: bool = True) -> list[str]:
    """The orders in which three tasks take two steps each, one for each seed."""
    found: list[str] = []

    async def scenario() -> None:
        steps: list[str] = []

        async def task(name: str) -> None:
            for _ in range(2):
                steps.append(name)
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as tasks:
            for name in "abc":
                tasks.start_soon(task, name)
        found.append("".join(steps))

    explore(scenario, seeds, backend=backend, clock=clock)
    return found


@pytest.mark.parametrize("clock", [True, False])
def test_seeds_differ_and_each_is_always_the_same(backend: Backend, clock: bool) -> None:
    once = orders(range(30), backend, clock=clock)
    assert orders(range(30), backend, clock=clock) == once
    assert orders(range(17, 18), backend, clock=clock) == [once[17]], "whatever ran before"
    assert len(set(once)) > 10


def test_a_seed_is_the_same_in_another_process() -> None:
    code = f"import {__name__} as here; print(here.orders(range(12)))"
    said = [
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] == f"{orders(range(12))}\n"


def test_tasks_that_are_cancelled_together_end_in_an_order_of_the_seed_alone() -> None:
    """anyio keeps tasks in sets, whose order is one of addresses."""
    found: list[str] = []
    ballast: list[object] = []

    async def scenario() -> None:
        ended: list[str] = []

        async def task(name: str) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ended.append(name)

        async with anyio.create_task_group() as tasks:
            for name in "abcdefgh":
                ballast.append(bytearray(random.randrange(2000)))
                tasks.start_soon(task, name)
            await anyio.sleep(1)
            tasks.cancel_scope.cancel()
        found.append("".join(ended))

    for _ in range(20):
        explore(scenario, [5])
    assert len(set(found)) == 1
    explore(scenario, range(20))
    assert len(set(found)) > 5


def test_callbacks_keep_their_order() -> None:
    told: list[int] = []

    async def scenario() -> None:
        told.clear()
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(asyncio.sleep(0)) for _ in range(5)]
        for each in range(10):
            loop.call_soon(told.append, each)
        await asyncio.gather(*tasks)
        await asyncio.sleep(1)
        assert told == list(range(10))

    explore(scenario)


def test_a_race_is_found_and_replayed(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []

    async def scenario() -> None:
        ran.append(1)
        async with fa.StateManager() as state, anyio.create_task_group() as tasks:

            async def transfer(amount: int) -> None:
                balance = state.get(COUNT)
                if amount == 1:  # by itself asyncio takes this one first, and nothing is lost
                    state.set(COUNT, balance + amount)
                    return
                await anyio.lowlevel.checkpoint()
                await anyio.lowlevel.checkpoint()
                assert state.get(COUNT) != balance, "nobody was faster"
                state.set(COUNT, state.get(COUNT) + amount)

            tasks.start_soon(transfer, 2)
            tasks.start_soon(transfer, 1)

    with pytest.raises(AssertionError) as caught:
        explore(scenario, backend=backend)
    assert isinstance(caught.value.__cause__, BaseException)
    words = str(caught.value)
    seed = len(ran) - 1
    assert f"scenario fails with seed {seed} on {backend}" in words
    assert f"seeds=[{seed}], or {SEED_VARIABLE}={seed}" in words

    with pytest.raises(AssertionError, match=f"seed {seed} "):
        explore(scenario, [seed], backend=backend)
    monkeypatch.setenv(SEED_VARIABLE, str(seed))
    ran.clear()
    with pytest.raises(AssertionError, match=f"seed {seed} "):
        explore(scenario, backend=backend)
    assert len(ran) == 1


def test_an_update_is_atomic_under_every_order(backend: Backend) -> None:
    async def add(n: int) -> int:
        await anyio.lowlevel.checkpoint()
        return n + 1

    async def scenario() -> None:
        async with fa.StateManager() as state:

            async def client() -> None:
                for _ in range(3):
                    await state.update(COUNT, add)

            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(client)
            assert state.get(COUNT) == 9

    explore(scenario, range(100), backend=backend)


def test_a_scenario_may_choose_by_the_seed() -> None:
    chosen: list[float] = []

    async def scenario(choice: random.Random) -> None:
        chosen.append(choice.random())
        await anyio.sleep(choice.uniform(0, 3600))

    explore(scenario, range(5))
    explore(scenario, range(5))
    assert chosen[:5] == chosen[5:]
    assert len(set(chosen)) == 5


def test_the_seed_of_the_environment_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SEED_VARIABLE, "many")
    with pytest.raises(ValueError, match="'many'"):
        explore(lambda: anyio.lowlevel.checkpoint())


def test_a_scenario_that_waits_for_ever_fails_at_once() -> None:
    with pytest.raises(AssertionError, match="seed 0 .*DeadlockError") as caught:
        explore(anyio.sleep_forever)
    assert isinstance(caught.value.__cause__, fa.DeadlockError)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_not_inside_a_loop() -> None:
    async def scenario() -> None:
        pass

    with pytest.raises(AssertionError, match="RuntimeError"):
        explore(scenario)


def test_a_thousand_seeds_take_seconds() -> None:
    begin = time.perf_counter()
    orders(range(1000))
    assert time.perf_counter() - begin < 20  # some four, but the machine may be busy


def test_only_loops_of_asyncio_can_be_seeded() -> None:
    other: Any = object()
    with pytest.raises(TypeError, match="asyncio's own"):
        shuffle_ready(other, 1)


def test_what_was_ready_before_is_not_lost() -> None:
    loop = asyncio.new_event_loop()
    told: list[int] = []
    for each in range(5):
        loop.call_soon(told.append, each)
    shuffle_ready(loop, 1)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert told == list(range(5))
