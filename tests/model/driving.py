"""Many programs, one after the other; the first that fails is made short, and told how to be had again."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .machine import Step
from .programs import kind_of, make, run, shorten

__all__ = ("Tally", "drive", "explain")


@dataclass
class Tally:
    """What was run."""

    programs: int = 0
    steps: int = 0
    on_page: int = 0
    faults: int = 0
    """Steps that are there to fail, to cancel, to disconnect, or to end everything."""
    open: int = 0
    """Programs that were followed only up to where two things happened at once, and more than one end is right."""

    def __str__(self) -> str:
        return (
            f"{self.programs:,} programs of {self.steps:,} steps, {self.on_page:,} on a page; "
            f"{self.open:,} of them followed to a point from where on more than one end is right"
        )


def drive(seeds: Iterable[int], tell: Callable[[Tally], object] = lambda _: None) -> Tally:
    """Run the program of each seed.

    Args:
        seeds: Which programs.
        tell: Called after every thousand.

    Raises:
        AssertionError: For the first that fails; the text is its shortest form, and how to replay it.
    """
    tally = Tally()
    gc.collect()
    gc.freeze()  # each program is followed by a collection, which is to look at nothing older
    try:
        for seed in seeds:
            kind = kind_of(seed)
            program = make(seed, kind)
            try:
                tally.open += not run(program, seed, kind)
            except Exception as error:
                raise AssertionError(explain(seed)) from error
            tally.programs += 1
            tally.steps += len(program)
            tally.on_page += kind != "alone"
            tally.faults += sum(map(_is_fault, program))
            if tally.programs % 1_000 == 0:
                tell(tally)
    finally:
        gc.unfreeze()
    return tally


def explain(seed: int) -> str:
    """What there is to know of a program: whether it fails, its shortest form, and how to have it again."""
    kind = kind_of(seed)

    def fails(program: Sequence[Step]) -> Exception | None:
        try:
            run(program, seed, kind)
        except Exception as error:
            return error
        return None

    program = make(seed, kind)
    first = fails(program)
    if first is None:
        return f"program {seed} is right"
    short = shorten(program, lambda program: type(fails(program)) is type(first))
    error = fails(short)
    steps = "\n".join(f"    {step}" for step in short)
    return (
        f"program {seed} fails. The shortest form of it:\n{steps}\n"
        f"{type(error).__name__}: {error}\nTo replay it: make model SEED={seed}"
    )


_FAULTS = ("fail", "cancel", "stop", "idle", "clear", "disconnect", "close")
_ENDS = (True, "failed", "cancelled", "fails", "puts back", "hopes in vain")


def _is_fault(step: Step) -> bool:
    return step[1] in _FAULTS or (step[1] in ("later", "transact", "start") and step[-1] in _ENDS)
