"""The same as `test_hostile_table.py` for whatever a store awaits: who misbehaves there, and what comes of it.

Each row is something that runs as a task; each column is what it does instead of its work. A
bystander of the same kind runs beside it, and is none the worse for that. Afterwards the culprit
does its work when it is asked to once more, and nothing is left of what it did.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import assert_quiet
from tests.kit.failures import collect

N = fa.Key("n", 0)
OTHER = fa.Key("other", 0)
HELD = fa.Key("held", 0)


@pytest.fixture
def anyio_backend(fa_virtual_backend: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return fa_virtual_backend


class Fault(Exception):
    """What a culprit raises."""


class Stray(BaseException):
    """Stands for whatever is no Exception and not meant for the interpreter."""


class Act:
    """What a culprit does in the place of its work. Some of it lasts until the gate is opened."""

    def __init__(self, state: fa.StateManager) -> None:
        self.state = state
        self.deed: str | None = None
        self.gate = anyio.Event()
        self.under_way = 0
        self.waits_for_itself: Callable[[], Awaitable[object]] = anyio.sleep_forever
        self.ends_itself: Callable[[], object] = lambda: None

    async def __call__(self) -> None:
        await anyio.lowlevel.checkpoint()
        if self.deed is not None:
            self.under_way += 1
            try:
                await getattr(self, self.deed)()
            finally:
                self.under_way -= 1

    async def raises(self) -> None:
        raise Fault("it broke")

    async def raises_in_a_group(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.raises)
            await anyio.sleep_forever()

    async def strays(self) -> None:
        raise Stray

    async def recurses(self) -> None:
        await self.recurses()

    async def hangs(self) -> None:
        await anyio.sleep_forever()

    async def is_deaf(self) -> None:
        with anyio.CancelScope(shield=True):
            await self.gate.wait()

    async def waits(self) -> None:
        await self.waits_for_itself()

    async def ends(self) -> None:
        self.ends_itself()
        await anyio.sleep_forever()

    async def closes_the_store(self) -> None:
        await self.state.aclose()
        await anyio.sleep_forever()


@dataclass
class Culprit:
    """Something that awaits, and was set up to misbehave."""

    poke: Callable[[int], object]
    """Has it work."""
    done: Callable[[], int]
    """What it has last brought about."""
    stop: Callable[[], object]
    """Cancels what is under way."""


Scene = Callable[[fa.StateManager, Act], Culprit]


def async_selector(state: fa.StateManager, act: Act) -> Culprit:
    @fa.selector
    async def broken(get: fa.Get) -> int:
        number = get(N)
        await act()
        return number

    seen: list[int | None] = []
    subscription = state.listen(broken, seen.append)
    act.waits_for_itself = lambda: state.resolve(broken)
    act.ends_itself = lambda: state.delete(broken)
    return Culprit(lambda n: state.set(N, n), lambda: seen[-1] or 0, subscription.close)


def async_listener(state: fa.StateManager, act: Act) -> Culprit:
    seen: list[int] = []

    async def broken(n: int) -> None:
        await act()
        seen.append(n)

    subscription = state.listen(N, broken, immediate=False)
    act.ends_itself = subscription.close
    return Culprit(lambda n: state.set(N, n), lambda: seen[-1], subscription.close)


def async_effect(state: fa.StateManager, act: Act) -> Culprit:
    seen: list[int] = []

    @state.effect
    async def broken(get: fa.Get) -> None:
        number = get(N)
        await act()
        seen.append(number)

    act.ends_itself = broken.close
    return Culprit(lambda n: state.set(N, n), lambda: seen[-1], broken.close)


def action(state: fa.StateManager, act: Act) -> Culprit:
    @state.action(policy="restartable")
    async def broken(get: fa.Get, set: fa.Set, n: int) -> None:
        set(HELD, -1)
        await act()
        set(HELD, n)

    runs: list[fa.Run[None]] = []
    act.waits_for_itself = lambda: runs[-1]
    act.ends_itself = lambda: broken.cancel()
    return Culprit(lambda n: runs.append(broken(n)), lambda: state.get(HELD), broken.cancel)


def update(state: fa.StateManager, act: Act) -> Culprit:
    async def broken(n: int) -> int:
        await act()
        return n

    def poke(n: int) -> None:
        state.update(HELD, lambda _: broken(n))

    act.waits_for_itself = lambda: state.set(HELD, 5)
    act.ends_itself = lambda: state.delete(HELD)
    return Culprit(poke, lambda: state.get(HELD), lambda: state.delete(HELD))


def service(state: fa.StateManager, act: Act) -> Culprit:
    """A service for each number; one that fails stays down."""
    services: list[fa.Service] = []

    def poke(n: int) -> None:
        @state.service(f"service {n}", restart="temporary")
        async def broken(get: fa.Get, set: fa.Set) -> None:
            await act()
            set(HELD, n)

        services.append(broken)

    def stop() -> None:
        for each in services:
            each.stop()

    act.ends_itself = stop
    return Culprit(poke, lambda: state.get(HELD), stop)


# ------------------------------------------------------------------ what comes of it


@dataclass(frozen=True)
class Told:
    """What `on_error` hears."""

    kind: type[BaseException]
    words: str = ""


NOTHING: tuple[Told, ...] = ()
FAULT = (Told(Fault, "it broke"),)
STRAY = (Told(RuntimeError, "a stray Stray"),)
GROUP = (Told(Exception, "unhandled errors|Exceptions from Trio nursery"),)
STUCK = (Told(TimeoutError, "is stuck: still going 5.0 s after its cancel"),)
ITSELF = (Told(fa.DeadlockError, "a wait for oneself: .* waits for"),)

FAILS = {
    "raises": FAULT,
    "raises_in_a_group": GROUP,
    "strays": STRAY,
    "recurses": (Told(RecursionError),),
    "hangs": NOTHING,
    "is_deaf": STUCK,
    "ends": NOTHING,
}
TABLE: dict[Scene, dict[str, tuple[Told, ...]]] = {
    async_selector: {
        **FAILS,
        "waits": (Told(fa.DeadlockError),),
        "ends": (Told(fa.DeadlockError, "selector broken deletes itself while it computes"),),
    },
    async_listener: {**FAILS, "is_deaf": NOTHING},
    async_effect: {**FAILS, "is_deaf": NOTHING},
    action: {**FAILS, "waits": ITSELF},
    update: {**FAILS, "is_deaf": NOTHING, "waits": ITSELF},
    service: FAILS,
}


@asynccontextmanager
async def bystanders(state: fa.StateManager) -> AsyncIterator[Callable[[], list[int]]]:
    """One of each kind, which do their work whatever happens beside them."""
    heard: dict[str, int] = {}

    @fa.selector
    async def derived(get: fa.Get) -> int:
        return get(OTHER)

    async def note(n: int) -> None:
        heard["listener"] = n

    @state.effect
    async def effect(get: fa.Get) -> None:
        heard["effect"] = get(OTHER)

    async def follow(get: fa.Get, set: fa.Set) -> None:
        async for n in state.watch(OTHER):
            heard["service"] = n

    service = state.service("bystander")(follow)
    with effect, state.listen(OTHER, note), state.listen(derived, lambda n: heard.update(selector=n or 0)):
        yield lambda: [heard.get(each, 0) for each in ("listener", "effect", "service", "selector")]
    service.stop()


@pytest.mark.parametrize(
    ("scene", "deed"),
    [
        pytest.param(scene, deed, id=f"{scene.__name__}-{deed}".replace("_", " "))
        for scene, row in TABLE.items()
        for deed in row
    ],
)
async def test_what_comes_of_it(scene: Scene, deed: str) -> None:
    state = fa.StateManager()
    async with state:
        found = collect(state)
        async with bystanders(state) as heard:
            act = Act(state)
            culprit = scene(state, act)
            culprit.poke(1)
            await anyio.sleep(1)
            assert (culprit.done(), found) == (1, []), "the culprit is able to work"

            act.deed = deed
            culprit.poke(2)
            await anyio.sleep(1)
            state.set(OTHER, 7)
            await anyio.sleep(1)
            assert heard() == [7] * 4, "the others do their work meanwhile"
            act.deed = None
            is_under_way = act.under_way > 0
            if is_under_way:
                culprit.stop()
                await anyio.sleep(20)
                act.gate.set()
                await anyio.sleep(1)
            assert act.under_way == 0
            expected = TABLE[scene][deed]
            assert len(found) == len(expected)
            for failure, told in zip(found, expected, strict=True):
                assert isinstance(failure.error, told.kind)
                assert re.search(told.words, str(failure.error))
            found.clear()

            if not is_under_way and deed != "ends":
                culprit.poke(3)
                await anyio.sleep(1)
                assert culprit.done() == 3, "it works again"
            culprit.stop()
            await state.settled()
            assert found == []
        await anyio.sleep(1)
        assert_quiet(state)
        assert state.statistics().observed == 0


@pytest.mark.parametrize("scene", TABLE)
async def test_a_store_that_is_closed_from_within(scene: Scene) -> None:
    """It only asks for the end, and ends with the store, as everything else does."""
    state = fa.StateManager()
    found = collect(state)
    act = Act(state)
    culprit = scene(state, act)
    act.deed = "closes_the_store"
    culprit.poke(2)
    await anyio.sleep(30)
    assert "closed" in repr(state)
    assert act.under_way == 0
    assert state.statistics().jobs == 0
    assert {type(each.error) for each in found} <= {fa.ClosedError}, "at most that of a write that came to nothing"
    with pytest.raises(fa.ClosedError):
        state.set(N, 3)
