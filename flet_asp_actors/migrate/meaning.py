"""What an expression is, as far as it can be told without running it.

Names are looked up in their scopes, so that a parameter called `ft` is not Flet. What a
name is bound to says what it is: a page, a store, a control of Flet, a function.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .source import Source

__all__ = ("Function", "Kind", "Meaning", "name_in")

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"
_SCOPES = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FLET = ("flet", "flet_core")
_STORES = ("flet_asp", "flet_asp_actors")
_STORE_NAMES = frozenset({"get_state_manager", "StateManager", "Action", "Selector"})
_DEPTH = 60
"""How far names that stand for names are followed."""


@dataclass(frozen=True)
class Kind:
    """What an expression is."""

    what: Literal["page", "window", "store", "control", "ref", "key", "action", "function", "class", "object"]
    name: str = ""
    """Of a control, or of what a Ref is for: its class in Flet, if that is known."""
    node: Any = field(default=None, compare=False)
    """Of a function, a class, or an object of a class: where it is defined. Of an action: its handler."""
    home: Meaning | None = field(default=None, compare=False, repr=False)
    """The file in which that is."""


@dataclass(frozen=True)
class _Binding:
    """One way in which a name gets what it stands for."""

    how: Literal["import", "value", "parameter", "function", "class", "other"]
    target: str = ""
    node: Any = None


class Meaning:
    """The names of one file.

    Args:
        source: The file.
        elsewhere: Finds another file of the app by the name of its module.
    """

    def __init__(self, source: Source, elsewhere: Callable[[str], Meaning | None]) -> None:
        self.source = source
        self.tree = source.tree
        self.nodes: list[ast.AST] = []
        """Every node, each after the one that holds it."""
        self.parents: dict[ast.AST, ast.AST] = {}
        self._elsewhere = elsewhere
        self._scopes: dict[ast.AST, dict[str, list[_Binding]]] = {}
        self._globals: dict[ast.AST, set[str]] = {}
        self._stars: list[str] = []
        self._kinds: dict[ast.AST, Kind | None] = {}
        self._attributes: dict[ast.ClassDef, dict[str, list[Any]]] = {}
        self._under_way: set[ast.AST] = set()
        self._main: Function | None = None
        for node in self._walk():
            self._bind(node)
        self.imports = frozenset(self._imported())
        self._main = self._find_main()

    @property
    def is_about_flet(self) -> bool:
        """Whether the file imports Flet or a store for it."""
        return bool(self.imports & {*_FLET, *_STORES})

    @property
    def is_about_state(self) -> bool:
        """Whether the file imports a store."""
        return bool(self.imports & {*_STORES})

    # ------------------------------------------------------------------ where things are

    def scope_of(self, node: ast.AST) -> ast.AST:
        """The function, class or module that a node is in."""
        above = self.parents.get(node, self.tree)
        while not isinstance(above, (*_SCOPES, *_COMPREHENSIONS)):
            above = self.parents[above]
        return above

    def function_of(self, node: ast.AST) -> Function | None:
        """The function that a node is in."""
        above = self.parents.get(node)
        while above is not None and not isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            above = self.parents.get(above)
        return above

    def method_of(self, node: ast.AST) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.ClassDef] | None:
        """The method that a node is in, if need be through functions in it, and its class."""
        above = self.parents.get(node)
        method: ast.AST = node
        while above is not None:
            if isinstance(above, ast.ClassDef):
                return (method, above) if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
            method, above = above, self.parents.get(above)
        return None

    # ------------------------------------------------------------------ what things are

    def dotted(self, node: ast.AST) -> str | None:
        """The full name of what was imported: `flet.Text` of `ft.Text`, or of `Text`; None if it was not."""
        if isinstance(node, ast.Attribute):
            start = self.dotted(node.value)
            return _plain(f"{start}.{node.attr}") if start is not None else None
        if not isinstance(node, ast.Name):
            return None
        found = self._lookup(node)
        if not found:
            return self._from_star(node.id)
        imported = {binding.target for binding in found if binding.how == "import"}
        others = [binding for binding in found if binding.how != "import" and not _is_none(binding.node)]
        return imported.pop() if len(imported) == 1 and not others else None

    def flet(self, node: ast.AST) -> str | None:
        """The name of something of Flet's, without the `flet.`."""
        name = self.dotted(node)
        return name[5:] if name is not None and name.startswith("flet.") else None

    def stored(self, node: ast.AST) -> str | None:
        """The last name of something of the store's package."""
        name = self.dotted(node)
        return name.rsplit(".", 1)[1] if name is not None and name.split(".")[0] in _STORES and "." in name else None

    def kind(self, node: ast.AST) -> Kind | None:
        """What an expression is, or None."""
        if node in self._kinds:
            return self._kinds[node]
        if node in self._under_way or len(self._under_way) > _DEPTH:
            return None
        self._under_way.add(node)
        try:
            found = self._kind(node)
        finally:
            self._under_way.discard(node)
        self._kinds[node] = found
        return found

    def what(self, node: ast.AST) -> str | None:
        """The sort of thing that an expression is, or None."""
        kind = self.kind(node)
        return kind.what if kind is not None else None

    def control(self, node: ast.AST) -> str | None:
        """The class in Flet of a control, or None."""
        kind = self.kind(node)
        return kind.name if kind is not None and kind.what == "control" else None

    def made(self, call: ast.AST) -> str | None:
        """The class in Flet of which a call makes an object: `ft.Text(...)`, `super().__init__(...)` of one."""
        if not isinstance(call, ast.Call):
            return None
        name = self.flet(call.func.value if isinstance(call.func, ast.Subscript) else call.func)
        if name is not None and "." not in name:
            return name if name[:1].isupper() else None
        if isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
            above = call.func.value
            if isinstance(above, ast.Call) and isinstance(above.func, ast.Name) and above.func.id == "super":
                method = self.method_of(call)
                return self.base(method[1]) if method is not None else None
        return None

    def base(self, of: ast.ClassDef, depth: int = 0) -> str | None:
        """The class in Flet that a class derives from, if need be through others."""
        for each in of.bases:
            name = self.flet(each.value if isinstance(each, ast.Subscript) else each)
            if name is not None and "." not in name and name[:1].isupper():
                return name
            kind = self.kind(each)
            if kind is not None and kind.what == "class" and kind.home is not None and depth < _DEPTH:
                found = kind.home.base(kind.node, depth + 1)
                if found is not None:
                    return found
        return None

    def function(self, node: ast.AST) -> Function | None:
        """The function in this file that an expression is: a name, a method by `self`, a lambda."""
        if isinstance(node, ast.Lambda):
            return node
        kind = self.kind(node)
        if kind is not None and kind.what == "function" and kind.home is self:
            found: Function = kind.node
            return found
        return None

    def attribute(self, of: ast.ClassDef, name: str) -> Kind | None:
        """What an attribute of a class's objects is."""
        if of not in self._attributes:
            self._attributes[of] = _attributes(of)
        found = self._attributes[of].get(name, [])
        for each in found:
            is_method = isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
            kind = self._defined(each) if is_method else self.kind(each)
            if kind is not None:
                return kind
        for base in () if found else of.bases:
            above = self.kind(base)
            if above is not None and above.what == "class" and above.home is not None and above.node is not of:
                return above.home.attribute(above.node, name)
        return None

    def exported(self, name: str) -> Kind | None:
        """What a name of the module is."""
        return self._of_bindings(self._scopes[self.tree].get(name, []))

    # ------------------------------------------------------------------ uses of a name

    def uses(self, alias: ast.alias, statement: ast.Import | ast.ImportFrom) -> list[ast.Name] | None:
        """Every use of an imported name, or None if the name is bound in other ways too."""
        name = (alias.asname or alias.name).split(".")[0]
        scope = self.scope_of(statement)
        if len(self._scopes[scope].get(name, [])) != 1:
            return None
        return [
            node
            for node in self.nodes
            if isinstance(node, ast.Name) and node.id == name and self._home(node.id, node) is scope
        ]

    def is_from_star(self, name: ast.Name) -> bool:
        """Whether a name comes from the only `from flet import *` there is."""
        return len(self._stars) == 1 and not self._lookup(name) and self._from_star(name.id) is not None

    def is_free(self, name: str) -> bool:
        """Whether a name is bound nowhere in the file."""
        return not any(name in scope for scope in self._scopes.values())

    # ------------------------------------------------------------------ the machinery

    def _walk(self) -> Iterator[ast.AST]:
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            self.nodes.append(node)
            if isinstance(node, (*_SCOPES, *_COMPREHENSIONS)):
                self._scopes[node] = {}
            children = list(ast.iter_child_nodes(node))
            for child in children:
                if not isinstance(child, (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)):
                    self.parents[child] = node
            waiting.extend(reversed([child for child in children if child in self.parents]))
            yield node

    def _bind(self, node: ast.AST) -> None:
        scope = self.scope_of(node) if node is not self.tree else self.tree
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                self._add(scope, name, _Binding("import", _plain(alias.name if alias.asname else name)))
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = "." * node.level + (node.module or "")
                if alias.name == "*":
                    self._stars.append(module)
                else:
                    self._add(scope, alias.asname or alias.name, _Binding("import", _plain(f"{module}.{alias.name}")))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._add(scope, node.name, _Binding("function", node=node))
            self._add_parameters(node)
        elif isinstance(node, ast.Lambda):
            self._add_parameters(node)
        elif isinstance(node, ast.ClassDef):
            self._add(scope, node.name, _Binding("class", node=node))
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            self._globals.setdefault(scope, set()).update(node.names)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            value = self._value_of(node)
            if node.id in self._globals.get(scope, ()):
                scope = self.tree
            self._add(scope, node.id, _Binding("value" if value is not None else "other", node=value))
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            self._add(scope, node.name, _Binding("other"))
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self._add(scope, node.rest, _Binding("other"))

    def _add(self, scope: ast.AST, name: str, binding: _Binding) -> None:
        self._scopes[scope].setdefault(name, []).append(binding)

    def _add_parameters(self, function: Function) -> None:
        given = function.args
        for each in (*given.posonlyargs, *given.args, *given.kwonlyargs):
            self._add(function, each.arg, _Binding("parameter", node=each))
        for rest in (given.vararg, given.kwarg):
            if rest is not None:
                self._add(function, rest.arg, _Binding("other"))

    def _value_of(self, name: ast.Name) -> ast.expr | None:
        """What a name is assigned, if it is assigned alone."""
        above = self.parents[name]
        if isinstance(above, ast.Assign):
            return above.value if name in above.targets else None
        if isinstance(above, (ast.AnnAssign, ast.NamedExpr)) and above.target is name:
            return above.value
        return None

    def _home(self, name: str, at: ast.AST) -> ast.AST | None:
        """The scope whose name it is."""
        scope = self.scope_of(at)
        if isinstance(scope, _SCOPES[1:]) and self._is_outside(at, scope):
            scope = self.scope_of(scope)
        first = True
        while True:
            is_hidden = isinstance(scope, ast.ClassDef) and not first
            if name in self._scopes[scope] and not is_hidden:
                return scope
            if scope is self.tree:
                return None
            scope, first = self.scope_of(scope), False

    def _is_outside(self, node: ast.AST, scope: ast.AST) -> bool:
        """Whether a node stands in a function or a class and belongs to what is around it: a decorator, a base."""
        below, above = node, self.parents.get(node)
        while above is not None and above is not scope:
            below, above = above, self.parents.get(above)
        if isinstance(scope, ast.Lambda):
            return below is scope.args and not isinstance(node, ast.arg)
        return below not in getattr(scope, "body", ())

    def _lookup(self, name: ast.Name) -> list[_Binding]:
        scope = self._home(name.id, name)
        return self._scopes[scope][name.id] if scope is not None else []

    def _from_star(self, name: str) -> str | None:
        for star in self._stars:
            if star in _STORES and name in _STORE_NAMES:
                return f"{star}.{name}"
        if any(star in _FLET for star in self._stars) and name not in _BUILTINS:
            return f"flet.{name}"
        return None

    def _imported(self) -> Iterator[str]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.split(".")[0]

    def _find_main(self) -> Function | None:
        """The function that is given the page, whatever it calls it."""
        for node in self.nodes:
            if isinstance(node, ast.Call) and self.dotted(node.func) in ("flet.app", "flet.run", "flet.app_async"):
                given = [*node.args[:1], *(each.value for each in node.keywords if each.arg in ("target", "main"))]
                if given and isinstance(given[0], ast.Name):
                    for binding in self._lookup(given[0]):
                        if binding.how == "function":
                            found: Function = binding.node
                            return found
        return None

    def _kind(self, node: ast.AST) -> Kind | None:
        if isinstance(node, ast.Name):
            return self._kind_of_name(node)
        if isinstance(node, ast.Attribute):
            return self._kind_of_attribute(node)
        if isinstance(node, ast.Call):
            return self._kind_of_call(node)
        if isinstance(node, ast.Lambda):
            return Kind("function", node=node, home=self)
        if isinstance(node, (ast.NamedExpr, ast.Await)):
            return self.kind(node.value)
        if isinstance(node, ast.Subscript):
            return Kind("key") if self.what(node.value) == "key" else None
        if isinstance(node, ast.IfExp):
            return self.kind(node.body) or self.kind(node.orelse)
        if isinstance(node, ast.BoolOp):
            return next((kind for kind in map(self.kind, node.values) if kind is not None), None)
        return None

    def _kind_of_name(self, node: ast.Name) -> Kind | None:
        found = self._lookup(node)
        if node.id == "self" or (found and found[0].how == "parameter"):
            method = self.method_of(node)
            if method is not None and method[0].args.args and method[0].args.args[0].arg == node.id:
                base = self.base(method[1])
                return Kind("control" if base is not None else "object", base or "", method[1], self)
        return self._of_bindings(found)

    def _of_bindings(self, bindings: list[_Binding]) -> Kind | None:
        for binding in bindings:
            kind: Kind | None = None
            if binding.how == "value":
                kind = self.kind(binding.node)
            elif binding.how == "parameter":
                kind = self._kind_of_parameter(binding.node)
            elif binding.how == "function":
                kind = self._defined(binding.node)
            elif binding.how == "class":
                kind = Kind("class", node=binding.node, home=self)
            elif binding.how == "import" and "." in binding.target:
                module, name = binding.target.rsplit(".", 1)
                home = self._elsewhere(module)
                kind = home.exported(name) if home is not None and home is not self else None
            if kind is not None:
                return kind
        return None

    def _kind_of_parameter(self, parameter: ast.arg) -> Kind | None:
        if parameter.annotation is not None:
            return self._kind_of_annotation(parameter.annotation)
        if parameter.arg == "page" and self.is_about_flet:
            return Kind("page")
        if parameter.arg == "state" and self.is_about_state:
            return Kind("store")
        main = self._main
        if main is not None and [*main.args.posonlyargs, *main.args.args][:1] == [parameter]:
            return Kind("page")
        return None

    def _kind_of_annotation(self, node: ast.AST) -> Kind | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            last = node.value.rsplit(".", 1)[-1]
            return Kind("page") if last == "Page" else Kind("store") if last == "StateManager" else None
        if isinstance(node, ast.BinOp):
            return self._kind_of_annotation(node.left) or self._kind_of_annotation(node.right)
        if isinstance(node, ast.Subscript):
            if self.flet(node.value) == "Ref":
                return Kind("ref", self.flet(node.slice) or "")
            return self._kind_of_annotation(node.slice)
        if self.stored(node) == "StateManager":
            return Kind("store")
        name = self.flet(node)
        if name is None or "." in name or not name[:1].isupper() or name.endswith("Event"):
            return None
        return Kind("page") if name == "Page" else Kind("control", name)

    def _kind_of_attribute(self, node: ast.Attribute) -> Kind | None:
        if node.attr == "page" and self._has_page(node.value):
            return Kind("page")
        kind = self.kind(node.value)
        if kind is None:
            return None
        if kind.what == "page":
            return Kind("store") if node.attr == "state" else Kind("window") if node.attr == "window" else None
        if kind.what == "ref" and node.attr == "current":
            return Kind("control", kind.name)
        if kind.what in ("control", "object") and kind.node is not None and kind.home is not None:
            return kind.home.attribute(kind.node, node.attr)
        return None

    def _has_page(self, node: ast.AST) -> bool:
        """Whether the `.page` of something is a page: of a control, an event, an object that was given one."""
        if not self.is_about_flet:
            return False
        if isinstance(node, ast.Attribute) and node.attr == "control":
            return True
        kind = self.kind(node)
        if kind is not None and kind.what == "object":
            given = kind.home.attribute(kind.node, "page") if kind.home is not None else None
            return (given is not None and given.what == "page") or self._derives_from_afar(kind.node)
        if kind is not None:
            return kind.what == "control"
        return isinstance(node, ast.Name) and node.id in ("e", "event") and self._lookup(node)[:1] != []

    def _derives_from_afar(self, of: ast.ClassDef) -> bool:
        """Whether a class derives from one of another file of the app that nobody has shown us."""
        return any((self.dotted(each) or "").startswith(".") for each in of.bases)

    def _kind_of_call(self, node: ast.Call) -> Kind | None:
        if self.stored(node.func) in ("get_state_manager", "StateManager"):
            return Kind("store")
        if self.stored(node.func.value if isinstance(node.func, ast.Subscript) else node.func) == "Key":
            return Kind("key")
        if self.stored(node.func) == "Action":
            return Kind("action", node=self.function(node.args[0]) if node.args else None)
        made = self.made(node)
        if made == "Ref":
            of = node.func.slice if isinstance(node.func, ast.Subscript) else None
            return Kind("ref", (self.flet(of) if of is not None else None) or "")
        if made is not None:
            return Kind("control", made)
        if isinstance(node.func, ast.Attribute) and self.what(node.func.value) == "store":
            return None
        kind = self.kind(node.func)
        if kind is not None and kind.what == "class" and kind.home is not None:
            base = kind.home.base(kind.node)
            return Kind("control" if base is not None else "object", base or "", kind.node, kind.home)
        return None

    def _defined(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Kind:
        for each in node.decorator_list:
            named = each.func if isinstance(each, ast.Call) else each
            if isinstance(named, ast.Attribute) and named.attr == "action":
                if self.what(named.value) == "store" or self.stored(named) == "action":
                    return Kind("action", node=node, home=self)
            elif self.stored(named) == "action":
                return Kind("action", node=node, home=self)
        return Kind("function", node=node, home=self)


def name_in(node: ast.AST) -> str | None:
    """The text of a string."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _plain(name: str) -> str:
    """The name by which Flet exports what has been imported from its inside."""
    parts = name.split(".")
    if parts[0] == "flet_core" or parts[:2] == ["flet", "core"]:
        last = parts[-1]
        return f"flet.{last}" if len(parts) > 1 and last[:1].isupper() else name
    return name


def _attributes(of: ast.ClassDef) -> dict[str, list[Any]]:
    """By attribute: the methods and the values that it is given in a class."""
    found: dict[str, list[Any]] = {}
    own = {id(each) for each in of.body}
    for each in of.body:
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.setdefault(each.name, []).append(each)
    for node in ast.walk(of):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        for target in targets if value is not None else ():
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                found.setdefault(target.attr, []).append(value)
            elif isinstance(target, ast.Name) and id(node) in own:
                found.setdefault(target.id, []).append(value)
    return found


def _is_none(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


_BUILTINS = frozenset(dir(builtins))
