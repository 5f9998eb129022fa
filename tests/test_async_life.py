"""Async selectors: whose result counts, as long as who needs it, and what a store does to them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, assert_quiet, explore, quiescent
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


# ------------------------------------------------------------------ latest wins


@pytest.mark.parametrize("how", ["returns", "raises", "goes on", "reads on"])
async def test_a_superseded_result_is_refused_even_if_it_swallows_the_cancellation(
    fa_store: fa.StateManager, fa_failures: Failures, how: str
) -> None:
    @fa.selector
    async def results(get: fa.Get) -> str:
        query = get(QUERY)
        try:
            await anyio.sleep(1 if query == "a" else 3)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                if how == "goes on":
                    await anyio.sleep(10)
                if how == "reads on":
                    get(COUNT)
                    get.progress(0.5)
                    get.on_cleanup(lambda: cleaned.append("at once"))
                    await get.resolve(other)
            if how == "raises":
                raise Offline(query) from None
        return query

    @fa.selector
    async def other(get: fa.Get) -> str:
        return "other"

    cleaned: list[str] = []
    values, statuses = record(fa_store, results), record(fa_store, results.status)
    await anyio.sleep(0.5)
    fa_store.set(QUERY, "b")
    await anyio.sleep(0.5)
    fa_store.set(COUNT, 5)
    await fa_store.settled()
    assert values.values == [None, "b"]
    assert statuses.states == ["loading", "ready"]
    assert cleaned == (["at once"] if how == "reads on" else [])
    told = fa_failures.take()
    assert [each.actor for each in told] == {
        "raises": ["async selector (superseded)"],
        "goes on": ["async selector"],  # it is reported as stuck
    }.get(how, [])
    assert_quiet(fa_store)


async def test_a_change_in_the_turn_in_which_it_ends_counts(fa_store: fa.StateManager) -> None:
    results, asked = search()

    def correct(value: str | None) -> None:
        if value == "A":
            fa_store.set(QUERY, "b")

    waited: list[str] = []

    async def wait() -> None:
        waited.append(await fa_store.resolve(results))

    fa_store.listen(results, correct)
    statuses = record(fa_store, results.status)
    async with anyio.create_task_group() as group:
        group.start_soon(wait)
    assert waited == ["B"], "who waits gets the value for the latest inputs"
    assert asked == ["a", "b"]
    assert statuses[-1].state == "ready"


async def test_nobody_sees_a_new_input_beside_a_status_that_says_ready_for_the_old(fa_store: fa.StateManager) -> None:
    results, _ = search()
    below, _ = search()

    @fa.selector
    def view(get: fa.Get) -> tuple[str, str, str | None]:
        return get(QUERY), get(results.status).state, get(results)

    record(fa_store, results)
    record(fa_store, below)
    await fa_store.settled()
    views = record(fa_store, view)  # it is told of the input before the selector is
    fa_store.set(QUERY, "b")
    assert fa_store.get(view) == ("b", "refreshing", "A")
    await fa_store.settled()
    assert views.values == [
        ("a", "ready", "A"),
        ("b", "refreshing", "A"),
        ("b", "ready", "B"),
    ]


def test_a_status_that_says_ready_never_goes_with_another_input() -> None:
    async def scenario() -> None:
        async with fa.StateManager() as state:
            results, _ = search(0)

            @fa.selector
            def view(get: fa.Get) -> tuple[str, str, str | None]:
                return get(QUERY), get(results.status).state, get(results)

            def check(seen: tuple[str, str, str | None]) -> None:
                assert seen[1] != "ready" or seen[2] == seen[0].upper(), seen

            failures = Failures.of(state)
            state.listen(results, lambda _: None)
            await state.settled()
            state.listen(view, check)
            async with anyio.create_task_group() as group:

                async def type_on(text: str) -> None:
                    for letter in text:
                        await state.set(QUERY, letter)
                        await anyio.lowlevel.checkpoint()

                for text in ("bcd", "efg"):
                    group.start_soon(type_on, text)
            await state.settled()
            failures.assert_none()

    explore(scenario, range(60))


# ------------------------------------------------------------------ who wants it


async def test_it_is_computed_only_while_somebody_observes_or_awaits_it(fa_store: fa.StateManager) -> None:
    results, asked = search()
    assert fa_store.get(results) is None
    assert fa_store.get(results.status).state == "idle"
    await quiescent(fa_store)
    assert asked == []
    with record(fa_store, results.status):
        assert fa_store.statistics().jobs == 1
    assert fa_store.get(results.status).state == "idle"
    await quiescent(fa_store)
    assert_quiet(fa_store)
    assert await fa_store.resolve(results) == "A"
    fa_store.set(QUERY, "b")
    await quiescent(fa_store)
    assert fa_store.get(results) == "A", "nobody observes it"
    assert_quiet(fa_store)
    with record(fa_store, results) as values:
        await fa_store.settled()
    with record(fa_store, results):
        await fa_store.settled()
    assert values.values == ["A", "B"]
    assert [each for each in asked if each == "b"] == ["b"], "a value that is fresh is not computed anew"


@pytest.mark.parametrize("together", [True, False], ids=["a listener", "a selector"])
async def test_who_leaves_and_is_replaced_in_one_turn_interrupts_nothing(
    fa_store: fa.StateManager, together: bool
) -> None:
    results, asked = search()

    @fa.selector
    def either(get: fa.Get) -> str | None:
        return get(results) if get(ON) else "off"

    @fa.selector
    def other(get: fa.Get) -> str | None:
        return "off" if get(ON) else get(results)

    first = record(fa_store, results if together else either)
    with record(fa_store, other):
        await anyio.sleep(0.5)
        with fa_store.batch():
            if together:
                first.close()
            fa_store.set(ON, False)  # one lets go of it, and the other takes it up
        await fa_store.settled()
        assert fa_store.get(other) == "A"
    assert asked == ["a"]


async def test_observers_that_come_and_go_while_they_are_told(fa_store: fa.StateManager) -> None:
    results, asked = search()
    inner: list[fa.Subscription] = []

    def follow(status: fa.AsyncValue[str]) -> None:
        while inner:
            inner.pop().close()
        if status.is_busy:
            inner.append(fa_store.listen(results, lambda _: None))

    subscription = fa_store.listen(results.status, follow)
    await fa_store.settled()
    fa_store.set(QUERY, "b")
    await anyio.sleep(0.5)
    subscription.close()
    await fa_store.settled()
    assert fa_store.get(results) == "B", "the one that came meanwhile observes it"
    inner.pop().close()
    assert asked == ["a", "b"]
    assert_quiet(fa_store)


@pytest.mark.parametrize("observe", [True, False])
async def test_cleanups_are_called_before_the_next_run_and_at_the_end(observe: bool) -> None:
    log: list[str] = []

    @fa.selector
    async def value(get: fa.Get) -> int:
        number = get(COUNT)
        log.append(f"open {number}")
        get.on_cleanup(lambda: log.append(f"close {number}"))
        get.on_cleanup(broken)
        await anyio.sleep(1)
        return number

    def broken() -> None:
        raise Offline

    state = fa.StateManager()
    failures = Failures.of(state)
    async with state:
        if observe:
            state.listen(value, lambda _: None)
        assert await state.resolve(value) == 1
        state.set(COUNT, 2)
        assert await state.resolve(value) == 2
        assert log == ["open 1", "close 1", "open 2"]
    assert log == ["open 1", "close 1", "open 2", "close 2"]
    assert [each.actor for each in failures.take()] == ["cleanup of a selector"] * 2


async def test_it_runs_in_a_context_without_a_page_and_knows_its_store(fa_store: fa.StateManager) -> None:
    import contextvars

    page = contextvars.ContextVar("page", default="none")
    page.set("the listener's")

    @fa.selector
    async def value(get: fa.Get) -> str:
        await anyio.sleep(1)
        return f"{page.get()} {fa.current() is fa_store}"

    assert await fa_store.resolve(value) == "none True"


async def test_it_is_written_by_nobody_else(fa_store: fa.StateManager) -> None:
    results, _ = search()
    writes: list[Callable[[], Any]] = [
        lambda: fa_store.set(results, "x"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]  # the mistake under test
        lambda: fa_store.set(results.status, "x"),  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]  # the same
    ]
    for write in writes:
        with pytest.raises(fa.ReadOnlyError):
            write()


# ------------------------------------------------------------------ the store


@pytest.mark.parametrize("observed", [True, False])
async def test_clearing_and_deleting_begin_afresh(fa_store: fa.StateManager, observed: bool) -> None:
    results, asked = search()
    values = record(fa_store, results) if observed else None
    await fa_store.resolve(results)
    fa_store.set(QUERY, "b")
    await fa_store.resolve(results)
    for begin_afresh, query in ((fa_store.clear, "a"), (lambda: fa_store.delete(results), "a")):
        begin_afresh()
        begun = anyio.current_time()
        assert fa_store.get(results) is None
        assert fa_store.get(results.status).state == ("loading" if observed else "idle")
        await quiescent(fa_store)
        assert await fa_store.resolve(results) == query.upper()
        assert anyio.current_time() == begun + 1
    assert asked == ["a", "b", "a", "a"]
    if values is not None:
        assert values.values == [None, "A", "B", None, "A", None, "A"]


@pytest.mark.parametrize("given", ["constant", "sync", "async"])
@pytest.mark.parametrize("in_thread", [False, True], ids=["loop", "thread"])
async def test_overrides_of_each_kind(given: str, in_thread: bool) -> None:
    threads: set[int] = set()

    async def instead(get: fa.Get) -> str:
        await anyio.sleep(1)
        return f"async {await get.resolve(QUERY)}"

    def at_once(get: fa.Get) -> str:
        threads.add(threading.get_ident())
        return f"sync {get(QUERY)}"

    @fa.selector(in_thread=True)
    def slow(get: fa.Get) -> str:
        raise AssertionError("it is overridden")

    results = slow if in_thread else search()[0]
    override: dict[str, Any] = {"constant": "constant a", "sync": at_once, "async": instead}
    async with fa.StateManager(overrides={results: override[given]}) as state:
        with record(state, results):
            assert await state.resolve(results) == f"{given} a"
            assert state.get(results) == f"{given} a"
            assert state.get(results.status).state == "ready"
            state.set(QUERY, "b")
            assert await state.resolve(results) == ("constant a" if given == "constant" else f"{given} b")
            await state.refresh(results)
            state.clear()
            assert await state.resolve(results) == f"{given} a"
    assert (threading.get_ident() in threads) is (given == "sync" and not in_thread), "what is sync goes where it says"


async def test_what_is_given_is_there_whatever_happens() -> None:
    results, asked = search()
    async with fa.StateManager(overrides={results: "given"}) as state:
        with record_changes(state, results.status) as statuses, record_changes(state, results) as values:
            happens: list[Callable[[], object]] = [
                lambda: state.refresh(results),
                lambda: state.invalidate(results),
                lambda: state.delete(results),
                state.clear,
            ]
            for each in happens:
                each()
                assert state.get(results.status).state == "ready"
                assert await state.resolve(results) == "given"
        assert (statuses.values, values.values, asked) == ([], [], [])


async def test_a_name_that_is_taken_from_a_selector_ends_it_for_those_who_have_its_handle(
    fa_store: fa.StateManager,
) -> None:
    runs: list[str] = []

    async def function(get: fa.Get) -> str:
        runs.append(get(QUERY))
        await anyio.sleep(1)
        return runs[-1]

    handle = fa_store.add_selector("value", function)
    answers: list[str] = []

    async def wait() -> None:
        try:
            await handle.resolve()
        except fa.ClosedError as error:
            answers.append(str(error))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.sleep(0.5)
        fa_store.delete("value")
    assert answers == ["selector value was given up"]
    with record_changes(fa_store, handle.status):
        await quiescent(fa_store)
    assert runs == ["a"]
    assert_quiet(fa_store)


async def test_a_closed_store_answers_those_who_wait_and_computes_nothing() -> None:
    results, _ = search()
    state = fa.StateManager()
    errors: list[BaseException] = []

    async def wait(how: Callable[[Any], Any]) -> None:
        try:
            await how(results)
        except fa.ClosedError as error:
            errors.append(error)

    async with anyio.create_task_group() as group:
        async with state:
            group.start_soon(wait, state.resolve)
            group.start_soon(wait, state.refresh)
            await anyio.sleep(0.5)
    assert len(errors) == 2
    for late in (state.resolve, state.refresh):
        with pytest.raises(fa.ClosedError):
            await late(results)
    assert state.get(results.status).state == "idle"


@pytest.mark.parametrize("is_awaited", [False, True], ids=["observed", "awaited"])
async def test_what_goes_wrong_while_the_store_closes_is_told(is_awaited: bool) -> None:
    @fa.selector
    async def value(get: fa.Get) -> str:
        try:
            await anyio.sleep_forever()
        finally:
            raise Offline

    state = fa.StateManager()
    failures = Failures.of(state)
    answers: list[BaseException] = []

    async def wait() -> None:
        try:
            await state.resolve(value)
        except fa.ClosedError as error:
            answers.append(error)

    async with anyio.create_task_group() as group:
        async with state:
            if is_awaited:
                group.start_soon(wait)
            else:
                state.listen(value, lambda _: None)
            await anyio.wait_all_tasks_blocked()
    assert [(each.key, each.actor, type(each.error)) for each in failures.take()] == [
        (value, "async selector", Offline)
    ]
    assert len(answers) == is_awaited


@pytest.mark.parametrize("is_evicted", [False, True])
async def test_who_has_read_how_one_that_is_gone_was_doing_looks_at_the_new_one(is_evicted: bool) -> None:
    @fa.family(max_size=1)
    async def later(get: fa.Get, number: int) -> int:
        return number

    @fa.selector
    def how(get: fa.Get) -> str:
        return get(later(1).status).state

    async with fa.StateManager() as state:
        await state.resolve(later(1))
        assert state.get(how) == "ready"
        if is_evicted:
            await state.resolve(later(2))
        else:
            state.delete(later(1))
        assert state.get(how) == "idle"
        await state.resolve(later(1))
        assert state.get(how) == "ready"


async def test_what_comes_of_listening_is_no_news_to_who_begins_to_listen() -> None:
    @fa.selector
    async def later(get: fa.Get) -> int:
        return 1

    async with fa.StateManager() as state:
        seen: list[str] = []
        state.listen(later.status, lambda status: seen.append(status.state), immediate=False)
        assert (seen, state.get(later.status).state) == ([], "loading")
        await state.settled()
        assert seen == ["ready"]
