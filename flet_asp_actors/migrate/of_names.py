"""Names and arguments of Flet's, and of flet-asp's modules: what they are called now."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .finding import Findings
from .flet_changes import ARGUMENTS, BUTTONS, ELSEWHERE, FUNCTION_MODULES, NAMES, POSITIONS
from .meaning import Meaning
from .source import Edit

__all__ = ("look_at_names",)

_SHADE = re.compile(r"(WHITE|BLACK)(\d\d)")
_BORDERS = {"NONE": "NoInputBorder()", "UNDERLINE": "UnderlineInputBorder()", "OUTLINE": "OutlineInputBorder()"}
_BORDER_ARGUMENTS = frozenset(
    {"border_color", "border_width", "border_radius", "focused_border_color", "focused_border_width"}
)
_FIRST = {"content": "text", "icon": "name", "label": "text"}
"""A first argument, and the name that it had."""
_RUN_ARGUMENTS = frozenset({"use_color_emoji"})


def look_at_names(meaning: Meaning, found: Findings) -> None:
    """Note what is imported, named and constructed otherwise now."""
    renames = _Renames(meaning)
    for node in meaning.nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            _import(meaning, found, node, renames)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            _name(meaning, found, node, renames)
        elif isinstance(node, ast.Call):
            made = meaning.made(node)
            if made is not None:
                _arguments(meaning, found, node, made)


# ---------------------------------------------------------------------- imports


class _Renames:
    """The names that are imported from Flet and have another name now, each with all its uses."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._edits: dict[ast.AST, list[Edit | None]] = {}
        for node in meaning.nodes:
            if isinstance(node, ast.ImportFrom) and node.module == "flet" and not node.level:
                for alias in node.names:
                    new = _renamed(alias.name)
                    if new is not None:
                        self._plan(node, alias, new)

    def of(self, node: ast.AST) -> list[Edit | None]:
        """What renames an imported name everywhere; it cannot be done without the import."""
        return self._edits.get(node, [None])

    def _plan(self, statement: ast.ImportFrom, alias: ast.alias, new: str) -> None:
        meaning, source = self._meaning, self._meaning.source
        uses = meaning.uses(alias, statement)
        edits: list[Edit | None] = [source.replace(source.start(alias), alias.name, new)]
        if uses is None or not new.isidentifier() or (alias.asname is None and not meaning.is_free(new)):
            edits = [None]
        for use in uses or []:
            if alias.asname is None:
                edits.append(source.rename(use, new))
            if alias.name in FUNCTION_MODULES:
                above = meaning.parents[use]
                if not isinstance(above, ast.Attribute) or above.attr not in FUNCTION_MODULES[alias.name][1]:
                    edits.append(None)
                elif alias.name == "alignment":
                    edits.append(source.rename(above, above.attr.upper()))
        if alias.name == "app":
            edits.extend(
                each
                for use in uses or []
                if isinstance(call := meaning.parents[use], ast.Call) and call.func is use
                for each in _run_arguments(meaning, call)
            )
        for each in (alias, *(uses or [])):
            self._edits[each] = edits


def _renamed(name: str) -> str | None:
    if name == "ElevatedButton":
        return "Button"
    if name == "app":
        return "run"
    if name in FUNCTION_MODULES:
        return FUNCTION_MODULES[name][0]
    return NAMES.get(name)


def _import(meaning: Meaning, found: Findings, node: ast.Import | ast.ImportFrom, renames: _Renames) -> None:
    source = meaning.source
    if isinstance(node, ast.Import):
        for alias in node.names:
            parts = alias.name.split(".")
            if parts[0] == "flet_asp":
                new = "flet_asp_actors" + alias.name[len("flet_asp") :]
                as_before = "" if alias.asname else " as flet_asp"
                written = source.replace(source.start(alias), alias.name, new + as_before)
                can = len(parts) == 1 or alias.asname is not None
                found.note(
                    "flet-asp-import", node, f"import {new} as {alias.asname or 'fa'}", edits=[written if can else None]
                )
            elif parts[:2] == ["flet", "core"] or parts[0] == "flet_core":
                found.note("flet-core-import", node, "import flet as ft")
        return
    module = node.module or ""
    if node.level:
        return
    start = source.start(node)
    at = source.text.find(module, start + len("from")) if module else start
    if module.split(".")[0] == "flet_asp":
        edit = source.replace(at, "flet_asp", "flet_asp_actors")
        new = f"from {module.replace('flet_asp', 'flet_asp_actors', 1)} import ..."
        found.note("flet-asp-import", node, new, edits=[edit])
    elif module.split(".")[:2] == ["flet", "core"] or module.split(".")[0] == "flet_core":
        can = all(alias.name[:1].isupper() and _renamed(alias.name) is None for alias in node.names)
        names = ", ".join(alias.name for alias in node.names)
        found.note(
            "flet-core-import",
            node,
            f"from flet import {names}",
            edits=[source.replace(at, module, "flet") if can else None],
        )
    elif module == "flet":
        for alias in node.names:
            if _renamed(alias.name) is not None and alias.name not in FUNCTION_MODULES:
                _gone(found, alias, alias.name, "", renames.of(alias))
            elif alias.name in FUNCTION_MODULES and None not in renames.of(alias):
                found.note(
                    "module-function",
                    alias,
                    f"from flet import {FUNCTION_MODULES[alias.name][0]}",
                    edits=renames.of(alias),
                )
            elif alias.name in ELSEWHERE:
                _gone(found, alias, alias.name, "", [None])


# ---------------------------------------------------------------------- names


def _name(meaning: Meaning, found: Findings, node: ast.Name | ast.Attribute, renames: _Renames) -> None:
    source = meaning.source
    name = meaning.flet(node)
    if name is None:
        return
    first, _, last = name.partition(".")
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load) or last:
            return
        edits = renames.of(node)
        if meaning.is_from_star(node):
            new = _renamed(name)
            edits = [source.rename(node, new) if new is not None and meaning.is_free(new) else None]
        _gone_or_run(meaning, found, node, name, "", edits)
        return
    before = f"{source.text_of(node.value)}."
    if not last:
        new = _renamed(name)
        edit = source.rename(node, new) if new is not None else None
        _gone_or_run(meaning, found, node, name, before, [edit])
    elif first in FUNCTION_MODULES and last in FUNCTION_MODULES[first][1]:
        owner, _ = FUNCTION_MODULES[first]
        member = last.upper() if first == "alignment" else last
        if isinstance(node.value, ast.Attribute):
            edits = [source.rename(node.value, owner), *([source.rename(node, member)] if member != last else [])]
            start = source.text_of(node.value.value) + "."
        else:
            edits = renames.of(node.value)
            start = ""
        found.note("module-function", node, f"{start}{owner}.{member}", f"{source.text_of(node)} is gone", edits)
    elif first == "Colors" and (shade := _SHADE.fullmatch(last)):
        new = f"{shade[1]}_{shade[2]}"
        found.note("color-name", node, before + new, edits=[source.rename(node, new)])
    elif first == "InputBorder" and last in _BORDERS:
        start = source.text_of(node.value.value) + "." if isinstance(node.value, ast.Attribute) else ""
        edit = Edit(source.start(node), source.end(node), start + _BORDERS[last]) if start else None
        found.note(
            "input-border",
            node,
            start + _BORDERS[last],
            edits=[edit if _stands_for_itself(source.text_of(node)) else None],
        )


def _stands_for_itself(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _gone_or_run(
    meaning: Meaning, found: Findings, node: ast.Name | ast.Attribute, name: str, before: str, edits: list[Edit | None]
) -> None:
    if name != "app":
        _gone(found, node, name, before, edits)
        return
    call = meaning.parents.get(node)
    if not isinstance(call, ast.Call) or call.func is not node:
        return  # a decorator called app, a variable: ft.app is called
    new = f"{before}run({_first(meaning, call)})"
    gone = [each for each in call.keywords if each.arg in _RUN_ARGUMENTS]
    for each in gone:
        found.note("gone-argument", each, "nothing: it does so by itself", f"ft.run has no {each.arg}", [None])
    found.note("app-run", node, new, edits=[*edits, *_run_arguments(meaning, call)])


def _gone(found: Findings, node: ast.AST, name: str, before: str, edits: list[Edit | None]) -> None:
    if name == "ElevatedButton":
        found.note("elevated-button", node, f"{before}Button", edits=edits)
    elif name == "app":
        found.note("app-run", node, f"{before}run", edits=edits)
    elif name in NAMES:
        found.note("gone-name", node, before + NAMES[name], f"{before}{name} is gone", edits)
    elif name in ELSEWHERE:
        package = ELSEWHERE[name]
        new = f"{package}.{name}, after pip install {package.replace('_', '-')}"
        found.note("gone-name", node, new, f"{before}{name} has moved to a package of its own", [None])


def _first(meaning: Meaning, call: ast.Call) -> str:
    given = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "target")]
    return meaning.source.text_of(given[0]) if given and isinstance(given[0], (ast.Name, ast.Attribute)) else "main"


def _run_arguments(meaning: Meaning, call: ast.Call) -> Iterator[Edit | None]:
    """Take `target=` off, or call it `main=` where it is not the first argument."""
    source = meaning.source
    for number, keyword in enumerate(call.keywords):
        if keyword.arg in _RUN_ARGUMENTS:
            yield None
        elif keyword.arg == "target":
            start, end = source.start(keyword), source.start(keyword.value)
            if number or call.args or "(" in source.text[start:end] or "#" in source.text[start:end]:
                yield source.rename_argument(keyword, "main")
            else:
                yield Edit(start, end, "")


# ---------------------------------------------------------------------- arguments


def _arguments(meaning: Meaning, found: Findings, call: ast.Call, made: str) -> None:
    source = meaning.source
    given = {each.arg: each for each in call.keywords if each.arg}
    if made in ("Tab", "Tabs"):
        if made == "Tabs" and ("tabs" in given or (call.args and isinstance(call.args[0], ast.List))):
            found.note("tabs", call)
        elif made == "Tab" and ("text" in given or "content" in given or "tab_content" in given):
            found.note(
                "tabs", call, "ft.Tab(label=...), its content in a ft.TabBarView", "Tab has a label and no content"
            )
        return
    for old, new in ARGUMENTS.get(made, {}).items():
        keyword = given.get(old)
        if keyword is None:
            continue
        is_free = new not in given and not (call.args and _FIRST.get(new) == old)
        edits = [source.rename_argument(keyword, new) if new and is_free else None]
        rule = "button-text" if made in BUTTONS else "icon-name" if made == "Icon" else "gone-argument"
        found.note(rule, keyword, f"{new}=" if new else "nothing", f"{made} has no argument {old}", edits)
    if "url_target" in given:
        found.note(
            "gone-argument",
            given["url_target"],
            "url=ft.Url(address, target=...)",
            f"{made} has no argument url_target",
            [None],
        )
    if made == "Text" and "style" in given and _is_theme_style(meaning, given["style"].value):
        edit = source.rename_argument(given["style"], "theme_style") if "theme_style" not in given else None
        found.note("text-style", given["style"], "theme_style=", edits=[edit])
    if made in ("TextField", "Dropdown"):
        borders = [name for name in given if name in _BORDER_ARGUMENTS]
        if borders:
            found.note(
                "field-border", given[borders[0]], why=f"{', '.join(borders)} of a {made}: one border says it all"
            )
    if made in POSITIONS:
        _positions(meaning, found, call, made)


def _positions(meaning: Meaning, found: Findings, call: ast.Call, made: str) -> None:
    order = POSITIONS[made]
    if not call.args or _sort(call.args[0]) in order.is_now:
        return
    source = meaning.source
    edits: list[Edit | None] = [
        Edit(source.start(each), source.start(each), f"{name}=")
        for each, name in zip(call.args, order.names, strict=False)
    ]
    is_sure = _sort(call.args[0]) == order.was or [_sort(each) for each in call.args[1:2]] == ["list"]
    if not is_sure or len(call.args) > len(order.names) or any(isinstance(each, ast.Starred) for each in call.args):
        edits = [None]
    shown = ", ".join(f"{name}=..." for name in order.names[: len(call.args)])
    found.note("positional-arguments", call, f"{made}({shown})", f"the arguments of {made} are in another order", edits)


def _sort(node: ast.expr) -> str:
    """What an argument is, as far as it shows."""
    if isinstance(node, (ast.List, ast.ListComp)):
        return "list"
    if isinstance(node, ast.JoinedStr):
        return "text"
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool):
        return "flag"
    return "text" if isinstance(value, str) else "number" if isinstance(value, (int, float)) else "other"


def _is_theme_style(meaning: Meaning, node: ast.AST) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_theme_style(meaning, node.body)
    return (meaning.flet(node) or "").startswith("TextThemeStyle.")
