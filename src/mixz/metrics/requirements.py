"""What LSST asks of photometric redshifts: cited limits, and how far a number is inside or outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Requirement:
    """An upper limit on the absolute value of a metric, and where it is written.

    Examples
    --------
    >>> r = REQUIREMENTS["bias"]
    >>> r.limit, r.passes(-0.002), round(r.margin(-0.002), 4)
    (0.003, True, 0.001)
    """

    limit: float
    source: str

    def margin(self, value: float) -> float:
        """Give limit - |value|: positive when met."""
        return self.limit - abs(value)

    def passes(self, value: float) -> bool | None:
        """Say whether |value| is below the limit; None where there is no value."""
        return None if np.isnan(value) else self.margin(value) > 0


SRD = "LSST SRD (LPM-17 sec. 2.1, in DMTN-049): i < 25, 0.3 < z_phot < 3.0"
MINIMUM = "Rubin object-catalogue minimum (DMTN-049): i < 25, z_phot < 2"

# `bias` and `rms` are LSST's own quantities; the 3-sigma outliers are its "catastrophic" ones; its sigma_z is
# read as sigma_mad and its outliers as |dz| > 0.15, which is our reading where the note gives no formula.
REQUIREMENTS: dict[str, Requirement] = {
    "bias": Requirement(0.003, SRD),
    "rms": Requirement(0.02, SRD),
    "outlier_fraction_3sigma": Requirement(0.10, SRD),
    "sigma_mad": Requirement(0.05, MINIMUM),
    "outlier_fraction": Requirement(0.10, MINIMUM),
}
