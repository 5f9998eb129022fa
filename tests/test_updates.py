"""Async updates, receipts and their cost of waiting: atomic across awaits, in order, cancellable."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref

import anyio
import anyio.lowlevel
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
from tests.kit.failures import collect

N = fa.Key("n", 0)
M = fa.Key("m", 0)


async def later(n: int) -> int:
    await anyio.lowlevel.checkpoint()
    return n + 1


async def test_1000_tasks_updating_end_at_1000() -> None:
    async with fa.StateManager() as state:

        async def add() -> None:
            await state.update(N, lambda n: n + 1)

        async def add_later() -> None:
            await state.update(M, later)

        async with anyio.create_task_group() as tasks:
            for _ in range(1000):
                tasks.start_soon(add)
                tasks.start_soon(add_later)
        assert (state.get(N), state.get(M)) == (1000, 1000)
        assert state.statistics().jobs == 0


async def test_writes_to_a_busy_atom_wait_and_others_go_on() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()

        async def slow(n: int) -> int:
            await gate.wait()
            return n + 1

        first = state.update(N, slow)
        second = state.set(N, 10)
        third = state.update(N, lambda n: n * 2)
        state.set(M, 5)
        await wait_all_tasks_blocked()
        assert (state.get(N), state.get(M)) == (0, 5), "the old value, as long as the message goes on"
        assert [each.is_done for each in (first, second, third)] == [False, False, False]
        assert state.statistics().messages == 2
        assert state.atom(N).is_busy
        gate.set()
        await third
        assert state.get(N) == 20
        assert not state.atom(N).is_busy


async def test_a_failing_async_update_reaches_who_awaits_or_on_error() -> None:
    async def fail(n: int) -> int:
        await anyio.lowlevel.checkpoint()
        raise ValueError("no")

    async with fa.StateManager() as state:
        found = collect(state)
        with pytest.raises(ValueError, match="no"):
            await state.update(N, fail)
        assert found == []
        state.update(N, fail)
        state.set(N, 3)
        await state.settled()
        assert [each.key for each in found] == [N]
        assert state.get(N) == 3


async def test_cancelling_the_wait_leaves_the_update_running() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()

        async def slow(n: int) -> int:
            await gate.wait()
            return 7

        with anyio.move_on_after(0.001):
            await state.update(N, slow)
        gate.set()
        await state.settled()
        assert state.get(N) == 7


async def test_an_error_whose_only_waiter_is_cancelled_as_it_comes_is_told() -> None:
    async with fa.StateManager() as state:
        found = collect(state)
        gate = anyio.Event()

        async def fail(n: int) -> int:
            await gate.wait()
            raise ValueError("no")

        receipt = state.update(N, fail)
        with anyio.CancelScope() as scope:
            receipt.on_done(scope.cancel)
            gate.set()
            await receipt
        assert scope.cancelled_caught
        assert [str(each.error) for each in found] == ["no"]


async def test_an_error_that_another_waiter_hears_is_not_told_when_one_is_cancelled_as_it_comes() -> None:
    async with fa.StateManager() as state, anyio.create_task_group() as tasks:
        found = collect(state)
        gate = anyio.Event()

        async def fail(n: int) -> int:
            await gate.wait()
            raise ValueError("no")

        async def hear() -> None:
            with pytest.raises(ValueError, match="no"):
                await receipt

        receipt = state.update(N, fail)
        tasks.start_soon(hear)
        await wait_all_tasks_blocked()
        with anyio.CancelScope() as scope:
            receipt.on_done(scope.cancel)
            gate.set()
            await receipt
        assert scope.cancelled_caught
        await state.settled()
        assert found == []


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    async with fa.StateManager() as state:
        receipt = state.update(N, lambda n: wait_for_ever())
        kind = type(anyio.Event())

        def events() -> int:
            gc.collect()
            return sum(type(each) is kind for each in gc.get_objects())

        before = events()
        for _ in range(100):
            with anyio.move_on_after(0):
                await receipt
        assert events() < before + 50


async def wait_for_ever() -> int:
    await anyio.sleep_forever()
    return 7


async def test_an_async_mutate() -> None:
    cart = fa.Key[list[int]]("cart", factory=list)

    async def fill(each: list[int]) -> None:
        await anyio.lowlevel.checkpoint()
        each.append(1)

    async with fa.StateManager() as state:
        seen: list[list[int]] = []
        state.listen(cart, lambda each: seen.append(list(each)))
        await state.mutate(cart, fill)
        assert seen == [[], [1]]


async def test_clear_cancels_an_update_and_ends_at_the_default() -> None:
    async with fa.StateManager() as state:
        state.set(N, 5)

        async def slow(n: int) -> int:
            await anyio.sleep_forever()
            return 7

        receipt = state.update(N, slow)
        await wait_all_tasks_blocked()
        state.clear()
        with pytest.raises(fa.RunCancelled):
            await receipt
        await state.settled()
        assert state.get(N) == 0


async def test_what_waits_for_its_turn_at_a_name_that_is_deleted_does_not_come_into_its_next_life() -> None:
    async def stubborn(n: int) -> int:
        with contextlib.suppress(anyio.get_cancelled_exc_class()):
            await anyio.sleep_forever()
        return 7

    async with fa.StateManager() as state:
        state.atom("n", 0)
        state.on_error = lambda failure: None  # that one is unknown for a while
        double = fa.selector(lambda get: int(get("n")) * 2)
        seen: list[int] = []
        state.listen("n", seen.append)
        state.listen(double, seen.append)
        state.update("n", stubborn)
        await wait_all_tasks_blocked()
        receipts = [state.set("n", 1), state.update("n", lambda n: n + 1)]
        state.delete("n")
        state.atom("n", 50)
        for each in receipts:
            await each
        await state.settled()
        assert (state.get("n"), seen) == (50, [0, 0, 50, 100])
        state.set("n", 51)
        assert seen[-2:] == [51, 102]


async def test_waiting_for_oneself_raises() -> None:
    caught: list[str] = []

    async with fa.StateManager() as state:

        async def selfish(n: int) -> int:
            try:
                await state.update(N, lambda each: each + 10)
            except fa.DeadlockError as error:
                caught.append(str(error))
            return n + 1

        await state.update(N, selfish)
        await state.settled()
        assert state.get(N) == 11, "the write itself is not lost"
        assert "an update of Key('n') waits for an update of Key('n')" in caught[0]


async def test_two_updates_that_await_each_other_raise() -> None:
    caught: list[fa.DeadlockError] = []

    async with fa.StateManager() as state:

        def crossing(other: fa.Key[int]):  # type: ignore[no-untyped-def]
            async def step(n: int) -> int:
                await wait_all_tasks_blocked()
                try:
                    await state.set(other, 5)
                except fa.DeadlockError as error:
                    caught.append(error)
                return n + 1

            return step

        state.update(N, crossing(M))
        state.update(M, crossing(N))
        await state.settled()
        (error,) = map(str, caught)
        assert f"an update of {M} waits for an update of {N} waits for an update of {M}." in error or (
            f"an update of {N} waits for an update of {M} waits for an update of {N}." in error
        )
        assert (state.get(N), state.get(M)) == (5, 5)


async def test_who_has_given_up_waiting_is_waited_for_as_anybody() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()

        async def give_up(n: int) -> int:
            with anyio.move_on_after(0.001):
                await state.set(M, 5)
            gate.set()
            await wait_all_tasks_blocked()
            return n + 1

        async def wait(m: int) -> int:
            await gate.wait()
            await state.set(N, 7)
            return m + 1

        updates = state.update(M, wait), state.update(N, give_up)
        for each in updates:
            await each
        assert (state.get(N), state.get(M)) == (7, 5)


async def test_a_write_happens_when_it_is_called() -> None:
    async with fa.StateManager() as state:
        receipt = state.set(N, 1)
        assert state.get(N) == 1
        assert receipt.is_done
        await receipt
        receipt.wait()


async def test_awaited_sets_starve_nobody_and_can_be_cancelled() -> None:
    async with fa.StateManager() as state:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await anyio.lowlevel.checkpoint()
                ticks += 1

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            for each in range(1000):
                await state.set(N, each)
            tasks.cancel_scope.cancel()
        assert ticks > 10
        with anyio.CancelScope() as scope:
            scope.cancel()
            for each in range(1000):
                await state.set(M, each + 1)
        assert scope.cancelled_caught
        assert state.get(M) < 100


async def test_a_batch_across_an_await_is_flushed_there_and_raises_at_its_exit() -> None:
    async with fa.StateManager() as state:
        seen: list[int] = []
        state.listen(N, seen.append, immediate=False)
        with pytest.raises(fa.BatchError, match="held open across an await"):
            with state.batch():
                state.set(N, 1)
                assert seen == []
                await anyio.lowlevel.checkpoint()
                await anyio.lowlevel.checkpoint()
                assert seen == [1]
                state.set(N, 2)
                assert seen == [1, 2], "no longer put off"
        with state.batch():
            state.set(N, 3)
            assert seen == [1, 2]
        assert seen == [1, 2, 3]


async def test_async_listeners_come_in_order_one_at_a_time_and_conflated() -> None:
    async with fa.StateManager() as state:
        log: list[str] = []
        gates = [anyio.Event() for _ in range(3)]

        async def slow(n: int) -> None:
            log.append(f"start {n}")
            await gates[min(n, 2)].wait()
            log.append(f"end {n}")

        state.listen(N, slow)
        await wait_all_tasks_blocked()
        for each in range(1, 5):
            state.set(N, each)
        await wait_all_tasks_blocked()
        assert log == ["start 0"]
        gates[0].set()
        await wait_all_tasks_blocked()
        assert log == ["start 0", "end 0", "start 4"]
        gates[2].set()
        await state.settled()
        assert log[-1] == "end 4"
        assert state.statistics().jobs == 0


async def test_an_async_listener_that_fails_goes_on() -> None:
    async with fa.StateManager() as state:
        found = collect(state)

        async def fail(n: int) -> None:
            await anyio.lowlevel.checkpoint()
            raise ValueError(str(n))

        state.listen(N, fail)
        await state.settled()
        state.set(N, 1)
        await state.settled()
        assert [str(each.error) for each in found] == ["0", "1"]


async def test_closing_an_async_listener_cancels_its_call() -> None:
    async with fa.StateManager() as state:
        log: list[str] = []

        async def slow(n: int) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                log.append("ended")

        subscription = state.listen(N, slow)
        await wait_all_tasks_blocked()
        subscription.close()
        await state.settled()
        assert log == ["ended"]


async def test_an_async_listener_set_up_without_a_loop_is_held_until_there_is_one() -> None:
    state = fa.StateManager()
    log: list[int] = []

    async def note(n: int) -> None:
        log.append(n)

    state.listen(N, note)
    state.set(N, 1)
    assert log == [] or log == [1]
    async with state:
        await state.settled()
        assert log[-1] == 1


async def test_a_receipt_that_was_done_meanwhile_calls_at_once() -> None:
    async with fa.StateManager() as state:
        receipt = state.update(N, later)
        called: list[str] = []

        def after() -> None:
            called.append("after")

        receipt.on_done(lambda: called.append("before"))
        await receipt
        receipt.on_done(after)
        assert called == ["before", "after"]
        held = weakref.ref(after)
        del after
        assert held() is None
        with anyio.CancelScope() as scope:
            scope.cancel()
            await receipt
        assert scope.cancelled_caught


class Stray(BaseException):
    """What is no error, and not meant for the interpreter either."""


async def test_a_stray_one_out_of_an_async_update_is_an_error_of_it() -> None:
    async def stray(n: int) -> int:
        await anyio.lowlevel.checkpoint()
        raise Stray

    async with fa.StateManager() as state:
        with pytest.raises(RuntimeError, match="a stray Stray"):
            await state.update(N, stray)
        await state.update(N, later)
        assert state.get(N) == 1


def test_a_batch_that_is_entered_inside_of_itself_is_refused_and_ends_all_the_same() -> None:
    state, seen = fa.StateManager(), list[int]()
    state.listen(N, seen.append, immediate=False)
    batch = state.batch()
    with pytest.raises(fa.BatchError, match="open already"), batch:
        state.set(N, 1)
        with batch:
            pass
    assert seen == [1]
    with batch:
        state.set(N, 2)
        state.set(N, 3)
    assert seen == [1, 3]


async def test_an_atom_whose_store_ended_in_an_update_is_not_busy_any_more() -> None:
    async def endless(n: int) -> int:
        await anyio.sleep_forever()
        return n

    async with fa.StateManager() as state:
        atom = state.atom(N)
        receipt = atom.update(endless)
        await wait_all_tasks_blocked()
        assert "busy" in repr(atom)
    with pytest.raises(fa.ClosedError):
        await receipt
    assert "busy" not in repr(atom)


async def test_an_optimistic_value_waits_for_its_turn_where_the_mailbox_is_full() -> None:
    full = fa.Key("full", 0, mailbox=1)
    gate = anyio.Event()

    async def slow(count: int) -> int:
        await gate.wait()
        return count + 1

    async with fa.StateManager() as state:

        @state.action
        async def hope(get: fa.Get, set: fa.Set) -> int:
            async with set.optimistic(full, 9):
                return get(full)

        state.update(full, slow)
        state.set(full, 2)
        with pytest.raises(fa.BusyError):
            state.set(full, 3)
        run = hope()
        await wait_all_tasks_blocked()
        gate.set()
        assert await run == 9


def test_an_interrupt_in_an_update_reaches_the_loop_and_those_after_it_are_handled() -> None:
    state = fa.StateManager()
    answers: list[BaseException] = []
    receipts: list[fa.Receipt] = []

    async def interrupted(n: int) -> int:
        await anyio.lowlevel.checkpoint()
        raise KeyboardInterrupt

    async def wait(receipt: fa.Receipt) -> None:
        try:
            await receipt
        except BaseException as error:
            answers.append(error)

    async def main() -> None:
        async with state, anyio.create_task_group() as group:
            group.start_soon(wait, state.update(N, interrupted))
            receipts.append(state.set(N, 3))
            receipts.append(state.update(N, later))
            await anyio.sleep(5)  # it is the loop that ends this

    with pytest.raises(BaseException, match="^$|group") as caught:
        asyncio.run(main())
    assert "KeyboardInterrupt" in repr(caught.value)
    assert ([type(each) for each in answers], state.get(N)) == ([KeyboardInterrupt], 3)
    assert [receipt.is_done for receipt in receipts] == [True, True]
