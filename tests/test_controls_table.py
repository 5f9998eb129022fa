"""docs/controls.md: the table there is what the library does, for every control of Flet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import flet as ft

from flet_asp_actors.ui import controls

TABLE = Path(__file__).parents[1] / "docs" / "controls.md"
ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|", re.MULTILINE)
ABSTRACT = {"DialogControl", "FormFieldControl"}


def kinds() -> set[Any]:
    """All the controls that Flet exports."""
    exported: list[Any] = [getattr(ft, name) for name in ft.__all__]
    return {
        each
        for each in exported
        if isinstance(each, type) and issubclass(each, ft.BaseControl) and each.__name__ not in ABSTRACT
    }


def known() -> set[tuple[str, str, str]]:
    return {(kind.__name__, prop, event) for kind in kinds() for prop, event in controls.entered(kind).items()}


def test_the_table_of_controls_is_what_the_library_does() -> None:
    assert sorted(known()) == sorted(ROW.findall(TABLE.read_text(encoding="utf-8")))


def test_every_control_that_shows_an_error_is_named() -> None:
    text = TABLE.read_text(encoding="utf-8")
    for kind in kinds():
        prop = controls._error_property(kind)  # pyright: ignore[reportPrivateUsage]  # of the kind, there is no control
        if prop is not None:
            assert f"`{kind.__name__}.{prop}`" in text
