"""The UI actor: what a handler pays for, from where it pushes, and when it waits."""

from __future__ import annotations

import asyncio
import datetime
import random
from collections.abc import Callable
from typing import Any

import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from flet_asp_actors.testing.headless import number
from flet_asp_actors.ui.frame import BACKLOG, ui_actor
from flet_asp_actors.ui.page import is_isolated
from flet_asp_actors.ui.roots import FEW, PER_CHANGE, PER_NODE, PER_UPDATE, cheapest
from tests.kit.apps import store

COUNT = fa.Key("count", 0)
VALUES = fa.Key("value", 0)
NAME = fa.Key("name", "")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


# ------------------------------------------------------------------ without Flet's automatic update


@fa.action
async def work(get: fa.Get, set: fa.Set) -> None:
    """Change nothing."""


Handler = Callable[[fa.StateManager, ft.Text], Any]


def click_page(handler: Handler, **settings: Any) -> Callable[[ft.Page], None]:
    """A page with a bound text, and one that only the handler edits."""

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, **settings)
        by_hand = ft.Text("before")
        page.add(
            state.bound(ft.Text(), value=COUNT), by_hand, ft.Button("go", on_click=_plain(handler, state, by_hand))
        )

    return main


def _plain(handler: Handler, state: fa.StateManager, by_hand: ft.Text) -> Any:
    if asyncio.iscoroutinefunction(handler):

        async def on_click() -> None:
            await handler(state, by_hand)

        return on_click
    return lambda: handler(state, by_hand)


def both(state: fa.StateManager, by_hand: ft.Text) -> None:
    state.set(COUNT, 1)
    by_hand.value = "by hand"


async def both_later(state: fa.StateManager, by_hand: ft.Text) -> None:
    await asyncio.sleep(0)
    await state.set(COUNT, 1)
    by_hand.value = "by hand"


@pytest.mark.parametrize("handler", [both, both_later])
async def test_a_handler_that_sets_state_is_not_followed_by_a_look_at_the_whole_page(handler: Handler) -> None:
    async with HeadlessApp(click_page(handler, auto_update=False)) as app:
        await app.click(app.one("Button"))
        await app.settle()
        assert app.texts() == ["1", "before"], "what was edited by hand has to be pushed by hand"
        app.page.update()
        assert app.texts() == ["1", "by hand"]


@pytest.mark.parametrize("handler", [both, both_later])
async def test_with_the_automatic_update_both_arrive(handler: Handler) -> None:
    async with HeadlessApp(click_page(handler)) as app:
        await app.click(app.one("Button"))
        await app.settle()
        assert app.texts() == ["1", "by hand"]


async def test_a_handler_that_sets_state_and_updates_what_it_edits_shows_both() -> None:
    def handler(state: fa.StateManager, by_hand: ft.Text) -> None:
        both(state, by_hand)
        by_hand.update()

    async with HeadlessApp(click_page(handler, auto_update=False)) as app:
        await app.click(app.one("Button"))
        await app.settle()
        assert app.texts() == ["1", "by hand"]


async def test_a_handler_that_leaves_state_alone_is_updated_as_ever() -> None:
    def handler(_: fa.StateManager, by_hand: ft.Text) -> None:
        by_hand.value = "by hand"

    async with HeadlessApp(click_page(handler, auto_update=False)) as app:
        store(app).set(COUNT, 1)  # by somebody else, at the same time
        await app.click(app.one("Button"))
        await app.settle()
        assert app.texts() == ["1", "by hand"]


async def test_a_handler_that_starts_a_run_is_not_followed_by_a_look_either() -> None:
    def handler(state: fa.StateManager, by_hand: ft.Text) -> None:
        state.action(work)()
        by_hand.value = "by hand"

    async with HeadlessApp(click_page(handler, auto_update=False)) as app:
        await app.click(app.one("Button"))
        assert app.texts() == ["0", "before"]


async def test_every_part_of_a_generator_handler_is_judged_by_itself() -> None:
    seen: list[list[str]] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, auto_update=False)
        by_hand = ft.Text("before")

        async def on_click() -> Any:
            state.set(COUNT, 1)
            by_hand.value = "first"
            yield
            seen.append(app.texts())
            by_hand.value = "second"
            yield
            seen.append(app.texts())

        page.add(state.bound(ft.Text(), value=COUNT), by_hand, ft.Button("go", on_click=on_click))

    async with HeadlessApp(main) as app:
        await app.click(app.one("Button"))
        assert [texts[1] for texts in seen] == ["before", "second"]


async def write_in_a_task(state: fa.StateManager, by_hand: ft.Text) -> None:
    async def write() -> None:
        state.set(COUNT, 1)

    writing = asyncio.create_task(write())  # it has the handler's context
    by_hand.value = "by hand"
    await writing


async def listen_late(state: fa.StateManager, by_hand: ft.Text) -> None:
    async def on_name(_: str) -> None:
        """It needs a task, but changes nothing."""

    state.listen(NAME, on_name, immediate=False)
    state.set(NAME, "not bound")
    by_hand.value = "by hand"


@pytest.mark.parametrize("handler", [write_in_a_task, listen_late])
async def test_only_what_the_handler_itself_changes_takes_its_update_away(handler: Handler) -> None:
    async with HeadlessApp(click_page(handler, auto_update=False)) as app:
        await app.click(app.one("Button"))
        await app.settle()
        assert app.texts()[1] == "by hand"


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_main_that_goes_on_is_not_taken_for_a_handler(is_async: bool) -> None:
    """A listener that main has set up runs in main's context, and main has something to show at its end."""
    shown, go_on = asyncio.Event(), asyncio.Event()

    async def main(page: ft.Page) -> None:
        async def set_up() -> fa.StateManager:
            return fa.get_state_manager(page, auto_update=False)

        state = await asyncio.create_task(set_up())
        page.add(state.bound(ft.Text(), value=COUNT), ft.Button("go", on_click=lambda: [state.set(NAME, "x"), None][1]))

        async def later(_: str) -> None:
            state.set(COUNT, 1)

        state.listen(NAME, later if is_async else lambda _: state.set(COUNT, 1), immediate=False)
        ft.context.reset_update_called()  # type: ignore[no-untyped-call]  # Flet's has no types
        shown.set()
        await go_on.wait()
        state.set(COUNT, 2)
        page.controls.append(ft.Text("by hand"))

    app = HeadlessApp(main)
    starting = asyncio.create_task(app.__aenter__())
    await shown.wait()
    await app.start_event("go", "click")
    await app.settle()
    go_on.set()
    await starting
    try:
        assert app.texts() == ["2", "by hand"]
    finally:
        await app.close()


async def test_what_main_builds_by_hand_is_shown_although_it_sets_state() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, auto_update=False)
        page.controls.append(state.bound(ft.Text(), value=COUNT))
        state.set(COUNT, 1)
        state.action(work)()
        page.controls.append(ft.Text("by hand"))

    async with HeadlessApp(main) as app:
        assert app.texts() == ["1", "by hand"]


async def test_writes_of_others_do_not_take_a_handlers_update_away() -> None:
    """Whose write it is, not when: here another task and another page write while a handler is under way."""
    shared = fa.StateManager()
    go = asyncio.Event()

    def main(page: ft.Page) -> None:
        fa.get_state_manager(page, auto_update=False)
        by_hand = ft.Text("before")

        async def on_click() -> None:
            await go.wait()
            by_hand.value = "by hand"

        page.add(shared.bound(ft.Text(), value=COUNT), by_hand, ft.Button("go", on_click=on_click))

    async with HeadlessApp(main) as one, HeadlessApp(main) as two:
        waiting = one.start_event(one.one("Button"), "click")
        await asyncio.sleep(0)
        shared.set(COUNT, 1)
        await two.settle()
        go.set()
        await waiting
        await one.settle()
        assert (one.texts()[:2], two.texts()[:2]) == (["1", "by hand"], ["1", "before"])
    await shared.aclose()


@pytest.mark.parametrize("auto_update", [True, False])
async def test_a_field_without_a_handler_of_its_own_costs_no_look_at_the_page(auto_update: bool) -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, auto_update=auto_update)
        page.add(state.bound(ft.TextField(), value=fa.two_way(NAME)), ft.Text("before"))

    async with HeadlessApp(main) as app:
        witness: Any = app.page.controls[1]
        witness.value = "by hand"
        await app.type(app.one("TextField"), "x")
        await app.settle()
        assert store(app).get(NAME) == "x"
        assert app.texts() == ["before"], "there is no handler that the automatic update could be for"


async def test_settings_stay_unless_they_are_given() -> None:
    def main(page: ft.Page) -> None:
        fa.get_state_manager(page, max_fps=30, auto_update=False, on_disconnect="pause")
        fa.get_state_manager(page)

    async with HeadlessApp(main) as app:
        actor = ui_actor(app.page)
        assert (actor.max_fps, actor.auto_update, actor.on_disconnect) == (30, False, "pause")
        fa.get_state_manager(app.page, auto_update=True)
        assert (actor.max_fps, actor.auto_update, actor.on_disconnect) == (30, True, "pause")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_fps": 0}, "max_fps is frames a second and must be positive, not 0"),
        ({"max_fps": float("nan")}, "max_fps is .*, not nan"),
        ({"max_fps": float("inf")}, "max_fps is .*, not inf"),
        ({"grace": -1}, "grace is in seconds and cannot be negative, not -1"),
        ({"grace": float("nan")}, "grace is .*, not nan"),
        ({"on_disconnect": "stop"}, "on_disconnect is .*, not 'stop'"),
    ],
)
async def test_settings_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    async with HeadlessApp(lambda page: None) as app:
        with pytest.raises(ValueError, match=message):
            fa.get_state_manager(app.page, **settings)


# ------------------------------------------------------------------ from where to push


@ft.control(isolated=True)  # type: ignore[arg-type]  # from arguments alone its overloads infer no class
class Island(ft.Column):
    """What an update of the page leaves out."""


def grow(pick: random.Random, depth: int) -> ft.Control:
    """A random tree of texts, columns, containers and islands."""
    if depth == 0 or pick.random() < 0.3:
        return ft.Text("0")
    kind = pick.choice(["column", "row", "container", "island"])
    if kind == "container":
        return ft.Container(grow(pick, depth - 1))
    parts = [grow(pick, depth - 1) for _ in range(pick.randrange(1, 6))]
    kinds: dict[str, Any] = {"column": ft.Column, "row": ft.Row, "island": Island}
    made: ft.Control = kinds[kind](parts)
    return made


def texts_in(control: Any) -> list[ft.Text]:
    if isinstance(control, ft.Text):
        return [control]
    parts: list[Any] = [control.content] if isinstance(control, ft.Container) else control.controls
    return [text for part in parts for text in texts_in(part)]


@pytest.mark.parametrize("seed", range(20))
async def test_wherever_it_is_pushed_from_the_client_gets_everything(seed: int) -> None:
    pick = random.Random(seed)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(*[grow(pick, 4) for _ in range(8)], ft.Column([ft.Text("0") for _ in range(40)]))
        for each, text in enumerate(text for part in page.controls for text in texts_in(part)):
            state.bind(VALUES[each], text, to=str)

    async with HeadlessApp(main) as app:
        texts = [text for part in app.page.controls for text in texts_in(part)]
        for turn in range(1, 6):
            chosen = pick.sample(range(len(texts)), pick.randrange(FEW, len(texts)))
            before = app.page.session.index
            assert before
            with store(app).batch():
                for each in chosen:
                    store(app).set(VALUES[each], turn)
            await app.settle()
            assert app.mirror_diff() == []
            assert {each for each, text in enumerate(texts) if text.value == str(turn)} == set(chosen)


async def test_many_changes_in_one_column_are_one_message() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(
            ft.Column([state.bound(ft.Text(), value=VALUES[each]) for each in range(200)]),
            ft.Column([ft.Text("x") for _ in range(2000)]),
            state.bound(ft.Text(), value=COUNT),
        )

    async with HeadlessApp(main) as app:
        app.take()
        with store(app).batch():
            store(app).set(COUNT, 1)
            for each in range(200):
                store(app).set(VALUES[each], 1)
        await app.settle()
        frames = app.take()
        assert sorted(len(frame.ops) for frame in frames) == [1, 200], "the column's changes in one, the text by itself"
        assert app.mirror_diff() == []
        assert store(app).statistics().pushed == 201


async def test_few_changes_among_many_controls_are_pushed_one_by_one() -> None:
    column = ft.Column([ft.Text("x") for _ in range(1000)])
    dirty: list[ft.BaseControl] = list(column.controls[: FEW + 10])
    async with HeadlessApp(lambda page: page.add(column)):
        assert cheapest(dirty) == dirty


async def test_the_plan_is_never_dearer_than_one_by_one_and_covers_everything() -> None:
    pick = random.Random(1)
    for _ in range(20):
        tree = ft.Column([grow(pick, 5) for _ in range(6)])

        def main(page: ft.Page, tree: ft.Column = tree) -> None:
            page.add(tree)

        async with HeadlessApp(main):
            texts = texts_in(tree)
            dirty: list[ft.BaseControl] = [text for text in texts if pick.random() < 0.7]
            plan = cheapest(dirty)
            assert len(plan) == len(set(plan))
            for control in dirty:
                assert any(control is root or control in reach(root) for root in plan)
            ancestors = [set(reach(root)) for root in plan if root not in dirty]
            price = PER_UPDATE * len(plan) + sum(
                PER_NODE * len(inside) + PER_CHANGE * len(inside & set(dirty)) for inside in ancestors
            )
            assert price <= PER_UPDATE * len(dirty)


def reach(root: ft.BaseControl) -> list[ft.BaseControl]:
    """What an update of a control compares: everything in it but the isolated."""
    parts: list[Any] = [getattr(root, "content", None), *getattr(root, "controls", [])]
    inner = [each for each in parts if isinstance(each, ft.BaseControl) and not is_isolated(each)]
    return [root, *[found for each in inner for found in reach(each)]]


async def test_a_control_and_what_it_is_in_are_in_the_plan_once() -> None:
    row = ft.Row([ft.Text("x") for _ in range(FEW)])
    async with HeadlessApp(lambda page: page.add(ft.Column([row]))):
        assert cheapest([*row.controls, row]) == [row]
        assert cheapest([row, *row.controls]) == [row]


async def test_components_are_not_rendered_by_the_update_of_what_is_around_them() -> None:
    renderings: list[None] = []

    @ft.component
    def clock() -> ft.Control:
        renderings.append(None)
        return ft.Text("component")

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        texts = [state.bound(ft.Text(), value=VALUES[each]) for each in range(100)]
        page.render(lambda: [clock(), *texts])

    async with HeadlessApp(main) as app:
        await app.settle()
        renderings.clear()
        with store(app).batch():
            for each in range(100):
                store(app).set(VALUES[each], 1)
        await app.settle()
        assert app.texts() == ["component", *["1"] * 100]
        assert app.mirror_diff() == []
        assert renderings == []


def everything(page: ft.Page) -> None:
    """Controls in whatever way a control may be in another: in lists, slots, values, dialogs, the other views."""
    view = page.views[0]
    view.appbar = ft.AppBar(leading=ft.Icon(ft.Icons.ADD), title=ft.Text(), actions=[ft.IconButton(ft.Icons.ADD)])
    view.drawer = ft.NavigationDrawer(controls=[ft.NavigationDrawerDestination(label="a", icon=ft.Icons.ADD)])
    view.navigation_bar = ft.NavigationBar(
        destinations=[ft.NavigationBarDestination(icon=ft.Icon(ft.Icons.ADD), label=each) for each in "ab"]
    )
    view.floating_action_button = ft.FloatingActionButton(content=ft.Text())
    page.overlay.append(ft.Column([ft.Text()]))
    page.add(
        ft.DataTable(
            columns=[ft.DataColumn(label=ft.Text())], rows=[ft.DataRow(cells=[ft.DataCell(ft.Row([ft.Text()]))])]
        ),
        ft.Container(ft.Text(), tooltip=ft.Tooltip(message="m"), badge=ft.Badge(label=ft.Text())),
        ft.Button(content=ft.Row([ft.Text()]), style=ft.ButtonStyle(color={ft.ControlState.DEFAULT: "red"})),
        ft.Text(spans=[ft.TextSpan("s", spans=[ft.TextSpan("t")])]),
        ft.Tabs(
            length=1,
            content=ft.Column([ft.TabBar(tabs=[ft.Tab(label=ft.Text())]), ft.TabBarView(controls=[ft.Text()])]),
        ),
        ft.ListTile(leading=ft.Text(), title=ft.Text(), trailing=ft.Text()),
        ft.ExpansionPanelList(controls=[ft.ExpansionPanel(header=ft.Text(), content=ft.Text())]),
        ft.Dropdown(options=[ft.DropdownOption(key="a", content=ft.Text())]),
        ft.SegmentedButton(segments=[ft.Segment(value="1", label=ft.Text())], selected=["1"]),
        ft.RadioGroup(content=ft.Column([ft.Radio(value="a")])),
        ft.PopupMenuButton(items=[ft.PopupMenuItem(content=ft.Text())], content=ft.Text()),
        ft.TextField(prefix=ft.Text(), label=ft.Text()),
        Island([ft.Row([ft.Text()])]),
    )
    page.views.append(ft.View(route="/two", controls=[ft.Text()], appbar=ft.AppBar(title=ft.Text())))
    page.update()
    page.show_dialog(ft.AlertDialog(title=ft.Text(), content=ft.Column([ft.Text()]), actions=[ft.TextButton("ok")]))


async def test_an_update_of_whatever_a_control_is_in_carries_its_change() -> None:
    """What the plans stand on. Flet's own, all of it."""
    async with HeadlessApp(everything) as app:
        controls: list[Any] = [each for each in app.session.index.values() if not isinstance(each, ft.Page)]
        assert len(controls) > 70
        looked = 0
        for control in controls:
            root = control
            while not is_isolated(root) and root.parent is not None:
                root, looked = root.parent, looked + 1
                control.key = f"change {looked}"
                app.page.update(root)
                assert app.client.nodes[number(control)]["key"] == control.key, (control, root)
        assert looked > 2 * len(controls)


# ------------------------------------------------------------------ errors


def failing_page(errors: list[str]) -> Callable[[ft.Page], None]:
    """Many texts and a row of bound controls in a column, at whose end is a control that cannot be updated."""

    def fail() -> None:
        raise ValueError("not today")

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.on_error = lambda failure: errors.append(str(failure.error))
        texts = [state.bound(ft.Text(), value=VALUES[each]) for each in range(40)]
        page.add(ft.Column([*texts, state.bound(ft.Row(), controls=ROW), ft.Text("last")]))
        page.controls[0].controls[-1].before_update = fail  # type: ignore[attr-defined]  # it is the column

    return main


ROW = fa.Key[list[Any]]("row", factory=list)


async def test_what_a_failed_update_of_an_ancestor_has_lost_is_sent_all_the_same() -> None:
    errors: list[str] = []
    async with HeadlessApp(failing_page(errors)) as app:
        for turn, change in enumerate(("set", "edit"), 1):
            with store(app).batch():
                for each in range(40):
                    store(app).set(VALUES[each], turn)
                if change == "set":
                    store(app).set(ROW, [ft.Text("b"), ft.Text("c")])
                else:
                    store(app).mutate(ROW, lambda row: row.insert(0, ft.Text("a")))
            await app.settle()
            assert app.texts() == [*[str(turn)] * 40, *("bc" if turn == 1 else "abc"), "last"]
            assert app.mirror_diff() == []
            assert errors == ["not today"] * turn
        del app.page.controls[0].controls[-1].before_update  # type: ignore[attr-defined]  # it is the column


async def test_what_was_sent_before_an_update_failed_is_not_there_twice() -> None:
    errors: list[str] = []

    class Bad(ft.Text):
        def did_mount(self) -> None:
            raise ValueError("not mounted")

    async with HeadlessApp(failing_page(errors)) as app:
        del app.page.controls[0].controls[-1]  # type: ignore[attr-defined]  # it is the column
        app.page.update()
        with store(app).batch():
            for each in range(40):
                store(app).set(VALUES[each], 1)
            store(app).set(ROW, [Bad("a"), ft.Text("b")])
        await app.settle()
        store(app).mutate(ROW, lambda row: row.append(ft.Text("c")))
        await app.settle()
        assert app.texts() == [*["1"] * 40, *"abc"]
        assert app.mirror_diff() == []
        assert errors == ["not mounted"]


async def test_a_frame_that_fails_is_logged_where_no_store_serves_the_page(caplog: pytest.LogCaptureFixture) -> None:
    shared = fa.StateManager()
    async with HeadlessApp(lambda page: page.add(shared.bound(ft.Text(), value=COUNT))) as app:

        def fail() -> None:
            raise ValueError("not today")

        app.page.controls[0].before_update = fail  # type: ignore[method-assign]  # Flet calls what the instance has
        shared.set(COUNT, 1)
        await app.settle()
        assert "frame at 'Text': ValueError: not today" in caplog.text
        del app.page.controls[0].before_update
    await shared.aclose()


# ------------------------------------------------------------------ slow clients


async def test_no_frame_is_pushed_while_the_one_before_has_not_left() -> None:
    """The connection is the kit's, with the queue that Flet's own servers have."""

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, max_fps=1000)
        page.add(state.bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as app:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        vars(app.page.session.connection)["_Slow__send_queue"] = queue
        state = store(app)
        for _ in range(BACKLOG + 1):
            queue.put_nowait(b"")
        app.take()
        state.set(COUNT, 1)
        flushed = asyncio.ensure_future(state.flushed())
        for each in range(2, 50):
            state.set(COUNT, each)
            await asyncio.sleep(0.001)
        assert app.take() == []
        assert not flushed.done()
        queue.get_nowait()
        await flushed
        assert [[op.value for op in frame.ops] for frame in app.take()] == [[49]], "one frame, and the last value"


@pytest.mark.parametrize("anyio_backend", [virtual_backend()], ids=["virtual"])
async def test_flushed_without_a_client_does_not_wait_for_one() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(state.bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as app:
        await app.disconnect()
        store(app).set(COUNT, 1)
        await store(app).flushed()
        await app.reconnect()
        await store(app).flushed()
        assert app.texts() == ["1"]


async def test_a_time_whose_update_has_failed_is_sent_with_the_next_try() -> None:
    time = fa.Key("time", datetime.time(1, 2))
    errors: list[str] = []
    faults: list[Exception] = []

    class Picker(ft.TimePicker):
        def before_update(self) -> None:
            if faults:
                raise faults.pop()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.on_error = lambda failure: errors.append(str(failure.error))
        page.add(state.bound(Picker(), value=time))

    async with HeadlessApp(main) as app:
        faults.append(ValueError("once"))
        store(app).set(time, datetime.time(3, 4))
        await app.settle()
        assert errors == ["once"]
        assert app.one("TimePicker")["value"] == datetime.time(3, 4)
