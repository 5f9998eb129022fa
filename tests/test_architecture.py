"""The house: each ring imports only rings before it, Flet in one of them, nothing too long."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "flet_asp_actors"
ORDER = [
    "errors",
    *(
        "core.calls",
        "core.values",
        "core.mailbox",
        "core.graph",
        "core.evaluate",
        "core.turn",
        "core.listeners",
        "core.inputs",
    ),
    *("deprecation", "utils", "door", "waiting", "receipt", "owner", "timer", "retry"),
    *(
        "key",
        "handle",
        "atom",
        "status",
        "async_value",
        "reading",
        "computation",
        "async_key",
        "async_outcome",
        "async_selector",
        "resolving",
        "selector",
        "family",
    ),
    *(
        "attention",
        "layers",
        "writing",
        "ending",
        "run",
        "lanes",
        "bound",
        "action",
        "watch",
        "row",
        "effect",
        "watching",
        "service",
        "supervisor",
    ),
    *("system.failure", "system.batch", "system.transaction", "system.snapshot", "system.supervision"),
    *("system.host", "system.root", "system.registry", "system.values", "system.declarations", "system.store"),
    *("ui.page", "ui.place", "ui.session", "ui.roots", "ui.frame", "ui.mount"),
    *("ui.controls", "ui.ears", "ui.binding", "ui.two_way", "ui.list_binding"),
    "state",
    "ui.hooks",
    *(
        "testing.places",
        "testing.yielding",
        "testing.schedule",
        "testing.clock",
        "testing.backends",
        "testing.exploring",
    ),
    *("testing.failures", "testing.quiet", "testing.recording", "testing.sweeping"),
    *("testing.headless", "testing.plugin"),
    *("migrate.rules", "migrate.flet_changes", "migrate.source", "migrate.meaning", "migrate.project"),
    *("migrate.finding", "migrate.of_names", "migrate.of_behaviour", "migrate.of_state"),
    *("migrate.report", "migrate.__main__"),
]
LOOPS = {"testing.schedule", "testing.clock", "testing.exploring", "testing.headless"}
"""The part of the test kit that is made of asyncio's own loops."""
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
}


def imports(path: Path, *, typing: bool = False) -> Iterator[str]:
    """The modules that a file imports: those of the package by their name in `ORDER`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not typing and id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if not node.level:
                yield node.module or ""
                continue
            base = path.relative_to(PACKAGE).parts[: -node.level]
            start = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            yield from ([start] if start in MODULES else [f"{start}.{alias.name}".strip(".") for alias in node.names])


def test_every_module_has_its_place() -> None:
    assert sorted(ORDER) == sorted(MODULES)


@pytest.mark.parametrize("name", ORDER)
def test_a_module_imports_only_what_comes_before_it(name: str) -> None:
    for imported in imports(MODULES[name]):
        if imported in MODULES:
            assert ORDER.index(imported) < ORDER.index(name), f"{name} imports {imported}"


@pytest.mark.parametrize("name", ORDER)
def test_who_may_import_what_from_outside(name: str) -> None:
    outside = {each.split(".")[0] for each in imports(MODULES[name])} - {"__future__"}
    assert ("flet" in outside) == (name.startswith("ui.") or name == "testing.headless"), (
        "Flet is imported in one ring, and by all of it"
    )
    if name.startswith("core.") or name == "errors":
        assert not outside & {"anyio", "asyncio", "trio", "sniffio", "contextvars"}, "the core knows no tasks"
    assert "trio" not in outside or name == "testing.backends"
    assert "asyncio" not in outside or name.startswith("ui.") or name in LOOPS, (
        "Flet's loop is asyncio's; nobody else's is"
    )
    assert "pytest" not in outside or name == "testing.plugin"


@pytest.mark.parametrize("name", ORDER)
def test_a_module_says_what_it_is_for(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    if name != "utils":  # where users of flet-asp import deep_equal from
        assert name.rsplit(".", 1)[-1] not in {"utils", "helpers", "common", "misc"}


@pytest.mark.parametrize("name", ORDER)
def test_nothing_is_done_in_an_assert(name: str) -> None:
    """Python leaves asserts out when it is told to optimize."""
    harmless = {"isinstance", "len", "get", "done"}
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assert):
            parts = list(ast.walk(node.test))
            assert not any(isinstance(each, (ast.NamedExpr, ast.Await)) for each in parts)
            called = [each.func for each in parts if isinstance(each, ast.Call)]
            assert {getattr(each, "id", getattr(each, "attr", "")) for each in called} <= harmless, ast.unparse(node)
