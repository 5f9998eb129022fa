"""Actions: supervised tasks that can be awaited, cancelled and timed out, and leave a consistent state."""

from __future__ import annotations

import contextlib
import gc
import inspect
import sys
import threading
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
from tests.kit.failures import collect

USER = fa.Key[str | None]("user", None)
LOADING = fa.Key("loading", False)
COUNT = fa.Key("count", 0)
ITEMS = fa.Key[list[int]]("items", factory=list)


class InvalidLogin(Exception):
    pass


@fa.action
async def login(get: fa.Get, set: fa.Set, name: str, gate: anyio.Event) -> str:
    set(LOADING, True)
    try:
        await gate.wait()
        set(USER, name)
    finally:
        set(LOADING, False)
    return name.upper()


async def test_calling_starts_and_awaiting_gives_the_result() -> None:
    async with fa.StateManager() as state:
        go, gate = state.action(login), anyio.Event()
        run = go("ann", gate)
        assert run.state == "pending"
        assert state.get(go.status).state == "running", "at once"
        assert state.get(go.status).is_busy
        await wait_all_tasks_blocked()
        assert run.state == "running"
        assert state.get(LOADING)
        gate.set()
        assert await run == "ANN"
        status = state.get(go.status)
        assert (status.state, status.value, status.error, status.message) == ("succeeded", "ANN", None, "")
        assert (state.get(USER), state.get(LOADING)) == ("ann", False)
        assert not status.is_busy
        assert state.statistics().jobs == 0


async def test_nothing_has_to_be_awaited() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()
        state.action(login)("ann", gate)
        gate.set()
        await state.settled()
        assert state.get(USER) == "ann"


async def test_a_definition_has_one_bound_action_and_one_status_key() -> None:
    async with fa.StateManager() as state, fa.StateManager() as other:
        assert state.action(login) is state.action(login)
        gate = anyio.Event()
        gate.set()
        await state.action(login)("ann", gate)
        assert state.get(login.status).state == "succeeded"
        assert other.get(login.status).state == "idle"


async def test_a_cancelled_run_may_put_back_but_not_do() -> None:
    async with fa.StateManager() as state:
        go, gate = state.action(login), anyio.Event()
        seen: list[str] = []
        state.listen(go.status, lambda status: seen.append(status.state))
        run = go("ann", gate)
        await wait_all_tasks_blocked()
        go.cancel("user")
        await run.wait()
        assert run.state == "cancelled"
        assert (state.get(USER), state.get(LOADING)) == (None, False)
        assert state.get(go.status).state == "cancelled"
        assert seen == ["idle", "running", "cancelled"]
        with pytest.raises(fa.RunCancelled, match="login was cancelled: user") as caught:
            await run
        assert caught.value.reason == "user"
        assert state.statistics().jobs == 0


async def test_the_put_back_rule() -> None:
    tries: dict[str, int | bool] = {}
    other = fa.Key("other", 0)
    theirs = fa.Key("theirs", 0)
    unwritten = fa.Key("unwritten", 0)
    edited = fa.Key[list[int]]("edited", factory=list)

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, 1)
        set(COUNT, 2)
        set.update(other, lambda n: n + 1)
        set(theirs, 1)
        set.mutate(edited, lambda each: each.append(1))
        try:
            await anyio.sleep_forever()
        finally:
            set(COUNT, 7)
            tries["not the value before"] = get(COUNT)
            set(COUNT, 1)
            tries["not the run's own value in between"] = get(COUNT)
            set(COUNT, 0)
            tries["the value before"] = get(COUNT)
            set.update(other, lambda n: n - 1)
            tries["an update that comes to the value before"] = get(other)
            set(theirs, 0)
            tries["somebody else wrote it since"] = get(theirs)
            set(unwritten, 5)
            tries["never written by the run"] = get(unwritten)
            set.reset(COUNT)
            set.mutate(edited, lambda each: each.append(2))
            tries["an edit"] = len(get(edited))

    async with fa.StateManager() as state:
        run = state.action(work)()
        await wait_all_tasks_blocked()
        state.set(theirs, 9)
        run.cancel()
        await run.wait()
        assert tries == {
            "not the value before": 2,
            "not the run's own value in between": 2,
            "the value before": 0,
            "an update that comes to the value before": 0,
            "somebody else wrote it since": 9,
            "never written by the run": 0,
            "an edit": 1,
        }


async def test_a_write_of_somebody_else_between_two_of_the_run_stays() -> None:
    @fa.action
    async def work(get: fa.Get, set: fa.Set, step: anyio.Event) -> None:
        set(COUNT, 1)
        await step.wait()
        set(COUNT, 2)
        try:
            await anyio.sleep_forever()
        finally:
            set(COUNT, 0)

    async with fa.StateManager() as state:
        step = anyio.Event()
        run = state.action(work)(step)
        await wait_all_tasks_blocked()
        state.set(COUNT, 50)
        step.set()
        await wait_all_tasks_blocked()
        run.cancel()
        await run.wait()
        assert state.get(COUNT) == 2, "0 is not what anybody but the run's beginning knew"


async def test_awaiting_a_refused_write_raises_the_cancellation_again() -> None:
    reached: list[str] = []

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            reached.append("swallowed")
        await set(USER, "late")
        reached.append("never")

    async with fa.StateManager() as state:
        run = state.action(work)()
        await wait_all_tasks_blocked()
        run.cancel()
        await run.wait()
        assert (reached, run.state, state.get(USER)) == (["swallowed"], "cancelled", None)


@pytest.mark.parametrize(("how", "left"), [("queued", 9), ("optimistic", 9), ("ended", 2)])
async def test_what_somebody_else_has_written_is_known_however_the_run_goes_on(how: str, left: int) -> None:
    kept: list[fa.Set] = []

    async def other(count: int) -> int:
        await anyio.lowlevel.checkpoint()
        return 5

    async with fa.StateManager() as state:

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            kept.append(set)
            set(COUNT, 1)
            if how == "queued":
                state.update(COUNT, other)
                await set(COUNT, 9)
            else:
                state.set(COUNT, 2)
            if how == "optimistic":
                async with set.optimistic(COUNT, 9):
                    assert get(COUNT) == 9
            if how == "ended":
                raise ValueError
            await anyio.sleep_forever()

        run = work()
        await wait_all_tasks_blocked()
        run.cancel()
        with contextlib.suppress(ValueError):
            await run.wait()
        kept[0](COUNT, 0)
        assert state.get(COUNT) == left


async def test_what_an_ended_run_writes_waits_for_its_turn() -> None:
    kept: list[fa.Set] = []
    gate = anyio.Event()

    async def other(count: int) -> int:
        await gate.wait()
        return count + 1

    async with fa.StateManager() as state:

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            kept.append(set)

        await work()
        state.update(COUNT, other)
        receipt = kept[0].update(COUNT, lambda count: count * 10)
        assert not receipt.is_done
        gate.set()
        await receipt
        assert state.get(COUNT) == 10


async def test_a_reset_and_an_edit_are_writes_like_any_other() -> None:
    reached: list[object] = []

    async with fa.StateManager() as state:

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            await set.reset(COUNT)
            reached.append(get(COUNT))
            set(COUNT, 7)
            set(LOADING, True)
            try:
                await anyio.sleep_forever()
            finally:
                await set.reset(LOADING)
                await set.reset(LOADING)
                reached.append(get(LOADING))
                with contextlib.suppress(anyio.get_cancelled_exc_class()):
                    await set.mutate(ITEMS, lambda items: items.append(1))
                reached.append(get(ITEMS))
                await set.reset(COUNT)
                reached.append("never")

        state.set(COUNT, 5)
        run = work()
        await wait_all_tasks_blocked()
        run.cancel()
        await run.wait()
        assert (reached, run.state, state.get(COUNT)) == ([0, False, []], "cancelled", 7)


async def test_what_cannot_be_copied_is_put_back_itself() -> None:
    class Connection:
        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.uses = 0

        def use(self) -> None:
            self.uses += 1

    first = Connection()
    connection = fa.Key("connection", factory=Connection)

    async with fa.StateManager() as state:

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            set.mutate(connection, Connection.use)
            set(connection, Connection())
            try:
                await anyio.sleep_forever()
            finally:
                set(connection, first)

        state.set(connection, first)
        run = work()
        await wait_all_tasks_blocked()
        run.cancel()
        await run.wait()
        assert state.get(connection) is first


async def test_an_async_update_puts_nothing_back() -> None:
    async def nothing(user: str | None) -> None: ...

    async with fa.StateManager() as state:

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            set(USER, "ann")
            try:
                await anyio.sleep_forever()
            finally:
                set.update(USER, lambda user: nothing(user))

        run = work()
        await wait_all_tasks_blocked()
        run.cancel()
        await run.wait()
        assert state.get(USER) == "ann"


async def test_an_update_that_has_its_turn_when_its_run_has_ended_does_not_go_on() -> None:
    went_on: list[int] = []
    gate = anyio.Event()

    async def other(count: int) -> int:
        await gate.wait()
        return count + 1

    async def late(count: int) -> int:
        await anyio.lowlevel.checkpoint()
        went_on.append(count)
        return count

    async with fa.StateManager() as state:

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            set.update(COUNT, late)
            await anyio.sleep_forever()

        state.update(COUNT, other)
        run = work()
        await wait_all_tasks_blocked()
        run.cancel()
        await run.wait()
        gate.set()
        await state.settled()
        assert (state.get(COUNT), went_on) == (1, [])


@pytest.mark.parametrize("does_close", [False, True])
async def test_what_is_put_back_into_a_busy_atom_waits_for_its_turn(does_close: bool) -> None:
    receipts: list[fa.Receipt] = []
    gate = anyio.Event()

    async with fa.StateManager() as state:

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> None:
            set(COUNT, 1)
            try:
                await anyio.sleep_forever()
            finally:
                receipts.append(set(COUNT, 0))

        async def other(count: int) -> int:
            await gate.wait()
            raise LookupError

        run = work()
        await wait_all_tasks_blocked()
        others = state.update(COUNT, other)
        run.cancel()
        await run.wait()
        assert not receipts[0].is_done
        with pytest.raises(fa.DeadlockError):
            receipts[0].wait()
        if not does_close:
            gate.set()
            with pytest.raises(LookupError):
                await others
            assert state.get(COUNT) == 0
        atom = state.atom(COUNT)
    assert (receipts[0].is_done, atom.value) == (True, 0)


async def test_a_run_that_will_not_be_refused_starves_nobody() -> None:
    tries = 0
    others: list[str] = []

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        nonlocal tries
        with contextlib.suppress(anyio.get_cancelled_exc_class()):
            await anyio.sleep_forever()
        tasks.start_soon(go_on)
        while not others and tries < 1000:
            tries += 1
            with contextlib.suppress(anyio.get_cancelled_exc_class()), anyio.CancelScope(shield=True):
                await set(USER, "late")

    async def go_on() -> None:
        others.append("another task")

    async with fa.StateManager() as state, anyio.create_task_group() as tasks:
        failures = collect(state)
        run = state.action(work)()
        await wait_all_tasks_blocked()
        run.cancel()
        await run.wait()
        assert (run.state, state.get(USER), failures) == ("cancelled", None, [])
        assert tries < 1000


async def test_a_swallowed_cancellation_is_a_cancellation_all_the_same() -> None:
    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> str:
        with anyio.CancelScope(shield=True):
            await gate.wait()
        set(USER, "late")
        return "done"

    gate = anyio.Event()
    async with fa.StateManager() as state:
        run = state.action(work)()
        await wait_all_tasks_blocked()
        run.cancel()
        gate.set()
        await run.wait()
        assert (run.state, run.value, state.get(USER)) == ("cancelled", None, None)


async def test_cancelling_the_one_who_waits_cancels_the_run_and_waits_for_it() -> None:
    async with fa.StateManager() as state:
        run = state.action(login)("ann", anyio.Event())
        with anyio.move_on_after(0.001) as scope:
            await run
        assert scope.cancelled_caught
        assert run.state == "cancelled"
        assert not state.get(LOADING)


async def test_only_the_last_waiter_cancels_a_shared_run() -> None:
    async with fa.StateManager() as state, anyio.create_task_group() as tasks:
        gate = anyio.Event()
        run = state.action(login)("ann", gate)
        results: list[str] = []

        async def wait() -> None:
            results.append(await run)

        tasks.start_soon(wait)
        with anyio.move_on_after(0.001):
            await run
        assert run.state == "running"
        gate.set()
        await run.wait()
        await wait_all_tasks_blocked()
        assert results == ["ANN"]


async def test_wait_only_watches() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()
        run = state.action(login)("ann", gate)
        with anyio.move_on_after(0.001):
            await run.wait()
        assert run.state == "running"
        gate.set()
        assert await run == "ANN"


async def test_a_timeout_is_a_failure_whose_writes_are_refused() -> None:
    @fa.action(timeout=0.001)
    async def slow(get: fa.Get, set: fa.Set) -> None:
        set(LOADING, True)
        try:
            await anyio.sleep_forever()
        finally:
            set(USER, "late")
            set(LOADING, False)

    async with fa.StateManager() as state:
        go = state.action(slow)
        with pytest.raises(TimeoutError, match=r"slow did not finish within 0\.001 s"):
            await go()
        status = state.get(go.status)
        assert status.state == "failed"
        assert "slow did not finish" in status.message
        assert (state.get(USER), state.get(LOADING)) == (None, False)


async def test_what_being_out_of_time_has_stirred_up_is_its_cause() -> None:
    @fa.action(timeout=0.001)
    async def slow(get: fa.Get, set: fa.Set) -> None:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            raise ValueError("cleanup") from None

    async with fa.StateManager() as state:
        with pytest.raises(TimeoutError) as caught:
            await state.action(slow)()
        assert repr(caught.value.__cause__) == "ValueError('cleanup')"


async def test_a_swallowed_timeout_is_a_timeout_all_the_same() -> None:
    @fa.action(timeout=0.001)
    async def slow(get: fa.Get, set: fa.Set) -> str:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            pass
        return "late"

    async with fa.StateManager() as state:
        with pytest.raises(TimeoutError):
            await state.action(slow)()


async def test_out_of_time_while_waiting_for_another_run_is_a_timeout() -> None:
    @fa.action(timeout=0.001)
    async def outer(get: fa.Get, set: fa.Set, inner: fa.Run[str]) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await inner

    async with fa.StateManager() as state:
        inner = state.action(login)("ann", anyio.Event())
        run = state.action(outer)(inner)
        await wait_all_tasks_blocked()
        while not run.is_stopping:
            await anyio.lowlevel.checkpoint()
        inner.cancel()
        await run.wait()
        assert run.state == "failed"
        assert isinstance(run.error, TimeoutError)


async def test_a_failed_run_raises_the_users_frames() -> None:
    async with fa.StateManager() as state:

        @state.action
        async def fails(get: fa.Get, set: fa.Set) -> None:
            raise ValueError("no")

        run = fails()
        depths: list[int] = []
        for _ in range(3):
            with pytest.raises(ValueError, match="no") as caught:
                await run
            depths.append(len(caught.traceback))
            assert caught.traceback[-1].name == "fails"
        assert len(set(depths[1:])) == 1, "the traceback of a stored error does not grow"


async def test_droppable_drops_the_second_call() -> None:
    dropping = fa.action(policy="droppable")(login.function)
    async with fa.StateManager() as state:
        go, gate = state.action(dropping), anyio.Event()
        first = go("ann", gate)
        second = go("bob", gate)
        assert (second.state, second.reason) == ("cancelled", "dropped")
        assert state.get(go.status).state == "running"
        assert state.get(go.status).active == 1
        with pytest.raises(fa.RunCancelled) as caught:
            await second
        assert caught.value.reason == "dropped"
        gate.set()
        await first
        assert state.get(USER) == "ann"
        third = go("cid", gate)
        assert await third == "CID"


async def test_concurrent_runs_overlap_and_the_status_follows_the_last() -> None:
    async with fa.StateManager() as state:
        go = state.action(login)
        one, two = anyio.Event(), anyio.Event()
        first, second = go("ann", one), go("bob", two)
        assert state.get(go.status).active == 2
        two.set()
        await second
        assert (state.get(go.status).state, state.get(go.status).active) == ("succeeded", 1)
        one.set()
        await first
        assert (state.get(go.status).value, state.get(go.status).active) == ("BOB", 0)


async def test_an_error_goes_to_who_awaits_else_to_on_error() -> None:
    @fa.action(expect=(InvalidLogin,))
    async def fail(get: fa.Get, set: fa.Set, error: Exception) -> None:
        await anyio.lowlevel.checkpoint()
        raise error

    async with fa.StateManager() as state:
        found = collect(state)
        go = state.action(fail)
        with pytest.raises(ValueError, match="awaited"):
            await go(ValueError("awaited"))
        assert found == []
        await go(ValueError("alone")).wait()
        assert [str(each) for each in found] == ["action at 'fail': ValueError: alone"]
        assert state.get(go.status).message == "alone"
        go(InvalidLogin())
        await state.settled()
        assert len(found) == 1, "expected errors show in the status only"
        assert state.get(go.status).message == "InvalidLogin", "never empty on failure"
        with pytest.raises(InvalidLogin):
            await go(InvalidLogin())


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ZeroDivisionError


def test_the_message_of_an_error_that_cannot_be_printed_is_its_name() -> None:
    assert fa.ActionStatus[int]("failed", error=Unspeakable()).message == "Unspeakable"


async def test_a_selector_that_reads_the_handle_of_a_status_depends_on_it() -> None:
    async with fa.StateManager() as state:
        go, gate = state.action(login), anyio.Event()
        status: Any = go.status
        heard: list[str] = []

        @fa.selector
        def shown(get: fa.Get) -> str:
            return str(status.value.state)

        state.listen(shown, heard.append)
        run = go("ann", gate)
        gate.set()
        await run
        assert heard == ["idle", "running", "succeeded"]


async def test_an_error_during_the_cleanup_of_a_cancelled_run_is_reported() -> None:
    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("cleanup")

    async with fa.StateManager() as state:
        found = collect(state)
        run = state.action(work)()
        await wait_all_tasks_blocked()
        run.cancel()
        await run.wait()
        assert (run.state, run.reason) == ("cancelled", None)
        assert [str(each.error) for each in found] == ["cleanup"]


async def test_run_cancelled_inside_another_run_makes_that_one_cancelled_too() -> None:
    @fa.action
    async def outer(get: fa.Get, set: fa.Set, inner: fa.Run[str]) -> None:
        await inner

    async with fa.StateManager() as state:
        found = collect(state)
        inner = state.action(login)("ann", anyio.Event())
        run = state.action(outer)(inner)
        await wait_all_tasks_blocked()
        inner.cancel("enough")
        await run.wait()
        assert (run.state, run.reason) == ("cancelled", "enough")
        assert found == []


async def test_cancel_before_the_start_and_after_the_end() -> None:
    async with fa.StateManager() as state:
        gate = anyio.Event()
        gate.set()
        go = state.action(login)
        early = go("ann", gate)
        early.cancel()
        await early.wait()
        assert early.state == "cancelled"
        assert state.get(USER) is None
        done = go("ann", gate)
        await done
        done.cancel()
        assert done.state == "succeeded"
        go.cancel()


async def test_reset_goes_back_to_idle() -> None:
    async with fa.StateManager() as state:
        go = state.action(login)
        run = go("ann", anyio.Event())
        await wait_all_tasks_blocked()
        go.reset()
        assert state.get(go.status) == fa.ActionStatus()
        await run.wait()
        assert run.state == "cancelled"
        assert state.get(go.status).state == "idle"


async def test_clear_cancels_runs_and_a_late_write_cannot_undo_it() -> None:
    @fa.action
    async def stubborn(get: fa.Get, set: fa.Set) -> None:
        set(USER, "ann")
        try:
            await anyio.sleep_forever()
        finally:
            set(USER, "ann again")
            set(USER, None)

    async with fa.StateManager() as state:
        state.set(USER, "before")
        go = state.action(stubborn)
        go()
        await wait_all_tasks_blocked()
        state.clear()
        await state.settled()
        assert state.get(USER) is None
        assert state.get(go.status).state == "idle"


async def test_progress_shows_in_the_status() -> None:
    @fa.action
    async def upload(get: fa.Get, set: fa.Set, gate: anyio.Event) -> None:
        set.progress(0.4, "uploading")
        await gate.wait()

    async with fa.StateManager() as state:
        go, gate = state.action(upload), anyio.Event()
        go(gate)
        await wait_all_tasks_blocked()
        assert (state.get(go.status).progress, state.get(go.status).progress_text) == (0.4, "uploading")
        gate.set()


async def test_sync_handlers_and_handlers_of_the_store() -> None:
    async with fa.StateManager() as state:

        @state.action
        def add(get: fa.Get, set: fa.Set, by: int = 1) -> int:
            set(COUNT, get(COUNT) + by)
            return get(COUNT)

        assert await add() == 1
        assert await add(by=4) == 5
        assert await add.handler(2) == 7


async def test_the_coroutine_function_of_an_action_shows_nothing_of_what_is_given_to_the_handler() -> None:
    async with fa.StateManager() as state:
        handler = state.action(login).handler
        assert handler.__name__ == "login"
        assert list(inspect.signature(handler).parameters) == ["args", "kwargs"]


@pytest.mark.parametrize("what", ["starts", "resets"])
async def test_a_selector_neither_calls_an_action_nor_resets_it(what: str) -> None:
    calls: list[str] = []

    @fa.action
    def note(get: fa.Get, set: fa.Set) -> None:
        calls.append("called")

    async with fa.StateManager() as state:
        go = state.action(note)

        @fa.selector
        def impure(get: fa.Get) -> None:
            go.reset() if what == "resets" else go.call_now()

        with pytest.raises(fa.PurityError, match=f"{what} note"):
            state.get(impure)
        assert calls == []


async def test_a_store_that_is_closed_calls_no_handler() -> None:
    calls: list[str] = []

    @fa.action
    def note(get: fa.Get, set: fa.Set) -> None:
        calls.append("called")

    async with fa.StateManager() as state:
        go = state.action(note)
    with pytest.raises(fa.ClosedError, match="cannot start note"):
        go.call_now()
    assert calls == []


@pytest.mark.parametrize("policy", ["droppable", "sequential"])
async def test_what_a_thread_starts_and_resets_is_no_failure_if_it_has_to_wait_or_is_dropped(policy: Any) -> None:
    gate = anyio.Event()

    @fa.action(policy=policy)
    async def work(get: fa.Get, set: fa.Set) -> None:
        await gate.wait()

    async with fa.StateManager() as state:
        failures = collect(state)
        go = state.action(work)
        first = go()
        await wait_all_tasks_blocked()
        second = await anyio.to_thread.run_sync(go)
        await wait_all_tasks_blocked()
        gate.set()
        await first.wait()
        await second.wait()
        assert (first.state, second.state) == ("succeeded", "cancelled" if policy == "droppable" else "succeeded")
        await anyio.to_thread.run_sync(go.reset)
        await wait_all_tasks_blocked()
        assert state.get(go.status).state == "idle"
    gc.collect()
    assert failures == []


async def test_arguments_that_do_not_fit_raise_at_the_call() -> None:
    async with fa.StateManager() as state:
        call: Any = state.action(login)
        with pytest.raises(TypeError, match=r"action login\(.*missing a required argument: 'gate'"):
            call("ann")
        assert state.get(login.status).state == "idle"


def print_nothing(get: fa.Get) -> None: ...


def test_definitions_are_checked_where_they_are_made() -> None:
    make: Any = fa.Action
    with pytest.raises(ValueError, match="unknown policy 'fast'; one of concurrent"):
        make(login.function, policy="fast")
    with pytest.raises(ValueError, match="timeout is in seconds and must be positive"):
        make(login.function, timeout=0)
    with pytest.raises(TypeError, match=r"takes \(get, set, ...\)"):
        make(print_nothing)
    with pytest.raises(TypeError, match="action login: retry takes a fa.Retry"):
        make(login.function, retry=3)
    with pytest.raises(TypeError, match="action login: timeout is a number of seconds, and not '5'"):
        make(login.function, timeout="5")


def test_a_definition_says_what_its_handler_does() -> None:
    async def work(get: fa.Get, set: fa.Set) -> None:
        """Work hard."""

    assert fa.Action(work).__doc__ == "Work hard."


async def test_a_definition_that_is_called_where_no_store_is_the_current_one_says_how_to_bind_it() -> None:
    with pytest.raises(RuntimeError, match=r"bind it: state\.action\(login\)\(\.\.\.\)"):
        login("ann", anyio.Event())


async def test_what_flet_asps_form_gives_to_a_handler_depends_on_what_that_takes() -> None:
    def nothing(get: fa.Get, set: fa.Set) -> object:
        return "nothing"

    def named(get: fa.Get, set: fa.Set, *, args: object = "default") -> object:
        return args

    def one(get: fa.Get, set: fa.Set, args: object) -> object:
        return args

    def perhaps(get: fa.Get, set: fa.Set, args: object = "default") -> object:
        return args

    def many(get: fa.Get, set: fa.Set, *args: object) -> object:
        return args

    def all_of_them(*args: object) -> object:
        return args[2:]

    expected: list[tuple[Any, object, object]] = [
        (nothing, "nothing", "nothing"),
        (named, "default", "default"),
        (one, None, 5),
        (perhaps, "default", 5),
        (many, (), (5,)),
        (all_of_them, (), (5,)),
    ]
    async with fa.StateManager() as state:
        for handler, without, given in expected:
            assert await fa.Action(handler).start(state) == without
            assert await fa.Action(handler).start(state, 5) == given


def test_without_a_loop_it_says_how_to_get_one() -> None:
    state = fa.StateManager()
    with pytest.raises(fa.NotRunningError, match="login needs an event loop.*async with"):
        state.action(login)("ann", None)  # type: ignore[arg-type]  # never looked at
    assert state.get(login.status).state == "idle"


async def test_a_status_is_read_only() -> None:
    async with fa.StateManager() as state:
        write: Any = state.set
        with pytest.raises(fa.ReadOnlyError, match="status of action login is written by the action alone"):
            write(login.status, 1)
        with pytest.raises(TypeError, match=r"did you mean its \.status"):
            state.get(state.action(login))  # type: ignore[call-overload]  # the mistake under test


async def test_an_action_can_be_overridden() -> None:
    async def fake(get: fa.Get, set: fa.Set, name: str, gate: anyio.Event) -> str:
        return "fake"

    async with fa.StateManager(overrides={login: fake}) as state:
        assert await state.action(login)("ann", anyio.Event()) == "fake"


async def test_waiting_for_oneself_raises() -> None:
    runs: list[fa.Run[None]] = []
    caught: list[str] = []

    async with fa.StateManager() as state:

        @state.action
        async def selfish(get: fa.Get, set: fa.Set) -> None:
            for wait in (lambda: runs[0], lambda: runs[0].wait(), state.settled):
                try:
                    await wait()
                except fa.DeadlockError as error:
                    caught.append(str(error))

        runs.append(selfish())
        await runs[0].wait()
        assert len(caught) == 3
        assert "a run of selfish waits for a run of selfish" in caught[0]


async def test_two_runs_that_await_each_other_raise() -> None:
    runs: list[fa.Run[None]] = []
    caught: list[fa.DeadlockError] = []

    async with fa.StateManager() as state:

        @state.action
        async def waits(get: fa.Get, set: fa.Set, other: int) -> None:
            try:
                await runs[other].wait()
            except fa.DeadlockError as error:
                caught.append(error)

        runs.extend([waits(1), waits(0)])
        for run in runs:
            await run.wait()
        assert len(caught) == 1


async def test_current_is_the_store_of_the_run() -> None:
    async with fa.StateManager() as state:

        @state.action
        async def which(get: fa.Get, set: fa.Set) -> bool:
            return fa.current() is state

        assert await which()
        assert state.get(fa.selector(lambda get: fa.current() is state))
    with pytest.raises(RuntimeError, match="there is none of these"):
        fa.current()


# ------------------------------------------------------------------ without Flet


def test_where_flet_was_never_imported_nothing_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "flet")
    state = fa.StateManager()
    heard: list[int] = []
    n = fa.Key("n", 0)
    state.listen(n, heard.append)

    @fa.action
    async def add(get: fa.Get, set: fa.Set) -> None:
        set.update(n, lambda n: n + 1)

    async def main() -> None:
        async with state:
            await state.action(add)()

    anyio.run(main)
    assert heard == [0, 1]
    with pytest.raises(RuntimeError, match="store"):
        fa.current()
