"""Snapshots: what the atoms of a store held at one moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..atom import Atom
from ..core.values import private_copy
from ..key import NamedKey

__all__ = ("Snapshot",)


class Snapshot:
    """The values of the atoms of a store at one moment, by their keys, as copies that share nothing with it.

    Raises:
        TypeError: When a value is mutable and cannot be copied; names its key.
    """

    __slots__ = ("_values",)

    def __init__(self, atoms: Iterable[Atom[Any]]) -> None:
        self._values: dict[Any, Any] = {}
        for atom in atoms:
            try:
                value = private_copy(atom.current)
            except TypeError as error:
                raise TypeError(
                    f"{atom.key} cannot be part of a snapshot: {error}. Give it a __deepcopy__, or keep in it only "
                    "what can be copied."
                ) from error
            self._values[atom.key.given if isinstance(atom.key, NamedKey) else atom.key] = value

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def values(self) -> dict[Any, Any]:
        """A copy of the values, by key: what a restore sets, or a test compares."""
        return {key: private_copy(value) for key, value in self._values.items()}

    def __repr__(self) -> str:
        return f"<Snapshot of {len(self._values)} atoms>"
