"""Pages, controls, events and threads: what does something else now, or raises."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from .finding import Findings
from .flet_changes import ARGUMENTS, ASYNC_METHODS, PAGE_FIELDS, PAGE_MEMBERS, SESSION_MEMBERS
from .meaning import Function, Meaning, name_in
from .source import Edit

__all__ = ("look_at_behaviour",)

_DIALOGS = frozenset(
    {
        "AlertDialog",
        "Banner",
        "BottomSheet",
        "CupertinoAlertDialog",
        "CupertinoBottomSheet",
        "DatePicker",
        "SnackBar",
        "TimePicker",
    }
)
_DIALOG_FIELDS = frozenset({"banner", "bottom_sheet", "dialog", "snack_bar"})
_VERBS = ("delete", "get", "head", "patch", "post", "put", "request")
_BLOCKING = {
    "time.sleep": "await asyncio.sleep(...)",
    "urllib.request.urlopen": "await asyncio.to_thread(...)",
    **{f"requests.{verb}": "await asyncio.to_thread(...)" for verb in _VERBS},
    **{f"httpx.{verb}": "an httpx.AsyncClient, awaited" for verb in _VERBS},
    **{f"subprocess.{verb}": "await asyncio.to_thread(...)" for verb in ("call", "check_call", "check_output", "run")},
}
_THREADS = {"threading.Thread": "target", "threading.Timer": "function", "_thread.start_new_thread": "function"}
_OFF_THE_LOOP = frozenset({"run_thread", "submit", "to_thread", "run_in_executor", "run_sync", "map"})
"""Methods that have a function run in a thread."""


def look_at_behaviour(meaning: Meaning, found: Findings) -> None:
    """Note what pages, controls, events and threads do otherwise now."""
    threads = _with_those_called(meaning, _off_the_loop(meaning))
    hovers = set(_handlers(meaning, "on_hover"))
    for node in meaning.nodes:
        if isinstance(node, ast.Attribute):
            _page_attribute(meaning, found, node)
            _control_attribute(meaning, found, node)
            _page_test(meaning, found, node)
        elif isinstance(node, ast.Call):
            _page_call(meaning, found, node)
            _asked_for_page(meaning, found, node)
            _not_awaited(meaning, found, node)
            _blocking(meaning, found, node, threads)
            _in_thread(meaning, found, node)
            for keyword in node.keywords:
                if (keyword.arg or "").startswith("on_"):
                    _handler(meaning, found, keyword.value)
        elif isinstance(node, ast.Compare):
            _data_bool(meaning, found, node, hovers)
        elif isinstance(node, ast.Assign):
            _assigned(meaning, found, node)
        elif isinstance(node, ast.Try):
            _update_error(meaning, found, node)
        elif isinstance(node, ast.Expr):
            _held_by_nothing(meaning, found, node)


# ---------------------------------------------------------------------- the page


def _page_attribute(meaning: Meaning, found: Findings, node: ast.Attribute) -> None:
    is_written = isinstance(node.ctx, ast.Store)
    if node.attr in _DIALOG_FIELDS and is_written and meaning.what(node.value) == "page":
        page = meaning.source.text_of(node.value)
        found.note("page-dialog", node, f"{page}.show_dialog(...)", f"{page}.{node.attr} = ... is ignored")
    elif node.attr in PAGE_MEMBERS and meaning.what(node.value) == "page":
        found.note("page-member", node, PAGE_MEMBERS[node.attr], f"the page has no {node.attr} any more")
    elif node.attr in SESSION_MEMBERS and _is_session(meaning, node.value):
        found.note("page-member", node, f"page.session.store.{node.attr}", f"a session has no {node.attr} any more")
    elif node.attr in PAGE_FIELDS and is_written and meaning.what(node.value) == "page":
        found.note("page-attribute", node, why=f"the page has a field {node.attr} now, which is sent to the client")
    elif node.attr == "page" and is_written and _is_self(node.value):
        _own_page(meaning, found, node)
    elif node.attr == "page" and isinstance(node.ctx, ast.Load) and _is_self(node.value):
        _early_page(meaning, found, node)


def _is_session(meaning: Meaning, node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "session" and meaning.what(node.value) == "page"


def _page_call(meaning: Meaning, found: Findings, call: ast.Call) -> None:
    named = call.func
    if not isinstance(named, ast.Attribute) or named.attr not in ("go", "navigate", "push_route", "open", "close"):
        return
    if meaning.what(named.value) != "page":
        return
    source = meaning.source
    page = source.text_of(named.value)
    if named.attr in ("go", "navigate", "push_route"):
        handler = _route_handler(meaning, call)
        if handler is not None:
            why = "the client is there already and sends no route change"
            if named.attr == "go":
                found.note("page-go", call, f"{handler}, called here", f"{page}.go is gone, and {why}", [None])
            else:
                found.note("first-route", call, f"{handler}, called here", f"{why}, so the page stays blank")
        elif named.attr == "go":
            plain = len(call.args) == 1 and not call.keywords
            edit = source.rename(named, "navigate") if plain else None
            found.note("page-go", call, f"{page}.navigate(...)", f"{page}.go is gone", [edit])
    elif named.attr == "open":
        control = meaning.control(call.args[0]) if call.args else None
        if control == "NavigationDrawer":
            found.note(
                "page-open",
                call,
                f"{page}.drawer = ..., then await {page}.show_drawer()",
                f"{page}.open is gone",
                [None],
            )
        else:
            edit = source.rename(named, "show_dialog") if control in _DIALOGS and len(call.args) == 1 else None
            found.note("page-open", call, f"{page}.show_dialog(...)", f"{page}.open is gone", [edit])
    else:
        found.note("page-close", call, f"{page}.pop_dialog()")


def _route_handler(meaning: Meaning, call: ast.Call) -> str | None:
    """What draws the routes, if a page is sent somewhere by the very function that has just set it up."""
    function = meaning.function_of(call)
    for node in ast.walk(function) if function is not None else ():
        if isinstance(node, ast.Assign) and meaning.function_of(node) is function:
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr == "on_route_change":
                    return meaning.source.text_of(node.value)
    return None


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _own_page(meaning: Meaning, found: Findings, node: ast.Attribute) -> None:
    method = meaning.method_of(node)
    statement = meaning.parents[node]
    if method is None or meaning.base(method[1]) is None:
        return
    edit: Edit | None = None
    block = meaning.parents.get(statement)
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.value, ast.Name):
        blocks: list[list[ast.stmt]] = [getattr(block, name, []) for name in ("body", "orelse", "finalbody")]
        edit = next((meaning.source.remove(statement, each) for each in blocks if statement in each), None)
    found.note("self-page", node, why="self.page is a read-only property of controls", edits=[edit])


def _early_page(meaning: Meaning, found: Findings, node: ast.Attribute) -> None:
    """`self.page` where the control is made; a function in there may be called later."""
    method = meaning.method_of(node)
    if method is None or method[0].name != "__init__" or meaning.function_of(node) is not method[0]:
        return
    if meaning.base(method[1]) is None:
        return
    given = [each.arg for each in (*method[0].args.args, *method[0].args.kwonlyargs) if each.arg == "page"]
    edit = Edit(meaning.source.start(node), meaning.source.end(node), "page") if given else None
    if meaning.source.text_of(node) != "self.page":
        edit = None
    found.note("self-page-early", node, "page" if given else "", edits=[edit])


# ---------------------------------------------------------------------- controls


def _control_attribute(meaning: Meaning, found: Findings, node: ast.Attribute) -> None:
    if _is_self(node.value):
        return  # may be an attribute of the app's own
    kind = meaning.control(node.value)
    new = ARGUMENTS.get(kind or "", {}).get(node.attr)
    if new is not None:
        edit = meaning.source.rename(node, new)
        found.note("gone-attribute", node, f".{new}", f"a {kind} has no {node.attr} any more", [edit])
    elif node.attr == "text" and _is_control_of_event(node.value):
        found.note("gone-attribute", node, ".content", "a button has no text any more", [None])


def _is_control_of_event(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "control" and isinstance(node.value, ast.Name)


def _page_test(meaning: Meaning, found: Findings, node: ast.Attribute) -> None:
    if node.attr != "page" or not isinstance(node.ctx, ast.Load) or meaning.control(node.value) is None:
        return
    above = meaning.parents[node]
    is_test = isinstance(above, (ast.If, ast.While, ast.IfExp, ast.Assert)) and above.test is node
    is_test = is_test or isinstance(above, ast.BoolOp)
    is_test = is_test or (isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not))
    is_test = is_test or (isinstance(above, ast.Compare) and isinstance(above.ops[0], (ast.Is, ast.IsNot)))
    if is_test:
        found.note("page-test", node)


def _asked_for_page(meaning: Meaning, found: Findings, call: ast.Call) -> None:
    if not isinstance(call.func, ast.Name) or call.func.id not in ("hasattr", "getattr"):
        return
    if len(call.args) < 2 or name_in(call.args[1]) != "page":
        return
    of = call.args[0]
    if meaning.control(of) is not None or (isinstance(of, ast.Name) and of.id not in ("e", "event")):
        found.note("page-test", call)


def _update_error(meaning: Meaning, found: Findings, node: ast.Try) -> None:
    updates = any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "update"
        for statement in node.body
        for each in ast.walk(statement)
    )
    for handler in node.handlers if updates else []:
        names = ast.walk(handler.type) if handler.type is not None else ()
        caught = {each.id for each in names if isinstance(each, ast.Name)}
        if "AssertionError" in caught and not caught & {"RuntimeError", "Exception"}:
            found.note("update-error", handler)


def _not_awaited(meaning: Meaning, found: Findings, call: ast.Call) -> None:
    named = call.func
    above = meaning.parents[call]
    if not isinstance(named, ast.Attribute) or named.attr not in ASYNC_METHODS:
        return
    if not isinstance(above, (ast.Expr, ast.Lambda)):
        return
    kind = meaning.kind(named.value)
    if kind is None:
        return
    name = {"page": "Page", "window": "Window"}.get(kind.what, kind.name if kind.what == "control" else "")
    if name not in ASYNC_METHODS[named.attr] or (_is_self(named.value) and _defines(kind.node, named.attr)):
        return
    can = isinstance(above, ast.Expr) and isinstance(meaning.function_of(call), ast.AsyncFunctionDef)
    start = meaning.source.start(call)
    edit = Edit(start, start, "await ") if can else None
    found.note(
        "now-async",
        call,
        f"await {meaning.source.text_of(named)}(...)",
        f"{named.attr} is a coroutine function now",
        [edit],
    )


def _defines(node: ast.AST | None, name: str) -> bool:
    return any(getattr(each, "name", None) == name for each in getattr(node, "body", ()))


def _held_by_nothing(meaning: Meaning, found: Findings, node: ast.Expr) -> None:
    call = node.value
    if isinstance(call, ast.Call) and any(each.arg == "ref" for each in call.keywords):
        is_super = isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"
        if meaning.made(call) is not None and not is_super:
            found.note("weak-ref", node, why="nothing but its Ref holds this control, and a Ref holds it weakly")


def _assigned(meaning: Meaning, found: Findings, node: ast.Assign) -> None:
    for target in node.targets:
        if not isinstance(target, ast.Attribute):
            continue
        if target.attr == "current" and meaning.what(target.value) == "ref" and meaning.made(node.value) is not None:
            found.note("weak-ref", node)
        elif target.attr == "content" and meaning.control(target.value) is not None:
            _equal_content(meaning, found, node)
        elif target.attr == "style" and meaning.control(target.value) == "Text":
            if (meaning.flet(node.value) or "").startswith("TextThemeStyle."):
                found.note("text-style", node, ".theme_style", edits=[meaning.source.rename(target, "theme_style")])
        elif target.attr.startswith("on_") and meaning.is_about_flet:
            _handler(meaning, found, node.value)


def _equal_content(meaning: Meaning, found: Findings, node: ast.Assign) -> None:
    """Controls that are told apart by nothing: two of a variable each, made alike."""
    value = node.value
    if not isinstance(value, ast.Name):
        return
    made = _made_as(meaning, value)
    if made is None:
        return
    for other in meaning.nodes:
        if isinstance(other, ast.Assign) and other is not node and isinstance(other.value, ast.Name):
            same_place = any(ast.dump(a) == ast.dump(b) for a in other.targets for b in node.targets)
            twin = _made_as(meaning, other.value) if same_place and other.value.id != value.id else None
            if twin is not None and twin is not made and ast.dump(twin) == ast.dump(made):
                found.note("equal-content", node)
                return


def _made_as(meaning: Meaning, name: ast.Name) -> ast.Call | None:
    for node in meaning.nodes:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        is_it = any(isinstance(target, ast.Name) and target.id == name.id for target in node.targets)
        if is_it and meaning.made(node.value) is not None:
            return node.value
    return None


# ---------------------------------------------------------------------- events


def _data_bool(meaning: Meaning, found: Findings, node: ast.Compare, hovers: set[Function]) -> None:
    left, right = node.left, node.comparators[0]
    if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
        return
    said = name_in(right)
    if said not in ("true", "false") or not isinstance(left, ast.Attribute) or left.attr != "data":
        return
    function = meaning.function_of(node)
    if not isinstance(left.value, ast.Name) or function is None:
        return
    if left.value.id not in [each.arg for each in function.args.args]:
        return
    text = meaning.source.text_of(left)
    is_plain = (said == "true") == isinstance(node.ops[0], ast.Eq)
    above = meaning.parents[node]
    stands_alone = isinstance(above, (ast.If, ast.IfExp, ast.While, ast.Assign, ast.Return, ast.BoolOp, ast.keyword))
    new = text if is_plain else f"not {text}" if stands_alone else f"(not {text})"
    edit = Edit(meaning.source.start(node), meaning.source.end(node), new) if function in hovers else None
    found.note("data-bool", node, new, edits=[edit])


def _handlers(meaning: Meaning, event: str) -> Iterator[Function]:
    """The functions of the file that hear an event."""
    for node in meaning.nodes:
        given: ast.expr | None = None
        if isinstance(node, ast.keyword):
            given = node.value if node.arg == event else None
        elif isinstance(node, ast.Assign):
            targets = [target for target in node.targets if isinstance(target, ast.Attribute) and target.attr == event]
            given = node.value if targets else None
        function = meaning.function(given) if given is not None else None
        if function is not None:
            yield function


def _handler(meaning: Meaning, found: Findings, node: ast.expr) -> None:
    """A handler that makes a coroutine and is none."""
    if isinstance(node, ast.Lambda) and isinstance(node.body, ast.Call):
        called = meaning.function(node.body.func)
        if not isinstance(called, ast.AsyncFunctionDef):
            return
        name = meaning.source.text_of(node.body.func)
        given = [each.arg for each in node.args.args]
        passed = [each.id if isinstance(each, ast.Name) else None for each in node.body.args]
        forwards = given == passed and not node.body.keywords and not node.args.defaults
        edit = Edit(meaning.source.start(node), meaning.source.end(node), name) if forwards else None
        new = name if forwards else f"an async def that awaits {name}(...)"
        found.note(
            "lambda-coroutine",
            node,
            new,
            f"{name} is a coroutine function, and nobody awaits what the lambda makes",
            [edit],
        )
        return
    kind = meaning.kind(node)
    if kind is not None and kind.what in ("object", "control") and not _is_self(node):
        call = next((each for each in getattr(kind.node, "body", ()) if getattr(each, "name", "") == "__call__"), None)
        if isinstance(call, ast.AsyncFunctionDef):
            text = meaning.source.text_of(node)
            found.note(
                "lambda-coroutine",
                node,
                f"{text}.__call__",
                "an object whose __call__ is async is no coroutine function",
                [None],
            )


# ---------------------------------------------------------------------- threads


def _off_the_loop(meaning: Meaning) -> Iterator[Function]:
    """The functions that are handed to a thread."""
    for node in meaning.nodes:
        if isinstance(node, ast.Call):
            given = list(_threaded(meaning, node))
            if isinstance(node.func, ast.Attribute) and node.func.attr in _OFF_THE_LOOP:
                given.extend(node.args[:2])
            yield from (function for each in given if (function := meaning.function(each)) is not None)


def _with_those_called(meaning: Meaning, functions: Iterable[Function]) -> set[Function]:
    """Functions, and those that they call."""
    found: set[Function] = set()
    waiting = list(functions)
    while waiting:
        function = waiting.pop()
        if function not in found:
            found.add(function)
            called = (meaning.function(node.func) for node in ast.walk(function) if isinstance(node, ast.Call))
            waiting.extend(each for each in called if each is not None)
    return found


def _threaded(meaning: Meaning, call: ast.Call) -> Iterator[ast.expr]:
    name = meaning.dotted(call.func)
    if name in _THREADS:
        at = 0 if name.startswith("_") else 1
        yield from call.args[at : at + 1]
        yield from (each.value for each in call.keywords if each.arg == _THREADS[name])


def _blocking(meaning: Meaning, found: Findings, call: ast.Call, threads: set[Function]) -> None:
    name = meaning.dotted(call.func)
    if name not in _BLOCKING:
        return
    function = meaning.function_of(call)
    around = function
    while around is not None:
        if around in threads:
            return
        around = meaning.function_of(around)
    if function is not None:
        found.note("blocking", call, _BLOCKING[name], f"{meaning.source.text_of(call.func)} holds up every session")


def _in_thread(meaning: Meaning, found: Findings, call: ast.Call) -> None:
    is_pages = (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "run_thread"
        and meaning.what(call.func.value) == "page"
    )
    for each in call.args[:1] if is_pages else _threaded(meaning, call):
        function = meaning.function(each)
        if function is not None and _updates(meaning, function):
            found.note("run-thread" if is_pages else "raw-thread", call)
            return


def _updates(meaning: Meaning, function: Function) -> bool:
    """Whether a function, or one that it calls, updates something of Flet's."""
    for each in _with_those_called(meaning, [function]):
        for node in ast.walk(each):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
                if not node.args and not node.keywords:
                    return True
                if meaning.what(node.func.value) == "page":
                    return True
    return False
