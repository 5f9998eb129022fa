"""Transactions and snapshots: all or nothing, and nothing that was edited in place slips through."""

from __future__ import annotations

import random
from typing import Any

import anyio
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, Probe, assert_quiet, explore, record, sweep

ONE = fa.Key("one", 100)
OTHER = fa.Key("other", 0)
CART = fa.Key[list[str]]("cart", factory=list)
TOTAL = fa.selector(lambda get: get(ONE) + get(OTHER))


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


async def test_nobody_sees_anything_until_the_end_and_then_all_of_it_in_one_turn() -> None:
    async with fa.StateManager() as state:
        totals, ones = record(state, TOTAL), record(state, ONE)
        async with state.transaction() as tx:
            tx.update(ONE, lambda n: n - 30)
            tx.set(OTHER, tx.get(OTHER) + 30)
            tx.mutate(CART, lambda cart: cart.append("milk"))
            assert (tx.get(ONE), tx.get(OTHER), tx.get(CART)) == (70, 30, ["milk"])
            await anyio.sleep(1)
            assert (state.get(ONE), state.get(OTHER), state.get(CART)) == (100, 0, [])
        assert (state.get(ONE), state.get(OTHER), state.get(CART)) == (70, 30, ["milk"])
        assert ones.values == [70]
        assert totals.values == [], "100 all along: nobody saw a mixture"


async def test_an_error_or_a_cancellation_drops_it() -> None:
    async with fa.StateManager() as state:
        with pytest.raises(ValueError, match="no"):
            async with state.transaction() as tx:
                tx.set(ONE, 1)
                raise ValueError("no")
        with anyio.move_on_after(1):
            async with state.transaction() as tx:
                tx.set(ONE, 1)
                await anyio.sleep(2)
        with anyio.CancelScope() as scope:
            async with state.transaction() as tx:
                tx.set(ONE, 1)
                scope.cancel()  # due at the commit
        assert state.get(ONE) == 100


async def test_the_first_committer_wins() -> None:
    async with fa.StateManager() as state:
        with pytest.raises(fa.ConflictError, match=r"Key\('one'\) was written by somebody else"):
            async with state.transaction() as tx:
                tx.set(OTHER, 5)
                tx.set(ONE, 5)
                await state.set(ONE, 7)
        assert (state.get(ONE), state.get(OTHER)) == (7, 0), "nothing of it"
        with pytest.raises(fa.ConflictError):
            async with state.transaction() as late, state.transaction() as early:
                for tx in (late, early):
                    tx.update(ONE, lambda n: n + 1)
        assert state.get(ONE) == 8
        async with state.transaction() as tx:
            assert tx.get(OTHER) == 0  # only read
            tx.set(ONE, 9)
            await state.set(OTHER, 1)
        assert state.get(ONE) == 9, "what is only read is not guarded"


async def test_over_a_busy_atom_it_waits_and_commits_in_one_turn() -> None:
    async def slowly(n: int) -> int:
        await anyio.sleep(5)
        return n + 1

    async with fa.StateManager() as state:
        state.update(ONE, slowly)
        await wait_all_tasks_blocked()
        seen = record(state, TOTAL)
        before = anyio.current_time()
        async with state.transaction() as tx:
            tx.set(ONE, 1)  # without having read it: what is under way comes before
            tx.set(OTHER, 2)
        assert anyio.current_time() - before == 5
        assert (state.get(ONE), state.get(OTHER)) == (1, 2)
        assert seen.values[-1] == 3
        state.update(ONE, slowly)
        await wait_all_tasks_blocked()
        with pytest.raises(fa.ConflictError):
            async with state.transaction() as tx:
                tx.update(ONE, lambda n: n * 10)  # goes by what the update under way is about to replace
        assert state.get(ONE) == 2


async def test_waiting_at_the_commit_for_oneself_is_a_deadlock() -> None:
    async with fa.StateManager() as state:
        failures = Failures.of(state)

        async def inside(n: int) -> int:
            async with state.transaction() as tx:
                tx.set(ONE, 1)
            return n

        with pytest.raises(fa.DeadlockError, match="update of Key"):
            await state.update(ONE, inside)
        assert state.get(ONE) == 100
        failures.clear()


async def test_mistakes() -> None:
    async with fa.StateManager() as state:
        with pytest.raises(fa.ReadOnlyError):
            async with state.transaction() as tx:
                key: Any = TOTAL
                tx.set(key, 1)
        with pytest.raises(TypeError, match="sync functions only"):
            async with state.transaction() as tx:

                async def later(n: int) -> int:
                    return n

                wrong: Any = tx
                wrong.update(ONE, later)
        with pytest.raises(TypeError, match="cannot change in place"):
            async with state.transaction() as tx:
                tx.mutate(ONE, lambda n: None)
        over = state.transaction()
        with pytest.raises(fa.UnknownKeyError):
            async with over as tx:
                tx.set("nothing", 1)
        with pytest.raises(fa.ClosedError, match="over"):
            over.get(ONE)
    with pytest.raises(fa.ClosedError):
        state.transaction()


async def test_edits_in_place_do_not_leak() -> None:
    async with fa.StateManager() as state:
        state.mutate(CART, lambda cart: cart.append("milk"))
        async with state.transaction() as tx:
            tx.get(CART).append("bread")  # a copy, and not set
        assert state.get(CART) == ["milk"]
        async with state.transaction() as tx:
            cart = tx.get(CART)
            cart.append("bread")
            tx.set(CART, cart)
        assert state.get(CART) == ["milk", "bread"]
        with pytest.raises(ValueError, match="no"):
            async with state.transaction() as tx:
                tx.mutate(CART, lambda cart: cart.clear())
                raise ValueError("no")
        assert state.get(CART) == ["milk", "bread"]


async def test_a_transfer_leaves_no_trace_wherever_it_is_cancelled() -> None:
    async def scenario(probe: Probe) -> None:
        async with fa.StateManager() as state:

            async def transfer() -> None:
                async with state.transaction() as tx:
                    tx.update(ONE, lambda n: n - 30)
                    await anyio.sleep(1)
                    tx.update(OTHER, lambda n: n + 30)
                    await anyio.sleep(1)

            with anyio.CancelScope() as scope:
                probe.on_reach = scope.cancel
                await probe.wrap(transfer)()
            assert (state.get(ONE), state.get(OTHER)) in ((100, 0), (70, 30))
            assert_quiet(state)

    assert await sweep(scenario) >= 3


def test_no_order_of_transfers_writers_and_updates_loses_or_makes_money() -> None:
    async def scenario(chance: random.Random) -> None:
        async with fa.StateManager() as state:
            keys = [ONE, OTHER, fa.Key("third", 0)]
            totals = record(state, fa.selector(lambda get: sum(get(key) for key in keys)))

            async def transfer() -> None:
                source, target = chance.sample(keys, 2)
                amount = chance.randrange(10)
                while True:
                    try:
                        async with state.transaction() as tx:
                            tx.update(source, lambda n: n - amount)
                            await anyio.sleep(chance.random())
                            tx.update(target, lambda n: n + amount)
                    except fa.ConflictError:
                        await anyio.sleep(chance.random())
                    else:
                        return

            async def busy() -> None:
                async def same(n: int) -> int:
                    await anyio.sleep(chance.random())
                    return n

                await state.update(chance.choice(keys), same)

            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(transfer)
                    group.start_soon(busy)
            assert sum(state.get(key) for key in keys) == 100
            assert totals.values == []
            totals.close()
            assert_quiet(state)

    explore(scenario, range(150))


# ------------------------------------------------------------------ snapshots


async def test_a_snapshot_is_not_fooled_by_edits_in_place() -> None:
    async with fa.StateManager() as state:
        state.atom("name", "ann")
        state.mutate(CART, lambda cart: cart.append("milk"))
        before = state.snapshot()
        state.mutate(CART, lambda cart: cart.append("bread"))
        state.set("name", "bob")
        state.set(ONE, 5)
        turns = record(state, fa.selector(lambda get: (get("name"), tuple(get(CART)), get(ONE))))
        state.restore(before)
        assert (state.get("name"), state.get(CART), state.get(ONE)) == ("ann", ["milk"], 100)
        assert turns.values == [("ann", ("milk",), 100)], "one turn"
        state.mutate(CART, lambda cart: cart.clear())
        state.restore(before)
        assert state.get(CART) == ["milk"], "it can be restored twice"


async def test_what_cannot_be_copied_is_refused_by_name() -> None:
    async with fa.StateManager() as state:
        state.set(fa.Key[Any]("lock", None), 1)
        lock = fa.Key[Any]("lock", None)
        state.set(lock, __import__("threading").Lock())
        with pytest.raises(TypeError, match=r"Key\('lock'\) cannot be part of a snapshot"):
            state.snapshot()


async def test_a_snapshot_of_another_store_and_a_name_that_is_not_known_there() -> None:
    async with fa.StateManager() as one, fa.StateManager() as other:
        one.set(ONE, 5)
        other.restore(one.snapshot())
        assert other.get(ONE) == 5
        one.atom("name", "ann")
        other.set(OTHER, 3)
        with pytest.raises(fa.UnknownKeyError):
            other.restore(one.snapshot())
        assert other.get(OTHER) == 3, "nothing is restored then"
