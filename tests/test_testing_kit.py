"""The test kit around a store: at rest or not, what a key showed, what failed; and the fixtures that pytest finds."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors import testing
from flet_asp_actors.testing import (
    Failures,
    HeadlessApp,
    Recording,
    assert_quiet,
    quiescent,
    record,
    virtual_backend,
    virtual_backends,
)

pytest_plugins = ("pytester",)

COUNT = fa.Key("count", 0)
LINES = fa.Key[list[str]]("lines", factory=list)


@fa.selector
def double(get: fa.Get) -> int:
    return get(COUNT) * 2


@pytest.fixture(params=virtual_backends())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


# ------------------------------------------------------------------ the face


def test_the_face_is_exact_and_documented() -> None:
    for name in testing.__all__:
        thing = getattr(testing, name)
        if callable(thing):
            assert inspect.getdoc(thing), name
        for member, value in inspect.getmembers(thing) if inspect.isclass(thing) else ():
            if member in vars(thing) and not member.startswith("_") and inspect.isfunction(value):
                assert inspect.getdoc(value), f"{name}.{member}"
    assert dir(testing) == sorted(testing.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = testing.nonsense  # pyright: ignore[reportAttributeAccessIssue]  # the mistake under test


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("import flet_asp_actors.testing", "flet pytest trio"),
        ("from flet_asp_actors.testing import *", "pytest trio"),
        ("import flet_asp_actors.testing.plugin", "flet trio"),
        (
            "from flet_asp_actors.testing import explore, sweep_action, quiescent, record, VirtualLoop",
            "flet pytest trio",
        ),
        ("from flet_asp_actors.testing import virtual_backend; virtual_backend()", "flet pytest trio"),
    ],
)
def test_importing_is_light(code: str, missing: str) -> None:
    code = f"import sys; {code}; sys.exit(' '.join(name for name in {missing.split()} if name in sys.modules) or None)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


# ------------------------------------------------------------------ at rest


async def test_one_await_and_the_store_is_at_rest() -> None:
    told: list[int] = []

    @fa.action
    async def first(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep(10)
        await set.update(COUNT, later)

    async def later(n: int) -> int:
        await anyio.sleep(10)
        return n + 1

    async def listener(value: int) -> None:
        await anyio.sleep(10)
        told.append(value)

    async with fa.StateManager() as state:
        state.listen(double, listener, immediate=False)
        state.action(first)()
        with pytest.raises(AssertionError, match=r"1 task\(s\) under way: action first; 1 action\(s\) that say so"):
            assert_quiet(state)
        await quiescent(state)
        assert_quiet(state)
        assert (state.get(COUNT), told) == (1, [2])
        assert anyio.current_time() % 100 == pytest.approx(30)


async def test_messages_are_counted() -> None:
    async def forever(n: int) -> int:
        await anyio.sleep_forever()
        return n

    async with fa.StateManager() as state:
        state.update(COUNT, forever)
        state.set(COUNT, 5)
        with pytest.raises(AssertionError, match=r"1 message\(s\) in mailboxes"):
            assert_quiet(state)
        with pytest.raises(AssertionError, match=r"not at rest after 60.0 s: 1 task\(s\).*1 message\(s\)"):
            await quiescent(state)


async def test_writes_of_threads_are_waited_for() -> None:
    async with fa.StateManager() as state:
        written = threading.Event()

        def work() -> None:
            state.set(COUNT, 7)
            written.set()

        thread = threading.Thread(target=work)
        thread.start()
        written.wait()  # the loop stands still, so the write cannot have arrived
        assert state.get(COUNT) == 0
        await quiescent(state)
        assert state.get(COUNT) == 7
        thread.join()


async def test_not_inside_a_run() -> None:
    async with fa.StateManager() as state:

        @state.action
        async def waits(get: fa.Get, set: fa.Set) -> None:
            await quiescent(state)

        with pytest.raises(fa.DeadlockError):
            await waits()


def test_a_store_without_a_loop_is_at_rest() -> None:
    state = fa.StateManager()
    state.set(COUNT, 1)
    assert_quiet(state)
    with pytest.raises(AssertionError):
        assert_quiet(state, services=-1)  # fewer than there are


# ------------------------------------------------------------------ recordings


def test_a_recording_has_what_each_turn_showed() -> None:
    state = fa.StateManager()
    seen, both = record(state, double), record(state, COUNT, initial=True)
    assert seen == []
    with state.batch():
        state.set(COUNT, 1)
        state.set(COUNT, 2)
    state.set(COUNT, 2)
    state.set(COUNT, 3)
    assert seen == [4, 6]
    assert both == [0, 2, 3]
    assert (len(seen), seen[0], seen[-1], seen[:1], list(seen), seen.values) == (2, 4, 6, [4], [4, 6], [4, 6])
    assert 4 in seen
    assert repr(seen).endswith("[4, 6]>")
    seen.clear()
    with both:
        state.set(COUNT, 4)
    state.set(COUNT, 5)
    both.close()
    assert seen == [8, 10]
    assert both == [0, 2, 3, 4]
    other = record(state, double, initial=True)
    assert other != seen
    other.values[:] = seen
    assert other == seen


def test_a_recording_of_what_is_edited_in_place() -> None:
    state = fa.StateManager()
    same, copies = record(state, LINES), record(state, LINES, copy=list)
    for line in "ab":
        state.mutate(LINES, lambda lines, line=line: lines.append(line))  # type: ignore[misc]  # a default, not a parameter
    assert same == [["a", "b"], ["a", "b"]]
    assert copies == [["a"], ["a", "b"]]


async def test_the_states_of_an_action() -> None:
    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep(1)
        set.progress(0.5)
        await anyio.sleep(1)

    async with fa.StateManager() as state:
        seen = record(state, work.status, initial=True)
        run = state.action(work)()
        await seen.until(lambda status: status.progress == 0.5)
        run.cancel()
        status = await seen.until(lambda status: not status.is_busy and status.state != "idle")
        assert status.state == "cancelled"
        assert seen.states == ["idle", "running", "running", "cancelled"]


async def test_until_takes_what_was_there_or_waits_or_gives_up() -> None:
    async with fa.StateManager() as state:
        seen = record(state, COUNT)
        state.set(COUNT, 1)
        state.set(COUNT, 2)
        assert await seen.until(lambda n: n == 1) == 1
        seen.clear()
        found: list[int] = []

        async def wait(seen: Recording[int], n: int) -> None:
            found.append(await seen.until(lambda value: value >= n))

        async with anyio.create_task_group() as tasks:
            for n in (3, 4):
                tasks.start_soon(wait, seen, n)
            await anyio.sleep(1)
            state.set(COUNT, 3)
            state.set(COUNT, 4)
        assert sorted(found) == [3, 4]
        begin = anyio.current_time()
        with pytest.raises(TimeoutError, match=r"Key\('count'\) showed nothing that fits within 5.0 s, only \[3, 4\]"):
            await seen.until(lambda n: n > 4)
        assert anyio.current_time() - begin == pytest.approx(5)


# ------------------------------------------------------------------ failures


async def test_failures_are_taken_or_tell() -> None:
    state, other = fa.StateManager(), fa.StateManager()
    failures = Failures.of(state, other)
    failures.assert_none()

    def listener(value: int) -> None:
        raise ValueError(f"no {value}")

    for each in (state, other):
        each.listen(COUNT, listener, immediate=False)
        each.set(COUNT, 1)
    with pytest.raises(
        AssertionError, match=r"2 error\(s\) reached on_error:\n  listener .*: ValueError: no 1"
    ) as caught:
        failures.assert_none()
    assert isinstance(caught.value.__cause__, ValueError)
    assert [str(failure.error) for failure in failures.take()] == ["no 1", "no 1"]
    failures.assert_none()


# ------------------------------------------------------------------ pytest's fixtures


async def test_a_store_and_what_fails_in_it(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    def listener(value: int) -> None:
        raise ValueError(f"no {value}")

    fa_store.listen(COUNT, listener, immediate=False)
    fa_store.set(COUNT, 1)
    (failure,) = fa_failures.take()
    assert str(failure.error) == "no 1"
    assert_quiet(fa_store)


def test_a_store_may_serve_a_plain_function(fa_store: fa.StateManager) -> None:
    assert fa_store.get(COUNT) == 0


class TestVirtualTime:
    @pytest.fixture
    def anyio_backend(self, fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
        return fa_virtual_backend

    @pytest.fixture
    def fa_overrides(self) -> dict[Any, Any]:
        return {COUNT: 5}

    async def test_it_is_that_of_the_fixture(self, fa_store: fa.StateManager) -> None:
        await anyio.sleep(3600)
        assert fa_store.get(double) == 10


@pytest.mark.parametrize("anyio_backend", [virtual_backend()], ids=["asyncio"])
async def test_an_app_without_a_screen(fa_app: Callable[..., Awaitable[HeadlessApp]]) -> None:
    def main(page: ft.Page) -> None:
        async def later() -> None:
            await anyio.sleep(20)  # longer than a person waits for a screen, and no time at all
            fa.get_state_manager(page).set(COUNT, 1)

        page.add(fa.get_state_manager(page).bound(ft.Text(), value=COUNT), ft.Button("Later", on_click=later))

    app = await fa_app(main, route="/here")
    await app.click("Later")
    assert app.texts() == ["1"]
    assert app.page.route == "/here"


VIRTUAL = """
import pytest
@pytest.fixture
def anyio_backend(fa_virtual_backend):
    return fa_virtual_backend
"""


def outcomes(pytester: pytest.Pytester, *options: str) -> tuple[dict[str, int], str]:
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)
    return result.parseoutcomes(), result.stdout.str()


def test_the_fixtures_of_an_installed_package(pytester: pytest.Pytester) -> None:
    backends = len(virtual_backends())
    pytester.makeconftest(VIRTUAL)
    pytester.makepyfile(
        test_store="""
import anyio, pytest
import flet_asp_actors as fa
from flet_asp_actors.testing import quiescent

N = fa.Key("n", 0)
opened = []

@fa.action
async def slow(get, set):
    await anyio.sleep(3600)
    set(N, get(N) + 1)

@pytest.fixture
def fa_overrides():
    return {N: 5}

@pytest.mark.anyio
async def test_an_hour(fa_store):
    opened.append(fa_store)
    assert await fa_store.action(slow)() is None
    assert fa_store.get(N) == 6

def test_sync(fa_store):
    opened.append(fa_store)
    fa_store.set(N, fa_store.get(N) + 1)
    assert fa_store.get(N) == 6

@pytest.mark.anyio
async def test_left_running(fa_store):
    fa_store.action(slow)()

def failing(value):
    raise ValueError("no such thing")

@pytest.mark.anyio
async def test_looked_at(fa_store, fa_failures):
    fa_store.listen(N, failing, immediate=False)
    fa_store.set(N, 1)
    failure, = fa_failures.take()
    assert isinstance(failure.error, ValueError)

@pytest.mark.anyio
async def test_not_looked_at(fa_store):
    fa_store.listen(N, failing, immediate=False)
    fa_store.set(N, 1)

def test_every_store_is_closed():
    for store in opened:
        with pytest.raises(fa.ClosedError):
            store.set(N, 1)
"""
    )
    found, said = outcomes(pytester)
    # What was not looked at passes, and then fails when its store is closed.
    assert found == {"passed": 5 * backends + 1, "errors": backends}, said
    assert "1 error(s) reached on_error" in said
    assert "no such thing" in said


def test_apps_without_a_screen(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import flet as ft, pytest, asyncio
import flet_asp_actors as fa
from flet_asp_actors.testing import virtual_backend

N = fa.Key("n", 0)
apps = []

@pytest.fixture
def anyio_backend():
    return virtual_backend()

def main(page):
    state = fa.get_state_manager(page)

    async def later():
        await asyncio.sleep(20)
        state.update(N, lambda n: n + 1)

    page.add(state.bound(ft.Text(), value=N), ft.Button("Later", on_click=later), ft.Text(page.route))

@pytest.mark.anyio
async def test_two_people(fa_app):
    ann, bob = await fa_app(main), await fa_app(main, route="/bob")
    apps.extend([ann, bob])
    await ann.click("Later")
    assert ann.texts() == ["1", "/"]
    assert bob.texts() == ["0", "/bob"]

def test_they_have_ended():
    assert len(apps) == 2
    for app in apps:
        assert app.page.session.connection is None or app._is_closed

@pytest.mark.anyio
async def test_a_crash(fa_app):
    def main(page):
        raise ValueError("no page today")
    await fa_app(main)
"""
    )
    found, said = outcomes(pytester)
    assert found == {"passed": 3, "errors": 1}, said
    assert "no page today" in said


def test_nothing_of_the_user_is_shadowed_and_it_can_be_switched_off(pytester: pytest.Pytester) -> None:
    _, said = outcomes(pytester, "--fixtures", "-q")
    ours = [line.split()[0] for line in said.splitlines() if "flet_asp_actors" in line and " -- " in line]
    assert ours, said
    assert all(name.startswith("fa_") for name in ours), ours
    _, said = outcomes(pytester, "--fixtures", "-q", "-p", "no:flet_asp_actors")
    assert "fa_store" not in said
