"""Small faults to put into a module, one at a time: a turned comparison, another number, no ``not``, ``None`` returned.

`faults(tree)` lists them, `mutated(tree, fault)` is the module with one of them.  Left alone are docstrings,
annotations, decorators, what only type checkers see, error messages, and sentences for people (strings with a space).
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER_WAY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
AT_THE_EDGE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}


@dataclass(frozen=True)
class Fault:
    """One change: at the `place`-th node of the tree as `ast.walk` meets them, of a `kind`, to its part `part`.

    `function` has the first and the last line of the function that it is in; None where it is in none.
    """

    place: int
    kind: str
    part: int
    line: int
    function: tuple[int, int] | None


def faults(tree: ast.Module) -> list[Fault]:
    """Every fault that can be put into a module, in the order of its lines."""
    spared = set(map(id, _spared(tree)))
    functions = _functions(tree)
    found = [
        Fault(place, kind, part, node.lineno, functions.get(id(node)))
        for place, node in enumerate(ast.walk(tree))
        if id(node) not in spared and isinstance(node, ast.stmt | ast.expr)
        for kind, part in _kinds(node)
    ]
    return sorted(found, key=lambda one: (one.line, one.place, one.kind, one.part))


def mutated(tree: ast.Module, fault: Fault) -> ast.Module:
    """A copy of a module with one fault in it."""
    changed = copy.deepcopy(tree)
    node = next(node for place, node in enumerate(ast.walk(changed)) if place == fault.place)
    _change(node, fault)
    return ast.fix_missing_locations(changed)


def _kinds(node: ast.AST) -> Iterator[tuple[str, int]]:
    """What can be changed at a node, and at which of its parts."""
    match node:
        case ast.Compare(ops=ops):
            yield from (("comparison", part) for part in range(len(ops)))
            yield from (("edge", part) for part, op in enumerate(ops) if type(op) in AT_THE_EDGE)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            yield "arithmetic", 0
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield "sign", 0
        case ast.BoolOp():
            yield "and-or", 0
        case ast.Constant(value=bool() | int() | float()):
            yield "number", 0
        case ast.Constant(value=str() as word) if " " not in word:
            yield "word", 0
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield "return", 0
        case ast.If() | ast.IfExp() | ast.While():
            yield "condition", 0
        case ast.Expr(value=ast.Call()):
            yield "dropped", 0
        case ast.Break() | ast.Continue():
            yield "jump", 0


def _change(node: ast.AST, fault: Fault) -> None:
    """Put the fault into its node."""
    match node:
        case ast.Compare(ops=ops):
            ops[fault.part] = (OTHER_WAY if fault.kind == "comparison" else AT_THE_EDGE)[type(ops[fault.part])]()
        case ast.BinOp() | ast.AugAssign():
            node.op = ARITHMETIC[type(node.op)]()
        case ast.UnaryOp():
            node.operand = ast.UnaryOp(node.op, node.operand)
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.Constant(value=bool() as truth):
            node.value = not truth
        case ast.Constant(value=int() | float() as number):
            node.value = number + 1
        case ast.Constant(value=str() as word):
            node.value = f"not {word}"
        case ast.Return():
            node.value = ast.Constant(None)
        case ast.If() | ast.IfExp() | ast.While():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Expr():
            node.value = ast.Constant(None)
        case ast.Break():
            node.__class__ = ast.Continue
        case ast.Continue():
            node.__class__ = ast.Break


def _spared(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes that are left alone."""
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Raise() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
                parts = [node]
            case ast.FunctionDef():
                parts = [*node.decorator_list, node.returns]
            case ast.ClassDef():
                parts = [*node.decorator_list, *node.bases]
            case ast.arg() | ast.AnnAssign():
                parts = [node.annotation]
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                parts = [node]
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                parts = [node]
        for part in parts:
            if part is not None:
                yield from ast.walk(part)


def _functions(tree: ast.Module) -> dict[int, tuple[int, int]]:
    """For each node in a function the first and last line of the outermost one, decorators included."""
    found: dict[int, tuple[int, int]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            for part in ast.walk(node):
                found.setdefault(id(part), (first, node.end_lineno or node.lineno))
    return found
