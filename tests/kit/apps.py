"""What tests of pages begin with."""

from __future__ import annotations

import asyncio

import flet as ft

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp

__all__ = ("empty", "passes", "shown", "store")


def empty(page: ft.Page) -> None:
    """An app with a store, and nothing to see."""
    fa.get_state_manager(page)


def store(app: HeadlessApp) -> fa.StateManager:
    """The store of the app's page."""
    return fa.get_state_manager(app.page)


def shown(control: ft.BaseControl, prop: str = "value") -> object:
    """What a property holds, whatever its declared type."""
    held: object = getattr(control, prop)
    return held


async def passes(app: HeadlessApp, seconds: float) -> None:
    """Time goes by on the app's loop, which takes none where it is virtual."""
    await asyncio.sleep(seconds)
    await app.settle()
