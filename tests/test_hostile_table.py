"""Whoever misbehaves, in whatever way: who hears of it, in which words, and that nothing else is lost.

Each row is somebody whose function a store calls; each column is what that function does
instead of what it should. A cell says what comes of it:

- `told(kind, words)`: `on_error` hears it, and nobody else does
- `raised(kind, words)`: whoever called the write, or the reading, gets it
- `passes(kind)`: it goes through everything, for it is meant for the interpreter
- `fine`: there is nothing wrong with that

Before the cell, in it and after it others watch the same key and another one. They see every value
that was accepted; the culprit works again when it behaves; and nothing is left of it at the end.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import assert_quiet
from tests.kit.failures import collect

N = fa.Key("n", 0)
OTHER = fa.Key("other", 0)


class Fault(Exception):
    """What a culprit raises."""


class Stray(BaseException):
    """Stands for whatever is no Exception and not meant for the interpreter, such as a CancelledError."""


@dataclass(frozen=True)
class Told:
    """Somebody hears of an error."""

    kind: type[BaseException]
    words: str = ""
    by: str = "on_error"


def told(kind: type[BaseException], words: str = "") -> Told:
    return Told(kind, words)


def raised(kind: type[BaseException], words: str = "") -> Told:
    return Told(kind, words, "caller")


def logged(kind: type[BaseException], words: str = "") -> Told:
    return Told(kind, words, "log")


def passes(kind: type[BaseException]) -> Told:
    return Told(kind, by="interpreter")


fine = None


# ------------------------------------------------------------------ what one does


class Act:
    """What a culprit's function does with the value that it is to give back."""

    def __init__(self, state: fa.StateManager) -> None:
        self.state = state
        self.deed: str | None = None
        self.again: Callable[[], object] = lambda: None
        """Calls the culprit from within itself."""
        self.stop: Callable[[], object] = lambda: None
        """Ends the culprit from within itself."""

    def __call__(self, value: Any = None) -> Any:
        if self.deed is None:
            return value
        result = getattr(self, self.deed)()
        return value if result is None else result

    def raises(self) -> None:
        raise Fault("it broke")

    def strays(self) -> None:
        raise Stray

    def interrupts(self) -> None:
        raise KeyboardInterrupt

    def exits(self) -> None:
        raise SystemExit(3)

    def writes(self) -> None:
        self.state.set(OTHER, self.state.get(OTHER) + 1)

    def recurses(self) -> None:
        self.recurses()

    def reads_itself(self) -> None:
        self.again()

    def deletes(self) -> None:
        self.state.delete(OTHER)

    def ends_itself(self) -> None:
        self.stop()

    def returns_a_coroutine(self) -> Any:
        async def coroutine() -> int:
            return 1

        return coroutine()


# ------------------------------------------------------------------ who does it


@dataclass
class Culprit:
    """Somebody who was set up to misbehave."""

    poke: Callable[[int], object]
    """Has it called: a new value comes."""
    value: Callable[[], object]
    """What there is to see of the last value."""
    close: Callable[[], object] = lambda: None


Scene = Callable[[fa.StateManager, Act], Culprit]


def setter(state: fa.StateManager) -> Callable[[int], object]:
    return lambda n: state.set(N, n)


def selector(state: fa.StateManager, act: Act) -> Culprit:
    @fa.selector
    def broken(get: fa.Get) -> int:
        value: int = act(get(N))
        return value

    seen: list[int] = []
    subscription = state.listen(broken, seen.append)
    act.again = lambda: state.get(broken)
    act.stop = subscription.close
    return Culprit(setter(state), lambda: (state.get(broken), seen[-1])[1], subscription.close)


def selector_nobody_watches(state: fa.StateManager, act: Act) -> Culprit:
    @fa.selector
    def broken(get: fa.Get) -> int:
        value: int = act(get(N))
        return value

    act.again = lambda: state.get(broken)

    def poke(n: int) -> None:
        state.set(N, n)
        state.get(broken)

    return Culprit(poke, lambda: state.get(broken))


def family(state: fa.StateManager, act: Act) -> Culprit:
    @fa.family
    def broken(get: fa.Get, item: str) -> int:
        value: int = act(get(N))
        return value

    seen: list[int] = []
    subscription = state.listen(broken("x"), seen.append)
    act.again = lambda: state.get(broken("x"))
    act.stop = subscription.close
    return Culprit(setter(state), lambda: (state.get(broken("x")), seen[-1])[1], subscription.close)


def listener(state: fa.StateManager, act: Act) -> Culprit:
    seen: list[int] = []

    def broken(n: int) -> Any:
        seen.append(n)
        return act()

    subscription = state.listen(N, broken, immediate=False)
    act.again = lambda: state.set(N, state.get(N))
    act.stop = subscription.close
    return Culprit(setter(state), lambda: seen[-1], subscription.close)


def first_call_of_a_listener(state: fa.StateManager, act: Act) -> Culprit:
    seen: list[int] = []
    subscriptions: list[fa.Subscription] = []

    def poke(n: int) -> None:
        def broken(n: int) -> Any:
            seen.append(n)
            return act()

        for subscription in subscriptions:
            subscription.close()
        state.set(N, n)
        subscriptions.append(state.listen(N, broken))

    return Culprit(poke, lambda: seen[-1], lambda: subscriptions[-1].close())


def effect(state: fa.StateManager, act: Act) -> Culprit:
    seen: list[int] = []

    @state.effect
    def broken(get: fa.Get) -> Any:
        seen.append(get(N))
        return act()

    act.again = lambda: state.set(N, state.get(N))
    act.stop = broken.close
    return Culprit(setter(state), lambda: seen[-1], broken.close)


def cleanup_of_a_selector(state: fa.StateManager, act: Act) -> Culprit:
    @fa.selector
    def tidy(get: fa.Get) -> int:
        get.on_cleanup(act)
        return get(N)

    seen: list[int] = []
    subscription = state.listen(tidy, seen.append)
    act.stop = subscription.close
    return Culprit(setter(state), lambda: (state.get(tidy), seen[-1])[1], subscription.close)


def cleanup_of_an_effect(state: fa.StateManager, act: Act) -> Culprit:
    seen: list[int] = []

    @state.effect
    def tidy(get: fa.Get) -> None:
        get.on_cleanup(act)
        seen.append(get(N))

    act.stop = tidy.close
    return Culprit(setter(state), lambda: seen[-1], tidy.close)


def equals(state: fa.StateManager, act: Act) -> Culprit:
    key = fa.Key("compared", 0, equals=lambda old, new: act(old == new))
    seen: list[int] = []
    subscription = state.listen(key, seen.append)
    act.stop = subscription.close

    def poke(n: int) -> None:
        state.set(N, n)
        state.set(key, n)

    return Culprit(poke, lambda: (state.get(key), seen[-1])[1], subscription.close)


def equals_of_a_selector(state: fa.StateManager, act: Act) -> Culprit:
    @fa.selector(equals=lambda old, new: act(old == new))
    def compared(get: fa.Get) -> int:
        return get(N)

    seen: list[int] = []
    subscription = state.listen(compared, seen.append)
    act.stop = subscription.close
    return Culprit(setter(state), lambda: (state.get(compared), seen[-1])[1], subscription.close)


def comparison(state: fa.StateManager, act: Act) -> Culprit:
    class Value:
        def __init__(self, number: int) -> None:
            self.number = number

        def __eq__(self, other: object) -> bool:
            equal: bool = act(isinstance(other, Value) and other.number == self.number)
            return equal

        __hash__ = None  # type: ignore[assignment]  # as that of whatever can be compared and be changed

    key = fa.Key("value", factory=lambda: Value(0))
    seen: list[int] = []
    subscription = state.listen(key, lambda value: seen.append(value.number))
    act.stop = subscription.close

    def poke(n: int) -> None:
        state.set(N, n)
        state.set(key, Value(n))

    return Culprit(poke, lambda: (state.get(key), seen[-1])[1], subscription.close)


def updater(state: fa.StateManager, act: Act) -> Culprit:
    key = fa.Key("updated", 0)
    seen: list[int] = []
    subscription = state.listen(key, seen.append)
    act.stop = subscription.close

    def poke(n: int) -> None:
        state.set(N, n)
        state.update(key, lambda _: act(n))

    return Culprit(poke, lambda: state.get(key), subscription.close)


def message_in_a_mailbox(state: fa.StateManager, act: Act) -> Culprit:
    """An update that comes while the atom is in the middle of another one, and one more behind it."""
    key = fa.Key("updated", 0)
    seen: list[int] = []
    subscription = state.listen(key, seen.append)

    def poke(n: int) -> None:
        state.set(N, n)

        def first(_: int) -> int:
            state.update(key, lambda _: act(-n))
            state.set(key, n)
            return -n - 1

        state.update(key, first)

    return Culprit(poke, lambda: (state.get(key), seen[-1])[1], subscription.close)


def mutator(state: fa.StateManager, act: Act) -> Culprit:
    key = fa.Key[list[int]]("edited", factory=list)
    seen: list[int] = []
    subscription = state.listen(key, lambda value: seen.append(value[-1] if value else 0))
    act.stop = subscription.close

    def edit(value: list[int], n: int) -> Any:
        value.append(n)
        return act()

    def poke(n: int) -> None:
        state.set(N, n)
        state.mutate(key, lambda value: edit(value, n))

    return Culprit(poke, lambda: (state.get(key), seen[-1])[1], subscription.close)


def factory(state: fa.StateManager, act: Act) -> Culprit:
    """The factory of a key per item: each poke makes a new value."""
    numbers = [0]
    key = fa.Key("made", factory=lambda: act(numbers[-1]))
    act.again = lambda: state.get(key[numbers[-1]])

    def poke(n: int) -> None:
        state.set(N, n)
        numbers.append(n)
        state.get(key[n])

    return Culprit(poke, lambda: state.get(key[numbers[-1]]))


def on_error(state: fa.StateManager, act: Act) -> Culprit:
    seen: list[int] = []

    def broken(failure: fa.Failure) -> Any:
        seen.append(int(str(failure.error)))
        return act()

    def fails(n: int) -> None:
        raise Fault(n)

    state.on_error = broken
    subscription = state.listen(N, fails, immediate=False)
    act.stop = subscription.close
    return Culprit(setter(state), lambda: seen[-1], subscription.close)


# ------------------------------------------------------------------ what comes of it

STRAY = told(RuntimeError, "a stray Stray")
PURE = r"selector .* (writes|deletes) Key\('other'\), and a selector only reads"
COMPUTED: dict[str, Told | None] = {
    "raises": told(Fault, "it broke"),
    "strays": STRAY,
    "interrupts": passes(KeyboardInterrupt),
    "exits": passes(SystemExit),
    "writes": told(fa.PurityError, PURE),
    "deletes": told(fa.PurityError, PURE),
    "recurses": told(RecursionError),
    "reads_itself": told(fa.CycleError, r"(selector \S+) -> \1"),
    "ends_itself": told(fa.PurityError, "closes a subscription, and a selector only reads"),
    "returns_a_coroutine": told(TypeError, r"selector \S+ returned a coroutine.*`async def`"),
}
CALLED: dict[str, Told | None] = {
    "raises": told(Fault, "it broke"),
    "strays": STRAY,
    "interrupts": passes(KeyboardInterrupt),
    "exits": passes(SystemExit),
    "writes": fine,
    "deletes": fine,
    "recurses": told(RecursionError),
    "ends_itself": fine,
}
ASKED: dict[str, Told | None] = {
    "raises": raised(Fault, "it broke"),
    "strays": raised(Stray),
    "interrupts": passes(KeyboardInterrupt),
    "exits": passes(SystemExit),
    "writes": fine,
    "deletes": fine,
    "recurses": raised(RecursionError),
}
NOT_AWAITED = "is called and not awaited, and has returned a coroutine. Make it a plain function"
CLEANUP = {**CALLED, "returns_a_coroutine": told(TypeError, f"a cleanup {NOT_AWAITED}")}

TABLE: dict[Scene, dict[str, Told | None]] = {
    selector: COMPUTED,
    family: COMPUTED,
    selector_nobody_watches: {
        deed: cell if cell is None or cell.by == "interpreter" else raised(cell.kind, cell.words)
        for deed, cell in COMPUTED.items()
        if deed != "ends_itself"
    }
    | {"strays": raised(RuntimeError, "a stray Stray")},
    listener: CALLED | {"reads_itself": fine},
    first_call_of_a_listener: {deed: cell for deed, cell in CALLED.items() if deed != "ends_itself"},
    effect: CALLED | {"reads_itself": fine},
    cleanup_of_a_selector: CLEANUP
    | {
        "writes": told(fa.PurityError, f"a cleanup of {PURE}"),
        "deletes": told(fa.PurityError, f"a cleanup of {PURE}"),
        "ends_itself": told(fa.PurityError, "a cleanup of selector tidy closes a subscription"),
    },
    cleanup_of_an_effect: CLEANUP,
    equals: ASKED | {"returns_a_coroutine": raised(TypeError, f"equals= {NOT_AWAITED}"), "ends_itself": fine},
    equals_of_a_selector: {deed: cell for deed, cell in COMPUTED.items() if deed != "reads_itself"}
    | {"returns_a_coroutine": told(TypeError, f"equals= {NOT_AWAITED}")},
    # one that cannot be compared counts as changed
    comparison: ASKED | {"raises": fine, "strays": fine, "recurses": fine, "ends_itself": fine},
    updater: ASKED
    | {
        "returns_a_coroutine": raised(fa.NotRunningError, r"update of Key\('updated'\) needs an event loop"),
        "ends_itself": fine,
    },
    message_in_a_mailbox: {
        deed: cell if cell is None or cell.by == "interpreter" else told(cell.kind, cell.words)
        for deed, cell in ASKED.items()
    }
    | {"strays": STRAY, "returns_a_coroutine": told(fa.NotRunningError, "needs an event loop")},
    mutator: ASKED
    | {
        "returns_a_coroutine": raised(fa.NotRunningError, r"update of Key\('edited'\) needs an event loop"),
        "ends_itself": fine,
    },
    factory: ASKED
    | {
        "reads_itself": raised(RecursionError),
        "returns_a_coroutine": raised(TypeError, rf"the factory of Key\('made'\) {NOT_AWAITED}"),
    },
    on_error: {
        "raises": logged(Fault, "it broke"),
        "strays": logged(Stray),
        "interrupts": passes(KeyboardInterrupt),
        "exits": passes(SystemExit),
        "writes": fine,
        "deletes": fine,
        "recurses": logged(RecursionError),
        "ends_itself": fine,
        "returns_a_coroutine": logged(TypeError, f"on_error {NOT_AWAITED}"),
    },
}


@pytest.mark.parametrize(
    ("scene", "deed"),
    [
        pytest.param(scene, deed, id=f"{scene.__name__}-{deed}".replace("_", " "))
        for scene, row in TABLE.items()
        for deed in row
    ],
)
def test_what_comes_of_it(scene: Scene, deed: str, caplog: pytest.LogCaptureFixture) -> None:
    expected = TABLE[scene][deed]
    state = fa.StateManager()
    found = collect(state)
    before: list[int] = []
    after: list[int] = []
    others: list[int] = []
    watchers = [state.listen(N, before.append, immediate=False)]
    act = Act(state)
    culprit = scene(state, act)
    watchers += [
        state.listen(N, after.append, immediate=False),
        state.listen(OTHER, others.append, immediate=False),
    ]
    culprit.poke(1)
    assert (culprit.value(), found) == (1, []), "the culprit is able to behave"

    act.deed = deed
    got: BaseException | None = None
    try:
        culprit.poke(2)
    except BaseException as error:
        got = error
    act.deed = None
    heard: list[BaseException] = [failure.error for failure in found]
    found.clear()
    records = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert state.get(N) == 2
    if expected is None:
        assert (got, heard, records) == (None, [], [])
    else:
        where: dict[str, list[BaseException | None]] = {
            "on_error": [*heard],
            "caller": [got],
            "interpreter": [got],
            "log": [each for each in records if not isinstance(each, Fault) or str(each) != "2"],
        }
        [broke] = where[expected.by]
        assert isinstance(broke, expected.kind)
        assert re.search(expected.words, str(broke))
        assert expected.by in ("caller", "interpreter") or got is None
        assert expected.by == "on_error" or heard == []
    if expected is None or expected.by != "interpreter":
        assert before == after == [1, 2], "the others on the same key are told, now"

    culprit.poke(3)
    is_ended = deed == "ends_itself" and expected is None
    assert is_ended or culprit.value() == 3, "it works again"
    assert before[-1] == after[-1] == 3, "those who were passed by are told now"
    assert found == []
    seen = len(others)
    state.set(OTHER, 100)
    assert (others[seen:], state.get(OTHER)) == ([100], 100)

    culprit.close()
    for watcher in watchers:
        watcher.close()
    statistics = state.statistics()
    assert (statistics.observed, statistics.messages, statistics.jobs) == (0, 0, 0)
    assert_quiet(state)


@pytest.fixture(autouse=True)
def errors_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "flet_asp_actors")
