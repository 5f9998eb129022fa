"""Controls with state of their own: each instance has its atoms, finds the store by itself, and leaves nothing."""

from __future__ import annotations

import asyncio
import gc
import warnings
import weakref
from collections.abc import Callable
from typing import Any, cast

import flet as ft
import pytest

import flet_asp_actors as fa
from examples import reactive
from examples.reactive import feeds
from examples.reactive.form import send
from examples.reactive.main import main as gallery
from flet_asp_actors.atom import Atom
from flet_asp_actors.selector import Selector
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from flet_asp_actors.ui.binding import Binding
from flet_asp_actors.ui.page import push_context
from tests.kit.apps import store

IN_VIRTUAL_TIME = pytest.mark.parametrize("anyio_backend", [virtual_backend()], ids=["virtual"])
THEME = fa.Key("theme", "light")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


@ft.control
class Counter(ft.Row):
    """State in a subclass, made in `init`."""

    def init(self) -> None:
        state = fa.current()
        self.count = count = state.atom(fa.Key("count", 0))
        text = state.bound(ft.Text(), value=lambda get: f"{get(count)} {get(THEME)}")
        self.controls = [text, ft.Button("+", on_click=self.plus)]

    def plus(self) -> None:
        self.count.value += 1


class Doubler(ft.Column):
    """State in a subclass, made in `__init__`, with an own selector, a two-way binding and a listener of a kind."""

    def __init__(self) -> None:
        state = fa.current()
        self.text = state.atom(fa.Key("text", ""))
        text = self.text
        field = state.bound(ft.TextField(label="Double"), value=fa.two_way(text))
        super().__init__([field, state.bound(ft.Text(), value=lambda get: get(text) * 2)])


class Cyclic(Counter):
    """As `Counter`, with a function that holds on to the control itself."""

    def init(self) -> None:
        super().init()
        text = ft.Text()
        fa.current().bound(text, value=lambda get: f"{get(self.count)} {get(THEME)}")
        self.controls.append(text)


def composed() -> ft.Control:
    """State in a composition."""
    state = fa.current()
    count = fa.Key("count", 0)
    return ft.Row(
        [
            state.bound(ft.Text(), value=count),
            ft.Button("+", on_click=lambda: state.update(count, lambda n: n + 1)),
        ]
    )


# ------------------------------------------------------------------ own state


@pytest.mark.parametrize("build", [Counter, composed, lambda: reactive.ReactiveCounter("Counter")])
async def test_three_side_by_side_share_nothing(build: Callable[[], ft.Control]) -> None:
    async with HeadlessApp(lambda page: page.add(build(), build(), build())) as app:
        plus = app.find("Button") or app.find("IconButton", tooltip="Counter: 1 more")
        for times, button in enumerate(plus):
            for _ in range(times):
                await app.click(button)
        shown = [text.split()[0] for text in app.texts() if text != "Counter"]
        assert shown == ["0", "1", "2"]
        assert app.mirror_diff() == []


@pytest.mark.parametrize("is_mounted", [True, False], ids=["mounted", "never mounted"])
@pytest.mark.parametrize(
    "build",
    [
        Counter,
        Doubler,
        composed,
        lambda: reactive.ReactiveText("x"),
        lambda: reactive.ReactiveCounter("Counter"),
        lambda: reactive.ReactiveStatCard("Stat", 1, ft.Icons.PEOPLE),
        lambda: reactive.ReactiveInput("Input", check=lambda text: None if text else "Empty"),
        lambda: reactive.ReactiveForm("Form", [reactive.ReactiveInput("Input")], _welcome),
        lambda: reactive.ReactiveProgress("Progress"),
    ],
    ids=["row", "column", "composed", "text", "counter", "stat", "input", "form", "progress"],
)
async def test_one_that_is_dropped_takes_all_it_had_with_it(build: Callable[[], ft.Control], is_mounted: bool) -> None:
    place = ft.Column()

    async with HeadlessApp(lambda page: page.add(place)) as app:
        state = store(app)

        def drop() -> None:
            place.controls = []

        async def show_and_drop() -> list[weakref.ref[Any]]:
            control = _in(app, build)
            gone: list[weakref.ref[Any]] = [weakref.ref(control)]
            own = cast("dict[str, object]", vars(control)).values()
            gone += [weakref.ref(cast("Any", each)) for each in own if isinstance(each, Atom)]
            if is_mounted:
                place.controls = [control]
                _in(app, app.page.update)
                for name in ("IconButton", "Button", "FilledButton"):
                    for node in app.find(name):
                        if node.get("on_click") and not node.get("disabled"):
                            await app.click(node)
                for node in app.find("TextField"):
                    await app.enter(node, "something")
                await state.settled()
                await app.settle()
            del control
            drop()
            _in(app, app.page.update)
            state.action(send).reset()  # the last run of an action knows what it has written
            return gone

        await show_and_drop()  # what is the store's own by then
        await _collect(app)
        before = state.statistics(), _count(Binding), _count(Selector), _count(Atom)
        for _ in range(3):
            gone = await show_and_drop()
            await _collect(app)
            assert [each() for each in gone if each() is not None] == []
        after = state.statistics(), _count(Binding), _count(Selector), _count(Atom)
        assert (after[0].atoms, after[0].selectors, *after[1:]) == (before[0].atoms, before[0].selectors, *before[1:])
        theme = state.find(THEME)
        assert not theme.dependents


def _in(app: HeadlessApp, call: Callable[[], Any]) -> Any:
    """Call as a handler of the page would."""
    return push_context(app.page).run(call)


async def _collect(app: HeadlessApp) -> None:
    await app.settle()
    gc.collect()
    await app.settle()
    gc.collect()


def _count(kind: type[Any]) -> int:
    return sum(type(each) is kind for each in gc.get_objects())


async def _welcome(values: dict[str, str]) -> str:
    return f"Welcome, {values}"


async def test_a_function_that_holds_on_to_its_own_control_goes_with_it() -> None:
    async with HeadlessApp(lambda page: page.add(Cyclic())) as app:
        await app.click("+")
        assert app.texts() == ["1 light", "1 light"]
        gone = weakref.ref(app.page.controls.pop())
        _in(app, app.page.update)
        await _collect(app)
        assert gone() is None
        assert not store(app).find(THEME).dependents


async def test_state_stays_with_a_control_that_leaves_and_comes_back() -> None:
    async with HeadlessApp(lambda page: page.add(Counter())) as app:
        await app.click("+")
        counter = app.page.controls.pop()
        _in(app, app.page.update)
        assert app.texts() == []
        _in(app, lambda: store(app).set(THEME, "dark"))
        app.page.controls.append(counter)
        _in(app, app.page.update)
        assert app.texts() == ["1 dark"]


async def test_a_selector_of_an_instance_stays_in_the_store_and_a_function_does_not() -> None:
    """Why the examples give functions to `bound`: a store keeps every `fa.selector` that it has computed."""

    def made(page: ft.Page) -> None:
        page.add(ft.Text())

    async with HeadlessApp(made) as app:
        state = store(app)
        before = state.statistics().selectors
        for _ in range(3):
            state.get(fa.selector(lambda get: get(THEME)))
        assert state.statistics().selectors == before + 3
        for _ in range(3):
            _in(app, lambda: state.bound(ft.Text(), value=lambda get: get(THEME)))
        await _collect(app)
        assert state.statistics().selectors == before + 3


# ------------------------------------------------------------------ finding the store


async def test_made_in_main_in_a_handler_in_a_task_and_in_a_run() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def handler() -> None:
            page.add(Counter())

        async def task() -> None:
            await asyncio.sleep(0)
            page.add(Counter())

        def start_task() -> None:
            page.run_task(task)

        @state.action
        async def run(get: fa.Get, set: fa.Set) -> None:
            await asyncio.sleep(0)
            page.add(Counter())

        page.add(
            Counter(),
            ft.Button("handler", on_click=handler),
            ft.Button("task", on_click=start_task),
            ft.Button("run", on_click=run),
        )

    async with HeadlessApp(main) as app:
        for name in ("handler", "task", "run"):
            await app.click(name)
            await store(app).settled()
            await app.settle()
        for plus in app.find("Button", content="+"):
            await app.click(plus)
        store(app).set(THEME, "dark")
        await app.settle()
        assert app.texts() == ["1 dark"] * 4


async def test_made_in_the_build_of_a_list() -> None:
    items = fa.Key[list[str]]("items", factory=list)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        column = ft.Column()
        state.bind_list(items, column, lambda row: Counter(), item_key=lambda item: item)
        page.add(column)

    async with HeadlessApp(main) as app:
        state = store(app)
        state.set(items, ["a", "b"])  # from no page's context: a test, a service, another session
        await app.settle()
        await app.click(app.find("Button")[1])
        assert app.texts() == ["0 light", "1 light"]
        state.set(items, ["b", "a"])
        await app.settle()
        assert app.texts() == ["1 light", "0 light"]
        state.set(items, [])
        await app.settle()
        await _collect(app)
        assert not any(isinstance(each, Counter) for each in gc.get_objects())


async def test_made_in_two_sessions_at_once() -> None:
    begin = asyncio.Event()

    def main(page: ft.Page) -> None:
        async def make(e: Any) -> None:
            await begin.wait()
            counter = Counter()
            await asyncio.sleep(0)
            page.add(counter, Counter())

        page.add(ft.Button("make", on_click=make))

    async with HeadlessApp(main) as one, HeadlessApp(main) as two:
        making = [app.start_event("make", "click") for app in (one, two)]
        begin.set()
        await asyncio.gather(*making)
        await one.click(one.find("Button")[1])
        for app in (one, two):
            await app.settle()
        assert one.texts() == ["1 light", "0 light"]
        assert two.texts() == ["0 light", "0 light"]
        store(two).set(THEME, "dark")
        await two.settle()
        assert one.texts() == ["1 light", "0 light"]
        assert two.texts() == ["0 dark", "0 dark"]


async def test_made_in_a_component_its_state_works_and_binding_says_what_to_do() -> None:
    atoms: list[fa.Atom[int]] = []

    @ft.component
    def Own() -> ft.Control:  # noqa: N802  # components are named as controls are
        if not atoms:
            atoms.append(fa.current().atom(fa.Key("own", 3)))
        return ft.Text(str(fa.use_value(atoms[0])))

    async with HeadlessApp(lambda page: page.render(Own)) as app:
        atoms[0].value += 1
        await app.settle()
        assert app.texts() == ["4"]

    @ft.component
    def Wrong() -> ft.Control:  # noqa: N802  # components are named as controls are
        return Counter()

    async with HeadlessApp(lambda page: page.render(Wrong), allow_crash=True) as app:
        assert "page.render(lambda: [App(), control])" in app.crashes[0]
    async with HeadlessApp(lambda page: page.render(lambda: [Own(), Counter()])) as app:
        await app.click("+")
        assert app.texts()[1] == "1 light"


async def test_made_where_no_page_is_served_it_says_to_be_given_the_store() -> None:
    with pytest.raises(RuntimeError, match=r"Pass the store"):
        Counter()


async def test_made_in_a_thread_of_the_page() -> None:
    made: list[Counter] = []

    def main(page: ft.Page) -> None:
        page.run_thread(lambda: made.append(Counter()))

    async with HeadlessApp(main) as app:
        while not made:  # noqa: ASYNC110  # nobody would set an event
            await asyncio.sleep(0)
        _in(app, lambda: app.page.add(made[0]))
        await app.click("+")
        assert app.texts() == ["1 light"]


# ------------------------------------------------------------------ the examples


@IN_VIRTUAL_TIME
async def test_the_gallery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "change", lambda: 0.05)
    async with HeadlessApp(gallery) as app:
        assert "Total: 110" in app.texts()
        await app.click(app.one("IconButton", tooltip="Tens: 5 more"))
        assert "Total: 115" in app.texts()
        await app.click(app.one("IconButton", tooltip="Tens: 5 less"))
        await app.click(app.one("IconButton", tooltip="Tens: 5 less"))
        assert "Total: 105" in app.texts()
        await app.click(app.one("IconButton", tooltip="Tens: reset"))
        assert "Total: 110" in app.texts()
        await asyncio.sleep(3.1)
        await app.settle()
        assert {"1,260", "+5.0%", "357"} <= set(app.texts())

        send = app.one("FilledButton")
        assert send["disabled"]
        await app.type("Name", "Ann")
        await app.type("E-mail", "ann")
        assert app.one("TextField", label="E-mail")["error"] == "An address has an @ in it"
        await app.type("E-mail", "ann@b.c")
        await app.type("Password", "secret")
        await app.click(send)
        assert app.one("FilledButton")["disabled"]
        await store(app).settled()
        await app.settle()
        assert "Welcome, Ann\nann@b.c\n******" in app.texts()
        await app.click("Clear")
        assert "Submit the form to see what came of it" in app.texts()
        assert [node["value"] for node in app.find("TextField")] == ["", "", ""]

        await app.click(app.one("OutlinedButton", content="Upload"))
        await asyncio.sleep(0.25)
        await app.settle()
        assert "10%" in app.texts()
        await store(app).settled()
        await app.settle()
        assert "100%" in app.texts()
        assert app.mirror_diff() == []


async def test_a_form_shows_why_it_was_refused() -> None:
    async def refuse(values: dict[str, str]) -> str:
        raise ValueError(f"{values['Name']} is taken")

    async with HeadlessApp(
        lambda page: page.add(reactive.ReactiveForm("Form", [reactive.ReactiveInput("Name")], refuse))
    ) as app:
        await app.type("Name", "Ann")
        await app.click("Send")
        await store(app).settled()
        await app.settle()
        assert "Ann is taken" in app.texts()
        assert not app.one("FilledButton")["disabled"]


async def test_a_progress_does_not_go_past_its_end() -> None:
    bars: list[reactive.ReactiveProgress] = []

    def main(page: ft.Page) -> None:
        bars.append(reactive.ReactiveProgress("Bar", total=8))
        page.add(bars[0])

    async with HeadlessApp(main) as app:
        bars[0].advance(6)
        bars[0].advance(6)
        await app.settle()
        assert app.texts()[-1] == "100%"
        bars[0].reset()
        await app.settle()
        assert app.texts()[-1] == "0%"
        bars[0].complete()
        await app.settle()
        assert app.texts()[-1] == "100%"


async def test_a_text_of_its_own() -> None:
    texts: list[reactive.ReactiveText] = []

    def main(page: ft.Page) -> None:
        texts.extend((reactive.ReactiveText("one"), reactive.ReactiveText("two")))
        page.add(*texts)

    async with HeadlessApp(main) as app:
        heard: list[str] = []
        store(app).listen(texts[0].text, heard.append)
        texts[0].text.value = "three"
        await app.settle()
        assert app.texts() == ["three", "two"]
        texts[0].text.reset()
        await app.settle()
        assert app.texts() == ["one", "two"]
        assert heard == ["one", "three", "one"]


# ------------------------------------------------------------------ what a control says of itself


class WarningText(ft.Text):
    """A control that warns of something before it is sent."""

    def before_update(self) -> None:
        cast("Any", super()).before_update()  # not typed
        warnings.warn("old", DeprecationWarning, stacklevel=1)


def test_a_warning_keeps_no_value_from_a_control() -> None:
    state = fa.StateManager()
    text = state.bound(WarningText(), value=THEME)
    assert text.value == "light"
