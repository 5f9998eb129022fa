"""Optimistic values: they lie over what is held until it is known whether they come true."""

from __future__ import annotations

from typing import Any

from .mailboxes import Mailboxes

__all__ = ("Hopes",)


class Hopes(Mailboxes):
    """What is shown, and not sure yet."""

    def __init__(self) -> None:
        super().__init__()
        self._layers: dict[Any, list[tuple[object, Any]]] = {}
        """By key the values and whose they are, the base first, which is nobody's."""

    def write(self, key: Any, value: Any, edited: bool = False) -> None:
        """Anybody's plain write: it drops what was hoped for."""
        self._layers.pop(key, None)
        super().write(key, value, edited)

    def hope(self, owner: object, key: Any, value: Any) -> None:
        self._layers.setdefault(key, [(None, self.get(key))]).append((owner, value))
        super().write(key, value)

    def end_hope(self, owner: object, key: Any, value: Any, succeeded: bool) -> None:
        layers = self._layers.get(key, [])
        place = next((place for place, (each, _) in enumerate(layers) if each is owner), None)
        if place is None:
            return
        was_on_top = place == len(layers) - 1
        if succeeded:
            layers[: place + 1] = [(None, value)]
        else:
            del layers[place]
        if was_on_top and not succeeded:
            super().write(key, layers[-1][1])
        if len(layers) == 1:
            del self._layers[key]
