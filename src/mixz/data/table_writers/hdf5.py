"""HDF5 written piece by piece, a data set for each column."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from mixz.data.table_writers.notes import MIXZ_KEY, TableNotes
from mixz.data.table_writers.plain_columns import Nulls, null_of, plain, without_nulls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from mixz.data.table_writers.append import Append

CHUNK_ROWS = 65_536
"""Rows of an HDF5 column that lie together, at most."""
COPIED_ROWS = 100_000
"""Rows copied at a time where a column turns out wider than what was written."""
MISSING = "missing"
"""Attribute of a column that lacks numbers or truth values: what stands for them."""
NO_TRUTH = -1
"""What stands for a missing truth value, where the others are 0 and 1."""


@contextmanager
def hdf5_writer(path: Path, notes: TableNotes | None = None) -> Iterator[Append]:
    """Append to the columns of an HDF5 file.

    Columns have the attributes ``unit`` and ``description``, the file has the provenance as JSON in ``mixz``.  There is
    no null: a missing whole number is the least of its type (of unsigned types the greatest), which then stands in the
    column's attribute ``missing``; truth values of which some are missing are 0, 1 and ``missing``; missing text is
    empty text.
    """
    with h5py.File(path, "w") as file:
        columns = _Hdf5Columns(file)
        yield columns.append
        columns.tell(notes or TableNotes())


class _Hdf5Columns:
    """The columns of a file, and what stands for missing in them."""

    def __init__(self, file: h5py.File) -> None:
        self.file, self.nulls = file, Nulls()
        self.missing: dict[str, int] = {}

    def append(self, frame: pd.DataFrame) -> None:
        for label, values in frame.items():
            name, column = str(label), plain(values)
            array = without_nulls(values)
            if column.is_numbered:
                null = null_of(array.dtype)
                self.nulls.see(name, column, null)
                if column.missing.any():
                    self.missing[name] = null
            elif array.dtype.kind == "b" and (name in self.missing or column.missing.any()):
                array = np.where(column.missing, np.int8(NO_TRUTH), array.astype(np.int8))
                if name not in self.missing and name in self.file:
                    _recast(self.file, name, array.dtype)
                self.missing[name] = NO_TRUTH
            grow(self.file, name, array)

    def tell(self, notes: TableNotes) -> None:
        """Write all that is not rows."""
        if notes.provenance:
            self.file.attrs[MIXZ_KEY] = notes.json
        note_columns(self.file, notes)
        for name, null in self.missing.items():
            self.file[name].attrs[MISSING] = self.file[name].dtype.type(null)


def note_columns(group: h5py.Group, notes: TableNotes) -> None:
    """Write units and meanings of columns that are there, as attributes."""
    for name, data in group.items():
        unit, meaning = notes.of(name)
        data.attrs.update({key: word for key, word in (("unit", unit), ("description", meaning)) if word})


def grow(group: h5py.Group, name: str, values: NDArray[Any]) -> None:
    """Append to a data set, which is made if it is not there; bytes of one width become wider as they must.

    Parameters
    ----------
    group, name
        Where it lies.
    values
        Shape (row, ...).
    """
    if name not in group:
        as_text = values.dtype.kind == "O"
        rows = max(1, min(len(values), CHUNK_ROWS))
        group.create_dataset(
            name,
            data=values,
            dtype=h5py.string_dtype() if as_text else None,
            maxshape=(None, *values.shape[1:]),
            chunks=(rows, *values.shape[1:]),
        )
        return
    there = group[name]
    if values.dtype.kind == "S" and values.dtype.itemsize > there.dtype.itemsize:
        there = _recast(group, name, values.dtype)
    elif values.dtype.kind not in "OS" and values.dtype != there.dtype:
        raise TypeError(f"column {name!r} is {there.dtype} first and {values.dtype} later")
    there.resize(len(there) + len(values), axis=0)
    there[len(there) - len(values) :] = values


def _recast(group: h5py.Group, name: str, dtype: np.dtype[Any]) -> h5py.Dataset:
    """Copy a data set to one of a wider type and the same name."""
    old = group[name]
    new = group.create_dataset(f"{name} ", old.shape, dtype, maxshape=(None,), chunks=old.chunks)
    for start in range(0, len(old), COPIED_ROWS):
        new[start : start + COPIED_ROWS] = old[start : start + COPIED_ROWS].astype(dtype)
    del group[name]
    group.move(f"{name} ", name)
    return group[name]
