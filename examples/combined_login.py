"""Combined login: a button that waits for the fields, a login that may fail, and a log of who came and went."""

import asyncio

import flet as ft

import flet_asp_actors as fa

EMAIL, PASSWORD, USER, LOG = fa.Key("email", ""), fa.Key("password", ""), fa.Key("user", ""), fa.Key("log", "")


async def ask_server(email: str, password: str) -> str:
    await asyncio.sleep(2)
    if password != "123":
        raise PermissionError(f"That is not the password of {email}")
    return email


@fa.selector
def is_complete(get: fa.Get) -> bool:
    return "@" in get(EMAIL) and bool(get(PASSWORD))


@fa.action(policy="droppable", timeout=10, expect=(PermissionError, TimeoutError))
async def login(get: fa.Get, set: fa.Set) -> None:
    set(USER, await ask_server(get(EMAIL), get(PASSWORD)))


def combined_login(state: fa.StateManager) -> list[ft.Control]:
    go = state.action(login)

    @state.effect
    def log_out(get: fa.Get) -> None:
        if not get(is_complete):
            go.reset()  # a login that is under way, too
            state.reset(USER)

    # The changes alone: that nobody was there at first is none.
    state.listen(USER, lambda who: state.update(LOG, lambda log: f"{log}User is {who or 'nobody'}\n"), immediate=False)
    wait = ft.Row([ft.ProgressRing(width=20, height=20, tooltip="Busy"), ft.TextButton("Cancel", on_click=go.cancel)])
    password = ft.TextField(label="Password", password=True, helper="It is 123")
    state.bound(password, value=fa.two_way(PASSWORD), error=lambda get: get(go.status).message or None)
    button = state.bound(ft.FilledButton("Login", on_click=go), visible=is_complete)
    return [
        ft.Text("Combined login", size=30),
        state.bound(ft.TextField(label="E-mail"), value=fa.two_way(EMAIL)),
        password,
        ft.Row([button, state.bound(wait, visible=lambda get: get(go.status).is_busy)], height=40),
        state.bound(ft.Text(color=ft.Colors.GREEN_700), value=lambda get: get(USER) and f"Welcome, {get(USER)}!"),
        state.bound(ft.Text(color=ft.Colors.ON_SURFACE_VARIANT), value=LOG),
    ]


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Combined login", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Column(combined_login(fa.get_state_manager(page)), width=300, spacing=16))


if __name__ == "__main__":
    ft.run(main)
