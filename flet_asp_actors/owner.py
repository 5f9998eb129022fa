"""What the nouns need of the store they live in. The system ring provides it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .core.graph import Node, Scope
from .receipt import Receipt

if TYPE_CHECKING:
    from .timer import Timers

__all__ = ("Job", "Owner", "current_owner")

T = TypeVar("T")


class Job:
    """Work for one task of a store's host. It lets neither an exception nor a cancellation out."""

    __slots__ = ()

    name: str
    kind: str = "job"
    """What a printed supervision tree calls it."""
    is_service: bool = False
    """Whether `settled()` takes no notice of it."""
    can_wait: bool = False
    """Whether it is held until an event loop is there, instead of refused."""
    is_idle: bool = False
    """Whether it only waits for a time to come, and counts as nothing under way."""

    async def run(self) -> None:
        """Do the work. Called at most once, in a task of its own."""
        raise NotImplementedError

    def abandon(self) -> None:
        """The host ended before, or in the middle of, `run`: answer whoever waits. Harmless when done."""
        raise NotImplementedError


class Owner(Protocol):
    """A store, as its atoms, selectors and actions see it."""

    thread: int
    """The thread of the home loop; no thread at all without a home, or when closed."""
    scope: Scope
    reader: Any
    """The `get` of actions: a plain reading, from any thread."""

    @property
    def timers(self) -> Timers:
        """What is to be done later."""
        ...

    @property
    def is_here(self) -> bool:
        """Whether the caller is on the thread of the home loop."""
        ...

    @property
    def is_closed(self) -> bool:
        """Whether the store has ended."""
        ...

    def look_after_home(self) -> None:
        """See to it that somebody applies what was posted: the loop, or the caller when the loop is gone."""
        ...

    def settle_home(self) -> None:
        """Take the running loop for a home, if there is one and the store has none."""
        ...

    def on_home(self, call: Callable[[], T]) -> T:
        """Call on the home thread, or under the lock, and wait for what it returns."""
        ...

    def elsewhere(self, key: object, apply: Callable[[], Receipt]) -> Receipt:
        """Apply a write wherever the caller is: at once on the home thread, else post it or take the lock."""
        ...

    def spawn(self, job: Job) -> None:
        """Start a job in a task of the host, in the caller's context; open a host if there is none.

        Raises:
            NotRunningError: Without an event loop.
            ClosedError: When the store has ended.
        """
        ...

    def hold(self, job: Job) -> None:
        """Start a job on the next loop: the one there was has ended."""
        ...

    def later(self, call: Callable[[], object]) -> None:
        """Have something called on the home loop, if there is one; from anywhere, a finaliser too."""
        ...

    def report(self, error: BaseException, key: object, actor: str) -> None:
        """Send an error that nobody waits for to `on_error`."""
        ...

    def initial(self, node: Node) -> Any:
        """The value an atom begins with, overrides included."""
        ...

    def find(self, key: object) -> Any:
        """The node of a key.

        Raises:
            UnknownKeyError: When a name was never declared.
        """
        ...

    def missing(self, name: object) -> Node:
        """The place of a name that is not declared: it changes when the name is."""
        ...

    def watchers_of(self, node: Node) -> list[Any]:
        """The subscriptions and bindings of this store to a node."""
        ...

    def adopt(self, node: Node) -> None:
        """Something of another store is watched from here: it lives on our loop, unless it has one."""
        ...

    def writable(self, key: object) -> Any:
        """The node of a key, to be written to.

        Raises:
            UnknownKeyError: When a name was never declared.
        """
        ...

    def origin(self) -> Callable[[], object] | None:
        """Who a run that is made now belongs to beside its store: the page of the handler, if any, weakly."""
        ...

    def fresh_context(self) -> None:
        """Called in the context of a run before it starts, which it has inherited from its starter."""
        ...


current_owner: ContextVar[Owner | None] = ContextVar("flet_asp_actors_owner", default=None)
"""The store of the action that the current task is running, if any."""
