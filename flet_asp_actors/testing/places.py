"""Where a coroutine stands that is suspended."""

from __future__ import annotations

import linecache
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ("position",)

_NOT_THEIRS = (
    *{sysconfig.get_path(each).replace("//", "/") for each in ("stdlib", "platstdlib", "purelib", "platlib")},
    str(Path(linecache.__file__).parent),
    str(Path(__file__).parents[1]),
)
"""Where no code of the person who tests is: Python, what is installed, this package.

In Pyodide the standard library is in a zip file, which is none of Python's paths, and those begin with two slashes.
"""


def position(work: Any) -> str:
    """Where a suspended coroutine stands, in the innermost code that belongs to who wrote it."""
    theirs: FrameType | None = None
    for frame in _frames(work):
        if theirs is None or not frame.f_code.co_filename.startswith(_NOT_THEIRS):
            theirs = frame
    if theirs is None:
        return "an unknown place"
    name, line = theirs.f_code.co_filename, theirs.f_lineno
    return f"{name}:{line}: {linecache.getline(name, line).strip()}"


def _frames(work: Any) -> Iterator[FrameType]:
    """The frames of a coroutine and of what it awaits, outermost first."""
    while work is not None:
        for frame, awaited in (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await")):
            found = getattr(work, frame, None)
            if found is not None:
                yield found
                work = getattr(work, awaited)
                break
        else:
            return
