"""Listeners: told once a turn, after everything is consistent, isolated from each other."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

import flet_asp_actors as fa
from tests.kit.failures import collect

N = fa.Key("n", 0)
M = fa.Key("m", 0)


@pytest.fixture
def state() -> fa.StateManager:
    return fa.StateManager()


def test_immediate_gives_the_value_now(state: fa.StateManager) -> None:
    seen: list[int] = []
    state.listen(N, seen.append)
    state.set(N, 5)
    state.set(N, 10)
    state.reset(N)
    assert seen == [0, 5, 10, 0]


def test_closing_ends_it(state: fa.StateManager) -> None:
    seen: list[int] = []
    with state.listen(N, seen.append, immediate=False) as subscription:
        state.set(N, 1)
    state.set(N, 2)
    subscription.close()
    assert seen == [1]


def test_who_is_told_at_once_that_it_goes_wrong_listens_no_more(state: fa.StateManager) -> None:
    with pytest.raises(fa.LoopError):
        state.listen(N, lambda n: state.set(N, n + 1))
    state.set(N, 1)
    assert state.get(N) == 1
    assert not state.atom(N).has_listeners()


def test_unlisten_and_listen_multiple(state: fa.StateManager) -> None:
    n: list[int] = []
    m: list[int] = []
    state.listen_multiple({N: n.append, M: m.append}, immediate=False)
    state.set(N, 1)
    state.unlisten(N, n.append)
    state.set(N, 2)
    state.set(M, 3)
    state.unlisten(N, print)
    assert (n, m) == ([1], [3])


def test_the_same_listener_is_listed_once(state: fa.StateManager) -> None:
    seen: list[int] = []
    assert state.listen(N, seen.append, immediate=False) is state.listen(N, seen.append)
    state.set(N, 1)
    assert seen == [1]


def test_a_raising_listener_disturbs_nobody(state: fa.StateManager) -> None:
    found: list[fa.Failure] = []
    state.on_error = found.append
    seen: list[int] = []

    def bad(value: int) -> None:
        raise ValueError("oops")

    state.listen(N, bad, immediate=False)
    state.listen(N, seen.append, immediate=False)
    state.set(N, 1)
    state.set(N, 2)
    assert seen == [1, 2]
    assert [(type(f.error), f.key, f.actor.split(".")[-1]) for f in found] == [(ValueError, N, "bad")] * 2


def test_without_on_error_it_is_logged(state: fa.StateManager, caplog: pytest.LogCaptureFixture) -> None:
    def bad(value: int) -> None:
        raise ValueError("oops")

    state.listen(N, bad)
    assert "Key('n'): ValueError: oops" in caplog.text
    assert caplog.records[0].name == "flet_asp_actors"
    assert "Traceback" in caplog.text


def test_an_on_error_that_raises_is_logged_with_the_first_error(
    state: fa.StateManager, caplog: pytest.LogCaptureFixture
) -> None:
    def bad(value: object) -> None:
        raise ValueError(f"oops {value}")

    state.on_error = bad
    state.listen(N, bad)
    assert len(caplog.records) == 2


def test_two_listeners_that_each_add_one_add_two(state: fa.StateManager) -> None:
    state.listen(N, lambda _: state.set(M, state.get(M) + 1), immediate=False)
    state.listen(N, lambda _: state.set(M, state.get(M) + 1), immediate=False)
    state.set(N, 1)
    assert state.get(M) == 2


def test_a_write_of_a_listener_is_seen_by_those_after_it_and_told_in_the_next_turn(state: fa.StateManager) -> None:
    order: list[tuple[str, int, int]] = []
    double = fa.selector(lambda get: get(N) * 2)

    def write(_: int) -> None:
        state.set(M, state.get(N))
        order.append(("writer", state.get(N), state.get(M)))

    state.listen(M, lambda m: order.append(("m", state.get(double), m)), immediate=False)
    state.listen(N, write, immediate=False)
    state.listen(N, lambda n: order.append(("after", n, state.get(M))), immediate=False)
    state.set(N, 3)
    assert order == [("writer", 3, 3), ("after", 3, 3), ("m", 6, 3)]


def test_told_once_with_the_current_value(state: fa.StateManager) -> None:
    seen: list[int] = []
    state.listen(N, lambda n: state.set(N, 10) if n < 10 else None, immediate=False)
    state.listen(N, seen.append, immediate=False)
    state.set(N, 1)
    assert seen == [10], "the first listener had changed it before the second was called"


def test_a_listener_may_close_itself_and_others(state: fa.StateManager) -> None:
    seen: list[str] = []
    subscriptions: list[fa.Subscription] = []

    def closer(_: int) -> None:
        seen.append("closer")
        for subscription in subscriptions:
            subscription.close()

    subscriptions.append(state.listen(N, closer, immediate=False))
    subscriptions.append(state.listen(N, lambda _: seen.append("other"), immediate=False))
    state.set(N, 1)
    state.set(N, 2)
    assert seen == ["closer"], "closed means closed, also in the turn under way"


def test_listeners_that_feed_each_other_for_ever_are_stopped(state: fa.StateManager) -> None:
    up = state.listen(N, lambda n: state.set(M, n + 1), immediate=False)
    state.listen(M, lambda m: state.set(N, m + 1), immediate=False)
    with pytest.raises(fa.LoopError, match=r"feed each other for ever.*Key\('[mn]'\)"):
        state.set(N, 1)
    up.close()
    seen: list[int] = []
    state.listen(N, seen.append, immediate=False)
    state.set(M, 5)
    assert seen == [6]
    assert state.get(N) == 6


def test_a_base_exception_passes_and_nobody_misses_the_change(state: fa.StateManager) -> None:
    seen: list[int] = []
    interrupts = [KeyboardInterrupt()]

    def interrupted(_: int) -> None:
        if interrupts:
            raise interrupts.pop()

    state.listen(N, interrupted, immediate=False)
    state.listen(N, seen.append, immediate=False)
    with pytest.raises(KeyboardInterrupt):
        state.set(N, 1)
    state.listen(M, seen.append, immediate=False)
    state.set(M, 2)
    assert seen == [1, 2]


def test_subscriptions_say_what_they_watch(state: fa.StateManager) -> None:
    assert repr(state.listen(N, print, immediate=False)) == "<Subscription to Key('n')>"
    assert repr(state) == "<StateManager open>"


def test_who_begins_to_listen_in_the_turn_of_a_change_hears_what_comes_after_it() -> None:
    state = fa.StateManager()
    heard: list[tuple[str, int]] = []

    def first(n: int) -> None:
        heard.append(("first", n))
        if n == 1:
            state.listen(N, lambda n: heard.append(("new", n)), immediate=False)
            state.set(N, 2)

    state.listen(N, first, immediate=False)
    state.listen(N, lambda n: heard.append(("last", n)), immediate=False)
    state.set(N, 1)
    assert heard == [("first", 1), ("last", 2), ("first", 2), ("new", 2)]
    state.set(N, 3)
    assert [name for name, n in heard if n == 3] == ["first", "last", "new"]


def test_who_begins_to_listen_after_a_write_that_changes_nothing_takes_no_news_from_the_others() -> None:
    state = fa.StateManager()
    tens = fa.selector(lambda get: get(N) // 10)
    heard: list[tuple[str, int]] = []

    def first(n: int) -> None:
        heard.append(("first", n))
        state.set(N, 11)
        state.listen(tens, lambda n: heard.append(("new", n)), immediate=False)

    state.listen(tens, first, immediate=False)
    state.listen(tens, lambda n: heard.append(("last", n)), immediate=False)
    state.set(N, 10)
    assert heard == [("first", 1), ("last", 1)]


def test_who_begins_to_listen_to_a_selector_that_is_stale_hears_no_old_change() -> None:
    state = fa.StateManager()
    double = fa.selector(lambda get: get(N) * 2)
    heard: list[tuple[str, int]] = []
    state.listen(double, lambda n: heard.append(("one", n)), immediate=False)
    state.set(N, 1)
    with state.batch():
        state.set(N, 2)
        state.listen(double, lambda n: heard.append(("two", n)), immediate=False)
    assert heard == [("one", 2), ("one", 4)]
    state.set(N, 3)
    assert heard[2:] == [("one", 6), ("two", 6)]


def test_listeners_of_a_name_go_with_it_to_what_is_declared_next() -> None:
    state = fa.StateManager()
    state.atom("name", 1)
    heard: list[tuple[str, Any]] = []
    state.listen("name", lambda value: heard.append(("one", value)), immediate=False)
    state.listen("name", lambda value: heard.append(("two", value)), immediate=False)
    state.delete("name")
    named = state.add_selector("name", lambda get: get(N) + 10)
    assert named.has_listeners()
    heard.clear()
    later = state.listen("name", lambda value: heard.append(("later", value)), immediate=False)
    state.set(N, 1)
    assert heard == [("one", 11), ("two", 11), ("later", 11)]
    later.close()
    state.set(N, 2)
    assert heard[3:] == [("one", 12), ("two", 12)]


# ------------------------------------------------------------------ those who come after one that writes


def test_one_that_is_closed_by_another_after_a_write_hears_nothing_more() -> None:
    state = fa.StateManager()
    heard: list[tuple[str, int]] = []

    def first(n: int) -> None:
        heard.append(("first", n))
        if n == 1:
            state.set(N, 2)

    def second(n: int) -> None:
        heard.append(("second", n))
        third.close()

    state.listen(N, first, immediate=False)
    state.listen(N, second, immediate=False)
    third = state.listen(N, lambda n: heard.append(("third", n)), immediate=False)
    state.listen(N, lambda n: heard.append(("fourth", n)), immediate=False)
    state.set(N, 1)
    assert heard == [("first", 1), ("second", 2), ("fourth", 2), ("first", 2)]


def test_a_write_that_makes_the_value_fail_is_told_once_and_nobody_is_called_for_it() -> None:
    state = fa.StateManager()
    found = collect(state)
    quotient = fa.selector(lambda get: 12 // get(N))
    heard: list[tuple[str, int]] = []

    def first(value: int) -> None:
        heard.append(("first", value))
        if value == 6:
            state.set(N, 0)

    state.set(N, 1)
    state.listen(quotient, first, immediate=False)
    state.listen(quotient, lambda value: heard.append(("second", value)), immediate=False)
    state.listen(quotient, lambda value: heard.append(("third", value)), immediate=False)
    state.set(N, 2)
    assert heard == [("first", 6)]
    assert [type(failure.error) for failure in found] == [ZeroDivisionError]
    state.set(N, 3)
    assert heard[1:] == [("first", 4), ("second", 4), ("third", 4)]


def test_who_stumbles_over_what_it_has_written_is_told_and_nobody_tells_it_again() -> None:
    state = fa.StateManager()
    found = collect(state)
    quotient = fa.selector(lambda get: 12 // get(N))
    heard: list[int] = []

    def first(value: int) -> None:
        state.set(N, 0)
        state.get(quotient)

    state.set(N, 1)
    state.listen(quotient, first, immediate=False)
    state.listen(quotient, heard.append, immediate=False)
    state.set(N, 2)
    assert heard == []
    assert [type(failure.error) for failure in found] == [ZeroDivisionError]


def test_what_a_listener_raises_itself_is_told_also_if_it_has_made_the_selector_fail() -> None:
    state = fa.StateManager()
    found = collect(state)
    quotient = fa.selector(lambda get: 12 // get(N))

    def first(value: int) -> None:
        state.set(N, 0)
        with contextlib.suppress(ZeroDivisionError):
            state.get(quotient)
        raise RuntimeError("full")

    state.set(N, 1)
    state.listen(quotient, first, immediate=False)
    state.listen(quotient, lambda _: None, immediate=False)
    state.set(N, 2)
    assert {type(failure.error) for failure in found} == {ZeroDivisionError, RuntimeError}
    assert len(found) == 2


def test_each_of_several_that_write_is_heard_by_those_after_it() -> None:
    state = fa.StateManager()
    double = fa.selector(lambda get: get(N) * 2)
    heard: list[tuple[str, int]] = []

    def writer(name: str, at: int, to: int) -> None:
        def hear(value: int) -> None:
            heard.append((name, value))
            if value == at:
                state.set(N, to)

        state.listen(double, hear, immediate=False)

    writer("first", 2, 2)
    writer("second", 4, 3)
    state.listen(double, lambda value: heard.append(("third", value)), immediate=False)
    state.set(N, 1)
    assert heard == [("first", 2), ("second", 4), ("third", 6), ("first", 6), ("second", 6)]


def test_an_interrupt_after_a_write_leaves_the_news_for_the_next_turn() -> None:
    state = fa.StateManager()
    heard: list[tuple[str, int]] = []

    def first(n: int) -> None:
        heard.append(("first", n))
        if n == 1:
            state.set(N, 2)
            raise KeyboardInterrupt

    state.listen(N, first, immediate=False)
    state.listen(N, lambda n: heard.append(("second", n)), immediate=False)
    with pytest.raises(KeyboardInterrupt):
        state.set(N, 1)
    state.set(M, 1)
    with state.batch():
        pass
    assert heard == [("first", 1), ("first", 2), ("second", 2)]


# ------------------------------------------------------------------ what is told, and what counts as told


def test_a_failure_is_told_once_however_often_it_is_wrapped() -> None:
    state = fa.StateManager()
    found = collect(state)
    bad = fa.selector(lambda get: 12 // get(N))

    @fa.selector
    def wrapped(get: fa.Get) -> int:
        try:
            return get(bad) + 0
        except ZeroDivisionError as error:
            raise ValueError("no quotient") from error

    state.set(N, 1)
    state.listen(bad, lambda _: None)
    state.listen(wrapped, lambda _: None)
    state.set(N, 0)
    assert [type(failure.error) for failure in found] == [ZeroDivisionError]


def test_what_was_given_up_counts_as_told() -> None:
    state = fa.StateManager()
    total = fa.selector(lambda get: get(N) + 0 * get(M))
    heard: list[int] = []
    growing = state.listen(total, lambda n: state.set(N, n + 1), immediate=False)
    state.listen(total, heard.append, immediate=False)
    with pytest.raises(fa.LoopError):
        state.set(N, 1)
    growing.close()
    heard.clear()
    state.set(M, 1)
    assert heard == []
    state.set(N, -1)
    assert heard == [-1]


def test_all_those_after_an_interrupt_are_told_in_the_next_turn_and_those_before_are_not() -> None:
    state = fa.StateManager()
    heard: list[tuple[int, int]] = []

    def watched(number: int) -> None:
        def hear(value: int) -> None:
            heard.append((number, value))
            if number == 1 and value == 2:
                raise KeyboardInterrupt

        state.listen(fa.selector(lambda get: get(N) + number), hear, immediate=False)

    for number in range(5):
        watched(number)
    with pytest.raises(KeyboardInterrupt):
        state.set(N, 1)
    assert heard == [(0, 1), (1, 2)]
    with state.batch():
        state.set(M, 1)
    assert heard[2:] == [(2, 3), (3, 4), (4, 5)]


def test_an_interrupt_after_one_has_written_leaves_the_rest_for_the_next_turn() -> None:
    state = fa.StateManager()
    heard: list[tuple[str, int]] = []
    interrupts: list[BaseException] = [KeyboardInterrupt()]

    def first(n: int) -> None:
        heard.append(("first", n))
        if n == 1:
            state.set(N, 2)

    def second(n: int) -> None:
        heard.append(("second", n))
        if interrupts:
            raise interrupts.pop()

    state.listen(N, first, immediate=False)
    state.listen(N, second, immediate=False)
    state.listen(N, lambda n: heard.append(("third", n)), immediate=False)
    with pytest.raises(KeyboardInterrupt):
        state.set(N, 1)
    with state.batch():
        state.set(M, 1)
    assert heard == [("first", 1), ("second", 2), ("first", 2), ("third", 2)]


def test_who_still_has_what_a_name_stood_for_listens_to_that() -> None:
    state = fa.StateManager()
    old = state.add_selector("name", lambda get: get(N) * 2)
    heard: list[tuple[str, Any]] = []
    state.listen("name", lambda value: heard.append(("name", value)), immediate=False)
    state.delete("name")
    state.atom("name", 7)
    heard.clear()
    old.listen(lambda value: heard.append(("old", value)), immediate=False)
    state.set(N, 3)
    state.set("name", 8)
    assert heard == [("old", 6), ("name", 8)]


def test_two_failures_of_one_turn_are_both_told() -> None:
    state = fa.StateManager()
    found = collect(state)
    quotient = fa.selector(lambda get: 12 // get(N))
    item = fa.selector(lambda get: "x"[get(N) - 1])
    state.set(N, 1)
    state.listen(quotient, lambda _: None)
    state.listen(item, lambda _: None)
    state.set(N, 0)
    assert [type(failure.error) for failure in found] == [ZeroDivisionError]
    state.set(N, 5)
    assert [type(failure.error) for failure in found[1:]] == [IndexError]
    state.set(N, 1)
    state.listen(fa.selector(lambda get: 12 // (get(N) - 7)), lambda _: None)
    found.clear()
    state.set(N, 7)
    assert {type(failure.error) for failure in found} == {IndexError, ZeroDivisionError}


def test_a_failure_below_is_told_once_to_those_above() -> None:
    state = fa.StateManager()
    found = collect(state)
    quotient = fa.selector(lambda get: 12 // get(N))
    above = fa.selector(lambda get: get(quotient))
    state.set(N, 1)
    state.listen(above, lambda _: None)
    for number in (0, 1, 0):
        state.set(N, number)
    assert [(failure.key, type(failure.error)) for failure in found] == [(above, ZeroDivisionError)] * 2


@pytest.mark.parametrize("writers", [{0}, {1}, {3}, {0, 2}, {0, 1, 2, 3}], ids=str)
@pytest.mark.parametrize("raises", [False, True])
def test_one_that_writes_something_else_keeps_nobody_from_being_told(
    state: fa.StateManager, writers: set[int], raises: bool
) -> None:
    told, heard = list[tuple[int, int]](), list[int]()
    failures = collect(state)

    def listener(number: int) -> Callable[[int], None]:
        def listen(n: int) -> None:
            told.append((number, n))
            if number in writers:
                state.update(M, lambda m: m + 1)
                if raises:
                    raise ValueError(number)

        return listen

    for number in range(4):
        state.listen(N, listener(number), immediate=False)
    state.listen(M, heard.append, immediate=False)
    for turn in (1, 2):
        state.set(N, turn)
        assert told == [(number, turn) for number in range(4)]
        assert heard == [len(writers) * turn]
        assert len(failures) == len(writers) * raises
        for each in (told, heard, failures):
            each.clear()


def test_an_interrupt_after_a_write_of_something_else_leaves_the_rest_for_the_next_turn(state: fa.StateManager) -> None:
    told: list[str] = []
    wants_to_end = True

    def end(n: int) -> None:
        told.append(f"second {n}")
        state.update(M, lambda m: m + 1)
        if wants_to_end:
            raise KeyboardInterrupt

    state.listen(N, lambda n: told.append(f"first {n}"), immediate=False)
    state.listen(N, end, immediate=False)
    state.listen(N, lambda n: told.append(f"third {n}"), immediate=False)
    state.listen(M, lambda m: told.append(f"m {m}"), immediate=False)
    with pytest.raises(KeyboardInterrupt):
        state.set(N, 1)
    assert told == ["first 1", "second 1"]
    wants_to_end = False
    told.clear()
    state.set(M, 5)
    assert sorted(told) == ["m 5", "third 1"]


def test_those_who_watch_other_values_are_told_after_an_interrupt(state: fa.StateManager) -> None:
    told: list[int] = []
    ends = fa.selector(lambda get: get(N) * 2)

    def end(_: int) -> None:
        raise KeyboardInterrupt

    first = state.listen(ends, end, immediate=False)

    @fa.family
    def multiples(get: fa.Get, factor: int) -> int:
        return get(N) * factor

    for factor in (3, 4, 5):
        state.listen(multiples(factor), told.append, immediate=False)
    with pytest.raises(KeyboardInterrupt):
        state.set(N, 1)
    first.close()
    state.set(M, 1)
    state.listen(M, lambda _: None)
    state.set(M, 2)
    assert told == [3, 4, 5]


@fa.selector
def small(get: fa.Get) -> int:
    """The number, which must not be too big."""
    if get(N) > 9:
        raise ValueError(get(N))
    return get(N)


def test_those_after_one_that_makes_it_fail_are_told_when_it_is_as_it_was(state: fa.StateManager) -> None:
    failures, heard, told = collect(state), list[int](), list[int]()

    def spoil(n: int) -> None:
        heard.append(n)
        if len(heard) == 1:
            state.set(N, 99)

    state.listen(small, spoil, immediate=False)
    state.listen(small, told.append, immediate=False)
    state.set(N, 1)
    assert (heard, told, len(failures)) == ([1], [], 1)
    state.set(N, 1)
    assert (heard, told, len(failures)) == ([1], [1], 1)


@pytest.mark.parametrize("others", [0, 1])
def test_who_begins_to_listen_while_it_fails_hears_the_value_from_before(state: fa.StateManager, others: int) -> None:
    collect(state)
    told: list[int] = []
    assert state.get(small) == 0
    known = [list[int]() for _ in range(others)]
    for each in known:
        state.listen(small, each.append)
    state.set(N, 99)
    with pytest.raises(ValueError, match="99"):
        state.get(small)
    state.listen(small, told.append, immediate=False)
    state.set(N, 0)
    assert (told, known) == ([0], [[0]] * others)


@pytest.mark.parametrize("writes", ["nobody", "the same", "one before"])
def test_those_after_one_that_deletes_the_name_hear_of_nothing_that_never_was(
    state: fa.StateManager, writes: str
) -> None:
    told: list[object] = []

    def delete(_: object) -> None:
        if writes == "the same":
            state.set(N, 8)
        state.delete("double")

    state.add_selector("double", lambda get: get(N) * 2)
    if writes == "one before":
        state.listen("double", lambda _: state.set(N, 8), immediate=False)
    state.listen("double", delete, immediate=False)
    state.listen("double", told.append, immediate=False)
    state.listen("double", told.append, immediate=False)
    state.set(N, 7)
    assert None not in told
    told.clear()
    state.atom("double", 5)
    assert told == [5]


def test_of_a_list_that_comes_back_after_a_failure_it_is_known_whether_it_was_edited(state: fa.StateManager) -> None:
    collect(state)
    items, other = fa.Key("items", [1]), fa.Key("other", [1])
    told: list[list[int]] = []

    @fa.selector
    def shown(get: fa.Get) -> list[int]:
        if get(N):
            raise ValueError(get(N))
        return get(items)

    state.mutate(other, lambda each: each.append(2))
    state.listen(shown, lambda each: told.append(list(each)), immediate=False)
    state.set(N, 1)
    state.set(N, 0)
    assert told == [], "nobody has edited it"
    state.set(N, 1)
    state.mutate(items, lambda each: each.append(2))
    state.set(N, 2)
    state.set(N, 0)
    assert told == [[1, 2]]


def test_an_edit_elsewhere_makes_no_news_of_the_same_list(state: fa.StateManager) -> None:
    shared = [1]
    own, theirs, other = fa.Key("own", [0]), fa.Key("theirs", [0]), fa.Key("other", [1])
    state.set(own, shared)
    state.set(theirs, shared)
    told: list[list[int]] = []

    @fa.selector
    def shown(get: fa.Get) -> list[int]:
        return get(theirs) if get(N) > 1 else get(own)

    state.listen(shown, lambda each: told.append(list(each)), immediate=False)
    state.mutate(other, lambda each: each.append(2))
    state.set(N, 1)
    assert told == []
    state.mutate(theirs, lambda each: each.append(2))
    state.set(N, 2)
    assert told == [[1, 2]], "it is the same list, and has been edited by way of the other key"
