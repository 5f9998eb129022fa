"""Create, read and dispose many values: the time and the bytes of one."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import flet_asp_actors as fa

from .peers import PEERS, Peer
from .primitives import Kit, Missing, Source

__all__ = ("measure", "table", "weigh")

ATOMS, SELECTORS = 100_000, 10_000
Make = Callable[[Kit, int], list[Source]]


def _atoms(kit: Kit, n: int) -> list[Source]:
    if hasattr(kit, "store"):  # as an app has them: items of one key
        key = fa.Key("item", 0)
        return [key[i] for i in range(n)]
    return [kit.signal(0) for _ in range(n)]


def _selectors(kit: Kit, n: int) -> list[Source]:
    first, second = kit.signal(1), kit.signal(2)
    return [kit.derive(int.__add__, first, second) for _ in range(n)]


def weigh(peer: Peer, make: Make, n: int) -> dict[str, float]:
    """Microseconds to create, read and dispose one, the bytes it takes, and those that are left of it."""

    def once() -> tuple[Kit, list[Source]]:
        kit = peer.kit()
        made = make(kit, n)
        for each in made:
            kit.read(each)
        return kit, made

    gc.collect()
    gc.disable()
    start = process_time()
    held: Any = once()
    del held
    gc.collect()
    took = process_time() - start
    gc.enable()
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
    return {"us": took / n * 1e6, "bytes": (with_all - before) / n, "left": (left - before) / n}


def measure(is_quick: bool) -> list[dict[str, Any]]:
    share = 20 if is_quick else 1
    found: list[dict[str, Any]] = []
    for name, make, n in (("atom", _atoms, ATOMS // share), ("selector of two", _selectors, SELECTORS // share)):
        for peer in PEERS:
            if peer.is_installed and peer.name != "pykka" and not peer.on_loop:  # threads are not weighed
                try:
                    found.append({"what": name, "peer": peer.name, "n": n, **weigh(peer, make, n)})
                except Missing:
                    continue
    return found


def table(weights: Sequence[dict[str, Any]]) -> str:
    lines = ["", "| one of many | peer | us | bytes | bytes left |", "|---|---|---:|---:|---:|"]
    for each in weights:
        figures = f"{each['us']:.2f} | {each['bytes']:,.0f} | {each['left']:,.0f}"
        lines.append(f"| {each['what']} of {each['n']:,} | {each['peer']} | {figures} |")
    return "\n".join(lines)
