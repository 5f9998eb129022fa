# ruff: noqa: N802  # components are named as controls are
"""Hooks: a component is rendered when what it has read changes, once a frame, and watches as long as it is there."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any, cast

import anyio
import flet as ft
import pytest
from flet.components.utils import current_component

import flet_asp_actors as fa
from examples import components
from flet_asp_actors.core.evaluate import evaluating
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from tests.kit.apps import store
from tests.kit.threads import in_thread

N = fa.Key("n", 0)
M = fa.Key("m", 0)
ITEM = fa.Key("item", "")
renders: list[str] = []

IN_VIRTUAL_TIME = pytest.mark.parametrize("anyio_backend", [virtual_backend()], ids=["virtual"])


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


@pytest.fixture(autouse=True)
def no_renders() -> Iterator[None]:
    renders.clear()
    yield
    renders.clear()


def shows(app: Callable[..., Any], *args: Any) -> HeadlessApp:
    """An app of one component."""
    return HeadlessApp(lambda page: page.render(app, *args))


def failures(state: fa.StateManager) -> list[fa.Failure]:
    found: list[fa.Failure] = []
    state.on_error = found.append
    return found


async def until(is_so: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    with anyio.fail_after(10):
        while not is_so():  # noqa: ASYNC110  # nobody would set an event
            await asyncio.sleep(0)


async def crash(app: Callable[..., Any]) -> str:
    """What is said of an app that cannot be rendered."""
    async with HeadlessApp(lambda page: page.render(app), allow_crash=True) as broken:
        return broken.crashes[0]


def watched(node: Any) -> int:
    """How many watch the node of an atom or selector."""
    return len(node.dependents or ())


def node(state: fa.StateManager, key: Any) -> Any:
    return state.find(key)


# ------------------------------------------------------------------ rendering


@ft.component
def Counter() -> ft.Control:
    renders.append("counter")
    n, set_n = fa.use_atom(N)
    return ft.Column([ft.Text(str(n)), ft.Button("add", on_click=lambda: set_n(n + 1))])


@ft.component
def Label(name: str = "label") -> ft.Control:
    renders.append(name)
    return ft.Text(f"{name} {fa.use_value(N)}")


@ft.component
def Other() -> ft.Control:
    renders.append("other")
    return ft.Text(f"other {fa.use_value(M)}")


async def test_a_set_in_a_handler_shows_at_the_next_frame() -> None:
    async with shows(Counter) as app:
        assert app.texts() == ["0"]
        await app.click("add")
        await app.click("add")
        assert app.texts() == ["2"]
        assert renders == ["counter"] * 3
        assert app.mirror_diff() == []


async def test_only_who_has_read_it_is_rendered() -> None:
    async with HeadlessApp(lambda page: page.render(lambda: [Label(), Other()])) as app:
        renders.clear()
        store(app).set(M, 1)
        await app.settle()
        assert renders == ["other"]
        store(app).set(M, 1)
        await app.settle()
        assert renders == ["other"], "equal is no change"
        assert app.texts() == ["label 0", "other 1"]


async def test_many_writes_and_many_hooks_are_one_rendering_and_one_frame_each() -> None:
    @ft.component
    def Both(name: str) -> ft.Control:
        renders.append(name)
        double = fa.use_value(lambda get: get(N) * 2)
        return ft.Text(f"{fa.use_value(N)} {double} {fa.use_value(M)}")

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def write() -> None:
            for i in range(1, 101):
                state.set(N, i)
                state.set(M, i)

        page.render(lambda: [ft.Button("write", on_click=write), *(Both(str(i)) for i in range(10))])

    async with HeadlessApp(main) as app:
        renders.clear()
        app.take()
        await app.click("write")
        assert sorted(renders) == sorted(map(str, range(10)))
        assert len(app.take()) == 10, "a frame for each component: Flet pushes them one by one"
        assert app.texts() == ["100 200 100"] * 10


async def test_a_parent_and_its_children_are_rendered_once() -> None:
    """In whatever order Flet takes them: a child is not asked for before its parent."""

    @ft.component
    def Outer(depth: int) -> ft.Control:
        renders.append(f"outer {depth}")
        n = fa.use_value(N)
        return ft.Column([ft.Text(f"{depth}:{n}"), *([Outer(depth - 1), Outer(depth - 1)] if depth else [])])

    async with shows(Outer, 3) as app:
        once = sorted(renders)
        assert len(once) == 15
        for i in range(1, 6):
            renders.clear()
            app.take()
            store(app).set(N, i)
            await app.settle()
            assert sorted(renders) == once
            assert len(app.take()) == 1


async def test_a_child_of_a_memoised_parent_is_rendered_alone() -> None:
    @ft.component
    def Parent(x: int) -> ft.Control:
        renders.append("parent")
        return ft.Column([Label("child")])

    kept = cast("Any", ft).memo(Parent)

    @ft.component
    def Root() -> ft.Control:
        renders.append("root")
        return ft.Column([ft.Text(f"root {fa.use_value(N)}"), kept(1)])

    async with shows(Root) as app:
        renders.clear()
        store(app).set(N, 1)
        await app.settle()
        assert app.texts() == ["root 1", "child 1"]
        assert sorted(renders) == ["child", "root"]


async def test_frames_keep_to_the_rate_of_the_page() -> None:
    def main(page: ft.Page) -> None:
        fa.get_state_manager(page, max_fps=1)
        page.render(Label)

    async with HeadlessApp(main) as app:
        renders.clear()
        for i in range(1, 50):
            store(app).set(N, i)
            await asyncio.sleep(0)
        assert len(renders) == 1, "the first at once, the others are to come in one"
        await app.settle()
        assert renders == ["label"] * 2
        assert app.texts() == ["label 49"]


test_frames_keep_to_the_rate_of_the_page = IN_VIRTUAL_TIME(test_frames_keep_to_the_rate_of_the_page)


async def test_flushed_waits_for_components() -> None:
    async with shows(Label) as app:
        store(app).set(N, 7)
        await store(app).flushed()
        assert app.texts() == ["label 7"]


async def test_a_change_between_rendering_and_mounting_is_not_missed() -> None:
    class Noisy(ft.Text):
        def did_mount(self) -> None:
            fa.current().set(N, 5)

    @ft.component
    def Mounting() -> ft.Control:
        return ft.Column([Noisy("noisy"), Label()])

    async with shows(Mounting) as app:
        assert app.texts() == ["noisy", "label 5"]


async def test_a_handler_given_later_sees_what_is_current() -> None:
    """The classic of closures: the handler of this rendering has the value of this rendering."""
    async with shows(Counter) as app:
        store(app).set(N, 10)
        await app.settle()
        await app.click("add")
        assert app.texts() == ["11"]


# ------------------------------------------------------------------ what can be read


async def test_a_key_that_changes_between_renderings_is_followed() -> None:
    @ft.component
    def Item() -> ft.Control:
        which = fa.use_value(N)
        return ft.Text(fa.use_value(ITEM[which]))

    async with shows(Item) as app:
        state = store(app)
        for i in range(3):
            state.set(ITEM[i], f"item {i}")
        await app.settle()
        assert app.texts() == ["item 0"]
        state.set(N, 2)
        await app.settle()
        assert app.texts() == ["item 2"]
        assert watched(node(state, ITEM[0])) == 0
        assert watched(node(state, ITEM[2])) == 1
        app.take()
        state.set(ITEM[0], "unseen")
        await app.settle()
        assert app.take() == []
        state.set(ITEM[2], "seen")
        await app.settle()
        assert app.texts() == ["seen"]


async def test_a_function_in_place_has_the_values_of_its_rendering_and_leaves_nothing() -> None:
    cleaned: list[int] = []

    @ft.component
    def Sum() -> ft.Control:
        renders.append("sum")
        factor = fa.use_value(M)

        def scaled(get: fa.Get) -> int:
            get.on_cleanup(lambda: cleaned.append(factor))
            return get(N) * factor

        return ft.Text(str(fa.use_value(scaled)))

    async with shows(Sum) as app:
        state = store(app)
        state.set(N, 2)
        before = state.statistics()
        for i in range(1, 30):
            state.set(M, i)
            await app.settle()
            assert app.texts() == [str(2 * i)]
        assert watched(node(state, N)) == 1
        assert state.statistics().selectors == before.selectors
        assert cleaned[-1] == 28
        assert len(state.scope.cleanups) == 1
        gc.collect()
        assert sum(type(each).__name__ == "Use" and each.node.key != M for each in gc.get_objects()) <= 1
        renders.clear()
    assert len(state.scope.cleanups) == 0


async def test_a_function_renders_only_if_its_result_is_another() -> None:
    @ft.component
    def Parity() -> ft.Control:
        renders.append("parity")
        return ft.Text(fa.use_value(lambda get: "odd" if get(N) % 2 else "even"))

    async with shows(Parity) as app:
        renders.clear()
        store(app).set(N, 2)
        await app.settle()
        assert renders == []
        store(app).set(N, 3)
        await app.settle()
        assert app.texts() == ["odd"]


async def test_a_function_made_once_is_not_called_for_a_rendering() -> None:
    calls: list[int] = []

    def double(get: fa.Get) -> int:
        calls.append(get(N))
        return get(N) * 2

    @ft.component
    def Double() -> ft.Control:
        return ft.Text(f"{fa.use_value(double)} {fa.use_value(M)}")

    async with shows(Double) as app:
        store(app).set(M, 1)
        await app.settle()
        store(app).set(N, 1)
        await app.settle()
        assert app.texts() == ["2 1"]
        assert calls == [0, 1]


async def test_edits_in_place_are_seen() -> None:
    items = fa.Key[list[str]]("items", factory=list)

    @ft.component
    def Items() -> ft.Control:
        return ft.Column([ft.Text(each) for each in fa.use_value(items)])

    async with shows(Items) as app:
        store(app).mutate(items, lambda it: it.append("a"))
        await app.settle()
        store(app).mutate(items, lambda it: it.append("b"))
        await app.settle()
        assert app.texts() == ["a", "b"]


async def test_a_name_is_a_key_once_it_is_declared() -> None:
    @ft.component
    def Named() -> ft.Control:
        value, set_value = fa.use_atom("name")
        return ft.Button(value, on_click=lambda: set_value("set"))

    def main(page: ft.Page) -> None:
        fa.get_state_manager(page).atom("name", "first")
        page.render(Named)

    async with HeadlessApp(main) as app:
        await app.click("first")
        assert app.one("Button")["content"] == "set"
    assert "UnknownKeyError: 'name' is not declared" in await crash(Named)


@IN_VIRTUAL_TIME
async def test_an_async_selector_gives_its_initial_value_then_the_value_and_its_status() -> None:
    @fa.selector(initial=-1)
    async def later(get: fa.Get) -> int:
        n = get(N)
        await asyncio.sleep(1)
        if n == 2:
            raise ValueError("two")
        return n * 10

    @ft.component
    def Later() -> ft.Control:
        value = fa.use_value(later)
        status = fa.use_status(later)
        renders.append(f"{value} {status.state}")
        return ft.Text(f"{value} {status.state} {status.message}".strip())

    async with shows(Later) as app:
        state = store(app)
        found = failures(state)
        assert app.texts() == ["-1 loading"]
        await state.settled()
        await app.settle()
        assert app.texts() == ["0 ready"]
        state.set(N, 1)
        await app.settle()
        assert app.texts() == ["0 refreshing"]
        await state.settled()
        await app.settle()
        assert app.texts() == ["10 ready"]
        state.set(N, 2)
        await state.settled()
        await app.settle()
        assert app.texts() == ["10 failed two"], "the last value is kept"
        assert [str(each.error) for each in found] == ["two"], "and it is told once"
        state.set(N, 3)
        await state.settled()
        await app.settle()
        assert app.texts() == ["30 ready"]


@IN_VIRTUAL_TIME
async def test_a_failure_before_there_was_a_value_keeps_what_was_shown() -> None:
    @fa.selector
    async def never(get: fa.Get) -> int:
        await asyncio.sleep(1)
        raise ValueError("never")

    @ft.component
    def Never() -> ft.Control:
        return ft.Text(f"{fa.use_value(never)} {fa.use_status(never).state}")

    async with shows(Never) as app:
        failures(store(app))
        assert app.texts() == ["None loading"]
        await store(app).settled()
        await app.settle()
        assert app.texts() == ["None failed"]


async def test_a_failing_selector_keeps_the_value_and_one_without_a_value_raises() -> None:
    @fa.selector
    def inverse(get: fa.Get) -> float:
        return 1 / get(N)

    @ft.component
    def Inverse() -> ft.Control:
        value = fa.use_value(inverse)
        return ft.Text(f"{value} {fa.use_value(M)}")

    def main(page: ft.Page) -> None:
        fa.get_state_manager(page).set(N, 2)
        page.render(Inverse)

    async with HeadlessApp(main) as app:
        state = store(app)
        found = failures(state)
        state.set(N, 0)
        await app.settle()
        state.set(M, 1)
        await app.settle()
        assert app.texts() == ["0.5 1"]
        assert [type(each.error) for each in found] == [ZeroDivisionError]
        assert "Inverse" in found[0].actor
        state.set(N, 4)
        await app.settle()
        assert app.texts() == ["0.25 1"]
    assert "ZeroDivisionError" in await crash(Inverse)


@pytest.mark.parametrize("is_asked", [False, True])
async def test_a_value_that_fails_before_it_is_shown_is_shown_when_it_comes_back(is_asked: bool) -> None:
    rendered: list[str] = []

    @fa.selector
    def inverse(get: fa.Get) -> float:
        return 1 / get(N)

    @ft.component
    def Inverse() -> ft.Control:
        rendered.append(f"{fa.use_value(inverse)} {fa.use_value(M)}")
        return ft.Text(rendered[-1])

    def main(page: ft.Page) -> None:
        fa.get_state_manager(page).set(N, 2)
        page.render(Inverse)

    async with HeadlessApp(main) as app:
        state = store(app)
        failures(state)
        state.set(N, 4)
        if is_asked:
            await asyncio.sleep(0)  # the frame has asked for the component, and it is not rendered yet
            assert rendered == ["0.5 0"]
        state.set(N, 0)
        await app.settle()
        assert app.texts() == ["0.5 0"]
        state.set(N, 4)
        await app.settle()
        assert app.texts() == ["0.25 0"]
        state.set(N, 0)
        state.set(M, 1)
        await app.settle()
        assert app.texts() == ["0.25 1"]
        del rendered[:]
        state.set(N, 4)
        await app.settle()
        assert rendered == [], "it shows that already"


async def test_the_value_of_one_key_is_not_shown_for_another_that_fails() -> None:
    @fa.family
    def inverse(get: fa.Get, n: int) -> float:
        return 1 / n

    @ft.component
    def Inverse() -> ft.Control:
        return ft.Text(str(fa.use_value(inverse(fa.use_value(N)))))

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.set(N, 1)

        def zero() -> None:
            state.set(N, 0)
            page.update()

        page.render(lambda: [Inverse(), ft.Button("zero", on_click=zero)])

    async with HeadlessApp(main, allow_crash=True) as app:
        assert app.texts() == ["1.0"]
        await app.click("zero")
        assert "ZeroDivisionError" in app.crashes[0]


async def test_an_error_in_a_rendering_does_not_end_all_renderings() -> None:
    @ft.component
    def Breaking() -> ft.Control:
        n = fa.use_value(N)
        if n == 1:
            raise RuntimeError("broken")
        return ft.Text(f"breaking {n}")

    told: list[Any] = []
    async with HeadlessApp(lambda page: page.render(lambda: [Breaking(), Other()])) as app:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        store(app).set(N, 1)
        await app.settle()
        store(app).set(M, 1)
        await app.settle()
        assert app.texts() == ["breaking 0", "other 1"]
        store(app).set(N, 2)
        await app.settle()
        assert app.texts() == ["breaking 2", "other 1"]
        gc.collect()
        assert [str(each) for each in told] == ["broken"], "by asyncio, whose task it was"


async def test_a_component_that_cannot_be_rendered_does_not_hold_up_those_within_it() -> None:
    @ft.component
    def Breaking() -> ft.Control:
        if fa.use_value(N) == 1:
            raise RuntimeError("broken")
        return ft.Column([Label("within")])

    told: list[Any] = []
    async with shows(Breaking) as app:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        store(app).set(N, 1)
        await app.settle()
        assert app.texts() == ["within 1"]
        store(app).set(N, 2)
        await app.settle()
        assert app.texts() == ["within 2"]
        gc.collect()
        assert {str(each) for each in told} == {"broken"}


async def test_the_setter_and_the_action_are_the_same_at_each_rendering() -> None:
    @fa.action
    def add(get: fa.Get, set: fa.Set, by: int = 1) -> None:
        set(N, get(N) + by)

    seen: list[tuple[Any, Any]] = []

    @ft.component
    def Stable() -> ft.Control:
        n, set_n = fa.use_atom(N)
        go = fa.use_action(add)
        seen.append((set_n, go))
        return ft.Column([ft.Text(str(n)), ft.Button("add", on_click=go), ft.Button("two", on_click=lambda: go(2))])

    async with shows(Stable) as app:
        await app.click("add")
        await app.click("two")
        await store(app).settled()
        await app.settle()
        assert app.texts() == ["3"]
        assert len(seen) == 3
        assert len({id(set_n) for set_n, _ in seen}) == 1
        assert all(go is store(app).action(add) for _, go in seen)


@IN_VIRTUAL_TIME
async def test_the_status_of_an_action() -> None:
    @fa.action(policy="droppable")
    async def save(get: fa.Get, set: fa.Set) -> str:
        await asyncio.sleep(1)
        return "saved"

    @ft.component
    def Save() -> ft.Control:
        go = fa.use_action(save)
        status = fa.use_status(save)
        assert fa.use_status(go) is status
        return ft.Button(status.value or status.state, on_click=go, disabled=status.is_busy)

    async with shows(Save) as app:
        await app.click("idle")
        assert app.one("Button")["disabled"]
        await store(app).settled()
        await app.settle()
        assert app.one("Button", content="saved")["disabled"] is False


# ------------------------------------------------------------------ stores, threads, sessions


async def test_what_a_global_store_has_is_shown_in_every_session_and_what_a_page_has_in_its_own() -> None:
    room = fa.StateManager()
    shared = room.atom(fa.Key("shared", 0))

    @fa.action
    def bump(get: fa.Get, set: fa.Set) -> None:
        set(shared, get(shared) + 1)

    everywhere = room.action(bump)
    pages: list[Any] = []

    @ft.component
    def Shared() -> ft.Control:
        pages.append(ft.context.page)
        own, set_own = fa.use_atom(N)
        return ft.Column(
            [
                ft.Text(f"{fa.use_value(shared)} {own}"),
                ft.Button("own", on_click=lambda: set_own(own + 1)),
                ft.Button("all", on_click=fa.use_action(everywhere)),
            ]
        )

    async with shows(Shared) as one, shows(Shared) as two:
        pages.clear()
        await one.click("own")
        assert set(map(id, pages)) == {id(one.page)}, "the other session is not rendered"
        pages.clear()
        await one.click("all")
        await room.settled()
        await one.settle()
        await two.settle()
        assert one.texts() == ["1 1"]
        assert two.texts() == ["1 0"]
        assert sorted(map(id, pages)) == sorted([id(one.page), id(two.page)]), "each once, each in its own context"
    assert watched(shared) == 0
    await room.aclose()


async def test_a_run_of_another_store_that_updates_the_page_renders_with_the_store_of_the_page() -> None:
    room = fa.StateManager()
    page: list[ft.Page] = []

    @room.action
    def update(get: fa.Get, set: fa.Set) -> None:
        page[0].update()

    async with shows(Label) as app:
        page.append(app.page)
        store(app).set(N, 3)
        await update()
        await app.settle()
        assert app.texts() == ["label 3"]
    assert not room.has(N)
    await room.aclose()


async def test_a_write_of_a_thread_renders_on_the_loop() -> None:
    threads: list[int] = []

    @ft.component
    def Here() -> ft.Control:
        threads.append(threading.get_ident())
        return ft.Text(str(fa.use_value(N)))

    async with shows(Here) as app:
        state = store(app)

        def work() -> None:
            for i in range(1, 101):
                state.set(N, i).wait(10)

        await asyncio.to_thread(work)
        await app.settle()
        assert app.texts() == ["100"]
        assert set(threads) == {threading.get_ident()}


async def test_a_store_on_the_loop_of_another_thread() -> None:
    ready, over = threading.Event(), threading.Event()
    made: list[Any] = []

    def serve() -> None:
        async def main() -> None:
            async with fa.StateManager() as room:
                made.extend((room, room.atom(fa.Key("far", 0))))
                ready.set()
                await asyncio.to_thread(over.wait)

        asyncio.run(main())

    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait(10)
    room, far = made

    @ft.component
    def Far() -> ft.Control:
        renders.append(str(threading.get_ident()))
        return ft.Text(str(fa.use_value(far)))

    try:
        async with shows(Far) as app:
            await asyncio.to_thread(lambda: room.set(far, 5).wait(10))
            await until(lambda: app.texts() == ["5"])
            assert set(renders) == {str(threading.get_ident())}
        assert watched(far) == 0
    finally:
        over.set()
        await asyncio.to_thread(thread.join)


@pytest.mark.parametrize("policy", ["keep", "pause"])
async def test_a_client_that_comes_back_sees_what_is_current(policy: Any) -> None:
    def main(page: ft.Page) -> None:
        fa.get_state_manager(page, on_disconnect=policy)
        page.render(Label)

    async with HeadlessApp(main) as app:
        await app.disconnect()
        atom = node(store(app), N)
        assert watched(atom) == (policy == "keep")
        renders.clear()
        for i in range(1, 10):
            store(app).set(N, i)
            await asyncio.sleep(0)
        assert renders == []
        await app.reconnect()
        assert app.texts() == ["label 9"]
        assert watched(atom) == 1
        store(app).set(N, 10)
        await app.settle()
        assert app.texts() == ["label 10"]


async def test_a_client_that_comes_back_and_has_missed_nothing_renders_nothing() -> None:
    def main(page: ft.Page) -> None:
        fa.get_state_manager(page, on_disconnect="pause")
        page.render(Label)

    async with HeadlessApp(main) as app:
        renders.clear()
        await app.disconnect()
        await app.reconnect()
        assert renders == []
        store(app).set(N, 1)
        await app.settle()
        assert (app.texts(), renders) == (["label 1"], ["label"])


async def test_a_client_that_is_lost_between_the_frame_and_the_rendering() -> None:
    async with shows(Label) as app:
        store(app).set(N, 1)
        # As a string, because the name is mangled: asked for, and not rendered yet.
        await until(lambda: bool(getattr(app.session, "_Session__pending_updates")))  # noqa: B009
        await app.disconnect()
        await app.reconnect()
        assert app.texts() == ["label 1"]


# ------------------------------------------------------------------ life


async def test_a_component_that_leaves_watches_nothing_and_one_that_comes_back_does() -> None:
    @ft.component
    def Root() -> ft.Control:
        return ft.Column([Label()] if fa.use_value(M) else [ft.Text("nothing")])

    async with shows(Root) as app:
        state = store(app)
        atom = node(state, N)
        for _ in range(3):
            assert watched(atom) == 0
            state.set(M, 1)
            await app.settle()
            assert watched(atom) == 1
            state.update(N, lambda n: n + 1)
            await app.settle()
            assert app.texts() == [f"label {state.get(N)}"]
            state.set(M, 0)
            await app.settle()
        assert watched(atom) == 0
        renders.clear()
        state.set(N, 99)
        await app.settle()
        assert renders == []


async def test_a_service_runs_while_a_component_watches() -> None:
    stopped = asyncio.Event()

    @ft.component
    def Root() -> ft.Control:
        return ft.Column([Label()] if fa.use_value(M) else [])

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        @state.service(while_watched=N)
        async def feed(get: fa.Get, set: fa.Set) -> None:
            set(N, 42)
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()

        page.render(Root)

    async with HeadlessApp(main) as app:
        store(app).set(M, 1)
        await app.settle()
        assert app.texts() == ["label 42"]
        store(app).set(M, 0)
        await app.settle()
        assert stopped.is_set()


async def test_nothing_of_a_session_survives_its_close() -> None:
    room = fa.StateManager()
    shared = room.atom(fa.Key("shared", 0))
    double = fa.selector(lambda get: get(shared) * 2)
    gone: list[weakref.ref[Any]] = []

    @ft.component
    def Shared() -> ft.Control:
        gone.append(weakref.ref(current_component()))
        value, set_value = fa.use_atom(shared)
        fa.use_value(lambda get: get(shared) + get(N))
        fa.use_value(double)
        return ft.Button(str(value), on_click=lambda: set_value(value + 1))

    async def visit() -> None:
        app = shows(Shared)
        async with app:
            await app.click("0")
            gone.extend((weakref.ref(app.session), weakref.ref(app.page), weakref.ref(store(app))))
            room.set(shared, 0)
            await app.settle()
        assert watched(shared) == 0, "at the close, not when it is collected"

    for _ in range(3):
        await visit()
    await asyncio.sleep(0)
    gc.collect()
    assert [each() for each in gone if each() is not None] == []
    await room.aclose()


async def test_a_component_that_is_collected_without_a_close_watches_nothing() -> None:
    """A render that was never mounted, or a page whose server has died: no event tells of it."""
    room = fa.StateManager()
    shared = room.atom(fa.Key("shared", 0))

    @ft.component
    def Shared() -> ft.Control:
        fa.use_value(shared)
        raise RuntimeError("not mounted")

    async with HeadlessApp(lambda page: None) as app:
        # as page.render does, on a page that goes on
        def render() -> None:
            with pytest.raises(RuntimeError, match="not mounted"):
                app.page.render(Shared)
            app.page.views[0].controls = []
            app.page.update()

        _with_page(app.page, render)
        gc.collect()
        await app.settle()
        assert watched(shared) == 0
    await room.aclose()


def _with_page(page: ft.Page, call: Callable[[], object]) -> None:
    from flet_asp_actors.ui.page import push_context

    push_context(page).run(call)


async def test_a_key_of_the_components_own_is_given_up_with_it() -> None:
    @ft.component
    def Own() -> ft.Control:
        key: fa.Key[int] = cast("Any", ft).use_state(lambda: fa.Key("own", 0))[0]
        value, set_value = fa.use_atom(key)
        return ft.Button(f"own {value}", on_click=lambda: set_value(value + 1))

    @ft.component
    def Root() -> ft.Control:
        return ft.Column([Own()] if fa.use_value(M) else [])

    async with shows(Root) as app:
        state = store(app)
        before = state.statistics().atoms
        for _ in range(3):
            state.set(M, 1)
            await app.settle()
            await app.click("own 0")
            assert app.one("Button")["content"] == "own 1"
            state.set(M, 0)
            await app.settle()
        gc.collect()
        await app.settle()
        assert state.statistics().atoms == before


async def test_views_of_components() -> None:
    @ft.component
    def Views() -> list[ft.View]:
        n, set_n = fa.use_atom(N)
        views = [ft.View(route="/", controls=[ft.Button("open", on_click=lambda: set_n(1)), Label("first")])]
        if n:
            views.append(ft.View(route="/second", controls=[Label("second"), Counter()]))
        return views

    async with HeadlessApp(lambda page: page.render_views(Views)) as app:
        await app.click("open")
        assert app.texts() == ["second 1", "1"]
        await app.click("add")
        assert app.texts() == ["second 2", "2"]
        store(app).set(N, 0)
        await app.settle()
        assert app.texts() == ["first 0"]
        assert watched(node(store(app), N)) == 2
        assert app.mirror_diff() == []


async def test_a_bound_island_beside_components_in_one_store() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        island = ft.Row(
            [
                state.bound(ft.Text(), value=lambda get: f"island {get(N)}"),
                ft.Button("from the island", on_click=lambda: state.update(N, lambda n: n + 10)),
            ]
        )
        page.render(lambda: [island, Counter()])

    async with HeadlessApp(main) as app:
        await app.click("add")
        assert app.texts() == ["island 1", "1"]
        app.take()
        await app.click("from the island")
        assert app.texts() == ["island 11", "11"]
        assert len(app.take()) == 2, "one of the island, one of the component"
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ mistakes


async def nothing(get: fa.Get, set: fa.Set) -> None:
    """A handler."""


@pytest.mark.parametrize(
    ("hook", "fix"),
    [
        (lambda: fa.use_value(N), r"state\.get\(key\)"),
        (lambda: fa.use_atom(N), r"state\.set\(key, value\)"),
        (lambda: fa.use_status("x"), r"key\.status"),
        (lambda: fa.use_action(fa.action(nothing)), r"state\.action\(action\)"),
    ],
)
async def test_a_hook_outside_a_component_says_what_to_do(hook: Callable[[], object], fix: str) -> None:
    with pytest.raises(RuntimeError, match=rf"@ft\.component.*{fix}"):
        hook()

    @ft.component
    def Handler() -> ft.Control:
        return ft.Button("go", on_click=lambda: hook())

    async with HeadlessApp(lambda page: page.render(Handler), allow_crash=True) as app:
        await app.click("go")
        assert "@ft.component" in app.crashes[0]


WRITES: list[tuple[str, Callable[[fa.StateManager, Any, Any], object]]] = [
    ("the setter", lambda state, set_n, go: set_n(1)),
    ("set", lambda state, set_n, go: state.set(N, 1)),
    ("update", lambda state, set_n, go: state.update(N, lambda n: n + 1)),
    ("mutate", lambda state, set_n, go: state.mutate(N, lambda n: None)),
    ("reset", lambda state, set_n, go: state.reset(N)),
    ("a handle", lambda state, set_n, go: state.atom(N).set(1)),
    ("assigned", lambda state, set_n, go: setattr(state.atom(N), "value", 1)),
    ("clear", lambda state, set_n, go: state.clear()),
    ("an action", lambda state, set_n, go: go()),
]


@pytest.mark.parametrize("write", [write for _, write in WRITES], ids=[name for name, _ in WRITES])
async def test_a_write_while_rendering_is_refused_and_makes_no_loop(
    write: Callable[[fa.StateManager, Any, Any], object],
) -> None:
    @fa.action
    def add(get: fa.Get, set: fa.Set) -> None:
        set(N, get(N) + 1)

    refused: list[fa.PurityError] = []

    @ft.component
    def Eager() -> ft.Control:
        n, set_n = fa.use_atom(N)
        renders.append("eager")
        try:
            write(fa.current(), set_n, fa.use_action(add))
        except fa.PurityError as error:
            refused.append(error)
        return ft.Text(str(n))

    async with shows(Eager) as app:
        assert app.texts() == ["0"]
        assert len(refused) == 1
        assert "component Eager" in str(refused[0])
        assert "on_click=lambda" in str(refused[0])
        store(app).set(N, 1)  # and from outside it is as ever
        await app.settle()
        assert app.texts() == ["1"]
        assert len(renders) == 2
        assert not evaluating, "later writes go the fast way"


async def test_what_a_rendering_starts_may_write() -> None:
    """An effect, a task and a listener are not the rendering, whatever context they have inherited."""

    room = fa.StateManager()

    @room.service(while_watched=N)
    async def feed(get: fa.Get, set: fa.Set) -> None:
        set(N, 1)
        await asyncio.Event().wait()

    heard: list[str] = []
    room.listen(feed.status, lambda status: room.set(ITEM, status.state), immediate=False)
    room.listen(ITEM, heard.append, immediate=False)

    @ft.component
    def Starting() -> ft.Control:
        set_m = fa.use_atom(M)[1]
        n = fa.use_value(room.atom(N))

        def effect() -> None:
            set_m(fa.current().get(M) + 1)

        ft.use_effect(effect, dependencies=[])
        tasks = cast("Any", ft.use_ref(set)).current
        if not tasks:

            async def write() -> None:
                fa.current().set(ITEM, "task")

            tasks.add(asyncio.get_running_loop().create_task(write()))
        renders.append(room.get(ITEM))
        return ft.Text(f"{fa.use_value(M)} {fa.use_value(ITEM)} {n}")

    async with shows(Starting) as app:
        assert renders[0] == "running", "the listener has written within the rendering"
        await app.settle()
        assert app.texts() == ["1 task 1"]
    assert heard == ["running", "idle"]
    await room.aclose()


async def test_a_selector_cannot_be_set() -> None:
    double = fa.selector(lambda get: get(N) * 2)

    @ft.component
    def Wrong() -> ft.Control:
        fa.use_atom(cast("Any", double))
        return ft.Text("")

    said = await crash(Wrong)
    assert "ReadOnlyError" in said
    assert "use_value" in said


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: fa.use_status(cast("fa.AsyncSelectorKey[int, int]", N)), "has no status"),
        (lambda: fa.use_action(cast("fa.Action[[], None]", nothing)), "@fa.action"),
        (lambda: fa.use_value(_coroutine), "@fa.selector"),
        (lambda: fa.use_value(cast("Any", watched_by_nobody)), "takes get"),
    ],
)
async def test_mistakes_are_told_where_they_are_made(use: Callable[[], object], message: str) -> None:
    @ft.component
    def Wrong() -> ft.Control:
        use()
        return ft.Text("")

    said = await crash(Wrong)
    assert "TypeError" in said
    assert message in said


def watched_by_nobody() -> int:
    return 1


async def _coroutine(get: fa.Get) -> int:
    return get(N)


async def test_hooks_in_another_order_are_told() -> None:
    @ft.component
    def Wrong() -> ft.Control:
        if fa.use_value(M):
            fa.use_value(N)
        cast("Any", ft).use_state(1)
        return ft.Text("")

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def other() -> None:
            state.set(M, 1)
            page.update()

        page.render(lambda: [Wrong(), ft.Button("other", on_click=other)])

    async with HeadlessApp(main, allow_crash=True) as app:
        await app.click("other")
        assert "hooks of component Wrong are not called in the same order at each rendering" in app.crashes[0]


# ------------------------------------------------------------------ Flet as we know it


async def test_what_hooks_need_of_flet() -> None:
    """`current_component` is public, but not a name of `ft`; a component's observables are dropped when it leaves."""
    with pytest.raises(RuntimeError):
        current_component()
    seen: list[Any] = []

    class Seen(ft.Observable):
        pass

    @ft.component
    def Looking() -> ft.Control:
        component = current_component()
        assert component.fn.__name__ == "Looking"
        seen.append(cast("Any", ft).use_state(Seen)[0])
        return ft.Text("")

    def main(page: ft.Page) -> None:
        page.render(Looking)
        cast("Any", page.session).start_updates_scheduler()  # does nothing while it runs

    async with HeadlessApp(main) as app:
        _with_page(app.page, seen[0].notify)
        await app.settle()
        assert len(seen) == 2
        assert seen[0] is seen[1]
        app.page.views[0].controls = []
        app.page.update()
        gone = weakref.ref(seen.pop())
        seen.clear()
        assert gone() is None, "at once, without the collector"


@IN_VIRTUAL_TIME
async def test_the_example() -> None:
    async with HeadlessApp(components.main) as app:
        state = store(app)
        await state.settled()
        await app.settle()
        await app.type("City", "ber")
        await state.settled()
        await app.settle()
        assert [node["title"] for node in app.find("ListTile")] == ["Berlin", "Bern"]
        await app.click(app.one("ListTile", title="Bern"))
        await app.click(app.one("IconButton", tooltip="More nights"))
        assert app.texts()[-1] == "1 cities, 2 nights"
        await app.click("Start over")
        await state.settled()
        await app.settle()
        assert app.texts()[-1] == "0 cities, 0 nights"
        assert app.one("TextField")["value"] == ""
        assert app.mirror_diff() == []


async def test_a_control_of_a_component_cannot_be_bound_and_says_what_to_do() -> None:
    @ft.component
    def Binding() -> ft.Control:
        return fa.current().bound(ft.Text(), value=N)

    said = await crash(Binding)
    assert "BindingError: Text belongs to a component" in said
    assert "fa.use_value(key)" in said


async def test_a_bound_control_that_is_put_into_a_component_is_told() -> None:
    def main(page: ft.Page) -> None:
        text = fa.get_state_manager(page).bound(ft.Text(), value=N)

        @ft.component
        def Taking() -> ft.Control:
            return ft.Column([text])

        page.render(Taking)

    async with HeadlessApp(main) as app:
        found = failures(store(app))
        store(app).set(N, 1)
        await app.settle()
        assert "Text belongs to a component" in str(found[0].error)


async def test_what_a_rendering_sets_off_elsewhere_may_build_and_bind() -> None:
    """A rendering that begins to watch may wake a service, whose write makes a bound list build a row."""
    room = fa.StateManager()
    rows = room.atom(fa.Key[list[str]]("rows", factory=list))
    built: list[ft.Control] = []

    @room.service(while_watched=N)
    async def feed(get: fa.Get, set: fa.Set) -> None:
        await asyncio.Event().wait()

    def build(_: object) -> None:
        built.append(room.bound(ft.Text(), value=rows))

    room.listen(feed.status, build, immediate=False)

    @ft.component
    def Waking() -> ft.Control:
        fa.use_value(room.atom(N))
        renders.append(str(len(built)))
        return ft.Text("")

    async with shows(Waking):
        assert renders == ["1"]
    await room.aclose()


@ft.component
def Showing() -> ft.Control:
    return ft.Text(str(fa.use_value(N)))


async def test_a_rendering_that_knows_no_page_is_told_so() -> None:
    async with HeadlessApp(lambda page: None) as app:
        with pytest.raises(RuntimeError, match="needs the page that renders, and there is none in this context"):
            in_thread(lambda: app.page.render(Showing))


async def test_a_page_that_ends_while_it_rests_leaves_nothing() -> None:
    def main(page: ft.Page) -> None:
        fa.get_state_manager(page, on_disconnect="pause")
        page.render(Showing)

    async with HeadlessApp(main) as app:
        state = store(app)
        await app.disconnect()
        assert state.statistics().observed == 0
    assert repr(state) == "<StateManager closed>"
