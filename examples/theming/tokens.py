"""Tokens: four things that a person chooses, and what follows from them. Each session has its own."""

import flet as ft

import flet_asp_actors as fa

SEEDS = {
    "Indigo": ft.Colors.INDIGO,
    "Teal": ft.Colors.TEAL,
    "Green": ft.Colors.GREEN,
    "Orange": ft.Colors.DEEP_ORANGE,
    "Pink": ft.Colors.PINK,
}

IS_DARK = fa.Key("is_dark", False)
SEED = fa.Key("seed", "Indigo")
RADIUS = fa.Key("radius", 12)
DENSITY = fa.Key("density", "Comfortable")
CHOSEN = (IS_DARK, SEED, RADIUS, DENSITY)


@fa.selector
def theme_mode(get: fa.Get) -> ft.ThemeMode:
    return ft.ThemeMode.DARK if get(IS_DARK) else ft.ThemeMode.LIGHT


@fa.selector
def mode_label(get: fa.Get) -> str:
    return "Dark Mode" if get(IS_DARK) else "Light Mode"


@fa.selector
def space(get: fa.Get) -> int:
    """Between things, in logical pixels."""
    return 8 if get(DENSITY) == "Compact" else 16


@fa.selector
def shape(get: fa.Get) -> ft.RoundedRectangleBorder:
    return ft.RoundedRectangleBorder(radius=get(RADIUS))


@fa.selector
def theme(get: fa.Get) -> ft.Theme:
    density = ft.VisualDensity.COMPACT if get(DENSITY) == "Compact" else ft.VisualDensity.STANDARD
    # By the theme and not by each button: Flet sends a button with a style of its own at every update of the page.
    button = ft.ButtonStyle(shape=get(shape))
    return ft.Theme(
        color_scheme_seed=SEEDS[get(SEED)],
        visual_density=density,
        filled_button_theme=ft.FilledButtonTheme(style=button),
        outlined_button_theme=ft.OutlinedButtonTheme(style=button),
        text_button_theme=ft.TextButtonTheme(style=button),
        icon_button_theme=ft.IconButtonTheme(style=button),
        floating_action_button_theme=ft.FloatingActionButtonTheme(shape=get(shape)),
    )
