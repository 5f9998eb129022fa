"""What runs in Pyodide: pytest, with loops that need no sockets, and without the tests that cannot be there."""

from __future__ import annotations

import asyncio
import asyncio.selector_events
import importlib
import inspect
import os
import selectors
import sys
import time
from types import CodeType
from typing import Any
from unittest.mock import MagicMock

import pytest

__all__ = ("main",)

PLUGINS = ("anyio.pytest_plugin", "flet_asp_actors.testing.plugin")
ABSENT = ("trio", "uvloop")
"""What is installed beside Pyodide, and cannot be imported in it: it asks for more of the system."""
CALLS = {
    "threads": (
        *("Thread", "to_thread", "in_thread", "run_in_executor", "Behind", "elsewhere", "hammer_a_store"),
        *("while_it_waits_for_the_lock", "write_slowly", "unit_tests"),
    ),
    "processes": ("subprocess", "outcome", "outcomes", "serve_gallery"),
    "sockets": ("start_server", "start_unix_server"),
    "signals": ("add_signal_handler",),
}
"""What is not there, and what the tests call that need it, of Python or of a test's own."""
NAMES = {
    "another loop": (
        *("[trio", "[uvloop", "-trio", "-uvloop", "_on_trio"),
        *("what_a_loop_has_left_is_computed", "what_a_loop_ends_in_the_middle_of"),
    ),
    "threads": (
        *("selector_in_a_thread", "in_a_worker_thread", "test_in_a_thread", "in_threads_of_a_limiter"),
        *("a_superseded_thread", "a_thread_cannot_wait", "a_thread_writes", "the_settings_hold", "how_many_threads"),
        *("each_kind[asyncio-thread-sync]", "nothing_grows[BindingError]"),
    ),
    "a server": ("[flet_web.fastapi",),
    "more stack, without which Pyodide itself ends": (
        *("hold_themselves", "bound-recurses", "=-recurses", "build-recurses", "item_key-recurses"),
    ),
}
"""What is not there, and parts of the names of the other tests that need it."""

KNOWN = "ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning"
"""What Flet 1.0 still calls on this Python."""


class _Sleeping(selectors.SelectSelector):
    """There are no sockets, and no threads that could wake us: all that happens is that time goes by."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits, and no timer is set: nothing will ever happen")
        time.sleep(max(timeout, 0))
        return []


def _nothing(_: object) -> None: ...


def _itself(test: Any) -> Any:
    return test


def _prepare() -> None:
    """Have asyncio make loops of its own kind, which Pyodide's runs beside; it has no use for a socket to itself."""
    selectors.DefaultSelector = _Sleeping  # type: ignore[misc,assignment]  # that is what loops take
    loops: Any = asyncio.selector_events.BaseSelectorEventLoop
    loops._make_self_pipe = loops._close_self_pipe = loops._write_to_self = _nothing
    events: Any = asyncio.events
    events._set_running_loop(None)
    events._event_loop_policy = None  # Pyodide's; without it there is asyncio's own
    modules: Any = sys.modules
    modules.update(dict.fromkeys(ABSENT))  # so they are not found
    modules["hypothesis"] = _without_hypothesis()


def _without_hypothesis() -> MagicMock:
    """Stands for Hypothesis, of which a part is compiled: what it would call is left out, not the rest of a module."""
    hypothesis = MagicMock()
    hypothesis.given.return_value = pytest.mark.skip("needs Hypothesis")
    hypothesis.settings.return_value = _itself
    return hypothesis


def _missed(item: pytest.Item) -> str | None:
    """What a test needs and is not there."""
    called = _called(inspect.unwrap(getattr(item, "function", main)).__code__)
    by_name = [what for what, names in NAMES.items() if any(name in item.name for name in names)]
    by_call = [what for what, calls in CALLS.items() if called.intersection(calls)]
    return next(iter(by_name + by_call), None)


def _called(code: CodeType) -> set[str]:
    """What a function calls or reads by a name that is not its own."""
    return set(code.co_names).union(*(_called(each) for each in code.co_consts if isinstance(each, CodeType)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs what is not there."""
    kit: Any = importlib.import_module("tests.kit.lives")
    kit.MEMORY = 20_000  # what is counted as traced comes to rest only after thousands of rounds here
    for item in items:
        missed = _missed(item)
        if missed is not None:
            item.add_marker(pytest.mark.skip(f"needs {missed}"))


def main(given: list[str]) -> int:
    """Run pytest; returns what it would exit with."""
    _prepare()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # some ask for more of the system
    print(f"Pyodide: CPython {sys.version.split()[0]} on {sys.platform}")
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    return int(pytest.main([*plugins, "-W", KNOWN, *given], plugins=[sys.modules[__name__]]))
