"""Threads: reads from anywhere; writes are applied on the home loop, in order, or under the lock."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import selectors
import threading
import weakref
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import pytest

import flet_asp_actors as fa
from flet_asp_actors.core import graph
from flet_asp_actors.door import LOCK
from tests.kit.failures import collect
from tests.kit.threads import Behind, in_thread

N = fa.Key("n", 0)
M = fa.Key("m", 0)
OPEN = fa.Key("open", False)


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


def test_without_a_loop_a_batch_that_is_over_keeps_no_other_thread_waiting() -> None:
    state = fa.StateManager()
    seen: list[int] = []
    state.listen(N, seen.append)
    with state.batch():
        state.set(N, 1)
    thread = threading.Thread(target=lambda: state.update(N, lambda n: n + 1), daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert seen == [0, 1, 2]


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
        found = collect(state)

        def work() -> None:
            with pytest.raises(ZeroDivisionError):
                state.update(N, lambda n: 1 // n).wait(5)
            state.update(N, lambda n: 1 // n)

        await anyio.to_thread.run_sync(work)
        gc.collect()  # without a global lock what a thread has let go of may wait for that
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
        found = collect(state)

        @state.action
        async def forever(get: fa.Get, set: fa.Set) -> None:
            await anyio.sleep_forever()

        run = forever()
        await anyio.wait_all_tasks_blocked()
        await anyio.to_thread.run_sync(run.cancel)
        await run.wait()
        assert (run.state, found) == ("cancelled", [])


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


async def test_waiting_inside_the_batch_that_holds_the_write_back_raises() -> None:
    async with fa.StateManager() as state:

        def work() -> None:
            before = state.set(N, 1)
            with state.batch():
                before.wait(5)
                receipt = state.set(M, 1)
                with pytest.raises(fa.DeadlockError, match="inside the batch"):
                    receipt.wait(0)
            receipt.wait(5)

        await anyio.to_thread.run_sync(work)
        assert (state.get(N), state.get(M)) == (1, 1)


async def test_batches_across_an_await_on_another_loop_are_flushed_there_and_raise_at_their_exit() -> None:
    async with fa.StateManager() as state:

        async def hold(key: fa.Key[int]) -> None:
            with pytest.raises(fa.BatchError), state.batch():
                with anyio.fail_after(5):
                    await state.set(key, 1)

        async def elsewhere() -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(hold, N)
                tasks.start_soon(hold, M)

        await anyio.to_thread.run_sync(anyio.run, elsewhere)
        assert (state.get(N), state.get(M)) == (1, 1)


async def test_a_batch_that_is_used_again_on_another_thread_is_posted_from_there() -> None:
    async with fa.StateManager() as state:
        heard: list[int] = []
        state.listen(N, heard.append, immediate=False)
        batch = state.batch()

        def work() -> None:
            with batch:
                state.set(N, 3)
                state.set(N, 4)

        with batch:
            state.set(N, 1)
            state.set(N, 2)
        await anyio.to_thread.run_sync(work)
        with anyio.fail_after(5):
            await state.settled()
        state.set(N, 5)
        assert heard == [2, 4, 5]


@pytest.mark.parametrize("when", ["in the middle of it", "before it has taken it"])
def test_a_batch_whose_loop_is_closed_is_one_turn_all_the_same(when: str) -> None:
    state = fa.StateManager()
    loop = asyncio.new_event_loop()
    seen: list[tuple[int, int]] = []

    async def settle() -> None:
        state.listen(fa.selector(lambda get: (get(N), get(M))), seen.append, immediate=False)

    def work() -> None:
        with state.batch():
            state.set(N, 1)
            if when == "in the middle of it":
                loop.close()
            state.set(M, 1)
        loop.close()
        state.set(OPEN, True)

    loop.run_until_complete(settle())
    in_thread(work)
    assert seen == [(1, 1)]


async def test_listeners_that_feed_each_other_after_a_batch_in_a_thread_are_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flet_asp_actors.core.turn.MAX_TURNS", 10)
    async with fa.StateManager() as state:
        found = collect(state)
        state.listen(N, lambda n: state.set(M, n + 1), immediate=False)
        state.listen(M, lambda m: state.set(N, m + 1), immediate=False)

        def work() -> None:
            with state.batch():
                receipt = state.set(N, 1)
            receipt.wait(5)

        await anyio.to_thread.run_sync(work)
        await state.settled()
        assert [type(each.error) for each in found] == [fa.LoopError]


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


async def test_two_writes_that_are_waited_for_together_share_the_time() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()
        waited: list[bool] = []

        async def slow(n: int) -> int:
            await gate.wait()
            return n + 1

        state.update(N, slow)
        state.update(M, slow)
        receipt = state.restore(state.snapshot())

        def work() -> None:
            with pytest.raises(TimeoutError, match="was not applied within 0 s"):
                receipt.wait(0)
            receipt.wait(5)
            waited.append(receipt.is_done)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(0.02)  # meanwhile it waits
        gate.set()
        await receipt
        thread.join()
        assert waited == [True]


async def test_a_foreign_write_to_several_is_done_when_all_are() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()
        state.listen(OPEN, lambda _: gate.set(), immediate=False)
        state.set(N, 5)
        snapshot = state.snapshot()

        async def slow(n: int) -> int:
            await gate.wait()
            return n + 1

        state.update(N, slow)
        state.update(M, slow)

        def work() -> tuple[int, int]:
            receipt = state.restore(snapshot)
            with pytest.raises(TimeoutError):
                receipt.wait(0.01)
            state.set(OPEN, True)
            receipt.wait(5)
            return state.get(N), state.get(M)

        assert await anyio.to_thread.run_sync(work) == (5, 0)


async def test_a_foreign_write_to_several_fails_as_the_first_of_them() -> None:
    @fa.family
    async def fails(get: fa.Get, n: int) -> int:
        await anyio.lowlevel.checkpoint()
        raise ValueError(f"number {n}")

    async with fa.StateManager() as state:
        found = collect(state)
        for n in (1, 2):
            state.listen(fails(n), lambda _: None)
        await state.settled()
        found.clear()

        def work() -> None:
            with pytest.raises(ValueError, match="number 1"):
                state.refresh(fails).wait(5)

        await anyio.to_thread.run_sync(work)
        await state.settled()
        assert found == []


async def test_an_error_that_a_thread_has_given_up_waiting_for_is_told() -> None:
    async with fa.StateManager() as state:
        found = collect(state)
        gate = anyio.Event()

        async def fail(n: int) -> int:
            await gate.wait()
            raise ValueError("no")

        receipt = state.update(N, fail)

        def work() -> None:
            with pytest.raises(TimeoutError):
                receipt.wait(0.001)

        await anyio.to_thread.run_sync(work)
        gate.set()
        await state.settled()
        assert [str(each.error) for each in found] == ["no"]


async def test_threads_that_give_up_waiting_leave_nothing_behind() -> None:
    async with fa.StateManager() as state:

        async def slow(n: int) -> int:
            await anyio.sleep_forever()
            return 1

        receipt = state.update(N, slow)

        def events() -> int:
            gc.collect()
            return sum(type(each) is threading.Event for each in gc.get_objects())

        def work() -> None:
            for _ in range(100):
                with pytest.raises(TimeoutError):
                    receipt.wait(0)

        before = events()
        in_thread(work)
        assert events() < before + 50


async def test_an_error_that_was_caught_does_not_keep_its_receipt() -> None:
    async with fa.StateManager() as state:
        caught: list[Exception] = []
        receipts: list[weakref.ref[fa.Receipt]] = []

        async def fail(n: int) -> int:
            await anyio.lowlevel.checkpoint()
            raise ValueError("no")

        async def hear() -> None:
            receipt = state.update(N, fail)
            receipts.append(weakref.ref(receipt))
            try:
                await receipt
            except ValueError as error:
                caught.append(error)
            del receipt

        def work() -> None:
            receipt = state.update(N, fail)
            receipts.append(weakref.ref(receipt))
            try:
                receipt.wait(5)
            except ValueError as error:
                caught.append(error)
            del receipt

        gc.disable()
        try:
            await hear()
            await anyio.to_thread.run_sync(work)
            await state.settled()
            assert [str(each) for each in caught] == ["no", "no"]
            assert [each() for each in receipts] == [None, None]
        finally:
            gc.enable()


async def test_a_receipt_that_is_awaited_on_another_loop_wakes_it() -> None:
    is_asleep = threading.Event()

    class Selector(selectors.DefaultSelector):
        def select(self, timeout: float | None = None) -> Any:
            if timeout is None or timeout > 0:
                is_asleep.set()
            return super().select(timeout)

    async with fa.StateManager() as state, anyio.create_task_group() as tasks:
        gate = anyio.Event()

        async def slow(n: int) -> int:
            await gate.wait()
            return 1

        receipt = state.update(N, slow)

        async def elsewhere() -> None:
            with anyio.move_on_after(5) as scope:
                await receipt
            assert receipt.is_done
            assert anyio.current_time() < scope.deadline, "woken by the time alone"

        def work() -> None:
            loop = asyncio.SelectorEventLoop(Selector())
            loop.run_until_complete(elsewhere())
            loop.close()

        tasks.start_soon(anyio.to_thread.run_sync, work)
        assert await anyio.to_thread.run_sync(is_asleep.wait, 5)
        gate.set()


async def test_a_wait_inside_a_turn_of_a_store_without_a_loop_is_refused() -> None:
    async with fa.StateManager() as state:

        async def slow(n: int) -> int:
            await anyio.sleep_forever()
            return 1

        receipt = state.update(N, slow)

        def work() -> None:
            other = fa.StateManager()
            found = collect(other)
            other.listen(M, lambda _: receipt.wait(0.01), immediate=False)
            other.set(M, 1)
            assert [type(each.error) for each in found] == [fa.DeadlockError]

        in_thread(work)


def test_a_loop_that_asks_one_which_waits_for_its_answer_is_told() -> None:
    loop = asyncio.new_event_loop()
    found: list[fa.Failure] = []

    async def make() -> fa.StateManager:
        state = fa.StateManager()
        state.on_error = found.append
        return state

    async def ask(other: fa.StateManager) -> None:
        here = fa.StateManager()
        other.listen(N, lambda _: here.snapshot())

    answers = threading.Thread(target=loop.run_forever, daemon=True)
    answers.start()
    other = asyncio.run_coroutine_threadsafe(make(), loop).result(5)
    asks = threading.Thread(target=asyncio.run, args=(ask(other),), daemon=True)
    asks.start()
    asks.join(5)
    assert [type(each.error) for each in found] == [fa.DeadlockError]
    loop.call_soon_threadsafe(loop.stop)
    answers.join()
    loop.close()


async def test_a_foreign_write_to_a_closed_store() -> None:
    async with fa.StateManager() as state:
        pass

    def work() -> None:
        with pytest.raises(fa.ClosedError):
            state.set(N, 1)

    await anyio.to_thread.run_sync(work)


def test_who_waits_for_what_was_posted_to_a_loop_that_is_closed_applies_it() -> None:
    state = fa.StateManager()
    receipts: list[fa.Receipt] = []
    loop = asyncio.new_event_loop()

    async def settle() -> None:
        state.listen(N, lambda _: None)

    loop.run_until_complete(settle())
    in_thread(lambda: receipts.append(state.set(N, 1)))
    loop.close()
    receipts[0].wait(5)
    assert state.get(N) == 1


def test_who_waits_for_a_write_while_the_loop_is_closed_applies_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flet_asp_actors.waiting.PATIENCE", 0.001)
    state = fa.StateManager()
    is_posted, is_looked_after = threading.Event(), threading.Event()

    class Watched(asyncio.SelectorEventLoop):
        def call_soon_threadsafe(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # passes it all on
            is_posted.set()
            return super().call_soon_threadsafe(*args, **kwargs)

        def is_closed(self) -> bool:
            is_closed = super().is_closed()
            if is_posted.is_set():
                is_looked_after.set()
            return is_closed

    async def settle() -> None:
        state.listen(N, lambda _: None)

    loop = Watched()
    loop.run_until_complete(settle())
    thread = threading.Thread(target=lambda: state.set(N, 1).wait(5))
    thread.start()
    assert is_looked_after.wait(5)
    loop.close()
    thread.join()
    assert state.get(N) == 1


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


def test_a_listener_that_a_dead_loop_has_left_in_the_middle_can_be_closed() -> None:
    state = fa.StateManager()
    heard: list[int] = []
    subscriptions: list[fa.Subscription] = []

    async def hear(n: int) -> None:
        heard.append(n)
        await anyio.sleep_forever()

    async def main() -> None:
        subscriptions.append(state.listen(N, hear))
        await anyio.wait_all_tasks_blocked()

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)  # what it says of tasks that it leaves behind is not ours
    loop.run_until_complete(main())
    loop.close()
    subscriptions[0].close()
    state.set(N, 1)
    assert heard == [0]


def test_a_home_loop_that_stands_still_is_replaced_by_the_one_that_runs_there() -> None:
    state = fa.StateManager()
    first = asyncio.new_event_loop()

    async def later(n: int) -> int:
        await anyio.lowlevel.checkpoint()
        return n + 1

    async def add() -> None:
        with anyio.fail_after(5):
            await state.update(N, later)

    async def second() -> None:
        with pytest.raises(fa.BatchError), state.batch():
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
        await add()

    first.run_until_complete(add())
    asyncio.run(second())
    first.run_until_complete(add())
    first.run_until_complete(state.aclose())
    first.close()
    assert state.get(N) == 3


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


# ------------------------------------------------------------------ another thread comes in between


class Telling(str):
    """An item that does something, once, when a message is made of it."""

    first: Callable[[], object] | None = None

    def __repr__(self) -> str:
        first, self.first = self.first, None
        if first is not None:
            in_thread(first)
        return super().__repr__()


def test_a_write_to_a_loop_that_another_thread_gives_up_meanwhile_is_not_lost() -> None:
    stores: list[fa.StateManager] = []
    atoms: list[fa.Atom[int]] = []
    item = Telling("item")

    async def main() -> None:
        stores.append(fa.StateManager())
        atoms.append(stores[0].atom(N[item]))

    asyncio.run(main())
    (state,), (atom,) = stores, atoms
    item.first = lambda: state.set(N, 1)
    receipts: list[fa.Receipt] = []
    in_thread(lambda: receipts.append(atom.set(5)))
    assert (atom.value, state.get(N), receipts[0].is_done) == (5, 1, True)


@pytest.mark.parametrize("module", ["flet_asp_actors.atom", "flet_asp_actors.system.root"])
def test_a_write_of_a_store_that_gets_a_home_meanwhile_is_posted_there(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = fa.StateManager()
    loop = asyncio.new_event_loop()
    heard: list[int] = []

    async def settle() -> None:
        state.listen(N, heard.append, immediate=False)

    state.listen(N, lambda _: None)
    with monkeypatch.context() as patch:
        patch.setattr(f"{module}.LOCK", Behind(LOCK, lambda: loop.run_until_complete(settle())))
        receipt = state.set(N, 1) if module == "flet_asp_actors.atom" else state.update(N, lambda n: n + 1)
    assert not receipt.is_done
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert receipt.is_done
    assert heard == [1]


def test_a_store_that_two_loops_use_first_is_at_home_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    state = fa.StateManager()
    first = asyncio.new_event_loop()
    heard_on: list[object] = []

    async def settle() -> None:
        state.listen(N, lambda _: heard_on.append(asyncio.get_running_loop()), immediate=False)

    async def come_second() -> None:
        with monkeypatch.context() as patch:
            patch.setattr("flet_asp_actors.system.root.LOCK", Behind(LOCK, lambda: first.run_until_complete(settle())))
            state.transaction()
        state.set(N, 1)

    asyncio.run(come_second())
    first.run_until_complete(asyncio.sleep(0))
    first.close()
    assert heard_on == [first]


def test_a_selector_that_two_threads_read_first_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    state = fa.StateManager()
    double = fa.selector(lambda get: get(N) * 2)
    monkeypatch.setattr("flet_asp_actors.system.registry.LOCK", Behind(LOCK, lambda: state.get(double)))
    assert state.get(double) == 0
    assert state.statistics().selectors == 1


def test_an_atom_of_no_store_that_two_threads_need_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    n = fa.Atom(1)
    heard: list[tuple[str, int]] = []
    monkeypatch.setattr(
        "flet_asp_actors.handle.LOCK",
        Behind(LOCK, lambda: n.listen(lambda value: heard.append(("one", value)), immediate=False)),
    )
    n.listen(lambda value: heard.append(("other", value)), immediate=False)
    n.value = 2
    assert sorted(heard) == [("one", 2), ("other", 2)]


async def test_a_clock_that_a_loop_on_another_thread_has_moved_does_not_go_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers, readings = graph.ticks, list[int]()

    async def write() -> None:
        other = fa.StateManager()
        other.listen(N, lambda n: readings.append(graph.clock.now), immediate=False)
        other.set(N, 7)

    class Ticks:
        def __next__(self) -> int:
            number = next(numbers)
            if not readings:
                in_thread(lambda: asyncio.run(write()))
            return number

    cart = fa.Key[list[int]]("cart", factory=list)
    size = fa.selector(lambda get: len(get(cart)))
    async with fa.StateManager() as state:
        assert state.get(size) == 0
        monkeypatch.setattr(graph, "ticks", Ticks())
        state.mutate(cart, lambda it: it.append(1))
        assert state.get(size) == 1
        assert graph.clock.now > readings[0]


def test_a_thread_whose_loop_is_closed_while_it_waits_goes_on_by_itself() -> None:
    state = fa.StateManager()
    double = fa.selector(lambda get: get(N) * 2)
    loop = asyncio.new_event_loop()

    async def settle() -> None:
        state.set(N, 4)

    loop.run_until_complete(settle())
    heard: list[int] = []
    thread = threading.Thread(target=lambda: state.listen(double, heard.append))
    thread.start()
    inside: Any = loop
    while thread.is_alive() and not inside._ready:  # until it has asked
        thread.join(0.001)
    loop.close()
    thread.join()
    state.set(N, 5)
    assert heard == [8, 10]


async def test_a_transaction_that_is_cancelled_on_its_way_is_dropped() -> None:
    async with fa.StateManager() as state:
        found = collect(state)

        async def commit() -> None:
            with anyio.move_on_after(0.01):
                async with state.transaction() as tx:
                    tx.set(N, 5)

        state.set(N, 1)
        in_thread(lambda: anyio.run(commit))  # this loop stands still meanwhile
        await anyio.wait_all_tasks_blocked()
        assert state.get(N) == 1
    assert found == []


async def test_a_run_is_cancelled_for_the_first_reason() -> None:
    async with fa.StateManager() as state:

        @state.action
        async def forever(get: fa.Get, set: fa.Set) -> None:
            await anyio.sleep_forever()

        run = forever()

        def work() -> None:
            run.cancel("first")
            run.cancel("second")

        in_thread(work)
        with pytest.raises(fa.RunCancelled, match="first"):
            await run


async def test_a_run_from_a_thread_for_a_store_that_ends_is_answered() -> None:
    async with fa.StateManager() as state:
        runs: list[fa.Run[None]] = []

        @state.action
        async def nothing(get: fa.Get, set: fa.Set) -> None: ...

        in_thread(lambda: runs.append(nothing()))
    assert (runs[0].state, runs[0].reason) == ("cancelled", "the store was closed")


async def test_a_write_from_a_thread_to_a_store_that_ends_before_is_answered() -> None:
    state = fa.StateManager()
    state.on_error = lambda failure: None
    state.get(N)
    receipts: list[fa.Receipt] = []
    in_thread(lambda: receipts.append(state.set(N, 1)))
    await state.aclose()
    with pytest.raises(fa.ClosedError, match="before the write was applied"):
        await receipts[0]
    await anyio.wait_all_tasks_blocked()
    assert state.get(N) == 0


async def test_a_selector_that_another_thread_computes_puts_nothing_off_here() -> None:
    begun, go = threading.Event(), threading.Event()

    @fa.selector
    def slow(get: fa.Get) -> int:
        begun.set()
        go.wait(10)
        return get(N)

    found: list[int] = []
    heard: list[int] = []
    async with fa.StateManager() as state:
        state.listen(N, heard.append, immediate=False)
        thread = threading.Thread(target=lambda: found.append(fa.StateManager().get(slow)))
        thread.start()
        try:
            assert begun.wait(10)
            state.set(N, 1)
            assert heard == [1]
        finally:
            go.set()
            thread.join()
        assert found == [0]


class Gate:
    """The lock, with a gate before it for every thread but the one that has made it."""

    def __init__(self) -> None:
        self.here = threading.get_ident()
        self.reached, self.go = threading.Event(), threading.Event()

    def acquire(self) -> bool:
        if threading.get_ident() != self.here:
            self.reached.set()
            self.go.wait(5)
        return LOCK.acquire()

    def release(self) -> None:
        LOCK.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()


def while_it_waits_for_the_lock(state: fa.StateManager, work: Callable[[], object], gate: Gate) -> None:
    """Let a thread begin while the store has no loop, and go on when it has one."""
    thread = threading.Thread(target=work)

    async def main() -> None:
        thread.start()
        await anyio.to_thread.run_sync(gate.reached.wait)
        async with state:
            gate.go.set()
            await anyio.to_thread.run_sync(thread.join)

    anyio.run(main)


def test_who_has_waited_for_the_lock_looks_again_where_the_store_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    state, gate = fa.StateManager(), Gate()
    monkeypatch.setattr("flet_asp_actors.system.root.LOCK", gate)
    where = fa.selector(lambda get: (get(N), threading.get_ident())[1])
    found: list[int] = []
    while_it_waits_for_the_lock(state, lambda: found.append(state.get(where)), gate)
    assert found == [gate.here], "it is computed on the loop, which was there by then"


def test_a_batch_that_has_waited_for_the_lock_is_one_turn_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    state, gate = fa.StateManager(), Gate()
    monkeypatch.setattr("flet_asp_actors.system.root.LOCK", gate)
    total = fa.selector(lambda get: get(N) + get(M))
    heard: list[tuple[int, int]] = []
    state.listen(total, lambda value: heard.append((value, threading.get_ident())), immediate=False)

    def write() -> None:
        with state.batch():
            state.set(N, 1)
            receipt = state.set(M, 2)
        receipt.wait(5)

    while_it_waits_for_the_lock(state, write, gate)
    assert heard == [(3, gate.here)]


def test_a_batch_that_was_made_without_a_loop_knows_the_one_that_it_is_entered_on() -> None:
    state = fa.StateManager()
    batch = state.batch()

    async def main() -> None:
        async with state:
            with pytest.raises(fa.BatchError), batch:
                state.set(N, 1)
                await anyio.lowlevel.checkpoint()

    anyio.run(main)
