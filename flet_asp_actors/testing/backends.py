"""Backends for anyio's pytest plugin on which time costs nothing."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from typing import Any, Literal

__all__ = ("virtual_backend", "virtual_backends")


def virtual_backend(
    name: Literal["asyncio", "trio"] | str = "asyncio", *, seed: int | None = None
) -> tuple[str, dict[str, Any]]:
    """What a fixture `anyio_backend` returns for tests in virtual time: a name, and options.

    For example::

        @pytest.fixture(params=["asyncio", "trio"])
        def anyio_backend(request):
            return virtual_backend(request.param)

    Make one for every test: trio's clock serves one run.

    Args:
        name: `asyncio`, on a `VirtualLoop`, or `trio`, on its `MockClock` that jumps by itself.
        seed: Have asyncio's ready tasks permuted; see `explore`, which does both backends.

    Raises:
        ValueError: For another name, or a seed on trio.
        ModuleNotFoundError: When trio is asked for and not installed.
    """
    if name == "asyncio":
        from .clock import VirtualLoop

        return name, {"loop_factory": functools.partial(VirtualLoop, seed=seed)}
    if name != "trio":
        raise ValueError(f"there is virtual time on asyncio and on trio, not on {name!r}")
    if seed is not None:
        raise ValueError("a seed is for asyncio here; explore(..., backend='trio') seeds trio")
    from trio.testing import MockClock

    return name, {"clock": MockClock(autojump_threshold=0)}


def virtual_backends() -> tuple[str, ...]:
    """The names of the backends that are installed, for `params=`."""
    return ("asyncio", "trio") if find_spec("trio") is not None else ("asyncio",)
