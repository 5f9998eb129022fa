"""Values and keys that are up to no good: huge, cyclic, equal to nothing, with an `==` or a repr that raises."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import math
import pathlib
import threading
import uuid
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp
from tests.kit.apps import store
from tests.kit.failures import collect

np: Any = pytest.importorskip("numpy")  # whose types are of no use for what is not known before
pd: Any = pytest.importorskip("pandas")

N = fa.Key("n", 0)


class Unequal:
    """Its `==` raises."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("I cannot be compared")

    __hash__ = None  # type: ignore[assignment]  # as that of whatever can be compared and be changed


class Speechless:
    """Its repr raises."""

    def __repr__(self) -> str:
        raise ValueError("I have no words")


@dataclasses.dataclass(frozen=True)
class Link:
    """Immutable, as far as anybody can tell, and able to hold itself."""

    to: Link | None = None


def nested(depth: int) -> tuple[Any, ...]:
    value: tuple[Any, ...] = ()
    for _ in range(depth):
        value = (value,)
    return value


def doubled(depth: int) -> tuple[Any, ...]:
    """It has two to the power of `depth` parts, and takes no room."""
    value: tuple[Any, ...] = ()
    for _ in range(depth):
        value = (value, value)
    return value


def circle() -> Link:
    link = Link()
    object.__setattr__(link, "to", link)
    return link


def cyclic() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


VAST = doubled(300)  # one for all: to compare two of them would take for ever, and that is Python's

VALUES: dict[str, Callable[[], Any]] = {
    "nan": lambda: math.nan,
    "a signalling nan": lambda: decimal.Decimal("sNaN"),
    "a number of 100,000 digits": lambda: 10**100_000,
    "a text of 10 MB": lambda: "x" * 10_000_000,
    "a list that holds itself": cyclic,
    "a tuple 100,000 deep": lambda: nested(100_000),
    "a tuple with more parts than atoms in the world": lambda: VAST,
    "a dataclass that holds itself": circle,
    "a lock": threading.Lock,
    "a function": lambda: print,
    "a generator": lambda: (each for each in range(3)),
    "an array": lambda: np.zeros(3),
    "an empty array": lambda: np.zeros(0),
    "a number of numpy": lambda: np.float64(1.5),
    "a frame": lambda: pd.DataFrame({"a": [1, 2]}),
    "a series": lambda: pd.Series([1, 2]),
    "not available": lambda: pd.NA,
    "one that cannot be compared": Unequal,
    "one without words": Speechless,
    "an exception": lambda: ValueError("a value like any other"),
    "the ellipsis": lambda: ...,
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_a_value(name: str) -> None:
    make = VALUES[name]
    state = fa.StateManager()
    found = collect(state)
    key: fa.Key[Any] = fa.Key("value", None)
    behind = fa.selector(lambda get: (get(key),))
    direct: list[Any] = []
    derived: list[Any] = []
    state.listen(key, direct.append, immediate=False)
    state.listen(behind, derived.append, immediate=False)
    first, second = make(), make()
    for value in (first, second, second):
        state.set(key, value)
        assert state.get(key) is value
    assert direct[0] is first
    assert derived[0][0] is first
    state.update(key, lambda old: (old,))
    assert state.get(key)[0] is second
    state.set(key, 1)
    state.reset(key)
    assert (direct[-1], derived[-1], found) == (None, (None,), [])


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_a_message_shows_is_shown_in_few_words(name: str) -> None:
    state = fa.StateManager()
    key: fa.Key[Any] = fa.Key("value", None)
    value = VALUES[name]()
    state.set(key, value)
    errors: list[Exception] = []
    for deed in (state.update, state.mutate):
        try:
            deed(key, value if deed == state.update else id)
        except TypeError as error:
            errors.append(error)
    assert all(len(str(error)) < 500 and "Key('value')" in str(error) for error in errors)


async def test_arrays_everywhere() -> None:
    array: fa.Key[Any] = fa.Key("array", factory=lambda: np.zeros(2))
    async with fa.StateManager() as state:
        found = collect(state)
        seen: list[float] = []

        @fa.selector
        def doubled(get: fa.Get) -> Any:
            return get(array) * 2

        def note(value: Any) -> None:
            seen.append(float(value.sum()))

        state.listen(doubled, note)
        state.set(array, np.ones(2))
        state.mutate(array, lambda value: np.add(value, 1, out=value))
        state.update(array, lambda value: value + 1)
        snapshot = state.snapshot()
        state.reset(array)
        await state.restore(snapshot)
        async with state.transaction() as tx:
            tx.update(array, lambda value: value + 1)
        assert seen == [0, 4, 8, 12, 0, 12, 16]
        value: Any = await state.wait_for(array, lambda value: bool(value.any()))
        assert value.sum() == 8
        with pytest.raises(ValueError, match="ambiguous"):
            await state.wait_for(array)

        @state.action
        async def hope(get: fa.Get, set: fa.Set) -> None:
            async with set.optimistic(array, np.full(2, 9.0)):
                await anyio.lowlevel.checkpoint()
                raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await hope()
        assert state.get(array).sum() == 8

        @fa.selector
        async def slow(get: fa.Get) -> Any:
            return get(array)

        for number in (8, 0):
            resolved: Any = await state.resolve(slow)
            assert resolved.sum() == number
            state.set(array, np.zeros(2))
        assert found == []


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("name", ["an array", "a frame", "a number of numpy", "nan", "one that cannot be compared"])
async def test_a_value_that_is_bound_takes_nothing_else_down(name: str) -> None:
    key: fa.Key[Any] = fa.Key("value", "at first")

    def main(page: ft.Page) -> None:
        state = fa.get_state_manager(page)
        page.add(
            state.bound(ft.Text(), value=key),
            state.bound(ft.Text(), value=lambda get: "text" if isinstance(get(key), str) else "other"),
            state.bound(ft.Text(), value=N),
        )

    async with HeadlessApp(main) as app:
        found = collect(store(app))
        for _ in range(2):
            store(app).set(key, VALUES[name]())
            store(app).update(N, lambda n: n + 1)
            await app.settle()
        assert app.texts()[1:] == ["other", "2"]
        assert all("Text.value" in failure.actor for failure in found)
        store(app).set(key, "at last")
        await app.settle()
        assert app.texts() == ["at last", "text", "2"]
        assert app.mirror_diff() == []


# ------------------------------------------------------------------ keys


class Color(enum.Enum):
    RED = 1


class IsInt(enum.IntEnum):
    ONE = 1


NAMES: list[Any] = [
    *("name", "", "ünïcode \N{SNOWMAN}", "a" * 10_000, 7, -1, 2**80, True, Color.RED, IsInt.ONE),
    *(
        ("a", 1),
        (),
        ((),),
        ("a", ("b", ("c",))),
        nested(50),
        None,
        b"bytes",
        frozenset({1}),
        1.5,
        1j,
        math.nan,
        math.inf,
    ),
    *(int, print, range(3), ..., NotImplemented, datetime.date(2026, 1, 1), decimal.Decimal("1.50"), uuid.UUID(int=7)),
    *(pathlib.PurePosixPath("a/b"), Link(Link()), object(), np.int64(7), pd.Timestamp("2026-01-01")),
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"{type(name).__name__} {name!r}"[:40])
def test_whatever_can_be_hashed_names_a_value(name: Any) -> None:
    state = fa.StateManager()
    seen: list[int] = []
    state.atom(name, 0)
    state.listen(name, seen.append)
    state.set(name, 1)
    state.update(name, lambda n: n + 1)
    assert (state.get(name), state.has(name), seen) == (2, True, [0, 1, 2])
    state.add_selector(("above", name), lambda get: get(name) * 10)
    assert state.get(("above", name)) == 20
    state.delete(name)
    assert not state.has(name)
    with pytest.raises(fa.UnknownKeyError):
        state.get(name)


@pytest.mark.parametrize("item", NAMES, ids=lambda name: f"{type(name).__name__} {name!r}"[:40])
async def test_whatever_can_be_hashed_is_an_item(item: Any) -> None:
    @fa.family
    def times_ten(get: fa.Get, item: Any) -> int:
        return get(N[item]) * 10

    @fa.family
    async def slow(get: fa.Get, item: Any) -> int:
        return get(N[item]) * 100

    @fa.action(per="item")
    async def put(get: fa.Get, set: fa.Set, item: Any) -> None:
        set(N[item], 3)

    async with fa.StateManager() as state:
        state.set(N[item], 1)
        state.set(N[item], 2)
        assert (state.get(N[item]), state.get(times_ten(item)), await state.resolve(slow(item))) == (2, 20, 200)
        go = state.action(put)
        await go(item)
        assert state.get(go.status_for(item)).state == "succeeded"
        assert (state.get(N[item]), state.get(times_ten(item)), await state.resolve(slow(item))) == (3, 30, 300)
        statistics = state.statistics()
        assert (statistics.atoms, statistics.selectors) == (1, 2), "each of them is one, however often it is named"


class Grumpy:
    """A key whose hash or `==` raises, as soon as it is told to."""

    def __init__(self) -> None:
        self.hashes = self.compares = True

    def __hash__(self) -> int:
        if not self.hashes:
            raise RuntimeError("no hash today")
        return 1

    def __eq__(self, other: object) -> bool:
        if not self.compares:
            raise RuntimeError("no comparison today")
        return self is other


@pytest.mark.parametrize("is_typed", [True, False])
def test_a_key_that_stops_to_behave_tells_its_user_and_nobody_else(is_typed: bool) -> None:
    def form(item: object) -> Any:
        return N[item] if is_typed else ("name", item)

    state = fa.StateManager()
    found = collect(state)
    one, other = Grumpy(), Grumpy()
    for item in (one, other):
        key: Any = form(item)
        if not is_typed:
            state.atom(key, 0)
        state.set(key, 1)
    other.compares = one.compares = False
    with pytest.raises(RuntimeError, match="no comparison today"):
        state.get(form(other))
    other.compares = one.compares = True
    one.hashes = False
    with pytest.raises(RuntimeError, match="no hash today"):
        state.get(form(one))
    assert state.statistics().atoms == 2
    one.hashes = True
    state.snapshot()
    state.clear()
    assert (state.get(form(one)), state.get(form(other)), found) == (0, 0, [])


UNHASHABLE: list[Any] = [[], {}, set(), bytearray(), np.zeros(2), pd.DataFrame(), Unequal(), decimal.Decimal("sNaN")]


@pytest.mark.parametrize("key", UNHASHABLE)
def test_what_cannot_be_hashed_is_no_key(key: Any) -> None:
    state = fa.StateManager()
    with pytest.raises(TypeError, match="hash"):
        state.get(key)
    with pytest.raises(TypeError, match="hash"):
        state.atom(key, 0)
    with pytest.raises(TypeError, match="an item must be hashable"):
        _ = N[key]
    assert state.statistics().atoms == 0


def test_an_item_without_words_has_a_name() -> None:
    state = fa.StateManager()
    key = N[Speechless()]
    state.set(key, 1)
    assert repr(key).startswith("Key('n[<Speechless instance")
    assert state.get(key) == 1


class Wordless(Exception):
    def __str__(self) -> str:
        raise ValueError("I have no words")


async def test_an_error_without_words_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    async with fa.StateManager() as state:

        def fail(_: object) -> None:
            raise Wordless

        @state.action
        async def go(get: fa.Get, set: fa.Set) -> None:
            raise Wordless

        @fa.selector
        async def slow(get: fa.Get) -> int:
            raise Wordless

        state.listen(N, fail)
        await go().wait()
        state.listen(slow, lambda _: None)
        await state.settled()
        assert state.get(go.status).message == state.get(slow.status).message == "Wordless"
    assert caplog.text.count("Key('n'): Wordless") == 1
    assert caplog.text.count("at 'go': Wordless") == 1


# ------------------------------------------------------------------ listeners


def test_a_listener_that_cannot_be_hashed_listens() -> None:
    class Picky(Unequal):
        def __call__(self, value: int) -> None:
            seen.append(value)

    seen: list[int] = []
    state = fa.StateManager()
    callback = Picky()
    with state.listen(N, callback):
        state.set(N, 1)
        assert state.listen(N, callback) is state.listen(N, callback)
        state.set(N, 2)
    state.set(N, 3)
    assert seen == [0, 1, 2]
