"""Cuts: bounds, equality of numbers, truth values and text, bits, repeats, and what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from mixz.data.cuts import Ledger, kept, passes
from mixz.errors import MixzError
from mixz.surveys.columns import Cut


def kept_of(values: Any, column: str = "a", dtype: Any = None, **condition: Any) -> list[bool]:
    """Which values a cut keeps."""
    frame = pd.DataFrame({"a": pd.Series(values, dtype=dtype)})
    return [bool(keep) for keep in kept(Cut(name="c", column=column, **condition), frame, where="demo")]


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


@pytest.mark.parametrize("dtype", [None, "Int64", "float32", str])
def test_ninety_nine_is_a_number_and_infinity_is_none(dtype: Any) -> None:
    assert kept_of([80, 99, -99], dtype=dtype, min=95) == [False, True, False]
    assert kept_of([80, 99, -99], "a + 0", dtype=dtype, min=95) == [False, True, False]
    assert kept_of([1, np.inf, np.nan], min=0) == [True, False, False]
    assert kept_of(["1", "inf", ""], min=0, missing="keep") == [True, True, True]


TRUE_FALSE_MISSING = [True, False, False]


@pytest.mark.parametrize(
    ("values", "dtype", "wanted"),
    [
        (["GALAXY", "STAR", None], None, "GALAXY"),
        (["GALAXY ", "galaxy", ""], None, " GALAXY"),
        ([b"GALAXY  ", b"STAR", b""], object, "GALAXY"),
        (["GALAXY", "STAR", None], "category", "GALAXY"),
        (["GALAXY", "STAR", None], "string", ["GALAXY", "QSO"]),
        (["1", "2", ""], None, 1),
        (["1", "2", ""], None, "1"),
        (["1.0", "2", "nan"], None, 1),
        (["1", "2", None], None, [1, "x"]),
        ([1, 2, None], "Int64", "1"),
        ([1, 2, None], "UInt8", 1),
        ([1, 2, None], "Int16", [1, 300]),
        ([1, 2, None], "Int64", [1, 10**19]),
        ([1.0, 2.0, np.nan], None, "1"),
        ([0.1, 0.2, np.nan], "float32", 0.1),
        ([0.1, 0.2, np.nan], "Float32", 0.1),
        ([0.1, 0.2, np.inf], None, 0.1),
        ([2**53 + 1, 2**53, None], "Int64", 2**53 + 1),
        ([2**64 - 1, 2**64 - 2, None], "UInt64", 2**64 - 1),
        ([str(2**64 - 1), str(2**64 - 2), None], None, 2**64 - 1),
        ([f"+0{2**60 + 1}", str(2**60), None], None, 2**60 + 1),
        ([str(-(2**60) - 1), str(-(2**60)), None], None, -(2**60) - 1),
        ([True, False, None], "boolean", True),
        ([True, False, None], "boolean", "T"),
        ([True, False, None], "boolean", 1),
        ([True, False, None], object, True),
        (["T", "F", ""], None, True),
        (["True", "False", ""], None, 1),
        (["yes", "no", ""], None, True),
        ([1, 0, None], "Int64", True),
        ([1.0, 0.0, None], None, True),
    ],
)
def test_equality_is_of_values_not_of_formats(values: list[Any], dtype: Any, wanted: Any) -> None:
    assert kept_of(values, dtype=dtype, equals=wanted) == TRUE_FALSE_MISSING
    assert kept_of(values, dtype=dtype, equals=wanted, missing="keep") == [True, False, True]
    assert kept_of(values[1:], dtype=dtype, equals=wanted) == [False, False]


@pytest.mark.parametrize(
    ("values", "wanted", "message"),
    [
        ([1, 2], "GALAXY", "holds numbers, and a cut compares it with 'GALAXY'"),
        ([1.5, 2], "GALAXY", "holds numbers, and a cut compares it with 'GALAXY'"),
        ([True, False], "GALAXY", "holds truth values"),
        (["GALAXY", "STAR"], 3, "row 1 holds 'GALAXY'"),
    ],
)
def test_text_and_numbers_are_not_mixed_up(values: list[Any], wanted: Any, message: str) -> None:
    with pytest.raises(MixzError, match=message):
        kept_of(values, equals=wanted)


def test_text_needs_a_column() -> None:
    with pytest.raises(MixzError, match="column 'a \\+ 1' holds numbers, and a cut compares it with 'GALAXY'"):
        kept_of([1, 2], "a + 1", equals="GALAXY")
    with pytest.raises(MixzError, match="demo has no column 'b'"):
        kept_of([1, 2], "b + 1", equals=1)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([4, 3, None], "Int64"),
        ([4, 3, None], "UInt8"),
        (["4", "3", ""], None),
        (["4.0", "3e0", "nan"], None),
        ([4.0, 3.0, np.nan], None),
        ([-(2**63) + 4, -(2**63), None], "Int64"),
        ([2**64 - 1, 2**64 - 5, None], "UInt64"),
        ([str(2**64 - 1), str(2**64 - 5), None], None),
        ([-1, -5, None], "Int16"),
    ],
)
def test_bits_of_every_kind_of_whole_number(values: list[Any], dtype: Any) -> None:
    assert kept_of(values, "a & 4", dtype=dtype, equals=4) == [True, False, False]
    assert kept_of(values, "a & 4", dtype=dtype, equals=0, missing="keep") == [False, True, True]
    assert kept_of(values, "a & 0x4", dtype=dtype, above=0) == [True, False, False]


def test_bits_are_compared_in_all_their_digits() -> None:
    flags = [2**63 + 1, 2**63]
    assert kept_of(flags, f"a & {2**64 - 1}", dtype="UInt64", equals=2**63 + 1) == [True, False]


@pytest.mark.parametrize("values", [[1.5], [2.0**53], [1e300], [str(2**64)], ["x"], [str(2**80)]])
def test_what_has_no_bits(values: list[Any]) -> None:
    with pytest.raises(MixzError, match="demo column 'a'"):
        kept_of(values, "a & 4", equals=0)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([2**60, 2**60 + 1, 2**60, None], "Int64"),
        ([2**64 - 1, 2**64 - 2, 2**64 - 1, None], "UInt64"),
        (["x", "y", "x ", ""], None),
        ([b"x", b"y", b"x ", b""], object),
        ([1.0, 2.0, 1.0, np.inf], None),
    ],
)
def test_repeats_are_exact(values: list[Any], dtype: Any) -> None:
    assert kept_of(values, dtype=dtype, repeated="first") == [True, True, False, False]
    assert kept_of(values, dtype=dtype, repeated="drop", missing="keep") == [False, True, False, True]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({}, "needs min, max"),
        ({"equals": 1, "repeated": "first"}, "repeated stands alone"),
        ({"equals": "x", "min": 0}, "equals stands alone"),
        ({"equals": []}, "keeps nothing"),
        ({"equals": " "}, "empty text is a missing value"),
        ({"equals": [1, ""]}, "empty text is a missing value"),
        ({"equals": {"a": 1}}, "a number, true or false, text, or a list"),
        ({"equals": [[1]]}, "a number, true or false, text, or a list"),
        ({"equals": float("nan")}, "a number, true or false, text, or a list"),
        ({"equals": 10**400}, "a number, true or false, text, or a list"),
        ({"min": 1, "above": 1}, "two lower bounds"),
        ({"min": 2, "max": 1}, "nothing lies between 2 and 1"),
        ({"above": 1, "max": 1}, "nothing lies between 1 and 1"),
        ({"min": True}, "no truth value can stand there"),
    ],
)
def test_conditions_that_nobody_meant(condition: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as refusal:
        Cut(name="c", column="a", **condition)
    assert refusal.value.error_count() == 1


def test_numbers_name_a_cut_as_they_always_did() -> None:
    cut = Cut(name="c", column="a", equals=1)
    assert cut.model_dump(mode="json")["equals"] == 1.0
    assert repr(cut.model_dump()["equals"]) == "1.0", "the digest of a run goes by it"
    for equals in (True, "x", 2**60 + 1, ("x", 1, False)):
        cut = Cut(name="c", column="a", equals=equals)
        assert Cut.model_validate(cut.model_dump(mode="json")) == cut
