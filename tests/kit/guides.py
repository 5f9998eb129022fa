"""The programs in the README and in the guides, and what else they say that can be checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

__all__ = ("GUIDES", "PAGES", "ROOT", "commands", "headings", "links", "program", "prose", "sources", "text_of")

ROOT = Path(__file__).parents[2]
GUIDES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))
"""What is below docs/, but not the API reference."""
PAGES = ["README.md", "CHANGELOG.md", *GUIDES, *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs/api").glob("*"))]
"""All that is written for people."""

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ANY_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`]+`")
_COMMAND = re.compile(r"(?:make|pip|python -m) .*")


def text_of(page: str) -> str:
    """A page as it is written."""
    return (ROOT / page).read_text(encoding="utf-8")


def sources(guide: str) -> list[str]:
    """The text of each program of a guide, by the guide's path from the root."""
    return _BLOCK.findall(text_of(guide))


def program(guide: str, number: int) -> dict[str, Any]:
    """What a program defines, without running its last lines."""
    names: dict[str, Any] = {"__name__": "guide"}
    text = sources(guide)[number]
    exec(compile(text, f"{guide}, program {number + 1}", "exec", dont_inherit=True), names)  # our own text
    return names


def prose(page: str) -> str:
    """A page without its blocks of code."""
    return _ANY_BLOCK.sub("", text_of(page))


def headings(page: str) -> set[str]:
    """The anchors of a page, made of its headings as the forges and the site make them."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in found}


def links(page: str) -> list[str]:
    """Where a page points to, pictures included."""
    return re.findall(r"\]\(([^)\s]+)\)", _CODE.sub("`code`", prose(page)))


def commands(page: str) -> list[str]:
    """The commands that a page tells to type, without their remarks: whole blocks, and those in running text."""
    lines = [line for block in _SHELL.findall(text_of(page)) for line in block.splitlines()]
    inline = [code.strip("`") for code in _CODE.findall(prose(page))]
    told = [*lines, *(code for code in inline if _COMMAND.fullmatch(code))]
    return [command for line in told if (command := line.split(" #")[0].strip())]
