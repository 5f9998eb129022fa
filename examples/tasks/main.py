"""Tasks: rows that are made once, edited in place and filtered by tabs; the count is right after each click."""

import flet as ft

import flet_asp_actors as fa
from examples.tasks.row import task_row
from examples.tasks.tasks import DRAFT, FILTER, FILTERS, TASKS, active, add, clear_completed, shown


def main(page: ft.Page) -> None:
    page.title, page.padding, page.scroll = "Tasks", 24, ft.ScrollMode.AUTO
    page.horizontal_alignment = ft.CrossAxisAlignment.CENTER
    state = fa.get_state_manager(page)
    field = ft.TextField(label="What is to be done?", expand=True)

    async def add_and_go_on() -> None:
        await state.action(add)()
        await field.focus()  # type: ignore[no-untyped-call]  # Flet has no types here

    field.on_submit = add_and_go_on
    button = ft.FloatingActionButton(icon=ft.Icons.ADD, tooltip="Add", on_click=add_and_go_on)
    bar = ft.TabBar(tabs=[ft.Tab(label=name) for name in FILTERS])
    rows = ft.Column(spacing=0)
    state.bind_list(shown, rows, lambda row: task_row(state, row), lambda task: task.number)
    clear = state.bound(
        ft.OutlinedButton("Clear completed", on_click=state.action(clear_completed)),
        disabled=lambda get: get(active) == len(get(TASKS)),
    )
    count = state.bound(ft.Text(expand=True), value=lambda get: f"Active tasks: {get(active)}")
    everything: list[ft.Control] = [
        ft.Text("Tasks", theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM),
        ft.Row([state.bound(field, value=fa.two_way(DRAFT)), button], spacing=16),
        state.bound(ft.Tabs(bar, length=len(FILTERS)), selected_index=fa.two_way(FILTER)),
        rows,
        ft.Row([count, clear]),
    ]
    page.add(ft.Column(everything, spacing=16, width=560))


if __name__ == "__main__":
    ft.run(main)
