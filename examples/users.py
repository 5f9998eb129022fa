"""User profile: an async selector says that it loads or why it failed, and never shows an answer that is too late."""

import asyncio

import flet as ft

import flet_asp_actors as fa

NAMES = ("Alice", "Bob", "Charlie")
WHO = fa.Key("who", 0)
IS_DOWN = fa.Key("is down", False)


async def fetch_email(name: str, is_down: bool) -> str:
    """Stand for a server, which takes three times as long to find Bob."""
    await asyncio.sleep(3 if name == "Bob" else 1)
    if is_down:
        raise ConnectionError("The server cannot be reached")
    return f"{name.lower()}@example.com"


@fa.selector(initial="")
async def user(get: fa.Get) -> str:
    name = NAMES[get(WHO)]
    return f"{name} ({await fetch_email(name, get.peek(IS_DOWN))})"  # peek: who turns the switch asks for nobody


@fa.selector
def line(get: fa.Get) -> str:
    status = get(user.status)
    return "Loading..." if status.is_busy else status.message or get(user)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.spacing = "User profile", 24, 16
    state = fa.get_state_manager(page)

    def failed(get: fa.Get) -> bool:
        return get(user.status).state == "failed"

    following = ft.FilledButton("Next User", on_click=lambda: state.update(WHO, lambda who: (who + 1) % len(NAMES)))
    retry = ft.OutlinedButton("Try again", icon=ft.Icons.REFRESH, on_click=lambda: state.refresh(user))
    ring = ft.ProgressRing(width=20, height=20, stroke_width=3, semantics_label="Asking the server")
    text = ft.Text(size=18, expand=True)
    card: list[ft.Control] = [
        state.bound(text, value=line, color=lambda get: ft.Colors.ERROR if failed(get) else None),
        state.bound(ring, visible=lambda get: get(user.status).is_busy),
    ]
    page.add(
        ft.Text("User profile", theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM),
        ft.Card(ft.Container(ft.Row(card, spacing=16), padding=24, width=420, height=80), semantic_container=False),
        ft.Row([following, state.bound(retry, visible=failed)], spacing=8),
        state.bound(ft.Switch(label="The server is down"), value=fa.two_way(IS_DOWN)),
    )


if __name__ == "__main__":
    ft.run(main)
