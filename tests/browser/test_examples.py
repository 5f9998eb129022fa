"""The examples in a browser, as a person sees them; and what is left on the server when that person leaves."""

from __future__ import annotations

import gc
import queue
from collections.abc import Callable
from types import ModuleType
from typing import Any

import flet as ft
import pytest
from flet.messaging import session as flet_session
from playwright.sync_api import Locator, expect

from examples import counter, form, names
from examples import login as login_example
from examples.login import USER, login
from examples.showcase import main as showcase
from tests.kit.backstage import PATIENCE, Backstage
from tests.kit.browser import ROOT, Screen
from tests.kit.line import Line

Main = Callable[[ft.Page], Any]
Open = Callable[[Main], Screen]
Session = flet_session.Session


@pytest.fixture
def line(slow: Callable[[ModuleType], Line]) -> Line:
    return slow(login_example)


def spinner(screen: Screen) -> Locator:
    """The ring of the login: 20 pixels wide and high, and without a word."""
    return screen.page.locator("flt-semantics[style*='width: 20px; height: 20px']")


def see_busy(screen: Screen) -> None:
    screen.see("Cancel")
    screen.see("Logging in...")
    expect(spinner(screen)).to_have_count(1)
    expect(screen.button("Login")).to_be_disabled()


def see_idle(screen: Screen) -> None:
    screen.see_not("Cancel")
    screen.see_not("Logging in...")
    expect(spinner(screen)).to_have_count(0)
    expect(screen.button("Login")).to_be_enabled()


def fill_in(screen: Screen, password: str) -> None:
    screen.type("E-mail", "test@test.com")
    screen.type("Password", password)


# ------------------------------------------------------------------ counter


def test_counter_is_clicked_twice_and_each_tab_has_its_own(open_app: Open) -> None:
    screen, other = open_app(counter.main), open_app(counter.main)
    screen.see("0")
    screen.click("Increment")
    screen.see("1")
    screen.click("Increment")
    screen.see("2")
    screen.see_not("0")
    other.see("0")
    other.click("Increment")
    other.see("1")
    screen.see("2")
    assert screen.shot("example-counter").stat().st_size > 0


def test_an_example_is_a_program_of_its_own(
    serve_script: Callable[[str], str], open_url: Callable[[str], Screen]
) -> None:
    screen = open_url(serve_script(str(ROOT / "examples" / "counter.py")))
    screen.click("Increment")
    screen.see("1")


# ------------------------------------------------------------------ names


def test_names_follow_what_is_typed_and_survive_a_reload(open_app: Open) -> None:
    screen = open_app(names.main)
    screen.see("John Doe")
    screen.see_in("First name", "John")
    screen.see_in("Last name", "Doe")
    screen.type("First name", "Jane")
    screen.see("Jane Doe")
    screen.see_not("John Doe")
    screen.type("Last name", "")
    screen.see("Jane")
    screen.shot("example-names")
    screen.reload()
    screen.see("Jane")
    screen.see_in("First name", "Jane")
    screen.type("Last name", "Roe")
    screen.see("Jane Roe")


def test_two_hundred_quick_keystrokes_all_arrive_in_order(open_app: Open) -> None:
    app = Backstage(names.main)
    screen = open_app(app)
    screen.type("First name", ".")  # from here on the field listens
    text = "".join(f"{each}," for each in range(100))[:200]
    assert len(text) == 200
    screen.field("First name").press_sequentially(text, delay=5)
    screen.see(f".{text} Doe")
    expect(screen.field("First name")).to_have_value(f".{text}")
    assert app.state.get(names.FIRST) == f".{text}"


# ------------------------------------------------------------------ form


def test_form_is_filled_in_with_mistakes_and_sent(open_app: Open) -> None:
    app = Backstage(form.main)
    screen = open_app(app)
    expect(screen.button("Send")).to_be_disabled()
    screen.type("Name", "Ann")
    screen.type("Age", "4x")
    screen.see("Digits only, please")
    screen.type("E-mail", "ann")
    screen.see("An e-mail address has an @")
    expect(screen.button("Send")).to_be_disabled()
    screen.shot("example-form-mistakes")
    screen.type("Age", "42")
    screen.see_not("Digits only, please")
    screen.type("E-mail", "ann@example.org")
    screen.see_not("An e-mail address has an @")
    expect(screen.button("Send")).to_be_enabled()
    screen.click("Send")
    screen.see("Sent: Ann, 42, ann@example.org")
    assert app.state.get(form.AGE) == 42
    screen.shot("example-form")
    screen.type("Name", "")
    expect(screen.button("Send")).to_be_disabled()


# ------------------------------------------------------------------ login


def test_login_with_the_real_clock(open_app: Open) -> None:
    screen = open_app(login_example.main)
    see_idle(screen)
    fill_in(screen, "123")
    screen.click("Login")
    see_busy(screen)
    screen.see("Welcome, Test User!")
    see_idle(screen)
    screen.shot("example-login-welcome")


def test_login_that_is_wrong_says_so_and_may_be_tried_again(open_app: Open, line: Line) -> None:
    screen = open_app(login_example.main)
    fill_in(screen, "wrong")
    screen.click("Login")
    see_busy(screen)
    line.answer()
    screen.see("Login failed: wrong e-mail or password")
    see_idle(screen)
    screen.shot("example-login-wrong")
    screen.type("Password", "123")
    screen.click("Login")
    see_busy(screen)
    screen.see_not("Login failed: wrong e-mail or password")
    line.answer()
    screen.see("Welcome, Test User!")
    see_idle(screen)


def test_login_that_is_cancelled_can_be_started_again(open_app: Open, line: Line) -> None:
    app = Backstage(login_example.main)
    screen = open_app(app)
    fill_in(screen, "123")
    screen.click("Login")
    see_busy(screen)
    screen.shot("example-login-busy")
    screen.click("Cancel")
    see_idle(screen)
    assert line.cut.is_set()
    assert app.state.get(login.status).state == "cancelled"
    assert app.ask(lambda: app.state.statistics().jobs) == 0
    line.answer()  # to whoever asks next
    assert not app.state.get(USER)
    screen.see_not("Welcome, Test User!")
    screen.click("Login")
    screen.see("Welcome, Test User!")
    see_idle(screen)


def test_login_that_takes_too_long_says_so(open_app: Open, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "timeout", 0.05)
    screen = open_app(login_example.main)
    fill_in(screen, "123")
    screen.click("Login")
    screen.see("login did not finish within 0.05 s")
    see_idle(screen)
    screen.shot("example-login-late")


def test_a_double_click_starts_one_login(open_app: Open, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    clicks: queue.Queue[int] = queue.Queue()
    dispatch = Session.dispatch_event

    async def dispatch_event(session: Session, control_id: int, event_name: str, event_data: Any) -> None:
        await dispatch(session, control_id, event_name, event_data)
        if event_name == "click":
            clicks.put(control_id)

    monkeypatch.setattr(Session, "dispatch_event", dispatch_event)
    app = Backstage(login_example.main)
    screen = open_app(app)
    fill_in(screen, "123")
    screen.button("Login").evaluate("node => { node.click(); node.click() }")
    assert clicks.get(timeout=PATIENCE) == clicks.get(timeout=PATIENCE), "the server has heard both"
    see_busy(screen)
    assert app.ask(lambda: (line.asked, app.state.get(login.status).active, app.state.statistics().jobs)) == (1, 1, 1)
    line.answer()
    screen.see("Welcome, Test User!")
    see_idle(screen)
    assert app.ask(lambda: (line.asked, app.state.statistics().jobs)) == (1, 0)


def test_who_closes_the_tab_while_a_login_runs_leaves_nothing_on_the_server(open_app: Open, line: Line) -> None:
    app = Backstage(login_example.main)
    screen = open_app(app)
    fill_in(screen, "123")
    screen.click("Login")
    see_busy(screen)
    screen.page.context.close()
    assert app.left.wait(PATIENCE), "the server has noticed"
    assert app.state.get(login.status).is_busy, "they may come back"
    assert not line.cut.is_set()
    app.expire()
    assert line.cut.wait(PATIENCE)
    status, jobs = app.ask(lambda: (app.state.get(login.status), app.state.statistics().jobs))
    assert (status.state, status.is_busy, jobs) == ("cancelled", False, 0)
    for _ in range(100):
        app.ask(gc.collect)
        if app.gone.wait(0.1):
            break
    assert app.pages[0]() is None, "the page is gone, even for who still has its store"


# ------------------------------------------------------------------ showcase


def go_to(screen: Screen, title: str) -> None:
    titles = ("Counter", "Form", "Names", "Login", "Profiles", "Search", "To do", "Prices", "Upload")
    screen.click(f"{title} Tab {titles.index(title) + 1} of {len(titles)}")


def test_showcase_is_visited(open_app: Open, line: Line) -> None:
    screen = open_app(showcase.main)
    screen.page.set_viewport_size({"width": 1000, "height": 700})
    screen.click("Increment")
    screen.click("Increment")
    screen.see("2")
    screen.shot("showcase-counter")

    go_to(screen, "Names")
    screen.see("John Doe")
    screen.see_not("Increment")
    screen.type("First name", "Jane")
    screen.see("Jane Doe")
    screen.shot("showcase-names")

    go_to(screen, "Login")
    screen.see_not("Jane Doe")
    fill_in(screen, "123")
    screen.click("Login")
    see_busy(screen)
    screen.shot("showcase-login")

    go_to(screen, "Counter")
    screen.see("2")
    line.answer()  # while nobody looks

    go_to(screen, "Form")
    screen.type("Name", "Jane Doe")
    screen.type("Age", "42")
    screen.type("E-mail", "jane")
    screen.see("An e-mail address has an @")
    screen.shot("showcase-form")

    go_to(screen, "Login")
    screen.see("Welcome, Test User!")
    see_idle(screen)
    screen.see_in("E-mail", "test@test.com")

    screen.reload()
    screen.see("Welcome, Test User!")
    go_to(screen, "Form")
    screen.see("An e-mail address has an @")
    screen.see_in("Name", "Jane Doe")
    screen.see_in("Age", "42")
