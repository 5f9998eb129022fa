"""What the table of frames compares is right, and what it is to show holds by count. Never a time."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flet_asp_actors.testing.headless import HeadlessApp

from .frames import FLOOR, OURS, VARIANTS, Clicker, Variant, check, pushes

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("dirty", [1, 3])
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
async def test_every_column_shows_the_clicks(variant: Variant, dirty: int) -> None:
    dirty = 1 if variant.shows_one else dirty
    async with HeadlessApp(lambda page: variant.build(page, 7, dirty)) as app:
        assert await check(app, dirty) is None
        assert app.mirror_diff() == []


async def test_a_wrong_answer_is_found() -> None:
    def build(page: Any, size: int) -> None:
        FLOOR.build(page, size, 1)
        page.controls[1].controls[-1].update = lambda: None
        page.controls[1].controls[-1].visible = False

    async with HeadlessApp(lambda page: build(page, 7)) as app:
        assert "the client shows" in (await check(app) or "")


async def calls(variant: Variant, size: int) -> tuple[int, int]:
    """How many functions of Python a click calls, and how many bytes it sends."""
    async with HeadlessApp(lambda page: variant.build(page, size, 1)) as app:
        with ThreadPoolExecutor(1) as executor:
            click = Clicker(app, executor)
            await click(3)
            before, count = click.sink.bytes, 0

            def profile(frame: object, event: str, argument: object) -> None:
                nonlocal count
                count += event == "call"

            debug = asyncio.get_running_loop().get_debug()
            asyncio.get_running_loop().set_debug(False)
            sys.setprofile(profile)
            try:
                await click(1)
            finally:
                sys.setprofile(None)
                asyncio.get_running_loop().set_debug(debug)
            return count, click.sink.bytes - before


async def test_what_a_click_costs_does_not_depend_on_the_page() -> None:
    small, large = await calls(OURS, 10), await calls(OURS, 1000)
    assert large[0] <= small[0] + 20
    floor = await calls(FLOOR, 10)
    assert max(large[1], small[1], floor[1]) < 40  # bytes: only the number is sent
    assert large[0] <= 1.5 * floor[0]


async def test_what_a_click_costs_beside_auto_update_does() -> None:
    """The count can see it."""
    beside = next(variant for variant in VARIANTS if variant.name == "ours, beside auto-update")
    assert (await calls(beside, 1000))[0] > 1000 + (await calls(beside, 10))[0]


async def test_an_ancestor_is_cheaper_when_everything_has_changed() -> None:
    found, _ = await pushes(1, [50])
    assert [push.dirty for push in found] == [1, 2, 5, 10, 12, 15, 25, 50]
