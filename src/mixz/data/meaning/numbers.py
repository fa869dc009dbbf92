"""Columns as numbers: whatever type they have, NaN where they are empty; nothing else is taken for missing here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mixz.errors import MixzError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats

NOTHING = ("", "nan", "null", "none", "na", "n/a", "<na>", "--")
"""Words, in either case, that say in a column of text that there is nothing."""
LOGICAL = {"true": 1.0, "t": 1.0, "false": 0.0, "f": 0.0}


def require_columns(
    wanted: Iterable[str],
    available: Sequence[str],
    *,
    where: str,
    besides: str = "",
    do: str = "correct the column map",
) -> None:
    """Refuse with every missing column and its nearest names.

    Parameters
    ----------
    wanted, available
        Names of columns.
    where
        The table.
    besides, do
        What else to say of it, e.g. which other tables its file has; and what to do.

    Raises
    ------
    MixzError
        A wanted column is not available.
    """
    there = set(available)
    missing = [name for name in wanted if name not in there]
    if missing:
        shown = ", ".join(available[:40]) + (", ..." if len(available) > 40 else "")
        listed = ", ".join(f"{name!r}{nearest(name, available)}" for name in missing)
        raise MixzError(f"{where} has no column {listed}", f"columns: {shown}{besides}", do)


def column_of(frame: pd.DataFrame, name: str, *, where: str) -> pd.Series[Any]:
    """A column of a table.

    Raises
    ------
    MixzError
        There are several of its name, or none.
    """
    alike = [str(one) for one in frame.columns].count(name)
    if alike > 1:
        raise MixzError(f"{where} has {alike} columns {name!r}", "one of each name", "rename the others")
    require_columns([name], [str(one) for one in frame.columns], where=where)
    return frame[name]


def units_of(frame: pd.DataFrame) -> Mapping[str, str]:
    """The units of a table's columns as its file has them; columns without one are not named."""
    found: Mapping[str, str] = frame.attrs.get("units", {})
    return found


def numbers(frame: pd.DataFrame, column: str, *, where: str) -> Floats:
    """A column as numbers as they are written, 99 and infinities among them; NaN where it is empty.

    Parameters
    ----------
    frame, column
        A table, and the name of one of its columns: of numbers, truth values, or text that says numbers.
    where
        What to call the table.

    Raises
    ------
    MixzError
        The column holds text that is no number, dates, lists or complex numbers, or there are several of its name.

    Examples
    --------
    >>> numbers(pd.DataFrame({"m": ["21.5", "99", "", "NULL"]}), "m", where="demo")
    array([21.5, 99. ,  nan,  nan])
    >>> numbers(pd.DataFrame({"q": pd.array([3, None], "Int64")}), "q", where="demo")
    array([ 3., nan])
    """
    values = column_of(frame, column, where=where)
    if values.dtype.kind in "cmM":
        raise MixzError(f"{where} column {column!r} holds {values.dtype}, no numbers", "numbers", "map another column")
    if pd.api.types.is_numeric_dtype(values):
        return doubles(values)
    return _parsed(values, column, where)


def doubles(values: pd.Series[Any]) -> Floats:
    """A column of numbers in double precision of its own, NaN where it is missing.

    Examples
    --------
    >>> doubles(pd.Series(pd.array([3, None], "Int64")))
    array([ 3., nan])
    """
    with np.errstate(invalid="ignore"):  # a signalling NaN, as damaged files hold, is a NaN like others
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True))


def words(values: pd.Series[Any]) -> pa.Array:
    """A column as text without blanks around it; null where it is missing or says in a word that there is nothing.

    Examples
    --------
    >>> words(pd.Series([b" a ", "NaN", None, 12])).to_pylist()
    ['a', None, None, '12']
    """
    try:
        found = pa.array(values, pa.large_string(), from_pandas=True)
    except (pa.ArrowException, TypeError):
        found = pa.array([_word(value) for value in values.astype(object)], pa.large_string())
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    found = pc.utf8_trim(found, characters=" \t\r\n\0")
    nothing = pc.is_in(pc.utf8_lower(found), value_set=pa.array(NOTHING, pa.large_string()))
    return pc.if_else(nothing, pa.scalar(None, pa.large_string()), found)


def _word(value: Any) -> str | None:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _parsed(values: pd.Series[Any], column: str, where: str) -> Floats:
    """Turn text into numbers, and refuse what is neither a number nor a way to say that there is none."""
    found = words(values)
    try:
        return np.array(pc.cast(found, pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        pass
    lowered = pd.Series(found.to_pylist(), dtype=object).str.lower()
    said: pd.Series[Any] = lowered.map(lambda word: LOGICAL.get(word, word))
    parsed = pd.to_numeric(said, errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(np.isnan(parsed) & lowered.notna().to_numpy())
    if len(wrong):
        row = int(wrong[0])
        raise MixzError(
            f"{where} column {column!r} row {_numbered(values, row)} holds {_short(values.iloc[row])}",
            "numbers; missing values as empty or NaN, or as marks that columns.missing names",
            "mend the table or map another column",
        )
    return np.array(parsed)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _numbered(values: pd.Series[Any], row: int) -> int:
    """The number of a row in its table, from 1, of which the column may be a piece."""
    return row + 1 + (values.index.start if isinstance(values.index, pd.RangeIndex) else 0)


def close_to(values: Floats, mark: float, *, precision: NDArray[Any] | np.dtype[Any]) -> NDArray[np.bool_]:
    """Which numbers are `mark` in the precision in which their column holds it, shape (row,).

    Examples
    --------
    >>> column = np.array([99.9, 99.8], np.float32)
    >>> close_to(column.astype(float), 99.9, precision=column.dtype)
    array([ True, False])
    """
    dtype = np.dtype(precision) if not isinstance(precision, np.dtype) else precision
    epsilon = np.finfo(dtype).eps if dtype.kind == "f" else np.finfo(np.float64).eps
    if np.isinf(mark):
        return np.asarray(values == mark)
    # Scaled whole numbers and text come out a rounding or two beside the number that is meant.
    # Of double precision some were single before: 99.9000015.
    return np.asarray((np.abs(values - mark) <= 2 * epsilon * abs(mark)) | (values == np.float64(np.float32(mark))))
