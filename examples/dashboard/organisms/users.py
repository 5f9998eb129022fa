"""The table of users, and whether each may come in."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import atoms, molecules
from examples.dashboard.organisms.table import Column, table
from examples.dashboard.state.found import found_users
from examples.dashboard.state.keys import IS_ACTIVE
from examples.dashboard.state.records import User


def users_table(state: fa.StateManager) -> ft.Control:
    def name(row: fa.Row[User]) -> ft.Control:
        return molecules.person(state, lambda get: get(row).name)

    def active(row: fa.Row[User]) -> ft.Control:
        switch = ft.Switch(tooltip=f"{row.value.name} is active")
        return state.bound(switch, value=fa.two_way(IS_ACTIVE[row.value.name]))

    columns: list[Column[User]] = [
        Column("Name", "name", name, 4),
        Column("E-mail", "mail", lambda row: atoms.one_line(atoms.quiet(row.value.mail)), 4, only_wide=True),
        Column("Role", "role", lambda row: atoms.body(row.value.role)),
        Column("Active", "", active, at_end=True),
    ]
    return table(state, "users", found_users, lambda user: user.name, columns)
