"""The bell: how many notices are unread, and what they say."""

import flet as ft

import flet_asp_actors as fa
from examples.dashboard import tokens
from examples.dashboard.state.actions import open_notice, read_notices
from examples.dashboard.state.keys import NOTICES
from examples.dashboard.state.records import Notice
from examples.dashboard.state.screen import unread


def bell(state: fa.StateManager) -> ft.Control:
    def item(notice: Notice) -> ft.PopupMenuItem:
        dot = ft.Icon(ft.Icons.CIRCLE, size=8, color=ft.Colors.PRIMARY, opacity=0 if notice.is_read else 1)
        words = ft.Column(
            [ft.Text(notice.text), ft.Text(f"Order #{notice.number}", theme_style=tokens.SMALL, color=tokens.QUIET)],
            spacing=0,
            tight=True,
        )
        return ft.PopupMenuItem(
            ft.Row([dot, words], spacing=tokens.S), height=64, on_click=lambda: open_notice(state, notice.number)
        )

    def items(get: fa.Get) -> list[ft.PopupMenuItem]:
        all_read = ft.PopupMenuItem(
            "Mark all as read", icon=ft.Icons.DONE_ALL, on_click=lambda: read_notices(state), disabled=not get(unread)
        )
        return [*map(item, get(NOTICES)[:5]), ft.PopupMenuItem(), all_read]

    button = ft.PopupMenuButton(
        icon=ft.Icons.NOTIFICATIONS_OUTLINED,
        tooltip="Notifications",
        menu_position=ft.PopupMenuPosition.UNDER,
        shape=ft.RoundedRectangleBorder(radius=tokens.RADIUS),
    )
    return state.bound(button, items=items, badge=lambda get: str(get(unread)) if get(unread) else None)
