"""Optimistic values: layers over what an atom really holds, until the server has said yes or no.

A layer that fails is removed wherever it lies; one that succeeds becomes what the atom holds,
and buries those under it; a plain write by anybody does the same, and drops them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .atom import Atom, is_atom
from .attention import Attention, Layer, attend
from .core.values import is_immutable
from .errors import ClosedError
from .owner import Owner
from .receipt import REFUSED

__all__ = ("Optimistic",)


class Writer(Protocol):
    """What an optimistic value needs of the `set` that shows it."""

    @property
    def is_stopping(self) -> bool:
        """Whether the run was cancelled, is out of time, or has ended without success."""
        ...

    def as_own(self, atom: Atom[Any], write: Callable[[], object]) -> None:
        """Call something that writes to an atom, as a write of this run."""
        ...


class Optimistic:
    """`async with set.optimistic(key, value):` shows a value now, and takes it back if the block fails.

    Rolled back on an error or a cancellation, unless somebody has written the key since;
    kept when the block ends well. If the atom is in the middle of a message, entering waits
    for its turn.
    """

    __slots__ = ("_atom", "_attention", "_is_over", "_layer", "_set", "_value")

    def __init__(self, set: Writer, owner: Owner, key: Any, value: Any) -> None:
        node = owner.writable(key)
        if not is_atom(node):
            node.set(value)  # says that it is read-only
        self._set = set
        self._atom: Atom[Any] = node
        self._value = value
        self._layer: Layer | None = None
        self._attention: Attention | None = None
        self._is_over = False

    async def __aenter__(self) -> None:
        if self._is_over or self._layer is not None:
            raise RuntimeError("this set.optimistic(...) has been entered before; make another one")
        self._layer = Layer(self._value)
        if self._set.is_stopping:
            self._is_over = True
            await REFUSED
        try:
            await self._atom.post(self._put)
        except BaseException:
            self._end(succeeded=False)  # it may have been put already, or still be in the mailbox
            raise

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(succeeded=kind is None and not self._set.is_stopping)

    def _end(self, succeeded: bool) -> None:
        self._is_over = True

        def take() -> None:
            self._set.as_own(self._atom, lambda: self._take(succeeded))

        # If the store ends before the atom gets to it, then now: nothing that was hoped for is to stay.
        try:
            self._atom.post(take).on_done(take)
        except ClosedError:
            take()

    def _put(self) -> None:
        if not self._is_over:
            self._set.as_own(self._atom, self._cover)

    def _cover(self) -> None:
        """Lay the value over what the atom shows."""
        atom, layer = self._atom, self._layer
        assert layer is not None
        if self._value is atom.current and not is_immutable(self._value):
            raise ValueError(
                f"set.optimistic({atom.key}, value): the value is the very object that it holds, so there would be "
                "nothing to go back to. Give a new one: a copy with the change."
            )
        attention = attend(atom)
        below = attention.layers[-1] if attention.layers else Layer(atom.current)
        try:
            below.cover()
        except TypeError as error:
            attention.leave(atom)
            raise TypeError(f"set.optimistic({atom.key}, ...) has to keep what is there now, and {error}") from error
        if attention.layers:
            attention.leave(atom)  # one holder for all layers
        else:
            attention.base = below
        attention.layers.append(layer)
        self._attention = attention
        attention.show(atom, self._value)

    def _take(self, succeeded: bool) -> None:
        """Remove the layer; what is under it shows again, unless the layer has become the base."""
        attention, layer = self._attention, self._layer
        self._attention = None
        if attention is None or layer is None or layer not in attention.layers:
            return  # it never was there, or somebody has written since
        place = attention.layers.index(layer)
        was_on_top = layer is attention.layers[-1]
        if succeeded:
            attention.base = layer
            del attention.layers[: place + 1]
        else:
            del attention.layers[place]
        below = attention.layers[-1] if attention.layers else attention.base
        if not attention.layers:
            attention.base = None
        if was_on_top and not succeeded and below is not None:
            attention.show(self._atom, below.value)
        if not attention.layers:
            attention.leave(self._atom)
