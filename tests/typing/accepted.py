"""Code that users should be able to write. It is never run; both type checkers read it strictly."""

from __future__ import annotations

from dataclasses import dataclass

import flet as ft
from typing_extensions import assert_type

import flet_asp_actors as fa


@dataclass
class Line:
    sku: str
    price: float
    qty: int = 1


@dataclass(frozen=True)
class User:
    name: str


COUNT = fa.Key("count", 0)
NAME = fa.Key("name", "")
AGE = fa.Key[int | None]("age", None)
CART = fa.Key[list[Line]]("cart", factory=list)
USER = fa.Key[User | None]("user", None)
DONE = fa.Key("done", False)


@fa.selector
def total(get: fa.Get) -> float:
    assert_type(get(CART), list[Line])
    assert_type(get.peek(COUNT), int)
    return sum(line.price * line.qty for line in get(CART))


@fa.selector(equals=lambda old, new: old == new)
def label(get: fa.Get) -> str:
    return f"{get(NAME)} {get(total):.2f} {get('untyped')}"


@fa.action(policy="droppable", timeout=10, expect=(ValueError,))
async def login(get: fa.Get, set: fa.Set, mail: str, *, remember: bool = False) -> User:
    assert_type(get(USER), User | None)
    user = User(mail)
    await set(USER, user)
    set.update(COUNT, lambda n: n + 1)
    set.mutate(CART, lambda cart: cart.append(Line("a", 1.0)))
    set.reset(NAME)
    set.progress(0.5, "half")
    return user


@fa.action
def reset_all(get: fa.Get, set: fa.Set) -> int:
    return get(COUNT)


async def store() -> None:
    async with fa.StateManager(overrides={COUNT: 5}) as state:
        assert_type(state, fa.StateManager)
        assert_type(state.get(COUNT), int)
        assert_type(state.get(total), float)
        assert_type(state.get(DONE[7]), bool)
        count = state.atom(COUNT)
        assert_type(count, fa.Atom[int])
        count.value += 1
        named = state.atom("named", "x")
        assert_type(named.value, str)
        await state.set(COUNT, 5)
        await state.update(COUNT, lambda n: n + 1)
        await state.mutate(CART, lambda cart: cart.clear())
        state.reset(CART)
        go = state.action(login)
        run = go("a@b.c", remember=True)
        assert_type(run, fa.Run[User])
        assert_type(await run, User)
        assert_type(await go("a@b.c"), User)
        assert_type(state.get(go.status).value, User | None)
        assert_type(state.get(login.status).message, str)
        assert_type(await state.action(reset_all)(), int)

        @state.selector
        def double(get: fa.Get) -> int:
            return get(COUNT) * 2

        @state.selector("named_double")
        def named_double(get: fa.Get) -> int:
            return get(double) * 2

        assert_type(state.get(named_double), int)

        @state.action
        async def save(get: fa.Get, set: fa.Set, number: int) -> str:
            return str(number)

        assert_type(await save(7), str)
        with state.listen(COUNT, lambda n: print(n + 1)), state.batch():
            state.set(NAME, "a")


def page(page: ft.Page) -> None:
    state = fa.get_state_manager(page)
    go = state.action(login)
    text = state.bound(ft.Text(size=40), value=COUNT, visible=lambda get: get(COUNT) > 0)
    assert_type(text, ft.Text)
    ref = ft.Ref[ft.Text]()
    binding = state.bind(COUNT, ref, "value", to=lambda n: f"{n + 1}")
    assert_type(binding, fa.Binding)
    state.bind("untyped", text)
    state.bind(lambda get: get(COUNT), text, "opacity")
    state.bind_two_way(NAME, ft.TextField())
    page.add(
        text,
        state.bound(ft.TextField(), value=fa.two_way(NAME)),
        state.bound(ft.TextField(), value=fa.two_way(AGE, parse=int), error=label),
        state.bound(ft.Checkbox(), value=fa.two_way(DONE)),
        state.bound(ft.ProgressBar(), value=lambda get: get(go.status).progress),
        ft.Button("Login", on_click=lambda: go("a@b.c")),
        ft.Button("Reset", on_click=state.action(reset_all)),
        ft.Button("Cancel", on_click=go.cancel),
        ft.Button("Clear", on_click=go.reset),
    )
    page.run_task(go.handler, "a@b.c")
    assert_type(fa.current(), fa.StateManager)
