"""The inputs of the gallery, and a line that says what was entered."""

import flet as ft

import flet_asp_actors as fa
from examples.theming import library as ui

NAME = fa.Key("name", "")
MAIL = fa.Key("mail", "")
PASSWORD = fa.Key("password", "")
PLAN = fa.Key("plan", "Free")
SEATS = fa.Key("seats", 3)
AGREES = fa.Key("agrees", False)
WANTS_NEWS = fa.Key("wants_news", True)


def mail_error(get: fa.Get) -> str | None:
    return "An address has an @ in it" if get(MAIL) and "@" not in get(MAIL) else None


@fa.selector
def summary(get: fa.Get) -> str:
    said = f"{get(NAME).strip() or 'Nobody'} takes {get(PLAN)} with {get(SEATS)} seats"
    return f"{said}, {'wants' if get(WANTS_NEWS) else 'no'} news, {'agrees' if get(AGREES) else 'does not agree yet'}"


def inputs(state: fa.StateManager) -> ft.Control:
    seats = ft.Slider(min=1, max=10, divisions=9, label="{value} seats")
    return ui.section(
        state,
        "Inputs",
        ui.text_field(state, "Name", NAME, ft.Icons.PERSON_OUTLINE),
        ui.text_field(state, "E-mail", MAIL, ft.Icons.MAIL_OUTLINE, mail_error),
        ui.text_field(state, "Password", PASSWORD, ft.Icons.LOCK_OUTLINE, password=True),
        ft.Row([ui.dropdown(state, "Plan", PLAN, ("Free", "Team", "Company"))]),
        state.bound(ft.Text(), value=lambda get: f"Seats: {get(SEATS)}"),
        state.bound(seats, value=fa.two_way(SEATS)),
        ui.line(
            state,
            state.bound(ft.Checkbox(label="I agree"), value=fa.two_way(AGREES)),
            state.bound(ft.Switch(label="News by e-mail"), value=fa.two_way(WANTS_NEWS)),
        ),
        state.bound(ft.Text(color=ft.Colors.ON_SURFACE_VARIANT), value=summary),
    )
