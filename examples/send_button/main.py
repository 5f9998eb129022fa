"""Send button: a plane that bobs, takes off and flies past clouds; state says where things are, Flet moves them."""

import flet as ft

import flet_asp_actors as fa
from examples.send_button.button import send_button
from examples.send_button.flight import BOB, DRIFT, SENT, bob, drift, send

SHOWN = fa.Key("shown", True)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.spacing = "Send button", 24, 24
    state = fa.get_state_manager(page)
    bobbing = state.service(while_watched=BOB)(bob)
    drifting = state.service(while_watched=DRIFT)(drift)
    button = send_button(state)

    def news(get: fa.Get) -> str:
        up = [name for name, service in (("bob", bobbing), ("drift", drifting)) if get(service.status).is_busy]
        return f"Services that run: {', '.join(up) or 'none'}"

    def sending(get: fa.Get) -> str:
        status = get(send.status)
        return f"Sending: {status.progress or 0:.0%}" if status.is_busy else f"Sent: {get(SENT)}"

    page.add(
        ft.Text("Send button", theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM),
        state.bound(ft.Row(height=60), controls=lambda get: [button] if get(SHOWN) else []),
        state.bound(ft.Text(), value=sending),
        state.bound(ft.Text(color=ft.Colors.ON_SURFACE_VARIANT), value=news),
        state.bound(ft.Switch(label="On the page"), value=fa.two_way(SHOWN)),
    )


if __name__ == "__main__":
    ft.run(main)
