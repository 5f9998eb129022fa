"""Optimistic values: shown at once, taken back if the server says no, whatever happens meanwhile."""

from __future__ import annotations

import copy
import gc
import random
import threading
from typing import Any, Literal, TypeAlias

import anyio
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
from flet_asp_actors import attention
from flet_asp_actors.testing import (
    Failures,
    assert_quiet,
    explore,
    quiescent,
    sweep_action,
    virtual_backend,
    virtual_backends,
)

Backend: TypeAlias = Literal["asyncio", "trio"]
Ways: TypeAlias = Literal["run", "waiter", "close"]

LIKED = fa.Key("liked", False)
COUNT = fa.Key("count", 1)
CART = fa.Key[list[int]]("cart", factory=list)
SAVING = fa.Key("saving", False)


class Refused(Exception):
    """What the server says."""


@pytest.fixture(params=virtual_backends())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


@fa.action(expect=(Refused,))
async def show(get: fa.Get, set: fa.Set, key: Any, value: Any, seconds: float, answer: bool = True) -> None:
    async with set.optimistic(key, value):
        await anyio.sleep(seconds)
        if not answer:
            raise Refused


def at_rest(state: fa.StateManager, key: fa.Key[Any]) -> bool:
    """Whether nothing is left of the layers of a key."""
    atom = state.atom(key)
    return type(atom) is fa.Atom and atom not in attention._attended  # pyright: ignore[reportPrivateUsage]  # a leak shows nowhere else


# ------------------------------------------------------------------ what users do


@pytest.mark.parametrize("answer", [True, False])
async def test_a_like_shows_at_once_and_is_taken_back_if_the_server_says_no(
    answer: bool, fa_store: fa.StateManager
) -> None:
    seen: list[bool] = []
    fa_store.listen(LIKED, seen.append)
    run = fa_store.action(show)(LIKED, True, 1, answer)
    await wait_all_tasks_blocked()
    assert fa_store.get(LIKED)
    await run.wait()
    assert seen == ([False, True] if answer else [False, True, False])
    assert at_rest(fa_store, LIKED)


@pytest.mark.parametrize("how", ["run", "waiter", "close"])
async def test_an_optimistic_save_leaves_no_trace_wherever_it_is_cancelled(how: Ways) -> None:
    cart = fa.Key("cart", [1])

    @fa.action
    async def save(get: fa.Get, set: fa.Set, line: int) -> None:
        try:
            await set(SAVING, True)
            async with set.optimistic(cart, [*get(cart), line]):
                await anyio.sleep(1)
                async with set.optimistic(LIKED, True):
                    await anyio.sleep(1)
                await anyio.sleep(1)
        finally:
            set(SAVING, False)

    def check(state: fa.StateManager, run: fa.Run[Any]) -> None:
        assert state.get(SAVING) is False
        assert state.get(cart) == ([1, 2] if run.state == "succeeded" else [1])
        assert run.state == "cancelled" or state.get(LIKED)
        for key in (cart, LIKED, SAVING):
            assert at_rest(state, key)

    assert await sweep_action(save, 2, check=check, how=how) >= 4


@pytest.mark.parametrize("how", ["run", "waiter", "close"])
async def test_an_optimistic_save_over_a_busy_atom_leaves_no_trace_either(how: Ways) -> None:
    """Somebody else's update is under way before, and after; what waits in the mailbox must not come too late."""

    async def slow(n: int) -> int:
        await anyio.sleep(1.5)
        return n

    async def prepare(state: fa.StateManager) -> None:
        state.on_error = lambda failure: None if isinstance(failure.error, fa.ClosedError) else theirs(failure)
        state.update(COUNT, slow)

    def theirs(failure: fa.Failure) -> None:
        raise AssertionError(failure)

    @fa.action
    async def save(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep(1)
        try:
            await set(SAVING, True)
            async with set.optimistic(COUNT, 5):
                await anyio.sleep(1)
                fa.current().update(COUNT, slow)
                await anyio.sleep(1)
        finally:
            set(SAVING, False)

    def check(state: fa.StateManager, run: fa.Run[Any]) -> None:
        assert state.get(COUNT) in ((5,) if run.state == "succeeded" else (1, 5))
        assert state.get(SAVING) is False
        assert at_rest(state, COUNT)

    assert await sweep_action(save, prepare=prepare, check=check, how=how) >= 3


# ------------------------------------------------------------------ layers


@pytest.mark.parametrize(
    ("first", "second", "end"), [(False, False, 1), (True, False, 2), (False, True, 3), (True, True, 3)]
)
@pytest.mark.parametrize("order", ["first ends first", "second ends first"])
async def test_two_layers(first: bool, second: bool, end: int, order: str, fa_store: fa.StateManager) -> None:
    go, times = fa_store.action(show), (1, 2) if order == "first ends first" else (2, 1)
    go(COUNT, 2, times[0], first)
    await wait_all_tasks_blocked()
    go(COUNT, 3, times[1], second)
    await wait_all_tasks_blocked()
    assert fa_store.get(COUNT) == 3
    await quiescent(fa_store)
    assert fa_store.get(COUNT) == end
    assert at_rest(fa_store, COUNT)


@pytest.mark.parametrize(
    "write", ["set", "equal", "update", "mutate", "reset", "clear", "restore", "transaction", "run"]
)
async def test_a_plain_write_by_anybody_is_not_taken_back(write: str, fa_store: fa.StateManager) -> None:
    fa_store.set(CART, [1])
    before = fa_store.snapshot()
    run = fa_store.action(show)(CART, [1, 2], 2, False)
    await wait_all_tasks_blocked()

    @fa.action
    async def plain(get: fa.Get, set: fa.Set) -> None:
        set(CART, [9])

    if write == "set":
        fa_store.set(CART, [9])
    elif write == "equal":
        fa_store.set(CART, [1, 2])
    elif write == "update":
        fa_store.update(CART, lambda cart: [*cart, 3])
    elif write == "mutate":
        fa_store.mutate(CART, lambda cart: cart.append(3))
    elif write == "reset":
        fa_store.reset(CART)
    elif write == "restore":
        fa_store.restore(before)
    elif write == "transaction":
        async with fa_store.transaction() as tx:
            tx.set(CART, [9])
    elif write == "run":
        await fa_store.action(plain)()
    else:
        fa_store.clear()
    now = copy.deepcopy(fa_store.get(CART))
    expected = {"equal": [1, 2], "update": [1, 2, 3], "mutate": [1, 2, 3], "reset": [], "clear": [], "restore": [1]}
    assert now == expected.get(write, [9])
    await run.wait()
    await quiescent(fa_store)
    assert fa_store.get(CART) == now
    assert at_rest(fa_store, CART)


async def test_a_plain_write_drops_the_layers_under_it_and_not_those_above(fa_store: fa.StateManager) -> None:
    go = fa_store.action(show)
    go(COUNT, 2, 3, False)
    await wait_all_tasks_blocked()
    fa_store.set(COUNT, 10)
    go(COUNT, 3, 1, False)
    await wait_all_tasks_blocked()
    assert fa_store.get(COUNT) == 3
    await anyio.sleep(2)
    assert fa_store.get(COUNT) == 10
    await quiescent(fa_store)
    assert fa_store.get(COUNT) == 10


async def test_layers_of_one_run_on_one_key(fa_store: fa.StateManager) -> None:
    seen: list[int] = []
    fa_store.listen(COUNT, seen.append)

    @fa.action
    async def nested(get: fa.Get, set: fa.Set) -> None:
        async with set.optimistic(COUNT, 2):
            try:
                async with set.optimistic(COUNT, 3):
                    raise Refused
            except Refused:
                pass
            async with set.optimistic(COUNT, 4):
                pass
            raise Refused

    await fa_store.action(nested)().wait()
    assert seen[:4] == [1, 2, 3, 2]
    assert fa_store.get(COUNT) == 4, "the inner one has succeeded, and that is what the server holds"
    assert isinstance(fa_store.get(nested.status).error, Refused)
    fa_store.on_error = None


@pytest.fixture
def fa_failures() -> Failures:
    """Those of a run that nobody awaits are of no interest here."""

    class Ignoring(Failures):
        def assert_none(self) -> None:
            assert [each for each in self if not isinstance(each.error, Refused)] == []

    return Ignoring()


async def test_what_was_ours_to_put_back_still_is_after_an_optimistic_value_of_ours(fa_store: fa.StateManager) -> None:
    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, 5)
        try:
            async with set.optimistic(COUNT, 6):
                await anyio.sleep_forever()
        finally:
            assert get(COUNT) == 5
            set(COUNT, 1)

    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    run.cancel()
    await run.wait()
    assert fa_store.get(COUNT) == 1


# ------------------------------------------------------------------ values


async def test_edits_in_place_do_not_spoil_what_it_goes_back_to(fa_store: fa.StateManager) -> None:
    original = [1]
    fa_store.set(CART, original)
    run = fa_store.action(show)(CART, [1, 2], 1, False)
    await wait_all_tasks_blocked()
    original.append(99)
    await run.wait()
    assert fa_store.get(CART) == [1]


async def test_edits_in_place_of_a_layer_that_is_covered_do_not_either(fa_store: fa.StateManager) -> None:
    go, first = fa_store.action(show), [2]
    kept = go(CART, first, 5)
    await wait_all_tasks_blocked()
    failing = go(CART, [3], 1, False)
    await wait_all_tasks_blocked()
    first.append(99)
    await failing.wait()
    assert fa_store.get(CART) == [2]
    await kept


async def test_what_was_not_edited_comes_back_as_the_object_it_was(fa_store: fa.StateManager) -> None:
    original = [1]
    fa_store.set(CART, original)
    await fa_store.action(show)(CART, [2], 1, False).wait()
    assert fa_store.get(CART) is original


async def test_the_very_object_that_is_there_is_refused(fa_store: fa.StateManager) -> None:
    @fa.action
    async def careless(get: fa.Get, set: fa.Set) -> None:
        cart = get(CART)
        cart.append(1)
        async with set.optimistic(CART, cart):
            raise AssertionError("never")

    with pytest.raises(ValueError, match="the very object that it holds.*a copy with the change"):
        await fa_store.action(careless)()
    assert at_rest(fa_store, CART)


async def test_what_cannot_be_copied_is_refused_where_it_would_have_to_be_kept(fa_store: fa.StateManager) -> None:
    lock = fa.Key[Any]("lock", factory=threading.Lock)
    with pytest.raises(TypeError, match=r"Key\('lock'\).*has to keep what is there now, and lock cannot be copied"):
        await fa_store.action(show)(lock, 1, 1)
    assert at_rest(fa_store, lock)
    fa_store.set(lock, 0)
    kept = fa_store.action(show)(lock, threading.Lock(), 1)
    await wait_all_tasks_blocked()
    with pytest.raises(TypeError, match="cannot be copied"):
        await fa_store.action(show)(lock, 2, 1)
    await kept
    assert at_rest(fa_store, lock)


async def test_the_value_that_is_there_already(fa_store: fa.StateManager) -> None:
    for answer in (True, False):
        await fa_store.action(show)(COUNT, 1, 1, answer).wait()
        assert fa_store.get(COUNT) == 1
        assert at_rest(fa_store, COUNT)


async def test_an_equals_that_raises_leaves_nothing_behind(fa_store: fa.StateManager) -> None:
    is_broken = False

    def equals(old: Any, new: Any) -> bool:
        if is_broken:
            raise ZeroDivisionError
        return bool(old == new)

    touchy = fa.Key("touchy", 0, equals=equals)
    run = fa_store.action(show)(touchy, 1, 1, False)
    await wait_all_tasks_blocked()
    is_broken = True
    with pytest.raises(ZeroDivisionError):
        fa_store.set(touchy, 5)
    assert fa_store.get(touchy) == 1
    await run.wait()
    assert fa_store.get(touchy) == 0, "the write that failed has dropped no layer, and a rollback is no question"
    assert at_rest(fa_store, touchy)


async def test_what_is_derived_cannot_be_shown_optimistically(fa_store: fa.StateManager) -> None:
    double = fa.selector(lambda get: get(COUNT) * 2)
    for key in (double, show.status):
        with pytest.raises(fa.ReadOnlyError):
            await fa_store.action(show)(key, 1, 1)


async def test_an_atom_with_layers_is_an_atom_like_any_other(fa_store: fa.StateManager) -> None:
    atom = fa_store.atom(COUNT)
    double = fa.selector(lambda get: get(COUNT) * 2)
    seen: list[int] = []
    fa_store.listen(double, seen.append)
    run = fa_store.action(show)(COUNT, 2, 1)
    await wait_all_tasks_blocked()
    assert isinstance(atom, fa.Atom)
    assert repr(atom) == "<Atom Key('count') = 2>"
    assert fa_store.atom(COUNT) is atom
    assert fa_store.statistics().atoms == 1
    with pytest.raises(fa.KeyConflictError):
        fa_store.atom("named", 0)
        fa_store.add_selector("named", lambda get: 1)
    atom.value += 5
    await run
    assert seen == [2, 4, 14]


# ------------------------------------------------------------------ waiting for its turn


async def test_over_a_busy_atom_it_waits_and_can_be_cancelled_there(fa_store: fa.StateManager) -> None:
    async def slow(n: int) -> int:
        await anyio.sleep(2)
        return n + 10

    fa_store.update(COUNT, slow)
    go = fa_store.action(show)
    cancelled, kept = go(COUNT, 2, 1), go(COUNT, 3, 1, False)
    await anyio.sleep(1)
    assert fa_store.get(COUNT) == 1
    cancelled.cancel()
    await anyio.sleep(1.5)
    assert fa_store.get(COUNT) == 3
    await kept.wait()
    assert (fa_store.get(COUNT), cancelled.state) == (11, "cancelled")
    assert at_rest(fa_store, COUNT)


async def test_a_write_of_the_run_that_waits_as_well_comes_after_it(fa_store: fa.StateManager) -> None:
    gate = anyio.Event()

    async def hold(count: int) -> int:
        await gate.wait()
        return 5

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        async def hope() -> None:
            async with set.optimistic(COUNT, 2):
                await anyio.sleep(1)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hope)
            await wait_all_tasks_blocked()
            set(COUNT, 3)

    fa_store.update(COUNT, hold)
    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    gate.set()
    await run
    assert fa_store.get(COUNT) == 3
    assert at_rest(fa_store, COUNT)


async def test_one_that_is_cancelled_while_it_waits_is_seen_by_no_update_that_waits_as_well(
    fa_store: fa.StateManager,
) -> None:
    async def slow(n: int) -> int:
        await anyio.sleep(2)
        return n + 10

    fa_store.update(COUNT, slow)
    run = fa_store.action(show)(COUNT, 50, 1)
    await wait_all_tasks_blocked()
    fa_store.update(COUNT, lambda n: n + 100)
    run.cancel()
    await quiescent(fa_store)
    assert fa_store.get(COUNT) == 111


async def test_a_value_that_is_confirmed_is_no_news_even_where_no_two_are_equal(fa_store: fa.StateManager) -> None:
    key = fa.Key("key", 0, equals=lambda old, new: False)
    heard: list[int] = []
    fa_store.listen(key, heard.append)
    await fa_store.action(show)(key, 1, 1)
    assert heard == [0, 1]


async def test_a_write_and_an_optimistic_value_of_others_do_not_make_up_for_each_other(
    fa_store: fa.StateManager,
) -> None:
    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, 2)
        try:
            await anyio.sleep_forever()
        finally:
            set(COUNT, 1)

    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    fa_store.set(COUNT, 7)
    shown = fa_store.action(show)(COUNT, 8, 1)
    await wait_all_tasks_blocked()
    run.cancel()
    await run.wait()
    assert fa_store.get(COUNT) == 8, "others have written since, so nothing is put back"
    await shown


async def test_what_is_equal_is_shown_as_the_object_it_is_and_told_to_nobody(fa_store: fa.StateManager) -> None:
    fa_store.set(CART, [1])
    told: list[object] = []
    fa_store.listen(CART, told.append, immediate=False)
    cart = [1]
    run = fa_store.action(show)(CART, cart, 1)
    await wait_all_tasks_blocked()
    assert fa_store.get(CART) is cart
    await run
    assert told == []


async def test_an_optimistic_value_is_no_edit_in_place(fa_store: fa.StateManager) -> None:
    fa_store.set(CART, [1])
    told: list[list[int]] = []
    fa_store.listen(fa.selector(lambda get: [len(get(CART))]), told.append)
    await fa_store.action(show)(CART, [2], 1)
    assert told == [[1]]


async def test_where_equals_raises_an_optimistic_value_is_told(fa_store: fa.StateManager) -> None:
    key = fa.Key("key", 0, equals=lambda old, new: bool(1 // 0))
    told: list[int] = []
    fa_store.listen(key, told.append)
    await fa_store.action(show)(key, 1, 1)
    assert told == [0, 1]


async def test_inside_an_update_of_the_key_it_would_wait_for_itself(fa_store: fa.StateManager) -> None:
    caught: list[str] = []

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        async def step(n: int) -> int:
            try:
                async with set.optimistic(COUNT, 5):
                    pass
            except fa.DeadlockError as error:
                caught.append(str(error))
            return n + 1

        await set.update(COUNT, step)

    await fa_store.action(work)()
    assert "an update of Key('count') waits for an update of Key('count')" in caught[0]
    assert fa_store.get(COUNT) == 2


async def test_a_block_is_entered_once_and_not_after_a_cancellation(fa_store: fa.StateManager) -> None:
    @fa.action
    async def twice(get: fa.Get, set: fa.Set) -> None:
        block = set.optimistic(COUNT, 2)
        async with block:
            with pytest.raises(RuntimeError, match="entered before"):
                async with block:
                    pass
        with pytest.raises(RuntimeError, match="entered before"):
            async with block:
                pass
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                async with set.optimistic(COUNT, 3):
                    raise AssertionError("never")

    run = fa_store.action(twice)()
    await wait_all_tasks_blocked()
    run.cancel()
    await run.wait()
    assert (run.state, fa_store.get(COUNT)) == ("cancelled", 2)


def test_nothing_is_kept_of_a_store_that_is_gone() -> None:
    async def scenario() -> None:
        state = fa.StateManager()
        state.action(show)(COUNT, 2, 100)
        await anyio.sleep(1)
        assert state.get(COUNT) == 2
        await state.aclose()
        assert state.get(COUNT) == 1

    attended = attention._attended  # pyright: ignore[reportPrivateUsage]  # a leak shows nowhere else
    gc.collect()
    before = len(attended)
    anyio.run(scenario, backend_options=virtual_backend("asyncio")[1])
    gc.collect()
    assert len(attended) <= before


# ------------------------------------------------------------------ in every order


class Model:
    """What the layers of one key come to, in the plainest words."""

    def __init__(self) -> None:
        self.base = 0
        self.layers: list[int] = []

    @property
    def shown(self) -> int:
        return self.layers[-1] if self.layers else self.base

    def end(self, value: int, succeeded: bool) -> None:
        if value not in self.layers:
            return
        place = self.layers.index(value)
        if succeeded:
            self.base = value
            self.layers = self.layers[place + 1 :]
        else:
            del self.layers[place]

    def write(self, value: int) -> None:
        self.base, self.layers = value, []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_layers_of_many_runs_against_a_model(backend: Backend) -> None:
    key = fa.Key("key", 0)

    async def scenario(chance: random.Random) -> None:
        model = Model()
        async with fa.StateManager() as state:
            failures = Failures.of(state)

            @fa.action(expect=(Refused,))
            async def work(get: fa.Get, set: fa.Set, number: int) -> None:
                succeeded = False
                await anyio.sleep(chance.choice([0, 1, 2]))
                if not run_of[number].is_stopping:
                    model.layers.append(number)  # it shows before the block is entered
                try:
                    async with set.optimistic(key, number):
                        assert get(key) == model.shown
                        await anyio.sleep(chance.choice([0, 1, 2, 3]))
                        if chance.random() < 0.2:
                            set(key, -number)
                            if not run_of[number].is_stopping:
                                model.write(-number)
                        if chance.random() < 0.4:
                            raise Refused
                        succeeded = not run_of[number].is_stopping
                finally:
                    model.end(number, succeeded)
                    assert get(key) == model.shown

            run_of: dict[int, fa.Run[None]] = {}
            for number in range(1, 9):
                run_of[number] = state.action(work)(number)
                await anyio.sleep(chance.choice([0, 0, 1, 2]))
                if chance.random() < 0.2:
                    chance.choice(list(run_of.values())).cancel()
                if chance.random() < 0.2:
                    state.set(key, number * 100)
                    model.write(number * 100)
                assert state.get(key) == model.shown
            await quiescent(state)
            assert_quiet(state)
            assert state.get(key) == model.base
            assert model.layers == []
            assert at_rest(state, key)
            failures.assert_none()

    explore(scenario, range(150), backend=backend)


# ------------------------------------------------------------------ in another store


@pytest.mark.parametrize("answer", [True, False])
async def test_of_a_store_that_has_ended_nothing_that_was_hoped_for_is_left(
    answer: bool, fa_store: fa.StateManager
) -> None:
    other = fa.StateManager()
    liked = other.atom(LIKED)
    run = fa_store.action(show)(liked, True, 2, answer)
    await wait_all_tasks_blocked()
    assert liked.value
    await other.aclose()
    await run.wait()
    assert (run.state, liked.value) == (("succeeded", True) if answer else ("failed", False))
    assert at_rest(other, LIKED)
