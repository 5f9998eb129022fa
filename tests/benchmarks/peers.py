"""This library, its peers and the floor, as kits of primitives. None is spelled slower than its users would."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import itertools
import operator
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from types import MethodType
from typing import Any

import flet_asp_actors as fa

from .floors import Floor
from .primitives import Bare, ByKey, Kit, Missing, Read, Source

__all__ = ("ACTOR", "FLET_ASP", "FLOOR", "OURS", "OURS_ON_LOOP", "PEERS", "Ours", "Peer")


def _import(name: str) -> Any:
    """Import a peer: some of them have no types."""
    return importlib.import_module(name)


def _call(source: Callable[[], Any]) -> Any:
    return source()


call: Read = getattr(operator, "call", _call)  # in C from 3.11 on
value_of: Read = operator.attrgetter("value")


class Ours(Kit):
    """Keys, selectors and listeners of one store."""

    def __init__(self) -> None:
        super().__init__()
        self.store = fa.StateManager()

    def signal(self, value: int) -> Source:
        return fa.Key("signal", value)

    def write(self, signal: Source, value: int) -> object:
        return self.store.set(signal, value)

    def read(self, source: Source) -> Any:
        return self.store.get(source)

    def batch(self) -> AbstractContextManager[Any]:
        return self.store.batch()

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        self.store.listen(source, listener, immediate=False)

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        a = sources[0]
        if len(sources) == 1:
            return fa.selector(lambda get: function(get(a)))
        return fa.selector(lambda get: function(*[get(source) for source in sources]))

    def computed(self, function: Callable[[Read], Any], may_read: Sequence[Source]) -> Source:
        return fa.selector(function)

    def bare(self) -> Bare:
        atom = self.store.atom(fa.Key("count", 0))
        return Bare(atom.set, MethodType(vars(fa.Atom)["value"].fget, atom))

    def by_key(self) -> ByKey:
        return ByKey(fa.Key("count", 0), self.store.set, self.store.get)


class _Tracking(Kit):
    """A peer whose sources are called to be read, or have a value."""

    get: Read

    def read(self, source: Source) -> Any:
        return self.get(source)

    def make(self, function: Callable[[], Any]) -> Source:
        raise NotImplementedError

    def computed(self, function: Callable[[Read], Any], may_read: Sequence[Source]) -> Source:
        return self.make(partial(function, self.get))


class _Called(_Tracking):
    """A peer whose sources are called."""

    get = staticmethod(call)

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        a = sources[0]
        if len(sources) == 1:
            return self.make(lambda: function(a()))
        return self.make(lambda: function(*[source() for source in sources]))


class Reaktiv(_Called):
    def __init__(self) -> None:
        super().__init__()
        self._reaktiv = _import("reaktiv")

    def signal(self, value: int) -> Source:
        return self._reaktiv.Signal(value)

    def write(self, signal: Source, value: int) -> None:
        signal.set(value)

    def make(self, function: Callable[[], Any]) -> Source:
        computed = self._reaktiv.Computed(function)
        computed()  # one by one, so that the first computation need not recurse
        return computed

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        self.kept.append(self._reaktiv.Effect(lambda: listener(source())))

    def batch(self) -> AbstractContextManager[Any]:
        found: AbstractContextManager[Any] = self._reaktiv.batch()
        return found

    def bare(self) -> Bare:
        signal = self.signal(0)
        return Bare(signal.set, signal)


class Observ(_Called):
    """Its listeners are synchronous. It has no batch."""

    def __init__(self) -> None:
        super().__init__()
        self._observ = _import("observ")
        self._refs: dict[Source, Any] = {}

    def signal(self, value: int) -> Source:
        ref = self._observ.ref(value)

        def read() -> Any:
            return ref["value"]

        self._refs[read] = ref
        return read

    def write(self, signal: Source, value: int) -> None:
        self._refs[signal]["value"] = value

    def make(self, function: Callable[[], Any]) -> Source:
        computed = self._observ.computed(function)
        computed()
        return computed

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        self.kept.append(self._observ.watch(source, listener, sync=True))

    def bare(self) -> Bare:
        ref = self._observ.ref(0)
        read: Any = partial(operator.getitem, ref, "value")
        return Bare(partial(operator.setitem, ref, "value"), read)


class ObservFlushed(Observ):
    """Its listeners wait for the scheduler, which is what it has for a batch."""

    def __init__(self) -> None:
        super().__init__()
        self._scheduler = _import("observ").scheduler
        self._scheduler.register_request_flush(_nothing)
        self._in_batch = False

    def write(self, signal: Source, value: int) -> None:
        super().write(signal, value)
        if not self._in_batch:
            self._scheduler.flush()

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        self.kept.append(self._observ.watch(source, listener))

    @contextmanager
    def batch(self) -> Generator[None, None, None]:
        self._in_batch = True
        yield
        self._in_batch = False
        self._scheduler.flush()


def _nothing() -> None:
    pass


class _Valued(_Tracking):
    """A peer whose sources have a `value`."""

    get = staticmethod(value_of)

    def write(self, signal: Source, value: int) -> None:
        signal.value = value

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        a = sources[0]
        if len(sources) == 1:
            return self.make(lambda: function(a.value))
        return self.make(lambda: function(*[source.value for source in sources]))

    def bare(self) -> Bare:
        signal = self.signal(0)
        return Bare(partial(setattr, signal, "value"), partial(value_of, signal))


class Signified(_Valued):
    """Since 0.7 it has a core in Rust, and effects."""

    def __init__(self) -> None:
        super().__init__()
        self._signified = _import("signified")

    def signal(self, value: int) -> Source:
        return self._signified.Signal(value)

    def make(self, function: Callable[[], Any]) -> Source:
        computed = self._signified.Computed(function)
        _ = computed.value
        return computed

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        if hasattr(self._signified, "Effect"):
            self.kept.append(self._signified.Effect(lambda: listener(source.value)))
        else:
            observer = _Observer(source, listener)
            source.subscribe(observer)
            self.kept.append(observer)

    def batch(self) -> AbstractContextManager[Any]:
        if not hasattr(self._signified, "batch"):
            return super().batch()
        found: AbstractContextManager[Any] = self._signified.batch()
        return found


class _Observer:
    """What signified had for a listener before 0.7."""

    def __init__(self, source: Any, listener: Callable[[Any], object]) -> None:
        self.source = source
        self.listener = listener

    def update(self) -> None:
        self.listener(self.source.value)


class Nervio(_Valued):
    def __init__(self) -> None:
        super().__init__()
        self._nervio = _import("nervio")

    def signal(self, value: int) -> Source:
        return self._nervio.signal(value)

    def make(self, function: Callable[[], Any]) -> Source:
        computed = self._nervio.computed(function)
        _ = computed.value
        self.kept.append(computed)
        return computed

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        self.kept.append(self._nervio.effect(lambda: listener(source.value)))

    def batch(self) -> AbstractContextManager[Any]:
        found: AbstractContextManager[Any] = self._nervio.batch()
        return found


class Fynx(Kit):
    """Its dependencies are written down, not tracked."""

    def read(self, source: Source) -> Any:
        return value_of(source)

    def __init__(self) -> None:
        super().__init__()
        self._fynx = _import("fynx")

    def signal(self, value: int) -> Source:
        return self._fynx.observable(value)

    def write(self, signal: Source, value: int) -> None:
        signal.set(value)

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        return functools.reduce(operator.add, sources).then(function)

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        self.kept.append(source.subscribe(listener))

    def bare(self) -> Bare:
        signal = self.signal(0)
        return Bare(signal.set, partial(value_of, signal))


class Psygnal(Kit):
    """Objects whose attributes tell of their changes. Nothing is derived."""

    def read(self, source: Source) -> Any:
        return value_of(source)

    def __init__(self) -> None:
        super().__init__()

        @dataclass
        class Evented:
            value: int = 0

        self._class = _import("psygnal").evented(Evented)
        _ = self._class().events  # until somebody asks for these the class is a plain one

    def signal(self, value: int) -> Source:
        return self._class(value)

    def write(self, signal: Source, value: int) -> None:
        signal.value = value

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        source.events.value.connect(listener)

    def bare(self) -> Bare:
        cell = self.signal(0)
        return Bare(partial(setattr, cell, "value"), partial(value_of, cell))


class Param(Kit):
    def read(self, source: Source) -> Any:
        return value_of(source)

    def __init__(self) -> None:
        super().__init__()
        param = _import("param")
        self._class = type("Valued", (param.Parameterized,), {"value": param.Parameter(0)})

    def signal(self, value: int) -> Source:
        return self._class(value=value)

    def write(self, signal: Source, value: int) -> None:
        signal.value = value

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        def hear(event: Any) -> None:
            listener(event.new)

        source.param.watch(hear, "value")

    def bare(self) -> Bare:
        cell = self.signal(0)
        return Bare(partial(setattr, cell, "value"), partial(value_of, cell))


class ReactiveX(Kit):
    """Subjects that remember their value; what is derived of several sees them one by one."""

    def read(self, source: Source) -> Any:
        return value_of(source)

    def __init__(self) -> None:
        super().__init__()
        self._rx = _import("reactivex")
        self._operators = _import("reactivex.operators")
        self._subject = _import("reactivex.subject").BehaviorSubject

    def signal(self, value: int) -> Source:
        return self._subject(value)

    def write(self, signal: Source, value: int) -> None:
        signal.on_next(value)

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        remembered = self._subject(None)
        together = self._rx.combine_latest(*sources).pipe(self._operators.starmap(function))
        together.pipe(self._operators.distinct_until_changed()).subscribe(remembered)
        return remembered

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        source.subscribe(listener)

    def bare(self) -> Bare:
        subject = self.signal(0)
        return Bare(subject.on_next, partial(value_of, subject))


class Pykka(Kit):
    """An actor with a thread: each write and each read is a message that is answered."""

    def __init__(self) -> None:
        super().__init__()
        pykka = _import("pykka")

        class Holder(pykka.ThreadingActor):  # type: ignore[misc,name-defined]
            value = 0

            def on_receive(self, message: Any) -> Any:
                if message is not None:
                    self.value = message
                return self.value

        Holder.use_daemon_thread = True
        self._holder: Any = Holder
        self._end = pykka.ActorRegistry.stop_all

    def signal(self, value: int) -> Source:
        actor = self._holder.start()
        actor.ask(value)
        return actor

    def write(self, signal: Source, value: int) -> object:
        return signal.ask(value)

    def read(self, source: Source) -> Any:
        return source.ask(None)

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        raise Missing

    def close(self) -> None:
        self._end()


class FletAsp(Kit):
    """Keys are strings. What is derived is computed whenever one of its sources has changed."""

    def __init__(self) -> None:
        super().__init__()
        self._store = _import("flet_asp").StateManager()
        self._keys = map(str, itertools.count())

    def signal(self, value: int) -> Source:
        key = next(self._keys)
        self._store.atom(key, value)
        return key

    def write(self, signal: Source, value: int) -> None:
        self._store.set(signal, value)

    def read(self, source: Source) -> Any:
        return self._store.get(source)

    def derive(self, function: Callable[..., Any], *sources: Source) -> Source:
        a = sources[0]
        if len(sources) == 1:
            return self.computed(lambda get: function(get(a)), sources)
        return self.computed(lambda get: function(*[get(source) for source in sources]), sources)

    def computed(self, function: Callable[[Read], Any], may_read: Sequence[Source]) -> Source:
        key = next(self._keys)
        self._store.add_selector(key, function)
        return key

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        self._store.listen(source, listener, immediate=False)

    def bare(self) -> Bare:
        key = self.signal(0)
        return Bare(partial(self._store.set, key), partial(value_of, self._store.atom(key)))

    def by_key(self) -> ByKey:
        return ByKey(self.signal(0), self._store.set, self._store.get)


class FletObservable(Kit):
    """What Flet has itself: objects whose attributes tell of their changes. Nothing is derived."""

    def __init__(self) -> None:
        super().__init__()

        @dataclass
        class Valued:
            value: int = 0

        self._class = _import("flet").observable(Valued)

    def signal(self, value: int) -> Source:
        return self._class(value)

    def write(self, signal: Source, value: int) -> None:
        signal.value = value

    def read(self, source: Source) -> Any:
        return value_of(source)

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        def hear(sender: Any, field: object) -> None:
            listener(sender.value)

        self.kept.append(hear)  # Flet holds it weakly
        source.subscribe(hear)

    def bare(self) -> Bare:
        cell = self.signal(0)
        return Bare(partial(setattr, cell, "value"), partial(value_of, cell))


class Awaited(Kit):
    """Nothing but what is awaited: see `awaiting`."""

    def signal(self, value: int) -> Source:
        raise Missing

    def write(self, signal: Source, value: int) -> object:
        raise Missing

    def read(self, source: Source) -> Any:
        raise Missing

    def listen(self, source: Source, listener: Callable[[Any], object]) -> None:
        raise Missing


@dataclass(frozen=True)
class Peer:
    """A column of the table."""

    name: str
    kit: Callable[[], Kit]
    module: str | None = None
    """What has to be installed for it."""
    on_loop: bool = False
    """Whether it is used while a loop is running, as in an app."""
    tracks: bool = False
    """Whether it is in pure Python and finds by itself what a computation depends on."""
    has_threads: bool = False
    """Whether each of its values has a thread: there cannot be many."""
    packages: tuple[str, ...] = ()
    """What it needs in an environment of its own."""

    @property
    def is_installed(self) -> bool:
        """Whether it can be used in this process."""
        return self.module is None or importlib.util.find_spec(self.module) is not None


OURS = Peer("ours", Ours)
OURS_ON_LOOP = Peer("ours, on a loop", Ours, on_loop=True)
FLOOR = Peer("floor", Floor)
ACTOR = Peer("anyio actor", Awaited)
FLET_ASP = Peer("flet-asp", FletAsp, "flet_asp", packages=("flet==0.28.3", "flet-asp==0.3.1"))
PEERS = (
    OURS,
    OURS_ON_LOOP,
    FLOOR,
    Peer("observ", Observ, "observ", tracks=True),
    Peer("observ, flushed", ObservFlushed, "observ", tracks=True),
    Peer("reaktiv", Reaktiv, "reaktiv", tracks=True),
    Peer("nervio", Nervio, "nervio", tracks=True),
    Peer("signified", Signified, "signified"),
    Peer("fynx", Fynx, "fynx"),
    Peer("psygnal", Psygnal, "psygnal"),
    Peer("param", Param, "param"),
    Peer("reactivex", ReactiveX, "reactivex"),
    Peer("Flet's observable", FletObservable, "flet"),
    FLET_ASP,
    Peer("pykka", Pykka, "pykka", has_threads=True),
    ACTOR,
)
