"""The examples, gone through as a person would, without a screen and without waiting for real time."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flet as ft
import pytest

import flet_asp_actors as fa
from examples import counter, form, names
from examples import login as login_example
from examples.gallery.table import GROUPS, HOME, example
from examples.login import EMAIL, PASSWORD, USER, login
from examples.showcase import main as showcase
from flet_asp_actors.testing.headless import HeadlessApp, Node
from tests.kit.apps import store

SOURCES = sorted({path for group in GROUPS.values() for name in group for path in example(name).files})


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


def field(app: HeadlessApp, label: str) -> Node:
    return app.one("TextField", label=label)


def button(app: HeadlessApp, words: str) -> Node:
    return app.one(content=words)


def is_usable(app: HeadlessApp, words: str) -> bool:
    return not button(app, words).get("disabled")


# ------------------------------------------------------------------ what they look like as files


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(HOME)) for path in SOURCES])
def test_an_example_is_short_and_never_updates_the_page_by_hand(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 60
    assert "page.update(" not in text


# ------------------------------------------------------------------ counter


async def test_counter_goes_from_0_to_2() -> None:
    async with HeadlessApp(counter.main) as app:
        assert app.texts() == ["Counter", "0"]
        await app.click("Increment")
        assert app.texts() == ["Counter", "1"]
        await app.click("Increment")
        assert app.texts() == ["Counter", "2"]
        assert app.mirror_diff() == []


async def test_two_persons_have_two_counters() -> None:
    async with HeadlessApp(counter.main) as one, HeadlessApp(counter.main) as two:
        await one.click("Increment")
        assert (one.texts(), two.texts()) == (["Counter", "1"], ["Counter", "0"])


# ------------------------------------------------------------------ names


async def test_names_are_prefilled_and_follow_each_keystroke() -> None:
    async with HeadlessApp(names.main) as app:
        assert [node["value"] for node in app.find("TextField")] == ["John", "Doe"]
        assert app.texts() == ["Name builder", "Full name:", "John Doe"]
        for typed in ("", "J", "Ja", "Jan", "Jane"):
            await app.type("First name", typed)
            assert app.texts()[-1] == f"{typed} Doe".strip()
        await app.type("Last name", "")
        assert app.texts()[-1] == "Jane"
        await app.type("First name", "")
        assert app.texts() == ["Name builder", "Full name:"]
        assert app.mirror_diff() == []


async def test_names_are_not_sent_back_to_the_field_that_is_typed_in() -> None:
    async with HeadlessApp(names.main) as app:
        app.take()
        await app.type("First name", "Jane")
        changed = [op.path for frame in app.take() for op in frame.ops]
        assert len(changed) == 1, "the full name alone"
        assert field(app, "First name")["value"] == "Jane"


# ------------------------------------------------------------------ form


async def test_form_can_be_sent_when_it_is_complete() -> None:
    async with HeadlessApp(form.main) as app:
        assert app.texts() == ["Form"]
        assert not is_usable(app, "Send")
        await app.type("Name", "Zoë")
        assert not is_usable(app, "Send")
        await app.type("Age", "42")
        assert not is_usable(app, "Send")
        await app.type("E-mail", "zoe@example.org")
        assert is_usable(app, "Send")
        assert store(app).get(form.AGE) == 42
        await app.click("Send")
        assert app.texts() == ["Form", "Sent: Zoë, 42, zoe@example.org"]
        await app.type("Name", "")
        assert not is_usable(app, "Send")
        assert app.mirror_diff() == []


async def test_form_says_that_an_age_has_digits_and_takes_it_back() -> None:
    async with HeadlessApp(form.main) as app:
        await app.type("Age", "4x")
        assert field(app, "Age")["error"] == "Digits only, please"
        assert field(app, "Age")["value"] == "4x", "nobody is interrupted"
        assert store(app).get(form.AGE) is None
        await app.type("Age", "4")
        assert not field(app, "Age")["error"]
        assert store(app).get(form.AGE) == 4
        await app.type("Age", "")
        assert store(app).get(form.AGE) is None
        assert app.mirror_diff() == []


async def test_form_says_that_an_address_has_an_at_and_takes_it_back() -> None:
    async with HeadlessApp(form.main) as app:
        await app.type("Name", "Zoë")
        await app.type("Age", "42")
        await app.type("E-mail", "zoe")
        assert field(app, "E-mail")["error"] == "An e-mail address has an @"
        assert not is_usable(app, "Send")
        await app.type("E-mail", "zoe@")
        assert not field(app, "E-mail")["error"]
        assert is_usable(app, "Send")
        await app.type("E-mail", "")
        assert not field(app, "E-mail")["error"]
        assert not is_usable(app, "Send")


# ------------------------------------------------------------------ login


class Line:
    """The line to the login server: an answer takes until the test lets it through, and no time."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.cut = 0
        self.is_stubborn = False
        """Whether the answer comes all the same when nobody wants it any more."""
        self._open = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.cut += 1
            if not self.is_stubborn:
                raise

    def answer(self) -> None:
        """Let through whoever waits now, and nobody after them."""
        self._open.set()
        self._open = asyncio.Event()


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()
    # Its `ask_server` as it is, but with a clock of ours.
    monkeypatch.setattr(login_example, "asyncio", SimpleNamespace(sleep=line.sleep))
    monkeypatch.setattr(login, "timeout", None)  # a slow machine is not a slow server
    return line


async def fill_in(app: HeadlessApp, password: str, email: str = "test@test.com") -> None:
    await app.type("E-mail", email)
    await app.type("Password", password)


def status(app: HeadlessApp) -> fa.ActionStatus[Any]:
    return store(app).get(login.status)


def looks_busy(app: HeadlessApp) -> bool:
    """Whether all that shows a login under way is there; some of it alone is wrong."""
    signs = {bool(app.find("ProgressRing")), bool(app.find(content="Cancel")), not is_usable(app, "Login")}
    assert len(signs) == 1, str(app.client)
    return signs.pop()


async def test_login_that_is_wrong_says_so_in_red_and_may_be_tried_again(line: Line) -> None:
    async with HeadlessApp(login_example.main) as app:
        assert not looks_busy(app)
        assert field(app, "Password")["password"] is True
        await fill_in(app, "wrong")
        await app.click(button(app, "Login"))
        assert looks_busy(app)
        line.answer()
        await app.settle()
        assert not looks_busy(app)
        assert app.texts() == ["Login", "Login failed: wrong e-mail or password"]
        assert app.one("Text", value="Login failed: wrong e-mail or password")["color"] == ft.Colors.RED
        await fill_in(app, "123")
        await app.click(button(app, "Login"))
        assert app.texts() == ["Login", "Logging in..."], "a new try takes the old message away"
        line.answer()
        await app.settle()
        assert app.texts() == ["Login", "Welcome, Test User!"]
        assert app.mirror_diff() == []


async def test_login_that_is_right_is_welcome_in_green(line: Line) -> None:
    async with HeadlessApp(login_example.main) as app:
        await fill_in(app, "123")
        await app.click(button(app, "Login"))
        assert (looks_busy(app), app.texts()) == (True, ["Login", "Logging in..."])
        line.answer()
        await app.settle()
        assert (looks_busy(app), app.texts()) == (False, ["Login", "Welcome, Test User!"])
        assert app.one("Text", value="Welcome, Test User!")["color"] == ft.Colors.GREEN
        assert (status(app).state, store(app).statistics().jobs) == ("succeeded", 0)
        await fill_in(app, "wrong")
        await app.click(button(app, "Login"))
        assert app.texts() == ["Login", "Logging in..."], "whoever logs in again is not welcome before it has worked"


async def test_a_wrong_login_is_no_failure_of_the_program(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    async with HeadlessApp(login_example.main) as app:
        await fill_in(app, "wrong")
        await app.click(button(app, "Login"))
        line.answer()
        await app.settle()
        assert app.texts()[-1] == "Login failed: wrong e-mail or password"
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_double_click_starts_one_login(line: Line) -> None:
    async with HeadlessApp(login_example.main) as app:
        await fill_in(app, "123")
        login_button = button(app, "Login")
        first = app.start_event(login_button, "click")
        second = app.start_event(login_button, "click")  # the client has not heard yet that it is disabled
        await asyncio.gather(first, second)
        await app.settle()
        assert (len(line.waited), status(app).active, store(app).statistics().jobs) == (1, 1, 1)
        line.answer()
        await app.settle()
        assert app.texts() == ["Login", "Welcome, Test User!"]
        assert (len(line.waited), store(app).statistics().jobs) == (1, 0)


@pytest.mark.parametrize("is_stubborn", [False, True], ids=["", "and the answer comes all the same"])
async def test_a_login_that_is_cancelled_leaves_nothing_behind(line: Line, is_stubborn: bool) -> None:
    line.is_stubborn = is_stubborn
    async with HeadlessApp(login_example.main) as app:
        await fill_in(app, "123")
        await app.click(button(app, "Login"))
        assert looks_busy(app)
        await app.click(button(app, "Cancel"))
        assert (looks_busy(app), line.cut) == (False, 1)
        line.answer()
        await app.settle()
        assert app.texts() == ["Login"], "neither a message nor a welcome"
        assert not store(app).get(USER)
        assert (status(app).state, status(app).is_busy, store(app).statistics().jobs) == ("cancelled", False, 0)
        line.is_stubborn = False
        await app.click(button(app, "Login"))
        line.answer()
        await app.settle()
        assert app.texts() == ["Login", "Welcome, Test User!"]
        assert app.mirror_diff() == []


async def test_a_login_that_takes_too_long_says_so(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "timeout", 0.001)
    async with HeadlessApp(login_example.main) as app:
        failures: list[fa.Failure] = []
        store(app).on_error = failures.append
        await fill_in(app, "123", "slow@test.com")
        await app.click(button(app, "Login"))
        await store(app).settled()
        await app.settle()
        assert line.waited == [60]
        assert app.texts() == ["Login", "login did not finish within 0.001 s"]
        assert app.one("Text", value="login did not finish within 0.001 s")["color"] == ft.Colors.RED
        assert not looks_busy(app)
        assert (status(app).state, bool(store(app).get(USER)), store(app).statistics().jobs) == ("failed", False, 0)
        assert failures == []


async def test_a_login_goes_on_while_the_client_is_away(line: Line) -> None:
    async with HeadlessApp(login_example.main) as app:
        await fill_in(app, "123")
        await app.click(button(app, "Login"))
        await app.disconnect()
        line.answer()
        await app.settle()
        await app.reconnect()
        assert not looks_busy(app)
        assert app.texts() == ["Login", "Welcome, Test User!"]
        assert field(app, "E-mail")["value"] == "test@test.com"


async def test_a_login_ends_with_the_session(line: Line) -> None:
    async with HeadlessApp(login_example.main) as app:
        await fill_in(app, "123")
        await app.click(button(app, "Login"))
        state = store(app)
        go = state.action(login)
        await app.close()
        await app.settle()
        assert line.cut == 1
        assert (state.get(go.status).state, state.statistics().jobs) == ("cancelled", 0)


# ------------------------------------------------------------------ showcase


async def go_to(app: HeadlessApp, screen: str) -> None:
    titles = [str(node["label"]) for node in app.find("NavigationRailDestination")]
    await app.enter(app.one("NavigationRail"), titles.index(screen), prop="selected_index")


async def test_showcase_moves_between_the_examples_and_their_state_stays() -> None:
    async with HeadlessApp(showcase.main) as app:
        assert app.texts() == ["Counter", "0"]
        await app.click("Increment")
        for screen, texts in {
            "Form": ["Form"],
            "Names": ["Name builder", "Full name:", "John Doe"],
            "Login": ["Login"],
            "Counter": ["Counter", "1"],
        }.items():
            await go_to(app, screen)
            assert app.texts() == texts
            assert app.mirror_diff() == []


async def test_showcase_brings_back_what_was_entered() -> None:
    async with HeadlessApp(showcase.main) as app:
        await go_to(app, "Form")
        await app.type("Name", "Zoë")
        await app.type("Age", "42")
        await go_to(app, "Names")
        await app.type("First name", "Jane")
        await go_to(app, "Form")
        assert [node.get("value") or "" for node in app.find("TextField")] == ["Zoë", "42", ""]
        await app.type("E-mail", "zoe@example.org")
        await app.click("Send")
        assert app.texts() == ["Form", "Sent: Zoë, 42, zoe@example.org"]
        await go_to(app, "Names")
        assert app.texts()[-1] == "Jane Doe"
        assert app.mirror_diff() == []


async def test_showcase_login_ends_while_another_screen_is_shown(line: Line) -> None:
    async with HeadlessApp(showcase.main) as app:
        await go_to(app, "Login")
        await fill_in(app, "123")
        await app.click(button(app, "Login"))
        await go_to(app, "Counter")
        line.answer()
        await app.settle()
        await app.click("Increment")
        assert app.texts() == ["Counter", "1"]
        await go_to(app, "Login")
        assert not looks_busy(app)
        assert app.texts() == ["Login", "Welcome, Test User!"]
        assert (store(app).get(EMAIL), store(app).get(PASSWORD)) == ("test@test.com", "123")
        assert app.mirror_diff() == []


async def test_showcase_is_the_same_after_a_reload() -> None:
    async with HeadlessApp(showcase.main) as app:
        await app.click("Increment")
        await go_to(app, "Names")
        await app.type("First name", "Jane")
        await app.disconnect()
        await app.reconnect()
        assert app.one("NavigationRail")["selected_index"] == 2
        assert app.texts()[-1] == "Jane Doe"
        await go_to(app, "Counter")
        assert app.texts() == ["Counter", "1"]
