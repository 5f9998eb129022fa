"""The first programs that flet-asp showed, gone through without a screen, in virtual time."""

from __future__ import annotations

import asyncio
import gc
import weakref
from types import ModuleType
from typing import Any

import flet as ft
import pytest

import flet_asp_actors as fa
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
from examples import login as async_login
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from flet_asp_actors.testing.headless import Node
from tests.kit.apps import passes, store

GREEN, RED = ft.Colors.GREEN_700.value, ft.Colors.ERROR.value


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return virtual_backend("asyncio")


async def fill_in(app: HeadlessApp, email: str, password: str) -> None:
    await app.type("E-mail", email)
    await app.type("Password", password)


def field(app: HeadlessApp, label: str) -> Node:
    return app.one("TextField", label=label)


def button(app: HeadlessApp, words: str) -> Node:
    return app.one(content=words)


def in_color(app: HeadlessApp, color: str) -> str:
    """What is said in a colour; there is at most one line in it."""
    lines = app.find("Text", color=color)
    assert len(lines) < 2
    return "".join(str(line.get("value") or "") for line in lines)


# ------------------------------------------------------------------ the counter field


FIELDS = ("Bound by a Ref", "Bound directly")


def numbers(app: HeadlessApp) -> list[object]:
    return [field(app, label)["value"] for label in FIELDS]


@pytest.mark.parametrize("label", FIELDS)
async def test_what_is_typed_in_a_counter_field_counts(label: str) -> None:
    async with HeadlessApp(counter_field.main) as app:
        assert numbers(app) == ["0", "0"]
        assert [field(app, each)["text_align"] for each in FIELDS] == ["right", "right"]
        await app.type(label, "41")
        assert numbers(app) == ["41", "41"]
        await app.click("+")
        assert numbers(app) == ["42", "42"]
        for fewer in ("-", "One less", "-"):
            await app.click(fewer)
        await app.click("One more")
        assert numbers(app) == ["40", "40"]
        assert app.mirror_diff() == []


@pytest.mark.parametrize("label", FIELDS)
async def test_a_counter_field_says_what_is_no_number_and_counts_on_from_the_last(label: str) -> None:
    async with HeadlessApp(counter_field.main) as app:
        await app.type(label, "7")
        for typed in ("", "7x", "-"):
            await app.type(label, typed)
            assert (field(app, label)["value"], field(app, label)["error"]) == (typed, "A whole number")
            assert store(app).get(counter_field.COUNT) == 7
        await app.type(label, "-7")
        assert not field(app, label).get("error")
        await app.type(label, "-7.")
        await app.click("+")
        assert numbers(app) == ["-6", "-6"]
        assert not field(app, label).get("error")
        assert app.mirror_diff() == []


async def test_a_page_has_the_store_of_its_counter_field_as_its_state() -> None:
    async with HeadlessApp(counter_field.main) as app:
        page: Any = app.page
        page.state.set(counter_field.COUNT, 5)
        await app.settle()
        assert numbers(app) == ["5", "5"]


# ------------------------------------------------------------------ signing in


async def test_sign_in_says_who_is_welcome_and_who_is_not() -> None:
    async with HeadlessApp(sign_in.main) as app:
        assert app.texts() == ["Sign in"], "no message at first"
        assert field(app, "Password")["password"] is True
        for email, password, message in (
            ("user@example.com", "12", "Invalid credentials"),
            ("user@example.com", "123", "Welcome, user@example.com!"),
            ("other@example.com", "123", "Invalid credentials"),
            ("", "", "Invalid credentials"),
        ):
            await app.type("Email", email)
            await app.type("Password", password)
            await app.click("Login")
            assert app.texts() == ["Sign in", message]
        assert app.mirror_diff() == []


async def test_sign_in_reads_the_state_and_not_the_fields() -> None:
    async with HeadlessApp(sign_in.main) as app:
        store(app).set(sign_in.EMAIL, "user@example.com")
        store(app).set(sign_in.PASSWORD, "123")
        await app.settle()
        assert [node["value"] for node in app.find("TextField")] == ["user@example.com", "123"]
        await app.fire(field(app, "Password"), "submit", "123")
        assert app.texts()[-1] == "Welcome, user@example.com!"


# ------------------------------------------------------------------ the echo


def heard(app: HeadlessApp) -> list[str]:
    return in_color(app, ft.Colors.ON_SURFACE_VARIANT.value).splitlines()


async def test_an_echo_follows_in_both_directions_and_hears_each_value_once() -> None:
    async with HeadlessApp(echo.main) as app:
        entry = field(app, "Say something")
        assert (entry["value"], app.texts()) == ("Hello, world!", ["Echo", "Hello, world!", "Heard so far"])
        for typed in ("Hello", "Hello!"):
            await app.type("Say something", typed)
            assert app.texts()[1] == typed
        await app.click("Clear")
        assert (entry["value"], app.texts()[1]) == ("", "Heard so far")
        await app.click("Clear")  # it is no change
        await app.click("Reset")
        assert (entry["value"], app.texts()[1]) == ("Hello, world!", "Hello, world!")
        assert heard(app) == ['"Hello"', '"Hello!"', '""', '"Hello, world!"']
        store(app).set(echo.TEXT, "From elsewhere")
        await app.settle()
        assert (entry["value"], app.texts()[1]) == ("From elsewhere", "From elsewhere")
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ the full name


async def test_a_full_name_is_empty_at_first_and_trimmed() -> None:
    async with HeadlessApp(full_name.main) as app:
        assert app.texts() == ["Full name"]
        for first, last, name in (
            ("Ann", "", "Ann"),
            ("Ann", "Lee", "Ann Lee"),
            ("  Ann ", " Lee  ", "Ann Lee"),
            (" ", "Lee", "Lee"),
        ):
            await app.type("First name", first)
            await app.type("Last name", last)
            assert app.texts() == ["Full name", name]
        await app.type("Last name", "   ")
        assert app.texts() == ["Full name"]
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ the login that takes its time


async def test_a_login_says_that_it_is_under_way_for_two_seconds() -> None:
    async with HeadlessApp(async_login.main) as app:
        await fill_in(app, "test@test.com", "123")
        await app.click(button(app, "Login"))
        for _ in range(4):
            assert app.texts() == ["Login", "Logging in..."]
            await passes(app, 0.45)
        await passes(app, 0.45)
        assert app.texts() == ["Login", "Welcome, Test User!"]
        await app.type("Password", "12")
        await app.click(button(app, "Login"))
        await passes(app, 2.1)
        assert app.texts() == ["Login", "Login failed: wrong e-mail or password"]
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ the combined login


def log(app: HeadlessApp) -> list[str]:
    return store(app).get(combined_login.LOG).splitlines()


async def test_a_combined_login_shows_its_button_when_the_fields_are_filled_in() -> None:
    async with HeadlessApp(combined_login.main) as app:
        for email, password, is_there in (
            ("", "", False),
            ("ann", "123", False),
            ("ann@example.org", "", False),
            ("ann@example.org", "1", True),
            ("annexample.org", "1", False),
        ):
            await fill_in(app, email, password)
            assert bool(app.find(content="Login")) == is_there, (email, password)
        assert app.texts() == ["Combined login"]


async def test_a_combined_login_welcomes_and_logs_out_who_clears_a_field() -> None:
    async with HeadlessApp(combined_login.main) as app:
        assert log(app) == [], "nobody has come yet, and nobody has gone"
        for emptied in ("E-mail", "Password"):
            await fill_in(app, "ann@example.org", "123")
            await app.click("Login")
            assert app.find("ProgressRing")
            assert in_color(app, GREEN) == ""
            await passes(app, 2.1)
            assert not app.find("ProgressRing")
            assert in_color(app, GREEN) == "Welcome, ann@example.org!"
            await app.click("Login")
            await passes(app, 2.1)
            await app.type(emptied, "")
            assert in_color(app, GREEN) == ""
            assert not app.find(content="Login")
        assert log(app) == ["User is ann@example.org", "User is nobody"] * 2, "to log in again is no change of user"
        assert app.mirror_diff() == []


async def test_a_combined_login_fails_or_is_cancelled_and_nothing_is_logged() -> None:
    async with HeadlessApp(combined_login.main) as app:
        failures: list[fa.Failure] = []
        store(app).on_error = failures.append
        await fill_in(app, "ann@example.org", "wrong")
        await app.click("Login")
        await passes(app, 2.1)
        assert field(app, "Password")["error"] == "That is not the password of ann@example.org"
        await app.type("Password", "123")
        await app.click("Login")
        assert not field(app, "Password").get("error")
        await app.click("Cancel")
        await passes(app, 10)
        assert not app.find("ProgressRing")
        assert not field(app, "Password").get("error")
        assert (in_color(app, GREEN), log(app)) == ("", [])
        await app.click("Login")
        await passes(app, 2.1)
        assert (in_color(app, GREEN), log(app)) == ("Welcome, ann@example.org!", ["User is ann@example.org"])
        assert failures == [], "a refused login is no failure of the program"


async def test_a_combined_login_under_way_ends_when_a_field_is_cleared() -> None:
    async with HeadlessApp(combined_login.main) as app:
        await fill_in(app, "ann@example.org", "123")
        await app.click("Login")
        await passes(app, 1)
        await app.type("E-mail", "")
        assert not app.find("ProgressRing")
        await app.type("E-mail", "bob@example.org")
        await passes(app, 10)
        assert (in_color(app, GREEN), log(app)) == ("", [])
        assert not field(app, "Password").get("error")
        assert store(app).statistics().jobs == 0
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ logins and what comes of them


LOGINS = [(login_result, "Invalid credentials"), (login_email, "Invalid login")]


@pytest.mark.parametrize(("module", "refusal"), LOGINS, ids=["its result", "a derived e-mail"])
async def test_a_login_turns_a_ring_and_says_in_green_who_it_was_or_in_red_what_is_wrong(
    module: ModuleType, refusal: str
) -> None:
    async with HeadlessApp(module.main) as app:
        failures: list[fa.Failure] = []
        store(app).on_error = failures.append
        assert (in_color(app, GREEN), in_color(app, RED), app.find("ProgressRing")) == ("", "", [])
        for password, said in (("12", ("", refusal)), ("123", ("test@test.com", "")), ("12", ("", refusal))):
            await fill_in(app, "test@test.com", password)
            await app.click("Login")
            await passes(app, 1.4)
            assert app.find("ProgressRing")
            assert (in_color(app, GREEN), in_color(app, RED)) == ("", "")
            await passes(app, 0.2)
            assert (in_color(app, GREEN), in_color(app, RED)) == said
            assert not app.find("ProgressRing")
        assert failures == [], "a refused login is no failure of the program"
        assert app.mirror_diff() == []


@pytest.mark.parametrize("module", [login_result, login_email, login_progress, combined_login, session])
async def test_a_second_click_starts_no_second_login(module: ModuleType) -> None:
    async with HeadlessApp(module.main) as app:
        await app.type("E-mail", "test@test.com")
        if app.find("TextField", label="Password"):
            await app.type("Password", "123")
        click = button(app, "Login")
        await asyncio.gather(app.start_event(click, "click"), app.start_event(click, "click"))
        await app.settle()
        assert store(app).statistics().jobs == 1
        await passes(app, 3)
        assert store(app).statistics().jobs == 0


@pytest.mark.parametrize(("module", "label"), [(login_result, "Password"), (session, "E-mail")])
async def test_the_enter_key_logs_in(module: ModuleType, label: str) -> None:
    async with HeadlessApp(module.main) as app:
        await app.type("E-mail", "test@test.com")
        await app.fire(field(app, label), "submit", "")
        assert store(app).get(module.login.status).is_busy


# ------------------------------------------------------------------ the progress of a login


async def count_up(app: HeadlessApp, words: str) -> None:
    """A login says ten times how far it is."""
    await app.click("Login")
    for tenth in range(10):
        assert f"{words}... {tenth}" in app.texts()
        await passes(app, 0.1)


async def test_a_login_says_how_far_it_is_and_the_console_hears_of_changes_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with HeadlessApp(login_progress.main) as app:
        assert app.texts() == ["Login progress", "User not authenticated."]
        for password, said in (
            ("12", "User not authenticated."),
            ("123", "Welcome, test@test.com!"),
            ("123", "Welcome, test@test.com!"),
            ("12", "User not authenticated."),
            ("12", "User not authenticated."),
        ):
            await fill_in(app, "test@test.com", password)
            await count_up(app, "Authenticating")
            assert app.texts() == ["Login progress", said]
            assert not app.find("ProgressBar")
        assert capsys.readouterr().out.splitlines() == [
            "Analytics: test@test.com has come",
            "Analytics: the user has gone",
        ]
        assert app.mirror_diff() == []


async def test_a_login_is_of_those_who_have_clicked_whatever_is_typed_meanwhile() -> None:
    async with HeadlessApp(login_progress.main) as app:
        await fill_in(app, "test@test.com", "123")
        await app.click("Login")
        await passes(app, 0.35)
        assert app.one("ProgressBar")["value"] == 0.3
        await fill_in(app, "somebody@else.org", "12")
        await passes(app, 1)
        assert app.texts() == ["Login progress", "Welcome, test@test.com!"]


# ------------------------------------------------------------------ the session


async def log_in(app: HeadlessApp, email: str) -> None:
    await app.type("E-mail", email)
    await count_up(app, "Loading")
    assert app.texts() == ["Session", "Logged in", email]


async def test_a_session_lives_on_after_a_logout() -> None:
    async with HeadlessApp(session.main) as app:
        for email in ("ann@example.org", "bob@example.org", "bob@example.org"):
            await log_in(app, email)
            await app.click("Logout")
            assert app.texts() == ["Session"]
            assert not field(app, "E-mail").get("value")
        assert app.mirror_diff() == []


async def test_a_session_needs_an_address() -> None:
    async with HeadlessApp(session.main) as app:
        for empty in ("", "   "):
            await app.type("E-mail", empty)
            await app.click("Login")
            assert app.texts() == ["Session", "E-mail cannot be empty"]
            assert store(app).statistics().jobs == 0
        await log_in(app, "ann@example.org")


async def test_a_reset_clears_the_field_and_leaves_who_is_logged_in() -> None:
    async with HeadlessApp(session.main) as app:
        await log_in(app, "ann@example.org")
        await app.type("E-mail", "bob@example.org")
        await app.click("Reset")
        assert not field(app, "E-mail").get("value")
        assert app.texts() == ["Session", "Fields cleared", "ann@example.org"]


@pytest.mark.parametrize(("ending", "said"), [("Reset", ["Fields cleared"]), ("Logout", [])])
async def test_what_ends_a_login_under_way_ends_it(ending: str, said: list[str]) -> None:
    async with HeadlessApp(session.main) as app:
        failures: list[fa.Failure] = []
        store(app).on_error = failures.append
        await app.type("E-mail", "ann@example.org")
        await app.click("Login")
        await passes(app, 0.35)
        assert app.texts() == ["Session", "Loading... 3"]
        await app.click(ending)
        assert app.texts() == ["Session", *said]
        await passes(app, 10)
        assert app.texts() == ["Session", *said], "nothing is written after the end"
        assert (store(app).get(session.USER), store(app).statistics().jobs, failures) == ("", 0, [])
        await log_in(app, "ann@example.org")
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ all of them


@pytest.mark.parametrize(
    "module",
    [
        counter_field,
        sign_in,
        echo,
        full_name,
        async_login,
        combined_login,
        login_result,
        login_email,
        login_progress,
        session,
    ],
)
async def test_a_page_that_is_closed_in_the_middle_is_given_up(module: ModuleType) -> None:
    async with HeadlessApp(module.main) as app:
        state, page = store(app), weakref.ref(app.page)
        if app.find("TextField", label="Password"):
            await app.type("Password", "123")
        if app.find("TextField", label="E-mail"):
            await app.type("E-mail", "test@test.com")
            await app.click(button(app, "Login"))
            assert state.statistics().jobs == 1
    assert state.statistics().jobs == 0
    del app
    await asyncio.sleep(0)  # what the closing has left in the loop
    gc.collect()
    assert page() is None
