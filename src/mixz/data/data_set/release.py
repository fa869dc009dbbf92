"""The released data set in others' formats: three HDF5 files as GalaxiesML's, and FITS with units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixz.atomic import replacing
from mixz.data.data_set.column_notes import column_notes
from mixz.data.data_set.galaxies_file import galaxies_columns
from mixz.data.table_writers import TableNotes
from mixz.data.tables import write_table
from mixz.errors import MixzError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mixz.galaxies import GalaxySet

GALAXIESML_SIDES = {"train": "training", "validation": "validation", "conformal": "conformal", "test": "testing"}
"""GalaxiesML's names of the sides of its split, each a file; it has no conformal one."""


@dataclass(frozen=True)
class Release:
    """A further format that `mixz build` can write.

    Parameters
    ----------
    file
        Name of its file or folder among the results.
    write
        Writes galaxies, with what is known about them, to a path.
    """

    file: str
    write: Callable[[GalaxySet, Path, Mapping[str, Any]], None]


def check_formats(names: Iterable[str]) -> None:
    """Refuse names of formats that cannot be written.

    Raises
    ------
    MixzError
        A name is unknown.
    """
    known = ("parquet", *RELEASES)
    for name in names:
        if name not in known:
            raise MixzError(f"format {name!r}", ", ".join(known), f"name one or more of these{nearest(name, known)}")


def write_galaxiesml(galaxies: GalaxySet, path: Path, about: Mapping[str, Any]) -> None:
    """Write a folder as GalaxiesML's users expect: ``training.hdf5``, ``validation.hdf5``, ``testing.hdf5``.

    Galaxies of the conformal side are in ``conformal.hdf5``, where there are any.  Each file has one data set per
    column, under GalaxiesML's names: object_id (integers where all are), specz_redshift, {band}_cmodel_mag,
    {band}_cmodel_magsigma.  Columns that GalaxiesML lacks keep our names, e.g. z_many_band.  Units and meanings are
    attributes of the data sets; `about` is the attribute ``mixz`` of the file.

    Parameters
    ----------
    galaxies
        What to write.
    path
        The folder; appears whole or not at all.
    about
        Anything JSON can hold about where the galaxies came from.
    """
    columns = galaxies_columns(galaxies)
    names = galaxiesml_names(columns, galaxies.bands)
    notes = TableNotes(column_notes(columns, bands=galaxies.bands, truths=galaxies.truths), about).renamed(names)
    columns["object_id"] = _as_integers(columns["object_id"])
    table = pd.DataFrame(columns).rename(columns=names)
    with replacing(path) as draft:
        draft.mkdir()
        for side in galaxies.sides:
            rows = table[table["split"] == side].drop(columns="split")
            write_table(rows, draft / f"{GALAXIESML_SIDES[side]}.hdf5", notes=notes)


def galaxiesml_names(columns: Iterable[str], bands: Iterable[str]) -> dict[str, str]:
    """Each of our columns GalaxiesML's name, or its own where GalaxiesML has none.

    Examples
    --------
    >>> galaxiesml_names(["mag_err_i", "z_spec", "z_many_band"], ["i"])
    {'mag_err_i': 'i_cmodel_magsigma', 'z_spec': 'specz_redshift', 'z_many_band': 'z_many_band'}
    """
    theirs = {"z_spec": "specz_redshift", "ra_deg": "ra", "dec_deg": "dec"}
    for band in bands:
        theirs |= {f"mag_{band}": f"{band}_cmodel_mag", f"mag_err_{band}": f"{band}_cmodel_magsigma"}
    return {column: theirs.get(column, column) for column in columns}


def write_fits(galaxies: GalaxySet, path: Path, about: Mapping[str, Any]) -> None:
    """Write one FITS table with units (TUNIT), meanings (TCOMM) and provenance in the header.

    Parameters
    ----------
    galaxies
        What to write.
    path
        The file; appears whole or not at all.
    about
        Anything JSON can hold about where the galaxies came from; the header has its main words under keys of
        their own, and all of it under MIXZ.

    Raises
    ------
    MixzError
        An object id has letters that FITS cannot hold.
    """
    columns = galaxies_columns(galaxies)
    notes = column_notes(columns, bands=galaxies.bands, truths=galaxies.truths)
    told = {"bands": list(galaxies.bands), "truths": list(galaxies.truths), **about}
    write_table(pd.DataFrame(columns), path, notes=TableNotes(notes, told, name="GALAXIES"))


def _as_integers(ids: NDArray[Any]) -> NDArray[Any]:
    """Ids as integers where that loses nothing, as GalaxiesML has them."""
    try:
        integers = ids.astype(np.int64)
    except (ValueError, OverflowError):
        return ids
    return integers if np.array_equal(integers.astype(str), ids.astype(str)) else ids


RELEASES = {
    "galaxiesml-hdf5": Release("galaxiesml", write_galaxiesml),
    "fits": Release("galaxies.fits", write_fits),
}
"""Formats beside Parquet, by the name the command line knows."""
