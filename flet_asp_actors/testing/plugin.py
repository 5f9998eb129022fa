"""The fixtures that pytest finds by itself once the package is installed.

Whatever a fixture needs is imported by the fixture: pytest imports this for every project
in whose environment the package is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from .backends import virtual_backend, virtual_backends

if TYPE_CHECKING:
    import flet as ft

    from ..state import StateManager
    from .failures import Failures
    from .headless import HeadlessApp

__all__ = ("fa_app", "fa_failures", "fa_overrides", "fa_store", "fa_virtual_backend")


@pytest.fixture
def fa_overrides() -> dict[Any, Any]:
    """What `fa_store` is made with instead of what keys, selectors and actions say. Override it in your tests."""
    return {}


@pytest.fixture
def fa_failures() -> Failures:
    """The errors that reached `on_error` of `fa_store`. A test that expects some takes them: `fa_failures.take()`."""
    from .failures import Failures

    return Failures()


@pytest.fixture
async def fa_store(
    anyio_backend: object, fa_overrides: dict[Any, Any], fa_failures: Failures
) -> AsyncIterator[StateManager]:
    """An open store, closed after the test, which fails over errors that reached `on_error` unless it took them."""
    from ..state import StateManager

    state = StateManager(overrides=fa_overrides)
    state.on_error = fa_failures.append
    async with state:
        yield state
    fa_failures.assert_none()


@pytest.fixture
async def fa_app(anyio_backend: object) -> AsyncIterator[Callable[..., Awaitable[HeadlessApp]]]:
    """Give what starts apps without a screen, which end after the test.

    For example::

        app = await fa_app(main, route="/login")

    The arguments are those of `HeadlessApp`. Flet needs asyncio.
    """
    from .headless import HeadlessApp

    async with AsyncExitStack() as apps:

        async def start(main: Callable[[ft.Page], Any], *, allow_crash: bool = False, **page: Any) -> HeadlessApp:
            return await apps.enter_async_context(HeadlessApp(main, allow_crash=allow_crash, **page))

        yield start


@pytest.fixture(params=virtual_backends())
def fa_virtual_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """A backend in virtual time: asyncio, and then trio, if it is installed.

    Make it the one of your tests::

        @pytest.fixture
        def anyio_backend(fa_virtual_backend):
            return fa_virtual_backend
    """
    return virtual_backend(request.param)
