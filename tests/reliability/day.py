"""A day of a busy app in virtual time: planned, lived through with faults, and in the end as it was planned.

The plan says for every moment who writes what, and what goes wrong. What the app has to hold
in the end follows from the plan alone, by adding up. Feeds are services under supervisors: they
work off their part of the plan, note in the store how far they are, crash, and go on where
they were. Orders are actions that move money between accounts, fail, are cancelled, or get in
each other's way. People come, click, and leave. Every hour the store is closed, and another
one goes on with what it held.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import flet as ft

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp, VirtualLoop, quiescent

__all__ = ("Day", "Plan", "a_day", "live")

HOUR = 3600.0
HOURS = 24
FEEDS = 4
ACCOUNTS = 6
BURST = 24
"""How many times a feed writes for one item; each time it also notes how far it is."""
FAULTS = ("fails", "fails later", "listener", "crashes", "order fails", "order is cancelled")

PRICE = fa.Key("price", 0)
"""By feed: the last one, set."""
COUNT = fa.Key("count", 0)
"""All feeds and all people add to it."""
PLACE = fa.Key[tuple[int, int]]("place", (0, 0))
"""By feed: at which item it is, and at which of its writes."""
SLOW = fa.Key[tuple[int, int]]("slow", (0, 0))
"""By feed: a sum that takes time to make, and up to which item it was made."""
LOG = fa.Key[list[int]]("log", factory=list)
"""By feed: edited in place; the last items."""
ACCOUNT = fa.Key("account", 1_000_000)
ALARM = fa.Key("alarm", 0)
"""Its listener raises at each change."""


class Planned(Exception):
    """What goes wrong on purpose."""


@fa.selector
def money(get: fa.Get) -> int:
    return sum(get(ACCOUNT[number]) for number in range(ACCOUNTS))


@fa.selector
def prices(get: fa.Get) -> int:
    return sum(get(PRICE[feed]) for feed in range(FEEDS))


@fa.selector(debounce=1.0)
async def forecast(get: fa.Get) -> int:
    """Made anew whenever a price has changed; only the last one counts."""
    now = get(prices)
    await anyio.sleep(0.5)
    return now * 2


@dataclass(frozen=True)
class Item:
    """Something that a feed brings."""

    at: float
    kind: str
    value: int
    fault: str | None = None


@dataclass(frozen=True)
class Order:
    """Money that is moved."""

    at: float
    source: int
    target: int
    amount: int
    seconds: float
    fault: str | None = None


@dataclass
class Plan:
    """What is to happen, and what has to be there in the end."""

    feeds: list[list[Item]]
    orders: list[Order]
    visits: list[tuple[float, int]]
    """When somebody comes, and how often they click."""
    messages: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    end: dict[Any, Any] = field(default_factory=dict[Any, Any])

    @classmethod
    def of(cls, seed: int, items: int, orders: int, faults: int, crashes: int, visits: int) -> Plan:
        """A plan with so much of everything; `items` are for each feed."""
        chance = random.Random(seed)

        def times(count: int) -> Iterator[float]:
            """So many of the day, in order; in the last minutes of an hour nothing begins."""
            step = HOURS / count
            for number in range(count):
                hours = (number + chance.random() * 0.9) * step
                yield int(hours) * HOUR + hours % 1 * (HOUR - 300)

        kinds = ("set", "update", "await", "batch", "later", "edit")
        feeds = [[Item(at, chance.choice(kinds), chance.randrange(1_000)) for at in times(items)] for _ in range(FEEDS)]
        ordered: list[Order] = []
        for at in times(orders):
            source, target = chance.sample(range(ACCOUNTS), 2)
            ordered.append(Order(at, source, target, chance.randrange(100), chance.uniform(0.5, 20)))
        come = [(at, chance.randrange(1, 4)) for at in times(visits)]
        plan = cls(feeds, ordered, come)
        plan._spoil(chance, faults - crashes, crashes)
        plan._add_up()
        return plan

    def _spoil(self, chance: random.Random, faults: int, crashes: int) -> None:
        """Choose what goes wrong. A feed crashes where it has had the time to get over the crash before."""
        places = [(feed, number) for feed in range(FEEDS) for number in range(len(self.feeds[0]))]
        for place, fault in zip(
            chance.sample(places, crashes + faults // 2),
            ["crashes"] * crashes + [FAULTS[number % 3] for number in range(faults // 2)],
            strict=True,
        ):
            feed, number = place
            item = self.feeds[feed][number]
            self.feeds[feed][number] = Item(item.at, item.kind, item.value, fault)
        for number in chance.sample(range(len(self.orders)), faults - faults // 2):
            order = self.orders[number]
            fault = FAULTS[4 + number % 2]
            self.orders[number] = Order(order.at, order.source, order.target, order.amount, order.seconds, fault)

    def _add_up(self) -> None:
        """The naive model: one thing after the other, in a dict."""
        end = self.end
        end[COUNT] = end[ALARM] = 0
        for number in range(ACCOUNTS):
            end[ACCOUNT[number]] = 1_000_000
        for feed, items in enumerate(self.feeds):
            end[PRICE[feed]], end[SLOW[feed]], end[LOG[feed]] = 0, (0, 0), []
            end[PLACE[feed]] = (len(items), 0)
            for number, item in enumerate(items):
                self.messages += 2 * BURST + 1
                if item.fault is not None:
                    self.faults[item.fault] += 1
                end[ALARM] += item.fault == "listener"
                if item.kind == "set":
                    end[PRICE[feed]] = item.value + BURST - 1
                elif item.kind == "later":
                    self.messages -= 2 * BURST - 1
                    end[SLOW[feed]] = (end[SLOW[feed]][0] + item.value, number + 1)
                elif item.kind == "edit":
                    end[LOG[feed]] = [*end[LOG[feed]], *([item.value] * BURST)][-BURST:]
                else:
                    end[COUNT] += BURST
        for order in self.orders:
            self.messages += 2
            if order.fault is not None:
                self.faults[order.fault] += 1
            else:
                end[ACCOUNT[order.source]] -= order.amount
                end[ACCOUNT[order.target]] += order.amount
        for _, clicks in self.visits:
            self.messages += clicks
            end[COUNT] += clicks
        end[money] = ACCOUNTS * 1_000_000
        end[prices] = sum(end[PRICE[feed]] for feed in range(FEEDS))
        end[forecast] = end[prices] * 2


def a_day() -> Plan:
    """A million messages, a thousand faults, a hundred crashes."""
    return Plan.of(seed=1, items=6_100, orders=5_000, faults=1_000, crashes=100, visits=96)


@dataclass
class Day:
    """What has become of a plan."""

    plan: Plan
    end: dict[Any, Any] = field(default_factory=dict[Any, Any])
    faults: Counter[str] = field(default_factory=Counter[str])
    """What went wrong as planned, and was caught, or reported, as it has to be."""
    unforeseen: list[str] = field(default_factory=list[str])
    restarts: int = 0
    """How often a service was started again, after its own crash or a sibling's."""
    conflicts: int = 0
    sessions: int = 0
    stores: int = 0
    seconds: float = 0.0
    """How long it was, in virtual time."""

    @property
    def lost(self) -> int:
        """How many of the writes that add up are missing."""
        parts = [(self.end[COUNT], self.plan.end[COUNT]), (self.end[ALARM], self.plan.end[ALARM])]
        for feed in range(FEEDS):
            parts += zip(self.end[PLACE[feed]], self.plan.end[PLACE[feed]], strict=True)
            parts.append((self.end[SLOW[feed]][1], self.plan.end[SLOW[feed]][1]))
            parts.append((len(self.end[LOG[feed]]), len(self.plan.end[LOG[feed]])))
        return sum(max(0, expected - found) for found, expected in parts)

    def differences(self) -> list[str]:
        """Where the end is not what was planned; no line is as it has to be."""
        found = [
            f"{key} is {self.end[key]!r}, and has to be {value!r}"
            for key, value in self.plan.end.items()
            if self.end[key] != value
        ]
        if self.faults != self.plan.faults:
            found.append(f"there were {dict(self.faults)}, and planned were {dict(self.plan.faults)}")
        return found + self.unforeseen

    def __str__(self) -> str:
        return (
            f"{self.plan.messages:,} messages, {self.faults.total():,} faults, {self.restarts:,} restarts of services, "
            f"{self.conflicts:,} conflicts of transactions, {self.sessions:,} sessions, {self.stores:,} stores "
            f"in {self.seconds / HOUR:.1f} hours"
        )


def live(plan: Plan) -> Day:
    """Live through a day, in as little time as it takes."""
    day = Day(plan)
    anyio.run(_live, day, backend="asyncio", backend_options={"loop_factory": VirtualLoop})
    return day


async def _live(day: Day) -> None:
    kept: fa.Snapshot | None = None
    for hour in range(HOURS):
        async with fa.StateManager() as state:
            if kept is not None:
                state.restore(kept)
            await _Hour(day, state, hour).live()
            kept = state.snapshot()
            if hour == HOURS - 1:
                day.end = {key: state.get(key) for key in day.plan.end}
        day.stores += 1
    day.seconds = anyio.current_time()


class _Hour:
    """One hour, and the store that is there for it."""

    def __init__(self, day: Day, state: fa.StateManager, hour: int) -> None:
        self._day = day
        self._state = state
        self._begin, self._over = hour * HOUR, (hour + 1) * HOUR
        self._begun: Counter[int] = Counter()
        self._crashed: set[tuple[int, int]] = set()

        @fa.action(retry=fa.Retry(attempts=None, base=0.1, cap=1.0, on=(fa.ConflictError,)))
        async def move(get: fa.Get, set: fa.Set, order: Order) -> None:
            try:
                async with state.transaction() as tx:
                    tx.update(ACCOUNT[order.source], lambda held: held - order.amount)
                    await anyio.sleep(order.seconds)
                    if order.fault == "order fails":
                        raise Planned(order.fault)
                    tx.update(ACCOUNT[order.target], lambda held: held + order.amount)
            except fa.ConflictError:
                day.conflicts += 1
                raise

        self._move = state.action(move)

    async def live(self) -> None:
        state = self._state
        state.on_error = self._report
        state.listen(ALARM, self._alarm, immediate=False)
        state.listen(forecast, lambda _: None)
        state.listen(money, self._look)
        strategies = state.supervisor("one_for_all", max_restarts=None), state.supervisor("rest_for_one")
        for feed in range(FEEDS):
            self._start(strategies[feed % 2], feed)
        async with anyio.create_task_group() as group:
            group.start_soon(self._orders)
            group.start_soon(self._visits)
        await anyio.sleep_until(self._over)
        await quiescent(state)

    # ------------------------------------------------------------------ feeds

    def _start(self, supervisor: fa.Supervisor, feed: int) -> None:
        items = self._day.plan.feeds[feed]

        @supervisor.service(f"feed {feed}")
        async def work_off(get: fa.Get, set: fa.Set) -> None:
            self._begun[feed] += 1
            self._day.restarts += self._begun[feed] > 1
            while get(PLACE[feed])[0] < len(items):
                number, _ = get(PLACE[feed])
                item = items[number]
                await anyio.sleep_until(item.at)
                if item.fault == "crashes" and (feed, number) not in self._crashed:
                    self._crashed.add((feed, number))
                    self._day.faults["crashes"] += 1
                    raise Planned("crashes")
                await self._bring(get, set, feed, number, item)
            await anyio.sleep(float("inf"))

    async def _bring(self, get: fa.Get, set: fa.Set, feed: int, number: int, item: Item) -> None:
        """Write what an item says. A sibling's crash may end this at any `await`: then it goes on from its place."""
        if item.kind == "later":

            async def later(held: tuple[int, int]) -> tuple[int, int]:
                await anyio.sleep(1)
                return (held[0] + item.value, number + 1) if held[1] <= number else held

            await set.update(SLOW[feed], later)
        else:
            write = getattr(self, f"_{item.kind}")
            for done in range(get(PLACE[feed])[1], BURST):
                receipt = write(set, feed, item, done)
                set(PLACE[feed], (number, done + 1))
                if item.kind == "await":
                    await receipt
        if item.fault is not None:
            await self._go_wrong(set, item)
        set(PLACE[feed], (number + 1, 0))

    def _set(self, set: fa.Set, feed: int, item: Item, done: int) -> fa.Receipt:
        return set(PRICE[feed], item.value + done)

    def _update(self, set: fa.Set, feed: int, item: Item, done: int) -> fa.Receipt:
        return set.update(COUNT, lambda held: held + 1)

    _await = _update

    def _batch(self, set: fa.Set, feed: int, item: Item, done: int) -> fa.Receipt:
        with self._state.batch():
            return set.update(COUNT, lambda held: held + 1)

    def _edit(self, set: fa.Set, feed: int, item: Item, done: int) -> fa.Receipt:
        def edit(held: list[int]) -> None:
            held.append(item.value)
            del held[:-BURST]

        return set.mutate(LOG[feed], edit)

    async def _go_wrong(self, set: fa.Set, item: Item) -> None:
        def fail(_: int) -> int:
            raise Planned(item.fault)

        async def fail_later(_: int) -> int:
            await anyio.lowlevel.checkpoint()
            raise Planned(item.fault)

        if item.fault == "listener":
            set.update(ALARM, lambda held: held + 1)
        elif item.fault in ("fails", "fails later"):
            try:
                await set.update(ALARM, fail if item.fault == "fails" else fail_later)
            except Planned as error:
                self._day.faults[error.args[0]] += 1

    # ------------------------------------------------------------------ orders, people, and who looks

    async def _orders(self) -> None:
        async with anyio.create_task_group() as group:
            for order in self._day.plan.orders:
                if self._begin <= order.at < self._over:
                    await anyio.sleep_until(order.at)
                    run = self._move(order)
                    if order.fault == "order is cancelled":
                        group.start_soon(self._cancel, run, order)

    async def _cancel(self, run: fa.Run[None], order: Order) -> None:
        await anyio.sleep(order.seconds / 2)
        run.cancel()
        await run.wait()
        self._day.faults["order is cancelled"] += run.state == "cancelled"

    async def _visits(self) -> None:
        for at, clicks in self._day.plan.visits:
            if self._begin <= at < self._over:
                await anyio.sleep_until(at)
                await self._visit(clicks)

    async def _visit(self, clicks: int) -> None:
        state = self._state

        def main(page: ft.Page) -> None:
            state.attach(page)
            page.add(
                ft.Button("Add", on_click=lambda: state.update(COUNT, lambda held: held + 1)),
                state.bound(ft.Text(), value=lambda get: f"count {get(COUNT)}"),
                state.bound(ft.Text(), value=lambda get: f"{get(money)} in all"),
            )

        async with HeadlessApp(main) as app:
            for _ in range(clicks):
                await app.click("Add")
            expected = [f"count {state.get(COUNT)}", f"{ACCOUNTS * 1_000_000} in all"]
            if app.texts() != expected:
                self._day.unforeseen.append(f"{app.texts()} on the screen, and not {expected}")
        self._day.sessions += 1

    def _alarm(self, _: int) -> None:
        raise Planned("listener")

    def _look(self, total: int) -> None:
        if total != ACCOUNTS * 1_000_000:
            self._day.unforeseen.append(f"somebody saw {total} in all")

    def _report(self, failure: fa.Failure) -> None:
        error = failure.error
        if isinstance(error, Planned):
            self._day.faults[error.args[0]] += 1
        else:
            self._day.unforeseen.append(str(failure))
