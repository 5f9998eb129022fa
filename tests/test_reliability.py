"""The short form of what `make reliability` does at length."""

from __future__ import annotations

from typing import Any

import pytest

import flet_asp_actors as fa
from flet_asp_actors.system.transaction import Transaction
from tests.reliability.day import HOUR, Plan, live

A_QUIET_DAY = Plan.of(seed=2, items=150, orders=300, faults=100, crashes=10, visits=24)


def test_a_day_ends_as_it_was_planned() -> None:
    day = live(A_QUIET_DAY)
    assert day.differences() == []
    assert day.lost == 0
    assert (day.faults.total(), day.sessions, day.stores) == (100, 24, 24)
    assert day.restarts > 10, "a crash takes others with it"
    assert day.seconds == pytest.approx(24 * HOUR, abs=60)


def test_a_day_sees_a_write_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    update, count = fa.Atom[Any].update, 0

    def forgetful(self: fa.Atom[Any], fn: Any, /) -> fa.Receipt:
        nonlocal count
        count += 1
        return update(self, fn) if count % 1_000 else self.set(self.value)

    monkeypatch.setattr(fa.Atom, "update", forgetful)
    day = live(A_QUIET_DAY)
    assert 0 < day.lost < 20
    assert day.differences()


def test_a_day_sees_orders_that_get_in_each_others_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def commit(self: Any) -> Any:
        for atom, staged in self._staged.items():
            staged.version = atom.version  # whatever was written meanwhile
        return commit_as_ever(self)

    commit_as_ever: Any = Transaction._commit  # pyright: ignore[reportPrivateUsage]  # to break it
    monkeypatch.setattr(Transaction, "_commit", commit)
    crowded = Plan.of(seed=3, items=10, orders=5_000, faults=0, crashes=0, visits=1)
    assert any("in all" in each for each in live(crowded).differences())
