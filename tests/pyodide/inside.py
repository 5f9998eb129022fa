"""What runs in Pyodide: pytest, with loops that need no sockets, and without the tests that cannot be there."""

from __future__ import annotations

import asyncio
import asyncio.selector_events
import inspect
import os
import selectors
import sys
import time
from typing import Any

import pytest

__all__ = ("main",)

PLUGINS = ("anyio.pytest_plugin", "flet_asp_actors.testing.plugin")
ABSENT = ("trio", "uvloop", "hypothesis")
"""What is installed beside Pyodide, and cannot be imported in it: it asks for more of the system."""
NEEDS_MORE = ("thread", "Thread", "subprocess", "executor", "elsewhere(main)", "on_trio", "outcome(")
"""The words of tests that need threads, processes or another loop."""

KNOWN = "ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning"
"""What Flet 1.0 still calls on this Python."""
ENDS_PYODIDE = ("hold_themselves", "bound-recurses", "=-recurses", "build-recurses", "item_key-recurses")
"""Of tests that end Pyodide itself, whose stack is too short for the depth that Python allows."""


class _Sleeping(selectors.SelectSelector):
    """There are no sockets, and no threads that could wake us: all that happens is that time goes by."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits, and no timer is set: nothing will ever happen")
        time.sleep(max(timeout, 0))
        return []


def _nothing(_: object) -> None: ...


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs what is not there."""
    for item in items:
        arguments = set(map(str, getattr(getattr(item, "callspec", None), "params", {}).values()))
        source = inspect.getsource(getattr(item, "function", main))
        if arguments & {"trio", "uvloop"} or ('"trio"' in source and "asyncio" not in arguments):
            item.add_marker(pytest.mark.skip("another loop"))
        elif any(word in item.name for word in ENDS_PYODIDE):
            item.add_marker(pytest.mark.skip("ends Pyodide itself"))
        elif any(word in source for word in NEEDS_MORE) or "flet_web" in item.name:
            item.add_marker(pytest.mark.skip("threads, processes, a server, or another loop"))


def main(given: list[str]) -> int:
    """Run pytest; returns what it would exit with."""
    _prepare()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # some ask for more of the system
    print(f"Pyodide: CPython {sys.version.split()[0]} on {sys.platform}")
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    return int(pytest.main([*plugins, "-W", KNOWN, *given], plugins=[sys.modules[__name__]]))
