"""The settings: the profile, which is saved by a button, and preferences, which count at once."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, molecules, tokens
from examples.dashboard.state.actions import revert_settings, save_settings
from examples.dashboard.state.form import can_be_saved, is_changed, mail_error, name_error
from examples.dashboard.state.keys import IS_DARK, MAIL, NAME, TELLS_OF_LARGE


def profile_form(state: fa.StateManager) -> ft.Control:
    save = state.action(save_settings)

    def is_busy(get: fa.Get) -> bool:
        return get(save.status).is_busy

    def revert() -> None:
        save.reset()  # ends what is under way, and its message
        revert_settings(state)

    name = ft.TextField(label="Name", prefix_icon=ft.Icons.PERSON_OUTLINE)
    mail = ft.TextField(label="E-mail", prefix_icon=ft.Icons.MAIL_OUTLINE, keyboard_type=ft.KeyboardType.EMAIL)
    buttons: list[ft.Control] = [
        state.bound(
            ft.FilledButton("Save", icon=ft.Icons.CHECK, on_click=save),
            disabled=lambda get: is_busy(get) or not get(can_be_saved),
        ),
        state.bound(
            ft.OutlinedButton("Cancel", on_click=revert), disabled=lambda get: not (is_busy(get) or get(is_changed))
        ),
        state.bound(ft.ProgressRing(width=20, height=20, semantics_label="Saving"), visible=is_busy),
    ]
    rows: list[ft.Control] = [
        state.bound(name, value=fa.two_way(NAME), error=name_error),
        state.bound(mail, value=fa.two_way(MAIL), error=mail_error),
        ft.Row(buttons, spacing=tokens.S),
        state.bound(
            ft.Text(color=ft.Colors.ERROR),
            value=lambda get: get(save.status).message,
            visible=lambda get: bool(get(save.status).message),
        ),
    ]
    return ft.Column(rows, spacing=tokens.M, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def preferences(state: fa.StateManager) -> ft.Control:
    rows = [
        molecules.toggle(state, IS_DARK, "Dark mode", "For this session only"),
        atoms.line(),
        molecules.toggle(state, TELLS_OF_LARGE, "Large orders", "A notice for each order from $600"),
    ]
    return ft.Column(rows, spacing=tokens.M)
