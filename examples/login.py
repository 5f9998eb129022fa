"""Login: a workflow that takes time, can be cancelled, runs out of time, and is started once."""

import asyncio

import flet as ft

import flet_asp_actors as fa

EMAIL = fa.Key("email", "")
PASSWORD = fa.Key("password", "")
USER = fa.Key("user", "")


class InvalidLogin(Exception):
    """The server does not know this e-mail and password."""


async def ask_server(email: str, password: str) -> str:
    await asyncio.sleep(60 if email.startswith("slow") else 2)
    if (email, password) != ("test@test.com", "123"):
        raise InvalidLogin("Login failed: wrong e-mail or password")
    return "Test User"


@fa.action(policy="droppable", timeout=5, expect=(InvalidLogin, TimeoutError))
async def login(get: fa.Get, set: fa.Set) -> None:
    set(USER, "")
    set(USER, await ask_server(get(EMAIL), get(PASSWORD)))


def login_form(state: fa.StateManager) -> ft.Control:
    go = state.action(login)

    def busy(get: fa.Get) -> bool:
        return get(go.status).is_busy

    buttons: list[ft.Control] = [
        state.bound(ft.FilledButton("Login", on_click=go), disabled=busy),
        state.bound(ft.OutlinedButton("Cancel", on_click=go.cancel), visible=busy),
        state.bound(ft.ProgressRing(width=20, height=20, semantics_label="Logging in"), visible=busy),
    ]
    rows: list[ft.Control] = [
        ft.Text("Login", size=30),
        state.bound(ft.TextField(label="E-mail"), value=fa.two_way(EMAIL)),
        state.bound(ft.TextField(label="Password", password=True), value=fa.two_way(PASSWORD)),
        ft.Row(buttons),
        state.bound(ft.Text("Logging in..."), visible=busy),
        state.bound(ft.Text(color=ft.Colors.RED), value=lambda get: get(go.status).message),
        state.bound(ft.Text(color=ft.Colors.GREEN), value=lambda get: get(USER) and f"Welcome, {get(USER)}!"),
    ]
    return ft.Column(rows, tight=True, spacing=20)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Login", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Container(login_form(fa.get_state_manager(page)), width=300))


if __name__ == "__main__":
    ft.run(main)
