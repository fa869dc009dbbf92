"""Arithmetic in cuts: what counts, what is missing, and what is refused."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixz.data.expressions import columns_of, evaluate
from mixz.errors import MixzError

TABLE = {"a": np.array([1.0, 4.0, np.nan]), "b": np.array([0.0, 2.0, 1.0])}


def no_bits(name: str) -> Any:
    """None of these expressions tests bits."""
    raise AssertionError(name)


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
    np.testing.assert_allclose(evaluate(expression, TABLE.__getitem__, bits=no_bits), expected)


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
        "a[0:1]",
        "f'{a}'",
        "(c := a)",
        "[x for x in a]",
        "{a}",
        "*a",
        "a if b else 1",
        "a and b",
        "not a",
        "~a",
        "a // b",
        "a % b",
        "a << 2",
        "max()",
        "max(*a)",
        "max(**a)",
        "abs(x=a)",
        "abs(a, x=b)",
        "log10(a, b)",
        "sqrt(a, b)",
        "isnan(a, b)",
        "sum(a)",
        "max(a)(b)",
        "a @ b",
        "a + True",
        "a + None",
        "a + 1j",
        "a + 'b'",
        "a; b",
        "a\nb",
        "import os",
        "a + \0",
        "a + \ud800",
        "",
        "   ",
        "3 + 4",
        "a & b",
        "a & 4.0",
        "a & -4",
        "4 & a",
        "a | 4",
        "a & (1 << 64)",
        "a & 0x10000000000000000",
        "(a + 1) & 4",
        "1 is a",
        "1if a else b",
    ],
)
def test_what_is_no_arithmetic(expression: str) -> None:
    with pytest.raises(MixzError, match="neither a column nor arithmetic"):
        evaluate(expression, TABLE.__getitem__, bits=no_bits)
    with pytest.raises(MixzError, match="neither a column nor arithmetic"):
        columns_of(expression, ["a", "b"])


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 100_000 + "a" + ")" * 100_000,
        "(" * 150 + "a" + ")" * 150 + "+",
        "-" * 4000 + "a",
        "+".join(["a"] * 2000),
        "**".join(["9"] * 2000) + "+ a",
        "a + " + "9" * 4900,
        "a + 0x" + "f" * 4900,
        "a + 1e999",
        "max(" * 150 + "a" + ")" * 150,
        "a" * 10_000_000,
        "a & " + "9" * 4900,
        "a & (1 << " + "9" * 4200 + ")",
        "a & (1 << (1 << (1 << 60)))",
    ],
    ids=range(13),
)
def test_what_is_too_large_is_refused_at_once(expression: str) -> None:
    started = time.perf_counter()
    with pytest.raises(MixzError) as refusal:
        columns_of(expression, ["a"])
    assert time.perf_counter() - started < 1
    assert len(str(refusal.value)) < 1000, "the message does not repeat it all"


@pytest.mark.parametrize("power", ["10**10**10", "9**9**9**9", "2**5000"])
def test_huge_powers_are_infinite_and_missing(power: str) -> None:
    assert np.isnan(evaluate(f"a * {power}", TABLE.__getitem__, bits=no_bits)).all()


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("a & 4 == 0", "write column: a & 4, equals: 0"),
        ("(a & 4) != 0", "correct the cut"),
        ("a + b < 3", r"write column: a \+ b, below: 3"),
        ("a >= 2", "write column: a, min: 2"),
    ],
)
def test_comparisons_belong_beside_the_column(written: str, advice: str) -> None:
    with pytest.raises(MixzError, match=f"(?s)neither a column nor arithmetic.*{advice}"):
        columns_of(written, ["a", "b"])


def test_a_column_may_be_called_like_a_function() -> None:
    assert columns_of("max(min, 1) + abs", ["min", "abs"]) == ["abs", "min"]
    assert columns_of("max(a)", ["a"]) == ["a"]


BITS = {
    "flags": (np.array([0, 5, 2**63, 2**64 - 1, 7], dtype=np.uint64), np.array([False, False, False, False, True])),
    "more": (np.array([4, 0, 1, 0, 0], dtype=np.uint64), np.zeros(5, dtype=bool)),
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("flags & 4", [0, 4, 0, 4, None]),
        ("flags & (4 | 1)", [0, 5, 0, 5, None]),
        ("flags & 0x8000000000000001", [0, 1, 2**63, 2**63 + 1, None]),
        ("flags & (1 << 63)", [0, 0, 2**63, 2**63, None]),
        ("(flags | more) & 5", [4, 5, 1, 5, None]),
        ("(flags & 4) / 4 + 1", [1, 2, 1, 2, None]),
        ("flags & 5 & 4", [0, 4, 0, 4, None]),
    ],
)
def test_bits_are_exact(expression: str, expected: list[int | None]) -> None:
    found = evaluate(expression, TABLE.__getitem__, bits=BITS.__getitem__)
    assert [None if missing else int(value) for value, missing in zip(found, found.isna(), strict=True)] == expected


def trees() -> st.SearchStrategy[str]:
    """Arithmetic of a and b; F marks numbers, so that numpy reckons with floats too."""
    numbers = st.one_of(st.integers(0, 10**6), st.floats(0, 1e6, allow_nan=False)).map("F({})".format)
    leaves = st.one_of(st.sampled_from(["a", "b"]), numbers)

    def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner),
            st.builds("(-{})".format, inner),
            st.builds("{}({})".format, st.sampled_from(["abs", "sqrt", "log10", "isnan"]), inner),
            st.builds("{}({}, {})".format, st.sampled_from(["max", "min"]), inner, inner),
        )

    return st.recursive(leaves, grown, max_leaves=12).map(lambda text: f"a + {text}")


@given(expression=trees())
@settings(max_examples=150, deadline=None)
def test_arithmetic_is_numpys(expression: str) -> None:
    table = {"a": np.array([0.0, 0.5, -3.0, np.nan]), "b": np.array([2.0, 0.0, 1e5, 1.0])}
    words = {"max": np.maximum, "min": np.minimum, "abs": np.abs, "sqrt": np.sqrt, "log10": np.log10}
    words |= {"isnan": lambda values: np.isnan(values) * 1.0, "F": np.float64}
    with np.errstate(all="ignore"):
        expected = eval(expression, table | words)
    found = evaluate(expression.replace("F", ""), table.__getitem__, bits=no_bits)
    np.testing.assert_array_equal(found, np.where(np.isinf(expected), np.nan, expected))


@given(expression=st.text(st.sampled_from("ab0123.&|<>=()[]{}+-*/%~^!,;:'\"\\#@ \t\nefjxlmnos_\0é\ud800"), max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_text_is_arithmetic_or_refused(expression: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            names = columns_of(expression, [])
        except MixzError:
            return
        assert names
        whole = np.array([1, 2], dtype=np.uint64), np.array([False, False])
        columns = dict.fromkeys(names, np.array([1.0, np.nan]))
        found = evaluate(expression, columns.__getitem__, bits=dict.fromkeys(names, whole).__getitem__)
    assert len(found) == 2


def test_a_column_may_have_any_name() -> None:
    assert columns_of("mag-g", ["mag-g", "mag"]) == ["mag-g"]
    assert columns_of("mag-g", ["mag", "g"]) == ["mag", "g"]
