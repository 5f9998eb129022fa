"""The gallery: all examples are in its table, their sources as they are; and it serves, and ends, as a program does."""

from __future__ import annotations

import ast
import asyncio
import html
import json
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from examples.gallery.source import highlighted
from examples.gallery.table import GROUPS, HOME, example
from tests.kit.gallery import COMMAND, serve_gallery
from tests.kit.guides import ROOT
from tests.kit.visitor import Visitor

NAMES = [name for group in GROUPS.values() for name in group]


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"debug": True}


# ------------------------------------------------------------------ the table


def programs() -> list[Path]:
    """The modules of the examples with an app in them."""

    def has_main(path: Path) -> bool:
        body = ast.parse(path.read_text(encoding="utf-8")).body
        return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "main" for node in body)

    return sorted(path for path in HOME.rglob("*.py") if has_main(path))


def test_every_program_is_in_the_gallery_once() -> None:
    there = [example(name).files[0] for name in NAMES]
    assert len(set(there)) == len(there)
    missing = [str(path.relative_to(HOME)) for path in programs() if path not in there]
    assert not missing, "each needs a line in examples/gallery/table.py"
    assert set(there) <= set(programs())


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_a_title_a_sentence_and_an_app(name: str) -> None:
    each = example(name)
    assert 3 <= len(each.title) <= 32, "it stands in the list in one line"
    assert each.sentence[0].isupper()
    assert each.sentence.endswith("."), each.sentence
    assert callable(each.main)


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_source_of_an_example_is_there(name: str) -> None:
    files = example(name).files
    assert len(set(files)) == len(files)
    if files[0].name == "main.py":
        parts = [path for path in files[0].parent.rglob("*.py") if len(ast.parse(path.read_bytes()).body) > 1]
        assert set(parts) <= set(files), "nothing imports it"
    for path in files:
        text = html.unescape(re.sub("<.*?>", "", highlighted(path)))
        assert text.split() == path.read_text(encoding="utf-8").split()
        assert text.strip("\n") == path.read_text(encoding="utf-8").strip("\n")


def test_what_an_example_imports_is_shown_beside_it() -> None:
    assert [path.name for path in example("search").files] == ["search.py", "api.py"]


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(LookupError, match=r"neither examples/nobody\.py nor examples/nobody/main\.py"):
        example("nobody")


# ------------------------------------------------------------------ the program


def fetch(url: str) -> tuple[str, dict[str, str]]:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode(), dict(answer.headers)


async def test_it_serves_the_page_the_apps_and_their_sources_and_ends_with_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serve_gallery() as (program, url):
        page, headers = fetch(url)
        assert re.findall(r'<a href="#([\w.]+)"', page) == NAMES
        assert "$" not in page
        assert "http://" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "https://" not in page
        assert headers["cross-origin-embedder-policy"] == "require-corp"

        files = json.loads(fetch(f"{url}/sources/tasks")[0])
        assert files[0]["path"] == "main.py"
        assert '<span class="nf">main</span>' in files[0]["html"]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetch(f"{url}/sources/nobody")

        for place in ("/apps/navigation/", "/apps/navigation/settings"):
            assert '<base href="/apps/navigation/">' in fetch(url + place)[0]

        visitor, other = Visitor(f"{url}/apps/counter/"), Visitor(f"{url}/apps/counter/")
        await visitor.come()
        await other.come()
        await visitor.until(lambda: "0" in visitor.screen.texts())
        await visitor.click("Increment")
        await visitor.until(lambda: "1" in visitor.screen.texts())
        await other.until(lambda: "0" in other.screen.texts())

        asking = Visitor(f"{url}/apps/profiles/")
        await asking.come()
        await asking.until(lambda: "Designs bridges" in asking.screen.texts())  # the server it asks is there as well
        await asking.click("Bob")
        listening = Visitor(f"{url}/apps/prices/")
        await listening.come()
        await listening.until(lambda: "Live" in listening.screen.texts())

        assert os.listdir(tmp_path), "where Flet has the pages that it serves"
        program.send_signal(signal.SIGINT)  # while they are there
        said, errors = program.communicate(timeout=30)
        assert not said
        assert all(line.startswith("feed has failed (") for line in errors.splitlines()), errors  # it tries again
        assert program.returncode == 0
        assert not os.listdir(tmp_path)
        for each in (visitor, other, asking, listening):
            await each.leave()


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            COMMAND, cwd=ROOT, env=os.environ | {"PORT": port}, capture_output=True, text=True, check=False, timeout=60
        )
    assert result.returncode == 1
    assert result.stderr.startswith(f"Port {port} cannot be had (")
    assert "Traceback" not in result.stderr


async def test_every_app_in_it_starts() -> None:
    async def visit(url: str) -> None:
        visitor = Visitor(url)
        await visitor.come()
        await visitor.until(lambda: bool(visitor.screen.texts()))
        await visitor.leave()

    with serve_gallery() as (_, url):
        await asyncio.gather(*(visit(f"{url}/apps/{name}/") for name in NAMES))
