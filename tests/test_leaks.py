"""Nothing grows, however often it is done; and what was on the screen is gone at once."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp
from tests.kit.lives import LIVES, NO_LIFE, PAGES, rounds

TOTAL = fa.Key("total", 0)
NAME = fa.Key("name", "")
LINES: fa.Key[tuple[str, ...]] = fa.Key("lines", ("a", "b"))
HOUSE = fa.StateManager()


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {}


# ------------------------------------------------------------------ nothing grows


def test_every_public_object_has_its_life() -> None:
    assert sorted([*LIVES, *NO_LIFE]) == sorted(fa.__all__)


@pytest.mark.parametrize("name", {live: name for name, live in LIVES.items()}.values())
async def test_nothing_grows(name: str) -> None:
    growth = await rounds(name, 50 if name in PAGES else 1000)
    assert growth.is_none, growth


# ------------------------------------------------------------------ gone at once


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def gone(main: Callable[[ft.Page], object], *acts: Callable[[HeadlessApp], Any]) -> list[str]:
    """What there is still of an app when its session has ended: the kinds of its controls, the page included."""
    app = HeadlessApp(main)
    async with app:
        for act in acts:
            await act(app)
        left = [weakref.ref(control) for control in (app.page, *app.page.controls)]
    del app
    for _ in range(20):  # tasks that were cancelled come to their end
        await asyncio.sleep(0)
    return [type(each()).__name__ for each in left if each() is not None]


def click(words: str) -> Callable[[HeadlessApp], Any]:
    return lambda app: app.click(words)


def begin(words: str) -> Callable[[HeadlessApp], Any]:
    async def act(app: HeadlessApp) -> None:
        app.start_event(words, "click")
        await asyncio.sleep(0)

    return act


async def never() -> None:
    await anyio.sleep_forever()


async def hear_for_ever(_: object) -> None:
    await never()


async def react_for_ever(get: fa.Get) -> None:
    get(TOTAL)
    await never()


async def go_on(get: fa.Get, set: fa.Set) -> None:
    set.update(TOTAL, wait_for_ever)
    async with set.optimistic(NAME, "?"):
        await never()


async def wait_for_ever(_: int) -> int:
    await never()
    return 0


async def fail(get: fa.Get, set: fa.Set) -> None:
    raise ValueError("no")


@fa.selector
async def never_there(get: fa.Get) -> str:
    get(TOTAL)
    await never()
    return ""


def a_ref(state: fa.StateManager) -> ft.Control:
    ref, never_held = ft.Ref[ft.Text](), ft.Ref[ft.Text]()
    state.bind(NAME, ref)
    state.bind(NAME, never_held)
    return ft.Text(ref=ref, data=never_held)


def a_list(state: fa.StateManager) -> ft.Control:
    column, ref = ft.Column(), ft.Ref[ft.Column]()
    state.bind_list(LINES, column, lambda row: state.bound(ft.Text(), value=row))
    state.bind_list(LINES, ref, lambda row: ft.Text(row.value))
    return ft.Row([column, ft.Column(ref=ref, data=ref)])


def a_store_for_all(_: fa.StateManager) -> ft.Control:
    HOUSE.attach(ft.context.page)
    return HOUSE.bound(ft.Text(), value=NAME)


USES: dict[str, Callable[[fa.StateManager], object]] = {
    "nothing but a store": lambda state: None,
    "bound": lambda state: state.bound(ft.Text(), value=NAME, visible=lambda get: get(TOTAL) > 0),
    "bound by a Ref": a_ref,
    "bound both ways": lambda state: state.bound(ft.TextField(), value=fa.two_way(TOTAL, parse=int)),
    "a list": a_list,
    "an async selector": lambda state: state.bound(ft.Text(), value=never_there),
    "a value that fails": lambda state: state.bound(ft.Text(), value=lambda get: str(1 // get(TOTAL))),
    "a listener": lambda state: state.listen(TOTAL, lambda _: None),
    "an async listener": lambda state: state.listen(TOTAL, hear_for_ever),
    "an effect": lambda state: state.effect(lambda get: get(TOTAL)),
    "an async effect": lambda state: state.effect(react_for_ever),
    "a service": lambda state: state.service(go_on),
    "a run": lambda state: state.action(go_on)(),
    "a run that fails": lambda state: state.action(fail)(),
    "an update": lambda state: state.update(TOTAL, wait_for_ever),
    "a store for all": a_store_for_all,
    "a run in a store for all": lambda state: HOUSE.action(fail)(),
    "an update in a store for all": lambda state: HOUSE.update(TOTAL, lambda total: total + 1),
    "a listener in a store for all": lambda state: HOUSE.listen(TOTAL, lambda _: None).close(),
    "an async listener in a store for all": lambda state: HOUSE.listen(TOTAL, hear_for_ever).close(),
}


@pytest.mark.usefixtures("no_collector")
async def test_a_page_of_flets_own_is_gone_with_its_session() -> None:
    """What the rest is measured by. Flet's comparison of a page has circles in it, which hold what is added later."""
    assert await gone(lambda page: page.add(ft.Text("a"), ft.Button("b", on_click=print)), click("b")) == []


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("use", USES)
async def test_a_page_is_gone_with_its_session(use: str) -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.on_error = HOUSE.on_error = lambda failure: None
        used = USES[use](state)
        more = ft.Button("more", on_click=lambda: state.set(TOTAL, state.get(TOTAL) + 1))
        page.add(ft.Text("a"), more, *([used] if isinstance(used, ft.Control) else []))

    assert await gone(main, click("more")) == []


ASKS: dict[str, Callable[[fa.StateManager], Awaitable[object]]] = {
    "a run that is cancelled": lambda state: cancelled(state.action(go_on)()),
    "an update": lambda state: state.update(TOTAL, refuse),
    "a value that does not come": lambda state: state.wait_for(TOTAL, lambda total: total < 0),
    "a run in a store for all": lambda _: cancelled(HOUSE.action(go_on)()),
    "an update in a store for all": lambda _: HOUSE.update(TOTAL, refuse),
}


async def refuse(_: int) -> int:
    raise ValueError("no")


def cancelled(run: fa.Run[Any]) -> fa.Run[Any]:
    run.cancel("enough")
    return run


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("ask", ASKS)
async def test_an_error_that_a_handler_has_met_does_not_keep_the_page(ask: str) -> None:
    """Its traceback holds the handler that has awaited it, and that the event, the control and the page."""

    async def wait(event: ft.Event[ft.Button]) -> None:
        page = event.page
        with pytest.raises((ValueError, fa.StateError)):
            await ASKS[ask](fa.get_state_manager(page))

    def main(page: ft.Page) -> None:
        fa.get_state_manager(page)
        page.add(ft.Text("a"), ft.Button("wait", on_click=wait))

    assert await gone(main, begin("wait")) == []


@pytest.mark.usefixtures("no_collector")
def test_a_control_that_was_never_shown_is_gone_with_its_last_name() -> None:
    controls: list[ft.Control] = [
        HOUSE.bound(ft.Text(), value=lambda get: get(NAME) * 2, visible=lambda get: get(TOTAL) > 0),
        HOUSE.bound(ft.TextField(), value=fa.two_way(TOTAL, parse=int, debounce=60)),
        a_list(HOUSE),
        a_ref(HOUSE),
    ]
    left = [weakref.ref(control) for control in controls]
    controls.clear()
    assert [type(each()).__name__ for each in left if each() is not None] == []
