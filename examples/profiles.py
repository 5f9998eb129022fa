"""Profiles: a selector that asks a server. The last click wins; what was asked before is cancelled."""

from dataclasses import dataclass

import flet as ft

import flet_asp_actors as fa
from examples import api


@dataclass(frozen=True)
class Profile:
    name: str = ""
    job: str = ""


WHO = fa.Key("who", "Alice")


@fa.selector(initial=Profile())
async def profile(get: fa.Get) -> Profile:
    return Profile(**await api.ask("GET", f"/profiles/{get(WHO)}"))


def profiles(state: fa.StateManager) -> ft.Control:
    def choice(name: str) -> ft.Control:
        def choose() -> None:
            state.set(WHO, name)
            state.refresh(profile)  # also if it was this one before: perhaps that failed

        button = ft.Button(name, on_click=choose)
        return state.bound(button, bgcolor=lambda get: ft.Colors.PRIMARY_CONTAINER if get(WHO) == name else None)

    def busy(get: fa.Get) -> bool:
        return get(profile.status).is_busy

    about: list[ft.Control] = [
        state.bound(ft.Text(size=20), value=lambda get: get(profile).name),
        state.bound(ft.Text(color=ft.Colors.OUTLINE), value=lambda get: get(profile).job),
    ]
    card: list[ft.Control] = [
        state.bound(ft.CircleAvatar(radius=32), content=lambda get: get(profile).name[:1]),
        state.bound(ft.Column(about, tight=True, spacing=4), opacity=lambda get: 0.4 if busy(get) else 1.0),
        state.bound(ft.ProgressRing(width=24, height=24, semantics_label="Asking"), visible=busy),
    ]
    rows: list[ft.Control] = [
        ft.Text("Profiles", size=30),
        ft.Row([choice(name) for name in ("Alice", "Bob", "Carol")]),
        ft.Container(ft.Row(card, spacing=20), height=100),
        state.bound(ft.Text(color=ft.Colors.RED), value=lambda get: get(profile.status).message),
    ]
    return ft.Column(rows, tight=True, spacing=20)


def main(page: ft.Page) -> None:
    page.add(ft.Container(profiles(fa.get_state_manager(page)), width=350, padding=14))


if __name__ == "__main__":
    ft.run(main)
