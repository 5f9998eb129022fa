"""What things say of themselves when they are printed, in a log or by an assertion that fails."""

from __future__ import annotations

import anyio
import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing.headless import HeadlessApp

N = fa.Key("n", 0)


async def forever(get: fa.Get, set: fa.Set) -> None:
    await anyio.sleep_forever()


async def slow(n: int) -> int:
    await anyio.sleep_forever()
    return n


async def test_what_is_under_way_says_how_far_it_is() -> None:
    async with fa.StateManager() as state:
        run = state.action(forever)()
        assert repr(run) == "<Run of forever: pending>"
        receipts = state.set(N, 1), state.update(N, slow)
        assert [repr(each) for each in receipts] == ["<Receipt done>", "<Pending pending>"]
        await anyio.wait_all_tasks_blocked()
        assert repr(run) == "<Run of forever: running>"
    assert (repr(run), repr(receipts[1])) == ("<Run of forever: cancelled>", "<Pending done>")


async def test_services_and_supervisors_say_how_they_are() -> None:
    async with fa.StateManager() as state:
        feeds = state.supervisor("rest_for_one", name="feeds")
        service = feeds.service("prices")(forever)
        await anyio.wait_all_tasks_blocked()
        assert repr(service) == "<Service prices: running>"
        assert repr(feeds) == "<Supervisor feeds: rest_for_one, 1 children, running>"
        service.stop()
        await anyio.wait_all_tasks_blocked()
        assert repr(service) == "<Service prices: cancelled>"


async def test_a_transaction_says_what_is_written_in_it() -> None:
    async with fa.StateManager() as state:
        async with state.transaction() as tx:
            assert repr(tx) == "<Transaction open: nothing written>"
            tx.get(N)
            tx.set(N, 1)
            assert repr(tx) == "<Transaction open: Key('n')>"
        assert repr(tx) == "<Transaction over: Key('n')>"


def test_an_effect_and_a_snapshot_say_of_what() -> None:
    state = fa.StateManager()

    @state.effect
    def show(get: fa.Get) -> None:
        get(N)

    assert repr(show) == "<Effect show>"
    state.set(N, 1)
    assert repr(state.snapshot()) == "<Snapshot of 1 atoms>"
    assert repr(fa.two_way(N, parse=int)) == "two_way(Key('n'))"


def test_a_selector_says_what_it_holds_what_it_failed_with_and_whether_that_is_so_still() -> None:
    state = fa.StateManager()
    part = state.add_selector("part", lambda get: 6 // get(N))
    with pytest.raises(ZeroDivisionError):
        state.get("part")
    assert repr(part).startswith("<Selector selector part failed: ZeroDivisionError(")
    state.set(N, 2)
    with state.listen("part", lambda _: None):
        assert repr(part) == "<Selector selector part = 3>"
    state.set(N, 3)
    assert repr(part) == "<Selector selector part = 3 (unchecked)>"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_binding_says_where_and_to_what_and_the_client_what_it_shows() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        ref = ft.Ref[ft.Text]()
        early = state.bind(N, ref, to=str)
        said.append(repr(early))
        page.add(ft.Text(ref=ref))
        said.append(repr(early))

    said: list[str] = []
    async with HeadlessApp(main) as app:
        assert said == ["<Binding of a control to come (value) to Key('n')>", "<Binding of Text.value to Key('n')>"]
        assert "Text '0'" in str(app.client)
