"""A file as it is on the disk, and edits that leave the rest of it alone."""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

__all__ = ("Edit", "Source", "Unreadable")

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_IGNORE = re.compile(r"#\s*migrate:\s*ignore(?:\[([\w\s,-]*)\])?")


class Unreadable(Exception):
    """A file is no Python, or not of this version."""


class Edit(NamedTuple):
    """Text to put in place of what is between two offsets."""

    start: int
    end: int
    text: str


class Source:
    """A file, and its syntax tree.

    Args:
        path: What messages call it.
        data: What is in it.

    Raises:
        Unreadable: When it is no Python.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            self.encoding = "utf-8" if encoding == "utf-8-sig" else encoding
            self.text = data[len(self.mark) :].decode(self.encoding)
            self.tree = _parse(self.text)
        except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError) as error:
            line = f"{error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
            raise Unreadable(f"{line}{getattr(error, 'msg', None) or error}") from error
        self.lines = _LINE.findall(self.text)
        self._starts = [0]
        for each in self.lines:
            self._starts.append(self._starts[-1] + len(each))
        self._ignored = self._find_ignored()

    def start(self, node: ast.AST) -> int:
        """The offset at which a node begins."""
        return self._offset(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))

    def end(self, node: ast.AST) -> int:
        """The offset at which a node ends."""
        return self._offset(getattr(node, "end_lineno", None) or 1, getattr(node, "end_col_offset", None) or 0)

    def column(self, node: ast.AST) -> int:
        """The column at which a node begins, from 1, in characters."""
        line = getattr(node, "lineno", 1)
        return self.start(node) - self._starts[min(line, len(self._starts)) - 1] + 1

    def text_of(self, node: ast.AST) -> str:
        """The source of a node."""
        return self.text[self.start(node) : self.end(node)]

    def ignores(self, node: ast.AST, rule: str) -> bool:
        """Whether a comment on the line of a node says `# migrate: ignore`, or names the rule in brackets."""
        names = self._ignored.get(getattr(node, "lineno", 0))
        return names is not None and (not names or rule in names)

    # ------------------------------------------------------------------ making edits

    def replace(self, start: int, old: str, new: str) -> Edit | None:
        """Put `new` in place of `old`, if that is what is there."""
        return Edit(start, start + len(old), new) if self.text.startswith(old, start) else None

    def rename(self, node: ast.Name | ast.Attribute, new: str) -> Edit | None:
        """Call a name, or the last part of a dotted one, otherwise."""
        old = node.id if isinstance(node, ast.Name) else node.attr
        return self.replace(self.end(node) - len(old), old, new)

    def rename_argument(self, keyword: ast.keyword, new: str) -> Edit | None:
        """Call an argument of a call otherwise."""
        return self.replace(self.start(keyword), keyword.arg, new) if keyword.arg else None

    def remove(self, statement: ast.stmt, siblings: list[ast.stmt]) -> Edit:
        """Take a statement out, with its line if it has one to itself; a `pass` stays where a block needs it."""
        start, end = self.start(statement), self.end(statement)
        first, last = self._starts[statement.lineno - 1], self._starts[statement.end_lineno or statement.lineno]
        is_alone = not self.text[first:start].strip() and not self.text[end:last].strip()
        if len(siblings) > 1 and is_alone:
            return Edit(first, last, "")
        return Edit(start, end, "pass")

    def edited(self, edits: Iterable[Edit]) -> bytes:
        """The file with edits that do not overlap, in its encoding.

        Raises:
            Unreadable: When what comes out is no Python, or cannot be encoded: then it must not be written.
        """
        pieces: list[str] = []
        at = 0
        for edit in sorted(edits):
            pieces += (self.text[at : edit.start], edit.text)
            at = edit.end
        text = "".join((*pieces, self.text[at:]))
        try:
            _parse(text)
            return self.mark + text.encode(self.encoding)
        except (SyntaxError, ValueError) as error:
            raise Unreadable(f"the edits would break it: {error}") from error

    # ------------------------------------------------------------------ the machinery

    def _offset(self, line: int, column: int) -> int:
        """An offset in characters; the tree counts in bytes of UTF-8."""
        if line > len(self.lines):
            return len(self.text)  # pragma: no cover - the lines of Python are these
        text = self.lines[line - 1]
        if not text.isascii():
            column = len(text.encode()[:column].decode(errors="ignore"))
        return self._starts[line - 1] + column

    def _find_ignored(self) -> dict[int, frozenset[str]]:
        if "migrate:" not in self.text:
            return {}
        found: dict[int, frozenset[str]] = {}
        for number, line in enumerate(self.lines, 1):
            said = _IGNORE.search(line)
            if said:
                found[number] = frozenset((said[1] or "").replace(",", " ").split())
        return found


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the app's own, such as invalid escapes
        return ast.parse(text)
