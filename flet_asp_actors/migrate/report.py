"""What was found, as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .finding import Finding
from .rules import Group

__all__ = ("count", "lines")


def lines(found: list[tuple[Path, Finding]]) -> Iterator[str]:
    """The findings, group by group, each with its place."""
    for group in Group:
        here = [(path, each) for path, each in found if each.rule.group is group]
        if here:
            yield f"{group.value} ({len(here)})\n"
            yield from (f"{path}:{each}\n" for path, each in here)
            yield "\n"


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
