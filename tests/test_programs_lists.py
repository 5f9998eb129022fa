"""Users, cart, tasks, performance, reactive controls, send button: what can go wrong in them, without a screen."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from examples import users
from examples.cart import main as cart
from examples.cart.goods import CART, PRODUCTS, Line, Product
from examples.tasks import main as tasks
from examples.tasks.tasks import TASKS
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from tests.kit.apps import store
from tests.kit.failures import collect


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return virtual_backend("asyncio")


async def passes(app: HeadlessApp, seconds: float) -> None:
    """Time goes by, which takes none."""
    await asyncio.sleep(seconds)
    await app.settle()


# ------------------------------------------------------------------ users


def user(app: HeadlessApp) -> tuple[str, bool, bool]:
    """What is said of the user, whether it is being asked for, and whether one may try again."""
    return app.texts()[1], bool(app.find("ProgressRing")), bool(app.find(content="Try again"))


async def test_users_come_one_after_the_other_and_each_is_loading_first() -> None:
    async with HeadlessApp(users.main) as app:
        for name in ("Alice", "Bob", "Charlie", "Alice"):
            assert user(app) == ("Loading...", True, False), "nobody of before stands there meanwhile"
            await passes(app, 3.1)
            assert user(app) == (f"{name} ({name.lower()}@example.com)", False, False)
            await app.click("Next User")
        assert app.mirror_diff() == []


async def test_an_answer_that_is_too_late_is_never_seen() -> None:
    async with HeadlessApp(users.main) as app:
        await passes(app, 1.1)
        await app.click("Next User")  # Bob takes three seconds
        await app.click("Next User")  # Charlie takes one
        seen: set[str] = set()
        store(app).listen(users.line, seen.add)
        await passes(app, 1.1)
        assert user(app)[0] == "Charlie (charlie@example.com)"
        await passes(app, 5)
        assert seen == {"Loading...", "Charlie (charlie@example.com)"}


async def test_an_error_is_shown_and_may_be_tried_again() -> None:
    async with HeadlessApp(users.main) as app:
        await passes(app, 1.1)
        failures = collect(store(app))
        await app.enter("The server is down", True)
        assert user(app)[0] == "Alice (alice@example.com)", "the switch asks for nobody"
        await app.click("Next User")
        await passes(app, 3.1)
        assert user(app) == ("The server cannot be reached", False, True)
        await app.click("Try again")
        assert user(app) == ("Loading...", True, False)
        await passes(app, 3.1)
        assert user(app) == ("The server cannot be reached", False, True)
        await app.enter("The server is down", False)
        await app.click("Try again")
        await passes(app, 3.1)
        assert user(app) == ("Bob (bob@example.com)", False, False)
        assert [type(failure.error) for failure in failures] == [ConnectionError, ConnectionError]


# ------------------------------------------------------------------ cart


async def test_a_cart_that_is_edited_in_place_is_right_at_once() -> None:
    async with HeadlessApp(cart.main) as app:
        state = store(app)
        held = state.get(CART)
        assert {"Items: 0", "Cart is empty", "Total: $0.00"} <= set(app.texts())
        await app.click("Add Laptop")
        await app.click("Add Laptop")
        await app.click("Add Mouse")
        assert state.get(CART) is held, "it is one list all the time"
        wanted = {"Items: 3", "$999.99 × 2", "$1999.98", "$29.99 × 1", "$29.99", "Total: $2029.97"}  # noqa: RUF001  # so it is shown
        assert wanted <= set(app.texts())
        assert "Cart is empty" not in app.texts()
        before = [node["_i"] for node in app.find("IconButton", tooltip="Remove Mouse")]
        await app.click("One Laptop less")
        assert {"Items: 2", "$999.99 × 1", "Total: $1029.98"} <= set(app.texts())  # noqa: RUF001  # so it is shown
        assert [node["_i"] for node in app.find("IconButton", tooltip="Remove Mouse")] == before, "no row is built anew"
        await app.click("One Laptop less")
        assert {"Items: 1", "Total: $29.99"} <= set(app.texts())
        assert not app.find("IconButton", tooltip="Remove Laptop"), "none of it is no line"
        await app.click("One Mouse more")
        assert {"Items: 2", "Total: $59.98"} <= set(app.texts())
        await app.click("Add Keyboard")
        await app.click("Remove Mouse")
        assert {"Items: 1", "Total: $79.99"} <= set(app.texts())
        await app.click("Clear Cart")
        assert {"Items: 0", "Cart is empty", "Total: $0.00"} <= set(app.texts())
        assert app.mirror_diff() == []


async def test_what_a_product_costs_is_what_the_cart_takes() -> None:
    async with HeadlessApp(cart.main) as app:
        state = store(app)
        state.set(PRODUCTS, (Product("Laptop", Decimal(3500)), Product("Mouse", Decimal(150))))
        await app.settle()
        assert not app.find("IconButton", tooltip="Add Keyboard")
        await app.click("Add Laptop")
        await app.click("Add Mouse")
        assert {"Items: 2", "Total: $3650.00"} <= set(app.texts())
        await app.click("Clear Cart")
        assert {"Items: 0", "Total: $0.00"} <= set(app.texts())
        state.mutate(CART, lambda lines: lines.append(Line(Product("Mouse", Decimal("0.10")), 3)))
        await app.settle()
        assert "Total: $0.30" in app.texts(), "exact to the cent"


async def test_two_persons_have_two_carts() -> None:
    async with HeadlessApp(cart.main) as one, HeadlessApp(cart.main) as two:
        await one.click("Add Mouse")
        assert "Items: 1" in one.texts()
        assert "Items: 0" in two.texts()


# ------------------------------------------------------------------ tasks


async def add(app: HeadlessApp, *names: str) -> None:
    for name in names:
        await app.type("What is to be done?", name)
        await app.click("Add")


def listed(app: HeadlessApp) -> dict[str, bool]:
    return {node["label"]: bool(node.get("value")) for node in app.find("Checkbox")}


def count(app: HeadlessApp) -> str:
    (text,) = [text for text in app.texts() if text.startswith("Active")]
    return text


async def test_the_count_is_right_after_each_click() -> None:
    async with HeadlessApp(tasks.main) as app:
        await add(app, "Bread")
        assert (listed(app), count(app)) == ({"Bread": False}, "Active tasks: 1")
        await add(app, "Milk", "  ", "Milk")
        assert count(app) == "Active tasks: 3", "no task without a text, and two of one text are two"
        await app.enter("Bread", True)
        assert count(app) == "Active tasks: 2"
        await app.enter("Bread", False)
        assert count(app) == "Active tasks: 3"
        await app.click("Delete Bread")
        assert (len(store(app).get(TASKS)), count(app)) == (2, "Active tasks: 2")
        assert app.mirror_diff() == []


async def test_tabs_show_a_part_and_clear_keeps_what_is_unfinished() -> None:
    async with HeadlessApp(tasks.main) as app:
        tabs = app.one("Tabs")
        assert [tab["label"] for tab in app.find("Tab")] == ["All", "Active", "Completed"]
        await add(app, "Bread", "Milk", "Eggs")
        assert app.one(content="Clear completed")["disabled"]
        await app.enter("Milk", True)
        milk = app.one("Checkbox", label="Milk")["_i"]
        assert not app.one(content="Clear completed").get("disabled")
        await app.enter(tabs, 1, prop="selected_index")
        assert listed(app) == {"Bread": False, "Eggs": False}
        await app.enter("Eggs", True)
        assert listed(app) == {"Bread": False}, "what is completed leaves the tab of what is not"
        await app.enter(tabs, 2, prop="selected_index")
        assert listed(app) == {"Milk": True, "Eggs": True}
        await app.enter(tabs, 0, prop="selected_index")
        assert list(listed(app)) == ["Bread", "Milk", "Eggs"]
        await app.click("Clear completed")
        assert (listed(app), count(app)) == ({"Bread": False}, "Active tasks: 1")
        assert app.one(content="Clear completed")["disabled"]
        assert milk not in app.client.nodes
        assert app.mirror_diff() == []


async def test_a_task_is_edited_in_its_row() -> None:
    async with HeadlessApp(tasks.main) as app:
        await add(app, "Bread", "Milk")
        row = app.one("Checkbox", label="Bread")["_i"]
        await app.click("Edit Bread")
        field = app.one("TextField", label="New text of Bread")
        assert (field["value"], field["border"]["_type"]) == ("Bread", "underline")
        assert listed(app) == {"Milk": False}, "the others stay as they are"
        await app.type(field, "Brown bread")
        assert not app.find("TextField", label="New text of Brown bread"), "not before it is saved"
        await app.click("Save")
        assert listed(app) == {"Brown bread": False, "Milk": False}
        assert app.one("Checkbox", label="Brown bread")["_i"] == row
        await app.enter("Brown bread", True)
        await app.click("Edit Brown bread")
        await app.type("New text of Brown bread", "   ")
        await app.fire(app.one("TextField", label="New text of Brown bread"), "submit")
        assert listed(app) == {"Brown bread": True, "Milk": False}, "it has no empty text, and is done as before"
        assert app.mirror_diff() == []
