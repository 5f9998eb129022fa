"""What every test has: the backends to run on, and no warning left unread."""

import gc
import random
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.kit", "tests.model")  # so that their asserts count without Python's, too

BACKENDS: dict[str, tuple[str, dict[str, object]]] = {
    "asyncio": ("asyncio", {"debug": True}),
    "uvloop": ("asyncio", {"use_uvloop": True}),
    "trio": ("trio", {}),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in an order that the seed decides")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have the tests in any order: none of them may stand on what another one has left."""
    seed = config.getoption("--shuffle")
    if seed is not None:
        random.Random(seed).shuffle(items)


@pytest.fixture(params=list(BACKENDS))
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    """Core tests run on every backend; those with a page override this with asyncio alone."""
    return BACKENDS[request.param]


@pytest.fixture(autouse=True)
def nothing_left_unawaited() -> Iterator[None]:
    """A coroutine that nobody awaited warns when it is collected: do that inside the test."""
    yield
    gc.collect()


@pytest.fixture(autouse=True, scope="module")
def what_stays_is_not_looked_at_again() -> None:
    """What the imports and the modules before have left stays: the collector need not look at it after every test."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """What looks for referrers at the end is to find them: hypothesis does."""
    gc.unfreeze()
