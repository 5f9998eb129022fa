"""What a click costs that changes one bound value, on pages of 10 to 10,000 controls.

    python -m tests.benchmarks.frames [--json FILE] [--quick]

The work is the same in each column: the client's event is dispatched by Flet's own session
to a handler that adds one to a number; the difference is taken and encoded by Flet; and a
connection takes the bytes. First the answer is checked, with a client that is a mirror of
what it was sent; then the columns are timed in turn, round after round.

The floor is what Flet does if it is told, by hand, which control to send. flet-asp runs on
a Flet of its time, in an environment and a process of its own, in the same rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib
import inspect
import json
import platform
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Protocol, cast

import flet as ft
from flet.messaging import connection, protocol
from flet.pubsub.pubsub_hub import PubSubHub

import flet_asp_actors as fa
from flet_asp_actors.testing.headless import HeadlessApp
from flet_asp_actors.ui import page as adapter
from flet_asp_actors.ui.roots import cheapest

from .flet_asp_worker import NotInstallable, Worker

__all__ = ("FLOOR", "OURS", "VARIANTS", "Clicker", "Variant", "check")

SIZES = (10, 100, 1_000, 10_000)
LEAST_ROUNDS = 7
NO_LIMIT = 1e9
"""Frames a second: each click is to have a frame of its own."""

COUNT = fa.Key("count", 0)
_msgpack: Any = importlib.import_module("msgpack")  # it has no types
_encode: Callable[[Any], Any] = cast(Any, protocol).configure_encode_object_for_msgpack(ft.BaseControl)


# ------------------------------------------------------------------ the columns


@dataclass(frozen=True)
class Variant:
    """A column: an app whose button adds one to the number that the last of its texts shows."""

    name: str
    build: Callable[[ft.Page, int], None]
    is_there: bool = True


def _column(size: int, shown: ft.Control) -> ft.Column:
    return ft.Column([*(ft.Text(f"row {n}") for n in range(size - 1)), shown])


def _button(on_click: Callable[[], None]) -> ft.Button:
    return ft.Button("Add", on_click=on_click)


def _by_store(state: fa.StateManager, page: ft.Page, size: int, first: Callable[[], object] | None = None) -> None:
    def add() -> None:
        if first is not None:
            first()
        state.update(COUNT, lambda n: n + 1)

    shown = ft.Text()
    state.bind(COUNT, shown, to=str)
    page.add(_button(add), _column(size, shown))


def _ours(page: ft.Page, size: int) -> None:
    open_store: Callable[..., fa.StateManager] = fa.get_state_manager
    _by_store(open_store(page, max_fps=NO_LIMIT, auto_update=False), page, size)


def _ours_beside_auto_update(page: ft.Page, size: int) -> None:
    _by_store(fa.get_state_manager(page, max_fps=NO_LIMIT), page, size)


def _ours_without_auto_update(page: ft.Page, size: int) -> None:
    _by_store(fa.get_state_manager(page, max_fps=NO_LIMIT), page, size, ft.context.disable_auto_update)


def _by_hand(page: ft.Page, size: int, push: Callable[[ft.Text], object] | None) -> None:
    count = 0

    def add() -> None:
        nonlocal count
        count += 1
        shown.value = str(count)
        if push is not None:
            push(shown)

    shown = ft.Text("0")
    page.add(_button(add), _column(size, shown))


def _control_update(page: ft.Page, size: int) -> None:
    _by_hand(page, size, lambda shown: shown.update())


def _page_update(page: ft.Page, size: int) -> None:
    _by_hand(page, size, lambda shown: page.update())


def _auto_update(page: ft.Page, size: int) -> None:
    _by_hand(page, size, None)


@ft.observable  # pyright: ignore[reportUnknownMemberType]  # Flet's has no types
@dataclass
class _Counter:
    count: int = 0

    def add(self) -> None:
        self.count += 1


@ft.component
def _number(counter: _Counter) -> ft.Control:
    return ft.Text(str(counter.count))


@ft.component
def _everything(counter: _Counter, size: int) -> ft.Control:
    return ft.Column([_button(counter.add), _column(size, ft.Text(str(counter.count)))])


def _one_component(page: ft.Page, size: int) -> None:
    page.render(_everything, _Counter(), size)


def _small_component(page: ft.Page, size: int) -> None:
    counter = _Counter()

    @ft.component
    def around() -> ft.Control:  # it reads nothing of the counter, and is rendered once
        return ft.Column([_button(counter.add), _column(size, _number(counter))])

    page.render(around)


OURS = Variant("ours, auto_update=False", _ours, "auto_update" in inspect.signature(fa.get_state_manager).parameters)
FLOOR = Variant("Flet: control.update()", _control_update)
VARIANTS = (
    OURS,
    Variant("ours, disable_auto_update() in the handler", _ours_without_auto_update),
    Variant("ours, beside auto-update", _ours_beside_auto_update),
    FLOOR,
    Variant("Flet: page.update()", _page_update),
    Variant("Flet: auto-update", _auto_update),
    Variant("Flet: a component for the number", _small_component),
    Variant("Flet: one component", _one_component),
)
PEERS = ("flet-asp 0.3.1 on Flet 0.28.3", "Flet 0.28.3: control.update()")


# ------------------------------------------------------------------ a click


class _Sink(connection.Connection):
    """A connection that encodes as Flet's own do, and counts what it is given."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Flet's has no types
        self.loop = asyncio.get_running_loop()
        self.executor = executor
        self.pubsubhub = PubSubHub(loop=self.loop, executor=executor)
        self.page_url = "http://sink.test"
        self.frames = 0
        self.bytes = 0

    def send_message(self, message: protocol.Message) -> None:
        self.bytes += len(_msgpack.packb([message.action, message.body], default=_encode))
        self.frames += 1


class Clicker:
    """Clicks a button of an app, as the server does when the client says so: each event is a task."""

    def __init__(self, app: HeadlessApp, executor: ThreadPoolExecutor) -> None:
        self._session = app.session
        self._button: int = app.one("Button")["_i"]
        self.sink = _Sink(executor)
        app.session.attach_connection(self.sink)

    async def __call__(self, n: int) -> float:
        """Click so many times, each time until the client has been sent what comes of it; gives the seconds."""
        loop, sink, dispatch, button = asyncio.get_running_loop(), self.sink, self._session.dispatch_event, self._button
        context = copy_context()
        start = perf_counter()
        for _ in range(n):
            before = sink.frames
            await context.copy().run(loop.create_task, dispatch(button, "click", None))
            while sink.frames == before:  # noqa: ASYNC110  # an event would cost, and would be ours
                await asyncio.sleep(0)
        await asyncio.sleep(0)  # what the last click has left for the loop's next step
        return perf_counter() - start


async def check(app: HeadlessApp) -> str | None:
    """What is wrong after three clicks, or None."""
    for expected in ("1", "2", "3"):
        app.take()
        await app.click("Add")
        shown = app.texts()[-1]
        if shown != expected:
            return f"after {expected} clicks the client shows {shown}"
        frames = [frame for frame in app.take() if frame.ops]
        if len(frames) != 1:
            return f"a click makes {len(frames)} frames"
    return None


# ------------------------------------------------------------------ the measurement


class Timed(Protocol):
    """Clicks n times and gives the seconds."""

    async def __call__(self, n: int) -> float: ...


@dataclass(frozen=True)
class Cell:
    """One figure of the table, or a word in its place."""

    size: int
    column: str
    microseconds: float | None = None
    """A click; the median of the rounds."""
    ratio: float | None = None
    """To the floor; the median of the ratios within each round."""
    mark: str = ""

    def __str__(self) -> str:
        if self.microseconds is None or self.ratio is None:
            return self.mark
        return f"{self.microseconds:,.0f} ({self.ratio:.2f}x)"


async def measure(size: int, rounds: int, seconds: float, worker: Worker | str) -> list[Cell]:
    """Measure a click at every column, on a page with so many texts."""
    cells = [Cell(size, each.name, mark="not in this version") for each in VARIANTS]
    timed: dict[int, Timed] = {}
    async with contextlib.AsyncExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(1))
        for place, variant in enumerate(VARIANTS):
            if variant.is_there:
                app = await stack.enter_async_context(HeadlessApp(lambda page, v=variant: v.build(page, size)))  # type: ignore[misc]
                wrong = await check(app)
                if wrong is not None:
                    raise SystemExit(f"{variant.name}, {size} controls: {wrong}")
                timed[place] = Clicker(app, executor)
        cells += [Cell(size, name, mark=worker if isinstance(worker, str) else "") for name in PEERS]
        if isinstance(worker, Worker):
            worker.open(size)
            timed |= {len(VARIANTS): worker.click, len(VARIANTS) + 1: worker.click_by_hand}
        gc.collect()
        gc.freeze()
        try:
            figures = await _time(timed, rounds, seconds)
        finally:
            gc.unfreeze()
    floor = figures[VARIANTS.index(FLOOR)]
    for place, column in figures.items():
        ratio = median(each / base for each, base in zip(column, floor, strict=True))
        cells[place] = Cell(size, cells[place].column, median(column) * 1e6, ratio)
    return cells


async def _time(timed: dict[int, Timed], rounds: int, seconds: float) -> dict[int, list[float]]:
    """Time the columns in turn, round after round; seconds a click."""
    counts: dict[int, int] = {}
    for place, click in timed.items():
        await click(1)  # what is only made once
        counts[place] = max(2, round(seconds / (await click(2) / 2)))
    figures: dict[int, list[float]] = {place: [] for place in timed}
    for _ in range(rounds):
        for place, click in timed.items():
            with _no_collection():
                figures[place].append(await click(counts[place]) / counts[place])
    return figures


@contextlib.contextmanager
def _no_collection() -> Generator[None, None, None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# ------------------------------------------------------------------ many controls, or what is around them


@dataclass(frozen=True)
class Push:
    """What it costs to push some changes of a subtree, by both ways and by ours."""

    subtree: int
    dirty: int
    each: float
    """Microseconds of `page.update(*dirty)`."""
    whole: float
    """Microseconds of the ancestor's `update()`."""
    ours: float
    """Microseconds of what the UI actor does, which has to choose first."""


@dataclass(frozen=True)
class Constants:
    """What the pushes cost: a line through them."""

    per_dirty: float
    """`page.update(*dirty)`, microseconds a dirty control."""
    per_control: float
    """An ancestor's `update()`, microseconds a control below it."""
    per_change: float
    """An ancestor's `update()`, microseconds more a dirty control below it."""

    @property
    def crossover(self) -> float:
        """The share of a subtree that has to be dirty for its ancestor's `update()` to be cheaper."""
        return self.per_control / (self.per_dirty - self.per_change)


async def pushes(rounds: int, sizes: Sequence[int]) -> tuple[list[Push], Constants]:
    """Time both ways to push, for several sizes of a subtree and shares of it that have changed."""
    found: list[Push] = []
    for size in sizes:
        texts = [ft.Text("0") for _ in range(size)]
        column = ft.Column(cast(list[ft.Control], texts))
        async with HeadlessApp(lambda page, column=column: page.add(column)) as app:  # type: ignore[misc]
            with ThreadPoolExecutor(1) as executor:
                app.session.attach_connection(_Sink(executor))
                dirties = sorted({1, *(max(1, round(size * share)) for share in (0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1))})
                times: dict[int, tuple[list[float], ...]] = {dirty: ([], [], []) for dirty in dirties}
                for turn in range(rounds):
                    for dirty in dirties:
                        some: list[ft.BaseControl] = [*texts[:: size // dirty][:dirty]]
                        for way, column_of in enumerate(times[dirty]):
                            column_of.append(_push(app.page, column, some, f"{turn} {way}", way))
                found += [Push(size, dirty, *(median(way) * 1e6 for way in ways)) for dirty, ways in times.items()]
    return found, _fit(found)


def _push(page: ft.Page, column: ft.Column, some: list[ft.BaseControl], value: str, way: int) -> float:
    """Change some texts and push them: each for itself, with what is around them, or as the UI actor does."""
    for text in some:
        cast(ft.Text, text).value = value
    with _no_collection():
        start = perf_counter()
        adapter.push(page, (some, [column])[way] if way < 2 else cheapest(some))
        return perf_counter() - start


def _fit(found: Sequence[Push]) -> Constants:
    """The slopes between the largest and the smallest of each kind."""
    largest = max(push.subtree for push in found)
    few, *_, many = (push for push in found if push.subtree == largest)
    changes = many.dirty - few.dirty
    return Constants(
        per_dirty=(many.each - few.each) / changes,
        per_control=few.whole / largest,
        per_change=(many.whole - few.whole) / changes,
    )


# ------------------------------------------------------------------ the tables


def table(rows: Sequence[Sequence[Cell]]) -> str:
    """A column of the table a line, a size of the page a column."""
    sizes = [f"{row[0].size:,} controls" for row in rows]
    lines = ["| us a click (to the floor) | " + " | ".join(sizes) + " |", "|---" + "|---:" * len(rows) + "|"]
    lines += [f"| {cells[0].column} | " + " | ".join(map(str, cells)) + " |" for cells in zip(*rows, strict=True)]
    return "\n".join(lines)


def push_table(found: Sequence[Push]) -> str:
    """For each subtree and number of changes: both ways, and which is cheaper."""
    lines = [
        "| subtree | dirty | page.update(*dirty) | ancestor.update() | ours | ours to the better one |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for push in found:
        best = min(push.each, push.whole)
        figures = f"{push.each:,.0f} us | {push.whole:,.0f} us | {push.ours:,.0f} us | {push.ours / best:.2f}x"
        lines.append(f"| {push.subtree:,} | {push.dirty:,} | {figures} |")
    return "\n".join(lines)


async def run(rounds: int, seconds: float, sizes: Sequence[int], with_peer: bool) -> dict[str, Any]:
    """Measure all of it, print it and return it for a file."""
    worker: Worker | str = "left out"
    if with_peer:
        try:
            worker = Worker()
        except NotInstallable as error:
            worker = "not installable"
            print(f"flet-asp is left out: {error}\n")
    try:
        rows = [await measure(size, rounds, seconds, worker) for size in sizes]
    finally:
        if isinstance(worker, Worker):
            worker.close()
    print(table(rows))
    print(f"\nPython {platform.python_version()}, Flet {version('flet')}. Median of {rounds} rounds.\n")
    found, constants = await pushes(rounds, [size for size in sizes if size > 10])
    print(push_table(found))
    print(
        "\nTo the cost of a control below an ancestor that is updated "
        f"({constants.per_control:.1f} us), a dirty control in page.update(*dirty) costs "
        f"{constants.per_dirty / constants.per_control:.1f}x, and a dirty one below the ancestor "
        f"{constants.per_change / constants.per_control:.1f}x more.\n"
        f"So the ancestor is cheaper when more than {constants.crossover:.0%} of what is below it is dirty."
    )
    return {
        "python": platform.python_version(),
        "flet": version("flet"),
        "rounds": rounds,
        "cells": [asdict(cell) for row in rows for cell in row],
        "pushes": [asdict(push) for push in found],
        "constants": {**asdict(constants), "crossover": constants.crossover},
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.frames", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE, too")
    parser.add_argument("--rounds", type=int, default=11, help=f"rounds of each table, at least {LEAST_ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="shorter rounds, and no more of them than needed")
    parser.add_argument("--no-peer", action="store_true", help="leave out flet-asp, which has to be installed")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="controls on the page")
    options = parser.parse_args()
    rounds = LEAST_ROUNDS if options.quick else max(LEAST_ROUNDS, options.rounds)
    report = Context().run(asyncio.run, run(rounds, 0.02 if options.quick else 0.1, options.sizes, not options.no_peer))
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
