"""The root of supervision: every task has one parent, and one child's end takes nobody down."""

from __future__ import annotations

import asyncio
import gc
import weakref

import anyio
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
import flet_asp_actors.ending
from tests.kit.actions import N, forever


async def never(n: int) -> int:
    await anyio.sleep_forever()
    return n


async def test_leaving_cancels_and_closes_everything() -> None:
    log: list[object] = []
    async with fa.StateManager() as state:
        state.listen(N, log.append)
        run = state.action(forever)()
        receipt = state.update(fa.Key("m", 0), never)
        await wait_all_tasks_blocked()
    assert (run.state, run.reason) == ("cancelled", "the store was closed")
    assert log == [0, 1, 0], "the cleanup of the run was told"
    with pytest.raises(fa.ClosedError, match="the store ended before Key\\('m'\\) was updated"):
        await receipt
    with pytest.raises(fa.ClosedError, match=r"cannot write Key\('n'\): the store is closed"):
        state.set(N, 1)
    with pytest.raises(fa.ClosedError):
        state.action(forever)()
    with pytest.raises(fa.ClosedError):
        state.listen(N, print)
    with pytest.raises(fa.ClosedError):
        async with state:
            pass
    assert state.get(N) == 0
    assert "closed" in repr(state)
    await state.aclose()


async def test_an_error_in_the_body_passes_through() -> None:
    with pytest.raises(ValueError, match="body"):
        async with fa.StateManager() as state:
            state.action(forever)()
            raise ValueError("body")


async def test_a_cancelled_body_still_closes() -> None:
    state = fa.StateManager()
    runs: list[fa.Run[None]] = []
    with anyio.move_on_after(0.001):
        async with state:
            runs.append(state.action(forever)())
            await anyio.sleep_forever()
    assert runs[0].state == "cancelled"


async def test_the_first_need_opens_a_host_and_aclose_ends_it() -> None:
    state = fa.StateManager()
    run = state.action(forever)()
    await wait_all_tasks_blocked()
    assert run.state == "running"
    await state.aclose()
    assert run.state == "cancelled"
    assert state.statistics().jobs == 0
    await state.aclose()


async def test_async_with_over_a_host_that_is_open_already() -> None:
    state = fa.StateManager()
    run = state.action(forever)()
    await wait_all_tasks_blocked()
    async with state:
        assert run.state == "running"
    assert run.state == "cancelled"


async def test_aclose_inside_a_run_only_asks_for_it() -> None:
    state = fa.StateManager()
    log: list[str] = []

    @state.action
    async def closer(get: fa.Get, set: fa.Set) -> None:
        await state.aclose()
        log.append("asked")
        await anyio.sleep_forever()

    run = closer()
    await run.wait()
    assert log == ["asked"]
    assert run.state == "cancelled"
    await state.aclose()


async def test_one_childs_failure_takes_no_sibling_down() -> None:
    async with fa.StateManager() as state:
        found: list[fa.Failure] = []
        state.on_error = found.append

        @state.action
        async def fails(get: fa.Get, set: fa.Set) -> None:
            raise ValueError("child")

        sibling = state.action(forever)()
        fails()
        await wait_all_tasks_blocked()
        assert sibling.state == "running"
        assert len(found) == 1


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"debug": True})], ids=["asyncio"])
async def test_a_stray_cancellation_ends_that_run_alone() -> None:
    async with fa.StateManager() as state:
        found: list[fa.Failure] = []
        state.on_error = found.append

        @state.action
        async def awaits_a_cancelled_future(get: fa.Get, set: fa.Set) -> None:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

        @state.action
        async def cancels_its_own_task(get: fa.Get, set: fa.Set) -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await anyio.sleep_forever()

        sibling = state.action(forever)()
        for action in (awaits_a_cancelled_future, cancels_its_own_task):
            run = action()
            await run.wait()
            assert (run.state, run.reason) == ("cancelled", None)
        assert sibling.state == "running"
        state.set(N, 5)
        assert state.get(N) == 5
        assert found == []


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"debug": True})], ids=["asyncio"])
async def test_a_stray_cancellation_of_an_update_ends_that_message_alone() -> None:
    async with fa.StateManager() as state:

        async def step(n: int) -> int:
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            future.cancel()
            return await future

        receipt = state.update(N, step)
        state.set(N, 9)
        with pytest.raises(fa.RunCancelled):
            await receipt
        await state.settled()
        assert state.get(N) == 9


def test_a_loop_that_shuts_down_cancels_the_runs_of_a_store_that_was_never_closed() -> None:
    state = fa.StateManager()
    runs: list[fa.Run[None]] = []

    async def main() -> None:
        runs.append(state.action(forever)())
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main(), debug=True)
    assert runs[0].is_done
    assert state.get(N) == 0
    state.set(N, 3)

    async def again() -> None:
        run = state.action(forever)()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert run.state == "running"
        await state.aclose()
        assert run.state == "cancelled"

    asyncio.run(again(), debug=True)


async def test_a_run_that_does_not_end_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flet_asp_actors.ending, "GRACE", 0.001)
    gate, told = anyio.Event(), anyio.Event()
    async with fa.StateManager() as state:
        found: list[fa.Failure] = []

        def on_error(failure: fa.Failure) -> None:
            found.append(failure)
            told.set()

        state.on_error = on_error

        @state.action
        async def stuck(get: fa.Get, set: fa.Set) -> None:
            with anyio.CancelScope(shield=True):
                await gate.wait()

        run = stuck()
        await wait_all_tasks_blocked()
        run.cancel()
        await told.wait()
        assert "a run of stuck is stuck" in str(found[0].error)
        assert run.state == "running"
        gate.set()
        await run.wait()
        assert run.state == "cancelled"


async def test_a_store_that_is_forgotten_is_collected() -> None:
    state = fa.StateManager()
    state.listen(fa.selector(lambda get: get(N)), lambda _: None)
    ref = weakref.ref(state)
    del state
    gc.collect()
    assert ref() is None
