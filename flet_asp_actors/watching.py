"""Waiting for values: `async for value in state.watch(key)`, and `await state.wait_for(key, predicate)`."""

from __future__ import annotations

import functools
import weakref
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

import anyio.lowlevel

from .async_key import is_async
from .core.calls import as_exception, at_once
from .core.evaluate import read
from .core.graph import Node
from .core.turn import Watcher
from .owner import Owner
from .waiting import Completion

__all__ = ("WaitFor", "Watch")

T = TypeVar("T")


class Watch(AsyncIterator[T], Generic[T]):
    """The values of a key, one after the other, as they come: `async for value in state.watch(key): ...`.

    The first is the value now. It is conflated: who is slow gets the latest value, and no
    queue ever grows. Breaking out of the loop ends it; `async with` ends it at a place of
    your choice. It stops when the store is closed. From a task of any loop; if several tasks
    take values of one watch, each value goes to one of them.
    """

    def __init__(self, node: Node, owner: Owner) -> None:
        self._owner = owner
        self._end: _End | None = _End(node, self)
        self._has_news = True  # the value now
        self._news: Completion | None = None  # whoever waits does so for this
        owner.on_home(self._end.start)

    def __aiter__(self) -> Watch[T]:
        return self

    async def __anext__(self) -> T:
        """Wait for a value that was not seen yet.

        Raises:
            StopAsyncIteration: When it was closed, or the store was.
            Exception: What a selector failed with; the next call waits for what comes after.
        """
        await anyio.lowlevel.checkpoint_if_cancelled()
        while True:
            end = self._end
            if end is None:
                raise StopAsyncIteration
            if not self._has_news:
                await self._wait()
                continue
            taken = self._owner.on_home(functools.partial(self._take, end))
            for value in taken:  # none, if another task was faster, on another thread
                return value

    async def _wait(self) -> None:
        news = self._news
        if news is None or news.is_done:
            news = self._news = Completion()
        if not self._has_news and self._end is not None:  # else another thread has told meanwhile
            await news.wait()

    def _take(self, end: _End) -> tuple[T, ...]:
        """Take the value that is there now; in one step, on the thread on which it changes."""
        if not self._has_news:
            return ()  # a task on another thread was faster
        self._has_news = False
        return (read(end.node),)

    async def __aenter__(self) -> Watch[T]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it; a loop over it stops. May be called twice, and from any thread."""
        end, self._end = self._end, None
        if end is not None:
            self._owner.on_home(end.stop)
            self.tell()

    def tell(self) -> None:
        """There is something to see."""
        self._has_news = self._end is not None
        news, self._news = self._news, None
        if news is not None:
            news.finish()

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for the next value just now."""
        return self._news is not None and self._news.waiters > 0

    def __del__(self) -> None:
        end = self.__dict__.get("_end")
        if end is not None:
            self._owner.later(end.stop)  # this may be the collector's doing, in the middle of anything


class _Waiting(Watcher):
    """A watcher that gives the error of a failing node to whoever waits, whether others were told of it or not."""

    __slots__ = ()

    @property
    def is_awaited(self) -> bool:
        """Whether somebody is there to hear of an error, so that nobody else has to."""
        raise NotImplementedError

    def start(self) -> None:
        super().start()
        self.seen = self.node.version  # a failure that is there counts as seen as well

    def know_failure(self) -> bool:
        node = self.node
        if node.error is not None and node.version != self.seen:
            self.seen = node.version
            if self.is_awaited:
                super().know_failure()
            self.report(node.error)
        return False


class _End(_Waiting):
    """What the graph holds of a watch, so that nobody but its user holds the watch itself."""

    __slots__ = ("_watch",)

    def __init__(self, node: Node, watch: Watch[Any]) -> None:
        super().__init__(node)
        self._watch = weakref.ref(watch)

    @property
    def is_awaited(self) -> bool:
        watch = self._watch()
        return watch is not None and watch.is_awaited

    def notify(self) -> None:
        watch = self._watch()
        if watch is not None:
            watch.tell()

    def report(self, error: BaseException) -> None:
        self.notify()  # it raises when it is asked for the value


class WaitFor(_Waiting):
    """Somebody who waits until a value is right; it is looked at in every turn, so none is missed.

    Raises:
        TypeError: When the predicate is async.
    """

    __slots__ = ("_predicate", "completion", "value")

    def __init__(self, node: Node, predicate: Callable[[Any], object]) -> None:
        if is_async(predicate):
            raise TypeError(f"wait_for looks at the value with a plain function, and {predicate!r} is async")
        super().__init__(node)
        self._predicate = predicate
        self.value: Any = None
        self.completion = Completion()

    @property
    def is_awaited(self) -> bool:
        return True

    def begin(self) -> None:
        """Begin to watch, and look at the value now."""
        self.start()
        self.notify()

    def notify(self) -> None:
        try:
            self.value = read(self.node)
            if not at_once(self._predicate(self.value), "the predicate of wait_for"):
                return
        except BaseException as error:
            self.report(error)
        else:
            self.finish(None)

    def report(self, error: BaseException) -> None:
        self.finish(as_exception(error))

    def finish(self, error: Exception | None) -> None:
        """Answer whoever waits."""
        self.stop()
        self.completion.finish(error)

    async def wait(self) -> Any:
        """Wait until the value is right, and return it."""
        await self.completion.wait()
        error, self.completion.error = self.completion.error, None
        try:
            if error is not None:
                raise error
            return self.value
        finally:
            del error  # its traceback holds this frame, and whoever waits
