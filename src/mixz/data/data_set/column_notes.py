"""What the columns of a galaxies file mean and in which unit they are, said once for every format and the data card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.data.table_writers import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FIXED = {
    "object_id": Note("", "name of the galaxy"),
    "split": Note("", "side of the split: train, validation, conformal or test"),
    "system": Note("", "photometric system of the magnitudes; empty where there is only one"),
    "table": Note("", "name of the input table"),
    "z_spec": Note("", "spectroscopic redshift; NaN where there is none"),
    "z_many_band": Note("", "redshift label from photometry in many bands; NaN where there is none"),
    "z_true": Note("", "true redshift of the simulation"),
    "ra_deg": Note("deg", "right ascension"),
    "dec_deg": Note("deg", "declination"),
}
ENDINGS = {"_deg": "deg", "_arcsec": "arcsec"}
"""Units that our names carry themselves."""


def column_notes(columns: Iterable[str], *, bands: Sequence[str], truths: Sequence[str]) -> dict[str, Note]:
    """What each column of a galaxies file is.

    Parameters
    ----------
    columns
        Names of the columns.
    bands, truths
        The bands and truths that the file holds.

    Examples
    --------
    >>> notes = column_notes(["mag_i", "z_spec", "match_arcsec"], bands=["i"], truths=["spec"])
    >>> notes["mag_i"]
    Note(unit='mag', meaning='AB magnitude in band i; NaN where not measured')
    >>> notes["match_arcsec"].unit
    'arcsec'
    """
    known = dict(FIXED)
    for truth in truths:
        for side in ("low", "high"):
            meaning = f"distance from z_{truth} to the {side} end of its 68 % interval; NaN where not known"
            known[f"z_err_{side}_{truth}"] = Note("", meaning)
        known.setdefault(f"z_{truth}", Note("", f"redshift label of truth {truth}; NaN where there is none"))
    for band in bands:
        known[f"mag_{band}"] = Note("mag", f"AB magnitude in band {band}; NaN where not measured")
        known[f"mag_err_{band}"] = Note(
            "mag", f"error of mag_{band}; NaN where the input has none, inf: looked, saw nothing"
        )
    return {column: known.get(column) or _carried(column) for column in columns}


def _carried(column: str) -> Note:
    unit = next((unit for ending, unit in ENDINGS.items() if column.endswith(ending)), "")
    return Note(unit, "carried along from the input tables")
