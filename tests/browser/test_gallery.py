"""The gallery in a browser: an example is chosen, runs, and has its source beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Route, expect

from tests.kit import browser
from tests.kit.browser import PAINT, SHOTS
from tests.kit.gallery import serve_gallery

BOOT = 60_000  # ms; a first start on a busy machine


class Gallery:
    """The gallery in a tab, and the person before it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.list = page.get_by_role("navigation", name="Examples")
        self.source = page.get_by_role("tabpanel")

    def go(self, path: str = "/") -> None:
        self.page.goto(self.url + path, wait_until="commit")

    def choose(self, title: str) -> None:
        self.list.get_by_role("link").filter(has=self.page.get_by_text(title, exact=True)).click()

    def started(self, title: str) -> FrameLocator:
        """The app, when it is on the screen."""
        frame = self.page.frame_locator(f"iframe[title='{title}, running']")
        frame.locator("flutter-view").wait_for(state="attached", timeout=BOOT)
        frame.locator("#loading").wait_for(state="detached", timeout=BOOT)
        return frame

    def app(self, title: str) -> FrameLocator:
        """The app, with its tree for screen readers."""
        frame = self.started(title)
        frame.locator("flt-semantics-placeholder").dispatch_event("click")
        return frame

    def shot(self, name: str) -> None:
        self.page.wait_for_function("() => document.getAnimations().length === 0")
        for frame in self.page.locator("iframe:visible").all():
            frame.content_frame.locator("body").evaluate(PAINT)
        self.page.screenshot(path=SHOTS / f"gallery-{name}.png")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve_gallery() as (_, url):
        yield url


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Callable[..., Gallery]]:
    contexts: list[BrowserContext] = []

    def go(width: int = 1400, height: int = 900, scheme: Literal["dark", "light"] = "light") -> Gallery:
        contexts.append(chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme))
        return Gallery(contexts[-1].new_page(), address)

    yield go
    for context in contexts:
        context.close()


def press(app: FrameLocator, name: str) -> None:
    browser.press(app.get_by_role("button", name=name, exact=True))


def see(app: FrameLocator, text: str) -> None:
    expect(app.get_by_text(text, exact=True).first).to_be_attached()


def test_an_example_runs_beside_its_source_and_can_be_started_anew(visit: Callable[..., Gallery]) -> None:
    gallery = visit()
    gallery.go()
    app = gallery.app("Counter")
    expect(gallery.page).to_have_title("Counter - flet_asp_actors by example")
    expect(gallery.source).to_contain_text("def counter(state: fa.StateManager)")
    press(app, "Increment")
    see(app, "1")
    assert gallery.page.frames[1].evaluate("crossOriginIsolated"), "it draws as it does alone"
    gallery.shot("wide")

    other = visit()
    other.go("/#counter")
    see(other.app("Counter"), "0")

    gallery.page.get_by_role("button", name="Restart").click()
    see(gallery.app("Counter"), "0")

    with gallery.page.context.expect_page() as alone:
        gallery.page.get_by_role("link", name="Open alone").click()
    expect(alone.value).to_have_url(f"{gallery.url}/apps/counter/")


def test_an_example_that_navigates_is_left_by_the_way_it_was_come_to(visit: Callable[..., Gallery]) -> None:
    gallery = visit(scheme="dark")
    gallery.go("/#counter")
    gallery.app("Counter")
    gallery.choose("Navigation")
    app = gallery.app("Navigation")
    expect(gallery.source).to_contain_text("page.on_route_change = show")
    press(app, "Go to Settings")
    see(app, "Modify the counter")
    press(app, "Increment")
    see(app, "Home shows 1")
    frame = gallery.page.frames[1]
    assert frame.url == f"{gallery.url}/apps/navigation/settings"
    gallery.shot("wide-dark")

    frame.evaluate("location.reload()")  # as the browser does it
    frame.wait_for_load_state()
    app = gallery.app("Navigation")
    see(app, "Home shows 1")
    press(app, "Go Back")
    see(app, "Counter value:")

    gallery.page.reload()
    see(gallery.app("Navigation"), "Counter value:")
    gallery.choose("Counter")
    gallery.app("Counter")
    gallery.page.go_back()
    gallery.app("Navigation")
    expect(gallery.source).to_contain_text("page.on_route_change = show")


def test_a_route_in_an_app_that_stands_alone_can_be_opened(visit: Callable[..., Gallery]) -> None:
    gallery = visit()
    gallery.go("/apps/navigation/settings")
    page = gallery.page
    for _ in range(2):
        page.wait_for_function("document.querySelector('flutter-view') && !document.getElementById('loading')")
        page.locator("flt-semantics-placeholder").dispatch_event("click")
        expect(page.get_by_text("Modify the counter", exact=True)).to_be_attached()
        page.reload()


def test_the_list_is_filtered_and_the_first_that_is_left_is_opened(visit: Callable[..., Gallery]) -> None:
    gallery = visit()
    gallery.go("/#counter")
    gallery.started("Counter")  # before that nobody may be listening to keys
    count = gallery.list.get_by_role("link").count()
    gallery.page.keyboard.press("/")
    field = gallery.page.get_by_role("searchbox", name="Filter the examples")
    expect(field).to_be_focused()
    gallery.page.keyboard.type("server latest-or-late")
    expect(gallery.list.get_by_role("link")).to_have_count(0)
    expect(gallery.page.get_by_role("status")).to_have_text(f"0 of {count}")
    field.fill("profiles  SERVER")
    expect(gallery.list.get_by_role("link")).to_have_count(1)
    expect(gallery.list.get_by_role("heading", level=2)).to_have_text(["Async data"])
    gallery.shot("filtered")
    field.press("Enter")
    expect(gallery.page).to_have_url(f"{gallery.url}/#profiles")
    see(gallery.app("Profiles"), "Designs bridges")  # its server has answered
    field.fill("")
    expect(gallery.list.get_by_role("link")).to_have_count(count)


def test_an_app_that_starts_does_not_take_the_focus_from_who_types(visit: Callable[..., Gallery]) -> None:
    gallery = visit()
    gallery.go("/#names")
    field = gallery.page.get_by_role("searchbox", name="Filter the examples")
    field.press_sequentially("na")
    gallery.started("Names")
    gallery.page.keyboard.type("mes")
    expect(field).to_have_value("names")
    app = gallery.app("Names")
    app.get_by_role("textbox", name="First name").click()
    expect(field).not_to_be_focused()
    gallery.page.keyboard.press("Control+A")
    gallery.page.keyboard.type("Jane")
    see(app, "Jane Doe")


def test_a_source_that_comes_late_is_not_shown(visit: Callable[..., Gallery]) -> None:
    gallery = visit()
    late: list[Route] = []
    gallery.page.route("**/sources/form", lambda route: late.append(route))
    gallery.go("/#form")
    expect(gallery.page.get_by_role("heading", level=1)).to_have_text("Form")
    gallery.choose("Names")
    expect(gallery.page.get_by_role("tab")).to_have_text(["names.py"])
    with gallery.page.expect_response("**/sources/form"):
        late[0].continue_()
    gallery.page.evaluate("new Promise(done => setTimeout(done))")  # what waits for the answer has had it
    expect(gallery.page.get_by_role("tab")).to_have_text(["names.py"])
    gallery.shot("late")


def test_each_file_of_an_example_has_a_tab_for_mouse_and_keyboard(visit: Callable[..., Gallery]) -> None:
    gallery = visit()
    gallery.go("/#cart")
    tabs = gallery.page.get_by_role("tab")
    expect(tabs).to_have_text(["main.py", "cart.py", "goods.py"])
    tabs.nth(1).click()
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(gallery.source).to_contain_text('"""The cart')
    tabs.nth(1).press("ArrowRight")
    expect(tabs.nth(2)).to_be_focused()
    expect(gallery.source).to_contain_text("class Product")
    tabs.nth(2).press("ArrowRight")
    expect(tabs.nth(2)).to_be_focused()


def test_a_narrow_window_shows_one_thing_at_a_time(visit: Callable[..., Gallery]) -> None:
    gallery = visit(400, 800)
    page = gallery.page
    gallery.go("/#counter")
    see(gallery.app("Counter"), "0")
    assert page.evaluate("document.documentElement.scrollWidth") == 400, "nothing is beside the window"
    expect(gallery.list).to_be_hidden()
    gallery.shot("narrow")
    page.get_by_role("button", name="List of examples").click()
    gallery.choose("Form")
    expect(gallery.list).to_be_hidden()
    gallery.app("Form")
    expect(gallery.source).to_be_hidden()
    page.get_by_role("button", name="Source").click()
    expect(gallery.source).to_contain_text('"""Form:')
    expect(page.locator("iframe")).to_be_hidden()
    gallery.shot("narrow-source")
    page.get_by_role("button", name="List of examples").click()
    gallery.shot("narrow-list")
    page.keyboard.press("Escape")
    expect(gallery.list).to_be_hidden()
