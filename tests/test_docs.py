"""The documentation: every program in it runs, every command and every link is good, and no public name is missing."""

from __future__ import annotations

import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import flet_asp_actors as fa
import flet_asp_actors.testing as fa_testing
from flet_asp_actors.testing import HeadlessApp, plugin, virtual_backend
from tests.kit.guides import GUIDES, PAGES, ROOT, commands, headings, links, program, prose, sources, text_of

PROGRAMS = [(page, number) for page in PAGES for number in range(len(sources(page)))]
WRITTEN = [guide for guide in GUIDES if guide not in ("docs/index.md", "docs/changelog.md")]


@pytest.fixture
def anyio_backend() -> object:
    return virtual_backend()


# ------------------------------------------------------------------ programs


@pytest.mark.parametrize(("page", "number"), PROGRAMS)
async def test_every_program_runs(page: str, number: int) -> None:
    names = program(page, number)
    main = names.get("main")
    if main is None or "page" not in inspect.signature(main).parameters:
        return  # its flow is in the test of its guide
    async with HeadlessApp(main) as app:
        await app.settle()
        assert app.client.nodes
        assert app.mirror_diff() == []
    for store in [value for value in names.values() if isinstance(value, fa.StateManager)]:
        await store.aclose()


def test_every_program_can_be_started() -> None:
    for page, number in PROGRAMS:
        text = sources(page)[number]
        is_program = re.search(r"^(?:async )?def main\(", text, re.MULTILINE)
        assert ("def test_" in text) or not is_program or 'if __name__ == "__main__":' in text, (page, number + 1)


def test_every_program_is_typed(tmp_path: Path) -> None:
    for page, number in PROGRAMS:
        name = re.sub(r"\W", "_", page.removesuffix(".md"))
        (tmp_path / f"{name}_{number + 1}.py").write_text(sources(page)[number], encoding="utf-8")
    config = str(ROOT / "pyproject.toml")
    command = [sys.executable, "-m", "mypy", "--config-file", config, *map(str, tmp_path.iterdir())]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("guide", WRITTEN)
def test_every_guide_begins_with_what_its_reader_can_do_after_it(guide: str) -> None:
    title, first = text_of(guide).split("\n\n")[:2]
    assert re.fullmatch(r"# [A-Z].+", title)
    assert re.search(r"\byou\b|\byour\b", first)


def test_code_is_marked_as_what_it_is() -> None:
    for page in PAGES:
        kinds = set(re.findall(r"^```(\S*)$", text_of(page), re.MULTILINE)) - {""}
        old = {"py"} if page == "docs/migrating.md" else set[str]()  # flet-asp's code, which cannot run
        assert not {kind for kind in kinds if kind.startswith("py")} - {"python", *old}, page


def test_every_program_of_flet_asp_has_its_place() -> None:
    """Thirteen programs in its README, and nineteen examples, two of which have a second form."""
    found = re.findall(r"^\| ([\dR.]+) [^|]+\| .*\.\./examples/.*\| .+ \|$", text_of("docs/programs.md"), re.MULTILINE)
    examples = [*range(2, 12), 11.1, *range(12, 18)]
    assert found == [*(f"R{n}" for n in range(1, 14)), "1.0", "1.1", *map(str, examples)]


# ------------------------------------------------------------------ commands


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))


def test_every_command_is_there() -> None:
    project = text_of("pyproject.toml").partition("[dependency-groups]")[0]
    found = [(page, command) for page in PAGES for command in commands(page)]
    assert len(found) > 10
    for page, command in found:
        words = [word.strip("\"'") for word in command.split()]
        if words[0] == "make":
            assert words[1] in targets(), (page, command)
        elif words[:2] == ["python", "-m"]:
            module = words[2].replace("NAME", "counter")
            assert importlib.util.find_spec(module) is not None, (page, command)
        else:
            assert words[:2] == ["pip", "install"], (page, command)
            name, _, extra = words[2].rstrip("]").partition("[")
            assert f'\nname = "{name}"' in project, (page, command)
            assert not extra or f"\n{extra} = [" in project, (page, command)


# ------------------------------------------------------------------ links


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_is_good(page: str) -> None:
    for link in links(page):
        if urlsplit(link).scheme:
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in headings(str(target.resolve().relative_to(ROOT))), f"{page}: {link}"


def test_the_links_to_elsewhere_are_these() -> None:
    elsewhere = {link for page in PAGES for link in links(page) if urlsplit(link).scheme}
    assert {urlsplit(link).netloc for link in elsewhere} == {"flet.dev", "keepachangelog.com", "semver.org"}
    assert all(urlsplit(link).scheme == "https" for link in elsewhere)


# ------------------------------------------------------------------ the API reference

DIRECTIVE = re.compile(r"^\.\. (?:auto(class|function|method|property|attribute|exception)|py:(data)):: ([\w.]+)", re.M)
MEMBERS = re.compile(r"^\.\. autoclass:: (\w+).*\n   :members: (.+)$", re.MULTILINE)
INNER = {
    "adopt", "bound_actions", "cancel_runs", "cancel_runs_of", "capture_context", "elsewhere", "find", "fresh_context",
    "give_up", "hold", "initial", "is_here", "later", "leave_page", "let_visitors_go", "look_after_home", "missing",
    "on_home", "on_session", "origin", "post_all", "report", "settle_home", "spawn", "take_home", "visitor",
    "watchers_of", "writable",
}  # fmt: skip
"""Methods of a store that are for the rings below, and for nobody else."""


def reference() -> dict[str, str]:
    """The API reference: its pages in one text each."""
    return {page: text_of(page) for page in PAGES if page.startswith("docs/api/")}


def documented() -> list[str]:
    return [match[3] for text in reference().values() for match in DIRECTIVE.finditer(text)]


@pytest.mark.parametrize("name", [*fa.__all__, *fa_testing.__all__, *plugin.__all__])
def test_every_public_name_is_in_the_reference_once(name: str) -> None:
    assert documented().count(name) == 1


def test_every_method_of_a_store_is_in_the_reference() -> None:
    public = {name for name in dir(fa.StateManager) if not name.startswith("_")}
    assert not INNER - public
    told = {name.removeprefix("StateManager.") for name in documented() if name.startswith("StateManager.")}
    assert told == (public - INNER) | {"on_error"}


def test_every_member_that_the_reference_names_is_there_and_documented() -> None:
    for text in reference().values():
        for kind, names in MEMBERS.findall(text):
            thing = getattr(fa, kind, None) or getattr(fa_testing, kind)
            for name in names.split(", "):
                member = inspect.getattr_static(thing, name, None)
                is_field = name in getattr(thing, "__annotations__", {}) or name in getattr(thing, "__slots__", ())
                assert is_field or inspect.getdoc(getattr(thing, name)), f"{kind}.{name}: {member!r}"


def test_the_guides_name_every_error() -> None:
    named = set(re.findall(r"^\| `(\w+)` \(`\w+`\)", prose("docs/errors.md"), re.MULTILINE))
    assert named == {name for name in fa.__all__ if name.endswith("Error")} - {"StateError"} | {"RunCancelled"}
    for name in named:
        builtin = re.search(rf"^\| `{name}` \(`(\w+)`\)", prose("docs/errors.md"), re.MULTILINE)
        assert builtin is not None
        assert builtin[1] in [each.__name__ for each in getattr(fa, name).__mro__]
