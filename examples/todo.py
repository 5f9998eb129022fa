"""Todo: what you add or tick shows at once, and is taken back if the server does not save it."""

import flet as ft

import flet_asp_actors as fa
from examples import api

DRAFT = fa.Key("draft", "")
TASKS = fa.Key[tuple[str, ...]]("tasks", ())
DONE = fa.Key[bool | None]("done", None)  # by task; None: the server does not have it


@fa.action(policy="sequential", per="task", expect=(api.ServerError,))
async def save(get: fa.Get, set: fa.Set, task: str, done: bool) -> None:
    set.update(TASKS, lambda tasks: tasks if task in tasks else (*tasks, task))
    async with set.optimistic(DONE[task], done):
        await api.ask("PUT", "/tasks", json={"task": task, "done": done})


@fa.selector
def problem(get: fa.Get) -> str:
    return "\n".join(f"{task}: {error}" for task in get(TASKS) if (error := get(save.status_for(task)).message))


def todo(state: fa.StateManager) -> ft.Control:
    def add() -> None:
        if task := state.get(DRAFT).strip():
            state.action(save)(task, False)
            state.reset(DRAFT)

    def build(row: fa.Row[str]) -> ft.Control:
        task = row.value
        box = ft.Checkbox(label=task, expand=True, on_change=lambda event: state.action(save)(task, bool(event.data)))
        ring = ft.ProgressRing(width=16, height=16, stroke_width=2, semantics_label=f"Saving {task}")
        state.bound(box, value=lambda get: bool(get(DONE[task])))
        state.bound(ring, visible=lambda get: get(save.status_for(task)).is_busy)
        return ft.Row([box, ring], height=32)

    def known(get: fa.Get) -> list[str]:
        return [task for task in get(TASKS) if get(DONE[task]) is not None]

    rows = ft.Column(spacing=4)
    state.bind_list(known, rows, build)
    field = ft.TextField(label="New task", expand=True, on_submit=add)
    button = ft.FilledButton("Add", on_click=add)
    controls: list[ft.Control] = [
        ft.Text("To do", size=30),
        ft.Row([state.bound(field, value=fa.two_way(DRAFT)), button]),
        rows,
        state.bound(ft.Text(color=ft.Colors.RED), value=problem),
    ]
    return ft.Column(controls, tight=True, spacing=20)


def main(page: ft.Page) -> None:
    page.add(ft.Container(todo(fa.get_state_manager(page)), width=350, padding=14))


if __name__ == "__main__":
    ft.run(main)
