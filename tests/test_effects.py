"""Effects under attack: what they do to themselves, to each other, and to what they read."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, Probe, assert_quiet, explore, quiescent, sweep
from tests.kit.threads import in_thread

A = fa.Key("a", 0)
B = fa.Key("b", 0)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


@pytest.fixture
def state() -> fa.StateManager:
    return fa.StateManager()


@fa.selector
def odd_only(get: fa.Get) -> int:
    if get(A) % 2 == 0:
        raise ValueError(f"{get(A)} is even")
    return get(A)


# ------------------------------------------------------------------ writing


def test_an_effect_is_never_run_inside_itself(state: fa.StateManager) -> None:
    diary: list[str] = []

    @state.effect
    def count(get: fa.Get) -> None:
        now = get(A)
        diary.append(f"+{now}")
        if now < 3:
            state.set(A, now + 1)
            assert state.get(A) == now + 1, "it reads its own write"
        diary.append(f"-{now}")

    assert diary == ["+0", "-0", "+1", "-1", "+2", "-2", "+3", "-3"]
    diary.clear()
    state.set(A, 2)
    assert diary == ["+2", "-2", "+3", "-3"]


def test_a_listener_is_not_called_inside_itself_either(state: fa.StateManager) -> None:
    diary: list[str] = []

    def count(now: int) -> None:
        diary.append(f"+{now}")
        if now < 2:
            state.set(A, now + 1)
        diary.append(f"-{now}")

    state.listen(A, count)
    assert diary == ["+0", "-0", "+1", "-1", "+2", "-2"]


def test_an_effect_that_never_comes_to_rest_is_named_with_what_it_reads(state: fa.StateManager) -> None:
    failures = Failures.of(state)
    state.set(B, 7)

    @state.effect
    def grow(get: fa.Get) -> None:
        if get(B):
            state.set(A, get(A) + 1)

    (failure,) = failures.take()
    assert isinstance(failure.error, fa.LoopError)
    assert "Key('a'), Key('b'), effect grow" in str(failure.error)
    with pytest.raises(fa.LoopError, match=r"Key\('a'\).*effect grow"):
        state.set(A, 0)
    state.set(B, 0)
    state.set(A, 5)
    assert state.get(A) == 5, "the store is as usable as before"
    grow.close()
    failures.assert_none()


# ------------------------------------------------------------------ closing


def test_an_effect_that_closes_itself_lets_go_of_all_it_has_ever_read(state: fa.StateManager) -> None:
    runs: list[int] = []
    me: list[fa.Subscription] = []
    cleaned: list[str] = []

    def once_more(get: fa.Get) -> None:
        runs.append(get(A))
        get.on_cleanup(lambda: cleaned.append("before"))
        if me:
            me[0].close()
            get(B)
            get.on_cleanup(lambda: cleaned.append("after"))

    me.append(state.effect(once_more))
    state.effect(lambda get: (get(A), get(B))).close()
    state.set(A, 1)
    state.set(A, 2)
    state.set(B, 3)
    assert runs == [0, 1]
    assert cleaned == ["before", "before", "after"], "what is left to be cleaned up after the end is so at once"
    assert state.statistics().observed == 0


def test_an_effect_that_its_own_cleanup_closes_is_not_run_once_more(state: fa.StateManager) -> None:
    runs: list[int] = []

    @state.effect
    def run(get: fa.Get) -> None:
        runs.append(get(A))
        get.on_cleanup(lambda: run.close())

    state.set(A, 1)
    state.set(A, 2)
    assert runs == [0]
    assert state.statistics().observed == 0


def test_who_is_closed_in_the_turn_is_not_run_in_it(state: fa.StateManager) -> None:
    runs: list[str] = []
    subscriptions: dict[str, fa.Subscription] = {}

    def make(name: str, other: str) -> fa.Subscription:
        def run(get: fa.Get) -> None:
            if get(A):
                runs.append(name)
                subscriptions[other].close()

        return state.effect(run)

    subscriptions["x"], subscriptions["y"] = make("x", "y"), make("y", "x")
    state.set(A, 1)
    assert len(runs) == 1


def test_effects_that_make_effects(state: fa.StateManager) -> None:
    diary: list[str] = []

    @state.effect
    def outer(get: fa.Get) -> None:
        me = get(A)
        inner = state.effect(lambda get: diary.append(f"{me}: {get(B)}"))
        get.on_cleanup(inner.close)

    state.set(B, 1)
    state.set(A, 1)
    state.set(B, 2)
    assert diary == ["0: 0", "0: 1", "1: 1", "1: 2"]
    with state.batch():
        state.set(B, 3)
        state.set(A, 2)
    assert diary[-1] == "2: 3"
    assert [line for line in diary if line.startswith("1: 3")] in ([], ["1: 3"])
    outer.close()
    assert state.statistics().observed == 0


def test_what_a_cleanup_leaves_to_be_cleaned_up_is_so_the_next_time(state: fa.StateManager) -> None:
    log: list[str] = []

    @state.effect
    def look(get: fa.Get) -> None:
        now = get(A)

        def clean_up() -> None:
            log.append(f"-{now}")
            get.on_cleanup(lambda: log.append(f"late -{now}"))

        get.on_cleanup(clean_up)

    state.set(A, 1)
    assert log == ["-0"]
    state.set(A, 2)
    assert sorted(log) == ["-0", "-1", "late -0"]


def test_a_cleanup_that_raises_stops_neither_the_others_nor_the_run(state: fa.StateManager) -> None:
    failures = Failures.of(state)
    diary: list[str] = []

    def bad() -> None:
        raise asyncio.CancelledError

    def worse() -> None:
        raise ValueError("worse")

    @state.effect
    def run(get: fa.Get) -> None:
        diary.append(f"run {get(A)}")
        for call in (lambda: diary.append("cleaned"), bad, worse):
            get.on_cleanup(call)

    state.set(A, 1)
    assert diary == ["run 0", "cleaned", "run 1"]
    assert [(type(each.error), each.actor) for each in failures.take()] == [
        (ValueError, "effect"),
        (RuntimeError, "effect"),
    ]
    run.close()
    failures.clear()


def test_a_closed_effect_is_collected_and_an_open_one_is_not(state: fa.StateManager) -> None:
    class Thing:
        seen = 0

        def look(self, get: fa.Get) -> None:
            self.seen = get(A)

    thing = Thing()
    subscription = state.effect(thing.look)
    ref = weakref.ref(thing)
    del thing
    gc.collect()
    state.set(A, 1)
    found = ref()
    assert found is not None
    assert found.seen == 1
    del found
    subscription.close()
    del subscription
    gc.collect()
    assert ref() is None


# ------------------------------------------------------------------ failing


def test_a_selector_that_fails_is_told_once_however_many_read_it(state: fa.StateManager) -> None:
    failures = Failures.of(state)
    seen: list[int] = []
    state.set(A, 1)
    state.listen(odd_only, seen.append)
    for _ in range(2):
        state.effect(lambda get: seen.append(get(odd_only)))
    assert seen == [1, 1, 1]
    state.set(A, 2)
    assert [str(each.error) for each in failures.take()] == ["2 is even"]
    state.set(B, 1)
    state.set(A, 4)
    assert [str(each.error) for each in failures.take()] == ["4 is even"]
    state.set(A, 5)
    assert seen[3:] == [5, 5, 5]
    failures.assert_none()


def test_an_effect_that_minds_a_failing_selector_has_heard_of_it(state: fa.StateManager) -> None:
    failures = Failures.of(state)
    seen: list[object] = []

    @state.effect
    def calm(get: fa.Get) -> None:
        try:
            seen.append(get(odd_only))
        except ValueError as error:
            seen.append(str(error))

    state.set(A, 1)
    state.set(A, 2)
    assert seen == ["0 is even", 1, "2 is even"]
    failures.assert_none()


def test_mistakes_are_refused(state: fa.StateManager) -> None:
    with pytest.raises(TypeError, match="takes get"):
        state.effect(lambda: None)  # type: ignore[arg-type, misc]  # pyright: ignore[reportArgumentType]  # the mistake
    with pytest.raises(fa.PurityError):
        state.get(fa.selector(lambda get: state.effect(lambda get: None)))
    assert state.statistics().observed == 0


def test_what_an_effect_reads_no_more_is_not_computed(state: fa.StateManager) -> None:
    computed: list[int] = []

    @fa.selector
    def costly(get: fa.Get) -> int:
        computed.append(get(B))
        return get(B)

    runs: list[int] = []
    state.effect(lambda get: runs.append(get(A) and get(costly)))
    state.set(A, 1)
    with state.batch():
        state.set(A, 0)
        state.set(B, 1)
    assert (runs, computed) == ([0, 0, 0], [0])
    assert state.statistics().observed == 1


def test_peeking_is_no_dependency(state: fa.StateManager) -> None:
    runs: list[tuple[int, int]] = []
    state.effect(lambda get: runs.append((get(A), get.peek(B))))
    state.set(B, 1)
    state.set(A, 1)
    assert runs == [(0, 0), (1, 1)]


# ------------------------------------------------------------------ async


async def test_one_that_is_made_on_another_thread_runs_at_home(fa_store: fa.StateManager) -> None:
    where: list[object] = []
    made: list[fa.Subscription] = []

    async def look(get: fa.Get) -> None:
        where.append((get(A), anyio.current_time() >= 0))

    await anyio.to_thread.run_sync(lambda: made.append(fa_store.effect(look)))
    await quiescent(fa_store)
    await anyio.to_thread.run_sync(lambda: fa_store.set(A, 1).wait(5))
    await quiescent(fa_store)
    await anyio.to_thread.run_sync(made[0].close)
    fa_store.set(A, 2)
    await quiescent(fa_store)
    assert where == [(0, True), (1, True)]


async def test_what_it_reads_of_a_store_without_a_loop_lives_on_its_own_from_then_on(fa_store: fa.StateManager) -> None:
    others: list[fa.StateManager] = []
    in_thread(lambda: others.append(fa.StateManager()))
    other = others[0].atom(A)
    threads: list[threading.Thread] = []

    @fa_store.effect
    def look(get: fa.Get) -> None:
        get(other)
        threads.append(threading.current_thread())

    await anyio.to_thread.run_sync(lambda: other.set(1).wait(5))
    assert threads == [threading.current_thread()] * 2


@pytest.mark.parametrize("end", ["closes", "raises", "returns"])
async def test_an_async_effect_lets_go_of_what_it_reads_no_more(
    end: str, fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    observed: list[int] = []

    @fa_store.effect
    async def look(get: fa.Get) -> None:
        if not get(A):
            get(B)
        await anyio.sleep(1)
        if get(A) and end == "raises":
            raise ValueError

    await quiescent(fa_store)
    observed.append(fa_store.statistics().observed)
    fa_store.set(A, 1)
    await anyio.sleep(0.5)
    observed.append(fa_store.statistics().observed)
    if end == "closes":
        look.close()
    await quiescent(fa_store)
    observed.append(fa_store.statistics().observed)
    assert observed == [2, 2, 0 if end == "closes" else 1]
    assert len(fa_failures.take()) == (end == "raises")


def test_an_effect_that_raises_lets_go_of_what_it_has_read_no_more(state: fa.StateManager) -> None:
    failures = Failures.of(state)

    @state.effect
    def look(get: fa.Get) -> None:
        if get(A):
            raise ValueError
        get(B)

    assert state.statistics().observed == 2
    state.set(A, 1)
    assert state.statistics().observed == 1
    assert len(failures) == 1


async def test_whatever_may_be_called_and_awaited_is_an_effect(fa_store: fa.StateManager) -> None:
    seen: list[str] = []

    async def look(name: str, get: fa.Get) -> None:
        await anyio.sleep(1)
        seen.append(f"{name} {get(A)}")

    class Look:
        async def __call__(self, get: fa.Get) -> None:
            await look("object", get)

    @fa_store.effect
    def sometimes(get: fa.Get) -> Any:
        return look("sometimes", get) if get(A) != 1 else None

    fa_store.effect(functools.partial(look, "partial"))
    fa_store.effect(Look())
    await quiescent(fa_store)
    fa_store.set(A, 1)
    await quiescent(fa_store)
    fa_store.set(A, 2)
    await anyio.sleep(0.5)
    fa_store.set(A, 1)
    await quiescent(fa_store)
    assert sorted(seen) == [
        *("object 0", "object 1", "object 1"),
        *("partial 0", "partial 1", "partial 1"),
        *("sometimes 0", "sometimes 1"),
    ]


async def test_an_async_effect_that_writes_what_it_has_read_runs_once_more(fa_store: fa.StateManager) -> None:
    runs: list[int] = []

    @fa_store.effect
    async def settle(get: fa.Get) -> None:
        now = get(A)
        runs.append(now)
        await anyio.sleep(1)
        if now < 3:
            await fa_store.set(A, now + 1)

    await quiescent(fa_store)
    assert runs == [0, 1, 2, 3]
    assert "effect settle" not in str(fa_store.supervision())
    fa_store.set(A, 9)
    await anyio.lowlevel.checkpoint()
    assert "effect settle: running" in str(fa_store.supervision())
    settle.close()
    await quiescent(fa_store)


async def test_resolving_inside_an_effect_follows_what_was_resolved(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    @fa.selector
    async def double(get: fa.Get) -> int:
        value = get(A)
        await anyio.sleep(1)
        if value == 13:
            raise ValueError("unlucky")
        return value * 2

    seen: list[object] = []
    fa_store.set(A, 13)

    @fa_store.effect
    async def follow(get: fa.Get) -> None:
        try:
            seen.append(await get.resolve(double))
        except ValueError as error:
            seen.append(str(error))

    await quiescent(fa_store)
    fa_failures.assert_none()
    for value in (1, 13, 4):
        fa_store.set(A, value)
        await quiescent(fa_store)
    assert seen == ["unlucky", 2, "unlucky", 8], "who awaits a value learns that there is none, as often as that is so"
    assert [str(each.error) for each in fa_failures.take()] == ["unlucky"]
    follow.close()
    assert fa_store.statistics().observed == 0
    await quiescent(fa_store)
    assert_quiet(fa_store)


@pytest.mark.parametrize("has_initial", [False, True])
async def test_what_an_effect_has_waited_for_and_fails_is_told_once(
    has_initial: bool, fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    async def compute(get: fa.Get) -> int:
        value = get(A)
        await anyio.sleep(1)
        if value % 2:
            raise ValueError(value)
        return value * 2

    double = fa.selector(initial=0)(compute) if has_initial else fa.selector(compute)

    @fa.selector
    async def other(get: fa.Get) -> int:
        return get(B)

    async def follow(get: fa.Get) -> None:
        await get.resolve(other)
        await get.resolve(double)

    fa_store.set(A, 1)
    for _ in range(2):
        fa_store.effect(lambda get: follow(get))
    await quiescent(fa_store)
    assert [str(each.error) for each in fa_failures.take()] == ["1"]
    for value in 3, 4, 5, 7:
        fa_store.set(A, value)
        await quiescent(fa_store)
    assert [str(each.error) for each in fa_failures.take()] == ["3", "5", "7"]


async def test_who_has_waited_before_and_does_not_now_is_not_run_again_for_a_failure(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    @fa.selector
    async def double(get: fa.Get) -> int:
        if get(A) == 13:
            raise ValueError("unlucky")
        return get(A) * 2

    seen: list[object] = []

    @fa_store.effect
    async def follow(get: fa.Get) -> None:
        seen.append(await get.resolve(double) if get(B) == 0 else get(double))

    await quiescent(fa_store)
    for key, value in ((B, 1), (A, 13), (A, 4)):
        fa_store.set(key, value)
        await quiescent(fa_store)
    assert seen == [0, 0, 8]
    assert [str(each.error) for each in fa_failures.take()] == ["unlucky"]


async def test_errors_of_an_async_effect_are_told_and_it_lives_on(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    seen: list[int] = []

    @fa_store.effect
    async def picky(get: fa.Get) -> None:
        await anyio.sleep(1)
        if get(A) == 1:
            raise ValueError("not 1")
        seen.append(get(A))

    await quiescent(fa_store)
    fa_store.set(A, 1)
    await quiescent(fa_store)
    fa_store.set(A, 2)
    await quiescent(fa_store)
    assert seen == [0, 2]
    assert [(str(each.error), each.key) for each in fa_failures.take()] == [("not 1", "effect picky")]


async def test_an_async_effect_may_fail_in_its_first_run(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    @fa_store.effect
    async def picky(get: fa.Get) -> None:
        if get(A) == 0:
            raise ValueError("not 0")

    await quiescent(fa_store)
    assert [(str(each.error), each.key) for each in fa_failures.take()] == [("not 0", "effect picky")]


async def test_an_effect_that_reads_what_has_failed_for_one_who_waits_does_not_tell_of_it(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    @fa.selector
    async def bad(get: fa.Get) -> int:
        await anyio.sleep(1)
        raise ValueError("unlucky")

    runs: list[int] = []

    @fa_store.effect
    def follow(get: fa.Get) -> None:
        runs.append(len(runs))
        get(bad)

    with pytest.raises(ValueError, match="unlucky"):
        await fa_store.resolve(bad)
    assert len(runs) == 2
    fa_failures.assert_none()


async def test_an_effect_lets_go_of_a_failure_that_it_has_waited_for(fa_store: fa.StateManager) -> None:
    class Refused(Exception):
        """An error that can be followed."""

    errors: list[weakref.ref[BaseException]] = []

    @fa.selector
    async def positive(get: fa.Get) -> int:
        if get(A) == 0:
            raise Refused
        return get(A)

    @fa_store.effect
    async def follow(get: fa.Get) -> None:
        try:
            await get.resolve(positive)
        except Refused as error:
            errors.append(weakref.ref(error))

    await quiescent(fa_store)
    fa_store.set(A, 1)
    await quiescent(fa_store)
    gc.collect()
    assert [each() for each in errors] == [None]


async def test_an_async_effect_that_its_own_cleanup_closes_is_not_begun_once_more(fa_store: fa.StateManager) -> None:
    runs: list[int] = []

    @fa_store.effect
    async def run(get: fa.Get) -> None:
        runs.append(get(A))
        get.on_cleanup(lambda: run.close())

    await quiescent(fa_store)
    fa_store.set(A, 1)
    await quiescent(fa_store)
    assert runs == [0]
    assert_quiet(fa_store)


@pytest.mark.parametrize("how", ["close", "store", "change"])
async def test_wherever_an_effect_is_struck_it_is_cleaned_up_once_per_run(how: str) -> None:
    async def scenario(probe: Probe) -> None:
        begun, cleaned, last = 0, 0, -1

        async def work(get: fa.Get) -> None:
            nonlocal begun, cleaned, last
            begun += 1

            def clean() -> None:
                nonlocal cleaned
                cleaned += 1

            get.on_cleanup(clean)
            value = get(A)
            await anyio.sleep(1)
            value += get(B)
            await anyio.sleep(1)
            last = value

        state = fa.StateManager()
        failures = Failures.of(state)
        effect = state.effect(probe.wrap(work))
        async with anyio.create_task_group() as tasks:
            probe.on_reach = {
                "close": effect.close,
                "store": lambda: tasks.start_soon(state.aclose),
                "change": lambda: state.set(A, 5),
            }[how]
            await anyio.sleep(10)
        if how != "change":
            assert begun == cleaned + (not probe.is_reached)
        else:
            assert last == state.get(A), "the last word is about what is current"
            assert begun == cleaned + 1 == 1 + probe.is_reached
        assert_quiet(state)
        await state.aclose()
        assert begun == cleaned
        assert state.statistics().observed == 0
        failures.assert_none()

    assert await sweep(scenario) == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_in_every_order_the_last_run_saw_what_is_there(backend: Any) -> None:
    async def scenario(chance: Any) -> None:
        async with fa.StateManager() as state:
            seen: dict[int, tuple[int, int]] = {}
            under_way: set[int] = set()

            def make(number: int) -> Callable[[fa.Get], Any]:
                async def run(get: fa.Get) -> None:
                    assert number not in under_way, "one run at a time"
                    under_way.add(number)
                    try:
                        first = get(A)
                        await anyio.sleep(chance.choice([0, 0.1, 1]))
                        seen[number] = (first, get(B))
                        await anyio.lowlevel.checkpoint()
                    finally:
                        under_way.discard(number)

                return run

            effects = [state.effect(make(number)) for number in range(4)]

            async def write(key: fa.Key[int]) -> None:
                for _ in range(5):
                    await anyio.sleep(chance.choice([0, 0.1, 0.7]))
                    await state.update(key, lambda n: n + 1)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(write, A)
                tasks.start_soon(write, B)
                await anyio.sleep(chance.choice([0, 0.5]))
                effects[0].close()
            await quiescent(state)
            assert [seen[number] for number in (1, 2, 3)] == [(5, 5)] * 3
            assert not under_way

    explore(scenario, range(150 if backend == "asyncio" else 50), backend=backend)


def test_an_effect_of_a_store_without_a_loop_may_be_closed_by_any_thread(state: fa.StateManager) -> None:
    seen: list[int] = []
    effect = state.effect(lambda get: seen.append(get(A)))
    in_thread(lambda: state.set(A, 1))
    in_thread(effect.close)
    state.set(A, 2)
    assert seen == [0, 1]


# ------------------------------------------------------------------ what fails for several


def test_the_failure_of_a_selector_that_several_effects_read_is_told_once() -> None:
    state = fa.StateManager()
    failures = Failures()
    state.on_error = failures.append
    bad = fa.selector(lambda get: 1 // get(A))
    state.effect(lambda get: get(bad))
    state.effect(lambda get: get(bad))
    assert [str(failure.key) for failure in failures.take()] == ["effect <lambda>"]
    state.set(A, 1)
    state.set(A, 0)
    assert len(failures.take()) == 1, "a new failure, once for both"
