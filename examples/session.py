"""Session: log in, clear the fields, log out; `clear` puts back all that is shown, and the screen lives on."""

import asyncio

import flet as ft

import flet_asp_actors as fa

EMAIL = fa.Key("email", "")
USER = fa.Key("user", "")
NEWS = fa.Key("news", "")


async def do_a_tenth() -> None:
    await asyncio.sleep(0.1)


@fa.action(policy="droppable")
async def login(get: fa.Get, set: fa.Set) -> None:
    email = get(EMAIL).strip()
    if not email:
        set(NEWS, "E-mail cannot be empty")
        return
    for tenth in range(10):
        set(NEWS, f"Loading... {tenth}")
        await do_a_tenth()
    set(USER, email)
    set(NEWS, "Logged in")


def session(state: fa.StateManager) -> ft.Control:
    go = state.action(login)

    def reset() -> None:
        go.cancel()  # from here on it writes nothing any more
        state.reset(EMAIL)
        state.set(NEWS, "Fields cleared")

    buttons: list[ft.Control] = [
        state.bound(ft.FilledButton("Login", on_click=go), disabled=lambda get: get(go.status).is_busy),
        ft.OutlinedButton("Reset", on_click=reset),
        ft.OutlinedButton("Logout", on_click=state.clear),  # it ends a login under way, too
    ]
    rows: list[ft.Control] = [
        ft.Text("Session", size=30),
        state.bound(ft.TextField(label="E-mail", on_submit=go), value=fa.two_way(EMAIL)),
        ft.Row(buttons, spacing=8),
        state.bound(ft.Text(color=ft.Colors.PRIMARY), value=NEWS),
        state.bound(ft.Text(color=ft.Colors.GREEN_700), value=USER),
    ]
    return ft.Column(rows, tight=True, spacing=16)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Session", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Container(session(fa.get_state_manager(page)), width=300))


if __name__ == "__main__":
    ft.run(main)
