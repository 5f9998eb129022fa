"""Every control that a person changes, changed by a person: with the mouse, with the keyboard."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

import flet as ft
import pytest
from playwright.sync_api import Browser, expect

import flet_asp_actors as fa
from tests.kit.backstage import PATIENCE, Backstage
from tests.kit.browser import AppServer, Screen
from tests.test_controls_table import known

C = TypeVar("C", bound=ft.BaseControl)
ZONE = "America/New_York"
"""Where the person is; the server is elsewhere."""
MARCH = datetime.date(2026, 3, 5)

_REST = """() => new Promise(done => {
    let frames = 0;
    const next = () => ++frames < 30 ? requestAnimationFrame(next) : done();
    next();
})"""


class Stage:
    """One page in a browser, on which one control after the other is tried."""

    def __init__(self, browser: Browser) -> None:
        self.backstage = Backstage(lambda page: page.add(ft.Text("ready")))
        self.server = AppServer(self.backstage)
        self.context = browser.new_context(viewport={"width": 800, "height": 600}, timezone_id=ZONE, has_touch=True)
        self.screen = Screen(self.context.new_page(), self.server.url)
        self.screen.see("ready")
        self.touch: Any = self.context.new_cdp_session(self.screen.page)
        self.mouse = self.screen.page.mouse
        self.keyboard = self.screen.page.keyboard
        self.key: fa.Key[Any] = fa.Key("none yet", None)

    def close(self) -> None:
        self.context.close()
        self.server.stop()

    def show(self, key: fa.Key[Any], build: Callable[[fa.StateManager], ft.Control]) -> None:
        """Show this and nothing else."""
        self.key = key

        def change() -> None:
            page = self.backstage.pages[0]()
            assert page is not None
            page.controls[:] = [build(self.backstage.state)]
            page.update()

        self.backstage.ask(change)

    def set(self, value: object) -> None:
        """Change the value from elsewhere."""
        self.backstage.ask(lambda: self.backstage.state.set(self.key, value))

    def value(self) -> Any:
        """What the server has."""
        return self.backstage.ask(lambda: self.backstage.state.get(self.key))

    def expect(self, is_right: Callable[[Any], bool]) -> None:
        """Wait until the server has what the person has entered."""
        until = time.monotonic() + PATIENCE
        while not is_right(self.value()):
            assert time.monotonic() < until, f"{self.key} holds {self.value()!r}"
            self.screen.page.wait_for_timeout(20)

    def tap(self, text: str) -> None:
        """Click with the mouse on what says this."""
        page = self.screen.page
        found = page.get_by_text(text, exact=True).or_(page.get_by_label(text, exact=True)).first
        found.wait_for(state="attached")
        box = found.bounding_box()
        assert box is not None
        self.at(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def at(self, x: float, y: float) -> None:
        """Click with the mouse here."""
        self.mouse.click(x, y)

    def drag(self, x: float, y: float, to_x: float, to_y: float) -> None:
        self.mouse.move(x, y)
        self.mouse.down()
        self.mouse.move((x + to_x) / 2, (y + to_y) / 2, steps=5)
        self.mouse.move(to_x, to_y, steps=5)
        self.mouse.up()

    def swipe(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """Move with a finger: Flutter does not scroll by dragging with the mouse."""
        steps = [(x + (to_x - x) * each / 10, y + (to_y - y) * each / 10) for each in range(11)]
        for number, (at_x, at_y) in enumerate(steps):
            kind = "touchMove" if number else "touchStart"
            self.touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at_x, "y": at_y}]})
            self.screen.page.wait_for_timeout(20)
        self.touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def settle(self) -> None:
        """Let what moves come to rest."""
        self.screen.page.evaluate(_REST)


@pytest.fixture(scope="module")
def stage(chromium: Browser) -> Iterator[Stage]:
    made = Stage(chromium)
    try:
        yield made
    finally:
        made.close()


Step: TypeAlias = Callable[[Stage], object]
Question: TypeAlias = Callable[[Any], bool]


@dataclass
class Case:
    """A control, what a person does to it, and what the key has to hold then."""

    control: Callable[[], ft.BaseControl]
    prop: str
    default: Any
    steps: list[tuple[Step, Any]]
    """Each with the value, or a question about it."""
    around: Callable[[Any], ft.Control] = lambda control: control

    @property
    def name(self) -> str:
        return f"{type(self.control()).__name__}.{self.prop}"


def is_just(wanted: object) -> Question:
    return lambda value: type(value) is type(wanted) and value == wanted


def is_all_of(*wanted: str) -> Question:
    return lambda value: sorted(value) == sorted(wanted)


def is_later(value: Any) -> bool:
    """Than what there was first, and of the same kind."""
    return value > MARCH.replace(month=12) if type(value) is datetime.date else type(value) is int and value > 60


def is_first_letter(value: Any) -> bool:
    return isinstance(value, ft.TextSelection) and (value.base_offset, value.extent_offset) == (0, 1)


def near(number: float, by: float = 1.0) -> Question:
    return lambda value: type(value) is type(number) and abs(value - number) <= by


def tap(text: str) -> Step:
    return lambda stage: stage.tap(text)


def at(x: float, y: float) -> Step:
    return lambda stage: stage.at(x, y)


def click(name: str, role: Any = "button") -> Step:
    def do(stage: Stage) -> None:
        stage.screen.page.get_by_role(role, name=name, exact=True).wait_for(state="attached")
        stage.screen.click(name, role)

    return do


def typed(label: str, text: str) -> Step:
    return lambda stage: stage.screen.type(label, text)


def both(*steps: Step) -> Step:
    def do(stage: Stage) -> None:
        for step in steps:
            step(stage)
            stage.settle()

    return do


def drag(x: float, y: float, to_x: float, to_y: float) -> Step:
    return lambda stage: stage.drag(x, y, to_x, to_y)


def swipe(x: float, y: float, to_x: float, to_y: float) -> Step:
    return lambda stage: stage.swipe(x, y, to_x, to_y)


def enter(text: str) -> Step:
    """Write into the only field. One that has just got the focus may lose what is entered."""

    def do(stage: Stage) -> None:
        field = stage.screen.page.locator("input").first
        for _ in range(10):
            field.fill(text)
            stage.settle()
            if stage.value() == text:
                return

    return do


def fill(label: str, text: str) -> Step:
    def do(stage: Stage) -> None:
        field = stage.screen.page.get_by_label(label, exact=True)
        field.wait_for(state="attached")
        stage.settle()
        field.focus()
        stage.settle()
        field.fill(text)

    return do


def keys(*names: str) -> Step:
    def do(stage: Stage) -> None:
        for name in names:
            stage.keyboard.press(name)

    return do


def two_texts() -> list[ft.Control]:
    return [ft.Text("one"), ft.Text("two")]


def destinations(kind: Callable[..., C]) -> list[C]:
    return [kind(icon=ft.Icons.ADD, label="one"), kind(icon=ft.Icons.MENU, label="two")]


def boxed(control: Any) -> ft.Control:
    return ft.Container(control, height=200, width=400)


def opened(control: Any, **props: Any) -> Any:
    for name, value in {"open": True, **props}.items():
        setattr(control, name, value)
    return control


CASES = [
    Case(lambda: ft.TextField(label="T"), "value", "", [(typed("T", "ab"), "ab")]),
    Case(lambda: ft.CupertinoTextField(placeholder_text="T"), "value", "", [(typed("T", "ab"), "ab")]),
    Case(
        lambda: ft.Checkbox(label="T", tristate=True),
        "value",
        False,
        # Flet does not send a default: the client takes the first False for None.
        [(at(30, 30), False), (at(30, 30), True), (at(30, 30), None), (at(30, 30), False)],
    ),
    Case(lambda: ft.CupertinoCheckbox(label="T"), "value", False, [(at(20, 20), True), (at(20, 20), False)]),
    Case(lambda: ft.Switch(label="T"), "value", False, [(at(35, 30), True), (at(35, 30), False)]),
    Case(lambda: ft.CupertinoSwitch(label="T"), "value", False, [(at(40, 30), True), (at(40, 30), False)]),
    Case(
        lambda: ft.Slider(max=10, width=400),
        "value",
        0.0,
        [(at(210, 34), near(5.0)), (drag(210, 34, 370, 34), near(9.0))],
    ),
    Case(lambda: ft.Slider(max=10, width=400), "value", 0, [(at(210, 34), near(5)), (keys("ArrowRight"), near(5))]),
    Case(lambda: ft.CupertinoSlider(max=10, width=400), "value", 0.0, [(drag(25, 30, 210, 30), near(5.0))]),
    Case(
        lambda: ft.RangeSlider(start_value=0, end_value=10, max=10, width=400),
        "start_value",
        0.0,
        [(drag(34, 34, 130, 34), near(2.8))],
    ),
    Case(
        lambda: ft.RangeSlider(start_value=0, end_value=10, max=10, width=400),
        "end_value",
        10.0,
        [(drag(386, 34, 290, 34), near(7.3))],
    ),
    Case(
        lambda: ft.Dropdown(label="T", width=200, options=[ft.DropdownOption("one"), ft.DropdownOption("two")]),
        "value",
        None,
        [(both(at(60, 34), tap("two")), "two")],
    ),
    Case(
        lambda: ft.Dropdown(
            label="T", width=200, editable=True, options=[ft.DropdownOption("one"), ft.DropdownOption("two")]
        ),
        "text",
        None,
        [(both(at(60, 34), enter("tw")), "tw")],
    ),
    Case(
        lambda: ft.DropdownM2(label="T", options=[ft.dropdownm2.Option("one"), ft.dropdownm2.Option("two")]),
        "value",
        None,
        [(both(at(60, 34), tap("two")), "two")],
    ),
    Case(
        lambda: ft.RadioGroup(ft.Column([ft.Radio("one", value="one"), ft.Radio("two", value="two")])),
        "value",
        "one",
        [(tap("two"), "two")],
    ),
    Case(
        lambda: ft.SegmentedButton(
            [ft.Segment(each, label=each) for each in ("one", "two")], allow_multiple_selection=True
        ),
        "selected",
        ["one"],
        [(tap("two"), is_all_of("one", "two")), (tap("one"), ["two"])],
    ),
    Case(
        lambda: ft.Tabs(length=2, content=ft.TabBar(tabs=[ft.Tab(label="one"), ft.Tab(label="two")])),
        "selected_index",
        0,
        [(tap("two"), 1), (tap("one"), 0)],
    ),
    Case(lambda: ft.NavigationBar(destinations(ft.NavigationBarDestination)), "selected_index", 0, [(tap("two"), 1)]),
    Case(
        lambda: ft.CupertinoNavigationBar(destinations(ft.NavigationBarDestination)),
        "selected_index",
        0,
        [(tap("two"), 1)],
    ),
    Case(
        lambda: ft.NavigationRail(
            destinations(ft.NavigationRailDestination), label_type=ft.NavigationRailLabelType.ALL
        ),
        "selected_index",
        0,
        [(at(210, 110), 1)],
        around=boxed,
    ),
    Case(lambda: ft.SearchBar(bar_hint_text="T"), "value", "", [(both(at(100, 38), enter("ab")), "ab")]),
    Case(lambda: ft.Chip("T"), "selected", False, [(tap("T"), True), (tap("T"), False)]),
    Case(lambda: ft.ExpansionTile("T", controls=two_texts()), "expanded", False, [(tap("T"), True), (tap("T"), False)]),
    Case(
        lambda: ft.ExpansionPanel(header=ft.Text("T"), content=ft.Text("in")),
        "expanded",
        False,
        [(at(758, 34), True), (at(758, 34), False)],
        around=lambda panel: ft.ExpansionPanelList(controls=[panel]),
    ),
    Case(lambda: ft.PageView(controls=two_texts()), "selected_index", 0, [(swipe(350, 100, 50, 100), 1)], around=boxed),
    Case(lambda: ft.CupertinoSlidingSegmentedButton(controls=two_texts()), "selected_index", 0, [(tap("two"), 1)]),
    Case(lambda: ft.CupertinoSegmentedButton(controls=two_texts()), "selected_index", 0, [(tap("two"), 1)]),
    Case(
        lambda: ft.CupertinoPicker(item_extent=40, controls=[*two_texts(), ft.Text("three")]),
        "selected_index",
        0,
        [(swipe(210, 130, 210, 85), 1)],
        around=boxed,
    ),
    Case(
        lambda: ft.CupertinoTimerPicker(mode=ft.CupertinoTimerPickerMode.MINUTE_SECONDS),
        "value",
        60,
        [(swipe(160, 130, 160, 85), is_later)],
        around=boxed,
    ),
    Case(
        lambda: ft.CupertinoDatePicker(date_picker_mode=ft.CupertinoDatePickerMode.DATE),
        "value",
        MARCH,
        [(swipe(360, 130, 360, 85), is_later)],
        around=boxed,
    ),
    Case(
        lambda: ft.DataRow(cells=[ft.DataCell(ft.Text("x"))]),
        "selected",
        False,
        [(at(37, 90), True), (at(37, 90), False)],
        around=lambda row: ft.DataTable(show_checkbox_column=True, columns=[ft.DataColumn(label="c")], rows=[row]),
    ),
    Case(
        lambda: ft.PopupMenuItem("T", checked=False),
        "checked",
        False,
        [(both(at(30, 30), tap("T")), True), (both(at(30, 30), tap("T")), False)],
        around=lambda item: ft.PopupMenuButton(items=[item]),
    ),
    Case(
        ft.DatePicker,
        "value",
        None,
        [(both(tap("18, Wednesday, March 18, 2026"), click("OK")), datetime.date(2026, 3, 18))],
        around=lambda picker: opened(picker, current_date=MARCH),
    ),
    Case(ft.DatePicker, "open", True, [(click("Cancel"), False)]),
    Case(
        lambda: ft.DatePicker(open=True),
        "entry_mode",
        ft.DatePickerEntryMode.CALENDAR,
        [
            (click("Switch to input"), ft.DatePickerEntryMode.INPUT),
            (click("Cancel"), ft.DatePickerEntryMode.INPUT),
        ],
    ),
    Case(
        lambda: ft.TimePicker(open=True, entry_mode=ft.TimePickerEntryMode.INPUT),
        "value",
        datetime.time(1, 2),
        [(both(fill("Minute", "34"), click("OK")), datetime.time(1, 34))],
    ),
    Case(
        lambda: ft.TimePicker(open=True, entry_mode=ft.TimePickerEntryMode.INPUT),
        "entry_mode",
        ft.TimePickerEntryMode.INPUT,
        [
            (click("Switch to dial picker mode"), ft.TimePickerEntryMode.DIAL),
            (click("Cancel"), ft.TimePickerEntryMode.DIAL),
        ],
    ),
    Case(ft.TimePicker, "open", True, [(click("Cancel"), False)]),
    Case(
        lambda: opened(ft.DateRangePicker(entry_mode=ft.DatePickerEntryMode.INPUT)),
        "start_value",
        None,
        [(both(fill("Start Date", "03/05/2026"), fill("End Date", "03/08/2026"), click("OK")), MARCH)],
    ),
    Case(
        lambda: opened(ft.DateRangePicker(entry_mode=ft.DatePickerEntryMode.INPUT)),
        "end_value",
        None,
        [(both(fill("Start Date", "03/01/2026"), fill("End Date", "03/05/2026"), click("OK")), MARCH)],
    ),
    Case(lambda: ft.DateRangePicker(entry_mode=ft.DatePickerEntryMode.INPUT), "open", True, [(click("Cancel"), False)]),
    Case(
        lambda: ft.TextField(label="T", value="abc"),
        "selection",
        None,
        [(both(at(150, 40), keys("Home", "Shift+ArrowRight")), is_first_letter)],
    ),
    Case(
        lambda: ft.CupertinoTextField(placeholder_text="T", value="abc"),
        "selection",
        None,
        [(both(at(150, 30), keys("Home", "Shift+ArrowRight")), is_first_letter)],
    ),
    Case(lambda: ft.AlertDialog(title="T"), "open", True, [(at(5, 5), False)]),
    Case(lambda: ft.CupertinoAlertDialog(title="T", barrier_color="#80000000"), "open", True, [(at(5, 5), False)]),
    Case(lambda: ft.BottomSheet(ft.Text("T")), "open", True, [(at(5, 5), False)]),
    Case(lambda: ft.CupertinoBottomSheet(ft.Text("T"), height=100), "open", True, [(at(5, 5), False)]),
    Case(lambda: ft.SnackBar("T", duration=500), "open", True, [(lambda stage: None, False)]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_person_does_is_in_the_atom(stage: Stage, case: Case) -> None:
    key = fa.Key[Any](case.name, case.default)

    def build(state: fa.StateManager) -> ft.Control:
        control = case.control()
        state.bound(control, **{case.prop: fa.two_way(key)})
        return case.around(control)

    stage.show(key, build)
    stage.settle()
    for step, wanted in case.steps:
        step(stage)
        stage.expect(cast("Question", wanted) if callable(wanted) else is_just(wanted))
        stage.settle()


def test_what_is_chosen_in_a_drawer(stage: Stage) -> None:
    chosen = fa.Key("chosen", 0)
    drawer = ft.NavigationDrawer(controls=[*destinations(ft.NavigationDrawerDestination)])

    def build(state: fa.StateManager) -> ft.Control:
        page = stage.backstage.pages[0]()
        assert page is not None
        page.drawer = state.bound(drawer, selected_index=fa.two_way(chosen))
        return ft.Button("Open", on_click=page.show_drawer)

    stage.show(chosen, build)
    stage.screen.page.get_by_role("button", name="Open").wait_for(state="attached")
    stage.screen.click("Open")
    stage.settle()
    stage.at(150, 84)
    stage.expect(is_just(1))
    stage.settle()
    stage.at(700, 300)  # closes it
    stage.settle()


def test_what_comes_from_elsewhere_is_on_the_screen_also_after_a_person_has_changed_it(stage: Stage) -> None:
    chosen = fa.Key("chosen", ("a",))
    parts = [ft.Segment(each, label=each) for each in ("a", "b", "c")]

    def build(state: fa.StateManager) -> ft.Control:
        return state.bound(ft.SegmentedButton(parts, allow_multiple_selection=True), selected=fa.two_way(chosen))

    stage.show(chosen, build)
    stage.settle()
    stage.tap("b")
    stage.expect(is_all_of("a", "b"))
    stage.set(("c",))
    pressed = stage.screen.page.locator("flt-semantics[aria-current='true'], flt-semantics[aria-selected='true']")
    stage.settle()
    assert [each.inner_text() for each in pressed.all()] in ([], ["c"])
    stage.tap("c")  # the last one stays
    stage.tap("b")
    stage.expect(is_all_of("b", "c"))


def test_a_time_from_elsewhere_is_what_the_picker_opens_with(stage: Stage) -> None:
    at_one = fa.Key[datetime.time]("time", datetime.time(1, 2))
    picker = ft.TimePicker(entry_mode=ft.TimePickerEntryMode.INPUT)

    def build(state: fa.StateManager) -> ft.Control:
        return state.bound(picker, value=fa.two_way(at_one))

    stage.show(at_one, build)
    stage.settle()
    stage.set(datetime.time(3, 45))
    stage.settle()

    def open_it() -> None:
        picker.open = True
        picker.update()

    stage.backstage.ask(open_it)
    field = stage.screen.page.get_by_label("Minute", exact=True)
    field.wait_for(state="attached")
    stage.settle()
    field.focus()
    expect(field).to_have_value("45")
    stage.screen.click("Cancel")


def test_a_text_that_is_refused_stays_with_its_error_and_the_form_waits(stage: Stage) -> None:
    age = fa.Key("age", 18)
    made = fa.two_way(age, parse=int)

    def build(state: fa.StateManager) -> ft.Control:
        return ft.Column(
            [
                state.bound(ft.TextField(label="Age"), value=made),
                state.bound(ft.Button("Save"), disabled=lambda get: get(made.error) is not None),
            ]
        )

    stage.show(age, build)
    stage.settle()
    stage.screen.type("Age", "4x")
    stage.screen.see("invalid literal", exact=False)
    save = stage.screen.page.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    stage.screen.type("Age", "42")
    stage.expect(is_just(42))
    stage.screen.see_not("invalid literal", exact=False)
    expect(save).to_be_enabled()


def test_what_is_written_into_an_auto_complete(stage: Stage) -> None:
    # The last one here: its suggestions take the tree for screen readers away, and cannot be clicked.
    words = [ft.AutoCompleteSuggestion(each, each) for each in ("one", "onetwo")]
    word = fa.Key("word", "")
    stage.show(word, lambda state: state.bound(ft.AutoComplete(suggestions=words), value=fa.two_way(word)))
    stage.settle()
    both(at(100, 34), enter("on"))(stage)
    stage.expect(is_just("on"))


def test_every_control_of_the_table_is_tried() -> None:
    tried = {case.name for case in CASES} | {"NavigationDrawer.selected_index", "AutoComplete.value"}
    by_hand = {"Banner.open"}  # only the app closes one
    assert tried | by_hand == {f"{kind}.{prop}" for kind, prop, _ in known()}
