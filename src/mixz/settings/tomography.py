"""What may be asked of tomographic bins, by a config or on the command line."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mixz.strict import Strict
from mixz.surveys.columns import Name, Positive

SrdName = Annotated[str, Field(pattern=r"^srd_(source|lens)_y(1|10)$")]
QualityCut = Annotated[str, Field(pattern=r"^\s*[^<>=\s]+\s*(>=|<=)\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*$")]
MOST_BINS = 100
MOST_RESAMPLES = 10_000


class TomographySettings(Strict):
    """Which bins n(z) is wanted of, and by what.

    Parameters
    ----------
    bins
        How many of equal counts; or their edges in z_phot; or ``srd_source_y1``, ``srd_source_y10``, ``srd_lens_y1``,
        ``srd_lens_y10``: those of the DESC SRD.
    target
        Which test galaxies the bins are of: those with a truth's labels or of a table; by default those of
        `representative`.  Of a config only.
    representative
        The truth whose galaxies are like the bins' where magnitudes are; by default the first noisy one.
    weight
        The column that says how much each galaxy counts, e.g. of lensing weights.
    stand_ins
        How labelled galaxies are made to stand for a bin's: by nearest ``neighbours`` in magnitudes, or by ``cells`` of
        them, as a self-organising map has.
    cuts
        Cuts by quality, on any column of the photo-z or of the table: ``["support>=1", "risk<=0.2"]``.
    patch_deg
        Side of the patches of sky that are drawn again [deg].  Galaxies cluster on less than 0.5 at most redshifts
        (ours).
    resamples
        Realisations of every n(z).
    """

    bins: Annotated[int, Field(ge=1, le=MOST_BINS)] | Annotated[tuple[float, ...], Field(min_length=2)] | SrdName = 5
    target: Name | None = None
    representative: Name | None = None
    weight: str | None = None
    stand_ins: Literal["neighbours", "cells"] = "neighbours"
    cuts: tuple[QualityCut, ...] = ()
    patch_deg: Annotated[Positive, Field(le=90)] = 0.5
    resamples: Annotated[int, Field(ge=0, le=MOST_RESAMPLES)] = 100
