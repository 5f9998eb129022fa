"""The effect: something that is done again whenever what it has read has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any, cast

from .async_outcome import Outcome
from .computation import Failed
from .core.calls import call_all
from .core.inputs import Inputs
from .core.turn import here
from .core.values import is_a
from .errors import LoopError, UnknownKeyError
from .owner import Owner
from .watch import Subscription

__all__ = ("Effect",)


class Effect(Subscription):
    """A function of `get`, sync or async, that is run now, and again whenever something that it has read has changed.

    At most once a turn. What it reads is tracked anew in each run, after an `await` as well. It may write. A change
    during an async run leads to one more run, and `get.on_cleanup(fn)` calls `fn` before the
    next run and at the end. `close()` ends it; so does the end of the store.
    """

    __slots__ = ("_cleanups", "_heard", "_inputs", "_is_closed")

    kind = "effect"

    def __init__(
        self,
        function: Callable[[Any], object],
        name: str,
        owner: Owner,
        context: Context | None,
        on_close: Callable[[Subscription], None],
    ) -> None:
        self._inputs = Inputs(name, owner.scope)
        self._cleanups: list[Callable[[], object]] = []
        self._is_closed = False
        self._heard: BaseException | None = None  # what a selector that it has waited for has failed with, in this run
        super().__init__(self._inputs, function, owner, context, on_close)

    def first_run(self) -> None:
        """Run it now; what it writes is told when it has returned, as in every later run."""
        self.start()
        try:
            with here():
                self.notify()
        except LoopError as error:
            self.report(error)

    @property
    def keys(self) -> Iterable[object]:
        return [f"effect {self.node.key}", *(source.key for source in self._inputs.sources)]

    def argument(self) -> Any:
        self._clean_up()
        self._inputs.begin()
        return _Tracking(self)

    def called(self) -> None:
        self._heard = None
        self._inputs.end()

    def read(self, key: Any) -> Any:
        """Read for the function, which depends on the key from here on."""
        return self._inputs.read(self._find(key))

    def peek(self, key: Any) -> Any:
        """Read for the function, which does not depend on it."""
        return self._owner.find(key).value

    async def resolve(self, key: Any) -> Any:
        """Wait for an async selector for the function, which depends on it."""
        node = self._find(key)
        self._inputs.hold(node)
        try:
            await self._owner.reader.resolve(node)
        except Exception as error:
            self._inputs.failed(node, error)
            self._heard = error
            raise
        return self._inputs.read_awaited(node)

    def _find(self, key: Any) -> Any:
        owner = self._owner
        try:
            node = owner.find(key)
        except UnknownKeyError:
            self._inputs.read(owner.missing(key))  # it fails now, and is run again when that is declared
            raise
        owner.adopt(node)
        return node

    def on_cleanup(self, call: Callable[[], object]) -> None:
        """Have `call` called before the next run, and at the end."""
        self._cleanups.append(call)
        if self._is_closed:
            self._clean_up()

    def report(self, error: BaseException) -> None:
        for source in self._inputs.sources:  # of a selector that fails is told once, whoever tells it
            if error is self._heard and is_a(source, Outcome):
                failed: Failed | None = cast("Any", source).last_failure
                # What it has failed with is for those who have waited, and this is one of them.
                if failed is not None and failed.error is error and not failed.claim():
                    return
            elif source.error is error:
                if source.is_reported:
                    return
                source.is_reported = True  # type: ignore[misc]  # whatever stores an error has a slot for this
        self._owner.report(error, f"effect {self.node.key}", "effect")

    def _close(self) -> None:
        self._is_closed = True
        self._inputs.end()  # before it is unlinked: what the run before has read is still linked
        super()._close()
        self._clean_up()

    def _clean_up(self) -> None:
        call_all(self._cleanups, self.report)

    def __repr__(self) -> str:
        return f"<Effect {self.node.key}>"


class _Tracking:
    """The `get` of an effect."""

    __slots__ = ("on_cleanup", "peek", "read", "resolve")

    def __init__(self, effect: Effect) -> None:
        self.read = effect.read
        self.peek = effect.peek
        self.resolve = effect.resolve
        self.on_cleanup = effect.on_cleanup

    def __call__(self, key: Any, /) -> Any:
        return self.read(key)

    def progress(self, _fraction: float | None, _text: str = "", /) -> None:
        """Shown by async selectors; an effect has no status."""
