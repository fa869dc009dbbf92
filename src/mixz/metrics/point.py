"""Metrics of point estimates, each written once: along the last axis of residuals, and so for one sample or thousands.

Called by name they take z_phot and z_ref of shape (galaxy,) and give one number, as in `rms(z_phot=a, z_ref=b)`;
`rms.along(residuals)` takes many sets of residuals at once.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.densities.estimates import OUTLIER_DZ, hsc_loss_of
from mixz.metrics.residuals import Residuals

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from mixz.metrics.residuals import Statistics

Floats = np.ndarray[tuple[int, ...], np.dtype[np.floating[Any]]]

CATASTROPHE_Z = 1.0
"""|z_phot - z_ref| beyond which an estimate is catastrophic (Singal & Soriano's group; arXiv:2411.18054)."""


def scaled_residual(*, z_phot: ArrayLike, z_ref: ArrayLike) -> NDArray[np.float64]:
    """dz = (z_phot - z_ref) / (1 + z_ref), shape (galaxy,).

    Examples
    --------
    >>> scaled_residual(z_phot=[1.2, 0.5], z_ref=[1.0, 0.5])
    array([0.1, 0. ])
    """
    z_phot, z_ref = np.asarray(z_phot, float), np.asarray(z_ref, float)
    if z_phot.shape != z_ref.shape:
        raise ValueError(f"z_phot has shape {z_phot.shape}, z_ref {z_ref.shape}; they must be the same galaxies")
    return np.asarray((z_phot - z_ref) / (1 + z_ref))


class PointMetric:
    """A metric of residuals: called, of the redshifts of one sample; `along` the last axis, of many at once.

    Parameters
    ----------
    along
        Takes residuals of shape (..., galaxy), gives an array of shape (...).
    of_statistics
        Whether it asks residuals for nothing but `Statistics`, and takes dz and off only galaxy by galaxy.  Such a
        metric is resampled by counting how often each galaxy is drawn, in a fraction of the time.
    """

    def __init__(self, along: Callable[[Any], Floats], *, of_statistics: bool = False) -> None:
        self.along = along
        self.of_statistics = of_statistics
        functools.update_wrapper(self, along)

    def __call__(self, *, z_phot: ArrayLike, z_ref: ArrayLike) -> float:
        """The metric of one sample.

        Parameters
        ----------
        z_phot, z_ref
            Estimates and labels of the same galaxies, shape (galaxy,); of none the metric is NaN.

        Raises
        ------
        ValueError
            They are of different shapes, or some are NaN: what to do with those is the caller's to decide.
        """
        dz = scaled_residual(z_phot=z_phot, z_ref=z_ref)
        if np.isnan(dz).any():
            raise ValueError(f"{int(np.isnan(dz).sum())} galaxies have no redshift; leave them out first")
        return float(self.along(Residuals(dz, np.asarray(z_phot, float) - np.asarray(z_ref, float))))


def _of_statistics(along: Callable[[Statistics], Floats]) -> PointMetric:
    return PointMetric(along, of_statistics=True)


@_of_statistics
def bias(residuals: Statistics) -> Floats:
    """The median of dz: positive when redshifts come out too high.

    Examples
    --------
    >>> bias(z_phot=[1.2, 1.0, 1.0, 1.1, 1.4], z_ref=np.ones(5))
    0.05
    """
    return residuals.median


@_of_statistics
def bias_biweight(residuals: Statistics) -> Floats:
    """Tukey's biweight location of dz (c = 6), which uses more of the data than the median.

    M + sum d (1 - u^2)^2 / sum (1 - u^2)^2 over |u| < 1,  d = dz - M,  u = d / (6 MAD),  M = median(dz)

    References
    ----------
    Beers, Flynn & Gebhardt 1990, eq. 5; used for the bias of HSC photo-z in Tanaka+18.

    Examples
    --------
    >>> bias_biweight(z_phot=[1.2, 1.0, 1.1, 9.0], z_ref=np.ones(4)) < 0.1
    True
    """
    scatters = residuals.mad > 0
    shift = residuals.biweight_shift(6 * np.where(scatters, residuals.mad, 1))
    return np.asarray(residuals.median + np.where(scatters, shift, 0))


@_of_statistics
def sigma_mad(residuals: Statistics) -> Floats:
    """The scatter 1.4826 median|dz - median(dz)|: a Gaussian's sigma, deaf to outliers.

    Examples
    --------
    >>> sigma_mad(z_phot=[1.0, 1.2, 1.4, 1.6, 1.8], z_ref=np.ones(5))
    0.14826
    """
    return np.asarray(1.4826 * residuals.mad)


@_of_statistics
def sigma_iqr(residuals: Statistics) -> Floats:
    """The scatter (q75 - q25) / 1.349 of dz: a Gaussian's sigma from its middle half.

    Examples
    --------
    >>> round(sigma_iqr(z_phot=[1.0, 1.2, 1.4, 1.6, 1.8], z_ref=np.ones(5)), 4)
    0.1483
    """
    return np.asarray(residuals.middle_half / 1.349)


@_of_statistics
def rms(residuals: Statistics) -> Floats:
    """sqrt(mean dz^2) over all galaxies, outliers included.

    Examples
    --------
    >>> round(rms(z_phot=[1.6, 1.8], z_ref=[1.0, 1.0]), 4)
    0.3536
    """
    return np.sqrt(residuals.mean(np.square(residuals.dz)))


@_of_statistics
def outlier_fraction(residuals: Statistics) -> Floats:
    """The share of galaxies with |dz| > 0.15.

    Examples
    --------
    >>> outlier_fraction(z_phot=[1.0, 1.2, 1.4, 3.0], z_ref=np.ones(4))
    0.5
    """
    return residuals.share(np.abs(residuals.dz) > OUTLIER_DZ)


@_of_statistics
def outlier_fraction_3sigma(residuals: Statistics) -> Floats:
    """The share of galaxies with |dz - median(dz)| > max(0.06, 3 sigma_iqr), RAIL's and LSST's outliers.

    Examples
    --------
    >>> outlier_fraction_3sigma(z_phot=[1.0, 1.0, 1.0, 1.2], z_ref=np.ones(4))
    0.25
    """
    return residuals.beyond(np.maximum(0.06, 3 * sigma_iqr.along(residuals)))


@_of_statistics
def catastrophic_fraction(residuals: Statistics) -> Floats:
    """The share of galaxies with |z_phot - z_ref| > 1.

    Examples
    --------
    >>> catastrophic_fraction(z_phot=[0.5, 3.0], z_ref=[0.5, 0.5])
    0.5
    """
    return residuals.share(np.abs(residuals.off) > CATASTROPHE_Z)


@_of_statistics
def hsc_loss(residuals: Statistics) -> Floats:
    """The mean of 1 - 1 / (1 + (dz / 0.15)^2): 0 when right, 1/2 at the outlier limit, 1 when lost.

    References
    ----------
    Nishizawa et al. 2020, arXiv:2003.01511.

    Examples
    --------
    >>> hsc_loss(z_phot=[1.0, 1.3], z_ref=[1.0, 1.0])
    0.25
    """
    return residuals.mean(hsc_loss_of(residuals.dz))
