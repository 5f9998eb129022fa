"""How a scenario is checked and then timed.

What counts is the processor's time, not the clock's: what else the machine does disturbs
less. Nothing is collected meanwhile, and the peers take turns within each round, so that a
slow moment meets all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import signal
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import process_time
from typing import Any, TypeVar

from .floors import Oracle
from .peers import FLOOR, OURS, Peer
from .primitives import Kit, Missing, Watched, Witness
from .shapes import Run, Scenario

__all__ = ("LEAST_ROUNDS", "NO_SUCH_THING", "Cell", "Verdict", "check", "measure", "on_loop", "ratio", "take_turns")

LEAST_ROUNDS = 7
NO_SUCH_THING = "\N{EN DASH}"


PATIENCE = 3
"""Seconds of the processor for a check: some computations of a peer grow exponentially."""


class TooSlow(BaseException):
    """Not an Exception: peers catch those of computations."""


@contextlib.contextmanager
def _limited() -> Generator[None, None, None]:
    if not hasattr(signal, "setitimer"):  # Windows has none
        yield
        return

    def stop(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@dataclass(frozen=True)
class Verdict:
    """What a peer gets wrong."""

    mark: str = ""
    """`wrong`, `*` if all it does is to compute or to tell too often, or that it has no such thing."""
    why: str = ""


@dataclass(frozen=True)
class Cell:
    """One figure of the table, or a mark in place of it."""

    scenario: str
    peer: str
    microseconds: float | None = None
    """The median of the rounds."""
    to_ours: float | None = None
    """The median of the ratios within each round; so are the next two."""
    to_floor: float | None = None
    to_best: float | None = None
    """To the fastest peer that gets it right."""
    mark: str = ""
    why: str = ""


def check(build: Callable[[Kit], Run], peer: Peer) -> Verdict:
    """Compare what a peer does with what is right, in the third turn and the fourth."""
    if not peer.is_installed:
        return Verdict("not installed")
    right_value, right, ever = _observe(build, Oracle)
    with contextlib.redirect_stderr(io.StringIO()):  # some print the errors of their listeners
        try:
            with _limited():
                value, seen, _ = on_loop(peer, lambda: _observe(build, peer.kit))
        except TooSlow:
            return Verdict("too slow", f"not done in {PATIENCE} seconds")
        except Missing:
            return Verdict(NO_SUCH_THING)
        except Exception as error:
            return Verdict("wrong", type(error).__name__)
    if value != right_value:
        return Verdict("wrong", f"read {_short(value)} instead of {_short(right_value)}")
    if peer is FLOOR:
        return Verdict()  # it computes and tells whatever has changed
    mixed = sum(repr(each) not in ever for each in seen.computed)
    if mixed:
        return Verdict("wrong", f"{mixed} of {len(seen.computed)} computations saw old and new values mixed")
    heard, due = Counter(map(repr, seen.heard)), Counter(map(repr, right.heard))
    if due - heard or set(heard) - set(due):
        return Verdict("wrong", f"the listeners heard {heard.total()} values, or others, instead of {due.total()}")
    if len(seen.computed) > len(right.computed):
        return Verdict("*", f"{len(seen.computed)} computations instead of {len(right.computed)}")
    if heard != due:
        return Verdict("*", f"the listeners heard {heard.total()} values instead of {due.total()}")
    return Verdict()


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 30 else f"{text[:27]}..."


def _observe(build: Callable[[Kit], Run], kit: Callable[[], Kit]) -> tuple[Any, Witness, set[str]]:
    """Give the value, what happened until it was there, and all that was computed before, too."""
    witness = Witness()
    run = build(Watched(kit(), witness))
    run(2)
    before = set(map(repr, witness.computed))
    witness.forget()
    return run(4), witness, before | set(map(repr, witness.computed))


def on_loop(peer: Peer, call: Callable[[], Any]) -> Any:
    """Call, on a running loop if the peer wants that."""
    if not peer.on_loop:
        return call()

    async def here() -> Any:
        return call()

    return asyncio.run(here())


def measure(scenario: Scenario, peers: Sequence[Peer], rounds: int, seconds: float) -> list[Cell]:
    """Measure one scenario at every peer that can do it."""
    verdicts = {peer: check(scenario.build, peer) for peer in peers}
    if verdicts[OURS].mark:
        raise SystemExit(f"{scenario.name}: ours is wrong: {verdicts[OURS].why}")
    runs = {peer: scenario.build(peer.kit()) for peer in peers if verdicts[peer].mark in ("", "*")}
    figures = take_turns({peer: partial(_seconds, peer, run) for peer, run in runs.items()}, rounds, seconds)
    right = [peer for peer in runs if peer.module and not verdicts[peer].mark]
    best = min(right, key=lambda peer: median(figures[peer]), default=None)

    return [
        Cell(
            scenario.name,
            peer.name,
            median(figures[peer]) if peer in figures else None,
            ratio(figures, peer, OURS),
            ratio(figures, peer, FLOOR),
            ratio(figures, peer, best),
            verdicts[peer].mark,
            verdicts[peer].why,
        )
        for peer in peers
    ]


Column = TypeVar("Column", bound=Hashable)


def take_turns(
    columns: Mapping[Column, Callable[[int], float]], rounds: int, seconds: float
) -> dict[Column, list[float]]:
    """Time the columns in turn, round after round; microseconds per operation.

    Each is a function that does so many operations, and gives the seconds that they took.
    """
    gc.collect()
    counts = {column: _calibrate(timed, seconds) for column, timed in columns.items()}
    figures: dict[Column, list[float]] = {column: [] for column in columns}
    for _ in range(rounds):
        for column, timed in columns.items():
            figures[column].append(timed(counts[column]) / counts[column] * 1e6)
    return figures


def ratio(figures: Mapping[Column, list[float]], column: Column, base: Column | None) -> float | None:
    """The median of what a column is to another one in each round; None where one of them has no figures."""
    if base is None or base not in figures or column not in figures:
        return None
    return median(each / other for each, other in zip(figures[column], figures[base], strict=True))


def _calibrate(timed: Callable[[int], float], seconds: float) -> int:
    """Find how many operations take about so many seconds. At least two, so that each is a change."""
    n = 2
    while (took := timed(n)) < seconds / 4:
        n *= 2
    return max(2, round(n * seconds / took))


def _seconds(peer: Peer, run: Run, n: int) -> float:
    def timed() -> float:
        gc.disable()
        try:
            start = process_time()
            run(n)
            return process_time() - start
        finally:
            gc.enable()

    found: float = on_loop(peer, timed)
    return found
