"""Values that a control shows and a person changes: every control of Flet, and whatever goes wrong."""

from __future__ import annotations

import asyncio
import datetime
import enum
import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flet as ft
import pytest
from flet.controls import object_patch
from flet.messaging import protocol

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp, record, virtual_backend
from flet_asp_actors.ui import controls
from tests.kit.apps import store
from tests.kit.choice import Choice
from tests.kit.failures import collect

IN_VIRTUAL_TIME = pytest.mark.parametrize("anyio_backend", [virtual_backend()], ids=["virtual"])
AGE = fa.Key("age", 1)
NAME = fa.Key("name", "")
ON = fa.Key("on", False)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


def showing(*make: Callable[[fa.StateManager], ft.Control]) -> Callable[[ft.Page], None]:
    """An app that shows these controls."""

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(*[each(state) for each in make])

    return main


def age_field(state: fa.StateManager, **props: Any) -> ft.TextField:
    return state.bound(ft.TextField(), value=fa.two_way(AGE, parse=int), **props)


# ------------------------------------------------------------------ the event that belongs to a property


@pytest.mark.parametrize(
    ("control", "prop", "event"),
    [
        (ft.TextField(), "value", "change"),
        (ft.TextField(), "selection", "selection_change"),
        (ft.CupertinoTextField(), "value", "change"),
        (ft.Dropdown(), "value", "select"),
        (ft.Dropdown(), "text", "text_change"),
        (ft.DropdownM2(), "value", "change"),
        (ft.Chip("x"), "selected", "select"),
        (ft.RangeSlider(start_value=0, end_value=1), "end_value", "change"),
        (ft.ExpansionTile("x"), "expanded", "change"),
        (ft.ExpansionPanel(), "expanded", "change"),
        (ft.DatePicker(), "value", "change"),
        (ft.DatePicker(), "open", "dismiss"),
        (ft.DatePicker(), "entry_mode", "entry_mode_change"),
        (ft.AlertDialog(), "open", "dismiss"),
        (ft.DataRow(cells=[]), "selected", "select_change"),
        (ft.PopupMenuItem(), "checked", "click"),
        (ft.Tabs(length=1, content=ft.Text("x")), "selected_index", "change"),
        (ft.SegmentedButton(segments=[], selected=["x"]), "selected", "change"),
        (ft.Text("x"), "size", None),
        (ft.ListTile(), "selected", None),
        (ft.TextField(), "label", None),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, ft.BaseControl) else None,
)
def test_each_property_has_the_event_that_belongs_to_it(control: ft.BaseControl, prop: str, event: str | None) -> None:
    assert controls.event_of(control, prop) == event


def test_a_property_that_nobody_changes_is_refused_and_the_way_out_named() -> None:
    state = fa.StateManager()
    with pytest.raises(fa.BindingError, match=r"changed 'label'. A person changes .*TextField.value.*name it: event="):
        state.bound(ft.TextField(), label=fa.two_way(NAME))
    with pytest.raises(fa.BindingError, match="Text has no event that says.*Otherwise bind it one way"):
        state.bound(ft.Text(), value=fa.two_way(NAME))
    assert state.statistics().observed == 0


async def test_an_event_of_ones_own_choice() -> None:
    level = fa.Key("level", 0.0)
    app_of = showing(lambda state: state.bound(ft.Slider(max=10), value=fa.two_way(level, event="on_change_end")))
    async with HeadlessApp(app_of) as app:
        slider = app.one("Slider")
        app.set_props(slider, value=5.0)
        assert not app.hears(slider, "change")
        assert store(app).get(level) == 0
        await app.fire(slider, "change_end", 5.0)
        assert store(app).get(level) == 5


def test_a_handler_that_flet_allows_only_alone_is_told_where_it_is_bound() -> None:
    state = fa.StateManager()
    chip = ft.Chip("x", on_click=lambda: None)
    with pytest.raises(fa.BindingError, match="Chip cannot be bound both ways by 'select': on_select and on_click"):
        state.bound(chip, selected=fa.two_way(ON))
    assert (chip.on_select, state.statistics().observed) == (None, 0)


# ------------------------------------------------------------------ kinds of values


SEGMENTS = [ft.Segment("a", label="a")]


def segments() -> ft.SegmentedButton:
    return ft.SegmentedButton(SEGMENTS, allow_empty_selection=True)


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


LOCAL = datetime.datetime.now().astimezone().tzinfo
UTC = datetime.timezone.utc
NOON = datetime.datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime.datetime(2026, 3, 5).astimezone(UTC)
"""What a client of this time zone sends for the fifth of March."""


@pytest.mark.parametrize(
    ("make", "prop", "default", "entered", "value"),
    [
        (lambda: ft.Slider(max=10), "value", 1, 5.0, 5),
        (lambda: ft.Slider(max=10), "value", 1, 5.4, 5),
        (lambda: ft.Slider(max=10), "value", 1.0, 5, 5.0),
        (lambda: ft.Checkbox(tristate=True), "value", False, None, None),
        (lambda: ft.RadioGroup(ft.Text("x")), "value", Size.SMALL, "l", Size.LARGE),
        (lambda: ft.Dropdown(), "value", Size.SMALL, "l", Size.LARGE),
        (
            segments,
            "selected",
            [],
            ["a"],
            ["a"],
        ),
        (
            segments,
            "selected",
            (),
            ["a"],
            ("a",),
        ),
        (
            segments,
            "selected",
            frozenset[str](),
            ["a"],
            frozenset({"a"}),
        ),
        (lambda: ft.CupertinoTimerPicker(), "value", 0, ft.Duration(minutes=2), 120),
        (lambda: ft.CupertinoTimerPicker(), "value", ft.Duration(), ft.Duration(minutes=2), ft.Duration(minutes=2)),
        (lambda: ft.TimePicker(), "value", datetime.time(1, 2), datetime.time(3, 4), datetime.time(3, 4)),
        (lambda: ft.DatePicker(), "value", None, MIDNIGHT, datetime.date(2026, 3, 5)),
        (lambda: ft.DatePicker(), "value", datetime.date(2020, 1, 1), MIDNIGHT, datetime.date(2026, 3, 5)),
        (lambda: ft.DatePicker(), "value", NOON, MIDNIGHT, MIDNIGHT),
        (lambda: ft.DatePicker(), "value", datetime.datetime(2020, 1, 1), MIDNIGHT, datetime.datetime(2026, 3, 5)),
        (lambda: ft.CupertinoDatePicker(), "value", NOON, MIDNIGHT, MIDNIGHT),
    ],
)
async def test_a_value_is_of_the_kind_that_the_key_holds(
    make: Callable[[], ft.Control], prop: str, default: object, entered: object, value: object
) -> None:
    key = fa.Key[Any]("any", default)
    async with HeadlessApp(showing(lambda state: state.bound(make(), **{prop: fa.two_way(key)}))) as app:
        found = collect(store(app))
        control = app.page.controls[0]
        app.take()
        app.set_props(control, **{prop: entered})
        await app.fire(control, controls.event_of(control, prop) or "", entered)
        assert found == []
        held = store(app).get(key)
        assert (type(held), held) == (type(value), value)
        assert app.take() == [], "what the control has said is not sent back to it"


@pytest.mark.parametrize("hours", [-11, -5, 0, 1, 5.5, 9, 11])
def test_a_day_is_the_day_that_the_person_has_chosen_wherever_that_is(hours: float) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    sent = datetime.datetime(2026, 3, 5, tzinfo=zone).astimezone(UTC)
    assert controls.as_held(ft.DatePicker(), sent, datetime.date(2026, 1, 1)) == datetime.date(2026, 3, 5)


async def test_a_list_of_the_atom_is_not_shared_with_the_control() -> None:
    chosen = fa.Key("chosen", ["a"])
    parts = [ft.Segment("a", label="a"), ft.Segment("b", label="b")]
    button = ft.SegmentedButton(parts, allow_multiple_selection=True)
    async with HeadlessApp(showing(lambda state: state.bound(button, selected=fa.two_way(chosen)))) as app:
        state = store(app)
        await app.enter(app.one("SegmentedButton"), ["b"], prop="selected")
        assert state.get(chosen) == ["b"]
        assert button.selected is not state.get(chosen)
        state.mutate(chosen, lambda items: items.append("a"))
        await app.settle()
        assert app.one("SegmentedButton")["selected"] == ["b", "a"]
        button.selected.append("by hand")
        assert state.get(chosen) == ["b", "a"]


async def test_an_edit_in_place_of_what_the_control_has_given_is_shown() -> None:
    chosen = fa.Key[set[str]]("chosen", factory=set)
    parts = [ft.Segment(each, label=each) for each in "ab"]
    button = ft.SegmentedButton(parts, allow_multiple_selection=True, allow_empty_selection=True)
    async with HeadlessApp(showing(lambda state: state.bound(button, selected=fa.two_way(chosen)))) as app:
        await app.enter(app.one("SegmentedButton"), ["a"], prop="selected")
        store(app).mutate(chosen, lambda items: items.add("b"))
        await app.settle()
        assert sorted(app.one("SegmentedButton")["selected"]) == ["a", "b"]


async def test_an_edit_in_place_of_what_parse_has_made_is_shown() -> None:
    class Box:
        def __init__(self, text: str) -> None:
            self.text = text

    box = fa.Key[Box]("box", factory=lambda: Box(""))
    made = fa.two_way(box, parse=Box, to=lambda box: box.text)
    async with HeadlessApp(showing(lambda state: state.bound(ft.TextField(), value=made))) as app:
        await app.type(app.one("TextField"), "a")
        store(app).mutate(box, lambda box: setattr(box, "text", "b"))
        await app.settle()
        assert app.one("TextField")["value"] == "b"


async def test_parse_and_to_of_a_number_are_not_made_text() -> None:
    percent = fa.Key("percent", 50)
    made = fa.two_way(percent, parse=lambda part: round(part * 100), to=lambda n: n / 100)
    async with HeadlessApp(showing(lambda state: state.bound(ft.Slider(), value=made))) as app:
        assert app.one("Slider")["value"] == 0.5
        await app.enter(app.one("Slider"), 0.75)
        assert store(app).get(percent) == 75
        whole = fa.two_way(percent, parse=round)
        app.page.add(store(app).bound(ft.CupertinoSlider(max=100), value=whole))
        assert app.one("CupertinoSlider")["value"] == 75


async def test_what_an_optional_text_shows_of_none_is_nothing() -> None:
    number = fa.Key[int | None]("number", None)
    made = fa.two_way(number, parse=int)
    async with HeadlessApp(
        showing(
            lambda state: state.bound(ft.Dropdown(options=[ft.DropdownOption("1")]), value=made),
            lambda state: state.bound(ft.TextField(), value=made),
        )
    ) as app:
        dropdown, field = app.page.controls
        assert isinstance(dropdown, ft.Dropdown)
        assert isinstance(field, ft.TextField)
        assert (dropdown.value, field.value) == (None, "")
        await app.enter(app.one("Dropdown"), "1", event="select")
        assert (store(app).get(number), field.value) == (1, "1")


# ------------------------------------------------------------------ one event, several properties; several events


async def test_both_ends_of_a_range_are_bound_and_nobody_sees_the_one_without_the_other() -> None:
    low, high = fa.Key("low", 10), fa.Key("high", 20)
    slider = ft.RangeSlider(max=100, start_value=0, end_value=1)
    width = fa.selector(lambda get: get(high) - get(low))

    async with HeadlessApp(
        showing(lambda state: state.bound(slider, start_value=fa.two_way(low), end_value=fa.two_way(high)))
    ) as app:
        state = store(app)
        assert (slider.start_value, slider.end_value) == (10, 20)
        seen = record(state, width)
        node = app.one("RangeSlider")
        app.set_props(node, start_value=50.0, end_value=60.0)
        await app.fire(node, "change")
        assert (state.get(low), state.get(high)) == (50, 60)
        assert seen == []
        with state.batch():
            state.set(low, 80)  # above the other end, for now
            state.set(high, 90)
        await app.settle()
        assert (app.one("RangeSlider")["start_value"], app.one("RangeSlider")["end_value"]) == (80, 90)


async def test_a_picker_gives_its_value_and_that_it_was_closed() -> None:
    day, is_open = fa.Key[datetime.date | None]("day", None), fa.Key("open", True)
    picker = ft.DatePicker()

    async with HeadlessApp(
        showing(lambda state: state.bound(picker, value=fa.two_way(day), open=fa.two_way(is_open)))
    ) as app:
        app.set_props(picker, value=MIDNIGHT, open=False)
        await app.fire(picker, "change", MIDNIGHT)
        await app.fire(picker, "dismiss", False)
        assert store(app).get(day) == datetime.date(2026, 3, 5)
        assert store(app).get(is_open) is False
        store(app).set(is_open, True)
        await app.settle()
        assert app.one("DatePicker")["open"] is True


@pytest.mark.parametrize("how", ["set", "refused"])
async def test_what_only_the_event_says_is_shown_by_the_control(how: str) -> None:
    def taken(value: object) -> bool:
        if how == "refused":
            raise ValueError("not now")
        return bool(value)

    item = ft.PopupMenuItem("x", checked=False)
    menu = ft.PopupMenuButton(items=[item])
    async with HeadlessApp(showing(lambda state: menu)) as app:
        state = store(app)
        found = collect(state)
        state.bind_two_way(ON, item, "checked", parse=taken)
        await app.settle()
        await app.fire(item, "click", True)
        await app.settle()
        assert state.get(ON) is (how == "set")
        assert app.one("PopupMenuItem")["checked"] is (how == "set")
        await app.fire(item, "click", None)  # of an item without a check mark
        assert [str(each.error) for each in found] == ([] if how == "set" else ["not now"])


async def test_a_panel_is_told_of_by_the_list_around_it() -> None:
    keys = [fa.Key("first", False), fa.Key("second", True)]
    panels = [ft.ExpansionPanel(header=ft.Text("x"), content=ft.Text("y")) for _ in keys]
    around = ft.ExpansionPanelList(controls=list(panels))

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        for panel, key in zip(panels, keys, strict=True):
            state.bound(panel, expanded=fa.two_way(key))
        page.add(around)

    async with HeadlessApp(main) as app:
        state = store(app)
        await app.settle()
        assert [panel.expanded for panel in panels] == [False, True]
        app.set_props(panels[0], expanded=True)
        await app.fire(around, "change", 0)
        assert [state.get(key) for key in keys] == [True, True]
        around.controls.pop()
        app.page.update()
        app.set_props(panels[0], expanded=False)
        await app.fire(around, "change", 0)
        assert [state.get(key) for key in keys] == [False, True]
        state.unbind(keys[0], panels[0])
        await app.settle()
        assert not app.hears(around, "change")


# ------------------------------------------------------------------ what is refused


async def test_a_form_can_ask_whether_a_field_was_refused() -> None:
    age = fa.two_way(AGE, parse=int)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(
            state.bound(ft.TextField(), value=age),
            state.bound(ft.Button("Save"), disabled=lambda get: get(age.error) is not None),
            state.bound(ft.Text(), value=age.error),
        )

    async with HeadlessApp(main) as app, HeadlessApp(main) as other:
        await app.type(app.one("TextField"), "4x")
        assert app.one("Button")["disabled"] is True
        assert "invalid literal" in app.texts()[0]
        assert not other.one("Button").get("disabled"), "each store has its own"
        await app.type(app.one("TextField"), "4")
        assert not app.one("Button").get("disabled")
        assert store(app).get(age.error) is None


async def test_a_binding_has_the_error_as_well() -> None:
    field = ft.TextField()
    async with HeadlessApp(showing(lambda state: field)) as app:
        binding = store(app).bind_two_way(AGE, field, parse=int)
        await app.settle()
        await app.type(app.one("TextField"), "x")
        assert "invalid literal" in str(store(app).get(binding.error))


@pytest.mark.parametrize("how", ["set", "reset", "unmount", "unbind", "collect"])
async def test_the_error_is_gone_with_what_was_refused(how: str) -> None:
    age = fa.two_way(AGE, parse=int)
    async with HeadlessApp(showing(lambda state: state.bound(ft.TextField(), value=age))) as app:
        state = store(app)
        await app.type(app.one("TextField"), "4x")
        assert state.get(age.error)
        if how == "set":
            state.set(AGE, 7)
        elif how == "reset":
            state.reset(AGE)
        elif how == "unbind":
            state.unbind(AGE, app.page.controls[0])
        else:
            app.page.controls.clear()
            app.page.update()
            gc.collect()
        await app.settle()
        assert state.get(age.error) is None
        if how in ("set", "reset", "unbind"):
            assert not app.one("TextField").get("error")


async def test_a_field_that_was_refused_comes_back_with_what_is_current() -> None:
    async with HeadlessApp(showing(age_field)) as app:
        await app.type(app.one("TextField"), "4x")
        field = app.page.controls.pop()
        assert isinstance(field, ft.TextField)
        app.page.update()
        app.page.add(field)
        await app.settle()
        assert (app.one("TextField")["value"], app.one("TextField").get("error")) == ("1", None)
        assert app.mirror_diff() == []


async def test_an_equal_set_is_no_change_and_leaves_a_refused_text() -> None:
    async with HeadlessApp(showing(age_field)) as app:
        await app.type(app.one("TextField"), "4x")
        store(app).set(AGE, 1)
        await app.settle()
        assert app.one("TextField")["value"] == "4x"
        assert app.one("TextField")["error"]


async def test_an_error_of_ones_own_stands_behind_that_of_parse_and_comes_back() -> None:
    def own(get: fa.Get) -> str | None:
        return "too young" if get(AGE) < 18 else None

    async with HeadlessApp(showing(lambda state: age_field(state, error=own))) as app:
        field = app.one("TextField")
        assert field["error"] == "too young"
        await app.type(field, "x")
        assert "invalid literal" in app.one("TextField")["error"]
        store(app).set(AGE, 2)
        await app.type(app.one("TextField"), "y")
        assert "invalid literal 'y'" in app.one("TextField")["error"].replace("for int() with base 10: ", "")
        await app.type(app.one("TextField"), "3")
        assert app.one("TextField")["error"] == "too young"
        await app.type(app.one("TextField"), "30")
        assert not app.one("TextField").get("error")


async def test_ones_own_error_that_changes_meanwhile_is_the_new_one_afterwards() -> None:
    own = fa.Key[str | None]("own", "old")
    async with HeadlessApp(showing(lambda state: age_field(state, error=own))) as app:
        await app.type(app.one("TextField"), "x")
        store(app).set(own, "new")
        await app.settle()
        assert "invalid literal" in app.one("TextField")["error"]
        await app.type(app.one("TextField"), "3")
        assert app.one("TextField")["error"] == "new"


def refusing(value: object) -> Any:
    raise ValueError("no")


@pytest.mark.parametrize("watched", [False, True])
async def test_an_error_without_a_place_on_the_control_goes_to_who_watches_or_to_on_error(watched: bool) -> None:
    level = fa.two_way(fa.Key("level", 0.0), parse=refusing)
    async with HeadlessApp(showing(lambda state: state.bound(ft.Slider(), value=level))) as app:
        found = collect(store(app))
        if watched:
            app.page.add(store(app).bound(ft.Text(), value=level.error))
        await app.enter(app.one("Slider"), 0.5)
        assert [str(each.error) for each in found] == ([] if watched else ["no"])
        assert app.texts() == (["no"] if watched else [])


@pytest.mark.parametrize(
    ("make", "prop"),
    [
        (lambda: ft.TextField(), "error"),
        (lambda: ft.CupertinoTextField(), "error"),
        (lambda: ft.DropdownM2(), "error"),
        (lambda: ft.Dropdown(), "error_text"),
        (lambda: ft.Checkbox(), None),
        (lambda: ft.Slider(), None),
    ],
)
def test_where_a_control_shows_an_error(make: Callable[[], ft.Control], prop: str | None) -> None:
    assert controls.error_property(make()) == prop


# ------------------------------------------------------------------ what Flet refuses


@pytest.mark.parametrize(
    ("make", "prop", "good", "bad", "why"),
    [
        (lambda: ft.Slider(max=10), "value", 5, 11, "less than or equal to"),
        (lambda: ft.ProgressBar(), "value", 0.5, -1, "greater than"),
        (lambda: ft.Tabs(length=2, content=ft.Text("x")), "selected_index", 1, 5, "out of range"),
        (
            lambda: ft.NavigationBar(
                [ft.NavigationBarDestination(ft.Icons.ADD), ft.NavigationBarDestination(ft.Icons.MENU)]
            ),
            "selected_index",
            1,
            7,
            "out of range",
        ),
        (lambda: ft.CupertinoTimerPicker(), "value", 60, -1, "non-negative"),
    ],
)
async def test_a_value_that_flet_refuses_takes_nothing_else_down(
    make: Callable[[], ft.Control], prop: str, good: object, bad: object, why: str
) -> None:
    key = fa.Key[Any]("any", good)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        plain = ft.Text("plain")

        def click() -> None:
            state.set(key, bad)
            plain.value = "by hand"

        page.add(state.bound(make(), **{prop: key}), plain, ft.Button("Go", on_click=click))

    async with HeadlessApp(main) as app:
        found = collect(store(app))
        await app.click("Go")
        await app.settle()
        assert "by hand" in app.texts()
        control: Any = app.page.controls[0]
        assert getattr(control, prop) == good
        assert [(each.key, each.actor) for each in found] == [(key, f"binding of {type(control).__name__}.{prop}")]
        assert why in str(found[0].error)
        store(app).set(key, good)
        await app.settle()
        assert (len(found), app.crashes) == (1, [])


async def test_what_is_refused_only_for_now_is_taken_when_the_rest_has_come() -> None:
    level, most = fa.Key("level", 1), fa.Key("most", 10)
    slider = ft.Slider()
    async with HeadlessApp(showing(lambda state: state.bound(slider, value=level, max=most))) as app:
        found = collect(store(app))
        with store(app).batch():
            store(app).set(level, 50)
            store(app).set(most, 100)
        await app.settle()
        assert (slider.value, slider.max, found) == (50, 100, [])
        store(app).set(level, 500)
        slider.max = 1000  # by hand, in the same step
        await app.settle()
        assert (slider.value, found) == (500, [])


def test_without_a_loop_it_is_taken_at_once() -> None:
    state, slider = fa.StateManager(), ft.Slider()
    level, most = fa.Key("level", 1), fa.Key("most", 10)
    state.bound(slider, value=level, max=most)
    with state.batch():
        state.set(level, 50)
        state.set(most, 100)
    assert (slider.value, slider.max) == (50, 100)


async def test_a_control_that_is_wrong_for_another_reason_is_not_the_values_fault() -> None:
    slider = ft.Slider(min=10, max=1)
    state = fa.StateManager()
    state.bound(slider, label=NAME)
    state.set(NAME, "x")
    assert slider.label == "x"


# ------------------------------------------------------------------ clients that lie or lag


@pytest.mark.parametrize("lie", ["yes", None, 7, ["x"], {"a": 1}])
async def test_a_client_that_sends_another_type_is_told_of_and_writes_nothing(lie: object) -> None:
    async with HeadlessApp(showing(lambda state: state.bound(ft.Switch(), value=fa.two_way(ON)))) as app:
        found = collect(store(app))
        await app.enter(app.one("Switch"), lie)
        assert store(app).get(ON) is False
        assert [type(each.error) for each in found] == [fa.BindingError]
        assert app.one("Switch").get("value") in (False, None)
        await app.enter(app.one("Switch"), True)
        assert store(app).get(ON) is True


async def test_an_event_of_a_control_that_has_left_does_nothing() -> None:
    async with HeadlessApp(showing(lambda state: state.bound(ft.TextField(), value=fa.two_way(NAME)))) as app:
        field = app.page.controls.pop()
        assert isinstance(field, ft.TextField)
        node = app.one("TextField")
        app.page.update()
        app.session.apply_patch(node["_i"], {"value": "late"})
        await app.session.dispatch_event(node["_i"], "change", "late")
        await app.settle()
        assert store(app).get(NAME) == ""
        app.page.add(field)
        await app.settle()
        assert not app.one("TextField").get("value")


async def test_a_property_that_comes_without_its_event_is_overwritten_by_the_next_value() -> None:
    async with HeadlessApp(showing(lambda state: state.bound(ft.TextField(), value=fa.two_way(NAME)))) as app:
        app.set_props(app.one("TextField"), value="silent")
        store(app).set(NAME, "x")
        await app.settle()
        assert app.one("TextField")["value"] == "x"
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ handlers, again and again


async def test_a_handler_that_is_removed_leaves_the_binding_listening() -> None:
    heard: list[str] = []
    field = ft.TextField(on_change=lambda e: heard.append(str(e.data)))
    async with HeadlessApp(showing(lambda state: state.bound(field, value=fa.two_way(NAME)))) as app:
        await app.type(app.one("TextField"), "a")
        field.on_change = None
        app.page.update()
        assert app.hears(field, "change")
        await app.type(app.one("TextField"), "ab")
        assert (store(app).get(NAME), heard) == ("ab", ["a"])
        assert app.mirror_diff() == []


async def test_an_unbound_control_sends_no_events_any_more_but_to_its_own_handler() -> None:
    plain, own = ft.TextField(), ft.TextField(on_change=lambda: None)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(*[state.bound(each, value=fa.two_way(NAME)) for each in (plain, own)])

    async with HeadlessApp(main) as app:
        for each in (plain, own):
            store(app).unbind(NAME, each)
        await app.settle()
        assert (app.hears(plain, "change"), app.hears(own, "change")) == (False, True)
        app.set_props(own, value="x")
        await app.fire(own, "change", "x")
        assert store(app).get(NAME) == ""


async def test_binding_anew_and_mounting_anew_writes_once() -> None:
    other = fa.Key("other", "")
    field = ft.TextField()
    async with HeadlessApp(showing(lambda state: state.bound(field, value=fa.two_way(NAME)))) as app:
        state = store(app)
        for _ in range(3):
            state.bound(field, value=fa.two_way(NAME))
            app.page.controls.clear()
            app.page.update()
            app.page.add(field)
        seen = record(state, NAME)
        await app.type(app.one("TextField"), "a")
        assert seen == ["a"]
        state.bound(field, value=fa.two_way(other))
        await app.type(app.one("TextField"), "b")
        assert (state.get(NAME), state.get(other)) == ("a", "b")


async def test_one_key_on_many_controls_and_the_others_follow() -> None:
    def field(state: fa.StateManager) -> ft.TextField:
        return state.bound(ft.TextField(), value=fa.two_way(NAME))

    async with HeadlessApp(showing(field, field, field)) as app:
        await app.type(app.find("TextField")[1], "x")
        assert [each["value"] for each in app.find("TextField")] == ["x"] * 3
        sent = [op for frame in app.take() for op in frame.ops if op.value == "x"]
        assert len(sent) == 2, "not to the one that was typed into"


async def test_a_control_and_its_binding_are_collected_with_a_text_refused_and_a_timer_running() -> None:
    async with HeadlessApp(lambda page: None) as app:
        state = store(app)

        def build() -> list[weakref.ref[Any]]:
            age = fa.two_way(AGE, parse=int)
            field = state.bound(ft.TextField(), value=age)
            late = state.bound(ft.TextField(), value=fa.two_way(NAME, debounce=3600))
            app.page.add(field, late)
            return [weakref.ref(field), weakref.ref(late), weakref.ref(age.error)]

        refs = build()
        first, second = app.find("TextField")
        await app.type(first, "x")
        await app.type(second, "abc")
        app.page.controls.clear()
        app.page.update()
        await app.settle()
        assert state.get(NAME) == "abc"
        del first, second
        app.take()
        gc.collect()
        await app.settle()
        gc.collect()
        assert [ref() for ref in refs] == [None] * 3
        assert state.statistics().observed == 0


@IN_VIRTUAL_TIME
@pytest.mark.parametrize("how", ["pause", "blur", "unmount", "close"])
async def test_debounce_works_for_every_kind_and_loses_nothing(how: str) -> None:
    level = fa.Key("level", 0.0)
    slider = ft.Slider(max=10, on_blur=lambda: None)
    made = fa.two_way(level, debounce=0.5)
    async with HeadlessApp(showing(lambda state: state.bound(slider, value=made))) as app:
        state = store(app)
        seen = record(state, level)
        for each in (1.0, 2.0, 3.0):
            await app.enter(slider, each)
            await asyncio.sleep(0.4)
        assert seen == []
        if how == "pause":
            await asyncio.sleep(0.2)
        elif how == "blur":
            await app.fire(slider, "blur")
        elif how == "unmount":
            app.page.controls.clear()
            app.page.update()
        else:
            await app.close()
        assert state.get(level) == 3


# ------------------------------------------------------------------ what Flet does not see


@pytest.mark.parametrize(
    ("make", "first", "second"),
    [
        (ft.TimePicker, datetime.time(1, 2), datetime.time(3, 4)),
        (ft.CupertinoDatePicker, MIDNIGHT, NOON),
        (ft.CupertinoTimerPicker, 60, 120),
    ],
)
async def test_a_value_whose_default_is_made_by_a_factory_is_sent_all_the_same(
    make: Callable[[], ft.Control], first: object, second: object
) -> None:
    key = fa.Key[Any]("any", first)
    async with HeadlessApp(showing(lambda state: state.bound(make(), value=fa.two_way(key)))) as app:
        control = app.page.controls[0]
        app.take()
        store(app).set(key, second)
        await app.settle()
        assert [op.value for frame in app.take() for op in frame.ops] == [second]
        app.set_props(control, value=first)
        await app.fire(control, "change", first)
        app.page.update()
        assert (store(app).get(key), app.take()) == (first, [])


async def test_a_list_that_the_client_has_changed_is_what_the_next_difference_counts_from() -> None:
    chosen = fa.Key[tuple[str, ...]]("chosen", ("a",))
    parts = [ft.Segment(each, label=each) for each in "abc"]
    button = ft.SegmentedButton(parts, allow_multiple_selection=True)
    async with HeadlessApp(showing(lambda state: state.bound(button, selected=fa.two_way(chosen)))) as app:
        for entered, then in ((["a", "b"], ("c",)), (["c", "a"], ("b", "c")), (["b"], ("b", "a"))):
            await app.enter(app.one("SegmentedButton"), entered, prop="selected")
            app.page.update()
            assert app.one("SegmentedButton")["selected"] == entered, "sent on top of what the client has"
            store(app).set(chosen, then)
            await app.settle()
            assert app.one("SegmentedButton")["selected"] == list(then)


async def test_a_duration_that_the_client_has_changed_is_not_sent_back_to_it() -> None:
    length = fa.Key("length", ft.Duration(minutes=1))
    picker = ft.CupertinoTimerPicker()
    async with HeadlessApp(showing(lambda state: state.bound(picker, value=fa.two_way(length)))) as app:
        app.take()
        app.set_props(picker, value=ft.Duration(minutes=5))
        await app.fire(picker, "change")
        app.page.update()
        assert (store(app).get(length), app.take()) == (ft.Duration(minutes=5), [])


def test_what_the_library_does_with_flets_own_notes_of_what_was_sent() -> None:
    """`__prev_lists`, `__prev_classes` and `__changes` are Flet's; this fails when it changes them."""
    source = "".join(Path(module.__file__ or "").read_text() for module in (object_patch, protocol))
    for name in ("__prev_lists", "__prev_classes", "__changes"):
        assert f'"{name}"' in source


# ------------------------------------------------------------------ corners


async def test_somebody_elses_hook_of_the_control_is_called_as_before() -> None:
    called: list[str] = []

    def field(state: fa.StateManager) -> ft.Control:
        control = ft.TextField()
        control.before_update = lambda: called.append("before")  # type: ignore[method-assign]  # Flet calls what the instance has
        return state.bound(control, value=fa.two_way(NAME))

    async with HeadlessApp(showing(field)) as app:
        assert called
        await app.type(app.one("TextField"), "Ann")
        assert store(app).get(NAME) == "Ann"


async def test_listeners_that_feed_each_other_over_an_event_are_told_and_the_app_goes_on() -> None:
    def field(state: fa.StateManager) -> ft.Control:
        failures.append(collect(state))
        other = fa.Key("other", 0)
        growing.append(state.listen(NAME, lambda _: state.update(other, lambda n: n + 1), immediate=False))
        growing.append(state.listen(other, lambda n: state.set(other, n + 1), immediate=False))
        return state.bound(ft.TextField(), value=fa.two_way(NAME))

    failures: list[list[fa.Failure]] = []
    growing: list[fa.Subscription] = []
    async with HeadlessApp(showing(field)) as app:
        await app.type(app.one("TextField"), "Ann")
        assert [type(failure.error) for failure in failures[0]] == [fa.LoopError]
        for each in growing:
            each.close()
        await app.type(app.one("TextField"), "Anna")
        assert store(app).get(NAME) == "Anna"


@IN_VIRTUAL_TIME
async def test_what_fails_after_a_debounce_or_an_await_is_told() -> None:
    def parse(text: str) -> int:
        raise TypeError("no number")

    async def later(event: Any) -> None:
        await asyncio.sleep(1)
        raise OSError("no network")

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        failures.append(collect(state))
        slow, asking = ft.TextField(label="slow"), ft.TextField(label="asking")
        state.bound(slow, value=fa.two_way(AGE, parse=parse, debounce=0.3))
        state.bind_two_way(NAME, asking, on_input_change=later)
        page.add(slow, asking)

    failures: list[list[fa.Failure]] = []
    async with HeadlessApp(main) as app:
        await app.type(app.one("TextField", label="slow"), "x")
        await app.type(app.one("TextField", label="asking"), "y")
        await asyncio.sleep(2)
        assert [type(failure.error) for failure in failures[0]] == [TypeError, OSError]


async def test_a_value_whose_type_reads_no_text_is_shown_in_its_own_words() -> None:
    @dataclass(frozen=True)
    class Point:
        x: int
        y: int

    point = fa.Key("point", Point(0, 0))

    def parse(text: str) -> Point:
        x, y = map(int, text.split(","))
        return Point(x, y)

    def field(state: fa.StateManager) -> ft.Control:
        return state.bound(ft.TextField(), value=fa.two_way(point, parse=parse, to=lambda at: f"{at.x}, {at.y}"))

    async with HeadlessApp(showing(field)) as app:
        await app.type(app.one("TextField"), "1,2")
        assert store(app).get(point) == Point(1, 2)
        assert app.one("TextField")["value"] == "1, 2"


def test_a_day_without_a_time_zone_is_that_day() -> None:
    picker = ft.DatePicker()
    assert controls.as_held(picker, datetime.datetime(2026, 3, 5, 23, 0), None) == datetime.date(2026, 3, 5)


async def test_what_was_typed_on_without_an_event_yet_stays_when_the_value_before_it_arrives() -> None:
    gate = asyncio.Event()

    async def slow(text: str) -> str:
        await gate.wait()
        return text

    async with HeadlessApp(showing(lambda state: state.bound(ft.TextField(), value=fa.two_way(NAME)))) as app:
        state = store(app)
        updated = state.update(NAME, slow)
        await app.type(app.one("TextField"), "a")
        app.set_props(app.one("TextField"), value="ab")
        gate.set()
        await updated
        await state.settled()
        await app.settle()
        assert (state.get(NAME), app.one("TextField")["value"]) == ("a", "ab")
        assert app.mirror_diff() == []


async def test_what_begins_with_an_event_and_waits_ends_with_the_session() -> None:
    ends: list[str] = []

    def main(page: ft.Page) -> None:
        async def later(_: Any) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ends.append("ended")

        field = ft.TextField()
        fa.get_state_manager(page).bind_two_way(NAME, field, on_input_change=later)
        page.add(field)

    async with HeadlessApp(main) as app:
        await app.type(app.one("TextField"), "a")
        assert ends == []
    assert ends == ["ended"]


async def test_an_event_that_the_control_itself_refuses_changes_nothing() -> None:
    class Deaf(ft.TextField):
        def before_event(self, e: Any) -> Any:
            return False

    async with HeadlessApp(showing(lambda state: state.bound(Deaf(), value=fa.two_way(NAME)))) as app:
        await app.type(app.page.controls[0], "a")
        assert store(app).get(NAME) == ""


async def test_a_property_of_any_type_may_be_bound_and_a_warning_is_no_refusal() -> None:
    state = fa.StateManager()
    found = collect(state)
    choice = Choice()
    state.bind(NAME, choice, prop="former")
    state.set(NAME, "b")
    assert (choice.former, found) == ("b", [])

    async with HeadlessApp(showing(lambda state: state.bound(Choice(), selected=fa.two_way(NAME)))) as app:
        await app.enter(app.page.controls[0], "b", prop="selected")
        assert store(app).get(NAME) == "b"
