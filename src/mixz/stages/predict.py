"""`mixz predict`: a model and any table -> a photo-z table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mixz.bridges.qp_files import write_qp
from mixz.columns import Columns
from mixz.config import KNOWN_TRUTHS
from mixz.data.photometry import column_names, photometry
from mixz.data.tables import read_table, require_columns, table_columns, write_table
from mixz.errors import MixzError
from mixz.progress import busy
from mixz.schema import GalaxySet
from mixz.stages.results import photoz_frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from mixz.bridges.qp_files import Kind
    from mixz.model.ensemble import Ensemble


def predict(
    model: Path,
    table: Path,
    output: Path,
    console: Console,
    *,
    mag: str | None = None,
    object_id: str | None = None,
    group: str | None = None,
    pdf: Kind | None = None,
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
    pdf
        Write a qp file (.hdf5 or .pq) whose densities are kept as ``interp``, ``quant`` or ``mixmod``; where the table
        has columns ``z_<truth>``, they go along.  None: a plain table of point estimates.

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
    available = table_columns(table, group)
    columns = _columns_for(ensemble, available, mag, where=str(table))
    names = _names(columns, ensemble)
    id_column = object_id or ("object_id" if "object_id" in available else None)
    with busy(f"predict {table.name}", console):
        truths = [f"z_{truth}" for truth in KNOWN_TRUTHS if pdf and f"z_{truth}" in available]
        frame = read_table(table, [*names, *truths, *([id_column] if id_column else [])], group)
        magnitudes, errors = photometry(frame, columns, ensemble.bands, where=str(table))
        photoz = ensemble.predict(GalaxySet(np.arange(len(frame)), ensemble.bands, magnitudes, errors))
    ids = frame[id_column].to_numpy() if id_column else np.arange(len(frame))
    if pdf:
        write_qp(
            replace(photoz, object_id=ids),
            output,
            kind=pdf,
            truth={name[2:]: frame[name].to_numpy() for name in truths},
        )
    else:
        write_table(photoz_frame(photoz).assign(object_id=ids), output)
    return int(np.isnan(photoz.z_phot).sum())


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
