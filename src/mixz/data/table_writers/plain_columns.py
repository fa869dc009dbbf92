"""A column of a pandas frame as plain values and which of them are missing, whatever pandas calls its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Mask


@dataclass(frozen=True)
class PlainColumn:
    """Values of a type that every format knows, of the same type in every piece of a table.

    Parameters
    ----------
    data
        Text (of any width, as objects), whole numbers, floating-point or truth values, shape (row,).
    missing
        Which of them are missing, shape (row,); there stands an empty text, 0, False, or NaN.
    """

    data: NDArray[Any]
    missing: Mask

    @property
    def is_text(self) -> bool:
        """Whether it is a column of text."""
        return self.data.dtype == object

    @property
    def is_numbered(self) -> bool:
        """Whether it holds whole numbers."""
        return self.data.dtype.kind in "iu"


def plain(values: pd.Series[Any]) -> PlainColumn:
    """A column without what is pandas' own: nullable and Arrow types, categories, objects.

    Raises
    ------
    TypeError
        It holds neither numbers nor text nor truth values.

    Examples
    --------
    >>> column = plain(pd.Series([7, None], dtype="Int16"))
    >>> column.data, column.missing
    (array([7, 0], dtype=int16), array([False,  True]))
    >>> plain(pd.Series(["a", None])).data
    array(['a', ''], dtype=object)
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        nullable: Any = pd.array(np.asarray(values.cat.categories[:0])).dtype
        values = values.astype(nullable)
    missing = values.isna().to_numpy(dtype=bool)
    if is_text(values):
        return PlainColumn(text(values).fillna("").to_numpy(dtype=object), missing)
    kind: Any = getattr(values.dtype, "numpy_dtype", values.dtype)
    dtype: np.dtype[Any] = np.dtype(kind) if isinstance(kind, np.dtype) else np.dtype(object)
    if dtype.kind not in "iufb":
        raise TypeError(f"column {values.name!r} is of type {values.dtype}, neither numbers nor text nor truth values")
    if dtype.kind == "f":
        wide = np.dtype(np.float32) if dtype.itemsize < 4 else dtype.newbyteorder("=")
        return PlainColumn(values.to_numpy(dtype=wide, na_value=np.nan), missing)
    filled = values.to_numpy(dtype=dtype, na_value=dtype.type(0)) if missing.any() else values.to_numpy(dtype=dtype)
    return PlainColumn(filled.astype(dtype.newbyteorder("="), copy=False), missing)


def is_text(values: pd.Series[Any]) -> bool:
    """Whether a column is one of text, or of objects that can only be written as text."""
    return values.dtype == object or pd.api.types.is_string_dtype(values.dtype)


def text(values: pd.Series[Any]) -> pd.Series[Any]:
    """A column as text, None where it is missing.

    Examples
    --------
    >>> text(pd.Series([b"a", 12, None])).tolist()
    ['a', '12', None]
    """
    words = [
        None
        if value is None or value is pd.NA or value != value
        else value.decode()
        if isinstance(value, bytes)
        else str(value)
        for value in values
    ]
    return pd.Series(words, index=values.index, dtype=object)


def null_of(dtype: np.dtype[Any]) -> int:
    """The whole number that stands for a missing one where a format has no null: the one farthest from use.

    Examples
    --------
    >>> null_of(np.dtype(np.int16)), null_of(np.dtype(np.uint8))
    (-32768, 255)
    """
    return int(np.iinfo(dtype).min if dtype.kind == "i" else np.iinfo(dtype).max)


class Nulls:
    """Which columns of whole numbers lack some, and that what stands for missing is no number of theirs."""

    def __init__(self) -> None:
        self.lacking: set[str] = set()
        self.taken: set[str] = set()

    def see(self, name: str, column: PlainColumn, null: int) -> None:
        """Look at some more rows of a column.

        Raises
        ------
        ValueError
            The column lacks numbers, and has the very number that would stand for them.
        """
        if column.missing.any():
            self.lacking.add(name)
        if ((column.data == null) & ~column.missing).any():
            self.taken.add(name)
        if name in self.lacking & self.taken:
            raise ValueError(f"column {name!r} lacks numbers, and has {null}, which is to stand for a missing one")


def without_nulls(values: pd.Series[Any]) -> NDArray[Any]:
    """A column for formats that have no null: missing numbers as `null_of` their type, missing text as empty text.

    Examples
    --------
    >>> without_nulls(pd.Series([7, None], dtype="Int16"))
    array([     7, -32768], dtype=int16)
    """
    column = plain(values)
    if not column.is_numbered or not column.missing.any():
        return column.data
    return np.where(column.missing, column.data.dtype.type(null_of(column.data.dtype)), column.data)
