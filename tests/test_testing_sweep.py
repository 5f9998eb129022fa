"""The cancellation sweep finds the one checkpoint at which a flow leaves a mess, and says which line it is."""

from __future__ import annotations

import asyncio
import linecache
import runpy
import sysconfig
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.lowlevel
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Probe, places, quiescent, sweep, sweep_action, virtual_backend, virtual_backends

SAVING = fa.Key("saving", False)
DRAFT = fa.Key("draft", "")
SAVED = fa.Key("saved", "")
HOW: list[Literal["run", "waiter", "close"]] = ["run", "waiter", "close"]


@pytest.fixture(params=virtual_backends())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


@fa.action
async def save(get: fa.Get, set: fa.Set, text: str) -> None:
    await anyio.sleep(1)
    set(SAVING, True)
    try:
        await anyio.sleep(2)
        await anyio.sleep(3)
    finally:
        set(SAVING, False)
    set(SAVED, text)


@fa.action
async def careless_save(get: fa.Get, set: fa.Set, text: str) -> None:
    set(SAVING, True)
    try:
        await anyio.sleep(1)
    finally:
        set(SAVING, False)
    await anyio.sleep(2)
    set(SAVING, True)
    await anyio.sleep(3)  # HERE
    set(SAVING, False)
    await anyio.sleep(4)


def clean(state: fa.StateManager, run: fa.Run[Any]) -> None:
    assert state.get(SAVING) is False, "still saving"
    assert state.get(SAVED) in ("", "text")
    assert (run.state == "succeeded") == (state.get(SAVED) == "text")


@pytest.mark.parametrize("how", HOW)
async def test_a_flow_that_cleans_up_passes_at_every_checkpoint(how: Literal["run", "waiter", "close"]) -> None:
    seen: list[str] = []

    async def check(state: fa.StateManager, run: fa.Run[Any]) -> None:
        await anyio.lowlevel.checkpoint()
        clean(state, run)
        seen.append(run.state)

    found = await sweep_action(save, "text", check=check, how=how)
    assert found >= 3  # the sleeps; trio may take two steps for one
    assert len(seen) == found + 1
    assert seen[0] == "succeeded"
    assert set(seen[1:4]) == {"cancelled"}


@pytest.mark.parametrize("how", HOW)
async def test_a_mess_is_found_where_it_is_made(how: Literal["run", "waiter", "close"]) -> None:
    def check(state: fa.StateManager, run: fa.Run[Any]) -> None:
        assert state.get(SAVING) is False, "still saving"

    with pytest.raises(
        AssertionError, match=r"cancelled at checkpoint 3 of \d+, .*test_testing_sweep\.py:\d+: .*# HERE"
    ) as caught:
        await sweep_action(careless_save, "text", check=check, how=how)
    assert isinstance(caught.value.__cause__, AssertionError)


async def test_an_error_in_the_cleanup_is_found() -> None:
    @fa.action
    async def trips(get: fa.Get, set: fa.Set) -> None:
        try:
            await anyio.sleep(1)
        except BaseException:
            raise ValueError("tripped") from None

    with pytest.raises(AssertionError, match="(?s)checkpoint 1 of .*tripped"):
        await sweep_action(trips)


async def test_what_hangs_when_it_is_cancelled_is_found() -> None:
    @fa.action
    async def stubborn(get: fa.Get, set: fa.Set) -> None:
        try:
            await anyio.sleep(1)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(3600)
            raise

    with pytest.raises(AssertionError, match="cancelled at checkpoint 1 of .*TimeoutError"):
        await sweep_action(stubborn, timeout=10)


async def test_a_flow_that_fails_without_a_cancellation_is_no_flow_to_sweep() -> None:
    @fa.action
    async def fails(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep(1)
        raise ValueError("as ever")

    for how in HOW:
        with pytest.raises(AssertionError, match="without a cancellation.*"):
            await sweep_action(fails, how=how)


@pytest.mark.parametrize("how", HOW)
async def test_errors_that_are_expected_are_not_told(how: Literal["run", "waiter", "close"]) -> None:
    class InvalidLogin(Exception):
        pass

    @fa.action(expect=(InvalidLogin,))
    async def login(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep(1)
        raise InvalidLogin

    assert await sweep_action(login, how=how) >= 1


async def test_overrides_preparations_and_the_policy_of_the_action_count() -> None:
    async def quick(get: fa.Get, set: fa.Set, text: str) -> None:
        await anyio.sleep(1)
        set(SAVED, get(DRAFT))

    seen: list[str] = []

    async def prepare(state: fa.StateManager) -> None:
        assert state.get(DRAFT) == "a draft"
        await state.set(SAVING, True)

    def check(state: fa.StateManager, run: fa.Run[Any]) -> None:
        assert state.get(SAVING) is True
        seen.append(state.get(SAVED))

    found = await sweep_action(save, "ignored", overrides={save: quick, DRAFT: "a draft"}, prepare=prepare, check=check)
    assert seen == ["a draft", *[""] * found]


async def test_a_flow_of_ones_own() -> None:
    told: list[str] = []

    async def flow() -> None:
        told.append("begun")
        await anyio.sleep(1)
        told.append("half")
        try:
            await anyio.sleep(1)
            told.append("done")
        finally:
            told.append("left")

    async def scenario(probe: Probe) -> None:
        told.clear()
        with anyio.CancelScope() as scope:
            probe.on_reach = scope.cancel
            await probe.wrap(flow)()
        assert told in (["begun"], ["begun", "half", "left"], ["begun", "half", "done", "left"])

    assert await sweep(scenario) >= 2


async def test_every_awaited_write_is_a_checkpoint() -> None:
    @fa.action
    async def fill(get: fa.Get, set: fa.Set) -> None:
        for each in range(10):
            await set(SAVED, str(each))

    lasts: list[str] = []
    found = await sweep_action(fill, check=lambda state, run: lasts.append(state.get(SAVED)))
    assert found >= 10
    assert {str(each) for each in range(10)} == set(lasts)


async def test_a_probe_changes_nothing_for_the_function() -> None:
    caught: list[BaseException] = []

    async def inner(a: int, *, b: int) -> int:
        """Adds."""
        try:
            with anyio.fail_after(1):
                await anyio.sleep_forever()
        except TimeoutError as error:
            caught.append(error)
        await anyio.sleep(1)
        return a + b

    probe = Probe()
    wrapped = probe.wrap(inner)
    assert (wrapped.__name__, wrapped.__doc__) == ("inner", "Adds.")
    assert await wrapped(1, b=2) == 3
    assert len(caught) == 1
    assert probe.count >= 2
    assert not probe.is_reached
    assert "await anyio.sleep(1)" in probe.where
    with pytest.raises(TypeError, match="async function"):
        probe.wrap(lambda: None)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]  # the mistake under test


def test_a_place_is_not_in_python_though_it_is_a_zip_nor_in_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in Pyodide, whose paths begin with two slashes."""
    python, installed = tmp_path / "python.zip", tmp_path / "installed"
    monkeypatch.setattr(linecache, "__file__", str(python / "linecache.py"))
    paths = dict.fromkeys(sysconfig.get_path_names(), str(installed).replace("/", "//", 1))
    monkeypatch.setattr(sysconfig, "get_path", paths.get)
    names: dict[str, Any] = {}
    of_python = "import types\n@types.coroutine\ndef pause():\n    yield"
    exec(compile(of_python, str(python / "asyncio" / "tasks.py"), "exec"), names)
    exec(compile("async def sleep():\n    await pause()", str(installed / "anyio.py"), "exec"), names)

    async def work() -> None:
        await names["sleep"]()  # HERE

    working = work()
    working.send(None)
    assert "# HERE" in runpy.run_path(places.__file__)["position"](working)
    working.close()


def test_a_probed_coroutine_that_is_closed_closes_what_it_drives() -> None:
    told: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            told.append("closed")

    running = Probe().wrap(work)()
    running.send(None)
    running.close()
    assert told == ["closed"]


async def test_a_scenario_that_says_not_how() -> None:
    async def scenario(probe: Probe) -> None:
        await probe.wrap(anyio.sleep)(1)

    with pytest.raises(AssertionError, match="on_reach"):
        await sweep(scenario)


async def test_a_scenario_that_is_another_each_time() -> None:
    lengths = iter([3, 1, 1, 1])

    async def scenario(probe: Probe) -> None:
        probe.on_reach = lambda: None
        for _ in range(next(lengths)):
            await probe.wrap(anyio.sleep)(1)

    with pytest.raises(AssertionError, match="was not reached again"):
        await sweep(scenario)


async def test_a_scenario_without_checkpoints() -> None:
    async def scenario(probe: Probe) -> None:
        pass

    assert await sweep(scenario) == 0


async def test_a_probed_handler_in_a_store_of_ones_own() -> None:
    async def scenario(probe: Probe) -> None:
        async with fa.StateManager(overrides={save: probe.wrap(save.function)}) as state:
            go = state.action(save)
            run = go("text")
            probe.on_reach = go.cancel
            await run.wait()
            await quiescent(state)
            clean(state, run)

    assert await sweep(scenario) >= 3
