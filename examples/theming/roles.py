"""Colour roles: a ground, and what stands on it. Two that Material does not have are a pair for each mode."""

import flet as ft

import flet_asp_actors as fa
from examples.theming.tokens import IS_DARK

Pair = tuple[ft.ColorValue, ft.ColorValue]

OF_THEME: dict[str, Pair] = {
    "Primary": (ft.Colors.PRIMARY, ft.Colors.ON_PRIMARY),
    "Secondary": (ft.Colors.SECONDARY, ft.Colors.ON_SECONDARY),
    "Tertiary": (ft.Colors.TERTIARY, ft.Colors.ON_TERTIARY),
    "Container": (ft.Colors.PRIMARY_CONTAINER, ft.Colors.ON_PRIMARY_CONTAINER),
    "Surface": (ft.Colors.SURFACE_CONTAINER_HIGHEST, ft.Colors.ON_SURFACE),
    "Error": (ft.Colors.ERROR_CONTAINER, ft.Colors.ON_ERROR_CONTAINER),
}

OUR_OWN: dict[str, tuple[Pair, Pair]] = {
    "Success": ((ft.Colors.GREEN_100, ft.Colors.GREEN_900), (ft.Colors.GREEN_900, ft.Colors.GREEN_100)),
    "Warning": ((ft.Colors.AMBER_100, ft.Colors.BROWN_900), (ft.Colors.BROWN_800, ft.Colors.AMBER_100)),
}

ROLES = (*OF_THEME, *OUR_OWN)


@fa.family
def role(get: fa.Get, name: str) -> Pair:
    """The colours of a role, as the session has them now."""
    return OF_THEME[name] if name in OF_THEME else OUR_OWN[name][get(IS_DARK)]
