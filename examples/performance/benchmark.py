"""What is measured: writes to controls on the page, by hand and bound, with the frames and messages they make."""

import asyncio
from collections.abc import Callable, Sequence

import flet as ft

import flet_asp_actors as fa
from examples.performance.values import CELLS, MEASURES, NUMBER, SHARED, Measure
from examples.performance.wire import Wire, processor_time

Way = tuple[str, int, Callable[[int], object]]
WRITES, FANNED_OUT = 5_000, 200
SLICES = 20  # after each of them, others have their turn


async def breathe() -> None:
    await asyncio.sleep(0.02)  # clicks and frames have their turn


async def measure(page: ft.Page, way: Way, tell: Callable[[float], None]) -> Measure:
    name, writes, write = way
    state = fa.current()
    with Wire(page) as wire:
        frames, begun = state.statistics().frames, processor_time()
        for slice in range(SLICES):
            for number in range(slice * writes // SLICES, (slice + 1) * writes // SLICES):
                write(number)
            tell(slice / SLICES)
            await breathe()
        await state.flushed()
        spent = processor_time() - begun - wire.spent
        return Measure(name, writes, state.statistics().frames - frames, wire.messages, wire.size, spent)


@fa.action(policy="droppable")
async def benchmark(get: fa.Get, set: fa.Set, page: ft.Page, plain: Sequence[ft.Text]) -> None:
    state = fa.current()

    def by_hand(number: int) -> None:
        text = plain[number % CELLS]
        text.value = f"{number // CELLS:02}"
        text.update()

    ways: list[Way] = [
        ("By hand: text.value = ..., text.update()", WRITES, by_hand),
        ("Bound: each write to one of 100 numbers", WRITES, lambda number: state.set(NUMBER[number % CELLS], number)),
        ("Fan-out: one number, which 100 texts follow", FANNED_OUT, lambda number: state.set(SHARED, number)),
    ]
    set(MEASURES, ())
    for part, way in enumerate(ways):

        def tell(share: float, part: int = part, name: str = way[0]) -> None:
            set.progress((part + share) / len(ways), name)

        set(MEASURES, (*get(MEASURES), await measure(page, way, tell)))
