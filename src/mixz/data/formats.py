"""The file formats of tables, each by the library its field trusts; only the needed columns are read, in chunks."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from mixz.data.hats_folder import HatsFolder, is_hats
from mixz.data.table_writers import csv_writer, ecsv_writer, fits_writer, hdf5_writer, is_text, parquet_writer
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from mixz.data.sky import Box
    from mixz.data.table_writers import Append


@dataclass(frozen=True)
class TableSource:
    """A file (or HATS folder), the group inside it where an HDF5 file has several, the place on the sky of interest.

    Only catalogues that lie in pieces of sky look at the place; they leave pieces far from it unread.
    """

    path: Path
    group: str | None = None
    near: Box | None = None


@dataclass(frozen=True)
class Format:
    """How one file format is read and written, some rows at a time.

    Parameters
    ----------
    columns
        The names of its columns.
    rows
        How many rows a file has, by what it says of itself; of text by counting its lines.  None: unknown.
    chunks
        Some columns, so many rows at a time, of the same types whatever that number is; at least one, if without rows.
    writer
        A context that gives a function to append rows with, see `mixz.data.table_writers`.
    """

    columns: Callable[[TableSource], list[str]]
    rows: Callable[[TableSource], int | None]
    chunks: Callable[[TableSource, list[str], int], Iterator[pd.DataFrame]]
    writer: Callable[[Path], AbstractContextManager[Append]]


def format_of(path: Path) -> Format:
    """Choose the format by the ending of the file's name (``.gz`` aside); HATS for a folder that is one.

    Raises
    ------
    MixzError
        The ending is unknown.
    """
    if is_hats(path):
        return HATS
    name = path.name.lower().removesuffix(".gz")
    for ending, known in FORMATS.items():
        if name.endswith(ending):
            return known
    raise MixzError(f"{path} has an unknown format", f"endings: {', '.join(FORMATS)}", "convert or rename the file")


def _parquet_columns(source: TableSource) -> list[str]:
    return list(pq.read_schema(source.path).names)


def _parquet_rows(source: TableSource) -> int:
    return int(pq.read_metadata(source.path).num_rows)


def _parquet_chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    with pq.ParquetFile(source.path) as file:
        like = _whole_types(file, columns)
        # One reader for all row groups would hold the bytes of every one that it has read.
        for groups in _row_groups(file, rows):
            for batch in file.iter_batches(rows, row_groups=groups, columns=columns):
                yield batch.to_pandas().astype(like)
        if not file.metadata.num_rows:
            yield file.schema_arrow.empty_table().select(columns).to_pandas()


def _row_groups(file: pq.ParquetFile, rows: int) -> Iterator[list[int]]:
    """Runs of row groups that have at least so many rows together, but for the last."""
    groups, there = [], 0
    for number in range(file.num_row_groups):
        groups.append(number)
        there += file.metadata.row_group(number).num_rows
        if there >= rows:
            yield groups
            groups, there = [], 0
    if groups:
        yield groups


def _whole_types(file: pq.ParquetFile, columns: list[str]) -> dict[str, type]:
    """The types of columns of whole numbers that lack some: floating-point, also in rows that have all of theirs."""
    schema = file.schema_arrow
    whole = [name for name in columns if pa.types.is_integer(schema.field(name).type)]
    lacking: set[str] = set()
    for batch in file.iter_batches(columns=whole) if whole else ():
        lacking |= {name for name in whole if batch[name].null_count}
    return dict.fromkeys(lacking, float)


def _csv_columns(source: TableSource) -> list[str]:
    return list(pd.read_csv(source.path, nrows=0, compression="infer").columns)


def _csv_rows(source: TableSource) -> int | None:
    return _lines(source.path, above=1)


def _lines(path: Path, *, above: int) -> int | None:
    """Count the lines of a text file but those above its rows; None for a packed one."""
    if path.name.endswith(".gz"):
        return None
    lines, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            lines, last = lines + block.count(b"\n"), block
    return max(lines + (not last.endswith(b"\n")) - above, 0)


def _csv_chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    """Read some rows at a time; columns that begin with whole numbers are looked through first, for text or holes."""
    _refuse_half_a_row(source.path)
    read: Callable[..., Any] = partial(pd.read_csv, source.path, low_memory=False)
    first = read(usecols=columns, nrows=rows)
    if len(first) < rows:
        yield first
        return
    types: dict[Any, Any] = {name: str for name in first if is_text(first[name])}
    doubtful = [name for name in first if _is_whole(first[name])]
    if doubtful:
        seen = [chunk.dtypes for chunk in read(usecols=doubtful, chunksize=rows)]
        types |= {name: _type_of_all([one[name] for one in seen]) for name in doubtful}
    del first
    yield from read(usecols=columns, chunksize=rows, dtype=types)


def _is_whole(values: pd.Series[Any]) -> bool:
    """Whether a column holds whole numbers, truth values or nothing: names of galaxies, say, as far as one can see."""
    return values.dtype.kind in "iub" or (values.dtype.kind == "f" and bool((values.dropna() % 1 == 0).all()))


def _type_of_all(types: list[Any]) -> Any:
    """The type of a column of which pieces look like these: text as it is written, unless all are numbers."""
    kinds = {one.kind for one in types}
    if len(kinds) == 1 and kinds <= set("iubf"):
        return types[0]
    if kinds <= set("iuf"):
        return np.uint64 if "f" not in kinds else np.float64
    return str


def _refuse_half_a_row(path: Path) -> None:
    """Find a file cut off in its last row, which pandas would fill up with missing values."""
    if path.suffix == ".gz":
        return  # a gzip file that is cut off gives itself away
    with path.open("rb") as file:
        header = file.readline()
        file.seek(max(0, path.stat().st_size - 65_536))
        last = file.read().rstrip().rsplit(b"\n", 1)[-1]
    if last.count(b",") < header.count(b",") and b'"' not in last + header:
        raise ValueError(f"its last row has {last.count(b',') + 1} of {header.count(b',') + 1} columns: it is cut off")


def _fits_columns(source: TableSource) -> list[str]:
    with _open_fits(source.path) as hdus:
        return list(_fits_table(hdus).columns.names)


def _fits_rows(source: TableSource) -> int:
    with _open_fits(source.path) as hdus:
        return int(_fits_table(hdus).header["NAXIS2"])


def _fits_chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    start, length = 0, 1
    while start < length:
        # Opened anew for each chunk, since all pages read so far stay in memory as long as the file is open.
        with _open_fits(source.path) as hdus:
            data = _fits_table(hdus).data
            length = len(data)
            stop = length if source.path.name.endswith(".gz") else start + rows
            chunk = data[start:stop]
            yield pd.DataFrame({name: _native(chunk[name]) for name in columns})
            del data, chunk
        start = stop


@contextmanager
def _open_fits(path: Path) -> Iterator[Any]:
    """Open a FITS file column by column; a truncated one is an error, where astropy only warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="File may have been truncated", category=AstropyUserWarning)
        try:
            with fits.open(path, memmap=not path.name.endswith(".gz")) as hdus:
                yield hdus
        except AstropyUserWarning as warning:
            raise ValueError(str(warning)) from warning


def _fits_table(hdus: Any) -> Any:
    for hdu in hdus:
        if isinstance(hdu, fits.BinTableHDU | fits.TableHDU):
            return hdu
    raise ValueError("it holds no table, only images")


def _hdf5_columns(source: TableSource) -> list[str]:
    with h5py.File(source.path) as file:
        return [name for name, item in _hdf5_group(file, source.group).items() if _is_column(item)]


def _hdf5_rows(source: TableSource) -> int:
    with h5py.File(source.path) as file:
        return max((len(item) for item in _hdf5_group(file, source.group).values() if _is_column(item)), default=0)


def _hdf5_chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    with h5py.File(source.path) as file:
        node = _hdf5_group(file, source.group)
        lengths = {len(node[name]) for name in columns}
        if len(lengths) > 1:
            raise ValueError(f"its columns have different lengths: {sorted(lengths)}")
        for start in range(0, max(*lengths, 1), rows):
            yield pd.DataFrame({name: _native(node[name][start : start + rows]) for name in columns})


def _hdf5_group(file: h5py.File, group: str | None) -> Any:
    if group is not None:
        found = file.get(group)
        if not isinstance(found, h5py.Group):
            raise MixzError(f"{file.filename} has no group {group!r}", f"groups: {', '.join(file)}", "correct `group`")
        return found
    groups = [item for item in file.values() if isinstance(item, h5py.Group)]
    return groups[0] if len(groups) == 1 and not any(map(_is_column, file.values())) else file


def _is_column(item: Any) -> bool:
    """A column is a one-dimensional data set; images and the like stay on disk."""
    return isinstance(item, h5py.Dataset) and item.ndim == 1


def _ecsv_columns(source: TableSource) -> list[str]:
    return list(Table.read(source.path, format="ascii.ecsv").colnames)


def _ecsv_rows(source: TableSource) -> int | None:
    if source.path.name.endswith(".gz"):
        return None
    with source.path.open("rb") as file:
        above = next((k for k, line in enumerate(file, start=1) if not line.startswith(b"#")), 0)
    return _lines(source.path, above=above)


def _ecsv_chunks(source: TableSource, columns: list[str], _: int) -> Iterator[pd.DataFrame]:
    yield Table.read(source.path, format="ascii.ecsv")[columns].to_pandas()


def _hats_columns(source: TableSource) -> list[str]:
    return HatsFolder.open(source.path).columns()


def _hats_rows(source: TableSource) -> int | None:
    told = HatsFolder.open(source.path).rows
    return told if told >= 0 else None


def _hats_chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    yield from HatsFolder.open(source.path).chunks(columns, rows, source.near)


def _hats_writer(path: Path) -> AbstractContextManager[Append]:
    raise MixzError(
        f"{path} is a HATS folder", "a HATS folder only of a HATS folder", "name a file, e.g. photoz.parquet"
    )


def _native(values: Any) -> NDArray[Any]:
    """An array pandas can hold: the machine's byte order (FITS is big-endian), text decoded."""
    array = np.asarray(values)
    if array.dtype.kind in "SO":
        decoded = [v.decode() if isinstance(v, bytes) else v for v in array]
        return np.asarray(decoded, dtype=object)
    return array.astype(array.dtype.newbyteorder("="), copy=True)


HATS = Format(_hats_columns, _hats_rows, _hats_chunks, _hats_writer)
"""Chosen by what a folder holds, not by an ending."""
PARQUET = Format(_parquet_columns, _parquet_rows, _parquet_chunks, parquet_writer)
FITS = Format(_fits_columns, _fits_rows, _fits_chunks, fits_writer)
HDF5 = Format(_hdf5_columns, _hdf5_rows, _hdf5_chunks, hdf5_writer)

FORMATS: dict[str, Format] = {
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".csv": Format(_csv_columns, _csv_rows, _csv_chunks, csv_writer),
    ".fits": FITS,
    ".fit": FITS,
    ".hdf5": HDF5,
    ".h5": HDF5,
    ".ecsv": Format(_ecsv_columns, _ecsv_rows, _ecsv_chunks, ecsv_writer),
}
