"""The mark on flet-asp's names that the typed face replaces: type checkers tell, programs hear nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

__all__ = ("deprecated",)

if TYPE_CHECKING:
    # Every checker brings this with it; at run time it would be one more dependency.
    from typing_extensions import deprecated
else:
    F = TypeVar("F")

    def deprecated(message: str) -> Callable[[F], F]:
        """Mark what a checker is to tell `message` about; nothing happens at run time."""
        return lambda function: function
