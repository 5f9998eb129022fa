"""Threads: reads from anywhere; writes are applied on the home loop, in order, or under the lock."""

from __future__ import annotations

import contextvars
import threading

import anyio
import anyio.to_thread
import pytest

import flet_asp_actors as fa
from tests.kit.threads import in_thread

N = fa.Key("n", 0)


def test_without_a_loop_a_lock_serialises() -> None:
    state = fa.StateManager()
    double = fa.selector(lambda get: get(N) * 2)
    seen: list[int] = []
    state.listen(double, seen.append)

    def hammer() -> None:
        for _ in range(500):
            state.update(N, lambda n: n + 1)

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.get(N) == 4000
    assert seen == list(range(0, 8001, 2)), "in order, none lost, none seen twice"


async def test_a_foreign_write_is_applied_on_the_loop() -> None:
    async with fa.StateManager() as state:
        home = threading.get_ident()
        where: list[tuple[int, bool]] = []
        state.listen(N, lambda n: where.append((n, threading.get_ident() == home)), immediate=False)

        def work() -> None:
            receipts = [state.set(N, each) for each in range(1, 4)]
            receipts[-1].wait(5)
            assert all(receipt.is_done for receipt in receipts)
            assert state.get(N) == 3

        await anyio.to_thread.run_sync(work)
        assert where == [(1, True), (2, True), (3, True)]


async def test_a_foreign_get_of_a_stale_selector_waits_for_the_loop() -> None:
    async with fa.StateManager() as state:
        threads: list[int] = []

        @fa.selector
        def double(get: fa.Get) -> int:
            threads.append(threading.get_ident())
            return get(N) * 2

        def work() -> int:
            state.set(N, 5)
            return state.get(double)

        assert await anyio.to_thread.run_sync(work) == 10
        assert threads == [threading.get_ident()]


async def test_a_foreign_error_reaches_who_waits_else_on_error() -> None:
    async with fa.StateManager() as state:
        found: list[fa.Failure] = []
        state.on_error = found.append

        def work() -> None:
            with pytest.raises(ZeroDivisionError):
                state.update(N, lambda n: 1 // n).wait(5)
            state.update(N, lambda n: 1 // n)

        await anyio.to_thread.run_sync(work)
        await state.settled()
        assert [type(each.error) for each in found] == [ZeroDivisionError]


async def test_a_foreign_async_update_and_action() -> None:
    async with fa.StateManager() as state:

        async def later(n: int) -> int:
            await anyio.lowlevel.checkpoint()
            return n + 1

        @state.action
        async def add(get: fa.Get, set: fa.Set, by: int) -> None:
            set.update(N, lambda n: n + by)

        def work() -> None:
            state.update(N, later).wait(5)
            add(10)

        await anyio.to_thread.run_sync(work)
        await state.settled()
        assert state.get(N) == 11


async def test_a_foreign_cancel() -> None:
    async with fa.StateManager() as state:

        @state.action
        async def forever(get: fa.Get, set: fa.Set) -> None:
            await anyio.sleep_forever()

        run = forever()
        await anyio.wait_all_tasks_blocked()
        await anyio.to_thread.run_sync(run.cancel)
        await run.wait()
        assert run.state == "cancelled"


async def test_waiting_for_a_receipt_on_the_loops_own_thread_raises() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()

        async def slow(n: int) -> int:
            await gate.wait()
            return 1

        receipt = state.update(N, slow)
        with pytest.raises(fa.DeadlockError, match=r"Receipt\.wait\(\) on the thread"):
            receipt.wait()
        gate.set()
        await receipt
        receipt.wait()


async def test_a_wait_that_takes_too_long() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()

        async def slow(n: int) -> int:
            await gate.wait()
            return 1

        def work() -> None:
            with pytest.raises(TimeoutError, match="was not applied within"):
                state.update(N, slow).wait(0.001)

        await anyio.to_thread.run_sync(work)
        gate.set()
        await state.settled()
        assert state.get(N) == 1


async def test_a_foreign_write_to_a_closed_store() -> None:
    async with fa.StateManager() as state:
        pass

    def work() -> None:
        with pytest.raises(fa.ClosedError):
            state.set(N, 1)

    await anyio.to_thread.run_sync(work)


def test_a_dead_home_loop_is_replaced() -> None:
    state = fa.StateManager()

    async def main() -> None:
        state.listen(N, lambda _: None)

    anyio.run(main)
    in_thread(lambda: state.set(N, 1).wait(1))
    assert state.get(N) == 1
    in_thread(lambda: anyio.run(main))
    state.set(N, 2)
    assert state.get(N) == 2


async def test_listening_from_a_foreign_thread() -> None:
    async with fa.StateManager() as state:
        seen: list[int] = []
        await anyio.to_thread.run_sync(lambda: state.listen(N, seen.append))
        state.set(N, 1)
        assert seen == [0, 1]


async def test_a_store_is_made_in_a_thread_that_was_given_a_context_of_the_loop() -> None:
    """As `asyncio.to_thread` does: the context says that a loop is running, and in the thread there is none."""

    seen: list[int] = []

    def work() -> None:
        state = fa.StateManager(overrides={N: 1})
        state.listen(fa.selector(lambda get: get(N) * 2), seen.append)
        state.set(N, 2)

        async def later(n: int) -> int:
            return n

        with pytest.raises(fa.NotRunningError):
            state.update(N, later)

    context = contextvars.copy_context()
    await anyio.to_thread.run_sync(lambda: in_thread(lambda: context.run(work)))
    assert seen == [2, 4]
