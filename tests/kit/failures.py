"""What a store reports."""

from __future__ import annotations

import flet_asp_actors as fa

__all__ = ("collect",)


def collect(state: fa.StateManager) -> list[fa.Failure]:
    """Have the failures of a store put into a list instead of the log."""
    found: list[fa.Failure] = []
    state.on_error = found.append
    return found
