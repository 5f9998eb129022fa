"""The guard: how much work an operation is, to the floor and to a peer, beside what was recorded.

Work is counted, not timed: the instructions of Python's bytecode that run, and the bytes of
an idle value. No other work on the machine changes such a count, so there is no noise to be
dealt with: the same code gives the same number, every time. What runs in C within one
instruction is not seen; for that there is the table.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from . import awaiting, memory
from .measuring import on_loop
from .peers import FLOOR, OURS, OURS_ON_LOOP, PEERS, Peer
from .shapes import SCENARIOS, Scenario

__all__ = ("RECORD", "TOLERANCE", "main", "regressions", "work", "work_awaited")

RECORD = Path(__file__).with_name("guard.json")
TOLERANCE = 1.25
VERSION = ".".join(map(str, sys.version_info[:2]))
"""Bytecode differs from one Python to the next: each has its own record."""
COMPARED = tuple(peer for peer in PEERS if peer is FLOOR or peer.name == "observ")
WEIGHED = 2_000
Ratios = dict[str, float]


class Instructions:
    """How many have run."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Instructions:
        if event == "opcode":
            self.count += 1
        elif event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self


@contextmanager
def counted() -> Generator[Instructions, None, None]:
    """Count the instructions of what is called within the block; nothing is collected meanwhile."""
    instructions, before = Instructions(), sys.gettrace()
    gc.collect()
    gc.disable()
    here = inspect.currentframe()
    assert here is not None
    here.f_trace_opcodes = True  # from then on Python has them traced at all
    sys.settrace(instructions)
    try:
        yield instructions
    finally:
        sys.settrace(before)
        gc.enable()


def work(scenario: Scenario, peer: Peer) -> int:
    """Count the instructions of ten operations, after those that warm up."""

    def count() -> int:
        kit = peer.kit()
        run = (scenario.checks_with or scenario.build)(kit)
        kit.ready()
        run(4)
        with counted() as instructions:
            run(10)
        return instructions.count

    found: int = on_loop(peer, count)
    return found


def work_awaited(scenario: awaiting.Waiting, peer: Peer) -> int:
    """The same of what is awaited, with what runs on the loop meanwhile."""

    async def count() -> int:
        async with scenario.columns[peer.name]() as run:
            await run(1)
            with counted() as instructions:
                await run(10 if scenario.name != "1,000 tasks" else 1)
            return instructions.count

    return asyncio.run(count())


def measured() -> Ratios:
    """The ratios of today: ours, with a loop and without, to each peer that is installed and has such a thing."""
    found: Ratios = {}
    for scenario in SCENARIOS:
        ours = {peer.name: work(scenario, peer) for peer in (OURS, OURS_ON_LOOP)}
        for other in COMPARED:
            if other.is_installed and (other is FLOOR or "observed" not in scenario.name):
                try:
                    base = work(scenario, other)
                except Exception:  # no such thing, or it cannot
                    continue
                for name, count in ours.items():
                    found[f"{scenario.name} | {name} to {other.name}"] = round(count / base, 3)
    for waiting in awaiting.SCENARIOS:
        ratio = work_awaited(waiting, OURS_ON_LOOP) / work_awaited(waiting, FLOOR)
        found[f"{waiting.name} | {OURS_ON_LOOP.name} to {FLOOR.name}"] = round(ratio, 3)
    for what in ("atom", "selector of two"):
        ours_, base_ = (memory.weigh(peer, what, WEIGHED)["bytes"] for peer in (OURS, FLOOR))
        found[f"bytes of an idle {what} | {OURS.name} to {FLOOR.name}"] = round(ours_ / base_, 3)
    return found


def regressions(now: Ratios, recorded: Ratios) -> list[str]:
    """Say which ratios are worse by more than the tolerance, or are gone."""
    worse = [
        f"{name}: {now[name]:.2f}, recorded {before:.2f}"
        for name, before in recorded.items()
        if name in now and now[name] > before * TOLERANCE
    ]
    gone = [f"{name}: not measured" for name in recorded if name not in now and name.endswith(FLOOR.name)]
    return worse + gone


def main(is_recording: bool) -> int:
    records: dict[str, Ratios] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    now = measured()
    if is_recording:
        text = json.dumps({**records, VERSION: now}, indent=1, sort_keys=True)
        RECORD.write_text(text + "\n", encoding="utf-8")
        return 0
    if VERSION not in records:
        print(f"Nothing is recorded for Python {VERSION}: python -m tests.benchmarks --check --record")
        return 1
    found = regressions(now, records[VERSION])
    print("\n".join(found) or f"{len(records[VERSION])} ratios are as recorded, or better.")
    return 1 if found else 0
