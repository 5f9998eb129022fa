"""The guides: every program in them runs, and does what the text around it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


def programs(guide: str) -> list[dict[str, Any]]:
    """What the programs of a guide define, without running their last lines."""
    made: list[dict[str, Any]] = []
    for number, source in enumerate(BLOCK.findall((DOCS / guide).read_text(encoding="utf-8")), 1):
        names: dict[str, Any] = {"__name__": "guide"}
        exec(compile(source, f"{guide}, program {number}", "exec"), names)  # our own text
        made.append(names)
    return made


async def test_what_a_click_costs() -> None:
    async with HeadlessApp(programs("frames.md")[0]["main"]) as app:
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
    names = programs("frames.md")[1]
    shared: fa.StateManager = names["SHARED"]
    async with HeadlessApp(names["main"]) as one, HeadlessApp(names["main"]) as two:
        await one.click("Longer")
        await two.click("Dearer for all")
        await one.settle()
        await two.settle()
        assert (one.texts(), two.texts()) == (["6"], ["3"])
    await shared.aclose()


async def test_an_app_that_has_moved() -> None:
    names = programs("migrating.md")[0]
    async with HeadlessApp(names["main"]) as app:
        await app.type("Name", "Ann")
        await app.click("Log in")
        await app.settle()
        assert app.texts() == ["One moment"]
        assert app.one("Button")["disabled"]
        await fa.get_state_manager(app.page).settled()
        await app.settle()
        assert app.texts() == ["Hello, Ann"]
