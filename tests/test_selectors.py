"""Selectors: fresh when read, computed once, never in a mixed state, never too deep."""

import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import flet_asp_actors as fa
from tests.kit.failures import collect

A = fa.Key("a", 1)
B = fa.Key("b", 10)


def counted(function: Callable[[fa.Get], int], name: str = "") -> tuple[fa.SelectorKey[int], list[int]]:
    """A selector, and the list of what it has computed."""
    results: list[int] = []

    def wrapper(get: fa.Get) -> int:
        results.append(-1)
        results[-1] = function(get)
        return results[-1]

    return fa.selector(name or "counted")(wrapper), results


def through_many(key: Any) -> Any:
    """A selector that reads a key through more selectors than are entered inside one another."""
    for _ in range(80):
        key = through(key)
    return key


def through(key: Any) -> Any:
    return fa.selector(lambda get: get(key))


def test_computed_when_read_and_only_then() -> None:
    double, runs = counted(lambda get: get(A) * 2)
    state = fa.StateManager()
    assert runs == []
    assert state.get(double) == 2
    assert state.get(double) == 2
    state.set(A, 3)
    state.set(B, 0)
    assert runs == [2]
    assert state.get(double) == 6
    assert runs == [2, 6]


def test_what_has_a_default_need_not_be_given() -> None:
    def times(get: fa.Get, factor: int = 2, *more: int) -> int:
        return get(A) * factor

    assert fa.StateManager().get(fa.selector(times)) == 2


def test_an_unrelated_change_recomputes_nothing() -> None:
    double, runs = counted(lambda get: get(A) * 2)
    state = fa.StateManager()
    state.get(double)
    state.set(B, 5)
    state.get(double)
    assert runs == [2]


def test_dependencies_are_those_of_the_last_run() -> None:
    flag = fa.Key("flag", True)
    chosen, runs = counted(lambda get: get(A) if get(flag) else get(B))
    state = fa.StateManager()
    seen: list[int] = []
    state.listen(chosen, seen.append)
    state.set(B, 20)
    state.set(flag, False)
    state.set(A, 2)
    state.set(B, 30)
    assert seen == [1, 20, 30]
    assert runs == [1, 20, 30]


@pytest.mark.parametrize("observed", [False, True])
def test_what_nobody_reads_any_more_does_not_run(observed: bool) -> None:
    flag = fa.Key("flag", True)
    costly, runs = counted(lambda get: get(A))
    chosen = fa.selector(lambda get: get(costly) if get(flag) else 0)
    state = fa.StateManager()
    if observed:
        state.listen(chosen, lambda _: None)
    assert state.get(chosen) == 1
    with state.batch():
        state.set(A, 2)
        state.set(flag, False)
    assert state.get(chosen) == 0
    # Checked in the order of reading: `costly` was read first, so it may run once more, never twice.
    runs.clear()
    state.set(A, 3)
    assert state.get(chosen) == 0
    assert runs == []


def test_the_first_change_stops_the_checking() -> None:
    flag = fa.Key("flag", True)
    costly, runs = counted(lambda get: get(A))
    chosen = fa.selector(lambda get: get(costly) if get(flag) else 0)
    first_flag = fa.selector(lambda get: get(chosen))

    guarded = fa.selector(lambda get: (get(flag) and get(costly)) or 0)
    state = fa.StateManager()
    state.listen(guarded, lambda _: None)
    state.listen(first_flag, lambda _: None).close()
    runs.clear()
    with state.batch():
        state.set(A, 2)
        state.set(flag, False)
    assert runs == []


@pytest.mark.parametrize("observed", [False, True])
def test_an_unchanged_result_stops_the_propagation(observed: bool) -> None:
    parity, parity_runs = counted(lambda get: get(A) % 2)
    text, text_runs = counted(lambda get: get(parity) + 100)
    state = fa.StateManager()
    if observed:
        state.listen(text, lambda _: None)
    state.get(text)
    state.set(A, 3)
    assert state.get(text) == 101
    assert parity_runs == [1, 1]
    assert text_runs == [101]


@pytest.mark.parametrize("observed", [False, True])
def test_a_diamond_of_width_100_and_depth_5_runs_each_selector_once(observed: bool) -> None:
    state = fa.StateManager()
    layers: list[list[fa.SelectorKey[int]]] = []
    all_runs: list[list[int]] = []

    def summing(sources: list[fa.SelectorKey[int]], offset: int) -> Callable[[fa.Get], int]:
        if not sources:
            return lambda get: get(A) + offset
        return lambda get: sum(get(source) for source in sources[:3]) + offset

    for depth in range(5):
        layer: list[fa.SelectorKey[int]] = []
        for index in range(100):
            rotated = layers[-1][index:] + layers[-1][:index] if layers else []
            key, runs = counted(summing(rotated, index), f"s{depth}.{index}")
            layer.append(key)
            all_runs.append(runs)
        layers.append(layer)
    top, top_runs = counted(lambda get: sum(get(source) for source in layers[-1]), "top")
    all_runs.append(top_runs)
    seen: list[int] = []
    if observed:
        state.listen(top, seen.append)
    else:
        state.get(top)
    for runs in all_runs:
        runs.clear()
    state.set(A, 2)
    assert state.get(top) == state.get(top)
    assert {len(runs) for runs in all_runs} == {1}


def test_a_chain_of_100_000_selectors_works_first_time_and_after() -> None:
    state = fa.StateManager()

    def after(previous: fa.Readable[int]) -> fa.SelectorKey[int]:
        return fa.selector(lambda get: get(previous) + 1)

    key: fa.Readable[int] = A
    for _ in range(100_000):
        key = after(key)
    limit = sys.getrecursionlimit()
    assert state.get(key) == 100_001
    state.set(A, 2)
    assert state.get(key) == 100_002
    seen: list[int] = []
    with state.listen(key, seen.append):
        state.set(A, 3)
    assert seen == [100_002, 100_003]
    assert sys.getrecursionlimit() == limit


def test_a_deep_graph_whose_first_dependency_changes_does_not_recurse() -> None:
    """Each selector reads the atom first, so none is known to need the one below until it runs."""
    state = fa.StateManager()
    runs = 0

    def after(previous: fa.Readable[int]) -> fa.SelectorKey[int]:
        def function(get: fa.Get) -> int:
            nonlocal runs
            runs += 1
            return get(A) + get(previous)

        return fa.selector(function)

    key: fa.Readable[int] = A
    for _ in range(5_000):
        key = after(key)
    seen: list[int] = []
    state.listen(key, seen.append)
    runs = 0
    state.set(A, 2)
    assert seen == [5_001, 10_002]
    assert runs <= 2 * 5_000


def test_a_function_that_swallows_everything_cannot_break_a_deep_computation() -> None:
    state = fa.StateManager()

    def after(previous: fa.Readable[int]) -> fa.SelectorKey[int]:
        def function(get: fa.Get) -> int:
            try:
                return get(previous) + 1
            except BaseException:
                return -1_000_000

        return fa.selector(function)

    key: fa.Readable[int] = A
    for _ in range(1_000):
        key = after(key)
    assert state.get(key) == 1_001


@pytest.mark.parametrize("observed", [False, True])
def test_a_cycle_is_reported_as_a_path(observed: bool) -> None:
    flag = fa.Key("flag", False)
    keys: list[fa.SelectorKey[int]] = []

    @fa.selector
    def one(get: fa.Get) -> int:
        return get(keys[1]) if get(flag) else 1

    @fa.selector
    def two(get: fa.Get) -> int:
        return get(keys[0]) + 1

    keys[:] = [one, two]
    state = fa.StateManager()
    errors: list[fa.Failure] = []
    state.on_error = errors.append
    seen: list[int] = []
    if observed:
        state.listen(two, seen.append)
    assert state.get(two) == 2
    state.set(flag, True)
    with pytest.raises(
        fa.CycleError, match="selector one -> selector two -> selector one|selector two -> selector one"
    ):
        state.get(two)
    state.set(flag, False)
    assert state.get(two) == 2
    assert state.get(one) == 1
    if observed:
        assert seen == [2]
        assert len(errors) == 1


def test_reading_oneself_is_a_cycle() -> None:
    keys: list[fa.SelectorKey[int]] = []
    selfish = fa.selector("selfish")(lambda get: get(keys[0]))
    keys.append(selfish)
    with pytest.raises(fa.CycleError, match="selector selfish -> selector selfish"):
        fa.StateManager().get(selfish)


def test_an_error_is_stored_like_a_value() -> None:
    runs = 0

    @fa.selector
    def fragile(get: fa.Get) -> int:
        nonlocal runs
        runs += 1
        return 10 // get(A)

    state = fa.StateManager()
    assert state.get(fragile) == 10
    state.set(A, 0)
    depths: list[int] = []
    for _ in range(3):
        with pytest.raises(ZeroDivisionError) as caught:
            state.get(fragile)
        depths.append(len(caught.traceback))
    assert runs == 2
    with pytest.raises(ZeroDivisionError) as caught:
        state.get(fragile)
    assert {len(caught.traceback)} == set(depths), "the traceback of a stored error must not grow"
    state.set(A, 5)
    assert state.get(fragile) == 2


def test_those_who_watch_a_failing_selector_keep_the_last_good_value() -> None:
    fragile = fa.selector(lambda get: 10 // get(A))
    above = fa.selector(lambda get: get(fragile) + 1)
    state = fa.StateManager()
    errors: list[fa.Failure] = []
    state.on_error = errors.append
    seen: list[int] = []
    also: list[int] = []
    state.listen(fragile, seen.append)
    state.listen(above, also.append)
    state.set(A, 0)
    assert (seen, also) == ([10], [11])
    assert [type(each.error) for each in errors] == [ZeroDivisionError], "once per root failure and turn"
    state.set(A, 1)
    assert (seen, also) == ([10], [11]), "back to the value that they have seen"
    state.set(A, 2)
    assert (seen, also) == ([10, 5], [11, 6])


def test_an_edit_in_place_reaches_everything_derived_from_it() -> None:
    cart = fa.Key[list[int]]("cart", factory=list)
    items = fa.selector(lambda get: get(cart))
    copied = fa.selector(lambda get: [each for each in get(cart)])  # noqa: C416  # equal to the one before, on purpose
    total, total_runs = counted(lambda get: sum(get(items)))
    size, size_runs = counted(lambda get: len(get(items)) * 0)
    above_size, above_runs = counted(lambda get: get(size))
    state = fa.StateManager()
    told: list[str] = []
    watched: dict[str, fa.Readable[object]] = {"items": items, "copied": copied, "total": total, "above": above_size}

    def teller(name: str) -> Callable[[object], None]:
        return lambda _: told.append(name)

    for name, key in watched.items():
        state.listen(key, teller(name), immediate=False)
    state.mutate(cart, lambda each: each.append(5))
    assert sorted(told) == ["copied", "items", "total"]
    assert total_runs == [0, 5]
    assert size_runs == [0, 0]
    assert above_runs == [0], "an equal number cannot have been edited"
    told.clear()
    state.set(cart, state.get(cart))
    assert sorted(told) == ["copied", "items"], "the same list again counts as edited"


def test_an_edit_in_place_reaches_an_unobserved_chain() -> None:
    cart = fa.Key[list[dict[str, int]]]("cart", factory=lambda: [{"n": 1}])
    first = fa.selector(lambda get: get(cart)[0])
    number = fa.selector(lambda get: get(first)["n"])
    state = fa.StateManager()
    assert state.get(number) == 1
    state.mutate(cart, lambda each: each[0].update(n=2))
    assert state.get(number) == 2


def test_peek_reads_without_depending() -> None:
    peeking, runs = counted(lambda get: get(A) + get.peek(B))
    state = fa.StateManager()
    assert state.get(peeking) == 11
    state.set(B, 20)
    assert state.get(peeking) == 11
    state.set(A, 2)
    assert state.get(peeking) == 22
    assert runs == [11, 22]


def test_equals_decides_what_is_a_change() -> None:
    rounded = fa.selector(equals=lambda old, new: abs(old - new) < 10)(lambda get: get(A))
    state = fa.StateManager()
    seen: list[int] = []
    state.listen(rounded, seen.append)
    state.set(A, 5)
    state.set(A, 50)
    assert seen == [1, 50]


def test_an_equals_that_raises_is_the_error_of_the_selector() -> None:
    def equals(old: int, new: int) -> bool:
        raise ValueError("no idea")

    key = fa.selector(equals=equals)(lambda get: get(A))
    state = fa.StateManager()
    assert state.get(key) == 1
    state.set(A, 2)
    with pytest.raises(ValueError, match="no idea"):
        state.get(key)


@pytest.mark.parametrize("observed", [False, True])
def test_invalidate_computes_again(observed: bool) -> None:
    outside = [1]
    key = fa.selector(lambda get: outside[0])
    state = fa.StateManager()
    seen: list[int] = []
    if observed:
        state.listen(key, seen.append)
    assert state.get(key) == 1
    outside[0] = 2
    assert state.get(key) == 1
    state.invalidate(key)
    assert state.get(key) == 2
    assert seen == ([1, 2] if observed else [])


def test_writing_and_starting_inside_a_selector_are_refused() -> None:
    state = fa.StateManager()

    @state.action
    async def save(get: fa.Get, set: fa.Set) -> None: ...

    def writes(get: fa.Get) -> int:
        state.set(A, get(B))
        return 1

    def starts(get: fa.Get) -> int:
        save()
        return 1

    with pytest.raises(fa.PurityError, match=r"selector writes writes Key\('a'\)"):
        state.get(fa.selector(writes))
    with pytest.raises(fa.PurityError, match="selector starts starts save"):
        state.get(fa.selector(starts))
    assert state.get(A) == 1


def test_a_coroutine_is_no_value_of_a_sync_selector() -> None:
    async def late() -> int:
        return 1

    def forgetful(get: fa.Get) -> object:
        return late()

    with pytest.raises(TypeError, match="returned a coroutine"):
        fa.StateManager().get(fa.selector(forgetful))


def test_a_selector_is_unlinked_when_nobody_watches_it() -> None:
    state = fa.StateManager()
    double, runs = counted(lambda get: get(A) * 2)
    with state.listen(double, lambda _: None):
        assert state.statistics().observed == 2
        state.set(A, 2)
    assert state.statistics().observed == 0
    runs.clear()
    state.set(A, 3)
    assert runs == []
    assert state.get(double) == 6


async def test_a_typed_selector_that_is_deleted_while_it_is_watched_is_made_anew() -> None:
    runs: list[str] = []

    @fa.selector
    def double(get: fa.Get) -> int:
        runs.append("sync")
        return get(A) * 2

    @fa.selector
    async def later(get: fa.Get) -> int:
        runs.append("async")
        return get(A) * 2

    async with fa.StateManager() as state:
        seen: list[int | None] = []
        state.listen(double, seen.append)
        state.listen(later, seen.append)
        await state.settled()
        runs.clear()
        state.delete(double)
        state.delete(later)
        assert state.get(later) is None, "as at first"
        await state.settled()
        assert sorted(runs) == ["async", "sync"]
        seen.clear()
        state.set(A, 5)
        await state.settled()
        assert seen == [10, 10], "those who watch go on"


def test_what_was_made_of_a_forgotten_value_is_made_anew_whoever_watches() -> None:
    given = [1]
    outside = fa.selector(lambda get: given[0])
    above = fa.selector(lambda get: get(outside) * 10)
    top = fa.selector(lambda get: get(above) + get(A))
    for is_watched in (False, True):
        state = fa.StateManager()
        given[0] = 1
        heard: list[int] = []
        if is_watched:
            state.listen(top, heard.append)
        assert state.get(top) == 11
        given[0] = 2
        assert state.get(top) == 11
        state.invalidate(outside)
        assert state.get(top) == 21
        assert heard == ([11, 21] if is_watched else [])


# ------------------------------------------------------------------ cleanups, circles and descents


def test_a_cleanup_that_fails_is_told_and_one_that_comes_late_is_refused() -> None:
    state = fa.StateManager()
    found = collect(state)
    kept: list[fa.Get] = []

    @fa.selector
    def double(get: fa.Get) -> int:
        kept.append(get)
        get.on_cleanup(lambda: 1 // 0)
        return get(A) * 2

    assert state.get(double) == 2
    state.set(A, 2)
    assert state.get(double) == 4
    assert [(failure.key, type(failure.error)) for failure in found] == [(double, ZeroDivisionError)]
    with pytest.raises(TypeError, match="on_cleanup is called while the selector computes"):
        kept[0].on_cleanup(lambda: None)


def test_a_circle_that_closes_later_is_found_from_both_ends() -> None:
    state = fa.StateManager()
    closed = fa.Key("closed", False)
    keys: dict[str, Any] = {}
    one = fa.selector(lambda get: get(keys["two"]) if get(closed) else 1)
    two = keys["two"] = fa.selector(lambda get: get(one) + 1)
    assert state.get(two) == 2
    state.set(closed, True)
    for key in (one, two):
        with pytest.raises(fa.CycleError, match="circle"):
            state.get(key)
    state.set(closed, False)
    assert (state.get(one), state.get(two)) == (1, 2)


def test_what_writes_while_it_only_may_read_is_named() -> None:
    state = fa.StateManager()
    found = collect(state)

    @fa.selector
    def tidy(get: fa.Get) -> int:
        get.on_cleanup(lambda: state.set(B, 0))
        return get(A)

    @fa.selector
    def writes(get: fa.Get) -> None:
        state.set(B, 0)

    state.get(tidy)
    state.set(A, 2)
    state.get(tidy)
    with pytest.raises(fa.PurityError, match="^selector writes writes"):
        state.get(writes)
    assert [str(failure.error).split(" writes ")[0] for failure in found] == ["a cleanup of selector tidy"]


@pytest.mark.parametrize("goes_on", [False, True])
def test_one_that_was_interrupted_lets_go_of_all_that_it_has_read(goes_on: bool) -> None:
    state = fa.StateManager()
    is_interrupted, other = False, fa.Key("other", 1)

    def compute(get: fa.Get) -> int:
        if is_interrupted and get(B) and get(other):
            raise KeyboardInterrupt
        return get(A) + get(B)

    total, runs = counted(compute)
    with state.listen(total, lambda _: None):
        is_interrupted = True
        with pytest.raises(KeyboardInterrupt):
            state.set(A, 2)
        if goes_on:
            is_interrupted = False
            state.set(A, 3)
            state.set(other, 2)
            assert runs == [11, -1, 13]
    assert state.statistics().observed == 0


def test_what_is_not_read_any_more_is_let_go_and_may_be_read_again() -> None:
    flag = fa.Key("flag", True)
    chosen, runs = counted(lambda get: get(A) if get(flag) else get(B))
    state = fa.StateManager()
    with state.listen(chosen, lambda _: None):
        for number in range(4):
            state.set(flag, number % 2 == 1)
            assert state.statistics().observed == 3
    state.set(A, 5)
    assert state.get(chosen) == 5
    state.set(flag, False)
    state.set(flag, True)
    for number in (6, 7):
        state.set(A, number)
        assert state.get(chosen) == number
    assert runs == [1, 10, 1, 10, 1, 5, 6, 7]


def test_a_value_of_another_type_is_another_value() -> None:
    state = fa.StateManager()
    heard: list[object] = []
    state.listen(fa.selector(lambda get: 1 if get(A) > 1 else True), heard.append)
    state.set(A, 2)
    assert [type(value) for value in heard] == [bool, int]


def test_a_deep_descent_gets_through_functions_that_wrap_every_error() -> None:
    state = fa.StateManager()
    entered: list[int] = []

    def link(number: int, below: Any) -> Any:
        def compute(get: fa.Get) -> int:
            entered.append(number)
            try:
                found: int = get(below)
                return found + 1
            except BaseException as error:
                raise RuntimeError(f"{number} has failed") from error

        return fa.selector(compute)

    key: Any = A
    for number in range(500):
        key = link(number, key)
    assert state.get(key) == 501
    assert max(entered.count(number) for number in range(500)) <= 2


def test_a_descent_that_is_unwound_computes_the_lowest_once() -> None:
    state = fa.StateManager()
    lowest, runs = counted(lambda get: get(A))
    assert state.get(through_many(lowest)) == 1
    assert runs == [1]


def test_a_circle_is_one_as_well_when_it_is_looked_at_once_more() -> None:
    state = fa.StateManager()
    keys: dict[str, Any] = {}
    one = fa.selector(lambda get: get(keys["two"]))
    two = keys["two"] = fa.selector(lambda get: get(one))
    state.listen(B, lambda _: None)
    for number in range(3):
        state.set(B, number)
        for key in (one, two):
            with pytest.raises(fa.CycleError, match="circle"):
                state.get(key)


def test_what_came_to_the_same_is_checked_and_not_computed() -> None:
    parity, parities = counted(lambda get: get(A) % 2)
    above, runs = counted(lambda get: get(parity) * 0)
    top, tops = counted(lambda get: get(above))
    state = fa.StateManager()
    state.listen(B, lambda _: None)
    for number in (1, 3, 5, 7, 4):
        state.set(A, number)
        assert state.get(top) == 0
        for key in (top, parity) if number % 3 else (parity, top):
            state.set(B, state.get(B) + 1)
            assert state.get(key) == (number % 2 if key is parity else 0)
    assert (parities, runs, tops) == ([1, 1, 1, 1, 0], [0, 0], [0])


def test_a_check_in_which_a_descent_is_unwound_goes_on_where_it_was() -> None:
    flag, deepest = fa.Key("flag", False), fa.Key("deepest", False)
    below = through_many(A)
    asks = fa.selector(lambda get: get(below) if get(deepest) else 0)
    through = fa.selector(lambda get: get(asks))
    first = fa.selector(lambda get: get(through) * 0 if get(flag) else 0)
    second = fa.selector(lambda get: get(B))
    both = fa.selector(lambda get: (get(first), get(second)))
    state = fa.StateManager()
    assert (state.get(through), state.get(both)) == (0, (0, 10))
    with state.batch():
        state.set(flag, True)
        state.set(deepest, True)
        state.set(B, 11)
    assert state.get(both) == (0, 11)


def test_a_thread_of_its_own_computes_as_any_other() -> None:
    def use() -> None:
        state = fa.StateManager()
        key = through_many(A)
        for number in (1, 2):
            state.set(A, number)
            found.append(state.get(key))
        with pytest.raises(fa.PurityError, match="writes writes"):
            state.get(fa.selector(writes))
        found.append("refused")

    def writes(get: fa.Get) -> None:
        fa.StateManager().set(A, 2)

    found: list[object] = []
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert found == [1, 2, "refused"]


# ------------------------------------------------------------------ one turn


@pytest.mark.parametrize("together", [True, False])
def test_everything_that_is_watched_is_fresh_before_anybody_is_told(together: bool) -> None:
    state = fa.StateManager()
    log: list[str] = []

    def watched(name: str, key: fa.Key[int]) -> None:
        @fa.selector
        def value(get: fa.Get) -> int:
            log.append(f"compute {name}")
            return get(key)

        state.listen(value, lambda _: log.append(f"tell {name}"), immediate=False)

    watched("one", A)
    watched("other", A if together else B)
    log.clear()
    with state.batch():
        state.set(A, 5)
        state.set(B, 5)
    assert sorted(log[:2]) == ["compute one", "compute other"]
    assert log[2:] == ["tell one", "tell other"]


def test_what_a_name_stood_for_is_not_computed_any_more_when_it_stands_for_something_else() -> None:
    state = fa.StateManager()
    computed: list[int] = []

    def double(get: fa.Get) -> int:
        computed.append(get(A))
        return get(A) * 2

    state.add_selector("name", double)
    heard: list[int] = []
    state.listen("name", heard.append)
    state.delete("name")
    state.atom("name", 7)
    computed.clear()
    state.set(A, 5)
    assert (computed, heard) == ([], [2, 7])


# ------------------------------------------------------------------ edits, errors and cleanups on their way


def test_an_edit_passes_through_what_is_equal_and_stops_at_what_cannot_have_been_touched() -> None:
    cart = fa.Key[list[list[int]]]("cart", factory=lambda: [[1]])
    state = fa.StateManager()
    held = fa.selector(lambda get: get(cart))
    copied = fa.selector(lambda get: list(get(held)))
    again = fa.selector(lambda get: list(get(copied)))
    size = fa.selector(lambda get: len(get(copied)))
    own = fa.selector(equals=lambda a, b: a == b)(lambda get: list(get(copied)))
    heard: list[str] = []
    state.listen(again, lambda _: heard.append("again"), immediate=False)
    state.listen(size, lambda _: heard.append("size"), immediate=False)
    state.listen(own, lambda _: heard.append("own"), immediate=False)
    state.mutate(cart, lambda it: it[0].append(2))
    assert heard == ["again"]
    state.set(A, 5)
    assert heard == ["again"]


def test_the_error_of_a_selector_shows_where_it_was_raised_and_does_not_grow() -> None:
    state = fa.StateManager()

    @fa.selector
    def quotient(get: fa.Get) -> int:
        return 12 // (get(A) - 1)

    above = fa.selector(lambda get: get(quotient))
    frames: list[list[str]] = []
    for key in (quotient, quotient, above, above):
        with pytest.raises(ZeroDivisionError) as caught:
            state.get(key)
        frames.append([frame.name for frame in traceback.extract_tb(caught.value.__traceback__)])
    assert all("quotient" in names for names in frames)
    assert len(frames[0]) == len(frames[1])
    assert len(frames[2]) == len(frames[3])


def test_a_cleanup_reads_through_a_handle_what_is_there_by_then() -> None:
    state = fa.StateManager()
    a, b = state.atom(A), state.atom(B)
    seen: list[int] = []

    def doubled(get: fa.Get) -> int:
        get.on_cleanup(lambda: seen.append(b.value))
        return get(A) * 2

    double, computed = counted(doubled)
    assert state.get(double) == 2
    b.value = 20
    a.value = 2
    assert state.get(double) == 4
    assert seen == [20]
    b.value = 30
    assert state.get(double) == 4
    assert computed == [2, 4]  # what the cleanup has read is nothing that the selector depends on


def test_a_cleanup_that_reads_what_it_belongs_to_reads_in_a_circle() -> None:
    state = fa.StateManager()
    found = collect(state)

    def doubled(get: fa.Get) -> int:
        get.on_cleanup(lambda: state.get(double))
        return get(whole) * 2

    whole = fa.selector(lambda get: abs(get(A)))
    double = fa.selector(doubled)
    assert state.get(double) == 2
    state.set(A, -2)
    assert state.get(double) == 4
    assert [type(failure.error) for failure in found] == [fa.CycleError]


def test_cleanups_are_called_each_once_the_last_one_first() -> None:
    state = fa.StateManager()
    called: list[tuple[int, str]] = []

    @fa.selector
    def double(get: fa.Get) -> int:
        n = get(A)
        get.on_cleanup(lambda: called.append((n, "a")))
        get.on_cleanup(lambda: called.append((n, "b")))
        get.on_cleanup(lambda: called.append((n, "c")))
        return n * 2

    assert state.get(double) == 2
    state.set(A, 2)
    assert (state.get(double), called) == (4, [(1, "c"), (1, "b"), (1, "a")])
