"""The button: each of its properties follows the state, and Flet moves them from one value to the next."""

import math

import flet as ft

import flet_asp_actors as fa
from examples.send_button.flight import BOB, DRIFT, HOVERED, is_flying, send

WIDTH, HEIGHT = 130, 45
EASE = ft.Animation(400, ft.AnimationCurve.EASE_IN_OUT)
PASS = ft.Animation(900, ft.AnimationCurve.LINEAR)
AT_ONCE = ft.Animation(1)  # none at all would be another widget, which begins where the next one is to end


def cloud(state: fa.StateManager, number: int, top: float, size: float) -> ft.Control:
    def is_back(get: fa.Get) -> bool:  # out of sight, where it begins anew
        return not get(is_flying) or (get(DRIFT) + number) % 3 == 0

    icon = ft.Icon(ft.Icons.CLOUD, size=size, top=top, color=ft.Colors.with_opacity(0.6, ft.Colors.ON_PRIMARY))
    return state.bound(
        icon,
        left=lambda get: WIDTH if is_back(get) else -size,
        animate_position=lambda get: AT_ONCE if is_back(get) else PASS,
    )


def send_button(state: fa.StateManager) -> ft.Control:
    go = state.action(send)
    plane = ft.Icon(ft.Icons.SEND, size=22, color=ft.Colors.ON_PRIMARY, animate_position=EASE)
    plane.animate_rotation = plane.animate_scale = EASE
    state.bound(
        plane,
        left=lambda get: (WIDTH - 22) / 2 if get(is_flying) else 20,
        top=lambda get: (HEIGHT - 22) / 2 + (0 if get(is_flying) else 2 * get(BOB)),
        rotate=lambda get: -math.pi / 4 if get(is_flying) else 0,
        scale=lambda get: 1.3 if get(is_flying) else 1,
    )
    text = ft.Text("Send", size=16, color=ft.Colors.ON_PRIMARY, top=11, animate_position=EASE)
    state.bound(text, left=lambda get: WIDTH + 20 if get(is_flying) else 58)
    bar = ft.ProgressBar(left=0, right=0, bottom=0, bar_height=4, color=ft.Colors.ON_PRIMARY)
    bar.bgcolor = ft.Colors.with_opacity(0.2, ft.Colors.ON_PRIMARY)
    state.bound(bar, value=lambda get: get(go.status).progress or 0, visible=lambda get: get(go.status).is_busy)
    return ft.Container(
        ft.Stack([cloud(state, 0, 6, 16), cloud(state, 1, 24, 12), plane, text, bar]),
        width=WIDTH,
        height=HEIGHT,
        border_radius=HEIGHT / 2,
        bgcolor=ft.Colors.PRIMARY,
        clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
        on_click=go,
        on_hover=lambda event: state.set(HOVERED, bool(event.data)),
    )
