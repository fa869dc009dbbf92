"""What may be asked of tomographic bins, by a config or on the command line."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from mixz.strict import Strict
from mixz.surveys.columns import Name, Positive

SRD_NAME = r"^srd_(source|lens)_y(1|10)$"
CUT = r"^\s*[^<>=\s]+\s*(>=|<=)\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*$"
SrdName = Annotated[str, Field(pattern=SRD_NAME)]
QualityCut = Annotated[str, Field(pattern=CUT)]
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

    @field_validator("bins", mode="before")
    @classmethod
    def _bins(cls, what: Any) -> Any:
        """Say of each way to ask for bins what is wrong, which the types together cannot."""
        if isinstance(what, int) and not 1 <= what <= MOST_BINS:
            raise ValueError(f"{what} bins of equal counts: 1 to {MOST_BINS} can be asked for")
        if isinstance(what, str) and not re.match(SRD_NAME, what):
            raise ValueError(f"{what!r} is neither a number, nor edges, nor srd_source_y1, srd_lens_y10, ...")
        if isinstance(what, (list, tuple)) and all(isinstance(edge, (int, float)) for edge in what):
            rising = all(map(math.isfinite, what)) and all(a < b for a, b in pairwise(what))
            if not rising or not 2 <= len(what) <= MOST_BINS + 1:
                told = ", ".join(f"{edge:g}" for edge in what[:10]) + (", ..." if len(what) > 10 else "")
                raise ValueError(f"edges {told}: they must be redshifts that rise, 2 to {MOST_BINS + 1} of them")
        return what

    @field_validator("cuts", mode="before")
    @classmethod
    def _cuts(cls, what: Any) -> Any:
        for cut in what if isinstance(what, (list, tuple)) else ():
            if isinstance(cut, str) and not re.match(CUT, cut):
                raise ValueError(
                    f"cut {cut!r} is not like 'support>=1' or 'risk<=0.2': COLUMN>=NUMBER or COLUMN<=NUMBER"
                )
        return what
