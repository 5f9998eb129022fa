"""The machine: it does one step after the other with the store and with the reference, and compares the two."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import anyio

import flet_asp_actors as fa

from .declared import (
    ACTIONS,
    BEATS,
    CRASH,
    DONE,
    LIST,
    LOADING,
    NAME,
    NUMBERS,
    SELECTORS,
    SINK,
    SLOW,
    TEXT,
    TOTAL,
    C,
    Planned,
    Unlucky,
    beat,
)
from .reference import Reference
from .runs import Run
from .store import FAILED

__all__ = ("Machine", "Step")

Step = tuple[Any, ...]
"""Its number, its verb, and what that is given."""

_OUTCOMES: dict[type[BaseException], str] = {
    asyncio.CancelledError: "cancelled",
    fa.RunCancelled: "cancelled",
    fa.ClosedError: "closed",
    fa.ConflictError: "conflict",
    Planned: "failed",
    Unlucky: "failed",
    TimeoutError: "failed",
}


class Machine:
    """A store and the reference, side by side.

    Args:
        state: The store, fresh and open.
    """

    def __init__(self, state: fa.StateManager) -> None:
        self.state = state
        self.model = Reference()
        self.outcomes: dict[int, str] = {}
        """How what was awaited has ended."""
        self.reported: Counter[Any] = Counter()
        self.unforeseen: list[fa.Failure] = []
        self.receipts: list[fa.Receipt] = []
        self.keys: list[Any] = [*NUMBERS, LIST, DONE, TEXT, BEATS, CRASH]
        """The atoms that there are."""
        self._actions = {action: state.action(action) for action in ACTIONS}
        self._runs: list[tuple[fa.Run[int], Run]] = []
        self._listeners: dict[int, tuple[Any, fa.Subscription, list[Any]]] = {}
        self._snapshot: tuple[fa.Snapshot, dict[Any, Any]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: Any = asyncio.get_running_loop()
        self._service = state.service("beat", retry=fa.Retry(None, base=0), while_watched=C)(beat)
        state.on_error = self._report
        state.listen(TOTAL, _nobody)

    # ------------------------------------------------------------------ steps

    async def do(self, step: Step) -> None:
        """Do a step, wait until what comes of it at once has happened, and compare."""
        number, verb, *given = step
        # Each step has a time of its own, so that what two of them begin does not end at once.
        await asyncio.sleep(0.01 + number * 0.6180339887 % 1 * 0.003)
        await self.rest()
        self.model.advance(self._loop.time())
        await getattr(self, f"do_{verb}")(number, *given)
        await self.rest()
        self.model.settle()
        await self.show()
        self.compare(number)

    async def show(self) -> None:
        """Wait until what has changed is where it is seen."""

    async def do_set(self, number: int, key: Any, value: int) -> None:
        self._write(self.state.set(key, value))
        self.model.send(key, lambda: self.model.write(key, value))

    async def do_update(self, number: int, key: Any, add: int) -> None:
        self._write(self.state.update(key, lambda held: (held + add) % 5))
        self.model.send(key, lambda: self.model.write(key, (self.model.get(key) + add) % 5))

    async def do_fail(self, number: int, key: Any) -> None:
        def fail(_: int) -> int:
            raise Planned(number)

        if key not in self.model.mail:
            try:
                self.state.update(key, fail)
            except Planned:
                return
            raise AssertionError("what an update raises is raised to who calls it")
        self._hear(number, self.state.update(key, fail))
        self.model.send(key, lambda: self.model.end(number, "failed"))

    async def do_later(self, number: int, key: Any, add: int, seconds: float, fails: bool) -> None:
        async def later(held: int) -> int:
            await anyio.sleep(seconds)
            if fails:
                raise Planned(number)
            return (held + add) % 5

        self._hear(number, self.state.update(key, later))
        self.model.update_later(key, number, add, seconds, fails)

    async def do_edit(self, number: int, value: int) -> None:
        self._write(self.state.mutate(LIST, lambda held: held.append(value)))
        self.model.write(LIST, [*self.model.get(LIST), value], edited=True)

    async def do_reset(self, number: int, key: Any) -> None:
        self._write(self.state.reset(key))
        self.model.send(key, lambda: self.model.reset(key))

    async def do_delete(self, number: int, key: Any) -> None:
        self.state.delete(key)
        if key in SLOW or isinstance(key, fa.Key):
            self.model.delete(key)

    async def do_invalidate(self, number: int, key: Any) -> None:
        self.state.invalidate(key)
        if key in SLOW:
            self.model.invalidate(key)

    async def do_clear(self, number: int) -> None:
        self.state.clear()
        self.model.clear()

    async def do_keep(self, number: int) -> None:
        self._snapshot = self.state.snapshot(), _copies(self.model.values)

    async def do_restore(self, number: int) -> None:
        if self._snapshot is None:
            return
        snapshot, values = self._snapshot
        if NAME in values and NAME not in self.model.values:
            try:
                self.state.restore(snapshot)
            except fa.UnknownKeyError:
                return
            raise AssertionError("a name is restored that is not declared")
        self._write(self.state.restore(snapshot))
        self.model.restore(_copies(values))

    async def do_batch(self, number: int, first: Any, one: int, second: Any, other: int) -> None:
        with self.state.batch():
            for key, value in ((first, one), (second, other), (first, other)):
                self._write(self.state.set(key, value))
                self.model.send(key, lambda key=key, value=value: self.model.write(key, value))  # type: ignore[misc]  # loop variables
                assert key in self.model.mail or self.state.get(key) == value, "read your writes"

    async def do_declare(self, number: int, value: int) -> None:
        self.state.atom(NAME, value)
        self.model.declare(value)

    async def do_rename(self, number: int, value: int) -> None:
        """Write a name, and give it up."""
        if NAME in self.model.values:
            self._write(self.state.set(NAME, value))
            self.state.delete(NAME)
            self.model.delete(NAME)
            return
        for verb in (lambda: self.state.set(NAME, value), lambda: self.state.delete(NAME)):
            try:
                verb()
            except fa.UnknownKeyError:
                continue
            raise AssertionError("a name is known that is not declared")

    async def do_transact(
        self, number: int, key: Any, value: int, other: Any, add: int, seconds: float, how: str
    ) -> None:
        async def transact() -> None:
            with anyio.CancelScope() as scope:
                if how == "cancelled":
                    scope.deadline = anyio.current_time() + seconds
                async with self.state.transaction() as staged:
                    staged.set(key, value)
                    staged.update(other, lambda held: (held + add) % 5)
                    await anyio.sleep(seconds + 100 * (how == "cancelled"))
                    if how == "failed":
                        raise Planned(number)
            if scope.cancelled_caught:
                raise asyncio.CancelledError

        self._await(number, transact())
        self.model.transact(number, key, value, other, add, seconds, how)

    # ---- actions

    async def do_start(
        self, number: int, action: fa.Action[..., int], key: Any, value: int, seconds: float, how: str
    ) -> None:
        if action.policy == "restartable" and how not in ("does", "fails"):
            how = "fails"  # when this one begins, whether the run before has put back is anybody's guess
        run = self._actions[action](number, key, value, seconds, how)
        self.keys.append(LOADING[number % 2])
        if number % 2:
            self._await(number, run)
        modelled = Run(number, action, key, value, seconds, how)
        self._runs.append((run, modelled))
        self.model.start(modelled)

    async def do_cancel(self, number: int, which: int) -> None:
        """Cancel one run."""
        if self._runs:
            run, modelled = self._runs[which % len(self._runs)]
            run.cancel(number)
            self.model.cancel(modelled)

    async def do_stop(self, number: int, action: fa.Action[..., int]) -> None:
        """Cancel all runs of an action."""
        self._actions[action].cancel(number)
        self.model.cancel_all(action)

    async def do_idle(self, number: int, action: fa.Action[..., int]) -> None:
        """Reset an action."""
        self._actions[action].reset()
        self.model.reset_action(action)

    # ---- watching, and waiting

    async def do_listen(self, number: int, slot: int, key: Any, how: str) -> None:
        await self.do_unlisten(number, slot)
        heard: list[Any] = []

        def hear(value: Any) -> None:
            if how == "plain":
                assert value == self.state.get(key), "what is heard is what is there"
                for each in (TOTAL, *SELECTORS[1:4]):
                    assert self._outcome(each) == self._compute(each), "a mixture"
            heard.append(copy.copy(value))

        async def hear_async(value: Any) -> None:
            await asyncio.sleep(0)
            hear(value)

        def write(value: Any) -> None:
            hear(value)
            self.state.set(SINK[slot], value % 3)
            assert self.state.get(SINK[slot]) == value % 3, "read your writes"

        if how == "writes":
            self.keys.append(SINK[slot])
            subscription = self.state.listen(key, write)
        elif how == "effect":
            subscription = self.state.effect(lambda get: hear(get(key)))
        else:
            subscription = self.state.listen(key, hear_async if how == "async" else hear)
        self._listeners[slot] = key, subscription, heard
        self.model.listen(slot, key, how == "writes")

    async def do_pipe(self, number: int, slot: int, key: Any) -> None:
        """Listen, and write to another atom what is heard."""
        await self.do_listen(number, slot, key, "writes")

    async def do_unlisten(self, number: int, slot: int) -> None:
        if slot in self._listeners:
            key, subscription, _ = self._listeners.pop(slot)
            subscription.close()
            self.model.unlisten(slot, key)
            self.model.settle()

    async def do_resolve(self, number: int, key: Any) -> None:
        async def resolve() -> None:
            self.outcomes[number] = f"done {await self.state.resolve(key)}"

        self._await(number, resolve())
        self.model.resolve(number, key)

    async def do_refresh(self, number: int, key: Any) -> None:
        self._hear(number, self.state.refresh(key))
        self.model.refresh(number, key)

    async def do_crash(self, number: int) -> None:
        self._write(self.state.set(CRASH, True))
        self.model.write(CRASH, True)

    async def do_halt(self, number: int) -> None:
        self._service.stop()
        self.model.stop_service()

    async def do_launch(self, number: int) -> None:
        self._service.start()
        self.model.start_service()

    async def do_wait(self, number: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.rest()
        self.model.advance(self._loop.time())

    # ------------------------------------------------------------------ the end

    async def end(self) -> None:
        """Wait until everything has ended, compare once more, and let go of what listens."""
        await asyncio.sleep(25)
        await self.rest()
        self.model.advance(self._loop.time())
        await self.show()
        self.compare(0, everything=True)
        self._compare_statistics()
        for slot in list(self._listeners):
            await self.do_unlisten(0, slot)
        await self.rest()
        self.model.settle()
        self._compare_statistics()
        assert all(receipt.is_done for receipt in self.receipts), "a write is lost"

    async def closed(self) -> None:
        """The store has ended, whatever was under way."""
        await asyncio.sleep(100)  # transactions find out when they are to commit
        for run, _ in self._runs:
            assert run.is_done, f"{run} goes on"
        assert all(receipt.is_done for receipt in self.receipts), "nobody says what has become of a write"
        assert self.state.statistics().jobs == 0, self.state.supervision()
        alive = asyncio.all_tasks() - {asyncio.current_task()}
        assert not alive, f"tasks are left: {alive}"

    async def rest(self) -> None:
        """Let the loop run until there is nothing left to do but to wait."""
        ready = self._loop._ready
        await asyncio.sleep(0)
        while ready:  # noqa: ASYNC110  # nobody knows of an end but the loop
            await asyncio.sleep(0)

    # ------------------------------------------------------------------ comparing

    def compare(self, number: int, everything: bool = False) -> None:
        """Compare what can be seen of the two. What is computed is not always looked at, for to look is to compute."""
        state, model = self.state, self.model
        for key in self.keys:
            found, expected = state.get(key), model.get(key)
            assert found == expected, f"{key} is {found!r}, and has to be {expected!r}"
        for key in SELECTORS if everything else SELECTORS[number % 4 :: 4]:
            found, expected = self._outcome(key), model.outcome(key)
            assert found == expected, f"{key} is {found!r}, and has to be {expected!r}"
        for key, _, heard in self._listeners.values():
            expected = model.outcome(key)
            assert expected == FAILED or not heard or heard[-1] == expected, f"{key}: {heard}, and not {expected!r}"
        for run, modelled in self._runs:
            assert run.is_done == modelled.is_done, f"{run} of step {modelled.number}"
        assert self.outcomes == model.outcomes, f"ended {self.outcomes}, and not {model.outcomes}"
        assert self.reported == +model.reported, f"reported {self.reported}, and not {+model.reported}"
        assert not self.unforeseen, self.unforeseen
        if everything or number % 2:
            self._compare_statuses()
        else:
            self._compare_statistics()

    def _compare_statuses(self) -> None:
        for key, slow in self.model.slow.items():
            found = self.state.get(key.status)
            assert (found.state, found.value) == (slow.state, slow.value), f"{key} is {found}, and has to be {slow}"
        for (action, *item), expected in self.model.statuses.items():
            bound = self._actions[action]
            status = self.state.get(bound.status_for(*item) if item else bound.status)
            assert (status.state, status.active) == (expected.state, expected.active), f"{action}: {status}, {expected}"
        assert self._service.current.state == self.model.service, f"{self._service}, and not {self.model.service}"

    def _compare_statistics(self) -> None:
        model, statistics = self.model, self.state.statistics()
        running = sum(not run.is_done and not run.is_queued for _, run in self._runs)
        computing = sum(slow.due is not None for slow in model.slow.values())
        beating = model.beat is not None
        assert statistics.jobs == len(model.updates) + running + computing + beating, f"{statistics.jobs} jobs"
        assert statistics.messages == sum(map(len, model.mail.values())), f"{statistics.messages} messages"
        busy = sum(status.active > 0 for track, status in model.statuses.items() if len(track) == 1)
        assert statistics.busy == busy, f"{statistics.busy} are busy"
        observed = {key for key in model.observed() if key != NAME or NAME in model.values}
        assert statistics.observed == len(observed), f"{statistics.observed} are observed, and not {observed}"

    def _outcome(self, key: Any) -> Any:
        try:
            return self.state.get(key)
        except (Unlucky, KeyError):
            return FAILED

    def _compute(self, key: Any) -> Any:
        try:
            return key.function(self.state.get)
        except (Unlucky, KeyError):
            return FAILED

    # ------------------------------------------------------------------ what is awaited, and what is reported

    def _write(self, receipt: fa.Receipt) -> None:
        if not receipt.is_done:
            self.receipts.append(receipt)

    def _hear(self, number: int, receipt: fa.Receipt) -> None:
        """Wait for every other write; the others have nobody who hears of their error."""
        self._write(receipt)
        if number % 2:
            self._await(number, receipt)

    def _await(self, number: int, work: Awaitable[Any]) -> None:
        async def wait() -> None:
            try:
                await work
            except tuple(_OUTCOMES) as error:
                self.outcomes[number] = next(how for kind, how in _OUTCOMES.items() if isinstance(error, kind))
            else:
                self.outcomes.setdefault(number, "succeeded" if isinstance(work, fa.Run) else "done")

        task = asyncio.create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _report(self, failure: fa.Failure) -> None:
        error = failure.error
        if isinstance(error, Planned):
            self.reported[error.args[0]] += 1
        elif isinstance(error, TimeoutError) and failure.actor == "action":
            self.reported["late"] += 1
        elif isinstance(error, Unlucky) and failure.actor == "async selector":
            self.reported[failure.key] += 1
        elif not isinstance(error, (Unlucky, KeyError)) or not failure.actor.startswith(("listener", "effect")):
            self.unforeseen.append(failure)


def _copies(values: dict[Any, Any]) -> dict[Any, Any]:
    return {key: copy.copy(value) for key, value in values.items()}


def _nobody(_: object) -> None:
    """Observes, and does nothing."""
