"""The programs in the README and in the guides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

__all__ = ("ROOT", "program", "sources")

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def sources(guide: str) -> list[str]:
    """The text of each program of a guide, by the guide's path from the root."""
    return _BLOCK.findall((ROOT / guide).read_text(encoding="utf-8"))


def program(guide: str, number: int) -> dict[str, Any]:
    """What a program defines, without running its last lines."""
    names: dict[str, Any] = {"__name__": "guide"}
    text = sources(guide)[number]
    exec(compile(text, f"{guide}, program {number + 1}", "exec", dont_inherit=True), names)  # our own text
    return names
