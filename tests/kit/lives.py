"""A life of every public object: made, used and let go of, as often as one likes, with a count of what that leaves.

growth = anyio.run(rounds, "Binding", 1000)
assert growth.is_none, growth
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import operator
import threading
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast
from unittest import mock

import anyio
import anyio.lowlevel
import anyio.to_thread
import flet as ft

import flet_asp_actors as fa
from flet_asp_actors.core import turn
from flet_asp_actors.testing import HeadlessApp, quiescent

__all__ = ("LIVES", "NO_LIFE", "PAGES", "Growth", "House", "rounds")

NO_LIFE = {
    "Async": "what async selectors and their keys have in common",
    "Get": "what selectors and actions are given",
    "Readable": "what can be read, in one word",
    "Set": "what actions are given",
    "Writable": "what can be written, in one word",
    "current": "finds a store, and makes none",
}
"""Public names that stand for nothing which begins and ends, each with what it is."""


# ------------------------------------------------------------------ where they live


@dataclass
class House:
    """What outlives a round: a store, and a page with a store of its own."""

    state: fa.StateManager
    app: HeadlessApp
    failures: list[fa.Failure] = field(default_factory=list[fa.Failure])

    async def rest(self) -> None:
        """Let what has been let go of come to its end."""
        await quiescent(self.state)
        await self.app.settle()
        self.app.frames.clear()
        self.app.take()
        self.failures.clear()

    async def show(self, control: ft.BaseControl) -> None:
        """Have a control on the page, and take it off again."""
        page = self.app.page
        page.add(cast("Any", control))
        await self.app.settle()
        page.controls.remove(cast("Any", control))
        page.update()
        await self.app.settle()


@contextlib.asynccontextmanager
async def _house() -> AsyncIterator[House]:
    async with fa.StateManager() as state, HeadlessApp(_empty) as app:
        house = House(state, app)
        for each in (state, fa.get_state_manager(app.page)):
            each.on_error = house.failures.append
        yield house


def _empty(page: ft.Page) -> None:
    fa.get_state_manager(page)


# ------------------------------------------------------------------ what is left


@dataclass(frozen=True)
class Growth:
    """What there is more of than there was before some rounds."""

    objects: dict[str, int]
    """By the names of their types."""
    tasks: int
    handles: int
    """Timers and callbacks of the loop."""
    threads: int
    memory: int
    """Bytes, in those rounds that were traced."""

    @property
    def is_none(self) -> bool:
        """Whether it is only what is made now and then, however many rounds there are."""
        is_little = sum(self.objects.values()) < OBJECTS and self.memory < MEMORY
        return is_little and not (self.tasks or self.handles or self.threads)


OBJECTS, MEMORY = 50, 4000
"""What may have been made once, and need not be any more: the weak references of a type, names, the count itself."""

TRACED = 20
"""In so many rounds one is traced, which takes several times as long."""


async def rounds(name: str, count: int = 1000) -> Growth:
    """Live the life of a public object `count` times; on asyncio's own loop.

    Args:
        name: One of `LIVES`.
        count: How many times, after some that do not count: what is remembered once is no leak.

    Returns:
        What is left of them.
    """
    live, some = LIVES[name], max(count // TRACED, 10)
    async with _house() as house:
        await _live(live, house, some)
        before, first = _others(), _objects()
        await _live(live, house, count // 2)
        middle = _objects()
        await _live(live, house, count - count // 2)
        after, last = _others(), _objects()
        tracemalloc.start()
        try:
            known: list[int] = []
            for _ in range(6):
                await _live(live, house, some)
                known.append(_memory())
        finally:
            tracemalloc.stop()
    # What is remembered once, or is on its way just then, does not grow in all of them.
    grows = (middle - first) & (last - middle)
    grown = {f"{kind.__module__}.{kind.__qualname__}": number for kind, number in grows.items()}
    memory = min(map(operator.sub, known[1:], known))
    # What others have left may come to its end meanwhile: a thread that rests, for one.
    tasks, handles, threads = (max(there - was, 0) for there, was in zip(after, before, strict=True))
    return Growth(grown, tasks, handles, threads, memory)


async def _live(live: Life, house: House, count: int) -> None:
    for number in range(count):
        await live(house)
        if number % 50 == 0:
            await house.rest()
    await house.rest()


def _collect() -> None:
    for _ in range(3):  # what a finaliser has let go of is garbage for the next one
        gc.collect()


def _objects() -> Counter[type]:
    _collect()
    return Counter(map(type, gc.get_objects()))


def _others() -> tuple[int, int, int]:
    loop: Any = asyncio.get_running_loop()  # whose timers have no public name
    handles = len(getattr(loop, "_scheduled", ())) + len(getattr(loop, "_ready", ()))
    return len(asyncio.all_tasks()), handles, threading.active_count()


def _memory() -> int:
    _collect()
    return tracemalloc.get_traced_memory()[0]


# ------------------------------------------------------------------ the table

Life: TypeAlias = Callable[[House], Awaitable[None]]

LIVES: dict[str, Life] = {}
"""By the names of the public face."""
PAGES: set[str] = set()
"""Those for which a page, or a session, is made and ended; they take a hundred times as long."""


def life_of(*names: str, page: bool = False) -> Callable[[Life], Life]:
    """Say whose life a function is."""

    def enter(live: Life) -> Life:
        LIVES.update(dict.fromkeys(names, live))
        if page:
            PAGES.update(names)
        return live

    return enter


TOTAL = fa.Key("total", 0)
NAME = fa.Key("name", "")
LINES: fa.Key[tuple[int, ...]] = fa.Key("lines", ())


def hear(_: object) -> None:
    """A listener that does nothing."""


async def one_more(number: int) -> int:
    await anyio.lowlevel.checkpoint()
    return number + 1


async def refuse(_: int) -> int:
    await anyio.lowlevel.checkpoint()
    raise ValueError("refused")


# ---- values


@life_of("Key")
async def a_key(house: House) -> None:
    key = fa.Key[list[int]]("key", factory=list)
    house.state.set(key, [1])
    house.state.mutate(key[1], lambda items: items.append(2))
    with house.state.listen(key, hear):
        house.state.reset(key)


@life_of("Atom")
async def an_atom(house: House) -> None:
    atom = house.state.atom("atom", 0)
    atom.value += 1
    with atom.listen(hear):
        await atom.set(5)
    house.state.delete("atom")
    alone = fa.Atom(0)
    with alone.listen(hear):
        alone.value += 1


@life_of("Receipt")
async def a_receipt(house: House) -> None:
    await house.state.update(TOTAL, one_more)
    with contextlib.suppress(ValueError):
        await house.state.update(TOTAL, refuse)
    house.state.update(TOTAL, refuse)  # goes to on_error
    receipt = house.state.update(TOTAL, one_more)
    house.state.set(TOTAL, 0)
    await receipt


@life_of("Transaction", "ConflictError")
async def a_transaction(house: House) -> None:
    async with house.state.transaction() as tx:
        tx.set(TOTAL, tx.get(TOTAL) + 1)
    with contextlib.suppress(fa.ConflictError):
        async with house.state.transaction() as tx:
            tx.set(TOTAL, 1)
            house.state.set(TOTAL, 2)
    with contextlib.suppress(ValueError):
        async with house.state.transaction() as tx:
            tx.set(TOTAL, 1)
            raise ValueError


@life_of("Snapshot")
async def a_snapshot(house: House) -> None:
    snapshot = house.state.snapshot()
    house.state.set(TOTAL, 7)
    await house.state.restore(snapshot)


@life_of("Statistics", "Supervision")
async def statistics(house: House) -> None:
    assert house.state.statistics().atoms >= 0
    assert str(house.state.supervision())


# ---- what is derived


@life_of("Selector", "SelectorKey", "selector")
async def a_selector(house: House) -> None:
    @fa.selector
    def double(get: fa.Get) -> int:
        return get(TOTAL) * 2

    with house.state.listen(double, hear):
        house.state.update(TOTAL, lambda total: total + 1)
    house.state.delete(double)
    house.state.selector("triple")(lambda get: get(TOTAL) * 3)
    house.state.get("triple")
    house.state.delete("triple")
    assert fa.Selector(lambda get: get(TOTAL), house.state.atom).value >= 0


@life_of("AsyncSelector", "AsyncSelectorKey", "AsyncValue")
async def an_async_selector(house: House) -> None:
    @fa.selector(stale_after=60, retry=fa.Retry(2, base=0))
    async def later(get: fa.Get) -> int:
        await anyio.lowlevel.checkpoint()
        return get(TOTAL)

    @fa.selector
    async def never(get: fa.Get) -> int:
        await refuse(get(TOTAL))
        return 0

    with house.state.listen(later.status, hear):
        await house.state.resolve(later)
        house.state.update(TOTAL, lambda total: total + 1)
        await house.state.refresh(later)
    assert house.state.get(later.status).is_busy is False
    with contextlib.suppress(ValueError):
        await house.state.resolve(never)
    house.state.delete(later)
    house.state.delete(never)


@life_of("Family", "family")
async def a_family(house: House) -> None:
    @fa.family(max_size=2, keep_for=60)
    async def user(get: fa.Get, number: int) -> int:
        await anyio.lowlevel.checkpoint()
        return get(TOTAL[number])

    for number in range(4):
        await house.state.resolve(user(number))
    for number in range(4):
        house.state.delete(TOTAL[number])
    house.state.delete(user(2))
    house.state.delete(user(3))


# ---- what is done


@fa.action(policy="restartable", timeout=60, retry=fa.Retry(2, base=0))
async def buy(get: fa.Get, set: fa.Set, fails: bool = False) -> int:
    async with set.optimistic(TOTAL, 1):
        set.progress(0.5)
        await anyio.lowlevel.checkpoint()
        if fails:
            raise ValueError("no")
    return get(TOTAL)


@life_of("Run", "ActionStatus", "RunCancelled")
async def a_run(house: House) -> None:
    bound = house.state.action(buy)
    with house.state.listen(bound.status, hear):
        await bound()
        with contextlib.suppress(ValueError):
            await bound(True)
        replaced, last = bound(), bound()
        with contextlib.suppress(fa.RunCancelled):
            await replaced
        last.cancel("enough")
        await last.wait()
    bound(True)  # goes to on_error
    bound.reset()


@life_of("Action", "BoundAction", "action")
async def an_action(house: House) -> None:
    @fa.action
    async def once(get: fa.Get, set: fa.Set) -> None:
        await set(TOTAL, 1)

    async with fa.StateManager() as state:
        await state.action(once)()
        await state.action(fa.Action(once.function, per=None))()


# ---- who watches


@life_of("Subscription")
async def a_subscription(house: House) -> None:
    async def slow(_: int) -> None:
        await anyio.lowlevel.checkpoint()

    async def react(get: fa.Get) -> None:
        get.on_cleanup(functools.partial(hear, None))
        get(TOTAL)
        await anyio.lowlevel.checkpoint()

    watching = [
        house.state.listen(TOTAL, lambda _: None),
        house.state.listen(TOTAL, slow),
        house.state.effect(lambda get: get(TOTAL)),
        house.state.effect(react),
    ]
    await house.state.update(TOTAL, one_more)
    for each in watching:
        each.close()


@life_of("Watch")
async def a_watch(house: House) -> None:
    async for _ in house.state.watch(TOTAL):
        break
    async with house.state.watch(TOTAL) as values:
        await anext(values)
    await house.state.wait_for(TOTAL, lambda total: total >= 0)
    with contextlib.suppress(TimeoutError):
        with anyio.fail_after(0):
            await house.state.wait_for(TOTAL, lambda total: total < 0)


# ---- what should be up


@life_of("Service", "Supervisor", "Retry")
async def a_service(house: House) -> None:
    async with fa.StateManager() as state:
        group = state.supervisor("one_for_all")

        @group.service(retry=fa.Retry(None, base=0))
        async def feed(get: fa.Get, set: fa.Set) -> None:
            await set.update(TOTAL, one_more)
            if get(TOTAL) < 2:
                raise ValueError("once")
            await anyio.sleep_forever()

        @group.service(while_watched=TOTAL)
        async def seen(get: fa.Get, set: fa.Set) -> None:
            await anyio.sleep_forever()

        state.on_error = hear
        with state.listen(TOTAL, hear):
            await state.wait_for(seen.status, lambda status: status.state == "running")
        feed.stop()


# ---- stores, and what goes wrong with them


@life_of("StateManager", "ClosedError")
async def a_store(house: House) -> None:
    async with fa.StateManager(overrides={TOTAL: 3, buy: one_run}) as state:
        state.listen(TOTAL, hear)
        await state.action(buy)()
        await state.update(TOTAL, one_more)
        reading = state.atom(TOTAL)
    with contextlib.suppress(fa.ClosedError):
        reading.value = 1
    closed = fa.StateManager()
    closed.listen(TOTAL, hear)
    await closed.aclose()
    left_alone = fa.StateManager()  # it has nothing under way
    left_alone.set(TOTAL, 1)
    left_alone.listen(TOTAL, hear)


async def one_run(get: fa.Get, set: fa.Set, fails: bool = False) -> int:
    return get(TOTAL)


@life_of("Failure", "StateError")
async def a_failure(house: House) -> None:
    def fail(total: int) -> None:
        raise ValueError(total)

    with house.state.listen(TOTAL, fail, immediate=False):
        house.state.update(TOTAL, lambda total: total + 1)
    assert house.failures.pop().key == TOTAL


@life_of(
    *("UnknownKeyError", "KeyConflictError", "ReadOnlyError", "CycleError", "LoopError", "PurityError"),
    *("BatchError", "BusyError", "NotRunningError", "DeadlockError", "BindingError"),
)
async def mistakes(house: House) -> None:
    state = house.state

    @fa.selector
    def round_about(get: fa.Get) -> int:
        return get(round_about)

    @fa.selector
    def impure(get: fa.Get) -> None:
        state.set(TOTAL, 5)

    def feed_each_other() -> None:
        with mock.patch.object(turn, "MAX_TURNS", 20):
            with state.listen(TOTAL, lambda total: state.set(TOTAL, total + 1), immediate=False):
                state.set(TOTAL, 1)

    async def wait_for_itself(total: int) -> int:
        await state.set(TOTAL, total)
        return total

    async def hold_open() -> None:
        with state.batch():
            await anyio.lowlevel.checkpoint()

    def away_from_loops() -> None:
        fa.StateManager().action(buy)()

    def name_twice() -> None:
        state.selector("once")(lambda get: 1)
        state.atom("once", 1)

    def assign_while_busy() -> None:
        state.update(TOTAL, one_more)
        state.atom(TOTAL).value = 1

    tries: list[tuple[type[Exception], Callable[[], object]]] = [
        (fa.UnknownKeyError, lambda: state.get("nothing")),
        (fa.KeyConflictError, name_twice),
        (fa.ReadOnlyError, lambda: state.set(cast("Any", round_about), 1)),
        (fa.CycleError, lambda: state.get(round_about)),
        (fa.LoopError, feed_each_other),
        (fa.PurityError, lambda: state.get(impure)),
        (fa.BatchError, hold_open),
        (fa.BusyError, assign_while_busy),
        (fa.NotRunningError, lambda: anyio.to_thread.run_sync(away_from_loops)),
        (fa.DeadlockError, lambda: state.update(TOTAL, wait_for_itself)),
        (fa.BindingError, lambda: state.bound(ft.Text(), nothing=TOTAL)),
    ]
    for kind, attempt in tries:
        try:
            result = attempt()
            if isinstance(result, Awaitable):
                await result
        except kind:
            pass
        else:
            raise AssertionError(f"no {kind.__name__}")
    await quiescent(state)
    state.delete("once")
    state.delete(round_about)
    state.delete(impure)


# ---- the screen


@life_of("Binding", page=True)
async def a_binding(house: House) -> None:
    state = fa.get_state_manager(house.app.page)
    ref = ft.Ref[ft.Text]()
    state.bind(TOTAL, ref)
    control = ft.Column(
        [
            ft.Text(ref=ref),
            state.bound(ft.Text(), value=NAME, visible=lambda get: get(TOTAL) > 0),
            house.state.bound(ft.Text(), value=NAME),
        ]
    )
    state.bind(TOTAL, ft.Text()).close()
    await house.show(control)
    state.update(TOTAL, lambda total: total + 1)


@life_of("TwoWay", "two_way", page=True)
async def a_two_way_binding(house: House) -> None:
    state = fa.get_state_manager(house.app.page)
    age = fa.two_way(TOTAL, parse=int, debounce=60)
    field = state.bound(ft.TextField(), value=age, error=age.error)
    house.app.page.add(field)
    await house.app.settle()
    await house.app.enter(field, "x")
    await house.show(state.bound(ft.Checkbox(), value=fa.two_way(fa.Key("done", False))))
    house.app.page.controls.remove(field)
    house.app.page.update()


@life_of("Row", page=True)
async def a_row(house: House) -> None:
    state = fa.get_state_manager(house.app.page)

    def build(row: fa.Row[int]) -> ft.Text:
        state.effect(lambda get: get(row))
        return state.bound(ft.Text(), value=lambda get: str(get(row)))

    column = ft.Column()
    state.set(LINES, (1, 2, 3))
    state.bind_list(LINES, column, build)
    house.app.page.add(column)
    await house.app.settle()
    state.set(LINES, (3, 4))
    await house.app.settle()
    house.app.page.controls.remove(column)
    house.app.page.update()
    await house.app.settle()


@life_of("get_state_manager", page=True)
async def a_session(house: House) -> None:
    async def feed(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep_forever()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, on_disconnect="cancel")
        state.service(feed)
        state.listen(TOTAL, hear)
        house.state.attach(page)
        page.add(
            state.bound(ft.Text(), value=lambda get: str(get(TOTAL))),
            house.state.bound(ft.Text(), value=NAME),
            ft.Button("buy", on_click=state.action(buy)),
        )

    async with HeadlessApp(main) as app:
        await app.click("buy")
        await app.disconnect()
        await app.reconnect()


@life_of("use_action", "use_atom", "use_status", "use_value", page=True)
async def a_component(house: House) -> None:
    @ft.component
    def shop() -> ft.Control:
        total, set_total = fa.use_atom(TOTAL)
        double = fa.use_value(lambda get: get(TOTAL) * 2)
        status = fa.use_status(buy)
        return ft.Column(
            [
                ft.Text(f"{total} {double} {status.state}"),
                ft.Button("more", on_click=lambda: set_total(total + 1)),
                ft.Button("buy", on_click=fa.use_action(buy)),
            ]
        )

    async with HeadlessApp(lambda page: page.render(shop)) as app:
        await app.click("more")
        await app.click("buy")
