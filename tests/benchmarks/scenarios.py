"""What is measured: scenarios, what a right answer is in each, and how each peer does it.

An adapter builds what its scenario needs and returns `run(n)`, which does the operation n
times, writing 1 to n, and returns what can be read at the end. What the selectors compute
and the listeners do comes from a `Probe`: a check hands in functions that keep count, a
measurement functions that do next to nothing. So what is measured is what was checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import importlib.util
import io
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

import anyio
import anyio.abc
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream

import flet_asp_actors as fa

__all__ = ("OURS", "OURS_ON_LOOP", "PEERS", "SCENARIOS", "Peer", "Probe", "Run", "Scenario", "build", "check", "finish")

Run = Callable[[int], Union[int, Awaitable[int]]]
Listener = Callable[[int], None]


# --------------------------------------------------------------------------- probes


def _plus_one(value: int) -> int:
    return value + 1


def _deaf() -> Listener:
    def ignore(value: int) -> None:
        pass

    return ignore


@dataclass(frozen=True)
class Probe:
    """What the graph of an adapter is made of."""

    step: Callable[[int], int] = _plus_one
    """What a selector with one source computes."""
    join: Callable[[list[int]], int] = sum
    """What a selector with many sources computes."""
    listener: Callable[[], Listener] = _deaf
    """Makes a listener; a new one each time, since some peers list one only once."""


@dataclass
class Witness:
    """What a probe that keeps count has seen."""

    steps: int = 0
    joins: int = 0
    mixed: int = 0
    told: list[int] = field(default_factory=list[int])

    def probe(self) -> Probe:
        def step(value: int) -> int:
            self.steps += 1
            return value + 1

        def join(values: list[int]) -> int:
            self.joins += 1
            self.mixed += len(set(values)) > 1
            return sum(values)

        def listener() -> Listener:
            return lambda value: self.told.append(value)

        return Probe(step, join, listener)

    def forget(self) -> None:
        self.steps = self.joins = self.mixed = 0
        self.told.clear()


# --------------------------------------------------------------------------- peers and scenarios


@dataclass(frozen=True)
class Peer:
    """A column of the table."""

    name: str
    module: str | None = None
    """What has to be installed for it."""
    on_loop: bool = False
    """Whether the adapter is called while the loop is running, so that a store finds a home."""

    @property
    def is_installed(self) -> bool:
        return self.module is None or importlib.util.find_spec(self.module) is not None


OURS = Peer("ours")
OURS_ON_LOOP = Peer("ours, on a loop", on_loop=True)
FLOOR = Peer("floor")
ACTOR = Peer("anyio actor")
REAKTIV = Peer("reaktiv", "reaktiv")
SIGNIFIED = Peer("signified", "signified")
PSYGNAL = Peer("psygnal", "psygnal")
OBSERV = Peer("observ", "observ")

PEERS = (OURS, OURS_ON_LOOP, FLOOR, ACTOR, REAKTIV, SIGNIFIED, PSYGNAL, OBSERV)


@dataclass(frozen=True)
class Answer:
    """What is right after 1, 2 and 3 were written."""

    value: int = 3
    steps: int = 0
    joins: int = 0
    told: tuple[int, ...] = ()


Adapter = Callable[[Probe, int], Run]


@dataclass(frozen=True)
class Scenario:
    """A row of the table."""

    name: str
    checked: str
    """What a peer has to get right before it is measured."""
    floor: str
    size: int
    """Listeners, selectors, or things to weigh."""
    answer: Callable[[int], Answer] | None
    """What is right for a size; None where `run(n)` weighs n things and checks them itself."""
    adapters: Mapping[Peer, Adapter]

    @property
    def weighs(self) -> bool:
        """Whether `run` returns bytes, instead of being timed."""
        return self.answer is None


def build(scenario: Scenario, peer: Peer, loop: asyncio.AbstractEventLoop, probe: Probe, size: int) -> Run:
    """Call the adapter of a peer, on the running loop if the peer wants that."""
    adapter = scenario.adapters[peer]
    if not peer.on_loop:
        return adapter(probe, size)

    async def on_loop() -> Run:
        return adapter(probe, size)

    return loop.run_until_complete(on_loop())


def finish(loop: asyncio.AbstractEventLoop, result: int | Awaitable[int]) -> int:
    """Give the result of a `run`, which may have to be awaited."""
    if isinstance(result, int):
        return result

    async def wait() -> int:
        return await result

    return loop.run_until_complete(wait())


def check(scenario: Scenario, peer: Peer, loop: asyncio.AbstractEventLoop, size: int) -> str | None:
    """Say what a peer gets wrong in a scenario, or None."""
    # Some peers print the errors of their listeners instead of raising them.
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            return _find_fault(scenario, peer, loop, size)
        except Exception as error:
            return type(error).__name__
        finally:
            gc.collect()


def _find_fault(scenario: Scenario, peer: Peer, loop: asyncio.AbstractEventLoop, size: int) -> str | None:
    witness = Witness()
    run = build(scenario, peer, loop, witness.probe(), size)
    if scenario.answer is None:
        finish(loop, run(size))
        return None
    finish(loop, run(2))
    witness.forget()
    value = finish(loop, run(3))
    right = scenario.answer(size)
    if value != right.value:
        return f"read {value} instead of {right.value}"
    if witness.mixed:
        return f"{witness.mixed} of {witness.joins} computations saw old and new values mixed"
    if (witness.steps, witness.joins) != (right.steps, right.joins):
        return f"{witness.steps + witness.joins} computations instead of {right.steps + right.joins}"
    if tuple(witness.told) != right.told:
        return f"the listeners heard {len(witness.told)} values, or others, instead of {len(right.told)}"
    return None


def _import(name: str) -> Any:
    """Import a peer: some of them have no types."""
    return importlib.import_module(name)


# --------------------------------------------------------------------------- floors and the actor


class Cell:
    """A slotted object that compares and stores."""

    __slots__ = ("value",)

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def set(self, value: int) -> None:
        if value != self.value:
            self.value = value


class DerivedCell:
    """A slotted object with a value, a function and two sources."""

    __slots__ = ("first", "function", "second", "value")

    def __init__(self, function: Callable[[int, int], int], first: Cell, second: Cell) -> None:
        self.function = function
        self.first = first
        self.second = second
        self.value = function(first.value, second.value)


class StreamActor:
    """An actor as one writes it by hand: a task that takes messages from a stream."""

    def __init__(self, listeners: list[Listener]) -> None:
        self.value = 0
        self.listeners = listeners

    def start(self, group: anyio.abc.TaskGroup) -> None:
        self._send, receive = anyio.create_memory_object_stream[tuple[int, anyio.Event]](16)
        group.start_soon(self._serve, receive)

    async def set(self, value: int) -> None:
        done = anyio.Event()
        await self._send.send((value, done))
        await done.wait()

    def stop(self) -> None:
        self._send.close()

    async def _serve(self, receive: MemoryObjectReceiveStream[tuple[int, anyio.Event]]) -> None:
        with receive:
            async for value, done in receive:
                if value != self.value:
                    self.value = value
                    for listener in self.listeners:
                        listener(value)
                done.set()


# --------------------------------------------------------------------------- set + get


def _set_get_answer(size: int) -> Answer:
    return Answer()


def ours_by_key(probe: Probe, size: int) -> Run:
    store, key = fa.StateManager(), fa.Key("count", 0)

    def run(n: int) -> int:
        value = 0
        for i in range(1, n + 1):
            store.set(key, i)
            value = store.get(key)
        return value

    return run


def ours_by_handle(probe: Probe, size: int) -> Run:
    atom = fa.StateManager().atom(fa.Key("count", 0))

    def run(n: int) -> int:
        value = 0
        for i in range(1, n + 1):
            atom.set(i)
            value = atom.value
        return value

    return run


def floor_by_key(probe: Probe, size: int) -> Run:
    cells, key = dict[object, Cell](), fa.Key("count", 0)
    cells[key] = Cell()

    def run(n: int) -> int:
        value = 0
        for i in range(1, n + 1):
            cells[key].set(i)
            value = cells[key].value
        return value

    return run


def floor_by_handle(probe: Probe, size: int) -> Run:
    cell = Cell()

    def run(n: int) -> int:
        value = 0
        for i in range(1, n + 1):
            cell.set(i)
            value = cell.value
        return value

    return run


def actor_by_handle(probe: Probe, size: int) -> Run:
    actor = StreamActor([])

    async def run(n: int) -> int:
        value = 0
        async with anyio.create_task_group() as group:
            actor.start(group)
            for i in range(1, n + 1):
                await actor.set(i)
                value = actor.value
            actor.stop()
        return value

    return run


def reaktiv_by_key(probe: Probe, size: int) -> Run:
    key = fa.Key("count", 0)
    signals: dict[object, Any] = {key: _import("reaktiv").Signal(0)}

    def run(n: int) -> int:
        value: int = 0
        for i in range(1, n + 1):
            signals[key].set(i)
            value = signals[key]()
        return value

    return run


def reaktiv_by_handle(probe: Probe, size: int) -> Run:
    signal = _import("reaktiv").Signal(0)

    def run(n: int) -> int:
        value: int = 0
        for i in range(1, n + 1):
            signal.set(i)
            value = signal()
        return value

    return run


def signified_by_key(probe: Probe, size: int) -> Run:
    key = fa.Key("count", 0)
    signals: dict[object, Any] = {key: _import("signified").Signal(0)}

    def run(n: int) -> int:
        value: int = 0
        for i in range(1, n + 1):
            signals[key].value = i
            value = signals[key].value
        return value

    return run


def signified_by_handle(probe: Probe, size: int) -> Run:
    signal = _import("signified").Signal(0)

    def run(n: int) -> int:
        value: int = 0
        for i in range(1, n + 1):
            signal.value = i
            value = signal.value
        return value

    return run


def _psygnal_class() -> Any:
    """Make a class of objects whose attribute tells of its changes."""

    @dataclass
    class Evented:
        value: int = 0

    evented = _import("psygnal").evented(Evented)
    _ = evented().events  # until somebody asks for these the class is a plain one
    return evented


def psygnal_by_key(probe: Probe, size: int) -> Run:
    key = fa.Key("count", 0)
    cells: dict[object, Any] = {key: _psygnal_class()()}

    def run(n: int) -> int:
        value: int = 0
        for i in range(1, n + 1):
            cells[key].value = i
            value = cells[key].value
        return value

    return run


def psygnal_by_handle(probe: Probe, size: int) -> Run:
    cell = _psygnal_class()()

    def run(n: int) -> int:
        value: int = 0
        for i in range(1, n + 1):
            cell.value = i
            value = cell.value
        return value

    return run


def observ_by_key(probe: Probe, size: int) -> Run:
    key = fa.Key("count", 0)
    refs: dict[object, Any] = {key: _import("observ").ref(0)}

    def run(n: int) -> int:
        value: int = 0
        for i in range(1, n + 1):
            refs[key]["value"] = i
            value = refs[key]["value"]
        return value

    return run


def observ_by_handle(probe: Probe, size: int) -> Run:
    ref = _import("observ").ref(0)

    def run(n: int) -> int:
        value: int = 0
        for i in range(1, n + 1):
            ref["value"] = i
            value = ref["value"]
        return value

    return run


# --------------------------------------------------------------------------- await set


def ours_awaited(probe: Probe, size: int) -> Run:
    store, key = fa.StateManager(), fa.Key("count", 0)

    async def run(n: int) -> int:
        for i in range(1, n + 1):
            await store.set(key, i)
        return store.get(key)

    return run


def floor_awaited(probe: Probe, size: int) -> Run:
    cell = Cell()

    async def trivial(value: int) -> None:
        cell.value = value

    async def run(n: int) -> int:
        for i in range(1, n + 1):
            await trivial(i)
        return cell.value

    return run


# --------------------------------------------------------------------------- fan-out


def _fan_out_answer(size: int) -> Answer:
    return Answer(3, told=(1,) * size + (2,) * size + (3,) * size)


def ours_fan_out(probe: Probe, size: int) -> Run:
    store, key = fa.StateManager(), fa.Key("count", 0)
    for _ in range(size):
        store.listen(key, probe.listener(), immediate=False)

    def run(n: int) -> int:
        for i in range(1, n + 1):
            store.set(key, i)
        return store.get(key)

    return run


def floor_fan_out(probe: Probe, size: int) -> Run:
    cell, listeners = Cell(), [probe.listener() for _ in range(size)]

    def run(n: int) -> int:
        for i in range(1, n + 1):
            cell.set(i)
            for listener in listeners:
                listener(i)
        return cell.value

    return run


def actor_fan_out(probe: Probe, size: int) -> Run:
    actor = StreamActor([probe.listener() for _ in range(size)])

    async def run(n: int) -> int:
        async with anyio.create_task_group() as group:
            actor.start(group)
            for i in range(1, n + 1):
                await actor.set(i)
            actor.stop()
        return actor.value

    return run


def reaktiv_fan_out(probe: Probe, size: int) -> Run:
    reaktiv = _import("reaktiv")
    signal = reaktiv.Signal(0)

    def listen(listener: Listener) -> Any:
        return reaktiv.Effect(lambda: listener(signal()))

    effects = [listen(probe.listener()) for _ in range(size)]

    def run(n: int, keep: object = effects) -> int:
        for i in range(1, n + 1):
            signal.set(i)
        value: int = signal()
        return value

    return run


class SignifiedListener:
    """What signified had for a listener before 0.7."""

    def __init__(self, source: Any, listener: Listener) -> None:
        self.source = source
        self.listener = listener

    def update(self) -> None:
        self.listener(self.source.value)


def _signified_listen(source: Any, listener: Listener) -> object:
    """Listen, in the way of the version that is installed: an effect since 0.7, an observer before."""
    signified = _import("signified")
    if hasattr(signified, "Effect"):
        return signified.Effect(lambda: listener(source.value))
    observer = SignifiedListener(source, listener)
    source.subscribe(observer)
    return observer


def signified_fan_out(probe: Probe, size: int) -> Run:
    signal = _import("signified").Signal(0)
    listeners = [_signified_listen(signal, probe.listener()) for _ in range(size)]

    def run(n: int, keep: object = listeners) -> int:
        for i in range(1, n + 1):
            signal.value = i
        value: int = signal.value
        return value

    return run


def psygnal_fan_out(probe: Probe, size: int) -> Run:
    cell = _psygnal_class()()
    for _ in range(size):
        cell.events.value.connect(probe.listener())

    def run(n: int) -> int:
        for i in range(1, n + 1):
            cell.value = i
        value: int = cell.value
        return value

    return run


def observ_fan_out(probe: Probe, size: int) -> Run:
    observ = _import("observ")
    ref = observ.ref(0)
    watchers = [observ.watch(lambda: ref["value"], probe.listener(), sync=True) for _ in range(size)]

    def run(n: int, keep: object = watchers) -> int:
        for i in range(1, n + 1):
            ref["value"] = i
        value: int = ref["value"]
        return value

    return run


# --------------------------------------------------------------------------- chain


def _chain_answer(size: int) -> Answer:
    return Answer(3 + size, steps=3 * size, told=(1 + size, 2 + size, 3 + size))


def _our_step(step: Callable[[int], int], source: fa.Readable[int]) -> fa.SelectorKey[int]:
    @fa.selector
    def stepped(get: fa.Get) -> int:
        return step(get(source))

    return stepped


def ours_chain(probe: Probe, size: int) -> Run:
    store, key = fa.StateManager(), fa.Key("count", 0)
    last: fa.Readable[int] = key
    for _ in range(size):
        last = _our_step(probe.step, last)
    store.listen(last, probe.listener(), immediate=False)

    def run(n: int) -> int:
        for i in range(1, n + 1):
            store.set(key, i)
        return store.get(last)

    return run


def floor_chain(probe: Probe, size: int) -> Run:
    values, step, listener = [0] * (size + 1), probe.step, probe.listener()

    def run(n: int) -> int:
        for i in range(1, n + 1):
            values[0] = value = i
            for layer in range(1, size + 1):
                values[layer] = value = step(value)
            listener(value)
        return values[-1]

    return run


def _reaktiv_step(reaktiv: Any, step: Callable[[int], int], source: Any) -> Any:
    return reaktiv.Computed(lambda: step(source()))


def reaktiv_chain(probe: Probe, size: int) -> Run:
    reaktiv = _import("reaktiv")
    signal = last = reaktiv.Signal(0)
    for _ in range(size):
        last = _reaktiv_step(reaktiv, probe.step, last)
        last()  # one by one, so that the first computation need not recurse
    listener = probe.listener()
    effect = reaktiv.Effect(lambda: listener(last()))

    def run(n: int, keep: object = effect) -> int:
        for i in range(1, n + 1):
            signal.set(i)
        value: int = last()
        return value

    return run


def signified_chain(probe: Probe, size: int) -> Run:
    signified = _import("signified")
    signals: list[Any] = [signified.Signal(0)]
    for _ in range(size):
        signals.append(signified.computed(probe.step)(signals[-1]))
    listener = _signified_listen(signals[-1], probe.listener())

    def run(n: int, keep: object = listener) -> int:
        for i in range(1, n + 1):
            signals[0].value = i
        value: int = signals[-1].value
        return value

    return run


def _observ_step(observ: Any, step: Callable[[int], int], source: Any) -> Any:
    return observ.computed(lambda: step(source()))


def observ_chain(probe: Probe, size: int) -> Run:
    observ = _import("observ")
    ref = observ.ref(0)

    def read() -> Any:
        return ref["value"]

    last: Any = read
    for _ in range(size):
        last = _observ_step(observ, probe.step, last)
        last()  # one by one, so that the first computation need not recurse
    watcher = observ.watch(last, probe.listener(), sync=True)

    def run(n: int, keep: object = watcher) -> int:
        for i in range(1, n + 1):
            ref["value"] = i
        value: int = last()
        return value

    return run


# --------------------------------------------------------------------------- diamond


def _diamond_answer(size: int) -> Answer:
    return Answer(4 * size, steps=3 * size, joins=3, told=(2 * size, 3 * size, 4 * size))


def ours_diamond(probe: Probe, size: int) -> Run:
    store, key, join = fa.StateManager(), fa.Key("count", 0), probe.join
    sides = [_our_step(probe.step, key) for _ in range(size)]

    @fa.selector
    def total(get: fa.Get) -> int:
        return join([get(side) for side in sides])

    store.listen(total, probe.listener(), immediate=False)

    def run(n: int) -> int:
        for i in range(1, n + 1):
            store.set(key, i)
        return store.get(total)

    return run


def ours_diamond_by_handle(probe: Probe, size: int) -> Run:
    store, step, join = fa.StateManager(), probe.step, probe.join
    atom = store.atom("count", 0)
    sides = [store.add_selector(("side", i), lambda get: step(get(atom))) for i in range(size)]
    total = store.add_selector("total", lambda get: join([get(side) for side in sides]))
    store.listen(total, probe.listener(), immediate=False)

    def run(n: int) -> int:
        for i in range(1, n + 1):
            atom.set(i)
        return total.value

    return run


def floor_diamond(probe: Probe, size: int) -> Run:
    step, join, listener = probe.step, probe.join, probe.listener()
    sides, total = [0] * size, Cell()

    def run(n: int) -> int:
        for i in range(1, n + 1):
            for side in range(size):
                sides[side] = step(i)
            total.value = join(sides)
            listener(total.value)
        return total.value

    return run


def reaktiv_diamond(probe: Probe, size: int) -> Run:
    reaktiv, join, listener = _import("reaktiv"), probe.join, probe.listener()
    signal = reaktiv.Signal(0)
    sides = [_reaktiv_step(reaktiv, probe.step, signal) for _ in range(size)]
    total = reaktiv.Computed(lambda: join([side() for side in sides]))
    effect = reaktiv.Effect(lambda: listener(total()))

    def run(n: int, keep: object = effect) -> int:
        for i in range(1, n + 1):
            signal.set(i)
        value: int = total()
        return value

    return run


def signified_diamond(probe: Probe, size: int) -> Run:
    signified, join = _import("signified"), probe.join
    signal = signified.Signal(0)
    sides = [signified.computed(probe.step)(signal) for _ in range(size)]

    def join_all(*values: int) -> int:
        return join(list(values))

    total = signified.computed(join_all)(*sides)
    listener = _signified_listen(total, probe.listener())

    def run(n: int, keep: object = listener) -> int:
        for i in range(1, n + 1):
            signal.value = i
        value: int = total.value
        return value

    return run


def observ_diamond(probe: Probe, size: int) -> Run:
    observ, join = _import("observ"), probe.join
    ref = observ.ref(0)
    sides = [_observ_step(observ, probe.step, lambda: ref["value"]) for _ in range(size)]
    total = observ.computed(lambda: join([side() for side in sides]))
    watcher = observ.watch(total, probe.listener(), sync=True)

    def run(n: int, keep: object = watcher) -> int:
        for i in range(1, n + 1):
            ref["value"] = i
        value: int = total()
        return value

    return run


# --------------------------------------------------------------------------- memory

# The keys of atoms, and the functions and keys of selectors, belong to the program: they
# are there before the weighing begins, for every peer. The dict that finds things by key
# is weighed, for every peer.

Reader = Callable[[int], int]


def _weigh(make: Callable[[], Reader], n: int, right: int) -> int:
    """Make n things and give the bytes that they take, by tracemalloc."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        read = make()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if any(read(i) != right for i in range(n)):
        raise AssertionError("a wrong value")
    return after - before


def _make_keys(n: int) -> list[fa.Key[int]]:
    return [fa.Key("atom", 0) for _ in range(n)]


def ours_atoms(probe: Probe, size: int) -> Run:
    def run(n: int) -> int:
        keys, store = _make_keys(n), fa.StateManager()

        def make() -> Reader:
            for key in keys:
                store.atom(key)
            return lambda i: store.get(keys[i])

        return _weigh(make, n, 0)

    return run


def _cells(make_one: Callable[[], Any], read_one: Callable[[Any], int]) -> Run:
    """Weigh what stands for an atom at a peer, found by key."""

    def run(n: int) -> int:
        keys = _make_keys(n)

        def make() -> Reader:
            cells = {key: make_one() for key in keys}
            return lambda i: read_one(cells[keys[i]])

        return _weigh(make, n, 0)

    return run


def floor_atoms(probe: Probe, size: int) -> Run:
    return _cells(Cell, lambda cell: cell.value)


def actor_atoms(probe: Probe, size: int) -> Run:
    async def run(n: int) -> int:
        keys, after = _make_keys(n), 0
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            actors = {key: StreamActor([]) for key in keys}
            async with anyio.create_task_group() as group:
                for actor in actors.values():
                    actor.start(group)
                await anyio.lowlevel.checkpoint()  # every task has come to its stream
                gc.collect()
                after, _ = tracemalloc.get_traced_memory()
                for actor in actors.values():
                    actor.stop()
        finally:
            tracemalloc.stop()
        return after - before

    return run


def reaktiv_atoms(probe: Probe, size: int) -> Run:
    reaktiv = _import("reaktiv")
    return _cells(lambda: reaktiv.Signal(0), lambda signal: signal())


def signified_atoms(probe: Probe, size: int) -> Run:
    signified = _import("signified")
    return _cells(lambda: signified.Signal(0), lambda signal: signal.value)


def psygnal_atoms(probe: Probe, size: int) -> Run:
    return _cells(_psygnal_class(), lambda cell: cell.value)


def observ_atoms(probe: Probe, size: int) -> Run:
    observ = _import("observ")
    return _cells(lambda: observ.ref(0), lambda ref: ref["value"])


def ours_selectors(probe: Probe, size: int) -> Run:
    first, second = fa.Key("first", 1), fa.Key("second", 2)

    def add(get: fa.Get) -> int:
        return get(first) + get(second)

    def run(n: int) -> int:
        keys, store = [fa.selector("sum")(add) for _ in range(n)], fa.StateManager()
        store.get(first)
        store.get(second)

        def make() -> Reader:
            for key in keys:
                store.get(key)
            return lambda i: store.get(keys[i])

        return _weigh(make, n, 3)

    return run


def floor_selectors(probe: Probe, size: int) -> Run:
    first, second = Cell(1), Cell(2)

    def run(n: int) -> int:
        keys = _make_keys(n)

        def make() -> Reader:
            cells = {key: DerivedCell(int.__add__, first, second) for key in keys}
            return lambda i: cells[keys[i]].value

        return _weigh(make, n, 3)

    return run


def _derived(make_one: Callable[[], Any], read_one: Callable[[Any], int]) -> Run:
    """Weigh what stands for a selector at a peer, found by key and computed once."""

    def run(n: int) -> int:
        keys = _make_keys(n)

        def make() -> Reader:
            derived = {key: make_one() for key in keys}
            for each in derived.values():
                read_one(each)
            return lambda i: read_one(derived[keys[i]])

        return _weigh(make, n, 3)

    return run


def reaktiv_selectors(probe: Probe, size: int) -> Run:
    reaktiv = _import("reaktiv")
    first, second = reaktiv.Signal(1), reaktiv.Signal(2)

    def add() -> Any:
        return first() + second()

    return _derived(lambda: reaktiv.Computed(add), lambda derived: derived())


def signified_selectors(probe: Probe, size: int) -> Run:
    signified = _import("signified")
    first, second = signified.Signal(1), signified.Signal(2)
    add = signified.computed(int.__add__)
    return _derived(lambda: add(first, second), lambda derived: derived.value)


def observ_selectors(probe: Probe, size: int) -> Run:
    observ = _import("observ")
    first, second = observ.ref(1), observ.ref(2)

    def add() -> Any:
        return first["value"] + second["value"]

    return _derived(lambda: observ.computed(add), lambda derived: derived())


# --------------------------------------------------------------------------- the table


def _ours(adapter: Adapter) -> dict[Peer, Adapter]:
    return {OURS: adapter, OURS_ON_LOOP: adapter}


_CHAIN: Mapping[Peer, Adapter] = {
    **_ours(ours_chain),
    FLOOR: floor_chain,
    REAKTIV: reaktiv_chain,
    SIGNIFIED: signified_chain,
    OBSERV: observ_chain,
}

_DIAMOND: Mapping[Peer, Adapter] = {
    FLOOR: floor_diamond,
    REAKTIV: reaktiv_diamond,
    SIGNIFIED: signified_diamond,
    OBSERV: observ_diamond,
}

SCENARIOS = (
    Scenario(
        "set + get, by key",
        "the value written is the value read",
        "a dict of slotted objects that compare and store",
        1,
        _set_get_answer,
        {
            **_ours(ours_by_key),
            FLOOR: floor_by_key,
            REAKTIV: reaktiv_by_key,
            SIGNIFIED: signified_by_key,
            PSYGNAL: psygnal_by_key,
            OBSERV: observ_by_key,
        },
    ),
    Scenario(
        "set + get, by handle",
        "the value written is the value read",
        "a slotted object that compares and stores",
        1,
        _set_get_answer,
        {
            **_ours(ours_by_handle),
            FLOOR: floor_by_handle,
            ACTOR: actor_by_handle,
            REAKTIV: reaktiv_by_handle,
            SIGNIFIED: signified_by_handle,
            PSYGNAL: psygnal_by_handle,
            OBSERV: observ_by_handle,
        },
    ),
    Scenario(
        "await set, by key",
        "the last value written is the value read",
        "awaiting a coroutine that stores",
        1,
        _set_get_answer,
        {**_ours(ours_awaited), FLOOR: floor_awaited, ACTOR: actor_by_handle},
    ),
    Scenario(
        "set -> 1,000 listeners",
        "every listener hears every value, once, in order",
        "a bare loop over the listeners",
        1_000,
        _fan_out_answer,
        {
            **_ours(ours_fan_out),
            FLOOR: floor_fan_out,
            ACTOR: actor_fan_out,
            REAKTIV: reaktiv_fan_out,
            SIGNIFIED: signified_fan_out,
            PSYGNAL: psygnal_fan_out,
            OBSERV: observ_fan_out,
        },
    ),
    Scenario(
        "chain of 100, observed",
        "each selector computes once for a write, and the listener hears each result",
        "hand-wired: a loop in a fixed order",
        100,
        _chain_answer,
        _CHAIN,
    ),
    Scenario(
        "chain of 1,000, observed",
        "each selector computes once for a write, and the listener hears each result",
        "hand-wired: a loop in a fixed order",
        1_000,
        _chain_answer,
        _CHAIN,
    ),
    Scenario(
        "diamond of 100, observed",
        "each selector computes once for a write, and the last never sees old and new values mixed",
        "hand-wired: a loop in a fixed order",
        100,
        _diamond_answer,
        {**_ours(ours_diamond), **_DIAMOND},
    ),
    Scenario(
        "diamond of 100, reading handles",
        "each selector computes once for a write, and the last never sees old and new values mixed",
        "hand-wired: a loop in a fixed order",
        100,
        _diamond_answer,
        {**_ours(ours_diamond_by_handle), **_DIAMOND},
    ),
    Scenario(
        "an idle atom",
        "every one of them has its value",
        "a dict of slotted objects",
        10_000,
        None,
        {
            **_ours(ours_atoms),
            FLOOR: floor_atoms,
            ACTOR: actor_atoms,
            REAKTIV: reaktiv_atoms,
            SIGNIFIED: signified_atoms,
            PSYGNAL: psygnal_atoms,
            OBSERV: observ_atoms,
        },
    ),
    Scenario(
        "an idle selector of two atoms",
        "every one of them has its value",
        "a dict of slotted objects that know function and sources",
        10_000,
        None,
        {
            **_ours(ours_selectors),
            FLOOR: floor_selectors,
            REAKTIV: reaktiv_selectors,
            SIGNIFIED: signified_selectors,
            OBSERV: observ_selectors,
        },
    ),
)
