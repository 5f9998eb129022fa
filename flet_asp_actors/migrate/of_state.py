"""The store: what flet-asp's verbs do otherwise now, and what they make unnecessary."""

from __future__ import annotations

import ast

from .finding import Findings
from .flet_changes import ARGUMENTS
from .meaning import Function, Meaning, name_in
from .project import Project, key_of
from .source import Edit

__all__ = ("look_at_state",)

_READING = frozenset(
    {"get", "set", "update", "mutate", "reset", "delete", "invalidate", "listen", "unlisten", "unbind"}
)
_BINDING = frozenset({"bind", "bind_dynamic", "bind_two_way"})
_SETTINGS = frozenset({"ENABLE_FREE_THREADING", "MAX_PARALLEL_BINDS", "MAX_RETRY_ATTEMPTS", "RETRY_BASE_DELAY"})


def look_at_state(meaning: Meaning, found: Findings, project: Project) -> None:
    """Note what a store does otherwise now."""
    readers = _readers(meaning)
    for node in meaning.nodes:
        if isinstance(node, ast.Call):
            named = node.func
            if isinstance(named, ast.Attribute):
                if meaning.what(named.value) == "store":
                    _verb(meaning, found, project, node, named.attr)
                elif named.attr in ("run", "run_task"):
                    _run(meaning, found, node, named)
            elif isinstance(named, ast.Name) and _reader_of(meaning, named, readers):
                _undeclared(found, project, node)
                _loading(meaning, found, node, named)
        elif isinstance(node, ast.Assign):
            _assigned(meaning, found, node)
        elif isinstance(node, ast.Attribute):
            _inside(meaning, found, node)
        elif isinstance(node, ast.AsyncFunctionDef):
            for each in node.decorator_list:
                named = each.func if isinstance(each, ast.Call) else each
                if (
                    isinstance(named, ast.Attribute)
                    and named.attr == "selector"
                    and meaning.what(named.value) == "store"
                ):
                    found.note("async-selector", node)


# ---------------------------------------------------------------------- verbs


def _verb(meaning: Meaning, found: Findings, project: Project, call: ast.Call, verb: str) -> None:
    if verb in _READING or verb in _BINDING:
        _undeclared(found, project, call)
    if verb == "listen_multiple" and call.args and isinstance(call.args[0], ast.Dict):
        for key in call.args[0].keys:
            if key is not None:
                _undeclared_key(found, project, key)
    if verb in _BINDING:
        _binding(meaning, found, project, call, verb)
    elif verb == "listen":
        _listen(meaning, found, call)
    elif verb == "reset" and len(call.args) == 1 and not call.keywords:
        if isinstance(call.args[0], (ast.Constant, ast.JoinedStr)):
            found.note("reset-default", call)
    elif verb == "clear" and not call.args:
        if project.keys.are_names:
            found.note("clear-lives", call)
    elif verb == "set" and len(call.args) == 2:
        _set(meaning, found, call)
    elif verb == "atom":
        _atom(meaning, found, call)


def _undeclared(found: Findings, project: Project, call: ast.Call) -> None:
    key = key_of(call)
    if key is not None:
        _undeclared_key(found, project, key)


def _undeclared_key(found: Findings, project: Project, key: ast.expr) -> None:
    name = name_in(key)
    if name is not None and not project.keys.knows(name):
        found.note(
            "undeclared-key",
            key,
            f"state.atom({name!r}, None) first",
            f"no file here declares {name!r}: UnknownKeyError",
        )


def _binding(meaning: Meaning, found: Findings, project: Project, call: ast.Call, verb: str) -> None:
    target = call.args[1] if len(call.args) > 1 else _argument(call, "ref", "control", "control_or_ref", "target")
    if target is None:
        return
    if meaning.made(target) == "Ref":
        found.note("throw-away-ref", call)
        return
    kind = meaning.kind(target)
    if kind is None or kind.what not in ("ref", "control"):
        return
    prop = call.args[2] if len(call.args) > 2 else _argument(call, "prop")
    named = name_in(prop) if prop is not None else "value"
    new = ARGUMENTS.get(kind.name, {}).get(named or "")
    if new is not None and prop is not None:
        text = meaning.source.text_of(prop)
        edit = meaning.source.replace(meaning.source.start(prop), text, text.replace(str(named), new))
        found.note("bind-text", prop, f'prop="{new}"', f"a {kind.name} has no {named} any more: BindingError", [edit])
    if verb == "bind_two_way" and kind.name == "TextField" and named == "value":
        key = key_of(call)
        default = project.keys.defaults.get(name_in(key) or "") if key is not None else None
        value = default.value if isinstance(default, ast.Constant) else None
        if type(value) in (int, float) and _argument(call, "parse", "on_input_change") is None and len(call.args) < 5:
            parse = type(value).__name__
            end = meaning.source.end(call) - 1
            comma = "" if meaning.source.text[:end].rstrip().endswith(",") else ", "
            edit = Edit(end, end, f"{comma}parse={parse}")
            found.note("two-way-parse", call, f"parse={parse}", edits=[edit])


def _argument(call: ast.Call, *names: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg in names), None)


def _listen(meaning: Meaning, found: Findings, call: ast.Call) -> None:
    """A listener that is called at once, and uses a Ref whose control is made further down."""
    callback = call.args[1] if len(call.args) > 1 else _argument(call, "callback")
    immediate = call.args[2] if len(call.args) > 2 else _argument(call, "immediate")
    if callback is None or (isinstance(immediate, ast.Constant) and immediate.value is False):
        return
    function = meaning.function(callback)
    refs: set[str] = _refs(meaning, function, set()) if function is not None else set()
    at = meaning.source.start(call)
    for node in meaning.nodes:
        if not isinstance(node, ast.keyword) or node.arg != "ref" or meaning.source.start(node) < at:
            continue
        if ast.dump(node.value) in refs and meaning.function_of(node) is meaning.function_of(call):
            found.note("listen-early", call)
            return


def _refs(meaning: Meaning, function: Function, seen: set[Function]) -> set[str]:
    """The Refs that a function, or one that it calls, looks into."""
    seen.add(function)
    refs: set[str] = set()
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "current"
            and isinstance(meaning.parents[node], ast.Attribute)
        ):
            refs.add(ast.dump(node.value))
        elif isinstance(node, ast.Call):
            called = meaning.function(node.func)
            if called is not None and called not in seen:
                refs |= _refs(meaning, called, seen)
    return refs


def _set(meaning: Meaning, found: Findings, call: ast.Call) -> None:
    key, value = call.args
    if meaning.what(value) == "function":
        found.note("function-value", value)
    mutate = f"state.mutate({meaning.source.text_of(key)}, fn)"
    copied = _copied(value)
    if copied is not None and _is_got(meaning, copied, key, call):
        found.note("equal-copy", call, mutate)
    elif isinstance(value, ast.Name) and _is_got(meaning, value, key, call):
        found.note("in-place", call, mutate)


def _copied(node: ast.expr) -> ast.expr | None:
    """What an expression is a plain copy of: `x.copy()`, `list(x)`, `[*x]`, `{**x}`, `x[:]`."""
    if isinstance(node, ast.Call) and not node.keywords:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "copy" and not node.args:
            return node.func.value
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        return node.args[0] if name in ("copy", "deepcopy", "dict", "list", "set") and len(node.args) == 1 else None
    if isinstance(node, (ast.List, ast.Set)) and len(node.elts) == 1 and isinstance(node.elts[0], ast.Starred):
        return node.elts[0].value
    if isinstance(node, ast.Dict) and node.keys == [None]:
        return node.values[0]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        is_whole = node.slice.lower is None and node.slice.upper is None and node.slice.step is None
        return node.value if is_whole else None
    return None


def _is_got(meaning: Meaning, node: ast.expr, key: ast.expr, call: ast.Call) -> bool:
    """Whether an expression is what the store holds for a key, got in the same function."""
    if isinstance(node, ast.Call):
        is_get = isinstance(node.func, ast.Attribute) and node.func.attr == "get" and len(node.args) == 1
        return is_get and ast.dump(node.args[0]) == ast.dump(key)
    if not isinstance(node, ast.Name):
        return False
    function = meaning.function_of(call)
    return any(
        isinstance(each.value, ast.Call) and _is_got(meaning, each.value, key, call)
        for each in ast.walk(function if function is not None else meaning.tree)
        if isinstance(each, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == node.id for target in each.targets)
    )


def _atom(meaning: Meaning, found: Findings, call: ast.Call) -> None:
    key = key_of(call)
    default = call.args[1] if len(call.args) > 1 else _argument(call, "default")
    if default is not None and meaning.what(default) == "function":
        found.note("function-value", default)
    if isinstance(key, ast.JoinedStr) and meaning.method_of(call) is not None:
        found.note("instance-key", call)


# ---------------------------------------------------------------------- actions


def _run(meaning: Meaning, found: Findings, call: ast.Call, named: ast.Attribute) -> None:
    if named.attr == "run":
        kind = meaning.kind(named.value)
        if kind is not None and kind.what == "action" and isinstance(kind.node, ast.AsyncFunctionDef):
            found.note("action-run", call)
    elif call.args and meaning.what(named.value) == "page":
        kind = meaning.kind(call.args[0])
        handler = kind.node if kind is not None and kind.what == "action" else None
        if getattr(handler, "decorator_list", None):
            end = meaning.source.end(call.args[0])
            name = meaning.source.text_of(call.args[0])
            new = f"{name}(...), or {meaning.source.text_of(named)}({name}.handler, ...)"
            found.note("run-task-action", call, new, edits=[Edit(end, end, ".handler")])


def _readers(meaning: Meaning) -> dict[Function, tuple[str, ...]]:
    """By handler of an action or selector: what it calls its `get` and `set`."""
    readers: dict[Function, tuple[str, ...]] = {}
    for node in meaning.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for each in node.decorator_list:
                named = each.func if isinstance(each, ast.Call) else each
                if isinstance(named, ast.Attribute) and meaning.what(named.value) == "store":
                    count = {"selector": 1, "action": 2}.get(named.attr, 0)
                    readers[node] = tuple(arg.arg for arg in node.args.args[:count])
        elif isinstance(node, ast.Call):
            handler: ast.expr | None = None
            count = 0
            if meaning.stored(node.func) == "Action" and node.args:
                handler, count = node.args[0], 2
            elif isinstance(node.func, ast.Attribute) and node.func.attr == "add_selector" and len(node.args) > 1:
                handler, count = node.args[1], 1
            function = meaning.function(handler) if handler is not None else None
            if function is not None:
                readers[function] = tuple(arg.arg for arg in function.args.args[:count])
    return readers


def _reader_of(meaning: Meaning, name: ast.Name, readers: dict[Function, tuple[str, ...]]) -> bool:
    function = meaning.function_of(name)
    while function is not None:
        if name.id in readers.get(function, ()):
            return True
        function = meaning.function_of(function)
    return False


def _loading(meaning: Meaning, found: Findings, call: ast.Call, named: ast.Name) -> None:
    if len(call.args) != 2 or not isinstance(call.args[1], ast.Constant) or call.args[1].value is not True:
        return
    name = (name_in(call.args[0]) or "").lower()
    if any(word in name for word in ("load", "busy", "pending", "running")):
        found.note("loading-atom", call)


# ---------------------------------------------------------------------- the rest


def _assigned(meaning: Meaning, found: Findings, node: ast.Assign) -> None:
    for target in node.targets:
        if not isinstance(target, ast.Attribute):
            continue
        if target.attr == "page" and meaning.what(target.value) == "store":
            found.note("global-page", node, f"{meaning.source.text_of(target.value)}.attach(page)")
        elif target.attr in _SETTINGS and meaning.stored(target.value) == "Atom":
            found.note("atom-settings", node, "nothing")


def _inside(meaning: Meaning, found: Findings, node: ast.Attribute) -> None:
    if node.attr == "_state_manager" and meaning.what(node.value) == "page":
        found.note("private-store", node, "page.state")
    elif node.attr.startswith("_") and not node.attr.startswith("__") and meaning.what(node.value) == "store":
        found.note("private-store", node)
    elif node.attr == "views" and meaning.what(node.value) == "page":
        _first_view(meaning, found, node)


def _first_view(meaning: Meaning, found: Findings, node: ast.Attribute) -> None:
    above = meaning.parents[node]
    if not isinstance(above, ast.Subscript) or not isinstance(above.slice, ast.Constant) or above.slice.value != 0:
        return
    function = meaning.function_of(node)
    done = [
        each.func.attr
        for each in (ast.walk(function) if function is not None else ())
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and meaning.function_of(each) is function
        and isinstance(each.func.value, ast.Attribute)
        and each.func.value.attr == "views"
    ]
    if "append" in done and "clear" not in done:
        found.note("first-view", above)
