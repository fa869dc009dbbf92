"""What tomography answers: the methods by name, n(z) of one bin by each of them, and of all bins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mixz.tomography.shift import LabelShift

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.tomography.bins import Bins
    from mixz.tomography.nz import NofZ

STACK, SPECTRA, LABELS, BOTH, TRUTH = "stack", "spectra", "labels", "both", "truth"
POINTS = "points"
BY_LABELS = (SPECTRA, LABELS, BOTH)
"""The methods that need labels."""
METHODS = {
    STACK: "sum of the densities",
    POINTS: "histogram of z_phot, in the stack's place where a model gives points without densities",
    SPECTRA: "spectra re-weighted to the bin's galaxies in magnitudes",
    LABELS: "many-band labels deconvolved by their kernel",
    BOTH: "densities calibrated by all labels through their kernels",
}
"""The methods, and what they are."""


@dataclass(frozen=True, eq=False)
class BinEstimates:
    """What is known of one bin.

    Parameters
    ----------
    name
        The bin, by its edges.
    galaxies
        How many it holds.
    nz
        n(z) by method (`METHODS`, and ``truth`` where galaxies are simulated).
    why_not
        By method, why it does not answer.
    labels
        By method, how many labels it stands on, as effective number.
    alone
        By method, how many of its galaxies no labelled one stands for.
    """

    name: str
    galaxies: int
    nz: Mapping[str, NofZ]
    why_not: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)
    alone: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Tomography:
    """n(z) of every bin by every method.

    Parameters
    ----------
    bins
        The bins.
    each
        What is known of each, in their order.
    left_out
        How many galaxies are in no bin, by the reason.
    representative
        The truth whose galaxies were taken to be like the bins'; empty where there is none.
    shift
        The shift that its labels have, where it could be learned.
    notes
        What a person should know.
    """

    bins: Bins
    each: tuple[BinEstimates, ...]
    left_out: Mapping[str, int]
    representative: str = ""
    shift: LabelShift = field(default_factory=LabelShift.none)
    notes: tuple[str, ...] = ()
