"""What moves, and what is sent. Nothing moves that nobody sees: the services run while they are watched."""

import asyncio

import flet_asp_actors as fa

PARTS = 60
HOVERED = fa.Key("hovered", False)
BOB = fa.Key("bob", 1)  # the plane is a little lower, or a little higher
DRIFT = fa.Key("drift", 0)  # how often the clouds have moved on
SENT = fa.Key("sent", 0)


async def send_part() -> None:
    """Stand for a server that takes three seconds for all parts."""
    await asyncio.sleep(3 / PARTS)


@fa.action(policy="droppable")
async def send(get: fa.Get, set: fa.Set) -> None:
    for part in range(PARTS):
        set.progress(part / (PARTS - 1))  # from 0 to 1
        await send_part()
    set.update(SENT, lambda sent: sent + 1)


@fa.selector
def is_flying(get: fa.Get) -> bool:
    return get(HOVERED) or get(send.status).is_busy


async def bob(get: fa.Get, set: fa.Set) -> None:
    while True:
        set(BOB, -get(BOB))
        await asyncio.sleep(0.6)


async def drift(get: fa.Get, set: fa.Set) -> None:
    while True:
        set(DRIFT, get(DRIFT) + 1)
        await asyncio.sleep(0.5)
