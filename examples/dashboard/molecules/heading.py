"""What a page or a part of it begins with."""

import flet as ft

from examples.dashboard import atoms, tokens


def heading(name: str, about: str, *beside: ft.Control) -> ft.Control:
    """The name of a page, what it is about, and what can be done there."""
    words = ft.Column([atoms.headline(name), atoms.quiet(about)], spacing=tokens.XS, expand=True)
    return ft.Row([words, *beside], spacing=tokens.S)


def section(name: str, content: ft.Control, *beside: ft.Control) -> ft.Control:
    """A card with a title."""
    head = ft.Row([ft.Container(atoms.title(name), expand=True), *beside], spacing=tokens.S)
    return atoms.card(ft.Column([head, content], spacing=tokens.M))
