"""How a scenario is checked and then timed.

What counts is the processor's time, not the clock's: what else the machine does disturbs
less. Nothing is collected meanwhile. Each peer has a process of its own, and they take turns
within each round, so that a slow moment meets all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import sys
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import Any, TypeVar

from .floors import Oracle
from .peers import ACTOR, FLOOR, OURS, OURS_ON_LOOP, Peer
from .primitives import Kit, Missing, Watched, Witness
from .shapes import Run
from .workers import PATIENCE, NoAnswer, NotInstallable, TooSlow, Worker, interpreter

__all__ = (
    "LEAST_ROUNDS", "NO_SUCH_THING", "Cell", "Column", "Verdict", "check", "columns", "measure", "on_loop", "ratio",
    "take_turns", "timed",
)  # fmt: skip

LEAST_ROUNDS = 7
NO_SUCH_THING = "\N{EN DASH}"


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
    """Compare what a peer does with what is right, in the turns after the first two."""
    if not peer.is_installed:
        return Verdict("not installed")
    with contextlib.redirect_stderr(io.StringIO()):  # some print the errors of their listeners
        try:
            value, seen, _ = on_loop(peer, lambda: _observe(build, peer.kit))
        except Missing:
            return Verdict(NO_SUCH_THING)
        except Exception as error:
            return Verdict("wrong", type(error).__name__)
    right_value, right, ever = _observe(build, Oracle)
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
    witness, fresh = Witness(), kit()
    try:
        run = build(Watched(fresh, witness))
        run(2)
        before = set(map(repr, witness.computed))
        witness.forget()
        return run(3), witness, before | set(map(repr, witness.computed))
    finally:
        fresh.close()


def on_loop(peer: Peer, call: Callable[[], Any]) -> Any:
    """Call, on a running loop if the peer wants that."""
    if not peer.on_loop:
        return call()

    async def here() -> Any:
        return call()

    return asyncio.run(here())


class Column:
    """A peer, and its process, which is started anew when it has not answered, or not rightly."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._worker: Worker | None = None

    def ask(self, do: str, seconds: float = PATIENCE, **question: Any) -> Any:
        """Ask its process, see `worker`, which has so many seconds to answer: some computations grow exponentially.

        Raises:
            NoAnswer: When it fails.
            TooSlow: When it gives no answer in time.
        """
        if self._worker is None:
            self._worker = Worker(interpreter(self.peer.packages), "-m", "tests.benchmarks.worker", self.peer.name)
        try:
            answer = self._worker.ask(seconds, do=do, **question)
        except NoAnswer:
            self._worker = None
            raise
        if "error" in answer:
            raise NoAnswer(answer["error"])
        return answer["answer"]

    def prepare(self, scenario: str) -> Verdict:
        """Check a scenario, and build what is to be timed."""
        try:
            verdict = Verdict(**self.ask("check", scenario=scenario))
            if verdict.mark in ("", "*"):
                self.ask("open", scenario=scenario)
        except TooSlow:
            return Verdict("too slow", f"not done in {PATIENCE:.0f} seconds")
        except NoAnswer as error:
            verdict = Verdict("wrong", str(error))
        if verdict.mark == "wrong":
            self.close()  # an error in the middle of a turn leaves some of them broken
        return verdict

    def time(self, n: int) -> float:
        """Do it n times; gives the seconds."""
        return float(self.ask("time", n=n))

    def close(self) -> None:
        """End its process."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


@contextlib.contextmanager
def columns(peers: Sequence[Peer]) -> Generator[list[Column], None, None]:
    """A column for each peer that is installed, or can be."""
    with contextlib.ExitStack() as stack:
        found: list[Column] = []
        for peer in peers:
            if peer.packages:
                try:
                    interpreter(peer.packages)
                except NotInstallable as error:
                    print(f"{peer.name} is left out: {error}", file=sys.stderr)
                    continue
            elif not peer.is_installed:
                print(f"{peer.name} is left out: it is not installed", file=sys.stderr)
                continue
            found.append(Column(peer))
            stack.callback(found[-1].close)
        yield found


def measure(scenario: str, columns: Sequence[Column], rounds: int, seconds: float) -> list[Cell]:
    """Measure one scenario at every peer that can do it, the peers in turn."""
    verdicts = {column.peer: column.prepare(scenario) for column in columns}
    timed = {column.peer: column.time for column in columns if verdicts[column.peer].mark in ("", "*")}
    figures = take_turns(timed, rounds, seconds)
    for peer in timed.keys() - figures.keys():
        verdicts[peer] = Verdict("too slow", "it did not answer while it was timed")
    right = [peer for peer in figures if peer.module or peer is ACTOR if not verdicts[peer].mark]
    best = min(right, key=lambda peer: median(figures[peer]), default=None)
    ours = OURS if OURS in figures else OURS_ON_LOOP

    return [
        Cell(
            scenario,
            peer.name,
            median(figures[peer]) if peer in figures else None,
            ratio(figures, peer, ours),
            ratio(figures, peer, FLOOR),
            ratio(figures, peer, best),
            verdict.mark,
            verdict.why,
        )
        for peer, verdict in verdicts.items()
    ]


Each = TypeVar("Each", bound=Hashable)


def take_turns(timed: Mapping[Each, Callable[[int], float]], rounds: int, seconds: float) -> dict[Each, list[float]]:
    """Time these in turn, round after round; microseconds per operation. Who gives no answer is left out.

    Each is a function that does so many operations, and gives the seconds that they took.
    """
    counts: dict[Each, int] = {}
    for each, time in timed.items():
        with contextlib.suppress(NoAnswer):
            counts[each] = _calibrate(time, seconds)
    figures: dict[Each, list[float]] = {each: [] for each in counts}
    for _ in range(rounds):
        for each, found in list(figures.items()):
            try:
                found.append(timed[each](counts[each]) / counts[each] * 1e6)
            except NoAnswer:
                del figures[each]
    return figures


def ratio(figures: Mapping[Each, list[float]], each: Each, base: Each | None) -> float | None:
    """The median of what one is to another in each round; None where one of them has no figures."""
    if base is None or base not in figures or each not in figures:
        return None
    return median(one / other for one, other in zip(figures[each], figures[base], strict=True))


def _calibrate(time: Callable[[int], float], seconds: float) -> int:
    """Find how many operations take about so many seconds. At least two, so that each is a change."""
    n = 2
    while (took := time(n)) < seconds / 4:
        n *= 2
    return max(2, round(n * seconds / took))


def timed(peer: Peer, run: Run, n: int) -> float:
    """Run n operations; gives the seconds."""

    def here() -> float:
        gc.disable()
        try:
            start = process_time()
            run(n)
            return process_time() - start
        finally:
            gc.enable()

    found: float = on_loop(peer, here)
    return found
