"""A table: columns that sort it, rows that stay when others come, and fewer columns where there is less room."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, molecules, tokens
from examples.dashboard.state.keys import QUERY, SORT
from examples.dashboard.state.screen import is_narrow

T = TypeVar("T")


@dataclass(frozen=True)
class Column(Generic[T]):
    title: str
    field: str
    cell: Callable[[fa.Row[T]], ft.Control]
    weight: int = 2
    only_wide: bool = False
    at_end: bool = False


def table(
    state: fa.StateManager,
    name: str,
    items: fa.Readable[tuple[T, ...]],
    id_of: Callable[[T], Any],
    columns: Sequence[Column[T]],
) -> ft.Control:
    def place(column: Column[T], content: ft.Control) -> ft.Control:
        side = ft.Alignment.CENTER_RIGHT if column.at_end else ft.Alignment.CENTER_LEFT
        box = ft.Container(content, expand=column.weight, alignment=side)
        return state.bound(box, visible=lambda get: not get(is_narrow)) if column.only_wide else box

    def head(column: Column[T]) -> ft.Control:
        if column.field:
            return place(column, molecules.sorter(state, SORT[name], column.title, column.field))
        return place(column, atoms.label(column.title))

    def row(item: fa.Row[T]) -> ft.Control:
        cells = [place(column, column.cell(item)) for column in columns]
        return ft.Column([atoms.line(), ft.Container(ft.Row(cells, spacing=tokens.S), height=52)], spacing=0)

    rows = ft.Column(spacing=0)
    state.bind_list(items, rows, row, item_key=id_of)
    heads = ft.Container(ft.Row([head(column) for column in columns], spacing=tokens.S), height=40)
    return ft.Column([heads, rows, molecules.nothing(state, items, QUERY)], spacing=0)
