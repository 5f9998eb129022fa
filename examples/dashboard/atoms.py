"""Atoms: what cannot be taken apart further, and knows nothing of the shop."""

import flet as ft

from examples.dashboard import tokens


def headline(text: str) -> ft.Text:
    return ft.Text(text, theme_style=tokens.HEADLINE, weight=ft.FontWeight.W_600)


def title(text: str) -> ft.Text:
    return ft.Text(text, theme_style=tokens.TITLE, weight=ft.FontWeight.W_600)


def body(text: str = "") -> ft.Text:
    return ft.Text(text, theme_style=tokens.BODY)


def quiet(text: str = "") -> ft.Text:
    return ft.Text(text, theme_style=tokens.BODY, color=tokens.QUIET)


def label(text: str) -> ft.Text:
    return ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_LARGE, color=tokens.QUIET)


def one_line(text: ft.Text) -> ft.Text:
    text.max_lines, text.overflow = 1, ft.TextOverflow.ELLIPSIS
    return text


def card(content: ft.Control, padding: int = tokens.L) -> ft.Card:
    return ft.Card(
        ft.Container(content, padding=padding),
        elevation=1,
        margin=0,
        shape=ft.RoundedRectangleBorder(radius=tokens.RADIUS),
        semantic_container=False,
    )


def tag(text: str, color: ft.ColorValue, on_color: ft.ColorValue) -> ft.Container:
    words = ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_MEDIUM, color=on_color)
    return ft.Container(
        words, bgcolor=color, border_radius=tokens.S, padding=ft.Padding.symmetric(horizontal=8, vertical=4)
    )


def symbol(icon: ft.IconData) -> ft.Container:
    """An icon on a ground of its own."""
    image = ft.Icon(icon, size=24, color=ft.Colors.ON_PRIMARY_CONTAINER)
    return ft.Container(image, padding=tokens.S, bgcolor=ft.Colors.PRIMARY_CONTAINER, border_radius=tokens.S)


def line() -> ft.Divider:
    return ft.Divider(height=1, thickness=1, color=ft.Colors.OUTLINE_VARIANT)
