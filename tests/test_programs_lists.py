"""Users, cart, tasks, performance, reactive controls, send button: what can go wrong in them, without a screen."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal
from typing import Any

import flet as ft
import pytest

from examples import users
from examples.cart import main as cart
from examples.cart.goods import CART, PRODUCTS, Line, Product
from examples.performance import benchmark as measuring
from examples.performance import main as performance
from examples.performance.benchmark import benchmark
from examples.performance.values import DARK, FPS, MEASURES, verdict
from examples.performance.wire import Wire
from examples.reactive import feeds
from examples.reactive import main as reactive
from examples.send_button import main as send_button
from examples.send_button.flight import HOVERED, SENT, send
from examples.tasks import main as tasks
from examples.tasks.tasks import TASKS
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from tests.kit.apps import passes, store
from tests.kit.failures import collect


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return virtual_backend("asyncio")


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
        before = [node["_i"] for node in app.find("IconButton", tooltip="Remove Laptop")]
        await app.click("One Laptop less")
        assert {"Items: 2", "$999.99 × 1", "Total: $1029.98"} <= set(app.texts())  # noqa: RUF001  # so it is shown
        assert [node["_i"] for node in app.find("IconButton", tooltip="Remove Laptop")] == before, (
            "no row is built anew"
        )
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
        asked = app.frames[-1]
        assert (asked.body["name"], asked.body["control_id"]) == ("focus", field["_i"]), "once it is on the screen"
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


# ------------------------------------------------------------------ reactive controls


def held(app: HeadlessApp, *names: str) -> list[str]:
    """The texts that belong to these titles: each comes right after its title."""
    texts = app.texts()
    return [texts[texts.index(name) + 1] for name in names]


async def test_a_counter_goes_back_to_where_it_began() -> None:
    async with HeadlessApp(reactive.main) as app:
        names = ("One by one", "Tens", "Hundreds")
        assert held(app, *names) == ["0", "10", "100"]
        assert "Total: 110" in app.texts()
        for words in ("Tens: 5 more", "Hundreds: 10 less", "One by one: 1 less", "One by one: 1 less"):
            await app.click(words)
        assert held(app, *names) == ["-2", "15", "90"]
        assert "Total: 103" in app.texts()
        for name in names:
            await app.click(f"{name}: reset")
        assert held(app, *names) == ["0", "10", "100"]
        assert "Total: 110" in app.texts()


async def test_figures_come_every_three_seconds_as_long_as_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = iter((0.1, -0.1, -0.5, 0.0, 0.25, 0.0))
    monkeypatch.setattr(feeds, "change", lambda: next(changes))
    async with HeadlessApp(reactive.main) as app:
        await passes(app, 2.9)
        assert held(app, "Visitors", "Sales") == ["1,200", "340"]
        await passes(app, 0.2)
        assert held(app, "Visitors", "Sales") == ["1,320", "306"]
        assert {"+10.0%", "-10.0%"} <= set(app.texts())
        assert {node["icon"] for node in app.find("Icon", size=18)} >= {ft.Icons.TRENDING_UP, ft.Icons.TRENDING_DOWN}
        await passes(app, 3)
        assert held(app, "Visitors", "Sales") == ["660", "306"]
        gone = app.page.controls.pop()
        app.page.update()
        await app.settle()
        await passes(app, 60)
        assert next(changes) == 0.25, "nobody asked for figures meanwhile"
        app.page.controls.append(gone)
        app.page.update()
        await passes(app, 2.9)
        assert held(app, "Visitors") == ["660"]


async def test_a_form_is_not_sent_before_all_of_it_is_right_and_keeps_its_placeholder() -> None:
    placeholder = "Submit the form to see what came of it"
    async with HeadlessApp(reactive.main) as app:

        def is_off() -> bool:
            return bool(app.one("FilledButton").get("disabled"))

        assert placeholder in app.texts()
        assert is_off(), "an empty form is not accepted"
        await app.type("Name", "Ann")
        await app.type("E-mail", "ann")
        await app.type("Password", "secret")
        assert is_off()
        assert placeholder in app.texts(), "typing leaves it alone"
        await app.type("E-mail", "ann@b.c")
        await app.type("Password", "abc")
        assert app.one("TextField", label="Password")["error"] == "Four characters at least"
        assert is_off()
        await app.type("Password", "secret")
        assert app.one("TextField", label="Password")["password"] is True
        await app.click("Send")
        await passes(app, 0.5)
        assert "Welcome, Ann\nann@b.c\n******" in app.texts()
        assert "secret" not in " ".join(app.texts())
        await app.click("Clear")
        assert placeholder in app.texts()
        assert is_off()
        assert not app.one("TextField", label="Password")["error"], "nobody is to blame for what was cleared"


async def test_both_files_move_at_their_own_pace_and_end_at_100_per_cent() -> None:
    async with HeadlessApp(reactive.main) as app:
        moved = ("Upload", "Download")

        async def start(words: str) -> None:
            await app.click(app.one("OutlinedButton", content=words))

        await start("Upload")
        await start("Download")
        await passes(app, 0.95)
        assert held(app, *moved) == ["45%", "18%"]
        await start("Upload")
        await passes(app, 0.25)
        assert held(app, *moved) == ["10%", "24%"], "one that begins again leaves the other alone"
        await passes(app, 10)
        assert held(app, *moved) == ["100%", "100%"]
        assert [bar["value"] for bar in app.find("ProgressBar")] == [1.0, 1.0]
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ performance


@pytest.fixture
def is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it does not matter how much is written, it is little."""
    monkeypatch.setattr(measuring, "WRITES", 400)
    monkeypatch.setattr(measuring, "FANNED_OUT", 40)


async def run_benchmark(app: HeadlessApp) -> None:
    await app.click("Run benchmark")
    await store(app).settled()
    await app.settle()


async def test_the_wire_counts_what_the_client_gets() -> None:
    async with HeadlessApp(performance.main) as app:
        app.take()
        with Wire(app.page) as wire:
            await app.click("Switch to dark")
            store(app).set(FPS, 30)
            await app.settle()
        taken = app.take()
        assert len(taken) >= 3
        assert (wire.messages, wire.size) == (len(taken), sum(frame.size for frame in taken))
        store(app).set(FPS, 31)
        await app.settle()
        assert app.take(), "it sends as before"
        assert wire.messages == len(taken), "and nobody counts it"


async def test_the_benchmark_measures_what_it_says() -> None:
    async with HeadlessApp(performance.main) as app:
        app.take()
        await run_benchmark(app)
        by_hand, bound, shared = measures = store(app).get(MEASURES)
        assert (by_hand.writes, bound.writes, shared.writes) == (5_000, 5_000, 200)
        assert by_hand.messages == 5_000 + by_hand.frames, "one each, and those of the progress bar"
        for each in (bound, shared):
            assert each.frames <= each.messages <= 3 * each.frames + 100, "one frame has all changes of its tick"
        assert len(app.take()) >= sum(each.messages for each in measures)
        assert all(each.seconds > 0 and each.size > 1000 for each in measures)
        texts = app.find("Text", size=10)
        assert [node["value"] for node in texts[:100]] == ["49"] * 100, "they were really written to"
        assert {node["value"] for node in texts[100:]} == {f"{(49 + 199) % 100:02}"}
        words = " ".join(app.texts())
        assert f"{by_hand.messages:,} messages of {by_hand.size / 1000:,.1f} KB" in words
        assert (
            store(app).get(verdict).startswith(f"Bound: {by_hand.messages / bound.messages:,.0f} times fewer messages")
        )
        assert app.mirror_diff() == []


@pytest.mark.usefixtures("is_small")
async def test_the_slider_makes_fewer_frames() -> None:
    async with HeadlessApp(performance.main) as app:
        await run_benchmark(app)
        many = store(app).get(MEASURES)[1]
        await app.enter(app.one("Slider"), 10)
        assert "At most 10 frames a second; the benchmark shows it" in app.texts()
        await run_benchmark(app)
        few = store(app).get(MEASURES)[1]
        assert few.frames < many.frames / 2
        assert few.messages < many.messages


@pytest.mark.usefixtures("is_small")
async def test_the_page_is_alive_while_the_benchmark_runs_and_it_can_be_cancelled() -> None:
    async with HeadlessApp(performance.main) as app:
        await app.click("Run benchmark")
        await passes(app, 0.2)
        assert store(app).get(benchmark.status).is_busy
        assert app.one(content="Run benchmark")["disabled"]
        await app.click("Switch to dark")
        assert app.client.page["theme_mode"] == "dark"
        assert 0 < app.one("ProgressBar")["value"] < 0.34
        await passes(app, 0.4)
        assert app.one("ProgressBar")["value"] > 0.34
        await app.click("Cancel")
        assert store(app).get(benchmark.status).state == "cancelled"
        assert "Cancelled" in app.texts()
        assert not app.find(content="Cancel")
        assert len(store(app).get(MEASURES)) == 1, "what was measured stays"
        before = store(app).statistics().frames
        await passes(app, 5)
        assert store(app).statistics().frames == before, "nothing goes on in secret"
        await run_benchmark(app)
        assert len(store(app).get(MEASURES)) == 3


@pytest.mark.usefixtures("is_small")
async def test_a_benchmark_ends_with_the_connection_and_may_be_run_again() -> None:
    async with HeadlessApp(performance.main) as app:
        failures = collect(store(app))
        await app.click("Run benchmark")
        await passes(app, 0.2)
        await app.disconnect()
        await passes(app, 5)
        assert store(app).get(benchmark.status).state == "cancelled"
        await app.reconnect()
        assert "Cancelled" in app.texts()
        await run_benchmark(app)
        assert len(store(app).get(MEASURES)) == 3
        assert failures == []
        assert app.mirror_diff() == []


async def test_the_theme_changes_with_its_icon_and_tooltip_for_one_person() -> None:
    async with HeadlessApp(performance.main) as app, HeadlessApp(performance.main) as other:
        for tooltip, dark in (("Switch to dark", True), ("Switch to light", False), ("Switch to dark", True)):
            icon = app.one("IconButton", tooltip=tooltip)["icon"]
            assert icon == (ft.Icons.DARK_MODE if dark else ft.Icons.LIGHT_MODE)
            await app.click(tooltip)
            assert store(app).get(DARK) is dark
            assert app.client.page["theme_mode"] == ("dark" if dark else "light")
        assert other.client.page["theme_mode"] == "light"


# ------------------------------------------------------------------ send button


def look(app: HeadlessApp) -> tuple[float, float, float, float]:
    """The plane's place from the left, its turn and its size, and the text's place."""
    plane = app.one("Icon", icon=ft.Icons.SEND)
    return plane["left"], round(plane["rotate"], 2), plane["scale"], app.one("Text", value="Send")["left"]


IDLE, FLYING = (20, 0, 1, 58), (54, round(-math.pi / 4, 2), 1.3, 150)


def running(app: HeadlessApp) -> str:
    return next(text for text in app.texts() if text.startswith("Services")).removeprefix("Services that run: ")


async def test_the_plane_bobs_until_the_mouse_comes_and_then_clouds_pass() -> None:
    async with HeadlessApp(send_button.main) as app:
        button = app.one("Container", width=130, height=45)
        places: list[float] = []
        for _ in range(4):
            places.append(app.one("Icon", icon=ft.Icons.SEND)["top"])
            await passes(app, 0.6)
        assert places in ([9.5, 13.5] * 2, [13.5, 9.5] * 2)
        assert (look(app), running(app)) == (IDLE, "bob")
        clouds = app.find("Icon", icon=ft.Icons.CLOUD)
        assert [cloud["left"] for cloud in clouds] == [130, 130]

        await app.fire(button, "hover", True)
        assert (look(app), running(app)) == (FLYING, "drift")
        seen: list[list[float]] = []
        for _ in range(6):
            seen.append([cloud["left"] for cloud in clouds])
            assert all(
                cloud["animate_position"]["duration"] == (1 if cloud["left"] == 130 else 900) for cloud in clouds
            ), "seen on their way, and not on their way back"
            await passes(app, 0.5)
        for number, size in enumerate((16, 12)):
            way = [each[number] for each in seen]
            assert sorted(way[:3]) == [-size, -size, 130]
            assert way[:3] == way[3:]
        assert all((one, other) != (130, 130) for one, other in seen), "not both at once"

        await app.fire(button, "hover", False)
        assert (look(app), running(app)) == (IDLE, "bob")
        assert [cloud["left"] for cloud in clouds] == [130, 130]
        assert app.mirror_diff() == []


async def test_a_click_sends_for_three_seconds_and_another_one_meanwhile_is_ignored() -> None:
    async with HeadlessApp(send_button.main) as app:
        button = app.one("Container", width=130, height=45)
        shares: list[float] = []
        store(app).listen(send.status, lambda status: shares.append(status.progress or 0))
        begun = asyncio.get_running_loop().time()
        await app.click(button)
        assert (look(app), running(app)) == (FLYING, "drift")
        assert app.one("ProgressBar")["value"] == 0
        await passes(app, 1.52)
        assert app.one("ProgressBar")["value"] == pytest.approx(0.5, abs=0.02)
        await app.click(button)
        await store(app).settled()
        assert asyncio.get_running_loop().time() - begun == pytest.approx(3)
        await app.settle()
        assert store(app).get(SENT) == 1
        assert (look(app), running(app)) == (IDLE, "bob")
        assert not app.find("ProgressBar")
        assert (max(shares), [share for share in shares if share]) == (1, sorted(share for share in shares if share))
        await app.click(button)
        await passes(app, 3.1)
        assert store(app).get(SENT) == 2


async def test_nothing_moves_when_the_button_is_not_on_the_page() -> None:
    async with HeadlessApp(send_button.main) as app:
        await app.click(app.one("Container", width=130, height=45))
        await passes(app, 1)
        await app.enter("On the page", False)
        assert running(app) == "none"
        await passes(app, 3)
        assert store(app).get(SENT) == 1, "what is being sent is sent to the end"
        app.take()
        await passes(app, 60)
        assert app.take() == []
        assert store(app).statistics().jobs == 0
        await app.enter("On the page", True)
        assert running(app) == "bob"
        store(app).set(HOVERED, True)
        await app.disconnect()
        await app.close()
        assert store(app).statistics().jobs == 0
