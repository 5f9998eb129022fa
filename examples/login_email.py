"""Login e-mail: the user is one value, and what is shown of it is derived: gone as soon as the user is."""

import asyncio
from typing import NamedTuple

import flet as ft

import flet_asp_actors as fa


class User(NamedTuple):
    email: str
    name: str


EMAIL, PASSWORD = fa.Key("email", ""), fa.Key("password", "")
USER = fa.Key[User | None]("user", None)


@fa.selector
def user_email(get: fa.Get) -> str:
    return user.email if (user := get(USER)) else ""


async def ask_server(email: str, password: str) -> User:
    await asyncio.sleep(1.5)
    if (email, password) != ("test@test.com", "123"):
        raise PermissionError("Invalid login")
    return User(email, "Test User")


@fa.action(policy="droppable", timeout=10, expect=(PermissionError, TimeoutError))
async def login(get: fa.Get, set: fa.Set) -> None:
    set(USER, None)
    set(USER, await ask_server(get(EMAIL), get(PASSWORD)))


def login_form(state: fa.StateManager) -> list[ft.Control]:
    go, status = state.action(login), login.status

    def color(get: fa.Get) -> ft.ColorValue:
        return ft.Colors.ERROR if get(status).error else ft.Colors.GREEN_700

    ring = state.bound(ft.ProgressRing(width=24, height=24, tooltip="Busy"), visible=lambda get: get(status).is_busy)
    return [
        ft.Text("Login e-mail", size=30),
        state.bound(ft.TextField(label="E-mail", helper="test@test.com has the password 123"), value=fa.two_way(EMAIL)),
        state.bound(ft.TextField(label="Password", password=True), value=fa.two_way(PASSWORD)),
        ft.Row([ft.FilledButton("Login", on_click=go), ring]),  # a second click is dropped
        state.bound(ft.Text(), value=lambda get: get(status).message or get(user_email), color=color),
    ]


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Login e-mail", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Column(login_form(fa.get_state_manager(page)), width=300, spacing=16))


if __name__ == "__main__":
    ft.run(main)
