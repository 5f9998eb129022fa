"""The end: of a service, of a loop, of a store, and of those who will not hear of it."""

from __future__ import annotations

import asyncio
import functools
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import Failures, VirtualLoop, assert_quiet, explore
from tests.kit.services import Stage, states
from tests.kit.threads import in_thread

PRICE = fa.Key("price", 0)
OTHER = fa.Key("other", 0)
SOON = fa.Retry(None, base=1, cap=1)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


@fa.action
async def nothing(get: fa.Get, set: fa.Set) -> None: ...


async def answer_of(work: Awaitable[object]) -> object:
    try:
        return await work
    except Exception as error:
        return type(error)


class Deaf:
    """A service, an action and an updater that do not hear of a cancellation until the gate is opened."""

    def __init__(self) -> None:
        self.gate = anyio.Event()

    async def service(self, get: fa.Get, set: fa.Set) -> None:
        await self._wait()

    async def run(self, get: fa.Get, set: fa.Set) -> None:
        await self._wait()
        set(PRICE, 99)

    async def step(self, n: int) -> int:
        await self._wait()
        return n + 99

    async def _wait(self) -> None:
        with anyio.CancelScope(shield=True):
            await self.gate.wait()


# ------------------------------------------------------------------ the end of a store


@pytest.mark.parametrize("how", ["block", "aclose", "cancelled block", "error"])
async def test_services_end_in_reverse_each_before_the_next(how: str) -> None:
    stage = Stage()
    state = fa.StateManager()

    def declare() -> None:
        state.service(stage.play("first", last_words=0.5))
        outer = state.supervisor()
        outer.service(stage.play("second", last_words=1))
        outer.supervisor("rest_for_one").service(stage.play("third", last_words=1.5))
        state.service(stage.play("fourth", last_words=1))

    with anyio.CancelScope() as scope:
        try:
            if how == "aclose":
                declare()
                await anyio.sleep(1)
                await state.aclose()
            else:
                async with state:
                    declare()
                    await anyio.sleep(1)
                    if how == "error":
                        raise ValueError
                    if how == "cancelled block":
                        scope.cancel()
                        await anyio.sleep(1)
        except ValueError:
            assert how == "error"
    assert stage.read() == "+first +second +third +fourth -fourth -third -second -first"
    assert state.statistics().jobs == 0
    tree = state.supervision()
    assert "store StateManager: closed" in str(tree)
    assert {node.state for node in tree if node.kind == "service"} == {"cancelled"}
    assert {node.state for node in tree if node.kind == "supervisor"} == {"halted"}


async def test_the_end_does_not_wait_for_the_deaf_but_a_block_has_to() -> None:
    deaf = Deaf()
    answers: list[object] = []

    async def ask(work: Callable[[], Awaitable[object]]) -> None:
        answers.append(await answer_of(work()))

    state = fa.StateManager()
    failures = Failures.of(state)
    state.service(deaf.service)

    @state.action
    async def go(get: fa.Get, set: fa.Set) -> None:
        await deaf.run(get, set)

    async with anyio.create_task_group() as tasks:
        run = go()
        update = state.update(OTHER, deaf.step)
        tasks.start_soon(ask, lambda: run)
        tasks.start_soon(ask, lambda: update)
        tasks.start_soon(ask, lambda: state.set(OTHER, 1))
        tasks.start_soon(ask, lambda: state.wait_for(PRICE))
        tasks.start_soon(ask, lambda: state.watch(PRICE).__anext__())
        await anyio.sleep(1)
        began = anyio.current_time()
        await state.aclose()
        assert anyio.current_time() - began < 15
        await anyio.sleep(0.1)
        assert sorted(map(str, answers)) == sorted(
            map(str, [fa.RunCancelled, fa.ClosedError, fa.ClosedError, fa.ClosedError, 0])
        )
        assert "closed" in repr(state)
        told = [str(each.error) for each in failures.take()]
        assert sum("is stuck" in each for each in told) == len(told) == 2
        with pytest.raises(fa.ClosedError):
            state.set(PRICE, 1)
        deaf.gate.set()
        await anyio.sleep(1)
        assert (state.get(PRICE), state.get(OTHER)) == (0, 0), "what comes late is not written"
        assert run.state == "cancelled"
        failures.assert_none()

    deaf = Deaf()
    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:

        async def open_the_gate() -> None:
            await anyio.sleep(100)
            deaf.gate.set()

        tasks.start_soon(open_the_gate)
        async with fa.StateManager() as state:
            failures = Failures.of(state)
            state.service(deaf.service)
            await anyio.sleep(1)
        assert anyio.current_time() - began >= 100
        assert len(failures.take()) == 1


async def test_one_deaf_service_holds_up_nobody_for_long() -> None:
    stage, deaf = Stage(), Deaf()
    state = fa.StateManager()
    failures = Failures.of(state)
    state.service(stage.play("first"))
    state.service(deaf.service)
    state.service(stage.play("last"))
    await anyio.sleep(1)
    began = anyio.current_time()
    await state.aclose()
    assert anyio.current_time() - began < 15
    assert stage.read() == "+first +last -last -first"
    assert len(failures.take()) == 1
    deaf.gate.set()
    await anyio.sleep(1)


async def test_nothing_is_started_in_a_store_that_is_about_to_end() -> None:
    stage = Stage()
    state = fa.StateManager()
    failures = Failures.of(state)
    slow = state.service(stage.play("slow", last_words=2))
    seen = state.service(while_watched=PRICE)(stage.play("seen"))
    fails = state.service(retry=SOON)(stage.play("fails"))
    await anyio.sleep(1)
    stage.kill("fails")
    await state.wait_for(fails.status, lambda status: status.state == "failed")
    stage.read()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(state.aclose)
        await anyio.sleep(1)
        with pytest.raises(fa.ClosedError):
            fails.start()
        with pytest.raises(fa.ClosedError):
            state.service(stage.play("late"))
        with pytest.raises(fa.ClosedError):
            state.services.start()
        slow.stop()
        async with fa.StateManager() as other:
            other.listen(state.atom(PRICE), lambda _: None)
            await anyio.sleep(0.5)
    assert stage.read() == "-slow"
    assert states(state, slow, seen, fails) == ["cancelled", "idle", "cancelled"]
    failures.assert_none()
    await state.aclose()


def test_a_store_that_never_had_a_loop_ends_too() -> None:
    stage = Stage()
    other = fa.StateManager()
    price = other.atom(PRICE)
    state = fa.StateManager()
    feed = state.service(stage.play("feed"))
    seen = state.service(while_watched=price)(stage.play("seen"))
    subscription = other.listen(price, lambda _: None)
    in_thread(functools.partial(anyio.run, state.aclose))
    assert states(state, feed, seen) == ["cancelled", "cancelled"]
    subscription.close()
    gone = weakref.ref(state)
    del state, feed, seen
    gc.collect()
    assert gone() is None, "the key of another store holds nothing of it"
    other.listen(price, print)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_store_may_be_closed_from_another_loop() -> None:
    stage = Stage()
    state = fa.StateManager()
    state.service(stage.play("feed"))
    answers: list[object] = []

    async def wait() -> None:
        answers.append(await answer_of(state.wait_for(PRICE)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await many_checkpoints()
        await anyio.to_thread.run_sync(anyio.run, state.aclose)
    assert answers == [fa.ClosedError]
    assert stage.read() == "+feed -feed"
    assert state.statistics().jobs == 0


def test_a_loop_that_is_closed_during_the_end_of_a_store() -> None:
    state = fa.StateManager()
    waits: list[object] = []

    async def begin() -> None:
        state.service(Stage().play("feed", last_words=1000))
        await many_checkpoints()
        asyncio.get_running_loop().create_task(state.aclose())
        await many_checkpoints()

    async def wait() -> None:
        await state.aclose()
        waits.append(await answer_of(state.wait_for(PRICE)))

    loop = VirtualLoop()
    loop.run_until_complete(begin())
    assert "closing" in repr(state)
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(many_checkpoints())
    anyio.run(wait, backend_options={"loop_factory": VirtualLoop})

    async def end() -> None:
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    loop.run_until_complete(end())
    loop.close()
    assert "closed" in repr(state)
    assert waits == [fa.ClosedError]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_whenever_it_ends_all_is_answered_and_nothing_is_left(backend: Any) -> None:
    async def scenario(chance: Any) -> None:
        stage = Stage()
        state = fa.StateManager()
        failures = Failures.of(state)
        answers: list[object] = []

        async def slow(n: int) -> int:
            await anyio.sleep(chance.choice([0, 1, 100]))
            return n + 1

        @fa.action(policy=chance.choice(["concurrent", "sequential", "restartable"]))
        async def work(get: fa.Get, set: fa.Set) -> None:
            await set.update(PRICE, slow)

        async def ask(call: Callable[[], Awaitable[object]]) -> None:
            answers.append(await answer_of(call()))

        asks: list[Callable[[], Awaitable[object]]] = [
            lambda: state.update(PRICE, slow),
            lambda: state.set(PRICE, 5),
            lambda: state.action(work)(),
            lambda: state.wait_for(PRICE, lambda n: n > 10_000),
            lambda: anext_until_end(state.watch(PRICE)),
        ]
        group = state.supervisor(chance.choice(["one_for_one", "one_for_all"]))
        services = [group.service(stage.play(name, last_words=chance.choice([0, 0.1]))) for name in "ab"]
        async with anyio.create_task_group() as tasks:
            state.effect(lambda get: get(PRICE))
            for _ in range(6):
                tasks.start_soon(ask, chance.choice(asks))
                await anyio.sleep(chance.choice([0, 0.1, 1]))
            await anyio.sleep(0.1)
            if chance.random() < 0.5:
                stage.kill("a")
            if chance.random() < 0.5:
                await anyio.sleep(0.1)
            await state.aclose()
        assert len(answers) == 6
        assert set(answers) <= {None, fa.ClosedError, fa.RunCancelled}
        assert_quiet(state)
        assert states(state, *services) == ["cancelled"] * 2
        assert sorted(stage.read().replace("+", "-").split()) == sorted(
            [f"-{x}" for x in "ab" for _ in range(2 * stage.lives[x])]
        )
        # Of writes that nobody waits for; of a service that fails by itself in the step in which it is halted.
        assert {type(each.error) for each in failures.take()} <= {fa.ClosedError, ConnectionError}

    explore(scenario, range(200 if backend == "asyncio" else 60), backend=backend)


async def anext_until_end(watch: fa.Watch[int]) -> None:
    async for _ in watch:
        pass


# ------------------------------------------------------------------ loops that come and go


async def many_checkpoints() -> None:
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("how", ["opened", "left alone"])
def test_a_global_store_works_on_one_loop_after_the_other(
    backend: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage()
    state = fa.StateManager()
    failures = Failures.of(state)
    always = state.service(stage.play("always"))
    group = state.supervisor("one_for_all")
    seen = group.service(while_watched=PRICE)(stage.play("seen"))
    assert states(state, always, seen) == ["idle", "idle"]
    assert "service always: idle" in str(state.supervision())

    async def visit() -> None:
        if how == "opened":
            run = state.action(nothing)()  # whatever needs the loop first
            await run
            await many_checkpoints()
            assert stage.read() == "+always"
        with state.listen(PRICE, lambda _: None):
            await many_checkpoints()
            assert stage.read() == ("+seen" if how == "opened" else "+always +seen")
            assert states(state, always, seen) == ["running", "running"]
            assert state.statistics().jobs == 2

    async def visit_and_stay() -> None:
        state.listen(PRICE, print)  # nobody closes it: the loop ends under it
        await many_checkpoints()
        assert states(state, always, seen) == ["running", "running"]
        stage.read()

    for main in (visit, visit_and_stay, visit_and_stay):
        anyio.run(main, backend=backend)
        ends = stage.read().split()
        assert set(ends) == {"-always", *(["-seen"] if main is visit_and_stay or how != "opened" else ends)}
        assert backend == "asyncio" or ends[-1] == "-always", "asyncio cancels all tasks at once, in whatever order"
        assert states(state, always, seen) == ["idle", "idle"]
        state.unlisten(PRICE, print) if main is visit_and_stay and how == "opened" else None
    failures.assert_none()
    assert not caplog.records, "the end of a loop is no failure"

    async def end() -> None:
        async with state:
            await many_checkpoints()

    anyio.run(end, backend=backend)
    assert states(state, always)[0] == "cancelled"


def test_a_delay_goes_on_with_the_next_loop() -> None:
    stage = Stage()
    state = fa.StateManager()
    feed = state.service(retry=SOON)(stage.play("feed"))

    async def first() -> None:
        state.settle_home()
        await many_checkpoints()
        stage.kill("feed")
        await many_checkpoints()
        assert states(state, feed) == ["failed"]

    async def second() -> None:
        async with state:
            await anyio.sleep(0.5)
            assert stage.read() == "+feed -feed"
            await anyio.sleep(1)
            assert stage.read() == "+feed"

    for main in (first, second):
        anyio.run(main, backend_options={"loop_factory": VirtualLoop})


# ------------------------------------------------------------------ loops that go away


def test_what_is_queued_when_the_loop_goes_away_is_cancelled() -> None:
    state = fa.StateManager()

    @fa.action(policy="sequential")
    async def forever(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep_forever()

    async def begin() -> list[fa.Run[None]]:
        go = state.action(forever)
        runs = [go(), go()]
        await many_checkpoints()
        return runs

    loop = asyncio.new_event_loop()
    runs = loop.run_until_complete(begin())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.close()
    state.listen(PRICE, lambda _: None).close()  # somebody looks after the store
    assert state.get(forever.status).state == "cancelled"
    assert [run.state for run in runs] == ["cancelled", "cancelled"]


def test_a_store_moves_to_the_loop_that_is_there_when_its_own_stands_still() -> None:
    stores: list[fa.StateManager] = []

    async def make() -> None:
        stores.append(fa.StateManager())

    async def use() -> None:
        async def later(n: int) -> int:
            await anyio.lowlevel.checkpoint()
            return n + 1

        await stores[0].update(PRICE, later)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(make())
    asyncio.run(use())
    assert stores[0].get(PRICE) == 1
    loop.close()


def test_a_store_outlives_a_loop_that_has_to_wait_for_a_deaf_run() -> None:
    state = fa.StateManager()
    failures = Failures.of(state)

    async def main() -> fa.Run[None]:
        deaf = Deaf()
        run = state.action(deaf.run)()
        await many_checkpoints()
        asyncio.get_running_loop().call_later(100, deaf.gate.set)
        return run

    run = anyio.run(main, backend_options={"loop_factory": VirtualLoop})
    assert (run.state, state.get(PRICE), repr(state)) == ("cancelled", 0, "<StateManager open>")
    failures.take()
