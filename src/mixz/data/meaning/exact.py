"""A column's values as they are, never rounded: their bits, their text, and whether they equal what a config writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixz.data.meaning.numbers import numbers, words
from mixz.errors import MixzError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats, Mask

EXACT = 2**53
"""Up to here every whole number is a float of its own."""

TRUTH_WORDS = {"true": True, "t": True, "yes": True, "y": True, "1": True, "1.0": True} | {
    "false": False, "f": False, "no": False, "n": False, "0": False, "0.0": False
}  # fmt: skip
"""How tables write truth values, in either case."""


def plain(values: pd.Series[Any]) -> pd.Series[Any]:
    """A column with its text stripped of blanks and its bytes decoded; empty text, NaN and infinities are missing.

    Examples
    --------
    >>> plain(pd.Series([" GALAXY", b"STAR ", "", None])).tolist()
    ['GALAXY', 'STAR', None, None]
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if values.dtype.kind == "f":
        return values.mask(np.isinf(values.to_numpy(dtype=np.float64, na_value=np.nan)))
    if not is_text(values):
        return values
    return pd.Series(words(values).to_pylist(), index=values.index, name=values.name, dtype=object)


def is_text(values: pd.Series[Any]) -> bool:
    """Whether a column holds text, or what is only known as written."""
    return bool(pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values))


def floats(values: pd.Series[Any], *, where: str) -> Floats:
    """A column as numbers; 99 is one, as it stands for "not measured" in magnitudes only, and infinities are missing.

    Raises
    ------
    MixzError
        The column holds text that is no number, or what is none at all.

    Examples
    --------
    >>> floats(pd.Series(["99", "inf", ""]), where="demo")
    array([99., nan, nan])
    """
    name = str(values.name)
    found = numbers(values.to_frame(name), name, where=where)
    return np.where(np.isinf(found), np.nan, found)


def bits(values: pd.Series[Any], *, where: str) -> tuple[NDArray[np.uint64], Mask]:
    """The 64 bits of whole numbers, and which rows have none; negative numbers are in two's complement.

    Raises
    ------
    MixzError
        The column holds fractions, floats too large to be exact, numbers of more than 64 bits, or other text.

    Examples
    --------
    >>> bits(pd.Series(["9007199254740993", "", "-1"]), where="flags")
    (array([    9007199254740993,                    0, 18446744073709551615],
          dtype=uint64), array([False,  True, False]))
    """
    values = plain(values)
    missing = values.isna().to_numpy()
    if values.dtype.kind in "iub":
        whole = values.to_numpy(dtype=np.uint64 if values.dtype.kind == "u" else np.int64, na_value=0)
        return whole.astype(np.uint64), missing
    if not is_text(values):
        return _bits_of_floats(values, where), missing
    said = values.mask(missing, "0")
    digits = said.str.fullmatch(r"[+-]?[0-9]{1,20}").to_numpy(dtype=bool)
    exact = [int(word) for word in said[digits]]
    if any(not -(2**63) <= number < 2**64 for number in exact):
        raise _no_bits(values, where, "numbers of more than 64 bits")
    found = np.zeros(len(values), dtype=np.uint64)
    found[digits] = np.array([number % 2**64 for number in exact], dtype=np.uint64)
    found[~digits] = _bits_of_floats(values[~digits], where)
    return found, missing


def _bits_of_floats(values: pd.Series[Any], where: str) -> NDArray[np.uint64]:
    found = np.nan_to_num(floats(values, where=where), nan=0)
    if not np.all((found == np.rint(found)) & (np.abs(found) < EXACT)):
        raise _no_bits(values, where, "fractions, or floats of 2^53 and more, which are rounded")
    return found.astype(np.int64).astype(np.uint64)


def _no_bits(values: pd.Series[Any], where: str, what: str) -> MixzError:
    return MixzError(
        f"{where} column {values.name!r} holds {what}: they have no bits to test",
        "whole numbers of up to 64 bits",
        "correct the cut's `column`",
    )


def equal(values: pd.Series[Any], wanted: float | str, *, where: str) -> Mask:
    """Which rows equal what a config writes, shape (row,); missing values equal nothing.

    Text is compared exactly, numbers and truth values by what they are, and whole numbers in all their digits,
    however the table stores them and whether or not the config puts them in quotes.

    Parameters
    ----------
    values
        A column as `plain` gives it.
    wanted
        A number, a truth value or text.
    where
        The table, for messages.

    Raises
    ------
    MixzError
        The column holds numbers and text is wanted, or the other way round.

    Examples
    --------
    >>> equal(pd.Series(["GALAXY", "STAR", None]), "GALAXY", where="demo")
    array([ True, False, False])
    >>> equal(pd.Series([1, 2], dtype="Int64"), "1", where="demo")
    array([ True, False])
    """
    nothing = np.zeros(len(values), dtype=bool)
    if is_text(values):
        return _equal_text(values, wanted, where)
    if values.dtype.kind == "b":
        truth = TRUTH_WORDS.get(str(wanted).strip().lower())
        if truth is None and isinstance(wanted, str):
            raise _unlike(values, wanted, where, "true or false")
        # No word for a truth value, such as 2, equals none.
        return (
            (values.astype("boolean") == truth).to_numpy(dtype=bool, na_value=False) if truth is not None else nothing
        )
    number = _number(wanted)
    if number is None:
        raise _unlike(values, wanted, where, "a number")
    if values.dtype.kind in "iu":
        if number != int(number):
            return nothing
        whole = values.to_numpy(dtype=np.uint64 if values.dtype.kind == "u" else np.int64, na_value=0)
        return np.asarray((whole == int(number)) & values.notna().to_numpy())
    found = floats(values, where=where)
    if number == int(number):
        return np.asarray(found == float(number))
    # A fraction as the column's own precision has it: 0.1 of 4 bytes is another number than 0.1 of 8.
    short = values.dtype in (np.float32, "Float32")
    return np.asarray(found == (float(np.float32(number)) if short else number))


def _equal_text(said: pd.Series[Any], wanted: float | str, where: str) -> Mask:
    if isinstance(wanted, str):
        return np.asarray(said.to_numpy() == wanted)
    lower = said.str.lower()
    if isinstance(wanted, bool) or (wanted in (0, 1) and lower.dropna().isin(TRUTH_WORDS).all()):
        return np.asarray(lower.map(TRUTH_WORDS).to_numpy() == bool(wanted))
    if isinstance(wanted, int):  # too large for a float
        digits = said.str.replace(r"^(-?)\+?0*(?=[0-9])", r"\1", regex=True)
        return np.asarray(digits.to_numpy() == str(wanted))
    return np.asarray(floats(said, where=where) == wanted)


def _number(wanted: float | str) -> float | None:
    """What is wanted as a number, whole ones in all their digits; None for other text."""
    if not isinstance(wanted, str):
        return wanted
    for kind in (int, float):
        try:
            number: float = kind(wanted)
        except ValueError:
            continue
        return number if np.isfinite(number) else None
    return None


def _unlike(values: pd.Series[Any], wanted: object, where: str, allowed: str) -> MixzError:
    kind = "truth values" if values.dtype.kind == "b" else "numbers"
    return MixzError(
        f"{where} column {values.name!r} holds {kind}, and a cut compares it with {wanted!r}",
        allowed,
        "correct the cut's `equals` or `column`",
    )
