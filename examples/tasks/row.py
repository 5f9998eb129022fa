"""A task on the screen: ticked, edited and deleted."""

import flet as ft

import flet_asp_actors as fa
from examples.tasks.tasks import Task, change, remove


def task_row(state: fa.StateManager, row: fa.Row[Task]) -> ft.Control:
    task = row.value
    draft = fa.Key[str | None]("edited text", None)  # this row's own, and gone with it; None: it is not being edited

    def tick(event: ft.Event[ft.Checkbox]) -> None:
        state.action(change)(task, task.text, bool(event.control.value))

    async def begin() -> None:
        state.set(draft, task.text)
        await state.flushed()  # what is not on the screen cannot have the focus
        await field.focus()  # type: ignore[no-untyped-call]  # Flet has no types here

    def save() -> None:
        text = (state.get(draft) or "").strip()
        state.action(change)(task, text or task.text, task.done)
        state.reset(draft)

    def look(get: fa.Get) -> ft.TextStyle | None:
        return ft.TextStyle(decoration=ft.TextDecoration.LINE_THROUGH) if get(row).done else None

    box = ft.Checkbox(on_change=tick, expand=True)
    edit = ft.IconButton(ft.Icons.EDIT_OUTLINED, on_click=begin)
    delete = ft.IconButton(ft.Icons.DELETE_OUTLINE, on_click=lambda: state.action(remove)(task))
    field = ft.TextField(border=ft.UnderlineInputBorder(), dense=True, on_submit=save, expand=True)
    reading: list[ft.Control] = [
        state.bound(box, label=lambda get: get(row).text, value=lambda get: get(row).done, label_style=look),
        state.bound(edit, tooltip=lambda get: f"Edit {get(row).text}"),
        state.bound(delete, tooltip=lambda get: f"Delete {get(row).text}"),
    ]
    editing: list[ft.Control] = [
        state.bound(field, label=lambda get: f"New text of {get(row).text}", value=fa.two_way(draft, parse=str)),
        ft.IconButton(ft.Icons.CHECK, tooltip="Save", on_click=save),
    ]
    modes: list[ft.Control] = [
        state.bound(ft.Row(reading, spacing=0), visible=lambda get: get(draft) is None),
        state.bound(ft.Row(editing, spacing=8), visible=lambda get: get(draft) is not None),
    ]
    return ft.Column(modes, tight=True)
