"""An action that only a cancellation ends."""

from __future__ import annotations

import anyio

import flet_asp_actors as fa

__all__ = ("N", "forever")

N = fa.Key("n", 0)


@fa.action
async def forever(get: fa.Get, set: fa.Set) -> None:
    set(N, 1)
    try:
        await anyio.sleep_forever()
    finally:
        set(N, 0)
