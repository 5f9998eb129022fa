"""The guides: every program in them runs, and does what the text around it says."""

from __future__ import annotations

import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp
from tests.kit.guides import program


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


async def test_what_a_click_costs() -> None:
    async with HeadlessApp(program("docs/frames.md", 0)["main"]) as app:
        await app.click("Add")
        await app.settle()
        assert app.texts() == ["1"]
        await app.click("Add and tell")
        await app.settle()
        assert app.texts() == ["2", "added at 2"]
        await app.click("Tell")
        await app.settle()
        assert app.texts() == ["2", "nothing was added"]


async def test_many_pages_one_store() -> None:
    names = program("docs/frames.md", 1)
    shared: fa.StateManager = names["SHARED"]
    async with HeadlessApp(names["main"]) as one, HeadlessApp(names["main"]) as two:
        await one.click("Longer")
        await two.click("Dearer for all")
        await one.settle()
        await two.settle()
        assert (one.texts(), two.texts()) == (["6"], ["3"])
    await shared.aclose()


async def test_an_app_that_has_moved() -> None:
    names = program("docs/migrating.md", 0)
    async with HeadlessApp(names["main"]) as app:
        await app.type("Name", "Ann")
        await app.click("Log in")
        await app.settle()
        assert app.texts() == ["One moment"]
        assert app.one("Button")["disabled"]
        await fa.get_state_manager(app.page).settled()
        await app.settle()
        assert app.texts() == ["Hello, Ann"]
