"""The status of an action: a value that its runs write and everybody can read, watch and bind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, NoReturn, TypeVar

from .core.graph import Node, tick
from .core.turn import here, mark_dependents
from .errors import ReadOnlyError
from .key import Readable

__all__ = ("IDLE", "ActionStatus", "Status", "StatusKey")

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True)
class ActionStatus(Generic[R_co]):
    """How an action is doing. It follows the run that was started last."""

    state: Literal["idle", "running", "succeeded", "failed", "cancelled"] = "idle"
    value: R_co | None = None
    """What the last run returned, if it succeeded."""
    error: BaseException | None = None
    """What it failed with, if it failed."""
    progress: float | None = None
    """How far it is, from 0 to 1, if it says so."""
    progress_text: str = ""
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
        if self.error is None:
            return ""
        return str(self.error) or type(self.error).__name__


IDLE: ActionStatus[Any] = ActionStatus()


class Status(Node, Readable[ActionStatus[R]]):
    """The status of one action in one store: written by its runs, read by everybody."""

    __slots__ = ("__weakref__",)

    def publish(self, status: ActionStatus[R]) -> None:
        self.current = status
        self.version = tick()
        if self.dependents:
            turn = here()
            mark_dependents(self, turn)
            turn.propagate()

    @property
    def value(self) -> ActionStatus[R]:
        """The status now."""
        status: ActionStatus[R] = self.current
        return status

    def _refuse(self, *_: object) -> NoReturn:
        """Raise `ReadOnlyError`: a status is written by the action alone."""
        raise ReadOnlyError(f"{self.key} is written by the action alone; start, cancel or reset that.")

    set = update = mutate = reset = _refuse

    def __repr__(self) -> str:
        return f"<{self.key}: {self.current.state}>"


class StatusKey(Readable[ActionStatus[R]]):
    """The key of an action's status, before it is bound to a store."""

    __slots__ = ("action",)

    def __init__(self, action: Any) -> None:
        self.action = action

    def __hash__(self) -> int:
        return hash((StatusKey, id(self.action)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StatusKey) and other.action is self.action

    def __repr__(self) -> str:
        return f"status of action {self.action.name}"
