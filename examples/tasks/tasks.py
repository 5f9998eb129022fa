"""The list of tasks, and what follows from it. None of it knows of a screen."""

import itertools
from dataclasses import dataclass, field

import flet_asp_actors as fa

_numbers = itertools.count()


@dataclass
class Task:
    """Something to do. It is edited in place; what it is known by is its number."""

    text: str
    done: bool = False
    number: int = field(default_factory=lambda: next(_numbers))


FILTERS = ("All", "Active", "Completed")
FILTER = fa.Key("filter", 0)
DRAFT = fa.Key("draft", "")
TASKS = fa.Key[list[Task]]("tasks", factory=list)


@fa.selector
def shown(get: fa.Get) -> list[Task]:
    wanted = (None, False, True)[get(FILTER)]
    return [task for task in get(TASKS) if wanted in (None, task.done)]


@fa.selector
def active(get: fa.Get) -> int:
    return sum(not task.done for task in get(TASKS))


@fa.action
def add(get: fa.Get, set: fa.Set) -> None:
    if text := get(DRAFT).strip():
        set.mutate(TASKS, lambda tasks: tasks.append(Task(text)))
        set.reset(DRAFT)


@fa.action
def change(get: fa.Get, set: fa.Set, task: Task, text: str, done: bool) -> None:
    task.text, task.done = text, done
    set(TASKS, get(TASKS))  # the same list: whoever has edited it in place says so, and all that follows is told


@fa.action
def remove(get: fa.Get, set: fa.Set, task: Task) -> None:
    set.mutate(TASKS, lambda tasks: tasks.remove(task))


@fa.action
def clear_completed(get: fa.Get, set: fa.Set) -> None:
    set.update(TASKS, lambda tasks: [task for task in tasks if not task.done])
