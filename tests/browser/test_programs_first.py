"""The first programs that flet-asp showed, in a browser: each gone through as a person does."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import flet as ft
import pytest
from playwright.sync_api import expect

from examples import (
    combined_login,
    counter_field,
    echo,
    full_name,
    login_email,
    login_progress,
    login_result,
    session,
    sign_in,
)
from tests.kit.backstage import Backstage
from tests.kit.browser import Screen
from tests.kit.line import Line

Open = Callable[[Callable[[ft.Page], Any]], Screen]


def see_ring(screen: Screen, is_there: bool) -> None:
    (screen.see if is_there else screen.see_not)("Busy")


def fill_in(screen: Screen, email: str, password: str) -> None:
    screen.type("E-mail", email)
    screen.type("Password", password)


def see_on_a_phone_at_night(screen: Screen, name: str) -> None:
    screen.page.emulate_media(color_scheme="dark")
    screen.page.set_viewport_size({"width": 400, "height": 700})
    screen.shot(name)


# ------------------------------------------------------------------ counter field, sign in, echo, full name


def test_what_is_typed_in_a_counter_field_counts(open_app: Open) -> None:
    app = Backstage(counter_field.main)
    screen = open_app(app)
    screen.see_in("Bound directly", "0")
    screen.type("Bound directly", "41")
    screen.click("+")
    screen.see_in("Bound directly", "42")
    screen.see_in("Bound by a Ref", "42")
    screen.type("Bound by a Ref", "-7")
    screen.page.get_by_label("One more").click()
    screen.see_in("Bound by a Ref", "-6")
    screen.click("-")
    screen.page.get_by_label("One less").click()
    screen.see_in("Bound directly", "-8")
    assert app.state.get(counter_field.COUNT) == -8
    screen.shot("program-counter-field")
    screen.type("Bound by a Ref", "many")
    screen.see("A whole number")
    see_on_a_phone_at_night(screen, "program-counter-field-mistake")


def test_sign_in_says_who_is_welcome_and_who_is_not(open_app: Open) -> None:
    screen = open_app(sign_in.main)
    screen.type("Email", "user@example.com")
    screen.type("Password", "wrong")
    expect(screen.field("Password")).to_have_attribute("type", "password")
    screen.click("Login")
    screen.see("Invalid credentials")
    screen.shot("program-sign-in-wrong")
    screen.type("Password", "123")
    screen.click("Login")
    screen.see("Welcome, user@example.com!")
    screen.see_not("Invalid credentials")
    see_on_a_phone_at_night(screen, "program-sign-in")


def test_an_echo_follows_in_both_directions(open_app: Open) -> None:
    screen = open_app(echo.main)
    screen.see("Hello, world!")
    screen.see_in("Say something", "Hello, world!")
    screen.type("Say something", "Good morning")
    screen.field("Say something").press_sequentially("!", delay=10)
    screen.see("Good morning!")
    screen.click("Clear")
    screen.see_in("Say something", "")
    screen.see_not("Good morning!")
    screen.click("Reset")
    screen.see_in("Say something", "Hello, world!")
    screen.see('"Good morning"\n"Good morning!"\n""\n"Hello, world!"')
    screen.shot("program-echo")
    see_on_a_phone_at_night(screen, "program-echo-night")


def test_a_full_name_follows_two_fields(open_app: Open) -> None:
    screen = open_app(full_name.main)
    screen.shot("program-full-name-empty")
    screen.type("First name", " Ann ")
    screen.see("Ann")
    screen.type("Last name", "Lee")
    screen.see("Ann Lee")
    see_on_a_phone_at_night(screen, "program-full-name")


# ------------------------------------------------------------------ the combined login


def test_a_combined_login(open_app: Open, slow: Callable[[ModuleType], Line]) -> None:
    line = slow(combined_login)
    app = Backstage(combined_login.main)
    screen = open_app(app)
    expect(screen.button("Login")).to_have_count(0)
    fill_in(screen, "ann", "12")
    expect(screen.button("Login")).to_have_count(0)
    screen.shot("program-combined-login-empty")
    screen.type("E-mail", "ann@example.org")
    screen.click("Login")
    see_ring(screen, True)
    screen.shot("program-combined-login-busy")
    line.answer()
    screen.see("That is not the password of ann@example.org")
    see_ring(screen, False)
    screen.type("Password", "123")
    screen.click("Login")
    screen.see_not("That is not the password of ann@example.org")
    screen.click("Cancel")
    see_ring(screen, False)
    assert line.cut.is_set()
    line.answer()  # to the one that was cancelled, so to the next
    screen.click("Login")
    screen.see("Welcome, ann@example.org!")
    screen.shot("program-combined-login")
    screen.type("Password", "")
    screen.see_not("Welcome, ann@example.org!")
    expect(screen.button("Login")).to_have_count(0)
    screen.see("User is ann@example.org\nUser is nobody")
    see_on_a_phone_at_night(screen, "program-combined-login-out")
    assert app.state.get(combined_login.LOG) == "User is ann@example.org\nUser is nobody\n"


# ------------------------------------------------------------------ logins and what comes of them


@pytest.mark.parametrize(
    ("module", "name", "refusal"),
    [
        (login_result, "login-result", "Invalid credentials"),
        (login_email, "login-email", "Invalid login"),
    ],
    ids=["its result", "a derived e-mail"],
)
def test_a_login_turns_a_ring_and_says_what_came_of_it(
    open_app: Open, slow: Callable[[ModuleType], Line], module: ModuleType, name: str, refusal: str
) -> None:
    line = slow(module)
    screen = open_app(module.main)
    see_ring(screen, False)
    fill_in(screen, "test@test.com", "wrong")
    screen.click("Login")
    see_ring(screen, True)
    screen.shot(f"program-{name}-busy")
    line.answer()
    screen.see(refusal)
    see_ring(screen, False)
    screen.shot(f"program-{name}-wrong")
    screen.type("Password", "123")
    screen.click("Login")
    see_ring(screen, True)
    screen.see_not(refusal)
    line.answer()
    screen.see("test@test.com")
    see_ring(screen, False)
    see_on_a_phone_at_night(screen, f"program-{name}")


# ------------------------------------------------------------------ ten steps


def count_up(screen: Screen, line: Line, words: str, picture: str = "") -> None:
    screen.click("Login")
    for tenth in range(10):
        screen.see(f"{words}... {tenth}")
        if picture and tenth == 4:
            screen.shot(picture)
        line.answer()


def test_a_login_says_how_far_it_is(
    open_app: Open, slow: Callable[[ModuleType], Line], capsys: pytest.CaptureFixture[str]
) -> None:
    line = slow(login_progress)
    screen = open_app(login_progress.main)
    screen.see("User not authenticated.")
    fill_in(screen, "test@test.com", "wrong")
    count_up(screen, line, "Authenticating", "program-login-progress-busy")
    screen.see("User not authenticated.")
    screen.shot("program-login-progress-wrong")
    screen.type("Password", "123")
    count_up(screen, line, "Authenticating")
    screen.see("Welcome, test@test.com!")
    see_on_a_phone_at_night(screen, "program-login-progress")
    assert capsys.readouterr().out == "Analytics: test@test.com has come\n"


def test_a_session_lives_on_after_a_logout(open_app: Open, slow: Callable[[ModuleType], Line]) -> None:
    line = slow(session)
    screen = open_app(session.main)
    screen.click("Login")
    screen.see("E-mail cannot be empty")
    for email in ("ann@example.org", "bob@example.org"):
        screen.type("E-mail", email)
        count_up(screen, line, "Loading")
        screen.see("Logged in")
        screen.see(email)
        screen.shot(f"program-session-{email[:3]}")
        screen.click("Logout")
        screen.see_not("Logged in")
        screen.see_in("E-mail", "")
        screen.see_not(email)
    screen.shot("program-session-out")
    screen.type("E-mail", "carol@example.org")
    screen.click("Reset")
    screen.see("Fields cleared")
    screen.see_in("E-mail", "")
    see_on_a_phone_at_night(screen, "program-session-reset")
