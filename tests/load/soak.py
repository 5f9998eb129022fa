"""One person clicks in one session, a million times; nothing may grow.

    python -m tests.load.soak [--clicks 1000000]

The page and the session are real, and so are the difference and the encoding; the connection
counts what it is given and keeps nothing. Each click changes a number; every tenth takes a row
from the list and adds one; every hundredth runs an action. After each tenth of the clicks
everything is collected and counted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import flet as ft

import flet_asp_actors as fa
from flet_asp_actors.testing.headless import HeadlessApp
from tests.benchmarks.frames import NO_LIMIT, Clicker

__all__ = ("Sample", "growth", "soak")

SAMPLES = 10
BLOCKS = 500
"""By how many blocks of memory a session may differ between two samples, whatever was done."""
RESIDENT = 1.10
"""By what the memory of the process may differ from that at the first sample."""

COUNT = fa.Key("count", 0)
ROWS = fa.Key("rows", tuple(range(20)))
LAST = fa.Key("last", "")


@fa.selector
def summary(get: fa.Get) -> str:
    return f"{get(COUNT)} clicks, rows up to {get(ROWS)[-1]}"


@fa.action
async def note(get: fa.Get, set: fa.Set, text: str) -> None:
    await asyncio.sleep(0)
    set(LAST, text)


def main(page: ft.Page) -> None:
    state = fa.get_state_manager(page, max_fps=NO_LIMIT, auto_update=False)
    noting = state.action(note)

    def add() -> None:
        count = state.get(COUNT) + 1
        state.set(COUNT, count)
        if count % 10 == 0:
            state.update(ROWS, lambda rows: (*rows[1:], rows[-1] + 1))
        if count % 100 == 0:
            noting(f"noted {count}")

    page.add(
        ft.Button("Add", on_click=add),
        state.bound(ft.Text(), value=lambda get: f"count {get(COUNT)}"),
        state.bound(ft.Text(), value=summary),
        state.bound(ft.Text(), value=LAST),
        state.bound(ft.ProgressRing(), visible=lambda get: get(noting.status).is_busy),
        state.bound(ft.Column(), controls=lambda get: [ft.Text(f"row {n}", key=n) for n in get(ROWS)]),
    )


@dataclass(frozen=True)
class Sample:
    """What there is after so many clicks."""

    clicks: int
    seconds: float
    """For the clicks since the sample before."""
    objects: int
    """What the collector tracks."""
    blocks: int
    """What the allocator has given out."""
    resident: int
    """Bytes that the process has in memory."""
    tasks: int

    def __str__(self) -> str:
        return (
            f"| {self.clicks:,} | {self.seconds:.1f} | {self.objects:,} | {self.blocks:,} "
            f"| {self.resident / 2**20:.1f} | {self.tasks} |"
        )


HEAD = "| clicks | seconds | objects | blocks | MB | tasks |\n|---:|---:|---:|---:|---:|---:|"


async def soak(
    clicks: int, app: Callable[[ft.Page], None] = main, tell: Callable[[object], object] = lambda _: None
) -> list[Sample]:
    """Click so many times, with a sample at every tenth of them."""
    tell(HEAD)
    samples: list[Sample] = []
    async with HeadlessApp(app) as headless:
        with ThreadPoolExecutor(1) as executor:
            click = Clicker(headless, executor)
            for _ in range(SAMPLES):
                begun = perf_counter()
                await click(clicks // SAMPLES)
                seconds = perf_counter() - begun
                await headless.settle()
                samples.append(_sample((len(samples) + 1) * (clicks // SAMPLES), seconds))
                tell(samples[-1])
            shown = [control.value for control in headless.page.controls if isinstance(control, ft.Text)]
            if app is main:
                assert shown[0] == f"count {clicks // SAMPLES * SAMPLES}", shown
    return samples


def _sample(clicks: int, seconds: float) -> Sample:
    for _ in range(3):
        gc.collect()
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return Sample(clicks, seconds, len(gc.get_objects()), sys.getallocatedblocks(), resident, len(asyncio.all_tasks()))


def growth(samples: list[Sample]) -> list[str]:
    """What has grown since the first sample, a line each."""
    first, last = samples[0], samples[-1]
    found = {
        "objects": last.objects - first.objects > BLOCKS,
        "blocks": last.blocks - first.blocks > BLOCKS,
        "resident": last.resident > first.resident * RESIDENT,
        "tasks": last.tasks > first.tasks,
    }
    return [f"{name}: {getattr(first, name):,} to {getattr(last, name):,}" for name, has in found.items() if has]


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak", description=__doc__)
    parser.add_argument("--clicks", type=int, default=1_000_000)
    samples = asyncio.run(soak(parser.parse_args().clicks, tell=lambda line: print(line, flush=True)))
    grown = growth(samples)
    if grown:
        raise SystemExit("\n".join(["It has grown:", *grown]))
    print("No growth.")


if __name__ == "__main__":
    _main()
