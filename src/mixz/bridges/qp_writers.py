"""qp files written piece by piece, as qp writes them whole (needs the extra ``rail``)."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import h5py
import numpy as np
import pyarrow as pa

from mixz.atomic import replacing
from mixz.bridges.qp_files import qp_name, to_qp
from mixz.data.table_writers import MIXZ_KEY, ParquetPieces, TableNotes, grow, note_columns, noted
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.bridges.qp_files import Kind
    from mixz.photoz import PhotoZ

    Tables = Mapping[str, Mapping[str, NDArray[Any]]]

ANCIL = "ancil"
PARTS = ("data", "meta", ANCIL)
"""The tables of a qp file; it writes Parquet as three files, their names made of the file's and these."""
PIECE_ROWS = 50_000
"""Galaxies laid out at a time."""


class AppendPhotoz(Protocol):
    """What a `qp_writer` gives."""

    def __call__(
        self,
        photoz: PhotoZ,
        truth: Mapping[str, Floats] | None = None,
        beside: Mapping[str, pd.Series[Any]] | None = None,
    ) -> None:
        """Write further galaxies, per name of a truth their known redshifts, and further columns (see `to_qp`)."""
        ...


@contextmanager
def qp_writer(path: str | Path, *, kind: Kind = "interp", notes: TableNotes | None = None) -> Iterator[AppendPhotoz]:
    """Write a qp file piece by piece, in the memory of one piece; what was there stays until the new file is whole.

    Parameters
    ----------
    path
        A name that ends in ``.hdf5`` or ``.pq``.
    kind
        As `to_qp` has it.
    notes
        What the ancil table says of itself; readers of qp files pass it over.

    Raises
    ------
    MixzError
        qp is missing, the photo-z have no densities, the name ends otherwise, it cannot be written, or there are no
        galaxies, of which qp makes no file.
    """
    path, galaxies = qp_name(path), 0
    with (_hdf5 if path.suffix == ".hdf5" else _parquet)(path, notes or TableNotes()) as append:

        def append_some(
            photoz: PhotoZ,
            truth: Mapping[str, Floats] | None = None,
            beside: Mapping[str, pd.Series[Any]] | None = None,
        ) -> None:
            nonlocal galaxies
            galaxies += len(photoz)
            if len(photoz):
                append(_tables(to_qp(photoz, kind=kind, truth=truth, beside=beside), path))

        yield append_some
        if not galaxies:
            raise MixzError(f"{path}: there are no galaxies to write", "one or more", "check the table")


def write_qp(
    photoz: PhotoZ, path: str | Path, *, kind: Kind = "interp", truth: Mapping[str, Floats] | None = None
) -> list[Path]:
    """Write photo-z as a qp file; what was there stays until the new file is whole.

    Parameters
    ----------
    photoz, kind, truth
        As `to_qp` has them.
    path
        A name that ends in ``.hdf5`` or ``.pq``.

    Returns
    -------
    list of Path
        The files written: one of HDF5, three of Parquet (``photoz.pq`` becomes ``photozdata.pq`` and so on: qp's way).

    Raises
    ------
    MixzError
        qp is missing, the photo-z have no densities, the name ends otherwise, or it cannot be written.
    """
    with qp_writer(path, kind=kind) as append:
        for start in range(0, max(len(photoz), 1), PIECE_ROWS):
            rows = slice(start, start + PIECE_ROWS)
            append(photoz.rows(rows), {name: z[rows] for name, z in (truth or {}).items()})
    path = qp_name(path)
    return [path] if path.suffix == ".hdf5" else [_part(path, part) for part in PARTS]


def _tables(ensemble: Any, path: Path) -> Tables:
    """What qp writes of an ensemble: per table its columns."""
    tables: Tables = ensemble.build_tables(encode=True, ext=path.suffix.removeprefix("."))
    return tables


@contextmanager
def _hdf5(path: Path, notes: TableNotes) -> Iterator[Callable[[Tables], None]]:
    with replacing(path) as draft, h5py.File(draft, "w") as file:

        def append(tables: Tables) -> None:
            for part, columns in tables.items():
                if part == "meta" and part in file:
                    continue
                for name, values in columns.items():
                    grow(file.require_group(part), name, np.asarray(values))

        yield append
        if ANCIL in file:
            note_columns(file[ANCIL], notes)
        if notes.provenance:
            file.attrs[MIXZ_KEY] = notes.json


@contextmanager
def _parquet(path: Path, notes: TableNotes) -> Iterator[Callable[[Tables], None]]:
    """Write qp's three Parquet files beside each other, then put each in its place."""
    with ExitStack() as open_files:
        drafts = {part: open_files.enter_context(replacing(_part(path, part))) for part in PARTS}
        pieces = {part: open_files.enter_context(ParquetPieces(draft)) for part, draft in drafts.items()}

        def append(tables: Tables) -> None:
            for part, columns in tables.items():
                if part != "meta" or pieces[part].writer is None:
                    arrow = _arrow(columns)
                    pieces[part].append(noted(arrow, notes) if part == ANCIL else arrow)

        yield append


def _part(path: Path, part: str) -> Path:
    return path.with_name(f"{path.stem}{part}{path.suffix}")


def _arrow(columns: Mapping[str, NDArray[Any]]) -> pa.Table:
    """Columns as Arrow has them: rows of several numbers as lists, text as text, bytes as bytes."""
    return pa.table({name: _arrow_column(np.asarray(values)) for name, values in columns.items()})


def _arrow_column(values: NDArray[Any]) -> pa.Array:
    if values.ndim == 2:
        offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
        return pa.ListArray.from_arrays(offsets, np.ravel(values))
    if values.dtype.kind == "S":
        return pa.array(list(values), pa.binary())
    return pa.array(values, pa.large_string() if values.dtype.kind == "U" else None, from_pandas=True)
