"""Attention: who has to know of every write to an atom, one that changes nothing included.

The version of an atom says whether its value has changed. Who wants to put a value back has
to know whether anybody has written, and the same value once more is a write, too. While
somebody attends to it an atom is of a class of its own, so that no other one pays for that.
"""

from __future__ import annotations

import weakref
from typing import Any, TypeVar

from .atom import Atom
from .core.values import private_copy, same

__all__ = ("Attention", "Layer", "attend")

T = TypeVar("T")


class Layer:
    """One value of an atom, and whether something lies over it."""

    __slots__ = ("_pristine", "_value")

    def __init__(self, value: Any) -> None:
        self._value = value
        self._pristine = value

    @property
    def value(self) -> Any:
        """The object itself, or a copy of what it was when it was covered, if it has been edited since."""
        return self._value if same(self._value, self._pristine) else self._pristine

    def cover(self) -> None:
        """Something is about to lie over it.

        Raises:
            TypeError: When the value is mutable and cannot be copied.
        """
        self._pristine = private_copy(self._value)


class Attention:
    """What is kept of an atom while somebody attends to it. Shared by all who do; each calls `leave` once."""

    __slots__ = ("_holders", "base", "latest", "layers", "writes")

    def __init__(self) -> None:
        self.writes = 0
        """How many writes there have been: a number that only grows."""
        self.latest: object = None
        """Of those who attend who has written last; somebody else may have done so since."""
        self.base: Layer | None = None
        """What the atom really holds, while there are layers."""
        self.layers: list[Layer] = []
        """The optimistic values over that, the one that shows last. A plain write drops them."""
        self._holders = 0

    def attend(self) -> None:
        """One more attends."""
        self._holders += 1

    def leave(self, atom: Atom[Any]) -> None:
        """One less attends; after the last one the atom is like any other."""
        self._holders -= 1
        if not self._holders:
            _attended.pop(atom, None)
            atom.__class__ = Atom

    def written(self, atom: Atom[Any]) -> None:
        """Somebody makes a plain write."""
        self.writes += 1
        if self.layers:
            self.base, self.layers = None, []
            self.leave(atom)

    def show(self, atom: Atom[Any], value: Any) -> None:
        """Have the atom show a value, which is no plain write. An `equals=` that raises calls it a change."""
        self.writes += 1
        try:
            unchanged = same(atom.current, value, atom.key.equals)
        except Exception:
            unchanged = False
        if unchanged:
            atom.current = value
        else:
            Atom[Any]._store(atom, value, edited=False)  # pyright: ignore[reportPrivateUsage]  # not its own


def attend(atom: Atom[Any]) -> Attention:
    """Attend to an atom from here on."""
    attention = _attended.get(atom)
    if attention is None:
        attention = _attended[atom] = Attention()
        atom.__class__ = _AttendedAtom
        atom.is_noted = True
    attention.attend()
    return attention


class _AttendedAtom(Atom[T]):
    """An atom whose every write is noted before it is made."""

    __slots__ = ()

    def _assign(self, value: Any) -> None:
        if self.key.equals is not None:
            same(self.current, value, self.key.equals)  # if that raises, then before anything has happened
        _note_write(self)
        Atom[Any]._assign(self, value)

    def _store(self, value: Any, edited: bool) -> None:
        _note_write(self)
        Atom[Any]._store(self, value, edited)


_attended: weakref.WeakKeyDictionary[Atom[Any], Attention] = weakref.WeakKeyDictionary()
"""The atoms that somebody attends to just now."""


def _note_write(atom: Atom[Any]) -> None:
    attention = _attended.get(atom)
    if attention is not None:  # pragma: no branch - else an `equals=` has ended the attention
        attention.written(atom)
