"""Async selectors: what they show, how they fail, and what they depend on."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import operator
from typing import Any, cast

import anyio
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, assert_quiet, virtual_backend
from flet_asp_actors.testing import record as record_changes

QUERY = fa.Key("query", "a")
COUNT = fa.Key("count", 1)
ON = fa.Key("on", True)
LINES = fa.Key[list[list[int]]]("lines", factory=lambda: [[1]])


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


record = functools.partial(record_changes, initial=True)


class Offline(Exception):
    """The server cannot be reached."""


def search(seconds: float = 1, **options: Any) -> tuple[fa.AsyncSelectorKey[str, str | None], list[str]]:
    """A selector that asks a slow server, and what was asked."""
    asked: list[str] = []

    async def results(get: fa.Get) -> str:
        query = get(QUERY)
        asked.append(query)
        await anyio.sleep(seconds)
        if query == "bad":
            raise Offline(query)
        return query.upper()

    decorate = cast("Any", fa.selector)(**options)
    return decorate(results), asked


# ------------------------------------------------------------------ what is shown


async def test_an_observed_selector_shows_how_it_is_doing(fa_store: fa.StateManager) -> None:
    results, asked = search()
    statuses = record(fa_store, results.status)
    fa_store.set(QUERY, "b")
    assert fa_store.get(results) is None
    await fa_store.settled()
    assert fa_store.get(results) == "B"
    fa_store.set(QUERY, "c")
    assert (fa_store.get(results), fa_store.get(results.status).state) == ("B", "refreshing")
    await fa_store.settled()
    assert statuses.states == ["loading", "ready", "refreshing", "ready"]
    assert [status.value for status in statuses] == [None, "B", "B", "C"]
    assert asked == ["b", "c"], "what changed before it began costs nothing"


async def test_a_status_can_be_matched(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    results, _ = search()

    def text(get: fa.Get) -> str:
        match get(results.status):
            case fa.AsyncValue("failed", error=error):
                return f"failed: {error}"
            case fa.AsyncValue("refreshing", value):
                return f"{value} ..."
            case fa.AsyncValue("ready", value):
                return f"{value}"
            case fa.AsyncValue(is_busy=True):
                return "..."
            case _:
                return "nothing yet"

    key = fa.selector(text)
    assert fa_store.get(key) == "nothing yet"
    texts = record(fa_store, key)
    await fa_store.settled()
    fa_store.set(QUERY, "bad")
    await fa_store.settled()
    assert texts.values == ["...", "A", "A ...", "failed: bad"]
    assert [str(failure.error) for failure in fa_failures.take()] == ["bad"]


async def test_the_status_says_when_and_how_far(fa_store: fa.StateManager) -> None:
    @fa.selector
    async def upload(get: fa.Get) -> int:
        for part in range(2):
            get.progress(part / 2, f"part {part}")
            await anyio.sleep(1)
        return get(COUNT)

    with record(fa_store, upload.status) as statuses:
        await fa_store.settled()
    assert [(each.progress, each.progress_text) for each in statuses] == [
        (None, ""),
        (0.0, "part 0"),
        (0.5, "part 1"),
        (None, ""),
    ]
    assert [each.updated_at is None for each in statuses] == [True, True, True, False]
    assert statuses[0].value_or(7) == 7
    assert statuses[-1].value_or(7) == 1
    assert statuses[-1].message == ""


async def test_the_initial_value_is_each_stores_own() -> None:
    @fa.selector(initial=["nothing"])
    async def rows(get: fa.Get) -> list[str]:
        raise Offline

    one, other = fa.StateManager(), fa.StateManager()
    one.get(rows).append("mine")
    assert other.get(rows) == ["nothing"]
    Failures.of(one)
    async with one:
        with pytest.raises(Offline):
            await one.resolve(rows)
        assert one.get(rows) == ["nothing", "mine"], "there is something to fall back to"
        assert one.get(rows.status).message == "Offline"


async def test_a_value_that_is_not_to_be_kept_is_gone_when_the_next_one_is_computed(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    results, _ = search(keep_previous=False)
    values, statuses = record(fa_store, results), record(fa_store, results.status)
    await fa_store.settled()
    fa_store.set(QUERY, "b")
    await fa_store.settled()
    fa_store.set(QUERY, "bad")
    await fa_store.settled()
    with pytest.raises(Offline):
        fa_store.get(results)
    fa_store.set(QUERY, "c")
    await fa_store.settled()
    assert values.values == [None, "A", None, "B", None, "C"]
    assert statuses.states == ["loading", "ready", "loading", "ready", "loading", "failed", "loading", "ready"]
    assert [status.value for status in statuses] == [None, "A", None, "B", None, None, None, "C"]
    assert len(fa_failures.take()) == 1


# ------------------------------------------------------------------ failures


async def test_a_failure_keeps_the_value_of_before_and_get_raises_only_without_one(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    results, _ = search()

    @fa.selector
    def shout(get: fa.Get) -> str:
        return f"{get(results)}!"

    fa_store.set(QUERY, "bad")
    values, shouts = record(fa_store, results), record(fa_store, shout)
    await fa_store.settled()
    for key in (results, shout):
        with pytest.raises(Offline):
            fa_store.get(key)
    fa_store.set(QUERY, "a")
    await fa_store.settled()
    fa_store.set(QUERY, "bad")
    await fa_store.settled()
    status = fa_store.get(results.status)
    assert (fa_store.get(results), fa_store.get(shout), status.state, status.value) == ("A", "A!", "failed", "A")
    fa_store.set(QUERY, "a")
    await fa_store.settled()
    assert (values.values, shouts.values) == ([None, "A"], ["None!", "A!"]), "the same value again is no news"
    assert len(fa_failures.take()) == 2, "each failure is told once, though two watch"


@pytest.mark.parametrize("observed", [True, False])
async def test_a_failure_is_gone_with_what_is_forgotten(
    observed: bool, fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    results, _ = search()

    @fa.selector
    def shout(get: fa.Get) -> str:
        return f"{get(results)}!"

    fa_store.set(QUERY, "bad")
    shouts = record(fa_store, shout)
    await fa_store.settled()
    with pytest.raises(Offline):
        fa_store.get(shout)
    assert len(fa_failures.take()) == 1
    if observed:
        fa_store.delete(results)
    else:
        shouts.close()
        fa_store.clear()
    assert (fa_store.get(results), fa_store.get(shout)) == (None, "None!")
    assert fa_store.get(results.status).error is None
    fa_store.set(QUERY, "a")
    await fa_store.settled()


async def test_a_failure_goes_to_who_awaits_it_and_else_to_on_error(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    results, _ = search()
    fa_store.set(QUERY, "bad")
    with pytest.raises(Offline):
        await fa_store.resolve(results)
    with pytest.raises(Offline):
        await fa_store.refresh(results)
    assert fa_failures.take() == []
    fa_store.refresh(results)
    await fa_store.settled()
    (failure,) = fa_failures.take()
    assert (failure.key, failure.actor) == (results, "async selector")
    assert failure.error.__traceback__ is not None
    assert failure.error.__traceback__.tb_frame.f_code.co_name == "results", "it begins with the user's own code"


async def test_a_failure_above_a_value_that_is_kept_is_told(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    results, _ = search()

    @fa.selector
    def below(get: fa.Get) -> str:
        return f"{get(results)}!"

    await fa_store.resolve(results)
    fa_store.set(QUERY, "bad")
    assert await fa_store.resolve(below) == "A!"
    assert [str(failure.error) for failure in fa_failures.take()] == ["bad"], "who waits does not hear of it"


async def test_one_failure_is_told_once_along_a_chain(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    results, _ = search()

    @fa.selector
    def inner(get: fa.Get) -> str:
        return f"<{get(results)}>"

    @fa.selector
    async def by_get(get: fa.Get) -> str:
        return f"{get(inner)}"

    @fa.selector
    async def directly(get: fa.Get) -> str:
        return f"{get(results)}"

    @fa.selector
    async def by_resolve(get: fa.Get) -> str:
        return await get.resolve(results)

    fa_store.set(QUERY, "bad")
    for follows in (by_get, directly):
        fa_store.clear()
        fa_store.set(QUERY, "bad")
        with record(fa_store, follows):
            await fa_store.settled()
            assert isinstance(fa_store.get(follows.status).error, Offline)
        assert len(fa_failures.take()) == 1
    with record(fa_store, by_resolve):
        await fa_store.settled()
        assert isinstance(fa_store.get(by_resolve.status).error, Offline)
    assert len(fa_failures.take()) <= 1
    fa_store.set(QUERY, "worse")
    fa_store.set(QUERY, "bad")
    with record(fa_store, by_resolve):
        await fa_store.settled()
    assert len(fa_failures.take()) == 1, "the only one who awaited it was another selector, and that nobody awaits"


async def test_whoever_failed_with_another_recovers_with_it(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    results, asked = search()

    @fa.selector
    async def page(get: fa.Get) -> str:
        return f"page of {await get.resolve(results)}"

    @fa.selector
    async def loose(get: fa.Get) -> str:
        return f"page of {get(results)}"

    fa_store.set(QUERY, "bad")
    values = record(fa_store, results)
    pages, loose_pages = record(fa_store, page.status), record(fa_store, loose.status)
    await fa_store.settled()
    fa_store.set(QUERY, "a")  # it failed without a value
    await fa_store.settled()
    assert fa_store.get(page) == "page of A"
    fa_store.set(QUERY, "bad")  # now with one
    await fa_store.settled()
    assert (pages[-1].state, pages[-1].value) == ("failed", "page of A")
    assert loose_pages[-1].state == "ready", "who reads what is there has the value of before"
    with pytest.raises(Offline):
        await fa_store.resolve(page)
    fa_store.set(QUERY, "a")  # and recovers with the very same
    await fa_store.settled()
    assert (pages[-1].state, pages[-1].value) == ("ready", "page of A")
    assert loose_pages.states[-1] == "ready"
    assert values.values == [None, "A"]
    assert asked == ["bad", "a", "bad", "a"]
    assert len(fa_failures.take()) == 2, "each failure once, though two pages show it"


async def test_who_comes_back_learns_of_a_failure_behind_a_value_that_is_kept(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    results, asked = search()

    @fa.selector
    async def page(get: fa.Get) -> str:
        return f"page of {await get.resolve(results)}"

    with record(fa_store, results):
        with record(fa_store, page):
            await fa_store.settled()
        fa_store.set(QUERY, "bad")
        await fa_store.settled()
        with record(fa_store, page):
            await fa_store.settled()
            status = fa_store.get(page.status)
        assert (status.state, status.value) == ("failed", "page of A")
    assert asked == ["a", "bad"]
    assert len(fa_failures.take()) == 1


@pytest.mark.parametrize("is_watched", [False, True], ids=["nobody-watches-it", "it-is-watched"])
async def test_who_comes_back_learns_that_what_it_had_failed_with_has_recovered(
    is_watched: bool, fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    results, asked = search()

    @fa.selector
    async def page(get: fa.Get) -> str:
        return f"page of {await get.resolve(results)}"

    async def seen() -> fa.AsyncValue[Any]:
        with record(fa_store, page):
            await fa_store.settled()
            return fa_store.get(page.status)

    with record(fa_store, results) if is_watched else contextlib.nullcontext():
        with record(fa_store, page):
            await fa_store.settled()
            fa_store.set(QUERY, "bad")
            await fa_store.settled()
        status = await seen()
        assert (status.state, status.value) == ("failed", "page of A")
        fa_store.set(QUERY, "a")  # it recovers with the very same
        await fa_store.settled()
        status = await seen()
        assert (status.state, status.value) == ("ready", "page of A")
    assert asked == ["a", "bad", "a"]
    assert len(fa_failures.take()) == 1


async def test_who_comes_back_and_has_missed_nothing_is_not_computed_again(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    results, _ = search()
    runs: list[str] = []

    @fa.selector
    async def page(get: fa.Get) -> str:
        runs.append("page")
        return await get.resolve(results)

    @fa.selector
    async def loose(get: fa.Get) -> str | None:
        runs.append("loose")
        return get(results)

    with record(fa_store, results):
        await fa_store.settled()
        for _ in range(3):
            with record(fa_store, page), record(fa_store, loose):
                await fa_store.settled()
        assert sorted(runs) == ["loose", "page"]
        fa_store.set(QUERY, "bad")
        await fa_store.settled()
        with record(fa_store, loose):
            await fa_store.settled()
        assert sorted(runs) == ["loose", "page"], "who reads what is there has the value of before"
    assert len(fa_failures.take()) == 1


async def test_an_equals_that_raises_is_a_failure(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    def equals(old: int, new: int) -> bool:
        raise ZeroDivisionError

    @fa.selector(equals=equals)
    async def value(get: fa.Get) -> int:
        return get(COUNT)

    assert await fa_store.resolve(value) == 1
    fa_store.set(COUNT, 2)
    with pytest.raises(ZeroDivisionError):
        await fa_store.resolve(value)
    assert fa_store.get(value.status).state == "failed"
    assert_quiet(fa_store)


@pytest.mark.parametrize("anyio_backend", [virtual_backend("asyncio")], ids=["asyncio"])
async def test_a_stray_cancellation_fails_that_computation_alone(fa_store: fa.StateManager) -> None:
    future = asyncio.get_running_loop().create_future()
    future.cancel()

    @fa.selector
    async def value(get: fa.Get) -> str:
        found: str = await future
        return found

    @fa.selector
    async def sleeper(get: fa.Get) -> str:
        await anyio.sleep(1)
        return "slept"

    with record(fa_store, sleeper):
        with pytest.raises(fa.RunCancelled):
            await fa_store.resolve(value)
        assert fa_store.get(value.status).state == "failed"
        future = asyncio.get_running_loop().create_future()
        future.set_result("fine")
        assert await fa_store.resolve(value) == "fine", "a cancellation says nothing about the inputs"
        await fa_store.settled()
        assert fa_store.get(sleeper) == "slept"


# ------------------------------------------------------------------ what it depends on


async def test_dependencies_are_tracked_through_awaits_and_anew_in_each_run(fa_store: fa.StateManager) -> None:
    runs: list[object] = []

    @fa.selector
    async def value(get: fa.Get) -> object:
        is_on = get(ON)
        await anyio.sleep(1)
        runs.append(get(QUERY) if is_on else get(COUNT))
        get.peek(LINES)
        return runs[-1]

    with record(fa_store, value) as values:
        await fa_store.settled()
        fa_store.set(COUNT, 2)
        fa_store.mutate(LINES, lambda lines: lines.clear())
        await fa_store.settled()
        assert runs == ["a"]
        fa_store.set(QUERY, "b")
        fa_store.set(ON, False)
        await fa_store.settled()
        fa_store.set(QUERY, "c")
        await fa_store.settled()
        fa_store.set(COUNT, 3)
        await fa_store.settled()
        assert values.values == [None, "a", 2, 3]
        assert runs == ["a", 2, 3]
    assert fa_store.statistics().observed == 0, "nothing that was dropped is still observed"


async def test_what_was_read_before_is_tracked_until_it_is_known_to_be_read_no_more(fa_store: fa.StateManager) -> None:
    @fa.selector
    async def value(get: fa.Get) -> object:
        if get(ON):
            await anyio.sleep(1)
        return get(COUNT)

    with record(fa_store, value) as values:
        await fa_store.settled()
        with fa_store.batch():
            fa_store.set(ON, False)
            fa_store.set(ON, True)
        await anyio.sleep(0.5)
        fa_store.set(COUNT, 2)  # under way, and not yet read again
        await anyio.sleep(0.1)
        fa_store.set(COUNT, 3)
        await fa_store.settled()
        assert values.values == [None, 1, 3]


async def test_a_sync_selector_in_between_cuts_off_what_is_equal(fa_store: fa.StateManager) -> None:
    @fa.selector
    def is_even(get: fa.Get) -> bool:
        return get(COUNT) % 2 == 0

    runs: list[bool] = []

    @fa.selector
    async def value(get: fa.Get) -> bool:
        runs.append(get(is_even))
        return runs[-1]

    with record(fa_store, value):
        await fa_store.settled()
        fa_store.set(COUNT, 3)
        await fa_store.settled()
        assert runs == [False]
        fa_store.set(COUNT, 4)
        await fa_store.settled()
        assert runs == [False, True]


@pytest.mark.parametrize("how", ["copied", "the same object", "refreshed as well", "unobserved meanwhile"])
async def test_an_edit_in_place_passes_through(fa_store: fa.StateManager, how: str) -> None:
    @fa.selector
    async def rows(get: fa.Get) -> list[list[int]]:
        lines = get(LINES)
        await anyio.sleep(1)
        return lines if how == "the same object" else [*lines]

    @fa.selector
    def total(get: fa.Get) -> int:
        return sum(sum(row) for row in get(rows) or [])

    observed = record(fa_store, total)
    await fa_store.settled()
    if how == "unobserved meanwhile":
        fa_store.refresh(rows)
        await anyio.sleep(0.5)
        observed.close()
    fa_store.mutate(LINES, lambda lines: lines[0].append(2))
    if how == "refreshed as well":
        fa_store.refresh(rows)
    again = record(fa_store, total)
    await fa_store.settled()
    assert again.values[-1] == 3
    assert fa_store.get(total) == 3


async def test_what_was_edited_before_the_last_value_is_no_news(fa_store: fa.StateManager) -> None:
    @fa.selector
    async def rows(get: fa.Get) -> list[list[int]]:
        get(COUNT)
        return [*get(LINES)]

    with record(fa_store, rows, copy=copy.deepcopy) as shown:
        await fa_store.settled()
        fa_store.mutate(LINES, lambda lines: lines[0].append(2))
        await fa_store.settled()
        fa_store.set(COUNT, 5)
        await fa_store.settled()
    assert shown.values == [None, [[1]], [[1, 2]]]


async def test_an_edit_in_place_is_seen_by_who_hands_the_object_on(fa_store: fa.StateManager) -> None:
    @fa.selector
    async def rows(get: fa.Get) -> list[list[int]]:
        return get(LINES)

    @fa.selector
    def first(get: fa.Get) -> list[int] | None:
        lines = get(rows)
        return lines[0] if lines else None

    with record(fa_store, first, copy=copy.deepcopy) as shown:
        await fa_store.settled()
        fa_store.mutate(LINES, lambda lines: lines[0].append(2))
        await fa_store.settled()
    assert shown.values == [None, [1], [1, 2]]


async def test_what_a_selector_edits_by_itself_is_seen_by_who_hands_it_on(fa_store: fa.StateManager) -> None:
    seen: list[int] = []

    @fa.selector
    async def history(get: fa.Get) -> list[int]:
        seen.append(get(COUNT))
        return seen

    @fa.selector
    def same(get: fa.Get) -> list[int] | None:
        return get(history)

    with record(fa_store, same, copy=copy.deepcopy) as shown:
        await fa_store.settled()
        fa_store.set(COUNT, 2)
        await fa_store.settled()
    assert shown.values == [None, [1], [1, 2]]


async def test_what_was_edited_unread_before_the_last_value_is_no_news_either(fa_store: fa.StateManager) -> None:
    gate = anyio.Event()

    @fa.selector
    async def rows(get: fa.Get) -> list[list[int]]:
        if get(COUNT) > 1:
            await gate.wait()
        return [[1], *get(LINES)] if get(ON) else [[1]]

    fa_store.set(ON, False)
    with record(fa_store, rows, copy=copy.deepcopy) as shown:
        await fa_store.settled()
        fa_store.set(COUNT, 2)
        await anyio.wait_all_tasks_blocked()
        fa_store.mutate(LINES, lambda lines: lines.clear())
        gate.set()
        await fa_store.settled()
        fa_store.set(ON, True)
        await fa_store.settled()
    assert shown.values == [None, [[1]]]


@pytest.mark.parametrize("value", ["immutable", "called the same"])
async def test_the_same_object_once_more_is_no_news_if_no_edit_can_make_a_difference(
    value: str, fa_store: fa.StateManager
) -> None:
    given: Any = ("a", 1) if value == "immutable" else ["a", 1]
    runs: list[int] = []

    async def compute(get: fa.Get) -> Any:
        runs.append(get(COUNT))
        return given

    equals: Any = None if value == "immutable" else operator.eq
    key = fa.selector(equals=equals)(compute)
    with record(fa_store, key) as shown:
        await fa_store.settled()
        fa_store.set(COUNT, 2)
        await fa_store.settled()
    assert runs == [1, 2]
    assert shown.values == [None, given]


async def test_what_may_not_be_read_any_more_is_not_computed_first(fa_store: fa.StateManager) -> None:
    runs: list[int] = []

    @fa.selector
    def double(get: fa.Get) -> int:
        runs.append(get(COUNT))
        return runs[-1] * 2

    @fa.selector
    async def value(get: fa.Get) -> int | None:
        return get(double) if get(ON) else None

    with record(fa_store, value) as values:
        await fa_store.settled()
        with fa_store.batch():
            fa_store.set(ON, False)
            fa_store.set(COUNT, 2)
        await fa_store.settled()
    assert values.values == [None, 2, None]
    assert runs == [1]


async def test_a_name_that_is_declared_later_ends_the_failure(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    @fa.selector
    async def reading(get: fa.Get) -> Any:
        return get("later")

    @fa.selector
    async def waiting(get: fa.Get) -> Any:
        return await get.resolve("later")

    with record(fa_store, reading), record(fa_store, waiting):
        await fa_store.settled()
        assert [type(each.error) for each in fa_failures.take()] == [fa.UnknownKeyError] * 2

        async def later(get: fa.Get) -> str:
            await anyio.sleep(1)
            return "now"

        fa_store.add_selector("later", later)
        await fa_store.settled()
        assert (fa_store.get(reading), fa_store.get(waiting)) == ("now", "now")
        fa_store.delete("later")
        await fa_store.settled()
        assert fa_store.get(reading.status).state == "failed"
        assert fa_store.get(reading) == "now"
        fa_store.atom("later", "again")
        await fa_store.settled()
        assert (fa_store.get(reading), fa_store.get(waiting)) == ("again", "again")
    fa_failures.take()


# ------------------------------------------------------------------ what may be given, and what is given back


async def test_a_partial_of_an_async_function_is_async(fa_store: fa.StateManager) -> None:
    async def greet(get: fa.Get, greeting: str) -> str:
        await anyio.lowlevel.checkpoint()
        return f"{greeting} {get(QUERY)}"

    hello = fa_store.add_selector("hello", functools.partial(greet, greeting="hello"))
    assert await hello.resolve() == "hello a"
    assert await fa_store.resolve("hello") == "hello a"


async def test_the_key_of_an_async_selector_can_still_be_called(fa_store: fa.StateManager) -> None:
    @fa.selector
    async def double(get: fa.Get) -> int:
        await anyio.lowlevel.checkpoint()
        return get(COUNT) * 2

    @fa.selector
    async def twice(get: fa.Get) -> int:
        once: int = await double(get)
        return 2 * once

    assert await fa_store.resolve(twice) == 4
    fa_store.set(COUNT, 5)
    assert await fa_store.resolve(twice) == 20


def test_the_key_of_a_status_is_the_same_every_time() -> None:
    @fa.selector
    async def one(get: fa.Get) -> int:
        return 1

    @fa.selector
    async def two(get: fa.Get) -> int:
        return 2

    @fa.action(per="item")
    async def save(get: fa.Get, set: fa.Set, item: int) -> None: ...

    assert one.status == one.status
    assert one.status != two.status
    assert save.status_for(1) == save.status_for(1)
    assert save.status_for(1) != save.status_for(2)
    assert {one.status, one.status, two.status} == {one.status, two.status}
    assert {save.status, save.status_for(1), save.status_for(1)} == {save.status, save.status_for(1)}


async def test_a_handle_that_is_read_in_a_selector_is_a_dependency(fa_store: fa.StateManager) -> None:
    async def double(get: fa.Get) -> int:
        return get(COUNT) * 2

    handle = fa_store.add_selector("double", double)
    text = fa.selector(lambda get: f"it is {handle.value}")
    with record_changes(fa_store, text) as seen:
        await fa_store.settled()
        fa_store.set(COUNT, 3)
        await fa_store.settled()
    assert seen.values == ["it is 2", "it is 6"]


async def test_a_circle_through_a_status_is_a_circle(fa_store: fa.StateManager, fa_failures: Failures) -> None:
    keys: dict[str, Any] = {}

    @fa.selector
    async def first(get: fa.Get) -> Any:
        return get(keys["second"].status).is_busy

    @fa.selector
    async def second(get: fa.Get) -> Any:
        return get(first)

    keys["second"] = second
    with pytest.raises(fa.CycleError, match=r": selector first -> status of selector second -> selector first\."):
        await fa_store.resolve(second)
    fa_failures.take()


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_what_comes_of_being_watched_at_all_is_no_news(kind: str, fa_store: fa.StateManager) -> None:
    @fa.selector
    async def value(get: fa.Get) -> int:
        await anyio.sleep(1)
        return get(COUNT)

    heard: list[str] = []

    def hear(status: fa.AsyncValue[Any]) -> None:
        heard.append(status.state)

    async def hear_later(status: fa.AsyncValue[Any]) -> None:
        heard.append(status.state)

    assert fa_store.get(value.status).state == "idle"
    fa_store.listen(value.status, hear if kind == "sync" else hear_later, immediate=False)
    assert (heard, fa_store.get(value.status).state) == ([], "loading")
    await fa_store.settled()
    assert heard == ["ready"]


async def test_who_looks_in_the_turn_of_a_change_sees_that_what_depends_on_it_has_begun_anew(
    fa_store: fa.StateManager,
) -> None:
    @fa.selector
    async def value(get: fa.Get) -> int:
        await anyio.lowlevel.checkpoint()
        return get(COUNT)

    busy: list[bool] = []
    fa_store.listen(COUNT, lambda _: busy.append(fa_store.get(value.status).is_busy), immediate=False)
    fa_store.listen(value, lambda _: None)
    await fa_store.settled()
    fa_store.set(COUNT, 5)
    assert busy == [True]
