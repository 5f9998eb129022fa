"""A text whose value is an atom of its own."""

from typing import Any

import flet as ft

import flet_asp_actors as fa


class ReactiveText(ft.Text):
    """Shows `text`, whoever writes it: `greeting.text.value = "Hello"`.

    Args:
        initial: What it shows at first, and after `text.reset()`.
        **properties: Those of an `ft.Text`.
    """

    def __init__(self, initial: str = "", **properties: Any) -> None:
        super().__init__(**properties)
        state = fa.current()
        # The key is this instance's own: no other control has it, and it goes with this one.
        self.text = state.atom(fa.Key("text", initial))
        state.bound(self, value=self.text)
