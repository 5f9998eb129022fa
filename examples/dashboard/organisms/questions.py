"""What is asked most, each with its answer."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, molecules, tokens
from examples.dashboard.state.found import found_questions
from examples.dashboard.state.help import Question
from examples.dashboard.state.keys import QUERY


def questions(state: fa.StateManager) -> ft.Control:
    def build(row: fa.Row[Question]) -> ft.Control:
        answer = ft.Container(
            atoms.quiet(row.value.answer),
            padding=ft.Padding.only(left=tokens.M, right=tokens.M, bottom=tokens.M),
            alignment=ft.Alignment.CENTER_LEFT,
        )
        return ft.ExpansionTile(
            row.value.title,
            controls=[answer],
            leading=ft.Icons.HELP_OUTLINE,
            shape=ft.RoundedRectangleBorder(),
            collapsed_shape=ft.RoundedRectangleBorder(),
        )

    rows = ft.Column(spacing=0)
    state.bind_list(found_questions, rows, build, item_key=lambda question: question.title)
    return ft.Column([rows, molecules.nothing(state, found_questions, QUERY)], spacing=0)
