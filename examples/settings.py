"""Settings: what can be set and what it does, and what is accepted because there is no need for it any more."""

import asyncio

import flet as ft

import flet_asp_actors as fa
from flet_asp_actors.atom import Atom

FPS = fa.Key("fps", ("60",))  # what is chosen, of which there is one
WRITTEN = fa.Key("written", 0)
FRAMES = fa.Key("frames", "")

NO_RETRY = "Accepted, without effect: a value is assigned at once, on the page or not, so nothing is tried again"
SETTINGS = (  # what it is, whether it has an effect, and which
    (f"Atom.ENABLE_FREE_THREADING = {Atom.ENABLE_FREE_THREADING}", True, "Whether in_thread selectors may overlap"),
    (f"Atom.MAX_PARALLEL_BINDS = {Atom.MAX_PARALLEL_BINDS}", True, "How many in_thread selectors at a time"),
    (f"Atom.MAX_RETRY_ATTEMPTS = {Atom.MAX_RETRY_ATTEMPTS}", False, NO_RETRY),
    (f"Atom.RETRY_BASE_DELAY = {Atom.RETRY_BASE_DELAY}", False, NO_RETRY),
    ("get_state_manager(page, max_fps=60)", True, "How many frames a second changes may cause: try it above"),
    ("get_state_manager(page, auto_update=True)", True, "False: a handler that changes state costs what it changes"),
    ('get_state_manager(page, on_disconnect="keep")', True, '"pause" or "cancel": what rests while nobody looks'),
    ("get_state_manager(page, grace=3)", True, 'How many seconds "cancel" waits for a reload'),
    ("StateManager(overrides={key: value})", True, "Values and functions in place of those defined: for tests"),
    ("state.on_error = callback", True, "Gets every error that nobody awaits; else they are logged"),
)


async def a_moment() -> None:
    await asyncio.sleep(0.01)


@fa.action(policy="droppable")
async def write(get: fa.Get, set: fa.Set) -> None:
    before = fa.current().statistics().frames
    for number in range(1, 101):
        set(WRITTEN, number)
        await a_moment()
    set(FRAMES, f"100 values, in {fa.current().statistics().frames - before} frames")


def tile(name: str, has_effect: bool, why: str) -> ft.Control:
    icon, color = (ft.Icons.TUNE, ft.Colors.PRIMARY) if has_effect else (ft.Icons.DO_NOT_DISTURB_ON, ft.Colors.OUTLINE)
    return ft.ListTile(leading=ft.Icon(icon, color), title=name, subtitle=why, content_padding=0)


def main(page: ft.Page) -> None:
    page.title, page.padding, page.spacing, page.scroll = "Settings", 24, 16, ft.ScrollMode.AUTO
    state = fa.get_state_manager(page)
    state.listen(FPS, lambda fps: fa.get_state_manager(page, max_fps=float(fps[0])))
    segments = [ft.Segment(value=fps, label=f"{fps} fps") for fps in ("5", "20", "60")]
    choice = state.bound(ft.SegmentedButton(segments), selected=fa.two_way(FPS))
    go = ft.FilledButton("Write 100 values", on_click=state.action(write))
    bar: list[ft.Control] = [choice, go, state.bound(ft.Text(), value=WRITTEN), state.bound(ft.Text(), value=FRAMES)]
    heading = ft.Text("Settings", theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM)
    page.add(heading, ft.Row(bar, wrap=True, spacing=16), ft.Column([tile(*each) for each in SETTINGS], spacing=0))


if __name__ == "__main__":
    ft.run(main)
