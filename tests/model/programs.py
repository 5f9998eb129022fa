"""Programs: lists of steps, made of a seed; how they are run, and how one that fails is made short."""

from __future__ import annotations

import functools
import gc
import logging
import random
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import anyio

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp, VirtualLoop

from .agenda import Ambiguous
from .declared import ACTIONS, CHAIN, LIST, NUMBERS, SELECTORS, SLOW, TOTAL, A, C, switching
from .machine import Machine, Step
from .rendered import Rendered, build_rendered
from .screen import POLICIES, SHOWN, OnPage, build

__all__ = ("EVERY", "VERBS", "kind_of", "make", "run", "shorten")

_VALUES = range(5)
_SECONDS = (0.0513, 0.2031, 0.4517, 1.3029)
_SLOTS = range(4)
_READABLE = (*NUMBERS, LIST, *SELECTORS, *SLOW)

VERBS: dict[str, tuple[int, tuple[Sequence[Any], ...]]] = {
    "set": (6, (NUMBERS, _VALUES)),
    "update": (3, (NUMBERS, _VALUES)),
    "fail": (1, (NUMBERS,)),
    "later": (4, (NUMBERS, _VALUES, _SECONDS, (False, False, True))),
    "edit": (2, (_VALUES,)),
    "reset": (1, ((*NUMBERS, LIST),)),
    "delete": (2, ((*NUMBERS, LIST, *SELECTORS, *SLOW),)),
    "invalidate": (1, ((*SELECTORS, *SLOW),)),
    "clear": (1, ()),
    "keep": (1, ()),
    "restore": (1, ()),
    "batch": (2, (NUMBERS, _VALUES, NUMBERS, _VALUES)),
    "declare": (1, (_VALUES,)),
    "rename": (1, (_VALUES,)),
    "transact": (3, (NUMBERS, _VALUES, NUMBERS, _VALUES, _SECONDS, ("done", "done", "failed", "cancelled"))),
    "start": (8, (ACTIONS, NUMBERS, _VALUES, _SECONDS, ("does", "fails", "puts back", "hopes", "hopes in vain"))),
    "cancel": (2, (range(8),)),
    "stop": (1, (ACTIONS,)),
    "idle": (1, (ACTIONS,)),
    "listen": (6, (_SLOTS, _READABLE, ("plain", "plain", "async", "effect"))),
    "pipe": (3, (_SLOTS, (A, C, TOTAL, switching))),
    "unlisten": (2, (_SLOTS,)),
    "resolve": (3, ([key for key in SLOW if key is not CHAIN],)),
    "refresh": (2, ([key for key in SLOW if key is not CHAIN],)),
    "crash": (1, ()),
    "halt": (1, ()),
    "launch": (1, ()),
    "wait": (8, (_SECONDS,)),
}
"""How often each verb comes, and what it may be given."""

PAGE_VERBS: dict[str, tuple[int, tuple[Sequence[Any], ...]]] = {
    **VERBS,
    "mount": (8, (range(len(SHOWN)),)),
    "unmount": (3, (range(len(SHOWN)),)),
    "type": (3, (("", "a", "ab"),)),
    "click": (3, ()),
    "disconnect": (2, (POLICIES,)),
    "reconnect": (3, ()),
}
"""The same for a program with a page whose controls are bound."""

KINDS: dict[str, dict[str, tuple[int, tuple[Sequence[Any], ...]]]] = {
    "alone": VERBS,
    "bound": PAGE_VERBS,
    "rendered": {verb: of for verb, of in PAGE_VERBS.items() if verb not in ("type", "click", "clear", "restore")},
}
"""What a program is about: a store alone, one with a page of controls, or one with a page of components."""

STEPS = 16

EVERY = 40
"""Of so many programs one has a page of controls, and one a page of components."""


def kind_of(seed: int) -> str:
    """What the program of a seed is about. A page takes five times as long."""
    return {EVERY - 1: "bound", EVERY // 2 - 1: "rendered"}.get(seed % EVERY, "alone")


def make(seed: int, kind: str) -> list[Step]:
    """The program of a seed. One in three ends in the middle of what it does."""
    chance, known = random.Random(seed), KINDS[kind]
    verbs = chance.choices(list(known), [often for often, _ in known.values()], k=STEPS)
    program: list[Step] = [(number, verb, *map(chance.choice, known[verb][1])) for number, verb in enumerate(verbs, 1)]
    return program if seed % 3 else [*program, (STEPS + 1, "close")]


def run(program: Sequence[Step], seed: int, kind: str) -> bool:
    """Run a program; gives whether it has one right result, which is not so if things happen at once by chance.

    Args:
        program: The steps.
        seed: In which order tasks go on that could do so at the same time.
        kind: What it is about.

    Raises:
        AssertionError: When the store and the reference differ, or something is left.
    """
    left: list[weakref.ref[Any]] = []
    # That a service has crashed is logged, and whoever keeps what is logged keeps the error, and with it the store.
    logger = logging.getLogger("flet_asp_actors")
    logger.disabled = True
    carry_out = {"alone": _alone, "bound": _bound, "rendered": _rendered}[kind]
    loop = functools.partial(VirtualLoop, seed=seed)
    try:
        anyio.run(carry_out, program, left, backend="asyncio", backend_options={"loop_factory": loop})
    except Ambiguous:
        return False
    finally:
        logger.disabled = False
    gc.collect()
    kept = [each() for each in left if each() is not None]
    assert not kept, f"kept alive: {kept}"
    return True


async def _alone(program: Sequence[Step], left: list[weakref.ref[Any]]) -> None:
    async with fa.StateManager() as state:
        left.append(weakref.ref(state))
        machine = Machine(state)
        await _steps(machine, program)
    await machine.closed()


async def _bound(program: Sequence[Step], left: list[weakref.ref[Any]]) -> None:
    async with HeadlessApp(build) as app:
        await _on_page(OnPage(app), program, left)


async def _rendered(program: Sequence[Step], left: list[weakref.ref[Any]]) -> None:
    async with HeadlessApp(build_rendered) as app:
        await _on_page(Rendered(app), program, left)


async def _on_page(machine: OnPage, program: Sequence[Step], left: list[weakref.ref[Any]]) -> None:
    left += map(weakref.ref, (machine.state, machine.app.page, *machine.controls))
    await _steps(machine, program)
    await machine.app.close()
    await machine.closed()


async def _steps(machine: Machine, program: Sequence[Step]) -> None:
    for step in program:
        if step[1] == "close":
            return
        await machine.do(step)
    await machine.end()


def shorten(program: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """Leave out of a program that fails what it fails without, and make what is left plain."""
    best = list(program)
    size = len(best)
    while size:
        for place in range(0, len(best), size)[::-1]:
            shorter = best[:place] + best[place + size :]
            if fails(shorter):
                best = shorter
        size //= 2
    for place, (number, verb, *given) in enumerate(best):
        for at, choices in enumerate(PAGE_VERBS[verb][1] if given else ()):
            for choice in choices:
                plainer = (number, verb, *given[:at], choice, *given[at + 1 :])
                if choice is given[at]:
                    break
                if fails([*best[:place], plainer, *best[place + 1 :]]):
                    best[place] = plainer
                    given[at] = choice
                    break
    return best
