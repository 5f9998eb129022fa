"""docs/declarative.md: its programs run, and behave as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "declarative.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


def program(number: int) -> dict[str, Any]:
    """What a program defines."""
    names: dict[str, Any] = {"__name__": "guide"}
    exec(compile(BLOCKS[number], f"declarative.md, program {number + 1}", "exec"), names)  # our own text
    return names


def test_there_are_three_programs() -> None:
    assert len(BLOCKS) == 3


async def test_components() -> None:
    async with HeadlessApp(program(0)["main"]) as app:
        await app.click("Add")
        await app.click("Save")
        await fa.get_state_manager(app.page).settled()
        await app.settle()
        assert app.texts() == ["1 is odd, twice is 2", "Saved 1"]


async def test_a_bound_control_beside_a_component() -> None:
    async with HeadlessApp(program(1)["main"]) as app:
        await app.click("Clicked 0")
        assert app.texts() == ["1"]
        assert app.one("Button")["content"] == "Clicked 1"


async def test_custom_controls() -> None:
    async with HeadlessApp(program(2)["main"]) as app:
        await app.click(app.find("IconButton")[0])
        assert app.texts() == ["Apples", "1", "Pears", "2", "3 in all"]


def test_what_it_links_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link
