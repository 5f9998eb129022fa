"""Transactions and snapshots: all at once or not at all, and nobody's write is lost."""

from __future__ import annotations

import copy
import random
import threading
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import anyio
import anyio.to_thread
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
from flet_asp_actors.testing import (
    Failures,
    Probe,
    assert_quiet,
    explore,
    quiescent,
    sweep,
    sweep_action,
    virtual_backend,
    virtual_backends,
)
from tests.kit.threads import in_thread

Backend: TypeAlias = Literal["asyncio", "trio"]
Ways: TypeAlias = Literal["run", "waiter", "close"]
BACKENDS: list[Backend] = ["asyncio", "trio"]

A = fa.Key("a", 100)
B = fa.Key("b", 0)
CART = fa.Key[list[int]]("cart", factory=list)


@fa.selector
def total(get: fa.Get) -> int:
    return get(A) + get(B)


@pytest.fixture(params=virtual_backends())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


async def slowly(n: int) -> int:
    await anyio.sleep(1)
    return n + 1


@fa.action
async def transferring(get: fa.Get, set: fa.Set) -> None:
    """Does nothing: it has a status."""


# ------------------------------------------------------------------ what users do


async def test_nobody_sees_half_of_it_and_all_see_the_whole_once(fa_store: fa.StateManager) -> None:
    seen: list[tuple[int, int]] = []
    fa_store.listen(fa.selector(lambda get: (get(A), get(B))), seen.append)
    async with fa_store.transaction() as tx:
        tx.update(A, lambda n: n - 30)
        await anyio.sleep(1)
        tx.set(B, 30)
        assert (tx.get(A), tx.get(B), tx.get(total)) == (70, 30, 100)
        assert (fa_store.get(A), fa_store.get(B)) == (100, 0)
    assert seen == [(100, 0), (70, 30)]


@pytest.mark.parametrize("how", ["error", "cancel"])
async def test_an_error_or_a_cancellation_drops_it_all(how: str, fa_store: fa.StateManager) -> None:
    with anyio.move_on_after(1):
        try:
            async with fa_store.transaction() as tx:
                tx.set(A, 1)
                tx.mutate(CART, lambda cart: cart.append(1))
                if how == "error":
                    raise ValueError
                await anyio.sleep_forever()
        except ValueError:
            pass
    assert (fa_store.get(A), fa_store.get(CART)) == (100, [])


@pytest.mark.parametrize("how", ["run", "waiter", "close"])
async def test_a_transfer_is_whole_or_nothing_wherever_it_is_cancelled(how: Ways) -> None:
    async def prepare(state: fa.StateManager) -> None:
        state.update(B, slowly)  # the commit has to wait for this one
        state.on_error = None if how == "close" else state.on_error

    @fa.action
    async def transfer(get: fa.Get, set: fa.Set, amount: int) -> None:
        async with fa.current().transaction() as tx:
            tx.set(B, amount)
            await anyio.sleep(0.2)
            tx.update(A, lambda n: n - amount)
            await anyio.sleep(0.2)

    def check(state: fa.StateManager, run: fa.Run[Any]) -> None:
        expected = [(70, 30)] if run.state == "succeeded" else [(100, 1), (100, 0), (70, 30)]
        assert (state.get(A), state.get(B)) in expected

    assert await sweep_action(transfer, 30, prepare=prepare, check=check, how=how) >= 4


async def test_exactly_at_the_commit_it_is_one_or_the_other() -> None:
    async def scenario(probe: Probe) -> None:
        async with fa.StateManager() as state:
            told: list[int] = []
            state.listen(total, told.append)
            reached: list[str] = []

            async def work() -> None:
                async with state.transaction() as tx:
                    tx.set(A, 1)
                    tx.set(B, 2)
                reached.append("after")

            with anyio.CancelScope() as scope:
                probe.on_reach = scope.cancel
                await probe.wrap(work)()
            assert (state.get(A), state.get(B)) == ((1, 2) if reached else (100, 0))
            assert told == ([100, 3] if reached else [100])

    assert await sweep(scenario) >= 1


# ------------------------------------------------------------------ conflicts


@pytest.mark.parametrize(
    "write", ["set", "update", "mutate", "reset", "clear", "restore", "transaction", "run", "slow"]
)
async def test_the_first_committer_wins(write: str, fa_store: fa.StateManager) -> None:
    fa_store.set(CART, [1])
    before = fa_store.snapshot()
    if write == "restore":
        fa_store.set(CART, [1, 2])

    @fa.action
    async def plain(get: fa.Get, set: fa.Set) -> None:
        set(CART, [9])

    async def add(cart: list[int]) -> list[int]:
        await anyio.sleep(1)
        return [*cart, 9]

    writes: dict[str, Callable[[], object]] = {
        "set": lambda: fa_store.set(CART, [9]),
        "update": lambda: fa_store.update(CART, lambda cart: [*cart, 9]),
        "mutate": lambda: fa_store.mutate(CART, lambda cart: cart.append(9)),
        "reset": lambda: fa_store.reset(CART),
        "clear": fa_store.clear,
        "restore": lambda: fa_store.restore(before),
        "run": lambda: fa_store.action(plain)(),
        "slow": lambda: fa_store.update(CART, add),
    }
    theirs: list[int] = []
    with pytest.raises(fa.ConflictError, match=r"Key\('cart'\) was written by somebody else.*nothing of it was"):
        async with fa_store.transaction() as tx:
            tx.mutate(CART, lambda cart: cart.append(5))
            tx.set(A, 5)
            if write == "transaction":
                async with fa_store.transaction() as other:
                    other.set(CART, [9])
            else:
                writes[write]()
            if write != "slow":
                await anyio.sleep(1)
                theirs = copy.deepcopy(fa_store.get(CART))
    assert fa_store.get(A) == 100
    assert fa_store.get(CART) == (theirs if write != "slow" else [1, 9])


async def test_what_is_only_read_is_not_guarded_and_what_is_written_back_is(fa_store: fa.StateManager) -> None:
    async with fa_store.transaction() as tx:
        tx.set(B, tx.get(A))
        fa_store.set(A, 5)
    assert fa_store.get(B) == 100
    with pytest.raises(fa.ConflictError):
        async with fa_store.transaction() as tx:
            tx.set(A, tx.get(A))
            fa_store.set(A, 6)
    assert fa_store.get(A) == 6


async def test_there_and_back_again_is_a_write_too(fa_store: fa.StateManager) -> None:
    with pytest.raises(fa.ConflictError):
        async with fa_store.transaction() as tx:
            tx.set(A, tx.get(A) + 1)
            fa_store.set(A, 0)
            fa_store.set(A, 100)
    assert fa_store.get(A) == 100


async def test_a_write_of_somebody_else_counts_also_where_nobody_has_ever_read(fa_store: fa.StateManager) -> None:
    with pytest.raises(fa.ConflictError):
        async with fa_store.transaction() as tx:
            tx.set(A, 5)
            fa_store.set(A, 6)
    assert fa_store.get(A) == 6


async def test_an_optimistic_value_that_comes_or_goes_is_a_conflict(fa_store: fa.StateManager) -> None:
    @fa.action
    async def like(get: fa.Get, set: fa.Set) -> None:
        async with set.optimistic(A, 7):
            await anyio.sleep(1)
            raise fa.RunCancelled

    with pytest.raises(fa.ConflictError):
        async with fa_store.transaction() as tx:
            fa_store.action(like)()
            await wait_all_tasks_blocked()
            tx.update(A, lambda n: n + 1)
            await anyio.sleep(2)
    assert fa_store.get(A) == 100, "what was hoped for is not what was added to"


# ------------------------------------------------------------------ busy atoms


async def test_over_a_busy_atom_it_waits_and_is_one_turn(fa_store: fa.StateManager) -> None:
    seen: list[tuple[int, int]] = []
    fa_store.listen(fa.selector(lambda get: (get(A), get(B))), seen.append, immediate=False)
    fa_store.update(A, slowly)
    async with fa_store.transaction() as tx:
        tx.set(B, 2)
        tx.set(A, 1)
    assert seen == [(101, 0), (1, 2)], "what was under way came before"


async def test_a_cancellation_while_it_waits_drops_it(fa_store: fa.StateManager) -> None:
    fa_store.update(A, slowly)
    with anyio.move_on_after(0.5) as scope:
        async with fa_store.transaction() as tx:
            tx.set(A, 1)
            tx.set(B, 2)
    await quiescent(fa_store)
    assert scope.cancelled_caught
    assert (fa_store.get(A), fa_store.get(B)) == (101, 0)


async def test_a_close_while_it_waits_drops_it() -> None:
    state = fa.StateManager()
    state.on_error = lambda failure: None
    state.update(A, slowly)
    results: list[fa.ClosedError] = []

    async def work() -> None:
        try:
            async with state.transaction() as tx:
                tx.set(A, 1)
                tx.set(B, 2)
        except fa.ClosedError as error:
            results.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await anyio.sleep(0.5)
        await state.aclose()
    assert len(results) == 1
    assert (state.get(A), state.get(B)) == (100, 0)


async def test_inside_an_update_of_one_of_its_keys_it_would_wait_for_itself(fa_store: fa.StateManager) -> None:
    caught: list[str] = []

    async def step(n: int) -> int:
        try:
            async with fa_store.transaction() as tx:
                tx.set(A, 5)
                tx.set(B, 5)
        except fa.DeadlockError as error:
            caught.append(str(error))
        return n + 1

    await fa_store.update(A, step)
    assert "an update of Key('a') waits for an update of Key('a')" in caught[0]
    assert (fa_store.get(A), fa_store.get(B)) == (101, 0)


async def test_an_update_that_waits_for_a_run_whose_transaction_waits_for_the_update(fa_store: fa.StateManager) -> None:
    caught: list[fa.DeadlockError] = []

    @fa.action
    async def commit(get: fa.Get, set: fa.Set) -> None:
        async with fa_store.transaction() as tx:
            tx.set(A, 5)

    async def step(n: int) -> int:
        try:
            await fa_store.action(commit)()
        except fa.DeadlockError as error:
            caught.append(error)
        return n + 1

    with anyio.fail_after(5):
        await fa_store.update(A, step)
        await quiescent(fa_store)
    assert len(caught) == 1
    assert fa_store.get(A) in (101, 5)


# ------------------------------------------------------------------ values and mistakes


async def test_edits_of_what_was_read_count_when_it_is_set(fa_store: fa.StateManager) -> None:
    async with fa_store.transaction() as tx:
        tx.get(CART).append(1)
        assert tx.get(CART) == [], "a copy each time"
        tx.set(B, 1)
    assert fa_store.get(CART) == []
    async with fa_store.transaction() as tx:
        cart = tx.get(CART)
        cart.append(1)
        tx.set(CART, cart)
        assert tx.get(CART) is cart, "what was written here is ours"
        tx.update(CART, lambda each: [*each, 2])
        tx.mutate(CART, lambda each: each.append(3))
        assert fa_store.get(CART) == []
    assert fa_store.get(CART) == [1, 2, 3]


async def test_a_function_that_raises_stages_nothing(fa_store: fa.StateManager) -> None:
    values = iter([7])
    picky = fa.Key[int]("picky", factory=lambda: next(values))
    assert fa_store.get(picky) == 7
    async with fa_store.transaction() as tx:
        with pytest.raises(ZeroDivisionError):
            tx.update(A, lambda n: n // 0)
        with pytest.raises(StopIteration):
            tx.reset(picky)
        assert (tx.get(A), tx.get(picky)) == (100, 7)
        with pytest.raises(ZeroDivisionError):
            tx.mutate(CART, lambda cart: cart.append(1 // 0))
        with pytest.raises(TypeError, match="sync functions only"):
            tx.update(A, slowly)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake under test
        with pytest.raises(TypeError, match="cannot change in place"):
            tx.mutate(A, lambda n: n)
        derived: list[Any] = [total, transferring.status]
        for key in derived:
            with pytest.raises(fa.ReadOnlyError):
                tx.set(key, 1)
        tx.reset(A)
    assert (fa_store.get(A), fa_store.get(CART)) == (100, [])


async def test_an_equals_that_raises_at_the_commit_leaves_nothing_half_written(fa_store: fa.StateManager) -> None:
    def equals(old: int, new: int) -> bool:
        if new == 13:
            raise ZeroDivisionError
        return old == new

    touchy = fa.Key("touchy", 0, equals=equals)
    with pytest.raises(ZeroDivisionError):
        async with fa_store.transaction() as tx:
            tx.set(A, 1)
            tx.set(touchy, 13)
            tx.set(B, 1)
    assert (fa_store.get(A), fa_store.get(touchy), fa_store.get(B)) == (100, 0, 0)


async def test_what_cannot_be_copied_can_be_set_but_not_read(fa_store: fa.StateManager) -> None:
    lock = fa.Key[Any]("lock", factory=threading.Lock)
    new = threading.Lock()
    async with fa_store.transaction() as tx:
        with pytest.raises(TypeError, match=r"Key\('lock'\) in a transaction: lock cannot be copied"):
            tx.get(lock)
        tx.set(lock, new)
        assert tx.get(lock) is new
    assert fa_store.get(lock) is new


async def test_when_it_is_over_it_is_over(fa_store: fa.StateManager) -> None:
    async with fa_store.transaction() as tx:
        tx.set(A, 1)
    with pytest.raises(fa.ClosedError, match="this transaction is over"):
        tx.set(A, 2)
    with pytest.raises(fa.ClosedError):
        tx.get(A)
    with pytest.raises(fa.ClosedError):
        tx.reset("what nobody has declared")
    with pytest.raises(fa.ClosedError):
        async with tx:
            raise AssertionError("never")
    assert fa_store.get(A) == 1


async def test_listeners_that_feed_each_other_do_not_undo_it(fa_store: fa.StateManager) -> None:
    subscription = fa_store.listen(A, lambda n: fa_store.set(B, n + 1), immediate=False)
    other = fa_store.listen(B, lambda n: fa_store.set(A, n + 1), immediate=False)
    with pytest.raises(fa.LoopError):
        async with fa_store.transaction() as tx:
            tx.set(A, 1)
            tx.set(CART, [1])
    assert fa_store.get(CART) == [1]
    subscription.close()
    other.close()


def test_from_the_loop_of_another_thread() -> None:
    """Committed on the store's own loop; a cancellation there leaves no commit on its way here."""

    async def other(state: fa.StateManager) -> None:
        async with state.transaction() as tx:
            tx.update(A, lambda n: n + 1)
            tx.set(B, 1)
        state.update(A, slow)
        with anyio.move_on_after(0.02) as scope:
            async with state.transaction() as tx:
                tx.set(B, 2)
                tx.set(A, 2)
        assert scope.cancelled_caught

    async def slow(n: int) -> int:
        await anyio.sleep(0.06)
        return n

    async def main() -> None:
        async with fa.StateManager() as state:
            failures = Failures.of(state)
            await anyio.to_thread.run_sync(lambda: anyio.run(other, state))
            await quiescent(state)
            assert (state.get(A), state.get(B), failures) == (101, 1, [])

    anyio.run(main)


async def test_what_a_store_on_another_loop_has_is_refused(fa_store: fa.StateManager) -> None:
    other = fa.StateManager()
    handle = other.atom(A)
    is_settled, is_over = threading.Event(), threading.Event()

    async def settle() -> None:
        async with other:
            is_settled.set()
            await anyio.to_thread.run_sync(is_over.wait)

    async with anyio.create_task_group() as tasks:
        try:
            with pytest.raises(ValueError, match=r"Key\('a'\) belongs to a store that lives on another loop"):
                async with fa_store.transaction() as tx:
                    tx.set(B, 2)
                    tx.set(handle, 1)  # which has no loop yet
                    tasks.start_soon(anyio.to_thread.run_sync, lambda: anyio.run(settle))
                    await anyio.to_thread.run_sync(is_settled.wait)
            async with fa_store.transaction() as tx:
                assert tx.get(handle) == 100
                with pytest.raises(ValueError, match="lives on another loop"):
                    tx.set(handle, 1)
        finally:
            is_over.set()
    with pytest.raises(fa.ClosedError, match="belongs to a store that is closed"):
        async with fa_store.transaction() as tx:
            tx.set(handle, 1)
    assert (handle.value, fa_store.get(B)) == (100, 0)


async def test_what_a_store_without_a_loop_has_is_written_where_it_lives_from_then_on(
    fa_store: fa.StateManager,
) -> None:
    others: list[fa.StateManager] = []
    threads: list[threading.Thread] = []

    def make() -> None:
        others.append(fa.StateManager())
        others[0].listen(A, lambda _: threads.append(threading.current_thread()), immediate=False)

    in_thread(make)
    async with fa_store.transaction() as tx:
        tx.set(others[0].atom(A), 1)
    await anyio.to_thread.run_sync(lambda: others[0].set(A, 3).wait(5))
    assert threads == [threading.current_thread()] * 2


# ------------------------------------------------------------------ snapshots


async def test_a_snapshot_shares_nothing_with_the_store(fa_store: fa.StateManager) -> None:
    seen: list[tuple[int, list[int]]] = []
    fa_store.set(CART, [1])
    snapshot = fa_store.snapshot()
    fa_store.listen(fa.selector(lambda get: (get(A), list(get(CART)))), seen.append, immediate=False)
    fa_store.get(CART).append(2)
    fa_store.set(A, 5)
    fa_store.set(fa.Key("later", 0), 9)
    snapshot.values()[CART].append(3)
    for _ in range(2):
        fa_store.restore(snapshot)
        assert (fa_store.get(A), fa_store.get(CART)) == (100, [1])
        fa_store.mutate(CART, lambda cart: cart.append(4))
        fa_store.set(A, 6)
    assert seen[1] == (100, [1]), "in one turn"


async def test_restoring_while_an_atom_is_busy_waits_for_its_turn(fa_store: fa.StateManager) -> None:
    snapshot = fa_store.snapshot()
    fa_store.set(B, 7)
    fa_store.update(A, slowly)
    snapshot = fa_store.snapshot()
    fa_store.set(B, 8)
    receipt = fa_store.restore(snapshot)
    assert fa_store.get(B) == 7
    await receipt
    assert (fa_store.get(A), fa_store.get(B)) == (100, 7)


def test_a_snapshot_of_what_cannot_be_copied_says_which_key() -> None:
    state = fa.StateManager()
    lock = fa.Key[Any]("lock", factory=threading.Lock)
    state.get(lock)
    with pytest.raises(TypeError, match=r"Key\('lock'\) cannot be part of a snapshot: lock cannot be copied"):
        state.snapshot()


def test_restoring_is_all_or_nothing_where_a_name_means_something_else() -> None:
    first, second = fa.StateManager(), fa.StateManager()
    first.atom("one", 1)
    first.atom("two", 2)
    second.atom("one", 0)
    with pytest.raises(fa.UnknownKeyError):
        second.restore(first.snapshot())
    second.add_selector("two", lambda get: 0)
    with pytest.raises(fa.ReadOnlyError):
        second.restore(first.snapshot())
    assert second.get("one") == 0


def test_restoring_goes_on_past_a_key_that_has_no_way_back() -> None:
    state = fa.StateManager()
    state.set(A, 1)
    snapshot = state.snapshot()
    state.atom("lock", [threading.Lock()])
    state.set(B, 5)
    state.set(A, 2)
    with pytest.raises(TypeError, match="'lock' cannot be reset"):
        state.restore(snapshot)
    assert (state.get(A), state.get(B)) == (1, 0)


# ------------------------------------------------------------------ in every order


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_write_is_lost_and_nothing_is_seen_in_halves(backend: Backend) -> None:
    """Transfers between accounts, beside plain deposits and slow ones; cancelled at random."""
    accounts = [fa.Key(f"account {each}", 100) for each in range(3)]
    everything = fa.selector(lambda get: sum(get(each) for each in accounts))

    async def scenario(chance: random.Random) -> None:
        async with fa.StateManager() as state:
            failures = Failures.of(state)
            deposited = 0
            totals: list[int] = []
            state.listen(everything, totals.append)

            async def transfer() -> None:
                source, target = chance.sample(accounts, 2)
                with anyio.CancelScope() as scope:
                    if chance.random() < 0.3:
                        scope.deadline = anyio.current_time() + chance.choice([0, 1, 2])
                    while True:
                        try:
                            async with state.transaction() as tx:
                                tx.update(source, lambda n: n - 10)
                                await anyio.sleep(chance.choice([0, 1]))
                                tx.update(target, lambda n: n + 10)
                                if chance.random() < 0.1:
                                    raise ZeroDivisionError
                        except fa.ConflictError:
                            continue
                        except ZeroDivisionError:
                            pass
                        return

            async def deposit() -> None:
                nonlocal deposited
                account = chance.choice(accounts)

                async def add(n: int) -> int:
                    await anyio.sleep(chance.choice([0, 1]))
                    return n + 1

                await anyio.sleep(chance.choice([0, 1]))
                deposited += 1
                if chance.random() < 0.5:
                    await state.update(account, add)
                else:
                    await state.update(account, lambda n: n + 1)

            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(transfer)
                    tasks.start_soon(deposit)
            await quiescent(state)
            assert_quiet(state)
            assert state.get(everything) == 300 + deposited
            assert totals == sorted(totals), "a transfer changes no total, not even for a moment"
            failures.assert_none()

    explore(scenario, range(80), backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_of_two_transactions_on_one_key_each_counts_or_says_that_it_does_not(backend: Backend) -> None:
    async def scenario(chance: random.Random) -> None:
        async with fa.StateManager() as state:
            committed = 0

            async def add() -> None:
                nonlocal committed
                await anyio.sleep(chance.choice([0, 1]))
                try:
                    async with state.transaction() as tx:
                        value = tx.get(A)
                        await anyio.sleep(chance.choice([0, 1]))
                        tx.set(A, value + 1)
                    committed += 1
                except fa.ConflictError:
                    pass

            async with anyio.create_task_group() as tasks:
                for _ in range(4):
                    tasks.start_soon(add)
            assert state.get(A) == 100 + committed
            assert committed >= 1

    explore(scenario, range(60), backend=backend)


# ------------------------------------------------------------------ what is restored in atoms that are busy


async def test_the_receipt_of_a_restore_is_that_of_all_its_writes() -> None:
    async with fa.StateManager() as state:
        state.set(A, 1)
        state.set(B, 2)
        before = state.snapshot()
        opened = {key: anyio.Event() for key in (A, B)}

        def wait_for(key: fa.Key[int]) -> Callable[[int], Any]:
            async def update(n: int) -> int:
                await opened[key].wait()
                return 7

            return update

        for key in (A, B):
            state.update(key, wait_for(key))
        receipt = state.restore(before)
        done: list[str] = []
        receipt.on_done(lambda: done.append("done"))
        await wait_all_tasks_blocked()
        opened[A].set()
        await wait_all_tasks_blocked()
        assert (receipt.is_done, done, state.get(A)) == (False, [], 1)
        opened[B].set()
        await receipt
        assert (receipt.is_done, done, state.get(B)) == (True, ["done"], 2)


async def test_a_thread_waits_for_all_that_is_restored() -> None:
    async with fa.StateManager() as state:
        opened = anyio.Event()

        async def slow(n: int) -> int:
            await opened.wait()
            return 7

        before = state.snapshot()
        for key in (A, B):
            state.update(key, slow)
        receipt = state.restore(before)

        def work(timeout: float | None) -> None:
            receipt.wait(timeout)

        with pytest.raises(TimeoutError, match="was not applied"):
            await anyio.to_thread.run_sync(work, 0.01)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, work, None)
            await wait_all_tasks_blocked()
            opened.set()
        assert (state.get(A), state.get(B)) == (100, 0)


async def test_an_atom_of_another_store_goes_back_to_what_that_one_begins_with() -> None:
    key = fa.Key("both", 0)
    async with fa.StateManager(overrides={key: 1}) as own, fa.StateManager(overrides={key: 2}) as other:
        await other.set(key, 5)
        async with own.transaction() as tx:
            tx.reset(other.atom(key))
        assert other.get(key) == 2

        @own.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            set(other.atom(key), 7)
            try:
                await anyio.sleep_forever()
            finally:
                set.reset(other.atom(key))

        run = work()
        await anyio.wait_all_tasks_blocked()
        run.cancel()
        await run.wait()
        assert other.get(key) == 2
