"""The mistakes: what may be changed in the body of a function, one thing at a time."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

__all__ = ("Mutant", "labelled", "mutants_of")

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
NEGATED_BY_SWAP = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
NOT_LOOKED_INTO = {"decorator_list", "args", "returns", "annotation", "type"}
"""The fields of a function that are not its body; and what an `except` catches."""
LOOKED_INTO = (ast.stmt, ast.expr, ast.comprehension, ast.excepthandler, ast.keyword, ast.withitem)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Mutant:
    """One mistake: `new` in the place of `old`, which is the field of `parent` (the `index`th there, in a list)."""

    function: str
    parent: ast.AST
    field: str
    index: int | None
    old: ast.expr | ast.stmt
    new: ast.expr | ast.stmt

    @property
    def label(self) -> str:
        """What it is called, wherever it stands in its file."""
        old, new = _shown(self.old), "" if isinstance(self.new, ast.If) else _shown(self.new)
        if isinstance(self.old, ast.Return) and self.old.value:
            new = "return None"
        if isinstance(self.old, ast.Constant):
            old = f"{old} in {_shown(self.parent)}"
        return f"{self.function}: {old} -> {new or 'nothing'}"

    @property
    def lines(self) -> range:
        """The lines of what is changed."""
        return range(self.old.lineno, (self.old.end_lineno or self.old.lineno) + 1)

    def apply(self) -> None:
        """Make the mistake in the tree, for good."""
        new = ast.fix_missing_locations(ast.copy_location(self.new, self.old))
        if self.index is None:
            setattr(self.parent, self.field, new)
        else:
            getattr(self.parent, self.field)[self.index] = new


def labelled(mutants: Iterable[Mutant]) -> Iterator[tuple[str, Mutant]]:
    """Each with a label of its own."""
    seen: Counter[str] = Counter()
    for mutant in mutants:
        label = mutant.label
        seen[label] += 1
        yield (f"{label} ({seen[label]})" if seen[label] > 1 else label), mutant


def mutants_of(tree: ast.AST, function: str = "", *, inside: bool = False) -> Iterator[Mutant]:
    """Every mistake that can be made in the bodies of the functions of a module."""
    fields: Iterator[tuple[str, object]] = ast.iter_fields(tree)
    for field, value in fields:
        if inside and field in NOT_LOOKED_INTO and not isinstance(tree, ast.Call):
            continue
        many = isinstance(value, list)
        nodes = cast("list[object]", value if many else [value])
        for index, node in enumerate(nodes):
            if not isinstance(node, LOOKED_INTO) or _says_something(node):
                continue
            name, is_function = function, isinstance(node, FUNCTIONS)
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                name = f"{function}.{node.name}".strip(".")
            elif inside and isinstance(node, (ast.stmt, ast.expr)):
                for new in _changes(node, is_test=field in {"test", "ifs"}):
                    yield Mutant(function, tree, field, index if many else None, node, new)
            if inside or isinstance(node, ast.stmt):
                yield from mutants_of(node, name, inside=inside or is_function)


def _says_something(node: ast.AST) -> bool:
    """Whether it is there for those who read: a docstring, a message, what a type checker needs to be told."""
    if isinstance(node, ast.Raise):
        return "NotImplementedError" in ast.dump(node) or "AssertionError" in ast.dump(node)
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    is_cast = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast"
    return is_text or is_cast or isinstance(node, (ast.Assert, ast.JoinedStr))


def _changes(node: ast.stmt | ast.expr, *, is_test: bool) -> Iterator[ast.stmt | ast.expr]:
    if isinstance(node, ast.stmt):
        yield from _of_statement(node)
        return
    yield from _of_expression(node)
    if is_test and not _is_negated_anyhow(node):
        yield ast.UnaryOp(ast.Not(), node)


def _is_negated_anyhow(node: ast.expr) -> bool:
    if isinstance(node, ast.Compare):
        return isinstance(node.ops[0], NEGATED_BY_SWAP)
    return isinstance(node, ast.Constant) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))


def _of_expression(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for number, op in enumerate(node.ops):
            ops = [*node.ops[:number], COMPARISONS[type(op)](), *node.ops[number + 1 :]]
            yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield ast.Constant(node.value + 1)


def _of_statement(node: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(node, ast.Return) and isinstance(node.value, ast.expr):
        if not isinstance(node.value, ast.Constant):
            yield ast.If(ast.Constant(False), [node], [ast.Return(ast.Constant(None))])
    elif isinstance(node, (ast.Break, ast.Continue)):
        yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()
    elif isinstance(node, ast.AugAssign) and type(node.op) in OPERATORS:
        yield ast.AugAssign(node.target, OPERATORS[type(node.op)](), node.value)
    elif _can_be_left_out(node):
        # What stands in `if False:` is not done, and the function still has its variables.
        yield ast.If(ast.Constant(False), [node], cast("list[ast.stmt]", []))


def _can_be_left_out(node: ast.stmt) -> bool:
    """Not what gives a variable its value: without it nothing would work."""
    if isinstance(node, ast.Assign):
        return any(not isinstance(target, ast.Name) for target in node.targets)
    if isinstance(node, ast.AnnAssign):
        return node.value is not None and not isinstance(node.target, ast.Name)
    return isinstance(node, (ast.Expr, ast.Delete, ast.Raise, ast.Return, ast.AugAssign))


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 70 else f"{text[:67]}..."
