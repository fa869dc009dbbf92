"""Galaxies' names: ids are names and never numbers, exact in every type that files have them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from mixz.data.meaning.numbers import doubles, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXACT = 2.0**53
"""Whole numbers beyond this are rounded in double precision."""


def as_names(values: pd.Series[Any]) -> pd.Series[Any]:
    """A column of ids as names that any table can hold: whole numbers as they are, all else as text; missing stays so.

    Whole numbers that a file has in floating point are written as whole numbers; text of digits stays as it is written.

    Examples
    --------
    >>> as_names(pd.Series([1000.0, 12.5, None])).tolist()
    ['1000', '12.5', None]
    >>> as_names(pd.Series([b"0001", "101e1"])).tolist()
    ['0001', '101e1']
    >>> as_names(pd.Series(pd.array([2**62 + 1, None], "Int64"))).tolist()
    [4611686018427387905, <NA>]
    """
    if values.dtype.kind in "iu" or (
        isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.categories.dtype.kind in "iu"
    ):
        return values if values.dtype.kind in "iu" else values.astype("Int64")
    if values.dtype.kind == "f":
        plain = doubles(values)
        named = [
            None if v != v else str(int(v)) if v == np.floor(v) and abs(v) < np.inf else repr(v) for v in plain.tolist()
        ]
    elif values.dtype == object and (whole := _whole(values)) is not None:
        return whole
    else:
        named = words(values).to_pylist()
    return pd.Series(named, index=values.index, dtype=object, name=values.name)


def _whole(values: pd.Series[Any]) -> pd.Series[Any] | None:
    """Objects that are Python's whole numbers, or missing, as a column of such."""
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind != "integer":
        return None
    try:
        return values.astype("Int64")
    except (OverflowError, TypeError, ValueError):
        try:
            return values.astype("UInt64")
        except (OverflowError, TypeError, ValueError):
            return None


def identities(values: pd.Series[Any]) -> NDArray[Any]:
    """Text by which the same galaxy is known in every file, shape (row,); None where it has no name.

    1000, 1000.0, "1000.0" and b"1000" are one galaxy; "0001" and "1" are two.

    Examples
    --------
    >>> [identities(pd.Series(ids)).tolist() for ids in ([1000], [1000.0], ["1000.0"], [b"1000"], ["0001"], [None])]
    [['1000'], ['1000'], ['1000'], ['1000'], ['0001'], [None]]
    """
    names = as_names(values)
    if names.dtype.kind in "iu":
        return np.array([None if v is pd.NA else str(v) for v in names.tolist()], dtype=object)
    if values.dtype.kind == "f":
        return np.array(names, dtype=object)
    return np.array(pc.replace_substring_regex(words(names), r"^([+-]?\d+)\.0*$", r"\1").to_pylist(), dtype=object)


ROUNDED = "ids are floating-point numbers beyond what these hold exactly: neighbours may have become one"
"""What to say of ids that are rounded already where they come from."""


def are_rounded(values: pd.Series[Any]) -> bool:
    """Whether ids are whole numbers in floating point, so large that neighbours became one."""
    if values.dtype.kind != "f":
        return False
    plain = doubles(values)
    limit = 2.0**24 if values.dtype == np.float32 else EXACT
    return bool((np.abs(plain[np.isfinite(plain)]) > limit).any())
