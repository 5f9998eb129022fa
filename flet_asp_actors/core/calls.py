"""Calling what users have written: what it may raise, and what it may not return."""

from __future__ import annotations

from collections.abc import Callable
from types import CoroutineType
from typing import Any

__all__ = ("FATAL", "as_exception", "at_once", "call_all")

FATAL = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""What is meant for the interpreter and passes through everything. Any other BaseException out of
user code is an error of that code, a stray CancelledError above all."""


def as_exception(error: BaseException) -> Exception:
    """What is to be reported of what user code has raised; what is meant for the interpreter is raised again.

    A CancelledError out of a future that was asked for its result is an error, and no cancellation.
    """
    if isinstance(error, Exception):
        return error
    if isinstance(error, FATAL):
        raise error
    stray = RuntimeError(f"a stray {type(error).__name__}: something that was cancelled was asked for its result")
    stray.__cause__ = error
    return stray


def at_once(result: Any, what: str) -> Any:
    """What a function has returned that is to answer at once.

    Raises:
        TypeError: When it has returned a coroutine, which nobody would await.
    """
    if type(result) is CoroutineType:
        result.close()
        raise TypeError(f"{what} is called and not awaited, and has returned a coroutine. Make it a plain function.")
    return result


def call_all(owed: list[Callable[[], object]], report: Callable[[Exception], object]) -> None:
    """Call what is left to be called, the last one first; what one of them raises keeps nothing from the others.

    What is owed anew meanwhile is for the next time; so is what comes after one that raises
    something for the interpreter.
    """
    calls = owed[:]
    owed.clear()
    try:
        while calls:
            try:
                at_once(calls.pop()(), "a cleanup")
            except BaseException as error:
                report(as_exception(error))
    finally:
        owed[:0] = calls
