"""Quiescence: wait until a store has nothing left to do, and say what it is still doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    running = sum(node.kind == "service" and node.state == "running" for node in state.supervision())
    return bool(_work(state) or now.messages or now.busy or running > services)


def _work(state: StateManager) -> list[str]:
    """What is under way, services aside."""
    return [
        f"{node.kind} {node.name}"
        for node in state.supervision()
        if node.kind not in ("store", "supervisor", "service")
    ]


def _describe(state: StateManager) -> str:
    now, work = state.statistics(), _work(state)
    services = [node.name for node in state.supervision() if node.kind == "service" and node.state == "running"]
    parts = [
        f"{len(work)} task(s) under way: {', '.join(work)}" if work else "",
        f"{len(services)} service(s): {', '.join(services)}" if services else "",
        f"{now.messages} message(s) in mailboxes" if now.messages else "",
        f"{now.busy} action(s) that say so" if now.busy else "",
    ]
    return "; ".join(filter(None, parts)) or "writes from other threads are on their way, or frames go on"
