"""The app that is put under load: something of everything, in a store for each page and in one for all."""

from __future__ import annotations

import asyncio
import itertools

import flet as ft

import flet_asp_actors as fa

__all__ = ("ALL", "FLOOD", "NEWS", "POURED", "main", "rest", "wake")

NEWS = fa.Key("news", 0)
COUNT = fa.Key("count", 0)
TEXT = fa.Key("text", "")
ITEMS = fa.Key[list[int]]("items", factory=list)
SAVED = fa.Key("saved", "")
BEATS = fa.Key("beats", 0)
LEVEL = fa.Key("level", 0)
BULK = fa.Key("bulk", "")

FLOOD = 300
"""How many writes a flood is made of, one at a turn of the loop."""
POURED = 200
"""How many large writes are poured out, a hundred a second."""

ALL = fa.StateManager()
"""The store that all pages share."""

news = ALL.atom(NEWS)
resting = ALL.atom(fa.Key("resting", False))
_numbers = itertools.count(1)


@ALL.service()
async def press(get: fa.Get, set: fa.Set) -> None:
    """What happens without anybody's click, and is on every screen."""
    while not get(resting):
        await asyncio.sleep(1)
        set.update(NEWS, lambda n: n + 1)
    await asyncio.sleep(float("inf"))


@fa.selector
def summary(get: fa.Get) -> str:
    """Of a store of a page and of the one for all."""
    return f"{get(COUNT)} clicks, {get(news)} news, {len(get(ITEMS))} items"


@fa.action(policy="sequential")
async def save(get: fa.Get, set: fa.Set, text: str) -> None:
    await asyncio.sleep(0.01)
    set(SAVED, text)


@fa.action(policy="droppable")
async def flood(get: fa.Get, set: fa.Set) -> None:
    for n in range(FLOOD):
        set(LEVEL, n + 1)
        await asyncio.sleep(0)


@fa.action(policy="droppable")
async def pour(get: fa.Get, set: fa.Set) -> None:
    """More than the line to a client that does not read can take up."""
    for n in range(POURED):
        set(BULK, "." * 200_000 + f" {n + 1}")
        await asyncio.sleep(0.01)


async def heart(get: fa.Get, set: fa.Set) -> None:
    """A service for each session."""
    while not get(resting):
        await asyncio.sleep(1)
        set.update(BEATS, lambda n: n + 1)
    await asyncio.sleep(float("inf"))


def main(page: ft.Page) -> None:
    state = fa.get_state_manager(page)
    ALL.attach(page)
    saving, flooding = state.action(save), state.action(flood)
    state.service()(heart)

    page.add(
        state.bound(ft.Text(), value=lambda get: f"count {get(COUNT)}"),
        state.bound(ft.Text(), value=summary),
        ALL.bound(ft.Text(), value=lambda get: f"news {get(NEWS)}"),
        state.bound(ft.Text(), value=lambda get: f"beats {get(BEATS)}"),
        state.bound(ft.Text(), value=lambda get: f"level {get(LEVEL)}"),
        ft.Button("Add", on_click=lambda: state.update(COUNT, lambda n: n + 1)),
        ft.Button("Tell all", on_click=lambda: ALL.update(NEWS, lambda n: n + 1)),
        state.bound(ft.TextField(label="Text"), value=fa.two_way(TEXT)),
        state.bound(ft.Text(), value=lambda get: f"typed {get(TEXT).upper()}"),
        ft.Button("Append", on_click=lambda: state.mutate(ITEMS, lambda items: items.append(next(_numbers)))),
        ft.Button("Drop", on_click=lambda: state.update(ITEMS, lambda items: items[1:])),
        state.bound(ft.Column(), controls=lambda get: [ft.Text(f"item {n}", key=n) for n in get(ITEMS)]),
        ft.Button("Save", on_click=lambda: saving(state.get(TEXT))),
        state.bound(ft.Text(), value=lambda get: f"saved {get(SAVED)}"),
        state.bound(ft.ProgressRing(), visible=lambda get: get(saving.status).is_busy),
        ft.Button("Flood", on_click=flooding),
        state.bound(ft.Text(), value=lambda get: get(BULK)),
        ft.Button("Pour", on_click=state.action(pour)),
    )


def rest() -> None:
    """Have nothing happen without a click any more."""
    resting.set(True)


def wake() -> None:
    """Undo `rest`, for the sessions to come."""
    resting.set(False)
    press.stop()
    press.start()
