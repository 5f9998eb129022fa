"""The head of a column: a press sorts by it, a second one the other way round."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, tokens
from examples.dashboard.state.keys import Sort


def sorter(state: fa.StateManager, key: fa.Key[Sort], title: str, field: str) -> ft.Control:
    def sort() -> None:
        state.update(key, lambda sort: Sort(field, sort == Sort(field, False)))

    def arrow(get: fa.Get) -> ft.IconData:
        return ft.Icons.ARROW_DOWNWARD if get(key).is_descending else ft.Icons.ARROW_UPWARD

    icon = ft.Icon(ft.Icons.ARROW_UPWARD, size=16)
    state.bound(icon, icon=arrow, visible=lambda get: get(key).field == field)
    words = ft.Row([atoms.label(title), icon], spacing=tokens.XS, tight=True)
    return ft.Container(words, on_click=sort, tooltip=f"Sort by {title}")


def nothing(state: fa.StateManager, items: fa.Readable[tuple[object, ...]], query: fa.Readable[str]) -> ft.Control:
    """What stands where nothing was found, and why."""

    def why(get: fa.Get) -> str:
        return f"Nothing found for “{get(query)}”" if get(query) else "Nothing found"

    words = ft.Container(state.bound(atoms.quiet(), value=why), padding=tokens.M)
    return state.bound(words, visible=lambda get: not get(items))
