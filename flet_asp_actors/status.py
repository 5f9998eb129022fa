"""Statuses: how an action is doing, as a value that its runs write and everybody can read, watch and bind."""

from __future__ import annotations

from collections.abc import Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Literal, NoReturn, TypeVar

from .core.evaluate import evaluating, now_computing, read_by
from .core.graph import Node, tick
from .core.turn import here, tell
from .errors import LoopError, ReadOnlyError
from .key import Readable
from .owner import Owner

__all__ = ("IDLE", "ActionStatus", "Status", "StatusKey", "describe", "telling")

R = TypeVar("R")
V = TypeVar("V")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True)
class ActionStatus(Generic[R_co]):
    """How an action is doing. It follows the run that was started last."""

    state: Literal["idle", "running", "succeeded", "failed", "cancelled"] = "idle"
    """Where the run is that was started last; `idle` before the first one, and after a reset."""
    value: R_co | None = None
    """What the last run returned, if it succeeded."""
    error: BaseException | None = None
    """What it failed with, if it failed."""
    progress: float | None = None
    """How far it is, from 0 to 1, if it says so."""
    progress_text: str = ""
    """The line of text that was given with it."""
    attempt: int = 0
    """Which try this is, from 1."""
    active: int = 0
    """How many runs are under way."""

    @property
    def is_busy(self) -> bool:
        """Whether a run is under way."""
        return self.active > 0

    @property
    def message(self) -> str:
        """The error as a line of text; empty unless the run failed, and then never empty."""
        return describe(self.error)


def describe(error: BaseException | None) -> str:
    """An error as a line of text, which is never empty; no error is an empty one."""
    try:
        return "" if error is None else str(error) or type(error).__name__
    except Exception:  # it is the user's own, and has a __str__ of its own
        return type(error).__name__


IDLE: ActionStatus[Any] = ActionStatus()


class Status(Node, Readable[V]):
    """The status of one thing in one store: written by that alone, read by everybody."""

    __slots__ = ("__weakref__",)

    writer = "action"

    def publish(self, status: V) -> None:
        """Show a new status, to those who watch in this turn."""
        self.current = status
        self.version = tick()
        if self.dependents:
            tell(self)

    @property
    def value(self) -> V:
        """The status now. Read inside a selector it is a dependency, as with `get`."""
        if evaluating and (computing := now_computing()) is not None:
            watched: V = read_by(computing, self)
            return watched
        status: V = self.current
        return status

    def _refuse(self, *_: object) -> NoReturn:
        """Raise `ReadOnlyError`: a status is written by what it is the status of."""
        raise ReadOnlyError(f"{self.key} is written by the {self.writer} alone; start, cancel or reset that.")

    set = update = mutate = reset = _refuse

    def __repr__(self) -> str:
        return f"<{self.key}: {getattr(self.current, 'state', self.current)}>"


class StatusKey(Readable[ActionStatus[R]]):
    """The key of an action's status, or of its status for one argument, before it is bound to a store."""

    __slots__ = ("action", "item")

    def __init__(self, action: Any, *item: Hashable) -> None:
        self.action = action
        self.item = item

    def __hash__(self) -> int:
        return hash((StatusKey, id(self.action), self.item))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StatusKey) and other.action is self.action and other.item == self.item

    def __repr__(self) -> str:
        return f"status of action {self.action.name}{list(self.item) if self.item else ''}"


@contextmanager
def telling(owner: Owner, key: object, actor: str) -> Generator[None, None, None]:
    """Have statuses change in one turn: who watches them is told when all is done, and breaks nothing off."""
    try:
        with here():
            yield
    except LoopError as error:
        # Nobody called a write here: the loop is the listeners'.
        owner.report(error, key, actor)
