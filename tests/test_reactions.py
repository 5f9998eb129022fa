"""Those who follow values: effects, watching, waiting, async listeners."""

from __future__ import annotations

import gc
import threading
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures
from tests.kit.failures import collect

A = fa.Key("a", 0)
B = fa.Key("b", 0)
USE_B = fa.Key("use_b", False)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


# ------------------------------------------------------------------ effects


def test_an_effect_needs_no_loop_and_follows_what_it_reads() -> None:
    state = fa.StateManager()
    diary: list[str] = []

    @state.effect
    def follow(get: fa.Get) -> None:
        value = get(B) if get(USE_B) else get(A)
        diary.append(f"{value}")
        get.on_cleanup(lambda: diary.append(f"-{value}"))

    assert diary == ["0"]
    state.set(B, 7)  # not read
    state.set(A, 1)
    with state.batch():
        state.set(A, 2)
        state.set(A, 3)
    assert diary == ["0", "-0", "1", "-1", "3"]
    diary.clear()
    state.set(USE_B, True)
    state.set(A, 9)  # no longer read
    state.set(B, 8)
    assert diary == ["-3", "7", "-7", "8"]
    follow.close()
    follow.close()
    state.set(B, 9)
    assert diary == ["-3", "7", "-7", "8", "-8"]
    assert state.statistics().observed == 0


def test_an_effect_may_write_and_a_circle_of_effects_is_named() -> None:
    state = fa.StateManager()

    @state.effect
    def double(get: fa.Get) -> None:
        state.set(B, get(A) * 2)

    state.set(A, 4)
    assert state.get(B) == 8

    failures = Failures.of(state)

    @state.effect
    def circle(get: fa.Get) -> None:
        state.set(A, get(B) + 1)

    assert [type(failure.error) for failure in failures.take()] == [fa.LoopError], "the effect has called the write"
    double.close()
    state.set(B, 0)
    assert state.get(A) == 1, "the store is as usable as before"


def test_what_an_effect_raises_is_told_and_it_lives_on() -> None:
    state = fa.StateManager()
    failures = Failures.of(state)
    seen: list[int] = []

    @state.effect
    def picky(get: fa.Get) -> None:
        if get(A) == 1:
            raise ValueError("not 1")
        seen.append(get(A))

    state.set(A, 1)
    state.set(A, 2)
    assert seen == [0, 2]
    (failure,) = failures.take()
    assert (str(failure.error), failure.actor) == ("not 1", "effect")


def test_an_effect_that_reads_an_unknown_name_runs_again_when_it_is_declared() -> None:
    state = fa.StateManager()
    failures = Failures.of(state)
    seen: list[object] = []

    @state.effect
    def early(get: fa.Get) -> None:
        seen.append(get("name"))

    assert [type(failure.error) for failure in failures.take()] == [fa.UnknownKeyError]
    state.atom("name", "ann")
    assert seen == ["ann"]


async def test_a_change_during_an_async_run_leads_to_one_more() -> None:
    async with fa.StateManager() as state:
        seen: list[tuple[int, int]] = []

        @state.effect
        async def save(get: fa.Get) -> None:
            first = get(A)
            await anyio.sleep(1)
            seen.append((first, get(B)))  # tracked after an await as well

        await state.settled()
        assert seen == [(0, 0)]
        state.set(A, 1)
        await anyio.sleep(0.5)
        for value in (2, 3, 4):
            state.set(A, value)
        await state.settled()
        assert seen == [(0, 0), (1, 0), (4, 0)]
        state.set(B, 5)
        await state.settled()
        assert seen[-1] == (4, 5)


async def test_closing_an_async_effect_cancels_its_run_and_cleans_up_once() -> None:
    diary: list[str] = []
    async with fa.StateManager() as state:

        @state.effect
        async def hold(get: fa.Get) -> None:
            get.on_cleanup(lambda: diary.append("cleaned"))
            try:
                await anyio.sleep_forever()
            finally:
                diary.append("ended")

        await anyio.sleep(1)
        hold.close()
        await state.settled()
        assert sorted(diary) == ["cleaned", "ended"]
    assert sorted(diary) == ["cleaned", "ended"]


def test_effects_are_held_until_there_is_a_loop() -> None:
    state = fa.StateManager()
    seen: list[int] = []

    @state.effect
    async def follow(get: fa.Get) -> None:
        seen.append(get(A))

    state.set(A, 3)
    assert seen == []

    async def main() -> None:
        async with state:
            await state.settled()

    anyio.run(main)
    assert seen == [3]


# ------------------------------------------------------------------ watching


async def test_watching_gives_the_value_now_and_then_the_latest() -> None:
    async with fa.StateManager() as state:
        seen: list[int] = []

        async def follow() -> None:
            async for value in state.watch(A):
                seen.append(value)
                await anyio.sleep(1)
                if value == 10_000:
                    break

        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            await wait_all_tasks_blocked()
            for value in range(1, 10_001):
                state.set(A, value)
        assert seen == [0, 10_000]
        gc.collect()
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        assert state.statistics().observed == 0, "breaking out has ended it"


async def test_a_watch_ends_with_its_block_with_a_close_and_with_its_store() -> None:
    async with fa.StateManager() as state:
        async with state.watch(A) as values:
            assert await values.__anext__() == 0
        with pytest.raises(StopAsyncIteration):
            await values.__anext__()
        ended: list[str] = []
        other = state.watch(A)

        async def follow(name: str, watch: fa.Watch[int]) -> None:
            async for _ in watch:
                pass
            ended.append(name)

        async with anyio.create_task_group() as group:
            group.start_soon(follow, "closed", other)
            group.start_soon(follow, "store", state.watch(B))
            await wait_all_tasks_blocked()
            other.close()
            await wait_all_tasks_blocked()
            assert ended == ["closed"]
            await state.aclose()
        assert ended == ["closed", "store"]


async def test_a_watch_raises_what_a_selector_raises_and_goes_on() -> None:
    @fa.selector
    def inverse(get: fa.Get) -> float:
        return 1 / get(A)

    async with fa.StateManager() as state:
        state.set(A, 1)
        async with state.watch(inverse) as values:
            assert await values.__anext__() == 1
            state.set(A, 0)
            with pytest.raises(ZeroDivisionError):
                await values.__anext__()
            state.set(A, 2)
            assert await values.__anext__() == 0.5


async def test_waiting_for_a_value() -> None:
    async with fa.StateManager() as state:
        assert await state.wait_for(A, lambda value: value == 0) == 0
        with anyio.move_on_after(1) as scope:
            await state.wait_for(A)
        assert scope.cancelled_caught
        assert state.statistics().observed == 0

        async def later() -> None:
            await anyio.sleep(1)
            state.set(A, 5)
            state.set(A, 0)  # gone before anybody could look again

        async with anyio.create_task_group() as group:
            group.start_soon(later)
            assert await state.wait_for(A, lambda value: value == 5) == 5
        with pytest.raises(ZeroDivisionError):
            await state.wait_for(A, lambda value: 1 / value)
        closed: list[type[BaseException]] = []

        async def wait() -> None:
            try:
                await state.wait_for(A)
            except fa.ClosedError as error:
                closed.append(type(error))

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await wait_all_tasks_blocked()
            await state.aclose()
        assert closed == [fa.ClosedError]
    with pytest.raises(fa.ClosedError):
        await state.wait_for(A)


def test_watching_from_the_loop_of_another_thread() -> None:
    async def main() -> None:
        async with fa.StateManager() as state:
            seen: list[int] = []
            ready = threading.Event()

            def elsewhere() -> None:
                async def follow() -> None:
                    async for value in state.watch(A):
                        seen.append(value)
                        ready.set()
                        if value == 3:
                            break

                anyio.run(follow)

            thread = threading.Thread(target=elsewhere)
            thread.start()
            await anyio.to_thread.run_sync(ready.wait)
            for value in (1, 2, 3):
                state.set(A, value)
            await anyio.to_thread.run_sync(thread.join)
            assert seen[0] == 0
            assert seen[-1] == 3
            assert seen == sorted(seen)

    anyio.run(main)


async def test_async_listeners_are_called_in_order_one_at_a_time_with_the_latest() -> None:
    async with fa.StateManager() as state:
        diary: list[str] = []

        async def slow(value: int) -> None:
            diary.append(f"+{value}")
            await anyio.sleep(1)
            diary.append(f"-{value}")

        state.listen(A, slow)
        await anyio.sleep(0.5)
        for value in (1, 2, 3):
            state.set(A, value)
        await state.settled()
        assert diary == ["+0", "-0", "+3", "-3"]


@pytest.mark.parametrize("is_busy", [False, True])
async def test_an_async_listener_hears_of_a_value_that_came_back_after_a_failure_if_it_missed_it_before(
    is_busy: bool,
) -> None:
    @fa.selector
    def half(get: fa.Get) -> int:
        if get(A) % 2:
            raise ValueError("odd")
        return get(A) // 2

    heard: list[int] = []

    async def hear(value: int) -> None:
        if is_busy:
            await anyio.sleep(1)
        heard.append(value)

    async with fa.StateManager() as state:
        failures = collect(state)
        state.listen(half, hear)
        await wait_all_tasks_blocked()
        for value in (4, 5, 4):
            state.set(A, value)
            if value == 5:
                await anyio.sleep(3)  # it finds the failure, and not what it was called for
        await anyio.sleep(3)
        assert heard == [0, 2]
        assert len(failures) == 1, "the failure is told once"


async def test_what_an_async_listener_raises_itself_is_told_also_if_the_selector_fails_by_then() -> None:
    @fa.selector
    def half(get: fa.Get) -> int:
        if get(A) % 2:
            raise ValueError("odd")
        return get(A) // 2

    async def hear(value: int) -> None:
        await anyio.sleep(1)
        raise RuntimeError("full")

    async with fa.StateManager() as state:
        failures = collect(state)
        state.listen(half, hear)
        await wait_all_tasks_blocked()
        state.set(A, 1)
        await anyio.sleep(3)
        assert [str(failure.error) for failure in failures] == ["odd", "full"]
