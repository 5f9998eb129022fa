"""The errors that reached `on_error`, for a test to look at, and to fail over those it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..state import StateManager
    from ..system.failure import Failure

__all__ = ("Failures",)


class Failures(list["Failure"]):
    """What a store reported: a list that a test empties by looking at it.

    For example::

        failures = Failures.of(state)
        ...
        (failure,) = failures.take()
        assert isinstance(failure.error, ValueError)
    """

    @classmethod
    def of(cls, *states: StateManager) -> Failures:
        """Collect what these stores report, instead of logging it."""
        found = cls()
        for state in states:
            state.on_error = found.append
        return found

    def take(self) -> list[Failure]:
        """Return what was reported since the last take; the test has looked at it."""
        taken = list(self)
        self.clear()
        return taken

    def assert_none(self) -> None:
        """Assert that nothing was reported that nobody has taken.

        Raises:
            AssertionError: When something was; its cause is the first error.
        """
        if self:
            told = "\n".join(f"  {failure}" for failure in self)
            raise AssertionError(f"{len(self)} error(s) reached on_error:\n{told}") from self[0].error
