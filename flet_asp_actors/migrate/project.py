"""The files that are looked at together, and the keys that they declare."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from .meaning import Meaning, name_in
from .source import Source, Unreadable

__all__ = ("DECLARING", "Project", "files", "key_of")

DECLARING = frozenset({"atom", "selector", "add_selector"})
_SKIPPED = frozenset({"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv"})


def files(path: Path) -> Iterator[Path]:
    """The Python files of a directory, without hidden ones and virtual environments; or the file itself."""
    if not path.is_dir():
        yield path
        return
    for place, directories, names in os.walk(path):
        directories[:] = sorted(
            name
            for name in directories
            if not name.startswith(".") and name not in _SKIPPED and not (Path(place) / name / "pyvenv.cfg").exists()
        )
        yield from (Path(place) / name for name in sorted(names) if name.endswith(".py") and not name.startswith("."))


class Project:
    """The files of an app.

    Args:
        paths: Python files.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.meanings: list[Meaning] = []
        self.unreadable: dict[Path, str] = {}
        self._modules: dict[str, list[Meaning]] = {}
        self._keys: _Keys | None = None  # found when they are asked for
        for path in paths:
            try:
                self.add(Source(path, path.read_bytes()))
            except OSError as error:
                self.unreadable[path] = error.strerror or str(error)
            except Unreadable as error:
                self.unreadable[path] = str(error)

    def add(self, source: Source) -> Meaning:
        """Look at a file too."""
        meaning = Meaning(source, self._module)
        self.meanings.append(meaning)
        path = source.path
        self._modules.setdefault(path.parent.name if path.stem == "__init__" else path.stem, []).append(meaning)
        self._keys = None
        return meaning

    # ------------------------------------------------------------------ the keys

    @property
    def keys(self) -> _Keys:
        """The keys that the app declares."""
        if self._keys is None:
            self._keys = _Keys(self.meanings)
        return self._keys

    def _module(self, name: str) -> Meaning | None:
        """The file of a module, if only one can be meant."""
        found = self._modules.get(name.rsplit(".", 1)[-1], [])
        return found[0] if len(found) == 1 else None


class _Keys:
    """What is declared by `atom`, `selector` and `add_selector`, in all files."""

    def __init__(self, meanings: Iterable[Meaning]) -> None:
        self.defaults: dict[str, ast.expr | None] = {}
        self._patterns: list[re.Pattern[str]] = []
        self._is_open = False
        """Whether some key is made where it cannot be seen."""
        self._elsewhere: set[str] = set()
        """Texts that may find their way into such a key."""
        for meaning in meanings:
            if meaning.is_about_flet:
                self._look(meaning)

    @property
    def are_names(self) -> bool:
        """Whether keys are declared by name, as flet-asp has them."""
        return bool(self.defaults or self._patterns or self._is_open)

    def knows(self, name: str) -> bool:
        """Whether a key of this name is declared, or may be."""
        if name in self.defaults or any(pattern.fullmatch(name) for pattern in self._patterns):
            return True
        return self._is_open and name in self._elsewhere

    def _look(self, meaning: Meaning) -> None:
        asked: set[ast.AST] = set()
        for node in meaning.nodes:
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            key = key_of(node)
            if key is None or meaning.what(node.func.value) != "store":
                continue
            asked.add(key)
            if node.func.attr in DECLARING and meaning.what(key) != "key":
                self._declare(node, key)
        for node in meaning.nodes:
            text = name_in(node)
            if text is not None and node not in asked:
                self._elsewhere.add(text)

    def _declare(self, call: ast.Call, key: ast.expr) -> None:
        name = name_in(key)
        if name is not None:
            default = call.args[1] if len(call.args) > 1 else None
            default = next((each.value for each in call.keywords if each.arg == "default"), default)
            self.defaults.setdefault(name, default)
        elif isinstance(key, ast.JoinedStr):
            self._patterns.append(
                re.compile("".join(re.escape(name_in(part) or "") if name_in(part) else ".*" for part in key.values))
            )
        elif not isinstance(key, (ast.Lambda, ast.Constant)):
            self._is_open = True


def key_of(call: ast.Call) -> ast.expr | None:
    """The key that a method of a store is given."""
    if call.args:
        return call.args[0]
    return next((each.value for each in call.keywords if each.arg in ("key", "name")), None)
