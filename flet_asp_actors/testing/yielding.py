"""Checkpoints at every awaited write: what may happen somewhere is made to happen everywhere."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from .. import receipt

__all__ = ("every_receipt_yields",)


@contextmanager
def every_receipt_yields() -> Generator[None, None, None]:
    """Have every `await state.set(...)` yield to the loop, instead of one in so many.

    Which one that is depends on all writes of the process so far. Here none differs from
    another, so a test under it does the same each time, and it meets a cancellation or
    another task wherever one could come.
    """
    budget = receipt.BUDGET
    receipt.BUDGET = 1
    try:
        yield
    finally:
        receipt.BUDGET = budget
