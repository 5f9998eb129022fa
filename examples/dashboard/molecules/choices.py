"""Choices: one of a few, or yes and no."""

from collections.abc import Sequence

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, tokens


def chips(state: fa.StateManager, key: fa.Key[str], names: Sequence[str]) -> ft.Control:
    """One of a few, in a line that breaks where it has to."""

    def chip(name: str) -> ft.Control:
        one = ft.Chip(name, on_select=lambda: state.set(key, name), show_checkmark=False)
        return state.bound(one, selected=lambda get: get(key) == name)

    return ft.Row([chip(name) for name in names], spacing=tokens.S, run_spacing=tokens.S, wrap=True)


def toggle(state: fa.StateManager, key: fa.Key[bool], name: str, about: str) -> ft.Control:
    """Yes or no, with a line that says what it does."""
    words = ft.Column([atoms.body(name), atoms.quiet(about)], spacing=0, expand=True)
    switch = state.bound(ft.Switch(tooltip=name), value=fa.two_way(key))
    return ft.Row([words, switch], spacing=tokens.M)
