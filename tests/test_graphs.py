"""Random programs against a naive model, which keeps plain values and computes everything anew each time."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

import flet_asp_actors as fa
from flet_asp_actors.core.graph import CLEAN, Node
from flet_asp_actors.core.values import is_a

CELLS = 14
FAILED = "failed"
NAMES = [f"name{number}" for number in range(3)]


class Odd:
    """A value that fails to compare: every new one is a change."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        raise ValueError("cannot be compared")

    __hash__ = object.__hash__


class Program:
    """One random program: atoms of all kinds, cells that read what their values tell them to, listeners that do things.

    Each cell is a list of steps; a step reads one thing, maybe only if what it has read so far is odd.
    A reader takes `read(what)` for all of them, so that the model and the store run the same code.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.state = fa.StateManager()
        self.other = fa.StateManager()
        self.failures: list[fa.Failure] = []
        self.state.on_error = self.failures.append
        self.other.on_error = self.failures.append
        self.numbers: list[Any] = [fa.Key(f"n{each}", 0) for each in range(3)]
        self.items: Any = fa.Key("item", 0)
        self.lists: Any = fa.Key[list[int]]("list", factory=list)
        self.odd: Any = fa.Key("odd", factory=lambda: Odd(0))
        self.handle = self.other.atom("far", 0)
        self.is_deep = seed % 10 == 0
        self.ends = [self._chain(source) for source in (*self.numbers[:2], self.lists)] if self.is_deep else []
        self.values: dict[Any, Any] = {}  # the model
        self.tricks = 0  # what listeners may still do
        self.runs: dict[int, int] = {}
        self.cells: list[Any] = []
        self.plans: list[list[tuple[Any, ...]]] = []
        self.heard: dict[int, list[Any]] = {}
        self.subscriptions: dict[int, fa.Subscription] = {}
        family = fa.family(self._member) if seed % 2 else fa.family(max_size=2)(self._member)
        self.family: Any = family
        for number in range(CELLS):
            self.plans.append(self._plan(number))
            self.cells.append(fa.selector(f"cell{number}")(self._function(number)))

    @staticmethod
    def _chain(source: Any) -> Any:
        """One that passes a value on, behind more others than a first computation enters in one go."""

        def through(source: Any) -> Any:
            return fa.selector(lambda get: get(source))

        for _ in range(130):
            source = through(source)
        return source

    def _member(self, get: fa.Get, n: int) -> int:
        return int(get(self.items[n])) * 2 + int(get(self.numbers[0]))

    # ------------------------------------------------------------------ what is read

    def _plan(self, number: int) -> list[tuple[Any, ...]]:
        rnd = self.random
        plan: list[tuple[Any, ...]] = []
        for _ in range(rnd.randint(1, 6)):
            kind = rnd.choice(
                ["number"] * 4
                + ["item", "list", "odd", "name", "name", "far", "member", "dynamic"]
                + ["cell"] * 6
                + ["deep"] * self.is_deep
            )
            what: Any = rnd.randrange(3)
            if kind == "cell":
                if not number:
                    continue
                what = rnd.randrange(number)
            plan.append((kind, what, rnd.random() < 0.3, rnd.random() < 0.4))
        if rnd.random() < 0.15:
            plan.append(("raise", rnd.randrange(3), False, False))
        return plan

    def _run(self, number: int, read: Callable[[str, int], Any]) -> Any:
        total: int = 0
        seen: list[int] = []
        for kind, what, only_if_odd, swallows in self.plans[number]:
            if only_if_odd and total % 2 == 0:
                continue
            if kind == "raise":
                if total % 3 == what:
                    raise ArithmeticError(number)
                continue
            if kind == "dynamic":
                kind, what = "item", total % 3
            try:
                value = read(kind, what)
            except (ArithmeticError, KeyError):
                if not swallows:
                    raise
                value = 1000
            plain = self._plain(value)
            seen.append(plain)
            total += plain
        if number % 4 == 0:
            return total % 3
        return (total, list(seen)) if number % 4 == 1 else total

    @staticmethod
    def _plain(value: Any) -> int:
        if is_a(value, tuple):
            value = value[0]
        if is_a(value, list):
            return sum(value)
        return int(value.number if is_a(value, Odd) else value)

    def _function(self, number: int) -> Callable[[fa.Get], Any]:
        def function(get: fa.Get) -> Any:
            self.runs[number] = self.runs.get(number, 0) + 1
            return self._run(number, lambda kind, what: get(self._key(kind, what)))

        return function

    def _key(self, kind: str, what: int) -> Any:
        keys: dict[str, Callable[[], Any]] = {
            "number": lambda: self.numbers[what],
            "item": lambda: self.items[what],  # a fresh object each time
            "list": lambda: self.lists,
            "odd": lambda: self.odd,
            "name": lambda: NAMES[what],
            "far": lambda: self.handle,
            "member": lambda: self.family(what),
            "cell": lambda: self.cells[what],
            "deep": lambda: self.ends[what],
        }
        return keys[kind]()

    # ------------------------------------------------------------------ the model

    def _model(self, kind: str, what: int) -> Any:
        values = self.values
        if kind == "member":
            return values.get(("item", what), 0) * 2 + values.get(("number", 0), 0)
        if kind == "cell":
            return self._run(what, self._model)
        if kind == "name":
            if ("name", what) not in values:
                raise KeyError(what)
            value = values["name", what]
            return values.get(("number", 1), 0) + 5 if value is Ellipsis else value
        if kind == "deep":
            return self._model("list", 0) if what == 2 else self._model("number", what)
        if kind == "list":
            return list(values.get("list", ()))
        if kind in ("odd", "far"):
            return values.get(kind, 0)
        return values.get((kind, what), 0)

    def expected(self, number: int) -> Any:
        try:
            return self._run(number, self._model)
        except (ArithmeticError, KeyError):
            return FAILED

    def actual(self, number: int) -> Any:
        try:
            return self.state.get(self.cells[number])
        except (ArithmeticError, KeyError):
            return FAILED

    # ------------------------------------------------------------------ what happens

    def write(self) -> None:
        rnd, state, values = self.random, self.state, self.values
        kind = rnd.choice(
            ["number"] * 4
            + ["item", "item", "list", "list", "odd", "name", "name", "far", "clear", "member", "invalid"]
        )
        what, value = rnd.randrange(3), rnd.randrange(4)
        if kind == "number":
            values["number", what] = value
            state.set(self.numbers[what], value)
        elif kind == "item":
            values["item", what] = value
            state.set(self.items[what], value)
        elif kind == "list":
            now = values["list"] = [*values.get("list", ()), value][-4:]
            how = rnd.randrange(3)
            if how == 0:
                state.set(self.lists, list(now))
            elif how == 1:
                state.mutate(self.lists, lambda held: held.__setitem__(slice(None), now))
            else:
                held = state.get(self.lists)
                held[:] = now
                state.set(self.lists, held)
        elif kind == "odd":
            values["odd"] = value
            state.set(self.odd, Odd(value))
        elif kind == "far":
            values["far"] = value
            self.handle.set(value)
        elif kind == "name":
            name = NAMES[what]
            if ("name", what) not in values:
                if rnd.random() < 0.4:
                    values["name", what] = ...
                    state.add_selector(name, lambda get: int(get(self.numbers[1])) + 5)
                else:
                    values["name", what] = value
                    state.atom(name, value)
            elif rnd.random() < 0.5:
                del values["name", what]
                state.delete(name)
            elif values["name", what] is not ...:
                values["name", what] = value
                state.set(name, value)
        elif kind == "clear":
            if rnd.random() < 0.3:
                for each in list(values):
                    if each == "far" or (each[0] == "name" and values[each] is ...):
                        continue
                    if each[0] == "name":
                        continue
                    del values[each]
                with state.batch():
                    for key in (*self.numbers, self.lists, self.odd, *(self.items[each] for each in range(3))):
                        if rnd.random() < 0.5:
                            state.reset(key)
                        else:
                            state.delete(key)
        elif kind == "member":
            state.delete(self.family(what))
        elif rnd.random() < 0.5:
            state.invalidate(self.cells[rnd.randrange(CELLS)])
        else:
            state.delete(self.cells[rnd.randrange(CELLS)])

    def listen(self) -> None:
        number = self.random.randrange(CELLS)
        known = self.subscriptions.pop(number, None)
        if known is not None:
            known.close()
            self.heard.pop(number)
            return
        heard: list[Any] = []
        self.heard[number] = heard

        def callback(value: Any) -> None:
            heard.append(value)
            assert value == self.expected(number), "a mixture"
            for each in range(CELLS):
                assert self.actual(each) == self.expected(each), "a mixture"
            if self.tricks and number in self.subscriptions:
                self.tricks -= 1
                self._trick(number)

        try:
            self.subscriptions[number] = self.state.listen(self.cells[number], callback)
        except (ArithmeticError, KeyError):
            del self.heard[number]
            self.state.unlisten(self.cells[number], callback)

    def _trick(self, number: int) -> None:
        """What a listener may do."""
        trick = self.random.randrange(5)
        if trick == 0:
            self.write()
        elif trick == 1:
            with self.state.batch():
                self.write()
                self.write()
        elif trick == 2:
            self.listen()
        elif trick == 3:
            raise ZeroDivisionError(number)
        else:
            raise KeyboardInterrupt

    def step(self) -> None:
        rnd, kind = self.random, self.random.randrange(10)
        self.tricks = rnd.choice([0, 0, 1, 3])
        if kind < 2:
            self.listen()
        elif kind < 4:
            with self.state.batch():
                for _ in range(rnd.randint(2, 4)):
                    self.write()
                    if rnd.random() < 0.3:
                        number = rnd.randrange(CELLS)
                        assert self.actual(number) == self.expected(number)
        else:
            self.write()

    def check(self) -> None:
        numbers = list(range(CELLS))
        self.random.shuffle(numbers)
        for number in numbers[: self.random.choice([0, 2, CELLS])]:
            assert self.actual(number) == self.expected(number), number
        for number, heard in self.heard.items():
            expected = self.expected(number)
            if expected != FAILED and heard:  # one who began while it had failed hears of the next value that is new
                assert heard[-1:] == [expected], number
        for key in (*self.numbers, self.lists, self.odd, *self.cells):
            node: Node = self.state.find(key)
            if node.dependents:
                assert node.mark == CLEAN, node
                for source in node.sources:
                    assert node in (source.dependents or ())
            for dependent in node.dependents or ():
                assert not dependent.mark, dependent


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_random_programs_are_as_the_model_says(first: int) -> None:
    for seed in range(first, first + 100):
        program = Program(seed)
        try:
            for _ in range(40):
                program.runs.clear()
                try:
                    program.step()
                except KeyboardInterrupt:
                    program.tricks = 0
                    with program.state.batch():
                        pass  # who was not told is told now
                program.check()
            for number in range(CELLS):
                program.actual(number)
            program.runs.clear()
            for number in range(CELLS):
                program.actual(number)
            if seed % 2:  # else members are given up for each other all the time
                assert not program.runs, "nothing has changed since"
            wrong = [each for each in program.failures if isinstance(each.error, (AssertionError, TypeError))]
            assert not wrong, wrong
            for subscription in program.subscriptions.values():
                subscription.close()
            assert program.state.statistics().observed == 0
        except Exception as error:
            error.args = (f"seed {seed}: {error}",)
            raise
