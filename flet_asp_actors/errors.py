"""Every error of the library, in one tree.

    StateError
    ├── UnknownKeyError(KeyError)      a name that was never declared
    ├── KeyConflictError(ValueError)   a name that is already of another kind
    ├── ReadOnlyError(ValueError)      a write to something derived
    ├── BindingError(ValueError)       a property, event or control that cannot be bound
    ├── CycleError(RuntimeError)       selectors that read each other
    ├── LoopError(RuntimeError)        listeners that feed each other for ever
    ├── PurityError(RuntimeError)      a write or a start inside a selector
    ├── BatchError(RuntimeError)       a batch that was held open across an await
    ├── BusyError(RuntimeError)        an assignment to an atom in the middle of a message
    ├── ConflictError(RuntimeError)    a transaction that somebody else overtook
    ├── ClosedError(RuntimeError)      the store has ended
    ├── NotRunningError(RuntimeError)  work that needs an event loop, and none is there
    ├── DeadlockError(RuntimeError)    a wait for oneself
    └── RunCancelled(RuntimeError)     the awaited run was cancelled

Each is also the builtin error that fits, so that code which knows nothing of this
library can still catch it.
"""

from __future__ import annotations

__all__ = (
    "BatchError",
    "BindingError",
    "BusyError",
    "ClosedError",
    "ConflictError",
    "CycleError",
    "DeadlockError",
    "KeyConflictError",
    "LoopError",
    "NotRunningError",
    "PurityError",
    "ReadOnlyError",
    "RunCancelled",
    "StateError",
    "UnknownKeyError",
)


class StateError(Exception):
    """The root of every error that this library raises on its own account."""


class UnknownKeyError(StateError, KeyError):
    """Raised when a name is read or written that this store has never declared."""

    # KeyError shows its argument as a repr; a sentence is meant to be read as one.
    __str__ = Exception.__str__


class KeyConflictError(StateError, ValueError):
    """Raised when a name is declared that already is something of another kind."""


class ReadOnlyError(StateError, ValueError):
    """Raised when a selector or a status is written to."""


class BindingError(StateError, ValueError):
    """Raised by `bind` and `bound` for a property, an event or a control that cannot be bound."""


class CycleError(StateError, RuntimeError):
    """Raised when a selector reads itself, directly or through others; names the path."""


class LoopError(StateError, RuntimeError):
    """Raised when listeners go on writing what other listeners watch; names the keys."""


class PurityError(StateError, RuntimeError):
    """Raised when a selector writes a value or starts an action."""


class BatchError(StateError, RuntimeError):
    """Raised when a batch ends that was held open across an `await`."""


class BusyError(StateError, RuntimeError):
    """Raised when `.value` is assigned while the atom is in the middle of a message, or its mailbox is full."""


class ConflictError(StateError, RuntimeError):
    """Raised at the commit of a transaction whose keys were written by somebody else."""


class ClosedError(StateError, RuntimeError):
    """Raised when a store is used after its end, and to whoever still waited for it."""


class NotRunningError(StateError, RuntimeError):
    """Raised when something asynchronous is asked of a store without an event loop."""


class DeadlockError(StateError, RuntimeError):
    """Raised when a wait could only end after itself; names the path."""


class RunCancelled(StateError, RuntimeError):
    """Raised by awaiting a run that was cancelled.

    An ordinary exception, so that it is never mistaken for the cancellation of the
    task that waits.

    Attributes:
        reason: What was given to `cancel`, `"dropped"` for a run that never started, or None.
    """

    def __init__(self, message: str = "the run was cancelled", reason: object = None) -> None:
        super().__init__(message)
        self.reason = reason
