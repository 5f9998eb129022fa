"""What a store never does: run what is data, show one session to another, tell a client what it was not shown."""

from __future__ import annotations

import ast
import asyncio
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flet as ft
import pytest

import flet_asp_actors as fa
from flet_asp_actors.testing import HeadlessApp, virtual_backend
from tests.kit.apps import store

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "flet_asp_actors"
SESSIONS = 50


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return virtual_backend()


# ------------------------------------------------------------------ nothing is run that is data

MODULES = {
    *("pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "yaml", "jsonpickle"),
    *("code", "codeop", "runpy", "subprocess", "ctypes", "pty", "imp", "pkgutil", "zipimport"),
}
"""Whoever imports one of these is about to make code of data, or to run a program."""

CALLS = {"eval", "exec", "compile", "__import__", "import_module", "system", "popen", "execv", "spawnv", "fork"}
"""Names of what makes code of a text, imports by name, or runs a program."""

ALLOWED = {
    ("testing/__init__.py", "import_module"): "the parts of the kit, by a table in that file",
    ("testing/headless.py", "import_module"): "two modules without types, named where they are imported",
    ("testing/exploring.py", "import_module"): "trio, if a test asks for it",
}


def suspicious(path: Path) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((each.name, node) for each in node.names if each.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield node.module or "", node
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in CALLS and not (isinstance(node.func, ast.Attribute) and ast.unparse(node.func) == "re.compile"):
                yield name, node


def test_nothing_in_the_package_runs_or_imports_what_is_data() -> None:
    found = {
        (path.relative_to(PACKAGE).as_posix(), name): node
        for path in sorted(PACKAGE.rglob("*.py"))
        for name, node in suspicious(path)
    }
    assert set(found) == set(ALLOWED), "each of them is to be explained, and none that is gone"


def test_the_look_for_it_would_find_it(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import pickle\nfrom marshal import loads\neval('1')\nbuiltins.exec('1')\nos.system('ls')\n"
        "importlib.import_module(name)\nre.compile('x')\n",
        encoding="utf-8",
    )
    assert [name for name, _ in suspicious(program)] == [
        "pickle",
        "marshal",
        "eval",
        "exec",
        "system",
        "import_module",
    ]


class Poison:
    """What runs code when it is unpickled, and says so when it is pickled."""

    def __reduce__(self) -> Any:
        raise AssertionError("somebody has pickled a value")

    def __deepcopy__(self, _: object) -> Poison:
        return Poison()


async def test_no_value_is_ever_pickled() -> None:
    key: fa.Key[Any] = fa.Key("value", Poison())
    async with fa.StateManager() as state:
        state.set(key, Poison())
        snapshot = state.snapshot()
        await state.restore(snapshot)
        async with state.transaction() as tx:
            tx.set(key, Poison())
        state.reset(key)
        assert isinstance(state.get(key), Poison)


def test_at_run_time_there_are_two_dependencies() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [listed] = re.findall(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^ *\"([\w-]+)", listed, re.MULTILINE) == ["flet", "anyio"]
    assert "scripts]" not in project, "nothing is put into the path"


# ------------------------------------------------------------------ each session for itself

SECRET = fa.Key("secret", "")
NOTES = fa.Key[list[str]]("notes", factory=list)
SHARED_BY_MISTAKE = fa.Key("default", {"mutable": ["defaults"]})


@fa.selector
def shouted(get: fa.Get) -> str:
    return get(SECRET).upper()


@fa.selector
async def fetched(get: fa.Get) -> str:
    secret = get(SECRET)
    await asyncio.sleep(0.1)
    return f"fetched {secret}"


@fa.family(max_size=3)
def letter(get: fa.Get, place: int) -> str:
    return get(SECRET)[place : place + 1]


@fa.action(policy="sequential")
async def learn(get: fa.Get, set: fa.Set, secret: str) -> str:
    async with set.optimistic(SECRET, f"{secret}!"):
        await asyncio.sleep(0.05)
    set(SECRET, secret)
    set.mutate(NOTES, lambda notes: notes.append(secret))
    set.mutate(SHARED_BY_MISTAKE, lambda value: value["mutable"].append(secret))
    await asyncio.sleep(0.05)
    return f"learned {secret}"


def session(page: ft.Page) -> None:
    state = fa.get_state_manager(page)
    go = state.action(learn)
    page.add(
        state.bound(ft.TextField(), value=fa.two_way(SECRET)),
        state.bound(ft.Text(), value=shouted),
        state.bound(ft.Text(), value=lambda get: get(fetched) or ""),
        state.bound(ft.Text(), value=lambda get: str(get(go.status).value)),
        state.bound(ft.Text(), value=lambda get: " ".join(get(NOTES))),
        state.bound(ft.Text(), value=lambda get: "".join(get(letter(place)) for place in range(5))),
        ft.Button("Learn", on_click=lambda: go(f"{state.get(SECRET)}x")),
    )


def said(app: HeadlessApp) -> str:
    """All that the client was sent."""
    return " ".join(repr(frame.body) for frame in app.frames)


@pytest.mark.parametrize("seed", range(3))
async def test_fifty_sessions_at_once_see_nothing_of_each_other(seed: int) -> None:
    chance = random.Random(seed)
    secrets = [f"s{number:02}e{chance.randrange(10**6):06}" for number in range(SESSIONS)]

    async def live(number: int) -> tuple[str, str]:
        secret = secrets[number]
        await asyncio.sleep(chance.random())
        async with HeadlessApp(session) as app:
            state = store(app)
            for _ in range(6):
                deed = chance.randrange(6)
                if deed == 0:
                    await app.type(app.one("TextField"), secret)
                elif deed == 1:
                    await app.click("Learn")
                elif deed == 2:
                    await state.action(learn)(secret)
                elif deed == 3:
                    await asyncio.to_thread(lambda: state.set(SECRET, secret).wait(30))
                elif deed == 4:
                    await app.disconnect()
                    state.set(SECRET, f"{secret}y")
                    await asyncio.sleep(chance.random() / 10)
                    await app.reconnect()
                else:
                    state.clear()
                await asyncio.sleep(chance.random() / 5)
            await state.settled()
            await app.type(app.one("TextField"), secret)
            await asyncio.sleep(1)
            await app.settle()
            assert app.texts()[:2] == [secret.upper(), f"fetched {secret}"]
            assert app.mirror_diff() == []
            held = repr([state.get(key) for key in (SECRET, NOTES, SHARED_BY_MISTAKE)])
            return said(app), held

    lives = await asyncio.gather(*map(live, range(SESSIONS)))
    for number, texts in enumerate(lives):
        own = secrets[number]
        for text in texts:
            assert own.lower() in text.lower()
            others = [each for each in secrets if each != own and each.lower() in text.lower()]
            assert others == []
    assert fa.StateManager().get(SHARED_BY_MISTAKE) == {"mutable": ["defaults"]}


# ------------------------------------------------------------------ what an error says

HIDDEN = fa.Key("hidden", "hunter2")
TOKENS = fa.Key("token", "abracadabra")
COUNT = fa.Key("count", 1)
AGE = fa.Key("age", 0)


@fa.selector
def divided(get: fa.Get) -> float:
    return len(get(HIDDEN)) / get(COUNT) / len(get(TOKENS[1]))


@fa.action
async def fail(get: fa.Get, set: fa.Set) -> None:
    get(HIDDEN)
    raise ValueError("The server says no")


MISTAKES: list[Callable[[Any], object]] = [
    lambda s: s.get("passphrasee"),
    lambda s: s.get(["passphrase"]),
    lambda s: s.set(divided, 1),
    lambda s: s.update(AGE, 5),
    lambda s: s.mutate(AGE, print),
    lambda s: s.add_selector("passphrase", shouted),
    lambda s: s.bind("passphrasee", ft.Text()),
    lambda s: s.bound(ft.Text(), valeu=HIDDEN),
    lambda s: s.bound(ft.TextField(), value=fa.two_way(AGE)),
    lambda s: s.get(fa.selector(lambda get: s.set(HIDDEN, "x"))),
    lambda s: s.action(fail)(1, 2, 3),
    lambda s: s.set(COUNT, 0),
]


def careful(page: ft.Page) -> None:
    """Errors of all kinds, each shown to the client in the way that there is for that."""
    state = fa.get_state_manager(page)
    state.atom("passphrase", "open sesame")
    state.set(HIDDEN, "hunter2")
    state.set(TOKENS[1], "abracadabra")
    messages = fa.Key("messages", "")

    def show(failure: fa.Failure) -> None:
        state.update(messages, lambda text: f"{text}\n{failure}")

    def attempt(mistake: Callable[[Any], object]) -> None:
        try:
            mistake(state)
        except Exception as error:
            text = str(error)
            state.update(messages, lambda before: f"{before}\n{text}")

    async def conflict() -> None:
        try:
            async with state.transaction() as tx:
                tx.update(HIDDEN, lambda value: value)
                state.set(HIDDEN, "hunter2 ")
        except fa.ConflictError as error:
            text = str(error)
            state.update(messages, lambda before: f"{before}\n{text}")

    state.on_error = show

    def attempt_all() -> None:
        for mistake in MISTAKES:
            attempt(mistake)

    go = state.action(fail)
    page.add(
        state.bound(ft.Text(), value=messages),
        state.bound(ft.Text(), value=lambda get: get(go.status).message),
        state.bound(ft.Text(), value=lambda get: str(get(divided))),
        state.bound(ft.TextField(label="Age"), value=fa.two_way(AGE, parse=int)),
        ft.Button("Fail", on_click=go),
        ft.Button("Conflict", on_click=conflict),
        ft.Button("Go", on_click=attempt_all),
        ft.Button("Crash", on_click=lambda: state.get("passphrasee")),
    )


async def test_no_error_tells_the_client_what_another_key_holds() -> None:
    async with HeadlessApp(careful, allow_crash=True) as app:
        for button in ("Go", "Fail", "Conflict"):
            await app.click(button)
            await app.settle()
        await app.type(app.one("TextField"), "old")
        await app.settle()
        told = "\n".join(app.texts())
        for words in (
            "'passphrasee' is not declared",
            "is a selector, and its value is computed",
            "update takes a function of the value",
            "'passphrase' is already an atom",
            "Text has no property 'valeu'",
            "and a selector only reads",
            "division by zero",
            "was written by somebody else",
            "The server says no",
        ):
            assert words in told
        await app.click("Crash")
        await app.settle()
        text = said(app)
        assert "invalid literal for int() with base 10: 'old'" in text
        for secret in ("hunter2", "abracadabra", "open sesame"):
            assert secret not in text
