"""Code that users should be able to write. It is never run; both type checkers read it strictly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


QUERY = fa.Key("query", "")


@fa.selector
async def bare(get: fa.Get) -> list[str]:
    return [get(QUERY)]


@fa.selector(initial=[], debounce=0.3, retry=fa.Retry(3, base=0.2, cap=5), keep_previous=True)
async def results(get: fa.Get) -> list[str]:
    assert_type(await get.resolve(bare), list[str])
    assert_type(await get.resolve(COUNT), int)
    get.on_cleanup(lambda: None)
    get.progress(0.5, "half")
    return [get(QUERY)]


@fa.selector(in_thread=True)
def heavy(get: fa.Get) -> int:
    return get(COUNT) ** 2


@fa.family(keep_for=60, max_size=500)
async def user(get: fa.Get, uid: int) -> User:
    return User(str(uid))


@fa.family
def doubled(get: fa.Get, number: int, *, plus: int = 0) -> int:
    return number * 2 + plus


@fa.selector
def people(get: fa.Get) -> list[str]:
    assert_type(get(user(1)), User | None)
    assert_type(get(results), list[str])
    assert_type(get(bare), list[str] | None)
    assert_type(get(results.status), fa.AsyncValue[list[str]])
    return [found.name for uid in range(3) if (found := get(user(uid)))]


@fa.action(policy="sequential", per="post_id", retry=fa.Retry(2))
async def like(get: fa.Get, set: fa.Set, post_id: int) -> None:
    async with set.optimistic(DONE[post_id], True):
        await set(DONE[post_id], True)
    async with set.cleanup(1):
        pass


async def async_face(state: fa.StateManager) -> None:
    assert_type(await state.resolve(results), list[str])
    assert_type(await state.resolve(user(7)), User)
    assert_type(await state.resolve(total), float)
    assert_type(await state.resolve(heavy), int)
    assert_type(state.get(heavy), int | None)
    assert_type(state.get(doubled(2, plus=1)), int)
    await state.refresh(user)
    await state.refresh(user(7))
    state.invalidate(results)
    match state.get(results.status):
        case fa.AsyncValue("ready", value):
            assert_type(value, list[str] | None)
        case fa.AsyncValue(state="failed", error=error):
            assert_type(error, BaseException | None)
        case other:
            assert_type(other.value_or(0), list[str] | int)
    async with state.transaction() as tx:
        assert_type(tx.get(COUNT), int)
        tx.set(COUNT, 5)
        tx.update(COUNT, lambda n: n + 1)
        tx.mutate(CART, lambda cart: cart.clear())
        tx.reset(NAME)
    state.restore(state.snapshot())
    async with state.watch(COUNT) as values:
        async for number in values:
            assert_type(number, int)
    assert_type(await state.wait_for(COUNT, lambda n: n > 5), int)

    @state.effect
    def reaction(get: fa.Get) -> None:
        get(COUNT)

    assert_type(reaction, fa.Subscription)

    @state.service(restart="transient", retry=fa.Retry(attempts=None, base=0.5, cap=30), while_watched=COUNT)
    async def feed(get: fa.Get, set: fa.Set) -> None:
        await set(COUNT, get(COUNT) + 1)

    assert_type(state.get(feed.status).attempt, int)
    feed.stop()
    sup = state.supervisor(strategy="rest_for_one", max_restarts=3, within=5.0)

    @sup.service
    async def beat(get: fa.Get, set: fa.Set) -> None: ...

    assert_type(beat, fa.Service)
    assert_type(sup.supervisor("one_for_all"), fa.Supervisor)
    assert_type(state.supervision(), fa.Supervision)
    go = state.action(like)
    assert_type(state.get(go.status_for(7)).active, int)
    assert_type(state.get(like.status_for(7)).active, int)
    assert_type(await fa.Action(like.function).run_async(state, 7), Any)

    @state.selector("named", initial=0)
    async def named(get: fa.Get) -> int:
        return 1

    assert_type(state.get(named), int)


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


@ft.component
def component() -> ft.Control:
    assert_type(fa.use_value(total), float)
    assert_type(fa.use_value(lambda get: get(COUNT) > 0), bool)
    assert_type(fa.use_value(results), list[str])
    assert_type(fa.use_status(results), fa.AsyncValue[list[str]])
    assert_type(fa.use_status(login), fa.ActionStatus[User])
    count, set_count = fa.use_atom(COUNT)
    assert_type(count, int)
    assert_type(set_count(5), fa.Receipt)
    go = fa.use_action(login)
    assert_type(go("a@b.c"), fa.Run[User])
    assert_type(fa.use_action(go)("a@b.c"), fa.Run[User])
    assert_type(fa.use_status(go).value, User | None)
    untyped, set_untyped = fa.use_atom("untyped")
    set_untyped(untyped)
    return ft.Button(str(count), on_click=lambda: set_count(count + 1), disabled=fa.use_status(go).is_busy)


def lists(state: fa.StateManager, ref: ft.Ref[ft.ListView]) -> None:
    def build(row: fa.Row[Line]) -> ft.Control:
        assert_type(row.value, Line)
        assert_type(state.get(row), Line)
        return state.bound(ft.Text(), value=lambda get: f"{get(row).sku} x {get(row).qty}")

    assert_type(state.bind_list(CART, ft.Column(), build, lambda line: line.sku), fa.Binding)
    state.bind_list(CART, ref, build, item_key=lambda line: line.sku)
    state.bind_list(results, ft.Row(), lambda row: state.bound(ft.Text(), value=row))
    state.bind_list(results, ft.Row(), lambda row: ft.Text(row.value.upper()), item_key=lambda word: word.lower())
    state.bind_list(lambda get: get(CART)[:3], ft.Column(), build)
    state.bind_list("untyped", ft.Column(), lambda row: ft.Text(row.value.anything))
