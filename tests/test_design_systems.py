"""The two design systems, without a screen: what they show at once, what a service does to it, and who sees it."""

from __future__ import annotations

import ast
import asyncio
import csv
import io
import logging
from collections.abc import Callable
from typing import Any

import flet as ft
import pytest

from examples.dashboard import tokens
from examples.dashboard.main import PAGES, main
from examples.dashboard.state import figures, keys, shop
from examples.dashboard.state.records import Order, Profile
from examples.theming import main as theming
from examples.theming.alerts import ALERTS
from flet_asp_actors.testing import HeadlessApp
from tests.kit.apps import passes, store
from tests.kit.guides import ROOT, program, sources

EXAMPLES = ROOT / "examples"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    from flet_asp_actors.testing import virtual_backend

    return virtual_backend("asyncio")


class Shop:
    """The shop's server: an order every five seconds, a cut line when the test says so."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_cut = False
        self.saved: list[Profile] = []
        self.saving = 0.6

    async def next_order(self, number: int) -> Order:
        self.asked += 1
        await asyncio.sleep(5)
        if self.is_cut:
            raise ConnectionError("cut")
        return Order(number, "Hugo Prat", "Sextant", 640.0, 6)

    async def new_visitors(self) -> int:
        return 10

    async def save(self, profile: Profile) -> None:
        await asyncio.sleep(self.saving)
        self.saved.append(profile)


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Shop:
    server = Shop()
    for name in ("next_order", "new_visitors", "save"):
        monkeypatch.setattr(shop, name, getattr(server, name))
    return server


async def go_to(app: HeadlessApp, name: str) -> None:
    await app.enter(app.one("NavigationRail"), list(PAGES).index(name), prop="selected_index")


def cards(app: HeadlessApp) -> dict[str, str]:
    """The figures by their names."""
    texts = app.texts()
    return {name: texts[texts.index(name) + 1] for name in ("Revenue", "Orders", "Visitors", "Conversion")}


def orders(app: HeadlessApp) -> list[str]:
    """The numbers of the orders in the table."""
    return [text for text in app.texts() if text.startswith("#")]


FIRST = {"Revenue": "$6,930", "Orders": "16", "Visitors": "412", "Conversion": "3.9%"}
SECOND = {"Revenue": "$7,570", "Orders": "17", "Visitors": "422", "Conversion": "4.0%"}


# ------------------------------------------------------------------ the dashboard: live figures


async def test_the_figures_are_there_at_once_and_after_every_return() -> None:
    async with HeadlessApp(main, width=1280) as app:
        assert cards(app) == FIRST
        for name in list(PAGES)[1:]:
            await go_to(app, name)
            assert name in app.texts()
            await go_to(app, "Overview")
            assert cards(app) == FIRST, name
        assert app.mirror_diff() == []


async def test_an_order_changes_cards_charts_table_and_bell_in_one_frame() -> None:
    async with HeadlessApp(main, width=1280) as app:
        app.take()
        await passes(app, 5.1)
        assert cards(app) == SECOND
        assert orders(app) == ["#1019", "#1018", "#1017", "#1016", "#1015"]
        assert app.one("PopupMenuButton")["badge"] == "4"
        assert app.mirror_diff() == []


async def test_nobody_ever_sees_an_order_without_its_visitors() -> None:
    async with HeadlessApp(main, width=1280) as app:
        seen: list[tuple[float, float]] = []
        store(app).listen(figures.figures, lambda now: seen.append((now["Orders"], now["Visitors"])))
        await passes(app, 10.1)
        assert seen == [(16, 412), (17, 422), (18, 432)]


async def test_the_line_rests_while_nobody_looks(server: Shop) -> None:
    async with HeadlessApp(main, width=1280) as app:
        for name in ("Settings", "Help", "Users"):
            await go_to(app, name)
            before = server.asked
            await passes(app, 60)
            assert server.asked == before, name
        await go_to(app, "Overview")
        await passes(app, 5.1)
        assert cards(app) == SECOND


async def test_a_cut_line_is_said_and_taken_up_again(server: Shop, caplog: pytest.LogCaptureFixture) -> None:
    async with HeadlessApp(main, width=1280) as app:
        assert "Live" in app.texts()
        server.is_cut = True
        await passes(app, 5.1)
        assert "Reconnecting" in app.texts()
        assert "Live" not in app.texts()
        assert cards(app) == FIRST, "what came last stays"
        server.is_cut = False
        await passes(app, 2)
        assert "Live" in app.texts()
        await passes(app, 5.1)
        assert cards(app) == SECOND
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_the_line_can_be_paused(server: Shop) -> None:
    async with HeadlessApp(main, width=1280) as app:
        await app.click("Pause")
        assert "Paused" in app.texts()
        await passes(app, 60)
        assert cards(app) == FIRST
        await app.click("Go on")
        assert "Live" in app.texts()
        await passes(app, 5.1)
        assert cards(app) == SECOND


async def test_the_line_ends_with_the_session(server: Shop) -> None:
    async with HeadlessApp(main, width=1280) as app:
        state = store(app)
        await app.close()
        before = server.asked
        await asyncio.sleep(60)
        assert (server.asked, state.statistics().jobs) == (before, 0)


# ------------------------------------------------------------------ the dashboard: search, sort, export


async def test_the_search_filters_what_the_page_is_about() -> None:
    async with HeadlessApp(main, width=1280) as app:
        await go_to(app, "Orders")
        assert len(orders(app)) == 18
        field = app.one("TextField")
        assert field["hint_text"] == "Search orders"
        await app.type(field, "sextant pend")
        assert orders(app) == ["#1015"]
        await app.type(field, "nobody")
        assert orders(app) == []
        assert "Nothing found for “nobody”" in app.texts()
        await app.type(field, "ada")
        await go_to(app, "Users")
        assert field["hint_text"] == "Search users"
        assert [text for text in app.texts() if "@" in text] == ["ada@harbour.example"]
        await go_to(app, "Settings")
        assert not [node for node in app.find("TextField") if node.get("hint_text")], "there is nothing to search"
        await go_to(app, "Help")
        await app.type(field, "spreadsheet")
        assert [node["title"] for node in app.find("ExpansionTile")] == ["How do I get the orders into a spreadsheet?"]
        await app.click("Clear the search")
        assert len(app.find("ExpansionTile")) == 5
        assert app.mirror_diff() == []


async def test_a_heading_sorts_and_a_second_press_turns_it_round() -> None:
    async with HeadlessApp(main, width=1280) as app:
        await go_to(app, "Orders")
        await app.click("Sort by Total")
        prices = [text for text in app.texts() if text.startswith("$")]
        assert (prices[0], prices[-1]) == ("$45.50", "$1,920.00")
        await app.click("Sort by Total")
        assert [text for text in app.texts() if text.startswith("$")] == prices[::-1]
        await app.click("Sort by Order")
        assert orders(app) == [f"#{number}" for number in range(1001, 1019)]
        await go_to(app, "Overview")
        assert orders(app)[0] == "#1018", "that is a table of its own"


async def test_a_status_is_chosen_and_the_export_has_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    async with HeadlessApp(main, width=1280) as app:
        files: list[dict[str, Any]] = []

        async def save_file(self: ft.FilePicker, **file: Any) -> str:
            files.append(file)
            return "/home/ada/orders.csv"

        monkeypatch.setattr(ft.FilePicker, "save_file", save_file)  # the dialog is the client's
        await go_to(app, "Orders")
        await app.fire(app.one("Chip", label="Refunded"), "select", True)
        assert orders(app) == ["#1013", "#1004"]
        await app.click("Export")
        rows = list(csv.DictReader(io.StringIO(files[0]["src_bytes"].decode())))
        assert [(row["number"], row["status"]) for row in rows] == [("1013", "Refunded"), ("1004", "Refunded")]
        assert "Exported 2 orders" in app.texts()


async def test_what_is_counted_is_a_choice() -> None:
    async with HeadlessApp(main, width=1280) as app:
        await go_to(app, "Analytics")
        assert app.texts().count("$3.8k") == 1
        await app.fire(app.one("Chip", label="Orders"), "select", True)
        assert "$3.8k" not in app.texts()
        state = store(app)
        assert sum(state.get(figures.sums("day")).values()) == 16
        assert state.get(figures.share("product", "Sextant")) == 0.75


# ------------------------------------------------------------------ the dashboard: settings


def is_on(app: HeadlessApp, words: str) -> bool:
    return not app.one(content=words).get("disabled")


def form(app: HeadlessApp) -> tuple[str, str]:
    return app.one("TextField", label="Name")["value"], app.one("TextField", label="E-mail")["value"]


async def test_settings_are_saved_and_said_so_in_green(server: Shop) -> None:
    async with HeadlessApp(main, width=1280) as app:
        await go_to(app, "Settings")
        assert (is_on(app, "Save"), is_on(app, "Cancel")) == (False, False)
        await app.type("Name", "Zoë Ray ")
        assert (is_on(app, "Save"), is_on(app, "Cancel")) == (True, True)
        await app.click("Save")
        assert app.find("ProgressRing")
        assert not is_on(app, "Save")
        bar = app.one("SnackBar", hidden=True)
        assert not bar.get("open")
        await passes(app, 0.7)
        assert server.saved == [Profile("Zoë Ray", "ada@harbour.example")]
        assert bar["open"]
        assert bar["bgcolor"] == tokens.SUCCESS[ft.ThemeMode.LIGHT]
        assert bar["content"]["value"] == "Settings saved successfully!"
        assert "ZR" in app.texts(), "the initials in the top bar"
        assert (is_on(app, "Save"), is_on(app, "Cancel")) == (False, False)
        assert app.mirror_diff() == []


async def test_what_is_wrong_is_said_at_the_field_and_cannot_be_saved() -> None:
    async with HeadlessApp(main, width=1280) as app:
        await go_to(app, "Settings")
        for mail in ("", "ada", "ada@", "@harbour.example", "ada@harbour", "ada@.", "ada@harbour."):
            await app.type("E-mail", mail)
            assert app.one("TextField", label="E-mail")["error"] == "An address is like ada@harbour.example", mail
            assert not is_on(app, "Save")
        await app.type("E-mail", "zoe@ray.example")
        assert not app.one("TextField", label="E-mail")["error"]
        assert is_on(app, "Save")
        await app.type("Name", "  ")
        assert app.one("TextField", label="Name")["error"] == "Please say what you are called"
        assert not is_on(app, "Save")


async def test_cancel_reverts_and_what_is_half_typed_outlives_another_page() -> None:
    async with HeadlessApp(main, width=1280) as app:
        await go_to(app, "Settings")
        await app.type("Name", "Zoë")
        await app.type("E-mail", "zoe")
        await go_to(app, "Orders")
        await go_to(app, "Settings")
        assert form(app) == ("Zoë", "zoe")
        await app.click("Cancel")
        assert form(app) == ("Ada Marsh", "ada@harbour.example")
        assert not app.one("TextField", label="E-mail")["error"]
        assert (is_on(app, "Save"), is_on(app, "Cancel")) == (False, False)
        assert app.mirror_diff() == []


async def test_cancel_ends_a_save_under_way(server: Shop) -> None:
    async with HeadlessApp(main, width=1280) as app:
        await go_to(app, "Settings")
        await app.type("Name", "Zoë")
        await app.click("Save")
        await app.click("Cancel")
        await passes(app, 10)
        assert (server.saved, form(app)[0]) == ([], "Ada Marsh")
        assert not app.one("SnackBar", hidden=True).get("open")


async def test_a_server_that_does_not_answer_is_told_in_the_form(server: Shop) -> None:
    server.saving = 60
    async with HeadlessApp(main, width=1280) as app:
        await go_to(app, "Settings")
        await app.type("Name", "Zoë")
        await app.click("Save")
        await passes(app, 11)
        assert "save_settings did not finish within 10 s" in app.texts()
        assert is_on(app, "Save"), "it may be tried again"
        assert form(app)[0] == "Zoë"
        await app.click("Cancel")
        assert "save_settings did not finish within 10 s" not in app.texts()


# ------------------------------------------------------------------ the dashboard: the frame


async def test_a_notice_leads_to_its_order_and_is_read_then() -> None:
    async with HeadlessApp(main, width=1280) as app:
        await go_to(app, "Orders")
        await app.fire(app.one("Chip", label="Refunded"), "select", True)
        await go_to(app, "Overview")
        bell = app.one("PopupMenuButton")
        assert bell["badge"] == "3"
        item = next(each for each in bell["items"] if "Elif Kaya" in str(each))
        await app.click(item)
        assert app.one("NavigationRail")["selected_index"] == list(PAGES).index("Orders")
        assert orders(app) == ["#1005"]
        bell = app.one("PopupMenuButton")
        assert bell["badge"] == "2"
        await app.click("Mark all as read")
        assert not app.one("PopupMenuButton").get("badge")


async def test_who_does_not_want_to_hear_of_large_orders_does_not() -> None:
    async with HeadlessApp(main, width=1280) as app:
        await go_to(app, "Settings")
        await app.enter(app.one("Switch", tooltip="Large orders"), False)
        await go_to(app, "Overview")
        await passes(app, 5.1)
        assert cards(app) == SECOND
        assert app.one("PopupMenuButton")["badge"] == "3"


async def test_the_colours_are_a_matter_of_the_session_and_stay_from_page_to_page() -> None:
    async with HeadlessApp(main, width=1280) as one, HeadlessApp(main, width=1280) as other:
        await one.click("Dark mode")
        assert (one.client.page["theme_mode"], other.client.page["theme_mode"]) == ("dark", "light")
        for name in PAGES:
            await go_to(one, name)
            assert one.client.page["theme_mode"] == "dark"
        await one.disconnect()
        await one.reconnect()
        assert one.client.page["theme_mode"] == "dark"
        await go_to(one, "Settings")
        await one.enter(one.one("Switch", tooltip="Dark mode"), False)
        assert one.client.page["theme_mode"] == "light"
        assert one.find(tooltip="Dark mode", icon=ft.Icons.DARK_MODE_OUTLINED.value)


async def resize(app: HeadlessApp, width: float) -> None:
    app.set_props(app.page, width=width)
    await app.fire(app.page, "resize", {"width": width, "height": 800.0})


async def test_a_narrow_window_has_a_drawer_and_fewer_columns() -> None:
    async with HeadlessApp(main, width=400) as app:
        assert not app.find("NavigationRail")
        assert app.find("IconButton", tooltip="Menu")
        await app.enter(app.one("NavigationDrawer"), list(PAGES).index("Orders"), prop="selected_index")
        assert "Product" not in app.texts()
        assert orders(app) == []
        await resize(app, 900)
        assert not app.one("NavigationRail").get("extended")
        assert app.one("NavigationRail")["selected_index"] == list(PAGES).index("Orders")
        assert "Product" in app.texts()
        assert not app.find("IconButton", tooltip="Menu")
        await resize(app, 1400)
        assert app.one("NavigationRail")["extended"]
        assert app.mirror_diff() == []


async def test_who_comes_back_with_another_window_has_its_layout() -> None:
    async with HeadlessApp(main, width=1280) as app:
        await app.disconnect()
        await app.reconnect(width=400)
        await app.settle()
        assert not app.find("NavigationRail")
        assert app.find("IconButton", tooltip="Menu")


async def test_two_sessions_share_nothing() -> None:
    async with HeadlessApp(main, width=1280) as one, HeadlessApp(main, width=1280) as other:
        await go_to(one, "Users")
        await one.enter(one.one("Switch", tooltip="Ben Okafor is active"), False)
        assert "7 active" in one.texts()
        store(one).set(keys.PROFILE, Profile("Zoë Ray", "zoe@ray.example"))
        await one.settle()
        await go_to(other, "Users")
        assert "8 active" in other.texts()
        assert "ZR" not in other.texts()


# ------------------------------------------------------------------ the library that follows tokens


def label(app: HeadlessApp) -> str:
    found: str = app.find("Switch")[0]["label"]
    return found


async def test_the_switch_flips_the_colours_and_its_label_for_this_session_alone() -> None:
    async with HeadlessApp(theming.main, width=1280) as one, HeadlessApp(theming.main, width=1280) as other:
        alert = one.one("Text", value="Your changes were saved")
        assert (label(one), alert["color"]) == ("Light Mode", ft.Colors.GREEN_900)
        await one.enter(one.find("Switch")[0], True)
        assert (label(one), one.client.page["theme_mode"]) == ("Dark Mode", "dark")
        assert one.one("Text", value="Your changes were saved")["color"] == ft.Colors.GREEN_100
        assert (label(other), other.client.page["theme_mode"]) == ("Light Mode", "light")
        assert other.one("Text", value="Your changes were saved")["color"] == ft.Colors.GREEN_900
        await one.enter(one.find("Switch")[0], False)
        assert (label(one), one.client.page["theme_mode"]) == ("Light Mode", "light")
        assert one.mirror_diff() == other.mirror_diff() == []


async def test_nothing_is_built_anew_when_the_theme_flips() -> None:
    async with HeadlessApp(theming.main, width=1280) as app:
        before = set(app.client.nodes)
        app.take()
        await app.enter(app.find("Switch")[0], True)
        assert set(app.client.nodes) == before
        ops = [op for frame in app.take() for op in frame.ops]
        assert {op.op for op in ops} == {"replace"}
        assert len(ops) < len(before) / 5, "what has a colour of its own, and the page"


async def test_a_seed_changes_the_theme_of_both_modes() -> None:
    async with HeadlessApp(theming.main, width=1280) as app:
        await app.click("Pink")
        page = app.client.page
        assert page["theme"]["color_scheme_seed"] == page["dark_theme"]["color_scheme_seed"] == ft.Colors.PINK
        ticks = app.find("Icon", icon=ft.Icons.CHECK.value)
        assert len(ticks) == 1
        assert app.mirror_diff() == []


async def test_corners_and_density_reach_every_kind_of_control() -> None:
    async with HeadlessApp(theming.main, width=1280) as app:
        await app.enter(app.one("Slider", max=24), 20.0)
        assert "Corners: 20" in app.texts()
        assert {node["shape"]["radius"] for node in app.find("Card")} == {20}
        assert {node["border"]["border_radius"] for node in app.find("TextField")} == {20}
        theme = app.client.page["theme"]
        for kind in ("filled", "outlined", "text", "icon"):
            assert theme[f"{kind}_button_theme"]["style"]["shape"]["radius"] == 20
        await app.enter(app.one("SegmentedButton"), ["Compact"], prop="selected")
        assert {node["spacing"] for node in app.find("ResponsiveRow")} == {8}
        await app.click("Back to the defaults")
        assert {node["shape"]["radius"] for node in app.find("Card")} == {12}
        assert app.one(content="Back to the defaults")["disabled"]
        assert app.mirror_diff() == []


async def test_an_alert_that_is_dismissed_is_gone_until_it_is_wanted_again() -> None:
    async with HeadlessApp(theming.main, width=1280) as app:
        assert not app.find(content="Show them again")
        for text in ("Your session ends soon", "A new version is there"):
            await app.click(f"Dismiss {text}")
            assert text not in app.texts()
            assert not app.find("Text", value=text, hidden=True)
        assert "The server did not answer" in app.texts()
        await app.click("Show them again")
        shown = [text for text in app.texts() if text in {each.text for each in ALERTS}]
        assert shown == [each.text for each in ALERTS], "in their order"
        assert app.mirror_diff() == []


async def test_whatever_can_be_pressed_says_so() -> None:
    async with HeadlessApp(theming.main, width=1280) as app:
        for number, name in enumerate(("Filled", "Tonal", "Outlined", "Text", "Icon", "Floating"), 1):
            target = app.one(content=name) if number < 5 else app.one(tooltip=name)
            await app.click(target)
            assert f"{name}, {number} in all" in app.texts()
        await app.click("Filled: like")
        assert [node["tooltip"] for node in app.find("IconButton", icon=ft.Icons.FAVORITE.value)] == ["Filled: liked"]
        for _ in range(5):
            await app.click("One message less")
        assert not [node for node in app.find("Container") if node.get("badge")]
        await app.click("One more message")
        assert [node["badge"] for node in app.find("Container") if node.get("badge")] == ["1"]
        await app.enter(app.one("Switch", tooltip="Ada is online"), False)
        assert "Ada is away" in app.texts()


async def test_the_inputs_say_what_was_entered() -> None:
    async with HeadlessApp(theming.main, width=1280) as app:
        await app.type("Name", "Zoë")
        await app.type("E-mail", "zoe")
        assert app.one("TextField", label="E-mail")["error"] == "An address has an @ in it"
        await app.enter(app.one("Dropdown"), "Team", event="select")
        await app.enter(app.one("Slider", max=10), 7.0)
        await app.enter(app.one("Checkbox"), True)
        await app.enter(app.one("Switch", label="News by e-mail"), False)
        assert "Zoë takes Team with 7 seats, no news, agrees" in app.texts()


# ------------------------------------------------------------------ both


@pytest.mark.parametrize("app_main", [main, theming.main], ids=["dashboard", "theming"])
async def test_a_page_at_rest_sends_nothing(app_main: Callable[[ft.Page], None]) -> None:
    """A client that leaves tells so, and Flet compares the page: what it sends then, it sends to nobody."""
    async with HeadlessApp(app_main, width=1280) as app:
        app.take()
        await app.fire(app.page, "app_lifecycle_state_change", {"state": "hide"}, force=True)
        assert [op for frame in app.take() for op in frame.ops] == []


# ------------------------------------------------------------------ the guide

GUIDE = "docs/atomic-design.md"


async def test_the_guide_flips_colours_and_corners() -> None:
    async with HeadlessApp(program(GUIDE, 0)["main"]) as app:
        await app.enter(app.one("Switch"), True)
        await app.enter(app.one("Slider"), 4.0)
        assert (app.one("Switch")["label"], app.client.page["theme_mode"]) == ("Dark Mode", "dark")
        assert app.one("Text")["color"] == ft.Colors.GREEN_300
        assert app.one("Card")["shape"]["radius"] == 4


async def test_the_guide_has_live_figures_and_a_margin_by_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    names = program(GUIDE, 1)
    monkeypatch.setattr(names["random"], "random", lambda: 0.5)
    async with HeadlessApp(names["main"], width=400) as app:
        assert app.texts() == ["Live", "Revenue", "$329", "Orders", "2", "Conversion", "5.0%"]
        await passes(app, 5.1)
        assert app.texts() == ["Live", "Revenue", "$449", "Orders", "3", "Conversion", "6.0%"]
        assert app.find("Container", padding=16)
        narrow = len(app.find("Container", padding=16))
        await resize(app, 1280)
        assert len(app.find("Container", padding=16)) == narrow - 1
        monkeypatch.setattr(names["random"], "random", lambda: 0.0)
        await passes(app, 5.1)
        assert app.texts()[0] == "Reconnecting"


async def test_the_tests_of_the_guide_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    names = program(GUIDE, 2)
    names["test_a_refunded_order_brings_no_revenue"]()
    await names["test_a_cut_line_is_said_and_taken_up_again"](monkeypatch)


def definitions(text: str) -> dict[str, str]:
    """The functions of a program, each as it is written."""
    return {
        each.name: ast.unparse(each)
        for each in ast.walk(ast.parse(text))
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def test_the_tokens_of_the_guide_are_those_of_the_apps() -> None:
    apps = {name: text for path in EXAMPLES.rglob("*.py") for name, text in definitions(path.read_text()).items()}
    guide = definitions(sources(GUIDE)[0])
    assert {name for name in guide if guide[name] == apps.get(name)} == {"theme_mode", "mode_label", "shape"}
