"""A text field that knows what was entered and whether it may be so."""

from collections.abc import Callable
from typing import Any

import flet as ft

import flet_asp_actors as fa


class ReactiveInput(ft.TextField):
    """What was entered is `text`; `objection(get)` says what is wrong with it, or None.

    Args:
        label: What is asked for.
        initial: What is in it at first, and after `text.reset()`.
        check: Says what is wrong with a text, or None.
        **properties: Those of an `ft.TextField`: `password=True`.
    """

    def __init__(
        self, label: str, initial: str = "", check: Callable[[str], str | None] | None = None, **properties: Any
    ) -> None:
        super().__init__(label=label, **properties)
        state = fa.current()
        text = state.atom(fa.Key(label, initial))

        def objection(get: fa.Get) -> str | None:
            return check(get(text)) if check is not None else None

        def shown(get: fa.Get) -> str | None:
            return objection(get) if get(text) != initial else None  # nobody is to blame yet

        state.bound(self, value=fa.two_way(text), error=shown)
        self.text = text
        self.objection = objection
