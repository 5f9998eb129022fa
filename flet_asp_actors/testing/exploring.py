"""Exploration: a scenario under many orders of its tasks, each of which can be had again by its seed."""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import os
import random
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, Literal

import anyio

from .backends import virtual_backend
from .schedule import shuffle_ready
from .yielding import every_receipt_yields

__all__ = ("SEED_VARIABLE", "explore")

SEED_VARIABLE = "FLET_ASP_ACTORS_SEED"
"""The environment variable that restricts every exploration to one seed."""


def explore(
    scenario: Callable[..., Awaitable[object]],
    seeds: Iterable[int] = range(200),
    *,
    clock: bool = True,
    backend: Literal["asyncio", "trio"] = "asyncio",
) -> None:
    """Run a scenario once per seed, each time on a fresh loop that permutes its ready tasks in another way.

    Call it from a plain test function. When a seed fails, `seeds=[17]` runs that one again,
    and so does the environment variable `FLET_ASP_ACTORS_SEED=17`, without an edit.

    Every awaited write of a store yields to the loop meanwhile, not only every so often.

    Args:
        scenario: An async function that takes nothing, or a `random.Random` for choices of
            its own that are to be replayed as well.
        seeds: Which orders to try.
        clock: Whether time is virtual: waits for a time cost nothing, and a scenario in
            which every task waits for ever is an error at once.
        backend: Whose loop. On trio a scenario that waits for ever does so.

    Raises:
        AssertionError: When the scenario fails: its text names the seed, its cause is what
            was raised.
        ValueError: When the environment variable holds no number.
        RuntimeError: Inside a running loop.
    """
    takes_random = bool(inspect.signature(scenario).parameters)
    for seed in _chosen(seeds):
        call = functools.partial(scenario, random.Random(seed)) if takes_random else scenario
        try:
            with every_receipt_yields():
                _run(call, seed, clock, backend)
        except Exception as error:
            name = getattr(scenario, "__qualname__", repr(scenario))
            raise AssertionError(
                f"{name} fails with seed {seed} on {backend}: {type(error).__name__}: {error}\n"
                f"To replay it: seeds=[{seed}], or {SEED_VARIABLE}={seed} in the environment."
            ) from error


def _chosen(seeds: Iterable[int]) -> Iterable[int]:
    text = os.environ.get(SEED_VARIABLE)
    if not text:
        return seeds
    try:
        return [int(text)]
    except ValueError:
        raise ValueError(f"{SEED_VARIABLE} is the number of a seed, not {text!r}") from None


def _run(call: Callable[[], Awaitable[Any]], seed: int, clock: bool, backend: str) -> None:
    if backend == "trio":
        trio: Any = importlib.import_module("trio")
        options = virtual_backend("trio")[1] if clock else {}
        with _seeded_trio(seed):
            trio.run(_begin, call, **options)  # that of anyio drops the options before 4.14
        return
    options = virtual_backend("asyncio", seed=seed)[1] if clock else {"loop_factory": functools.partial(_loop, seed)}
    anyio.run(call, backend="asyncio", backend_options=options)


async def _begin(call: Callable[[], Awaitable[Any]]) -> None:
    await call()


def _loop(seed: int) -> asyncio.AbstractEventLoop:
    loop = asyncio.SelectorEventLoop()
    shuffle_ready(loop, seed)
    return loop


@contextmanager
def _seeded_trio(seed: int) -> Generator[None, None, None]:
    """Trio permutes its ready tasks by itself; this decides how."""
    # The way that Hypothesis and pytest-trio have.
    run: Any = importlib.import_module("trio._core._run")
    was = run._ALLOW_DETERMINISTIC_SCHEDULING, run._r.getstate()
    run._ALLOW_DETERMINISTIC_SCHEDULING = True
    run._r.seed(seed)
    try:
        yield
    finally:
        run._ALLOW_DETERMINISTIC_SCHEDULING = was[0]
        run._r.setstate(was[1])
