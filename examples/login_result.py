"""Login result: a ring while the server thinks, then the e-mail in green, or what is wrong in red."""

import asyncio
from dataclasses import dataclass

import flet as ft

import flet_asp_actors as fa

EMAIL, PASSWORD = fa.Key("email", ""), fa.Key("password", "")


@dataclass(frozen=True)
class User:
    email: str


async def ask_server(email: str, password: str) -> User:
    await asyncio.sleep(1.5)
    if (email, password) != ("test@test.com", "123"):
        raise PermissionError("Invalid credentials")
    return User(email)


@fa.action(policy="droppable", timeout=10, expect=(PermissionError, TimeoutError))
async def login(get: fa.Get, set: fa.Set) -> User:
    return await ask_server(get(EMAIL), get(PASSWORD))  # it is the value of the status


def login_form(state: fa.StateManager) -> ft.Control:
    go = state.action(login)

    def busy(get: fa.Get) -> bool:
        return get(go.status).is_busy

    def outcome(get: fa.Get) -> str:
        status = get(go.status)
        return status.value.email if status.value else status.message

    def color(get: fa.Get) -> ft.ColorValue:
        return ft.Colors.ERROR if get(go.status).error else ft.Colors.GREEN_700

    ring = ft.ProgressRing(width=24, height=24, tooltip="Busy")
    rows: list[ft.Control] = [
        ft.Text("Login result", size=30),
        state.bound(ft.TextField(label="E-mail", helper="test@test.com has the password 123"), value=fa.two_way(EMAIL)),
        state.bound(ft.TextField(label="Password", password=True, on_submit=go), value=fa.two_way(PASSWORD)),
        ft.Row([state.bound(ft.FilledButton("Login", on_click=go), disabled=busy), state.bound(ring, visible=busy)]),
        state.bound(ft.Text(), value=outcome, color=color),
    ]
    return ft.Column(rows, tight=True, spacing=16)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Login result", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Container(login_form(fa.get_state_manager(page)), width=300))


if __name__ == "__main__":
    ft.run(main)
