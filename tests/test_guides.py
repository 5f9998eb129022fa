"""The guides: what their programs do is what the text around them says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from tests.kit.apps import store
from tests.kit.guides import program, sources


@pytest.fixture
def anyio_backend() -> object:
    return virtual_backend()


# ------------------------------------------------------------------ async.md


async def test_a_save_shows_how_far_it_is_and_can_be_cancelled() -> None:
    names = program("docs/async.md", 0)
    async with HeadlessApp(names["main"]) as app:
        state = store(app)
        await app.click("Save")
        await state.wait_for(names["save"].status, lambda status: status.progress_text == "Checking")
        await app.settle()
        assert app.texts() == ["Checking", "0 saved"]
        assert app.one("ProgressBar")["value"] == pytest.approx(1 / 3)
        assert app.one("Button", content="Save")["disabled"]
        await app.click("Cancel")
        await state.settled()
        await app.settle()
        assert app.texts() == ["cancelled", "0 saved"]
        await app.click("Save")
        await state.settled()
        await app.settle()
        assert app.texts() == ["The draft is saved", "1 saved"]


async def test_likes() -> None:
    async with HeadlessApp(program("docs/async.md", 1)["main"]) as app:
        state = store(app)
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


async def test_a_transfer(capsys: pytest.CaptureFixture[str]) -> None:
    names = program("docs/async.md", 2)
    await names["main"]()
    assert capsys.readouterr().out == "70 130\n"
    async with fa.StateManager() as state:
        with pytest.raises(ValueError, match="There is not enough in savings"):
            await state.action(names["transfer"])("savings", "shopping", 101)
        run = state.action(names["transfer"])("savings", "shopping", 50)
        assert state.get(names["BALANCE"]["savings"]) == 100
        await asyncio.sleep(0.05)
        run.cancel()
        await run.wait()
        assert [state.get(names["BALANCE"][name]) for name in ("savings", "shopping")] == [100, 100]


async def test_search() -> None:
    names = program("docs/async.md", 3)
    asked: list[str] = []
    ask_server = names["ask_server"]

    async def ask(query: str) -> list[str]:
        asked.append(query)
        found: list[str] = await ask_server(query)
        return found

    names["ask_server"] = ask
    async with HeadlessApp(names["main"]) as app:
        await app.type("Search", "b")
        await app.type("Search", "bl")
        assert app.find("ProgressBar")
        await store(app).settled()
        await app.settle()
        assert app.texts() == ["blackberry", "blueberry"]
        assert asked == ["bl"], "when the typing pauses"
        assert not app.find("ProgressBar")


async def test_one_for_each_item() -> None:
    names = program("docs/async.md", 4)
    asked: list[int] = []

    async def ask_server(uid: int) -> str:
        asked.append(uid)
        await asyncio.sleep(10 if uid == 2 else 1)
        return str(names["NAMES"][uid])

    names["ask_server"] = ask_server
    async with HeadlessApp(names["main"]) as app:
        assert app.texts() == ["Loading..."]
        await store(app).settled()
        await app.settle()
        assert app.texts() == ["Alice"]
        for _ in range(2):  # Bob, who takes long, and then Charlie, who does not
            await app.click("Next")
        await store(app).settled()
        await app.settle()
        assert app.texts() == ["Charlie"]
        await app.click("Ask again")
        await store(app).settled()
        assert asked == [1, 2, 3, 3]


# ------------------------------------------------------------------ supervision.md


async def test_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    names = program("docs/supervision.md", 0)
    chances = iter([0.5, 0.0, 0.5])
    monkeypatch.setattr(names["random"], "random", lambda: next(chances, 0.5))

    def most(low: float, high: float) -> float:
        return high

    monkeypatch.setattr(names["random"], "uniform", most)
    shared: fa.StateManager = names["FEED"]
    async with HeadlessApp(names["main"]) as app:
        await shared.wait_for(names["PRICE"], lambda price: price == 101)
        await shared.wait_for(names["feed"].status, lambda status: status.state == "failed")
        await app.settle()
        assert app.texts() == ["101.00", "reconnecting"]
        await shared.wait_for(names["PRICE"], lambda price: price == 102)
        await app.settle()
        assert app.texts() == ["102.00"]
        assert "service feed: running" in str(shared.supervision())
    assert shared.get(names["feed"].status).state == "idle", "nobody looks any more"
    await shared.aclose()


async def test_services_that_fall_together(capsys: pytest.CaptureFixture[str]) -> None:
    names = program("docs/supervision.md", 1)
    await names["main"]()
    told = capsys.readouterr().out
    assert "supervisor telegraph: running (one_for_all)" in told
    assert told.count("service") == 2
    calls: list[str] = []

    async def connect() -> str:
        calls.append("connect")
        if len(calls) == 1:
            raise ConnectionError("no wire")
        return "wire"

    names["connect"] = connect
    async with fa.StateManager() as state:
        group = names["start"](state)
        await state.wait_for(names["WORDS"])
        assert len(calls) == 2, "it failed once, and both were started again"
        group.stop()
        await state.wait_for(names["LINE"], lambda line: line is None)


async def test_following_values() -> None:
    notes = await program("docs/supervision.md", 2)["main"]()
    assert sorted(notes) == ["106 is above 105", "120 is above 110", "now 106"]


# ------------------------------------------------------------------ forms.md, controls.md


async def test_form() -> None:
    async with HeadlessApp(program("docs/forms.md", 0)["main"]) as app:
        assert app.one("Button")["disabled"]
        await app.type("Name", "Ann")
        await app.type("Age", "x")
        assert "Ann is 18" in app.texts()
        assert app.find("TextField")[1]["error"] == "A whole number, please"
        await app.type("Age", "30")
        assert "Ann is 30" in app.texts()
        assert not app.one("Button").get("disabled")


async def test_a_form_that_is_sent_and_cleared() -> None:
    async with HeadlessApp(program("docs/forms.md", 1)["main"]) as app:
        send = app.one("Button", content="Send")
        assert send["disabled"]
        await app.type("E-mail", "ann")
        assert app.one("TextField")["error"] == "An e-mail address has an @"
        assert send["disabled"]
        await app.type("E-mail", "ann@b.c")
        await app.enter("News", False)
        assert not app.one("TextField").get("error")
        await app.click("Send")
        assert send["disabled"]
        await store(app).settled()
        await app.settle()
        assert app.texts() == ["Thank you, ann@b.c"]
        assert (app.one("TextField")["value"], app.one("Checkbox")["value"]) == ("", True)
        await app.type("E-mail", "x")
        await app.click("Clear")
        assert app.one("TextField")["value"] == ""


async def test_controls_by_their_own_events() -> None:
    async with HeadlessApp(program("docs/controls.md", 0)["main"]) as app:
        assert app.texts()[-1] == "10 to 90, m, on any day"
        slider = app.one("RangeSlider")
        app.set_props(slider, start_value=20.0, end_value=30.0)
        await app.fire(slider, "change")
        await app.enter(app.one("SegmentedButton"), ["m", "l"], prop="selected")
        await app.click("Choose a day")
        picker = app.one("DatePicker", hidden=True)
        assert picker["open"] is True
        store(app).set(next(key for key in keys(app) if key.name == "day"), date(2026, 1, 2))
        await app.settle()
        assert app.texts()[-1] == "20 to 30, m and l, on 2026-01-02"


def keys(app: HeadlessApp) -> list[fa.Key[object]]:
    """The typed keys that the store of an app holds."""
    return [key for key in store(app).snapshot().values() if isinstance(key, fa.Key)]


async def test_an_error_of_the_field_goes_before_the_one_of_the_form() -> None:
    async with HeadlessApp(program("docs/controls.md", 1)["main"]) as app:
        await app.type("Age", "7")
        assert app.one("TextField")["error"] == "For adults only"
        assert app.one("Button")["disabled"]
        await app.type("Age", "x")
        assert "invalid literal" in app.one("TextField")["error"]
        await app.type("Age", "70")
        assert not app.one("TextField").get("error")
        assert not app.one("Button").get("disabled")


# ------------------------------------------------------------------ lists.md


async def test_tasks() -> None:
    async with HeadlessApp(program("docs/lists.md", 0)["main"]) as app:
        for task in ("milk", "bread"):
            await app.type("New task", task)
            await app.click("Add")
            await app.settle()
        assert app.texts() == ["2 left"]
        await app.enter("bread", True)
        await app.settle()
        assert app.texts() == ["1 left"]
        assert app.mirror_diff() == []


async def test_lists_of_controls() -> None:
    async with HeadlessApp(program("docs/lists.md", 1)["main"]) as app:
        for name in ("Tea", "Cake", "Tea"):
            await app.click(name)
            await app.settle()
        assert app.texts() == ["2 x Tea", "1 x Cake"]


# ------------------------------------------------------------------ frames.md, performance.md


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


async def test_a_thousand_writes_are_one_push() -> None:
    async with HeadlessApp(program("docs/performance.md", 0)["main"]) as app:
        before = store(app).statistics()
        app.take()
        await app.click("1,000 writes")
        await app.settle()
        after = store(app).statistics()
        assert after.frames - before.frames == 1
        assert after.pushed - before.pushed <= 100
        assert len(app.take()) <= 100
        assert app.texts()[1:] == [str(number) for number in range(900, 1000)]
        await app.click("Count")
        await app.settle()
        assert app.texts()[0] == f"{after.pushed} controls pushed"


# ------------------------------------------------------------------ threads.md, global.md, errors.md


async def test_a_thread_writes() -> None:
    names = program("docs/threads.md", 0)
    names["pack"] = str  # takes no time
    async with HeadlessApp(names["main"]) as app:
        assert app.texts() == ["0 of 5"]
        await app.click("Pack")
        await store(app).wait_for(names["DONE"], lambda done: done == 5)
        await app.settle()
        assert app.texts() == ["Packed"]
        assert app.one("ProgressBar")["value"] == 1


async def test_a_selector_in_a_thread() -> None:
    async with HeadlessApp(program("docs/threads.md", 1)["main"]) as app:
        await store(app).settled()
        await app.settle()
        assert app.texts() == ["4 primes below 10"]
        await app.enter(app.one("Slider"), 100.0)
        await store(app).settled()
        await app.settle()
        assert app.texts() == ["25 primes below 100"]


async def test_many_pages_one_store() -> None:
    names = program("docs/global.md", 0)
    shared: fa.StateManager = names["SHARED"]
    async with HeadlessApp(names["main"]) as one, HeadlessApp(names["main"]) as two:
        await one.click("Longer")
        await two.click("Dearer for all")
        await one.settle()
        await two.settle()
        assert (one.texts(), two.texts()) == (["6"], ["3"])
    await shared.aclose()


async def test_a_room() -> None:
    names = program("docs/global.md", 1)
    room: fa.StateManager = names["ROOM"]
    async with HeadlessApp(names["main"]) as ann:
        async with HeadlessApp(names["main"]) as bob:
            await ann.type("Name", "Ann")
            await ann.type("Message", "Hello")
            await ann.click("Send")
            await bob.type("Message", "Hi")
            await bob.click("Send")
            await room.settled()
            for app in (ann, bob):
                await app.settle()
                assert app.texts() == ["Ann: Hello", "Somebody: Hi"]
            assert ann.find("TextField")[1]["value"] == ""
        await ann.type("Message", "Anybody?")
        await ann.click("Send")
        await room.settled()
        await ann.settle()
        assert ann.texts()[-1] == "Ann: Anybody?", "who has left takes nothing along"
    await room.aclose()


async def test_where_an_error_goes() -> None:
    async with HeadlessApp(program("docs/errors.md", 0)["main"]) as app:
        assert app.texts() == ["2.00 each"]
        for _ in range(2):
            await app.click("One less")
        await app.settle()
        assert app.texts()[0] == "4.00 each", "it keeps its value"
        assert len(app.texts()) == 2
        assert app.texts()[1].endswith("division by zero")
        await app.click("One more")
        await app.settle()
        assert app.texts()[0] == "4.00 each"


def test_what_errors_say() -> None:
    assert program("docs/errors.md", 1)["mistakes"]() == [
        "UnknownKeyError: 'cuont' is not declared in this store. Did you mean 'count'?",
        "ReadOnlyError: selector double is a selector, and its value is computed. Write the atoms that it reads.",
        "KeyConflictError: 'double' is already a selector; use another name for the atom",
    ]


# ------------------------------------------------------------------ migrating.md, testing.md


async def test_an_app_that_has_moved() -> None:
    async with HeadlessApp(program("docs/migrating.md", 0)["main"]) as app:
        await app.type("Name", "Ann")
        await app.click("Log in")
        await app.settle()
        assert app.texts() == ["One moment"]
        assert app.one("Button")["disabled"]
        await store(app).settled()
        await app.settle()
        assert app.texts() == ["Hello, Ann"]


def test_testing_without_a_page() -> None:
    names = program("docs/testing.md", 0)
    names["test_total"]()
    names["test_order"]()


def test_testing_with_the_kit(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"test_program_{number}.py").write_text(sources("docs/testing.md")[number], encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "4 passed" in result.stdout, result.stdout + result.stderr
