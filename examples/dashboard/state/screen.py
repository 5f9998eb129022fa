"""Selectors of the window: how wide it is, how it is coloured, and where one is."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import tokens
from examples.dashboard.state.keys import IS_DARK, NOTICES, PAGE, WIDTH

SEARCHED = {
    "Overview": "Search orders",
    "Orders": "Search orders",
    "Users": "Search users",
    "Help": "Search help",
}
"""What the search is about, on the pages that have something to find."""


@fa.selector
def is_narrow(get: fa.Get) -> bool:
    return get(WIDTH) < tokens.NARROW


@fa.selector
def is_wide(get: fa.Get) -> bool:
    return get(WIDTH) >= tokens.WIDE


@fa.selector
def margin(get: fa.Get) -> int:
    return tokens.M if get(is_narrow) else tokens.L


@fa.selector
def theme_mode(get: fa.Get) -> ft.ThemeMode:
    return ft.ThemeMode.DARK if get(IS_DARK) else ft.ThemeMode.LIGHT


@fa.selector
def success(get: fa.Get) -> ft.Colors:
    return tokens.SUCCESS[get(theme_mode)]


@fa.selector
def on_success(get: fa.Get) -> ft.Colors:
    return tokens.ON_SUCCESS[get(theme_mode)]


@fa.selector
def searched(get: fa.Get) -> str:
    return SEARCHED.get(get(PAGE), "")


@fa.selector
def unread(get: fa.Get) -> int:
    return sum(not notice.is_read for notice in get(NOTICES))
