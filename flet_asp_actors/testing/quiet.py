"""Quiescence: wait until a store has nothing left to do, and say what it is still doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.lowlevel

if TYPE_CHECKING:
    from ..state import StateManager

__all__ = ("assert_quiet", "quiescent")

_TURNS = 3
"""Turns of the loop in which nothing new must begin: a callback that is queued may start a task."""


async def quiescent(state: StateManager, timeout: float | None = 60.0) -> None:
    """Wait until a store is at rest, with one `await`.

    Afterwards no run, update, async listener or selector is under way, nothing waits in a
    mailbox or on its way from another thread, and every frame has been pushed to its page.
    Services go on, and so does what waits for a later time outside of the store, such as a
    debounce.

    Args:
        state: The store.
        timeout: Seconds, of whatever time the loop has; None waits for ever.

    Raises:
        AssertionError: When it is not at rest in time; the text says what is under way.
        DeadlockError: Inside a run of the store, which would wait for itself.
    """
    try:
        with anyio.fail_after(timeout):
            while True:
                await state.settled()
                await state.flushed()
                before = state.statistics()
                for _ in range(_TURNS):
                    await anyio.lowlevel.checkpoint()
                if state.statistics() == before and not before.messages:
                    await state.settled()
                    return
    except TimeoutError:
        raise AssertionError(f"the store is not at rest after {timeout} s: {_describe(state)}") from None


def assert_quiet(state: StateManager, *, services: int = 0) -> None:
    """Assert that a store has nothing under way: no task, no message in a mailbox, no busy action.

    Args:
        state: The store.
        services: How many services are meant to be running.

    Raises:
        AssertionError: When something is; the text says what.
    """
    if _left(state, services):
        raise AssertionError(f"the store is not at rest: {_describe(state)}")


def _left(state: StateManager, services: int) -> bool:
    now = state.statistics()
    return now.jobs > services or now.messages > 0 or bool(_busy(state))


def _busy(state: StateManager) -> list[str]:
    inside = cast("Any", state)
    return [bound.name for bound in inside._actions.values() if inside.get(bound.status).is_busy]


def _describe(state: StateManager) -> str:
    now, host = state.statistics(), cast("Any", state)._host
    jobs = [] if host is None else [str(getattr(job, "name", job)) for job in list(host._jobs)]
    busy = _busy(state)
    parts = [
        f"{now.jobs} task(s) under way: {', '.join(jobs)}" if now.jobs else "",
        f"{now.messages} message(s) in mailboxes" if now.messages else "",
        f"busy action(s): {', '.join(busy)}" if busy else "",
    ]
    return "; ".join(filter(None, parts)) or "writes from other threads are on their way, or frames go on"
