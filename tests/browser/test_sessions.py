"""A session as a person knows it: reload, close, come back, go back and forward, lose the line."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import flet as ft
import pytest
from playwright.sync_api import Browser, expect

import flet_asp_actors as fa
from tests.kit.backstage import PATIENCE, Backstage
from tests.kit.browser import AppServer, Screen
from tests.kit.proxy import Proxy

COUNT = fa.Key("count", 0)
NAME = fa.Key("name", "")
ROUTE = fa.Key("route", "/")


def counter(page: ft.Page) -> None:
    state = fa.get_state_manager(page)
    page.add(
        state.bound(ft.Text(size=40), value=lambda get: f"count {get(COUNT)}"),
        ft.Button("Increment", on_click=lambda: state.update(COUNT, lambda n: n + 1)),
        state.bound(ft.TextField(label="Name"), value=fa.two_way(NAME)),
        state.bound(ft.Text(), value=lambda get: f"Hello, {get(NAME)}"),
    )


def use(screen: Screen) -> None:
    """Have something that can be lost."""
    screen.click("Increment")
    screen.click("Increment")
    screen.see("count 2")
    screen.type("Name", "Zoë")
    screen.see("Hello, Zoë")


def is_still_there(screen: Screen) -> None:
    screen.see("count 2")
    screen.see("Hello, Zoë")
    field = screen.field("Name")
    field.focus()
    expect(field).to_have_value("Zoë")
    screen.click("Increment")
    screen.see("count 3")


def test_a_reload_keeps_everything(open_app: Callable[[Backstage], Screen]) -> None:
    app = Backstage(counter)
    screen = open_app(app)
    use(screen)
    screen.reload()
    is_still_there(screen)
    screen.shot("session-reload")
    assert len(app.states) == 1  # main was not run again


def test_a_tab_that_was_closed_is_gone_and_another_begins_anew(
    servers: contextlib.ExitStack, chromium: Browser
) -> None:
    app = Backstage(counter)
    server = AppServer(app)
    servers.callback(server.stop)
    with contextlib.closing(chromium.new_context()) as context:
        first = Screen(context.new_page(), server.url)
        use(first)
        first.page.close()
        assert app.left.wait(PATIENCE)
        again = Screen(context.new_page(), server.url)
        again.see("count 0")
        assert app.ask(lambda: app.states[0].get(COUNT)) == 2  # until its time is over
        gone = app.states[0].statistics()
        assert gone.atoms
        app.expire()
        again.click("Increment")
        again.see("count 1")
    with pytest.raises(fa.ClosedError):
        app.ask(lambda: app.states[0].set(COUNT, 5))


def routed(page: ft.Page) -> None:
    """Pages by route, over one store."""
    state = fa.get_state_manager(page)

    async def to_settings() -> None:
        await page.push_route("/settings")

    def show() -> None:
        page.views.clear()
        page.views.append(
            ft.View(
                route="/",
                controls=[
                    ft.Text("Home"),
                    state.bound(ft.Text(), value=lambda get: f"count {get(COUNT)}"),
                    ft.Button("Increment", on_click=lambda: state.update(COUNT, lambda n: n + 1)),
                    ft.Button("To settings", on_click=to_settings),
                ],
            )
        )
        if page.route == "/settings":
            page.views.append(
                ft.View(
                    route="/settings",
                    controls=[
                        ft.Text("Settings"),
                        state.bound(ft.Text(), value=lambda get: f"still {get(COUNT)}"),
                        ft.Button("Add ten", on_click=lambda: state.update(COUNT, lambda n: n + 10)),
                    ],
                )
            )
        page.update()

    page.on_route_change = show
    show()


def test_back_and_forward_change_the_view_and_keep_the_state(open_app: Callable[[object], Screen]) -> None:
    screen = open_app(routed)
    screen.click("Increment")
    screen.see("count 1")
    screen.click("To settings")
    screen.see("Settings")
    screen.see("still 1")
    assert screen.page.url.endswith("/settings")
    screen.click("Add ten")
    screen.see("still 11")
    screen.page.go_back()
    screen.see("Home")
    screen.see("count 11")
    screen.see_not("Settings")
    screen.click("Increment")
    screen.see("count 12")
    screen.page.go_forward()
    screen.see("still 12")
    screen.shot("session-forward")
    screen.reload()
    screen.see("still 12")
    screen.click("Add ten")
    screen.see("still 22")


def test_a_line_that_was_cut_is_taken_up_again(
    servers: contextlib.ExitStack, open_url: Callable[[str], Screen]
) -> None:
    app = Backstage(counter)
    server = AppServer(app)
    servers.callback(server.stop)
    proxy = servers.enter_context(Proxy(server.url))
    screen = open_url(proxy.url)
    use(screen)
    proxy.cut()
    assert app.left.wait(PATIENCE)
    app.ask(lambda: app.state.set(COUNT, 7))  # nobody sees it now
    screen.see("count 7")  # the client comes back by itself
    screen.see("Hello, Zoë")
    screen.click("Increment")
    screen.see("count 8")
    assert len(app.states) == 1


def test_what_a_thread_writes_is_seen_in_an_idle_app(open_app: Callable[[Backstage], Screen]) -> None:
    app = Backstage(counter)
    screen = open_app(app)
    screen.see("count 0")
    thread = threading.Thread(target=lambda: app.state.set(COUNT, 5).wait(PATIENCE))
    thread.start()
    screen.see("count 5")
    thread.join()
