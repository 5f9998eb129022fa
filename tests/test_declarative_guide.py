"""docs/declarative.md: its programs run, and behave as it says."""

from __future__ import annotations

import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp
from tests.kit.guides import program, sources

PATH = "docs/declarative.md"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


def test_there_are_four_programs() -> None:
    assert len(sources(PATH)) == 4


async def test_components() -> None:
    async with HeadlessApp(program(PATH, 0)["main"]) as app:
        await app.click("Add")
        await app.click("Save")
        await fa.get_state_manager(app.page).settled()
        await app.settle()
        assert app.texts() == ["1 is odd, twice is 2", "Saved 1"]


async def test_a_bound_control_beside_a_component() -> None:
    async with HeadlessApp(program(PATH, 1)["main"]) as app:
        await app.click("Clicked 0")
        assert app.texts() == ["1"]
        assert app.one("Button")["content"] == "Clicked 1"


async def test_custom_controls() -> None:
    async with HeadlessApp(program(PATH, 2)["main"]) as app:
        await app.click(app.find("IconButton")[0])
        assert app.texts() == ["Apples", "1", "Pears", "2", "3 in all"]


async def test_a_custom_control_by_decorator() -> None:
    async with HeadlessApp(program(PATH, 3)["main"]) as app:
        await app.click(app.find("IconButton")[1])
        await app.settle()
        assert app.texts() == ["0", "1", "0"]
