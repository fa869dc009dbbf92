"""`mixz predict`: a model and any table -> a photo-z table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mixz.columns import Columns
from mixz.data.photometry import column_names, photometry
from mixz.data.tables import read_chunks, read_table, require_columns, table_columns, write_table
from mixz.errors import MixzError
from mixz.progress import busy
from mixz.schema import GalaxySet
from mixz.stages.results import photoz_frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from mixz.model.ensemble import Ensemble
    from mixz.schema import PhotoZ


def predict(
    model: Path,
    table: Path,
    output: Path,
    console: Console,
    *,
    mag: str | None = None,
    object_id: str | None = None,
    group: str | None = None,
) -> int:
    """Estimate redshifts for any table that has the model's bands; write object_id, z_phot, z_phot_std (and z_sigma).

    Parameters
    ----------
    model, table, output
        A model folder, a table to read, and a table to write (its ending says the format).
    mag
        How the table names its magnitudes, e.g. ``"{band}_cmodel_mag"``; by default as ``mag_{band}`` or as the
        model's training tables did.
    object_id
        The column with the galaxies' names; by default ``object_id`` where there is one, else the row number.
    group
        Group inside an HDF5 file.

    Returns
    -------
    int
        How many galaxies got no redshift because a band is missing.

    Raises
    ------
    MixzError
        The model or the table is missing or damaged, or the table lacks a band.
    """
    from mixz.model.ensemble import Ensemble

    ensemble = Ensemble.load(model)
    with busy(f"predict {table.name}", console):
        photoz = estimate(ensemble, table, mag=mag, object_id=object_id, group=group)
    write_table(photoz_frame(photoz), output)
    return int(np.isnan(photoz.z_phot).sum())


def estimate(
    ensemble: Ensemble,
    table: Path,
    *,
    mag: str | None = None,
    object_id: str | None = None,
    group: str | None = None,
    most_rows: int | None = None,
) -> PhotoZ:
    """Estimate redshifts for a table that has the model's bands; galaxies are called as the table does.

    Parameters
    ----------
    ensemble, table, mag, object_id, group
        As in `predict`.
    most_rows
        Refuse tables that are longer, without reading the rest of them.

    Raises
    ------
    MixzError
        The table is missing, damaged or too long, or lacks a band.
    """
    available = table_columns(table, group)
    columns = _columns_for(ensemble, available, mag, where=str(table))
    id_column = object_id or ("object_id" if "object_id" in available else None)
    wanted = [*_names(columns, ensemble), *([id_column] if id_column else [])]
    if most_rows is not None:
        _check_length(table, wanted[:1], group, most_rows)
    frame = read_table(table, wanted, group)
    magnitudes, errors = photometry(frame, columns, ensemble.bands, where=str(table))
    photoz = ensemble.predict(GalaxySet(np.arange(len(frame)), ensemble.bands, magnitudes, errors))
    return replace(photoz, object_id=frame[id_column].to_numpy()) if id_column else photoz


def _check_length(table: Path, columns: Sequence[str], group: str | None, most_rows: int) -> None:
    rows = 0
    for chunk in read_chunks(table, columns, group):
        rows += len(chunk)
        if rows > most_rows:
            raise MixzError(f"{table} has more than {most_rows:,} rows", f"at most {most_rows:,}", "send it in parts")


def _columns_for(ensemble: Ensemble, available: Sequence[str], mag: str | None, *, where: str) -> Columns:
    """Choose the column map that fits a table: the one asked for, the plain one, or one of the training tables'."""
    if mag is not None:
        if "{band}" not in mag:
            raise MixzError(f"--mag {mag!r}", "a pattern with {band}, e.g. 'mag_{band}'", "write {band} for the band")
        tried = [Columns(mag=mag, mag_err=None)]
    else:
        trained_on = [Columns(**c) for c in ensemble.provenance.get("columns", [])]
        tried = [c.model_copy(update={"mag_err": None, "flux_err": None}) for c in (Columns(), *trained_on)]
    for columns in tried:
        if set(_names(columns, ensemble)) <= set(available):
            return columns
    require_columns(_names(tried[0], ensemble), available, where=where)
    raise AssertionError("unreachable: the first map lacks a column")


def _names(columns: Columns, ensemble: Ensemble) -> list[str]:
    return [name for names in column_names(columns, ensemble.bands).values() for name in names]
