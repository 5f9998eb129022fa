"""The programs about places without a screen: what they leave behind, and what the originals got wrong."""

from __future__ import annotations

import asyncio
import gc
import inspect
import re
import subprocess
import sys
import unittest
import weakref
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import anyio
import flet as ft
import pytest

import flet_asp_actors as fa
from examples import (
    binding_orders,
    cart_logic,
    global_state,
    navigation,
    screens,
    settings,
    test_cart_logic,
    test_cart_payment,
    three_counters,
    unit_tests,
)
from flet_asp_actors.atom import Atom
from flet_asp_actors.testing import virtual_backend
from flet_asp_actors.testing.headless import HeadlessApp
from flet_asp_actors.ui.binding import Binding
from flet_asp_actors.ui.mount import Mount
from tests.kit.apps import store

ROOT = Path(__file__).parents[1]
VISITS = 50


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return virtual_backend("asyncio")


def followers(atom: fa.Atom[Any]) -> int:
    """How many bindings, components and selectors follow an atom."""
    return len(cast(Any, atom).dependents or ())


def alive(*kinds: type) -> Counter[str]:
    """How many objects of these types there are."""
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects() if type(each) in kinds)


def shown(app: HeadlessApp, value: object) -> bool:
    """Whether a text is in the client, also in a view that another one covers."""
    return bool(app.find("Text", hidden=True, value=value))


# ------------------------------------------------------------------ three counters


async def test_three_cards_are_independent_and_so_are_two_visitors() -> None:
    async with HeadlessApp(three_counters.main) as one, HeadlessApp(three_counters.main) as two:
        await one.click("Counter A: one more")
        await one.click("Counter A: one more")
        await one.click("Counter C: one less")
        assert one.texts()[2:] == ["Counter A", "2", "Counter B", "0", "Counter C", "-1"]
        assert two.texts()[2:] == ["Counter A", "0", "Counter B", "0", "Counter C", "0"]
        assert one.mirror_diff() == []


async def test_cards_of_one_title_are_two_cards_and_go_with_their_state() -> None:
    def main(page: ft.Page) -> None:
        fa.get_state_manager(page)
        page.add(three_counters.CounterCard("Same"), three_counters.CounterCard("Same", 5))

    async with HeadlessApp(main) as app:
        first, second = cast(list[three_counters.CounterCard], app.page.controls)
        second.increment()
        assert (first.count.value, second.count.value) == (0, 6)
        before = store(app).statistics().atoms
        first = second = None  # type: ignore[assignment]  # nothing else is to keep them
        del app.page.controls[0]
        app.page.update()
        await app.settle()
        gc.collect()
        await app.settle()
        assert store(app).statistics().atoms == before - 1


# ------------------------------------------------------------------ navigation


async def test_what_is_raised_in_settings_is_on_home_at_once_and_after_the_return() -> None:
    async with HeadlessApp(navigation.main) as app:
        assert app.texts() == ["Counter value:", "0"]
        await app.click("Go to Settings")
        assert (app.page.route, app.texts()) == ("/settings", ["Modify the counter", "Home shows 0"])
        await app.click("Increment")
        await app.click("Increment")
        assert app.texts() == ["Modify the counter", "Home shows 2"]
        assert shown(app, 2), "Home lies beneath, and follows"
        await app.click("Go Back")
        assert (app.page.route, app.texts()) == ("/", ["Counter value:", "2"])
        assert app.mirror_diff() == []


@pytest.mark.parametrize(
    ("main", "route", "there"),
    [
        (navigation.main, "/settings", "Modify the counter"),
        (screens.main, "/b", "Count is still: "),
        (global_state.main, "/b", "Counter value now: "),
    ],
)
async def test_a_link_leads_there_and_the_arrow_and_the_browser_back(
    main: Callable[[ft.Page], None], route: str, there: str
) -> None:
    async with HeadlessApp(main, route=route) as app:
        assert there in app.texts()
        await app.fire(app.page, "view_pop", {"route": route}, force=True)
        assert app.page.route == "/"
        assert there not in app.texts()
        await app.navigate(route)  # the browser's button
        assert there in app.texts()
        await app.navigate("/")
        assert there not in app.texts()
        assert app.texts()
        assert app.mirror_diff() == []


@pytest.mark.parametrize(
    ("main", "key", "go", "back"),
    [
        (navigation.main, navigation.COUNT, "Go to Settings", "Go Back"),
        (screens.main, screens.COUNT, "Go to B", "Go back"),
        (global_state.main, global_state.SHARED, "Go to B", "Go back"),
    ],
)
async def test_fifty_visits_leave_as_much_as_one(
    main: Callable[[ft.Page], None], key: fa.Key[int] | fa.Atom[int], go: str, back: str
) -> None:
    async with HeadlessApp(main) as app:
        state = store(app)
        atom = key if isinstance(key, fa.Atom) else state.atom(key)
        at_home = followers(atom)

        async def visit() -> tuple[object, ...]:
            await app.click(go)
            assert followers(atom) == at_home + 1, "the other screen follows it as well"
            await app.click(back)
            assert followers(atom) == at_home
            now = state.statistics()
            kinds = ft.View, ft.Text, ft.FilledButton, Binding, Mount
            return alive(*kinds), now.atoms, now.selectors, now.observed, now.jobs

        first = await visit()
        visits = [await visit() for _ in range(VISITS - 1)]
        assert visits[-1] == first
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ global state


async def test_the_number_of_all_outlives_pages_and_keeps_none_of_them() -> None:
    global_state.EVERYBODY.clear()
    app = HeadlessApp(global_state.main)
    async with HeadlessApp(global_state.main) as one:
        async with app:
            await app.click("Increment")
            await one.settle()
            assert one.texts() == ["Counted by all visitors", "1", "Counted by you: 0"]
            await app.click("Go to B")
            await one.click("Increment")
            await app.settle()
            assert app.texts()[:3] == ["Counter value when you came: 1", "Counter value now: ", "2"]
            assert followers(global_state.SHARED) == 3
            page = weakref.ref(app.page)
        assert followers(global_state.SHARED) == 1, "what the visitor saw is no longer followed"
        del app
        gc.collect()
        await one.settle()
        gc.collect()
        assert page() is None
        await one.click("Increment")
        assert one.texts() == ["Counted by all visitors", "3", "Counted by you: 2"]
    assert followers(global_state.SHARED) == 0
    statistics = global_state.EVERYBODY.statistics()
    assert (statistics.atoms, statistics.observed, statistics.jobs) == (1, 0, 0)


def test_the_number_of_all_is_there_without_any_page_and_on_the_next_loop() -> None:
    global_state.EVERYBODY.clear()

    async def visit() -> list[str]:
        async with HeadlessApp(global_state.main) as app:
            await app.click("Increment")
            return app.texts()

    assert asyncio.run(visit())[1:] == ["1", "Counted by you: 1"]
    assert asyncio.run(visit())[1:] == ["2", "Counted by you: 1"]
    assert global_state.SHARED.value == 2


# ------------------------------------------------------------------ tests without a page


@pytest.mark.parametrize("module", [test_cart_logic, test_cart_payment], ids=lambda module: module.__name__)
@pytest.mark.parametrize("runner", ["pytest", "unittest"])
def test_the_commands_in_the_docstrings_work(module: ModuleType, runner: str) -> None:
    commands = re.findall(rf"^python (-m {runner} .*)$", module.__doc__ or "", re.MULTILINE)
    assert len(commands) == 1
    case: Any = unit_tests.CASES[(test_cart_logic, test_cart_payment).index(module)]
    number = len(unittest.defaultTestLoader.getTestCaseNames(case))
    done = subprocess.run(
        [sys.executable, *commands[0].split()], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert f"{number} passed" in said or f"Ran {number} tests" in said


def test_the_logic_of_the_cart_brings_no_flet() -> None:
    code = "import sys, examples.cart_logic; assert 'flet' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=True)


async def test_what_is_put_into_the_cart_while_the_bank_is_asked_stays() -> None:
    async with fa.StateManager() as state:
        cart_logic.add(state, "Mouse")
        run = state.action(cart_logic.pay)()
        await anyio.sleep(0.5)
        cart_logic.add(state, "Mouse")
        cart_logic.add(state, "Laptop")
        assert await run == "R-29.99"
        assert state.get(cart_logic.CART) == {"Mouse": 1, "Laptop": 1}
        assert state.get(cart_logic.total) == Decimal("1029.98")


@pytest.mark.parametrize(
    ("name", "value", "failed"),
    [
        ("VOUCHERS", {"TEN": Decimal(1)}, ["the total follows the cart and the voucher"]),
        ("PRICES", {"Laptop": Decimal(1), "Piano": Decimal(1)}, None),
    ],
)
async def test_the_page_of_tests_says_what_fails(
    monkeypatch: pytest.MonkeyPatch, name: str, value: dict[str, Decimal], failed: list[str] | None
) -> None:
    monkeypatch.setattr(cart_logic, name, value)
    async with HeadlessApp(unit_tests.main) as app:
        await store(app).action(unit_tests.run_all)()
        await app.settle()
        tiles = app.find("ListTile")
        assert len(tiles) == 7
        broken = [tile["title"] for tile in tiles if tile.get("subtitle")]
        assert broken == failed if failed is not None else len(broken) > 1
        assert all("Error" in tile["subtitle"] for tile in tiles if tile.get("subtitle"))
        assert f"7 run, {len(broken)} failed" in app.texts()
        monkeypatch.undo()
        await store(app).action(unit_tests.run_all)()
        await app.settle()
        assert "7 run, 0 failed" in app.texts()
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ binding orders


def numbers(app: HeadlessApp) -> dict[str, str]:
    """What each card shows, by its title."""
    words = app.texts()[2:]
    return dict(zip(words[::2], words[1::2], strict=True))


async def test_every_order_shows_the_number_at_once_and_follows() -> None:
    async with HeadlessApp(binding_orders.main) as app:
        assert numbers(app) == {"Bound before": "0", "Bound after": "0", "Binds itself": "0"}
        sent = str(next(frame.body for frame in app.frames if "Bound before" in str(frame.body)))
        assert "'value': 0" in sent, "with the first frame, before anything was bound after it"
        await app.click("Increment")
        assert set(numbers(app).values()) == {"1"}
        await app.click("Add a card")
        await app.click("Add a card")
        assert list(numbers(app)) == ["Bound before", "Bound after", "Binds itself", "Card 1", "Card 2"]
        assert set(numbers(app).values()) == {"1"}
        await app.click("Increment")
        assert set(numbers(app).values()) == {"2"}
        await app.click("Remove a card")
        await app.click("Remove a card")
        assert len(numbers(app)) == 3
        assert app.mirror_diff() == []


async def test_cards_that_come_back_show_what_was_counted_meanwhile_and_pile_nothing_up() -> None:
    async with HeadlessApp(binding_orders.main) as app:
        state = store(app)
        atom = cast(Any, state).find(binding_orders.COUNT)
        await app.click("Add a card")
        before = followers(atom), alive(Binding, Mount, ft.Card)
        for count in range(1, VISITS + 1):
            await app.click("Leave")
            assert followers(atom) == 0, "what is not on the page is not kept up to date"
            await app.click("Increment")
            await app.click("Come back")
            assert set(numbers(app).values()) == {str(count)}
            await app.click("Add a card")
            await app.click("Remove a card")
        app.take()
        assert (followers(atom), alive(Binding, Mount, ft.Card)) == before
        assert app.mirror_diff() == []


async def test_a_theme_is_that_of_one_visitor() -> None:
    async with HeadlessApp(binding_orders.main) as one, HeadlessApp(binding_orders.main) as two:
        await one.click("Dark theme")
        assert (one.client.page["theme_mode"], two.client.page["theme_mode"]) == ("dark", "light")
        assert one.one("IconButton", tooltip="Light theme")["icon"] == ft.Icons.LIGHT_MODE.value
        await one.click("Light theme")
        assert one.client.page["theme_mode"] == "light"
        assert one.mirror_diff() == []


# ------------------------------------------------------------------ settings


def test_every_setting_is_shown_with_the_value_that_it_has_at_first() -> None:
    told = {name: has_effect for name, has_effect, _ in settings.SETTINGS}
    of_atom = {f"Atom.{name} = {value}" for name, value in vars(Atom).items() if name.isupper() and value is not None}
    assert {name for name in told if name.startswith("Atom.")} == of_atom
    parameters = set(inspect.signature(fa.get_state_manager).parameters) - {"page"}
    pairs = dict(re.findall(r"get_state_manager\(page, (\w+)=(.*)\)", "\n".join(told)))
    assert set(pairs) == parameters
    assert pairs == {"max_fps": "60", "auto_update": "True", "on_disconnect": '"keep"', "grace": "3"}
    assert [name.split(" ")[0] for name, has_effect in told.items() if not has_effect] == [
        "Atom.MAX_RETRY_ATTEMPTS",
        "Atom.RETRY_BASE_DELAY",
    ]


async def test_what_is_accepted_has_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Atom, "MAX_RETRY_ATTEMPTS", 0)
    monkeypatch.setattr(Atom, "RETRY_BASE_DELAY", 3600.0)
    async with HeadlessApp(binding_orders.main) as app:
        began = anyio.current_time()
        await app.click("Increment")
        assert set(numbers(app).values()) == {"1"}
        assert anyio.current_time() - began < 1


@pytest.mark.parametrize("fps", [5, 20, 60])
async def test_at_most_so_many_frames_a_second(fps: int) -> None:
    async with HeadlessApp(settings.main) as app:
        await app.enter(app.one("SegmentedButton"), [str(fps)], prop="selected")
        began = anyio.current_time()
        await store(app).action(settings.write)()
        seconds = anyio.current_time() - began
        await app.settle()
        said = store(app).get(settings.FRAMES)
        frames = int(said.split()[-2])
        assert said == f"100 values, in {frames} frames"
        assert 0.5 * fps * seconds <= frames <= fps * seconds + 2
        assert said in app.texts()
        assert app.texts()[1] == "100"
