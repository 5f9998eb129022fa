"""Lists on a real page: a control for each item, made once, wherever it goes and whatever it becomes."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp
from tests.kit.apps import store
from tests.kit.failures import collect


@dataclass
class Line:
    sku: str
    qty: int = 1


CART = fa.Key[list[Line]]("cart", factory=list)
IDS = fa.Key[list[int]]("ids", factory=list)
NUMBERS = fa.Key[tuple[int, ...]]("numbers", ())
TITLE = fa.Key("title", "")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


def rows(app: HeadlessApp) -> list[Any]:
    column: Any = app.page.controls[0]
    return list(column.controls)


def number_page(built: list[int]) -> Callable[[ft.Page], None]:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def build(row: fa.Row[int]) -> ft.Control:
            built.append(row.value)
            return state.bound(ft.Text(), value=row)

        column = ft.Column()
        state.bind_list(NUMBERS, column, build)
        page.add(column)

    return main


@pytest.mark.parametrize("seed", range(10))
async def test_whatever_happens_to_the_list_each_item_keeps_its_control(seed: int) -> None:
    pick = random.Random(seed)
    built: list[int] = []
    async with HeadlessApp(number_page(built)) as app:
        known: dict[int, Any] = {}
        for _ in range(25):
            kept = pick.sample(list(known), pick.randrange(len(known) + 1))
            fresh = pick.sample([each for each in range(30) if each not in known], pick.randrange(4))
            numbers = [*kept, *fresh]
            pick.shuffle(numbers)
            built.clear()
            store(app).set(NUMBERS, tuple(numbers))
            await app.settle()
            assert sorted(built) == sorted(fresh), "only what is new is built"
            controls = dict(zip(numbers, rows(app), strict=True))
            assert all(controls[each] is known[each] for each in kept)
            assert app.texts() == [str(each) for each in numbers]
            assert app.mirror_diff() == []
            known = controls


async def test_an_item_that_becomes_another_keeps_its_control_and_only_that_is_pushed() -> None:
    built: list[str] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.set(CART, [Line("a"), Line("b"), Line("c")])

        def build(row: fa.Row[Line]) -> ft.Control:
            built.append(row.value.sku)
            return ft.Row(
                [
                    state.bound(ft.Text(), value=lambda get: get(row).sku),
                    state.bound(ft.Text(), value=lambda get: get(row).qty),
                ]
            )

        column = ft.Column()
        state.bind_list(CART, column, build, item_key=lambda line: line.sku)
        page.add(column)

    async with HeadlessApp(main) as app:
        before = rows(app)
        app.take()
        store(app).set(CART, [Line("a"), Line("b", 7), Line("c")])
        await app.settle()
        assert [[(op.path, op.value) for op in frame.ops] for frame in app.take()] == [[("value", 7)]]

        def edit(lines: list[Line]) -> None:
            lines[2].qty = 9

        store(app).mutate(CART, edit)
        await app.settle()
        assert app.texts() == ["a", "1", "b", "7", "c", "9"]
        assert [a is b for a, b in zip(rows(app), before, strict=True)] == [True] * 3
        assert built == ["a", "b", "c"]
        assert app.mirror_diff() == []


async def test_what_is_half_typed_goes_along_when_rows_are_sorted() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.set(IDS, [1, 2, 3])
        column = ft.Column()
        state.bind_list(IDS, column, lambda row: state.bound(ft.TextField(), value=fa.two_way(TITLE[row.value])))
        page.add(column)

    async with HeadlessApp(main) as app:
        field = app.find("TextField")[0]
        app.set_props(field, value="half")  # typed, and no event of it yet
        store(app).set(IDS, [3, 2, 1])
        await app.settle()
        assert [each.get("value", "") for each in app.find("TextField")] == ["", "", "half"]
        await app.type(app.find("TextField")[2], "half done")
        assert store(app).get(TITLE[1]) == "half done"


async def test_of_10_000_rows_one_that_changes_is_one_message() -> None:
    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page, auto_update=False)
        state.set(IDS, list(range(10_000)))
        view = ft.ListView()
        state.bind_list(IDS, view, lambda row: state.bound(ft.Text(), value=TITLE[row.value]))
        page.add(view)

    async with HeadlessApp(main) as app:
        app.take()
        pushed = store(app).statistics().pushed
        store(app).set(TITLE[5_000], "changed")
        await app.settle()
        assert [[op.value for op in frame.ops] for frame in app.take()] == [["changed"]]
        assert store(app).statistics().pushed == pushed + 1
        store(app).mutate(IDS, lambda ids: ids.insert(3, 10_000))
        await app.settle()
        (frame,) = app.take()
        assert len(frame.ops) == 1
        assert frame.ops[0].value["_c"] == "Text"


async def test_items_that_are_alike_have_a_row_each() -> None:
    built: list[int] = []
    async with HeadlessApp(number_page(built)) as app:
        store(app).set(NUMBERS, (1, 1, 2, 1))
        await app.settle()
        assert app.texts() == ["1", "1", "2", "1"]
        store(app).set(NUMBERS, (2, 1, 1))
        await app.settle()
        assert (app.texts(), built) == (["2", "1", "1"], [1, 1, 2, 1])
        assert app.mirror_diff() == []


async def test_a_build_that_raises_costs_its_row_until_the_list_changes_next() -> None:
    bad = {2}

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def build(row: fa.Row[int]) -> ft.Control:
            if row.value in bad:
                raise ValueError(f"no row for {row.value}")
            return state.bound(ft.Text(), value=row)

        column = ft.Column()
        state.bind_list(NUMBERS, column, build)
        page.add(column)

    async with HeadlessApp(main) as app:
        found = collect(store(app))
        store(app).set(NUMBERS, (1, 2, 3))
        await app.settle()
        assert app.texts() == ["1", "3"]
        assert [(each.key, each.actor, str(each.error)) for each in found] == [
            (NUMBERS, "row for 2 of Column.controls", "no row for 2")
        ]
        bad.clear()
        store(app).set(NUMBERS, (1, 2, 3, 4))
        await app.settle()
        assert app.texts() == ["1", "2", "3", "4"]


async def test_what_was_made_for_a_row_goes_with_it() -> None:
    heard: list[object] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def build(row: fa.Row[int]) -> ft.Control:
            state.listen(TITLE, heard.append, immediate=False)
            return state.bound(ft.Text(), value=row)

        column = ft.Column()
        state.bind_list(NUMBERS, column, build)
        page.add(column)

    async with HeadlessApp(main) as app:
        for turn in range(50):
            store(app).set(NUMBERS, (turn,))
            await app.settle()
        old = weakref.ref(rows(app)[0])
        store(app).set(NUMBERS, ())
        await app.settle()
        gc.collect()
        assert old() is None
        observed = store(app).statistics().observed
        store(app).set(TITLE, "new")
        assert (heard, observed) == ([], 1), "only the list itself is watched"


def test_mistakes_are_told_where_they_are_made() -> None:
    state = fa.StateManager()

    def build(row: fa.Row[Any]) -> ft.Control:
        return ft.Text()

    with pytest.raises(fa.BindingError, match="Divider has no list of children to bind"):
        state.bind_list(NUMBERS, ft.Divider(), build)
    with pytest.raises(fa.BindingError, match=r"Column\.controls has Text in it already"):
        state.bind_list(NUMBERS, ft.Column([ft.Text()]), build)
    with pytest.raises(fa.BindingError, match="a list is bound to a list"):
        state.bind_list(TITLE, ft.Column(), build)  # pyright: ignore[reportArgumentType]  # the mistake


def test_without_a_page_none_a_function_and_a_second_list() -> None:
    state = fa.StateManager()
    maybe = fa.Key[list[int] | None]("maybe", None)
    column = ft.Column()
    state.bind_list(maybe, column, lambda row: ft.Text(str(row.value)))
    assert column.controls == []
    state.set(maybe, [1, 2])
    texts: Any = column.controls
    assert [each.value for each in texts] == ["1", "2"]
    binding = state.bind_list(
        lambda get: [each * 10 for each in get(maybe) or []], column, lambda row: ft.Text(str(row.value))
    )
    texts = column.controls
    assert [each.value for each in texts] == ["10", "20"]
    binding.close()
    state.set(maybe, [])
    assert len(column.controls) == 2, "closing leaves the controls as they are"


# ------------------------------------------------------------------ what is asked for in build


async def test_what_is_closed_in_build_is_not_held_by_the_row() -> None:
    class Heard:
        """Listens, and can be collected."""

        def __call__(self, title: str) -> None:
            """Hear of it."""

    made: list[weakref.ref[Heard]] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def build(row: fa.Row[int]) -> ft.Control:
            heard = Heard()
            made.append(weakref.ref(heard))
            state.listen(TITLE, heard, immediate=False).close()
            return ft.Text(str(row.value))

        column = ft.Column()
        state.bind_list(NUMBERS, column, build)
        page.add(column)

    async with HeadlessApp(main) as app:
        store(app).set(NUMBERS, (1, 2))
        await app.settle()
        gc.collect()
        assert (app.texts(), [each() for each in made]) == (["1", "2"], [None, None])


async def test_what_is_asked_for_twice_in_build_ends_once_and_what_is_asked_for_outside_goes_on() -> None:
    heard: list[str] = []
    made: list[fa.Row[int]] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def build(row: fa.Row[int]) -> ft.Control:
            made.append(row)
            state.listen(TITLE, heard.append, immediate=False)
            state.listen(TITLE, heard.append, immediate=False)
            return ft.Text(str(row.value))

        column = ft.Column()
        state.bind_list(NUMBERS, column, build)
        page.add(column)

    async with HeadlessApp(main) as app:
        state = store(app)
        state.set(NUMBERS, (1,))
        state.set(TITLE, "a")
        state.set(NUMBERS, ())
        state.set(TITLE, "b")
        assert heard == ["a"]
        state.set(NUMBERS, (2,))
        kept = state.listen(TITLE, heard.append, immediate=False)
        state.set(NUMBERS, ())
        state.set(TITLE, "c")
        assert heard == ["a", "c"]
        kept.close()
        made[0].recompute()
        assert (made[0].value, made[0].is_gone) == (1, True), "the last value is kept, whoever asks for another"
