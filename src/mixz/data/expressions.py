"""Arithmetic of columns, as cuts write it: `lp_chi2_best / lp_NbFilt`, `max(a - b, b - c) / (1 + b)`."""

from __future__ import annotations

import ast
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mixz.arrays import Floats

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
}

# A missing value anywhere makes the result missing, but for `isnan`, which gives 1 or 0.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "isnan": lambda values: np.isnan(values).astype(np.float64),
    "log10": np.log10,
    "max": lambda *values: reduce(np.maximum, values),
    "min": lambda *values: reduce(np.minimum, values),
    "sqrt": np.sqrt,
}


def columns_of(expression: str, available: Sequence[str]) -> list[str]:
    """List the columns that an expression speaks of; a text that is the name of a column is that column.

    Raises
    ------
    MixzError
        It is neither a column nor arithmetic.

    Examples
    --------
    >>> columns_of("lp_chi2_best / max(lp_NbFilt, 1)", ["lp_chi2_best", "lp_NbFilt"])
    ['lp_chi2_best', 'lp_NbFilt']
    >>> columns_of("mag-g", ["mag-g"])
    ['mag-g']
    """
    if expression in available:
        return [expression]
    nodes = list(ast.walk(_parsed(expression)))
    for node in nodes:
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS):
            raise _refusal(expression, ast.unparse(node))
    return list(dict.fromkeys(n.id for n in nodes if isinstance(n, ast.Name) and n.id not in FUNCTIONS))


def evaluate(expression: str, column: Callable[[str], Floats], available: Sequence[str] = ()) -> Floats:
    """Compute an expression from columns of shape (galaxy,).

    Parameters
    ----------
    expression
        Numbers, names of columns, ``+ - * / **``, parentheses and the functions of `FUNCTIONS`.
    column
        Gives a column by its name.
    available
        Names of columns that are no Python names, e.g. ``mag-g``.

    Raises
    ------
    MixzError
        It is neither a column nor arithmetic.

    Examples
    --------
    >>> table = {"low": np.array([0.4, 0.9]), "z": np.array([0.5, 1.0])}
    >>> evaluate("(z - low) / (1 + z)", table.__getitem__).round(3)
    array([0.067, 0.05 ])
    """
    if expression in available:
        return column(expression)
    # Division by zero is a value like any other: infinite, and then missing.
    with np.errstate(all="ignore"):
        values = np.asarray(_value(_parsed(expression).body, column, expression), dtype=np.float64)
    return np.where(np.isinf(values), np.nan, values)


def _parsed(expression: str) -> ast.Expression:
    try:
        return ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError):
        raise _refusal(expression, expression) from None


def _value(node: ast.AST, column: Callable[[str], Floats], expression: str) -> Any:
    def value(inner: ast.AST) -> Any:
        return _value(inner, column, expression)

    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return column(name)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](value(left), value(right))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            return OPERATORS[type(op)](value(operand))
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as arguments, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*map(value, arguments))
    raise _refusal(expression, ast.unparse(node))


def _refusal(expression: str, part: str) -> MixzError:
    place = "" if part == expression else f" (at {part!r})"
    return MixzError(
        f"{expression!r} is neither a column nor arithmetic of columns{place}",
        f"numbers, columns, + - * / **, parentheses, and {', '.join(FUNCTIONS)}",
        "correct the cut's `column`",
    )
