"""The root of supervision: one task, with one anyio task group, that is the parent of all others."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel

from ..door import Home
from ..ending import GRACE
from ..owner import Job
from ..waiting import Completion

__all__ = ("Host",)

LATE = 1.1 * GRACE
"""Seconds after which who waits is answered, although something does not end. It was reported as stuck by then."""


class Host:
    """The parent of every task of one store.

    A job's own frame lets nothing out, so no child ever takes the group down. A job that
    never began, or was torn down by the loop itself, is abandoned: whoever waits for it is
    answered.

    Args:
        home: The loop it lives on.
        on_end: Called when the host has ended on its own: its loop is shutting down.
        on_late: Called when it would have ended, but for what is stuck.
        on_idle: Called when the last job that is no service has ended.
        on_escape: Called with what got out of a job all the same.
        wind_down: Called before the rest is cancelled: ends what has an order to end in.
    """

    def __init__(
        self,
        home: Home,
        on_end: Callable[[], object],
        on_late: Callable[[], object],
        on_idle: Callable[[], object],
        on_escape: Callable[[BaseException, Job], object],
        wind_down: Callable[[], Awaitable[None]],
    ) -> None:
        self.home = home
        self._on_end = on_end
        self._on_late = on_late
        self._on_idle = on_idle
        self._on_escape = on_escape
        self._wind_down = wind_down
        self._group: anyio.abc.TaskGroup | None = None
        self._waiting: list[tuple[Job, Context]] = []  # until the group is open
        self._jobs: dict[Job, Coroutine[Any, Any, None] | None] = {}  # in the order of their start, with their frames
        self._begun = 0  # how many of them have begun
        self._stop = anyio.Event()
        self._emptied: anyio.Event | None = None  # somebody waits for the last job to end
        self.over = Completion()
        """Finishes when nothing of it is left."""
        self.is_full = False
        """Whether it takes no more jobs: it is about to end, and its loop with it."""
        self._task: Any = None

    @property
    def size(self) -> int:
        """How many jobs are under way, without those that only wait for a time."""
        return sum(not job.is_idle for job in self._jobs)

    @property
    def jobs(self) -> list[Job]:
        """The jobs under way, in the order of their start."""
        return list(self._jobs)

    @property
    def is_idle(self) -> bool:
        """Whether no job is under way, services aside."""
        return all(job.is_service for job in self._jobs)

    def spawn(self, job: Job) -> None:
        """Start a job in the context of the caller."""
        self._jobs[job] = None
        context = copy_context()
        context.run(self.home.enter)
        if self._group is None:
            self._waiting.append((job, context))
        else:
            begin = functools.partial(self._begin, self._group, job, context)
            if self.home.stands_still:
                self.home.post(begin)
            else:
                begin()

    async def enter(self) -> None:
        """Open the task group in the task of the caller, which has to call `leave`."""
        self._group = await anyio.create_task_group().__aenter__()
        for job, context in self._waiting:
            self._begin(self._group, job, context)
        self._waiting.clear()

    def _begin(self, group: anyio.abc.TaskGroup, job: Job, context: Context) -> None:
        frame = self._jobs[job] = self._frame(job)
        context.run(group.start_soon, _as_it_is, frame)

    async def leave(self, cancelled: BaseException | None = None) -> bool | None:
        """End what has an order to end in, cancel what is left, wait for it, and close the task group."""
        group = self._group
        assert group is not None
        try:
            with anyio.CancelScope(shield=True):
                try:
                    with anyio.move_on_after(GRACE):
                        await self._wind_down()
                finally:
                    group.cancel_scope.cancel()
                await self._empty()
        except anyio.get_cancelled_exc_class() as error:
            cancelled = cancelled or error  # the loop insists
        self.is_full = True
        try:
            if cancelled is None:
                await group.__aexit__(None, None, None)
                return None
            return await group.__aexit__(type(cancelled), cancelled, cancelled.__traceback__)
        finally:
            self._finish()

    async def _empty(self) -> None:
        """Wait until every job that has begun has ended; if one does not, answer those who wait."""
        self._emptied = anyio.Event()
        await anyio.lowlevel.cancel_shielded_checkpoint()  # what is about to begin begins
        if self._begun:
            with anyio.move_on_after(LATE):
                await self._emptied.wait()
        if self._begun:
            self.abandon()
            self._on_late()

    def start(self) -> None:
        """Open the host in a task of its own, in a context that holds no page."""
        context = Context()
        create_task = getattr(self.home.native, "create_task", None)
        if create_task is not None:  # asyncio; keep the task, the loop itself holds it weakly
            self._task = context.run(create_task, self._main())
        else:
            trio = sys.modules["trio"]
            self._task = trio.lowlevel.spawn_system_task(self._main, context=context)

    @property
    def is_entered(self) -> bool:
        """Whether the group is in the task of whoever called `enter`, and not in one of its own."""
        return self._task is None

    def stop(self, then: Callable[[], object]) -> None:
        """Ask the host's own task to end everything, and call `then` when it has."""
        self._on_end = then
        self._stop.set()

    def cancel(self) -> None:
        """Cancel all jobs; the group stays open until `leave`."""
        if self._group is not None:  # pragma: no branch - else it has ended before the wish has arrived
            self._group.cancel_scope.cancel()

    async def _main(self) -> None:
        try:
            await self.enter()
            try:
                await self._stop.wait()
            finally:
                await self.leave()
        finally:
            # Asked to, or the loop is shutting down and cancels every task there is.
            self._task = None
            self._on_end()

    def abandon(self) -> None:
        """The loop is gone: answer whoever waits. Harmless when the host has ended."""
        is_over = self._group is None or self.home.is_gone
        for job, frame in list(self._jobs.items())[::-1]:
            if is_over and frame is not None and inspect.getcoroutinestate(frame) == inspect.CORO_CREATED:
                frame.close()  # a loop that ends may cancel a task before its first step
            job.abandon()
        self._jobs.clear()
        self._waiting.clear()

    def _finish(self) -> None:
        self._group = None
        self.abandon()
        self.over.finish()
        self._on_idle()

    async def _frame(self, job: Job) -> None:
        if job not in self._jobs:
            return  # pragma: no cover - abandoned before it began, for its loop was about to end
        self._begun += 1
        try:
            await job.run()
        except anyio.get_cancelled_exc_class():
            pass  # the outermost frame: the group's own ends the task anyhow, and no other may reach the group
        except (KeyboardInterrupt, SystemExit) as error:
            # To the loop, which it ends, and not through the group, which would make something else of it.
            call_soon = getattr(self.home.native, "call_soon", None)
            if call_soon is None:
                raise
            call_soon(_raise, error)
        except GeneratorExit:  # pragma: no cover - what leaves a loop is a test in a process of its own
            raise
        except BaseException as error:  # pragma: no cover - a job lets nothing else out
            self._on_escape(error, job)
        finally:
            job.abandon()  # does nothing to one that came to its end
            self._jobs.pop(job, None)
            self._begun -= 1
            if self._emptied is not None and not self._begun:
                self._emptied.set()
            if not job.is_service and self.is_idle:
                self._on_idle()


def _as_it_is(frame: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
    return frame


def _raise(error: BaseException) -> None:
    raise error
