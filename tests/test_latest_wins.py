"""What has to hold of data that takes time, whatever the latencies, the errors and the order of tasks."""

from __future__ import annotations

import random
from typing import Any

import anyio
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, Probe, assert_quiet, explore, quiescent, record, sweep

QUERY = fa.Key("query", 0)
NAME = fa.Key("name", "ann")


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


class Unlucky(Exception):
    """The server had a bad day."""


def ten_superseding_fetches(backend: str, seeds: range) -> None:
    async def scenario(chance: random.Random) -> None:
        answered: list[int] = []

        @fa.selector(debounce=chance.choice([0.0, 0.5]), keep_previous=chance.random() < 0.5)
        async def results(get: fa.Get) -> str:
            query = get(QUERY)
            try:
                await anyio.sleep(chance.uniform(0, 3))
            except anyio.get_cancelled_exc_class():
                if chance.random() < 0.5:
                    raise
                with anyio.CancelScope(shield=True):  # it swallows its cancellation and answers all the same
                    await anyio.sleep(chance.uniform(0, 3))
            answered.append(query)
            if query < 10 and chance.random() < 0.3:
                raise Unlucky(query)
            return f"answer {query}"

        async with fa.StateManager() as state:
            failures = Failures.of(state)
            shown = record(state, results)
            current = 0

            def never_late(status: fa.AsyncValue[str]) -> None:
                if status.state == "ready":
                    assert status.value == f"answer {current}", f"late: {status}"

            state.listen(results.status, never_late)
            for current in range(1, 11):
                state.set(QUERY, current)
                await anyio.sleep(chance.uniform(0, 2))
            await state.settled()
            status = state.get(results.status)
            assert (status.state, status.value) == ("ready", "answer 10"), answered
            assert state.get(results) == "answer 10"
            assert shown.values[-1] == "answer 10"
            assert await state.resolve(results) == "answer 10"
            assert all(isinstance(failure.error, Unlucky) for failure in failures)
            failures.clear()
            shown.close()
            assert_quiet(state)

    explore(scenario, seeds, backend=backend)  # type: ignore[arg-type]  # a name of a backend


def test_ten_superseding_fetches_show_the_last_in_1000_orders() -> None:
    ten_superseding_fetches("asyncio", range(1_000))


def test_ten_superseding_fetches_show_the_last_on_trio() -> None:
    ten_superseding_fetches("trio", range(100))


def test_a_diamond_of_async_selectors_settles_on_one_cut_in_every_order() -> None:
    async def scenario(chance: random.Random) -> None:
        @fa.selector
        async def left(get: fa.Get) -> int:
            query = get(QUERY)
            await anyio.sleep(chance.uniform(0, 1))
            return query * 2

        @fa.selector
        async def right(get: fa.Get) -> int:
            await anyio.sleep(chance.uniform(0, 1))
            return get(QUERY) * 3

        @fa.selector
        def sum_now(get: fa.Get) -> int | None:
            one, other = get(left), get(right)
            return None if one is None or other is None else one + other

        @fa.selector
        async def both(get: fa.Get) -> tuple[int, int]:
            return await get.resolve(left), await get.resolve(right)

        async with fa.StateManager() as state:
            with state.listen(both, lambda _: None), state.listen(sum_now, lambda _: None):
                for current in range(5):
                    state.set(QUERY, current)
                    await anyio.sleep(chance.uniform(0, 2))
                    if chance.random() < 0.5:
                        assert await state.resolve(both) == (current * 2, current * 3)
                        assert state.get(QUERY) == current
                await state.settled()
                assert state.get(both) == (8, 12)
                assert state.get(sum_now) == 20
            await quiescent(state)
            assert_quiet(state)

    explore(scenario, range(200))


@pytest.mark.parametrize("observed", [False, True], ids=["awaited", "observed"])
async def test_a_fetch_chain_leaves_no_trace_wherever_it_is_cancelled(observed: bool) -> None:
    async def scenario(probe: Probe) -> None:
        async def token(get: fa.Get) -> str:
            await anyio.sleep(1)
            return f"token of {get(NAME)}"

        async def profile(get: fa.Get) -> str:
            found = await get.resolve(token_of)
            get.on_cleanup(lambda: cleaned.append("profile"))
            await anyio.sleep(1)
            return f"profile by {found}"

        async def read() -> str:
            return await state.resolve(profile_of)

        cleaned: list[str] = []
        token_of = fa.selector(token)
        profile_of = fa.selector(probe.wrap(profile))
        state = fa.StateManager()
        failures = Failures.of(state)
        watching = state.listen(profile_of, lambda _: None) if observed else None
        async with state, anyio.create_task_group() as group:
            probe.on_reach = group.cancel_scope.cancel
            group.start_soon(read)
        assert [node for node in state.supervision() if node.kind == "selector"] == []
        if watching is not None:
            watching.close()
        status = state.get(profile_of.status)
        assert status.state in ("idle", "ready")
        assert not status.is_busy
        failures.assert_none()

    assert await sweep(scenario) >= 2


async def test_who_waits_is_cancelled_at_every_checkpoint_and_the_others_get_their_value() -> None:
    async def scenario(probe: Probe) -> None:
        runs: list[str] = []

        @fa.selector
        async def profile(get: fa.Get) -> str:
            runs.append(get(NAME))
            await anyio.sleep(1)
            await anyio.sleep(1)
            return get(NAME).title()

        async with fa.StateManager() as state:
            answers: list[str] = []

            async def patient() -> None:
                answers.append(await state.resolve(profile))

            async def impatient() -> None:
                with anyio.CancelScope() as scope:
                    probe.on_reach = scope.cancel
                    await probe.wrap(state.resolve)(profile)

            async with anyio.create_task_group() as group:
                group.start_soon(impatient)
                group.start_soon(patient)
            assert answers == ["Ann"]
            assert runs == ["ann"], "one computation for all"
            await quiescent(state)
            assert_quiet(state)

    assert await sweep(scenario) >= 1


async def test_the_last_who_waits_takes_the_computation_along() -> None:
    ended: list[str] = []

    @fa.selector
    async def profile(get: fa.Get) -> str:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(get(NAME))
        return ""

    async with fa.StateManager() as state:
        scopes: list[anyio.CancelScope] = []

        async def wait() -> None:
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                await state.resolve(profile)

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            group.start_soon(wait)
            await anyio.sleep(1)
            scopes[0].cancel()
            await anyio.sleep(1)
            assert ended == [], "somebody still waits"
            assert state.get(profile.status).state == "loading"
            scopes[1].cancel()
        await quiescent(state)
        assert ended == ["ann"]
        assert state.get(profile.status).state == "idle"
        assert_quiet(state)


async def test_an_optimistic_chain_of_everything_settles_when_the_store_is_closed_at_any_time() -> None:
    """A store that is closed in the middle of fetches, updates, runs and services leaves nothing."""
    for moment in range(12):
        state = fa.StateManager()
        failures = Failures.of(state)
        async with state:

            @fa.selector
            async def profile(get: fa.Get) -> str:
                await anyio.sleep(1)
                return get(NAME)

            @state.action
            async def save(get: fa.Get, set: fa.Set) -> None:
                async with set.optimistic(NAME, "bob"):
                    await anyio.sleep(2)
                set(NAME, "bob")

            @state.service
            async def beat(get: fa.Get, set: fa.Set) -> None:
                while True:
                    await anyio.sleep(0.5)
                    set.update(QUERY, lambda n: n + 1)

            async def slowly(n: int) -> int:
                await anyio.sleep(1.5)
                return n + 1

            state.listen(profile, lambda _: None)
            run = save()
            update = state.update(QUERY, slowly)
            await anyio.sleep(moment / 4)
        assert run.state in ("succeeded", "cancelled")
        assert state.get(NAME) == ("bob" if run.state == "succeeded" else "ann")
        assert update.is_done
        assert state.statistics().jobs == 0
        assert state.statistics().messages == 0
        assert state.get(beat.status).state == "cancelled"
        assert not state.get(profile.status).is_busy
        assert all(isinstance(failure.error, fa.ClosedError) for failure in failures), "updates that were cut off"
