"""Python as HTML, with a class for each kind of token."""

from importlib import import_module
from pathlib import Path
from typing import Any

pygments: Any = import_module("pygments")  # it has no types; nor have these
lexers: Any = import_module("pygments.lexers")
formatters: Any = import_module("pygments.formatters")


def highlighted(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return str(pygments.highlight(text, lexers.PythonLexer(), formatters.HtmlFormatter(nowrap=True)))
