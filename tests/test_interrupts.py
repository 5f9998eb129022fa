"""What is meant for the interpreter passes through everything: a Ctrl-C ends the program, whatever it meets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp

N = fa.Key("n", 0)
M = fa.Key("m", 0)


def interrupt(*_: object) -> int:
    raise KeyboardInterrupt


async def interrupt_later(*_: object) -> int:
    await anyio.lowlevel.checkpoint()
    raise KeyboardInterrupt


async def in_a_moment(n: int) -> int:
    await anyio.lowlevel.checkpoint()
    return n


def is_interrupt(error: BaseException) -> bool:
    """Whether that is what it was; a task group wraps it."""
    return isinstance(error, KeyboardInterrupt) or "KeyboardInterrupt" in repr(error)


async def update(state: fa.StateManager) -> None:
    await state.update(N, interrupt_later)


async def update_that_nobody_awaits(state: fa.StateManager) -> None:
    state.update(N, interrupt_later)
    await anyio.sleep_forever()


async def update_in_turn(state: fa.StateManager) -> None:
    state.update(N, in_a_moment)
    await state.update(N, interrupt)


async def action(state: fa.StateManager) -> None:
    await state.action(interrupt_later)()


async def service(state: fa.StateManager) -> None:
    state.service(interrupt_later)
    await anyio.sleep_forever()


async def effect(state: fa.StateManager) -> None:
    state.effect(interrupt_later)
    await anyio.sleep_forever()


async def cleanup_of_an_effect(state: fa.StateManager) -> None:
    state.effect(lambda get: get.on_cleanup(interrupt)).close()


async def listener(state: fa.StateManager) -> None:
    state.listen(N, interrupt_later)
    await anyio.sleep_forever()


async def wait_for(state: fa.StateManager) -> None:
    await state.wait_for(N, interrupt)


async def cleanup_of_what_is_given_up(state: fa.StateManager) -> None:
    def kept(get: fa.Get, item: int) -> None:
        get.on_cleanup(interrupt)

    state.get(fa.family(keep_for=0.01)(kept)(1))
    await anyio.sleep_forever()


async def selector(state: fa.StateManager) -> None:
    await state.resolve(fa.selector(interrupt_later))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    "user",
    [
        update,
        update_in_turn,
        action,
        service,
        effect,
        cleanup_of_an_effect,
        cleanup_of_what_is_given_up,
        listener,
        wait_for,
        selector,
    ],
)
def test_on_a_loop_it_ends_the_program(user: Callable[[fa.StateManager], Awaitable[None]], backend: str) -> None:
    state = fa.StateManager()
    state.on_error = lambda failure: None  # who was waiting may be told as well

    async def main() -> None:
        async with state:
            with anyio.fail_after(10):
                await user(state)

    with pytest.raises(BaseException, match="^$|group|nursery") as caught:
        anyio.run(main, backend=backend)
    assert is_interrupt(caught.value)
    assert repr(state) == "<StateManager closed>"


def test_without_a_loop_it_passes_through_a_sync_action() -> None:
    state, action = fa.StateManager(), fa.Action(interrupt)
    with pytest.raises(KeyboardInterrupt):
        action.run(state, None)
    assert state.get(action.status).state == "failed"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_run_that_it_has_ended_has_failed(backend: str) -> None:
    state = fa.StateManager()
    runs: list[fa.Run[int]] = []

    async def main() -> None:
        async with state:
            runs.append(state.action(interrupt_later)())
            await anyio.sleep(10)

    with pytest.raises(BaseException, match="^$|group|nursery"):
        anyio.run(main, backend=backend)
    assert (runs[0].state, type(runs[0].error)) == ("failed", KeyboardInterrupt)


def test_the_messages_after_one_that_was_interrupted_are_handled_all_the_same() -> None:
    state = fa.StateManager()
    state.on_error = lambda failure: None  # nobody awaits the one that was interrupted
    receipts: list[fa.Receipt] = []

    async def main() -> None:
        async with state:
            state.update(N, in_a_moment)
            receipts.extend((state.update(N, interrupt), state.set(N, 7)))
            await anyio.sleep_forever()

    with pytest.raises(BaseException, match="^$|group"):
        anyio.run(main)
    assert [each.is_done for each in receipts] == [True, True], "who waits, in a thread too, is answered"
    assert state.get(N) == 7


def test_those_who_were_not_told_when_it_came_are_told_with_those_who_hear_of_the_next_write() -> None:
    state = fa.StateManager()
    heard: list[tuple[str, int]] = []

    def first(value: int) -> None:
        heard.append(("first", value))
        if value == 1:
            state.set(N, 2)
        if value == 3:
            raise KeyboardInterrupt

    def second(value: int) -> None:
        heard.append(("second", value))
        if value == 2:
            state.set(N, 3)

    def third(value: int) -> None:
        heard.append(("third", value))

    for listener in (first, second, third):
        state.listen(N, listener, immediate=False)
    state.listen(M, lambda value: heard.append(("other", value)), immediate=False)
    with pytest.raises(KeyboardInterrupt):
        state.set(N, 1)
    assert heard == [("first", 1), ("second", 2), ("third", 3), ("first", 3)]
    state.set(M, 1)
    assert sorted(heard[4:]) == [("other", 1), ("second", 3)]


def test_an_async_listener_that_was_about_to_be_called_when_it_came_is_given_the_value_of_then() -> None:
    is_interrupted = False
    heard: list[int] = []

    @fa.selector
    def below(get: fa.Get) -> int:
        if is_interrupted and get(N):
            raise KeyboardInterrupt
        return get(N)

    async def hear(value: int) -> None:
        heard.append(value)

    async def main() -> None:
        nonlocal is_interrupted
        async with fa.StateManager() as state:
            state.listen(below, lambda _: None)
            state.listen(fa.selector(lambda get: get(N) * 10), hear, immediate=False)
            state.set(N, 1)
            is_interrupted = True
            with pytest.raises(KeyboardInterrupt):
                state.set(N, 2)
            is_interrupted = False
            await state.settled()

    anyio.run(main)
    assert heard == [20]


def test_what_was_about_to_begin_anew_when_it_came_begins_anew_before_anybody_looks() -> None:
    is_interrupted = False
    seen: list[object] = []

    @fa.selector
    def below(get: fa.Get) -> int:
        if is_interrupted and get(N):
            raise KeyboardInterrupt
        return get(N)

    @fa.selector
    async def later(get: fa.Get) -> int:
        return get(below)

    async def main() -> None:
        nonlocal is_interrupted
        async with fa.StateManager() as state:
            state.listen(N, lambda n: seen.append((n, state.get(later.status).state)), immediate=False)
            state.listen(M, lambda _: None)
            state.listen(later, seen.append)
            await state.settled()
            is_interrupted = True
            with pytest.raises(KeyboardInterrupt):
                state.set(N, 1)
            is_interrupted = False
            state.set(M, 1)
            await state.settled()

    anyio.run(main)
    assert seen == [None, 0, (1, "refreshing"), 1]


def test_without_a_loop_it_passes_through_what_is_bound_and_an_effect() -> None:
    state = fa.StateManager()
    text, column = ft.Text(), ft.Column()
    build: Any = interrupt
    with pytest.raises(KeyboardInterrupt):
        state.bound(text, value=interrupt)
    with pytest.raises(KeyboardInterrupt):
        state.bind(N, text, to=interrupt)
    with pytest.raises(KeyboardInterrupt):
        state.bind_list(fa.Key[tuple[str, ...]]("rows", ("a",)), column, build, str)
    with pytest.raises(KeyboardInterrupt):
        state.effect(interrupt)
    state.set(N, 1)
    assert state.statistics().observed == 0, "nobody has got any of them"
    assert state.statistics().jobs == 0


@pytest.mark.parametrize("debounce", [0, 10])
def test_it_passes_through_what_is_typed(debounce: float) -> None:
    parse: Any = interrupt

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        name = fa.two_way(fa.Key("name", ""), parse=parse, debounce=debounce)
        page.add(state.bound(ft.TextField(), value=name))

    async def use() -> None:
        async with HeadlessApp(main) as app:
            await app.type(app.one("TextField"), "a")
            await app.fire(app.one("TextField"), "blur", force=True)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(use())


def test_the_cleanups_after_one_that_was_interrupted_are_called_the_next_time() -> None:
    state = fa.StateManager()
    called: list[int] = []

    @fa.selector
    def tidy(get: fa.Get) -> int:
        if not get(N):
            get.on_cleanup(lambda: called.append(1))
            get.on_cleanup(interrupt)
        return get(N)

    assert state.get(tidy) == 0
    state.set(N, 1)
    with pytest.raises(KeyboardInterrupt):
        state.get(tidy)
    assert called == []
    assert (state.get(tidy), called) == (1, [1])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_those_of_an_async_selector_are_called_at_the_end(backend: str) -> None:
    called: list[int] = []

    @fa.selector
    async def tidy(get: fa.Get) -> int:
        get.on_cleanup(lambda: called.append(1))
        get.on_cleanup(interrupt)
        return get(N)

    async def use() -> None:
        async with fa.StateManager() as state:
            await state.resolve(tidy)
            state.refresh(tidy)

    with pytest.raises(BaseException) as raised:  # noqa: PT011  # trio has a group of it
        anyio.run(use, backend=backend)
    assert is_interrupt(raised.value)
    assert called == [1]


def test_in_what_a_thread_has_posted_it_ends_the_program_and_the_thread_is_told() -> None:
    told: list[BaseException] = []

    async def use() -> None:
        async with fa.StateManager() as state:
            state.listen(N, interrupt, immediate=False)

            def write() -> None:
                try:
                    state.set(N, 1).wait(5)
                except BaseException as error:
                    told.append(error)

            await asyncio.to_thread(write)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(use())
    assert [type(error) for error in told] == [KeyboardInterrupt]
