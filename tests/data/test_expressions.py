"""Arithmetic in cuts: what counts, what is missing, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from mixz.data.cuts import Ledger, passes
from mixz.data.expressions import columns_of, evaluate
from mixz.errors import MixzError
from mixz.surveys.columns import Cut

TABLE = {"a": np.array([1.0, 4.0, np.nan]), "b": np.array([0.0, 2.0, 1.0])}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a", [1, 4, np.nan]),
        ("a / b", [np.nan, 2, np.nan]),
        ("-a ** 2 + 1", [0, -15, np.nan]),
        ("max(a, b, 3)", [3, 4, np.nan]),
        ("min(a, b)", [0, 2, np.nan]),
        ("isnan(a)", [0, 0, 1]),
        ("sqrt(abs(-a))", [1, 2, np.nan]),
        ("log10(b)", [np.nan, np.log10(2), 0]),
    ],
)
def test_arithmetic(expression: str, expected: list[float]) -> None:
    np.testing.assert_allclose(evaluate(expression, TABLE.__getitem__), expected)


@pytest.mark.parametrize(
    "expression",
    [
        "a +",
        "a < b",
        "open('x')",
        "a.real",
        "a[0]",
        "__import__('os')",
        "'a'",
        "lambda: 1",
        "max()",
        "abs(x=a)",
        "a @ b",
    ],
)
def test_what_is_no_arithmetic(expression: str) -> None:
    with pytest.raises(MixzError, match="neither a column nor arithmetic"):
        evaluate(expression, TABLE.__getitem__)


def test_a_column_may_have_any_name() -> None:
    assert columns_of("mag-g", ["mag-g", "mag"]) == ["mag-g"]
    assert columns_of("mag-g", ["mag", "g"]) == ["mag", "g"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [({"min": 1}, [0, 1, 1]), ({"above": 1}, [0, 0, 1]), ({"max": 1}, [1, 1, 0]), ({"below": 1}, [1, 0, 0])],
)
def test_bounds_and_what_lies_on_them(condition: dict[str, float], expected: list[int]) -> None:
    assert passes(Cut(name="c", column="a", **condition), np.array([0.5, 1, 2])).tolist() == [bool(x) for x in expected]


def test_the_cut_that_takes_all_is_named() -> None:
    ledger = Ledger()
    ledger.apply("t", "first", np.array([True, False]))
    with pytest.raises(MixzError, match="t: no galaxy is left after 'second' .first 2 -> 1, second 1 -> 0."):
        ledger.apply("t", "second", np.array([False]))
