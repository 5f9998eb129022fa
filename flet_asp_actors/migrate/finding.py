"""A place that a rule is about."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from .rules import RULES, Rule
from .source import Edit, Source

__all__ = ("Finding", "Findings")


@dataclass(frozen=True)
class Finding:
    """A place that a rule is about, and what to do there."""

    rule: Rule
    line: int
    column: int
    why: str
    new: str
    edits: tuple[Edit, ...] = ()
    """What `--write` does; nothing where a person has to."""

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.rule.name}  {self.why} -> {self.new}"


class Findings(list[Finding]):
    """What has been found in a file."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def note(
        self, name: str, node: ast.AST, new: str = "", why: str = "", edits: Iterable[Edit | None] | None = None
    ) -> None:
        """Note a place, unless a comment there says to ignore it.

        Args:
            name: Of the rule.
            node: Where it is.
            new: The new form here; that of the rule without one.
            why: What is wrong here; that of the rule without one.
            edits: All that makes it right. One that is None cannot be made, so none is.
        """
        rule = RULES[name]
        if self._source.ignores(node, name):
            return
        made = list(edits) if edits is not None and rule.writes else []
        safe = () if None in made else tuple(edit for edit in made if edit is not None)
        line = getattr(node, "lineno", 1)
        self.append(
            Finding(rule, line, self._source.column(node), why or rule.why, new or rule.new.replace("`", ""), safe)
        )
