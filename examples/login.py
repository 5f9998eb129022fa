"""Login: a workflow that takes time, can be cancelled, runs out of time, and is started once."""

import asyncio

import flet as ft

import flet_asp_actors as fa

EMAIL = fa.Key("email", "")
PASSWORD = fa.Key("password", "")
USER = fa.Key[str | None]("user", None)


class InvalidLogin(Exception):
    """The server does not know this e-mail and password."""


async def ask_server(email: str, password: str) -> str:
    await asyncio.sleep(60 if email.startswith("slow") else 1)
    if (email, password) != ("test@test.com", "123"):
        raise InvalidLogin("Wrong e-mail or password")
    return "Test User"


@fa.action(policy="droppable", timeout=5, expect=(InvalidLogin,))
async def login(get: fa.Get, set: fa.Set) -> None:
    set(USER, None)
    set(USER, await ask_server(get(EMAIL), get(PASSWORD)))


@fa.selector
def greeting(get: fa.Get) -> str:
    return f"Welcome, {get(USER)}!" if get(USER) else ""


def login_form(state: fa.StateManager) -> ft.Control:
    go = state.action(login)

    def busy(get: fa.Get) -> bool:
        return get(go.status).is_busy

    buttons: list[ft.Control] = [
        state.bound(ft.Button("Login", on_click=go), disabled=busy),
        state.bound(ft.Button("Cancel", on_click=go.cancel), visible=busy),
        state.bound(ft.ProgressRing(width=20, height=20), visible=busy),
    ]
    return ft.Column(
        [
            ft.Text("Login", size=30),
            state.bound(ft.TextField(label="E-mail"), value=fa.two_way(EMAIL)),
            state.bound(ft.TextField(label="Password", password=True), value=fa.two_way(PASSWORD)),
            ft.Row(buttons),
            state.bound(ft.Text(color=ft.Colors.RED), value=lambda get: get(go.status).message),
            state.bound(ft.Text(color=ft.Colors.GREEN), value=greeting),
        ]
    )


def main(page: ft.Page) -> None:
    page.add(login_form(fa.get_state_manager(page)))


if __name__ == "__main__":
    ft.run(main)
