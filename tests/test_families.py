"""Families: selectors by parameter, and which of them a store lets go of."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable
from typing import Any, cast

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, assert_quiet, explore, quiescent, record
from tests.kit.lines import counted

COUNT = fa.Key("count", 1)
ON = fa.Key("on", True)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


class Log(list[str]):
    """What a family has computed and cleaned up, until it is taken."""

    def take(self) -> list[str]:
        taken = list(self)
        self.clear()
        return taken


def squares(**options: Any) -> tuple[Any, Log]:
    """A sync family, and what it did."""
    log = Log()

    def square(get: fa.Get, n: int) -> int:
        log.append(f"+{n}")
        get.on_cleanup(lambda: log.append(f"-{n}"))
        return n * n * get(COUNT)

    decorate = cast("Any", fa.family)(**options)
    return decorate(square), log


def users(seconds: float = 1, **options: Any) -> tuple[Any, Log]:
    """An async family, and what it did."""
    log = Log()

    async def user(get: fa.Get, uid: int) -> str:
        log.append(f"+{uid}")
        get.on_cleanup(lambda: log.append(f"-{uid}"))
        count = get(COUNT)
        await anyio.sleep(seconds)
        return f"user {uid} of {count}"

    decorate = cast("Any", fa.family)(**options)
    return decorate(user), log


def size(state: fa.StateManager) -> int:
    return state.statistics().selectors


# ------------------------------------------------------------------ keys


def test_a_member_is_a_key_equal_by_its_arguments() -> None:
    @fa.family
    def page(get: fa.Get, query: str, number: int = 1, *, order: str = "up") -> str:
        """The pages of a search."""
        return f"{query} {number} {order}"

    assert page("a") == page("a", 1) == page(query="a", number=1, order="up")
    assert hash(page("a")) == hash(page("a", order="up"))
    assert len({page("a"), page("a", 2), page("a", order="down"), page("b")}) == 4
    assert page("a", 2, order="down") != page("a", 2)
    assert repr(page("a", 2, order="down")) == "selector page('a', 2, order='down')"
    assert page.__doc__ == "The pages of a search."
    state = fa.StateManager()
    assert state.get(page("a", order="down")) == "a 1 down"
    assert state.get(page(number=3, query="b")) == "b 3 up"
    assert not state.has(page("c"))


def test_arguments_that_do_not_fit_are_refused_where_they_are_given() -> None:
    square, _ = squares()
    mistakes: list[tuple[Callable[[], object], str]] = [
        (lambda: square(), "square"),
        (lambda: square(1, 2), "square"),
        (lambda: square(m=1), "square"),
        (lambda: square([1]), "hashable"),
    ]
    for mistake, text in mistakes:
        with pytest.raises(TypeError, match=text):
            mistake()
    with pytest.raises(TypeError, match="get and its parameters"):
        fa.family(lambda: 1)  # type: ignore[arg-type, misc]  # pyright: ignore[reportCallIssue, reportArgumentType]  # the mistake under test
    for options in ({"max_size": 0}, {"keep_for": -1}):
        with pytest.raises(ValueError, match="square: (max_size|keep_for)"):
            squares(**options)
    with pytest.raises(TypeError, match="debounce"):
        squares(debounce=1)


@pytest.mark.parametrize("given", ["constant", "sync", "async"])
@pytest.mark.parametrize("which", ["member", "family"])
async def test_overrides_of_a_member_and_of_all(given: str, which: str) -> None:
    user, log = users()

    async def later(get: fa.Get, *uid: int) -> str:
        await anyio.sleep(1)
        return f"async {get(COUNT)} {uid}"

    def now(get: fa.Get, *uid: int) -> str:
        return f"sync {get(COUNT)} {uid}"

    override: dict[str, Any] = {"constant": "constant", "sync": now, "async": later}
    overrides = {user if which == "family" else user(7): override[given]}
    async with fa.StateManager(overrides=overrides) as state:
        uid = (7,) if which == "family" else ()
        expected = "constant" if given == "constant" else f"{given} 1 {uid}"
        assert await state.resolve(user(7)) == expected
        assert log == []
        await state.resolve(user(8))
        assert log == ([] if which == "family" else ["+8"])


def test_overrides_of_a_sync_family() -> None:
    square, log = squares()

    def negative(get: fa.Get, n: int) -> int:
        return -n

    state = fa.StateManager(overrides={square: negative})
    assert [state.get(square(n)) for n in range(3)] == [0, -1, -2]
    state = fa.StateManager(overrides={square: 5, square(2): 6})
    assert [state.get(square(n)) for n in range(3)] == [5, 5, 6]
    assert log == []


# ------------------------------------------------------------------ as selectors


async def test_members_are_computed_apart_and_share_their_inputs(fa_store: fa.StateManager) -> None:
    user, log = users()
    square, squared = squares()

    @fa.selector
    def all_squares(get: fa.Get) -> int:
        return sum(get(square(n)) for n in range(3))

    @fa.selector
    async def both(get: fa.Get) -> list[str]:
        return [await get.resolve(user(n)) for n in (1, 2)]

    with record(fa_store, both), record(fa_store, all_squares) as sums:
        await fa_store.settled()
        assert fa_store.get(both) == ["user 1 of 1", "user 2 of 1"]
        assert (sorted(log.take()), squared.take()) == (["+1", "+2"], ["+0", "+1", "+2"])
        fa_store.set(COUNT, 2)
        await fa_store.settled()
        assert fa_store.get(both) == ["user 1 of 2", "user 2 of 2"]
        assert log.count("+1") == 1
        assert squared.take() == ["-0", "+0", "-1", "+1", "-2", "+2"]
        assert sums.values == [10]
        assert fa_store.get(user(1).status).state == "ready"
        assert fa_store.get(user(3).status).state == "idle"


async def test_a_family_in_a_worker_thread(fa_store: fa.StateManager) -> None:
    @fa.family(in_thread=True, initial=0, max_size=2)
    def slow(get: fa.Get, n: int) -> int:
        return n * get(COUNT)

    assert fa_store.get(slow(3)) == 0
    assert await fa_store.resolve(slow(3)) == 3


# ------------------------------------------------------------------ refreshing


async def test_refreshing_a_family_is_about_those_that_are_needed(fa_store: fa.StateManager) -> None:
    user, log = users()
    square, squared = squares()
    for n in (1, 2, 3):
        await fa_store.resolve(user(n))
        fa_store.get(square(n))
    told: list[int] = []
    fa_store.listen(square(1), told.append, immediate=False)
    with record(fa_store, user(1).status) as statuses, record(fa_store, user(2)):
        for each in (log, squared):
            each.clear()
        begun = anyio.current_time()
        await fa_store.refresh(user)
        assert anyio.current_time() - begun == pytest.approx(1), "side by side"
        assert sorted(log.take()) == ["+1", "+2", "-1", "-2"]
        assert statuses.states == ["refreshing", "ready"]
        await fa_store.refresh(square)
        assert squared.take() == ["-1", "+1"]
    assert await fa_store.resolve(user(3)) == "user 3 of 1"
    assert log.take() == ["-3", "+3"], "when it was next needed"
    fa_store.get(square(2))
    assert squared.take() == ["-2", "+2"]
    fa_store.invalidate(user)
    assert await fa_store.resolve(user(1)) == "user 1 of 1"
    assert log.take() == ["-1", "+1"]
    await fa_store.refresh(users()[0])  # nobody has asked for any of it


async def test_refreshing_a_family_tells_in_one_turn(fa_store: fa.StateManager) -> None:
    calls: list[int] = []

    @fa.family
    def number(get: fa.Get, n: int) -> int:
        calls.append(n)
        return len(calls)

    seen: list[int] = []

    @fa.selector
    def total(get: fa.Get) -> int:
        return sum(get(number(n)) for n in range(3))

    fa_store.listen(total, seen.append, immediate=False)
    await fa_store.refresh(number)
    assert (len(calls), len(seen)) == (6, 1)


async def test_a_refresh_of_a_family_raises_what_one_of_it_raised(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    @fa.family
    async def user(get: fa.Get, uid: int) -> str:
        await anyio.sleep(uid)
        if uid == 1:
            raise LookupError(uid)
        return "fine"

    with record(fa_store, user(1)), record(fa_store, user(2).status) as statuses:
        await fa_store.settled()
        fa_failures.take()
        with pytest.raises(LookupError):
            await fa_store.refresh(user)
        assert statuses.states[-1] == "ready", "the others were waited for"
    assert fa_failures == []


# ------------------------------------------------------------------ room for so many


def test_the_one_that_was_used_longest_ago_makes_room() -> None:
    square, log = squares(max_size=2)
    state = fa.StateManager()
    for n in (1, 2, 1, 3):
        state.get(square(n))
    assert log.take() == ["+1", "+2", "-2", "+3"]
    state.get(square(1))
    assert log.take() == []
    assert state.has(square(3))
    assert not state.has(square(2))
    state.get(square(2))
    assert log.take() == ["-3", "+2"]


async def test_resolving_and_observing_are_uses_too(fa_store: fa.StateManager) -> None:
    user, log = users(max_size=2)
    await fa_store.resolve(user(1))
    await fa_store.resolve(user(2))
    await fa_store.resolve(user(1))
    await fa_store.resolve(user(3))
    assert log.take() == ["+1", "+2", "-2", "+3"]
    record(fa_store, user(1)).close()
    await fa_store.resolve(user(4))
    assert log.take() == ["-3", "+4"]


async def test_what_is_observed_awaited_or_computed_stays(fa_store: fa.StateManager) -> None:
    user, _ = users(max_size=1)
    square, squared = squares(max_size=1)
    waited: list[str] = []

    async def wait(uid: int) -> None:
        waited.append(await fa_store.resolve(user(uid)))

    with record(fa_store, user(1)), record(fa_store, user(2).status), record(fa_store, square(1)):
        async with anyio.create_task_group() as group:
            group.start_soon(wait, 3)
            await anyio.sleep(0.5)
            for n in range(4, 10):
                assert fa_store.get(user(n)) is None
                fa_store.get(square(n))
            assert [fa_store.has(user(n)) for n in range(1, 5)] == [True, True, True, False]
        assert waited == ["user 3 of 1"]
        assert fa_store.get(user(1)) == "user 1 of 1"
        assert fa_store.get(square(1)) == 1
        assert "-1" not in squared
    await quiescent(fa_store)
    assert size(fa_store) == 2, "one of each family"
    assert_quiet(fa_store)


async def test_what_was_resolved_inside_another_is_there_when_it_goes_on(fa_store: fa.StateManager) -> None:
    user, log = users(max_size=1)

    @fa.selector
    async def page(get: fa.Get) -> list[str]:
        return [await get.resolve(user(n)) for n in (1, 2, 3)]

    with record(fa_store, user(9)):
        assert await fa_store.resolve(page) == [f"user {n} of 1" for n in (1, 2, 3)]
        assert sorted(log.take()) == ["+1", "+2", "+3", "+9", "-1", "-2", "-3"]


def test_a_member_that_computes_keeps_what_it_reads_until_it_is_done() -> None:
    calls: list[int] = []

    @fa.family(max_size=3)
    def fib(get: fa.Get, n: int) -> int:
        calls.append(n)
        return n if n < 2 else get(fib(n - 1)) + get(fib(n - 2))

    state = fa.StateManager()
    assert state.get(fib(20)) == 6765
    assert len(calls) == 21
    assert state.has(fib(20))
    assert size(state) == 3


def test_one_that_others_have_read_may_go_and_they_stay_right() -> None:
    square, log = squares(max_size=2)

    @fa.selector
    def total(get: fa.Get) -> int:
        return int(get(square(1)) + get(square(2)))

    state = fa.StateManager()
    assert state.get(total) == 5
    state.get(square(3))
    assert log.take() == ["+1", "+2", "-1", "+3"]
    assert state.get(total) == 5
    assert log.take() == ["+1", "-3"], "only the one that had gone is computed, and the one that it had read stays"
    state.get(square(3))
    assert log.take() == ["-1", "+3"]
    state.set(COUNT, 2)
    assert state.get(total) == 10
    assert log.count("+1") == log.count("+2") == 1, (
        "the one that is gone is not computed for the sake of who has read it"
    )
    log.clear()
    state.set(COUNT, 10)
    assert state.get(total) == 50
    seen: list[int] = []
    state.listen(total, seen.append)
    state.get(square(4))
    state.get(square(5))
    state.set(COUNT, 100)
    assert seen == [50, 500]
    assert state.has(square(1))
    assert state.has(square(2))


def test_one_that_is_just_being_observed_stays() -> None:
    for family, _ in (squares(max_size=1), users(max_size=1)):
        state = fa.StateManager()
        state.get(family(1))
        with state.batch():
            state.listen(family(1), lambda _: None)
            state.get(family(2))
            assert state.has(family(1))
        state.get(family(3))
        assert [state.has(family(n)) for n in (1, 2, 3)] == [True, False, True]


def test_one_that_was_asked_for_long_ago_makes_room_when_nobody_observes_it() -> None:
    square, log = squares(max_size=1)
    state = fa.StateManager()
    listeners = [state.listen(square(n), lambda _: None) for n in (1, 2)]
    log.take()
    listeners[1].close()
    assert (state.has(square(1)), state.has(square(2)), log) == (True, False, ["-2"])


def test_more_than_there_is_room_for_is_right_all_the_same() -> None:
    square, log = squares(max_size=2)

    @fa.selector
    def total(get: fa.Get) -> int:
        return sum(get(square(n)) for n in range(10))

    state = fa.StateManager()
    assert [state.get(total) for _ in range(3)] == [285] * 3
    assert size(state) == 3
    seen: list[int] = []
    with state.listen(total, seen.append):
        log.clear()
        state.set(COUNT, 2)
        assert seen == [285, 570]
        assert len(log.take()) == 20, "while it is observed they all stay"
    assert size(state) == 3
    assert len(log.take()) == 8


def test_nothing_is_computed_twice_or_left_open_in_any_order() -> None:
    async def scenario(chance: Any) -> None:
        opened: dict[int, int] = {}

        @fa.family(max_size=3, keep_for=2)
        async def user(get: fa.Get, uid: int) -> str:
            opened[uid] = opened.get(uid, 0) + 1
            assert opened[uid] == 1, "two at the same time"
            get.on_cleanup(lambda: opened.__setitem__(uid, opened[uid] - 1))
            count = get(COUNT)
            await anyio.sleep(chance.uniform(0, 1))
            return f"{uid} of {count}"

        async with fa.StateManager() as state:
            failures = Failures.of(state)

            async def use() -> None:
                for _ in range(5):
                    uid = chance.randrange(6)
                    if chance.random() < 0.5:
                        with anyio.move_on_after(chance.uniform(0, 2)):
                            assert (await state.resolve(user(uid))).startswith(f"{uid} of ")
                    else:
                        with record(state, user(uid)):
                            await anyio.sleep(chance.uniform(0, 1))
                    if chance.random() < 0.3:
                        state.set(COUNT, chance.randrange(100))

            async with anyio.create_task_group() as group:
                for _ in range(4):
                    group.start_soon(use)
            await quiescent(state)
            assert_quiet(state)
            assert size(state) <= 3
            await anyio.sleep(3)
            assert (size(state), set(opened.values())) == (0, {0})
            failures.assert_none()

    explore(scenario, range(60))


# ------------------------------------------------------------------ kept for a while


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_member_is_let_go_when_nobody_has_needed_it_for_a_while(fa_store: fa.StateManager, kind: str) -> None:
    family, log = squares(keep_for=10) if kind == "sync" else users(keep_for=10)
    fa_store.get(family(1))
    log.clear()
    subscription = record(fa_store, family(2))
    await anyio.sleep(9)
    fa_store.get(family(1))
    await fa_store.resolve(family(1))
    await anyio.sleep(9)
    assert fa_store.has(family(1)), "it was used meanwhile"
    await anyio.sleep(20)
    assert (fa_store.has(family(1)), fa_store.has(family(2))) == (False, True)
    subscription.close()
    again = record(fa_store, family(2))
    await anyio.sleep(20)
    assert fa_store.has(family(2))
    again.close()
    await anyio.sleep(9)
    assert fa_store.has(family(2))
    await anyio.sleep(2)
    assert size(fa_store) == 0
    assert log.take()[-1] == "-2"
    assert await fa_store.resolve(family(2)) is not None, "it is made anew"


async def test_a_store_may_end_while_somebody_observes_what_it_keeps_for_a_while() -> None:
    for family, _ in (squares(keep_for=1), users(keep_for=1)):
        async with fa.StateManager() as state:
            failures = Failures.of(state)
            state.listen(family(1), lambda _: None)
            await anyio.sleep(2)
        assert failures == []


def test_without_a_loop_a_time_begins_when_there_is_one() -> None:
    square, log = squares(keep_for=0.001)
    state = fa.StateManager()
    for n in range(100):
        state.get(square(n))
    assert size(state) == 100

    async def main() -> None:
        async with state:
            with anyio.fail_after(5):
                while size(state):  # noqa: ASYNC110  # a store tells nobody of what it lets go
                    await anyio.sleep(0.001)

    anyio.run(main)
    assert len(log) == 200


# ------------------------------------------------------------------ the end


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_cleanups_are_called_at_eviction_deletion_and_the_end_of_the_store(kind: str) -> None:
    family, log = squares(max_size=3) if kind == "sync" else users(max_size=3)
    async with fa.StateManager() as state:
        for n in (1, 2, 3, 4):
            await state.resolve(family(n))
        assert log.take() == ["+1", "+2", "+3", "-1", "+4"]
        state.delete(family(2))
        assert log.take() == ["-2"]
        await state.resolve(family(2))
        state.set(COUNT, 2)
        await state.resolve(family(2))
        assert log.take() == ["+2", "-2", "+2"]
        with record(state, family(3)) as shown:
            await state.resolve(family(3))
            state.delete(family(3))
            assert await state.resolve(family(3)) is not None
            assert bool(shown.values) == (kind == "async"), "the sync one is what it was"
        log.clear()
        if kind == "async":
            state.clear()
            assert sorted(log.take()) == ["-2", "-3", "-4"]
            await state.resolve(family(2))
            log.clear()
    assert sorted(log) == (["-2", "-3", "-4"] if kind == "sync" else ["-2"])


async def test_an_evicted_member_is_let_go_in_full(fa_store: fa.StateManager) -> None:
    class Thing:
        """Something to be collected."""

    things: list[weakref.ref[Thing]] = []

    @fa.family(max_size=1)
    def sync(get: fa.Get, n: int) -> Thing:
        things.append(weakref.ref(thing := Thing()))
        get.on_cleanup(lambda: None)
        get(COUNT)
        return thing

    @fa.family(max_size=1)
    async def later(get: fa.Get, n: int) -> Thing:
        await anyio.lowlevel.checkpoint()
        return get(sync(n))

    for n in range(5):
        await fa_store.resolve(later(n))
    await quiescent(fa_store)
    gc.collect()
    assert len([ref for ref in things if ref() is not None]) == 1


async def test_an_evicted_member_is_not_computed_for_one_that_has_read_its_status(fa_store: fa.StateManager) -> None:
    user, log = users(max_size=1)

    @fa.selector
    async def page(get: fa.Get) -> str:
        state: str = get(user(1).status).state
        await anyio.sleep(1)
        return state

    with record(fa_store, page):
        await fa_store.settled()
    await fa_store.resolve(user(2))
    fa_store.set(COUNT, 2)  # what it was computed for
    assert not fa_store.has(user(1))
    log.clear()
    with record(fa_store, page):
        await fa_store.settled()
    assert log == ["-2", "+1"], "the one that is found from then on is computed, and no other"


async def test_an_item_of_another_thread_is_found_and_used(fa_store: fa.StateManager) -> None:
    square, _ = squares(max_size=2)
    user, _ = users(0, max_size=2)

    def work() -> list[Any]:
        found: list[Any] = [fa_store.get(square(n)) for n in range(5)]
        fa_store.refresh(user(1)).wait(5)
        fa_store.refresh(user).wait(5)
        return [*found, fa_store.get(user(1))]

    assert await anyio.to_thread.run_sync(work) == [0, 1, 4, 9, 16, "user 1 of 1"]
    assert size(fa_store) == 3


# ------------------------------------------------------------------ what it costs


@pytest.mark.parametrize("kind", ["sync", "observed", "async"])
async def test_ten_thousand_members_are_no_square(fa_store: fa.StateManager, kind: str) -> None:
    family = users(max_size=100)[0] if kind == "async" else squares(max_size=100, keep_for=1000)[0]

    def cost(count: int, start: int) -> int:
        with counted() as lines:
            for n in range(start, start + count):
                if kind == "observed":
                    fa_store.listen(family(n), lambda _: None)
                else:
                    fa_store.get(family(n))
        return lines.count

    cost(200, 10**6)
    few = cost(500, 0)
    assert few < cost(5000, 1000) < 20 * few


def test_arguments_that_do_not_fit_are_refused_at_the_call() -> None:
    @fa.family
    def one(get: fa.Get, item: int) -> int:
        return item

    @fa.family
    def named(get: fa.Get, *, item: int) -> int:
        return item

    calls: list[Callable[[], object]] = [
        lambda: cast("Any", one)(),
        lambda: cast("Any", one)(1, 2),
        lambda: cast("Any", one)(1, 2, 3),
        lambda: cast("Any", named)(1),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="argument"):
            call()
    state = fa.StateManager()
    assert (state.get(one(1)), state.get(named(item=2))) == (1, 2)
    assert copy.copy(one) is one
