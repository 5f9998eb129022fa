"""What is done the short way, where the short way ends: bare writes, routes, listeners in one go."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import random
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import flet_asp_actors as fa
from flet_asp_actors import atom
from flet_asp_actors.core import graph
from flet_asp_actors.core.evaluate import evaluating
from tests.kit.failures import collect
from tests.kit.threads import in_thread


class Value:
    """Something that can be referred to weakly."""


N = fa.Key("n", 0)
M = fa.Key("m", 0)
WHICH = fa.Key("which", "a")


def counted(compute: Callable[[fa.Get], Any]) -> tuple[fa.SelectorKey[Any], list[Any]]:
    """A selector, and the values that it has computed."""
    made: list[Any] = []

    def counting(get: fa.Get) -> object:
        value = compute(get)
        made.append(value)
        return value

    return fa.selector(counting), made


# ------------------------------------------------------------------ bare writes


def test_what_was_written_before_anybody_read_is_what_is_read() -> None:
    state = fa.StateManager()
    for value in (1, 2, 3):
        state.set(N, value)
    double, made = counted(lambda get: get(N) * 2)
    assert state.get(double) == 6
    state.set(N, 3)
    assert (state.get(double), made) == (6, [6]), "no change"
    state.set(N, 4)
    assert (state.get(double), made) == (8, [6, 8])


def test_who_reads_while_the_value_before_is_let_go_of_is_not_left_with_an_old_one() -> None:
    state = fa.StateManager()
    held = fa.Key[object]("held", None)
    doubled = fa.selector(lambda get: (get(held), get(N)))
    seen: list[object] = []

    class Last:
        def __del__(self) -> None:
            seen.append(state.get(doubled))

    state.set(held, Last())
    assert state.set(held, 1).is_done
    assert seen == [(1, 0)]
    assert state.get(held) == 1
    state.set(held, 2)
    assert state.get(doubled) == (2, 0)


async def test_a_write_to_what_nobody_has_read_is_a_conflict_all_the_same() -> None:
    async with fa.StateManager() as state:
        for begin in ("read", "write"):
            with pytest.raises(fa.ConflictError):
                async with state.transaction() as tx:
                    if begin == "read":
                        tx.get(N)
                    tx.set(N, 10)
                    state.set(N, state.get(N) + 1)


def test_a_write_in_the_middle_of_an_update_on_another_thread_is_not_lost() -> None:
    state = fa.StateManager()
    atom = state.atom(N)
    has_read, go_on = threading.Event(), threading.Event()

    def slow(n: int) -> int:
        has_read.set()
        assert go_on.wait(20)
        return n + 1

    updating = threading.Thread(target=atom.update, args=(slow,))
    updating.start()
    assert has_read.wait(20)
    setting = threading.Thread(target=atom.set, args=(100,))
    setting.start()  # it has to wait for the update
    go_on.set()
    updating.join()
    setting.join()
    assert atom.value == 100


def test_who_begins_to_listen_while_threads_write_hears_the_last_value() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads get into each other's way
    try:
        for _ in range(30):
            state = fa.StateManager()
            atom = state.atom(N)
            heard: list[int] = []

            def write(atom: fa.Atom[int] = atom) -> None:
                for value in range(1, 200):
                    atom.set(value)

            threads = [threading.Thread(target=write) for _ in range(2)]
            for thread in threads:
                thread.start()
            state.listen(N, heard.append)
            for thread in threads:
                thread.join()
            assert heard[-1] == atom.value
    finally:
        sys.setswitchinterval(interval)


def test_a_write_inside_a_selector_is_refused_also_where_nobody_reads() -> None:
    state = fa.StateManager()
    state.add_selector("bad", lambda get: state.set(N, 1))
    with pytest.raises(fa.PurityError):
        state.get("bad")
    assert state.get(N) == 0


# ------------------------------------------------------------------ routes


def test_a_selector_that_takes_another_way_depends_on_what_it_reads_there() -> None:
    state = fa.StateManager()
    state.atom("a", 1)
    state.atom("b", 10)
    either, made = counted(lambda get: (get(WHICH), get(get(WHICH)), get(N))[1])
    seen: list[int] = []
    state.listen(either, seen.append)
    for n in (1, 2, 3):  # on the same way
        state.set(N, n)
    state.set("a", 2)
    state.set("b", 20)
    assert (seen, len(made)) == ([1, 2], 5), "b is not on the way"
    state.set(WHICH, "b")
    state.set("a", 3)
    assert (seen, len(made)) == ([1, 2, 20], 6), "and now a is not"
    state.set(N, 4)
    state.set("b", 30)
    assert (seen, len(made)) == ([1, 2, 20, 30], 8)


def test_a_selector_that_stops_early_lets_go_of_the_rest() -> None:
    state = fa.StateManager()
    first, made = counted(lambda get: get(N) or get(M))
    state.listen(first, lambda _: None)
    for m in (1, 2, 3):
        state.set(M, m)
    assert made == [0, 1, 2, 3]
    state.set(N, 7)
    made.clear()
    state.set(M, 4)
    assert made == [], "nobody reads it any more"
    state.set(N, 0)
    state.set(M, 5)
    assert made == [4, 5]


def test_a_selector_may_read_a_key_twice_and_keys_that_are_made_anew() -> None:
    state = fa.StateManager()
    total, made = counted(lambda get: get(N[1]) + get(N[2]) + get(N[1]))
    state.listen(total, lambda _: None)
    for value in (1, 2, 3):
        state.set(N[1], value)
        state.set(N[2], value * 10)
    assert made == [0, 2, 12, 14, 24, 26, 36]


def test_a_key_that_cannot_be_one_is_refused_in_a_selector_as_elsewhere() -> None:
    state = fa.StateManager()
    wrong: object = ["n"]
    with pytest.raises(TypeError) as outside:
        state.get(wrong)  # type: ignore[call-overload]  # that is the mistake
    with pytest.raises(TypeError) as inside:
        state.get(fa.selector(lambda get: get(wrong)))  # type: ignore[call-overload]  # the same
    assert str(inside.value) == str(outside.value)


def test_a_name_that_is_declared_anew_is_looked_up_anew() -> None:
    state = fa.StateManager()
    failures = collect(state)
    state.atom("a", 1)
    plus, _ = counted(lambda get: get("a") + get(N))
    seen: list[int] = []
    state.listen(plus, seen.append)
    for n in (1, 2):
        state.set(N, n)
    state.delete("a")
    assert [type(each.error) for each in failures] == [fa.UnknownKeyError]
    state.add_selector("a", lambda get: 100)
    state.set(N, 3)
    assert seen == [1, 2, 3, 102, 103]


def test_a_member_of_a_family_that_is_given_up_is_computed_anew() -> None:
    state = fa.StateManager()
    made: list[int] = []

    @fa.family
    def square(get: fa.Get, n: int) -> int:
        made.append(n)
        return n * n + get(N)

    total, _ = counted(lambda get: get(square(1)) + get(M))
    seen: list[int] = []
    state.listen(total, seen.append)
    for m in (1, 2):
        state.set(M, m)
    state.delete(square(1))
    state.set(M, 3)
    state.set(N, 1)
    assert seen == [1, 2, 3, 4, 5]


def test_one_that_fails_on_its_way_goes_on_where_it_can() -> None:
    state = fa.StateManager()
    failures = collect(state)
    share, _ = counted(lambda get: 60 // get(N) + get(M))
    state.set(N, 1)
    seen: list[int] = []
    state.listen(share, seen.append)
    state.set(N, 2)
    state.set(N, 3)
    state.set(N, 0)
    state.set(M, 5)
    assert [type(each.error) for each in failures] == [ZeroDivisionError]
    state.set(N, 4)
    assert seen == [60, 30, 20], "15 and 5 are 20, as before"


def test_one_that_recovers_with_the_value_before_tells_nobody_and_who_has_seen_it_fail_is_right() -> None:
    state = fa.StateManager()
    failures = collect(state)
    state.set(N, 2)
    share, _ = counted(lambda get: 60 // get(N))
    after, _ = counted(lambda get: get(share) + 1)
    shares: list[int] = []
    afters: list[int] = []
    state.listen(share, shares.append)
    state.listen(after, afters.append)
    state.set(N, 0)
    state.set(N, 2)
    assert (shares, afters, state.get(after), len(failures)) == ([30], [31], 31, 1)
    state.set(N, 3)
    assert (shares, afters) == ([30, 20], [31, 21])


def test_an_edit_in_place_is_seen_at_the_end_of_a_chain_that_is_too_deep_for_the_stack() -> None:
    state = fa.StateManager()
    state.atom("items", [1])
    last: Any = "items"

    def through(source: Any) -> fa.SelectorKey[Any]:
        return counted(lambda get: get(source))[0]

    for _ in range(300):
        last = through(last)
    length, made = counted(lambda get: len(get(last)))
    assert state.get(length) == 1
    state.mutate("items", lambda items: items.append(2))
    assert state.get(length) == 2
    state.listen(length, lambda _: None)
    for _ in range(3):
        state.mutate("items", lambda items: items.append(0))
    assert made == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("length", [61, 70, 200])
@pytest.mark.parametrize("swallows", [False, True])
def test_a_circle_that_is_too_long_for_the_stack_is_found(length: int, swallows: bool) -> None:
    state = fa.StateManager()
    collect(state)

    def next_but(number: int) -> Callable[[fa.Get], Any]:
        def compute(get: fa.Get) -> Any:
            try:
                return get(f"c{(number + 1) % length}")
            except fa.CycleError:
                if not swallows:
                    raise
                return 7

        return compute

    for number in range(length):
        state.add_selector(f"c{number}", next_but(number))
    heard: list[Any] = []
    subscription = state.listen("c0", heard.append)
    if swallows:
        assert (heard, state.get("c1")) == ([7], 7)
    else:
        with pytest.raises(fa.CycleError, match="in a circle"):
            state.get("c0")
    subscription.close()


def test_what_was_edited_before_it_failed_is_no_news_when_it_recovers() -> None:
    state = fa.StateManager()
    collect(state)
    items = fa.Key[list[int]]("items", factory=list)
    held, _ = counted(lambda get: (1 // get(N), get(items))[1])
    state.set(N, 1)
    heard: list[list[int]] = []
    state.listen(held, lambda value: heard.append([*value]))
    state.mutate(items, lambda value: value.append(1))
    state.set(N, 0)
    state.set(N, 1)
    assert heard == [[], [1]]


@pytest.mark.parametrize("at_once", [False, True])
def test_an_edit_in_place_is_seen_when_one_that_has_failed_meanwhile_recovers(at_once: bool) -> None:
    state = fa.StateManager()
    collect(state)
    items = fa.Key[list[int]]("items", factory=list)
    held, _ = counted(lambda get: (1 // get(N), get(items))[1])
    state.set(N, 1)
    heard: list[int] = []
    state.listen(held, lambda value: heard.append(len(value)))
    with state.batch() if at_once else contextlib.nullcontext():
        state.set(N, 0)
        state.mutate(items, lambda value: value.append(1))
    state.set(N, 1)
    assert heard == [0, 1]


def test_an_edit_in_place_is_seen_by_one_that_reads_the_same_thing_elsewhere_from_then_on() -> None:
    state = fa.StateManager()
    items = fa.Key[list[int]]("items", factory=list)
    here, _ = counted(lambda get: get(items))
    there, _ = counted(lambda get: get(items))
    either, _ = counted(lambda get: get(there) if get(N) else get(here))
    length, _ = counted(lambda get: len(get(either)))
    heard: list[int] = []
    state.listen(length, heard.append)
    with state.batch():
        state.set(N, 1)
        state.mutate(items, lambda value: value.append(1))
    assert (heard, state.get(length)) == ([0, 1], 1)


def around(get: fa.Get) -> object:
    """What "watched" is: in a circle with "other", while M says so."""
    try:
        return get("other") if get(M) else "open"
    except fa.CycleError:
        return "circle"


def test_one_that_is_observed_in_the_middle_of_its_first_computation_depends_on_what_it_had_read_by_then() -> None:
    state = fa.StateManager()
    collect(state)

    state.add_selector("watched", around)
    state.add_selector("other", lambda get: (get(N), get("watched")))
    state.listen("watched", lambda _: None)
    with state.batch():
        state.set(M, 1)
        assert state.get("other") == (0, "circle")
    state.set(N, 5)
    state.set(M, 0)
    assert state.get("other") == (5, "open")


def test_one_that_is_observed_in_the_middle_depends_on_the_selectors_too_that_it_had_read_by_then() -> None:
    state = fa.StateManager()
    collect(state)

    double = fa.selector(lambda get: get(N) * 2)
    state.add_selector("watched", around)
    state.add_selector("other", lambda get: (get(double), get("watched")))
    state.listen("watched", lambda _: None)
    with state.batch():
        state.set(M, 1)
        assert state.get("other") == (0, "circle")
    state.set(N, 5)
    state.set(M, 0)
    assert state.get("other") == (10, "open")


def test_who_comes_to_be_observed_while_one_above_it_waits_for_it_does_not_fail_of_that() -> None:
    state = fa.StateManager()

    def middle(get: fa.Get) -> object:
        if get(M):
            with contextlib.suppress(fa.CycleError):
                get("above")
            return get("watched")
        return "open"

    def watched(get: fa.Get) -> object:
        try:
            return get("middle") if get(M) else "open"
        except fa.CycleError:
            return "circle"

    state.add_selector("middle", middle)
    state.add_selector("above", lambda get: ("above", get("middle")))
    state.add_selector("watched", watched)
    assert state.get("above") == ("above", "open")
    state.listen("watched", lambda _: None)
    with state.batch():
        state.set(M, 1)
        assert state.get("above") == ("above", "circle")
    state.set(M, 0)
    assert state.get("above") == ("above", "open")


def test_what_was_read_before_somebody_in_a_circle_came_to_watch_is_watched_as_well() -> None:
    state = fa.StateManager()

    state.add_selector("watched", around)
    state.add_selector("below", lambda get: get(N))
    state.add_selector("other", lambda get: (get("below"), get("watched")))
    state.listen("watched", lambda _: None)
    with state.batch():
        state.set(M, 1)
        assert state.get("other") == (0, "circle")
    state.set(N, 5)
    with pytest.raises(fa.CycleError):  # it is entered from the other side now
        state.get("other")
    state.set(M, 0)
    assert state.get("other") == (5, "open")


@pytest.mark.parametrize("swallows", [False, True])
def test_what_was_made_of_a_circle_is_made_anew_when_the_circle_is_open_whatever_else_is_the_same(
    swallows: bool,
) -> None:
    state = fa.StateManager()
    collect(state)

    def inner(get: fa.Get) -> object:
        try:
            return ("inner", get("outer"))
        except fa.CycleError:
            if not swallows:
                raise
            return "circle"

    def between(get: fa.Get) -> None:
        try:
            get("inner") if get(N) else None
        except fa.CycleError:
            pass

    state.add_selector("inner", inner)
    state.add_selector("between", between)
    state.add_selector("outer", lambda get: (get("between"), 0))
    heard: list[object] = []
    state.listen("outer", heard.append)
    state.set(N, 1)
    state.set(N, 0)
    assert state.get("inner") == ("inner", (None, 0))
    state.listen("inner", lambda _: None)
    state.set(N, 1)
    state.set(N, 0)
    assert state.get("inner") == ("inner", (None, 0))
    assert heard == [(None, 0)], "which has been the same all along"


def test_an_effect_looks_at_all_that_it_has_read_for_the_first_time() -> None:
    state = fa.StateManager()
    parity, _ = counted(lambda get: get(N) % 2)
    double, _ = counted(lambda get: get(N) * 2)
    seen: list[object] = []
    state.effect(lambda get: seen.append((get(parity), get(double))))
    state.set(N, 2)
    state.set(N, 4)
    assert seen == [(0, 0), (0, 4), (0, 8)]


def test_a_selector_holds_what_it_has_computed_last_also_if_that_is_equal_to_what_was_before() -> None:
    state = fa.StateManager()
    signed, _ = counted(lambda get: -0.0 if get(N) else 0.0)
    heard: list[object] = []
    state.listen(signed, heard.append)
    state.set(N, 1)
    assert (str(state.get(signed)), heard) == ("-0.0", [0.0])


def test_a_get_that_is_called_late_reads_and_no_selector_depends_on_it() -> None:
    state = fa.StateManager()
    kept: list[fa.Get] = []
    total, made = counted(lambda get: (kept.append(get), get(N))[1])  # type: ignore[func-returns-value]  # for its effect
    other, others = counted(lambda get: get(M))
    state.listen(total, lambda _: None)
    state.listen(other, lambda _: None)
    for n in (1, 2):
        state.set(N, n)
    assert (kept[0](N), kept[0](M)) == (2, 0)
    state.set(M, 1)
    assert (made, others) == ([0, 1, 2], [0, 1])


def test_a_name_that_is_not_declared_is_looked_up_each_time() -> None:
    state = fa.StateManager()

    def either(get: fa.Get) -> object:
        try:
            return (get("a"), get(N))
        except fa.UnknownKeyError:
            return ("nothing", get(N))

    seen: list[object] = []
    known, _ = counted(either)
    state.listen(known, seen.append)
    state.set(N, 1)
    state.add_selector("a", lambda get: get(M))
    state.set(M, 5)
    state.delete("a")
    state.set(N, 2)
    state.atom("a", 7)
    state.set(N, 3)
    assert seen == [("nothing", 0), ("nothing", 1), (0, 1), (5, 1), ("nothing", 1), ("nothing", 2), (7, 2), (7, 3)]


@pytest.mark.parametrize("way", ["peek", "store"])
def test_a_name_that_is_not_declared_is_asked_for_in_other_ways(way: str) -> None:
    state = fa.StateManager()

    def either(get: fa.Get) -> object:
        first = get(N)
        try:
            return (get.peek("a") if way == "peek" else state.get("a"), first)
        except fa.UnknownKeyError:
            return ("nothing", first)

    inner, _ = counted(either)
    outer, made = counted(lambda get: (get(M), get(inner)))
    for n in (1, 2, 3):
        state.set(N, n)
        assert state.get(outer) == (0, ("nothing", n))
    state.set(M, 1)
    assert state.get(outer) == (1, ("nothing", 3))
    assert len(made) == 4


async def test_a_change_is_not_lost_on_inputs_that_are_too_deep_for_the_stack() -> None:
    async with fa.StateManager() as state:
        last: Any = fa.Key("source", 0)

        def through(source: Any) -> fa.SelectorKey[Any]:
            return counted(lambda get: get(source))[0]

        for _ in range(100):
            last = through(last)
        deep, _ = counted(lambda get: get(last) if get(M) else 0)
        begun: list[object] = []

        @fa.selector(debounce=0.001)
        async def both(get: fa.Get) -> None:
            begun.append((get(N), get(deep)))

        state.listen(both, lambda _: None)
        await state.resolve(both)
        with state.batch():
            state.set(N, 1)  # seen first, and then `deep` is computed, which comes to the same as before
            state.set(M, 1)
        await state.resolve(both)
        assert begun == [(0, 0), (1, 0)]


async def test_a_loop_that_is_held_up_in_the_middle_of_a_write_does_not_set_the_clock_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, has_drawn, go_on = graph.ticks, threading.Event(), threading.Event()

    class Ticks:
        def __next__(self) -> int:
            tick = next(real)
            if threading.current_thread() is slow:
                has_drawn.set()
                assert go_on.wait(20)
            return tick

    async def write() -> None:
        async with fa.StateManager() as other:
            other.listen(M, lambda _: None)
            other.set(M, 1)

    slow = threading.Thread(target=lambda: asyncio.run(write()))
    async with fa.StateManager() as state:
        double, _ = counted(lambda get: get(N) * 2)
        assert state.get(double) == 0
        monkeypatch.setattr(graph, "ticks", Ticks())
        monkeypatch.setattr(atom, "ticks", Ticks())
        slow.start()
        assert has_drawn.wait(20)
        state.set(N, 1)
        assert state.get(double) == 2
        state.set(N, 2)
        go_on.set()
        slow.join()
        assert state.get(double) == 4


def test_a_route_keeps_no_key_alive_that_nobody_else_has() -> None:
    state = fa.StateManager()
    own, items = fa.Key("own", 0), fa.Key("items", factory=Value)
    held: list[fa.Key[Any]] = [own, items["a"]]
    gone: list[weakref.ref[Any]] = [weakref.ref(own), weakref.ref(items)]
    gone += [weakref.ref(state.get(items[name])) for name in "abc"]
    count, made = counted(lambda get: len([get(key) for key in held]) + get(N))
    for n in (1, 2, 3):
        state.set(N, n)
        state.get(count)
    del own, items
    held.clear()
    gc.collect()
    state.get(M)  # what was put off is done
    gc.collect()
    # What it has read last is its own business, until it is computed again.
    assert [ref() is None for ref in gone] == [True, True, False, True, True]
    state.set(N, 4)
    assert (state.get(count), made) == (4, [3, 4, 5, 4])
    gc.collect()
    assert [ref() for ref in gone] == [None] * 5


def test_when_nothing_is_computed_any_more_writes_go_the_short_way_again() -> None:
    state = fa.StateManager()

    def compute(get: fa.Get) -> int:
        if get(N) == 2:
            raise KeyboardInterrupt
        return 1 // get(N)

    key, _ = counted(compute)
    for value, raised in ((1, None), (0, ZeroDivisionError), (2, KeyboardInterrupt)):
        state.set(N, value)
        with pytest.raises(raised) if raised else contextlib.nullcontext():
            state.get(key)
        assert not evaluating


# ------------------------------------------------------------------ before anybody has asked


def _wanted(nodes: list[Any]) -> dict[Any, int]:
    """How many look at each node first thing, found from the graph as it is."""
    count = dict.fromkeys(nodes, 0)
    for node in nodes:
        count[node] += sum(dependent.is_end for dependent in node.dependents or ())
    while True:
        found = {
            node: sum(
                dependent.is_end or (count[dependent] > 0 and next(iter(dependent.sources)) is node)
                for dependent in node.dependents or ()
            )
            for node in nodes
        }
        if found == count:
            return found
        count = found


@pytest.mark.parametrize("seed", range(30))
def test_who_is_wanted_is_so_by_the_graph_as_it_is(seed: int) -> None:
    dice = random.Random(seed)
    state = fa.StateManager()
    collect(state)
    atoms = [fa.Key(f"a{number}", 0) for number in range(3)]
    selectors: list[Any] = []
    is_turned = False

    def cell(may_read: list[Any], plan: list[tuple[int, int]]) -> fa.SelectorKey[int]:
        def compute(get: fa.Get) -> int:
            total = 0
            for what, unless in plan[:: -1 if is_turned else 1]:
                if total % 5 != unless:
                    total += get(may_read[what])
            if total % 7 == 6:
                raise ArithmeticError
            return total

        return fa.selector(compute)

    for _ in range(9):
        may_read = [*atoms, *selectors]
        selectors.append(cell(may_read, [(dice.randrange(len(may_read)), dice.randrange(5)) for _ in range(3)]))
    subscriptions: list[fa.Subscription] = []
    for _ in range(60):
        is_turned = dice.random() < 0.3
        match dice.randrange(4):
            case 0:
                key = dice.choice(selectors)
                subscriptions.append(state.listen(key, lambda value: None, immediate=False))
            case 1 if subscriptions:
                subscriptions.pop(dice.randrange(len(subscriptions))).close()
            case _:
                state.set(dice.choice(atoms), dice.randrange(9))
        nodes = [state.find(key) for key in selectors]
        assert {node: node.wanted for node in nodes} == _wanted(nodes)


def test_one_that_is_read_first_is_computed_first_and_one_that_may_not_be_read_is_not() -> None:
    order: list[str] = []

    def noting(name: str, compute: Callable[[fa.Get], object]) -> fa.SelectorKey[object]:
        def note(get: fa.Get) -> object:
            order.append(name)
            return compute(get)

        return fa.selector(note)

    is_even = noting("is even", lambda get: get(N) % 2 == 0)
    half = noting("half", lambda get: get(N) // 2)
    shown = noting("shown", lambda get: get(half) if get(is_even) else "odd")
    state = fa.StateManager()
    seen: list[object] = []
    state.listen(shown, seen.append, immediate=False)
    order.clear()
    for value, computed in ((2, ["is even", "half", "shown"]), (3, ["is even", "shown"]), (5, ["is even"])):
        state.set(N, value)
        assert order == computed, (
            "what has been read is fresh before who reads it runs, and no sooner than that is known"
        )
        order.clear()
    assert seen == [1, "odd"]


# ------------------------------------------------------------------ listeners in one go


def test_a_base_exception_out_of_a_selector_in_the_middle_of_a_turn_leaves_its_listeners_for_the_next() -> None:
    state = fa.StateManager()
    interrupts: list[BaseException] = []
    heard: list[object] = []

    def interrupted(get: fa.Get) -> object:
        pair = (get(N), get(M))
        if interrupts:
            raise interrupts.pop()
        return pair

    def writer(n: int) -> None:
        if n == 1:
            interrupts.append(KeyboardInterrupt())
            state.set(M, 1)

    state.listen(N, writer, immediate=False)
    state.listen(counted(interrupted)[0], heard.append)
    with pytest.raises(KeyboardInterrupt):
        state.set(N, 1)
    state.set(N, 2)
    assert heard == [(0, 0), (2, 1)]


def test_a_write_after_an_interrupt_tells_those_who_were_not_told() -> None:
    state = fa.StateManager()
    interrupts: list[BaseException] = []
    heard: list[int] = []

    def interrupted(get: fa.Get) -> int:
        n = get(N)
        if interrupts:
            raise interrupts.pop()
        return n

    state.listen(counted(interrupted)[0], heard.append)
    interrupts.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        state.set(N, 1)
    state.set(N, 2)  # everything behind it is marked already
    assert heard == [0, 2]
    with state.batch():
        state.set(N, 3)
        state.set(N, 4)
    assert heard == [0, 2, 4]


def test_one_of_many_listeners_that_writes_is_heard_once_by_each() -> None:
    state = fa.StateManager()
    heard: dict[str, list[int]] = {"before": [], "writer": [], "after": []}
    state.listen(N, heard["before"].append, immediate=False)

    def writer(n: int) -> None:
        heard["writer"].append(n)
        if n < 3:
            state.set(N, n + 1)

    state.listen(N, writer, immediate=False)
    state.listen(N, heard["after"].append, immediate=False)
    state.set(N, 1)
    assert heard == {"before": [1, 2, 3], "writer": [1, 2, 3], "after": [2, 3]}
    state.set(N, 5)
    assert {name: values[-1] for name, values in heard.items()} == {"before": 5, "writer": 5, "after": 5}
    assert all(values.count(5) == 1 for values in heard.values())


def test_a_listener_that_leaves_or_comes_while_the_others_are_told() -> None:
    state = fa.StateManager()
    heard: list[str] = []
    subscriptions: list[fa.Subscription] = []

    def first(n: int) -> None:
        heard.append(f"first {n}")
        if n == 1:
            subscriptions[1].close()
            subscriptions[0].close()
            state.listen(N, lambda n: heard.append(f"new {n}"), immediate=False)

    subscriptions.append(state.listen(N, first, immediate=False))
    subscriptions.append(state.listen(N, lambda n: heard.append(f"second {n}"), immediate=False))
    subscriptions.append(state.listen(N, lambda n: heard.append(f"third {n}"), immediate=False))
    state.set(N, 1)
    assert heard == ["first 1", "third 1"], "who is new has seen it"
    state.set(N, 2)
    assert heard[2:] == ["third 2", "new 2"]
    for subscription in subscriptions:
        subscription.close()
    state.set(N, 3)
    assert heard[4:] == ["new 3"]


def test_one_who_comes_before_the_others_are_told_does_not_hear_what_was_there() -> None:
    state = fa.StateManager()
    heard: list[str] = []
    state.listen(N, lambda n: heard.append(f"old {n}"), immediate=False)
    with state.batch():
        state.set(N, 1)
        state.listen(N, lambda n: heard.append(f"new {n}"), immediate=False)
    assert heard == ["old 1"]
    state.set(N, 2)
    assert heard == ["old 1", "old 2", "new 2"]


def test_an_error_in_the_middle_is_that_of_one_and_names_it() -> None:
    state = fa.StateManager()
    failures = collect(state)
    heard: list[int] = []

    def broken(n: int) -> None:
        raise ValueError(n)

    state.listen(N, heard.append, immediate=False)
    state.listen(N, broken, immediate=False)
    state.listen(N, lambda n: heard.append(-n), immediate=False)
    state.set(N, 1)
    state.set(N, 2)
    assert heard == [1, -1, 2, -2]
    assert [(type(each.error), "broken" in each.actor) for each in failures] == [(ValueError, True)] * 2


async def test_a_coroutine_that_one_of_many_returns_is_awaited() -> None:
    async with fa.StateManager() as state:
        heard: list[Any] = []

        async def later(n: int) -> None:
            heard.append(("later", n))

        state.listen(N, lambda n: heard.append(n), immediate=False)
        state.listen(N, lambda n: later(n), immediate=False)
        state.listen(N, lambda n: heard.append(-n), immediate=False)
        state.set(N, 1)
        assert heard == [1, -1]
        await state.settled()
        assert heard == [1, -1, ("later", 1)]


def test_a_base_exception_in_the_middle_leaves_the_rest_for_the_next_turn() -> None:
    state = fa.StateManager()
    heard: list[str] = []
    interrupts = [KeyboardInterrupt()]

    def interrupted(n: int) -> None:
        if interrupts:
            raise interrupts.pop()
        heard.append(f"b{n}")

    state.listen(N, lambda n: heard.append(f"a{n}"), immediate=False)
    state.listen(N, interrupted, immediate=False)
    state.listen(N, lambda n: heard.append(f"c{n}"), immediate=False)
    with pytest.raises(KeyboardInterrupt):
        state.set(N, 1)
    assert heard == ["a1"]
    state.set(M, 1)
    state.listen(M, lambda _: None, immediate=False)
    state.set(M, 2)
    assert heard == ["a1", "c1"], "the rest, once"
    state.set(N, 2)
    assert heard == ["a1", "c1", "a2", "b2", "c2"]


def test_listeners_to_a_name_go_on_when_it_is_a_selector() -> None:
    state = fa.StateManager()
    state.atom("a", 1)
    heard: list[str] = []

    def hear(name: str, n: int) -> None:
        heard.append(f"{name}{n}")

    for name in ("x", "y"):
        state.listen("a", functools.partial(hear, name), immediate=False)
    state.delete("a")
    state.add_selector("a", lambda get: get(N) + 10)
    assert heard == ["x10", "y10"]
    state.listen("a", lambda n: heard.append(f"z{n}"), immediate=False)
    state.set(N, 1)
    assert heard[2:] == ["x11", "y11", "z11"]


def test_what_a_store_keeps_of_listeners_goes_with_them() -> None:
    state = fa.StateManager()
    before = state.statistics()
    for _ in range(3):
        subscriptions = [state.listen(N, lambda _: None) for _ in range(3)]
        for subscription in subscriptions:
            subscription.close()
            subscription.close()
    assert state.statistics().observed == before.observed == 0


def test_many_threads_that_write_are_heard_one_after_the_other() -> None:
    state = fa.StateManager()
    heard: list[int] = []
    state.listen(N, heard.append, immediate=False)
    state.listen(N, lambda _: None, immediate=False)
    for value in range(1, 20):
        in_thread(functools.partial(state.set, N, value))
    assert heard == list(range(1, 20))
