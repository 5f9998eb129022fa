"""The cancellation sweep: a flow is run once for each of its checkpoints, and cancelled there."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

import anyio

from .failures import Failures
from .places import position
from .quiet import assert_quiet, quiescent
from .yielding import every_receipt_yields

if TYPE_CHECKING:
    from ..action import Action
    from ..run import Run
    from ..state import StateManager

__all__ = ("Probe", "sweep", "sweep_action")

P = ParamSpec("P")
R = TypeVar("R")


class Probe:
    """Counts the checkpoints of an async function, and strikes at one of them.

    A checkpoint is a place where the function really waited: where a cancellation can reach it.

    Args:
        strike_at: At which checkpoint, from 1, `on_reach` is called; None only counts.
    """

    def __init__(self, strike_at: int | None = None) -> None:
        self.strike_at = strike_at
        self.count = 0
        """How many checkpoints there have been."""
        self.where = ""
        """Where the function stood when it was struck, or else last: file, line and code."""
        self.on_reach: Callable[[], object] | None = None
        """What to do at the checkpoint: `run.cancel`, `scope.cancel`. The scenario sets it."""

    @property
    def is_reached(self) -> bool:
        """Whether the function came to the checkpoint."""
        return self.strike_at is not None and self.count >= self.strike_at

    def wrap(self, function: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        """Make an async function that does the same, and whose checkpoints count.

        Raises:
            TypeError: For something that is no async function.
        """
        if not inspect.iscoroutinefunction(inspect.unwrap(function)) and not inspect.iscoroutinefunction(function):
            raise TypeError(f"only an async function has checkpoints to count, and {function!r} is none")

        @functools.wraps(function)
        async def probed(*args: P.args, **kwargs: P.kwargs) -> R:
            result: R = await _Driven(function(*args, **kwargs), self)
            return result

        return probed

    def passed(self, work: Coroutine[Any, Any, Any]) -> None:
        """The function has come to a checkpoint."""
        if self.is_reached:
            self.count += 1
            return
        self.count += 1
        self.where = position(work)
        if self.is_reached and self.on_reach is not None:
            self.on_reach()


class _Driven:
    """A coroutine whose every suspension is seen."""

    def __init__(self, work: Any, probe: Probe) -> None:
        self._work = work
        self._probe = probe

    def __await__(self) -> Generator[Any, Any, Any]:
        step, given = self._work.send, None
        while True:
            try:
                asked = step(given)
            except StopIteration as end:
                return end.value
            self._probe.passed(self._work)
            try:
                step, given = self._work.send, (yield asked)
            except GeneratorExit:
                self._work.close()
                raise
            except BaseException as error:  # into the coroutine, which is where it belongs
                step, given = self._work.throw, error


async def sweep(scenario: Callable[[Probe], Awaitable[object]], *, timeout: float | None = 60.0) -> int:
    """Run a scenario once to count its checkpoints, then once for each, and strike there.

    The scenario wraps what it wants to be struck, says how, and asserts what must be so
    whatever happened::

        async def scenario(probe):
            async with fa.StateManager(overrides={save: probe.wrap(save.function)}) as state:
                run = state.action(save)()
                probe.on_reach = run.cancel
                await run.wait()
                assert state.get(SAVING) is False

        assert await sweep(scenario) == 3

    Every awaited write counts as a checkpoint, not only one in so many.

    Args:
        scenario: An async function that takes the probe and does the same each time.
        timeout: Seconds that one run may take, of whatever time the loop has; None for no limit.

    Returns:
        How many checkpoints there were. None at all proves nothing, so assert the number.

    Raises:
        AssertionError: When the scenario fails: its text names the checkpoint and the line, its
            cause is what was raised. Also when a checkpoint is not reached again.
    """
    with every_receipt_yields():
        probe = Probe()
        await _once(scenario, probe, timeout, "without a cancellation")
        total = probe.count
        for number in range(1, total + 1):
            probe = Probe(number)
            await _once(scenario, probe, timeout, f"checkpoint {number} of {total}")
            if not probe.is_reached:
                raise AssertionError(
                    f"checkpoint {number} of {total} was not reached again, but only {probe.count}: "
                    "the scenario must do the same each time"
                )
    return total


async def _once(scenario: Callable[[Probe], Awaitable[object]], probe: Probe, timeout: float | None, what: str) -> None:
    try:
        with anyio.fail_after(timeout):
            await scenario(probe)
    except Exception as error:
        at = f"at {probe.where}" if probe.where else "before the first checkpoint"
        struck = f"cancelled at {what}, {at}" if probe.is_reached else f"{what}, last seen {at}"
        raise AssertionError(f"{struck}: {type(error).__name__}: {error}") from error
    if probe.is_reached and probe.on_reach is None:
        raise AssertionError("the scenario did not set probe.on_reach before the first checkpoint")


async def sweep_action(
    definition: Action[..., Any],
    *args: Any,
    overrides: Mapping[Any, Any] | None = None,
    prepare: Callable[[StateManager], object] | None = None,
    check: Callable[[StateManager, Run[Any]], object] | None = None,
    how: Literal["run", "waiter", "close"] = "run",
    timeout: float | None = 60.0,
) -> int:
    """Run an action in a fresh store for each of its checkpoints, cancel it there, and check what is left.

    Whatever your `check` says, the store must come to rest, and nothing may reach `on_error`.

    Args:
        definition: The action.
        args: What it is called with.
        overrides: Those of each store. A handler given here for the action itself is swept.
        prepare: Called with each store before the run, sync or async.
        check: Called with the store and the run when all is at rest, sync or async. The run
            is `cancelled`, unless it had nothing left to do; once it was not cancelled at all.
        how: Cancel the run (`run.cancel`), the task that awaits it, or close the store.
        timeout: Seconds for each run, of whatever time the loop has; None for no limit.

    Returns:
        How many checkpoints there were.

    Raises:
        AssertionError: As `sweep`.
        TypeError: When the handler is not async.
    """
    from ..state import StateManager

    replaced = dict(overrides or {})
    handler = replaced.get(definition, definition.function)

    async def scenario(probe: Probe) -> None:
        state = StateManager(overrides={**replaced, definition: probe.wrap(handler)})
        failures = Failures.of(state)
        async with state:
            await _call(prepare, state)
            run = state.action(definition)(*args)
            await _strike(state, run, probe, how)
            if is_open := how != "close" or not probe.is_reached:
                await quiescent(state, timeout)
                assert_quiet(state)
                await _call(check, state, run)
        if not is_open:
            assert_quiet(state)
            await _call(check, state, run)
        failures.assert_none()

    return await sweep(scenario, timeout=timeout)


async def _strike(state: StateManager, run: Run[Any], probe: Probe, how: str) -> None:
    """Have the run struck in one of the ways, and wait until it has ended."""
    async with anyio.create_task_group() as tasks:
        if how == "run":
            probe.on_reach = functools.partial(run.cancel, "sweep")
        elif how == "close":
            probe.on_reach = functools.partial(tasks.start_soon, state.aclose)
        else:
            scope = anyio.CancelScope()
            probe.on_reach = scope.cancel
            tasks.start_soon(_await_in, scope, run)
        await run.wait()
        if how == "close":
            tasks.cancel_scope.cancel()  # aclose waits for the end of the block that opened the store


async def _await_in(scope: anyio.CancelScope, run: Run[Any]) -> None:
    with scope:
        try:
            await run
        except Exception as error:
            # What is expected of the action, or a RunCancelled: the check says what it thinks of that.
            if run.state == "failed" and not run.handler.is_expected(error):
                raise


async def _call(function: Callable[..., object] | None, *args: Any) -> None:
    result = function(*args) if function is not None else None
    if inspect.isawaitable(result):
        await result
