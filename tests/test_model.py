"""Random programs, step by step as the model says; and the model finds what is wrong, if something is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, rule

import flet_asp_actors as fa
from flet_asp_actors.receipt import DONE
from flet_asp_actors.system.transaction import Transaction
from flet_asp_actors.testing import VirtualLoop
from tests.model.agenda import Ambiguous
from tests.model.driving import drive, explain
from tests.model.machine import Machine
from tests.model.programs import EVERY, VERBS

PROGRAMS = 10_000


@pytest.mark.parametrize("first", range(0, PROGRAMS, 1_000))
def test_programs_are_as_the_model_says(first: int) -> None:
    tally = drive(range(first, first + 1_000))
    assert tally.open < 20, "the model has no opinion of too many of them"


# ------------------------------------------------------------------ looked for by hypothesis


class _Programs(RuleBasedStateMachine):
    """Programs whose steps hypothesis chooses; it goes for other ones than chance does."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = VirtualLoop()
        self._number = 0
        self._machine: Machine | None = self._call(self._begin())

    async def _begin(self) -> Machine:
        return Machine(fa.StateManager())

    async def _end(self, machine: Machine) -> None:
        await machine.end()
        await machine.state.aclose()
        await machine.closed()

    def do(self, verb: str, given: tuple[Any, ...]) -> None:
        """Do a step."""
        self._number += 1
        if self._machine is not None:
            try:
                self._call(self._machine.do((self._number, verb, *given)))
            except Ambiguous:
                self._machine = None

    def teardown(self) -> None:
        try:
            if self._machine is not None:
                self._call(self._end(self._machine))
        except Ambiguous:
            pass  # nobody can say what is right
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)


def _rule(verb: str) -> Any:
    def do(self: _Programs, given: tuple[Any, ...]) -> None:
        self.do(verb, given)

    do.__name__ = verb
    return rule(given=st.tuples(*map(st.sampled_from, VERBS[verb][1])))(do)


Programs: Any = type("Programs", (_Programs,), {verb: _rule(verb) for verb in VERBS})
TestPrograms = Programs.TestCase
TestPrograms.settings = settings(max_examples=100, stateful_step_count=25, deadline=None, print_blob=True)


# ------------------------------------------------------------------ what is wrong is found


class _Equal:
    """A version that is that of everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


def _nothing(*_: object) -> fa.Receipt:
    return DONE


def _forget(_: object, __: object) -> None:
    """Set a property to nothing."""


def _always(*_: object) -> bool:
    return True


def _set_at_once(atom: Any, value: Any) -> fa.Receipt:
    atom._assign(value)
    return DONE


def _is_any(selector: Any, _: object) -> bool:
    return selector.computation is not None


BROKEN: dict[str, Any] = {
    "atom.Atom._set": _set_at_once,  # one message at a time
    "atom.Atom.interrupt": _nothing,
    "atom.Atom._unheard": _nothing,  # every error has a destination
    "run.Run._unheard": _nothing,
    "writing.RunSet.is_stopping": property(lambda _: False),  # who is cancelled may put back, and not do
    "writing._Write.may_become": _always,
    "layers.Optimistic._take": _nothing,
    "async_selector.AsyncSelector.is_current": _is_any,  # the latest wins
    "async_selector.AsyncSelector.on_change": _nothing,
    "computation.Computation.cancel": _nothing,  # nothing goes on for nobody
    "lanes.Lane.active": property(lambda _: ()),  # droppable
    "run.Run.queue_after": _nothing,  # sequential
    "bound.BoundAction._take_its_place": _nothing,  # restartable
    "lanes.Track.reset": _nothing,
    "system.transaction.Transaction._blind": Transaction._stage,  # pyright: ignore[reportPrivateUsage]  # read, not blind
    "system.transaction._Staged.version": property(lambda _: _Equal(), _forget),  # the first committer wins
    "state.StateManager._delete": _nothing,
    "watch.Subscription._close": _nothing,
    "ui.binding.Binding._find_again": _always,
    "ui.binding.Binding.pause": _nothing,
    "ui.session.PageSession._connected": _nothing,
    "ui.frame.UIActor.mark": _nothing,
    "ui.hooks.Use.resume": _nothing,
}
"""What is broken, and what it is replaced by."""


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_found_made_short_and_replayed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(f"flet_asp_actors.{what}", BROKEN[what])
        with pytest.raises(AssertionError, match="To replay it: make model SEED=") as caught:
            drive(range(1_000) if not what.startswith("ui.") else range(EVERY // 2 - 1, 10_000, EVERY // 2))
        said = str(caught.value)
        assert 1 <= len(_steps(said)) <= 4, said
        seed = int(said.rpartition("=")[2])
        assert _steps(explain(seed)) == _steps(said), "the same again"
    assert explain(seed) == f"program {seed} is right"


def _steps(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("    (")]
