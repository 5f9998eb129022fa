"""Policies, per action and per argument: who is let in, in what order, and what the status says of it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import random
import weakref
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import anyio
import pytest
from anyio import wait_all_tasks_blocked

import flet_asp_actors as fa
from flet_asp_actors.lanes import IDLE_LANES
from flet_asp_actors.testing import (
    Failures,
    assert_quiet,
    explore,
    quiescent,
    record,
    virtual_backend,
    virtual_backends,
)

Backend: TypeAlias = Literal["asyncio", "trio"]
BACKENDS: list[Backend] = ["asyncio", "trio"]
POLICIES: list[Any] = ["concurrent", "sequential", "droppable", "restartable"]

LOADING = fa.Key("loading", False)
RESULT = fa.Key("result", "")
COUNT = fa.Key("count", 0)


@pytest.fixture(params=virtual_backends())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return virtual_backend(request.param)


@fa.action
async def show_until_stopped(get: fa.Get, set: fa.Set, text: str, before: str | None = None) -> None:
    set(RESULT, text)
    try:
        await anyio.sleep_forever()
    finally:
        if before is not None:
            set(RESULT, before)


@fa.action
async def load_until_stopped(get: fa.Get, set: fa.Set, seconds: float = 0, after: float = 0) -> None:
    """Clean up for some seconds before the flag goes down, and for some after."""
    set(LOADING, True)
    try:
        await anyio.sleep_forever()
    finally:
        async with set.cleanup(5):
            await anyio.sleep(seconds)
        set(LOADING, False)
        async with set.cleanup(5):
            await anyio.sleep(after)


def sleeper(**options: Any) -> fa.Action[[str, float], str]:
    async def sleep(get: fa.Get, set: fa.Set, name: str, seconds: float = 1.0) -> str:
        await anyio.sleep(seconds)
        return name

    return fa.action(**options)(sleep)


# ------------------------------------------------------------------ what users do


async def test_a_search_shows_what_was_typed_last_and_its_spinner_turns_until_then(fa_store: fa.StateManager) -> None:
    """The cleanup of the search before comes late, after the next has said that it loads."""

    @fa.action(policy="restartable")
    async def search(get: fa.Get, set: fa.Set, text: str) -> None:
        set(LOADING, True)
        try:
            await anyio.sleep(10)
            set(RESULT, text)
        finally:
            async with set.cleanup(5):
                await anyio.sleep(1)
            set(LOADING, False)

    go = fa_store.action(search)
    go("fl")
    await anyio.sleep(1)
    go("flet")
    await anyio.sleep(5)
    assert fa_store.get(LOADING) is True, "the second one is still at it"
    await quiescent(fa_store)
    assert (fa_store.get(RESULT), fa_store.get(LOADING)) == ("flet", False)


@pytest.mark.parametrize("texts", ["f", "fl", "fle", "flet"])
@pytest.mark.parametrize("is_busy", [False, True])
async def test_a_search_that_is_given_up_stops_its_spinner_also_if_those_before_it_are_still_cleaning_up(
    texts: str, is_busy: bool, fa_store: fa.StateManager
) -> None:
    async def hold_and_fail(loading: bool) -> bool:
        await anyio.sleep(0.5)
        raise ValueError(loading)

    @fa.action(policy="restartable")
    async def search(get: fa.Get, set: fa.Set, text: str) -> None:
        await set(LOADING, True)
        try:
            await anyio.sleep(10)
        finally:
            async with set.cleanup(5):
                await anyio.sleep(2 + ord(text) % 3)
            set(LOADING, False)

    fa_store.on_error = lambda _: None
    go = fa_store.action(search)
    for text in texts:
        if is_busy:
            fa_store.update(LOADING, hold_and_fail)
        go(text)
        await anyio.sleep(1)
    assert fa_store.get(LOADING) is True
    go.cancel()
    await quiescent(fa_store)
    assert fa_store.get(LOADING) is False
    assert type(fa_store.atom(LOADING)) is fa.Atom, "nobody attends to it any more"


async def test_a_flag_that_two_runs_have_raised_goes_down_with_both_of_them(fa_store: fa.StateManager) -> None:
    go = fa_store.action(load_until_stopped)
    first = go(1)
    await anyio.sleep(1)
    go(2)
    await anyio.sleep(1)
    first.cancel()
    await first.wait()
    assert fa_store.get(LOADING) is True, "the other one still loads"
    go.cancel()
    await quiescent(fa_store)
    assert fa_store.get(LOADING) is False
    go(1)
    go(2)
    await anyio.sleep(1)
    go.cancel()
    await quiescent(fa_store)
    assert fa_store.get(LOADING) is False


@pytest.mark.parametrize("order", ["the other way round", "in between", "all at once"])
@pytest.mark.parametrize("how", ["cancelled", "late"])
async def test_a_flag_that_many_have_raised_goes_down_with_the_last_of_them_whoever_that_is(
    order: str, how: str, fa_store: fa.StateManager
) -> None:
    """The one that ends last has not written last; but those that have wanted the flag down as well."""

    @fa.action(timeout=4 if how == "late" else None, expect=(TimeoutError,))
    async def load(get: fa.Get, set: fa.Set) -> None:
        set(LOADING, True)
        try:
            await anyio.sleep_forever()
        finally:
            set(LOADING, False)

    go = fa_store.action(load)
    runs: list[fa.Run[None]] = []
    for _ in range(3):
        runs.append(go())
        await anyio.sleep(1)
    first, second, third = runs
    ways = {"the other way round": [third, second], "in between": [second, third], "all at once": [second, third]}
    for run in ways[order]:
        run.cancel()
        if order != "all at once":
            await run.wait()
            assert fa_store.get(LOADING) is True, "the first one still loads"
    if how == "cancelled":
        first.cancel()
    await quiescent(fa_store)
    assert fa_store.get(LOADING) is False
    assert type(fa_store.atom(LOADING)) is fa.Atom, "nobody attends to it any more"


async def test_a_flag_goes_down_with_the_run_that_still_cleans_up_when_the_one_before_it_has_ended(
    fa_store: fa.StateManager,
) -> None:
    go = fa_store.action(load_until_stopped)
    first = go(0)
    await anyio.sleep(1)
    second = go(4)
    await anyio.sleep(1)
    second.cancel()
    await anyio.sleep(1)
    first.cancel()
    await first.wait()
    assert not second.is_done
    await quiescent(fa_store)
    assert fa_store.get(LOADING) is False


async def test_a_run_that_has_tried_to_lower_the_flag_already_does_not_keep_it_up(fa_store: fa.StateManager) -> None:
    go = fa_store.action(load_until_stopped)
    runs: list[fa.Run[None]] = []
    for seconds in 0, 3, 0:
        runs.append(go(after=seconds))
        await anyio.sleep(1)
    first, second, third = runs
    second.cancel()
    await anyio.sleep(1)
    third.cancel()
    await third.wait()
    assert not second.is_done
    await second.wait()
    assert fa_store.get(LOADING) is True
    first.cancel()
    await quiescent(fa_store)
    assert fa_store.get(LOADING) is False


async def test_a_flag_that_somebody_else_has_raised_as_well_is_not_for_the_runs_to_lower(
    fa_store: fa.StateManager,
) -> None:
    go = fa_store.action(load_until_stopped)
    first, second = go(), go()
    await anyio.sleep(1)
    fa_store.set(LOADING, True)
    for run in second, first:
        run.cancel()
        await run.wait()
    assert fa_store.get(LOADING) is True
    assert type(fa_store.atom(LOADING)) is fa.Atom, "nobody attends to it any more"


async def test_a_second_wish_that_is_refused_does_not_undo_what_was_put_back(fa_store: fa.StateManager) -> None:
    @fa.action
    async def show(get: fa.Get, set: fa.Set) -> None:
        set(RESULT, "loading")
        try:
            await anyio.sleep_forever()
        finally:
            set(RESULT, "")
            set(RESULT, "cancelled")

    fa_store.set(RESULT, "")
    go = fa_store.action(show)
    first, second = go(), go()
    await anyio.sleep(1)
    for run in second, first:
        run.cancel()
        await run.wait()
    assert fa_store.get(RESULT) == ""


@pytest.mark.parametrize("when", ["between", "late"])
@pytest.mark.parametrize("how", ["raises", "is cancelled"])
async def test_an_update_that_came_to_nothing_is_nobodys_write(how: str, when: str, fa_store: fa.StateManager) -> None:
    async def never(text: str) -> str:
        await anyio.sleep_forever()
        return text

    @fa.action(expect=(ValueError,))
    async def fail(get: fa.Get, set: fa.Set) -> None:
        if how == "raises":
            set.update(RESULT, lambda text: str(int(text)))
        else:
            await set.update(RESULT, never)

    fa_store.set(RESULT, "")
    go, try_it = fa_store.action(show_until_stopped), fa_store.action(fail)
    runs = [go("first", "")]
    await anyio.sleep(1)
    if when == "late":
        runs.append(go("second", ""))
        await anyio.sleep(1)
    failing = try_it()
    await anyio.sleep(1)
    failing.cancel()
    await failing.wait()
    if when == "between":
        runs.append(go("second", ""))
        await anyio.sleep(1)
    for run in runs[::-1]:
        run.cancel()
        await run.wait()
    assert fa_store.get(RESULT) == ""


async def test_what_is_put_back_is_what_was_there_before_the_first_write_that_came_to_something(
    fa_store: fa.StateManager,
) -> None:
    @fa.action
    async def write(get: fa.Get, set: fa.Set) -> None:
        with pytest.raises(ValueError, match="invalid literal"):
            set.update(RESULT, lambda text: str(int(text)))
        await anyio.sleep(2)
        set(RESULT, "mine")
        try:
            await anyio.sleep_forever()
        finally:
            set(RESULT, "somebody else's")

    run = fa_store.action(write)()
    await anyio.sleep(1)
    fa_store.set(RESULT, "somebody else's")
    await anyio.sleep(2)
    assert fa_store.get(RESULT) == "mine"
    run.cancel()
    await quiescent(fa_store)
    assert fa_store.get(RESULT) == "somebody else's"


async def test_what_was_put_back_over_one_that_still_cleans_up_is_for_that_one_to_put_back(
    fa_store: fa.StateManager,
) -> None:
    @fa.action
    async def show(get: fa.Get, set: fa.Set, text: str, seconds: float) -> None:
        before = get(RESULT)
        set(RESULT, text)
        try:
            await anyio.sleep_forever()
        finally:
            async with set.cleanup(5):
                await anyio.sleep(seconds)
            set(RESULT, before)

    fa_store.set(RESULT, "")
    go = fa_store.action(show)
    first = go("first", 1)
    await anyio.sleep(1)
    second = go("second", 4)
    await anyio.sleep(1)
    first.cancel()
    await first.wait()
    assert fa_store.get(RESULT) == "second"
    second.cancel()
    third = go("third", 0)
    await anyio.sleep(1)
    third.cancel()
    await third.wait()
    assert (fa_store.get(RESULT), second.is_done) == ("second", False)
    await quiescent(fa_store)
    assert fa_store.get(RESULT) == "first"


async def _hold_and_fail(text: str) -> str:
    await anyio.sleep(2)
    raise ValueError(text)


@pytest.mark.parametrize("does_succeed", [False, True])
async def test_a_write_after_an_optimistic_value_in_a_busy_atom(does_succeed: bool, fa_store: fa.StateManager) -> None:
    """The atom gets to both when it is no longer busy, first to the value that is no longer hoped for."""

    @fa.action
    async def like(get: fa.Get, set: fa.Set) -> None:
        async with set.optimistic(RESULT, "hoped for"):
            await anyio.sleep(1)
            fa_store.update(RESULT, _hold_and_fail)
        set(RESULT, "done")
        await anyio.sleep(1 if does_succeed else 10)

    fa_store.on_error = lambda _: None
    run = fa_store.action(like)()
    await anyio.sleep(4)
    run.cancel()
    await quiescent(fa_store)
    assert run.state == ("succeeded" if does_succeed else "cancelled")
    assert fa_store.get(RESULT) == "done"
    assert type(fa_store.atom(RESULT)) is fa.Atom, "nobody attends to it any more"


async def test_a_store_may_end_before_a_write_of_a_run_has_had_its_turn() -> None:
    @fa.action
    async def write(get: fa.Get, set: fa.Set) -> None:
        set(RESULT, "mine")

    async with fa.StateManager() as state:
        state.on_error = lambda _: None
        state.update(RESULT, _hold_and_fail)
        await state.action(write)()
        atom = state.atom(RESULT)
        assert type(atom) is not fa.Atom, "its write is still to come"
    assert state.is_closed
    assert type(atom) is fa.Atom


@pytest.mark.parametrize("when_full", ["error", "drop_oldest"])
@pytest.mark.parametrize("does_put_back", [False, True])
async def test_what_did_not_get_into_a_full_mailbox_is_no_write_of_the_run(
    when_full: Literal["error", "drop_oldest"], does_put_back: bool, fa_store: fa.StateManager
) -> None:
    key: fa.Key[str] = fa.Key("full", "", mailbox=1, when_full=when_full)

    @fa.action
    async def write(get: fa.Get, set: fa.Set) -> None:
        set(key, "first")
        await anyio.sleep(2)
        with contextlib.suppress(fa.BusyError):
            set(key, "second")
        if when_full == "drop_oldest":
            fa_store.update(key, lambda text: text + "!")  # takes the place of ours
        try:
            await anyio.sleep_forever()
        finally:
            if does_put_back:
                set(key, "")

    fa_store.on_error = lambda _: None
    run = fa_store.action(write)()
    await anyio.sleep(1)
    fa_store.set(key, "somebody else's")
    fa_store.update(key, _hold_and_fail)
    if when_full == "error":
        fa_store.update(key, lambda text: text + "!")
    await anyio.sleep(3)
    run.cancel()
    await quiescent(fa_store)
    assert fa_store.get(key) == "somebody else's!"
    assert type(fa_store.atom(key)) is fa.Atom, "nobody attends to it any more"


async def test_what_a_cancelled_run_has_left_on_purpose_is_not_for_the_one_before_it_to_take_away(
    fa_store: fa.StateManager,
) -> None:
    go = fa_store.action(show_until_stopped)
    fa_store.set(RESULT, "")
    first = go("first", "")
    await anyio.sleep(1)
    second = go("second")
    await anyio.sleep(1)
    for run in second, first:
        run.cancel()
        await run.wait()
    assert fa_store.get(RESULT) == "second"


@pytest.mark.parametrize("how", ["fails", "succeeds", "somebody else"])
async def test_what_was_written_after_a_run_for_good_is_not_its_own_to_put_back(
    how: str, fa_store: fa.StateManager
) -> None:
    """Only a cancelled run may yield to the one before it; one that fails had its say."""

    @fa.action(expect=(ValueError,))
    async def show(get: fa.Get, set: fa.Set, text: str) -> None:
        set(RESULT, text)
        try:
            await anyio.sleep(2 if text == "second" else 10)
        finally:
            set(RESULT, "")
        if how == "fails":
            set(RESULT, "it did not work")
            raise ValueError(text)
        set(RESULT, "it did work")

    fa_store.set(RESULT, "")
    go = fa_store.action(show)
    first = go("first")
    await anyio.sleep(1)
    second = go("second")
    if how == "somebody else":
        await anyio.sleep(1)
        second.cancel()
        await second.wait()
        assert fa_store.get(RESULT) == "second", "the first one still shows, and this one found its text"
        fa_store.set(RESULT, "it did work")
    else:
        await second.wait()
    shown = "it did not work" if how == "fails" else "it did work"
    assert fa_store.get(RESULT) == shown
    first.cancel()
    await quiescent(fa_store)
    assert fa_store.get(RESULT) == shown


async def test_what_is_put_back_over_a_cancelled_run_is_what_another_one_shows(fa_store: fa.StateManager) -> None:
    @fa.action
    async def show(get: fa.Get, set: fa.Set, text: str) -> None:
        set(RESULT, text)
        try:
            await anyio.sleep(10)
        finally:
            async with set.cleanup(5):
                await anyio.sleep(2)
            set(RESULT, "first")

    go = fa_store.action(show)
    runs: list[fa.Run[None]] = []
    for text in "first", "second", "third":
        runs.append(go(text))
        await anyio.sleep(1)
    assert fa_store.get(RESULT) == "third"
    first, second, third = runs
    for run in second, third:
        run.cancel()
    await third.wait()
    assert fa_store.get(RESULT) == "first"
    assert not first.is_done


async def test_what_somebody_else_has_written_between_two_searches_is_what_is_put_back(
    fa_store: fa.StateManager,
) -> None:
    refused: list[str] = []

    @fa.action(policy="restartable")
    async def search(get: fa.Get, set: fa.Set, text: str) -> None:
        set(RESULT, text)
        try:
            await anyio.sleep_forever()
        finally:
            async with set.cleanup(5):
                await anyio.sleep(2)
            for each in ("", "mine"):
                if not set(RESULT, each).is_done or fa_store.get(RESULT) != each:
                    refused.append(f"{text}: {each}")

    go = fa_store.action(search)
    go("first")
    await anyio.sleep(1)
    go.cancel()
    fa_store.set(RESULT, "mine")
    go("second")
    await anyio.sleep(1)
    go.cancel()
    await quiescent(fa_store)
    assert fa_store.get(RESULT) == "mine"
    assert refused == ["first: ", "first: mine", "second: "]


@pytest.mark.parametrize("ends", ["well", "with an error", "late"])
async def test_runs_that_always_overlap_do_not_hold_what_each_of_them_has_found(
    ends: str, fa_store: fa.StateManager
) -> None:
    class Answer:
        """Something that can be referred to weakly."""

    latest: fa.Key[Answer | None] = fa.Key("latest", None)
    answers: list[weakref.ref[Answer]] = []

    @fa.action(timeout=1.5 if ends == "late" else None)
    async def ask(get: fa.Get, set: fa.Set) -> None:
        answer = Answer()
        answers.append(weakref.ref(answer))
        set(latest, answer)
        del answer
        await anyio.sleep(5 if ends == "late" else 1.5)
        if ends == "with an error":
            raise ValueError("no answer")

    fa_store.on_error = lambda _: None
    for _ in range(20):
        fa_store.action(ask)()
        await anyio.sleep(1)
    gc.collect()
    assert len(answers) == 20
    assert sum(answer() is not None for answer in answers) < 6


async def test_what_was_there_before_all_that_are_cancelled_may_be_put_back_whoever_of_them_has_ended(
    fa_store: fa.StateManager,
) -> None:
    fa_store.set(RESULT, "none")
    go = fa_store.action(show_until_stopped)
    runs: list[fa.Run[None]] = []
    for text, before in ("first", None), ("second", None), ("third", "none"):
        runs.append(go(text, before))
        await anyio.sleep(1)
    for run in runs:
        run.cancel()
        await run.wait()
    assert fa_store.get(RESULT) == "none"


async def test_what_a_cancelled_run_has_left_is_what_the_next_one_puts_back_whoever_else_is_about(
    fa_store: fa.StateManager,
) -> None:
    go = fa_store.action(show_until_stopped)
    others = go("by another one")
    await anyio.sleep(1)
    first = go("first")
    await anyio.sleep(1)
    first.cancel()
    await first.wait()
    assert fa_store.get(RESULT) == "first", "it did not put back"
    second = go("second", "by another one")
    await anyio.sleep(1)
    second.cancel()
    await second.wait()
    assert fa_store.get(RESULT) == "second", "it found another value"
    assert others.state == "running"
    others.cancel()
    await quiescent(fa_store)


async def test_sequential_saves_run_one_after_the_other(fa_store: fa.StateManager) -> None:
    log: list[str] = []

    @fa.action(policy="sequential")
    async def save(get: fa.Get, set: fa.Set, text: str) -> None:
        log.append(f"begin {text}")
        await anyio.sleep(1)
        log.append(f"end {text}")

    go = fa_store.action(save)
    runs = [go(text) for text in "abc"]
    assert fa_store.get(go.status).active == 3
    await runs[-1]
    assert log == ["begin a", "end a", "begin b", "end b", "begin c", "end c"]


async def test_a_button_per_row(fa_store: fa.StateManager) -> None:
    @fa.action(policy="droppable", per="post")
    async def like(get: fa.Get, set: fa.Set, post: int, how: str = "thumb") -> str:
        await anyio.sleep(1)
        return f"{how} {post}"

    go = fa_store.action(like)
    first, again, other, named = go(1), go(1, "heart"), go(2), go(how="heart", post=3)
    assert (again.state, again.reason) == ("cancelled", "dropped")
    assert fa_store.get(go.status_for(1)).is_busy
    assert fa_store.get(like.status_for(2)).is_busy
    assert not fa_store.get(go.status_for(4)).is_busy
    assert fa_store.get(go.status).active == 3
    assert [await first, await other, await named] == ["thumb 1", "thumb 2", "heart 3"]
    assert fa_store.get(go.status_for(3)).value == "heart 3"
    assert fa_store.get(go.status).value == "heart 3", "it follows the run started last"


async def test_a_default_is_an_argument_like_any_other(fa_store: fa.StateManager) -> None:
    @fa.action(policy="droppable", per="mode")
    async def sync(get: fa.Get, set: fa.Set, *, mode: str = "all") -> str:
        await anyio.sleep(1)
        return mode

    go = fa_store.action(sync)
    go()
    assert fa_store.get(go.status_for("all")).is_busy
    assert go(mode="all").state == "cancelled"
    assert go(mode="new").state == "pending"
    await quiescent(fa_store)


def test_mistakes_with_per_are_told_where_they_are_made() -> None:
    with pytest.raises(ValueError, match="per='nothing' is none of its arguments"):
        sleeper(per="nothing")
    state = fa.StateManager()
    with pytest.raises(TypeError, match="must be hashable"):
        state.action(sleeper(per="name"))([], 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake under test
    with pytest.raises(TypeError, match="must be hashable"):
        state.action(sleeper(per="name")).status_for([])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake under test
    with pytest.raises(TypeError, match="one status for all"):
        state.action(sleeper()).status_for(1)


async def test_an_argument_that_a_run_is_under_way_for_is_not_forgotten(fa_store: fa.StateManager) -> None:
    @fa.action(policy="droppable", per="item")
    async def touch(get: fa.Get, set: fa.Set, item: int) -> None:
        if item == 0:
            await anyio.sleep(1)

    go = fa_store.action(touch)
    first = go(0)
    for item in range(1, 2 * IDLE_LANES):
        go.status_for(item)
    assert go(0).state == "cancelled"
    await first


async def test_the_status_of_a_sequential_action_follows_the_one_that_was_queued(fa_store: fa.StateManager) -> None:
    go = fa_store.action(sleeper(policy="sequential"))
    with record(fa_store, go.status) as statuses:
        go("a", 1)
        go("b", 1)
        await quiescent(fa_store)
    assert [(status.state, status.value, status.active) for status in statuses] == [
        *(("running", None, 1), ("running", None, 2)),
        *(("running", None, 1), ("succeeded", "b", 0)),
    ]


async def test_thousands_of_arguments_are_forgotten_but_not_what_somebody_looks_at(fa_store: fa.StateManager) -> None:
    @fa.action(per="item")
    def touch(get: fa.Get, set: fa.Set, item: int) -> int:
        return item

    go = fa_store.action(touch)
    seen: list[str] = []
    for item in range(600):  # more than half of what is kept, and the oldest
        fa_store.listen(go.status_for(item), lambda status: seen.append(status.state), immediate=False)
    fa_store.listen(go.status, lambda _: None)
    held = go.status_for(700)
    for item in range(700, 5_700):
        go.call_now(item)
    assert len(go._lanes) <= 600 + 2 * IDLE_LANES  # pyright: ignore[reportPrivateUsage]  # nothing public tells how many there are
    go.call_now(5)
    assert seen == ["running", "succeeded"]
    go.call_now(700)
    assert go.status_for(700) is held, "who still has it sees what comes"
    assert fa_store.get(held).value == 700
    gc.collect()
    assert fa_store.get(go.status_for(701)).state in ("idle", "succeeded")


# ------------------------------------------------------------------ the queue


async def test_a_queued_run_runs_in_the_context_of_its_own_starter(fa_store: fa.StateManager) -> None:
    who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")

    @fa.action(policy="sequential")
    async def ask(get: fa.Get, set: fa.Set) -> str:
        await anyio.sleep(1)
        return who.get()

    go = fa_store.action(ask)
    runs: list[fa.Run[str]] = []
    for name in ("ann", "bob"):
        who.set(name)
        runs.append(go())
    who.set("somebody else")
    assert [await run for run in runs] == ["ann", "bob"]


async def test_a_queued_run_that_is_cancelled_never_runs_and_leaves_the_status_alone(fa_store: fa.StateManager) -> None:
    go = fa_store.action(sleeper(policy="sequential"))
    first, second, third = go("a", 1), go("b", 1), go("c", 1)
    second.cancel()
    assert (second.state, second.reason) == ("cancelled", "dropped"), "at once"
    assert fa_store.get(go.status).state == "running"
    third.cancel("user")
    assert (third.state, third.reason) == ("cancelled", "user")
    assert await first == "a"
    assert (fa_store.get(go.status).state, fa_store.get(go.status).value) == ("succeeded", "a")


async def test_a_cancelled_run_in_the_middle_of_the_queue_breaks_no_chain(fa_store: fa.StateManager) -> None:
    go = fa_store.action(sleeper(policy="sequential"))
    runs = [go(each, 1) for each in "abcd"]
    runs[1].cancel()
    await anyio.sleep(0.5)
    runs[0].cancel()
    assert await runs[2] == "c"
    assert await runs[3] == "d"


async def test_the_progress_of_the_run_shows_while_others_wait(fa_store: fa.StateManager) -> None:
    @fa.action(policy="sequential")
    async def upload(get: fa.Get, set: fa.Set) -> None:
        set.progress(0.5, "half")
        await anyio.sleep(1)

    go = fa_store.action(upload)
    for _ in range(2):
        go()
    await anyio.sleep(0.5)
    status = fa_store.get(go.status)
    assert (status.progress, status.progress_text, status.active) == (0.5, "half", 2)
    await quiescent(fa_store)


async def test_closing_ends_what_is_queued_and_lets_nothing_new_in() -> None:
    late: list[object] = []
    async with fa.StateManager() as state:
        failures = Failures.of(state)
        going: list[Any] = []

        @fa.action(policy="sequential")
        async def save(get: fa.Get, set: fa.Set) -> None:
            try:
                await anyio.sleep_forever()
            finally:
                try:
                    late.append(going[0]())
                except fa.ClosedError as error:
                    late.append(error)

        go = state.action(save)
        going.append(go)
        runs = [go() for _ in range(3)]
        await wait_all_tasks_blocked()
    assert [run.state for run in runs] == ["cancelled"] * 3
    assert [type(each) for each in late] == [fa.ClosedError], "queued behind its own end it would wait for ever"
    failures.assert_none()


async def test_a_reset_forgets_the_runs_but_a_queue_keeps_its_order(fa_store: fa.StateManager) -> None:
    running = 0

    @fa.action(policy="sequential")
    async def save(get: fa.Get, set: fa.Set, text: str) -> str:
        nonlocal running
        running += 1
        assert running == 1, "one at a time"
        try:
            await anyio.sleep(10)
        finally:
            async with set.cleanup(5):
                await anyio.sleep(1)
            running -= 1
        return text

    go = fa_store.action(save)
    old = [go("a"), go("b")]
    await anyio.sleep(1)
    go.reset()
    assert fa_store.get(go.status) == fa.ActionStatus()
    new = go("c")
    assert fa_store.get(go.status).active == 1
    assert await new == "c"
    assert [run.state for run in old] == ["cancelled"] * 2
    assert fa_store.get(go.status).value == "c"


@pytest.mark.parametrize("policy", ["droppable", "restartable", "concurrent"])
async def test_after_a_reset_a_call_is_let_in_at_once(policy: Any, fa_store: fa.StateManager) -> None:
    @fa.action(policy=policy)
    async def stubborn(get: fa.Get, set: fa.Set, text: str) -> str:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(3)
        return text

    go = fa_store.action(stubborn)
    old = go("old")
    await anyio.sleep(1)
    go.reset()
    new = go("new")
    assert new.state == "pending"
    assert await new == "new"
    status = fa_store.get(go.status)
    assert (old.state, status.value, status.active) == ("cancelled", "new", 0)


async def test_a_listener_that_starts_a_run_in_the_middle_of_a_reset_does_not_lose_it(
    fa_store: fa.StateManager,
) -> None:
    go = fa_store.action(sleeper(policy="sequential"))
    started: list[fa.Run[str]] = []

    def again(status: fa.ActionStatus[str]) -> None:
        if status.state == "idle" and not started:
            started.append(go("again", 1))

    go("a", 1)
    go("b", 1)
    fa_store.listen(go.status, again, immediate=False)
    go.reset()
    assert await started[0] == "again"


# ------------------------------------------------------------------ restartable


async def test_a_predecessor_that_swallows_its_cancellation_writes_nothing(fa_store: fa.StateManager) -> None:
    words = fa.Key[list[str]]("words", factory=list)
    liked = fa.Key("liked", False)

    async def slowly(value: str) -> str:
        await anyio.sleep(1)
        return "late"

    async def edit(value: list[str]) -> None:
        await anyio.sleep(1)
        value.append("late")

    @fa.action(policy="restartable")
    async def search(get: fa.Get, set: fa.Set, text: str) -> None:
        if text == "second":
            set(RESULT, "second")
            return
        block = set.optimistic(liked, True)
        await block.__aenter__()
        set.update(RESULT, slowly)
        with anyio.CancelScope(shield=True):
            await anyio.sleep(5)
        set(RESULT, "late")
        set.update(RESULT, lambda _: "late")
        set.update(COUNT, lambda n: n + 1)
        set.mutate(words, lambda each: each.append("late"))
        set.update(RESULT, slowly)
        set.mutate(words, edit)
        set.progress(0.9, "late")
        await block.__aexit__(None, None, None)

    go = fa_store.action(search)
    first = go("first")
    await anyio.sleep(0.5)
    second = go("second")
    await second
    assert fa_store.get(go.status).state == "succeeded"
    await first.wait()
    await quiescent(fa_store)
    assert (fa_store.get(RESULT), fa_store.get(words), fa_store.get(COUNT)) == ("second", [], 0)
    assert fa_store.get(liked) is False
    assert (first.state, first.reason) == ("cancelled", "a later call has taken its place")
    assert fa_store.get(go.status).progress is None


async def test_a_restartable_action_that_calls_itself_goes_on_in_the_new_run(fa_store: fa.StateManager) -> None:
    done: list[int] = []

    @fa.action(policy="restartable")
    async def refresh(get: fa.Get, set: fa.Set, again: int) -> None:
        if again:
            go(again - 1)
        await anyio.sleep(1)
        done.append(again)

    go = fa_store.action(refresh)
    go(3)
    await quiescent(fa_store)
    assert done == [0]


async def test_a_restartable_action_that_is_called_by_its_own_child(fa_store: fa.StateManager) -> None:
    done: list[str] = []

    @fa.action
    async def helper(get: fa.Get, set: fa.Set) -> None:
        go("from below")
        await anyio.sleep(1)
        done.append("helper")

    @fa.action(policy="restartable")
    async def search(get: fa.Get, set: fa.Set, text: str) -> None:
        if text == "from above":
            fa_store.action(helper)()
        await anyio.sleep(2)
        done.append(text)

    go = fa_store.action(search)
    go("from above")
    await quiescent(fa_store)
    assert done == ["from below"], "the helper is cancelled with its parent, whose place was taken"


# ------------------------------------------------------------------ calls that wait for nothing


async def test_a_restartable_action_that_another_one_calls_ends_with_that(fa_store: fa.StateManager) -> None:
    @fa.action(policy="restartable")
    async def search(get: fa.Get, set: fa.Set) -> None:
        await anyio.sleep_forever()

    @fa.action
    async def other(get: fa.Get, set: fa.Set) -> None:
        go()
        await anyio.sleep_forever()

    go = fa_store.action(search)
    first = go()
    run = fa_store.action(other)()
    await anyio.sleep(1)
    assert (first.state, fa_store.get(go.status).state) == ("cancelled", "running")
    run.cancel()
    await anyio.sleep(1)
    assert (run.state, fa_store.get(go.status).state) == ("cancelled", "cancelled")


async def test_a_sync_call_goes_by_the_policy(fa_store: fa.StateManager) -> None:
    def both(policy: Any) -> fa.BoundAction[[], str]:
        def work(get: fa.Get, set: fa.Set) -> str:
            return "done"

        return fa_store.action(fa.action(policy=policy)(work))

    dropping = both("droppable")
    dropping()
    with pytest.raises(fa.RunCancelled) as caught:
        dropping.call_now()
    assert caught.value.reason == "dropped"
    in_order = both("sequential")
    pending = in_order()
    with pytest.raises(fa.BusyError, match="sequential"):
        in_order.call_now()
    replacing = both("restartable")
    replaced = replacing()
    assert replacing.call_now() == "done"
    await quiescent(fa_store)
    assert (pending.state, replaced.state) == ("succeeded", "cancelled")
    assert in_order.call_now() == "done"


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_sync_call_inside_a_sync_call(policy: Any, fa_store: fa.StateManager) -> None:
    answers: list[str] = []

    @fa.action(policy=policy)
    def work(get: fa.Get, set: fa.Set, depth: int) -> str:
        if depth:
            try:
                answers.append(go.call_now(depth - 1))
            except (fa.RunCancelled, fa.BusyError) as error:
                answers.append(type(error).__name__)
        return f"depth {depth}"

    go = fa_store.action(work)
    expected = {
        "concurrent": "depth 0",
        "sequential": "BusyError",
        "droppable": "RunCancelled",
        "restartable": "depth 0",
    }
    if policy == "restartable":
        with pytest.raises(fa.RunCancelled):
            go.call_now(1)
    else:
        assert go.call_now(1) == "depth 1"
    assert answers == [expected[policy]]
    assert not fa_store.get(go.status).is_busy


async def test_a_status_whose_listeners_feed_each_other_hangs_nobody(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    go = fa_store.action(sleeper())
    other = fa.Key("other", 0)

    def disturb(_: object) -> None:
        fa_store.update(other, lambda n: n + 1)

    fa_store.listen(go.status, disturb, immediate=False)
    fa_store.listen(other, disturb, immediate=False)
    with anyio.fail_after(10):
        assert await go("a", 1) == "a"
    assert {type(each.error) for each in fa_failures.take()} == {fa.LoopError}


async def test_events_and_nothing_mean_the_same_to_cancel_and_reset(fa_store: fa.StateManager) -> None:
    import flet as ft

    event = ft.ControlEvent(name="click", control=ft.Text())
    go = fa_store.action(sleeper(policy="sequential"))
    for end in (go.cancel, lambda: go.cancel(event), go.reset, lambda: go.reset(event)):
        runs = [go("a", 5), go("b", 5)]
        await anyio.sleep(1)
        ends: Callable[[], object] = end
        ends()
        await quiescent(fa_store)
        assert [run.state for run in runs] == ["cancelled"] * 2
        assert not isinstance(runs[0].reason, ft.Event)
        assert not fa_store.get(go.status).is_busy


# ------------------------------------------------------------------ in every order


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_policy_holds_in_every_order(policy: Any, backend: Backend) -> None:
    """Calls at random times, of random length, some failing, some cancelled; each run writes a flag of its own."""

    async def scenario(chance: random.Random) -> None:
        live: dict[int, int] = {}
        written: list[tuple[int, int]] = []
        async with fa.StateManager() as state:
            failures = Failures.of(state)

            @fa.action(policy=policy, per="item", expect=(ValueError,))
            async def work(get: fa.Get, set: fa.Set, item: int, number: int) -> int:
                live[item] = live.get(item, 0) + 1
                if policy in ("sequential", "droppable"):
                    assert live[item] == 1
                set(LOADING, True)
                try:
                    for _ in range(chance.randrange(3)):
                        await anyio.sleep(chance.choice([0, 1, 2]))
                    await set(COUNT, number)
                    written.append((item, number))
                    if chance.random() < 0.2:
                        raise ValueError(number)
                finally:
                    if chance.random() < 0.3:
                        async with set.cleanup(3):
                            await anyio.sleep(1)
                    live[item] -= 1
                return number

            go = state.action(work)
            runs: list[tuple[int, fa.Run[int]]] = []
            for number in range(12):
                item = chance.randrange(2)
                runs.append((item, go(item, number)))
                if chance.random() < 0.3:
                    chance.choice(runs)[1].cancel("chance")
                if policy != "droppable" and chance.random() < 0.1:  # it does not wait for a run that was forgotten
                    go.reset()
                if chance.random() < 0.6:
                    await anyio.sleep(chance.choice([0, 1, 3]))
            await quiescent(state)
            assert_quiet(state)
            for item in (0, 1):
                numbers = [number for its, number in written if its == item]
                if policy in ("sequential", "restartable", "droppable"):
                    assert numbers == sorted(numbers), "in the order of the calls"
                    last = [run for its, run in runs if its == item and run.reason not in ("dropped", "reset")]
                    status = state.get(go.status_for(item))
                    assert not status.is_busy
                    if policy == "restartable" and last and status.state != "idle":
                        assert status.state == last[-1].state
            assert all(run.is_done for _, run in runs)
            assert not any(live.values())
            failures.assert_none()

    explore(scenario, range(40), backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_spinner_of_a_restarted_action_never_lies(backend: Backend) -> None:
    """While a run that nobody has cancelled is at work it shows, and never after the end of all."""

    async def scenario(chance: random.Random) -> None:
        async with fa.StateManager() as state:

            @fa.action(policy="restartable")
            async def search(get: fa.Get, set: fa.Set, number: int) -> None:
                await set(LOADING, True)
                try:
                    await anyio.sleep(chance.choice([1, 2]))
                    assert get(LOADING), f"the spinner of {number} was stopped by an earlier run"
                    await set(COUNT, number)
                finally:
                    if chance.random() < 0.5:
                        async with set.cleanup(3):
                            await anyio.sleep(chance.choice([0, 1]))
                    set(LOADING, False)

            go = state.action(search)
            run = go(0)
            for number in range(1, 6):
                await anyio.sleep(chance.choice([0, 0.5, 1, 3]))
                run = go(number)
            await run
            await quiescent(state)
            assert (state.get(LOADING), state.get(COUNT)) == (False, 5)

    explore(scenario, range(60), backend=backend)


async def test_a_plain_handler_is_one_action_however_often_it_is_bound() -> None:
    async def save(get: fa.Get, set: fa.Set) -> int:
        return 1

    async with fa.StateManager() as state, fa.StateManager() as other:
        assert state.action(save) is state.action(save)
        assert state.action(save) is not other.action(save)
        assert await state.action(save)() == 1
        assert state.get(state.action(save).status).state == "succeeded"


async def test_the_librarys_own_errors_are_tried_again_only_if_they_are_named() -> None:
    tries: list[str] = []

    async with fa.StateManager() as state:
        for retry, expected in ((fa.Retry(3, base=0), 1), (fa.Retry(3, base=0, on=(fa.ConflictError,)), 3)):

            @fa.action(retry=retry)
            async def overtaken(get: fa.Get, set: fa.Set) -> None:
                tries.append("try")
                raise fa.ConflictError("overtaken")

            tries.clear()
            with pytest.raises(fa.ConflictError):
                await state.action(overtaken)()
            assert len(tries) == expected


async def test_an_action_of_a_store_takes_its_options_where_it_is_made() -> None:
    async with fa.StateManager() as state:

        @state.action(policy="droppable", expect=(ValueError,), name="save")
        async def save(get: fa.Get, set: fa.Set, number: int) -> int:
            await anyio.lowlevel.checkpoint()
            return number

        first, second = save(1), save(2)
        with pytest.raises(fa.RunCancelled):
            await second
        assert (await first, save.action.policy, save.action.name) == (1, "droppable", "save")
        with pytest.raises(TypeError, match="options go where an action is made"):
            state.action(save.action, policy="droppable")  # type: ignore[call-overload]  # that is the point


# ------------------------------------------------------------------ what a run writes, and when


async def test_what_is_written_after_the_end_of_a_run_that_went_well_is_a_write_like_any_other(
    fa_store: fa.StateManager,
) -> None:
    kept: list[fa.Set] = []

    @fa.action
    async def lend(get: fa.Get, set: fa.Set) -> None:
        kept.append(set)

    await fa_store.action(lend)()
    await kept[0](COUNT, 5)
    assert fa_store.get(COUNT) == 5


async def test_an_action_writes_no_selector(fa_store: fa.StateManager) -> None:
    double = fa.selector(lambda get: get(COUNT) * 2)

    @fa.action
    async def write(get: fa.Get, set: fa.Set) -> None:
        set(double, 5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]  # the mistake under test

    with pytest.raises(fa.ReadOnlyError):
        await fa_store.action(write)()


class Connection:
    """Something that cannot be copied."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def __deepcopy__(self, memo: object) -> Connection:
        raise TypeError("a connection cannot be copied")


async def test_a_run_edits_what_cannot_be_copied(fa_store: fa.StateManager) -> None:
    connection = fa.Key[Connection]("connection", factory=Connection)

    @fa.action
    async def send(get: fa.Get, set: fa.Set, text: str) -> None:
        set.mutate(connection, lambda it: it.sent.append(text))

    seen: list[int] = []
    fa_store.listen(connection, lambda it: seen.append(len(it.sent)))
    await fa_store.action(send)("hello")
    assert (fa_store.get(connection).sent, seen) == (["hello"], [0, 1])


async def test_an_edit_that_fails_halfway_is_the_runs_own_to_put_back(fa_store: fa.StateManager) -> None:
    cart = fa.Key[list[int]]("cart", factory=list)

    def fill(lines: list[int]) -> None:
        lines.append(1)
        raise ValueError("no more")

    @fa.action
    async def order(get: fa.Get, set: fa.Set) -> None:
        try:
            with pytest.raises(ValueError, match="no more"):
                set.mutate(cart, fill)
            await anyio.sleep(1)
        finally:
            set(cart, [])

    run = fa_store.action(order)()
    await wait_all_tasks_blocked()
    assert fa_store.get(cart) == [1], "what had been edited by then"
    run.cancel()
    await quiescent(fa_store)
    assert fa_store.get(cart) == [], "and the cancelled run may put back what was there before it"


async def test_what_cannot_answer_at_once_puts_nothing_back(fa_store: fa.StateManager) -> None:
    async def half(n: int) -> int:
        return n // 2

    receipts: list[fa.Receipt] = []

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, 8)
        try:
            await anyio.sleep(1)
        finally:
            receipts.append(set.update(COUNT, lambda n: half(n)))

    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    run.cancel()
    await quiescent(fa_store)
    assert fa_store.get(COUNT) == 8
    assert receipts[0].is_done


@pytest.mark.parametrize("value", [0, 9])
async def test_what_is_put_back_in_a_busy_atom_says_when_that_is_done(value: int, fa_store: fa.StateManager) -> None:
    async def slow(n: int) -> int:
        await anyio.sleep(2)
        return n

    said: list[str] = []

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, 1)
        try:
            await anyio.sleep(1)
        finally:
            receipt = set(COUNT, value)
            said.append("done" if receipt.is_done else "pending")
            receipt.on_done(lambda: said.append(f"done, and it is {fa_store.get(COUNT)}"))
            async with set.cleanup(5):
                await receipt
            said.append("awaited")

    fa_store.update(COUNT, slow)
    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    run.cancel()
    await quiescent(fa_store)
    if value == 0:
        assert said == ["pending", "done, and it is 0", "awaited"]
    else:
        assert said == ["pending", "done, and it is 1"], "awaiting what was refused delivers the cancellation again"


@pytest.mark.parametrize("anyio_backend", [virtual_backend()], ids=["asyncio"])
async def test_what_a_listener_makes_is_no_part_of_the_run_that_has_written(fa_store: fa.StateManager) -> None:
    tasks: list[asyncio.Task[str]] = []
    edits: list[fa.Run[None]] = []
    save = fa_store.action(sleeper())

    @fa_store.action
    async def edit(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, 1)
        await anyio.sleep(1)

    async def save_and_wait() -> str:
        run = save("saved", 3)
        await edits[0]  # it does not wait for this one
        return await run

    fa_store.listen(COUNT, lambda _: tasks.append(asyncio.create_task(save_and_wait())), immediate=False)
    edits.append(edit())
    await anyio.sleep(0.5)
    edits[0].cancel()
    with pytest.raises(fa.RunCancelled, match="edit was cancelled"):
        await tasks[0]
    assert fa_store.get(save.status).state == "running", "it is nobody's child"
    await quiescent(fa_store)
    assert fa_store.get(save.status).value == "saved"


async def test_what_cannot_be_made_to_be_put_back_is_told_and_the_atom_goes_on(
    fa_store: fa.StateManager, fa_failures: Failures
) -> None:
    async def slow(n: int) -> int:
        await anyio.sleep(2)
        return n + 10

    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        set(COUNT, 1)
        try:
            await anyio.sleep(1)
        finally:
            set.update(COUNT, lambda n: n // 0)

    run = fa_store.action(work)()
    await wait_all_tasks_blocked()
    fa_store.update(COUNT, slow)
    run.cancel()
    await quiescent(fa_store)
    assert [type(failure.error) for failure in fa_failures.take()] == [ZeroDivisionError]
    await fa_store.set(COUNT, 5)
    assert fa_store.get(COUNT) == 5


async def test_the_status_shows_how_far_the_latest_run_is_and_no_other(fa_store: fa.StateManager) -> None:
    kept: dict[int, fa.Set] = {}

    @fa.action
    async def upload(get: fa.Get, set: fa.Set, number: int) -> None:
        kept[number] = set
        await anyio.sleep(1)

    go = fa_store.action(upload)
    runs = [go(0), go(1)]
    await wait_all_tasks_blocked()
    kept[0].progress(0.9)
    assert fa_store.get(go.status).progress is None
    kept[1].progress(0.1, "begun")
    assert (fa_store.get(go.status).progress, fa_store.get(go.status).progress_text) == (0.1, "begun")
    await quiescent(fa_store)
    kept[1].progress(0.5)
    assert [run.state for run in runs] == ["succeeded", "succeeded"]
    assert (fa_store.get(go.status).state, fa_store.get(go.status).progress) == ("succeeded", None)


async def test_an_action_has_finally_and_no_on_cleanup(fa_store: fa.StateManager) -> None:
    @fa.action
    async def work(get: fa.Get, set: fa.Set) -> None:
        get.on_cleanup(lambda: None)

    with pytest.raises(TypeError, match="an action cleans up with try and finally"):
        await fa_store.action(work)()
