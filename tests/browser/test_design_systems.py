"""The two design systems in a browser: every page, live figures, search, settings, colours, windows, sessions."""

from __future__ import annotations

import asyncio
import base64
import csv
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from examples.dashboard import main as dashboard
from examples.dashboard.state import shop
from examples.dashboard.state.records import Order
from examples.theming import main as theming
from tests.kit import browser
from tests.kit.backstage import Backstage
from tests.kit.browser import Screen

Open = Callable[[Backstage], Screen]

WIDE = ViewportSize(width=1280, height=800)
NARROW = ViewportSize(width=420, height=800)
_TRIES = 20

_BRIGHTNESS = """async url => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(1, 1);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data[1];
}"""


class Line:
    """The line to the shop: an order comes, or the line breaks, when the test says so."""

    def __init__(self) -> None:
        self.news: asyncio.Queue[Order | Exception] = asyncio.Queue()

    async def next_order(self, number: int) -> Order:
        news = await self.news.get()
        if isinstance(news, Exception):
            raise news
        return news

    async def new_visitors(self) -> int:
        return 10


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()
    monkeypatch.setattr(shop, "next_order", line.next_order)
    monkeypatch.setattr(shop, "new_visitors", line.new_visitors)
    return line


def tip(screen: Screen, name: str) -> Locator:
    """What can be pressed and has this tooltip, or these words."""
    button = screen.page.get_by_role("button", name=re.compile(f"^{re.escape(name)}"))  # the words follow the tooltip
    return button.or_(screen.page.get_by_label(name, exact=True).get_by_role("button"))


def press(screen: Screen, name: str) -> None:
    browser.press(tip(screen, name))


def go_to(screen: Screen, page: str) -> None:
    """Press an item of the sidebar, or of the drawer."""
    browser.press(screen.page.get_by_role("button", name=page).filter(has_text="Tab ").last)


def shot(screen: Screen, name: str) -> bytes:
    """Take a picture when nothing moves any more but a cursor that blinks: painting comes long after its tree."""
    seen: set[bytes] = set()
    for _ in range(_TRIES):
        now = screen.shot(name).read_bytes()
        if now in seen:
            return now
        seen.add(now)
    raise AssertionError(f"{name} does not come to rest")


def brightness(screen: Screen, name: str) -> int:
    """How bright a picture of the screen is, from 0 to 255."""
    data = base64.b64encode(shot(screen, name)).decode()
    found: int = screen.page.evaluate(_BRIGHTNESS, f"data:image/png;base64,{data}")
    return found


# ------------------------------------------------------------------ the dashboard


def test_every_page_is_there_and_the_figures_after_every_return(open_app: Open, line: Line) -> None:
    screen = open_app(Backstage(dashboard.main))
    screen.page.set_viewport_size(WIDE)
    words = {
        "Analytics": "By customer",
        "Orders": "#1018",
        "Users": "ben@harbour.example",
        "Settings": "Preferences",
        "Help": "Where do the figures come from?",
    }
    screen.see("$6,930")
    shot(screen, "dashboard-light")
    for page, word in words.items():
        go_to(screen, page)
        screen.see(word, exact=False)
        shot(screen, f"dashboard-{page.lower()}")
        go_to(screen, "Overview")
        for figure in ("$6,930", "16", "412", "3.9%"):
            screen.see(figure)


def test_figures_come_by_a_line_that_breaks_and_is_taken_up_again(open_app: Open, line: Line) -> None:
    app = Backstage(dashboard.main)
    screen = open_app(app)
    screen.page.set_viewport_size(WIDE)
    screen.see("Live")
    app.ask(lambda: line.news.put_nowait(Order(1019, "Hugo Prat", "Sextant", 640.0, 6)))
    for figure in ("$7,570", "17", "422", "4.0%"):
        screen.see(figure)
    for _ in range(2):  # the second one after two seconds, so that there is time for a picture
        app.ask(lambda: line.news.put_nowait(ConnectionError("cut")))
    screen.see("Reconnecting")
    screen.see("$7,570")
    shot(screen, "dashboard-reconnecting")
    screen.see("Live")
    app.ask(lambda: line.news.put_nowait(Order(1020, "Hugo Prat", "Sextant", 640.0, 6)))
    screen.see("$8,210")


def test_orders_are_searched_sorted_and_exported_and_the_bell_leads_to_one(open_app: Open, line: Line) -> None:
    screen = open_app(Backstage(dashboard.main))
    screen.page.set_viewport_size(WIDE)
    go_to(screen, "Orders")
    screen.see("#1018")
    screen.type("Search orders", "sextant")
    screen.see_not("#1018")
    press(screen, "Sort by Total")
    expect(screen.page.get_by_text("$640.00", exact=True).first).to_be_attached()
    shot(screen, "dashboard-search")
    with screen.page.expect_download() as download:
        screen.click("Export")
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        assert [row["number"] for row in csv.DictReader(file)] == ["1010", "1005", "1015"]
    screen.see("Exported 3 orders")
    press(screen, "Clear the search")
    screen.see("#1018")
    press(screen, "Notifications")
    screen.see("Elif Kaya bought Sextant", exact=False)
    shot(screen, "dashboard-bell")
    browser.press(screen.page.get_by_role("menuitem", name="Elif Kaya"))
    screen.see_not("#1018")
    screen.see("#1005")


def test_settings_are_saved_and_colours_are_the_sessions_own(open_app: Open, line: Line) -> None:
    app = Backstage(dashboard.main)
    screen = open_app(app)
    screen.page.set_viewport_size(WIDE)
    go_to(screen, "Settings")
    screen.type("E-mail", "zoe")
    screen.see("An address is like ada@harbour.example")
    press(screen, "Cancel")
    screen.see_not("An address is like ada@harbour.example")
    screen.type("Name", "Zoë Ray")
    press(screen, "Save")
    screen.see("Settings saved successfully!")
    expect(tip(screen, "Zoë Ray")).to_be_attached()
    shot(screen, "dashboard-saved")
    assert brightness(screen, "dashboard-settings") > 200
    press(screen, "Dark mode")
    tip(screen, "Light mode").wait_for(state="attached")
    assert brightness(screen, "dashboard-settings-dark") < 60
    go_to(screen, "Overview")
    screen.see("$6,930")
    assert brightness(screen, "dashboard-dark") < 60
    other = open_app(app)
    other.page.set_viewport_size(WIDE)
    expect(tip(other, "Ada Marsh")).to_be_attached()
    tip(other, "Dark mode").wait_for(state="attached")
    assert brightness(other, "dashboard-other-session") > 200


def test_a_narrow_window_has_a_drawer(open_app: Open, line: Line) -> None:
    screen = open_app(Backstage(dashboard.main))
    screen.page.set_viewport_size(NARROW)
    tip(screen, "Menu").wait_for(state="attached")
    screen.see("$6,930")
    shot(screen, "dashboard-narrow")
    press(screen, "Menu")
    screen.see("Harbour")
    shot(screen, "dashboard-drawer")
    go_to(screen, "Orders")
    screen.see("$1,920.00")
    screen.see_not("Harbour")
    screen.see_not("#1018")
    shot(screen, "dashboard-narrow-orders")
    screen.page.set_viewport_size(WIDE)
    screen.see("#1018")
    screen.see("Harbour")


# ------------------------------------------------------------------ the library that follows tokens


def test_one_flips_the_colours_and_the_other_keeps_them(open_app: Open) -> None:
    app = Backstage(theming.main)
    one, other = open_app(app), open_app(app)
    for screen in (one, other):
        screen.page.set_viewport_size(WIDE)
        screen.page.get_by_role("switch", name="Light Mode").wait_for(state="attached")
    assert brightness(one, "theming-light") > 200
    one.click("Light Mode", "switch")
    one.page.get_by_role("switch", name="Dark Mode").wait_for(state="attached")
    assert brightness(one, "theming-dark") < 60
    assert brightness(other, "theming-other-session") > 200
    expect(other.page.get_by_role("switch", name="Light Mode")).to_be_attached()
    one.reload()
    one.page.get_by_role("switch", name="Dark Mode").wait_for(state="attached")


def test_the_gallery_is_used(open_app: Open) -> None:
    screen = open_app(Backstage(theming.main))
    screen.page.set_viewport_size(WIDE)
    screen.click("Tonal")
    screen.see("Tonal, 1 in all")
    press(screen, "Dismiss Your changes were saved")
    screen.see_not("Your changes were saved")
    screen.type("Name", "Zoë")
    screen.see("Zoë takes Free with 3 seats", exact=False)
    press(screen, "Pink")
    shot(screen, "theming-pink")
    screen.click("Show them again")
    screen.see("Your changes were saved")
    screen.page.set_viewport_size(NARROW)
    shot(screen, "theming-narrow")
