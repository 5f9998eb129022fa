"""Waiting for async selectors: shared, along chains and diamonds, never for oneself; refreshing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, Probe, assert_quiet, explore, quiescent, record, sweep

QUERY = fa.Key("query", "a")
COUNT = fa.Key("count", 1)
ON = fa.Key("on", True)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


class Offline(Exception):
    """The server cannot be reached."""


@fa.selector
async def answer(get: fa.Get) -> str:
    query = get(QUERY)
    await anyio.sleep(1)
    if query == "a":
        raise Offline
    return query


@fa.selector
def inverse(get: fa.Get) -> float:
    """Fails where there is none."""
    return 1 / get(COUNT)


async def elapsed(of: Callable[[], Any]) -> tuple[Any, float]:
    """What an await brings, and how long it took."""
    begun = anyio.current_time()
    return await of(), anyio.current_time() - begun


# ------------------------------------------------------------------ chains


@pytest.mark.parametrize("kind", ["atom", "sync", "async"])
async def test_resolving_in_a_cancelled_scope_is_cancelled_whatever_is_there(
    kind: str, fa_store: fa.StateManager
) -> None:
    @fa.selector
    async def later(get: fa.Get) -> int:
        return get(COUNT)

    keys: dict[str, fa.Readable[Any]] = {"atom": COUNT, "sync": fa.selector(lambda get: get(COUNT)), "async": later}
    with record(fa_store, keys[kind]):
        assert await fa_store.resolve(keys[kind]) == 1
        with anyio.CancelScope() as scope:
            scope.cancel()
            await fa_store.resolve(keys[kind])
        assert scope.cancelled_caught


async def test_resolving_an_atom_gives_others_a_turn(fa_store: fa.StateManager) -> None:
    gone_on: list[int] = []

    async def go_on() -> None:
        gone_on.append(1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go_on)
        for _ in range(10):
            await fa_store.resolve(COUNT)
        assert gone_on == [1]


@pytest.mark.parametrize("observed", [False, True])
async def test_resolving_waits_for_all_that_a_value_is_made_of(fa_store: fa.StateManager, observed: bool) -> None:
    @fa.selector
    async def user(get: fa.Get) -> str:
        name = get(QUERY)
        await anyio.sleep(1)
        return name

    @fa.selector
    def greeting(get: fa.Get) -> str:
        return f"hello {get(user)}"

    @fa.selector
    async def page(get: fa.Get) -> str:
        text = get(greeting)
        await anyio.sleep(1)
        return f"<{text}>"

    @fa.selector
    def shout(get: fa.Get) -> str:
        return f"{get(page)}!"

    if observed:
        record(fa_store, shout)
        await fa_store.settled()
    for query in "bc":
        fa_store.set(QUERY, query)
        assert await elapsed(lambda: fa_store.resolve(shout)) == (f"<hello {query}>!", pytest.approx(2))
    assert await fa_store.resolve(greeting) == "hello c"
    assert await fa_store.resolve(QUERY) == "c"
    if not observed:
        await quiescent(fa_store)
        assert fa_store.statistics().observed == 0
        assert_quiet(fa_store)


async def test_a_chain_by_resolve_computes_each_once_and_waits_in_order(fa_store: fa.StateManager) -> None:
    runs: list[str] = []

    @fa.selector
    async def user(get: fa.Get) -> str:
        runs.append("user")
        await anyio.sleep(1)
        return get(QUERY)

    @fa.selector
    async def posts(get: fa.Get) -> str:
        runs.append("posts")
        name = await get.resolve(user)
        await anyio.sleep(1)
        return f"posts of {name}"

    with record(fa_store, posts) as shown:
        await fa_store.settled()
        fa_store.set(QUERY, "b")
        assert await fa_store.resolve(posts) == "posts of b"
    assert shown.values == ["posts of a", "posts of b"]
    assert runs == ["posts", "user", "user", "posts"]


async def test_who_is_superseded_while_it_waits_interrupts_nobody(fa_store: fa.StateManager) -> None:
    runs: list[str] = []

    @fa.selector
    async def user(get: fa.Get) -> str:
        runs.append("user")
        await anyio.sleep(2)
        return "ann"

    @fa.selector
    async def page(get: fa.Get) -> str:
        query = get(QUERY)
        return f"{query} of {await get.resolve(user)}"

    with record(fa_store, page) as pages:
        await anyio.sleep(1)
        fa_store.set(QUERY, "b")
        assert await elapsed(fa_store.settled) == (None, pytest.approx(1))
        assert pages.values == ["b of ann"]
    assert runs == ["user"]


async def test_what_is_waited_for_may_change_meanwhile(fa_store: fa.StateManager) -> None:
    runs: list[int] = []

    @fa.selector
    async def user(get: fa.Get) -> str:
        query = get(QUERY)
        await anyio.sleep(2)
        return query

    @fa.selector
    async def page(get: fa.Get) -> str:
        runs.append(1)
        return await get.resolve(user)

    with record(fa_store, page) as pages:
        await anyio.sleep(1)
        fa_store.set(QUERY, "b")
        await fa_store.settled()
    assert (pages.values, len(runs)) == (["b"], 1)


async def test_a_ladder_of_diamonds_computes_each_once(fa_store: fa.StateManager) -> None:
    runs: list[str] = []

    @fa.selector
    async def late(get: fa.Get) -> int:
        await anyio.sleep(0.5)  # until everybody waits for somebody
        found: int = await get.resolve(sides[0])
        return found

    def rung(level: int, side: str, above: list[Any]) -> Any:
        @fa.selector(f"{side}{level}")
        async def step(get: fa.Get) -> int:
            runs.append(f"{side}{level}")
            found: list[int] = []

            async def one(key: Any) -> None:
                found.append(await get.resolve(key))

            async with anyio.create_task_group() as group:
                for key in above:
                    group.start_soon(one, key)
            await anyio.sleep(0 if above else 1)
            return sum(found) if above else get(COUNT)

        return step

    sides: list[Any] = []
    for level in range(40):
        sides = [rung(level, side, sides) for side in ("left", "right")]
    with record(fa_store, late):
        assert await fa_store.resolve(sides[0]) == 2**39
        assert await fa_store.resolve(late) == 2**39
    assert len(runs) == len(set(runs)) == 79
    assert_quiet(fa_store)


def test_mixed_chains_settle_on_the_latest_in_every_order() -> None:
    async def scenario() -> None:
        @fa.selector
        async def first(get: fa.Get) -> int:
            number = get(COUNT)
            await anyio.lowlevel.checkpoint()
            return number

        @fa.selector
        def second(get: fa.Get) -> int:
            return (get(first) or 0) * 10

        @fa.selector
        async def third(get: fa.Get) -> int:
            one = get(second)
            other = await get.resolve(first)
            return one + other

        @fa.selector
        async def fourth(get: fa.Get) -> int:
            return await get.resolve(third) + get(second) + (await get.resolve(second))

        async with fa.StateManager() as state:
            failures = Failures.of(state)
            with state.listen(fourth, lambda _: None):
                for count in range(1, 4):
                    state.set(COUNT, count)
                    for _ in range(count):
                        await anyio.lowlevel.checkpoint()
                assert await state.resolve(fourth) == 93
                await state.settled()
                assert state.get(fourth) == 93
            await quiescent(state)
            assert_quiet(state)
            assert state.statistics().observed == 0
            failures.assert_none()

    explore(scenario, range(60))


async def test_an_action_and_an_effect_wait_as_well(fa_store: fa.StateManager) -> None:
    runs: list[str] = []
    seen: list[str] = []

    @fa.selector
    async def user(get: fa.Get) -> str:
        runs.append(get(QUERY))
        await anyio.sleep(1)
        return runs[-1].upper()

    @fa.selector
    def greeting(get: fa.Get) -> str:
        return f"hello {get(user)}"

    @fa.action
    async def greet(get: fa.Get, set: fa.Set) -> str:
        return await get.resolve(greeting)

    @fa_store.effect
    async def show(get: fa.Get) -> None:
        seen.append(await get.resolve(user))

    assert await fa_store.action(greet)() == "hello A"
    fa_store.set(QUERY, "b")
    await fa_store.settled()
    assert (seen, runs) == (["A", "B"], ["a", "b"])
    show.close()
    await quiescent(fa_store)
    assert_quiet(fa_store)


async def test_a_timeout_ends_the_wait_and_with_it_the_work(fa_store: fa.StateManager) -> None:
    ended: list[str] = []

    @fa.selector
    async def slow(get: fa.Get) -> str:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("slow")
        return ""

    @fa.selector
    async def patient(get: fa.Get) -> str:
        with anyio.move_on_after(2):
            return await get.resolve(slow)
        return "too late"

    with pytest.raises(TimeoutError), anyio.fail_after(1):
        await fa_store.resolve(slow)
    await quiescent(fa_store)
    assert ended == ["slow"]
    assert await fa_store.resolve(patient) == "too late"
    await quiescent(fa_store)
    assert ended == ["slow", "slow"]
    assert_quiet(fa_store)


@pytest.mark.parametrize("how", ["waiter", "input", "unobserve", "clear", "close"])
async def test_a_chain_leaves_no_trace_wherever_it_is_struck(how: str) -> None:
    async def scenario(probe: Probe) -> None:
        live: list[str] = []

        def part(name: str, above: Any) -> Any:
            async def function(get: fa.Get) -> str:
                live.append(name)
                try:
                    await anyio.sleep(1)
                    result = get(QUERY) if above is None else await get.resolve(above)
                    await anyio.sleep(1)
                finally:
                    live.remove(name)
                return f"{name} {result}"

            return fa.selector(name)(probe.wrap(function))

        first = part("first", None)
        second = part("second", first)
        third = part("third", second)
        state = fa.StateManager()
        failures = Failures.of(state)
        async with state, anyio.create_task_group() as group:
            scope = anyio.CancelScope()

            async def wait() -> None:
                with scope:
                    try:
                        answers.append(await state.resolve(third))
                    except fa.ClosedError:
                        assert how == "close"

            def unobserve() -> None:
                shown.close()
                scope.cancel()

            answers: list[str] = []
            shown = record(state, third.status)
            if how != "unobserve":
                shown.close()
            group.start_soon(wait)
            strike: dict[str, Callable[[], object]] = {
                "waiter": scope.cancel,
                "input": lambda: state.set(QUERY, "b"),
                "unobserve": unobserve,
                "clear": state.clear,
                "close": lambda: group.start_soon(state.aclose),
            }
            probe.on_reach = strike[how]
            await anyio.sleep(30)
            if how == "input":
                assert answers == [f"third second first {state.get(QUERY)}"]
            if how == "clear":
                assert answers == ["third second first a"]
            assert live == []
            for key in (first, second, third):
                status = state.get(key.status)
                assert not status.is_busy, (key, status)
                assert status.state != "failed", status
            assert_quiet(state)
        failures.assert_none()

    assert await sweep(scenario) >= 6


# ------------------------------------------------------------------ never for oneself


async def test_waiting_for_oneself_is_told_with_the_path(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    keys: dict[str, Any] = {}

    def link(name: str, how: str, to: str) -> None:
        @fa.selector(name)
        async def step(get: fa.Get) -> Any:
            await anyio.lowlevel.checkpoint()
            return await get.resolve(keys[to]) if how == "resolve" else get(keys[to])

        keys[name] = step

    def through(name: str, to: str, status: bool = False) -> None:
        keys[name] = fa.selector(name)(lambda get: get(keys[to].status if status else keys[to]))

    link("itself", "resolve", "itself")
    link("its own value", "get", "itself too")
    link("itself too", "get", "itself too")
    link("ping", "resolve", "pong")
    link("pong", "resolve", "ping")
    link("one", "resolve", "two")
    link("two", "resolve", "three")
    link("three", "resolve", "one")
    through("below", "over")
    link("over", "get", "below")
    through("status below", "status over", status=True)
    link("status over", "get", "status below")
    link("tick", "get", "tock")
    link("tock", "get", "tick")
    link("mixed", "resolve", "mixed below")
    through("mixed below", "mixed")
    for name, path in {
        "itself": "selector itself",
        "itself too": "selector itself too -> selector itself too",
        "ping": "selector pong waits for the computation of selector ping",
        "one": "selector three waits for the computation of selector one",
        "over": "selector over -> selector below -> selector over",
        "status over": "selector status over -> selector status below -> status of selector status over",
        "tick": "selector tock -> selector tick",
        "mixed": "selector mixed",
    }.items():
        with pytest.raises((fa.DeadlockError, fa.CycleError)) as caught, anyio.fail_after(5):
            await fa_store.resolve(keys[name])
        assert path in str(caught.value), (name, str(caught.value))
        with anyio.fail_after(5):
            await quiescent(fa_store)
        assert fa_store.statistics().observed == 0
    fa_failures.take()


@pytest.mark.parametrize("how", ["resolve", "get"])
async def test_a_circle_that_is_observed_comes_to_rest_and_is_forgiven(
    fa_store: fa.StateManager, fa_failures: Failures, how: str
) -> None:
    @fa.selector
    async def one(get: fa.Get) -> str:
        if not get(ON):
            return "open"
        return str(await get.resolve(other) if how == "resolve" else get(other))

    @fa.selector
    async def other(get: fa.Get) -> str:
        return str(await get.resolve(one) if how == "resolve" else get(one))

    with record(fa_store, one), record(fa_store, other):
        with anyio.fail_after(5):
            await quiescent(fa_store)
        assert fa_failures.take() != []
        fa_store.set(ON, False)
        with anyio.fail_after(5):
            await quiescent(fa_store)
        assert await fa_store.resolve(one) == "open"
        assert await fa_store.resolve(other) == "open"
    assert_quiet(fa_store)


async def test_a_selector_does_not_refresh_itself(fa_store: fa.StateManager) -> None:
    for call in (fa_store.refresh, fa_store.invalidate):

        @fa.selector
        async def value(get: fa.Get) -> int:
            call(value)  # noqa: B023  # it is called in this round
            return 1

        with pytest.raises(fa.DeadlockError, match="itself"):
            await fa_store.resolve(value)


async def test_a_refresh_of_what_waits_for_who_awaits_it_is_told(fa_store: fa.StateManager) -> None:
    @fa.selector
    async def one(get: fa.Get) -> None:
        await fa_store.refresh(other)

    @fa.selector
    async def other(get: fa.Get) -> None:
        await get.resolve(one)

    with (
        pytest.raises(fa.DeadlockError, match=r"selector one waits for a refresh of selector other"),
        anyio.fail_after(5),
    ):
        await fa_store.resolve(one)


# ------------------------------------------------------------------ refreshing


def counted(seconds: float = 1, **options: Any) -> tuple[fa.AsyncSelectorKey[int, int | None], list[int]]:
    runs: list[int] = []

    async def value(get: fa.Get) -> int:
        runs.append(get(COUNT))
        number = len(runs)
        await anyio.sleep(seconds)
        return number

    decorate = cast("Any", fa.selector)(**options)
    return decorate(value), runs


@pytest.mark.parametrize("observed", [False, True])
async def test_a_refresh_computes_anew_and_is_awaited(fa_store: fa.StateManager, observed: bool) -> None:
    value, runs = counted(debounce=5)
    if observed:
        record(fa_store, value)
        await fa_store.settled()
    assert await fa_store.resolve(value) == 1
    receipt = fa_store.refresh(value)
    assert fa_store.get(value.status).state == "refreshing"
    assert not receipt.is_done
    assert await elapsed(lambda: receipt) == (None, pytest.approx(1))
    assert receipt.is_done
    assert (fa_store.get(value), len(runs)) == (2, 2)
    assert_quiet(fa_store)


async def test_a_refresh_during_a_refresh_ends_with_the_later_one(fa_store: fa.StateManager) -> None:
    value, runs = counted()
    first = fa_store.refresh(value)
    await anyio.sleep(0.5)
    second = fa_store.refresh(value)
    third = fa_store.refresh(value)
    assert await elapsed(lambda: first) == (None, pytest.approx(1))
    assert second.is_done
    assert third.is_done
    assert (fa_store.get(value), len(runs)) == (2, 2), "what has not begun yet is fresh enough"


async def test_who_gives_up_the_receipt_leaves_the_refresh(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    @fa.selector
    async def value(get: fa.Get) -> int:
        await anyio.sleep(2)
        raise Offline

    with anyio.move_on_after(1):
        await fa_store.refresh(value)
    assert fa_store.get(value.status).state == "loading"
    await fa_store.settled()
    assert fa_store.get(value.status).state == "failed"
    assert len(fa_failures.take()) == 1


@pytest.mark.parametrize("waits", ["resolve", "refresh"])
async def test_a_failure_that_is_out_of_date_before_who_waits_has_looked_is_told(
    waits: str, fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    def ask_again(status: fa.AsyncValue[str]) -> None:
        if status.state == "failed":
            fa_store.set(QUERY, "b")

    fa_store.listen(answer.status, ask_again)
    if waits == "resolve":
        answers: list[str] = []

        async def ask() -> None:
            answers.append(await fa_store.resolve(answer))

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            group.start_soon(ask)
        assert answers == ["b", "b"]
    else:
        await fa_store.refresh(answer)
        assert fa_store.get(answer) == "b"
    assert [type(each.error) for each in fa_failures.take()] == [Offline]


async def test_a_failure_that_is_made_good_before_who_waits_has_looked_is_told(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    @fa.selector
    async def answer(get: fa.Get) -> str:
        if get(QUERY) == "a":
            await anyio.sleep(1)
            raise Offline
        return "at once"

    def ask_again(status: fa.AsyncValue[str]) -> None:
        if status.state == "failed":
            fa_store.set(QUERY, "b")

    fa_store.listen(answer.status, ask_again)
    assert await fa_store.resolve(answer) == "at once"
    assert [type(each.error) for each in fa_failures.take()] == [Offline]


async def test_a_failure_that_was_told_above_is_not_told_again_by_who_waits_for_something_newer(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    @fa.selector
    async def shown(get: fa.Get) -> float:
        await anyio.sleep(1)
        return get(inverse)

    def correct(status: fa.AsyncValue[float]) -> None:
        if status.state == "failed":
            fa_store.set(COUNT, 2)

    fa_store.set(COUNT, 0)
    fa_store.effect(lambda get: get(inverse))
    fa_store.listen(shown.status, correct)
    assert await fa_store.resolve(shown) == 0.5
    assert [each.key for each in fa_failures.take()] == ["effect <lambda>"]


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("is_watched", [False, True])
async def test_a_sync_selector_that_an_async_one_reads_and_that_fails_is_told_once(
    waits: bool, is_watched: bool, fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    @fa.selector
    async def shown(get: fa.Get) -> str:
        return str(await get.resolve(inverse) if waits else get(inverse))

    fa_store.listen(shown, lambda _: None)
    fa_store.listen(shown.status, lambda _: None)
    if is_watched:
        fa_store.listen(inverse, lambda _: None)
    for number in 1, 0, 2, 0:
        fa_store.set(COUNT, number)
        await quiescent(fa_store)
    assert [type(each.error) for each in fa_failures.take()] == [ZeroDivisionError] * 2


async def test_who_reads_a_failing_selector_later_does_not_tell_of_it_once_more(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    @fa.selector
    async def shown(get: fa.Get) -> str:
        return str(get(inverse))

    fa_store.set(COUNT, 0)
    fa_store.listen(shown, lambda _: None)
    await quiescent(fa_store)
    assert [each.key for each in fa_failures.take()] == [shown]
    fa_store.effect(lambda get: get(inverse))
    fa_failures.assert_none()


async def test_a_failure_that_one_looks_at_and_another_does_not_is_that_ones(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    heard: list[object] = []

    async def ask() -> None:
        try:
            heard.append(await fa_store.resolve(answer))
        except Offline as error:
            heard.append(type(error))
            fa_store.set(QUERY, "b")

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        group.start_soon(ask)
    assert heard == [Offline, "b"]
    fa_failures.assert_none()


async def test_a_failure_that_two_await_each_in_its_way_is_told_to_nobody_else(fa_store: fa.StateManager) -> None:
    @fa.selector
    async def value(get: fa.Get) -> int:
        await anyio.sleep(1)
        raise Offline

    answers: list[BaseException] = []

    async def wait(how: Callable[[Any], Any]) -> None:
        try:
            await how(value)
        except Offline as error:
            answers.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(wait, fa_store.refresh)
        group.start_soon(wait, fa_store.resolve)
    assert len(answers) == 2


async def test_a_listener_refreshes_and_the_refresh_comes_to_its_end(fa_store: fa.StateManager) -> None:
    value, runs = counted()
    receipts: list[fa.Receipt] = []
    fa_store.listen(QUERY, lambda _: receipts.append(fa_store.refresh(value)), immediate=False)
    fa_store.set(QUERY, "b")
    assert not receipts[0].is_done
    await receipts[0]
    assert (fa_store.get(value), len(runs)) == (1, 1)


async def test_invalidating_computes_now_or_when_it_is_needed(fa_store: fa.StateManager) -> None:
    value, runs = counted()
    assert await fa_store.resolve(value) == 1
    fa_store.invalidate(value)
    await quiescent(fa_store)
    assert len(runs) == 1
    assert await fa_store.resolve(value) == 2
    with record(fa_store, value):
        fa_store.invalidate(value)
        assert fa_store.get(value.status).state == "refreshing"
        await fa_store.settled()
        assert fa_store.get(value) == 3


async def test_a_refresh_after_a_change_does_not_wait_for_the_debounce(fa_store: fa.StateManager) -> None:
    value, _ = counted(debounce=10)
    with record(fa_store, value):
        await fa_store.settled()
        fa_store.set(COUNT, 2)
        assert await elapsed(lambda: fa_store.refresh(value)) == (None, pytest.approx(1))


async def test_waiting_for_a_value_hears_of_a_failure(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    @fa.selector
    async def value(get: fa.Get) -> int:
        await anyio.sleep(1)
        raise Offline

    with pytest.raises(Offline), anyio.fail_after(5):
        await fa_store.wait_for(value)
    fa_failures.take()
