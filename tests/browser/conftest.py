"""Fixtures for tests in a browser. Such a test is a plain `def`: playwright's loop runs in its thread."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, TypeAlias

import flet as ft
import pytest
from playwright.sync_api import Browser

from tests.kit import browser
from tests.kit.browser import AppServer, Screen
from tests.kit.line import Line

Main: TypeAlias = Callable[[ft.Page], Any]


@pytest.fixture(scope="package")  # not "session": async tests elsewhere could not run while it is there
def chromium() -> Iterator[Browser]:
    """One browser for all the tests here."""
    path = browser.find_browser()
    if path is None:
        advice = "No browser: `apt-get install chromium`, or set CHROMIUM=/path/to/it (Chrome and Edge do as well)."
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(advice)
        pytest.skip(advice)
    with browser.launch(path) as running:
        yield running


@pytest.fixture
def servers() -> Iterator[contextlib.ExitStack]:
    """What serves, until the browser has left it."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def open_url(servers: contextlib.ExitStack, chromium: Browser) -> Iterator[Callable[[str], Screen]]:
    """Opens an address in a browser context of its own: another person, another session."""
    with contextlib.ExitStack() as contexts:

        def go(url: str) -> Screen:
            context = chromium.new_context(viewport={"width": 800, "height": 600})
            contexts.callback(context.close)
            return Screen(context.new_page(), url)

        yield go


@pytest.fixture
def open_app(servers: contextlib.ExitStack, open_url: Callable[[str], Screen]) -> Callable[[Main], Screen]:
    """Serves an app and opens it; the same app twice is one server with two sessions."""
    running: dict[Main, AppServer] = {}

    def go(main: Main) -> Screen:
        if main not in running:
            running[main] = AppServer(main)
            servers.callback(running[main].stop)
        return open_url(running[main].url)

    return go


@pytest.fixture
def serve_script(servers: contextlib.ExitStack) -> Callable[[str | Path], str]:
    """Runs a script of the repository and gives its address, for `open_url`."""
    return lambda path: servers.enter_context(browser.serve_script(path))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], Line]:
    """Has the server of an example with a login wait for the test."""

    def make(module: ModuleType) -> Line:
        line = Line()
        # Its server as it is, but with a clock of ours.
        monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=line.sleep))
        monkeypatch.setattr(module.login, "timeout", None)  # a slow machine is not a slow server
        return line

    return make
