"""The DESC photo-z challenge's statistics and points, beside our own of the same galaxies.

Its point statistics are those of RAIL's plots: residuals cut four times at 3 sigma, then biweight location and scale.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from mixz.metrics.pdf import pit_cvm, pit_ks
from mixz.metrics.point import bias_biweight, scaled_residual

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from mixz.metrics.point import Floats

CLIPS = 4
OUTLYING = 0.2
"""Beyond this |dz| a galaxy is an absolute outlier there (not 0.15)."""
PIT_EDGE = 1e-4
"""PIT values this close to 0 or 1 are its PIT outliers."""


def challenge_statistics(*, z_phot: ArrayLike, z_ref: ArrayLike, pit: ArrayLike) -> dict[str, float]:
    """The statistics that the challenge scores, by its names.

    Parameters
    ----------
    z_phot, z_ref
        Point estimates (the challenge takes zmode) and true redshifts, shape (galaxy,).
    pit
        Probability integral transforms of the true redshifts, shape (galaxy,).

    Returns
    -------
    dict
        ``mean`` and ``std``, biweight location and scale of dz after clipping; ``abs_outlier_rate``, the share beyond
        0.2; ``ks``, ``CvM`` and ``ksamp``, the distances of PIT from uniform of Kolmogorov and Smirnov, Cramer and
        von Mises, and Anderson and Darling (of two samples); ``outlier``, the share of PIT within 1e-4 of 0 or 1.

    Examples
    --------
    >>> z = np.linspace(0.1, 2, 1000)
    >>> found = challenge_statistics(z_phot=z + 0.02 * (1 + z), z_ref=z, pit=np.linspace(0, 1, 1000))
    >>> round(found["mean"], 4), round(found["std"], 4), found["ks"] < 0.002
    (0.02, 0.0, True)
    """
    dz = scaled_residual(z_phot=z_phot, z_ref=z_ref)
    near = dz
    for _ in range(CLIPS):
        near = stats.sigmaclip(near, low=3, high=3).clipped
    u = np.asarray(pit, float)
    return {
        "mean": bias_biweight(z_phot=near, z_ref=np.zeros(len(near))),  # dz itself
        "std": _biweight_scale(near),
        "abs_outlier_rate": float(np.mean(np.abs(dz) > OUTLYING)),
        "CvM": pit_cvm(u),
        "outlier": float(np.mean((u < PIT_EDGE) | (u > 1 - PIT_EDGE))),
        "ks": pit_ks(u),
        "ksamp": _anderson_darling(u),
    }


def challenge_points(
    statistics: Mapping[str, float], tiers: Mapping[str, Sequence[tuple[float, float]]]
) -> dict[str, int]:
    """The points of each statistic: one for every range of `tiers` that it lies in.

    Examples
    --------
    >>> challenge_points({"mean": 0.02, "ks": 0.7}, {"mean": [(-0.01, 0.01), (-0.03, 0.03)], "ks": [(0, 0.6)]})
    {'mean': 1, 'ks': 0}
    """
    return {name: sum(bool(low <= statistics[name] <= high) for low, high in ranges) for name, ranges in tiers.items()}


def _biweight_scale(x: Floats) -> float:
    """Tukey's biweight scale with c = 9 (Beers, Flynn & Gebhardt 1990, AJ 100, 32, eq. 9)."""
    away = x - np.median(x)
    mad = np.median(np.abs(away))
    if mad == 0:
        return 0.0
    u = away / (9 * mad)
    inside = np.abs(u) < 1
    top = np.sum(np.where(inside, away**2 * (1 - u**2) ** 4, 0))
    bottom = np.sum(np.where(inside, (1 - u**2) * (1 - 5 * u**2), 0))
    return float(np.sqrt(len(x) * top) / abs(bottom))


def _anderson_darling(pit: Floats) -> float:
    """Anderson and Darling's statistic of PIT and as many even steps from 0 to 1, as qp has it."""
    with warnings.catch_warnings():
        # scipy tells that its p-value is cut off, and of a change of its result's form; only the statistic counts here.
        warnings.simplefilter("ignore")
        return float(stats.anderson_ksamp([pit, np.linspace(0, 1, len(pit))]).statistic)
