"""What the library relies on in Flet, one fact a test. When Flet changes, these fail first, and say where."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
from collections.abc import Callable
from typing import Any

import flet as ft
import pytest
from flet.controls.context import _context_page  # pyright: ignore[reportPrivateUsage]  # the library sets it, too
from flet.messaging.protocol import MessageAction  # pyright: ignore[reportMissingTypeStubs]  # a namespace package

from flet_asp_actors.testing import virtual_backend
from flet_asp_actors.testing.headless import Frame, HeadlessApp, number
from flet_asp_actors.ui import page as adapter


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def patches(frames: list[Frame]) -> list[tuple[int | None, list[Any]]]:
    return [(frame.target, frame.ops) for frame in frames if frame.action is MessageAction.PATCH_CONTROL]


def show(*controls: ft.Control) -> Callable[[ft.Page], None]:
    def main(page: ft.Page) -> None:
        page.add(*controls)

    return main


async def test_a_counter_from_the_first_frame_to_the_click() -> None:
    shown = ft.Text("0")

    def increment() -> None:
        shown.value = str(int(shown.value) + 1)

    async with HeadlessApp(show(shown, ft.Button("Increment", on_click=increment))) as app:
        assert [frame.action for frame in app.take()] == [MessageAction.REGISTER_CLIENT, MessageAction.PATCH_CONTROL]
        await app.click("Increment")
        assert app.texts() == ["1"]
        # No update() in the handler: Flet compares the page, which has the id 1, and sends one change.
        assert patches(app.take()) == [(1, [("replace", "views.0.controls.0.value", "1")])]
        assert app.mirror_diff() == []


async def test_encoding_is_what_tells_flet_what_the_client_has() -> None:
    column = ft.Column([ft.Text("a")])
    async with HeadlessApp(show(column)) as app:
        app.take()
        column.controls.append(ft.Text("b"))
        column.update()
        ((target, (op,)),) = patches(app.take())
        assert (target, op.op, op.path, op.value["value"]) == (number(column), "add", "controls.1", "b")
        assert app.texts() == ["a", "b"]


async def test_page_update_sends_one_frame_for_each_dirty_control() -> None:
    texts = [ft.Text(str(each)) for each in range(4)]
    async with HeadlessApp(show(*texts)) as app:
        app.take()
        texts[0].value = texts[2].value = "x"
        texts[3].value = "3"  # no change
        app.page.update(*texts)
        assert patches(app.take()) == [(number(texts[each]), [("replace", "value", "x")]) for each in (0, 2)]
        texts[0].value = texts[2].value = "y"
        app.page.update()
        ((target, ops),) = patches(app.take())
        assert (target, len(ops)) == (1, 2)


async def test_an_explicit_update_replaces_the_automatic_one() -> None:
    mine, other = ft.Text("a"), ft.Text("b")

    def change() -> None:
        mine.value, other.value = "A", "B"
        mine.update()

    async with HeadlessApp(show(mine, other, ft.Button("Change", on_click=change))) as app:
        await app.click("Change")
        assert app.texts() == ["A", "b"]
        assert app.mirror_diff() == [f"Text {number(other)}.value: client 'b', server 'B'"]
        other.update()
        assert app.mirror_diff() == []


@pytest.mark.parametrize("has_own_context", [True, False])
async def test_the_update_flag_belongs_to_the_context(has_own_context: bool) -> None:
    mine, other = ft.Text("a"), ft.Text("b")

    async def push() -> None:
        if has_own_context:
            reset: Callable[[], None] = ft.context.reset_auto_update
            reset()
        mine.update()

    async def change() -> None:
        mine.value, other.value = "A", "B"
        await asyncio.create_task(push())  # it inherits the context of the handler

    async with HeadlessApp(show(mine, other, ft.Button("Change", on_click=change))) as app:
        await app.click("Change")
        assert app.texts() == ["A", "B" if has_own_context else "b"]


async def test_a_task_has_no_automatic_update() -> None:
    text = ft.Text("a")

    async def change() -> None:
        text.value = "A"

    def main(page: ft.Page) -> None:
        page.add(text)
        page.run_task(change)

    async with HeadlessApp(main) as app:
        assert (text.value, app.texts()) == ("A", ["a"])


async def test_life_cycle_hooks_may_be_set_on_an_instance() -> None:
    told: list[str] = []
    inner = ft.Text("x")
    outer = ft.Column([inner])
    for name, control in (("outer", outer), ("inner", inner)):
        for hook in ("build", "did_mount", "will_unmount"):
            control.__dict__[hook] = lambda name=name, hook=hook: told.append(f"{hook} {name}")

    async with HeadlessApp(show(outer)) as app:
        born = ["build outer", "build inner", "did_mount outer", "did_mount inner"]
        assert told == born
        app.page.controls.remove(outer)
        app.page.update()
        assert told[4:] == ["will_unmount inner", "will_unmount outer"]
        app.page.add(outer)
        assert told[6:] == born
    assert told[10:] == []  # the close of a session unmounts nothing


async def test_what_build_assigns_is_part_of_the_first_frame() -> None:
    text = ft.Text("old")

    def build() -> None:
        text.value = "new"

    text.__dict__["build"] = build
    async with HeadlessApp(show(text)) as app:
        assert app.texts() == ["new"]
        assert len(patches(app.take())) == 1


async def test_before_event_of_a_page_instance_sees_its_session_come_and_go() -> None:
    told: list[str] = []

    def main(page: ft.Page) -> None:
        def before_event(event: ft.Event[ft.Page]) -> bool:
            told.append(event.name)
            return True

        page.__dict__["before_event"] = before_event
        page.on_connect = lambda: told.append("its handler")

    async with HeadlessApp(main) as app:
        await app.disconnect()
        await app.reconnect()
        await app.close()
        assert told == ["disconnect", "connect", "its handler", "close"]


async def test_without_a_connection_nothing_is_sent_and_the_change_is_used_up() -> None:
    text = ft.Text("a")
    async with HeadlessApp(show(text)) as app:
        app.take()
        await app.disconnect()
        assert app.page.session.connection is None  # type: ignore[comparison-overlap, unused-ignore]  # declared otherwise
        text.value = "b"
        text.update()
        assert app.take() == []
        await app.reconnect()
        assert [frame.action for frame in app.take()] == [MessageAction.REGISTER_CLIENT]  # the whole page
        assert app.texts() == ["b"]
        assert app.mirror_diff() == []
        text.value = "c"
        text.update()
        assert app.texts() == ["c"]


async def test_a_removed_control_keeps_its_page_but_not_its_place() -> None:
    text = ft.Text("a")
    with pytest.raises(RuntimeError):
        hasattr(text, "page")
    async with HeadlessApp(show(text)) as app:
        assert app.page.get_control(number(text)) is text
        app.page.controls.clear()
        app.page.update()
        assert text.page is app.page
        assert app.page.get_control(number(text)) is None
        text.value = "b"
        text.update()
        assert [frame.target for frame in app.client.lost] == [number(text)]


async def test_controls_of_a_component_are_frozen() -> None:
    made: list[ft.Text] = []

    @ft.component
    def hello() -> ft.Text:
        made.append(ft.Text("hello"))
        return made[-1]

    def main(page: ft.Page) -> None:
        page.render(hello)

    async with HeadlessApp(main) as app:
        assert app.texts() == ["hello"]
        assert hasattr(made[-1], "_frozen")
        assert not hasattr(ft.Text("free"), "_frozen")
        with pytest.raises(RuntimeError, match="Frozen"):
            made[-1].value = "bye"


async def test_what_is_typed_is_there_before_the_handler_and_not_sent_back() -> None:
    told: list[tuple[object, str]] = []

    def listen(event: ft.Event[ft.TextField]) -> None:
        told.append((event.data, event.control.value))

    field = ft.TextField(label="Name", on_change=listen)
    quiet = ft.TextField(label="Quiet")
    async with HeadlessApp(show(field, quiet)) as app:
        app.take()
        await app.type("Name", "Ann")
        await app.type("Quiet", "shh")
        assert told == [("Ann", "Ann")]
        assert (field.value, quiet.value) == ("Ann", "shh")
        assert app.take() == []


async def test_a_handler_is_heard_only_after_the_client_was_told_of_it() -> None:
    told: list[str] = []
    field = ft.TextField(label="Name")
    async with HeadlessApp(show(field)) as app:
        app.take()
        field.on_change = lambda: told.append("first")
        await app.type(field, "a")
        assert not app.hears(field, "change")
        field.update()
        assert patches(app.take()) == [(number(field), [("replace", "on_change", True)])]
        await app.type(field, "b")
        field.on_change = lambda: told.append("second")  # another one needs no telling
        await app.type(field, "c")
        assert told == ["first", "second"]


async def test_the_context_of_a_handler_knows_the_page() -> None:
    seen: list[object] = []

    async def look() -> None:
        seen.append(ft.context.page)

    async with HeadlessApp(show(ft.Button("Look", on_click=look))) as app:
        await app.click("Look")
        assert seen == [app.page]
        assert _context_page.get() is None  # and that of the test does not
        token = _context_page.set(app.page)  # type: ignore[arg-type]  # Flet declares it with its default, None
        assert ft.context.page is app.page
        _context_page.reset(token)


async def test_events_of_one_control_run_side_by_side() -> None:
    told: list[str] = []
    gate = asyncio.Event()

    async def wait() -> None:
        told.append("in")
        await gate.wait()
        told.append("out")

    async with HeadlessApp(show(ft.Button("Wait", on_click=wait))) as app:
        both = [app.start_event("Wait", "click") for _ in range(2)]
        await app.settle()
        assert told == ["in", "in"]
        gate.set()
        await asyncio.gather(*both)
        assert told == ["in", "in", "out", "out"]


async def test_an_error_in_a_handler_crashes_the_session() -> None:
    def fail() -> None:
        raise ValueError("no such thing")

    async with HeadlessApp(show(ft.Button("Fail", on_click=fail)), allow_crash=True) as app:
        await app.click("Fail")
        assert "no such thing" in app.crashes[0]
        assert app.take()[-1].action is MessageAction.SESSION_CRASHED
    with pytest.raises(AssertionError, match="no such thing"):
        async with HeadlessApp(show(ft.Button("Fail", on_click=fail))) as app:
            await app.click("Fail")


async def test_closing_a_session_tells_the_page_and_stops_no_task() -> None:
    told: list[str] = []
    gate = asyncio.Event()

    async def work() -> None:
        await gate.wait()
        told.append("worked")

    def main(page: ft.Page) -> None:
        page.on_close = lambda: told.append("closed")
        page.run_task(work)

    async with HeadlessApp(main) as app:
        await app.close()
        assert told == ["closed"]
        gate.set()
        await app.settle()
        assert told == ["closed", "worked"]


async def test_routes_and_dialogs() -> None:
    def main(page: ft.Page) -> None:
        def follow() -> None:
            page.views.append(ft.View(route=page.route, controls=[ft.Text(f"at {page.route}")]))

        page.on_route_change = follow

    async with HeadlessApp(main) as app:
        await app.page.push_route("/a")
        await app.settle()
        assert app.texts() == ["at /a"]
        await app.page.push_route("/a")  # it is there already
        await app.navigate("/b")
        assert app.texts() == ["at /b"]
        assert len(app.page.views) == 3
        app.page.show_dialog(ft.AlertDialog(title=ft.Text("Sure?")))
        assert app.texts() == ["at /b", "Sure?"]
        app.page.pop_dialog()
        assert app.texts() == ["at /b"]
        assert app.mirror_diff() == []


def test_what_is_in_a_control_is_in_its_values_and_its_lists() -> None:
    inner, other = ft.Text(), ft.Text()
    assert list(adapter.children(ft.Container(inner))) == [inner]
    assert list(adapter.children(ft.Column([inner, other], data=[ft.Text()]))) == [inner, other]
    assert sorted(map(number, adapter.children(ft.ListTile(title=inner, leading=other)))) == [
        number(inner),
        number(other),
    ]


async def test_what_an_update_would_send_is_known_before_and_can_be_sent_again() -> None:
    def main(page: ft.Page) -> None:
        page.add(ft.Row([ft.Text("a")], spacing=1))

    async with HeadlessApp(main) as app:
        row: Any = app.page.controls[0]
        assert adapter.changes(row) == []
        row.spacing = 2
        row.controls.append(ft.Text("b"))
        changes = adapter.changes(row)
        assert sorted(changes) == ["controls", "spacing"]
        for _ in range(2):
            row.update()
            assert adapter.changes(row) == []
            assert sorted(op.path for op in app.take()[-1].ops)[-1] == "spacing"
            adapter.change_again(row, changes)
        row.update()
        assert app.mirror_diff() == []


async def test_a_handler_is_known_by_its_task() -> None:
    seen: list[bool] = []

    def look() -> None:
        seen.append(adapter.is_handling())

    async def look_later() -> None:
        look()

    async def on_click() -> None:
        look()
        await asyncio.create_task(look_later())
        await asyncio.to_thread(look)
        await asyncio.sleep(0)
        look()

    def main(page: ft.Page) -> None:
        look()
        page.add(ft.Button("go", on_click=on_click))

    async with HeadlessApp(main) as app:
        await app.click("go")
    assert seen == [False, True, False, False, True]


@pytest.mark.parametrize("server", ["flet.messaging.flet_socket_server", "flet_web.fastapi.flet_app"])
def test_flets_servers_dispatch_each_event_in_a_task_of_its_own(server: str) -> None:
    source = inspect.getsource(importlib.import_module(server))
    assert re.search(r"asyncio\.create_task\(\s*self\.(__)?session\.dispatch_event\(", source)


@pytest.mark.parametrize("server", ["flet.messaging.flet_socket_server", "flet_web.fastapi.flet_app"])
def test_flets_servers_have_a_queue_of_what_has_not_left(server: str) -> None:
    source = inspect.getsource(importlib.import_module(server))
    assert re.search(r"self\.__send_queue(: [^=]+)? = asyncio\.Queue\(\)|self\.__send_queue = send_queue", source)


# ------------------------------------------------------------------ what the kit says when something is wrong


async def test_an_app_that_does_not_come_to_rest_says_so() -> None:
    async def restless() -> None:
        while not over:  # noqa: ASYNC110  # which is the point
            await asyncio.sleep(0)

    def main(page: ft.Page) -> None:
        tasks.append(asyncio.create_task(restless()))

    over: list[str] = []
    tasks: list[asyncio.Task[None]] = []
    with pytest.raises(AssertionError, match="some task never waits"):
        async with HeadlessApp(main):
            pass
    over.append("over")
    await tasks[0]


async def test_an_app_whose_frames_never_end_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    text = ft.Text("0")

    async with HeadlessApp(show(text)) as app:

        async def more() -> None:
            text.value = f"{text.value}."
            text.update()

        quiet = app._quiet  # pyright: ignore[reportPrivateUsage]

        async def never_quiet() -> None:
            await more()
            await quiet()

        monkeypatch.setattr(app, "_quiet", never_quiet)
        with pytest.raises(AssertionError, match="does not come to rest: .*On the screen: Page, "):
            await app.settle()
        monkeypatch.undo()


async def test_a_handler_that_goes_on_ends_with_the_app() -> None:
    said: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            said.append("ended")

    async with HeadlessApp(show(ft.Button("Wait", on_click=wait))) as app:
        app.start_event("Wait", "click")
        await app.settle()
        assert said == []
    assert said == ["ended"]


async def test_what_only_the_server_has_is_a_difference() -> None:
    column = ft.Column([ft.Text("a")])
    async with HeadlessApp(show(column)) as app:
        column.controls.append(ft.Text("b"))
        assert [each.split()[0] + each[each.index(":") :] for each in app.mirror_diff()] == ["Text: only on the server"]
        column.update()
        assert app.mirror_diff() == []


async def test_what_comes_into_a_dict_is_on_the_client() -> None:
    def main(page: ft.Page) -> None:
        page.fonts = {"a": "a.ttf"}

    async with HeadlessApp(main) as app:
        assert app.page.fonts is not None
        app.page.fonts["b"] = "b.ttf"
        app.page.update()
        await app.settle()
        assert app.client.page["fonts"] == {"a": "a.ttf", "b": "b.ttf"}


async def test_what_is_a_default_is_not_sent_and_no_difference() -> None:
    async with HeadlessApp(show(ft.Text("a", selectable=False, visible=True))) as app:
        assert app.mirror_diff() == []


@pytest.mark.parametrize("anyio_backend", [virtual_backend()], ids=["virtual"])
async def test_a_main_that_does_not_end_is_said_to_be_stuck() -> None:
    async def main(_: ft.Page) -> None:
        await asyncio.Event().wait()

    with pytest.raises(AssertionError, match="main has not ended in 30 s"):
        await HeadlessApp(main).__aenter__()


async def test_a_handler_may_be_cancelled() -> None:
    async def cancel() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async with HeadlessApp(show(ft.Button("Cancel", on_click=cancel), ft.Text("a"))) as app:
        await app.click("Cancel")
        assert app.texts() == ["a"]
