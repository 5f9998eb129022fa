"""What every test has: the backends to run on, and no warning left unread."""

import gc
from collections.abc import Iterator

import pytest

BACKENDS = [
    pytest.param(("asyncio", {"debug": True}), id="asyncio"),
    pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
    pytest.param(("trio", {}), id="trio"),
]


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    """Core tests run on every backend; those with a page override this with asyncio alone."""
    backend: tuple[str, dict[str, object]] = request.param
    return backend


@pytest.fixture(autouse=True)
def nothing_left_unawaited() -> Iterator[None]:
    """A coroutine that nobody awaited warns when it is collected: do that inside the test."""
    yield
    gc.collect()
