"""A peer that never answers, fails or dies harms nothing but its own column."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from .measuring import Column, measure, take_turns
from .peers import FLOOR, OURS
from .workers import NoAnswer, TooSlow, Worker

ECHO = "import sys\nfor line in sys.stdin: print(line.strip(), flush=True)"
SILENT = "import sys\nfor line in sys.stdin:\n    while True: pass"
DYING = "import sys\nsys.stdin.readline()\nsys.exit(3)"


def worker(program: str) -> Worker:
    return Worker(sys.executable, "-c", program)


def test_a_worker_answers_a_question_after_the_other() -> None:
    asked = worker(ECHO)
    assert [asked.ask(number=number) for number in range(3)] == [{"number": 0}, {"number": 1}, {"number": 2}]
    asked.close()


def test_who_does_not_answer_is_ended() -> None:
    asked = worker(SILENT)
    with pytest.raises(TooSlow):
        asked.ask(0.1, number=1)
    with pytest.raises(NoAnswer, match="ended"):
        asked.ask(number=1)


def test_who_dies_gives_no_answer() -> None:
    with pytest.raises(NoAnswer, match="ended with 3"):
        worker(DYING).ask(number=1)


def test_a_column_goes_on_after_a_failure() -> None:
    column = Column(OURS)
    assert column.prepare("no such scenario").mark == "wrong"
    assert column.prepare("set + get, by key").mark == ""
    with pytest.raises(TooSlow):
        column.ask("time", 0.2, n=1_000_000_000)
    assert column.prepare("set + get, by key").mark == ""
    assert column.time(2) > 0
    column.close()


def test_a_row_is_measured_in_processes() -> None:
    found = [Column(peer) for peer in (OURS, FLOOR)]
    ours, floor = measure("listeners: 1", found, 3, 0.0001)
    assert [ours.peer, floor.peer] == ["ours", "floor"]
    assert floor.to_floor == 1
    assert ours.microseconds is not None
    for column in found:
        column.close()


def test_they_take_turns() -> None:
    order: list[str] = []

    def timing(name: str) -> Callable[[int], float]:
        def timed(n: int) -> float:
            order.append(name)
            if name == "b" and order.count("b") > 2:
                raise NoAnswer
            return n * 1.0

        return timed

    figures = take_turns({name: timing(name) for name in "abc"}, 3, 2.0)
    assert figures == {"a": [1e6] * 3, "c": [1e6] * 3}
    assert order == [*"abc", *"abc", *"abc", *"ac"]  # to find how many, and then the rounds
