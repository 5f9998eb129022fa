"""A film of a person at work with an app, as an animated GIF: what they type, point at and click, and what comes of it.

    film = Film(screen, 400, 300)
    film.type("E-mail", "test@test.com")
    film.click("Login")
    film.watch("Welcome!")
    film.save(path)

The time in it is that of its pictures, `PACE` a second; a slow machine makes the same film.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator

from tests.kit.browser import Role, Screen

PACE = 10
"""Pictures a second of what moves by itself."""
TYPING = 70  # milliseconds a letter
COLOURS = 256
TOO_LONG = 15 * PACE

_POINTER = """() => {
    const pointer = document.createElement("div");
    pointer.id = "pointer";
    pointer.style = "position: fixed; left: 0; top: 0; z-index: 9999; pointer-events: none; width: 24px; height: 24px";
    pointer.innerHTML = `<svg viewBox="0 0 24 24" width="24" height="24">
        <circle cx="4" cy="3" r="0" fill="#4450c4" opacity=".35"/>
        <path d="M4 3l6 16 2.6-6.4L19 10z" fill="#111" stroke="#fff" stroke-width="1.5"/></svg>`;
    pointer.firstChild.style.overflow = "visible";
    document.body.append(pointer);
}"""
_POINT = """([x, y, pressed]) => {
    const pointer = document.getElementById("pointer");
    pointer.style.transform = `translate(${x - 4}px, ${y - 3}px)`;
    pointer.querySelector("circle").setAttribute("r", pressed ? 16 : 0);
}"""


class Film:
    """Takes pictures of a screen while a person uses it."""

    def __init__(self, screen: Screen, x: float, y: float) -> None:
        self._screen = screen
        self._page = screen.page
        self._at = (x, y)
        self._pictures: list[Image.Image] = []
        self._times: list[int] = []  # milliseconds
        self._page.evaluate(_POINTER)
        self._page.evaluate(_POINT, [x, y, False])

    def hold(self, seconds: float) -> None:
        """Stay with what is on the screen."""
        self._shoot(int(seconds * 1000))

    def run(self, seconds: float) -> None:
        """Show what moves by itself."""
        for _ in range(int(seconds * PACE)):
            self._shoot()

    def watch(self, text: str, *, comes: bool = True) -> None:
        """Show what moves by itself until a text is there, or has gone."""
        place = self._page.get_by_text(text, exact=True).or_(self._page.get_by_label(text, exact=True))
        for _ in range(TOO_LONG):
            self._shoot()
            if bool(place.count()) == comes:
                return
        raise AssertionError(f"{text!r} does not {'come' if comes else 'go'}")

    def click(self, name: str, role: Role = "button") -> None:
        """Go to a button, or what else has this role and name, and click it."""
        self._go_to(self._page.get_by_role(role, name=name, exact=True))
        self._point(pressed=True)
        self._screen.click(name, role)
        self._shoot(120)
        self._point(pressed=False)
        self.run(0.2)

    def type(self, label: str, text: str) -> None:
        """Go to a field, and type a text into it."""
        self._go_to(self._screen.field(label))
        self._point(pressed=True)
        self._screen.field(label).focus()
        self._shoot(120)
        self._point(pressed=False)
        for end in range(1, len(text) + 1):
            if end > 1:
                self._page.keyboard.type(text[end - 1])
            if self._screen.field(label).input_value() != text[:end]:  # Flutter makes the field anew, now and then
                self._screen.type(label, text[:end])
                self._page.keyboard.press("End")
            self._shoot(TYPING)
        self.run(0.2)

    def save(self, path: Path) -> None:
        """Write it, with one palette for all its pictures."""
        steps = self._pictures[:: max(1, len(self._pictures) // 12)]
        width, height = steps[0].size
        sample = Image.new("RGB", (width, height * len(steps)))
        for number, picture in enumerate(steps):
            sample.paste(picture, (0, height * number))
        palette = sample.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
        first, *others = (each.quantize(palette=palette, dither=Image.Dither.NONE) for each in self._pictures)
        first.save(path, save_all=True, append_images=others, duration=self._times, loop=0, optimize=True)

    @property
    def seconds(self) -> float:
        return sum(self._times) / 1000

    def _shoot(self, milliseconds: int = 1000 // PACE) -> None:
        picture = Image.open(io.BytesIO(self._page.screenshot())).convert("RGB")
        if self._pictures and picture.tobytes() == self._pictures[-1].tobytes():
            self._times[-1] += milliseconds
        else:
            self._pictures.append(picture)
            self._times.append(milliseconds)

    def _go_to(self, target: Locator) -> None:
        box = target.bounding_box()
        assert box
        start, end = self._at, (box["x"] + min(box["width"] / 2, 120), box["y"] + box["height"] / 2)
        for step in range(1, 5):
            part = 1 - (1 - step / 4) ** 2  # it slows down
            self._at = (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)
            self._point(pressed=False)
            self._shoot(50)

    def _point(self, *, pressed: bool) -> None:
        self._page.mouse.move(*self._at)
        self._page.evaluate(_POINT, [*self._at, pressed])
