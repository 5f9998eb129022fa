"""Typing at full speed over a long line: 150 ms on the way, in both directions.

Nothing of what a person has typed may be lost, and the caret stays where it is, whatever the
server makes of the text meanwhile, and whatever else on the screen follows each key.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

import flet as ft
import pytest
from playwright.sync_api import expect

import flet_asp_actors as fa
from tests.kit.browser import AppServer, Screen
from tests.kit.proxy import Proxy

LATENCY = 0.15
WORDS = "the quick brown fox"
"""What is typed, in one go."""
BEFORE, AFTER = "Once upon ", " a time"

PLAIN = fa.Key("plain", "")
SAME = fa.Key("same", "")
UPPER = fa.Key("upper", "")
LATER = fa.Key("later", "")

KEYS = {"Plain": PLAIN, "Same": SAME, "Upper": UPPER, "Later": LATER}

_HELD = """([label]) => {
    const field = document.querySelector(`input[aria-label="${label}"], textarea[aria-label="${label}"]`);
    return [field.value, field.selectionStart, field.selectionEnd];
}"""

Slow = Callable[[], tuple[Screen, Proxy]]


def length(key: fa.Key[str]) -> Callable[[fa.Get], str]:
    return lambda get: f"{key.name}: {len(get(key))}"


def main(page: ft.Page) -> None:
    state = fa.get_state_manager(page)
    page.add(
        state.bound(ft.TextField(label="Plain"), value=fa.two_way(PLAIN)),
        state.bound(ft.TextField(label="Same"), value=fa.two_way(SAME, parse=str, to=str)),
        state.bound(ft.TextField(label="Upper"), value=fa.two_way(UPPER, parse=str.upper)),
        state.bound(ft.TextField(label="Later"), value=fa.two_way(LATER, parse=str.upper, debounce=0.5)),
        *(state.bound(ft.Text(), value=length(key)) for key in KEYS.values()),
        state.bound(ft.Text(), value=lambda get: f"upper is {get(UPPER)}"),
    )


@pytest.fixture
def slow(servers: contextlib.ExitStack, open_url: Callable[[str], Screen]) -> Slow:
    """Opens the app over a line that is fast until the test makes it slow."""

    def go() -> tuple[Screen, Proxy]:
        server = AppServer(main)
        servers.callback(server.stop)
        proxy = servers.enter_context(Proxy(server.url))
        return open_url(proxy.url), proxy

    return go


def held(screen: Screen, label: str) -> tuple[str, int]:
    """What a field shows, and where its caret is."""
    value, start, end = screen.page.evaluate(_HELD, [label])
    assert start == end, "a part of it is selected"
    return value, start


def go_to_the_middle(screen: Screen, label: str) -> None:
    """Enter a text and put the caret in its middle."""
    screen.type(label, BEFORE + AFTER)
    screen.see(f"{KEYS[label].name}: {len(BEFORE + AFTER)}")
    screen.page.keyboard.press("Home")
    for _ in BEFORE:
        screen.page.keyboard.press("ArrowRight")
    shown, caret = held(screen, label)
    assert (shown.lower(), caret) == ((BEFORE + AFTER).lower(), len(BEFORE))


@pytest.mark.parametrize("label", ["Plain", "Same"])
def test_nothing_typed_is_lost_and_the_caret_does_not_jump(slow: Slow, label: str) -> None:
    screen, proxy = slow()
    go_to_the_middle(screen, label)
    proxy.delay = LATENCY
    seen: list[tuple[str, int]] = []
    for end in range(1, len(WORDS) + 1):
        screen.page.keyboard.type(WORDS[end - 1])
        seen.append(held(screen, label))
    expected = [(BEFORE + WORDS[:end] + AFTER, len(BEFORE) + end) for end in range(1, len(WORDS) + 1)]
    assert seen == expected
    # What the server has heard comes back key by key, beside it; the field is left alone.
    screen.see(f"{KEYS[label].name}: {len(expected[-1][0])}")
    assert held(screen, label) == expected[-1]
    screen.page.keyboard.type("!")
    screen.see(f"{KEYS[label].name}: {len(expected[-1][0]) + 1}")
    assert held(screen, label) == (BEFORE + WORDS + "!" + AFTER, len(BEFORE + WORDS) + 1)
    screen.shot(f"latency-{label.lower()}")


def test_what_parse_has_changed_comes_when_the_person_pauses(slow: Slow) -> None:
    """With a debounce longer than the way there and back nothing is written into what is being typed."""
    screen, proxy = slow()
    go_to_the_middle(screen, "Later")
    field = screen.field("Later")
    expect(field).to_have_value((BEFORE + AFTER).upper())
    proxy.delay = LATENCY
    for end in range(1, len(WORDS) + 1):
        screen.page.keyboard.type(WORDS[end - 1])
        assert held(screen, "Later") == ((BEFORE.upper() + WORDS[:end] + AFTER.upper()), len(BEFORE) + end)
    expect(field).to_have_value((BEFORE + WORDS + AFTER).upper())
    screen.see(f"later: {len(BEFORE + WORDS + AFTER)}")
    screen.shot("latency-later")


def test_what_parse_changes_at_each_key_ends_with_one_text_on_both_sides(slow: Slow) -> None:
    """What comes back may undo what was typed meanwhile; but in the end nobody has another text than the other.

    Over a long line a person sees the upper-case text jump in, a moment after the first key:
    keys that were typed in between are gone, and the caret is at the end. That is what
    `debounce` is for.
    """
    screen, proxy = slow()
    go_to_the_middle(screen, "Upper")
    proxy.delay = LATENCY
    screen.page.keyboard.type(WORDS)
    proxy.wait_quiet()
    text = screen.field("Upper").input_value()
    assert re.fullmatch("[A-Z ]+", text)
    screen.see(f"upper is {text}")
    screen.page.keyboard.type("!")  # from now on all is as ever
    proxy.wait_quiet()
    assert len(screen.field("Upper").input_value()) == len(text) + 1
    screen.see(f"upper is {screen.field('Upper').input_value()}")
    screen.shot("latency-upper")
