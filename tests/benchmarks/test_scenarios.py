"""Every scenario that is measured gives the right answer in this library. Never a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from .scenarios import OURS, OURS_ON_LOOP, PEERS, SCENARIOS, Peer, Probe, Run, Scenario, build, check, finish

SMALL = 7


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.mark.parametrize("peer", [OURS, OURS_ON_LOOP], ids=lambda peer: peer.name)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_ours_is_right(scenario: Scenario, peer: Peer, loop: asyncio.AbstractEventLoop) -> None:
    assert check(scenario, peer, loop, SMALL) is None


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_probe_of_a_measurement_fits(scenario: Scenario, loop: asyncio.AbstractEventLoop) -> None:
    run = build(scenario, OURS, loop, Probe(), SMALL)
    value = finish(loop, run(3))
    assert scenario.answer is None or value == scenario.answer(SMALL).value


def test_a_wrong_answer_is_found(loop: asyncio.AbstractEventLoop) -> None:
    scenario = next(each for each in SCENARIOS if each.name.startswith("diamond"))

    def glitching(probe: Probe, size: int) -> Run:
        def run(n: int) -> int:
            sides = [1] * size
            for side in range(size):
                sides[side] = probe.step(n)
                probe.join(sides)
            return sum(sides)

        return run

    broken = Scenario("broken", "", "", scenario.size, scenario.answer, {OURS: glitching})
    assert "mixed" in (check(broken, OURS, loop, SMALL) or "")


def test_every_adapter_belongs_to_a_column() -> None:
    assert all(peer in PEERS for scenario in SCENARIOS for peer in scenario.adapters)
