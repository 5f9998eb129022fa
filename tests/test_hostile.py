"""A hostile world: stray cancellations, dying loops, threads at the wrong moment. Each was once a bug."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError as FutureCancelled
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
from tests.kit.actions import N, forever
from tests.kit.failures import collect
from tests.kit.threads import in_thread

ROOT = Path(__file__).parents[1]
M = fa.Key("m", 0)
CART = fa.Key[list[int]]("cart", factory=list)


class Stray(BaseException):
    """Stands for whatever is no Exception and not meant for the interpreter, such as a CancelledError."""


def stray(_: object) -> Any:
    raise Stray


@fa.action
def one(get: fa.Get, set: fa.Set) -> int:
    return 1


# ------------------------------------------------------------------ stray BaseExceptions


async def test_a_stray_one_in_a_queued_update_stops_nobody() -> None:
    async with fa.StateManager() as state:
        found = collect(state)
        sibling = state.action(forever)()

        async def slow(n: int) -> int:
            await anyio.lowlevel.checkpoint()
            return n + 1

        state.update(M, slow)
        receipt = state.update(M, stray)
        with pytest.raises(RuntimeError, match="a stray Stray"):
            await receipt
        await state.set(M, 5)
        assert (state.get(M), sibling.state, found) == (5, "running", [])


def test_a_stray_one_in_the_mailbox_of_a_sync_update_stops_nobody() -> None:
    state = fa.StateManager()
    found = collect(state)
    seen: list[int] = []
    state.listen(M, seen.append, immediate=False)

    def step(n: int) -> int:
        state.update(N, stray)
        return 1

    state.update(N, step)
    state.set(M, 2)
    assert (state.get(N), seen, len(found)) == (1, [2], 1)


@pytest.mark.parametrize("where", ["selector", "listener"])
def test_a_stray_one_in_a_watched_function_is_an_error_like_others(where: str) -> None:
    state = fa.StateManager()
    found = collect(state)
    seen: list[int] = []
    if where == "selector":
        state.listen(fa.selector(lambda get: stray(0) if get(N) else 0), lambda _: None)
    else:
        state.listen(N, stray, immediate=False)
    state.listen(N, seen.append, immediate=False)
    state.set(N, 1)
    state.set(M, 1)
    assert seen == [1]
    assert [type(each.error.__cause__) for each in found] == [Stray]


async def test_a_stray_one_in_a_foreign_update_answers_the_thread() -> None:
    async with fa.StateManager() as state:

        def work() -> None:
            with pytest.raises(RuntimeError, match="a stray"):
                state.update(N, stray).wait(5)

        await anyio.to_thread.run_sync(work)


async def test_a_stray_one_in_a_handler_fails_that_run_alone() -> None:
    async with fa.StateManager() as state:
        sibling = state.action(forever)()

        @state.action
        async def odd(get: fa.Get, set: fa.Set) -> None:
            raise Stray

        with pytest.raises(RuntimeError, match="a stray Stray"):
            await odd()
        assert sibling.state == "running"


async def test_a_group_of_a_nursery_that_mixes_cancellation_and_errors() -> None:
    state = fa.StateManager()
    found = collect(state)

    async def child() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("cleanup")

    @state.action
    async def nursery(get: fa.Get, set: fa.Set) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(child)
            tasks.start_soon(anyio.sleep_forever)

    run = nursery()
    await wait_all_tasks_blocked()
    await state.aclose()
    assert run.state == "cancelled"
    assert "cleanup" in repr([each.error for each in found]) + repr([each.error.__cause__ for each in found])


# ------------------------------------------------------------------ the end


async def test_aclose_inside_async_with() -> None:
    async with fa.StateManager() as state:
        run = state.action(forever)()
        await wait_all_tasks_blocked()
        await state.aclose()
    assert run.state == "cancelled"


async def test_aclose_by_another_task_ends_the_body() -> None:
    state = fa.StateManager()
    async with anyio.create_task_group() as tasks:
        opened = anyio.Event()

        async def body() -> None:
            async with state:
                opened.set()
                await anyio.sleep_forever()

        tasks.start_soon(body)
        await opened.wait()
        await state.aclose()
    assert "closed" in repr(state)


async def test_a_store_is_opened_once() -> None:
    async with fa.StateManager() as state:
        with pytest.raises(fa.BusyError, match="open already"):
            async with state:
                pass
        assert await state.action(one)() == 1


def test_a_store_of_a_dead_loop_is_opened_on_the_next() -> None:
    state = fa.StateManager()
    where: list[int] = []

    async def first() -> None:
        state.listen(N, lambda _: where.append(threading.get_ident()), immediate=False)

    async def second() -> None:
        async with state:
            run = state.action(forever)()
            await asyncio.sleep(0)
            await asyncio.to_thread(lambda: state.set(N, 5).wait(5))
        assert run.is_done

    asyncio.run(first())
    asyncio.run(second())
    assert set(where) == {threading.get_ident()}


def test_a_loop_that_is_closed_with_a_host_open() -> None:
    """In a process of its own: what asyncio says of tasks that a closed loop leaves behind is not ours."""
    program = """
import asyncio, anyio, flet_asp_actors as fa
state = fa.StateManager()
@state.action
async def forever(get, set):
    await anyio.sleep_forever()
async def start():
    run = forever()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return run
loop = asyncio.new_event_loop()
run = loop.run_until_complete(start())
loop.close()
asyncio.run(state.aclose())
print(run.state, state)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "cancelled <StateManager closed>"


def test_a_write_posted_to_a_dying_loop_is_applied_all_the_same() -> None:
    state = fa.StateManager()
    receipts: list[fa.Receipt] = []

    async def main() -> None:
        state.listen(N, lambda _: None)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    thread = threading.Thread(target=lambda: receipts.append(state.set(N, 7)))
    thread.start()
    thread.join()
    loop.close()
    in_thread(lambda: receipts[0].wait(5))
    assert state.get(N) == 7
    asyncio.run(state.settled())


# ------------------------------------------------------------------ values


def test_a_deleted_key_that_nobody_watches_is_not_stale_for_those_who_know_it() -> None:
    state = fa.StateManager()
    double = fa.selector(lambda get: get(N) * 2)
    handle = state.atom(N)
    state.set(N, 5)
    assert state.get(double) == 10
    state.delete(N)
    assert state.get(double) == 0
    state.set(N, 7)
    assert (state.get(double), handle.value) == (14, 7)


def test_a_deleted_selector_that_is_declared_again_is_the_new_one() -> None:
    state = fa.StateManager()
    collect(state)
    seen: list[int] = []
    state.add_selector("sel", lambda get: get(N) * 10)
    above = fa.selector(lambda get: int(get("sel")) + 1)
    told: list[int] = []
    state.listen("sel", seen.append)
    state.listen(above, told.append)
    state.set(N, 1)
    state.delete("sel")
    state.set(N, 2)
    state.add_selector("sel", lambda get: get(N) * 1000)
    state.set(N, 3)
    assert seen == [0, 10, 2000, 3000]
    assert told == [1, 11, 2001, 3001]


def test_clear_goes_on_past_a_key_that_cannot_be_reset() -> None:
    state = fa.StateManager()
    state.atom("lock", [threading.Lock()])
    keys = [fa.Key(f"k{each}", 0) for each in range(20)]
    for key in keys:
        state.set(key, 1)
    with pytest.raises(TypeError, match="'lock' cannot be reset"):
        state.clear()
    assert [state.get(key) for key in keys] == [0] * 20


async def test_clear_in_the_step_of_an_update_cancels_it() -> None:
    async with fa.StateManager() as state:
        state.set(N, 5)

        async def never(n: int) -> int:
            await anyio.sleep_forever()
            return n

        receipt = state.update(N, never)
        state.clear()
        with pytest.raises(fa.RunCancelled):
            await receipt
        await state.settled()
        assert state.get(N) == 0


async def test_what_an_action_reads_is_no_dependency_of_what_computes_meanwhile() -> None:
    async with fa.StateManager() as state:
        runs: list[int] = []
        entered, go_on = threading.Event(), threading.Event()

        @state.action
        async def reads(get: fa.Get, set: fa.Set) -> int:
            def work() -> int:
                entered.wait(5)
                try:
                    return get(M)
                finally:
                    go_on.set()

            return await anyio.to_thread.run_sync(work)

        def slow(get: fa.Get) -> int:
            runs.append(get(N))
            entered.set()
            go_on.wait(5)
            return runs[-1]

        run = reads()
        await wait_all_tasks_blocked()
        state.listen(fa.selector(slow), lambda _: None)
        await run
        runs.clear()
        state.set(M, 5)
        assert runs == []


def test_a_failing_selector_is_reported_once_per_failure() -> None:
    state = fa.StateManager()
    found = collect(state)
    fragile = fa.selector(lambda get: 1 // get(N))
    mixed = fa.selector(lambda get: (get(M), get(fragile)))
    state.listen(fragile, lambda _: None)
    state.listen(mixed, lambda _: None)
    found.clear()
    for each in range(1, 4):
        state.set(M, each)
    assert found == []


def test_a_turn_given_up_does_not_revive_who_was_stopped() -> None:
    state = fa.StateManager()
    told: list[int] = []
    is_looping = [True]

    def up(n: int) -> None:
        if is_looping[0]:
            state.set(M, n + 1)
        if n > 9_900:
            closing.close()

    state.listen(N, up, immediate=False)
    state.listen(M, lambda m: state.set(N, m + 1), immediate=False)
    closing = state.listen(M, told.append, immediate=False)
    with pytest.raises(fa.LoopError):
        state.set(N, 1)
    is_looping[0] = False
    told.clear()
    state.set(M, -5)
    assert told == []


@pytest.mark.parametrize("what", ["invalidate", "listen", "close", "clear", "delete"])
def test_a_selector_only_reads(what: str) -> None:
    state = fa.StateManager()
    subscription = state.listen(M, lambda _: None)
    other = fa.selector(lambda get: get(M))
    deeds: dict[str, Callable[[], object]] = {
        "invalidate": lambda: state.invalidate(other),
        "listen": lambda: state.listen(M, print),
        "close": subscription.close,
        "clear": state.clear,
        "delete": lambda: state.delete(M),
    }

    def impure(get: fa.Get) -> int:
        deeds[what]()
        return get(N)

    with pytest.raises(fa.PurityError):
        state.get(fa.selector(impure))


# ------------------------------------------------------------------ errors that nobody may lose


async def test_an_error_whose_waiter_was_cancelled_in_the_same_step() -> None:
    async with fa.StateManager() as state:
        found = collect(state)
        gate = anyio.Event()

        @state.action
        async def fails(get: fa.Get, set: fa.Set) -> None:
            await gate.wait()
            scopes[0].cancel()
            raise ValueError("lost?")

        scopes: list[anyio.CancelScope] = []

        async def waiter() -> None:
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                await fails()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiter)
            await wait_all_tasks_blocked()
            gate.set()
        await state.settled()
        heard = [str(each.error) for each in found]
        assert heard in (["lost?"], [])  # []: the waiter got it before its cancellation
        assert state.get(fails.status).message == "lost?"


async def test_a_foreign_wait_that_gave_up_does_not_count_as_heard() -> None:
    async with fa.StateManager() as state:
        found = collect(state)
        gate = anyio.Event()

        async def fails(n: int) -> int:
            await gate.wait()
            raise ValueError("late")

        def work() -> None:
            with pytest.raises(TimeoutError):
                state.update(N, fails).wait(0.01)

        await anyio.to_thread.run_sync(work)
        gate.set()
        await state.settled()
        await wait_all_tasks_blocked()
        gc.collect()
        await wait_all_tasks_blocked()
        assert [str(each.error) for each in found] == ["late"]


async def test_writes_dropped_at_the_close_are_reported() -> None:
    async with fa.StateManager() as state:
        found = collect(state)

        async def never(n: int) -> int:
            await anyio.sleep_forever()
            return n

        state.update(N, never)
        state.set(N, 5)
    assert [type(each.error) for each in found] == [fa.ClosedError] * 2


async def test_a_foreign_start_that_is_refused_answers_its_run() -> None:
    async with fa.StateManager() as state:
        runs: list[fa.Run[None]] = []
        go = state.action(forever)
        hold = threading.Event()

        def work() -> None:
            hold.wait(5)
            runs.append(go())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, work)
            closing = anyio.create_task_group()
            await closing.__aenter__()
            hold.set()
            while not runs:
                await anyio.lowlevel.checkpoint()
            await closing.__aexit__(None, None, None)
    await runs[0].wait()
    assert runs[0].state == "cancelled"


async def test_an_async_listener_does_not_lose_the_latest_value_to_a_stray_cancellation() -> None:
    async with fa.StateManager() as state:
        seen: list[int] = []
        gate = anyio.Event()

        async def listener(n: int) -> None:
            seen.append(n)
            if n == 1:
                await gate.wait()
                raise FutureCancelled

        state.listen(N, listener, immediate=False)
        collect(state)
        state.set(N, 1)
        await wait_all_tasks_blocked()
        state.set(N, 2)
        gate.set()
        await state.settled()
        assert seen == [1, 2]


async def test_a_run_that_cancels_itself_reports_nothing() -> None:
    async with fa.StateManager() as state:
        found = collect(state)

        @state.action
        async def selfish(get: fa.Get, set: fa.Set) -> None:
            selfish.cancel()
            await anyio.sleep_forever()

        run = selfish()
        await run.wait()
        await wait_all_tasks_blocked()
        assert (run.state, found) == ("cancelled", [])


async def test_an_async_listener_may_wait_for_the_run_whose_write_started_it() -> None:
    async with fa.StateManager() as state:
        found = collect(state)
        log: list[str] = []
        runs: list[fa.Run[None]] = []

        async def listener(n: int) -> None:
            await runs[0].wait()
            log.append(runs[0].state)

        @state.action
        async def writes(get: fa.Get, set: fa.Set) -> None:
            set(N, 1)
            await anyio.lowlevel.checkpoint()

        state.listen(N, listener, immediate=False)
        runs.append(writes())
        await state.settled()
        assert (log, found) == (["succeeded"], [])


# ------------------------------------------------------------------ the put-back rule


async def test_a_value_that_another_update_left_is_not_put_back_over() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()

        async def other(n: int) -> int:
            await gate.wait()
            return 10

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            set(N, 99)
            try:
                await anyio.sleep_forever()
            finally:
                set(N, 0)

        state.update(N, other)
        run = work()
        await wait_all_tasks_blocked()
        gate.set()
        await wait_all_tasks_blocked()
        assert state.get(N) == 99
        run.cancel()
        await run.wait()
        assert state.get(N) == 99, "0 was never there when the run's write had its turn"


async def test_a_listener_that_clamps_is_somebody_else() -> None:
    async with fa.StateManager() as state:
        state.listen(N, lambda n: state.set(N, 100) if n > 100 else None)

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            set(N, 200)
            try:
                await anyio.sleep_forever()
            finally:
                set(N, 0)

        run = work()
        await wait_all_tasks_blocked()
        run.cancel()
        await run.wait()
        assert state.get(N) == 100


async def test_an_edit_can_be_put_back_by_a_copy_from_before() -> None:
    async with fa.StateManager() as state:

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            before = list(get(CART))
            set.mutate(CART, lambda cart: cart.append(1))
            try:
                await anyio.sleep_forever()
            finally:
                set(CART, before)

        run = work()
        await wait_all_tasks_blocked()
        assert state.get(CART) == [1]
        run.cancel()
        await run.wait()
        assert state.get(CART) == []


# ------------------------------------------------------------------ threads


async def test_closing_from_a_thread_while_the_loop_writes() -> None:
    async with fa.StateManager() as state:
        subscriptions = [state.listen(N, lambda _, each=each: None, immediate=False) for each in range(20)]  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        done = threading.Event()

        def work() -> None:
            for subscription in subscriptions:
                subscription.close()
            done.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, work)
            number = 0
            while not done.is_set():
                number += 1
                state.set(N, number)
                await anyio.lowlevel.checkpoint()
        assert state.statistics().observed == 0


async def test_a_batch_on_another_thread_is_one_turn() -> None:
    async with fa.StateManager() as state:
        seen: list[tuple[int, int]] = []
        state.listen(fa.selector(lambda get: (get(N), get(M))), seen.append, immediate=False)

        def work() -> None:
            with state.batch(), state.batch():
                state.set(N, 1)
                receipt = state.set(M, 2)
            receipt.wait(5)

        await anyio.to_thread.run_sync(work)
        assert seen == [(1, 2)]


async def test_a_homeless_store_in_async_code_lives_on_that_loop() -> None:
    made: list[fa.StateManager] = []
    thread = threading.Thread(target=lambda: made.append(fa.StateManager()))
    thread.start()
    thread.join()
    with pytest.raises(fa.BatchError), made[0].batch():
        made[0].set(N, 1)
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()


async def test_a_store_without_a_loop_that_waits_for_one_is_told_of_the_deadlock() -> None:
    async with fa.StateManager() as home:
        double = fa.selector(lambda get: get(N) * 2)
        made: list[fa.StateManager] = []
        found: list[fa.Failure] = []

        def work() -> None:
            made.append(fa.StateManager())
            made[0].on_error = found.append
            made[0].listen(M, lambda _: home.get(double), immediate=False)
            made[0].set(M, 1)

        await anyio.to_thread.run_sync(work)
        assert [type(each.error) for each in found] == [fa.DeadlockError]


# ------------------------------------------------------------------ listeners


async def test_a_stray_one_out_of_an_async_listener_is_told_and_the_next_change_is_heard() -> None:
    async with fa.StateManager() as state:
        found = collect(state)
        heard: list[int] = []

        async def listen(n: int) -> None:
            heard.append(n)
            if n == 1:
                raise Stray

        state.listen(N, listen)
        for n in (1, 2):
            await state.settled()
            state.set(N, n)
        await state.settled()
        assert heard == [0, 1, 2]
        assert [(failure.key, type(failure.error.__cause__)) for failure in found] == [(N, Stray)]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_stray_cancellation_in_an_async_listener_loses_no_change() -> None:
    heard: list[int] = []
    asked = asyncio.get_running_loop().create_future()

    async def listen(n: int) -> None:
        heard.append(n)
        if n == 1:
            await asked

    async with fa.StateManager() as state:
        state.listen(N, listen)
        await state.settled()
        state.set(N, 1)
        await wait_all_tasks_blocked()
        state.set(N, 2)
        asked.cancel()
        await state.settled()
        assert heard == [0, 1, 2]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_stray_cancellation_in_an_async_listener_begins_nothing_anew_that_nothing_has_changed_for() -> None:
    heard: list[int] = []
    asked = asyncio.get_running_loop().create_future()

    async def listen(n: int) -> None:
        heard.append(n)
        if len(heard) == 1:
            await asked

    async with fa.StateManager() as state:
        state.listen(N, listen)
        await wait_all_tasks_blocked()
        asked.cancel()
        await state.settled()
        assert heard == [0]


async def test_a_coroutine_for_what_is_put_back_at_the_very_end_is_closed() -> None:
    heard: list[int] = []

    async def listen(n: int) -> None:
        heard.append(n)

    async with fa.StateManager() as state:
        found = collect(state)
        state.listen(N, lambda n: listen(n), immediate=False)
        state.listen(N, listen, immediate=False)
        state.action(forever)()
        await wait_all_tasks_blocked()
    assert (heard, state.get(N), found) == ([1, 1], 0, [])


# ------------------------------------------------------------------ floods


async def test_a_flooded_mailbox_is_emptied_in_order_and_in_one_turn() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()
        handled: list[int] = []
        seen: list[int] = []

        async def slow(n: int) -> int:
            await gate.wait()
            return 0

        def update(number: int) -> fa.Receipt:
            def step(_: int) -> int:
                handled.append(number)
                return number

            return state.update(N, step)

        state.listen(N, seen.append)
        state.update(N, slow)
        receipts = [update(number) for number in range(1, 20_001)]
        state.set(M, 1)
        assert (state.get(M), state.statistics().messages, handled) == (1, 20_000, [])
        gate.set()
        await receipts[-1]
        assert handled == list(range(1, 20_001))
        assert seen == [0, 20_000]
        assert all(receipt.is_done for receipt in receipts)
        assert state.statistics().messages == 0


@pytest.mark.parametrize("when_full", ["error", "drop_oldest"])
async def test_a_bounded_mailbox_that_is_flooded_refuses_or_lets_go_of_the_oldest(
    when_full: Literal["error", "drop_oldest"],
) -> None:
    key = fa.Key[tuple[int, ...]]("log", (), mailbox=2, when_full=when_full)
    async with fa.StateManager() as state:
        failures = collect(state)
        gate = anyio.Event()

        async def slow(log: tuple[int, ...]) -> tuple[int, ...]:
            await gate.wait()
            return log

        def add(number: int) -> fa.Receipt:
            return state.update(key[1], lambda log: (*log, number))

        state.update(key[1], slow)
        receipts = [add(1), add(2)]
        async with state.transaction() as tx:  # waits as well, but is no write that is counted
            tx.set(M, 1)
        for number in (3, 4):
            if when_full == "error":
                with pytest.raises(fa.BusyError, match=r"the mailbox of Key\('log\[1\]'\) is full"):
                    add(number)
            else:
                receipts.append(add(number))
        gate.set()
        await receipts[-1]
        if when_full == "error":
            assert state.get(key[1]) == (1, 2)
        else:
            assert state.get(key[1]) == (3, 4)
            with pytest.raises(fa.RunCancelled, match="was dropped: 2 later ones wait"):
                await receipts[0]
        await add(5)
        assert state.get(key[1])[-1] == 5, "there is room again"
    assert failures == [], "who drops the oldest wants that"


async def test_a_thread_that_floods_a_bounded_mailbox_hears_of_it() -> None:
    key = fa.Key("n", 0, mailbox=1)
    async with fa.StateManager() as state:
        failures = collect(state)
        gate = anyio.Event()

        async def slow(n: int) -> int:
            await gate.wait()
            return n

        state.update(key, slow)
        first, second = await anyio.to_thread.run_sync(lambda: (state.set(key, 1), state.set(key, 2)))
        with pytest.raises(fa.BusyError, match="is full"):
            await second
        assert failures == []
        await anyio.to_thread.run_sync(lambda: (state.set(key, 3), None)[1])  # nobody awaits it
        gc.collect()  # without a global lock what a thread has let go of may wait for that
        await wait_all_tasks_blocked()
        assert [type(failure.error) for failure in failures] == [fa.BusyError]
        gate.set()
        await first
        assert state.get(key) == 1


@pytest.mark.parametrize(("mailbox", "when_full"), [(0, "error"), (3, "wait")])
def test_a_mailbox_that_makes_no_sense_is_refused(mailbox: int, when_full: Any) -> None:
    with pytest.raises(ValueError, match=r"Key\('n'\): "):
        fa.Key("n", 0, mailbox=mailbox, when_full=when_full)


async def test_threads_that_flood_a_loop_that_stands_still_lose_nothing() -> None:
    async with fa.StateManager() as state:
        last: list[fa.Receipt] = []

        def flood() -> None:
            last.append([state.update(N, lambda n: n + 1) for _ in range(2_000)][-1])

        threads = [threading.Thread(target=flood) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()  # the loop stands still meanwhile
        assert state.get(N) == 0
        for receipt in last:
            await receipt
        assert state.get(N) == 8_000
