"""The file formats of tables, each by the library its field trusts; only the needed columns are read, in chunks."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from mixz.data.hats_folder import HatsFolder, is_hats
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mixz.data.sky import Box


@dataclass(frozen=True)
class Source:
    """A file (or HATS folder), the group inside it where an HDF5 file has several, the place on the sky of interest.

    Only catalogues that lie in pieces of sky look at the place; they leave pieces far from it unread.
    """

    path: Path
    group: str | None = None
    near: Box | None = None


@dataclass(frozen=True)
class Format:
    """How one file format tells its column names, gives some columns so many rows at a time, and is written."""

    columns: Callable[[Source], list[str]]
    chunks: Callable[[Source, list[str], int], Iterator[pd.DataFrame]]
    write: Callable[[pd.DataFrame, Path], None]


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


def _parquet_columns(source: Source) -> list[str]:
    return list(pq.read_schema(source.path).names)


def _parquet_chunks(source: Source, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    with pq.ParquetFile(source.path) as file:
        for batch in file.iter_batches(rows, columns=columns):
            yield batch.to_pandas()


def _parquet_write(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False)


def _csv_columns(source: Source) -> list[str]:
    return list(pd.read_csv(source.path, nrows=0, compression="infer").columns)


def _csv_chunks(source: Source, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    _refuse_half_a_row(source.path)
    yield from pd.read_csv(source.path, usecols=columns, chunksize=rows, low_memory=False)


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


def _csv_write(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False)


def _fits_columns(source: Source) -> list[str]:
    with _open_fits(source.path) as hdus:
        return list(_fits_table(hdus).columns.names)


def _fits_chunks(source: Source, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
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


def _fits_write(frame: pd.DataFrame, path: Path) -> None:
    Table.from_pandas(frame).write(path, format="fits", overwrite=True)


def _hdf5_columns(source: Source) -> list[str]:
    with h5py.File(source.path) as file:
        return [name for name, item in _hdf5_group(file, source.group).items() if _is_column(item)]


def _hdf5_chunks(source: Source, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    with h5py.File(source.path) as file:
        node = _hdf5_group(file, source.group)
        lengths = {len(node[name]) for name in columns}
        if len(lengths) > 1:
            raise ValueError(f"its columns have different lengths: {sorted(lengths)}")
        for start in range(0, max(lengths, default=0), rows):
            yield pd.DataFrame({name: _native(node[name][start : start + rows]) for name in columns})


def _hdf5_write(frame: pd.DataFrame, path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in frame:
            values = frame[name].to_numpy()
            as_text = values.dtype.kind not in "biuf"
            file.create_dataset(
                str(name),
                data=values.astype(object) if as_text else values,
                dtype=h5py.string_dtype() if as_text else None,
            )


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


def _ecsv_columns(source: Source) -> list[str]:
    return list(Table.read(source.path, format="ascii.ecsv").colnames)


def _ecsv_chunks(source: Source, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    table = Table.read(source.path, format="ascii.ecsv")[columns]
    for start in range(0, len(table), rows):
        yield table[start : start + rows].to_pandas()


def _ecsv_write(frame: pd.DataFrame, path: Path) -> None:
    Table.from_pandas(frame).write(path, format="ascii.ecsv", overwrite=True)


def _hats_columns(source: Source) -> list[str]:
    return HatsFolder.open(source.path).columns()


def _hats_chunks(source: Source, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    yield from HatsFolder.open(source.path).chunks(columns, rows, source.near)


def _hats_write(_: pd.DataFrame, path: Path) -> None:
    raise MixzError(
        f"{path} is a HATS folder", "a HATS folder only of a HATS folder", "name a file, e.g. photoz.parquet"
    )


def _native(values: Any) -> NDArray[Any]:
    """Give an array pandas can hold: the machine's byte order (FITS is big-endian), text decoded."""
    array = np.asarray(values)
    if array.dtype.kind in "SO":
        decoded = [v.decode() if isinstance(v, bytes) else v for v in array]
        return np.asarray(decoded, dtype=object)
    return array.astype(array.dtype.newbyteorder("="), copy=True)


HATS = Format(_hats_columns, _hats_chunks, _hats_write)
"""Chosen by what a folder holds, not by an ending."""

FORMATS: dict[str, Format] = {
    ".parquet": Format(_parquet_columns, _parquet_chunks, _parquet_write),
    ".pq": Format(_parquet_columns, _parquet_chunks, _parquet_write),
    ".csv": Format(_csv_columns, _csv_chunks, _csv_write),
    ".fits": Format(_fits_columns, _fits_chunks, _fits_write),
    ".fit": Format(_fits_columns, _fits_chunks, _fits_write),
    ".hdf5": Format(_hdf5_columns, _hdf5_chunks, _hdf5_write),
    ".h5": Format(_hdf5_columns, _hdf5_chunks, _hdf5_write),
    ".ecsv": Format(_ecsv_columns, _ecsv_chunks, _ecsv_write),
}
