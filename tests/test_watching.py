"""Watching and waiting under attack: several who wait, those who leave, other loops, failures, the end."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Awaitable
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
from flet_asp_actors.door import LOCK
from flet_asp_actors.testing import Failures, explore, quiescent
from flet_asp_actors.waiting import Completion
from tests.kit.threads import Behind, in_thread

A = fa.Key("a", 0)
B = fa.Key("b", 0)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


@fa.selector
def odd_only(get: fa.Get) -> int:
    if get(A) % 2 == 0:
        raise ValueError(f"{get(A)} is even")
    return get(A)


async def answer_of(work: Awaitable[object]) -> object:
    try:
        return await work
    except Exception as error:
        return str(error) or type(error)


async def a_few_steps() -> None:
    for _ in range(4):
        await anyio.lowlevel.checkpoint()


# ------------------------------------------------------------------ watching


async def test_tasks_that_share_a_watch_are_all_woken_and_each_value_goes_to_one(fa_store: fa.StateManager) -> None:
    watch = fa_store.watch(A)
    taken: list[int] = []

    async def take() -> None:
        async for value in watch:
            taken.append(value)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(take)
        await wait_all_tasks_blocked()
        for value in (1, 2, 3):
            fa_store.set(A, value)
            await wait_all_tasks_blocked()
        watch.close()  # and all of them stop
    assert taken == [0, 1, 2, 3]


async def test_one_of_several_may_give_up(fa_store: fa.StateManager) -> None:
    watch = fa_store.watch(A)
    await watch.__anext__()
    taken: list[int] = []

    async def take() -> None:
        taken.append(await watch.__anext__())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take)
        await wait_all_tasks_blocked()
        with anyio.move_on_after(1):
            await watch.__anext__()
        fa_store.set(A, 1)
    assert taken == [1]
    with anyio.move_on_after(1):
        await watch.__anext__()
    fa_store.set(A, 2)
    assert await watch.__anext__() == 2, "a wait that was given up has taken nothing"
    fa_store.set(A, 3)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await watch.__anext__()
    assert scope.cancelled_caught, "also where there is a value"
    assert await watch.__anext__() == 3


async def test_a_watch_that_is_dropped_is_over_wherever_it_was_left(fa_store: fa.StateManager) -> None:
    async def leave_by(how: str) -> None:
        try:
            async for _ in fa_store.watch(A):
                if how == "break":
                    break
                if how == "raise":
                    raise ValueError
                if how == "return":
                    return
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await anyio.lowlevel.checkpoint()
                return
        except ValueError:
            pass

    for how in ("break", "raise", "return", "cancel"):
        await leave_by(how)
    fa_store.watch(A)
    kept = fa_store.watch(A)
    circle: list[Any] = [fa_store.watch(B)]
    circle.append(circle)
    del circle
    gc.collect()
    await a_few_steps()
    assert fa_store.statistics().observed == 1
    kept.close()
    kept.close()
    assert fa_store.statistics().observed == 0


def test_a_watch_without_a_loop_is_over_when_there_is_one() -> None:
    state = fa.StateManager()
    state.watch(A)
    state.watch(B)
    gc.collect()

    async def main() -> None:
        with state.listen(A, lambda _: None):
            assert state.statistics().observed == 1
        await state.aclose()

    anyio.run(main)
    assert state.statistics().observed == 0


def test_a_watch_that_outlives_its_store_resurrects_nothing() -> None:
    kept: list[fa.Watch[int]] = []
    state = fa.StateManager()

    async def main() -> None:
        async with state:
            kept.append(state.watch(A))
            state.watch(A)

    anyio.run(main)
    kept.clear()
    gc.collect()
    assert (repr(state), state.statistics().observed) == ("<StateManager closed>", 0)
    assert not state._deferred  # pyright: ignore[reportPrivateUsage]  # nothing that will never be called
    with pytest.raises(fa.ClosedError):
        state.watch(A)


async def test_ten_thousand_values_and_one_who_is_slow(fa_store: fa.StateManager) -> None:
    seen: list[int] = []
    async with fa_store.watch(A) as values, anyio.create_task_group() as tasks:

        async def look() -> None:
            async for value in values:
                seen.append(value)
                await anyio.sleep(1)

        tasks.start_soon(look)
        for value in range(1, 10_001):
            fa_store.set(A, value)
            if value % 1000 == 0:
                await anyio.sleep(0.1)
        await anyio.sleep(3)
        tasks.cancel_scope.cancel()
    assert seen[-1] == 10_000
    assert len(seen) < 5


async def test_an_async_selector_and_its_status_can_be_watched(fa_store: fa.StateManager) -> None:
    @fa.selector(initial=-1)
    async def double(get: fa.Get) -> int:
        value = get(A)
        await anyio.sleep(1)
        return value * 2

    seen: list[object] = []

    async def follow(key: Any, name: str) -> None:
        async for value in fa_store.watch(key):
            seen.append((name, value if isinstance(value, int) else value.state))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow, double, "value")
        await anyio.sleep(0.5)
        tasks.start_soon(follow, double.status, "status")
        await anyio.sleep(1)
        fa_store.set(A, 4)
        await anyio.sleep(2)
        tasks.cancel_scope.cancel()
    assert [what for who, what in seen if who == "value"] == [-1, 0, 8]  # type: ignore[misc, has-type]  # pairs
    assert [what for who, what in seen if who == "status"] == ["loading", "ready", "refreshing", "ready"]  # type: ignore[misc, has-type]  # pairs
    gc.collect()  # what a cancelled task has left
    await quiescent(fa_store)
    assert fa_store.statistics().observed == 0


# ------------------------------------------------------------------ waiting


async def test_whoever_waits_hears_of_a_failure_whoever_else_was_told(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    fa_store.set(A, 1)
    told: list[object] = []

    async def wait() -> None:
        told.append(await answer_of(fa_store.wait_for(odd_only, lambda n: n == 9)))

    async def watch() -> None:
        async with fa_store.watch(odd_only) as values:
            await values.__anext__()
            told.append(await answer_of(values.__anext__()))
            told.append(await values.__anext__())

    fa_store.listen(odd_only, lambda _: None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        tasks.start_soon(watch)
        tasks.start_soon(wait)
        await wait_all_tasks_blocked()
        fa_store.set(A, 2)
        fa_store.set(B, 1)
        await wait_all_tasks_blocked()
        assert told == ["2 is even"] * 3
        assert [str(each.error) for each in fa_failures.take()] == ["2 is even"]
        fa_store.set(A, 3)
    assert told[3:] == [3]


@pytest.mark.parametrize("how", ["wait_for", "watch"])
@pytest.mark.parametrize("gives_up", [False, True])
async def test_a_failure_that_somebody_waits_for_is_not_told_to_those_who_came_later(
    fa_store: fa.StateManager, fa_failures: Failures, how: str, gives_up: bool
) -> None:
    fa_store.set(A, 1)
    answers: list[object] = []
    scope = anyio.CancelScope()

    async def wait() -> None:
        with scope:
            if how == "wait_for":
                answers.append(await answer_of(fa_store.wait_for(odd_only, lambda n: n == 9)))
            else:
                answers.append(await answer_of(values.__anext__()))

    async with fa_store.watch(odd_only) as values, anyio.create_task_group() as tasks:
        await values.__anext__()
        if how == "wait_for":
            values.close()
        tasks.start_soon(wait)
        await wait_all_tasks_blocked()
        if gives_up:
            scope.cancel()
            await wait_all_tasks_blocked()
        fa_store.listen(odd_only, lambda _: None)
        fa_store.set(A, 2)
    assert answers == ([] if gives_up else ["2 is even"])
    assert [str(each.error) for each in fa_failures.take()] == (["2 is even"] if gives_up else [])


async def test_a_failure_that_only_those_hear_of_who_wait_is_told_to_nobody_else(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    fa_store.set(A, 1)

    async def change() -> None:
        fa_store.set(A, 2)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(change)
        with pytest.raises(ValueError, match="2 is even"):
            await fa_store.wait_for(odd_only, lambda n: n == 9)
    with pytest.raises(ValueError, match="2 is even"):
        await fa_store.wait_for(odd_only)
    fa_failures.assert_none()
    assert fa_store.statistics().observed == 0


async def test_a_predicate_that_returns_a_coroutine_is_refused(fa_store: fa.StateManager) -> None:
    async def later(value: int) -> bool:
        return True

    with pytest.raises(TypeError, match=r"the predicate of wait_for is called and not awaited, and has returned a"):
        await fa_store.wait_for(A, lambda value: later(value))  # type: ignore[arg-type,unused-ignore]  # the mistake


async def test_a_predicate_looks_once_a_turn_and_may_raise(fa_store: fa.StateManager) -> None:
    looked: list[int] = []
    answers: list[object] = []

    def look(value: int) -> bool:
        looked.append(value)
        if value == 13:
            raise ValueError("unlucky")
        return value == 5

    async def first() -> int:
        return await fa_store.wait_for(A, look)

    async def wait() -> None:
        answers.append(await answer_of(first()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await wait_all_tasks_blocked()
        with fa_store.batch():
            fa_store.set(A, 5)
            fa_store.set(A, 6)
        assert looked == [0, 6], "in the middle of a turn nobody looks"
        fa_store.set(A, 5)
        fa_store.set(A, 13)
    assert (answers, looked) == ([5], [0, 6, 5])
    assert await answer_of(first()) == "unlucky"

    async def later(value: int) -> bool:
        return value > 0

    with pytest.raises(TypeError, match="wait_for looks at the value with a plain function"):
        await fa_store.wait_for(A, later)
    assert fa_store.statistics().observed == 0


async def test_timeouts_are_those_of_anyio(fa_store: fa.StateManager) -> None:
    began = anyio.current_time()
    with pytest.raises(TimeoutError), anyio.fail_after(5):
        await fa_store.wait_for(A)
    assert anyio.current_time() - began == pytest.approx(5)
    with anyio.CancelScope() as scope:
        scope.cancel()
        fa_store.set(A, 1)
        await fa_store.wait_for(A)
    assert scope.cancelled_caught, "also where it needs not wait"
    assert fa_store.statistics().observed == 0


async def test_waiting_for_what_does_not_exist(fa_store: fa.StateManager) -> None:
    with pytest.raises(fa.UnknownKeyError):
        await fa_store.wait_for("nothing")
    with pytest.raises(fa.UnknownKeyError):
        fa_store.watch("nothing")
    with pytest.raises(fa.PurityError):
        fa_store.get(fa.selector(lambda get: fa_store.watch(A)))


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_from_many_loops_at_once_nobody_misses_the_last_word() -> None:
    """The wake-up races with the wait, on real threads."""
    results: list[list[int]] = []
    async with fa.StateManager() as state:
        ready = threading.Barrier(5)

        def elsewhere(number: int) -> None:
            async def follow() -> None:
                seen: list[int] = []
                async for value in state.watch(A):
                    if not seen:
                        await anyio.to_thread.run_sync(ready.wait)
                    seen.append(value)
                    if value == 300:
                        break
                results.append(seen)
                assert await state.wait_for(B, lambda n: n == number) == number
                state.update(B, lambda n: n + 1).wait(20)

            anyio.run(follow)

        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(anyio.to_thread.run_sync, elsewhere, number)
            await anyio.to_thread.run_sync(ready.wait)
            for value in range(1, 301):
                state.set(A, value)
                await anyio.lowlevel.checkpoint()
        assert state.get(B) == 4
        await a_few_steps()
        assert state.statistics().observed == 0
    assert len(results) == 4
    assert all(seen == sorted(set(seen)) and seen[-1] == 300 for seen in results)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_in_every_order_all_see_the_last_value_and_all_are_answered(backend: Any) -> None:
    async def scenario(chance: Any) -> None:
        state = fa.StateManager()
        last: list[int] = []
        answers: list[object] = []
        shared = state.watch(A)
        goal = chance.choice([3, 6, 99])

        async def follow(watch: fa.Watch[int], seen: list[int]) -> None:
            async for value in watch:
                assert not seen or value > seen[-1] or watch is shared
                seen.append(value)
                await anyio.sleep(chance.choice([0, 0.1, 1]))
            last.append(max(seen, default=-1))

        async def wait() -> None:
            await anyio.sleep(chance.choice([0, 0.1, 0.5]))
            answers.append(await answer_of(state.wait_for(A, lambda n: n >= goal)))

        async def write() -> None:
            for _ in range(6):
                await anyio.sleep(chance.choice([0, 0.1]))
                await state.update(A, lambda n: n + 1)

        shared_seen: list[int] = []
        own_seen: list[int] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow, shared, shared_seen)
            tasks.start_soon(follow, shared, shared_seen)
            tasks.start_soon(follow, state.watch(A), own_seen)
            tasks.start_soon(wait)
            async with anyio.create_task_group() as writing:
                writing.start_soon(write)
                with anyio.move_on_after(0.05):
                    await shared.__anext__()
            await anyio.sleep(5)
            await state.aclose()
        assert max(last) == 6
        assert len(last) == 3
        (answer,) = answers
        assert answer in range(goal, 7) if goal < 99 else "closed" in str(answer)
        assert state.statistics().observed == 0

    explore(scenario, range(150 if backend == "asyncio" else 50), backend=backend)


# ------------------------------------------------------------------ corners


async def test_a_watch_that_is_dropped_is_told_nothing_more() -> None:
    async with fa.StateManager() as state:
        values = state.watch(A)
        assert state.statistics().observed == 1
        del values
        state.set(A, 1)
        await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()
        assert state.statistics().observed == 0


async def test_a_failure_is_given_once_as_long_as_it_is_the_same() -> None:
    parity = fa.selector(lambda get: get(A) % 2)

    @fa.selector
    def odd(get: fa.Get) -> str:
        if not get(parity):
            raise ValueError("even")
        return f"odd {get(B)}"

    async with fa.StateManager() as state:
        async with state.watch(odd) as values:
            with pytest.raises(ValueError, match="even"):
                await values.__anext__()
            state.set(A, 2)
            with anyio.move_on_after(0.01) as waiting:
                await values.__anext__()
            assert waiting.cancelled_caught, "nothing has changed"
            state.set(A, 1)
            assert await values.__anext__() == "odd 0"
            state.set(A, 2)
            with pytest.raises(ValueError, match="even"):
                await values.__anext__()
            state.set(A, 4)
            with anyio.move_on_after(0.01) as waiting:
                await values.__anext__()
            assert waiting.cancelled_caught, "nothing has changed since it was told"


class Unlucky(Exception):
    """What a predicate raises."""


async def test_what_a_wait_has_raised_is_let_go_of_without_the_collector(fa_store: fa.StateManager) -> None:
    def look(value: int) -> bool:
        raise Unlucky(value)

    raised: list[weakref.ref[Unlucky]] = []
    gc.collect()
    gc.disable()
    try:
        try:
            await fa_store.wait_for(A, look)
        except Unlucky as error:
            raised.append(weakref.ref(error))
        assert [each() for each in raised] == [None]
    finally:
        gc.enable()


async def test_a_value_that_comes_just_before_somebody_waits_is_not_missed(
    fa_store: fa.StateManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late() -> Completion:
        monkeypatch.undo()
        fa_store.set(A, 1)  # as another thread may do just then
        return Completion()

    async with fa_store.watch(A) as values:
        assert await values.__anext__() == 0
        monkeypatch.setattr("flet_asp_actors.watching.Completion", late)
        with anyio.fail_after(1):
            assert await values.__anext__() == 1


def test_a_value_that_another_thread_takes_first_is_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    state = fa.StateManager()
    values = state.watch(A)
    taken: list[int] = []

    async def take() -> None:
        taken.append(await values.__anext__())

    async def second() -> None:
        with anyio.move_on_after(0.01):
            await take()
        state.set(A, 1)
        await take()

    monkeypatch.setattr("flet_asp_actors.system.root.LOCK", Behind(LOCK, lambda: anyio.run(take)))
    anyio.run(second)
    assert taken == [0, 1]


async def test_an_async_listener_held_for_a_loop_that_never_comes_is_closed_with_its_coroutine() -> None:
    heard: list[int] = []

    async def listen(n: int) -> None:
        heard.append(n)

    stores: list[fa.StateManager] = []

    def without_loop() -> None:
        state = fa.StateManager()
        state.listen(A, lambda n: listen(n))
        state.set(A, 1)
        stores.append(state)

    await anyio.to_thread.run_sync(lambda: in_thread(without_loop))
    closed: list[str] = []
    in_thread(lambda: closed.append(close_without_loop(stores[0])))
    assert (closed, heard) == (["<StateManager closed>"], [])


def close_without_loop(state: fa.StateManager) -> str:
    ending: Any = state.aclose()
    with pytest.raises(StopIteration):
        ending.send(None)
    return repr(state)
