"""Sign in: a masked password, and a message that is state as the fields are."""

import flet as ft

import flet_asp_actors as fa

EMAIL = fa.Key("email", "")
PASSWORD = fa.Key("password", "")
MESSAGE = fa.Key("message", "")


def sign_in_form(state: fa.StateManager) -> ft.Control:
    def sign_in() -> None:
        email, password = state.get(EMAIL), state.get(PASSWORD)  # what was entered is there; no field is asked
        is_known = (email, password) == ("user@example.com", "123")
        state.set(MESSAGE, f"Welcome, {email}!" if is_known else "Invalid credentials")

    email = ft.TextField(label="Email", helper="user@example.com has the password 123")
    password = ft.TextField(label="Password", password=True, can_reveal_password=True, on_submit=sign_in)
    rows: list[ft.Control] = [
        ft.Text("Sign in", size=30),
        state.bound(email, value=fa.two_way(EMAIL)),
        state.bound(password, value=fa.two_way(PASSWORD)),
        ft.FilledButton("Login", on_click=sign_in),
        state.bound(ft.Text(size=16), value=MESSAGE),
    ]
    return ft.Column(rows, tight=True, spacing=16)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Sign in", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Container(sign_in_form(fa.get_state_manager(page)), width=300))


if __name__ == "__main__":
    ft.run(main)
