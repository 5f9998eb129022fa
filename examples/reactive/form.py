"""A form: fields, a button that waits for them, and what came of it."""

from collections.abc import Awaitable, Callable, Sequence

import flet as ft

import flet_asp_actors as fa
from examples.reactive.field import ReactiveInput

Submit = Callable[[dict[str, str]], Awaitable[str]]


@fa.action  # one for all forms: what a store has bound, it keeps, and a form is to be given up
async def send(get: fa.Get, set: fa.Set, form: "ReactiveForm") -> None:
    set(form.is_sending, True)
    try:
        set(form.result, await form.on_submit(form.values))
    except ValueError as error:
        set(form.result, str(error))
    finally:
        set(form.is_sending, False)


class ReactiveForm(ft.Card):
    """`values` are the texts by the labels of the fields; the button is on while nothing is wrong with them.

    Args:
        title: What it is for.
        fields: The fields, each with its own state.
        on_submit: Sends the values; what it returns is shown, or the ValueError it raises.
        placeholder: What is shown until then, and after `reset()`.
    """

    def __init__(self, title: str, fields: Sequence[ReactiveInput], on_submit: Submit, placeholder: str = " ") -> None:
        state = fa.current()
        is_sending = state.atom(fa.Key(f"{title}: sending", False))
        result = state.atom(fa.Key(f"{title}: result", placeholder))
        button = ft.FilledButton("Send", on_click=lambda: state.action(send)(self))
        state.bound(button, disabled=lambda get: get(is_sending) or any(each.objection(get) for each in fields))
        text = state.bound(ft.Text(color=ft.Colors.ON_SURFACE_VARIANT, width=276), value=result)
        rows: list[ft.Control] = [
            ft.Text(title, size=18),
            *fields,
            ft.Row([button, ft.TextButton("Clear", on_click=self.reset)], spacing=8),
            ft.Container(text, padding=12, border_radius=8, bgcolor=ft.Colors.SURFACE_CONTAINER_HIGHEST),
        ]
        super().__init__(ft.Container(ft.Column(rows, tight=True), padding=16, width=340), semantic_container=False)
        self.fields, self.on_submit, self.is_sending, self.result = fields, on_submit, is_sending, result

    @property
    def values(self) -> dict[str, str]:
        """What was entered, by the labels of the fields."""
        return {str(each.label): each.text.value for each in self.fields}

    def reset(self) -> None:
        """Empty the fields, and forget what was sent."""
        for atom in (self.result, *(each.text for each in self.fields)):
            atom.reset()
