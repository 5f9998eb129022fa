"""Form: fields bound both ways, validation as selectors, a button that follows them."""

import flet as ft

import flet_asp_actors as fa

NAME = fa.Key("name", "")
AGE = fa.Key[int | None]("age", None)
MAIL = fa.Key("mail", "")
SENT = fa.Key("sent", "")


@fa.selector
def mail_error(get: fa.Get) -> str | None:
    mail = get(MAIL)
    return None if not mail or "@" in mail else "An e-mail address has an @"


@fa.selector
def complete(get: fa.Get) -> bool:
    return bool(get(NAME) and get(MAIL)) and get(AGE) is not None and get(mail_error) is None


def whole_number(text: str) -> int | None:
    if text and not text.isdecimal():
        raise ValueError("Digits only, please")
    return int(text) if text else None


def form(state: fa.StateManager) -> ft.Control:
    def send() -> None:
        state.set(SENT, f"Sent: {state.get(NAME)}, {state.get(AGE)}, {state.get(MAIL)}")

    return ft.Column(
        [
            ft.Text("Form", size=30),
            state.bound(ft.TextField(label="Name"), value=fa.two_way(NAME)),
            state.bound(ft.TextField(label="Age"), value=fa.two_way(AGE, parse=whole_number)),
            state.bound(ft.TextField(label="E-mail"), value=fa.two_way(MAIL), error=mail_error),
            state.bound(ft.FilledButton("Send", on_click=send), disabled=lambda get: not get(complete)),
            state.bound(ft.Text(), value=SENT),
        ],
        tight=True,
        spacing=20,
    )


def main(page: ft.Page) -> None:
    page.title, page.padding, page.horizontal_alignment = "Form", 24, ft.CrossAxisAlignment.CENTER
    page.add(ft.Container(form(fa.get_state_manager(page)), width=300))


if __name__ == "__main__":
    ft.run(main)
