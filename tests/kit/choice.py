"""A control of one's own, whose annotations are objects: Flet and the library read them."""

from typing import Annotated, Literal

import flet as ft
from flet.utils.validation import V

__all__ = ("Choice",)


@ft.control
class Choice(ft.TextField):
    """One of two, with a property of before."""

    selected: Literal["a", "b"] = "a"
    former: Annotated[str | None, V.deprecated("selected", version="1.0")] = None
