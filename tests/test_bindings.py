"""Bindings on a real page: whatever the order, once per tick, and never in anybody's way."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable
from typing import Any

import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp, record, virtual_backend
from flet_asp_actors.ui.frame import ui_actor
from tests.kit.apps import empty, shown, store
from tests.kit.failures import collect
from tests.kit.threads import in_thread

IN_VIRTUAL_TIME = pytest.mark.parametrize("anyio_backend", [virtual_backend()], ids=["virtual"])
COUNT = fa.Key("count", 0)
NAME = fa.Key("name", "")
NAMES = [fa.Key(f"name{each}", 0) for each in range(3)]


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


# ------------------------------------------------------------------ the store of a page


async def test_one_store_per_page_also_as_page_state() -> None:
    async with HeadlessApp(empty) as one, HeadlessApp(empty) as two:
        state = store(one)
        assert state is fa.get_state_manager(one.page)
        assert one.page.__dict__["state"] is state
        assert store(two) is not state
        state.set(COUNT, 5)
        assert store(two).get(COUNT) == 0


async def test_max_fps_must_be_positive() -> None:
    async with HeadlessApp(lambda page: None) as app:
        with pytest.raises(ValueError, match="max_fps is frames a second"):
            fa.get_state_manager(app.page, max_fps=0)


# ------------------------------------------------------------------ order


async def test_the_value_is_in_the_first_patch() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.set(COUNT, 3)
        page.add(state.bound(ft.Text(), value=COUNT, visible=lambda get: get(COUNT) > 0))

    async with HeadlessApp(main) as app:
        assert app.texts() == ["3"]
        assert len([frame for frame in app.take() if frame.ops]) == 1


Order = Callable[[fa.StateManager, ft.Page], ft.Text]


def before_the_control_exists(state: fa.StateManager, page: ft.Page) -> ft.Text:
    ref = ft.Ref[ft.Text]()
    state.bind(COUNT, ref)
    text = ft.Text(ref=ref)
    page.add(text)
    return text


def before_it_is_on_the_page(state: fa.StateManager, page: ft.Page) -> ft.Text:
    text = ft.Text()
    state.bind(COUNT, text)
    page.add(text)
    return text


def after(state: fa.StateManager, page: ft.Page) -> ft.Text:
    text = ft.Text()
    page.add(text)
    state.bind(COUNT, text)
    return text


def after_with_a_ref(state: fa.StateManager, page: ft.Page) -> ft.Text:
    ref = ft.Ref[ft.Text]()
    text = ft.Text(ref=ref)
    page.add(text)
    state.bind(COUNT, ref)
    return text


def in_did_mount(state: fa.StateManager, page: ft.Page) -> ft.Text:
    text = ft.Text()

    @ft.control
    class Card(ft.Column):
        def did_mount(self) -> None:
            state.bind(COUNT, text)

    page.add(Card(controls=[text]))
    return text


@pytest.mark.parametrize(
    "order", [before_the_control_exists, before_it_is_on_the_page, after, after_with_a_ref, in_did_mount]
)
async def test_binding_works_whatever_the_order(order: Order) -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.set(COUNT, 7)
        kept.append(order(state, page))

    kept: list[ft.Text] = []
    async with HeadlessApp(main) as app:
        await app.settle()
        assert app.texts() == ["7"]
        store(app).set(COUNT, 8)
        await app.settle()
        assert app.texts() == ["8"]
        assert app.mirror_diff() == []


async def test_a_ref_that_gets_another_control_takes_the_binding_along() -> None:
    async with HeadlessApp(empty) as app:
        state = store(app)
        ref = ft.Ref[ft.Text]()
        state.bind(COUNT, ref)
        old, new = ft.Text(ref=ref), ft.Text(ref=ref)
        state.set(COUNT, 5)
        assert (shown(old), shown(new)) == (0, 5)


# ------------------------------------------------------------------ frames


async def test_100_sets_over_3_controls_in_one_handler_are_one_tick() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def click() -> None:
            for each in range(100):
                state.set(NAMES[each % 3], each)

        page.add(ft.Button("Go", on_click=click), *[state.bound(ft.Text(), value=key) for key in NAMES])

    async with HeadlessApp(main) as app:
        app.take()
        await app.click(app.one("Button"))
        assert app.texts() == ["99", "97", "98"]
        assert len(app.take()) <= 3


async def test_a_burst_outside_a_handler_is_one_page_update(monkeypatch: pytest.MonkeyPatch) -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(*[state.bound(ft.Text(), value=key) for key in NAMES])

    async with HeadlessApp(main) as app:
        app.take()
        calls: list[int] = []
        original = ft.Page.update

        def update(page: ft.Page, *controls: Any) -> None:
            calls.append(len(controls))
            original(page, *controls)

        monkeypatch.setattr(ft.Page, "update", update)
        for each in range(100):
            store(app).set(NAMES[each % 3], each)
        await app.settle()
        assert calls == [3]
        assert app.texts() == ["99", "97", "98"]
        assert len(app.take()) == 3
        statistics = store(app).statistics()
        assert statistics.pushed == 3 * statistics.frames


@IN_VIRTUAL_TIME
async def test_first_change_at_once_then_at_most_max_fps_and_the_last_one_is_shown() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, max_fps=100)
        page.add(state.bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as app:
        state, loop = store(app), asyncio.get_running_loop()
        await state.flushed()
        actor = ui_actor(app.page)
        actor.frames = 0
        begin = loop.time()
        state.set(COUNT, 1)
        await asyncio.sleep(0)
        assert actor.frames == 1
        for each in range(2, 1001):
            state.set(COUNT, each)
            await asyncio.sleep(0.001)
        await state.flushed()
        took = loop.time() - begin
        assert took * 100 - 1 <= actor.frames <= took * 100 + 2
        await app.settle()
        assert app.texts() == ["1000"]


async def test_a_handler_that_sets_state_and_edits_by_hand_sees_both_arrive() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        plain = ft.Text("plain")

        def sync_click() -> None:
            state.set(COUNT, 1)
            plain.value = "by hand"

        async def async_click() -> None:
            state.set(COUNT, 2)
            await state.flushed()  # the frame goes out in the middle of the handler
            plain.value = "by hand again"

        page.add(
            state.bound(ft.Text(), value=COUNT),
            plain,
            ft.Button("sync", on_click=sync_click),
            ft.Button("async", on_click=async_click),
        )

    async with HeadlessApp(main) as app:
        await app.click(app.one("Button", content="sync"))
        assert app.texts() == ["1", "by hand"]
        await app.click(app.one("Button", content="async"))
        assert app.texts() == ["2", "by hand again"]


async def test_a_run_that_updates_the_page_does_not_suppress_the_handlers_own_update() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        plain = ft.Text("plain")

        @state.action
        async def work(get: fa.Get, set: fa.Set) -> bool:
            page.update()
            return ft.context.page is page

        async def click() -> None:
            plain.value = f"page known: {await work()}"

        page.add(plain, ft.Button("Go", on_click=click))

    async with HeadlessApp(main) as app:
        await app.click(app.one("Button"))
        assert app.texts() == ["page known: True"]


async def test_waiting_for_a_frame_ends_with_the_session() -> None:
    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as app:
        store(app).set(COUNT, 1)
        waiting = asyncio.ensure_future(ui_actor(app.page).flushed())
        await app.close()
        await waiting


async def test_nothing_is_pushed_while_disconnected_and_all_is_there_after() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(state.bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as app:
        app.take()
        await app.disconnect()
        store(app).set(COUNT, 5)
        await app.settle()
        assert app.take() == []
        await app.reconnect()
        await app.settle()
        assert app.texts() == ["5"]


async def test_a_write_from_a_thread_is_on_screen_in_an_idle_app() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(state.bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as app:
        await asyncio.to_thread(lambda: store(app).set(COUNT, 5).wait(5))
        await app.settle()
        assert app.texts() == ["5"]


async def test_a_control_whose_push_fails_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(*[state.bound(ft.Text(), value=key) for key in NAMES])

    async with HeadlessApp(main) as app:
        found = collect(store(app))
        broken = app.page.controls[1]
        original = ft.Page.update

        def update(page: ft.Page, *controls: Any) -> None:
            if any(control is broken for control in controls):
                raise RuntimeError("this one cannot be sent")
            original(page, *controls)

        monkeypatch.setattr(ft.Page, "update", update)
        for key in NAMES:
            store(app).set(key, 7)
        await app.settle()
        monkeypatch.undo()
        assert app.texts() == ["7", "0", "7"]
        assert [(each.key, each.actor) for each in found] == [("Text", "frame")]


async def test_an_error_of_a_frame_is_told_also_if_it_is_not_raised_twice() -> None:
    """Flet takes a change as sent before it fails to encode it."""

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(*[state.bound(ft.Text(), value=key) for key in NAMES])

    async with HeadlessApp(main) as app:
        found = collect(store(app))
        broken: Any = app.page.controls[1]
        broken.tooltip = object()  # by hand: the library would have refused it
        for key in NAMES:
            store(app).set(key, 7)
        await app.settle()
        assert app.texts() == ["7", "0", "7"]
        assert ["serialize" in str(each.error) for each in found] == [True]


async def test_a_store_without_a_loop_written_by_a_thread_reaches_the_page() -> None:
    made: list[fa.StateManager] = []
    in_thread(lambda: made.append(fa.StateManager()))
    shared = made[0]
    text = ft.Text()

    async with HeadlessApp(lambda page: page.add(text)) as app:
        # Assigned under the lock, on whatever thread; pushed on the page's loop.
        in_thread(lambda: shared.bind(COUNT, text))
        await asyncio.to_thread(lambda: shared.set(COUNT, 5))
        await app.settle()
        assert app.texts() == ["5"]


async def test_an_async_listener_of_a_page_knows_its_page() -> None:
    pages: list[ft.Page] = []

    def main(page: ft.Page) -> None:
        async def listener(_: int) -> None:
            await asyncio.sleep(0)
            pages.append(ft.context.page)

        state = fa.get_state_manager(page)
        state.listen(COUNT, lambda _: pages.append(ft.context.page), immediate=False)
        state.listen(COUNT, listener, immediate=False)

    async with HeadlessApp(main) as app:
        store(app).set(COUNT, 1)
        await store(app).settled()
        assert pages == [app.page, app.page]


# ------------------------------------------------------------------ the life of a control


async def test_a_control_that_left_is_paused_and_comes_back_with_the_current_value() -> None:
    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(ft.Text(), value=doubled))

    computed: list[int] = []

    @fa.selector
    def doubled(get: fa.Get) -> int:
        computed.append(get(COUNT) * 2)
        return computed[-1]

    async with HeadlessApp(main) as app:
        state = store(app)
        text = app.page.controls.pop()
        assert isinstance(text, ft.Text)
        app.page.update()
        computed.clear()
        app.take()
        state.set(COUNT, 5)
        await app.settle()
        assert (computed, app.take()) == ([], []), "nobody sees it"
        app.page.add(text)
        await app.settle()
        assert app.texts() == ["10"]
        state.set(COUNT, 6)
        await app.settle()
        assert app.texts() == ["12"]
        assert app.mirror_diff() == []


async def test_a_control_that_is_collected_takes_its_bindings_along() -> None:
    async with HeadlessApp(empty) as app:
        state = store(app)
        text = ft.Text()
        state.bound(text, value=COUNT)
        ref = weakref.ref(text)
        assert state.statistics().observed == 1
        del text
        gc.collect()
        assert ref() is None
        await app.settle()
        assert state.statistics().observed == 0


def test_a_binding_without_a_page_assigns_all_the_same() -> None:
    state = fa.StateManager()
    text = ft.Text()
    binding = state.bind(COUNT, text)
    state.set(COUNT, 5)
    assert shown(text) == 5
    binding.close()
    binding.close()
    state.set(COUNT, 6)
    assert shown(text) == 5


def test_binding_again_replaces_and_unbind_ends() -> None:
    state = fa.StateManager()
    text, other = ft.Text(), ft.Text()
    ref = ft.Ref[ft.Text](other)
    state.bind(COUNT, text)
    state.bind(NAME, text)
    state.bind(COUNT, ref)
    state.set(NAME, "a")
    state.set(COUNT, 1)
    assert (shown(text), shown(other)) == ("a", 1)
    assert state.statistics().observed == 2
    state.unbind(NAME, text)
    state.unbind(COUNT, ref)
    assert state.statistics().observed == 0


def test_several_properties_of_one_control_and_one_key_on_many() -> None:
    state = fa.StateManager()
    texts = [state.bound(ft.Text(), value=COUNT, visible=lambda get: get(COUNT) > 1) for _ in range(3)]
    state.set(COUNT, 2)
    assert [(shown(text), text.visible) for text in texts] == [(2, True)] * 3


# ------------------------------------------------------------------ mistakes


def test_an_unknown_property_suggests_the_closest() -> None:
    state = fa.StateManager()
    with pytest.raises(fa.BindingError, match="Text has no property 'valeu'. Did you mean 'value'?"):
        state.bound(ft.Text(), valeu=COUNT)
    with pytest.raises(ValueError, match="Text has no property 'x_y_z'. It has "):
        state.bind(COUNT, ft.Text(), "x_y_z")
    assert state.statistics().observed == 0


def test_a_text_field_on_something_that_is_no_text_needs_a_parse() -> None:
    state = fa.StateManager()
    two_way: Any = fa.two_way
    with pytest.raises(fa.BindingError, match=r"Key\('count'\) holds 0, and TextField.value gives text.*parse=int"):
        state.bound(ft.TextField(), value=two_way(COUNT))


def test_an_event_that_the_control_does_not_have() -> None:
    state = fa.StateManager()
    with pytest.raises(fa.BindingError, match=r"TextField has no event 'twirl'.*change"):
        state.bound(ft.TextField(), value=fa.two_way(NAME, event="twirl"))
    with pytest.raises(fa.BindingError, match="Text has no event that says that a person has changed 'value'"):
        state.bound(ft.Text(), value=fa.two_way(NAME))


def test_a_selector_cannot_be_bound_both_ways() -> None:
    state = fa.StateManager()
    wrong: Any = fa.selector(lambda get: get(NAME))
    with pytest.raises(fa.ReadOnlyError, match="only an atom can be bound both ways"):
        state.bind_two_way(wrong, ft.TextField())


def test_debounce_is_in_seconds() -> None:
    with pytest.raises(ValueError, match="debounce is in seconds"):
        fa.two_way(NAME, debounce=-1)


def test_two_way_belongs_into_bound() -> None:
    state = fa.StateManager()
    wrong: Any = fa.two_way(NAME)
    with pytest.raises(fa.BindingError, match="use bind_two_way"):
        state.bind(wrong, ft.TextField())


async def test_a_control_of_a_component_is_refused() -> None:
    frozen: list[ft.Text] = []

    @ft.component
    def view() -> ft.Control:
        frozen.append(ft.Text("x"))
        return frozen[-1]

    def main(page: ft.Page) -> None:
        page.render(view)

    async with HeadlessApp(main) as app:
        with pytest.raises(fa.BindingError, match="Text belongs to a component"):
            fa.get_state_manager(app.page).bind(COUNT, frozen[-1])


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    "bad", [object(), {1, 2}, 2**70, "\ud800", [object()], print, 1 + 2j], ids=lambda bad: type(bad).__name__
)
async def test_a_value_that_cannot_be_sent_is_reported_and_loses_nothing_else(bad: object) -> None:
    anything = fa.Key[object]("anything", "good")

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        plain = ft.Text("plain")

        def click() -> None:
            state.set(anything, bad)
            state.set(COUNT, 1)
            plain.value = "by hand"

        page.add(
            state.bound(ft.Text(), value=anything),
            state.bound(ft.Text(), value=COUNT),
            plain,
            ft.Button("Go", on_click=click),
        )

    async with HeadlessApp(main) as app:
        found = collect(store(app))
        await app.click(app.one("Button"))
        await app.settle()
        assert app.texts() == ["good", "1", "by hand"]
        assert len(found) == 1
        assert isinstance(found[0].error, fa.BindingError)
        assert "Key('anything')" in str(found[0].error)
        assert "Text.value keeps its value" in str(found[0].error)
        assert app.crashes == []


async def test_values_that_flet_takes_for_equal_are_told_apart() -> None:
    anything = fa.Key[object]("anything", 1)

    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(ft.Text(), value=anything))

    async with HeadlessApp(main) as app:
        for value in (True, 1.0, 1, "1", None, "", [1], [True], ft.ThemeMode.DARK):
            store(app).set(anything, value)
            await app.settle()
            sent = app.one("Text").get("value")
            expected = value.value if isinstance(value, ft.ThemeMode) else value
            assert (type(sent), sent) == (type(expected), expected)


async def test_an_equal_control_is_another_control() -> None:
    screens = [ft.Text("same"), ft.Text("same")]

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(state.bound(ft.Container(), content=lambda get: screens[get(COUNT)]))

    async with HeadlessApp(main) as app:
        store(app).set(COUNT, 1)
        await app.settle()
        assert app.page.controls[0].content is screens[1]  # type: ignore[attr-defined]  # a Container
        assert app.mirror_diff() == []


async def test_a_to_that_raises_keeps_the_value_and_reports() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        text = ft.Text()
        state.bind(COUNT, text, to=lambda n: f"{10 // n}" if n else "none")
        page.add(text)

    async with HeadlessApp(main) as app:
        state = store(app)
        found = collect(state)
        state.set(COUNT, 5)
        await app.settle()
        assert app.texts() == ["2"]

        def bad(get: fa.Get) -> int:
            return 10 // get(COUNT)

        app.page.add(state.bound(ft.Text(), value=bad))
        state.set(COUNT, 0)
        await app.settle()
        assert app.texts() == ["none", "2"]
        assert [each.actor for each in found] == ["binding of Text.value"]


async def test_binding_a_property_of_the_page() -> None:
    dark = fa.Key("dark", False)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.bind(dark, page, "theme_mode", to=lambda on: ft.ThemeMode.DARK if on else ft.ThemeMode.LIGHT)

    async with HeadlessApp(main) as app:
        store(app).set(dark, True)
        await app.settle()
        assert app.one("Page")["theme_mode"] == "dark"


async def test_update_false_assigns_and_does_not_push() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        text = ft.Text()
        state.bind(COUNT, text, "value", False)
        page.add(text)

    async with HeadlessApp(main) as app:
        app.take()
        store(app).set(COUNT, 5)
        await app.settle()
        assert app.take() == []
        app.page.update()
        assert app.texts() == ["5"]


# ------------------------------------------------------------------ two ways


def form(page: ft.Page) -> None:
    state = fa.get_state_manager(page)
    page.add(state.bound(ft.TextField(), value=fa.two_way(NAME)), state.bound(ft.Text(), value=NAME))


async def test_typing_reaches_the_atom_and_is_not_echoed() -> None:
    async with HeadlessApp(form) as app:
        field = app.one("TextField")
        app.take()
        text = ""
        for each in "hello":
            text += each
            await app.type(field, text)
        await app.settle()
        assert store(app).get(NAME) == "hello"
        assert app.texts() == ["hello"]
        sent = [op for frame in app.take() for op in frame.ops]
        assert [op.value for op in sent] == ["h", "he", "hel", "hell", "hello"], "the text beside it, never the field"


async def test_200_characters_typed_fast_lose_and_reorder_nothing() -> None:
    async with HeadlessApp(form) as app:
        field = app.one("TextField")
        seen: list[str] = []
        store(app).listen(NAME, seen.append, immediate=False)
        app.take()
        text = ""
        for each in range(200):
            text += chr(97 + each % 26)
            app.set_props(field, value=text)
            app.start_event(field, "change", text)
            await asyncio.sleep(0)
        await app.settle()
        assert seen[-1] == text
        assert seen == [text[: each + 1] for each in range(200)]
        echoed = [frame for frame in app.take() if any("TextField" in str(op) for op in frame.ops)]
        assert echoed == []
        assert app.one("TextField")["value"] == text


def at_most_100(text: str) -> int:
    return min(int(text), 100)


async def test_a_change_from_elsewhere_reaches_the_field() -> None:
    async with HeadlessApp(form) as app:
        await app.type(app.one("TextField"), "abc")
        store(app).set(NAME, "")
        await app.settle()
        assert not app.one("TextField").get("value")
        store(app).set(NAME, "xyz")
        await app.settle()
        assert app.one("TextField")["value"] == "xyz"


@pytest.mark.parametrize(
    ("parse", "typed", "value", "shown"),
    [
        (int, "42", 42, "42"),
        (int, "007", 7, "007"),
        (float, "1.", 1.0, "1."),
        (at_most_100, "250", 100, "100"),
        (str.upper, "ab", "AB", "AB"),
        (str.strip, "ab ", "ab", "ab "),
    ],
)
async def test_what_was_typed_stays_unless_parse_changed_it(
    parse: Callable[[str], object], typed: str, value: object, shown: str
) -> None:
    key = fa.Key[object]("any", "")

    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(ft.TextField(), value=fa.two_way(key, parse=parse)))

    async with HeadlessApp(main) as app:
        await app.type(app.one("TextField"), typed)
        await app.settle()
        assert store(app).get(key) == value
        assert app.one("TextField")["value"] == shown
        await app.type(app.one("TextField"), typed)
        await app.settle()
        assert app.one("TextField")["value"] == shown


async def test_a_parse_that_refuses_shows_on_the_control_and_keeps_the_text() -> None:
    age = fa.Key("age", 1)

    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(ft.TextField(), value=fa.two_way(age, parse=int)))

    async with HeadlessApp(main) as app:
        found = collect(store(app))
        await app.type(app.one("TextField"), "4x")
        await app.settle()
        field = app.one("TextField")
        assert (store(app).get(age), field["value"]) == (1, "4x")
        assert "invalid literal" in field["error"]
        await app.type(field, "42")
        await app.settle()
        assert store(app).get(age) == 42
        assert not app.one("TextField").get("error")
        assert found == []


@pytest.mark.parametrize("how", ["set", "clear"])
async def test_the_error_goes_with_the_text_that_it_was_about(how: str) -> None:
    age = fa.Key("age", 1)

    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(ft.TextField(), value=fa.two_way(age, parse=int)))

    async with HeadlessApp(main) as app:
        state = store(app)
        state.set(age, 2)
        await app.type(app.one("TextField"), "4x")
        assert app.one("TextField")["error"]
        if how == "set":
            state.set(age, 7)
        else:
            state.clear()
        await app.settle()
        assert app.one("TextField")["value"] == ("7" if how == "set" else "1")
        assert not app.one("TextField").get("error")


async def test_other_errors_of_parse_are_reported_and_do_not_crash_the_screen() -> None:
    def broken(text: str) -> str:
        raise KeyError(text)

    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(ft.TextField(), value=fa.two_way(NAME, parse=broken)))

    async with HeadlessApp(main) as app:
        found = collect(store(app))
        await app.type(app.one("TextField"), "x")
        assert [each.actor for each in found] == ["binding of TextField.value"]


@pytest.mark.parametrize(
    ("make", "key", "value"),
    [
        (lambda: ft.Checkbox(), fa.Key("on", False), True),
        (lambda: ft.Switch(), fa.Key("on", False), True),
        (lambda: ft.Slider(min=0, max=10), fa.Key("level", 1.0), 5.0),
    ],
    ids=["Checkbox", "Switch", "Slider"],
)
async def test_other_controls_work_both_ways(make: Callable[[], ft.Control], key: Any, value: object) -> None:
    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(make(), value=fa.two_way(key)))

    async with HeadlessApp(main) as app:
        control = app.one(type(make()).__name__)
        await app.enter(control, value)
        assert store(app).get(key) == value


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_the_users_own_handler_goes_on_working(when: str, kind: str) -> None:
    heard: list[str] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def sync_handler(e: ft.Event[ft.TextField]) -> None:
            heard.append(state.get(NAME))

        async def async_handler() -> None:
            heard.append(state.get(NAME))

        handler: Any = sync_handler if kind == "sync" else async_handler
        field = ft.TextField(on_change=handler if when == "before" else None)
        page.add(state.bound(field, value=fa.two_way(NAME)))
        if when == "after":
            field.on_change = handler

    async with HeadlessApp(main) as app:
        await app.type(app.one("TextField"), "x")
        assert heard == ["x"], "ours first: the handler sees the new value"


@IN_VIRTUAL_TIME
async def test_debounce_writes_when_the_person_pauses() -> None:
    def main(page: ft.Page) -> None:
        page.add(fa.get_state_manager(page).bound(ft.TextField(), value=fa.two_way(NAME, debounce=0.3)))

    async with HeadlessApp(main) as app:
        state = store(app)
        seen = record(state, NAME)
        for text in ("a", "ab", "abc"):
            await app.type(app.one("TextField"), text)
            await asyncio.sleep(0.2)
        assert seen == []
        await asyncio.sleep(0.2)
        assert seen == ["abc"]


@pytest.mark.parametrize("how", ["blur", "unmount", "unbind", "session"])
async def test_what_is_debounced_is_not_lost(how: str) -> None:
    def main(page: ft.Page) -> None:
        field = ft.TextField(on_blur=lambda: None)
        page.add(fa.get_state_manager(page).bound(field, value=fa.two_way(NAME, debounce=3600)))

    async with HeadlessApp(main) as app:
        state = store(app)
        await app.type(app.one("TextField"), "abc")
        assert state.get(NAME) == ""
        if how == "blur":
            await app.fire(app.one("TextField"), "blur")
        elif how == "unmount":
            app.page.controls.clear()
            app.page.update()
        elif how == "unbind":
            state.unbind(NAME, app.page.controls[0])
        else:
            await app.close()
        assert state.get(NAME) == "abc"


async def test_bound_both_ways_after_it_is_on_the_page() -> None:
    def main(page: ft.Page) -> None:
        ref = ft.Ref[ft.TextField]()
        page.add(ft.TextField(ref=ref))
        fa.get_state_manager(page).bind_two_way(NAME, ref)

    async with HeadlessApp(main) as app:
        await app.settle()
        await app.type(app.one("TextField"), "x")
        assert store(app).get(NAME) == "x"


async def test_on_input_change_replaces_the_writing() -> None:
    heard: list[object] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        one, two = ft.TextField(), ft.TextField()

        async def later(e: Any) -> None:
            await asyncio.sleep(0)
            heard.append(e.control.value)

        state.bind_two_way(NAME, one, on_input_change=lambda e: heard.append(e.control.value))
        state.bind_two_way(COUNT, two, on_input_change=later)
        page.add(one, two)

    async with HeadlessApp(main) as app:
        one, two = app.find("TextField")
        await app.type(one, "a")
        await app.type(two, "b")
        await store(app).settled()
        assert heard == ["a", "b"]
        assert store(app).get(NAME) == ""


async def test_a_busy_atom_does_not_fight_the_person_typing() -> None:
    async with HeadlessApp(form) as app:
        state, gate = store(app), asyncio.Event()

        async def slow(text: str) -> str:
            await gate.wait()
            return "slow"

        state.update(NAME, slow)
        field = app.one("TextField")
        await app.type(field, "a")
        await app.type(field, "ab")
        assert app.one("TextField")["value"] == "ab"
        gate.set()
        await state.settled()
        await app.settle()
        assert state.get(NAME) == "ab"
        assert app.one("TextField")["value"] == "ab"


# ------------------------------------------------------------------ sessions


async def test_a_closed_session_ends_the_store_and_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    user = fa.Key[str | None]("user", None)
    closed: list[str] = []

    @fa.action
    async def login(get: fa.Get, set: fa.Set) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            set(user, "late")

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.on_close = lambda: closed.append("own handler")
        page.add(
            state.bound(
                ft.Button("Login", on_click=state.action(login)), disabled=lambda get: get(login.status).is_busy
            ),
            state.bound(ft.TextField(), value=fa.two_way(NAME)),
        )
        state.listen(NAME, lambda _: None)

    app = HeadlessApp(main)
    before = asyncio.all_tasks()
    async with app:
        state = store(app)
        await app.click(app.one("Button"))
        run = state.action(login)._lanes.all._latest  # pyright: ignore[reportPrivateUsage]  # the run that the click started
        assert run is not None
        await app.settle()
        assert run.state == "running"
        page_ref, state_ref = weakref.ref(app.page), weakref.ref(state)
    await run.wait()
    await asyncio.sleep(0)
    assert (run.state, run.reason) == ("cancelled", "the store was closed")
    assert state.get(user) is None
    assert closed == ["own handler"]
    assert "closed" in repr(state)
    assert asyncio.all_tasks() == before
    del app, state, run
    gc.collect()
    assert page_ref() is None
    assert state_ref() is None
    assert caplog.records == []


async def test_a_global_store_serves_many_pages_and_outlives_them() -> None:
    shared = fa.StateManager()

    def main(page: ft.Page) -> None:
        shared.attach(page)
        shared.page = page
        page.add(shared.bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as one:
        async with HeadlessApp(main) as two:
            shared.set(COUNT, 1)
            await one.settle()
            await two.settle()
            assert (one.texts(), two.texts()) == (["1"], ["1"])
            ref = weakref.ref(two.page)
        del two
        gc.collect()
        assert ref() is None, "a closed page is not kept by the store that served it"
        shared.set(COUNT, 2)
        await one.settle()
        assert one.texts() == ["2"]
        assert shared.page is one.page
        shared.page = None
        assert shared.page is None
    await shared.aclose()


async def test_an_action_and_its_cancel_are_handlers_as_they_are() -> None:
    started: list[object] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        @state.action
        async def save(get: fa.Get, set: fa.Set) -> None:
            started.append("save")
            await asyncio.sleep(3600)

        @state.action
        async def with_event(get: fa.Get, set: fa.Set, e: ft.Event[ft.Button]) -> None:
            started.append(e.control.content)

        @state.action
        async def optional(get: fa.Get, set: fa.Set, number: int = 7) -> None:
            started.append(number)

        page.add(
            ft.Button("Save", on_click=save),
            ft.Button("Cancel", on_click=save.cancel),
            ft.Button("Reset", on_click=save.reset),
            ft.Button("Event", on_click=with_event),
            ft.Button("Optional", on_click=optional),
            ft.Button("Task", on_click=lambda: page.run_task(optional.handler, 8)),
            state.bound(ft.Text(), value=lambda get: get(save.status).state),
        )

    async with HeadlessApp(main) as app:
        for name in ("Save", "Cancel", "Event", "Optional", "Task", "Save", "Reset"):
            await app.click(app.one("Button", content=name))
            await app.settle()
            if name == "Cancel":
                assert app.texts() == ["cancelled"]
        assert started == ["save", "Event", 7, 8, "save"]
        assert app.texts() == ["idle"]


async def test_what_is_assigned_while_a_control_leaves_the_page_is_not_what_it_comes_back_with() -> None:
    shown = fa.Key("shown", True)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        @state.service(while_watched=COUNT)
        async def feed(get: fa.Get, set: fa.Set) -> None:
            set(COUNT, 1)
            await asyncio.Event().wait()

        column = ft.Column(
            [
                state.bound(ft.Text(), value=COUNT),  # the first to leave: then nobody watches
                state.bound(ft.Text(), value=lambda get: get(feed.status).state),
            ]
        )
        other = ft.Text("other")
        page.add(
            state.bound(ft.Container(), content=lambda get: column if get(shown) else other),
            ft.Button("toggle", on_click=lambda: state.set(shown, not state.get(shown))),
        )

    async with HeadlessApp(main) as app:
        assert app.texts() == ["1", "running"]
        await app.click("toggle")
        await app.settle()
        assert app.texts() == ["other"]
        await app.click("toggle")
        await app.settle()
        assert app.texts() == ["1", "running"]
        assert app.mirror_diff() == []


async def test_a_binding_whose_session_is_gone_disturbs_nobody() -> None:
    state, text = fa.StateManager(), ft.Text()  # both outlive the page

    def main(page: ft.Page) -> None:
        page.add(state.bound(text, value=COUNT))

    app = HeadlessApp(main)
    async with app:
        page = app.page
    del app
    gc.collect()
    with pytest.raises(RuntimeError, match="destroyed session"):
        _ = page.session
    failures = collect(state)
    state.set(COUNT, 5)
    assert state.get(COUNT) == 5
    assert failures == []
    await state.aclose()


@pytest.mark.parametrize("late", [False, True])
async def test_a_status_is_no_text_and_the_page_lives_on(late: bool) -> None:
    @fa.action
    async def save(get: fa.Get, set: fa.Set) -> None: ...

    failures: list[fa.Failure] = []
    shown_key: fa.Key[Any] = fa.Key("shown", "nothing yet")

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.on_error = failures.append
        status = state.action(save).status

        def show() -> None:
            state.set(shown_key, [state.get(status)])

        page.add(
            state.bound(ft.Text("as it was"), value=shown_key if late else status),
            ft.Button("Show", on_click=show),
        )

    async with HeadlessApp(main) as app:
        if late:
            await app.click("Show")
        assert app.texts() == ["nothing yet" if late else "as it was"]
        assert {type(each.error) for each in failures} == {fa.BindingError}
        assert "Bind a function" in str(failures[0].error)


# ------------------------------------------------------------------ what was given up while nobody looked


@fa.family(keep_for=1.0)
async def slowly(get: fa.Get, item: int) -> str:
    count = get(COUNT)
    await asyncio.sleep(0.1)
    return f"{item} {count}"


@fa.family(keep_for=1.0)
def at_once(get: fa.Get, item: int) -> str:
    return f"{item} {get(COUNT)}"


@IN_VIRTUAL_TIME
@pytest.mark.parametrize("how", ["left", "disconnected"])
@pytest.mark.parametrize("family", [slowly, at_once], ids=["slowly", "at once"])
async def test_a_control_comes_back_to_a_member_that_was_given_up_meanwhile(family: Any, how: str) -> None:
    text = ft.Text()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, on_disconnect="pause")
        page.add(ft.Column([state.bound(text, value=family(7))]))

    async with HeadlessApp(main) as app:
        state, column = store(app), app.page.controls[0]
        assert isinstance(column, ft.Column)
        await asyncio.sleep(0.2)
        if how == "left":
            column.controls.clear()
            column.update()
        else:
            await app.disconnect()
        await asyncio.sleep(2)
        state.set(COUNT, 1)
        if how == "left":
            column.controls.append(text)
            column.update()
        else:
            await app.reconnect()
        await asyncio.sleep(0.2)
        state.set(COUNT, 2)
        await asyncio.sleep(0.2)
        await app.settle()
        assert app.texts() == ["7 2"]


async def test_a_control_comes_back_to_a_name_that_was_given_up_meanwhile() -> None:
    async with HeadlessApp(empty) as app:
        state, text, column = store(app), ft.Text(), ft.Column()
        state.atom("name", "first")
        app.page.add(column)
        state.bind("name", text)
        for declares in (True, False):
            column.controls[:] = [text]
            column.update()
            column.controls.clear()
            column.update()
            state.delete("name")
            if declares:
                state.atom("name", "second")
            column.controls[:] = [text]
            column.update()
            await app.settle()
            assert app.texts() == ["second"]  # what is not declared leaves the control as it is
        state.atom("name", "third")
        await app.settle()
        assert app.texts() == ["third"]
        state.set("name", "fourth")
        await app.settle()
        assert app.texts() == ["fourth"]


# ------------------------------------------------------------------ what goes wrong, and where it is told


async def test_what_fails_on_the_way_to_a_control_is_told_and_the_next_value_is_shown() -> None:
    def to(n: int) -> str:
        if n < 0:
            raise ValueError("negative")
        return f"n = {n}"

    bad = fa.selector(lambda get: f"{12 // get(COUNT)}")

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        text, quotient = ft.Text(), ft.Text("none yet")
        state.bind(COUNT, text, to=to)
        state.on_error = lambda failure: found.append((failure.actor, type(failure.error)))
        page.add(text, state.bound(quotient, value=bad))

    found: list[tuple[str, type[BaseException]]] = []
    async with HeadlessApp(main) as app:
        assert app.texts() == ["n = 0", "none yet"]
        assert found == [("binding of Text.value", ZeroDivisionError)]
        for n in (-3, 4):
            store(app).set(COUNT, n)
            await app.settle()
        assert app.texts() == ["n = 4", "3"]
        assert found[1:] == [("binding of Text.value", ValueError)]


async def test_a_ref_that_gets_a_control_without_the_property_is_told() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.on_error = found.append
        ref = ft.Ref[ft.Text]()
        state.bind(COUNT, ref, "valeu")
        page.add(ft.Text("x", ref=ref))

    found: list[fa.Failure] = []
    async with HeadlessApp(main):
        assert ["Did you mean 'value'" in str(failure.error) for failure in found] == [True]


async def test_a_ref_that_is_emptied_and_filled_again_is_bound_once_and_by_the_later_binding() -> None:
    asked: list[str] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        ref = ft.Ref[ft.Text]()

        def by(name: str) -> Callable[[int], str]:
            def to(n: int) -> str:
                asked.append(f"{name} {n}")
                return f"{name} {n}"

            return to

        first = state.bind(COUNT, ref, to=by("first"))
        state.bind(COUNT, ref, to=by("later"))
        text = ft.Text(ref=ref)
        page.add(text)
        ref.current = text
        state.set(COUNT, 1)
        anything: Any = ref
        anything.current = None
        state.set(COUNT, 2)
        ref.current = text
        first.close()

    async with HeadlessApp(main) as app:
        assert app.texts() == ["later 2"]
    assert not any(name.startswith("first") for name in asked)


async def test_what_can_be_sent_in_a_dict_is_sent_and_what_is_nested_without_end_is_not() -> None:
    data = fa.Key[Any]("data", factory=dict)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.on_error = found.append
        control = ft.Container()
        controls.append(control)
        page.add(state.bound(control, data=data))

    found: list[fa.Failure] = []
    controls: list[ft.Container] = []
    async with HeadlessApp(main) as app:
        state = store(app)
        state.set(data, {"a": [1, {"b": "c"}]})
        assert controls[0].data == {"a": [1, {"b": "c"}]}
        endless: list[Any] = []
        endless.append(endless)
        state.set(data, endless)
        state.set(data, {"a": object()})
        assert controls[0].data == {"a": [1, {"b": "c"}]}
        assert [type(failure.error) for failure in found] == [fa.BindingError, fa.BindingError]


async def test_a_session_that_is_gone_for_good_disturbs_nobody_who_still_has_its_page() -> None:
    shared = fa.StateManager()

    def main(page: ft.Page) -> None:
        shared.attach(page)
        text = shared.bound(ft.Text(), value=COUNT)
        page.add(text)
        kept.append((page, text))

    kept: list[tuple[ft.Page, ft.Text]] = []
    async with HeadlessApp(main) as app:
        shared.set(COUNT, 1)
    del app
    gc.collect()
    page, text = kept[0]
    with pytest.raises(RuntimeError):
        _ = page.session
    shared.bind(COUNT, text, to=str)
    shared.set(COUNT, 2)
    shared.attach(page)
    shared.set(COUNT, 3)
    await shared.flushed()
    assert text.value == "3"


async def test_somebody_elses_hook_of_the_page_is_called_as_before() -> None:
    heard: list[str] = []

    def main(page: ft.Page) -> None:
        def before_event(event: Any) -> bool:
            heard.append(event.name)
            return True

        anything: Any = page  # Flet calls what the instance has
        anything.before_event = before_event
        state = fa.get_state_manager(page)
        page.on_connect = lambda: heard.append("on_connect")
        page.add(state.bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as app:
        await app.disconnect()
        await app.reconnect()
    assert [name for name in heard if name in ("disconnect", "connect", "on_connect")] == [
        "disconnect",
        "connect",
        "on_connect",
    ]


def test_a_to_that_ends_its_binding_is_the_last_one() -> None:
    state = fa.StateManager()
    text = ft.Text()
    bindings: list[fa.Binding] = []

    def to(n: int) -> str:
        for binding in bindings:
            binding.close()
        return str(n)

    bindings.append(state.bind(COUNT, text, to=to))
    state.set(COUNT, 1)
    state.set(COUNT, 2)
    assert text.value == "1"


async def test_a_session_that_goes_for_good_with_a_frame_to_come_disturbs_nobody() -> None:
    shared = fa.StateManager()
    pages: list[ft.Page] = []

    def main(page: ft.Page) -> None:
        shared.attach(page)
        pages.append(page)
        page.add(shared.bound(ft.Text(), value=COUNT))

    app = await HeadlessApp(main).__aenter__()
    shared.set(COUNT, 1)
    del app
    gc.collect()
    with pytest.raises(RuntimeError):
        _ = pages[0].session
    await shared.flushed()
    await shared.aclose()


async def test_a_frame_that_is_to_come_when_the_session_ends_does_not() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, max_fps=0.1)
        page.add(state.bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as app:
        for n in (1, 2):
            store(app).set(COUNT, n)
            await asyncio.sleep(0)
        assert ui_actor(app.page).frames == 1
        await app.close()
        assert ui_actor(app.page).frames == 1


async def test_a_control_that_leaves_before_the_frame_is_not_waited_for() -> None:
    async with HeadlessApp(lambda page: page.add(fa.get_state_manager(page).bound(ft.Text(), value=COUNT))) as app:
        store(app).set(COUNT, 1)
        app.page.controls.clear()
        app.page.update()
        await store(app).flushed()
        assert app.texts() == []


async def test_flushed_waits_on_the_pages_own_loop_for_what_has_come_from_a_thread() -> None:
    made: list[fa.StateManager] = []
    in_thread(lambda: made.append(fa.StateManager()))
    shared = made[0]
    text, quiet = ft.Text(), ft.Text()
    async with HeadlessApp(lambda page: page.add(text, quiet)) as app:
        in_thread(lambda: shared.attach(app.page))
        in_thread(lambda: shared.bind(COUNT, text))
        in_thread(lambda: shared.set(COUNT, 5))
        await shared.flushed()
        assert app.texts() == ["5"]
        in_thread(lambda: shared.bind(NAME, quiet, update=False))
        await shared.flushed()
        in_thread(lambda: shared.set(NAME, "a"))
        await shared.flushed()
        assert (quiet.value, app.texts()) == ("a", ["5"])
