"""Whoever misbehaves on the way to a control, or from it: the other controls go on, and so does that one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp
from tests.kit.apps import store
from tests.kit.failures import collect

N = fa.Key("n", 0)
ENTERED = fa.Key("entered", 0)
ROWS = fa.Key[list[int]]("rows", factory=list)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


class Fault(Exception):
    """What a culprit raises."""


class Act:
    """What a culprit's function does with the value that it is to give back."""

    deed = ""

    def __call__(self, value: Any) -> Any:
        if self.deed == "raises":
            raise Fault("it broke")
        if self.deed == "cancels":
            raise asyncio.CancelledError
        if self.deed == "recurses":
            return self(value)
        if self.deed == "returns a coroutine":
            return self.later(value)
        return value

    async def later(self, value: Any) -> Any:
        return value


Poke = Callable[[HeadlessApp, int], Any]


async def write(app: HeadlessApp, n: int) -> None:
    store(app).set(N, n)


async def enter(app: HeadlessApp, n: int) -> None:
    await app.type(app.one("TextField"), str(n))


async def fill(app: HeadlessApp, n: int) -> None:
    store(app).set(N, n)
    store(app).set(ROWS, list(range(n)))


Scene = Callable[[fa.StateManager, Act], ft.Control]


def with_rows(state: fa.StateManager, build: Any, item_key: Any) -> ft.Control:
    column = ft.Column()
    state.bind_list(ROWS, column, build, item_key)
    return column


def with_build(state: fa.StateManager, act: Act) -> ft.Control:
    def build(row: fa.Row[int]) -> Any:
        return act(ft.Text(str(state.get(row))))

    return with_rows(state, build, None)


def with_item_key(state: fa.StateManager, act: Act) -> ft.Control:
    def build(row: fa.Row[int]) -> ft.Control:
        return ft.Text(str(state.get(row)))

    return with_rows(state, build, act)


def with_to(state: fa.StateManager, to: Any) -> ft.Control:
    text = ft.Text()
    state.bind(N, text, to=to)
    return text


SCENES: dict[str, tuple[Scene, Poke]] = {
    "a function that is bound": (lambda state, act: state.bound(ft.Text(), value=lambda get: act(get(N))), write),
    "to=": (with_to, write),
    "parse=": (
        lambda state, act: state.bound(ft.TextField(), value=fa.two_way(ENTERED, parse=lambda text: act(int(text)))),
        enter,
    ),
    "build": (with_build, fill),
    "item_key": (with_item_key, fill),
}


TOLD = {
    "raises": "it broke",
    "cancels": "a stray CancelledError",
    "recurses": "recursion",
    "returns a coroutine": "coroutine",
}


@pytest.mark.parametrize(
    ("who", "deed"),
    [(who, deed) for who in SCENES for deed in TOLD if (who, deed) != ("item_key", "returns a coroutine")],
)
async def test_who_misbehaves_is_told_and_takes_nobody_down(who: str, deed: str) -> None:
    scene, poke = SCENES[who]
    act = Act()
    kept: list[ft.Control] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        kept.append(scene(state, act))
        page.add(
            state.bound(ft.Text(), value=lambda get: f"before {get(N)}"),
            *kept,
            state.bound(ft.Text(), value=lambda get: f"after {get(N)}"),
            state.bound(ft.Text(), value=lambda get: f"entered {get(ENTERED)}"),
        )

    async with HeadlessApp(main) as app:
        found = collect(store(app))
        await poke(app, 1)
        await app.settle()
        assert found == []
        act.deed = deed
        await poke(app, 2)
        await app.settle()
        assert any(re.search(TOLD[deed], str(failure.error)) for failure in found)
        act.deed = ""
        found.clear()
        await poke(app, 3)
        await app.settle()
        assert found == []
        n, entered = store(app).get(N), store(app).get(ENTERED)
        assert {f"before {n}", f"after {n}", f"entered {entered}"} <= set(app.texts())
        assert 3 in (n, entered)
        assert app.mirror_diff() == []
