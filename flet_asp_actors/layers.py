"""Optimistic values: layers over what an atom really holds, until the server has said yes or no.

A layer that fails is removed wherever it lies; one that succeeds becomes what the atom holds,
and buries those under it; a plain write by anybody does the same, and drops them all. While
an atom has layers it is of a class of its own, so that no other atom pays for the question.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from .atom import Atom, is_atom
from .core.values import is_immutable, private_copy, same
from .owner import Owner
from .receipt import REFUSED

__all__ = ("Optimistic",)

T = TypeVar("T")


class _Layer:
    """One optimistic value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class _Stack:
    """The layers of one atom, and what lies under them."""

    __slots__ = ("_base", "_pristine", "layers")

    def __init__(self, base: Any) -> None:
        self.layers: list[_Layer] = []
        self.become(base)

    def become(self, base: Any) -> None:
        """This is what the atom holds from here on, whatever comes of the layers."""
        self._base = base
        self._pristine = private_copy(base)

    @property
    def top(self) -> Any:
        """What is to be seen: the last layer, or what lies under all of them, as it was at the time."""
        if self.layers:
            return self.layers[-1].value
        return self._base if same(self._base, self._pristine) else self._pristine


_stacks: dict[Atom[Any], _Stack] = {}
"""The atoms that have layers just now."""


class _LayeredAtom(Atom[T]):
    """An atom as long as it has layers: a plain write drops them."""

    __slots__ = ()

    def _assign(self, value: Any) -> None:
        self._drop_layers()
        self._assign(value)

    def _store(self, value: Any, edited: bool) -> None:
        self._drop_layers()
        self._store(value, edited)

    def _drop_layers(self) -> None:
        _stacks.pop(self, None)
        self.__class__ = Atom  # type: ignore[assignment]  # it is one, with another name


def _show(atom: Atom[Any], value: Any) -> None:
    """Assign a value as every other atom does: this is not the write that drops layers."""
    Atom[Any]._assign(atom, value)  # pyright: ignore[reportPrivateUsage]  # its own class has another one


def _put(atom: Atom[Any], layer: _Layer) -> None:
    if layer.value is atom.current and not is_immutable(layer.value):
        raise ValueError(
            f"set.optimistic({atom.key}, value): the value is the very object that it holds, so there would be "
            "nothing to go back to. Give a new one: a copy with the change."
        )
    stack = _stacks.get(atom)
    if stack is None:
        try:
            stack = _Stack(atom.current)
        except TypeError as error:
            raise TypeError(f"set.optimistic({atom.key}, ...) has to keep what is there now, and {error}") from error
        _stacks[atom] = stack
        atom.__class__ = _LayeredAtom
    stack.layers.append(layer)
    _show(atom, layer.value)


def _take(atom: Atom[Any], layer: _Layer, succeeded: bool) -> None:
    stack = _stacks.get(atom)
    if stack is None or layer not in stack.layers:
        return  # somebody has written since
    place = stack.layers.index(layer)
    if succeeded:
        stack.become(layer.value)
        del stack.layers[: place + 1]
    else:
        del stack.layers[place]
    shown = stack.top
    if not stack.layers:
        del _stacks[atom]
        atom.__class__ = Atom
    if shown is not atom.current:
        _show(atom, shown)


class Writer(Protocol):
    """What an optimistic value needs of the run that shows it."""

    @property
    def is_stopping(self) -> bool:
        """Whether the run was cancelled, is out of time, or has ended without success."""
        ...


class Optimistic:
    """`async with set.optimistic(key, value):` shows a value now, and takes it back if the block fails.

    Rolled back on an error or a cancellation, unless somebody has written the key since;
    kept when the block ends well. If the atom is in the middle of a message, entering waits
    for its turn.
    """

    __slots__ = ("_atom", "_is_over", "_layer", "_owner", "_run")

    def __init__(self, run: Writer, owner: Owner, key: Any, value: Any) -> None:
        node = owner.writable(key)
        if not is_atom(node):
            node.set(value)  # says that it is read-only
        self._run = run
        self._owner = owner
        self._atom: Atom[Any] = node
        self._layer = _Layer(value)
        self._is_over = False

    async def __aenter__(self) -> None:
        if self._run.is_stopping:
            await REFUSED
        try:
            await self._atom.post(self._begin)
        except BaseException:
            self._is_over = True  # it may still be in the mailbox
            self._atom.post(lambda: _take(self._atom, self._layer, succeeded=False))
            raise

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._is_over = True
        succeeded = kind is None and not self._run.is_stopping
        self._atom.post(lambda: _take(self._atom, self._layer, succeeded))

    def _begin(self) -> None:
        if not self._is_over:
            _put(self._atom, self._layer)
