"""What users of flet-asp ran into, one test for each: it does not happen here."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import anyio
import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from flet_asp_actors.utils import deep_equal
from tests.kit.apps import empty, shown, store
from tests.kit.failures import collect
from tests.kit.threads import in_thread


@pytest.fixture
def anyio_backend() -> Any:
    return virtual_backend()


def counting(compute: Callable[[fa.Get], Any]) -> tuple[Callable[[fa.Get], Any], list[int]]:
    """A function of get, and a list that grows with each call."""
    calls: list[int] = []

    def counted(get: fa.Get) -> Any:
        calls.append(1)
        return compute(get)

    return counted, calls


# ------------------------------------------------------------------ selectors


async def test_01_a_cart_that_is_edited_in_place_shows_its_new_total() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("cart", [])
        state.add_selector("count", lambda get: sum(item["quantity"] for item in get("cart")))
        state.add_selector("total", lambda get: f"{sum(item['price'] * item['quantity'] for item in get('cart'))}")

        def add() -> None:
            items = state.get("cart")
            if items:
                items[0]["quantity"] += 1
            else:
                items.append({"price": 10, "quantity": 1})
            state.set("cart", items)

        page.add(
            ft.Button("Add", on_click=add),
            state.bound(ft.Text(), value="count"),
            state.bound(ft.Text(), value="total"),
        )

    async with HeadlessApp(main) as app:
        await app.click("Add")
        assert app.texts() == ["1", "10"]
        await app.click("Add")
        assert app.texts() == ["2", "20"]


def test_02_a_branch_that_is_taken_later_is_followed() -> None:
    state = fa.StateManager()
    for name, value in (("which", "b"), ("a", "A1"), ("b", "B1")):
        state.atom(name, value)
    state.add_selector("it", lambda get: get(get("which")))
    seen: list[str] = []
    state.listen("it", seen.append)
    state.set("which", "a")
    state.set("a", "A2")
    assert (state.get("it"), seen) == ("A2", ["B1", "A1", "A2"])


async def test_03_a_slow_answer_to_an_old_question_never_replaces_a_newer_one() -> None:
    async with fa.StateManager() as state:
        state.atom("id", 1)

        @state.selector("user")
        async def user(get: fa.Get) -> str:
            number = get("id")
            await anyio.sleep({1: 5, 2: 1}[number])
            return f"user {number}"

        seen: list[Any] = []
        state.listen("user", seen.append)
        await anyio.sleep(1)  # virtual
        state.set("id", 2)
        await anyio.sleep(10)
        assert (state.get("user"), seen) == ("user 2", [None, "user 2"])


async def test_04_a_change_during_the_first_loading_is_not_missed() -> None:
    async with fa.StateManager() as state:
        state.atom("id", 1)
        reading = anyio.Event()

        @state.selector("user")
        async def user(get: fa.Get) -> str:
            number = get("id")
            reading.set()
            await anyio.sleep(5)
            return f"user {number}"

        state.listen("user", lambda _: None)
        await reading.wait()
        state.set("id", 2)
        await state.settled()
        assert state.get("user") == "user 2"


async def test_05_loading_that_fails_at_first_is_told_and_works_the_next_time() -> None:
    async with fa.StateManager() as state:
        failures = collect(state)
        state.atom("id", 0)

        @state.selector("user")
        async def user(get: fa.Get) -> str:
            return f"user {100 // get('id')}"

        seen: list[Any] = []
        state.listen("user", seen.append)
        await state.settled()
        assert [type(each.error) for each in failures] == [ZeroDivisionError]
        assert state.get(user.status).state == "failed"
        state.set("id", 2)
        await state.settled()
        assert (state.get("user"), seen) == ("user 50", [None, "user 50"])


def test_06_without_a_loop_nobodys_coroutine_runs_in_a_thread_of_its_own() -> None:
    state = fa.StateManager()
    state.atom("id", 1)
    threads: list[int] = []
    heard: list[int] = []

    async def load(get: fa.Get) -> str:
        threads.append(threading.get_ident())
        return f"user {get('id')}"

    def hear(_: object) -> None:
        heard.append(threading.get_ident())

    before = threading.active_count()
    state.add_selector("user", load)
    state.listen("user", hear)
    assert (state.get("user"), threads, threading.active_count()) == (None, [], before)

    async def main() -> None:
        async with state:
            await state.settled()
            assert state.get("user") == "user 1"

    anyio.run(main)
    assert {*threads, *heard} == {threading.get_ident()}
    assert len(threads) == 1


@pytest.mark.parametrize("end", ["delete", "clear"])
async def test_07_what_loads_for_a_key_that_is_deleted_or_cleared_is_cancelled(end: str) -> None:
    async with fa.StateManager() as state:
        state.atom("id", 1)
        ended: list[str] = []

        @state.selector("user")
        async def user(get: fa.Get) -> str:
            number = get("id")
            try:
                await anyio.sleep(100)
            except BaseException:
                ended.append(f"{number} cancelled")
                raise
            return f"user {number}"

        seen: list[Any] = []
        with state.listen("user", seen.append):
            await anyio.sleep(1)  # virtual
            if end == "delete":
                state.delete("user")
            else:
                state.clear()
            await anyio.sleep(1)
            assert (ended, seen) == (["1 cancelled"], [None])


async def test_08_an_object_whose_call_is_async_gives_values_and_a_coroutine_is_never_one() -> None:
    class Load:
        async def __call__(self, get: fa.Get) -> str:
            return f"user {get('id')}"

    async with fa.StateManager() as state:
        state.atom("id", 1)
        load = Load()
        state.add_selector("user", load)
        assert await state.resolve("user") == "user 1"
        state.add_selector("other", lambda get: load(get))
        with pytest.raises(TypeError, match="other returned a coroutine.*Declare its function with `async def`"):
            state.get("other")


def test_09_nobody_sees_half_a_change_and_each_selector_is_computed_once() -> None:
    state = fa.StateManager()
    state.atom("n", 1)
    state.add_selector("left0", lambda get: get("n"))
    state.add_selector("right0", lambda get: get("n"))
    calls: list[int] = []

    def layer(number: int) -> None:
        def compute(get: fa.Get) -> int:
            calls.append(number)
            left, right = get(f"left{number - 1}"), get(f"right{number - 1}")
            assert left == right, "half a change"
            return int(left)

        state.add_selector(f"left{number}", compute)
        state.add_selector(f"right{number}", compute)

    for number in range(1, 13):
        layer(number)
    state.add_selector("pair", lambda get: (get("left12"), get("right12")))
    seen: list[Any] = []
    state.listen("pair", seen.append)
    calls.clear()
    state.set("n", 2)
    assert (seen, len(calls)) == ([(1, 1), (2, 2)], 24)


def test_10_changes_made_meanwhile_are_not_dropped() -> None:
    state = fa.StateManager()
    state.atom("n", 0)
    state.add_selector("double", lambda get: get("n") * 2)
    seen: list[int] = []

    def until_five(double: int) -> None:
        seen.append(double)
        if double < 10:
            state.set("n", state.get("n") + 1)

    state.listen("double", until_five)
    assert (seen, state.get("double")) == ([0, 2, 4, 6, 8, 10], 10)
    threads = [
        threading.Thread(target=lambda: [state.update("n", lambda n: n + 1) for _ in range(200)]) for _ in range(4)
    ]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads get into each other's way
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert (state.get("n"), state.get("double"), seen[-1]) == (805, 1610, 1610)


def test_10_a_selector_that_reads_itself_is_told_so_and_stays_a_selector() -> None:
    state = fa.StateManager()
    state.add_selector("self", lambda get: get("self"))
    with pytest.raises(fa.CycleError, match="self -> "):
        state.get("self")
    with pytest.raises(fa.KeyConflictError, match="already a selector"):
        state.atom("self")


def test_11_a_selector_that_fails_does_not_break_set_and_tries_again() -> None:
    state = fa.StateManager()
    failures = collect(state)
    server = {"up": False}
    state.atom("n", 1)

    def fetch(get: fa.Get) -> int:
        if get("n") and not server["up"]:
            raise ConnectionError("the server is down")
        return int(get("n")) * 10

    state.add_selector("fetched", fetch)
    seen: list[int] = []
    state.listen("fetched", seen.append)
    state.set("n", 2)
    assert (state.get("n"), len(failures)) == (2, 2)
    with pytest.raises(ConnectionError):
        state.get("fetched")
    server["up"] = True
    state.invalidate("fetched")  # the same inputs
    assert (state.get("fetched"), seen) == (20, [20])


def test_12_invalidate_computes_a_selector_without_dependencies_anew() -> None:
    state = fa.StateManager()
    compute, calls = counting(lambda get: len(calls))
    state.add_selector("now", compute)
    assert (state.get("now"), state.get("now")) == (1, 1)
    state.invalidate("now")
    assert state.get("now") == 2
    seen: list[int] = []
    state.listen("now", seen.append)
    state.invalidate("now")
    assert seen == [2, 3]


def test_13_what_a_selector_returns_is_what_readers_get_and_no_copy() -> None:
    state = fa.StateManager()
    state.atom("n", 1)
    rows: list[Any] = []

    def row(get: fa.Get) -> Any:
        rows.append({"n": get("n"), "control": ft.Text()})
        return rows[-1]

    state.add_selector("row", row)
    assert state.get("row") is rows[0]
    state.set("n", 2)
    assert state.get("row") is rows[1]


# ------------------------------------------------------------------ listeners


def test_14_a_listener_that_raises_stops_nobody_and_one_that_was_removed_is_not_called() -> None:
    state = fa.StateManager()
    failures = collect(state)
    state.atom("n", 0)
    seen: list[int] = []

    def broken(_: int) -> None:
        raise RuntimeError("broken")

    def remove_the_next(_: int) -> None:
        state.unlisten("n", never)

    def never(n: int) -> None:
        seen.append(-n)

    for callback in (broken, remove_the_next, never, seen.append):
        state.listen("n", callback, immediate=False)
    state.set("n", 1)
    assert (seen, [str(each.error) for each in failures]) == ([1], ["broken"])


async def test_15_async_listeners_and_async_handlers_of_the_users_own_are_awaited() -> None:
    heard: list[str] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("name", "")

        async def listener(name: str) -> None:
            await anyio.sleep(1)
            heard.append(f"listener {name}")

        async def on_change(e: Any) -> None:
            await anyio.sleep(1)
            heard.append(f"handler {e.control.value}")

        field = ft.TextField(label="Name", on_change=on_change)
        page.add(field)
        state.listen("name", listener, immediate=False)
        state.bind_two_way("name", field)

    async with HeadlessApp(main) as app:
        await app.type("Name", "Ann")
        await store(app).settled()
        assert sorted(heard) == ["handler Ann", "listener Ann"]


# ------------------------------------------------------------------ bindings


async def test_16_two_properties_of_one_control_can_be_bound() -> None:
    ref = ft.Ref[ft.Text]()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("n", 1)
        state.atom("is_big", False)
        page.add(ft.Text(ref=ref))
        state.bind("n", ref)
        state.bind("n", ref, "tooltip", to=str)
        state.bind("is_big", ref, "italic")

    async with HeadlessApp(main) as app:
        store(app).set("n", 2)
        store(app).set("is_big", True)
        await app.settle()
        text = app.one("Text")
        assert (text["value"], text["tooltip"], text["italic"]) == (2, "2", True)


async def test_17_bind_dynamic_takes_a_ref_beside_listeners_and_unbind_finds_it() -> None:
    ref = ft.Ref[ft.Text]()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("n", 1)
        state.listen("n", lambda _: None)
        page.add(ft.Text(ref=ref))
        state.bind_dynamic("n", ref)

    async with HeadlessApp(main) as app:
        store(app).set("n", 2)
        await app.settle()
        assert app.texts() == ["2"]
        store(app).unbind("n", ref)
        store(app).set("n", 3)
        await app.settle()
        assert app.texts() == ["2"]


async def test_18_unbind_ends_a_binding_whatever_it_was_made_by_and_gives_the_field_back() -> None:
    heard: list[str] = []
    written: list[str] = []

    def theirs(e: Any) -> None:
        heard.append(e.control.value)

    field, plain, text = ft.TextField(label="Name", on_change=theirs), ft.TextField(label="Plain"), ft.Text()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("name", "")
        state.listen("name", written.append, immediate=False)
        page.add(field, plain, text)
        state.bind("name", text)
        state.bind_two_way("name", plain)
        state.bind_two_way("name", field)
        state.bind_two_way("name", field)

    async with HeadlessApp(main) as app:
        state = store(app)
        await app.type("Name", "a")
        assert (written, heard) == (["a"], ["a"])
        assert repr(state.atom("name")).endswith(", 4 listeners>"), "bound twice is bound once"
        assert app.hears("Plain", "change")
        state.unbind("name", plain)
        state.unbind("name", text)
        state.unbind("name", field)
        assert field.on_change is theirs
        await app.type("Name", "b")
        state.set("name", "c")
        await app.settle()
        assert (written, heard, app.texts()) == (["a", "c"], ["a", "b"], ["a"])
        assert app.one("TextField", label="Name")["value"] == "b"
        assert not app.hears("Plain", "change")


async def test_19_a_ref_that_is_bound_while_empty_gets_its_value_whenever_its_control_comes() -> None:
    text, field = ft.Ref[ft.Text](), ft.Ref[ft.TextField]()
    async with HeadlessApp(empty) as app:
        state = store(app)
        state.atom("name", "Ann")
        state.bind("name", text)
        state.bind_two_way("name", field)
        await anyio.sleep(60)  # virtual; nobody gives up
        app.take()
        app.page.add(ft.Text(ref=text), ft.TextField(ref=field, label="Name"))
        assert (app.texts(), app.one("TextField")["value"]) == (["Ann"], "Ann")
        assert len([frame for frame in app.take() if frame.ops]) == 1, "it is in the first thing that is sent"
        await app.type("Name", "Bob")
        assert (state.get("name"), app.texts()) == ("Bob", ["Bob"])


async def test_20_what_is_being_typed_is_not_sent_back_and_ten_sets_are_one_message() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("name", "")
        state.atom("n", 0)

        def ten() -> None:
            for _ in range(10):
                state.set("n", state.get("n") + 1)

        page.add(
            state.bound(ft.TextField(label="Name"), value=fa.two_way("name")),
            state.bound(ft.Text(), value="n"),
            ft.Button("Ten", on_click=ten),
        )

    async with HeadlessApp(main) as app:
        app.take()
        for text in ("A", "An", "Ann"):
            await app.type("Name", text)
        assert store(app).get("name") == "Ann"
        assert [op for frame in app.take() for op in frame.ops] == []
        await app.click("Ten")
        assert app.texts() == ["10"]
        assert len([frame for frame in app.take() if frame.ops]) == 1


# ------------------------------------------------------------------ frames


async def test_21_a_page_update_is_one_update(monkeypatch: pytest.MonkeyPatch) -> None:
    text = ft.Text()
    async with HeadlessApp(empty) as app:
        state = store(app)
        state.atom("n", 0)
        state.bind("n", text)
        state.set("n", 1)
        calls: list[int] = []
        original = ft.Page.update

        def update(page: ft.Page, *controls: Any) -> None:
            calls.append(len(controls))
            original(page, *controls)

        monkeypatch.setattr(ft.Page, "update", update)
        app.page.controls.append(text)
        app.page.update()
        assert (app.texts(), calls) == (["1"], [0])
        await app.settle()
        assert len(calls) <= 2, "what comes after is one frame at most"


async def test_22_controls_of_the_users_own_are_mounted_as_flet_mounts_them() -> None:
    mounted: list[str] = []

    @ft.control
    class Card(ft.Column):
        def did_mount(self) -> None:
            mounted.append("card")

    card, column = Card(), ft.Column()
    async with HeadlessApp(empty) as app:
        state = store(app)
        state.atom("spacing", 0)
        state.bind("spacing", card, "spacing")
        state.bind("spacing", column, "spacing")
        for each in range(1, 7):
            state.set("spacing", each)
        app.take()
        app.page.add(card, column)
        await app.settle()
        assert mounted == ["card"]
        assert len(app.find("Column", spacing=6)) == 2
        assert len([frame for frame in app.take() if frame.ops]) == 1


async def test_23_a_control_that_is_not_mounted_needs_no_thread_and_no_luck() -> None:
    text = ft.Text()
    async with HeadlessApp(empty) as app:
        state = store(app)
        state.atom("n", 0)
        before = threading.active_count()
        state.bind("n", text)
        for each in range(100):
            state.set("n", each)
        assert (shown(text), threading.active_count()) == (99, before)
        await anyio.sleep(3600)  # virtual
        app.page.controls.append(text)
        app.page.update()
        assert app.texts() == ["99"]


async def test_24_bindings_keep_no_control_alive_and_rest_when_it_leaves() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("n", 1)
        text = ft.Text()
        gone.append(weakref.ref(text))
        state.bind_dynamic("n", text)
        page.add(text)

    gone: list[weakref.ref[ft.Text]] = []
    async with HeadlessApp(main) as app:
        state = store(app)
        assert state.statistics().observed == 1
        app.page.controls.clear()
        app.page.update()
        await app.settle()
        assert state.statistics().observed == 0
        gc.collect()
        assert gone[0]() is None
        never_shown = ft.Text()
        gone.append(weakref.ref(never_shown))
        state.bind_dynamic("n", never_shown)
        del never_shown
        gc.collect()
        assert gone[1]() is None


# ------------------------------------------------------------------ the life of keys


def test_25_reset_goes_back_to_the_default_and_a_name_that_comes_back_is_followed() -> None:
    state = fa.StateManager()
    state.atom("n", 5)
    state.add_selector("double", lambda get: get("n") * 2)
    seen: list[int] = []
    state.listen("n", seen.append)
    state.set("n", 6)
    state.reset("n")
    assert (state.get("n"), seen) == (5, [5, 6, 5])
    state.delete("n")
    with pytest.raises(fa.UnknownKeyError, match="'n' is not declared"):
        state.get("double")
    state.atom("n", 7)
    state.set("n", 8)
    assert (state.get("double"), seen[-1]) == (16, 8), "nobody is left with what was deleted"


async def test_25_a_login_under_way_at_the_logout_signs_nobody_in_and_the_screen_lives_on() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("email", "")
        state.atom("user", None)

        @state.action
        async def login(get: fa.Get, set: fa.Set) -> None:
            await anyio.sleep(5)
            set("user", get("email"))

        page.add(
            state.bound(ft.TextField(label="Email"), value=fa.two_way("email")),
            state.bound(ft.Text(), value=lambda get: get("user") or "nobody"),
            ft.Button("Login", on_click=login),
            ft.Button("Logout", on_click=state.clear),
        )

    async with HeadlessApp(main) as app:
        state = store(app)
        await app.type("Email", "ann@example.com")
        app.start_event("Login", "click")
        await anyio.sleep(1)  # virtual
        await app.click("Logout")
        await anyio.sleep(60)
        assert (state.get("user"), app.texts()) == (None, ["nobody"])
        assert app.one("TextField")["value"] == ""
        await app.type("Email", "bob@example.com")
        assert state.get("email") == "bob@example.com"
        await app.click("Login")
        await state.settled()
        await app.settle()
        assert app.texts() == ["bob@example.com"]


# ------------------------------------------------------------------ actions


async def test_26_an_async_handler_runs_from_run_and_a_sync_one_from_run_async() -> None:
    async with fa.StateManager() as state:
        state.atom("n", 0)

        async def later(get: fa.Get, set: fa.Set, args: Any) -> str:
            await anyio.sleep(1)
            set("n", args)
            return "later"

        def now(get: fa.Get, set: fa.Set, args: Any) -> str:
            set("n", args)
            return "now"

        fa.Action(later).run(state, 1)
        await state.settled()
        assert state.get("n") == 1
        assert (await fa.Action(now).run_async(state, 2), state.get("n")) == ("now", 2)


async def test_26_a_double_click_is_one_login_which_can_be_cancelled_and_fails_visibly() -> None:
    begun: list[int] = []

    async def handler(get: fa.Get, set: fa.Set, args: Any = None) -> None:
        begun.append(1)
        await anyio.sleep(args or 5)
        raise ValueError("wrong password")

    login = fa.Action(handler, policy="droppable", timeout=60)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(
            ft.Button("Login", on_click=state.action(login)),
            state.bound(ft.Text(), value=lambda get: get(login.status).message or get(login.status).state),
        )

    async with HeadlessApp(main) as app:
        failures = collect(store(app))
        app.start_event("Login", "click")
        app.start_event("Login", "click")
        await anyio.sleep(1)  # virtual
        assert (begun, app.texts()) == ([1], ["running"])
        store(app).action(login).cancel()
        await app.settle()
        assert app.texts() == ["cancelled"]
        login.start(store(app), 1000)
        await anyio.sleep(100)
        assert store(app).get(login.status).state == "failed"
        assert isinstance(store(app).get(login.status).error, TimeoutError)
        await app.click("Login")
        await store(app).settled()
        await app.settle()
        assert app.texts() == ["wrong password"]
        assert [type(each.error) for each in failures] == [TimeoutError, ValueError]


# ------------------------------------------------------------------ values


class Array:
    """What compares like an array: with no yes or no."""

    def __eq__(self, other: object) -> Any:
        raise ValueError("the truth value of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]  # nor has an array


def test_27_values_that_hold_themselves_or_cannot_be_compared_or_were_edited_can_be_set() -> None:
    state = fa.StateManager()
    circle: list[Any] = [1]
    circle.append(circle)
    other: list[Any] = [1]
    other.append(other)
    assert deep_equal(circle, other)
    assert not deep_equal(Array(), Array())
    tags = {"a"}
    state.atom("n", circle)
    seen: list[Any] = []
    state.listen("n", seen.append, immediate=False)
    state.set("n", other)
    array = Array()
    state.set("n", array)
    state.set("n", Array())
    state.set("n", tags)
    tags.add("b")
    state.set("n", tags)
    assert [type(each) for each in seen[-4:]] == [Array, Array, set, set]
    assert seen[-1] == {"a", "b"}


# ------------------------------------------------------------------ what the README shows


def test_28_a_computed_value_is_a_selector_and_a_function_is_a_value() -> None:
    state = fa.StateManager()
    state.atom("count", 5)
    state.add_selector("double", lambda get: get("count") * 2)
    assert state.get("double") == 10

    def function() -> int:
        raise AssertionError("nobody calls it")

    state.atom("function", function)
    assert state.get("function") is function


async def test_28_a_login_that_takes_its_time_freezes_nothing() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("n", 0)

        @state.action
        async def login(get: fa.Get, set: fa.Set) -> None:
            await anyio.sleep(2)

        page.add(
            ft.Button("Login", on_click=login),
            ft.Button("More", on_click=lambda: state.update("n", lambda n: n + 1)),
            state.bound(ft.ProgressRing(), visible=lambda get: get(login.status).is_busy),
            state.bound(ft.Text(), value="n"),
        )

    async with HeadlessApp(main) as app:
        app.start_event("Login", "click")
        await app.click("More")
        await app.settle()
        assert (len(app.find("ProgressRing")), app.texts()) == (1, ["1"])
        await anyio.sleep(3)  # virtual
        await app.settle()
        assert app.find("ProgressRing") == []


def test_28_a_listener_that_is_for_changes_is_not_called_at_registration() -> None:
    state = fa.StateManager()
    state.atom("user", None)
    events: list[str] = []
    state.listen("user", lambda user: events.append(f"login of {user}"), immediate=False)
    assert events == []
    state.set("user", "Ann")
    assert events == ["login of Ann"]


async def test_28_of_a_value_that_is_no_text_a_part_is_shown() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("user", None)
        text = ft.Text()
        page.add(text)
        state.bind("user", text, to=lambda user: user["email"] if user else "")

    async with HeadlessApp(main) as app:
        store(app).set("user", {"email": "ann@example.com"})
        await app.settle()
        assert app.texts() == ["ann@example.com"]


async def test_28_a_number_that_was_raised_on_another_view_is_there_on_the_way_back() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("count", 0)

        def home() -> ft.View:
            ref = ft.Ref[ft.Text]()
            view = ft.View(route="/", controls=[ft.Text(ref=ref), ft.Button("Settings", on_click=lambda: go(settings))])
            state.bind("count", ref)
            return view

        def settings() -> ft.View:
            return ft.View(
                route="/settings",
                controls=[
                    ft.Button("Increment", on_click=lambda: state.update("count", lambda n: n + 1)),
                    ft.Button("Back", on_click=lambda: go(home)),
                ],
            )

        def go(view: Callable[[], ft.View]) -> None:
            page.views.clear()
            page.views.append(view())
            page.update()

        go(home)

    async with HeadlessApp(main) as app:
        assert app.texts() == ["0"]
        await app.click("Settings")
        await app.click("Increment")
        await app.click("Increment")
        await app.click("Back")
        assert app.texts() == ["2"]


async def test_28_a_thread_may_write_what_is_on_the_screen() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.atom("n", 0)
        page.add(state.bound(ft.Text(), value="n"))

    async with HeadlessApp(main) as app:
        in_thread(lambda: store(app).set("n", 1))
        await app.settle()
        assert app.texts() == ["1"]
