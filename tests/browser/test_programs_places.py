"""The programs about places in a browser: custom controls, screens, a store for all, orders of binding, tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import flet as ft
import pytest
from playwright.sync_api import expect

from examples import binding_orders, global_state, navigation, screens, settings, three_counters, unit_tests
from tests.kit.backstage import Backstage
from tests.kit.browser import AppServer, Screen

Main = Callable[[ft.Page], Any]
Open = Callable[[Main], Screen]
OpenUrl = Callable[[str], Screen]


def at(screen: Screen, path: str) -> None:
    """Wait until the address is this one."""
    expect(screen.page).to_have_url(f"{screen.page.url.split('/', 3)[0]}//{screen.page.url.split('/')[2]}{path}")


def back(screen: Screen) -> None:
    """The browser's own button, which is known to no control of the page."""
    screen.page.evaluate("history.back()")


@pytest.fixture
def serve() -> Iterator[Callable[[Main], str]]:
    running: list[AppServer] = []

    def go(main: Main) -> str:
        running.append(AppServer(main))
        return running[-1].url

    yield go
    for server in running:
        server.stop()


def wide(screen: Screen, width: int = 1000, height: int = 700) -> None:
    screen.page.set_viewport_size({"width": width, "height": height})


# ------------------------------------------------------------------ three counters


def test_three_cards_count_each_for_itself(open_app: Open) -> None:
    screen = open_app(three_counters.main)
    screen.press("Counter A: one more")
    screen.press("Counter A: one more")
    screen.press("Counter C: one less")
    for text in ("2", "0", "-1"):
        screen.see(text)
    screen.shot("places-three-counters")
    wide(screen, 400, 800)
    screen.shot("places-three-counters-narrow")


# ------------------------------------------------------------------ navigation


def test_what_is_raised_in_settings_shows_at_home(open_app: Open) -> None:
    screen = open_app(navigation.main)
    screen.see("0")
    screen.shot("places-navigation-home")
    screen.click("Go to Settings")
    at(screen, "/settings")
    screen.click("Increment")
    screen.click("Increment")
    screen.see("Home shows 2")
    screen.shot("places-navigation-settings")
    screen.click("Go Back")
    at(screen, "/")
    screen.see("Counter value:")
    screen.see("2")
    screen.see_not("Modify the counter")

    back(screen)  # in the browser's history, Settings are before Home
    at(screen, "/settings")
    screen.click("Increment")
    screen.see("Home shows 3")
    screen.click("Back")  # the arrow of the app bar
    at(screen, "/")
    screen.see("3")
    screen.shot("places-navigation-again")


def test_a_link_leads_to_settings_and_a_reload_stays_there(serve: Callable[[Main], str], open_url: OpenUrl) -> None:
    screen = open_url(serve(navigation.main) + "settings")
    screen.click("Increment")
    screen.see("Home shows 1")
    screen.reload()
    screen.see("Home shows 1")
    at(screen, "/settings")
    screen.click("Back")
    screen.see("1")
    at(screen, "/")


# ------------------------------------------------------------------ screens


def test_the_count_is_still_there_on_the_other_screen(open_app: Open) -> None:
    screen = open_app(screens.main)
    screen.click("Increment")
    screen.see("1")
    screen.click("Go to B")
    at(screen, "/b")
    screen.see("Count is still: 1")
    screen.click("Increment")
    screen.see("Count is still: 2")
    screen.shot("places-screens-b")
    screen.click("Back")
    at(screen, "/")
    screen.see("2")
    screen.shot("places-screens-a")
    screen.click("Go to B")
    screen.see("Count is still: 2")
    back(screen)
    screen.see("Go to B")
    screen.see("2")
    at(screen, "/")


def test_a_link_leads_to_screen_b_and_a_wrong_one_to_words(serve: Callable[[Main], str], open_url: OpenUrl) -> None:
    url = serve(screens.main)
    screen = open_url(url + "b")
    screen.see("Count is still: 0")
    screen.click("Back")
    at(screen, "/")
    other = open_url(url + "nowhere")
    other.click("There is nothing here. Go to screen A.")
    at(other, "/")
    other.click("Increment")
    other.see("1")


# ------------------------------------------------------------------ global state


def test_a_click_of_one_person_shows_to_the_other(open_app: Open) -> None:
    global_state.EVERYBODY.clear()
    one, two = open_app(global_state.main), open_app(global_state.main)
    two.click("Increment")
    one.see("1")
    one.see("Counted by you: 0")
    two.see("Counted by you: 1")
    one.click("Go to B")
    one.see("Counter value when you came: 1")
    two.click("Increment")
    one.see("Counter value now: 2")
    one.see("Counter value when you came: 1")
    one.shot("places-global-b")
    two.shot("places-global-a")
    one.click("Go back")
    one.see("2")
    one.see("Counted by you: 0")


# ------------------------------------------------------------------ binding orders


def test_bound_whenever_it_shows_the_number(open_app: Open) -> None:
    screen = open_app(binding_orders.main)
    wide(screen)
    expect(screen.page.get_by_text("0", exact=True)).to_have_count(3)
    screen.shot("places-binding-first")
    screen.click("Increment")
    expect(screen.page.get_by_text("1", exact=True)).to_have_count(3)
    screen.click("Add a card")
    screen.click("Add a card")
    expect(screen.page.get_by_text("1", exact=True)).to_have_count(5)
    screen.click("Leave")
    screen.see("The cards are not on the page. Increment, and come back.")
    screen.click("Increment")
    screen.click("Come back")
    expect(screen.page.get_by_text("2", exact=True)).to_have_count(5)
    screen.click("Remove a card")
    screen.see_not("Card 2")
    screen.press("Dark theme")
    screen.see("Light theme")
    screen.click("Increment")
    expect(screen.page.get_by_text("3", exact=True)).to_have_count(4)
    screen.shot("places-binding-dark")
    wide(screen, 400, 800)
    screen.shot("places-binding-narrow")


# ------------------------------------------------------------------ tests without a page, and settings


def test_tests_are_run_on_a_click(open_app: Open) -> None:
    screen = open_app(unit_tests.main)
    screen.see("0 run, 0 failed")
    screen.click("Run the tests")
    screen.see("7 run, 0 failed")
    screen.see("the total follows the cart and the voucher")
    screen.shot("places-tests")


def test_fewer_frames_a_second_are_fewer_frames(open_app: Open) -> None:
    app = Backstage(settings.main)
    screen = open_app(app)
    wide(screen, 1000, 900)
    screen.click("5 fps")
    screen.click("Write 100 values")
    screen.see("100")
    screen.see("100 values, in", exact=False)
    assert int(app.state.get(settings.FRAMES).split()[-2]) < 50
    screen.shot("places-settings")
    wide(screen, 400, 900)
    screen.shot("places-settings-narrow")
