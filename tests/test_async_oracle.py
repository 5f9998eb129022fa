"""Random graphs of selectors that take time, used in random ways, and a model of what must be seen in the end."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Literal

import anyio
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, assert_quiet, explore, quiescent

ATOMS = [fa.Key(f"atom {n}", n) for n in range(4)]
LIST = fa.Key[list[int]]("list", factory=lambda: [1])


class Unlucky(Exception):
    """A value that some selectors cannot bear."""


class Graph:
    """Selectors over atoms, each a function of some that were made before it.

    Args:
        chance: What decides.
        fails: Whether some fail at times; then all wait for what they read, for who does not
            has the value of before, and what that was is a matter of order.
    """

    def __init__(self, chance: random.Random, fails: bool) -> None:
        self._chance = chance
        self._fails = fails
        self.running = 0
        self.keys: list[Any] = [*ATOMS, LIST]
        self._models: list[Callable[[fa.StateManager], int]] = []
        for key in self.keys:
            self._models.append(lambda state, key=key: self._number(state.get(key)))  # type: ignore[misc]
        for number in range(8):
            self._add(number)

    def model(self, state: fa.StateManager, key: Any) -> int:
        """What a selector must be, by the atoms alone."""
        return self._models[self.keys.index(key)](state)

    def _number(self, value: int | list[int]) -> int:
        return sum(value) if isinstance(value, list) else value

    def _add(self, number: int) -> None:
        chance = self._chance
        above = chance.sample(range(len(self.keys)), chance.randint(1, 3))
        keys, models = [self.keys[n] for n in above], [self._models[n] for n in above]
        unlucky = chance.randrange(7) if self._fails and chance.random() < 0.4 else None
        kind = "resolve" if self._fails else chance.choice(["sync", "get", "resolve", "either"])

        def combine(values: list[int]) -> int:
            result = sum(values) * 3 + number
            if unlucky is not None and result % 7 == unlucky:
                raise Unlucky(number)
            return result

        def model(state: fa.StateManager) -> int:
            values = [models[0](state)]
            if values[0] % 2 == 0 or len(models) == 1:
                values += [each(state) for each in models[1:]]
            return combine(values)

        def sync(get: fa.Get) -> int:
            values = [self._number(get(keys[0]) or 0)]
            if values[0] % 2 == 0:
                values += [self._number(get(key) or 0) for key in keys[1:]]
            return combine(values)

        async def later(get: fa.Get) -> int:
            self.running += 1
            try:
                return await self._later(get, kind, keys, combine)
            finally:
                self.running -= 1

        options: dict[str, Any] = {}
        if chance.random() < 0.2:
            options["debounce"] = 0.3
        if chance.random() < 0.2:
            options["keep_for"] = 0.5
        decorate: Any = fa.selector
        if kind == "sync":
            self.keys.append(decorate(f"sync {number}")(sync))
        else:
            self.keys.append(decorate(f"{kind} {number}", **options)(later))
        self._models.append(model)

    async def _later(self, get: fa.Get, kind: str, keys: list[Any], combine: Callable[[list[int]], int]) -> int:
        async def read(key: Any) -> int:
            waits = kind == "resolve" or (kind == "either" and self._chance.random() < 0.5)
            return self._number((await get.resolve(key) if waits else get(key)) or 0)

        if self._chance.random() < 0.3:
            await anyio.sleep(self._chance.uniform(0, 1))
        values = [await read(keys[0])]
        if values[0] % 2 == 0:
            for key in keys[1:]:
                if self._chance.random() < 0.3:
                    await anyio.sleep(self._chance.uniform(0, 1))
                values.append(await read(key))
        try:
            await anyio.sleep(self._chance.choice([0, 0.1, 0.5]))
        except anyio.get_cancelled_exc_class():
            if self._chance.random() < 0.7:
                raise
        return combine(values)


async def live(chance: random.Random, fails: bool) -> None:
    """Use a graph in all ways for a while, then see what is shown."""
    async with fa.StateManager() as state:
        graph, failures = Graph(chance, fails), Failures.of(state)
        made: list[Any] = graph.keys[len(ATOMS) + 1 :]
        observers: list[tuple[Any, fa.Subscription, list[Any]]] = []

        def observe() -> None:
            key, seen = chance.choice(made), list[Any]()
            observers.append((key, state.listen(key, seen.append), seen))

        def close() -> None:
            if observers:
                observers.pop(chance.randrange(len(observers)))[1].close()

        def write() -> None:
            with state.batch():
                for _ in range(chance.randint(1, 3)):
                    state.set(chance.choice(ATOMS), chance.randrange(5))
                if chance.random() < 0.3:
                    close()
                    observe()

        def edit() -> None:
            state.mutate(LIST, lambda rows: rows.append(chance.randrange(4)))

        async def wait() -> None:
            with anyio.move_on_after(chance.uniform(0, 2)):
                try:
                    await state.resolve(chance.choice(made))
                except Unlucky:
                    assert fails

        acts: list[Callable[[], object]] = [write, write, edit, observe, close]
        acts.append(lambda: state.refresh(chance.choice(made)))
        acts.append(lambda: state.invalidate(chance.choice(made)))
        acts.append(lambda: state.delete(chance.choice(made)))
        acts.append(state.clear)
        async with anyio.create_task_group() as group:
            for _ in range(25):
                chance.choice(acts)()
                if chance.random() < 0.3:
                    group.start_soon(wait)
                if chance.random() < 0.5:
                    await anyio.sleep(chance.uniform(0, 0.7))
        await quiescent(state)
        for key, _, seen in observers:
            if not fails:
                assert state.get(key) == seen[-1] == graph.model(state, key), key
        for key in chance.sample(made, len(made)):
            try:
                expected: object = graph.model(state, key)
            except Unlucky as error:
                expected = repr(error)
            try:
                found: object = await state.resolve(key)
            except Unlucky as error:
                found = repr(error)
            assert found == expected, key
        while observers:
            close()
        await quiescent(state)
        assert_quiet(state)
        assert graph.running == 0
        assert state.statistics().observed == 0
        if not fails:
            failures.assert_none()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_whatever_happens_the_latest_inputs_are_seen_in_the_end(backend: Literal["asyncio", "trio"]) -> None:
    async def scenario(chance: random.Random) -> None:
        await live(chance, fails=False)

    explore(scenario, range(150 if backend == "asyncio" else 20), backend=backend)


def test_whatever_fails_the_latest_inputs_are_seen_in_the_end() -> None:
    async def scenario(chance: random.Random) -> None:
        await live(chance, fails=True)

    explore(scenario, [*range(120), 1296, 1399, 1409, 1712, 1922])  # the last have found something once


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_every_failure_is_told_once_whoever_waits_for_what_has_failed(backend: Literal["asyncio", "trio"]) -> None:
    async def scenario(chance: random.Random) -> None:
        state = fa.StateManager()
        failures, raised = Failures.of(state), list[Unlucky]()
        source = ATOMS[0]

        @fa.selector
        async def slow(get: fa.Get) -> int:
            value = get(source)
            await anyio.sleep(0.1)
            if value % 2:
                raised.append(Unlucky())
                raise raised[-1]
            return value

        @fa.selector
        async def over(get: fa.Get) -> int:
            return await get.resolve(slow)

        async def follow(get: fa.Get) -> None:
            await get.resolve(chance.choice([slow, over]))

        def correct(status: fa.AsyncValue[int]) -> None:
            if status.state == "failed" and chance.random() < 0.2:
                state.set(source, chance.randrange(3))

        def open_one() -> None:
            watching.append(state.listen(over, lambda _: None, immediate=False))

        def close_one() -> None:
            if watching:
                watching.pop().close()

        watching: list[fa.Subscription] = []
        acts: list[Callable[[], object]] = [lambda: state.set(source, chance.randrange(3))] * 3
        acts += [lambda: state.invalidate(slow), lambda: state.delete(slow), open_one, close_one]
        acts.append(lambda: state.refresh(slow))
        async with state:
            for _ in range(chance.randrange(3)):
                state.effect(lambda get: follow(get))
            state.listen(slow.status, correct)
            for _ in range(12):
                chance.choice(acts)()
                await anyio.sleep(chance.choice([0, 0.05, 0.1, 0.15, 0.3]))
            await quiescent(state)
            told = [each.error for each in failures.take()]
            assert [told.count(error) for error in raised] == [1] * len(raised), (raised, told)

    explore(scenario, range(150 if backend == "asyncio" else 20), backend=backend)
