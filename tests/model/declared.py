"""What programs are about: keys, selectors and actions, of which the store and the model know the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio

import flet_asp_actors as fa

__all__ = (
    "A",
    "ACTIONS",
    "BEAT",
    "BEATS",
    "CRASH",
    "B",
    "C",
    "CHAIN",
    "DONE",
    "FLAKY",
    "FRESH",
    "ITEM",
    "LIST",
    "LOADING",
    "MEMBERS",
    "NAME",
    "NUMBERS",
    "Planned",
    "ROUTE",
    "SEARCH",
    "SELECTORS",
    "SINK",
    "SLOW",
    "STUBBORN",
    "Slow",
    "TEXT",
    "TIMEOUT",
    "TOTAL",
    "USERS",
    "Unlucky",
    "beat",
    "shown",
    "sturdy",
    "switching",
)


class Planned(Exception):
    """What a step raises on purpose; its number tells which."""


class Unlucky(Exception):
    """A value that some selectors cannot bear."""


A = fa.Key("a", 0)
B = fa.Key("b", 1)
C = fa.Key("c", 2)
ITEM = fa.Key("item", 1)
NUMBERS: tuple[fa.Key[int], ...] = (A, B, C, ITEM[0], ITEM[1])
"""The atoms that everything is done to."""
LIST = fa.Key[list[int]]("list", factory=list)
TEXT = fa.Key("text", "")
NAME = "named"
"""One without a typed key: it can be declared, deleted, and declared again."""
DONE = fa.Key("done", 0)
"""How many runs have come to their end."""
LOADING = fa.Key("loading", False)
"""By run: what it puts back, whatever becomes of it."""
BEATS = fa.Key("beats", 0)
"""What a service adds to, as long as somebody observes C."""
CRASH = fa.Key("crash", False)
"""Whether it is to crash with the next beat."""
SINK = fa.Key("sink", -1)
"""By listener: what one that writes has written."""


@fa.selector
def total(get: fa.Get) -> int:
    return get(A) + get(B) * 2


@fa.selector
def switching(get: fa.Get) -> int:
    """Depends now on the one, now on the other."""
    return get(B) if get(A) % 2 else get(ITEM[get(A) % 3])


@fa.selector
def coarse(get: fa.Get) -> int:
    """Comes often to the same result."""
    return get(total) % 2


@fa.selector
def fragile(get: fa.Get) -> int:
    if get(total) % 4 == 3:
        raise Unlucky
    return get(total) + get(C)


@fa.selector
def sturdy(get: fa.Get) -> int:
    try:
        return get(fragile)
    except Unlucky:
        return -1 - get(coarse)


@fa.family(max_size=2)
def member(get: fa.Get, number: int) -> int:
    return get(ITEM[number]) * 10 + get(A)


@fa.selector
def copied(get: fa.Get) -> list[int]:
    """A mutable value of a mutable value."""
    return list(get(LIST))


@fa.selector
def summed(get: fa.Get) -> int:
    return sum(get(copied)) + get(member(get(A) % 2))


@fa.selector
def named(get: fa.Get) -> int:
    """Fails as long as there is no such name."""
    return int(get(NAME)) + get(C)


@dataclass(frozen=True)
class Slow:
    """A selector that takes time: it reads, waits, and then has a value, or has none.

    The times are odd, so that no two things happen at once by chance.
    """

    read: Callable[[fa.Get], int]
    seconds: float
    debounce: float = 0.0
    is_bad: Callable[[int], bool] = lambda _: False
    tries: int = 1
    refresh_every: float | None = None
    keep_for: float | None = None

    async def compute(self, get: fa.Get) -> int:
        """What its function does."""
        value = self.read(get)
        await anyio.sleep(self.seconds)
        if self.is_bad(value):
            raise Unlucky
        return value

    def key(self, name: str) -> fa.AsyncSelectorKey[int, int | None]:
        """Make a selector of it."""

        async def function(get: fa.Get) -> int:
            return await self.compute(get)

        retry = fa.Retry(self.tries, base=0)
        return fa.selector(
            name, debounce=self.debounce, retry=retry, refresh_every=self.refresh_every, keep_for=self.keep_for
        )(function)


_ROUTE = Slow(lambda get: get(total) + 100, 0.412731)
_SEARCH = Slow(lambda get: get(A) + 300, 0.151917, debounce=0.300713)
_FLAKY = Slow(lambda get: get(C) + get(A), 0.337211, is_bad=lambda value: value % 3 == 2)
_STUBBORN = Slow(lambda get: get(B) * 2 + get(A), 0.178313, is_bad=lambda value: value % 2 == 1, tries=2, keep_for=0.61)
_FRESH = Slow(lambda get: get(C) + 500, 0.123719, refresh_every=0.937141)
_USERS = tuple(
    Slow(lambda get, number=number: get(C) * 7 + number, 0.191753 + number / 13, keep_for=0.712377)  # type: ignore[misc]  # a loop variable
    for number in range(2)
)

TOTAL = total
ROUTE = _ROUTE.key("route")
_CHAIN = Slow(lambda get: (get(ROUTE) or 0) * 2 + get(B), 0.231147)
CHAIN = _CHAIN.key("chain")
SEARCH = _SEARCH.key("search")
FLAKY = _FLAKY.key("flaky")
STUBBORN = _STUBBORN.key("stubborn")
FRESH = _FRESH.key("fresh")


@fa.family(keep_for=_USERS[0].keep_for)
async def user(get: fa.Get, number: int) -> int:
    return await _USERS[number].compute(get)


USERS = tuple(user(number) for number in range(2))

SLOW: dict[Any, Slow] = {
    ROUTE: _ROUTE,
    CHAIN: _CHAIN,
    SEARCH: _SEARCH,
    FLAKY: _FLAKY,
    STUBBORN: _STUBBORN,
    FRESH: _FRESH,
    **dict(zip(USERS, _USERS, strict=True)),
}
"""CHAIN reads another one of them; the others can be waited for one by one."""


@fa.selector
def shown(get: fa.Get) -> str:
    """Observes what takes time, through one that does not."""
    return f"{get(ROUTE)} {get(SEARCH)}"


@fa.selector
def fallback(get: fa.Get) -> int:
    try:
        return get(FLAKY) or 0
    except Unlucky:
        return -1


MEMBERS = tuple(member(number) for number in range(3))

SELECTORS: tuple[Any, ...] = (
    *(total, switching, coarse, fragile, sturdy, copied, summed, named, shown, fallback),
    *MEMBERS,
)

TIMEOUT = 0.6
"""Seconds that a run of `timed` may take."""


async def _work(get: fa.Get, set: fa.Set, number: int, key: fa.Key[int], value: int, seconds: float, how: str) -> int:
    """Write, wait, write; fail or put back, as it is told."""
    before = get(key)
    set(LOADING[number % 2], True)
    try:
        if how == "hopes" or how == "hopes in vain":
            async with set.optimistic(key, value):
                await anyio.sleep(seconds)
                if how == "hopes in vain":
                    raise Planned(number)
        else:
            set(key, value)
            await anyio.sleep(seconds)
            if how != "does":
                raise Planned(number)
        set.update(DONE, lambda done: done + 1)
    except BaseException:
        if how == "puts back":
            set(key, before)
        raise
    finally:
        set(LOADING[number % 2], False)
    return number


BEAT = 1.517199


async def beat(get: fa.Get, set: fa.Set) -> None:
    """The service."""
    while True:
        await anyio.sleep(BEAT)
        if get(CRASH):
            set(CRASH, False)
            raise Planned("crash")
        set.update(BEATS, lambda beats: beats + 1)


ACTIONS: tuple[fa.Action[..., int], ...] = (
    fa.Action(_work, name="concurrent"),
    fa.Action(_work, name="sequential", policy="sequential"),
    fa.Action(_work, name="droppable", policy="droppable"),
    fa.Action(_work, name="restartable", policy="restartable", expect=(Planned,)),
    fa.Action(_work, name="timed", timeout=TIMEOUT),
    fa.Action(_work, name="retried", retry=fa.Retry(2, base=0)),
    fa.Action(_work, name="each", policy="droppable", per="value"),
)
