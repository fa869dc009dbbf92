"""Which columns of a table are redshifts, and what these look like: spectra, photo-z, the truth of a simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mixz.data.looking.patterns import is_error, lower_words
from mixz.data.looking.vocabulary import (
    GRISM,
    MANY_BAND,
    NO_LABEL,
    PHOTO,
    PLAIN,
    QUALITY,
    REDSHIFT,
    REDSHIFT_ALONE,
    SPECTRA,
    TRUE,
)
from mixz.densities.grid import FARTHEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.arrays import Floats
    from mixz.data.looking.sample import RowSample

HIGHEST_MEDIAN = 10.0
"""Magnitudes in z lie above this, and so does half of no survey's redshifts."""
LIKE_SPECTRA, LIKE_MANY_BAND = 0.002, 0.02
"""Scatter (sigma_mad) about spectra up to which redshifts look like spectra, and like labels from many bands (ours;
COSMOS2020 has .01 to .02, photo-z from a survey's own five bands .03 and more)."""
FEW = 20
"""Galaxies that have both, below which nothing is concluded from them."""


@dataclass(frozen=True)
class RedshiftColumn:
    """A column of redshifts.

    Parameters
    ----------
    column
        Its name.
    looks
        ``spec``, ``grism``, ``many_band``, ``true``; ``photo`` for a photo-z of any kind, ``rival`` for one that
        scatters as those of a few bands do, ``copy`` for one that repeats others; ``unknown``.
    share
        The share of rows that have one.
    why
        What says so.
    """

    column: str
    looks: str
    share: float
    why: str


def redshift_names(names: Sequence[str]) -> list[str]:
    """The columns among these that may be redshifts, and those that say how good they are, by their names.

    Examples
    --------
    >>> redshift_names(["z_spec", "mag_z", "lp_zPDF", "lp_zPDF_l68", "zquality", "ra", "Redshift", "z_phot_mdn_err"])
    ['z_spec', 'lp_zPDF', 'zquality', 'Redshift']
    """
    return [name for name in names if _looks_by_name(name) or is_quality(name)]


def is_quality(name: str) -> bool:
    """Whether a column's name is one of how sure a redshift is."""
    said = lower_words(name)
    about_redshift = any(word.startswith(("z", "spec")) or word in REDSHIFT or word == "nq" for word in said)
    return about_redshift and not QUALITY.isdisjoint(said) and "mag" not in said


def redshift_columns(sample: RowSample, taken: Sequence[str] = ()) -> list[RedshiftColumn]:
    """The redshifts of a table, what they look like by name, and by scatter where galaxies have two.

    Parameters
    ----------
    sample
        Rows of the table.
    taken
        Columns that are something else: magnitudes in z.

    Examples
    --------
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from mixz.data.looking.sample import RowSample
    >>> frame = pd.DataFrame({"z_spec": [0.5, 0.7], "photoz": [0.52, 0.69], "mag_z": [21.0, 22.0]})
    >>> [(f.column, f.looks) for f in redshift_columns(RowSample(Path("a.csv"), None, 2, True, frame))]
    [('z_spec', 'spec'), ('photoz', 'photo')]
    """
    names = [str(name) for name in sample.frame.columns if name not in taken and not is_quality(str(name))]
    labels = {name: label for name in names if _looks_by_name(name) and (label := _labels(name, sample)) is not None}
    surveyed = any(
        word in lower_words(name) for name in map(str, sample.frame.columns) for word in ("zwarn", "zwarning")
    )
    found = []
    for name, label in labels.items():
        looks, why = _looks_by_name(name), "by its name"
        if looks == "unknown" and surveyed:
            looks, why = "spec", "it has a ZWARN beside it, as spectra of SDSS and DESI have"
        found.append(RedshiftColumn(name, looks, float(np.isfinite(label).mean()), why))
    return _by_scatter(found, labels)


def _looks_by_name(name: str) -> str:
    """What a name says; nothing where it is no redshift's."""
    said = lower_words(name)
    if is_error(name) or not NO_LABEL.isdisjoint(said) or not said:
        return ""
    speaks = not REDSHIFT.isdisjoint(said) or any(word in REDSHIFT_ALONE for word in said)
    if not speaks:
        return ""
    for looks, known in (
        ("true", TRUE),
        ("grism", GRISM),
        ("spec", SPECTRA),
        ("many_band", MANY_BAND),
        ("photo", PHOTO),
    ):
        if not known.isdisjoint(said):
            return looks
    return "unknown" if PLAIN.issuperset(word for word in said if word not in REDSHIFT) else ""


def _labels(name: str, sample: RowSample) -> Floats | None:
    """A column's redshifts, NaN where it has none; None where it holds something else."""
    values = sample.numbers(name)
    if values is None:
        return None
    real = values[np.isfinite(values) & (values >= 0) & (np.abs(values) < 90)]
    good = (values > 0) & (values < FARTHEST) & (np.abs(values - 9.99) > 1e-6)
    if not good.any() or np.median(real) > HIGHEST_MEDIAN or (real > FARTHEST).mean() > 0.2:
        return None
    if len(np.unique(values[good])) < min(FEW, good.sum()) / 4:  # numbers of something
        return None
    return np.where(good, values, np.nan)


def _by_scatter(found: list[RedshiftColumn], labels: Mapping[str, Floats]) -> list[RedshiftColumn]:
    """Correct what names say by how far redshifts are from those of spectra, or of a simulation's truth."""
    anchors = [one.column for one in found if one.looks in ("spec", "true")]
    judged = []
    for one in found:
        others = [name for name in anchors if name != one.column]
        if one.looks in ("photo", "many_band", "unknown") and _repeats(one.column, found, labels):
            judged.append(replace(one, looks="copy", why="it repeats other columns"))
        elif one.looks in ("photo", "many_band", "unknown") and (told := _scatter(one.column, others, labels)):
            judged.append(_judged(one, *told))
        else:
            judged.append(one)
    return judged


def _judged(one: RedshiftColumn, anchor: str, scatter: float, both: int) -> RedshiftColumn:
    why = f"sigma_mad {scatter:.4f} about {anchor} of {both:,} galaxies"
    if one.looks == "many_band":
        return replace(one, why=f"by its name; {why}")
    if scatter <= LIKE_SPECTRA:
        return replace(one, looks="spec" if one.looks == "unknown" else "many_band", why=why)
    return replace(one, looks="many_band" if scatter <= LIKE_MANY_BAND else "rival", why=why)


def _scatter(name: str, anchors: Sequence[str], labels: Mapping[str, Floats]) -> tuple[str, float, int] | None:
    """About which other column, how much and for how many galaxies a redshift scatters."""
    for anchor in anchors:
        dz = (labels[name] - labels[anchor]) / (1 + labels[anchor])
        dz = dz[np.isfinite(dz)]
        if len(dz) >= FEW:
            return anchor, float(1.4826 * np.median(np.abs(dz - np.median(dz)))), len(dz)
    return None


def _repeats(name: str, found: Sequence[RedshiftColumn], labels: Mapping[str, Floats]) -> bool:
    """Whether nearly every redshift of a column is that of another column that is more telling."""
    mine = labels[name]
    same = np.zeros(len(mine), dtype=bool)
    for other in found:
        if other.column != name and other.looks in ("spec", "grism", "true", "many_band"):
            same |= np.abs(labels[other.column] - mine) < 1e-6
    there = np.isfinite(mine)
    return bool(there.sum() >= FEW and same[there].mean() > 0.95)
