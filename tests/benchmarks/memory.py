"""Create, read and dispose many values: the time and the bytes of one, and what the collector has to do for all."""

from __future__ import annotations

import functools
import gc
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any

import flet_asp_actors as fa

from .peers import FLOOR, OURS, Ours, Peer
from .primitives import Kit, Missing, Source
from .workers import NoAnswer

if TYPE_CHECKING:
    from .measuring import Column

__all__ = ("measure", "table", "weigh")

ATOMS, SELECTORS, MANY = 100_000, 10_000, 1_000_000
ROUNDS = 3
PATIENCE, MUCH_PATIENCE = 20.0, 120.0
"""Seconds of the processor for one of them, and for the million."""
Make = Callable[[Kit, int], list[Source]]


def _atoms(kit: Kit, n: int) -> list[Source]:
    return [kit.signal(0) for _ in range(n)]


def _items(kit: Kit, n: int) -> list[Source]:
    """Items of one key, where there are keys: `DONE[task]`."""
    if not isinstance(kit, Ours):
        raise Missing
    key = fa.Key("item", 0)
    return [key[i] for i in range(n)]


def _selectors(kit: Kit, n: int) -> list[Source]:
    first, second = kit.signal(1), kit.signal(2)
    return [kit.derive(int.__add__, first, second) for _ in range(n)]


@functools.cache
def _keys(n: int) -> list[Source]:
    return _atoms(Ours(), n)


@functools.cache
def _selector_keys(n: int) -> list[Source]:
    return _selectors(Ours(), n)


def _of_keys(kit: Kit, n: int) -> list[Source]:
    """What the store has of keys that are there already, as those of a module are."""
    if not isinstance(kit, Ours):
        raise Missing
    return list(_keys(n))


def _of_selector_keys(kit: Kit, n: int) -> list[Source]:
    if not isinstance(kit, Ours):
        raise Missing
    return list(_selector_keys(n))


def _written(kit: Kit, n: int) -> list[Source]:
    made = _atoms(kit, n)
    for each in made:
        kit.write(each, 1)
    return made


KINDS: dict[str, Make] = {
    "atom": _atoms,
    "atom, without its key": _of_keys,
    "item of a key": _items,
    "selector of two": _selectors,
    "selector of two, without its key and function": _of_selector_keys,
    "atom, set": _written,
}


def weigh(peer: Peer, what: str, n: int) -> dict[str, float]:
    """Create so many, read each, and dispose them.

    Gives for one of them the microseconds, the bytes it takes, and the bytes that
    are left of it; and for all of them the milliseconds of a full pass of the collector.
    """
    make = KINDS[what]

    def once() -> tuple[Kit, list[Source]]:
        kit = peer.kit()
        made = make(kit, n)
        for each in made:
            kit.read(each)
        return kit, made

    held: Any = peer.kit(), make(peer.kit(), 2)  # what is only made once
    del held
    took: list[float] = []
    pass_of_all = pass_of_none = 0.0
    for _ in range(ROUNDS if n < ATOMS else 1):  # so many are an average already
        gc.collect()
        pass_of_none = _pass()
        gc.disable()
        start = process_time()
        held = once()
        created = process_time() - start
        gc.enable()
        gc.collect()
        pass_of_all = _pass()
        start = process_time()
        del held
        gc.collect()
        took.append(created + process_time() - start)
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        held = once()
        gc.collect()
        with_all = tracemalloc.get_traced_memory()[0]
        del held
        gc.collect()
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    return {
        "us": median(took) / n * 1e6,
        "bytes": (with_all - before) / n,
        "left": (left - before) / n,
        "gc_ms": (pass_of_all - pass_of_none) * 1e3,
    }


def _pass() -> float:
    start = process_time()
    gc.collect()
    return process_time() - start


def measure(columns: Sequence[Column], is_quick: bool) -> list[dict[str, Any]]:
    """Weigh one of many, and a million of ours and of the floor."""
    share = 20 if is_quick else 1
    rows = [(what, SELECTORS if "selector" in what else MANY if what == "atom, set" else ATOMS) for what in KINDS]
    found: list[dict[str, Any]] = []
    for what, n in rows:
        for column in columns:
            peer = column.peer
            if peer.has_threads or peer.on_loop or (n == MANY and peer not in (OURS, FLOOR)):
                continue
            try:
                patience = MUCH_PATIENCE if n == MANY else PATIENCE
                weights = column.ask("weigh", patience, what=what, n=n // share)
            except NoAnswer as error:
                print(f"{what}, {peer.name}: {error}", file=sys.stderr)
                continue
            if weights is not None:
                found.append({"what": what, "peer": peer.name, "n": n // share, **weights})
                print(f"{what} of {n // share:,}, {peer.name}: {weights['bytes']:,.0f} bytes", file=sys.stderr)
    return found


def table(weights: Sequence[dict[str, Any]]) -> str:
    """A line for each kind and peer."""
    lines = [
        "| one of many | peer | us to create, read and dispose | bytes | bytes left | ms of a gc pass over all |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for each in weights:
        figures = f"{each['us']:.2f} | {each['bytes']:,.0f} | {each['left']:,.1f} | {each['gc_ms']:.1f}"
        lines.append(f"| {each['what']}, {each['n']:,} | {each['peer']} | {figures} |")
    return "\n".join(lines)
