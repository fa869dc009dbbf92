"""Where photo-z are judged: a sample of labelled galaxies, and the redshift ranges and bins in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.metrics.bins import Bin

PAPER_RANGE = (0.3, 1.5)
"""Range of the label over which arXiv:2411.18054 judges."""

LSST_RANGE = (0.3, 3.0)
"""Range of z_phot over which LSST's requirements hold (LPM-17), for i < 25."""

LSST_LIMIT_I = 25.0

SHARE_IN_BINS = 4
FEWEST_RESAMPLES = 20
"""A bin gets a quarter of the resamples asked for, but at least 20: its error is known to a sixth then (ours)."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Galaxies to judge on: whose label it is, which galaxies these are, the labels, and their i magnitudes.

    Parameters
    ----------
    truth, sample
        Name of the label's truth, and of the galaxies (``"test"``).
    z_ref, mag_ref
        Labels and reference-band magnitudes, shape (galaxy,).
    left_out
        How many more galaxies have such a label but are not judged, since some recipe gives them no redshift.
    """

    truth: str
    sample: str
    z_ref: NDArray[np.floating[Any]]
    mag_ref: NDArray[np.floating[Any]]
    left_out: int = 0

    def rows(self, which: NDArray[Any]) -> Sample:
        """The galaxies that `which` (a mask or indices) selects."""
        return Sample(self.truth, self.sample, self.z_ref[which], self.mag_ref[which], self.left_out)

    def ranges(self, z_phot: NDArray[np.floating[Any]]) -> dict[str, NDArray[np.bool_]]:
        """Per redshift range which galaxies are in it, given one member's estimates.

        The paper cuts in the label, LSST in the estimate and in i magnitude; both are here, and everything.
        """
        low, high = LSST_RANGE
        return {
            "0.3-1.5": (self.z_ref >= PAPER_RANGE[0]) & (self.z_ref <= PAPER_RANGE[1]),
            "all": np.ones(len(self.z_ref), dtype=bool),
            "lsst": (z_phot > low) & (z_phot < high) & (self.mag_ref < LSST_LIMIT_I),
        }


@dataclass(frozen=True)
class Place:
    """A redshift range or a bin: which galaxies of a sample are judged together, and its fields in a record."""

    z_range: str
    bin: Bin | None = None

    def holds(self, sample: Sample, z_phot: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Which galaxies are in it, given one member's estimates, shape (galaxy,)."""
        if self.bin is None:
            return sample.ranges(z_phot)[self.z_range]
        return self.bin.holds(mag_ref=sample.mag_ref, z_ref=sample.z_ref, z_phot=z_phot)

    @property
    def same_for_all(self) -> bool:
        """Whether it holds the same galaxies whatever the estimates are."""
        return self.z_range != "lsst" if self.bin is None else self.bin.by != "z_phot"

    def fields(self) -> dict[str, Any]:
        """z_range (the bin's name in a bin), bin (what is binned), bin_low and bin_high (all None without)."""
        if self.bin is None:
            return {"z_range": self.z_range, "bin": None, "bin_low": None, "bin_high": None}
        return {"z_range": self.z_range, "bin": self.bin.by, "bin_low": self.bin.low, "bin_high": self.bin.high}

    def resamples(self, asked: int) -> int:
        """How often to resample here: as often as asked in a range, a quarter of it (20 at least) in a bin.

        Examples
        --------
        >>> from mixz.metrics.bins import Bin
        >>> Place("all").resamples(200), Place("i 22-23", Bin("i", 22, 23)).resamples(200)
        (200, 50)
        """
        return asked if self.bin is None else min(asked, max(asked // SHARE_IN_BINS, FEWEST_RESAMPLES))


def places(bins: Sequence[Bin] = ()) -> list[Place]:
    """Every redshift range of a sample, and these bins."""
    return [*(Place(r) for r in ("0.3-1.5", "all", "lsst")), *(Place(b.name, b) for b in bins)]
