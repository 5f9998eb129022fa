"""The times of async selectors: debounce, retry, what becomes stale, what is refreshed, what is kept."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, assert_quiet, quiescent, record

QUERY = fa.Key("query", "a")
COUNT = fa.Key("count", 1)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


class Offline(Exception):
    """The server cannot be reached."""


def counted(seconds: float = 1, **options: Any) -> tuple[fa.AsyncSelectorKey[int, int | None], list[str]]:
    """A selector that counts its computations, and what they have read."""
    runs: list[str] = []

    async def value(get: fa.Get) -> int:
        runs.append(get(QUERY))
        number = len(runs)
        await anyio.sleep(seconds)
        return number

    decorate = cast("Any", fa.selector)(**options)
    return decorate(value), runs


def clocks(state: Any) -> int:
    """How many tasks of a store only wait for a time."""
    return sum(job.is_idle for job in state._host.jobs)


# ------------------------------------------------------------------ debounce


async def test_a_debounce_waits_until_the_inputs_are_quiet(fa_store: fa.StateManager) -> None:
    value, runs = counted(debounce=0.3)
    statuses = record(fa_store, value.status)
    begun = anyio.current_time()
    await fa_store.settled()
    assert anyio.current_time() - begun == pytest.approx(1), "the first computation does not wait"
    for query in ("b", "bc", "bcd"):
        fa_store.set(QUERY, query)
        assert fa_store.get(value.status).is_busy
        await anyio.sleep(0.2)
    await fa_store.settled()
    assert runs == ["a", "bcd"]
    assert anyio.current_time() - begun == pytest.approx(1 + 0.4 + 0.3 + 1)
    assert statuses.states == ["ready", "refreshing", "ready"]


async def test_a_change_through_a_selector_restarts_a_debounce(fa_store: fa.StateManager) -> None:
    runs: list[str] = []

    @fa.selector
    def trimmed(get: fa.Get) -> str:
        return get(QUERY).strip()

    @fa.selector(debounce=1)
    async def results(get: fa.Get) -> str:
        runs.append(get(trimmed))
        return runs[-1]

    with record(fa_store, results):
        await fa_store.settled()
        begun = anyio.current_time()
        fa_store.set(QUERY, "b")
        await anyio.sleep(0.8)
        fa_store.set(QUERY, "c")
        await anyio.sleep(0.8)
        fa_store.set(QUERY, " c")
        await fa_store.settled()
        assert anyio.current_time() - begun == pytest.approx(1.8), "what is equal restarts nothing"
        assert runs == ["a", "c"]


async def test_the_second_of_two_that_have_changed_restarts_a_debounce_as_well(fa_store: fa.StateManager) -> None:
    runs: list[tuple[str, bool]] = []
    other = fa.Key("other", 0)
    trimmed = fa.selector(lambda get: get(QUERY).strip())
    is_odd = fa.selector(lambda get: get(other) % 2 == 1)

    @fa.selector(debounce=1)
    async def results(get: fa.Get) -> None:
        runs.append((get(trimmed), get(is_odd)))

    with record(fa_store, results):
        await fa_store.settled()
        begun = anyio.current_time()
        with fa_store.batch():
            fa_store.set(QUERY, "b")
            fa_store.set(other, 2)
        await anyio.sleep(0.8)
        fa_store.set(other, 3)
        await anyio.sleep(0.8)
        fa_store.set(other, 5)
        await fa_store.settled()
        assert anyio.current_time() - begun == pytest.approx(1.8), "what is equal restarts nothing"
        assert runs == [("a", False), ("b", True)]


async def test_a_value_that_comes_back_during_a_debounce_is_computed_once(fa_store: fa.StateManager) -> None:
    value, runs = counted(debounce=1)
    with record(fa_store, value.status) as statuses:
        await fa_store.settled()
        fa_store.set(QUERY, "b")
        await anyio.sleep(0.5)
        fa_store.set(QUERY, "a")
        await fa_store.settled()
    assert runs == ["a", "a"]
    assert statuses.states == ["ready", "refreshing", "ready"]


async def test_what_is_superseded_before_it_has_begun_costs_nothing_and_waits_for_nothing(
    fa_store: fa.StateManager,
) -> None:
    value, runs = counted(debounce=10)
    with record(fa_store, value):
        await fa_store.settled()
        for query in "bcd":
            fa_store.set(QUERY, query)
        assert fa_store.statistics().jobs == 1
    begun = anyio.current_time()
    await fa_store.settled()
    assert (anyio.current_time(), runs) == (begun, ["a"])


# ------------------------------------------------------------------ retry


async def test_a_retry_tries_again_with_growing_delays(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    tries: list[float] = []
    cleaned: list[int] = []

    @fa.selector(retry=fa.Retry(4, base=1, cap=3))
    async def value(get: fa.Get) -> str:
        number = len(tries)
        tries.append(anyio.current_time())
        get.on_cleanup(lambda: cleaned.append(number))
        if number < 3:
            raise Offline
        return f"{get(QUERY)} at last"

    with record(fa_store, value.status) as statuses:
        assert await fa_store.resolve(value) == "a at last"
        assert statuses.states == ["ready"]
    first, second, third = (later - before for before, later in pairwise(tries))
    assert 0.75 <= first <= 1
    assert 1.5 <= second <= 2
    assert 2.25 <= third <= 3, "the cap"
    assert cleaned == [0, 1, 2]
    assert fa_failures == []


async def test_a_retry_ends_with_the_last_error_and_a_change_supersedes_it(fa_store: fa.StateManager) -> None:
    tries: list[str] = []

    @fa.selector(retry=fa.Retry(2, base=10, on=(Offline,)))
    async def value(get: fa.Get) -> str:
        tries.append(get(QUERY))
        if tries[-1] == "wrong":
            raise ValueError("worth no other try")
        if tries[-1] == "bad":
            raise Offline(len(tries))
        return tries[-1]

    fa_store.set(QUERY, "bad")
    with pytest.raises(Offline, match="2"):
        await fa_store.resolve(value)
    fa_store.set(QUERY, "worse")
    assert await fa_store.resolve(value) == "worse"
    fa_store.set(QUERY, "bad")
    with record(fa_store, value):
        await anyio.sleep(1)
        fa_store.set(QUERY, "c")
        begun = anyio.current_time()
        assert await fa_store.resolve(value) == "c", "it does not wait for the delay"
        assert anyio.current_time() == begun
    fa_store.set(QUERY, "wrong")
    with pytest.raises(ValueError, match="worth no other try"):
        await fa_store.resolve(value)
    assert tries == ["bad", "bad", "worse", "bad", "c", "wrong"]


async def test_one_that_is_superseded_when_its_turn_has_come_already_does_nothing_more(
    fa_store: fa.StateManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delay(_retry: fa.Retry, _attempt: int) -> float:
        return 1

    monkeypatch.setattr(fa.Retry, "delay", delay)
    log: list[str] = []

    @fa.selector(retry=fa.Retry())
    async def value(get: fa.Get) -> str:
        query = get(QUERY)
        get.on_cleanup(lambda: log.append(f"{query} is over"))
        log.append(query)
        if query == "bad":
            raise Offline
        await anyio.sleep(1)
        return query

    async def write() -> None:
        await anyio.sleep(1)
        fa_store.set(QUERY, "good")

    fa_store.set(QUERY, "bad")
    async with anyio.create_task_group() as group:
        group.start_soon(write)  # its second ends in the same moment, and before the delay
        await anyio.lowlevel.checkpoint()
        with record(fa_store, value):
            await anyio.sleep(1.5)
            assert log.count("good") == 1, "who was superseded does not call the function"
            assert "good is over" not in log, "nor lets go of what the one after it holds"


async def test_the_get_of_a_try_before_reads_and_depends_on_nothing(fa_store: fa.StateManager) -> None:
    gets: list[fa.Get] = []
    other = fa.selector(lambda get: get(COUNT) * 10)

    @fa.selector(retry=fa.Retry(2, base=0))
    async def value(get: fa.Get) -> str:
        gets.append(get)
        if len(gets) == 1:
            raise Offline
        return f"{gets[0](QUERY)} {await gets[0].resolve(other)}"

    with record(fa_store, value) as shown:
        await fa_store.settled()
        fa_store.set(QUERY, "b")
        fa_store.set(COUNT, 2)
        await fa_store.settled()
    assert (shown.values, len(gets)) == (["a 10"], 2)


@pytest.mark.parametrize(
    "mistake",
    [{"attempts": 0}, {"attempts": -1}, {"base": -1}, {"cap": -0.1}],
)
def test_a_retry_that_makes_no_sense_is_refused(mistake: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Retry\("):
        fa.Retry(**mistake)


def test_a_retry_without_a_limit_stays_within_its_cap() -> None:
    retry = fa.Retry(None, base=0.5, cap=30)
    assert retry.allows(Offline(), 10**6)
    assert not retry.allows(fa.UnknownKeyError("x"), 1), "a mistake stays one"
    assert not retry.allows(KeyboardInterrupt(), 1)
    assert 22.5 <= retry.delay(10**6) <= 30


# ------------------------------------------------------------------ stale, refreshed, kept


async def test_a_stale_value_is_computed_anew_when_it_is_needed(fa_store: fa.StateManager) -> None:
    value, runs = counted(stale_after=10)
    assert await fa_store.resolve(value) == 1
    await anyio.sleep(9.9)
    assert await fa_store.resolve(value) == 1
    await anyio.sleep(0.1)
    assert fa_store.get(value) == 1
    assert await fa_store.resolve(value) == 2
    with record(fa_store, value) as shown:
        await anyio.sleep(100)
        assert len(runs) == 2, "nobody new needs it"
        assert await fa_store.resolve(value) == 3
    await anyio.sleep(100)
    with record(fa_store, value, initial=True) as shown:
        await fa_store.settled()
    assert shown.values == [3, 4], "the old one is shown meanwhile"
    assert clocks(fa_store) == 0


async def test_a_failure_becomes_stale_as_well(fa_store: fa.StateManager) -> None:
    tries: list[int] = []

    @fa.selector(stale_after=10)
    async def value(get: fa.Get) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise Offline
        return len(tries)

    for _ in range(2):
        with pytest.raises(Offline):
            await fa_store.resolve(value)
    assert len(tries) == 1
    await anyio.sleep(10)
    assert await fa_store.resolve(value) == 2


async def test_an_observed_value_is_refreshed_at_its_pace(fa_store: fa.StateManager) -> None:
    value, runs = counted(refresh_every=10)
    with record(fa_store, value) as shown:
        await anyio.sleep(1 + 11 + 11 + 0.5)
        assert shown.values == [1, 2, 3]
        fa_store.set(QUERY, "b")
        await anyio.sleep(1.5)
        assert shown.values == [1, 2, 3, 4]
        await anyio.sleep(9.6)
        assert len(runs) == 5, "counted from the end of the last computation"
        await fa_store.settled()
        assert_quiet(fa_store)
    await anyio.sleep(3)
    assert clocks(fa_store) == 0
    await anyio.sleep(100)
    assert len(runs) == 5, "nobody observes it"
    assert fa_store.get(value.status).state == "ready"
    with record(fa_store, value):
        await fa_store.settled()
        assert len(runs) == 6, "it has been due for long"


async def test_a_pace_may_be_faster_than_a_second(fa_store: fa.StateManager) -> None:
    value, runs = counted(seconds=0, refresh_every=0.25)
    with record(fa_store, value):
        await anyio.sleep(1.1)
        assert len(runs) == 5


async def test_a_change_shortly_before_a_refresh_is_computed_once(fa_store: fa.StateManager) -> None:
    value, runs = counted(refresh_every=10)
    with record(fa_store, value) as shown:
        await anyio.sleep(1 + 9.5)
        fa_store.set(QUERY, "b")
        await anyio.sleep(1.5)
        assert (shown.values, runs) == ([1, 2], ["a", "b"])


async def test_who_comes_back_soon_waits_for_the_rest_of_the_pause(fa_store: fa.StateManager) -> None:
    value, runs = counted(refresh_every=10)
    await fa_store.resolve(value)
    await anyio.sleep(4)
    with record(fa_store, value):
        await anyio.sleep(5.9)
        assert len(runs) == 1
        await anyio.sleep(0.2)
        assert len(runs) == 2


async def test_a_refresh_that_is_slower_than_its_pace_is_not_interrupted(fa_store: fa.StateManager) -> None:
    value, runs = counted(seconds=15, refresh_every=10)

    def change(number: int | None) -> None:
        if number == 1:
            fa_store.set(QUERY, "b")

    fa_store.listen(value, change)
    await anyio.sleep(15 + 15 + 1)
    assert (fa_store.get(value), len(runs)) == (2, 2)


async def test_a_failing_refresh_goes_on(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    tries: list[int] = []

    @fa.selector(refresh_every=10)
    async def value(get: fa.Get) -> int:
        tries.append(1)
        if len(tries) % 2 == 0:
            raise Offline
        return len(tries)

    with record(fa_store, value) as shown:
        await anyio.sleep(35)
    assert (shown.values, len(tries)) == ([1, 3], 4)
    assert len(fa_failures.take()) == 2


async def test_a_value_is_kept_for_a_while_after_nobody_needs_it(fa_store: fa.StateManager) -> None:
    cleaned: list[str] = []

    @fa.selector(keep_for=10, initial=0)
    async def value(get: fa.Get) -> int:
        get.on_cleanup(lambda: cleaned.append("value"))
        return get(COUNT)

    with record(fa_store, value):
        await anyio.sleep(100)
        assert fa_store.get(value) == 1
    await anyio.sleep(9)
    with record(fa_store, value):
        await anyio.sleep(5)
    await anyio.sleep(9.9)
    assert (fa_store.get(value), cleaned) == (1, [])
    await anyio.sleep(0.2)
    assert (fa_store.get(value), fa_store.get(value.status).state, cleaned) == (0, "idle", ["value"])
    assert await fa_store.resolve(value) == 1
    fa_store.clear()
    await quiescent(fa_store)
    assert clocks(fa_store) == 0


async def test_timers_are_no_work_and_one_task_serves_them_all(fa_store: fa.StateManager) -> None:
    keys = [counted(seconds=0, keep_for=10 + n)[0] for n in range(50)]
    for key in keys:
        await fa_store.resolve(key)
    await quiescent(fa_store)
    assert_quiet(fa_store)
    assert clocks(fa_store) == 1
    await anyio.sleep(20)
    assert [fa_store.get(key) for key in keys[:9]] == [None] * 9
    assert fa_store.get(keys[30]) == 1
    await anyio.sleep(100)
    assert clocks(fa_store) == 0


async def test_timers_that_were_cancelled_do_not_pile_up(fa_store: fa.StateManager) -> None:
    value, _ = counted(seconds=0, keep_for=1000)
    other, _ = counted(seconds=0, keep_for=1000)
    await fa_store.resolve(other)
    for _ in range(500):
        await fa_store.resolve(value)
        await anyio.sleep(0.1)
    inside: Any = fa_store
    assert len(inside.timers._due) < 100


async def test_a_store_that_is_closed_forgets_its_timers() -> None:
    value, runs = counted(refresh_every=1, keep_for=1)
    async with fa.StateManager() as state:
        state.listen(value, lambda _: None)
        await anyio.sleep(3.5)
    before = len(runs)
    await anyio.sleep(10)
    assert len(runs) == before


@pytest.mark.parametrize("option", ["debounce", "stale_after", "refresh_every", "keep_for"])
def test_a_time_that_makes_no_sense_is_refused(option: str) -> None:
    async def value(get: fa.Get) -> int:
        return 1

    options: dict[str, Any] = {option: -1}
    with pytest.raises(ValueError, match=option):
        fa.selector(**options)(value)
    with pytest.raises(TypeError, match=option):
        fa.selector(**{option: 1})(lambda get: 1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # the mistake under test


# ------------------------------------------------------------------ what the clock meets


async def test_who_waits_for_what_is_fresh_waits_for_nothing_and_delays_no_refresh(fa_store: fa.StateManager) -> None:
    value, runs = counted(seconds=0, refresh_every=10)
    with record(fa_store, value):
        assert await fa_store.resolve(value) == 1
        await anyio.sleep(6)
        assert await fa_store.resolve(value) == 1
        await anyio.sleep(5)
        assert len(runs) == 2, "ten seconds after the first"


async def test_a_refresh_that_ends_in_a_loop_of_listeners_is_told_and_the_others_go_on(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    value, _ = counted(refresh_every=10)
    other, runs = counted(refresh_every=10)
    grows = fa.Key("grows", 0)

    def grow(_: object) -> None:
        fa_store.update(grows, lambda n: n + 1)

    with record(fa_store, value), record(fa_store, other):
        await fa_store.settled()
        fa_store.listen(value.status, grow, immediate=False)
        growing = fa_store.listen(grows, grow, immediate=False)
        await anyio.sleep(10.5)
        growing.close()
        assert {(type(each.error), each.actor) for each in fa_failures.take()} == {(fa.LoopError, "timer")}
        await anyio.sleep(11)
        assert len(runs) == 3


def test_where_no_clock_goes_nothing_becomes_stale() -> None:
    state = fa.StateManager()
    value, runs = counted(seconds=0, stale_after=10)
    soon, _ = counted(seconds=0, stale_after=0.5)
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(state.resolve(soon)) == 1
    with record(state, soon):
        assert state.get(soon.status).state == "ready"
    assert loop.run_until_complete(state.resolve(value)) == 1
    with record(state, value):
        assert state.get(value.status).state == "ready"
    assert loop.run_until_complete(state.resolve(value)) == 1
    loop.run_until_complete(state.aclose())
    loop.close()
    assert len(runs) == 1
