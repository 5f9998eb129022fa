"""Where async selectors live: no loop, one loop after the other, threads, other stores; and what they hold on to."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, assert_quiet, quiescent, record, virtual_backend
from tests.kit.lines import counted
from tests.kit.threads import in_thread

QUERY = fa.Key("query", "a")
COUNT = fa.Key("count", 1)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


@fa.selector
async def upper(get: fa.Get) -> str:
    query = get(QUERY)
    await anyio.lowlevel.checkpoint()
    return query.upper()


async def until(condition: Callable[[], object]) -> None:
    """Wait for something on another thread, or on the one loop that there is."""
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110  # a thread sets no event of a loop
            await anyio.sleep(0.001)


# ------------------------------------------------------------------ loops


def run(main: Callable[[], Awaitable[Any]], backend: str) -> Any:
    return anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_without_a_loop_it_is_held_until_there_is_one(backend: str) -> None:
    state = fa.StateManager()
    shown = record(state, upper)
    assert state.get(upper.status).state == "loading"
    for query in "bcd":
        state.set(QUERY, query)
    inside: Any = state
    assert len(inside._held) == 1, "nothing piles up"

    async def main() -> None:
        async with state:
            assert await state.resolve(upper) == "D"

    run(main, backend)
    assert shown.values == ["D"]
    assert state.get(upper) == "D"


@pytest.mark.parametrize("need", ["resolve", "listen", "refresh"])
def test_a_running_loop_is_taken_at_the_first_need(need: str) -> None:
    state = fa.StateManager()
    state.listen(upper, lambda _: None)

    async def main() -> None:
        if need == "resolve":
            assert await state.resolve(upper) == "A"
        elif need == "refresh":
            await state.refresh(upper)
        else:
            state.listen(QUERY, lambda _: None)
        await until(lambda: state.get(upper))
        await state.aclose()

    asyncio.run(main())
    assert state.get(upper) == "A"


def test_tasks_that_begin_at_once_are_tasks_as_well() -> None:
    @fa.selector
    async def double(get: fa.Get) -> int:
        return get(COUNT) * 2

    @fa.selector
    async def chain(get: fa.Get) -> str:
        found = await get.resolve(double)
        return f"{found} {await get.resolve(upper)} {get(double)}"

    async def main() -> None:
        # From 3.12 on a task may begin within the call that creates it.
        asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory", None))
        async with fa.StateManager() as state:
            failures = Failures.of(state)
            shown = record(state, chain.status)
            record(state, double)
            for count in (2, 3):
                state.set(COUNT, count)
                assert await state.resolve(chain) == f"{2 * count} A {2 * count}"
            await state.settled()
            assert state.get(double.status).state == "ready"
            assert shown.states[-1] == "ready"
            await state.refresh(double)
            shown.close()
            await quiescent(state)
            failures.assert_none()

    asyncio.run(main())


def test_a_loop_that_stands_still_goes_on_later() -> None:
    state = fa.StateManager()
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        state.settle_home()

    gate = anyio.Event()

    @fa.selector
    async def gated(get: fa.Get) -> str:
        if (query := get(QUERY)) == "a":
            await gate.wait()
        return query.upper()

    loop.run_until_complete(begin())
    shown = record(state, upper)
    record(state, gated)
    loop.run_until_complete(until(lambda: state.get(upper) == "A"))
    for query in "bc":
        state.set(QUERY, query)
    loop.run_until_complete(until(lambda: state.get(upper) == "C"))
    assert state.get(gated) == "C", "the one before was under way when the loop stood still"
    assert state.statistics().jobs == 0
    state.set(QUERY, "d")
    shown.close()
    loop.run_until_complete(state.aclose())
    loop.close()
    assert shown.values == ["A", "C"]


@pytest.mark.parametrize(("backend", "clean"), [("asyncio", True), ("asyncio", False), ("trio", True)])
@pytest.mark.parametrize("where", ["outside", "inside"])
def test_a_loop_that_ends_in_the_middle_is_replaced_by_the_next_one(backend: str, clean: bool, where: str) -> None:
    is_slow = True

    @fa.selector(refresh_every=1000)
    async def value(get: fa.Get) -> str:
        query = get(QUERY)
        if is_slow:
            await anyio.sleep_forever()
        return query.upper()

    state = fa.StateManager()
    failures = Failures.of(state)
    shown = record(state, value)

    async def first() -> None:
        state.settle_home()
        await anyio.sleep(0.01)
        assert state.get(value.status).state == "loading"

    async def change() -> None:
        state.set(QUERY, "b")
        await anyio.sleep(0.01)  # a task that has not begun when its loop ends is something to warn of

    if clean:
        run(first, backend)
    else:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(first())
        left = asyncio.all_tasks(loop)
        loop.close()
        while left:
            task: Any = left.pop()
            task._log_destroy_pending = False  # it is the test's doing
        task = None
    is_slow = False
    if where == "outside":
        state.set(QUERY, "b")
    else:
        run(change, backend)

    async def second() -> None:
        state.listen(QUERY, lambda _: None)  # nobody asks for the value itself
        await until(lambda: state.get(value.status).value == "B")
        state.set(QUERY, "c")
        with anyio.fail_after(5):
            assert await state.resolve(value) == "C"
        await state.aclose()

    run(second, backend)
    assert shown.values == ["B", "C"]
    failures.assert_none()


def test_what_was_cut_off_by_who_knows_whom_is_computed_on_the_next_loop() -> None:
    is_cut_off = True

    @fa.selector
    async def value(get: fa.Get) -> str:
        if is_cut_off:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        await anyio.lowlevel.checkpoint()
        return get(QUERY).upper()

    state = fa.StateManager()
    inside: Any = state
    state.listen(value, lambda _: None)

    async def cut_off() -> None:
        state.listen(QUERY, lambda _: None)
        for _ in range(3):
            state.invalidate(value)
            await until(lambda: state.get(value.status).state == "failed")
        assert len(inside._held) == 1, "nothing piles up"

    async def in_peace() -> None:
        state.listen(COUNT, lambda _: None)
        await until(lambda: state.get(value.status).state == "ready")
        await state.aclose()

    asyncio.run(cut_off())
    asyncio.run(cut_off())
    is_cut_off = False
    asyncio.run(in_peace())
    assert state.get(value) == "A"


def test_what_a_loop_has_left_is_computed_on_the_next_at_once() -> None:
    @fa.selector(debounce=10)
    async def value(get: fa.Get) -> str:
        query = get(QUERY)
        if not is_second:
            await anyio.sleep_forever()
        return query.upper()

    state = fa.StateManager()
    is_second = False

    async def first() -> None:
        state.listen(value, lambda _: None)
        await anyio.wait_all_tasks_blocked()

    async def second() -> None:
        state.listen(COUNT, lambda _: None)
        begun = anyio.current_time()
        await state.settled()
        assert (state.get(value), anyio.current_time()) == ("A", begun)
        await state.aclose()

    anyio.run(first, backend="trio")  # which cancels the store, and not each task by itself
    is_second = True
    name, options = virtual_backend("asyncio")
    anyio.run(second, backend=name, backend_options=options)


def test_what_a_loop_ends_in_the_middle_of_has_not_failed() -> None:
    @fa.selector
    async def value(get: fa.Get) -> str:
        await anyio.sleep_forever()
        return get(QUERY)

    async def main() -> None:
        state.listen(value, lambda _: None)
        await anyio.wait_all_tasks_blocked()

    state = fa.StateManager()
    statuses = record(state, value.status)
    anyio.run(main, backend="trio")  # which cancels the store, and not each task by itself
    assert statuses.states == []
    assert state.get(value.status).state == "loading"


def test_what_a_loop_has_ended_before_it_began_is_not_stuck_on_the_next() -> None:
    state = fa.StateManager()
    failures = Failures.of(state)

    async def first() -> None:
        record(state, upper).close()

    async def second() -> None:
        state.listen(QUERY, lambda _: None)
        await anyio.sleep(10)
        await state.aclose()

    asyncio.run(first())
    name, options = virtual_backend("asyncio")
    anyio.run(second, backend=name, backend_options=options)
    failures.assert_none()


def test_a_time_that_a_loop_did_not_live_to_see_begins_anew_on_the_next() -> None:
    @fa.selector(keep_for=0.01)
    async def value(get: fa.Get) -> str:
        return get(QUERY)

    state = fa.StateManager()

    async def first() -> None:
        assert await state.resolve(value) == "a"

    async def second() -> None:
        state.listen(QUERY, lambda _: None)
        await until(lambda: state.get(value) is None)
        await state.aclose()

    asyncio.run(first())
    asyncio.run(second())


def test_who_waits_on_another_loop_hears_of_the_end_of_the_loop_that_computes() -> None:
    @fa.selector
    async def never(get: fa.Get) -> str:
        await anyio.sleep_forever()
        return ""

    state = fa.StateManager()
    state.set(QUERY, "b")
    waiting = threading.Event()
    errors: list[BaseException] = []

    async def wait() -> None:
        async with anyio.create_task_group() as group:

            async def other() -> str:
                return await state.resolve(never)

            async def tell() -> None:
                await until(lambda: state.get(never.status).state == "loading")
                waiting.set()

            group.start_soon(tell)
            try:
                await other()
            except (fa.ClosedError, fa.RunCancelled) as error:
                errors.append(error)

    async def home() -> None:
        state.settle_home()
        thread.start()
        await until(waiting.is_set)

    thread = threading.Thread(target=lambda: asyncio.run(wait()))
    asyncio.run(home())
    thread.join(5)
    assert not thread.is_alive()
    assert len(errors) == 1


# ------------------------------------------------------------------ threads


async def test_other_threads_and_loops_read_wait_and_refresh(fa_store: fa.StateManager) -> None:
    runs: list[str] = []

    @fa.selector
    async def value(get: fa.Get) -> str:
        runs.append(threading.current_thread().name)
        await anyio.lowlevel.checkpoint()
        return get(QUERY).upper()

    def work() -> list[Any]:
        found: list[Any] = [fa_store.get(value)]
        fa_store.refresh(value).wait(5)
        found.append(fa_store.get(value))
        fa_store.set(QUERY, "b").wait(5)

        async def elsewhere() -> str:
            return await fa_store.resolve(value)

        found.append(asyncio.run(elsewhere()))
        fa_store.invalidate(value)
        found.append(fa_store.get(value.status).state)
        return found

    assert await anyio.to_thread.run_sync(work) == [None, "A", "B", "ready"]
    assert set(runs) == {threading.current_thread().name}
    await quiescent(fa_store)
    assert_quiet(fa_store)


@pytest.mark.parametrize("how", ["refresh", "invalidate"])
async def test_a_handle_has_it_computed_on_its_loop_wherever_it_is_asked(how: str, fa_store: fa.StateManager) -> None:
    threads: list[threading.Thread] = []

    async def function(get: fa.Get) -> int:
        threads.append(threading.current_thread())
        return len(threads)

    value: Any = fa_store.add_selector("value", function)

    def hear(_: object) -> None:
        threads.append(threading.current_thread())

    value.listen(hear, immediate=False)
    ask: Callable[[], object] = getattr(value, how)

    async def ask_on_a_loop() -> None:
        ask()

    await quiescent(fa_store)
    await anyio.to_thread.run_sync(ask)
    await quiescent(fa_store)
    await anyio.to_thread.run_sync(asyncio.run, ask_on_a_loop())
    await quiescent(fa_store)
    assert threads == [threading.current_thread()] * 6


async def test_a_failing_refresh_is_told_to_the_thread_that_waits(fa_store: fa.StateManager) -> None:
    @fa.selector
    async def value(get: fa.Get) -> str:
        raise LookupError(get(QUERY))

    def work() -> None:
        with pytest.raises(LookupError):
            fa_store.refresh(value).wait(5)

    await anyio.to_thread.run_sync(work)


async def test_a_sync_function_computes_in_a_worker_thread(fa_store: fa.StateManager) -> None:
    threads: list[threading.Thread] = []
    cleaned: list[str] = []
    limiter = anyio.CapacityLimiter(1)

    @fa.selector(in_thread=limiter, initial=0, retry=fa.Retry(2, base=0))
    def total(get: fa.Get) -> int:
        threads.append(threading.current_thread())
        get.progress(0.5, "half")
        get.on_cleanup(lambda: cleaned.append("total"))
        if len(threads) == 1:
            raise OSError
        return get(COUNT) + len(get.peek(QUERY))

    with record(fa_store, total) as shown, record(fa_store, total.status) as statuses:
        await fa_store.settled()
        fa_store.set(QUERY, "peeked at")
        fa_store.set(COUNT, 2)
        await fa_store.settled()
    assert shown.values == [2, 11]
    assert threading.current_thread() not in threads
    assert len(threads) == 3
    assert cleaned == ["total", "total"]
    assert {each.progress for each in statuses} == {None, 0.5}
    assert limiter.borrowed_tokens == 0


async def test_a_superseded_thread_reads_nothing_more_and_holds_nobody_up(fa_store: fa.StateManager) -> None:
    may_go_on = threading.Event()
    ended: list[str] = []

    @fa.selector(in_thread=True)
    def value(get: fa.Get) -> str:
        query = get(QUERY)
        if query == "a":
            may_go_on.wait(5)
            try:
                get(COUNT)
            except fa.RunCancelled:
                ended.append("refused")
                raise
        return query.upper()

    with record(fa_store, value) as shown:
        await until(lambda: fa_store.statistics().observed == 2)
        fa_store.set(QUERY, "b")
        assert await fa_store.resolve(value) == "B"
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        assert fa_store.statistics().jobs == 0, "its task does not wait for the thread"
        may_go_on.set()
        await until(lambda: ended)
        await fa_store.settled()
        assert shown.values == ["B"]


async def test_a_thread_cannot_wait_for_others(fa_store: fa.StateManager) -> None:
    @fa.selector(in_thread=True)
    def value(get: fa.Get) -> Any:
        return get.resolve(upper)

    with pytest.raises(TypeError, match=r"get\.resolve is for async functions"):
        await fa_store.resolve(value)


def test_only_what_takes_time_has_its_options() -> None:
    async def function(get: fa.Get) -> int:
        return 1

    with pytest.raises(TypeError, match="in_thread= is for sync functions"):
        fa.selector(in_thread=True)(function)


# ------------------------------------------------------------------ other stores


async def test_two_stores_observe_one_selector_and_a_closed_one_disturbs_nobody(fa_store: fa.StateManager) -> None:
    runs: list[str] = []

    async def function(get: fa.Get) -> str:
        runs.append(get(QUERY))
        await anyio.sleep(1)
        return runs[-1].upper()

    shared: Any = fa_store.add_selector("shared", function)
    async with fa.StateManager() as other:

        @fa.selector
        async def own(get: fa.Get) -> str:
            return f"other {await get.resolve(shared)}"

        mine, theirs = record(fa_store, shared), record(other, own)
        late = record(other, shared)
        await other.settled()
        fa_store.set(QUERY, "b")
        assert await other.resolve(own) == "other B"
        assert (mine.values, late.values, theirs.values[-1]) == (["A", "B"], ["A", "B"], "other B")
        assert runs == ["a", "b"]
        fa_store.set(QUERY, "c")
    fa_store.set(QUERY, "d")
    await fa_store.settled()
    assert mine.values == ["A", "B", "D"]
    mine.close()
    await quiescent(fa_store)
    assert fa_store.statistics().observed == 0
    assert_quiet(fa_store)


async def test_what_is_read_of_a_store_without_a_loop_is_written_on_this_one(fa_store: fa.StateManager) -> None:
    stores: list[fa.StateManager] = []
    in_thread(lambda: stores.append(fa.StateManager()))  # no loop runs there
    number = stores[0].atom("number", 1)

    @fa.selector
    async def value(get: fa.Get) -> int:
        return get(number)

    with record(fa_store, value) as shown:
        await fa_store.settled()
        in_thread(lambda: number.set(2))
        assert number.value == 1, "the write waits for the loop"
        await until(lambda: number.value == 2)
        await fa_store.settled()
    assert shown.values == [1, 2]


async def test_a_store_that_closes_is_not_told_of_changes_in_another() -> None:
    async with fa.StateManager() as source:
        own = source.atom("own", 1)
        async with fa.StateManager() as dependent:

            @fa.selector
            async def value(get: fa.Get) -> int:
                try:
                    await anyio.sleep_forever()
                finally:
                    try:
                        own.set(own.value + 1)  # while the store ends
                    except fa.StateError as error:
                        disturbed.append(error)
                return get(own)

            @fa.selector
            async def reader(get: fa.Get) -> int:
                return get(own)

            disturbed: list[Exception] = []
            failures = Failures.of(dependent, source)
            record(dependent, value)
            record(dependent, reader)
            await anyio.sleep(1)
        assert own.value == 2
        assert disturbed == []
        failures.assert_none()


# ------------------------------------------------------------------ what is held


class Big:
    """Something to be collected."""


async def test_superseded_and_failed_computations_are_let_go(fa_store: fa.StateManager) -> None:
    made: list[weakref.ref[Big]] = []

    @fa.selector
    async def value(get: fa.Get) -> int:
        big = Big()
        made.append(weakref.ref(big))
        count = get(COUNT)
        await anyio.sleep(1)
        if count == 3:
            raise LookupError(count)
        return count

    gc.collect()
    gc.disable()
    try:
        with record(fa_store, value):
            for count in (2, 3, 4, 5):
                await anyio.sleep(0.5)
                fa_store.set(COUNT, count)
            await fa_store.settled()
        with pytest.raises(LookupError):
            fa_store.set(COUNT, 3)
            await fa_store.resolve(value)
        fa_store.set(COUNT, 6)
        await fa_store.resolve(value)
        for _ in range(5):
            await anyio.sleep(0.01)
        gc.enable()
        gc.collect()
        assert [ref() for ref in made if ref() is not None] == []
    finally:
        gc.enable()


class Late(Exception):
    """An error of one that is superseded."""


async def test_an_error_that_was_told_is_let_go_of_without_the_collector(fa_store: fa.StateManager) -> None:
    errors: list[weakref.ref[BaseException]] = []
    fa_store.on_error = lambda failure: errors.append(weakref.ref(failure.error))

    @fa.selector
    async def value(get: fa.Get) -> int:
        try:
            await anyio.sleep(get(COUNT))
        except anyio.get_cancelled_exc_class():
            raise Late from None
        return 1

    gc.collect()
    gc.disable()
    try:
        with record(fa_store, value):
            await anyio.sleep(0.5)
            fa_store.set(COUNT, 2)
            await fa_store.settled()
        await quiescent(fa_store)
        assert [each() for each in errors] == [None]
    finally:
        gc.enable()


async def test_what_is_forgotten_holds_on_to_nothing(fa_store: fa.StateManager) -> None:
    async def function(get: fa.Get) -> int:
        return get(COUNT)

    above = weakref.ref(fa_store.add_selector("above", function))

    @fa.selector
    async def value(get: fa.Get) -> int:
        found: int = get("above")
        return found

    await fa_store.resolve(value)
    fa_store.delete("above")
    fa_store.clear()
    await quiescent(fa_store)
    gc.collect()
    assert above() is None


async def test_the_failure_of_a_selector_that_is_forgotten_is_let_go_of(fa_store: fa.StateManager) -> None:
    errors: list[weakref.ref[BaseException]] = []
    fa_store.on_error = lambda failure: errors.append(weakref.ref(failure.error))

    @fa.selector
    async def value(get: fa.Get) -> int:
        raise Late

    with record(fa_store, value):
        await quiescent(fa_store)
    gc.collect()
    assert [each() is None for each in errors] == [False], "it is what the selector shows"
    fa_store.clear()
    gc.collect()
    assert errors[0]() is None


async def test_what_was_begun_and_given_up_holds_on_to_nothing(fa_store: fa.StateManager) -> None:
    async def function(get: fa.Get) -> int:
        return get(COUNT)

    above = weakref.ref(fa_store.add_selector("above", function))

    @fa.selector
    async def value(get: fa.Get) -> int:
        await get.resolve("above")
        await anyio.sleep_forever()
        return 1

    with record(fa_store, value):
        await anyio.wait_all_tasks_blocked()
    fa_store.delete("above")
    await quiescent(fa_store)
    gc.collect()
    assert above() is None


async def test_an_error_that_is_read_a_thousand_times_does_not_grow(fa_store: fa.StateManager) -> None:
    @fa.selector
    async def value(get: fa.Get) -> int:
        raise LookupError

    lengths: list[int] = []
    for _ in range(3):
        try:
            await fa_store.resolve(value)
        except LookupError as error:
            traceback, length = error.__traceback__, 0
            while traceback is not None:
                traceback, length = traceback.tb_next, length + 1
            lengths.append(length)
    assert len(set(lengths)) == 1


async def test_a_closed_subscription_leaves_nothing_of_a_dropped_dependency(fa_store: fa.StateManager) -> None:
    flag = fa.Key("flag", True)

    @fa.selector
    async def inner(get: fa.Get) -> int:
        return get(COUNT)

    @fa.selector
    async def value(get: fa.Get) -> int | None:
        return await get.resolve(inner) if get(flag) else 0

    with record(fa_store, value):
        for on in (False, True) * 20:
            fa_store.set(flag, on)
            await fa_store.settled()
        fa_store.set(flag, False)
        await fa_store.settled()
        assert fa_store.statistics().observed == 2, "the value, and the flag"
    assert fa_store.statistics().observed == 0


def test_an_interrupt_reaches_the_loop_and_those_who_wait_are_answered() -> None:
    state = fa.StateManager()
    answers: list[BaseException] = []

    @fa.selector
    async def value(get: fa.Get) -> int:
        await anyio.lowlevel.checkpoint()
        raise KeyboardInterrupt

    async def wait() -> None:
        try:
            await state.resolve(value)
        except BaseException as error:
            answers.append(error)

    async def main() -> None:
        async with state, anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.sleep(5)  # nobody is hurt by the answer: it is the loop that ends this

    with pytest.raises(BaseException, match="^$|group") as caught:
        asyncio.run(main())
    assert isinstance(caught.value, KeyboardInterrupt) or "KeyboardInterrupt" in repr(caught.value)
    assert [type(each) for each in answers] == [KeyboardInterrupt]
    assert not state.get(value.status).is_busy


# ------------------------------------------------------------------ what it costs


async def test_a_chain_of_200_is_no_square(fa_store: fa.StateManager) -> None:
    def chain(length: int) -> Any:
        key: Any = QUERY
        for _ in range(length):
            key = link(key)
        return key

    def link(above: Any) -> Any:
        @fa.selector
        async def step(get: fa.Get) -> str:
            found: str = await get.resolve(above)
            return found

        return step

    async def cost(length: int) -> int:
        key = chain(length)
        with counted() as lines:
            await fa_store.resolve(key)
            with record(fa_store, key):
                fa_store.set(QUERY, fa_store.get(QUERY) + "x")
                await fa_store.resolve(key)
        return lines.count

    await cost(10)
    few = await cost(20)
    assert few < await cost(200) < 40 * few  # a square would be 100


async def test_a_thousand_observed_ones_follow_one_input(fa_store: fa.StateManager) -> None:
    def make(number: int) -> Any:
        @fa.selector
        async def plus(get: fa.Get) -> int:
            return get(COUNT) + number

        return plus

    keys = [make(number) for number in range(1000)]
    for key in keys:
        fa_store.listen(key, lambda _: None)
    await fa_store.settled()
    fa_store.set(COUNT, 100)
    await fa_store.settled()
    assert [fa_store.get(key) for key in keys] == list(range(100, 1100))


# ------------------------------------------------------------------ superseded while nothing goes on


def test_what_ends_before_its_cancel_gets_to_it_is_not_seen() -> None:
    state = fa.StateManager()
    loop = asyncio.new_event_loop()
    asked = loop.create_future()
    begun: list[str] = []

    @fa.selector
    async def value(get: fa.Get) -> str:
        query = get(QUERY)
        begun.append(query)
        if query == "a":
            await asked
        return query

    async def begin() -> None:
        state.listen(value, seen.append, immediate=False)
        await until(lambda: begun)
        loop.call_soon(asked.set_result, None)  # and the loop stops before anybody hears of it

    seen: list[str | None] = []
    loop.run_until_complete(begin())
    state.set(QUERY, "b")
    loop.run_until_complete(state.resolve(value))
    assert (begun, seen) == (["a", "b"], ["b"])
    loop.run_until_complete(state.aclose())
    loop.close()


@pytest.mark.parametrize("anyio_backend", [("asyncio", {})])
async def test_what_a_task_of_its_own_waits_for_after_the_end_is_no_dependency(
    fa_store: fa.StateManager, anyio_backend: object
) -> None:
    runs: list[asyncio.Task[Any]] = []
    opened = asyncio.Event()

    @fa.selector
    async def other(get: fa.Get) -> int:
        await opened.wait()
        raise ValueError(get(COUNT))

    @fa.selector
    async def value(get: fa.Get) -> str:
        runs.append(asyncio.create_task(get.resolve(other)))
        await anyio.lowlevel.checkpoint()
        return "done"

    with record(fa_store, value):
        await anyio.wait_all_tasks_blocked()
        opened.set()
        with pytest.raises(ValueError, match="1"):
            await runs[0]
        fa_store.set(COUNT, 2)
        await quiescent(fa_store)
    assert len(runs) == 1


class Stray(BaseException):
    """What is no error, and not meant for the interpreter either."""


async def test_a_stray_one_out_of_a_computation_is_an_error_of_it(fa_store: fa.StateManager) -> None:
    @fa.selector
    async def value(get: fa.Get) -> int:
        await anyio.lowlevel.checkpoint()
        raise Stray

    with pytest.raises(RuntimeError, match="a stray Stray"):
        await fa_store.resolve(value)
    assert fa_store.get(value.status).state == "failed"


async def test_nothing_is_computed_for_a_store_that_is_closing() -> None:
    computed: list[str] = []
    refused: list[str] = []

    @fa.selector
    async def value(get: fa.Get) -> str:
        computed.append(get(QUERY))
        return "done"

    @fa.action
    async def last(get: fa.Get, set: fa.Set) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            for need in (state.refresh, state.invalidate):
                try:
                    need(value)
                except fa.ClosedError as error:
                    refused.append(str(error).split(".")[0])

    async with fa.StateManager() as state:
        state.listen(value, lambda _: None)
        await state.settled()
        run = state.action(last)()
        await anyio.wait_all_tasks_blocked()
    assert (run.state, computed) == ("cancelled", ["a"])
    assert refused == [
        "cannot refresh selector value: the store is closed",
        "cannot start selector value: the store is closed",
    ]
