"""flet_asp_actors: an asyncio-first, actor-based state store for Flet 1.x.

Where to read on, each ring knowing only those before it:

    errors                      every exception
    core/   values, mailbox, graph, evaluate, turn, inputs
                                laws 1 to 3: actors, edges, pulling, pushing
    door, waiting, receipt, owner, timer, retry
                                threads; waits; what a write returns; what a noun needs of its store
    deprecation, utils          the mark on names of flet-asp that have been replaced; one of its paths
    key, handle, atom, selector, family, action, service ...
                                the nouns that users know, in this order:
        status, async_value, reading, computation, async_key, async_outcome, async_selector,
        resolving, selector, family
                                what is derived
        attention, layers, writing, ending, run, lanes, bound, action
                                what is done
        watch, row, effect, watching
                                who watches
        service, supervisor     what should be up
    system/ failure, batch, transaction, snapshot, supervision, host, root, registry, values,
            declarations, store
                                supervision, and actors found by key
    ui/     page, roots, frame, mount, controls, ears, binding, two_way, hooks
                                the screen; the only ring that imports Flet
    state                       StateManager: the store and its pages
    testing/                    what apps are tested with; nothing above knows it
    migrate/                    a command that looks at apps of flet-asp; it stands alone

Importing this does not import Flet.
"""

from __future__ import annotations

# The submodules `selector` and `action` are imported before these names are, so that the
# decorators are what the package has under them.
from .action import Action, BoundAction, action
from .async_key import AsyncSelectorKey
from .async_selector import AsyncSelector
from .async_value import AsyncValue
from .atom import Atom
from .errors import (
    BatchError,
    BindingError,
    BusyError,
    ClosedError,
    ConflictError,
    CycleError,
    DeadlockError,
    KeyConflictError,
    LoopError,
    NotRunningError,
    PurityError,
    ReadOnlyError,
    RunCancelled,
    StateError,
    UnknownKeyError,
)
from .family import Family, family
from .key import Key, Readable, Writable
from .reading import Async, Get
from .receipt import Receipt
from .retry import Retry
from .row import Row
from .run import Run
from .selector import Selector, SelectorKey, selector
from .service import Service
from .state import StateManager, TwoWay, current, get_state_manager, two_way
from .status import ActionStatus
from .supervisor import Supervisor
from .system.failure import Failure
from .system.snapshot import Snapshot
from .system.store import Statistics
from .system.supervision import Supervision
from .system.transaction import Transaction
from .watch import Subscription
from .watching import Watch
from .writing import Set

__all__ = (
    "Action",
    "ActionStatus",
    "Async",
    "AsyncSelector",
    "AsyncSelectorKey",
    "AsyncValue",
    "Atom",
    "BatchError",
    "Binding",
    "BindingError",
    "BoundAction",
    "BusyError",
    "ClosedError",
    "ConflictError",
    "CycleError",
    "DeadlockError",
    "Failure",
    "Family",
    "Get",
    "Key",
    "KeyConflictError",
    "LoopError",
    "NotRunningError",
    "PurityError",
    "ReadOnlyError",
    "Readable",
    "Receipt",
    "Retry",
    "Row",
    "Run",
    "RunCancelled",
    "Selector",
    "SelectorKey",
    "Service",
    "Set",
    "Snapshot",
    "StateError",
    "StateManager",
    "Statistics",
    "Subscription",
    "Supervision",
    "Supervisor",
    "Transaction",
    "TwoWay",
    "UnknownKeyError",
    "Watch",
    "Writable",
    "action",
    "current",
    "family",
    "get_state_manager",
    "selector",
    "two_way",
    "use_action",
    "use_atom",
    "use_status",
    "use_value",
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .ui.binding import Binding
    from .ui.hooks import use_action, use_atom, use_status, use_value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> object:
    """Give what needs Flet, or the metadata of the package, when it is first asked for."""
    if name == "Binding":
        from .ui.binding import Binding

        return Binding
    if name in ("use_action", "use_atom", "use_status", "use_value"):
        from .ui import hooks

        hook: object = getattr(hooks, name)
        return hook
    if name == "__version__":
        from importlib.metadata import version

        return version("flet-asp-actors")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
