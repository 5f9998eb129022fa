"""How an action writes, and what it may still write once it is cancelled: put back, not do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Protocol, TypeVar, overload

import anyio

from .async_key import is_async
from .atom import Atom, is_atom
from .attention import Attention, attend
from .core.evaluate import refuse_in_selector
from .core.turn import here
from .core.values import is_a, private_copy, same
from .errors import RunCancelled
from .key import Name, Writable
from .layers import Optimistic
from .owner import Owner
from .receipt import REFUSED, Receipt
from .waiting import Wrapped

__all__ = ("Notes", "RunSet", "Set")

T = TypeVar("T")


class Set(Protocol):
    """How an action writes: `set(key, value)`, `set.update(...)`, `set.mutate(...)`, `set.reset(...)`.

    Like the store's own verbs, but they know which run is writing: once it is cancelled or
    out of time, it may only put back what a key held before the run first wrote it, and
    only if nobody else has written it since. Any other write is dropped, and awaiting its
    receipt raises the cancellation again. Runs that are cancelled as well are nobody, if they
    want the same: a flag that many have raised goes down with the last of them. And where the
    run wrote over what one of them had not put back yet, what was there before that will do.
    """

    @overload
    def __call__(self, key: Writable[T], value: T, /) -> Receipt: ...
    @overload
    def __call__(self, key: Name, value: Any, /) -> Receipt: ...
    def __call__(self, key: Any, value: Any, /) -> Receipt:
        """Replace the value of a key. Read at once, on the screen at the next frame; awaiting it is optional.

        Raises:
            UnknownKeyError: For a name that was never declared.
            ReadOnlyError: For a selector or a status.
        """
        ...

    @overload
    def update(self, key: Writable[T], fn: Callable[[T], Awaitable[T]], /) -> Receipt: ...
    @overload
    def update(self, key: Writable[T], fn: Callable[[T], T], /) -> Receipt: ...
    @overload
    def update(self, key: Name, fn: Callable[[Any], Any], /) -> Receipt: ...
    def update(self, key: Any, fn: Callable[[Any], Any], /) -> Receipt:
        """Replace the value of a key by `fn(value)`, sync or async, as one message. See `Atom.update`."""
        ...

    @overload
    def mutate(self, key: Writable[T], fn: Callable[[T], object], /) -> Receipt: ...
    @overload
    def mutate(self, key: Name, fn: Callable[[Any], object], /) -> Receipt: ...
    def mutate(self, key: Any, fn: Callable[[Any], object], /) -> Receipt:
        """Edit the value of a key in place with `fn(value)`. See `Atom.mutate`."""
        ...

    def reset(self, key: Writable[Any] | Name, /) -> Receipt:
        """Go back to the default of a key."""
        ...

    def progress(self, fraction: float | None, text: str = "", /) -> None:
        """Show in the action's status how far the run is: a fraction from 0 to 1, and a line of text."""
        ...

    @overload
    def optimistic(self, key: Writable[T], value: T, /) -> AbstractAsyncContextManager[None]: ...
    @overload
    def optimistic(self, key: Name, value: Any, /) -> AbstractAsyncContextManager[None]: ...
    def optimistic(self, key: Any, value: Any, /) -> AbstractAsyncContextManager[None]:
        """Show a value at once, for the block that makes it true: `async with set.optimistic(LIKED, True): ...`.

        An error or a cancellation takes it back, unless somebody has written the key since;
        others who do the same with the key at the same time are not disturbed.

        Raises:
            ReadOnlyError: For a selector or a status.
            ValueError: For the very object that the key holds: there would be nothing to go back to.
            TypeError: When what the key holds is mutable and cannot be copied.
        """
        ...

    def cleanup(self, seconds: float, /) -> AbstractAsyncContextManager[None]:
        """Finish something although the run is cancelled: `async with set.cleanup(2): await api.unlock()`.

        The block is shielded from the cancellation, for `seconds` at most; then it is cancelled
        itself. What it may write is what a cancelled run may write.
        """
        ...


class _Write:
    """What a run knows of an atom that it writes: what was there before, and whether it wrote last."""

    __slots__ = (
        "_atom",
        "_attention",
        "_below",
        "_expected",
        "_is_content",
        "_is_over",
        "_is_theirs",
        "_last",
        "_run",
        "before",
        "has_written",
    )

    def __init__(self, run: Writer, atom: Atom[Any]) -> None:
        self._run: Writer | bool = run
        self._atom = atom
        self._attention: Attention | None = attend(atom)
        self._is_over = False
        self._is_content = False  # whether it has wanted something back that was there before it
        self._is_theirs = False  # whether somebody else has come in between: then it is not ours to put back
        self._expected = 0
        self._last = 0
        self._below: _Write | None = None
        self.before: Any = None
        """The value before the run's first write."""
        self.has_written = False

    def begin(self, before: Callable[[], Any]) -> None:
        """It is our turn to write."""
        if not self.has_written:
            self.before = before()
            latest = None if self._attention is None else self._attention.latest
            self._below = latest.bottom if isinstance(latest, _Write) and latest.is_last else None

    def end(self, count: int) -> None:
        """Our turn is over, which began at this `count`. If nothing was written since, it came to nothing."""
        if self.count == count:
            return
        self._is_theirs = self._is_theirs or (self.has_written and self._last != count)
        self.has_written = True
        self._last = self.count
        if self._attention is not None:
            self._attention.latest = self

    @property
    def is_last(self) -> bool:
        """Whether we have written, and nobody else has since."""
        return self.has_written and not self._is_theirs and self._last == self.count

    @property
    def count(self) -> int:
        """How often the atom was written: a number that only grows."""
        return self._atom.version if self._attention is None else self._attention.writes

    @property
    def is_undone(self) -> bool:
        """Whether the run is to take back what it has done, or was when it ended."""
        return self._run if isinstance(self._run, bool) else self._run.is_stopping

    @property
    def bottom(self) -> _Write:
        """Of those from here down that have ended and are undone the lowest; those between are not kept."""
        write, below = self, self._below
        while write._attention is None and write.is_undone and below is not None and below.is_undone:
            write, below = below, below._below
        return write

    def may_become(self, value: Any) -> bool:
        """Whether `value`, which the run wants back, was there before it wrote, and nobody else has written since.

        Runs that wrote before it and are undone as well count for nothing: what was there before them will do, too.
        """
        write: _Write | None = self if self.has_written else None
        is_free = self.is_last
        while write is not None and not same(write.before, value):
            write = write._below
            is_free = is_free and write is not None and write.is_undone
        self._is_content = self._is_content or write is not None
        return write is not None and is_free

    def expect(self, receipt: Receipt) -> None:
        """A message of ours may be in the mailbox still; until it is done we attend to the atom."""
        if not receipt.is_done:
            self._expected += 1
            receipt.on_done(self._arrived)

    def let_go(self) -> None:
        """The run has ended: what comes later than its messages is told by the version alone."""
        self._run = self.is_undone
        self._is_over = True
        self._leave()

    def _arrived(self) -> None:
        self._expected -= 1
        self._leave()

    def _leave(self) -> None:
        if self._is_over and not self._expected and self._attention is not None:
            self._is_theirs = not self.is_last
            attention, self._attention = self._attention, None
            self._last = self.count
            if attention.latest is self:
                attention.latest = None
                if self.is_undone and self._is_content and self.is_last:
                    self._yield()
            below, self._below = self._below, None
            if below is not None and self.is_undone:  # else it is the last that counts, whatever is under it
                self._below = below.bottom
            attention.leave(self._atom)

    def _yield(self) -> None:
        """We have put back, or wanted back what was there before one under us: it is as if the next one wrote last."""
        heir = self._below
        while heir is not None and heir.is_undone and heir._attention is None:
            heir = heir._below
        if heir is not None and heir._attention is not None:
            heir._last = heir.count
            heir._attention.latest = heir


class Notes:
    """What a run has written, in all its tries, and what it has under way for that."""

    __slots__ = ("_is_over", "scopes", "writes")

    def __init__(self) -> None:
        self.writes: dict[Atom[Any], _Write] = {}
        self.scopes: list[anyio.CancelScope] = []
        """Those of its async updates."""
        self._is_over = False

    def of(self, atom: Atom[Any], run: Writer) -> _Write | None:
        """What is known of an atom that the run is about to write; None when that has ended."""
        if not self._is_over and atom not in self.writes:
            self.writes[atom] = _Write(run, atom)
        return self.writes.get(atom)

    def stop_work(self) -> None:
        """Cancel the updates that are under way: the run, or the try, has ended without success."""
        for scope in self.scopes:
            scope.cancel()

    def let_go(self) -> None:
        """The run has ended."""
        self._is_over = True
        for note in self.writes.values():
            note.let_go()

    def __del__(self) -> None:
        self.let_go()


class Writer(Protocol):
    """What `set` needs of the run that writes."""

    @property
    def is_stopping(self) -> bool:
        """Whether the run was cancelled, is out of time, or has ended without success."""
        ...

    def on_progress(self, fraction: float | None, text: str) -> None:
        """The run says how far it is."""
        ...


class RunSet:
    """The `set` of one try of one run.

    Args:
        run: The run.
        owner: Its store.
        notes: What the run has written so far.
    """

    def __init__(self, run: Writer, owner: Owner, notes: Notes) -> None:
        self._run = run
        self._owner = owner
        self._notes = notes
        self.is_dead = False
        """Whether there has been another try since: then nothing is accepted any more."""

    def __call__(self, key: Any, value: Any, /) -> Receipt:
        atom = self._atom(key)
        if self.is_stopping:
            return self._put_back(atom, lambda: value)
        return self._note(atom, lambda: atom.set(value))

    def update(self, key: Any, fn: Callable[[Any], Any], /) -> Receipt:
        atom = self._atom(key)
        if self.is_stopping:
            return REFUSED if is_async(fn) else self._put_back(atom, lambda: _at_once(fn(atom.current)))
        return self._note(atom, lambda: atom.update(self._while_running(fn)))

    def mutate(self, key: Any, fn: Callable[[Any], object], /) -> Receipt:
        atom = self._atom(key)
        if self.is_stopping:
            return REFUSED

        def before() -> Any:
            try:
                return private_copy(atom.current)
            except TypeError:
                return atom.current  # then only the edited object itself could be put back

        return self._note(atom, lambda: atom.mutate(self._while_running(fn)), before)

    def reset(self, key: Any, /) -> Receipt:
        atom = self._atom(key)
        if self.is_stopping:
            return self._put_back(atom, lambda: atom.owner.initial(atom))
        return self._note(atom, atom.reset)

    def progress(self, fraction: float | None, text: str = "", /) -> None:
        if not self.is_stopping:
            self._run.on_progress(fraction, text)

    def optimistic(self, key: Any, value: Any, /) -> Optimistic:
        return Optimistic(self, self._owner, key, value)

    def cleanup(self, seconds: float, /) -> _Cleanup:
        return _Cleanup(seconds)

    @property
    def is_stopping(self) -> bool:
        """Whether nothing may be written any more but what puts back."""
        return self.is_dead or self._run.is_stopping

    def as_own(self, atom: Atom[Any], write: Callable[[], object]) -> None:
        """Call something that writes to an atom: what was ours to put back still is."""
        note = self._notes.writes.get(atom)
        if note is None or not note.has_written:
            write()
            return
        with here():
            count = note.count
            write()
            note.end(count)

    def _atom(self, key: Any) -> Atom[Any]:
        node = self._owner.writable(key)
        if not is_atom(node):
            node.set(None)  # says that it is read-only
        atom: Atom[Any] = node
        return atom

    def _note(self, atom: Atom[Any], write: Callable[[], Receipt], before: Callable[[], Any] | None = None) -> Receipt:
        """Write, and remember what was there before the first write, and that the last one is ours."""
        if not atom.owner.is_here:
            return atom.owner.elsewhere(atom.key, lambda: self._note(atom, write, before))
        refuse_in_selector(f"writes {atom.key}")
        note = self._notes.of(atom, self._run)
        if note is None:
            return write()
        count: int | None = None

        def begin() -> None:
            nonlocal count
            note.begin(before or (lambda: atom.current))
            count = note.count

        def end() -> None:
            if count is not None:  # else it was dropped from the mailbox
                note.end(count)

        with here():  # a listener that writes the same key is somebody else, and comes after the note
            if atom.is_busy:
                atom.post(begin)
            else:
                begin()
            try:
                receipt = write()
            except BaseException:
                end()  # a mutate that raised has edited all the same
                raise
            receipt.on_done(end)
            note.expect(receipt)
        return receipt

    def _put_back(self, atom: Atom[Any], make: Callable[[], Any]) -> Receipt:
        """Write a value if it is the one that was there before; a busy atom gets to it in its turn."""
        note = self._notes.writes.get(atom)
        if self.is_dead or note is None:
            return REFUSED
        known = note
        is_refused: bool | None = None

        def put() -> None:
            nonlocal is_refused
            if is_refused is not None:
                return
            is_refused = True  # also if what is to be put back cannot be made
            value = make()
            is_refused = not known.may_become(value)
            if not is_refused:
                with here():
                    count = known.count
                    atom.take(value)
                    known.end(count)

        receipt = atom.post(put)
        receipt.on_done(put)  # if the store ends before the atom gets to it, then now
        known.expect(receipt)
        if not receipt.is_done:
            return _PutBack(receipt, lambda: bool(is_refused))
        return REFUSED if is_refused else receipt

    def _while_running(self, fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The same function, but what it awaits ends with the run, and comes to nothing then."""

        def call(value: Any) -> Any:
            result = fn(value)
            return Wrapped(result, self._finish) if is_a(result, Awaitable) else result

        fn_as_given: object = fn
        return call if callable(fn_as_given) else fn

    async def _finish(self, work: Awaitable[Any]) -> Any:
        scopes = self._notes.scopes
        result: Any = None
        try:
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                try:
                    if self.is_stopping:
                        scope.cancel()
                    result = await work
                finally:
                    scopes.remove(scope)
        except anyio.get_cancelled_exc_class():
            if not self.is_stopping:  # else the store may be ending as well, but the run wanted it no more
                raise
        if self.is_stopping:
            raise RunCancelled("the run that had asked for this update has ended")
        return result


def _at_once(result: Any) -> Any:
    """What a sync function has returned; an async one cannot put back."""
    if is_a(result, Awaitable):
        getattr(result, "close", lambda: None)()
        return REFUSED  # equal to nothing that an atom holds
    return result


class _PutBack(Receipt):
    """The receipt of a value that is put back, if it may be, when its atom is no longer busy."""

    __slots__ = ("_is_refused", "_receipt")

    def __init__(self, receipt: Receipt, is_refused: Callable[[], bool]) -> None:
        self._receipt = receipt
        self._is_refused = is_refused

    @property
    def is_done(self) -> bool:
        return self._receipt.is_done

    def on_done(self, call: Callable[[], object]) -> None:
        self._receipt.on_done(call)

    def __await__(self) -> Generator[Any, None, None]:
        yield from self._receipt.__await__()
        if self._is_refused():
            yield from REFUSED.__await__()

    def wait(self, timeout: float | None = None) -> None:
        self._receipt.wait(timeout)


class _Cleanup(AbstractAsyncContextManager[None]):
    """Shields its block from the run's cancellation, for some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._scope = anyio.CancelScope(shield=True)

    async def __aenter__(self) -> None:
        self._scope.deadline = anyio.current_time() + self._seconds
        self._scope.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool | None:
        return self._scope.__exit__(kind, error, traceback)
