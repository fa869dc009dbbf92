"""`mixz predict`: a model and any table -> a photo-z table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mixz.bridges.qp_files import write_qp
from mixz.columns import Columns
from mixz.data.photometry import column_names, photometry
from mixz.data.tables import numbers, read_chunks, read_table, require_columns, table_columns, write_table
from mixz.errors import MixzError, nearest
from mixz.progress import busy
from mixz.schema import GalaxySet
from mixz.stages.results import photoz_frame
from mixz.truth_settings import KNOWN_TRUTHS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from mixz.bridges.qp_files import Kind
    from mixz.model.ensemble import Ensemble
    from mixz.schema import Floats, PhotoZ


def predict(
    model: Path,
    table: Path,
    output: Path,
    console: Console,
    *,
    mag: str | None = None,
    mag_err: str | None = None,
    object_id: str | None = None,
    group: str | None = None,
    pdf: Kind | None = None,
    system: str | None = None,
) -> int:
    """Estimate redshifts for any table that has the model's bands.

    Written are object_id, z_phot, z_phot_std and what else the model gives: z_sigma, point estimates of densities,
    intervals (z_low_68, z_high_68, ...), support.

    Parameters
    ----------
    model, table, output
        A model folder, a table to read, and a table to write (its ending says the format).
    mag
        How the table names its magnitudes, e.g. ``"{band}_cmodel_mag"``; by default as ``mag_{band}`` or as the
        model's training tables did.
    mag_err
        How it names their errors, which only some models look at; goes with `mag`.
    object_id
        The column with the galaxies' names; by default ``object_id`` where there is one, else the row number.
    group
        Group inside an HDF5 file.
    pdf
        Write a qp file (.hdf5 or .pq) whose densities are kept as ``interp``, ``quant`` or ``mixmod``; where the table
        has columns ``z_<truth>``, they go along.  None: a plain table of point estimates.
    system
        Name of the photometric system that the table was measured in, one of the model's; needed where it has several.

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
    require_system(ensemble, system)
    with busy(f"predict {table.name}", console):
        photoz = estimate(ensemble, table, mag=mag, mag_err=mag_err, object_id=object_id, system=system, group=group)
    if pdf is None:
        write_table(photoz_frame(photoz), output)
    else:
        write_qp(photoz, output, kind=pdf, truth=_known_redshifts(table, group))
    return int(np.isnan(photoz.z_phot).sum())


def estimate(
    ensemble: Ensemble,
    table: Path,
    *,
    mag: str | None = None,
    mag_err: str | None = None,
    object_id: str | None = None,
    system: str | None = None,
    group: str | None = None,
    most_rows: int | None = None,
) -> PhotoZ:
    """Estimate redshifts for a table that has the model's bands; galaxies are called as the table does.

    Parameters
    ----------
    ensemble, table, mag, mag_err, object_id, system, group
        As in `predict`.
    most_rows
        Refuse tables that are longer, without reading the rest of them.

    Raises
    ------
    MixzError
        The table is missing, damaged or too long, or lacks a band, or its photometric system is not known.
    """
    require_system(ensemble, system)
    available = table_columns(table, group)
    columns = _columns_for(ensemble, available, mag, mag_err, where=str(table))
    id_column = object_id or ("object_id" if "object_id" in available else None)
    wanted = [*_names(columns, ensemble), *([id_column] if id_column else [])]
    if most_rows is not None:
        _check_length(table, wanted[:1], group, most_rows)
    frame = read_table(table, wanted, group)
    magnitudes, errors = photometry(frame, columns, ensemble.bands, where=str(table))
    rows = len(frame)
    galaxies = GalaxySet(np.arange(rows), ensemble.bands, magnitudes, errors, system=np.full(rows, system or ""))
    photoz = ensemble.predict(galaxies)
    return replace(photoz, object_id=frame[id_column].to_numpy()) if id_column else photoz


def _known_redshifts(table: Path, group: str | None) -> dict[str, Floats]:
    """Read what redshifts a table knows: its columns ``z_<truth>``."""
    names = [f"z_{truth}" for truth in KNOWN_TRUTHS]
    there = [name for name in table_columns(table, group) if name in names]
    if not there:
        return {}
    frame = read_table(table, there, group)
    return {name.removeprefix("z_"): numbers(frame, name, where=str(table)) for name in there}


def _check_length(table: Path, columns: Sequence[str], group: str | None, most_rows: int) -> None:
    rows = 0
    for chunk in read_chunks(table, columns, group):
        rows += len(chunk)
        if rows > most_rows:
            raise MixzError(f"{table} has more than {most_rows:,} rows", f"at most {most_rows:,}", "send it in parts")


def require_system(ensemble: Ensemble, system: str | None) -> None:
    """Refuse a photometric system that the model does not know, or none where it knows several.

    Raises
    ------
    MixzError
        As said.
    """
    known = ensemble.features.systems
    if system in known or (system is None and len(known) == 1):
        return
    if known == ("",):
        raise MixzError(f"photometric system {system!r}", "none: the model was trained on one", "leave out --system")
    given = "no photometric system" if system is None else f"photometric system {system!r}"
    hint = nearest(system, known) if system else ""
    raise MixzError(given, f"systems of the model: {', '.join(known)}", f"name the table's with --system{hint}")


def _columns_for(
    ensemble: Ensemble, available: Sequence[str], mag: str | None, mag_err: str | None, *, where: str
) -> Columns:
    """Choose the column map that fits a table: the one asked for, the plain one, or one of the training tables'."""
    trained_on = [Columns(**c) for c in ensemble.provenance.get("columns", [])]
    undetected = tuple(dict.fromkeys(mark for columns in trained_on for mark in columns.undetected))
    for given, pattern in (("--mag", mag), ("--mag-err", mag_err)):
        if pattern is not None and "{band}" not in pattern:
            raise MixzError(f"{given} {pattern!r}", "a pattern with {band}, e.g. 'mag_{band}'", "write {band} there")
    if mag is not None or mag_err is not None:
        tried = [Columns(mag=mag or "mag_{band}", mag_err=mag_err, undetected=undetected)]
    else:
        tried = [Columns(undetected=undetected), *trained_on]
    without = [c.model_copy(update={"mag_err": None, "flux_err": None}) for c in tried]
    sees_errors = ensemble.network.errors != "none"
    # Infinite errors mark bands in which nothing was seen; networks that see neither do not ask for errors.
    with_errors = tried if sees_errors or ensemble.network.asinh else []
    for columns in [*with_errors, *([] if sees_errors else without)]:
        has_errors = (columns.mag_err if columns.mag is not None else columns.flux_err) is not None
        if set(_names(columns, ensemble)) <= set(available) and (has_errors or not sees_errors):
            return columns
    if sees_errors and any(set(_names(c, ensemble)) <= set(available) for c in without):
        raise MixzError(
            f"{where} has magnitudes but no errors that mixz knows; the model sees errors",
            "columns mag_err_{band}, or as the training tables named them",
            "name them with --mag-err, e.g. '{band}_cmodel_magerr'",
        )
    require_columns(_names(without[0], ensemble), available, where=where)
    raise AssertionError("unreachable: the first map lacks a column")


def _names(columns: Columns, ensemble: Ensemble) -> list[str]:
    return [name for names in column_names(columns, ensemble.bands).values() for name in names]
