"""The README: its programs run, and behave as it says; it is a front page."""

from __future__ import annotations

import asyncio

import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp
from tests.kit.guides import program, sources, text_of

README = text_of("README.md")
BLOCKS = sources("README.md")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


def test_it_is_a_front_page() -> None:
    assert len(BLOCKS) == 3
    assert README.count("\n") <= 312
    sections = [line for line in README.splitlines() if line.startswith("## ")]
    assert sections[:3] == ["## Install", "## A counter, in five minutes", "## A login with cancel, in fifteen"]


async def test_counter() -> None:
    async with HeadlessApp(program("README.md", 0)["main"]) as app:
        for _ in range(2):
            await app.click("Increment")
        assert app.texts() == ["2"]


async def test_login() -> None:
    names = program("README.md", 1)
    gate = asyncio.Event()

    async def ask_server(email: str) -> str:
        await gate.wait()
        if "@" not in email:
            raise names["InvalidLogin"]("That is no e-mail address")
        return "Ann"

    names["ask_server"] = ask_server
    async with HeadlessApp(names["main"]) as app:
        state = fa.get_state_manager(app.page)
        await app.click("Login")
        await app.settle()
        assert app.find("ProgressRing")
        assert app.one("Button", content="Login")["disabled"]
        await app.click("Cancel")
        await app.settle()
        assert not app.find("ProgressRing")
        assert state.get(names["login"].status).state == "cancelled"
        gate.set()
        await app.click("Login")
        await state.settled()
        await app.settle()
        assert "That is no e-mail address" in app.texts()
        await app.type("E-mail", "ann@b.c")
        await app.click("Login")
        await state.settled()
        await app.settle()
        assert "Hello, Ann" in app.texts()


def test_testing_without_a_page() -> None:
    names = program("README.md", 2)
    names["test_total"]()
    names["test_order"]()


def test_its_decision_guide_names_what_is_there() -> None:
    verbs = "bound bind_list service listen effect watch wait_for batch transaction"
    for verb in verbs.split():
        assert f"state.{verb}" in README
        assert callable(getattr(fa.StateManager, verb))
