"""How work ends: what an error comes to, and what if it does not end at all."""

from __future__ import annotations

import anyio

from .errors import RunCancelled
from .owner import Job, Owner
from .waiting import Completion

__all__ = ("GRACE", "Watchdog", "cancelled_in", "errors_in")

GRACE = 5.0
"""Seconds that a cancelled run has to end in before it is reported as stuck."""


def cancelled_in(error: BaseException) -> RunCancelled | None:
    """The cancellation of a run that was awaited, if that is all there is to an error, or to a group of them."""
    if isinstance(error, RunCancelled):
        return error
    found = [cancelled_in(each) for each in errors_in(error)]
    return found[0] if all(found) and found else None


def errors_in(group: BaseException) -> tuple[BaseException, ...]:
    """The errors of an exception group, which Python 3.10 does not know yet; none for any other error."""
    found: tuple[BaseException, ...] = getattr(group, "exceptions", ())
    return found if callable(getattr(group, "split", None)) else ()


class Watchdog(Job):
    """Reports something that was cancelled and does not end.

    Args:
        what: What messages call it.
        key: Where the failure is reported.
        actor: The same.
        ended: Finishes when it has ended.
        owner: Its store.
    """

    __slots__ = ("_actor", "_ended", "_key", "_owner", "_what", "name")

    is_service = True
    is_idle = True  # it only waits for a time

    def __init__(self, what: str, key: str, actor: str, ended: Completion, owner: Owner) -> None:
        self._what = what
        self._key = key
        self._actor = actor
        self._ended = ended
        self._owner = owner
        self.name = f"watchdog of {what}"

    async def run(self) -> None:
        with anyio.move_on_after(GRACE, shield=True):  # a store that closes waits for it anyhow
            await self._ended.wait(hears=False)
        if not self._ended.is_done:
            self._owner.report(
                TimeoutError(f"{self._what} is stuck: still going {GRACE} s after its cancel"), self._key, self._actor
            )

    def abandon(self) -> None:
        pass
