"""How far labels are off on average, by colour, learned from galaxies that have an exact label too.

A kernel says how labels scatter; that they are also shifted, more for red galaxies than for blue ones, say, no kernel
knows.  Where a galaxy has both, dz = (z_label - z) / (1 + z) is

    shift(colour) = a + b (colour - its median),

found by biweights, so that outliers do not count, with a prior of 0.01 on both (ours).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from mixz.arrays import Floats
    from mixz.truths.likelihood import Labels

FEWEST_PAIRS = 50
"""Galaxies with both labels from which on a shift is learned: a scatter of 0.02 is 0.003 in the mean then (ours)."""
PRIOR = 0.01
"""What a and b are about before any galaxy is looked at: labels are that far off in public tests (ours)."""
REACH = 4.7
"""Residuals beyond so many standard deviations do not count."""
ITERATIONS = 50


@dataclass(frozen=True, eq=False)
class LabelShift:
    """A shift of labels that is straight in a colour.

    Parameters
    ----------
    coefficients, covariance
        a and b, shape (2,), and how well they are known, shape (2, 2).
    centre, low, high
        The median colour of the galaxies that it was learned from, and between which colours they mostly lie: beyond,
        the shift is that at the end.
    pairs
        How many galaxies those were; without any, the shift is 0.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> colour, z = rng.normal(1, 0.5, 400), rng.uniform(0.2, 1.2, 400)
    >>> z_label = z + (0.004 * (colour - 1) + rng.normal(0, 0.01, 400)) * (1 + z)
    >>> found = LabelShift.learned(z_label, z, colour)
    >>> bool(np.abs(found.coefficients - [0, 0.004]).max() < 0.002), found.pairs
    (True, 400)
    """

    coefficients: Floats
    covariance: Floats
    centre: float = 0.0
    low: float = 0.0
    high: float = 0.0
    pairs: int = 0

    @classmethod
    def none(cls) -> Self:
        """The shift of labels of which nothing is known."""
        return cls(np.zeros(2), np.zeros((2, 2)))

    @classmethod
    def learned(cls, z_label: Floats, z: Floats, colour: Floats) -> Self:
        """The shift of labels of these galaxies; none where there are too few.

        Parameters
        ----------
        z_label, z, colour
            Labels, redshifts and colours, shape (galaxy,); NaN where not known.
        """
        known = np.isfinite(z_label) & np.isfinite(z) & np.isfinite(colour)
        if known.sum() < FEWEST_PAIRS:
            return cls.none()
        dz, c = ((z_label - z) / (1 + z))[known], colour[known]
        centre, (low, high) = float(np.median(c)), (float(end) for end in np.quantile(c, [0.02, 0.98]))
        x = np.stack([np.ones_like(c), np.clip(c, low, high) - centre], axis=1)
        found = np.array([np.median(dz), 0.0])
        for _ in range(ITERATIONS):
            residual = dz - x @ found
            spread = max(1.4826 * float(np.median(np.abs(residual))), 1e-6)
            weight = np.square(np.maximum(1 - np.square(residual / (REACH * spread)), 0))
            information = (x.T * weight) @ x + np.eye(2) * (spread / PRIOR) ** 2
            found = np.linalg.solve(information, x.T @ (weight * dz))
        return cls(found, np.linalg.inv(information) * spread**2, centre, low, high, int(known.sum()))

    def design(self, colour: Floats) -> Floats:
        """What a and b are multiplied with, shape (galaxy, 2); a galaxy without a colour has the median one's shift."""
        away = np.clip(colour, self.low, self.high) - self.centre
        return np.stack([np.ones_like(away), np.where(np.isfinite(away), away, 0.0)], axis=1)

    def corrected(self, labels: Labels, colour: Floats) -> Labels:
        """The labels without the shift."""
        if not self.pairs:
            return labels
        shift = self.design(colour) @ self.coefficients
        return replace(labels, z=np.maximum((labels.z - shift) / (1 + shift), 0.0))

    def drawn(self, colour: Floats, weight: Floats, *, times: int, seed: int) -> Floats:
        """The weighted mean error of the shift, as it may be, in units of (1 + z), shape (time,)."""
        if not self.pairs or not times:
            return np.zeros(times)
        rng = np.random.default_rng(seed)
        wrong = rng.multivariate_normal(np.zeros(2), self.covariance, times)
        return np.asarray(wrong @ np.average(self.design(colour), axis=0, weights=weight))
