"""A Flet app in a real browser: where the browser is, how an app is served to it, and what a person sees and does.

Flutter draws on a canvas; what can be found and clicked is the tree that it makes for
screen readers. Playwright drives a browser that is installed, and never downloads one.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Literal, TypeAlias

import flet as ft
import uvicorn
from flet.messaging import protocol
from playwright.sync_api import Browser, Locator, Page, WebSocket, expect, sync_playwright
from playwright.sync_api import TimeoutError as NotInTime

__all__ = ("PAINT", "SHOTS", "AppServer", "Screen", "find_browser", "launch", "press", "serve_script")

Role: TypeAlias = Literal["button", "checkbox", "link", "menuitem", "radio", "switch", "tab"]

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "tests" / "browser" / "shots"

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_FLAGS = (
    "--no-sandbox",  # it does not work as root, as in a container
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing may come from elsewhere
)
_BOOT = 60_000  # ms; a first start on a busy machine
_TRIES = 20
_HEARD = 500.0  # ms until a text that was entered must have gone to the server

expect.set_options(timeout=20_000)  # ms until what is waited for must be there, on a busy machine

PAINT = """() => new Promise(done => {
    let frames = 0;
    const next = () => ++frames < 30 ? requestAnimationFrame(next) : done();
    next();
})"""
"""Lets half a second of frames go by: Flutter paints behind its tree, and a ripple has to end."""

_CLICK = """element => {
    if (!element.isConnected || element.ariaDisabled === "true")
        return false;
    element.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, composed: true}));
    return true;
}"""

_msgpack: Any = importlib.import_module("msgpack")  # it has no types


# ------------------------------------------------------------------ the browser


def find_browser() -> str | None:
    """The path of an installed browser: what CHROMIUM says, or the first that is found."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@contextlib.contextmanager
def launch(path: str) -> Generator[Browser, None, None]:
    """Run a browser. Until it ends this thread has a running loop, and can run no other."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


# ------------------------------------------------------------------ the servers


class AppServer(uvicorn.Server):
    """Serves an app from a thread of this process, so that a test can look at both ends; `loop` is the thread's."""

    def __init__(self, main: Callable[[ft.Page], Any]) -> None:
        self.loop: asyncio.AbstractEventLoop
        # The default of ws= is a protocol that warns of its own end.
        app: Any = ft.run(main, export_asgi_app=True, no_cdn=True)
        super().__init__(uvicorn.Config(app, log_level="error", ws="websockets-sansio", timeout_graceful_shutdown=1))
        self._is_up = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._thread = threading.Thread(target=self.run, args=([self._socket],), name=f"server of {self.url}")
        self._thread.start()
        assert self._is_up.wait(30), "The server does not start."

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self._is_up.set()

    def stop(self) -> None:
        """End the server and its thread."""
        self.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "The server does not stop."


@contextlib.contextmanager
def serve_script(path: str | Path) -> Generator[str, None, None]:
    """Run a script that calls `ft.run`, as a program of its own; gives the address of its page."""
    script = ROOT / path
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    announced = "serving:"
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"} | {
        "FLET_FORCE_WEB_SERVER": "1",
        "FLET_WEB_NO_CDN": "1",
        "FLET_SERVER_IP": "127.0.0.1",
        "FLET_SERVER_PORT": str(port),
        "FLET_DISPLAY_URL_PREFIX": announced,  # it prints this, and its address, when it is up
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    said: list[str] = []
    told = threading.Event()

    def listen(program: subprocess.Popen[str]) -> None:
        for line in program.stdout or ():
            said.append(line)
            if line.startswith(announced):
                told.set()
        told.set()  # it has ended

    with subprocess.Popen(
        [sys.executable, str(script)],
        cwd=script.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        listener = threading.Thread(target=listen, args=(program,), name=f"output of {script.name}")
        listener.start()
        try:
            told.wait(60)
            if not any(line.startswith(announced) for line in said):
                raise RuntimeError(f"{script} does not serve:\n{''.join(said)}")
            yield f"http://127.0.0.1:{port}/"
        finally:
            program.terminate()
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
            listener.join()


# ------------------------------------------------------------------ the screen


def press(target: Locator) -> None:
    """Click what has been found, as soon as it is enabled: Flutter drops a click that comes before.

    A click with the mouse can hit what Flutter lays over it. This one arrives, unless Flutter
    has put another element in the place of the one that was found; then that one is clicked.
    """
    for _ in range(_TRIES):
        expect(target).to_be_enabled()
        if target.evaluate(_CLICK):
            return
    raise AssertionError(f"{target} does not stay where it is.")


class Screen:
    """An app in a browser tab, and the person before it.

    Args:
        page: The tab, for all that has no method here.
        url: The address of the app.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._socket: WebSocket | None = None
        page.on("websocket", self._connected)
        page.goto(url, wait_until="commit")
        self._boot()

    def click(self, name: str, role: Role = "button") -> None:
        """Click a button, or what else has this role and name, as soon as it is enabled."""
        press(self.page.get_by_role(role, name=name, exact=True))

    def press(self, tooltip: str) -> None:
        """Click an icon; what it is called is on what lies around its button."""
        press(self.page.get_by_label(tooltip, exact=True).get_by_role("button"))

    def button(self, name: str) -> Locator:
        """The button with these words."""
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, label: str) -> Locator:
        """The text field with this label."""
        return self.page.get_by_role("textbox", name=label, exact=True)

    def type(self, label: str, text: str) -> None:
        """Enter text in the field with this label, and wait until the server has been sent it.

        A field that has just got the focus loses what is entered before Flutter listens to
        it. Nothing on the page tells when it does, but the message to the server does.
        """
        field = self.field(label)
        field.focus()
        if field.input_value() == text:
            return
        for _ in range(_TRIES):
            assert self._socket is not None, "The page has no connection."
            try:
                with self._socket.expect_event("framesent", lambda raw: _says(raw, text), timeout=_HEARD):
                    field.fill(text)
                return
            except NotInTime:
                # It was lost: the browser has given the field the focus, and Flutter knows nothing of it.
                field.fill("" if text else " ")  # the same once more would be no change
                field.blur()
                self.page.evaluate(PAINT)
                field.focus()
                self.page.evaluate(PAINT)
        raise AssertionError(f"The field {label!r} does not take {text!r}; it has {field.input_value()!r}.")

    def see(self, text: str, *, exact: bool = True) -> None:
        """Wait until a text, or something with this label, is on the screen."""
        expect(self._text(text, exact).first).to_be_attached()

    def see_not(self, text: str, *, exact: bool = True) -> None:
        """Wait until a text is no longer on the screen."""
        expect(self._text(text, exact)).to_have_count(0)

    def see_in(self, label: str, text: str) -> None:
        """Wait until a field has this text; only one that has the focus tells."""
        self.field(label).focus()
        expect(self.field(label)).to_have_value(text)

    def shot(self, name: str) -> Path:
        """Take a picture of the screen, when what can be found on it has been painted as well."""
        path = SHOTS / f"{name}.png"
        self.page.evaluate(PAINT)
        self.page.screenshot(path=path)
        return path

    def reload(self) -> None:
        """Load the page anew; the session stays."""
        self.page.reload(wait_until="commit")
        self._boot()

    def _text(self, text: str, exact: bool) -> Locator:
        return self.page.get_by_text(text, exact=exact).or_(self.page.get_by_label(text, exact=exact))

    def _connected(self, socket: WebSocket) -> None:
        self._socket = socket

    def _boot(self) -> None:
        """Wait for Flutter's first frame, then have it make the tree for screen readers."""
        self.page.locator("flutter-view").wait_for(state="attached", timeout=_BOOT)
        self.page.wait_for_function("!document.getElementById('loading')", timeout=_BOOT)
        # The switch is one pixel outside of the screen: neither mouse nor keyboard reach it.
        self.page.locator("flt-semantics-placeholder").dispatch_event("click")
        self.page.locator("flt-semantics-host flt-semantics").first.wait_for(state="attached")


def _says(raw: object, text: str) -> bool:
    """Whether a message tells the server that a property has this value."""
    if not isinstance(raw, bytes) or raw[:1] != b"\0":
        return False
    action, body = _msgpack.unpackb(raw[1:], strict_map_key=False)
    return action == protocol.MessageAction.UPDATE_CONTROL_PROPS.value and text in body["props"].values()
