"""The atom: an actor that owns one value."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from threading import get_ident
from typing import Any, ClassVar, TypeGuard, TypeVar, cast, overload

import anyio

from .core.calls import FATAL, as_exception
from .core.evaluate import evaluating, now_computing, read_by, refuse_in_selector
from .core.graph import Node, clock, tick, tick_edit, ticks, user_traceback
from .core.mailbox import Actor, Mailbox
from .core.turn import Watcher, here, tell
from .core.values import IMMUTABLE, PLAIN, brief, is_a, is_immutable, same
from .deprecation import deprecated
from .door import CLOSED, HOMELESS, LOCK
from .errors import BusyError, ClosedError, RunCancelled
from .handle import Handle, store_to_come
from .key import Key, NamedKey, WhenFull, Writable
from .owner import Job, Owner, current_owner
from .receipt import DONE, Pending, Receipt
from .waiting import Behaviour, Wrapped, behaviour

__all__ = ("PYTHON_313_PLUS", "PYTHON_314_PLUS", "Atom", "is_atom", "make_atom")

T = TypeVar("T")

PYTHON_313_PLUS: bool = sys.version_info >= (3, 13)
"""Whether this is CPython 3.13 or later, which has builds without a global lock."""
PYTHON_314_PLUS: bool = sys.version_info >= (3, 14)
"""Whether this is CPython 3.14 or later, whose builds without a global lock are no experiment any more."""


class _Message:
    """One message on its way: what to do, and who waits for it."""

    __slots__ = ("handle", "is_quiet", "receipt")

    def __init__(self, handle: Callable[[], Awaitable[None] | None], receipt: Pending, is_quiet: bool) -> None:
        self.handle = handle
        self.receipt = receipt
        self.is_quiet = is_quiet  # no write of a user's


class _Mailbox(Mailbox[_Message]):
    """The mailbox of a busy atom, with the behaviour that keeps it busy."""

    __slots__ = ("behaviour", "is_interrupted", "scope")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.behaviour = Behaviour(name)
        self.scope: anyio.CancelScope | None = None  # of the awaiting message, once it runs
        self.is_interrupted = False


class Atom(Node, Actor, Handle[T], Writable[T]):
    """A live handle of one value in one store.

    Made by `state.atom(...)`, pinned to its store and as alive as it. It can be read,
    watched and bound from any store on the same loop.

    `Atom(value, key)`, flet-asp's form, makes one that stands alone: in a store of its own,
    which goes with it. The key is what messages call it.
    """

    __slots__ = ("__weakref__", "mailbox", "owner")

    ENABLE_FREE_THREADING: ClassVar[bool] = True
    """Whether selectors with `in_thread=True` may be computed several at a time; else one after the other.

    With a global lock their threads take turns; on a build without one they are parallel.
    """
    MAX_PARALLEL_BINDS: ClassVar[int] = 4
    """How many selectors with `in_thread=True` are computed at a time on one loop, at most.

    Where there is a global lock, more of them end no sooner, and make the loop wait for its turn.
    What is bound is assigned on the page's own thread, and needs no others.
    """
    MAX_RETRY_ATTEMPTS: ClassVar[int] = 3
    """Accepted, and without effect, since a value is assigned at once, mounted or not, and nothing is tried again."""
    RETRY_BASE_DELAY: ClassVar[float] = 0.005
    """Accepted, and without effect, in seconds; see `MAX_RETRY_ATTEMPTS`."""

    key: Key[T]
    owner: Owner
    mailbox: _Mailbox | None  # pyright: ignore[reportIncompatibleVariableOverride]  # written here only

    @deprecated("declare it in a store: state.atom(name, value), or use a typed fa.Key(name, value)")
    def __init__(self, value: T, key: str = "") -> None:
        super().__init__(NamedKey(key, value), value)
        self.owner = store_to_come(self)
        self.mailbox = None  # pyright: ignore[reportIncompatibleVariableOverride]  # written here only

    # ------------------------------------------------------------------ the face

    @property
    def value(self) -> T:
        """The value now. Assigning it is `set`, with the effect visible at once.

        Read inside a selector it is a dependency, as with `get`.

        Raises:
            BusyError: On assignment in the middle of a message (an `update` that awaits):
                the new value could not be read back. Use `update`.
        """
        if evaluating and (computing := now_computing()) is not None:
            watched: T = read_by(computing, self)
            return watched
        value: T = self.current
        return value

    @value.setter
    def value(self, value: T) -> None:
        if self.mailbox is not None and self.owner.is_here:
            raise BusyError(
                f"{self.key} is in the middle of an update, so an assignment could not be read back. "
                "Use update(...), or await set(...): both wait for their turn."
            )
        self.set(value)

    def set(self, value: T, /) -> Receipt:
        """Replace the value.

        `get` sees it at once, the screen at the next frame. May be called from any thread;
        from a foreign one the write is applied on the store's loop, in order. Never calls
        a callable: a function is a value like any other. Awaiting the receipt only waits;
        the write happens either way.

        Raises:
            PurityError: Inside a selector.
            ClosedError: When the store has ended.
        """
        thread = self.owner.thread
        if (thread == HOMELESS or thread == get_ident()) and not evaluating:
            if not self.is_noted:  # nobody goes by what it holds, so there is nothing to compare and nobody to tell
                self.current = value
                if not self.is_noted:
                    return DONE
                return self._set_after_all(value)
            if self.mailbox is None:  # as it is nearly always
                if thread != HOMELESS:
                    self._assign(value)
                    return DONE
                with LOCK:
                    if self.owner.thread == HOMELESS and self.mailbox is None:
                        self._assign(value)
                        return DONE
        return self._set_anywhere(value)

    @overload
    def update(self, fn: Callable[[T], Awaitable[T]], /) -> Receipt: ...
    @overload
    def update(self, fn: Callable[[T], T], /) -> Receipt: ...
    def update(self, fn: Callable[[T], Any], /) -> Receipt:
        """Replace the value by `fn(value)`, as one message: nothing comes between reading and writing.

        With an async `fn` the atom is busy until it is done; writes that come meanwhile
        wait in the mailbox, readers get the old value, other atoms go on. Cancelling a
        wait for the receipt leaves the update running.

        Raises:
            Exception: What a sync `fn` raises, unless the atom is busy: then the receipt
                raises it. The value stays as it was.
            NotRunningError: For an async `fn` without an event loop.
            PurityError: Inside a selector.
            ClosedError: When the store has ended.
        """
        return self._send_anywhere(lambda: self._on_update(fn))

    def mutate(self, fn: Callable[[T], object], /) -> Receipt:
        """Edit the value in place with `fn(value)`; what `fn` returns is ignored.

        Everything derived from the value counts as changed. If `fn` raises, what it had
        edited by then is told to the dependents and the error goes to the caller.

        Raises:
            TypeError: When the value is of a type that cannot change in place: use `update`.
            Exception: What `fn` raises, as for `update`.
        """
        return self._send_anywhere(lambda: self._on_mutate(fn))

    def reset(self) -> Receipt:
        """Go back to the default: a fresh copy of it, or what its factory makes now."""
        return self._send_anywhere(self._on_reset)

    def __repr__(self) -> str:
        watchers = len(self.owner.watchers_of(self))
        watched = f", {watchers} listener{'s' if watchers > 1 else ''}" if watchers else ""
        busy = ", busy" if self.is_busy else ""
        return f"<Atom {self.key} = {self.current!r}{watched}{busy}>"

    # ------------------------------------------------------------------ messages

    def _set_anywhere(self, value: T) -> Receipt:
        """Set from whatever thread, and whatever the actor is doing."""
        if self.owner.thread == get_ident():
            return self._set(value)
        return self.owner.elsewhere(self.key, lambda: self._set(value))

    def _set_after_all(self, value: T) -> Receipt:
        """Somebody came in between, on another thread, who may have seen what was there before."""
        return self._send_anywhere(lambda: self._store(value, edited=False))

    def _set(self, value: T) -> Receipt:
        if evaluating or self.mailbox is not None:
            return self._send(lambda: self._assign(value))
        self._assign(value)
        return DONE

    def _on_update(self, fn: Callable[[T], Any]) -> Awaitable[None] | None:
        if not callable(fn):
            raise TypeError(
                f"update takes a function of the value, and {brief(fn)} is none; {self.key} is set with set(...)"
            )
        result = fn(self.current)
        if type(result) in IMMUTABLE or not is_a(result, Awaitable):
            self._assign(result)
            return None

        async def finish(work: Awaitable[Any]) -> None:
            value = await work
            if self.owner.thread == CLOSED:
                raise ClosedError(f"the store ended before {self.key} was updated")
            self._assign(value)

        return Wrapped(result, finish)

    def _on_mutate(self, fn: Callable[[T], object]) -> Awaitable[None] | None:
        value = self.current
        if is_immutable(value):
            raise TypeError(
                f"mutate edits in place, and {self.key} holds {brief(value)}, which cannot change in place. "
                "Use update: it stores what the function returns."
            )
        result: Any = None
        try:
            result = fn(value)
        finally:
            if not is_a(result, Awaitable):
                self._store(self.current, edited=True)
        if not is_a(result, Awaitable):
            return None

        async def finish(work: Awaitable[Any]) -> None:
            try:
                await work
            finally:
                self._store(self.current, edited=True)

        return Wrapped(result, finish)

    def _on_reset(self) -> None:
        self._assign(self.owner.initial(self))
        for dependent in list(self.dependents or ()):
            if isinstance(dependent, Watcher):
                dependent.was_reset()

    def _assign(self, value: Any) -> None:
        """Take a value, and tell the dependents unless it is no change."""
        old = self.current
        if type(value) is type(old) and type(value) in PLAIN and self.key.equals is None:
            unchanged = value is old or value == old
        else:
            equals = self.key.equals
            if value is old:
                # The same object again: if it is mutable, it was edited in place.
                if not (is_immutable(value) or (equals is not None and equals(value, value))):
                    self._store(value, edited=True)
                return
            unchanged = same(old, value, equals) and self.current is old  # else one of the two has written
        self.current = value
        if unchanged:
            return
        # As `_store` does; spelled out here it saves a fifth of a write.
        self.version = now = next(ticks)
        if now > clock.written:
            clock.now = clock.written = now
        if self.dependents:
            tell(self)

    def _store(self, value: Any, edited: bool) -> None:
        self.current = value
        self.version = tick_edit() if edited else tick()
        if edited:
            self.edited = self.version
        if self.dependents:
            tell(self)

    def _send_anywhere(self, handle: Callable[[], Awaitable[None] | None], is_quiet: bool = False) -> Receipt:
        """Send a message from whatever thread."""
        if self.owner.thread == get_ident():
            return self._send(handle, is_quiet)
        return self.owner.elsewhere(self.key, lambda: self._send(handle, is_quiet))

    def _send(self, handle: Callable[[], Awaitable[None] | None], is_quiet: bool = False) -> Receipt:
        """Handle a message now if the actor is idle, else leave it in the mailbox."""
        refuse_in_selector(f"writes {self.key}")
        box = self.mailbox
        if box is not None:
            if self.key.bound is not None and not is_quiet:
                self._make_room(box, *self.key.bound)
            receipt = self._receipt(box, is_quiet)
            box.post(_Message(handle, receipt, is_quiet))
            return receipt
        self.is_noted = True
        box = self.mailbox = _Mailbox(f"an update of {self.key}")
        with here():
            waiting: Awaitable[None] | None = None
            try:
                waiting = handle()
                if waiting is None:
                    return DONE
                receipt = self._receipt(box)
                self._continue(waiting, receipt)
                return receipt
            except BaseException:
                waiting = None
                raise
            finally:
                if waiting is None:
                    self.drain(box)

    def _make_room(self, box: _Mailbox, most: int, when_full: WhenFull) -> None:
        """See to it that one more write can wait."""
        writes = [message for message in box if not message.is_quiet]
        if len(writes) < most:
            return
        if when_full == "error":
            raise BusyError(
                f"the mailbox of {self.key} is full: it is in the middle of an update, and {most} writes wait. "
                'Await them before you send more, or give the key a bigger mailbox=, or when_full="drop_oldest".'
            )
        box.drop(writes[0])
        writes[0].receipt.finish(RunCancelled(f"a write to {self.key} was dropped: {most} later ones wait"))

    def _receipt(self, box: _Mailbox, is_quiet: bool = False) -> Pending:
        return Pending(box.behaviour, self.owner, self._unheard_of_quiet if is_quiet else self._unheard)

    def _unheard(self, error: BaseException) -> None:
        if not isinstance(error, RunCancelled):  # somebody wanted that
            self.owner.report(error, self.key, "atom")

    def _unheard_of_quiet(self, error: BaseException) -> None:
        if not isinstance(error, ClosedError):
            self._unheard(error)

    def _continue(self, waiting: Awaitable[None], receipt: Pending) -> None:
        """Go on with a message that has to await, in a task of the host."""
        assert self.mailbox is not None
        self.mailbox.is_interrupted = False
        try:
            self.owner.spawn(_Update(self, waiting, receipt))
        except BaseException:
            getattr(waiting, "close", lambda: None)()
            raise

    def drain(self, box: _Mailbox) -> None:
        """Handle what came meanwhile; become idle unless one of the messages has to await."""
        while box:
            message = box.take()
            try:
                waiting = message.handle()
                if waiting is not None:
                    self._continue(waiting, message.receipt)
                    return
            except FATAL as error:
                message.receipt.finish(error)
                self.drain(box)  # those after it are handled all the same
                raise
            except BaseException as error:
                message.receipt.finish(as_exception(error))
            else:
                message.receipt.finish()
        self.mailbox = None  # pyright: ignore[reportIncompatibleVariableOverride]  # written here only

    def post(self, call: Callable[[], None]) -> Receipt:
        """Have `call` called when the messages that are in the mailbox now have been handled; from any thread.

        It is no write of a user: if the store ends before, nobody hears of it but who waits.
        """
        return self._send_anywhere(call, is_quiet=True)

    def take(self, value: T) -> None:
        """Take a value that was decided on elsewhere: the atom is idle, and this is its thread."""
        self._assign(value)

    def revive(self, value: T) -> None:
        """Begin again with `value`: the name was unknown, and is declared now."""
        self._store(value, edited=False)

    def interrupt(self) -> None:
        """Cancel the message that awaits, if one does; those after it go on."""
        if self.mailbox is not None:
            self.mailbox.is_interrupted = True  # also if its task has not begun
            if self.mailbox.scope is not None:
                self.mailbox.scope.cancel()


def make_atom(key: Key[T], owner: Owner, *given: T) -> Atom[T]:
    """The atom of a key in a store. It begins with what is given, else with what the store has for it."""
    atom = cast("Atom[T]", Atom.__new__(Atom))
    Node.__init__(atom, key, None)
    atom.owner = owner
    atom.mailbox = None
    atom.is_noted = key.equals is not None  # which may raise
    atom.current = given[0] if given else owner.initial(atom)
    return atom


def is_atom(node: object) -> TypeGuard[Atom[Any]]:
    """Whether a node is an atom."""
    return isinstance(node, Atom)


class _Update(Job):
    """A message that has to await, and the messages after it."""

    __slots__ = ("_atom", "_is_over", "_receipt", "_waiting", "name")

    kind = "update"

    def __init__(self, atom: Atom[Any], waiting: Awaitable[None], receipt: Pending) -> None:
        self._atom = atom
        self._waiting: Awaitable[None] | None = waiting  # until it begins
        self._receipt = receipt
        self._is_over = False
        self.name = f"update of {atom.key}"

    async def run(self) -> None:
        atom, box = self._atom, self._atom.mailbox
        assert box is not None
        behaviour.set(box.behaviour)
        current_owner.set(atom.owner)
        waiting, self._waiting = self._waiting, None
        assert waiting is not None
        error: Exception | None = None
        was_ended = False
        try:
            with anyio.CancelScope() as box.scope:
                if box.is_interrupted:
                    box.scope.cancel()
                await waiting
            if box.scope.cancelled_caught:
                error = RunCancelled(f"the update of {atom.key} was cancelled")
        except Exception as raised:
            error = raised.with_traceback(user_traceback(raised.__traceback__))
        except anyio.get_cancelled_exc_class():
            # Ours ended above: this is the host's, or that of something that was awaited.
            was_ended = atom.owner.is_closed
            error = RunCancelled(f"the update of {atom.key} was cancelled")
        except (KeyboardInterrupt, SystemExit) as raised:
            self._receipt.finish(raised)
            self._is_over = True
            with here():
                atom.drain(box)  # those after it are handled all the same
            raise
        except GeneratorExit:
            raise  # pragma: no cover - what leaves a loop is a test in a process of its own
        except BaseException as raised:
            error = as_exception(raised)
        finally:
            box.scope = None
            box.is_interrupted = False
        if not was_ended:
            self._receipt.finish(error)
        del error  # its traceback has this frame, and the receipt has it
        if atom.owner.is_closed:
            self.abandon()
        was_abandoned, self._is_over = self._is_over, True
        del self._receipt
        if not was_abandoned:  # else what is in the atom's mailbox by now is not ours
            with here():
                atom.drain(box)

    def abandon(self) -> None:
        atom, box = self._atom, self._atom.mailbox
        if self._is_over or box is None:
            return
        self._is_over = True
        getattr(self._waiting, "close", lambda: None)()
        closed = ClosedError(f"the store ended before {atom.key} was updated")
        atom.mailbox = None
        self._receipt.finish(closed)
        while box:
            box.take().receipt.finish(closed)
