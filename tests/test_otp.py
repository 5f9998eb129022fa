"""Services and their supervisors: who is started again, how often, after how long, and who is told in the end."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal

import anyio
import anyio.lowlevel
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, Probe, record, sweep

PRICE = fa.Key("price", 0)
LOADING = fa.Key("loading", False)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


class Ward:
    """Services that live until they are killed, and a diary of their starts and ends."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.times: list[float] = []
        self._kills: dict[str, anyio.Event] = {}

    def service(self, name: str) -> Callable[[fa.Get, fa.Set], Coroutine[Any, Any, None]]:
        async def live(get: fa.Get, set: fa.Set) -> None:
            kill = self._kills[name] = anyio.Event()
            self.diary.append(f"+{name}")
            self.times.append(anyio.current_time())
            try:
                await kill.wait()
            except BaseException:
                self.diary.append(f"-{name}")
                raise
            raise ConnectionError(f"{name} was killed")

        live.__name__ = name
        return live

    def kill(self, name: str) -> None:
        self._kills[name].set()

    def read(self) -> str:
        """What has happened since the last look."""
        said, self.diary = " ".join(self.diary), []
        return said


def add(parent: fa.Supervisor | fa.StateManager, ward: Ward, *names: str, **options: Any) -> list[fa.Service]:
    return [parent.service(name, **options)(ward.service(name)) for name in names]


# ------------------------------------------------------------------ one service


async def test_a_service_runs_as_long_as_its_store_and_shows_how_it_is_doing() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        (feed,) = add(state, ward, "feed")
        assert state.get(feed.status).state == "running"
        await anyio.sleep(3600)
        assert ward.read() == "+feed"
        await state.settled()  # services do not count
    assert ward.read() == "-feed"
    assert state.get(feed.status).state == "cancelled"


async def test_delays_grow_and_it_survives_an_outage_of_ten_minutes() -> None:
    starts: list[float] = []
    async with fa.StateManager() as state:
        failures = Failures.of(state)

        @state.service
        async def feed(get: fa.Get, set: fa.Set) -> None:
            starts.append(anyio.current_time())
            if starts[-1] < starts[0] + 600:
                raise ConnectionError
            await anyio.sleep_forever()

        seen = record(state, feed.status)
        await anyio.sleep(700)
        assert state.get(feed.status).state == "running"
        delays = [starts[number + 1] - start for number, start in enumerate(starts[:-1])]
        assert delays[:5] == sorted(delays[:5]), "they grow"
        assert 0.375 <= delays[0] <= 0.5
        assert max(delays) <= 30, "up to half a minute"
        assert len(starts) < 40, "and do not hammer on the door"
        assert seen.states[:3] == ["failed", "running", "failed"]
        assert {status.message for status in seen.values if status.state == "failed"} == {"ConnectionError"}
        failures.assert_none()


async def test_delays_begin_anew_when_it_was_up_for_a_good_while() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        (feed,) = add(state, ward, "feed")
        for _ in range(3):
            await anyio.sleep(5)
            ward.kill("feed")
        await anyio.sleep(40)
        assert state.get(feed.status).attempt == 4
        ward.kill("feed")
        before = anyio.current_time()
        await state.wait_for(feed.status, lambda status: status.state == "failed")
        await state.wait_for(feed.status, lambda status: status.state == "running")
        assert anyio.current_time() - before <= 0.5
        assert state.get(feed.status).attempt == 2


async def test_a_second_is_a_good_while_for_one_that_is_started_again_at_once() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        (feed,) = add(state, ward, "feed", retry=fa.Retry(None, base=0.1, cap=0.1))
        for _ in range(3):
            await anyio.sleep(1.5)
            ward.kill("feed")
            await state.wait_for(feed.status, lambda status: status.state == "failed")
        await anyio.sleep(0.2)
        assert state.get(feed.status).attempt == 2


@pytest.mark.parametrize(
    ("restart", "after_an_error", "after_a_normal_end"),
    [("permanent", "running", "running"), ("transient", "running", "succeeded"), ("temporary", "failed", "succeeded")],
)
async def test_who_is_started_again(
    restart: Literal["permanent", "transient", "temporary"], after_an_error: str, after_a_normal_end: str
) -> None:
    async with fa.StateManager() as state:
        failures = Failures.of(state)
        lives = 0

        @state.service(restart=restart)
        async def errs(get: fa.Get, set: fa.Set) -> None:
            nonlocal lives
            lives += 1
            if lives > 1:
                await anyio.sleep_forever()
            raise ConnectionError

        ends = 0

        @state.service(restart=restart)
        async def finishes(get: fa.Get, set: fa.Set) -> None:
            nonlocal ends
            ends += 1
            if ends > 1:
                await anyio.sleep_forever()

        await anyio.sleep(10)
        assert state.get(errs.status).state == after_an_error
        assert state.get(finishes.status).state == after_a_normal_end
        told = failures.take()
        assert [type(failure.error) for failure in told] == ([ConnectionError] if restart == "temporary" else [])


async def test_stop_and_start() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        (feed,) = add(state, ward, "feed")
        await anyio.sleep(1)
        feed.stop()
        feed.stop()
        assert state.get(feed.status).state == "cancelled"
        await anyio.sleep(100)
        assert ward.read() == "+feed -feed"
        feed.start()
        feed.start()
        await anyio.sleep(1)
        assert ward.read() == "+feed"
        ward.kill("feed")
        await state.wait_for(feed.status, lambda status: status.state == "failed")
        feed.stop()  # during the delay
        await anyio.sleep(100)
        assert ward.read() == ""
        assert state.get(feed.status).state == "cancelled"


async def test_a_service_that_was_stopped_only_puts_back() -> None:
    refused: list[int] = []

    async with fa.StateManager() as state:

        @state.service
        async def feed(get: fa.Get, set: fa.Set) -> None:
            set(LOADING, True)
            set(PRICE, 1)
            try:
                await anyio.sleep_forever()
            finally:
                set(LOADING, False)
                set(PRICE, 99)
                refused.append(get(PRICE))

        await anyio.sleep(1)
        assert (state.get(LOADING), state.get(PRICE)) == (True, 1)
        feed.stop()
        await anyio.sleep(1)
        assert (state.get(LOADING), refused) == (False, [1])


async def test_a_retry_that_is_used_up_leaves_it_down_and_tells_once_and_the_store_lives() -> None:
    lives = 0
    async with fa.StateManager() as state:
        failures = Failures.of(state)

        @state.service(retry=fa.Retry(3, base=1))
        async def feed(get: fa.Get, set: fa.Set) -> None:
            nonlocal lives
            lives += 1
            raise ConnectionError(lives)

        ward = Ward()
        add(state, ward, "other")
        await anyio.sleep(1000)
        assert lives == 3
        assert state.get(feed.status).state == "failed"
        (failure,) = failures.take()
        assert (failure.actor, failure.key) == ("service", "feed")
        assert ward.read() == "+other", "nobody else is touched"
        state.set(PRICE, 5)
        assert state.get(PRICE) == 5
        feed.start()
        await anyio.sleep(0.1)
        assert lives == 4
        failures.clear()


async def test_an_error_that_is_not_worth_a_retry_is_final() -> None:
    async with fa.StateManager() as state:
        failures = Failures.of(state)

        @state.service(retry=fa.Retry(None, on=(ConnectionError,)))
        async def feed(get: fa.Get, set: fa.Set) -> None:
            raise ValueError("a mistake")

        await anyio.sleep(100)
        assert state.get(feed.status).message == "a mistake"
        assert [str(failure.error) for failure in failures.take()] == ["a mistake"]


# ------------------------------------------------------------------ while somebody watches


async def test_while_watched() -> None:
    ticks = 0

    async with fa.StateManager() as state:

        @state.service(while_watched=PRICE)
        async def feed(get: fa.Get, set: fa.Set) -> None:
            nonlocal ticks
            while True:
                ticks += 1
                set(PRICE, ticks)
                await anyio.sleep(1)

        await anyio.sleep(10)
        assert (ticks, state.get(feed.status).state) == (0, "idle")
        with state.listen(PRICE, lambda _: None):
            assert state.get(feed.status).state == "running"
            with state.listen(PRICE, lambda _: 1):
                await anyio.sleep(2.5)
            assert ticks == 3
        assert state.get(feed.status).state == "idle"
        await anyio.sleep(10)
        assert ticks == 3
        assert await state.wait_for(PRICE, lambda price: price == 5) == 5  # it watches, too
        async with state.watch(PRICE) as prices:
            assert await prices.__anext__() == 5
            await anyio.sleep(1)
            assert state.get(feed.status).state == "running"
        assert state.get(feed.status).state == "idle"


async def test_who_watches_anew_in_the_same_turn_does_not_disturb_it() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        add(state, ward, "feed", while_watched=PRICE)
        first = state.listen(PRICE, lambda _: None)
        await anyio.sleep(1)
        with state.batch():
            first.close()
            second = state.listen(PRICE, lambda _: 1)
        await anyio.sleep(1)
        assert ward.read() == "+feed"
        second.close()
        await anyio.sleep(1)
        assert ward.read() == "-feed"


async def test_a_delay_ends_when_nobody_watches_and_the_next_who_does_need_not_wait() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        (feed,) = add(state, ward, "feed", while_watched=PRICE, retry=fa.Retry(None, base=100, cap=100))
        with state.listen(PRICE, lambda _: None):
            await anyio.sleep(1)
            ward.kill("feed")
            await state.wait_for(feed.status, lambda status: status.state == "failed")
        assert state.get(feed.status).state == "idle"
        ward.read()
        with state.listen(PRICE, lambda _: None):
            await anyio.sleep(1)
            assert ward.read() == "+feed"
            status = state.get(feed.status)
            assert (status.state, status.attempt) == ("running", 1)
            await anyio.sleep(200)
            assert ward.read() == "", "the delay that was left does not start it twice"


# ------------------------------------------------------------------ supervisors


async def test_three_kills_are_mended_with_growing_delays_and_the_fourth_escalates_once() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        failures = Failures.of(state)
        group = state.supervisor(strategy="one_for_one", max_restarts=3, within=5.0)
        feed, other = add(group, ward, "feed", "other")
        delays: list[float] = []
        for _ in range(3):
            await state.wait_for(feed.status, lambda status: status.state == "running")
            await anyio.sleep(0.01)
            ward.kill("feed")
            await state.wait_for(feed.status, lambda status: status.state == "failed")
            failed = anyio.current_time()
            await state.wait_for(feed.status, lambda status: status.state == "running")
            delays.append(anyio.current_time() - failed)
        assert delays == sorted(delays)
        assert sum(delays) < 5
        await anyio.sleep(0.01)
        assert ward.read() == "+feed +other +feed +feed +feed"
        failures.assert_none()
        ward.kill("feed")
        await anyio.sleep(100)
        (failure,) = failures.take()
        assert (str(failure.error), failure.actor) == ("feed was killed", "supervisor")
        assert ward.read() == "-other", "all are halted, and stay down"
        assert (state.get(feed.status).state, state.get(other.status).state) == ("failed", "cancelled")
        assert group.state == "failed"
        group.start()
        await anyio.sleep(1)
        assert ward.read() == "+feed +other"


async def test_kills_that_are_far_apart_are_mended_for_ever() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        failures = Failures.of(state)
        group = state.supervisor(max_restarts=1, within=5.0)
        add(group, ward, "feed")
        for _ in range(10):
            await anyio.sleep(60)
            ward.kill("feed")
        await anyio.sleep(60)
        assert ward.read() == " ".join(["+feed"] * 11)
        failures.assert_none()


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("one_for_one", "+b"),
        ("one_for_all", "-c -a +a +b +c"),
        ("rest_for_one", "-c +b +c"),
    ],
)
async def test_the_strategies(strategy: Any, expected: str) -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        group = state.supervisor(strategy)
        services = add(group, ward, "a", "b", "c")
        await anyio.sleep(1)
        assert ward.read() == "+a +b +c"
        ward.kill("b")
        await state.wait_for(services[1].status, lambda status: status.state == "failed")
        shown = [state.get(each.status).state for each in services]
        assert (
            shown
            == {
                "one_for_one": ["running", "failed", "running"],
                "one_for_all": ["idle", "failed", "idle"],
                "rest_for_one": ["running", "failed", "idle"],
            }[strategy]
        )
        await anyio.sleep(1)
        assert sorted(ward.read().split()) == sorted(expected.split())
        assert [state.get(each.status).state for each in services] == ["running"] * 3


async def test_two_who_fail_together_are_restarted_once() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        failures = Failures.of(state)
        group = state.supervisor("one_for_all", max_restarts=2)
        add(group, ward, "a", "b")
        await anyio.sleep(1)
        ward.kill("a")
        ward.kill("b")
        await anyio.sleep(2)
        assert ward.diary.count("+a") == 2
        assert ward.diary.count("+b") == 2
        assert len(failures.take()) <= 1  # the one that failed while it was being halted


async def test_a_temporary_sibling_and_one_that_was_stopped_stay_down() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        group = state.supervisor("one_for_all")
        add(group, ward, "a")
        add(group, ward, "once", restart="temporary")
        (stopped,) = add(group, ward, "stopped")
        await anyio.sleep(1)
        stopped.stop()
        await anyio.sleep(1)
        ward.read()
        ward.kill("a")
        await anyio.sleep(2)
        assert ward.read() == "-once +a"


async def test_nested_supervisors_escalate_step_by_step() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        failures = Failures.of(state)
        outer = state.supervisor("one_for_all", max_restarts=1, within=100, name="outer")
        inner = outer.supervisor(max_restarts=1, within=100, name="inner")
        (feed,) = add(inner, ward, "feed")
        add(outer, ward, "sibling")

        async def kill() -> None:
            await state.wait_for(feed.status, lambda status: status.state == "running")
            await anyio.sleep(1)
            ward.kill("feed")
            await anyio.sleep(3)

        await kill()
        assert sorted(ward.read().split()) == ["+feed", "+feed", "+sibling"], "inner mends it"
        await kill()
        assert sorted(ward.read().split()) == ["+feed", "+sibling", "-sibling"], "inner gives up, outer restarts all"
        failures.assert_none()
        await kill()
        assert ward.read() == "+feed", "inner has a clean slate"
        await kill()
        assert ward.read() == "-sibling", "outer gives up, too"
        (failure,) = failures.take()
        assert (failure.key, str(failure.error)) == ("outer", "feed was killed")
        assert (outer.state, inner.state) == ("failed", "failed")


async def test_mistakes_are_told_where_they_are_made() -> None:
    async with fa.StateManager() as state:
        wrong: Any = state
        with pytest.raises(ValueError, match="unknown strategy 'some'"):
            wrong.supervisor("some")
        with pytest.raises(ValueError, match="unknown restart 'often'"):
            wrong.service(restart="often")
        with pytest.raises(ValueError, match="within is in seconds"):
            state.supervisor(within=0)
        with pytest.raises(TypeError, match="not async"):
            wrong.service(print)

        with pytest.raises(fa.UnknownKeyError):
            state.service(while_watched="nothing")(Ward().service("feed"))
    with pytest.raises(fa.ClosedError):
        state.service(Ward().service("feed"))


# ------------------------------------------------------------------ the tree, and its end


async def test_the_tree_as_data_and_in_print() -> None:
    ward = Ward()

    @fa.selector
    async def slow(get: fa.Get) -> None:
        await anyio.sleep_forever()

    @fa.action
    async def parent(get: fa.Get, set: fa.Set) -> None:
        await child()

    @fa.action
    async def child(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep_forever()

    async with fa.StateManager() as state:
        group = state.supervisor("rest_for_one", name="feeds")
        add(group, ward, "prices", "news")
        add(state, ward, "beat")
        state.action(parent)()
        state.listen(slow, lambda _: None)
        await anyio.sleep(1)
        tree = state.supervision()
        assert str(tree).splitlines() == [
            "store StateManager: open",
            "├─ supervisor feeds: running (rest_for_one)",
            "│  ├─ service prices: running",
            "│  └─ service news: running",
            "├─ service beat: running",
            "├─ action parent: running",
            "│  └─ action child: running",
            "└─ selector selector slow: running",
        ]
        assert [node.name for node in tree if node.kind == "service"] == ["prices", "news", "beat"]
    assert "store StateManager: closed" in str(state.supervision())


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_the_end_comes_in_reverse_order_one_after_the_other(is_cancelled: bool) -> None:
    diary: list[str] = []

    def slow_to_end(name: str) -> Any:
        async def live(get: fa.Get, set: fa.Set) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                async with set.cleanup(2):
                    diary.append(f"{name} ends")
                    await anyio.sleep(1)
                    diary.append(f"{name} has ended")

        return live

    with anyio.move_on_after(1):
        async with fa.StateManager() as state:
            state.service("first")(slow_to_end("first"))
            state.service("second")(slow_to_end("second"))
            group = state.supervisor()
            group.service("third")(slow_to_end("third"))
            group.service("fourth")(slow_to_end("fourth"))
            await anyio.sleep(2 if is_cancelled else 0.5)
    names = ("fourth", "third", "second", "first")
    assert diary == [f"{name} {what}" for name in names for what in ("ends", "has ended")]


async def test_the_end_is_bounded_and_who_waits_is_answered() -> None:
    async def never(n: int) -> int:
        await anyio.sleep_forever()
        return n

    state = fa.StateManager()
    failures = Failures.of(state)
    answers: list[type[BaseException]] = []

    async def wait(for_it: Awaitable[Any]) -> None:
        try:
            await for_it
        except Exception as error:
            answers.append(type(error))

    @fa.selector
    async def slow(get: fa.Get) -> int:
        await anyio.sleep_forever()
        return 1

    async with anyio.create_task_group() as group:
        state.update(PRICE, never)
        group.start_soon(wait, state.set(PRICE, 1))  # unread: it waits in the mailbox
        group.start_soon(wait, state.resolve(slow))
        group.start_soon(wait, state.wait_for(LOADING))

        @state.service
        async def stubborn(get: fa.Get, set: fa.Set) -> None:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(1000)

        await anyio.sleep(1)
        before = anyio.current_time()
        await state.aclose()
        assert anyio.current_time() - before < 20
    assert answers == [fa.ClosedError] * 3
    failures.clear()


async def test_a_service_may_ask_for_the_end_of_its_own_store() -> None:
    async with fa.StateManager() as state:

        @state.service
        async def last_orders(get: fa.Get, set: fa.Set) -> None:
            await anyio.sleep(1)
            await state.aclose()

        await anyio.sleep(10)
        with pytest.raises(fa.ClosedError):
            state.listen(PRICE, lambda _: None)


@pytest.mark.parametrize("how", ["stop", "fail", "close"])
async def test_a_service_leaves_no_trace_wherever_it_is_struck(how: str) -> None:
    async def scenario(probe: Probe) -> None:
        async def feed(get: fa.Get, set: fa.Set) -> None:
            for _ in range(2):
                set(LOADING, True)
                try:
                    await anyio.sleep(1)
                    await set(PRICE, get(PRICE) + 1)
                    await anyio.sleep(1)
                finally:
                    set(LOADING, False)

        async with fa.StateManager() as state:
            failures = Failures.of(state)
            service = state.service("feed", restart="transient")(probe.wrap(feed))
            if how == "stop":
                probe.on_reach = service.stop
            elif how == "fail":

                def fail() -> None:
                    service.stop()
                    service.start()

                probe.on_reach = fail
            async with anyio.create_task_group() as group:
                if how == "close":
                    probe.on_reach = lambda: group.start_soon(state.aclose)
                await anyio.sleep(10)
            if how != "close":
                await state.settled()
            status = state.get(service.status)
        assert not status.is_busy
        assert status.state in ("succeeded", "cancelled")
        assert state.get(LOADING) is False
        assert state.get(PRICE) in range(5)
        assert state.statistics().jobs == 0
        failures.assert_none()

    assert await sweep(scenario) >= 4


# ------------------------------------------------------------------ a store for everybody


def test_a_service_of_a_global_store_lives_on_the_loop_of_who_looks() -> None:
    feed_store = fa.StateManager()
    price = feed_store.atom(fa.Key("price", 0))

    @feed_store.service(while_watched=price)
    async def feed(get: fa.Get, set: fa.Set) -> None:
        while True:
            set(price, get(price) + 1)
            await anyio.lowlevel.checkpoint()

    assert feed_store.get(feed.status).state == "idle"

    async def visit(wanted: int) -> None:
        async with fa.StateManager() as state:
            with state.listen(lambda_of_price, lambda _: None):
                await feed_store.wait_for(price, lambda value: value >= wanted)
            assert feed_store.get(feed.status).state == "idle"

    lambda_of_price = fa.selector(lambda get: get(price))
    for wanted in (3, 6, 9):  # each on a loop of its own
        anyio.run(visit, wanted)
        assert feed_store.get(feed.status).state == "idle"


def test_a_service_that_is_declared_without_a_loop_starts_with_the_first() -> None:
    ward = Ward()
    state = fa.StateManager()
    (feed,) = add(state, ward, "feed")
    assert ward.read() == ""

    async def main() -> None:
        async with state:
            await state.wait_for(feed.status, lambda status: status.state == "running")
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            assert ward.read() == "+feed"

    anyio.run(main)
    assert ward.read() == "-feed"


async def test_a_closed_store_with_services_is_collected() -> None:
    state = fa.StateManager()
    async with state:
        add(state, Ward(), "feed", while_watched=state.atom(PRICE))
        with state.listen(PRICE, lambda _: None):
            await anyio.sleep(1)
    gone = weakref.ref(state)
    del state
    await anyio.lowlevel.checkpoint()
    gc.collect()
    assert gone() is None


# ------------------------------------------------------------------ stopped, or about to begin again


async def test_what_is_added_to_a_supervisor_that_is_stopped_begins_with_it() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        feeds = state.supervisor()
        feeds.stop()
        (feed,) = add(feeds, ward, "feed")
        await anyio.sleep(1)
        assert (ward.read(), state.get(feed.status).state) == ("", "idle")
        feeds.start()
        await anyio.sleep(1)
        assert (ward.read(), state.get(feed.status).state) == ("+feed", "running")


async def test_what_was_stopped_itself_stays_so_when_those_around_it_begin_again() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        outer = state.supervisor()
        add(outer, ward, "a")
        inner = outer.supervisor()
        add(inner, ward, "b")
        await anyio.sleep(1)
        assert ward.read() == "+a +b"
        inner.stop()
        outer.stop()
        outer.start()
        await anyio.sleep(1)
        assert sorted(ward.read().split()) == ["+a", "-a", "-b"]
        inner.start()
        await anyio.sleep(1)
        assert ward.read() == "+b"


async def test_a_supervisor_that_has_given_up_begins_again_with_the_one_above_it() -> None:
    ward = Ward()
    async with fa.StateManager() as state:
        outer = state.supervisor()
        inner = outer.supervisor(max_restarts=0)
        (feed,) = add(inner, ward, "feed", retry=fa.Retry(None, base=5, cap=5))
        await anyio.sleep(1)
        ward.kill("feed")
        await anyio.sleep(0.1)
        assert (inner.state, outer.state) == ("failed", "running"), "it is to begin again after a while"
        outer.stop()
        await anyio.sleep(60)
        assert (ward.read(), inner.state, state.get(feed.status).state) == ("+feed", "failed", "failed")
        outer.start()
        await anyio.sleep(1)
        assert (ward.read(), inner.state, state.get(feed.status).state) == ("+feed", "running", "running")


def test_how_often_cannot_be_negative() -> None:
    with pytest.raises(ValueError, match="max_restarts cannot be negative"):
        fa.StateManager().supervisor(max_restarts=-1)
    assert fa.StateManager().supervisor(max_restarts=0, within=0.5).state == "running"
