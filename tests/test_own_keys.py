"""Keys of one's own: a key that belongs to a control, and takes its value out of the store when that is gone."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import anyio
import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp

SHARED = fa.Key("shared", 0)


class Payload:
    """A value that can be seen to be gone."""


def new_payload(state: fa.StateManager, key: fa.Key[Any]) -> weakref.ref[Payload]:
    payload = Payload()
    state.set(key, payload)
    return weakref.ref(payload)


async def let_go() -> None:
    """The collector only asks; the loop does it."""
    gc.collect()
    for _ in range(3):
        await anyio.lowlevel.checkpoint()


async def test_a_value_goes_with_its_key() -> None:
    async with fa.StateManager() as state:
        key = fa.Key[Any]("own", None)
        value, item = new_payload(state, key), new_payload(state, key[3])
        await let_go()
        assert value() is state.get(key)
        assert item() is state.get(key[3])
        assert state.statistics().atoms == 2
        del key
        await let_go()
        assert value() is None
        assert item() is None
        assert state.statistics().atoms == 0


async def test_a_key_that_is_there_keeps_its_value() -> None:
    async with fa.StateManager() as state:
        state.set(SHARED, 5)
        item = fa.Key("family", 0)[7]  # the item is all that is left of the family
        state.set(item, 7)
        nested = fa.Key("nested", 0)["a"]["b"]
        state.set(nested, 9)
        await let_go()
        assert (state.get(SHARED), state.get(item), state.get(nested)) == (5, 7, 9)


async def test_items_of_items_go_with_the_key() -> None:
    async with fa.StateManager() as state:
        key = fa.Key[Any]("own", None)
        value = new_payload(state, key["a"]["b"])
        del key
        await let_go()
        assert value() is None


async def test_an_item_that_is_there_keeps_the_values_of_its_key() -> None:
    async with fa.StateManager() as state:
        key = fa.Key("family", 0)
        item = key[7]
        state.set(item, 7)
        del key
        await let_go()
        assert state.get(item) == 7


async def test_an_item_that_was_deleted_is_the_stores_own_again_once_it_is_written() -> None:
    async with fa.StateManager() as state:
        key = fa.Key("family", 0)
        handle = state.atom(key[7])
        state.delete(key[7])
        state.set(key[7], 7)
        del handle
        await let_go()
        assert state.get(key[7]) == 7


async def test_a_snapshot_brings_back_no_item_that_nobody_could_see() -> None:
    async with fa.StateManager() as state:
        key = fa.Key("family", 0)
        state.set(key[7], 7)
        snapshot = state.snapshot()
        del key
        await let_go()
        state.restore(snapshot)
        assert state.statistics().atoms == 0


async def test_a_handle_keeps_the_value_when_the_key_is_gone() -> None:
    async with fa.StateManager() as state:
        count = state.atom(fa.Key("count", 1))
        await let_go()
        count.value += 1
        assert count.value == 2
        assert state.statistics().atoms == 1
        before = state.snapshot()
        state.clear()
        assert count.value == 1
        state.restore(before)
        assert count.value == 2
        del count
        await let_go()
        assert state.statistics().atoms == 0


async def test_a_listener_keeps_the_value_when_the_key_is_gone() -> None:
    async with fa.StateManager() as state:
        seen: list[int] = []
        with state.listen(fa.Key("count", 1), seen.append):
            await let_go()
            state.clear()
            assert state.statistics().atoms == 1
        await let_go()
        assert seen == [1]
        assert state.statistics().atoms == 0


def test_without_a_loop_it_happens_when_the_next_key_comes() -> None:
    state = fa.StateManager()
    value = new_payload(state, fa.Key[Any]("own", None))
    gc.collect()
    state.get(SHARED)
    gc.collect()
    assert value() is None
    for _ in range(1_000):
        state.set(fa.Key("own", 0), 1)
    assert state.statistics().atoms <= 2


async def test_a_key_may_die_on_another_thread() -> None:
    async with fa.StateManager() as state:
        key = fa.Key[Any]("own", None)
        value = new_payload(state, key)
        keys = [key]
        del key
        thread = threading.Thread(target=keys.clear)
        thread.start()
        thread.join()
        await let_go()
        assert value() is None


async def test_a_key_outlives_the_stores_that_knew_it() -> None:
    key = fa.Key("own", 0)
    for _ in range(20):
        async with fa.StateManager() as state:
            state.set(key, 1)
        del state
        gc.collect()
    assert len(key.kept.stores) <= 1
    del key
    gc.collect()


async def test_what_errors_and_snapshots_show_is_the_key_itself() -> None:
    async with fa.StateManager() as state:
        failures: list[fa.Failure] = []
        state.on_error = failures.append

        def trip(value: int) -> None:
            raise ValueError("tripped")

        state.listen(SHARED, trip)
        assert failures[0].key is SHARED
        snapshot = state.snapshot()
        assert SHARED in snapshot
        assert snapshot.values() == {SHARED: 0}
        assert state.atom(SHARED).key == SHARED
        assert {state.atom(SHARED).key: 1}[SHARED] == 1


def test_two_keys_of_one_name_are_two_keys() -> None:
    one, two = fa.Key("name", 0), fa.Key("name", 0)
    assert one != two
    assert one == one.kept
    assert one[1] == one[1]
    assert one[1] != two[1]
    assert one[1][2] == one[1][2]
    assert len({one, two, one.kept, one[1], one[1]}) == 3


@ft.control
class Counter(ft.Row):
    """A custom control with a key of its own."""

    def init(self) -> None:
        state = fa.current()
        self.count = fa.Key[Any]("count", 0)
        self.controls = [
            state.bound(ft.Text(), value=lambda get: str(get(self.count))),
            ft.IconButton(ft.Icons.ADD, on_click=self.increment),
        ]

    def increment(self) -> None:
        fa.current().update(self.count, lambda n: n + 1)


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"debug": True})], ids=["asyncio"])
async def test_keys_die_with_their_control() -> None:
    def main(page: ft.Page) -> None:
        page.add(Counter(), Counter())

    async with HeadlessApp(main) as app:
        state = fa.get_state_manager(app.page)
        first = app.page.controls[0]
        await app.click(app.find("IconButton")[0])
        assert app.texts() == ["1", "0"]
        assert state.statistics().atoms == 2
        gone = weakref.ref(first)
        app.page.controls.remove(first)
        app.page.update()
        await app.settle()
        del first
        await let_go()
        app.page.update()
        await let_go()
        assert app.texts() == ["0"]
        assert gone() is None
        assert state.statistics().atoms == 1
