"""The mailbox of an actor: what arrived while it was in the middle of a message.

The rule is XState's: the sender drains the box if nobody is draining it; if somebody is,
the sender only leaves the message. Re-entrancy becomes order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

__all__ = ("Actor", "Mailbox")

M = TypeVar("M")


class Mailbox(Generic[M]):
    """The messages of one busy actor, oldest first."""

    __slots__ = ("_messages",)

    def __init__(self) -> None:
        self._messages: deque[M] = deque()

    def post(self, message: M) -> None:
        """Leave a message for the actor; it is handled when those before it are done."""
        self._messages.append(message)

    def take(self) -> M:
        """Remove and return the oldest message. The box must not be empty."""
        return self._messages.popleft()

    def drop(self, message: M) -> None:
        """Remove a message, which will not be handled."""
        self._messages.remove(message)

    def __iter__(self) -> Iterator[M]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)


class Actor:
    """One message at a time, to completion, in the order of arrival.

    An idle actor has no mailbox at all; it gets one for as long as it is in the middle of
    a message. That is what makes an actor cost an object and not a task.
    """

    __slots__ = ()  # the concrete actor owns the slot

    mailbox: Mailbox[Any] | None
    """None while idle."""

    @property
    def is_busy(self) -> bool:
        """Whether the actor is in the middle of a message."""
        return self.mailbox is not None
