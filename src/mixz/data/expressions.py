"""Arithmetic of columns, as cuts write it: `lp_chi2_best / lp_NbFilt`, `max(a - b, b - c) / (1 + b)`, `flags & 4`."""

from __future__ import annotations

import ast
import math
import operator
import warnings
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixz.errors import MixzError, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats, Mask

    Bits = tuple[NDArray[np.uint64], Mask]
    """64 bits of whole numbers, and which rows have none."""

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

OF_SEVERAL = ("max", "min")
"""Functions that take more than one argument."""

BIT_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}

CONDITIONS: dict[type[ast.AST], str] = {
    ast.Eq: "equals",
    ast.Lt: "below",
    ast.LtE: "max",
    ast.Gt: "above",
    ast.GtE: "min",
}
"""The keys of a cut that stand for comparisons."""

MOST_CHARACTERS = 5_000
MOST_LEVELS = 100
"""How long and how deep an expression may be; a sum of 100 columns is 100 levels deep."""


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
    return [expression] if expression in available else _names(_parsed(expression))


def evaluate(expression: str, column: Callable[[str], Floats], *, bits: Callable[[str], Bits]) -> pd.Series[Any]:
    """Compute an expression from columns of shape (galaxy,): floats, and of a bit test whole numbers in all their bits.

    Parameters
    ----------
    expression
        Numbers, names of columns, ``+ - * / **``, parentheses, the functions of `FUNCTIONS`, and ``&`` of columns
        with whole numbers.
    column
        Gives a column by its name, as floats.
    bits
        Gives a column of whole numbers by its name, as their bits and which rows have none.

    Raises
    ------
    MixzError
        It is not arithmetic.

    Examples
    --------
    >>> table = {"low": np.array([0.4, 0.9]), "z": np.array([0.5, 1.0])}
    >>> evaluate("(z - low) / (1 + z)", table.__getitem__, bits=None).round(3).tolist()
    [0.067, 0.05]
    >>> flags = np.array([5, 8], dtype=np.uint64), np.array([False, False])
    >>> evaluate("flags & (4 | 1)", None, bits=lambda name: flags).tolist()
    [5, 0]
    """
    tree = _parsed(expression)
    if _is_bit_test(tree):
        whole, missing = _bits(tree, bits)
        return pd.Series(pd.arrays.IntegerArray(whole, missing), name=expression)
    # Division by zero is a value like any other: infinite, and then missing.
    with np.errstate(all="ignore"):
        values = np.asarray(_value(tree, column, bits), dtype=np.float64)
    return pd.Series(np.where(np.isinf(values), np.nan, values), name=expression)


def _parsed(expression: str) -> ast.expr:
    """The tree of an expression, none of whose nodes is anything but arithmetic."""
    if len(expression) > MOST_CHARACTERS:
        raise _refusal(expression, f"{len(expression)} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of the text is told below, if anything is wrong
            tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _refusal(expression) from None
    level: list[ast.AST] = [tree]
    for _ in range(MOST_LEVELS):
        level = [inner for node in level for inner in ast.iter_child_nodes(node)]
        if not level:
            break
    else:
        raise _refusal(expression, f"more than {MOST_LEVELS} levels deep")
    _require_arithmetic(tree, expression)
    if not _names(tree):
        raise _refusal(expression, "no column in it")
    return tree


def _require_arithmetic(node: ast.expr, expression: str) -> None:
    if _is_bit_test(node):
        return
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and _is_finite(number):
            parts: list[ast.expr] = []
        case ast.Name():
            parts = []
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            parts = [left, right]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            parts = [operand]
        case ast.Call(func=ast.Name(id=name), args=[_, *more] as parts, keywords=[]) if name in FUNCTIONS:
            if more and name not in OF_SEVERAL:
                raise _refusal(expression, f"{name} of {len(parts)}")
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in CONDITIONS:
            column, bound = (shortened(_written(side, expression), 200) for side in (left, right))
            raise _refusal(expression, do=f"write column: {column}, {CONDITIONS[type(op)]}: {bound}")
        case _:
            raise _refusal(expression, _written(node, expression))
    for part in parts:
        _require_arithmetic(part, expression)


def _is_bit_test(node: ast.expr) -> bool:
    """Whether it is ``columns & whole number``, which is never negative."""
    match node:
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            return _are_bits(left) and _mask(right) is not None
    return False


def _are_bits(node: ast.expr) -> bool:
    match node:
        case ast.Name():
            return True
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BIT_OPERATORS:
            return _are_bits(left) and (_are_bits(right) or _mask(right) is not None)
    return False


def _mask(node: ast.expr) -> int | None:
    """The whole number of at most 64 bits that is written there; None for everything else."""
    match node:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return number if number < 2**64 else None
        case ast.BinOp(left=left, op=op, right=right):
            one, other = _mask(left), _mask(right)
            if one is None or other is None:
                return None
            if isinstance(op, ast.LShift):
                return one << other if other < 64 and one << other < 2**64 else None
            return int(BIT_OPERATORS[type(op)](one, other)) if type(op) in BIT_OPERATORS else None
    return None


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _names(tree: ast.expr) -> list[str]:
    """The columns of a tree of arithmetic; a column may be called like a function."""
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions]
    return list(dict.fromkeys(names))


def _value(node: ast.expr, column: Callable[[str], Floats], bits: Callable[[str], Bits]) -> Any:
    if _is_bit_test(node):
        whole, missing = _bits(node, bits)
        return np.where(missing, np.nan, whole.astype(np.float64))
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return column(name)
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](_value(left, column, bits), _value(right, column, bits))
        case ast.UnaryOp(op=op, operand=operand):
            return OPERATORS[type(op)](_value(operand, column, bits))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return FUNCTIONS[name](*[_value(argument, column, bits) for argument in arguments])
    raise AssertionError(node)


def _bits(node: ast.expr, bits: Callable[[str], Bits]) -> Bits:
    match node:
        case ast.Name(id=name):
            return bits(name)
        case ast.BinOp(left=left, op=op, right=right):
            whole, missing = _bits(left, bits)
            mask = _mask(right)
            other, also = (np.uint64(mask), False) if mask is not None else _bits(right, bits)
            return BIT_OPERATORS[type(op)](whole, other), missing | also
    raise AssertionError(node)


def _written(node: ast.expr, expression: str) -> str:
    return ast.get_source_segment(expression.strip(), node) or ""


def _refusal(expression: str, part: str = "", do: str = "correct the cut's `column`") -> MixzError:
    place = f" (at {shortened(part, 200)!r})" if part and part != expression else ""
    return MixzError(
        f"{shortened(expression, 200)!r} is neither a column nor arithmetic of columns{place}",
        f"numbers, columns, + - * / **, columns & whole numbers, parentheses, and {', '.join(FUNCTIONS)}",
        do,
    )
