"""Tokens: the few sizes, colours and widths that everything else is made of."""

import flet as ft

XS, S, M, L, XL = 4, 8, 16, 24, 32
"""Space between things, in logical pixels."""

RADIUS = 16

NARROW, WIDE = 720, 1100
"""Below the first width the sidebar is a drawer; from the second on it has its words beside its icons."""

QUIET = ft.Colors.ON_SURFACE_VARIANT

HEADLINE = ft.TextThemeStyle.HEADLINE_SMALL
TITLE = ft.TextThemeStyle.TITLE_MEDIUM
BODY = ft.TextThemeStyle.BODY_MEDIUM
SMALL = ft.TextThemeStyle.BODY_SMALL

SELECTED = ft.TextStyle(size=14, weight=ft.FontWeight.W_600, color=ft.Colors.ON_SURFACE)
UNSELECTED = ft.TextStyle(size=14, color=QUIET)

THEME = ft.Theme(color_scheme_seed=ft.Colors.TEAL)

SUCCESS = {ft.ThemeMode.LIGHT: ft.Colors.GREEN_800, ft.ThemeMode.DARK: ft.Colors.GREEN_300}
ON_SUCCESS = {ft.ThemeMode.LIGHT: ft.Colors.WHITE, ft.ThemeMode.DARK: ft.Colors.BLACK}
"""A role that Material has no colour for; `state.selectors` has the one of the moment."""
