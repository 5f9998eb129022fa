"""The README: its programs run, and behave as it says."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from tests.kit.guides import ROOT, program, sources

IN_VIRTUAL_TIME = pytest.mark.parametrize("anyio_backend", [virtual_backend()], ids=["virtual"])
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = sources("README.md")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


def test_there_are_twelve_programs() -> None:
    assert len(BLOCKS) == 12


async def test_counter() -> None:
    async with HeadlessApp(program("README.md", 0)["main"]) as app:
        for _ in range(2):
            await app.click("Increment")
        assert app.texts() == ["2"]


async def test_login(monkeypatch: pytest.MonkeyPatch) -> None:
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


@IN_VIRTUAL_TIME
async def test_search() -> None:
    async with HeadlessApp(program("README.md", 2)["main"]) as app:
        await app.type("Search", "b")
        await app.type("Search", "bl")
        assert app.find("ProgressBar")
        await fa.get_state_manager(app.page).settled()
        await app.settle()
        assert app.texts() == ["blackberry", "blueberry"]
        assert not app.find("ProgressBar")


@IN_VIRTUAL_TIME
async def test_likes() -> None:
    async with HeadlessApp(program("README.md", 3)["main"]) as app:
        state = fa.get_state_manager(app.page)
        liked = app.find("IconButton")[0]["icon"]
        for each in (0, 2):
            await app.click(app.find("IconButton")[each])
        await app.settle()
        shown = [node["icon"] for node in app.find("IconButton")]
        assert shown == [shown[0], liked, shown[0]], "at once"
        assert shown[0] != liked
        await state.settled()
        await app.settle()
        assert [node["icon"] for node in app.find("IconButton")] == [shown[0], liked, liked]
        assert app.texts() == ["The server is not there"]


@IN_VIRTUAL_TIME
async def test_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    names = program("README.md", 4)
    chances = iter([0.5, 0.0, 0.5])
    monkeypatch.setattr(names["random"], "random", lambda: next(chances, 0.5))

    def most(low: float, high: float) -> float:
        return high

    monkeypatch.setattr(names["random"], "uniform", most)
    store: fa.StateManager = names["FEED"]
    async with HeadlessApp(names["main"]) as app:
        await store.wait_for(names["PRICE"], lambda price: price == 101)
        await store.wait_for(names["feed"].status, lambda status: status.state == "failed")
        await app.settle()
        assert app.texts() == ["101.00", "reconnecting"]
        await store.wait_for(names["PRICE"], lambda price: price == 102)
        await app.settle()
        assert app.texts() == ["102.00"]
        assert "service feed: running" in str(store.supervision())
    assert store.get(names["feed"].status).state == "idle", "nobody looks any more"
    await store.aclose()


async def test_form() -> None:
    async with HeadlessApp(program("README.md", 5)["main"]) as app:
        assert app.one("Button")["disabled"]
        await app.type("Name", "Ann")
        await app.type("Age", "x")
        assert "Ann is 18" in app.texts()
        assert app.find("TextField")[1]["error"] == "A whole number, please"
        await app.type("Age", "30")
        assert "Ann is 30" in app.texts()
        assert not app.one("Button").get("disabled")


async def test_tasks() -> None:
    async with HeadlessApp(program("README.md", 6)["main"]) as app:
        for task in ("milk", "bread"):
            await app.type("New task", task)
            await app.click("Add")
            await app.settle()
        assert app.texts() == ["2 left"]
        await app.enter("bread", True)
        await app.settle()
        assert app.texts() == ["1 left"]
        assert app.mirror_diff() == []


async def test_custom_control() -> None:
    async with HeadlessApp(program("README.md", 7)["main"]) as app:
        await app.click(app.find("IconButton")[1])
        await app.settle()
        assert app.texts() == ["0", "1", "0"]


async def test_components() -> None:
    async with HeadlessApp(program("README.md", 9)["main"]) as app:
        await app.click("Add")
        assert app.texts() == ["1 is odd"]
        await app.click("Save")
        await fa.get_state_manager(app.page).settled()
        await app.settle()
        assert app.texts() == ["1 is odd", "Saved 1"]


def test_testing_without_a_page() -> None:
    names = program("README.md", 10)
    names["test_total"]()
    names["test_order"]()


def test_testing_with_the_kit(tmp_path: Path) -> None:
    (tmp_path / "test_buying.py").write_text(BLOCKS[11])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "3 passed" in result.stdout, result.stdout + result.stderr


def test_every_command_and_file_it_names_is_there() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE)) <= set(targets)
    prose = re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)#]+)\)", prose):
        assert link.startswith("https://") or (ROOT / link).exists(), link


async def test_lists_of_controls() -> None:
    async with HeadlessApp(program("README.md", 8)["main"]) as app:
        for name in ("Tea", "Cake", "Tea"):
            await app.click(name)
            await app.settle()
        assert app.texts() == ["2 x Tea", "1 x Cake"]
