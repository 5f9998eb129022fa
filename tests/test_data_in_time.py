"""Async selectors by their options, and families: what is computed when, kept for how long, and by whom."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, assert_quiet, record

QUERY = fa.Key("query", "a")
CART = fa.Key[list[str]]("cart", factory=list)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


class Server:
    """Answers after a second; notes what it was asked, and fails when told to."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.fails = 0

    async def ask(self, question: str) -> str:
        self.asked.append(question)
        await anyio.sleep(1)
        if self.fails:
            self.fails -= 1
            raise ConnectionError("no answer")
        return question.upper()


def results_of(server: Server, **options: Any) -> Any:
    async def results(get: fa.Get) -> str:
        return await server.ask(get(QUERY))

    make: Any = fa.selector
    return make(**options)(results)


# ------------------------------------------------------------------ the life of a value


async def test_from_idle_to_ready_to_refreshing_to_failed() -> None:
    server = Server()
    results = results_of(server)
    async with fa.StateManager() as state:
        failures = Failures.of(state)
        assert (state.get(results), state.get(results.status)) == (None, fa.AsyncValue())
        await anyio.sleep(10)
        assert server.asked == [], "nobody has asked"
        seen = record(state, results.status, initial=True)
        await state.settled()
        state.set(QUERY, "b")
        await anyio.sleep(0.5)
        assert state.get(results) == "A", "the one before is shown meanwhile"
        await state.settled()
        server.fails = 1
        state.set(QUERY, "c")
        await state.settled()
        assert state.get(results) == "B", "and after a failure"
        assert [(each.state, each.value, each.message) for each in seen.values] == [
            ("loading", None, ""),
            ("ready", "A", ""),
            ("refreshing", "A", ""),
            ("ready", "B", ""),
            ("refreshing", "B", ""),
            ("failed", "B", "no answer"),
        ]
        (failure,) = failures.take()
        assert failure.key == results
        assert state.get(results.status).updated_at == pytest.approx(time.time(), abs=60)


async def test_get_raises_only_where_there_is_nothing_to_fall_back_to() -> None:
    server = Server()
    bare, begun = results_of(server), results_of(server, initial="nothing yet")
    async with fa.StateManager() as state:
        server.fails = 2
        for key in (bare, begun):
            with pytest.raises(ConnectionError):
                await state.resolve(key)
        with pytest.raises(ConnectionError):
            state.get(bare)
        assert state.get(begun) == "nothing yet"
        assert state.get(bare.status).value_or("other") == "other"
        await state.refresh(bare)
        assert state.get(bare) == "A"


async def test_without_keep_previous_a_new_computation_shows_nothing() -> None:
    results = results_of(Server(), keep_previous=False, initial="...")
    async with fa.StateManager() as state:
        values = record(state, results)
        await state.settled()
        state.set(QUERY, "b")
        assert state.get(results.status).state == "loading"
        await state.settled()
        assert values.values == ["A", "...", "B"]


async def test_match_takes_a_status_apart() -> None:
    def words(status: fa.AsyncValue[str]) -> str:
        match status:
            case fa.AsyncValue("idle"):
                return "ask me"
            case fa.AsyncValue("loading" | "refreshing", progress=progress):
                return f"{progress}"
            case fa.AsyncValue("ready", value):
                return f"{value}"
            case fa.AsyncValue(error=error):
                return f"{error}"

    @fa.selector
    async def results(get: fa.Get) -> str:
        get.progress(0.5, "half")
        await anyio.sleep(1)
        return get(QUERY)

    async with fa.StateManager() as state:
        assert words(state.get(results.status)) == "ask me"
        with state.listen(results, lambda _: None):
            await anyio.sleep(0.5)
            assert words(state.get(results.status)) == "0.5"
            assert state.get(results.status).progress_text == "half"
            await state.settled()
            assert words(state.get(results.status)) == "a"
            assert state.get(results.status).progress is None


async def test_dependencies_are_tracked_after_an_await_and_anew_in_each_run() -> None:
    other = fa.Key("other", "x")

    @fa.selector
    async def results(get: fa.Get) -> str:
        await anyio.sleep(1)
        return get(other) if get(QUERY) == "a" else get.peek(other)

    async with fa.StateManager() as state:
        values = record(state, results)
        await state.settled()
        state.set(other, "y")
        await state.settled()
        state.set(QUERY, "b")
        await state.settled()
        state.set(other, "z")  # only peeked at
        await state.settled()
        assert values.values == ["x", "y"]
        assert not state.get(results.status).is_busy


async def test_debounce_waits_for_a_pause_and_only_for_changes() -> None:
    server = Server()
    results = results_of(server, debounce=0.3)
    async with fa.StateManager() as state:
        assert await state.resolve(results) == "A"
        with state.listen(results, lambda _: None):
            for letter in "bcd":
                state.set(QUERY, letter)
                assert state.get(results.status).is_busy
                await anyio.sleep(0.2)
            before = anyio.current_time()
            assert await state.resolve(results) == "D"
            assert anyio.current_time() - before == pytest.approx(1.1)
            await state.refresh(results)
        assert server.asked == ["a", "d", "d"]


async def test_retry_goes_on_until_it_succeeds_or_is_used_up() -> None:
    server = Server()
    results = results_of(server, retry=fa.Retry(3, base=1, cap=5, on=(ConnectionError,)))
    async with fa.StateManager() as state:
        server.fails = 2
        seen = record(state, results.status)
        assert await state.resolve(results) == "A"
        assert seen.states == ["ready"], "one long loading"
        server.fails = 3
        state.set(QUERY, "b")
        with pytest.raises(ConnectionError):
            await state.resolve(results)
        assert server.asked == ["a"] * 3 + ["b"] * 3
        server.fails = 1
        with state.listen(results, lambda _: None):
            state.set(QUERY, "c")
            await anyio.sleep(1.2)  # between two tries
            state.set(QUERY, "d")
            await state.settled()
        assert state.get(results) == "D"


async def test_a_value_is_stale_after_a_while_and_refreshed_while_it_is_observed() -> None:
    server = Server()
    results = results_of(server, stale_after=60)
    polled = results_of(server, refresh_every=10)
    async with fa.StateManager() as state:
        await state.resolve(results)
        await anyio.sleep(30)
        await state.resolve(results)
        assert len(server.asked) == 1
        await anyio.sleep(40)
        await state.resolve(results)
        assert len(server.asked) == 2
        server.asked.clear()
        with state.listen(polled, lambda _: None):
            await anyio.sleep(35)
            assert len(server.asked) == 4
        await anyio.sleep(100)
        assert len(server.asked) == 4
        assert_quiet(state)


async def test_keep_for_gives_a_value_up_when_nobody_observes_it() -> None:
    results = results_of(Server(), keep_for=5)
    async with fa.StateManager() as state:
        await state.resolve(results)
        await anyio.sleep(4)
        with state.listen(results, lambda _: None):
            await anyio.sleep(100)
        await anyio.sleep(4)
        assert state.get(results) == "A"
        await anyio.sleep(2)
        assert state.get(results) is None
        assert state.get(results.status).state == "idle"


async def test_refresh_supersedes_and_invalidate_waits_for_a_need() -> None:
    server = Server()
    results = results_of(server)
    async with fa.StateManager() as state:
        first = state.refresh(results)
        await anyio.sleep(0.5)
        await state.refresh(results)
        assert first.is_done
        assert server.asked == ["a", "a"]
        state.invalidate(results)
        await anyio.sleep(5)
        assert len(server.asked) == 2
        await state.resolve(results)
        assert len(server.asked) == 3
        server.fails = 1
        with pytest.raises(ConnectionError):
            await state.refresh(results)
        failures = Failures.of(state)
        server.fails = 1
        state.refresh(results)  # nobody awaits it
        await state.settled()
        assert len(failures.take()) == 1


async def test_an_edit_in_place_passes_through() -> None:
    @fa.selector
    async def copied(get: fa.Get) -> list[str]:
        await anyio.lowlevel.checkpoint()
        return [*get(CART)]

    count = fa.selector(lambda get: len(get(copied) or ()))
    async with fa.StateManager() as state:
        with state.listen(count, lambda _: None):
            await state.settled()
            for number in (1, 2):
                state.mutate(CART, lambda cart: cart.append("milk"))
                await state.settled()
                assert state.get(count) == number


async def test_cleanups_come_before_the_next_run_and_at_the_end() -> None:
    diary: list[str] = []

    @fa.selector
    async def results(get: fa.Get) -> str:
        query = get(QUERY)
        get.on_cleanup(lambda: diary.append(f"-{query}"))
        diary.append(f"+{query}")
        return query

    @fa.selector
    def sync(get: fa.Get) -> str:
        query = get(QUERY)
        get.on_cleanup(lambda: diary.append(f"-sync {query}"))
        return query

    async with fa.StateManager() as state:
        with state.listen(results, lambda _: None), state.listen(sync, lambda _: None):
            await state.settled()
            state.set(QUERY, "b")
            await state.settled()
        assert sorted(diary[:3]) == ["+a", "-a", "-sync a"]
        assert diary[3:] == ["+b"]
        diary.clear()
    assert sorted(diary) == ["-b", "-sync b"]


# ------------------------------------------------------------------ chains, circles, oneself


async def test_when_the_source_recovers_those_who_have_resolved_it_do() -> None:
    server = Server()
    source = results_of(server)

    @fa.selector
    async def shouted(get: fa.Get) -> str:
        return f"{await get.resolve(source)}!"

    async with fa.StateManager() as state:
        failures = Failures.of(state)
        with state.listen(shouted, lambda _: None):
            await state.settled()
            assert state.get(shouted) == "A!"
            server.fails = 1
            state.invalidate(source)
            with pytest.raises(ConnectionError):
                await state.refresh(shouted)
            assert state.get(shouted.status).message == "no answer"
            await state.refresh(source)
            await state.settled()
            assert state.get(shouted.status).state == "ready"
        failures.clear()


async def test_waiting_for_oneself_is_told() -> None:
    @fa.selector
    async def alone(get: fa.Get) -> int:
        return await get.resolve(alone)

    @fa.selector
    async def ping(get: fa.Get) -> int:
        return await get.resolve(pong)

    @fa.selector
    async def pong(get: fa.Get) -> int:
        return await get.resolve(ping)

    @fa.selector
    async def own_status(get: fa.Get) -> bool:
        key: Any = own_status
        return bool(get(key.status).is_busy)

    async with fa.StateManager() as state:
        for key in (alone, ping):
            with pytest.raises((fa.DeadlockError, fa.CycleError)):
                await state.resolve(key)
        with pytest.raises(fa.CycleError, match="own_status"):
            await state.resolve(own_status)


async def test_a_sync_selector_cannot_wait() -> None:
    results = results_of(Server())

    @fa.selector
    def wrong(get: fa.Get) -> object:
        return get.resolve(results)

    async with fa.StateManager() as state:
        with pytest.raises(TypeError, match="Make it `async def`"):
            state.get(wrong)
    with pytest.raises(TypeError, match="debounce is for those that take time"):
        fa.selector(debounce=1)(lambda get: 1)
    with pytest.raises(ValueError, match="debounce is in seconds"):
        results_of(Server(), debounce=-1)


async def test_a_stray_cancellation_ends_one_computation_and_nothing_else() -> None:
    @fa.selector
    async def stray(get: fa.Get) -> str:
        if get(QUERY) == "a":
            raise anyio.get_cancelled_exc_class()() if anyio.get_cancelled_exc_class().__module__ != "trio" else OSError
        return "fine"

    async with fa.StateManager() as state:
        failures = Failures.of(state)
        with state.listen(stray, lambda _: None):
            await state.settled()
            assert state.get(stray.status).state == "failed"
            state.set(QUERY, "b")
            await state.settled()
            assert state.get(stray) == "fine"
        failures.clear()


# ------------------------------------------------------------------ threads, overrides


def test_in_a_thread() -> None:
    async def main() -> None:
        gate, threads = threading.Event(), list[int]()

        @fa.selector(in_thread=True)
        def heavy(get: fa.Get) -> str:
            threads.append(threading.get_ident())
            gate.wait(10)
            return get(QUERY).upper()

        async with fa.StateManager() as state:
            with state.listen(heavy, lambda _: None):
                assert state.get(heavy.status).state == "loading"
                gate.set()
                assert await state.resolve(heavy) == "A"
                state.set(QUERY, "b")
                assert await state.resolve(heavy) == "B"
            assert threading.get_ident() not in threads

    anyio.run(main)


def test_in_threads_of_a_limiter() -> None:
    async def main() -> None:
        limiter = anyio.CapacityLimiter(1)
        at_once = most = 0

        @fa.family(in_thread=limiter)
        def heavy(get: fa.Get, number: int) -> int:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            time.sleep(0)
            at_once -= 1
            return number * 2

        async with fa.StateManager() as state, anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(state.resolve, heavy(number))
        assert most == 1

    anyio.run(main)


async def test_overrides() -> None:
    server = Server()
    results, other = results_of(server), results_of(server)

    @fa.family
    async def user(get: fa.Get, uid: int) -> str:
        return await server.ask(str(uid))

    async def fake(get: fa.Get) -> str:
        return f"fake {get(QUERY)}"

    async with fa.StateManager(overrides={results: "given", other: fake, user(7): "seven"}) as state:
        assert state.get(results) == "given"
        assert state.get(results.status).state == "ready"
        assert await state.resolve(other) == "fake a"
        assert state.get(user(7)) == "seven"
        assert server.asked == []


# ------------------------------------------------------------------ families


async def test_a_member_for_each_parameter() -> None:
    server = Server()

    @fa.family
    async def user(get: fa.Get, uid: int, *, full: bool = False) -> str:
        return await server.ask(f"{uid}{'+' if full else ''}")

    @fa.family
    def twice(get: fa.Get, number: int) -> int:
        return number * 2

    assert user(7) == user(7, full=False) == user(uid=7)
    assert user(7) != user(7, full=True)
    assert repr(user(7)) == "selector user(7, full=False)"
    async with fa.StateManager() as state:
        assert await state.resolve(user(7)) == "7"
        assert await state.resolve(user(7)) == "7"
        assert await state.resolve(user(7, full=True)) == "7+"
        assert server.asked == ["7", "7+"]
        assert state.get(twice(4)) == 8
        with pytest.raises(TypeError, match="missing a required argument"):
            user()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # the mistake
        with pytest.raises(TypeError, match="must be hashable"):
            twice([1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
        await state.refresh(user)
        assert len(server.asked) == 2, "nobody observes them"
        with state.listen(user(7), lambda _: None):
            await state.refresh(user)
            assert len(server.asked) == 3
        state.invalidate(user)
        await state.resolve(user(7, full=True))
        assert len(server.asked) == 4


async def test_the_one_that_was_used_longest_ago_goes_first_and_never_one_in_use() -> None:
    server = Server()

    @fa.family(max_size=2)
    async def user(get: fa.Get, uid: int) -> str:
        return await server.ask(str(uid))

    async with fa.StateManager() as state:
        for uid in (1, 2, 1, 3):
            await state.resolve(user(uid))
        assert [state.has(user(uid)) for uid in (1, 2, 3)] == [True, False, True]
        with state.listen(user(1), lambda _: None), state.listen(user(3), lambda _: None):
            await state.resolve(user(4))
            assert [state.has(user(uid)) for uid in (1, 3)] == [True, True], "observed"
            async with anyio.create_task_group() as group:
                for uid in (5, 6):
                    group.start_soon(state.resolve, user(uid))
                await wait_all_tasks_blocked()
                assert state.has(user(5)), "under way"
        await anyio.sleep(1)
        assert sum(state.has(user(uid)) for uid in range(10)) == 2


async def test_a_member_is_kept_for_a_while() -> None:
    cleaned: list[int] = []

    @fa.family(keep_for=60)
    async def user(get: fa.Get, uid: int) -> int:
        get.on_cleanup(lambda: cleaned.append(uid))
        return uid

    @fa.family(keep_for=60)
    def twice(get: fa.Get, uid: int) -> int:
        return uid * 2

    async with fa.StateManager() as state:
        await state.resolve(user(1))
        assert state.get(twice(1)) == 2
        with state.listen(user(2), lambda _: None):
            await anyio.sleep(59)
            assert state.has(user(1))
            await anyio.sleep(2)
            assert (state.has(user(1)), state.has(user(2)), state.has(twice(1))) == (False, True, False)
            assert cleaned == [1]
        await anyio.sleep(61)
        assert not state.has(user(2))
        assert state.statistics().selectors == 0


async def test_who_has_read_a_member_that_is_gone_finds_the_new_one() -> None:
    @fa.family(max_size=1)
    def item(get: fa.Get, number: int) -> str:
        return f"{get(QUERY)}{number}"

    first = fa.selector(lambda get: get(item(1)))
    async with fa.StateManager() as state:
        assert state.get(first) == "a1"
        assert state.get(item(2)) == "a2"
        assert not state.has(item(1))
        state.set(QUERY, "b")
        assert state.get(first) == "b1"
        with state.listen(first, lambda _: None):
            state.set(QUERY, "c")
            assert state.get(first) == "c1"


async def test_many_members_are_cheap_and_leave_nothing() -> None:
    @fa.family(keep_for=1)
    def square(get: fa.Get, number: int) -> int:
        return number * number

    async with fa.StateManager() as state:
        assert sum(state.get(square(number)) for number in range(5_000)) > 0
        await anyio.sleep(2)
        assert state.statistics().selectors == 0
        assert_quiet(state)
    gc.collect()
