"""Transactions: writes that are staged, seen by nobody else, and made all at once or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, TypeVar, overload

import anyio.lowlevel

from ..atom import Atom, is_atom
from ..core.turn import here
from ..core.values import is_a, is_immutable, private_copy, same
from ..door import CLOSED, HOMELESS
from ..errors import ClosedError, ConflictError
from ..key import Name, Readable, Writable
from ..owner import Owner
from ..receipt import DONE, Receipt

__all__ = ("Transaction",)

T = TypeVar("T")


class _Staged:
    """What a transaction knows of one atom."""

    __slots__ = ("is_written", "value", "version")

    def __init__(self, value: Any, version: int) -> None:
        self.value = value  # a copy that nobody else has, if it is mutable
        self.version = version  # another one at the commit means that somebody else has written
        self.is_written = False


class Transaction:
    """`async with state.transaction() as tx:` makes one turn of everything that is written in it, at its end.

    Until then nobody else sees any of it; an error or a cancellation drops it all. If
    somebody else has written one of the keys meanwhile, theirs stays (the first committer
    wins) and leaving the block raises `ConflictError`: read again and do it once more. Keys
    that are only read are not guarded; writing back what was read guards them, too.

    What it writes lives in its own store, or in another one on the same loop.
    """

    __slots__ = ("_is_committed", "_is_dropped", "_is_over", "_owner", "_staged")

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._staged: dict[Atom[Any], _Staged] = {}
        self._is_over = False
        self._is_committed = False
        self._is_dropped = False

    # ------------------------------------------------------------------ the face

    @overload
    def get(self, key: Readable[T], /) -> T: ...
    @overload
    def get(self, key: Name, /) -> Any: ...
    def get(self, key: Any, /) -> Any:
        """Read a key: what this transaction has written, else what was there when it first read it.

        A mutable value that was not written here is a copy each time: edit it, and set it. A
        selector gives its value outside of the transaction.

        Raises:
            TypeError: For a mutable value that cannot be copied.
            ClosedError: When the transaction is over.
        """
        self._refuse_over()
        node = self._owner.find(key)
        if not is_atom(node):
            return node.value
        staged = self._stage(node)
        return staged.value if staged.is_written else private_copy(staged.value)

    @overload
    def set(self, key: Writable[T], value: T, /) -> None: ...
    @overload
    def set(self, key: Name, value: Any, /) -> None: ...
    def set(self, key: Any, value: Any, /) -> None:
        """Stage a new value.

        Raises:
            ReadOnlyError: For a selector or a status.
            ValueError: For the atom of a store that lives on another loop.
            ClosedError: When the transaction is over, or the store has ended.
        """
        self._write(key, self._blind, lambda _: value)

    @overload
    def update(self, key: Writable[T], fn: Callable[[T], T], /) -> None: ...
    @overload
    def update(self, key: Name, fn: Callable[[Any], Any], /) -> None: ...
    def update(self, key: Any, fn: Callable[[Any], Any], /) -> None:
        """Stage `fn(value)`. `fn` is sync; await what it needs before.

        Raises:
            TypeError: When `fn` is async, or the value is mutable and cannot be copied.
            Exception: What `fn` raises; nothing is staged then.
        """
        self._write(key, self._stage, lambda staged: _at_once(fn(private_copy(staged.value))))

    @overload
    def mutate(self, key: Writable[T], fn: Callable[[T], object], /) -> None: ...
    @overload
    def mutate(self, key: Name, fn: Callable[[Any], object], /) -> None: ...
    def mutate(self, key: Any, fn: Callable[[Any], object], /) -> None:
        """Stage a copy of the value, edited in place by `fn`.

        Raises:
            TypeError: When the value cannot change in place, or cannot be copied.
            Exception: What `fn` raises; nothing is staged then.
        """

        def edit(staged: _Staged) -> Any:
            if is_immutable(staged.value):
                raise TypeError(
                    f"mutate edits in place, and {staged.value!r} cannot change in place. "
                    "Use update: it stores what the function returns."
                )
            edited = private_copy(staged.value)
            _at_once(fn(edited))
            return edited

        self._write(key, self._stage, edit)

    def reset(self, key: Writable[Any] | Name, /) -> None:
        """Stage the default of a key."""
        self._refuse_over()
        atom = self._atom(key)
        value = atom.owner.initial(atom)
        self._write(key, self._blind, lambda _: value)

    async def __aenter__(self) -> Transaction:
        self._refuse_over()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """Commit in one turn, or drop everything.

        Waits for atoms that are in the middle of a message; a cancellation meanwhile drops it.

        Raises:
            ConflictError: When somebody else has written one of the keys.
            DeadlockError: Inside an update of one of the keys.
            ClosedError: When the store has ended.
        """
        self._is_over = True
        if kind is not None:
            return
        await anyio.lowlevel.checkpoint()  # a cancellation that is due counts
        try:
            while not self._is_committed:
                receipt = self._owner.elsewhere("a transaction", self._commit)
                if not self._is_committed:
                    await receipt
        except BaseException:
            self._is_dropped = True  # it may be on its way to another thread
            raise

    def __repr__(self) -> str:
        written = [str(atom.key) for atom, staged in self._staged.items() if staged.is_written]
        return f"<Transaction {'over' if self._is_over else 'open'}: {', '.join(written) or 'nothing written'}>"

    # ------------------------------------------------------------------ the machinery

    def _write(self, key: Any, stage: Callable[[Atom[Any]], _Staged], make: Callable[[_Staged], Any]) -> None:
        self._refuse_over()
        staged = stage(self._atom(key))
        staged.value = make(staged)
        staged.is_written = True

    def _atom(self, key: Any) -> Atom[Any]:
        node: Any = self._owner.writable(key)
        if not is_atom(node):
            node.set(None)  # says that it is read-only
        atom: Atom[Any] = node
        self._refuse_elsewhere(atom)
        return atom

    def _refuse_elsewhere(self, atom: Atom[Any]) -> None:
        """Refuse what another store has on another loop, or had: a commit is one step of one loop."""
        owner = atom.owner
        if owner is self._owner or owner.thread in (HOMELESS, self._owner.thread):
            return
        if owner.thread == CLOSED:
            raise ClosedError(f"{atom.key} belongs to a store that is closed; a transaction cannot write it")
        raise ValueError(
            f"{atom.key} belongs to a store that lives on another loop, and a transaction writes on one. Write it by "
            "itself, `await atom.set(value)`, or in a transaction of its own store."
        )

    def _stage(self, atom: Atom[Any]) -> _Staged:
        """Note what an atom holds, for somebody who goes by it."""
        staged = self._staged.get(atom)
        if staged is None:
            try:
                atom.is_noted = True
                # On its own thread: nobody writes between looking at the value and at its version.
                value, version = atom.owner.on_home(lambda: (private_copy(atom.current), atom.version))
            except TypeError as error:
                raise TypeError(f"{atom.key} in a transaction: {error}; set a new value instead") from error
            staged = self._staged[atom] = _Staged(value, version)
        return staged

    def _blind(self, atom: Atom[Any]) -> _Staged:
        """Note an atom for somebody who writes without having read it: what is under way already comes before."""
        staged = self._staged.get(atom)
        if staged is None:
            atom.is_noted = True
            made = staged = self._staged[atom] = _Staged(None, atom.version)

            def our_turn() -> None:
                made.version = atom.version

            if atom.is_busy:
                atom.post(our_turn)
        return staged

    def _commit(self) -> Receipt:
        """On the home thread: everything, or a receipt to wait for before trying again."""
        if self._is_dropped:
            return DONE
        written = [(atom, staged) for atom, staged in self._staged.items() if staged.is_written]
        for atom, _ in written:
            self._owner.adopt(atom)
            self._refuse_elsewhere(atom)
            if atom.is_busy:
                return atom.post(_nothing)
        for atom, staged in written:
            if atom.version != staged.version:
                raise ConflictError(
                    f"{atom.key} was written by somebody else while the transaction was open; nothing of it was "
                    "committed. Read again, and do it once more."
                )
            if atom.key.equals is not None:
                same(atom.current, staged.value, atom.key.equals)  # if that raises, then before anything is written
        with here():
            for atom, staged in written:
                atom.take(staged.value)
            self._is_committed = True
        return DONE

    def _refuse_over(self) -> None:
        if self._is_over:
            raise ClosedError("this transaction is over; open another one")


def _nothing() -> None:
    """A message that does nothing: it is answered when those before it have been handled."""


def _at_once(result: Any) -> Any:
    if is_a(result, Awaitable):
        getattr(result, "close", lambda: None)()
        raise TypeError("a transaction takes sync functions only: await what you need, and set the result")
    return result
