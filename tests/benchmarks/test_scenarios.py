"""What the tables compare is right, at this library and at each peer that is installed. Never a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from . import awaiting, guard
from .floors import Floor
from .measuring import Verdict, check
from .peers import ACTOR, FLOOR, OURS, OURS_ON_LOOP, PEERS, Peer
from .primitives import Kit, Source
from .shapes import SCENARIOS, Scenario

INSTALLED = [peer for peer in PEERS if peer.is_installed and peer is not ACTOR]


def small(scenario: Scenario) -> Callable[[Kit], Any]:
    return scenario.checks_with or scenario.build


@pytest.mark.parametrize("peer", [OURS, OURS_ON_LOOP, FLOOR], ids=lambda peer: peer.name)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_ours_is_right(scenario: Scenario, peer: Peer) -> None:
    assert check(small(scenario), peer).mark == ""


@pytest.mark.parametrize("peer", INSTALLED, ids=lambda peer: peer.name)
def test_every_peer_gets_a_plain_value_right(peer: Peer) -> None:
    for scenario in SCENARIOS[:2]:
        assert check(scenario.build, peer).mark == ""


@pytest.mark.parametrize("peer", [peer for peer in INSTALLED if peer.tracks], ids=lambda peer: peer.name)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_peer_that_tracks_is_right_or_does_too_much(scenario: Scenario, peer: Peer) -> None:
    verdict = check(small(scenario), peer)
    assert verdict.mark in ("", "*") or (verdict.mark != "wrong" and not verdict.why)


@pytest.mark.parametrize("scenario", awaiting.SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_is_awaited_is_right(scenario: awaiting.Waiting) -> None:
    assert {awaiting.check(opened) for opened in scenario.columns.values()} == {Verdict()}


# ------------------------------------------------------------------ what is wrong is found


class Glitching(Floor):
    """Tells each who reads a changed value at once, as messages do."""

    def write(self, signal: Source, value: int) -> None:
        signal.value = value
        self._tell(signal)

    def _tell(self, changed: Source) -> None:
        for (cell, function, _, sources), _ in self.order:
            if any(source is changed for source in sources):
                cell.value = function(*[source.value for source in sources])
                self._tell(cell)
        for listener in self.listeners.get(changed, ()):
            listener(changed.value)


class Stale(Floor):
    def write(self, signal: Source, value: int) -> None:
        signal.value = value


class Eager(Floor):
    def write(self, signal: Source, value: int) -> None:
        super().write(signal, value)
        super().write(signal, value)


class Silent(Floor):
    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        pass


@pytest.mark.parametrize(
    ("kit", "name", "mark", "why"),
    [
        (Glitching, "diamond of 100", "wrong", "mixed"),
        (Stale, "chain of 100", "wrong", "read"),
        (Eager, "chain of 100", "*", "computations instead of"),
        (Silent, "chain of 100", "wrong", "heard"),
    ],
)
def test_a_wrong_implementation_is_found(kit: type[Kit], name: str, mark: str, why: str) -> None:
    scenario = next(each for each in SCENARIOS if each.name == name)
    verdict = check(small(scenario), Peer("broken", kit))
    assert (verdict.mark, why in verdict.why) == (mark, True)


# ------------------------------------------------------------------ the guard


def test_the_same_work_is_counted_each_time() -> None:
    scenario = next(each for each in SCENARIOS if each.name == "diamond of 100")
    assert guard.work(scenario, OURS) == guard.work(scenario, OURS)


def test_the_guard_counts_more_where_more_is_done() -> None:
    scenario = next(each for each in SCENARIOS if each.name == "diamond of 100")
    assert guard.work(scenario, Peer("eager", Eager)) > guard.TOLERANCE * guard.work(scenario, FLOOR)


def test_the_guard_sees_what_is_worse() -> None:
    recorded = {"a | ours to floor": 2.0, "b | ours to floor": 2.0, "c | ours to observ": 1.0}
    assert guard.regressions({"a | ours to floor": 2.4, "b | ours to floor": 2.6}, recorded) == [
        "b | ours to floor: 2.60, recorded 2.00"
    ]
    assert guard.regressions({"a | ours to floor": 1.0}, recorded) == ["b | ours to floor: not measured"]
