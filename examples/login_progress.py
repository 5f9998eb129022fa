"""Login progress: a login says how far it is, one line says how it stands, and the console hears who has come."""

import asyncio

import flet as ft

import flet_asp_actors as fa

EMAIL, PASSWORD, USER = fa.Key("email", ""), fa.Key("password", ""), fa.Key("user", "")


async def do_a_tenth() -> None:
    await asyncio.sleep(0.1)


@fa.action(policy="droppable", timeout=10, expect=(TimeoutError,))
async def login(get: fa.Get, set: fa.Set) -> None:
    entered = (get(EMAIL), get(PASSWORD))
    for tenth in range(10):
        set.progress(tenth / 10, f"Authenticating... {tenth}")
        await do_a_tenth()
    set(USER, entered[0] if entered == ("test@test.com", "123") else "")


@fa.selector
def news(get: fa.Get) -> str:
    status, user = get(login.status), get(USER)
    return status.progress_text or status.message or (f"Welcome, {user}!" if user else "User not authenticated.")


def report(user: str) -> None:
    print(f"Analytics: {user} has come" if user else "Analytics: the user has gone")


def login_form(state: fa.StateManager) -> ft.Control:
    go = state.action(login)
    state.listen(USER, report, immediate=False)  # the changes; that nobody was there at first is none

    def busy(get: fa.Get) -> bool:
        return get(go.status).is_busy

    rows: list[ft.Control] = [
        ft.Text("Login progress", size=30),
        state.bound(ft.TextField(label="E-mail", helper="test@test.com has the password 123"), value=fa.two_way(EMAIL)),
        state.bound(ft.TextField(label="Password", password=True), value=fa.two_way(PASSWORD)),
        state.bound(ft.FilledButton("Login", on_click=go), disabled=busy),
        state.bound(ft.ProgressBar(), value=lambda get: get(go.status).progress, visible=busy),
        state.bound(ft.Text(size=16), value=news),
    ]
    return ft.Column(rows, tight=True, spacing=16)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Login progress", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Container(login_form(fa.get_state_manager(page)), width=300))


if __name__ == "__main__":
    ft.run(main)
