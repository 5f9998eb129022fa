"""Sessions: pages that lose their client, share a store, live on other loops, and end."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp, assert_quiet, virtual_backend
from flet_asp_actors.ui.frame import ui_actor
from tests.kit.apps import store
from tests.kit.threads import in_thread

IN_VIRTUAL_TIME = pytest.mark.parametrize("anyio_backend", [virtual_backend()], ids=["virtual"])
COUNT = fa.Key("count", 0)
NAME = fa.Key("name", "")
PRICE = fa.Key("price", 0)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


# ------------------------------------------------------------------ a client that is gone


def feed_page(**settings: Any) -> Callable[[ft.Page], None]:
    """A page with a price that a service brings while somebody looks."""

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, **settings)

        async def feed(get: fa.Get, set: fa.Set) -> None:
            while True:
                set(PRICE, get(PRICE) + 1)
                await asyncio.sleep(1)

        state.service("feed", while_watched=PRICE)(feed)
        page.add(state.bound(ft.Text(), value=PRICE), state.bound(ft.Text(), value=lambda get: get(COUNT) * 2))

    return main


async def test_a_screen_that_turns_is_an_event_without_a_name() -> None:
    """What Flet hands to the page when the keyboard opens or the screen turns is no `ft.Event`."""
    insets = dict.fromkeys(("left", "top", "right", "bottom"), 0)
    media = {"padding": insets, "view_padding": insets, "view_insets": insets, "device_pixel_ratio": 2.0}
    heard: list[Any] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.bound(page, route=fa.two_way(NAME, event="route_change"))
        page.on_media_change = heard.append

    async with HeadlessApp(main) as app:
        await app.fire(app.page, "media_change", {**media, "orientation": "portrait"}, force=True)
    assert [event.orientation for event in heard] == [ft.Orientation.PORTRAIT]


@IN_VIRTUAL_TIME
async def test_keep_goes_on_without_a_client() -> None:
    async with HeadlessApp(feed_page()) as app:
        await app.disconnect()
        app.take()
        await asyncio.sleep(10.5)
        assert store(app).get(PRICE) == 11
        assert app.take() == []
        await app.reconnect()
        await app.settle()
        assert app.texts() == ["11", "0"]


@IN_VIRTUAL_TIME
@pytest.mark.parametrize("policy", ["pause", "cancel"])
async def test_pause_lets_what_is_watched_rest_until_the_client_is_back(policy: Any) -> None:
    async with HeadlessApp(feed_page(on_disconnect=policy)) as app:
        await asyncio.sleep(2.5)
        assert store(app).get(PRICE) == 3
        await app.disconnect()
        assert store(app).statistics().observed == 0
        store(app).set(COUNT, 4)
        await asyncio.sleep(100)
        assert store(app).get(PRICE) == 3
        await app.reconnect()
        await app.settle()
        assert app.texts() == ["4", "8"]
        await asyncio.sleep(2)
        await app.settle()
        assert app.texts()[0] == "6"


@IN_VIRTUAL_TIME
async def test_what_is_bound_while_nobody_looks_rests_too() -> None:
    async with HeadlessApp(feed_page(on_disconnect="pause")) as app:
        await app.disconnect()
        ran: list[int] = []

        @fa.selector
        async def slow(get: fa.Get) -> int:
            ran.append(get(COUNT))
            return get(COUNT)

        text: Any = app.page.controls[1]
        store(app).bind(slow, text)
        await asyncio.sleep(1)
        assert ran == []
        await app.reconnect()
        await app.settle()
        assert (ran, app.texts()[1]) == ([0], "0")


@fa.action
async def work(get: fa.Get, set: fa.Set) -> None:
    await asyncio.sleep(60)


@IN_VIRTUAL_TIME
async def test_cancel_waits_for_the_grace_and_a_reload_costs_nothing() -> None:
    async with HeadlessApp(feed_page(on_disconnect="cancel", grace=5)) as app:
        run = store(app).action(work)()
        await app.disconnect()
        await asyncio.sleep(4)
        await app.reconnect()
        await asyncio.sleep(10)
        assert run.state == "running"
        await app.disconnect()
        await asyncio.sleep(4.9)
        assert run.state == "running"
        await asyncio.sleep(0.2)
        assert (run.state, run.reason) == ("cancelled", "the client has disconnected")
        await app.reconnect()
        assert store(app).action(work)().state in ("pending", "running"), "the store is alive"


@IN_VIRTUAL_TIME
async def test_of_a_shared_store_the_runs_of_the_page_that_is_gone_end() -> None:
    shared = fa.StateManager()
    runs: dict[str, fa.Run[None]] = {}

    def page_called(name: str) -> Callable[[ft.Page], None]:
        def main(page: ft.Page) -> None:
            fa.get_state_manager(page, on_disconnect="cancel", grace=1)
            shared.attach(page)

            def go() -> None:
                runs[name] = shared.action(work)()

            page.add(ft.Button("go", on_click=go))

        return main

    async with HeadlessApp(page_called("one")) as one, HeadlessApp(page_called("two")) as two:
        await one.click(one.one("Button"))
        await two.click(two.one("Button"))
        runs["nobody"] = shared.action(work)()
        await one.disconnect()
        await asyncio.sleep(2)
        assert {name: run.state for name, run in runs.items()} == {
            "one": "cancelled",
            "two": "running",
            "nobody": "running",
        }
    await shared.aclose()


class Saving(ft.Button):
    """A control with an action of a store that outlives it."""

    def __init__(self, shared: fa.StateManager) -> None:
        super().__init__("Save")
        self.seen = shared.bound(ft.Text(), value=lambda get: get(shared.action(self.save).status).state)
        self.on_click = shared.action(self.save)

    async def save(self, get: fa.Get, set: fa.Set) -> None:
        await asyncio.sleep(1)
        set(COUNT, get(COUNT) + 1)


def inner_action() -> Callable[..., Any]:
    async def save(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, get(COUNT) + 1)

    return save


for_all = inner_action()
"""One that looks as if it were a page's own."""


@IN_VIRTUAL_TIME
async def test_the_actions_of_a_page_leave_a_shared_store_with_it() -> None:
    pages: list[weakref.ref[Any]] = []
    async with fa.StateManager() as shared:

        def main(page: ft.Page) -> None:
            shared.attach(page)
            saving = Saving(shared)

            @shared.action
            async def local(get: fa.Get, set: fa.Set) -> None:
                set(NAME, str(page))

            page.add(saving, saving.seen, ft.Button("Local", on_click=local))
            page.add(ft.Button("Work", on_click=shared.action(work)), ft.Button("All", on_click=shared.action(for_all)))
            pages.append(weakref.ref(page))

        async with HeadlessApp(main) as app:
            async with HeadlessApp(main) as other:
                for each in (app, other):
                    await each.click("Save")
                    await asyncio.sleep(2)
                    assert each.texts()[0] == "succeeded"
                    await each.click("Local")
                await other.click("Work")
                await other.click("Save")
                assert shared.statistics().actions == 6
            await asyncio.sleep(0.1)
            assert shared.statistics().actions == 5, "the other one saves"
            await app.click("Save")
            assert app.texts()[0] == "running", "its own are its own"
            await asyncio.sleep(2)
        await asyncio.sleep(1)
        assert shared.statistics().actions == 2, "those that others might use stay"
        assert shared.get(shared.action(work).status).state == "running"
        shared.action(work).cancel()
        await asyncio.sleep(1)
        del app, other, each
        gc.collect()
        assert [page() for page in pages] == [None, None]
        assert shared.get(COUNT) == 4


@IN_VIRTUAL_TIME
@pytest.mark.parametrize("is_shown", [False, True])
async def test_an_action_that_left_with_its_page_is_found_by_all_who_know_of_it(is_shown: bool) -> None:
    post = fa.action(inner_action())
    held: list[fa.BoundAction[..., Any]] = []
    seen: list[str] = []

    @fa.selector
    def how(get: fa.Get) -> str:
        return get(post.status).state

    async with fa.StateManager() as shared:

        def main(page: ft.Page) -> None:
            shared.attach(page)
            held.append(shared.action(Saving(shared).save))
            page.add(ft.Button("Post", on_click=shared.action(post)))
            page.add(ft.Button("Look", on_click=lambda: seen.append(shared.get(how))))

        subscription = shared.listen(how, lambda _: None) if is_shown else None
        async with HeadlessApp(main) as app:
            await app.click("Post")
            await app.click("Look")
        await asyncio.sleep(1)
        assert [*seen, shared.get(how)] == ["succeeded", "succeeded" if is_shown else "idle"]
        await shared.action(post)()
        assert shared.get(how) == shared.get(post.status).state == "succeeded"
        run = held[0]()
        assert shared.statistics().busy == 1
        shared.clear()
        await run.wait()
        assert run.state == "cancelled"
        if subscription is not None:
            subscription.close()


@IN_VIRTUAL_TIME
async def test_a_page_that_looks_like_the_one_that_is_gone_keeps_its_runs() -> None:
    """Pages are dataclasses: two that hold the same are equal, and yet two."""
    shared = fa.StateManager()
    runs: list[fa.Run[None]] = []

    def main(page: ft.Page) -> None:
        fa.get_state_manager(page, on_disconnect="cancel", grace=1)
        shared.attach(page)
        runs.append(shared.action(work)())

    async with HeadlessApp(main) as one, HeadlessApp(main) as two:
        assert one.page == two.page
        await one.disconnect()
        await asyncio.sleep(2)
        assert [run.state for run in runs] == ["cancelled", "running"]
    await shared.aclose()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("policy", ["keep", "pause", "cancel"])
async def test_the_users_own_handlers_are_called(when: str, policy: Any) -> None:
    heard: list[str] = []

    def main(page: ft.Page) -> None:
        if when == "after":
            fa.get_state_manager(page, on_disconnect=policy)
        page.on_connect = lambda: heard.append("connect")
        page.on_disconnect = lambda: heard.append("disconnect")

        async def on_close() -> None:
            heard.append("close")

        page.on_close = on_close
        if when == "before":
            fa.get_state_manager(page, on_disconnect=policy)

    async with HeadlessApp(main) as app:
        await app.disconnect()
        await app.reconnect()
        await app.close()
    assert heard == ["disconnect", "connect", "close"]


@pytest.mark.parametrize("policy", ["keep", "pause"])
async def test_rows_that_come_while_the_client_is_away_are_followed_when_it_is_back(policy: Any) -> None:
    rows = fa.Key[list[Any]]("rows", factory=list)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, on_disconnect=policy)
        page.add(state.bound(ft.Column(), controls=rows))

    async with HeadlessApp(main) as app:
        state = store(app)
        state.set(rows, [state.bound(ft.Text(), value=COUNT)])
        await app.settle()
        await app.disconnect()
        app.take()
        state.set(rows, [state.bound(ft.Text(size=20), value=lambda get: get(COUNT) * 10)])
        await app.settle()
        assert app.take() == []
        await app.reconnect()
        assert app.texts() == ["0"]
        state.set(COUNT, 1)
        await app.settle()
        assert app.texts() == ["10"]
        assert app.mirror_diff() == []
        app.page.clean()
        assert state.statistics().observed == 0


async def test_what_came_and_went_while_the_client_is_away_is_not_kept() -> None:
    def main(page: ft.Page) -> None:
        fa.get_state_manager(page)
        page.add(ft.Column())

    async with HeadlessApp(main) as app:
        column: Any = app.page.controls[0]
        await app.disconnect()
        text = store(app).bound(ft.Text(), value=COUNT)
        column.controls.append(text)
        app.page.update()
        store(app).set(COUNT, 1)
        column.controls.clear()
        app.page.update()
        kept = weakref.ref(text)
        del text
        gc.collect()
        assert kept() is None


class Broken:
    """An observer with whom everything goes wrong."""

    def rest(self) -> None:
        raise ValueError("rest")

    def resume(self) -> None:
        raise ValueError("resume")

    def leave(self) -> None:
        raise ValueError("leave")


async def test_what_goes_wrong_with_one_observer_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    errors: list[str] = []
    shared = fa.StateManager()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, on_disconnect="pause")
        state.on_error = lambda failure: errors.append(str(failure))
        ui_actor(page).join(Broken())
        page.add(shared.bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as app:
        await app.disconnect()
        assert shared.statistics().observed == 0
        await app.reconnect()
        assert shared.statistics().observed == 1
    assert shared.statistics().observed == 0
    assert errors == ["session at 'Broken': ValueError: rest", "session at 'Broken': ValueError: resume"]
    assert "session at 'Broken': ValueError: leave" in caplog.text, "the store had been closed before"
    await shared.aclose()


async def test_a_session_that_ends_while_nobody_is_there_leaves_nothing() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, on_disconnect="cancel", grace=1000)
        page.add(state.bound(ft.Text(), value=COUNT), state.bound(ft.TextField(), value=fa.two_way(NAME)))

    async with HeadlessApp(main) as app:
        state = store(app)
        await app.disconnect()
        await app.close()
        await state.aclose()
        kept: list[Any] = [weakref.ref(app.page), weakref.ref(ui_actor(app.page)), weakref.ref(state)]
    del app, state
    gc.collect()
    assert [each() for each in kept] == [None] * 3


# ------------------------------------------------------------------ who counts as an observer


async def test_a_control_that_has_not_been_on_a_page_has_nothing_run_for_it() -> None:
    ran: list[str] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        @fa.selector(initial="nothing yet")
        async def slow(get: fa.Get) -> str:
            ran.append("selector")
            return "done"

        async def feed(get: fa.Get, set: fa.Set) -> None:
            ran.append("service")
            await asyncio.sleep(3600)

        state.service("feed", while_watched=PRICE)(feed)
        page.data = [
            state.bound(ft.Text(), value=slow),
            state.bound(ft.Text(), value=lambda get: f"at {get(PRICE)}"),
            state.bound(ft.Text(), value=COUNT),
        ]

    async with HeadlessApp(main) as app:
        await app.settle()
        controls: list[ft.Text] = app.page.data
        assert (ran, [text.value for text in controls]) == ([], ["nothing yet", "at 0", 0])
        store(app).set(COUNT, 1)
        assert (ran, [text.value for text in controls]) == ([], ["nothing yet", "at 0", 1]), "assigned all the same"
        app.page.add(*controls)
        await app.settle()
        assert (sorted(ran), app.texts()) == (["selector", "service"], ["done", "at 0", "1"])
        app.page.controls.clear()
        app.page.update()
        assert store(app).statistics().observed == 0


async def test_what_a_hidden_control_comes_to_need_is_not_run_for_it() -> None:
    ran: list[int] = []

    @fa.selector(initial="nothing yet")
    async def slow(get: fa.Get) -> str:
        ran.append(get(COUNT))
        return "done"

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.data = state.bound(ft.Text(), value=lambda get: get(slow) if get(COUNT) else "off")

    async with HeadlessApp(main) as app:
        store(app).set(COUNT, 1)
        await app.settle()
        assert (ran, app.page.data.value) == ([], "nothing yet")
        app.page.add(app.page.data)
        await app.settle()
        assert (ran, app.texts()) == ([1], ["done"])


# ------------------------------------------------------------------ shared stores


async def test_one_selector_over_a_shared_store_and_that_of_the_session() -> None:
    shared = fa.StateManager()
    rate = shared.atom("rate", 2)

    @fa.selector
    def cost(get: fa.Get) -> int:
        return get(rate) * get(COUNT)

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(state.bound(ft.Text(), value=cost))

    async with HeadlessApp(main) as one, HeadlessApp(main) as two:
        store(one).set(COUNT, 3)
        store(two).set(COUNT, 4)
        rate.value = 10
        await one.settle()
        await two.settle()
        assert (one.texts(), two.texts()) == (["30"], ["40"])
    rate.value = 11
    await shared.aclose()


async def test_a_page_that_ends_lets_go_of_a_shared_store_at_once() -> None:
    shared = fa.StateManager()

    def main(page: ft.Page) -> None:
        page.add(shared.bound(ft.Text(), value=COUNT), shared.bound(ft.TextField(), value=fa.two_way(NAME)))

    async with HeadlessApp(main) as app:
        assert shared.statistics().observed == 2
        page = weakref.ref(app.page)
    assert shared.statistics().observed == 0, "although the controls are still there"
    del app
    gc.collect()
    assert page() is None
    await shared.aclose()


async def test_detaching_leaves_the_bindings_and_ends_the_rest() -> None:
    shared = fa.StateManager()

    def main(page: ft.Page) -> None:
        shared.attach(page)
        shared.attach(page)
        page.add(shared.bound(ft.Text(), value=COUNT))

    async with HeadlessApp(main) as app:
        shared.detach(app.page)
        shared.detach(app.page)
        assert shared.page is None
        shared.set(COUNT, 1)
        await app.settle()
        assert app.texts() == ["1"]
    await shared.aclose()


# ------------------------------------------------------------------ other threads and loops


@asynccontextmanager
async def elsewhere(main: Callable[[ft.Page], None]) -> AsyncGenerator[tuple[HeadlessApp, Callable[..., Any]]]:
    """A page that is served by a loop on another thread, and a way to have something done there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    app = HeadlessApp(main)

    async def there(work: Any) -> Any:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))

    try:
        await there(app.__aenter__())
        try:
            yield app, there
        finally:
            await there(app.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        loop.close()


async def test_a_page_on_another_loop_is_assigned_to_there_once_for_many_writes() -> None:
    async with fa.StateManager() as shared:
        threads: set[int] = set()
        seen: list[int] = []

        def text(value: int) -> str:
            threads.add(threading.get_ident())
            seen.append(value)
            return f"n={value}"

        def main(page: ft.Page) -> None:
            page.data = ft.Text()
            page.add(page.data)
            shared.bind(COUNT, page.data, to=text)

        async with elsewhere(main) as (app, there):
            await there(app.settle())
            page_thread = await there(asyncio.to_thread(lambda: None)) or next(iter(threads))
            busy, go = threading.Event(), threading.Event()

            async def block() -> None:
                busy.set()
                go.wait(5)  # the page's loop is to stand still

            blocked = asyncio.ensure_future(there(block()))
            await asyncio.to_thread(busy.wait, 5)
            seen.clear()
            for each in range(1, 1001):
                shared.set(COUNT, each)
            assert seen == [], "nothing is shown from here"
            go.set()
            await blocked
            await there(app.settle())
            assert app.texts() == ["n=1000"]
            assert seen == [1000]
            assert threads == {page_thread}
            assert page_thread != threading.get_ident()


async def test_what_is_entered_on_another_loop_reaches_the_store_and_is_not_sent_back() -> None:
    async with fa.StateManager() as shared:

        def main(page: ft.Page) -> None:
            page.add(
                shared.bound(ft.TextField(), value=fa.two_way(NAME)),
                shared.bound(ft.Text(), value=lambda get: get(NAME).upper()),
            )

        async with elsewhere(main) as (app, there):
            for text in ("a", "ab", "abc"):
                await there(app.type(app.one("TextField"), text))
            await shared.wait_for(NAME, lambda name: name == "abc")
            await there(app.settle())
            assert (app.one("TextField")["value"], app.texts()) == ("abc", ["ABC"])
            assert app.mirror_diff() == []


async def test_what_begins_with_an_event_on_another_loop_goes_on_there_and_ends_with_the_page() -> None:
    async with fa.StateManager() as shared:
        threads: list[threading.Thread] = []

        async def later(_: Any) -> None:
            threads.append(threading.current_thread())
            try:
                await asyncio.Event().wait()
            finally:
                threads.append(threading.current_thread())

        def main(page: ft.Page) -> None:
            threads.append(threading.current_thread())
            field = ft.TextField()
            shared.bind_two_way(NAME, field, on_input_change=later)
            page.add(field)

        async with elsewhere(main) as (app, there):
            await there(app.type(app.one("TextField"), "a"))
            await there(app.settle())
            assert_quiet(shared)
            assert threads[1:] == threads[:1] != [threading.current_thread()]
        assert threads == threads[:1] * 3


async def test_pages_on_two_loops_and_a_thread_that_writes() -> None:
    async with fa.StateManager() as shared:

        def main(page: ft.Page) -> None:
            shared.attach(page)
            page.add(shared.bound(ft.Text(), value=COUNT))

        async with HeadlessApp(main) as one, elsewhere(main) as (two, there):
            await asyncio.to_thread(lambda: [shared.set(COUNT, each) for each in range(1, 101)][-1].wait(5))
            await one.settle()
            await there(two.settle())
            assert (one.texts(), two.texts()) == (["100"], ["100"])
            await there(two.disconnect())
            shared.set(COUNT, 200)
            await there(two.reconnect())
            await there(two.settle())
            assert two.texts() == ["200"]


async def test_flushed_waits_for_values_that_are_on_their_way_to_another_loop() -> None:
    async with fa.StateManager() as shared:

        def main(page: ft.Page) -> None:
            shared.attach(page)
            page.add(shared.bound(ft.Text(), value=COUNT))

        async with elsewhere(main) as (app, _):
            for each in range(1, 51):
                shared.set(COUNT, each)
                await shared.flushed()
                assert app.texts() == [str(each)]


async def test_flushed_returns_when_the_loop_of_a_page_dies() -> None:
    async with fa.StateManager() as shared:

        def main(page: ft.Page) -> None:
            shared.attach(page)
            page.add(shared.bound(ft.Text(), value=COUNT))

        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        app = HeadlessApp(main)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(app.__aenter__(), loop))
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        shared.set(COUNT, 1)  # to a loop that stands still
        waiting = asyncio.create_task(shared.flushed())
        await asyncio.sleep(0)
        assert not waiting.done()
        loop.close()
        await waiting
        await shared.flushed()


def test_a_page_whose_loop_has_ended_on_this_thread_disturbs_nobody() -> None:
    shared = fa.StateManager()
    heard: list[int] = []
    apps: list[HeadlessApp] = []

    def main(page: ft.Page) -> None:
        shared.attach(page)
        page.add(shared.bound(ft.Text(), value=COUNT))

    async def serve() -> None:
        apps.append(await HeadlessApp(main).__aenter__())

    async def go_on() -> None:
        shared.set(COUNT, 2)
        await shared.flushed()
        await shared.aclose()

    asyncio.run(serve())
    shared.listen(COUNT, heard.append, immediate=False)
    shared.set(COUNT, 1)
    asyncio.run(go_on())
    assert heard == [1, 2]


class Failing:
    """A value that cannot be shown."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def show(self) -> None:
        raise ValueError("not shown")

    def report(self, error: BaseException) -> None:
        self.errors.append(str(error))


async def test_a_value_that_cannot_be_shown_keeps_nothing_from_the_others() -> None:
    async with fa.StateManager() as shared:

        def main(page: ft.Page) -> None:
            shared.attach(page)
            page.add(shared.bound(ft.Text(), value=COUNT))

        async with elsewhere(main) as (app, there):
            failing = Failing()

            async def post() -> None:
                ui_actor(app.page).post(failing)
                await asyncio.to_thread(lambda: shared.set(COUNT, 1).wait(5))

            await there(post())
            await there(app.settle())
            assert (app.texts(), failing.errors) == (["1"], ["not shown"])


async def test_a_value_for_a_page_whose_loop_has_ended_disturbs_nobody() -> None:
    async with fa.StateManager() as shared:
        kept: list[ft.Control] = []

        def main(page: ft.Page) -> None:
            kept.append(shared.bound(ft.Text(), value=COUNT))
            page.add(*kept)

        async with elsewhere(main) as (app, there):
            await there(app.settle())
        shared.set(COUNT, 1)
        del app, there
        assert shared.get(COUNT) == 1


async def test_handlers_on_threads_are_on_screen_within_a_frame_of_an_idle_app() -> None:
    started = threading.Event()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def work() -> None:
            state.set(COUNT, state.get(COUNT) + 1)
            started.set()

        page.add(
            state.bound(ft.Text(), value=COUNT),
            ft.Button("pool", on_click=lambda: page.run_thread(work)),
            ft.Button("raw", on_click=lambda: threading.Thread(target=work).start()),
        )

    async with HeadlessApp(main) as app:
        for each, button in enumerate(app.find("Button"), 1):
            started.clear()
            await app.click(button)
            await asyncio.to_thread(started.wait, 5)
            await store(app).wait_for(COUNT, each.__eq__)
            await app.settle()
            assert app.texts()[0] == str(each)


async def test_a_page_keeps_one_ui_actor_for_all_its_stores() -> None:
    shared = fa.StateManager()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(
            ft.Row([state.bound(ft.Text(), value=COUNT), shared.bound(ft.Text(), value=COUNT)]),
        )

    async with HeadlessApp(main) as app:
        before = ui_actor(app.page).frames
        store(app).set(COUNT, 1)
        shared.set(COUNT, 2)
        await app.settle()
        assert app.texts() == ["1", "2"]
        assert ui_actor(app.page).frames == before + 1
    await shared.aclose()


# ------------------------------------------------------------------ nobody there


async def test_what_is_added_while_nobody_looks_rests_and_is_right_when_somebody_does() -> None:
    async with HeadlessApp(lambda page: None) as app:
        state = fa.get_state_manager(app.page, on_disconnect="pause")
        await app.disconnect()
        app.page.add(state.bound(ft.Text(), value=COUNT))
        assert state.statistics().observed == 0
        state.set(COUNT, 7)
        await app.reconnect()
        assert app.texts() == ["7"]
        assert state.statistics().observed == 1


def test_a_page_whose_loop_has_ended_on_another_thread_disturbs_nobody() -> None:
    shared = fa.StateManager()
    heard: list[int] = []
    kept: list[Any] = []

    def main(page: ft.Page) -> None:
        shared.attach(page)
        text = shared.bound(ft.Text(), value=COUNT)
        page.add(text)
        kept.append(text)

    async def serve() -> None:
        kept.append(await HeadlessApp(main).__aenter__())

    async def go_on() -> None:
        for n in (1, 2):
            shared.set(COUNT, n)
        await shared.flushed()
        await shared.aclose()

    in_thread(lambda: asyncio.run(serve()))
    shared.listen(COUNT, heard.append, immediate=False)
    asyncio.run(go_on())
    assert (heard, kept[0].value) == ([1, 2], 0)


def test_a_client_that_comes_back_to_another_loop_sees_what_the_last_one_has_not_shown() -> None:
    shared = fa.StateManager()
    apps: list[HeadlessApp] = []

    def main(page: ft.Page) -> None:
        shared.attach(page)
        page.add(shared.bound(ft.Text(), value=COUNT))

    async def serve() -> None:
        apps.append(await HeadlessApp(main).__aenter__())

    async def go_on() -> None:
        app = apps[0]
        app._loop = asyncio.get_running_loop()  # pyright: ignore[reportPrivateUsage]  # what serves it is another one
        await app.disconnect()
        await app.reconnect()
        await shared.flushed()
        await app.settle()
        assert app.texts() == ["1"]
        await app.close()
        await shared.aclose()

    asyncio.run(serve())
    in_thread(lambda: shared.set(COUNT, 1))
    asyncio.run(go_on())
