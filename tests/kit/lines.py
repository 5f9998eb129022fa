"""What something costs, as a number that no other work on the machine changes: lines of Python that run."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

__all__ = ("Lines", "counted")


class Lines:
    """How many lines have run."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _frame: FrameType, event: str, _argument: object) -> Lines:
        if event == "line":
            self.count += 1
        return self


@contextmanager
def counted() -> Generator[Lines, None, None]:
    """Count the lines of what this thread calls within the block, those of other tasks as well."""
    lines, before = Lines(), sys.gettrace()
    sys.settrace(lines)
    try:
        yield lines
    finally:
        sys.settrace(before)
