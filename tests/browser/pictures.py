"""`make pictures`: the pictures of the README and the film of the showcase, made anew in docs/pictures."""

from __future__ import annotations

import io
import os
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser

from tests.browser.film import Film
from tests.kit import browser
from tests.kit.browser import PAINT, ROOT, Screen, press
from tests.kit.gallery import serve_gallery

PLACE = ROOT / "docs" / "pictures"
TABS = ("Counter", "Form", "Names", "Login", "Profiles", "Search", "To do", "Prices", "Upload")


def main() -> None:
    path = browser.find_browser()
    assert path, "No browser: `apt-get install chromium`, or set CHROMIUM=/path/to/it."
    os.environ["EXAMPLES_MOOD"] = "0"  # the server is in a good one
    PLACE.mkdir(exist_ok=True)
    with serve_gallery() as (_, url), browser.launch(path) as chromium:
        gallery(chromium, url, "light")
        gallery(chromium, url, "dark")
        login(chromium, url)
        dashboard(chromium, url)
        showcase(chromium, url)
        film(chromium, url)


def gallery(chromium: Browser, url: str, scheme: Literal["dark", "light"]) -> None:
    with chromium.new_context(viewport={"width": 1280, "height": 880}, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{url}/#cart")
        app = page.frame_locator("#app iframe")
        app.locator("flutter-view").wait_for(state="attached")
        app.locator("#loading").wait_for(state="detached")
        app.locator("flt-semantics-placeholder").dispatch_event("click")
        for name in ("Add Laptop", "Add Mouse", "Add Mouse"):
            press(app.get_by_label(name, exact=True).locator("[role=button]"))
        app.get_by_text("Items: 3", exact=True).wait_for(state="attached")
        app.locator("body").evaluate(PAINT)
        save(page.screenshot(), f"gallery-{scheme}")


def login(chromium: Browser, url: str) -> None:
    screen = open_app(chromium, f"{url}/apps/login/", 400, 330)
    screen.type("Password", "123")
    screen.type("E-mail", "test@test.com")
    screen.click("Login")
    screen.see("Cancel")
    screen.field("E-mail").evaluate("field => field.setSelectionRange(99, 99)")  # or all of it is selected
    save(taken(screen), "login")


def dashboard(chromium: Browser, url: str) -> None:
    screen = open_app(chromium, f"{url}/apps/dashboard/", 1280, 800)
    screen.see("Overview")
    save(taken(screen), "dashboard-light")
    screen.press("Dark mode")
    screen.see("Light mode")
    save(taken(screen), "dashboard-dark")


def showcase(chromium: Browser, url: str) -> None:
    screen = open_app(chromium, f"{url}/apps/showcase/", 800, 700)
    screen.click(tab("Form"))
    screen.type("Name", "Jane Doe")
    screen.type("Age", "42")
    screen.type("E-mail", "jane")
    screen.see("An e-mail address has an @")
    save(taken(screen), "showcase")


def film(chromium: Browser, url: str) -> None:
    screen = open_app(chromium, f"{url}/apps/showcase/", 640, 590)
    screen.see("Increment")
    taken(screen)  # from here on all is painted
    shots = Film(screen, 400, 500)
    shots.hold(0.5)
    shots.click("Increment")
    shots.click(tab("Names"))
    shots.type("First name", "Jane")
    shots.click(tab("Login"))
    shots.type("Password", "123")
    shots.type("E-mail", "slow@test.com")  # its answer takes a minute
    shots.click("Login")
    shots.run(0.4)
    shots.click("Cancel")
    shots.type("E-mail", "test@test.com")
    shots.click("Login")
    shots.watch("Welcome, Test User!")
    shots.run(0.3)
    shots.hold(0.7)
    shots.click(tab("Search"))
    shots.type("City", "be")
    shots.watch("Bern")
    shots.hold(0.7)
    shots.click(tab("To do"))
    for task in ("Tea", "Cake"):
        shots.type("New task", task)
        shots.click("Add")
    shots.click("Tea", "checkbox")
    shots.watch("Saving Tea", comes=False)
    shots.hold(1.3)
    shots.save(PLACE / "showcase.gif")
    print(f"showcase.gif: {shots.seconds:.0f} s, {(PLACE / 'showcase.gif').stat().st_size // 1000} kB")


# ------------------------------------------------------------------ the camera


def open_app(chromium: Browser, url: str, width: int, height: int) -> Screen:
    context = chromium.new_context(viewport={"width": width, "height": height})
    return Screen(context.new_page(), url)


def tab(title: str) -> str:
    """The name of a destination of the showcase's rail."""
    return f"{title} Tab {TABS.index(title) + 1} of {len(TABS)}"


def taken(screen: Screen) -> bytes:
    screen.page.evaluate(PAINT)
    return screen.page.screenshot()


def save(picture: bytes, name: str) -> None:
    """Write it with a palette: a third of the size, and nobody sees it."""
    path = PLACE / f"{name}.png"
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
