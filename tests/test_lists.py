"""Lists, attacked: any edits against a model, nothing half old, nothing left behind, everywhere."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import flet as ft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flet_asp_actors as fa
from flet_asp_actors.row import Row
from flet_asp_actors.testing import HeadlessApp
from tests.kit.apps import store
from tests.kit.failures import collect


@dataclass
class Item:
    number: int
    word: str = ""


ITEMS = fa.Key[list[Item]]("items", factory=list)
NUMBERS = fa.Key[tuple[int, ...]]("numbers", ())
FACTOR = fa.Key("factor", 1)
NOTE = fa.Key("note", "")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


def children(control: Any, prop: str = "controls") -> list[Any]:
    return list(getattr(control, prop))


def values(control: Any) -> list[Any]:
    return [each.value for each in control.controls]


def list_of(item: Any) -> Any:
    return [item]


def number_of(item: Item) -> int:
    return item.number


def texts_of(state: fa.StateManager) -> Callable[[Row[int]], ft.Text]:
    return lambda row: state.bound(ft.Text(), value=row)


# ------------------------------------------------------------------ any edits, against a model

POSITION = st.integers(0, 20)
EDIT = st.tuples(
    st.sampled_from(
        ["insert", "append", "remove", "move", "edit", "replace", "swap", "clear", "batch", "leave", "come"]
    ),
    POSITION,
    POSITION,
)


@settings(max_examples=120, deadline=None)
@given(start=st.integers(0, 4), edits=st.lists(EDIT, max_size=14), in_place=st.booleans())
def test_any_edits_keep_each_control_and_the_client_shows_them(
    start: int, edits: list[tuple[str, int, int]], in_place: bool
) -> None:
    asyncio.run(edit_and_compare(start, edits, in_place))


async def edit_and_compare(start: int, edits: list[tuple[str, int, int]], in_place: bool) -> None:
    column = ft.Column()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.set(ITEMS, [Item(each) for each in range(start)])
        state.bind_list(ITEMS, column, lambda row: state.bound(ft.Text(), value=show(row)), item_key=number_of)
        page.add(column)

    def show(row: fa.Row[Item]) -> Callable[[fa.Get], str]:
        return lambda get: f"{get(row).number}:{get(row).word}"

    fresh = iter(range(100, 1000))
    async with HeadlessApp(main) as app:
        state, found = store(app), collect(store(app))
        known: dict[int, Any] = {}

        def write(verb: str, at: int, to: int) -> None:
            if in_place:
                state.mutate(ITEMS, lambda items: change(verb, items, at, to, fresh))
            else:
                items = [Item(each.number, each.word) for each in state.get(ITEMS)]
                change(verb, items, at, to, fresh)
                state.set(ITEMS, items)

        for verb, at, to in edits:
            if verb == "leave":
                app.page.controls.clear()
                app.page.update()
            elif verb == "come" and column not in app.page.controls:
                app.page.controls.append(column)
                app.page.update()
            elif verb == "batch":
                with state.batch():
                    write("remove", at, to)
                    write("append", at, to)
            else:
                write(verb, at, to)
            await app.settle()
            assert app.mirror_diff() == []
            if column in app.page.controls:
                items = state.get(ITEMS)
                assert app.texts() == [f"{each.number}:{each.word}" for each in items]
                controls = {each.number: control for each, control in zip(items, column.controls, strict=True)}
                assert all(control is known.get(number, control) for number, control in controls.items())
                known = controls
        assert found == []


def change(verb: str, items: list[Item], at: int, to: int, fresh: Any) -> None:
    if verb == "insert":
        items.insert(at % (len(items) + 1), Item(next(fresh)))
    elif verb == "append":
        items.append(Item(next(fresh)))
    elif not items:
        return
    elif verb == "remove":
        del items[at % len(items)]
    elif verb == "move":
        items.insert(to % len(items), items.pop(at % len(items)))
    elif verb == "edit":
        items[at % len(items)].word += "x"
    elif verb == "replace":
        items[at % len(items)] = Item(items[at % len(items)].number, "new")
    elif verb == "swap":
        items.reverse()
    elif verb == "clear":
        items.clear()


# ------------------------------------------------------------------ nothing half old


def test_a_row_is_never_older_than_what_is_read_beside_it() -> None:
    state = fa.StateManager()
    seen: list[tuple[int, int]] = []
    column = ft.Column()

    def build(row: fa.Row[Item]) -> ft.Control:
        def shown(get: fa.Get) -> str:
            seen.append((len(get(row).word), get(FACTOR)))
            return get(row).word

        return state.bound(ft.Text(), value=shown)

    state.set(ITEMS, [Item(1, "a"), Item(2, "a")])
    state.bind_list(ITEMS, column, build, item_key=number_of)
    for length in (2, 3):
        with state.batch():
            state.set(FACTOR, length)
            state.set(ITEMS, [Item(1, "a" * length), Item(2, "a" * length)])
    assert {word - factor for word, factor in seen} == {0}, "both of one moment"
    assert len(seen) == 6, "once a turn each"


def test_a_row_is_read_as_it_was_written_also_in_a_batch() -> None:
    state = fa.StateManager()
    rows: list[fa.Row[Item]] = []

    def build(row: fa.Row[Item]) -> ft.Control:
        rows.append(row)
        return ft.Text()

    state.set(ITEMS, [Item(1), Item(2)])
    column = ft.Column()
    state.bind_list(ITEMS, column, build, item_key=number_of)
    words = fa.selector("words")(lambda get: get(rows[0]).word + get(rows[1]).word)
    heard: list[str] = []
    state.listen(words, heard.append, immediate=False)
    with state.batch():
        state.set(ITEMS, [Item(2, "b"), Item(1, "a")])
        assert (rows[0].value.word, state.get(words)) == ("a", "ab")
        state.mutate(ITEMS, lambda items: setattr(items[1], "word", "A"))
        assert state.get(rows[1]).word == "b", "the index is read anew, and the other row only later"
        state.set(ITEMS, list(reversed(state.get(ITEMS))))
        assert heard == []
    assert heard == ["Ab"]
    assert rows[0].value.word == "A"


def test_an_edit_in_place_is_not_forgotten_when_the_same_objects_are_set_anew() -> None:
    state = fa.StateManager()
    rows: list[fa.Row[Item]] = []

    def build(row: fa.Row[Item]) -> ft.Control:
        rows.append(row)
        return state.bound(ft.Text(), value=lambda get: get(row).word)

    state.set(ITEMS, [Item(1), Item(2)])
    column = ft.Column()
    state.bind_list(ITEMS, column, build, item_key=number_of)
    with state.batch():
        state.mutate(ITEMS, lambda items: setattr(items[0], "word", "edited"))
        assert state.get(rows[1]).word == "", "the list is looked at, and the first row is not"
        state.set(ITEMS, [*state.get(ITEMS), Item(3)])
        assert state.get(rows[1]).word == ""
    assert values(column) == ["edited", "", ""]


def test_a_row_that_is_gone_keeps_its_last_value() -> None:
    state = fa.StateManager()
    found = collect(state)
    rows: dict[int, fa.Row[int]] = {}
    runs: list[int] = []

    def build(row: fa.Row[int]) -> ft.Control:
        rows[row.value] = row

        def shown(get: fa.Get) -> int:
            runs.append(get(row))
            return {1: 10, 2: 20, 3: 30}[get(row)] * get(FACTOR)

        return state.bound(ft.Text(), value=shown)

    state.set(NUMBERS, (1, 2, 3))
    column = ft.Column()
    state.bind_list(NUMBERS, column, build)
    with state.batch():
        state.set(NUMBERS, (3,))
        state.set(FACTOR, 10)
    assert values(column) == [300]
    assert [row.value for row in rows.values()] == [1, 2, 3]
    runs.clear()
    gone = rows[1]
    state.set(NUMBERS, (1,))
    assert rows[1] is not gone, "one that comes back is built anew"
    assert (gone.is_gone, rows[1].is_gone, found) == (True, False, [])
    assert 2 not in runs
    with pytest.raises(fa.ReadOnlyError):
        state.set(cast(Any, rows[1]), 5)


def test_only_the_rows_that_changed_are_computed() -> None:
    state = fa.StateManager()
    runs: list[int] = []

    def build(row: fa.Row[Item]) -> ft.Control:
        def shown(get: fa.Get) -> str:
            runs.append(get(row).number)
            return get(row).word

        return state.bound(ft.Text(), value=shown)

    items = [Item(each) for each in range(50)]
    state.set(ITEMS, items)
    column = ft.Column()
    state.bind_list(ITEMS, column, build, item_key=number_of)
    runs.clear()
    state.set(ITEMS, [*items[:7], Item(7, "new"), *items[8:]])
    assert runs == [7]
    state.set(ITEMS, [*items[25:], *items[:7], Item(7, "new"), *items[8:25]])
    assert runs == [7], "moving is no change of a row"
    state.mutate(ITEMS, lambda items: setattr(items[3], "word", "edited"))
    assert sorted(runs[1:]) == list(range(50)), "of an edit in place nobody can tell which items it was"


# ------------------------------------------------------------------ nothing left behind


async def test_1000_rounds_leave_nothing() -> None:
    open_key = fa.Key("all", 0)
    effects: list[int] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def build(row: fa.Row[int]) -> ft.Control:
            mine = fa.Key("mine", row.value)
            text = state.bound(
                ft.Text(), value=row, tooltip=lambda get: str(get(mine)), visible=lambda get: get(open_key) >= 0
            )

            def listen(_: object) -> None:
                text.data = row.value  # holds the control

            state.listen(mine, listen)

            @state.effect
            def each(get: fa.Get) -> None:
                effects.append(get(row))
                get.on_cleanup(lambda: effects.remove(row.value))

            return text

        column = ft.Column()
        state.bind_list(NUMBERS, column, build)
        page.add(column)

    async with HeadlessApp(main) as app:
        state = store(app)

        async def held() -> list[int]:
            await app.settle()
            gc.collect()
            await app.settle()  # what the collector has asked for is done
            gc.collect()
            now = state.statistics()
            there: list[Any] = gc.get_objects()
            return [*(sum(type(each) is kind for each in there) for kind in (ft.Text, Row)), now.atoms, now.observed]

        first: list[int] = []
        for turn in range(1_000):
            state.set(NUMBERS, (turn, turn + 1))
            if turn % 3 == 0:
                await state.flushed()
            if turn == 20:
                first = await held()
        assert await held() == first
        assert sorted(effects) == [999, 1_000]


@pytest.mark.parametrize("was_shown", [True, False])
async def test_a_container_that_is_gone_takes_its_rows_along(was_shown: bool) -> None:
    shared = fa.StateManager()
    shared.set(NUMBERS, (1, 2))
    heard: list[str] = []

    def main(page: ft.Page) -> None:
        column = ft.Column()

        def build(row: fa.Row[int]) -> ft.Control:
            shared.listen(NOTE, lambda note: heard.append(f"{note}{row.value}"), immediate=False)
            return ft.Row([shared.bound(ft.Text(), value=row), ft.Button("x", on_click=lambda: column.controls)])

        shared.bind_list(NUMBERS, column, build)
        page.data = weakref.ref(column)
        if was_shown:
            page.add(column)

    async with HeadlessApp(main) as app:
        column = app.page.data
        assert heard == []
        app.page.controls.clear()
        app.page.update()
        await app.settle()
        gc.collect()
        await app.settle()  # what the collector has asked for is done
        assert column() is None
        shared.set(NOTE, "n")
        shared.set(NUMBERS, (3,))
        assert heard == []
        assert shared.statistics().observed == 0


def test_a_listener_that_rows_share_ends_with_the_last_of_them() -> None:
    state = fa.StateManager()
    heard: list[str] = []

    def build(row: fa.Row[int]) -> ft.Control:
        state.listen(NOTE, heard.append, immediate=False)
        return ft.Text()

    state.set(NUMBERS, (1, 2))
    column = ft.Column()
    state.bind_list(NUMBERS, column, build)
    for numbers, note in (((2,), "one"), ((), "none")):
        state.set(NUMBERS, numbers)
        state.set(NOTE, note)
    assert heard == ["one"]
    own = state.listen(NOTE, heard.append, immediate=False)
    state.set(NUMBERS, (1,))
    state.set(NUMBERS, ())
    state.set(NOTE, "own")
    assert heard == ["one", "own"], "one that somebody else has set up does not end with a row"
    own.close()


# ------------------------------------------------------------------ places, life


def before_it_exists(state: fa.StateManager, page: ft.Page) -> ft.Column:
    ref = ft.Ref[ft.Column]()
    state.bind_list(NUMBERS, ref, texts_of(state))
    column = ft.Column(ref=ref)
    page.add(column)
    return column


def before_it_is_there(state: fa.StateManager, page: ft.Page) -> ft.Column:
    column = ft.Column()
    state.bind_list(NUMBERS, column, texts_of(state))
    page.add(column)
    return column


def after(state: fa.StateManager, page: ft.Page) -> ft.Column:
    column = ft.Column()
    page.add(column)
    state.bind_list(NUMBERS, column, texts_of(state))
    return column


def in_a_control_of_its_own(state: fa.StateManager, page: ft.Page) -> ft.Column:
    @ft.control
    class Numbers(ft.Column):
        def init(self) -> None:
            fa.current().bind_list(NUMBERS, self, self.row)

        def row(self, row: fa.Row[int]) -> ft.Control:
            return fa.current().bound(ft.Text(), value=row)

    numbers = Numbers()
    page.add(numbers)
    return numbers


@pytest.mark.parametrize("place", [before_it_exists, before_it_is_there, after, in_a_control_of_its_own])
async def test_the_rows_are_there_wherever_it_is_bound(place: Callable[[fa.StateManager, ft.Page], ft.Column]) -> None:
    made: list[ft.Column] = []

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.set(NUMBERS, (1, 2))
        made.append(place(state, page))

    async with HeadlessApp(main) as app:
        assert app.texts() == ["1", "2"]
        store(app).set(NUMBERS, (2, 3))
        await app.settle()
        assert app.texts() == ["2", "3"]
        kept = children(made[0])[0]
        app.page.controls.clear()
        app.page.update()
        store(app).set(NUMBERS, (4, 2))
        assert store(app).get(NUMBERS) == (4, 2)
        app.page.add(made[0])
        await app.settle()
        assert app.texts() == ["4", "2"]
        assert children(made[0])[1] is kept
        assert app.mirror_diff() == []


async def test_a_ref_that_gets_another_control_fills_that() -> None:
    state = fa.StateManager()
    ref = ft.Ref[ft.Column]()
    state.set(NUMBERS, (1, 2))
    state.bind_list(NUMBERS, ref, texts_of(state))
    first = ft.Column(ref=ref)
    second = ft.Column(ref=ref)
    state.set(NUMBERS, (3,))
    assert (values(first), values(second)) == ([1, 2], [3])


@pytest.mark.parametrize(
    ("container", "prop", "build"),
    [
        (ft.ListView, "controls", ft.Text),
        (ft.Row, "controls", ft.Text),
        (ft.Dropdown, "options", lambda: ft.DropdownOption("key")),
        (ft.PopupMenuButton, "items", ft.PopupMenuItem),
        (lambda: ft.DataTable([ft.DataColumn(label="A")]), "rows", lambda: ft.DataRow([ft.DataCell(ft.Text("a"))])),
        (ft.AppBar, "actions", ft.Text),
        (lambda: ft.AlertDialog(title="Title"), "actions", ft.Text),
        (ft.Text, "spans", ft.TextSpan),
    ],
)
async def test_a_container_of_any_kind(container: Callable[[], Any], prop: str, build: Callable[[], Any]) -> None:
    filled = container()

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.bind_list(NUMBERS, filled, lambda row: build())
        page.add(filled)

    async with HeadlessApp(main) as app:
        store(app).set(NUMBERS, (1, 2))
        await app.settle()
        assert len(children(filled, prop)) == 2
        assert app.mirror_diff() == []
        store(app).set(NUMBERS, (2, 3, 1))
        await app.settle()
        store(app).set(NUMBERS, ())
        await app.settle()
        assert children(filled, prop) == []
        store(app).set(NUMBERS, (5,))
        await app.settle()
        assert len(app.client.node(filled)[prop]) == 1
        assert app.mirror_diff() == []


async def test_what_flet_refuses_is_told_and_what_is_shown_stays() -> None:
    bar = ft.NavigationBar(destinations=[])

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        state.set(NUMBERS, (1, 2))
        state.bind_list(NUMBERS, bar, lambda row: ft.NavigationBarDestination(label=str(row.value), icon=ft.Icons.ADD))
        page.add(bar)

    async with HeadlessApp(main) as app:
        found = collect(store(app))
        store(app).set(NUMBERS, (1,))
        await app.settle()
        assert len(bar.destinations) == 2
        assert [type(each.error) for each in found] == [fa.BindingError]
        assert "NavigationBar.destinations" in str(found[0].error)
        store(app).set(NUMBERS, (1, 3))
        await app.settle()
        assert [each["label"] for each in app.client.node(bar)["destinations"]] == ["1", "3"]


def test_binding_again_replaces_and_unbind_ends() -> None:
    state = fa.StateManager()
    column = ft.Column()
    state.set(NUMBERS, (1, 2))
    rows: list[fa.Row[int]] = []

    def build(row: fa.Row[int]) -> ft.Control:
        rows.append(row)
        return ft.Text("old")

    state.bind_list(NUMBERS, column, build)
    state.bind_list(NUMBERS, column, lambda row: ft.Text("new"))
    state.set(NUMBERS, (1, 2, 3))
    assert values(column) == ["new"] * 3
    assert [row.is_gone for row in rows] == [True, True]
    state.unbind(NUMBERS, column)
    state.set(NUMBERS, ())
    assert values(column) == ["new"] * 3
    assert state.statistics().observed == 0
    state.bind_list(NUMBERS, column, lambda row: ft.Text("again"))
    assert column.controls == [], "rows that were left there may be replaced"


async def test_lists_in_lists_and_a_store_that_is_shared() -> None:
    room = fa.StateManager()
    tree = fa.Key[tuple[tuple[str, tuple[int, ...]], ...]]("tree", (("a", (1, 2)), ("b", (3,))))
    handle = room.atom("tree", tree.initial())

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)

        def build(row: fa.Row[tuple[str, tuple[int, ...]]]) -> ft.Control:
            inner = ft.Row()
            state.bind_list(lambda get: get(row)[1], inner, texts_of(state))
            return ft.Column([state.bound(ft.Text(), value=lambda get: get(row)[0]), inner])

        outer = ft.Column()
        state.bind_list(handle, outer, build, item_key=lambda pair: pair[0])
        page.add(outer)

    async with HeadlessApp(main) as app:
        assert app.texts() == ["a", "1", "2", "b", "3"]
        built = app.page.controls[0]
        before = children(built)
        room.set("tree", (("b", (3, 4)), ("a", (2,))))
        await app.settle()
        assert app.texts() == ["b", "3", "4", "a", "2"]
        assert children(built)[0] is before[1]
        room.set("tree", (("a", ()),))
        await app.settle()
        assert (app.texts(), app.mirror_diff()) == (["a"], [])


async def test_an_async_selector_before_its_first_value_after_it_and_when_it_fails() -> None:
    answers: asyncio.Queue[list[str] | Exception] = asyncio.Queue()

    @fa.selector
    async def found(get: fa.Get) -> list[str]:
        get(FACTOR)
        answer = await answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        column = ft.Column()
        state.bind_list(found, column, lambda row: state.bound(ft.Text(), value=row))
        page.add(column)

    async with HeadlessApp(main) as app:
        failures = collect(store(app))
        assert app.texts() == []
        script: list[tuple[list[str] | Exception, list[str]]] = [
            (["x", "y"], ["x", "y"]),
            (ValueError("down"), ["x", "y"]),
            (["y"], ["y"]),
        ]
        for turn, (answer, texts) in enumerate(script, 2):
            answers.put_nowait(answer)
            await app.settle()
            assert app.texts() == texts
            store(app).set(FACTOR, turn)
            await app.settle()
        assert len(failures) <= 1


# ------------------------------------------------------------------ keys


def test_items_that_are_not_hashable_are_known_by_which_object_they_are() -> None:
    state = fa.StateManager()
    things = fa.Key[list[dict[str, int]]]("things", factory=list)
    column = ft.Column()
    one, two = {"n": 1}, {"n": 2}
    state.set(things, [one, two])
    state.bind_list(things, column, lambda row: state.bound(ft.Text(), value=lambda get: get(row)["n"]))
    first, second = children(column)
    state.set(things, [two, one])
    assert [each is control for each, control in zip(children(column), (second, first), strict=True)] == [True, True]
    state.mutate(things, lambda them: them[0].update(n=5))
    assert values(column) == [5, 1]
    state.set(things, [one, one, two])
    assert values(column) == [1, 1, 5]


def test_items_of_equal_keys_are_all_shown() -> None:
    state = fa.StateManager()
    column = ft.Column()
    state.set(ITEMS, [Item(1, "a"), Item(1, "b"), Item(2, "c")])
    state.bind_list(
        ITEMS, column, lambda row: state.bound(ft.Text(), value=lambda get: get(row).word), item_key=number_of
    )
    state.set(ITEMS, [Item(2, "c"), Item(1, "a"), Item(1, "b"), Item(1, "d")])
    assert values(column) == ["c", "a", "b", "d"]
    pairs = fa.Key[list[Any]]("pairs", factory=list)
    column = ft.Column()
    state.set(pairs, [1, 1, (1, 1)])
    state.bind_list(pairs, column, lambda row: state.bound(ft.Text(), value=lambda get: str(get(row))))
    assert values(column) == ["1", "1", "(1, 1)"]


def test_a_key_that_cannot_be_made_is_told_and_the_list_stays() -> None:
    state = fa.StateManager()
    found = collect(state)
    column = ft.Column()
    state.set(ITEMS, [Item(1, "a")])
    bad = [Item(2)]

    def key(item: Item) -> int:
        if item in bad:
            raise LookupError("no number")
        return item.number

    state.bind_list(ITEMS, column, lambda row: state.bound(ft.Text(), value=lambda get: get(row).word), item_key=key)
    state.set(ITEMS, [Item(1, "b"), Item(2)])
    assert values(column) == ["a"]
    (failure,) = found
    assert "item_key makes no key of Item(number=2, word='')" in str(failure.error)
    bad.clear()
    state.set(ITEMS, [Item(1, "c"), Item(2, "d")])
    assert values(column) == ["c", "d"]
    with pytest.raises(fa.BindingError, match="item_key makes no key"):
        state.bind_list(ITEMS, ft.Column(), lambda row: ft.Text(), item_key=list_of)


# ------------------------------------------------------------------ builds


def test_a_build_that_makes_no_control_of_its_own_costs_its_row() -> None:
    state = fa.StateManager()
    found = collect(state)
    column = ft.Column()
    one = ft.Text("one")
    made: dict[int, Any] = {1: one, 2: one, 3: None, 4: "text", 5: ft.Text("five")}
    state.set(NUMBERS, (1, 2, 3, 4, 5))
    state.bind_list(NUMBERS, column, lambda row: made[row.value])
    assert values(column) == ["one", "five"]
    assert [str(each.error).split(",")[0] for each in found] == [
        "build returned the same Text for row 2 of Key('numbers') as for row 1 of Key('numbers')",
        "build returned None for row 3 of Key('numbers')",
        "build returned 'text' for row 4 of Key('numbers')",
    ]
    state.set(NUMBERS, (2, 5))
    assert values(column) == ["one", "five"], "it is free again"


@pytest.mark.parametrize(
    ("build", "item_key"), [(None, None), (ft.Text("x"), None), (lambda: ft.Text(), None), (ft.Text, 5)]
)
def test_functions_that_are_none_are_refused(build: Any, item_key: Any) -> None:
    with pytest.raises(fa.BindingError, match="is a plain function of"):
        fa.StateManager().bind_list(NUMBERS, ft.Column(), build, item_key)


async def test_an_async_build_is_refused() -> None:
    async def build(row: fa.Row[int]) -> ft.Control:
        return ft.Text()

    with pytest.raises(fa.BindingError, match="build is a plain function of the row"):
        fa.StateManager().bind_list(NUMBERS, ft.Column(), cast(Any, build))


def test_a_build_may_write_also_the_list_itself() -> None:
    state = fa.StateManager()
    column = ft.Column()

    def build(row: fa.Row[int]) -> ft.Control:
        if row.value < 4:
            state.update(NUMBERS, lambda numbers: (*numbers, row.value + 1))
        return state.bound(ft.Text(), value=row)

    state.set(NUMBERS, (1,))
    state.bind_list(NUMBERS, column, build)
    assert values(column) == [1, 2, 3, 4]


def test_a_build_may_end_the_list() -> None:
    state = fa.StateManager()
    column = ft.Column()
    bindings: list[fa.Binding] = []

    def build(row: fa.Row[int]) -> ft.Control:
        for binding in bindings:
            binding.close()
        return ft.Text(str(row.value))

    bindings.append(state.bind_list(NUMBERS, column, build))
    state.set(NUMBERS, (1, 2))
    assert column.controls == []
    assert state.statistics().observed == 0


def test_fa_current_is_the_store_of_the_list() -> None:
    stores: list[fa.StateManager] = []
    state = fa.StateManager()

    def build(row: fa.Row[int]) -> ft.Control:
        stores.append(fa.current())
        return ft.Text()

    column = ft.Column()
    state.set(NUMBERS, (1,))
    state.bind_list(NUMBERS, column, build)
    state.set(NUMBERS, (1, 2))
    assert stores == [state, state]
    with pytest.raises(RuntimeError):
        fa.current()


# ------------------------------------------------------------------ mistakes


async def test_what_cannot_be_filled_and_what_builds_no_control_is_told() -> None:
    async def later(row: fa.Row[int]) -> ft.Control:
        return ft.Text(str(row.value))

    def build_later(row: fa.Row[int]) -> Any:
        return later(row)

    def main(page: ft.Page) -> None:
        state: Any = fa.get_state_manager(page)
        state.on_error = found.append
        with pytest.raises(fa.BindingError, match="only a control can be bound, and 'a column' is none"):
            state.bind_list(NUMBERS, "a column", build_later)
        column = ft.Column()
        state.bind_list(NUMBERS, column, build_later)
        page.add(column)
        state.set(NUMBERS, (1,))

    found: list[fa.Failure] = []
    async with HeadlessApp(main) as app:
        assert app.texts() == []
        assert "and a row is a control" in str(found[0].error)
