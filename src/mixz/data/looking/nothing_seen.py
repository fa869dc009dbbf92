"""What 99 says of a band, or a flux that is not positive: observed and nothing seen, or not observed.

Tables use the same numbers for both.  Galaxies tell them apart: where nothing was seen they are faint in their other
bands too, and where nobody looked they are like all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mixz.data.meaning.missing import NINES, Account
from mixz.data.photometry import column_names, photometry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.arrays import Floats, Mask
    from mixz.data.looking.answers import Answers
    from mixz.data.looking.marks import SampleRead
    from mixz.data.looking.sample import RowSample
    from mixz.surveys.columns import Columns

FAINT = 0.7
"""Galaxies are faint where so large a share of those measured in every band is brighter than half of them (ours): those
that were not observed lie at 0.5."""
FEW = 50
"""Galaxies below which nothing is concluded from them."""
NOT_POSITIVE = 0.0
"""The mark that a config names for fluxes in which nothing was seen; all below it count too."""


@dataclass(frozen=True)
class NothingSeen:
    """Values that may say "observed, and nothing seen", and how they are taken.

    Parameters
    ----------
    marks
        The numbers, as a config names them.
    bands
        The bands that have them.
    rows
        How many galaxies of the sample have one, but a magnitude in another band.
    brighter
        The share of galaxies measured in every band that are brighter than half of these, in the bands that they have.
    seen
        Whether they are taken for observed; said, and not concluded, where `told`.
    """

    marks: tuple[float, ...]
    bands: tuple[str, ...]
    rows: int
    brighter: float
    seen: bool
    told: bool

    @property
    def what(self) -> str:
        """The values, in words."""
        numbers = "fluxes that are not positive" if self.marks == (NOT_POSITIVE,) else _listed(self.marks)
        return f"{numbers} in {', '.join(self.bands)}"

    def remark(self) -> str:
        """How these values are taken, why, and what to say if they mean something else."""
        because = "as you said" if self.told else self._looks()
        if self.seen:
            return (
                f"{self.what} ({self.rows:,} rows): observed, and nothing seen ({because}); these galaxies stay, and "
                "networks see asinh magnitudes (undetected). If it means not observed: --not-observed"
            )
        return (
            f"{self.what} ({self.rows:,} rows): not observed ({because}); these galaxies fall out. If it means "
            "observed, and nothing seen: --nothing-seen"
        )

    def _looks(self) -> str:
        if self.rows < FEW:
            return "too few to tell by"
        return f"{self.brighter:.0%} of the others are brighter than half of them in the other bands"


def nothing_seen(
    sample: RowSample, columns: Columns, bands: Sequence[str], read: SampleRead, answers: Answers
) -> NothingSeen | None:
    """How a table says that nothing was seen in a band, if it does; None where its column map knows, or nothing does.

    Parameters
    ----------
    sample, columns, bands
        Rows of the table, its column map, and the bands.
    read
        The same rows as that map reads them.
    answers
        What a person has said.

    Examples
    --------
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from mixz.data.looking.answers import Answers
    >>> from mixz.data.looking.marks import reading
    >>> from mixz.data.looking.sample import RowSample
    >>> from mixz.surveys.columns import Columns
    >>> mags = np.linspace(20, 25, 300)
    >>> frame = pd.DataFrame({"mag_g": np.where(mags > 24, 99, mags + 1), "mag_r": mags})
    >>> sample, columns = RowSample(Path("a.csv"), None, 300, True, frame), Columns(mag_err=None)
    >>> found = nothing_seen(sample, columns, ["g", "r"], reading(sample, columns, ["g", "r"], {}), Answers())
    >>> found.marks, found.bands, found.rows, found.seen
    ((99.0,), ('g',), 60, True)
    """
    marks = _marks(columns, bands, read.taken)
    if not marks or columns.undetected:
        return None
    asked = columns.model_copy(update={"undetected": marks})
    mag, err = photometry(sample.frame, asked, bands, where=sample.title, account=Account(sample.title))
    there = np.isfinite(mag)
    unseen = ~there & np.isposinf(err)
    some: Mask = np.asarray(unseen.any(axis=1) & there.any(axis=1))
    if not some.any():
        return None
    share = _brighter(mag, some, np.asarray(there.all(axis=1)))
    having = [band for band, column in zip(bands, unseen[some].T, strict=True) if column.any()]
    told = answers.nothing_seen
    concluded = bool(some.sum() >= FEW and share >= FAINT)
    return NothingSeen(
        marks,
        tuple(having),
        int(some.sum()),
        share,
        concluded if told is None else told,
        told is not None,
    )


def _marks(columns: Columns, bands: Sequence[str], taken: Mapping[tuple[str, str], int]) -> tuple[float, ...]:
    """The numbers that may say so, of those taken for missing: positive nines, or fluxes that are not positive.

    Negative ones, -99 say, are "not observed" wherever somebody wrote down what they are.
    """
    if columns.mag is None:
        fluxes = column_names(columns, bands)["flux"]
        below = any(column in fluxes and "not positive" in reason for column, reason in taken)
        return (NOT_POSITIVE,) if below else ()
    magnitudes = column_names(columns, bands)["mag"]
    reasons = {reason for column, reason in taken if column in magnitudes}
    return tuple(mark for mark in NINES if f"is {mark:g}" in reasons)


def _brighter(mag: Floats, some: Mask, whole: Mask) -> float:
    """Which share of the galaxies measured in every band is brighter than half of some others, in their own bands."""
    if not whole.any():
        return float("nan")
    above = mag - np.median(mag[whole], axis=0)
    mean = np.nanmean(np.where(np.isfinite(above), above, np.nan)[some | whole], axis=1)
    others, these = mean[whole[some | whole]], mean[some[some | whole]]
    return float((others < np.median(these)).mean())


def _listed(marks: Sequence[float]) -> str:
    return " or ".join(f"{mark:g}" for mark in marks)
