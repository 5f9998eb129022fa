"""What a click costs, by how many values it changes, the size of the page, the sessions, and the values there are.

The work is the same in each column: the client's event is dispatched by Flet's own session
to a handler that adds one to a number; the difference is taken and encoded by Flet; and a
connection takes the bytes. First the answer is checked, with a client that is a mirror of
what it was sent; then the columns are timed in turn, round after round, in the processor's
time.

The floor is what Flet does if it is told, by hand, which controls to send. flet-asp runs on
a Flet of its time, in an environment and a process of its own, in the same rounds.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Protocol, cast

import flet as ft
from flet.messaging import connection, protocol
from flet.pubsub.pubsub_hub import PubSubHub

import flet_asp_actors as fa
from flet_asp_actors.testing.headless import HeadlessApp
from flet_asp_actors.ui import page as adapter
from flet_asp_actors.ui.roots import cheapest

from .measuring import NO_SUCH_THING
from .peers import FLET_ASP
from .workers import NotInstallable, Worker, interpreter

__all__ = ("FLOOR", "OURS", "VARIANTS", "Clicker", "Variant", "check", "measure_all", "pushes", "tables")

SIZES, DIRTY = (10, 100, 1_000, 10_000), (1, 100, 1_000)
SETTINGS = tuple((size, dirty) for size in SIZES for dirty in DIRTY if dirty <= size)
"""How many texts are on the page, and how many of them a click changes."""
SESSIONS = (1, 10, 100)
ALL_SHOW = "ours, a value that all show: each"
ATOMS = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
SUBTREES = (100, 1_000)
NO_LIMIT = 1e9
"""Frames a second: each click is to have a frame of its own."""

COUNT = fa.Key("count", 0)
_msgpack: Any = importlib.import_module("msgpack")  # it has no types
_encode: Callable[[Any], Any] = cast(Any, protocol).configure_encode_object_for_msgpack(ft.BaseControl)


# ------------------------------------------------------------------ the columns


@dataclass(frozen=True)
class Variant:
    """A column: an app whose button adds one to the number that the last of its texts show."""

    name: str
    build: Callable[[ft.Page, int, int], None]
    """Make a page with so many texts, the last so many of which show the number."""
    shows_one: bool = False
    """Whether there is only one such text, or else it would not be this."""


def _column(size: int, shown: Sequence[ft.Control]) -> ft.Column:
    return ft.Column([*(ft.Text(f"row {n}") for n in range(size - len(shown))), *shown])


def _button(on_click: Callable[[], None]) -> ft.Button:
    return ft.Button("Add", on_click=on_click)


def _one_more(value: int) -> int:
    return value + 1


def _by_store(
    state: fa.StateManager, page: ft.Page, size: int, dirty: int, first: Callable[[], object] | None = None
) -> None:
    def add() -> None:
        if first is not None:
            first()
        for key in keys:
            state.update(key, _one_more)

    keys = [COUNT[n] for n in range(dirty)]
    shown = [ft.Text() for _ in keys]
    for key, text in zip(keys, shown, strict=True):
        state.bind(key, text, to=str)
    page.add(_button(add), _column(size, shown))


def _ours(page: ft.Page, size: int, dirty: int) -> None:
    _by_store(fa.get_state_manager(page, max_fps=NO_LIMIT, auto_update=False), page, size, dirty)


def _ours_beside_auto_update(page: ft.Page, size: int, dirty: int) -> None:
    _by_store(fa.get_state_manager(page, max_fps=NO_LIMIT), page, size, dirty)


def _ours_without_auto_update(page: ft.Page, size: int, dirty: int) -> None:
    _by_store(fa.get_state_manager(page, max_fps=NO_LIMIT), page, size, dirty, ft.context.disable_auto_update)


def _ours_among(page: ft.Page, atoms: int) -> None:
    """Ours, with so many values in the store."""
    state = fa.get_state_manager(page, max_fps=NO_LIMIT, auto_update=False)
    other = fa.Key("other", 0)
    for n in range(atoms):
        state.set(other[n], 1)
    _by_store(state, page, 10, 1)


def _by_hand(page: ft.Page, size: int, dirty: int, push: Callable[[list[ft.Text]], object] | None) -> None:
    count = 0

    def add() -> None:
        nonlocal count
        count += 1
        for text in shown:
            text.value = str(count)
        if push is not None:
            push(shown)

    shown = [ft.Text("0") for _ in range(dirty)]
    page.add(_button(add), _column(size, shown))


def _control_update(page: ft.Page, size: int, dirty: int) -> None:
    _by_hand(page, size, dirty, lambda shown: shown[0].update() if len(shown) == 1 else page.update(*shown))


def _page_update(page: ft.Page, size: int, dirty: int) -> None:
    _by_hand(page, size, dirty, lambda shown: page.update())


def _auto_update(page: ft.Page, size: int, dirty: int) -> None:
    _by_hand(page, size, dirty, None)


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
def _everything(counter: _Counter, size: int, dirty: int) -> ft.Control:
    shown = [ft.Text(str(counter.count)) for _ in range(dirty)]
    return ft.Column([_button(counter.add), _column(size, shown)])


def _one_component(page: ft.Page, size: int, dirty: int) -> None:
    page.render(_everything, _Counter(), size, dirty)


def _small_component(page: ft.Page, size: int, dirty: int) -> None:
    counter = _Counter()

    @ft.component
    def around() -> ft.Control:  # it reads nothing of the counter, and is rendered once
        return ft.Column([_button(counter.add), _column(size, [_number(counter)])])

    page.render(around)


OURS = Variant("ours, auto_update=False", _ours)
FLOOR = Variant("Flet: control.update()", _control_update)
VARIANTS = (
    OURS,
    Variant("ours, disable_auto_update() in the handler", _ours_without_auto_update),
    Variant("ours, beside auto-update", _ours_beside_auto_update),
    FLOOR,
    Variant("Flet: page.update()", _page_update),
    Variant("Flet: auto-update", _auto_update),
    Variant("Flet: a component for the number", _small_component, shows_one=True),
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
        start = process_time()
        for _ in range(n):
            before = sink.frames
            await context.copy().run(loop.create_task, dispatch(button, "click", None))
            while sink.frames == before:  # noqa: ASYNC110  # an event would cost, and would be ours
                await asyncio.sleep(0)
        await asyncio.sleep(0)  # what the last click has left for the loop's next step
        return process_time() - start


async def check(app: HeadlessApp, dirty: int = 1) -> str | None:
    """What is wrong after three clicks, or None."""
    for expected in ("1", "2", "3"):
        app.take()
        await app.click("Add")
        shown = app.texts()[-dirty:]
        if shown != [expected] * dirty:
            return f"after {expected} clicks the client shows {shown[:3]}"
        frames = [frame for frame in app.take() if frame.ops]
        if len(frames) > dirty:
            return f"a click makes {len(frames)} frames"
    return None


# ------------------------------------------------------------------ the measurement


class Timed(Protocol):
    """Clicks n times and gives the seconds."""

    async def __call__(self, n: int) -> float: ...


class FletAsp:
    """flet-asp, in an environment and a process of its own."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("flet_asp_click.py")
        self._worker = Worker(interpreter(FLET_ASP.packages), str(script))

    def open(self, size: int, dirty: int) -> None:
        """Build a page with so many texts, and check a click there."""
        answer = self._worker.ask(size=size, dirty=dirty)
        if "wrong" in answer:
            raise SystemExit(f"flet-asp, {size} controls: {answer['wrong']}")

    async def click(self, n: int) -> float:
        """Click n times; gives the seconds. Meanwhile nothing else happens here."""
        return float(self._worker.ask(clicks=n)["seconds"])

    async def click_by_hand(self, n: int) -> float:
        """The same on numbers that the handler sets and updates itself, without flet-asp."""
        return float(self._worker.ask(plain=n)["seconds"])

    def close(self) -> None:
        """End the process."""
        self._worker.close()


@contextlib.asynccontextmanager
async def _clicking(build: Callable[[ft.Page], None], dirty: int = 1) -> AsyncGenerator[Clicker, None]:
    """A page that is checked, and can then be clicked."""
    with ThreadPoolExecutor(1) as executor:
        async with HeadlessApp(build) as app:
            wrong = await check(app, dirty)
            if wrong is not None:
                raise SystemExit(f"{build}: {wrong}")
            yield Clicker(app, executor)


async def measure(size: int, dirty: int, rounds: int, seconds: float, peer: FletAsp | None) -> list[dict[str, Any]]:
    """Measure a click at every column, on a page with so many texts of which so many change."""
    timed: dict[str, Timed] = {}
    async with contextlib.AsyncExitStack() as stack:
        for variant in VARIANTS:
            if dirty == 1 or not variant.shows_one:
                clicking = _clicking(lambda page, v=variant: v.build(page, size, dirty), dirty)  # type: ignore[misc]
                timed[variant.name] = await stack.enter_async_context(clicking)
        if peer is not None:
            peer.open(size, dirty)
            timed |= dict(zip(PEERS, (peer.click, peer.click_by_hand), strict=True))
        figures = await _time(timed, rounds, seconds)
    return [
        {
            "size": size,
            "dirty": dirty,
            "column": name,
            "microseconds": median(figures[name]) * 1e6,
            "to_floor": median(each / base for each, base in zip(figures[name], figures[FLOOR.name], strict=True)),
        }
        for name in timed
    ]


async def _sessions(number: int, rounds: int, seconds: float) -> dict[str, float]:
    """A click in one of so many sessions, each with a page and a store; and what one costs of a change shown in all."""
    async with contextlib.AsyncExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(1))
        shared = fa.StateManager()
        stack.push_async_callback(shared.aclose)
        of_all: list[_Sink] = []

        def ours(page: ft.Page) -> None:
            _ours(page, 10, 1)
            shared.attach(page)
            page.add(shared.bound(ft.Text(), value=COUNT))

        def by_hand(page: ft.Page) -> None:
            _control_update(page, 10, 1)

        async def change(n: int) -> float:
            start = process_time()
            for _ in range(n):
                before = sum(sink.frames for sink in of_all)
                shared.update(COUNT, _one_more)
                while sum(sink.frames for sink in of_all) < before + number:  # noqa: ASYNC110  # as with clicks
                    await asyncio.sleep(0)
            return process_time() - start

        clickers: dict[str, Clicker] = {}
        builds: dict[str, Callable[[ft.Page], None]] = {"ours": ours, FLOOR.name: by_hand}
        for name, build in builds.items():
            for _ in range(number):
                app = await stack.enter_async_context(HeadlessApp(build))
                clickers[name] = Clicker(app, executor)
                if build is ours:
                    of_all.append(clickers[name].sink)
        figures = await _time({**clickers, ALL_SHOW: change}, rounds, seconds)
        figures[ALL_SHOW] = [found / number for found in figures[ALL_SHOW]]
        return {name: median(found) * 1e6 for name, found in figures.items()}


async def _among(rounds: int, seconds: float, atoms: Sequence[int]) -> list[dict[str, Any]]:
    """A click on a page of ten controls, with so many values in the store."""
    async with contextlib.AsyncExitStack() as stack:
        timed: dict[int, Timed] = {}
        for number in atoms:
            timed[number] = await stack.enter_async_context(_clicking(lambda page, n=number: _ours_among(page, n)))  # type: ignore[misc]
        timed[0] = await stack.enter_async_context(_clicking(lambda page: _control_update(page, 10, 1)))
        figures = await _time(timed, rounds, seconds)
    floor = median(figures.pop(0)) * 1e6
    return [{"atoms": number, "ours": median(found) * 1e6, FLOOR.name: floor} for number, found in figures.items()]


async def _time(timed: Mapping[Any, Timed], rounds: int, seconds: float) -> dict[Any, list[float]]:
    """Time the columns in turn, round after round; seconds a click."""
    gc.collect()
    gc.freeze()
    try:
        counts: dict[Any, int] = {}
        for place, click in timed.items():
            await click(1)  # what is only made once
            counts[place] = max(2, round(seconds / (await click(2) / 2)))
        figures: dict[Any, list[float]] = {place: [] for place in timed}
        for _ in range(rounds):
            for place, click in timed.items():
                with _no_collection():
                    figures[place].append(await click(counts[place]) / counts[place])
        return figures
    finally:
        gc.unfreeze()


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
        start = process_time()
        adapter.push(page, (some, [column])[way] if way < 2 else cheapest(some))
        return process_time() - start


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


# ------------------------------------------------------------------ all of it


def measure_all(rounds: int, seconds: float, is_quick: bool) -> dict[str, Any]:
    """Measure all of it, on a loop of its own."""
    return Context().run(asyncio.run, _measure_all(rounds, seconds, is_quick))


async def _measure_all(rounds: int, seconds: float, is_quick: bool) -> dict[str, Any]:
    peer: FletAsp | None = None
    try:
        peer = FletAsp()
    except NotInstallable as error:
        print(f"flet-asp is left out: {error}", file=sys.stderr)
    with contextlib.closing(peer) if peer is not None else contextlib.nullcontext():
        cells: list[dict[str, Any]] = []
        for size, dirty in SETTINGS[:-3] if is_quick else SETTINGS:
            print(f"a click that changes {dirty:,} of {size:,}", file=sys.stderr)
            cells += await measure(size, dirty, rounds, seconds, peer)
    sessions: list[dict[str, Any]] = []
    for number in SESSIONS[:-1] if is_quick else SESSIONS:
        print(f"{number:,} sessions", file=sys.stderr)
        sessions.append({"sessions": number, **await _sessions(number, rounds, seconds)})
    atoms = await _among(rounds, seconds, ATOMS[:-2] if is_quick else ATOMS)
    print("pushes", file=sys.stderr)
    found, constants = await pushes(rounds, SUBTREES[:-1] if is_quick else SUBTREES)
    return {
        "cells": cells,
        "sessions": sessions,
        "atoms": atoms,
        "pushes": [asdict(push) for push in found],
        "constants": {**asdict(constants), "crossover": constants.crossover},
    }


def tables(found: Mapping[str, Any]) -> str:
    """A column of the table a line, a setting a column; then the others."""
    settings = list(dict.fromkeys((cell["size"], cell["dirty"]) for cell in found["cells"]))
    by_column: dict[str, dict[tuple[int, int], str]] = {}
    for cell in found["cells"]:
        figure = f"{cell['microseconds']:,.0f} ({cell['to_floor']:.2f})"
        by_column.setdefault(cell["column"], {})[cell["size"], cell["dirty"]] = figure
    lines = [
        "| us a click (to the floor) | " + " | ".join(f"{dirty:,} of {size:,}" for size, dirty in settings) + " |",
        "|---" + "|---:" * len(settings) + "|",
    ]
    for name, figures in by_column.items():
        lines.append(f"| {name} | " + " | ".join(figures.get(each, NO_SUCH_THING) for each in settings) + " |")
    for name in ("sessions", "atoms"):
        rows: list[dict[str, float]] = found[name]
        lines += ["", "| " + " | ".join(rows[0]) + " |", "|---:" * len(rows[0]) + "|"]
        lines += ["| " + " | ".join(f"{figure:,.0f}" for figure in each.values()) + " |" for each in rows]
    lines += [
        "",
        "| subtree | dirty | page.update(*dirty) | ancestor.update() | ours | ours to the better one |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for push in found["pushes"]:
        best = min(push["each"], push["whole"])
        ways = f"{push['each']:,.0f} us | {push['whole']:,.0f} us | {push['ours']:,.0f} us"
        lines.append(f"| {push['subtree']:,} | {push['dirty']:,} | {ways} | {push['ours'] / best:.2f}x |")
    crossover = found["constants"]["crossover"]
    lines += ["", f"An ancestor is cheaper to update when more than {crossover:.0%} of what is below it is dirty.", ""]
    return "\n".join(lines)
