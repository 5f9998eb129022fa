"""Runs: who is whose child, tries, time, what a cancelled run may still do, and waits for oneself."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import random
import weakref
from typing import Any, Literal, TypeAlias

import anyio
import anyio.to_thread
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
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
WAYS: list[Ways] = ["run", "waiter", "close"]

USER = fa.Key[str | None]("user", None)
LOADING = fa.Key("loading", False)
COUNT = fa.Key("count", 0)
LOG = fa.Key[list[str]]("log", factory=list)


class InvalidLogin(Exception):
    """The password is wrong."""


@pytest.fixture(params=virtual_backends())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


@fa.action
async def forever(get: fa.Get, set: fa.Set) -> None:
    await anyio.sleep_forever()


# ------------------------------------------------------------------ what users do


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("retry", [None, fa.Retry(3, base=1)])
async def test_a_login_is_clean_wherever_it_is_cancelled(how: Ways, retry: fa.Retry | None) -> None:
    @fa.action(policy="droppable", timeout=60, retry=retry, expect=(InvalidLogin,))
    async def login(get: fa.Get, set: fa.Set, name: str) -> str:
        set(LOADING, True)
        try:
            await set.update(COUNT, later)
            if retry is not None and get(COUNT) < 3:
                raise OSError("no network")
            set.progress(0.5)
            await anyio.sleep(1)
            await set(USER, name)
        finally:
            set(LOADING, False)
        return name

    async def later(n: int) -> int:
        await anyio.sleep(1)
        return n + 1

    def check(state: fa.StateManager, run: fa.Run[Any]) -> None:
        assert state.get(LOADING) is False
        status = state.get(login.status)
        assert (status.state, status.active) == (run.state, 0)
        assert run.state in ("cancelled", "succeeded")
        if run.state == "succeeded":
            assert state.get(USER) == "ann"

    assert await sweep_action(login, "ann", check=check, how=how) >= (3 if retry is None else 5)


@pytest.mark.parametrize("how", WAYS)
async def test_a_flag_over_a_busy_atom_is_put_back_wherever_it_is_cancelled(how: Ways) -> None:
    async def same(value: bool) -> bool:
        await anyio.sleep(2.5)
        return value

    async def prepare(state: fa.StateManager) -> None:
        state.update(LOADING, same)
        if how == "close":  # the update, and the write that waited behind it
            state.on_error = lambda failure: None

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep(1)
        try:
            await set(LOADING, True)
            await anyio.sleep(1)
        finally:
            set(LOADING, False)

    def check(state: fa.StateManager, run: fa.Run[Any]) -> None:
        assert state.get(LOADING) is False

    assert await sweep_action(work, prepare=prepare, check=check, how=how) >= 3


async def test_what_a_cancelled_run_puts_back_late_says_whether_it_did(fa_store: fa.StateManager) -> None:
    gate, told = anyio.Event(), list[str]()

    async def hold(value: bool) -> bool:
        await gate.wait()
        return value

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        set(LOADING, True)
        set(COUNT, 1)
        fa.current().update(LOADING, hold)
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await set(LOADING, False)
                except anyio.get_cancelled_exc_class():
                    told.append("somebody else has written it")
                await set.update(COUNT, lambda n: n - 1)
                told.append("put back")

    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    run.cancel()
    await wait_all_tasks_blocked()
    gate.set()
    await run.wait()
    assert told == ["somebody else has written it", "put back"]
    assert (fa_store.get(LOADING), fa_store.get(COUNT)) == (True, 0)


async def test_the_same_value_by_somebody_else_is_a_write_too(fa_store: fa.StateManager) -> None:
    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        set(LOADING, True)
        try:
            await anyio.sleep_forever()
        finally:
            set(LOADING, False)

    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    fa_store.set(LOADING, True)
    run.cancel()
    await run.wait()
    assert fa_store.get(LOADING) is True
    assert type(fa_store.atom(LOADING)) is fa.Atom, "nobody attends to it any more"


async def test_the_same_value_by_somebody_else_is_a_write_in_a_mailbox_that_outlives_the_run_too(
    fa_store: fa.StateManager,
) -> None:
    gate = anyio.Event()

    async def hold(count: int) -> int:
        await gate.wait()
        return 4

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, 1)
        try:
            await anyio.sleep_forever()
        finally:
            set(COUNT, 4)

    fa_store.update(COUNT, hold)
    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    fa_store.set(COUNT, 1)
    run.cancel()
    await run.wait()
    gate.set()
    await fa_store.set(LOADING, True)
    await wait_all_tasks_blocked()
    assert fa_store.get(COUNT) == 1
    assert type(fa_store.atom(COUNT)) is fa.Atom, "nobody attends to it any more"


async def test_what_somebody_else_has_written_between_two_writes_that_outlive_the_run_stays(
    fa_store: fa.StateManager,
) -> None:
    gate, sets = anyio.Event(), list[fa.Set]()

    async def hold(count: int) -> int:
        await gate.wait()
        return 4

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        sets.append(set)
        set(COUNT, 1)
        fa_store.set(COUNT, 1)
        set(COUNT, 2)
        await anyio.sleep_forever()

    fa_store.update(COUNT, hold)
    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    run.cancel()
    await run.wait()
    gate.set()
    await quiescent(fa_store)
    sets[0](COUNT, 4)
    assert fa_store.get(COUNT) == 2
    assert type(fa_store.atom(COUNT)) is fa.Atom, "nobody attends to it any more"


async def test_a_run_that_goes_on_does_not_keep_the_one_that_it_wrote_over(fa_store: fa.StateManager) -> None:
    @fa.action
    async def work(get: fa.Get, set: fa.Set, seconds: float) -> None:
        set(LOADING, True)
        await anyio.sleep(seconds)

    go = fa_store.action(work)
    first, second = weakref.ref(go(1)), go(3)
    await anyio.sleep(2)
    gc.collect()
    assert second.state == "running"
    assert first() is None
    await second


async def test_a_run_that_is_given_up_cannot_wait_for_the_one_that_waits_for_its_end(fa_store: fa.StateManager) -> None:
    told: list[str] = []

    @fa.action
    async def child(get: fa.Get, set: fa.Set) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            async with set.cleanup(2):
                try:
                    await parent_run
                except fa.DeadlockError as error:
                    told.append(str(error))

    @fa.action
    async def parent(get: fa.Get, set: fa.Set) -> None:
        await child_run

    child_run, parent_run = fa_store.action(child)(), fa_store.action(parent)()
    await wait_all_tasks_blocked()
    before = anyio.current_time()
    parent_run.cancel()
    await parent_run.wait()
    assert (child_run.state, anyio.current_time()) == ("cancelled", before)
    assert len(told) == 1
    assert "a run of child waits for a run of parent waits for a run of child" in told[0]


# ------------------------------------------------------------------ flet-asp's form


async def test_the_three_ways_to_start(fa_store: fa.StateManager) -> None:
    def add(get: fa.Get, set: fa.Set, by: int) -> int:
        assert fa.current() is fa_store
        set(COUNT, get(COUNT) + by)
        return get(COUNT)

    async def add_later(get: fa.Get, set: fa.Set, by: int) -> int:
        await anyio.sleep(1)
        return add(get, set, by)

    at_once: fa.Action[[int], int] = fa.Action(add)
    later: fa.Action[[int], int] = fa.Action(add_later)
    assert at_once.run(fa_store, 1) == 1
    assert await at_once.run_async(fa_store, 2) == 3
    assert await later.run_async(fa_store, 3) == 6
    run = later.run(fa_store, 4)
    assert await run == 10
    assert await at_once.start(fa_store, 5) == 15
    assert fa_store.get(at_once.status).value == 15
    bound = fa_store.action(later)
    assert inspect.iscoroutinefunction(bound.handler)
    assert await bound.handler(1) == 16


async def test_a_sync_call_that_fails_or_was_cancelled_raises(fa_store: fa.StateManager) -> None:
    @fa.action
    def work(get: fa.Get, set: fa.Set, how: str) -> None:
        if how == "fail":
            raise ValueError(how)
        if how == "pass on":
            raise fa.RunCancelled("another one", "theirs")
        go.cancel("itself" if how == "cancel" else None)
        set(COUNT, 5)

    go = fa_store.action(work)
    for how, kind, state, reason in (
        ("fail", ValueError, "failed", None),
        ("pass on", fa.RunCancelled, "cancelled", "theirs"),
        ("cancel", fa.RunCancelled, "cancelled", "itself"),
        ("cancel without a word", fa.RunCancelled, "cancelled", None),
    ):
        with pytest.raises(kind) as caught:
            go.call_now(how)
        assert getattr(caught.value, "reason", None) == reason
        assert fa_store.get(go.status).state == state
    assert fa_store.get(COUNT) == 0


# ------------------------------------------------------------------ children


@pytest.mark.parametrize("how", ["cancel", "timeout", "failure"])
async def test_children_and_grandchildren_end_with_a_run_that_does_not_succeed(
    how: str, fa_store: fa.StateManager
) -> None:
    found: list[fa.Run[Any]] = []

    @fa.action
    async def child(get: fa.Get, set: fa.Set, depth: int) -> None:
        if depth:
            found.append(fa_store.action(child)(depth - 1))
        await anyio.sleep_forever()

    @fa.action(timeout=2 if how == "timeout" else None, expect=(ValueError, TimeoutError))
    async def parent(get: fa.Get, set: fa.Set) -> None:
        found.append(fa_store.action(child)(2))
        await anyio.sleep(1)
        if how == "failure":
            raise ValueError
        await anyio.sleep_forever()

    run = fa_store.action(parent)()
    await anyio.sleep(1.5)
    if how == "cancel":
        run.cancel()
    await quiescent(fa_store)
    assert run.state == ("cancelled" if how == "cancel" else "failed")
    assert [each.state for each in found] == ["cancelled"] * 3
    assert "which had started it" in str(found[0].reason)


async def test_children_end_before_the_last_words_of_a_run_that_is_cancelled(fa_store: fa.StateManager) -> None:
    children: list[fa.Run[None]] = []

    @fa.action
    async def parent(get: fa.Get, set: fa.Set) -> None:
        children.extend(fa_store.action(forever)() for _ in range(3))
        try:
            await anyio.sleep_forever()
        finally:
            async with set.cleanup(4):
                await anyio.sleep(3)

    run = fa_store.action(parent)()
    await anyio.sleep(1)
    run.cancel()
    await anyio.sleep(1)
    assert run.state == "running"
    assert [each.state for each in children] == ["cancelled"] * 3


async def test_who_cancels_a_run_by_waiting_no_longer_waits_for_its_last_words(fa_store: fa.StateManager) -> None:
    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            async with set.cleanup(4):
                await anyio.sleep(3)

    run = fa_store.action(work)()
    with anyio.move_on_after(1):
        await run
    assert run.state == "cancelled"


async def test_the_last_words_of_a_run_are_cut_short(fa_store: fa.StateManager) -> None:
    ends: list[float] = []

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            async with set.cleanup(4):
                with anyio.move_on_after(100):
                    await anyio.sleep_forever()
            ends.append(anyio.current_time())

    run = fa_store.action(work)()
    await anyio.sleep(1)
    begin = anyio.current_time()
    run.cancel()
    await run.wait()
    assert [end - begin for end in ends] == [pytest.approx(4)]


async def test_a_run_that_has_ended_holds_nothing_of_what_it_was_given(fa_store: fa.StateManager) -> None:
    class Big:
        """Something that can be referred to weakly."""

    @fa.action
    async def work(get: fa.Get, set: fa.Set, big: Big) -> None:
        await anyio.sleep(1)

    big = Big()
    gone = weakref.ref(big)
    run = fa_store.action(work)(big)
    del big
    await run
    await anyio.sleep(1)
    gc.collect()
    assert gone() is None
    assert run.state == "succeeded"


async def test_a_run_that_is_cancelled_before_it_has_begun_was_dropped(fa_store: fa.StateManager) -> None:
    run = fa_store.action(forever)()
    run.cancel()
    await run.wait()
    assert (run.state, run.reason) == ("cancelled", "dropped")


@pytest.mark.parametrize("kind", ["alone", "with a cancellation"])
async def test_what_is_no_exception_is_told_once(kind: str, fa_store: fa.StateManager, fa_failures: Failures) -> None:
    class Stray(BaseException):
        """What is no error, and not meant for the interpreter either."""

    class Both(BaseException):
        """What a group of a stray cancellation and an error is."""

        def split(self, kind: object) -> tuple[object, BaseException]:
            return None, ValueError("of a child")

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep(1)
        raise Stray if kind == "alone" else Both

    run = fa_store.action(work)()
    await run.wait()
    told = [str(each.error) for each in fa_failures.take()]
    if kind == "alone":
        assert (run.state, len(told)) == ("failed", 1)
    else:
        assert (run.state, told) == ("cancelled", ["of a child"])


async def test_a_child_of_a_run_that_has_succeeded_goes_on(fa_store: fa.StateManager) -> None:
    @fa.action
    async def child(get: fa.Get, set: fa.Set) -> str:
        await anyio.sleep(5)
        return "done"

    @fa.action
    async def parent(get: fa.Get, set: fa.Set) -> fa.Run[str]:
        return fa_store.action(child)()

    run = fa_store.action(parent)()
    started = await run
    run.cancel()
    assert await started == "done"


async def test_who_listens_to_what_a_run_writes_starts_no_child_of_it(fa_store: fa.StateManager) -> None:
    started: list[fa.Run[None]] = []

    @fa.action
    async def writer(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, 1)
        with fa_store.batch():
            set(COUNT, 2)
        await anyio.sleep_forever()

    fa_store.listen(COUNT, lambda _: started.append(fa_store.action(forever)()), immediate=False)
    run = fa_store.action(writer)()
    await wait_all_tasks_blocked()
    run.cancel()
    await run.wait()
    await wait_all_tasks_blocked()
    assert [each.state for each in started] == ["running"] * 2
    fa_store.action(forever).cancel()


@pytest.mark.parametrize("begins", ["in the run", "before"])
async def test_an_async_listener_to_what_a_run_writes_is_no_part_of_it(begins: str, fa_store: fa.StateManager) -> None:
    started: list[fa.Run[None]] = []
    ends: list[str] = []

    @fa.action
    async def writer(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, 1)
        if begins == "in the run":
            fa_store.listen(COUNT, hear)
        await anyio.sleep_forever()

    async def hear(_: int) -> None:
        started.append(fa_store.action(forever)())
        await run.wait()
        ends.append(run.state)

    if begins == "before":
        fa_store.listen(COUNT, hear, immediate=False)
    run = fa_store.action(writer)()
    await wait_all_tasks_blocked()
    run.cancel()
    await wait_all_tasks_blocked()
    assert (ends, [each.state for each in started]) == (["cancelled"], ["running"])
    fa_store.action(forever).cancel()


@pytest.mark.parametrize("anyio_backend", [virtual_backend("asyncio")], ids=["asyncio"])
async def test_a_task_of_the_run_starts_children_of_it_as_long_as_it_runs(fa_store: fa.StateManager) -> None:
    started: list[fa.Run[None]] = []
    tasks: list[asyncio.Task[None]] = []

    async def start() -> None:
        started.append(fa_store.action(forever)())
        await asyncio.sleep(10)
        started.append(fa_store.action(forever)())

    @fa.action
    async def parent(get: fa.Get, set: fa.Set) -> None:
        tasks.append(asyncio.create_task(start()))
        await anyio.sleep_forever()

    run = fa_store.action(parent)()
    await anyio.sleep(1)
    run.cancel()
    await tasks[0]
    await wait_all_tasks_blocked()
    assert [each.state for each in started] == ["cancelled", "running"]
    started[1].cancel()


async def test_a_cancelled_child_that_is_awaited_in_a_task_group_cancels_the_parent(fa_store: fa.StateManager) -> None:
    @fa.action(retry=fa.Retry(3))
    async def parent(get: fa.Get, set: fa.Set) -> None:
        async def wait() -> None:
            await child

        child = fa_store.action(forever)()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            tasks.start_soon(anyio.sleep_forever)

    run = fa_store.action(parent)()
    await anyio.sleep(1)
    fa_store.action(forever).cancel("enough")
    await run.wait()
    assert (run.state, run.reason) == ("cancelled", "enough")


async def test_expected_errors_may_come_out_of_a_task_group(fa_store: fa.StateManager) -> None:
    @fa.action(expect=(InvalidLogin,), retry=fa.Retry(3))
    async def login(get: fa.Get, set: fa.Set) -> None:
        async def ask() -> None:
            raise InvalidLogin

        set.update(COUNT, lambda n: n + 1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)

    await fa_store.action(login)().wait()
    assert fa_store.get(login.status).state == "failed"
    assert fa_store.get(COUNT) == 1, "what was expected is not tried again"


# ------------------------------------------------------------------ tries and time


async def test_each_try_has_a_set_of_its_own_and_the_one_before_is_dead(fa_store: fa.StateManager) -> None:
    sets: list[fa.Set] = []
    seen: list[tuple[int, float | None]] = []
    children: list[fa.Run[None]] = []
    elsewhere = fa.Key("elsewhere", 0)

    async def slow(n: int) -> int:
        await anyio.sleep(50)
        return 99

    @fa.action(retry=fa.Retry(3, base=10, cap=10))
    async def work(get: fa.Get, set: fa.Set) -> str:
        sets.append(set)
        children.append(fa_store.action(forever)())
        set.progress(len(sets) / 10)
        for old in sets[:-1]:
            old(COUNT, 99)
            old.update(COUNT, lambda n: 99)
            old.progress(0.99)
            async with set.optimistic(USER, "new"):
                pass
            assert get(COUNT) == 0
        if len(sets) < 3:
            set.update(elsewhere, slow)
            await anyio.sleep(1)
            raise OSError
        return "done"

    go = fa_store.action(work)
    fa_store.listen(go.status, lambda status: seen.append((status.attempt, status.progress)), immediate=False)
    run = go()
    await anyio.sleep(2)
    assert children[0].state == "cancelled", "and what it had started has ended"
    assert await run == "done"
    assert (fa_store.get(go.status).attempt, fa_store.get(elsewhere)) == (3, 0)
    assert seen[:5] == [(1, None), (1, 0.1), (2, None), (2, 0.2), (3, None)]
    fa_store.action(forever).cancel()


async def test_a_cancellation_or_the_end_of_the_time_between_two_tries(fa_store: fa.StateManager) -> None:
    async def work(get: fa.Get, set: fa.Set) -> None:
        set(LOADING, True)
        try:
            set.update(COUNT, lambda n: n + 1)
            raise OSError("no network")
        finally:
            set(LOADING, False)

    patient = fa_store.action(fa.action(retry=fa.Retry(None, base=10, cap=10))(work))
    run = patient()
    await anyio.sleep(5)
    run.cancel("enough")
    await run.wait()
    assert (run.state, fa_store.get(COUNT), fa_store.get(patient.status).state) == ("cancelled", 1, "cancelled")
    limited = fa_store.action(fa.action(retry=fa.Retry(None, base=10, cap=10), timeout=15)(work))
    with pytest.raises(TimeoutError, match="within 15 s"):
        await limited()
    assert fa_store.get(COUNT) == 3
    assert (fa_store.get(limited.status).attempt, fa_store.get(LOADING)) == (2, False)


async def test_what_a_run_wrote_in_its_first_try_may_be_put_back_in_its_second(fa_store: fa.StateManager) -> None:
    @fa.action(retry=fa.Retry(2, base=1))
    async def work(get: fa.Get, set: fa.Set) -> None:
        if not get(LOADING):
            set(LOADING, True)
            raise OSError
        try:
            await anyio.sleep_forever()
        finally:
            set(LOADING, False)

    run = fa_store.action(work)()
    await anyio.sleep(5)
    run.cancel()
    await run.wait()
    assert fa_store.get(LOADING) is False


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_timed_run_may_write_from_a_thread(fa_store: fa.StateManager) -> None:
    @fa.action(timeout=1000)
    async def work(get: fa.Get, set: fa.Set) -> None:
        await anyio.to_thread.run_sync(lambda: set(COUNT, 5).wait(5))
        await anyio.to_thread.run_sync(lambda: set.update(COUNT, lambda n: n + 1).wait(5))
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(lambda: set(COUNT, 0).wait(5))

    run = fa_store.action(work)()
    await fa_store.wait_for(COUNT, lambda n: n == 6)
    await wait_all_tasks_blocked()
    run.cancel()
    await run.wait()
    assert fa_store.get(COUNT) == 0


@pytest.mark.parametrize("how", ["cancel", "close", "time"])
async def test_a_run_that_does_not_end_is_reported_however_it_was_to_end(how: str) -> None:
    async with fa.StateManager() as state:
        failures = Failures.of(state)

        @fa.action(timeout=10, expect=(TimeoutError,))
        async def stuck(get: fa.Get, set: fa.Set) -> None:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(60 if how != "close" else 5.2)

        run = state.action(stuck)()
        await wait_all_tasks_blocked()
        if how == "cancel":
            run.cancel()
        if how != "close":
            await run.wait()
    assert run.state == ("failed" if how == "time" else "cancelled")
    (failure,) = failures.take()
    assert str(failure.error).startswith("a run of stuck is stuck: still going 5.0 s after its ")


# ------------------------------------------------------------------ waits for oneself


async def test_every_wait_for_oneself_is_told(fa_store: fa.StateManager) -> None:
    caught: dict[str, str] = {}
    gate = anyio.Event()
    runs: dict[str, fa.Run[Any]] = {}

    async def attempt(what: str, wait: Any) -> None:
        try:
            with anyio.fail_after(5):
                await wait()
        except fa.DeadlockError as error:
            caught[what] = str(error)

    async def in_update(n: int) -> int:
        await attempt("settled in an update", fa_store.settled)
        return n

    async def in_listener(n: int) -> None:
        await attempt("settled in a listener", fa_store.settled)

    @fa.action(policy="sequential")
    async def queued(get: fa.Get, set: fa.Set, again: bool) -> None:
        if again:
            await attempt("a queued run of itself", lambda: queue(False))

    @fa.action
    async def child(get: fa.Get, set: fa.Set) -> None:
        await gate.wait()
        await attempt("a parent that awaits its child", lambda: runs["parent"])

    @fa.action
    async def parent(get: fa.Get, set: fa.Set) -> None:
        awaited = fa_store.action(child)()
        gate.set()
        await awaited

    queue = fa_store.action(queued)
    await queue(True)
    await fa_store.update(COUNT, in_update)
    subscription = fa_store.listen(COUNT, in_listener)
    await fa_store.settled()
    subscription.close()
    runs["parent"] = fa_store.action(parent)()
    await runs["parent"]
    receipt = fa_store.update(COUNT, in_update)
    with pytest.raises(fa.DeadlockError):
        receipt.wait()
    await receipt
    assert sorted(caught) == [
        "a parent that awaits its child",
        "a queued run of itself",
        "settled in a listener",
        "settled in an update",
    ]
    assert "a run of queued waits for a run of queued" in caught["a queued run of itself"]


async def test_an_update_of_a_run_ends_with_it_and_frees_its_atom(fa_store: fa.StateManager) -> None:
    async def never(n: int) -> int:
        await anyio.sleep_forever()
        return 99

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        await set.update(COUNT, never)

    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    fa_store.set(COUNT, 5)
    run.cancel()
    await quiescent(fa_store)
    assert (run.state, fa_store.get(COUNT)) == ("cancelled", 5)


# ------------------------------------------------------------------ in every order


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_runs_that_start_await_and_cancel_each_other_all_come_to_an_end(backend: Backend) -> None:
    """Whatever happens nothing hangs, nothing is left busy, and a flag that was put up is taken down."""
    who: contextvars.ContextVar[int] = contextvars.ContextVar("who")

    async def scenario(chance: random.Random) -> None:
        flags: list[fa.Key[bool]] = []
        async with fa.StateManager() as state:
            failures = Failures.of(state)
            runs: list[fa.Run[None]] = []

            @fa.action(
                policy=chance.choice(["concurrent", "sequential"]),
                timeout=chance.choice([None, 3]),
                retry=chance.choice([None, fa.Retry(2, base=1)]),
                expect=(TimeoutError, ZeroDivisionError),
            )
            async def work(get: fa.Get, set: fa.Set, depth: int, number: int) -> None:
                assert who.get() == number, "in the context of its starter"
                flag = flags[number]
                await anyio.sleep(chance.choice([0, 1]))
                try:
                    await set(flag, True)
                    for _ in range(2):
                        choice = chance.random()
                        if choice < 0.3 and depth:
                            start(depth - 1)
                        elif choice < 0.6:
                            try:
                                await chance.choice(runs)
                            except (fa.DeadlockError, fa.RunCancelled, ZeroDivisionError, TimeoutError):
                                pass
                        elif choice < 0.7:
                            chance.choice(runs).cancel()
                        elif choice < 0.8:
                            raise ZeroDivisionError
                        else:
                            await anyio.sleep(chance.choice([0, 1, 2]))
                finally:
                    set(flag, False)

            def start(depth: int) -> None:
                number = len(runs)
                flags.append(fa.Key(f"flag {number}", False))
                token = who.set(number)
                runs.append(state.action(work)(depth, number))
                who.reset(token)

            for _ in range(5):
                start(2)
                await anyio.sleep(chance.choice([0, 1]))
            with anyio.fail_after(500):
                await quiescent(state)
            assert_quiet(state)
            assert all(run.is_done for run in runs)
            assert not any(state.get(flag) for flag in flags)
            failures.assert_none()

    explore(scenario, range(80), backend=backend)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_update_that_a_run_asks_for_and_that_awaits_something_cancelled_ends_the_run_as_cancelled() -> None:
    async def stray(n: int) -> int:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future
        return n + 1

    @fa.action
    async def count(get: fa.Get, set: fa.Set) -> None:
        await set.update(COUNT, stray)

    async with fa.StateManager() as state:
        with pytest.raises(fa.RunCancelled):
            await state.action(count)()
        assert state.get(COUNT) == 0
