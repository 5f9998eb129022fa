"""The verbs of values: read, write, write many at once, go back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from ..async_selector import AsyncSelector
from ..atom import Atom, is_atom
from ..core.evaluate import evaluating, refuse_in_selector
from ..core.graph import Derived, Node
from ..core.turn import here, invalidate
from ..core.values import is_a
from ..key import Key, Name, Readable, Writable
from ..receipt import DONE, Receipt, gather
from .batch import Batch
from .registry import Registry
from .snapshot import Snapshot
from .transaction import Transaction

__all__ = ("Values",)

T = TypeVar("T")

_NOT_GIVEN: Any = object()
plain_key: type[Any] = Key


class Values(Registry):
    """A store, as far as its values go."""

    # ------------------------------------------------------------------ reading

    @overload
    def get(self, key: Readable[T]) -> T: ...
    @overload
    def get(self, key: Name) -> Any: ...
    def get(self, key: Any) -> Any:
        """Return the value of a key now.

        A selector that is stale is computed first. May be called from any thread; from a
        foreign one an atom gives the last committed value, and a stale selector waits for
        the loop.

        Raises:
            UnknownKeyError: For a name that was never declared.
            Exception: What the selector's function raised.
        """
        node: Any = None
        try:
            node = self._nodes[key.kept if type(key) is plain_key else key]
        except (KeyError, TypeError):
            pass  # find() has the words for it
        if node is None:
            node = self.find(key)
        if node.mark or evaluating or node.error is not None:
            return node.value
        return node.current

    def has(self, key: Any) -> bool:
        """Say whether this store holds something under the key: declared, read or written before."""
        return isinstance(key, Node) or (key.kept if is_a(key, Readable) else key) in self._nodes

    # ------------------------------------------------------------------ writing

    @overload
    def set(self, key: Writable[T], value: T) -> Receipt: ...
    @overload
    def set(self, key: Name, value: Any) -> Receipt: ...
    def set(self, key: Any, value: Any) -> Receipt:
        """Replace the value of a key. See `Atom.set`.

        Raises:
            UnknownKeyError: For a name that was never declared.
            ReadOnlyError: For a selector or a status.
            PurityError: Inside a selector.
            ClosedError: When the store has ended.
        """
        node: Any = None
        try:
            node = self._nodes[key.kept if type(key) is plain_key else key]
        except (KeyError, TypeError):
            pass  # find() has the words for it
        if node is None:
            node = self.find(key)
        receipt: Receipt = node.set(value)
        return receipt

    @overload
    def update(self, key: Writable[T], fn: Callable[[T], Awaitable[T]], /) -> Receipt: ...
    @overload
    def update(self, key: Writable[T], fn: Callable[[T], T], /) -> Receipt: ...
    @overload
    def update(self, key: Name, fn: Callable[[Any], Any], /) -> Receipt: ...
    def update(self, key: Any, fn: Callable[[Any], Any], /) -> Receipt:
        """Replace the value of a key by `fn(value)`, sync or async, as one message. See `Atom.update`."""
        receipt: Receipt = self.find(key).update(fn)
        return receipt

    @overload
    def mutate(self, key: Writable[T], fn: Callable[[T], object], /) -> Receipt: ...
    @overload
    def mutate(self, key: Name, fn: Callable[[Any], object], /) -> Receipt: ...
    def mutate(self, key: Any, fn: Callable[[Any], object], /) -> Receipt:
        """Edit the value of a key in place with `fn(value)`. See `Atom.mutate`."""
        receipt: Receipt = self.find(key).mutate(fn)
        return receipt

    def reset(self, key: Writable[Any] | Name, value: Any = _NOT_GIVEN) -> Receipt:
        """Set a key back to its default, or to `value` if one is given."""
        node: Any = self.find(key)
        receipt: Receipt = node.reset() if value is _NOT_GIVEN else node.set(value)
        return receipt

    def batch(self) -> Batch:
        """Make one turn of many writes: `with state.batch(): ...`.

        Raises:
            BatchError: At its exit, when it was held open across an `await`; when it is entered inside of itself.
            ClosedError: When the store has ended.
        """
        self._refuse_closed("open a batch")
        return Batch(self)

    def delete(self, key: Readable[Any] | Name) -> None:
        """Give up a key.

        A name is unknown afterwards, until it is declared again: selectors that read it
        fail meanwhile, listeners and bindings wait. A typed key has no declaration to lose;
        it goes back to its default.

        Raises:
            UnknownKeyError: For a name that was never declared.
        """
        self.elsewhere(key, lambda: self._delete(key))

    def clear(self) -> None:
        """Start afresh, as at a logout: values back to their defaults, runs cancelled, statuses idle.

        Listeners and bindings live on and see the defaults.
        """
        self.elsewhere("clear", self._clear)

    def transaction(self) -> Transaction:
        """Stage writes and make them all at once: `async with state.transaction() as tx: tx.set(KEY, value)`.

        See `Transaction` for what it sees and when it conflicts.

        Raises:
            ClosedError: When the store has ended.
        """
        self._refuse_closed("open a transaction")
        self.settle_home()
        return Transaction(self)

    def snapshot(self) -> Snapshot:
        """Take down what all atoms hold now, as copies. From a foreign thread that waits for the loop.

        Raises:
            TypeError: When a value is mutable and cannot be copied; names its key.
        """
        return self.on_home(lambda: Snapshot(self._atoms()))

    def restore(self, snapshot: Snapshot, /) -> Receipt:
        """Have all atoms hold what they held then, in one turn; those that were not there go back to their default.

        It is a write like any other: an atom in the middle of a message takes it when that is done.

        Raises:
            UnknownKeyError: For a name that this store does not know; nothing is restored then.
            ReadOnlyError: For a name that is a selector's here; nothing is restored then.
            TypeError: For an atom that was not there then and has no default to go back to; the others are restored.
            PurityError: Inside a selector.
            ClosedError: When the store has ended.
        """
        refuse_in_selector("restores a snapshot")

        def apply() -> Receipt:
            values = {
                self.find(key): value
                for key, value in snapshot.values().items()
                if not is_a(key, Key) or key.is_there or key in self._given_up  # else nobody could see it
            }
            for node in values:
                if not is_atom(node):
                    node.set(None)  # says that it is read-only
            receipts: list[Receipt] = []
            failed: list[Exception] = []
            with here():
                for atom in dict.fromkeys([*values, *self._atoms()]):
                    try:
                        receipts.append(atom.set(values[atom]) if atom in values else atom.reset())
                    except Exception as error:  # the others are to be restored all the same
                        failed.append(error)
            if failed:
                raise failed[0]
            return gather(receipts)

        return self.elsewhere("restore", apply)

    def _atoms(self) -> list[Atom[Any]]:
        """All atoms, those included that only handles and bindings know any more."""
        return [node for node in dict.fromkeys([*self._nodes.values(), *self._given_up.values()]) if is_atom(node)]

    # ------------------------------------------------------------------ the machinery

    def _clear(self) -> Receipt:
        refuse_in_selector("clears the store")
        failed: list[Exception] = []
        turn = here()
        with turn:
            for bound in self.bound_actions():
                bound.reset()
            for node in dict.fromkeys([*self._nodes.values(), *self._given_up.values()]):
                if is_atom(node):
                    node.interrupt()
                    try:
                        node.reset()
                    except Exception as error:  # the others are to be cleared all the same
                        failed.append(error)
                elif isinstance(node, AsyncSelector):
                    node.forget()
                else:
                    assert isinstance(node, Derived), "a selector"
                    invalidate(node, turn)
        if failed:
            raise failed[0]
        return DONE
