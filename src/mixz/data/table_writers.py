"""Tables written piece by piece, in the memory of one piece; however they are cut into pieces, they hold the same.

A writer is a context that gives a function to append rows with.  The first piece, which may have no rows, tells the
columns; the file is whole when the context ends.  Text may be of any width, and of another in every piece.
"""

from __future__ import annotations

import gzip
import io
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Append = Callable[[pd.DataFrame], None]

CHUNK_ROWS = 65_536
"""Rows of an HDF5 column that lie together, at most."""
COPIED_ROWS = 100_000
"""Rows copied at a time where text turns out wider than what was written."""
FITS_BLOCK = 2880
"""Bytes; every part of a FITS file fills a number of these."""


@contextmanager
def parquet_writer(path: Path) -> Iterator[Append]:
    """Append to a Parquet file, a row group for each piece."""
    with ParquetPieces(path) as pieces:
        yield lambda frame: pieces.append(arrow_table(frame))


class ParquetPieces:
    """A Parquet file that grows by Arrow tables of one schema, that of the first.

    Parameters
    ----------
    path
        The file.
    how
        What `pyarrow.parquet.ParquetWriter` takes besides, by the schema.
    """

    def __init__(self, path: Path, how: Callable[[pa.Schema], Mapping[str, Any]] = lambda _: {}) -> None:
        self.path, self.how = path, how
        self.writer: pq.ParquetWriter | None = None

    def append(self, table: pa.Table) -> None:
        """Write the rows of a table."""
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, table.schema, **self.how(table.schema))
        if len(table):
            self.writer.write_table(table)

    def __enter__(self) -> ParquetPieces:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Write what says where everything lies."""
        if self.writer is not None:
            self.writer.close()


def arrow_table(frame: pd.DataFrame) -> pa.Table:
    """A table as Arrow has it: NaN as null, text as text even where there is none."""
    return pa.table(
        {
            str(name): pa.array(text(values), pa.large_string()) if is_text(values) else pa.array(values)
            for name, values in frame.items()
        }
    )


@contextmanager
def csv_writer(path: Path) -> Iterator[Append]:
    """Append to a CSV file, packed where its name ends in ``.gz``."""
    first = iter([True])
    with _opened(path) as packed, io.TextIOWrapper(packed, encoding="utf-8", newline="") as file:
        yield lambda frame: frame.to_csv(file, index=False, header=next(first, False))


@contextmanager
def ecsv_writer(path: Path) -> Iterator[Append]:
    """Append to an ECSV file: what stands above the rows does not depend on them."""
    first = iter([True])
    with _opened(path) as packed, io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as file:

        def append(frame: pd.DataFrame) -> None:
            above, rows = _ecsv(frame)
            file.write(above + rows if next(first, False) else rows)

        yield append


def _ecsv(frame: pd.DataFrame) -> tuple[str, str]:
    """What stands above the rows of an ECSV file, and the rows."""
    whole, empty = io.StringIO(), io.StringIO()
    texts = {str(name): text(values) for name, values in frame.items() if is_text(values)}
    table = Table.from_pandas(frame.assign(**texts))
    table.write(whole, format="ascii.ecsv")
    table[:0].write(empty, format="ascii.ecsv")
    above = empty.getvalue()
    return above, whole.getvalue().removeprefix(above)


def _opened(path: Path) -> IO[bytes]:
    """Open a file to write bytes to, packed where its name ends in ``.gz``."""
    return cast("IO[bytes]", gzip.open(path, "wb")) if path.name.endswith(".gz") else path.open("wb")


@contextmanager
def hdf5_writer(path: Path) -> Iterator[Append]:
    """Append to the columns of an HDF5 file; missing text is empty text, for there is no other."""
    with h5py.File(path, "w") as file:

        def append(frame: pd.DataFrame) -> None:
            for name, values in frame.items():
                grow(
                    file, str(name), text(values).fillna("").to_numpy(object) if is_text(values) else values.to_numpy()
                )

        yield append


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
        there = _wider(group, name, values.dtype)
    elif values.dtype.kind not in "OS" and values.dtype != there.dtype:
        raise TypeError(f"column {name!r} is {there.dtype} first and {values.dtype} later")
    there.resize(len(there) + len(values), axis=0)
    there[len(there) - len(values) :] = values


def _wider(group: h5py.Group, name: str, dtype: np.dtype[Any]) -> h5py.Dataset:
    """Copy a data set of bytes to a wider one of the same name."""
    old = group[name]
    new = group.create_dataset(f"{name} ", old.shape, dtype, maxshape=(None,), chunks=old.chunks)
    for start in range(0, len(old), COPIED_ROWS):
        new[start : start + COPIED_ROWS] = old[start : start + COPIED_ROWS]
    del group[name]
    group.move(f"{name} ", name)
    return group[name]


@contextmanager
def fits_writer(path: Path) -> Iterator[Append]:
    """Append to a FITS table (ASCII only); its rows lie beside it until their number is known."""
    pieces = _FitsPieces(path.with_name("rows"))
    yield pieces.append
    with _opened(path) as file, pieces.rows.open("rb") as rows:
        file.write(pieces.header().encode())
        shutil.copyfileobj(rows, file)
        file.write(bytes(-rows.tell() % FITS_BLOCK))
    pieces.rows.unlink()


@dataclass
class _FitsPieces:
    """The rows of a FITS table as bytes in a file of their own, text as wide as the widest so far."""

    rows: Path
    count: int = 0
    first: dict[str, NDArray[Any]] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)

    def append(self, frame: pd.DataFrame) -> None:
        arrays = {str(name): _fits_column(values) for name, values in frame.items()}
        widths = {name: values.dtype.itemsize for name, values in arrays.items() if values.dtype.kind == "S"}
        if not self.first:
            self.first, self.widths = {name: values[:0] for name, values in arrays.items()}, widths
            self.rows.touch()
        if any(width > self.widths[name] for name, width in widths.items()):
            self._widen({name: max(width, self.widths[name]) for name, width in widths.items()})
        if {name: values.dtype.kind for name, values in arrays.items()} != {
            n: v.dtype.kind for n, v in self.first.items()
        }:
            raise TypeError("its columns change their types from row to row")
        if not len(frame):
            return
        written = io.BytesIO()
        table = self._hdu(arrays)
        table.writeto(written)
        begun = len(written.getvalue()) - _padded(table.header["NAXIS1"] * len(frame))
        with self.rows.open("ab") as file:
            file.write(written.getbuffer()[begun : begun + table.header["NAXIS1"] * len(frame)])
        self.count += len(frame)

    def header(self) -> str:
        """What stands above the rows."""
        header = self._hdu(self.first).header
        header["NAXIS2"] = self.count
        return f"{fits.PrimaryHDU().header.tostring()}{header.tostring()}"

    def _hdu(self, arrays: Mapping[str, NDArray[Any]]) -> fits.BinTableHDU:
        widths = self.widths
        return fits.table_to_hdu(
            Table(
                {
                    name: values.astype(f"S{widths[name]}") if name in widths else values
                    for name, values in arrays.items()
                }
            )
        )

    def _widen(self, widths: Mapping[str, int]) -> None:
        """Rewrite the rows so far with more room for text."""
        before = self._row()
        self.widths = dict(widths)
        after, wide = self._row(), self.rows.with_name("wide")
        with self.rows.open("rb") as old, wide.open("wb") as new:
            while len(block := np.fromfile(old, before, COPIED_ROWS)):
                rows = np.zeros(len(block), after)
                for name in before.names or ():
                    rows[name] = block[name]
                rows.tofile(new)
        wide.replace(self.rows)

    def _row(self) -> np.dtype[Any]:
        """How the bytes of a row are shared out."""
        said = self._hdu(self.first).data.dtype
        return np.dtype([(n, f"S{self.widths[n]}" if n in self.widths else f"V{said[n].itemsize}") for n in said.names])


def _fits_column(values: pd.Series[Any]) -> NDArray[Any]:
    """A column as FITS can hold it: text as bytes, missing text as empty text, and nothing smaller than 16 bits."""
    if is_text(values):
        return np.char.encode(text(values).fillna("").to_numpy().astype(str), "ascii")
    array = values.to_numpy()
    return array.astype(np.int16) if array.dtype == np.int8 else array  # astropy takes int8 for truth values


def _padded(size: int) -> int:
    return -(-size // FITS_BLOCK) * FITS_BLOCK


def is_text(values: pd.Series[Any]) -> bool:
    """Whether a column is one of text, or of objects that can only be written as text."""
    return values.dtype == object or isinstance(values.dtype, pd.StringDtype)


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
