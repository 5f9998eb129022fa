"""What is in the gallery, in its order, and where each example's title, app and source are."""

import ast
import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]

GROUPS: dict[str, tuple[str, ...]] = {
    "First steps": (
        "counter",
        "counter_field",
        "names",
        "full_name",
        "echo",
    ),
    "Forms": (
        "form",
        "sign_in",
        "session",
    ),
    "Actions": (
        "login",
        "login_result",
        "login_email",
        "login_progress",
        "combined_login",
        "upload",
    ),
    "Async data": (
        "profiles",
        "users",
        "search",
        "prices",
    ),
    "Lists": (
        "todo",
        "tasks",
        "cart",
    ),
    "Navigation and stores": (
        "navigation",
        "screens",
        "global_state",
        "settings",
        "unit_tests",
    ),
    "Components": (
        "three_counters",
        "binding_orders",
        "components",
        "reactive",
        "performance",
        "send_button",
    ),
    "Design systems": (
        "theming",
        "dashboard",
    ),
    "Whole apps": ("showcase",),
}
"""The examples by group, each by its module; of a package, by the package."""


@dataclass(frozen=True)
class Example:
    name: str
    title: str
    sentence: str
    files: tuple[Path, ...]

    @property
    def main(self) -> Callable[..., Any]:
        """The app: what `ft.run` takes."""
        module = ".".join(self.files[0].relative_to(HOME.parent).with_suffix("").parts)
        return importlib.import_module(module).main  # type: ignore[no-any-return]  # a module's attribute


def example(name: str) -> Example:
    """Read what the gallery shows of an example; its module is not imported."""
    start = _file(name)
    if start is None:
        raise LookupError(f"There is neither examples/{name}.py nor examples/{name}/main.py")
    text = ast.get_docstring(_tree(start)) or ""
    title, colon, sentence = text.partition("\n\n")[0].replace("\n", " ").partition(": ")
    if not colon:
        raise LookupError(f"{start} has to begin with a docstring `Title: one sentence.`")
    return Example(name, title, sentence[:1].upper() + sentence[1:], tuple(_with_imports(start)))


def _file(name: str) -> Path | None:
    """The file of `cart` or `cart.goods`; of a package, its main."""
    place = HOME.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "main.py") if path.is_file()), None)


def _with_imports(start: Path) -> list[Path]:
    """A file, then those of the examples that it imports, and so on: all that there is to read."""
    found = [start]
    for path in found:  # it grows
        found += dict.fromkeys(each for each in _imported(path) if each not in found)
    others = [path for path in found[1:] if len(_tree(path).body) > 1]  # the rest is but a docstring
    return [start, *sorted(others, key=lambda path: (not path.is_relative_to(start.parent), path))]


def _imported(path: Path) -> Iterator[Path]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == HOME.name:
            for alias in node.names:
                place = HOME.parent.joinpath(*node.module.split("."))
                choices = (
                    (place / alias.name).with_suffix(".py"),
                    place / alias.name / "__init__.py",
                    place.with_suffix(".py"),
                    place / "__init__.py",
                )
                yield next(choice for choice in choices if choice.is_file())


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
