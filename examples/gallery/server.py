"""The gallery as a server: its page, every example as an app of its own, their sources, and the server they ask."""

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from html import escape
from importlib import import_module
from os.path import relpath
from pathlib import Path
from string import Template
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from examples.gallery.source import highlighted
from examples.gallery.table import GROUPS, Example, example
from examples.server import app as slow_server

PAGE = Path(__file__).with_name("page")
FORGET = 120
"""Seconds until the session of an app that was left ends. Who comes back to it in the gallery begins a new one."""
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""What Flet says with its own pages; said with this one too, the apps in it may draw in a thread of their own."""

flet_web: Any = import_module("flet_web.fastapi")  # it has no types


def gallery() -> FastAPI:
    """The whole gallery as an ASGI app. The examples find their server in it once `api.URL` says so."""
    groups = {group: [example(name) for name in names] for group, names in GROUPS.items()}
    examples = {each.name: each for group in groups.values() for each in group}
    page = Template((PAGE / "gallery.html").read_text(encoding="utf-8")).substitute(
        groups="\n".join(_sections(groups)), count=len(examples)
    )
    app = FastAPI(openapi_url=None, lifespan=_sessions)

    @app.get("/", response_class=HTMLResponse)
    def index() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]  # the decorator uses it
        return HTMLResponse(page, headers=ISOLATED)

    @app.get("/sources/{name}")
    def sources(name: str) -> list[dict[str, str]]:  # pyright: ignore[reportUnusedFunction]  # the same
        if name not in examples:
            raise HTTPException(404, "There is no such example")
        files = examples[name].files
        return [{"path": relpath(path, files[0].parent), "html": highlighted(path)} for path in files]

    for each in examples.values():
        served = flet_web.app(each.main, app_name=each.title, no_cdn=True, session_timeout_seconds=FORGET)
        app.mount(f"/apps/{each.name}", served)
    app.mount("/page", StaticFiles(directory=PAGE))
    app.mount("/server", slow_server)
    return app


@asynccontextmanager
async def _sessions(_app: FastAPI) -> AsyncGenerator[None, None]:
    """Ends the sessions whose time is over, for all the apps."""
    await flet_web.app_manager.start()
    try:
        yield
    finally:
        await flet_web.app_manager.shutdown()


def _sections(groups: dict[str, list[Example]]) -> Iterator[str]:
    for number, (group, examples) in enumerate(groups.items()):
        yield f'<section aria-labelledby="group-{number}"><h2 id="group-{number}">{escape(group)}</h2><ul>'
        for each in examples:
            sentence = re.sub("`(.+?)`", r"<code>\1</code>", escape(each.sentence))
            yield f'<li><a href="#{each.name}"><b>{escape(each.title)}</b><span>{sentence}</span></a></li>'
        yield "</ul></section>"
