"""Metrics of point estimates.  All take z_phot and z_ref of shape (galaxy,) by keyword and give one number.

Galaxies without an estimate (NaN) are an error of the caller: decide what to do with them first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Metric = Callable[..., float]
Floats = np.ndarray[tuple[int, ...], np.dtype[np.floating[Any]]]

OUTLIER_DZ = 0.15
"""|dz| beyond which a galaxy is an outlier, and the width of the HSC loss (Nishizawa+20)."""

CATASTROPHE_Z = 1.0
"""|z_phot - z_ref| beyond which an estimate is catastrophic (Singal & Soriano's group; arXiv:2411.18054)."""


def scaled_residual(*, z_phot: ArrayLike, z_ref: ArrayLike) -> NDArray[np.float64]:
    """Give dz = (z_phot - z_ref) / (1 + z_ref), shape (galaxy,).

    Examples
    --------
    >>> scaled_residual(z_phot=[1.2, 0.5], z_ref=[1.0, 0.5])
    array([0.1, 0. ])
    """
    z_phot, z_ref = np.asarray(z_phot, float), np.asarray(z_ref, float)
    if z_phot.shape != z_ref.shape:
        raise ValueError(f"z_phot has shape {z_phot.shape}, z_ref {z_ref.shape}; they must be the same galaxies")
    return np.asarray((z_phot - z_ref) / (1 + z_ref))


def bias(*, z_phot: ArrayLike, z_ref: ArrayLike) -> float:
    """Give the median of dz: positive when redshifts come out too high.

    Examples
    --------
    >>> bias(z_phot=[1.2, 1.0, 1.0, 1.1, 1.4], z_ref=np.ones(5))
    0.05
    """
    return _nan_if_empty(np.median, scaled_residual(z_phot=z_phot, z_ref=z_ref))


def bias_biweight(*, z_phot: ArrayLike, z_ref: ArrayLike) -> float:
    """Give Tukey's biweight location of dz (c = 6), which uses more of the data than the median.

    M + sum d (1 - u^2)^2 / sum (1 - u^2)^2 over |u| < 1,  d = dz - M,  u = d / (6 MAD),  M = median(dz)

    References
    ----------
    Beers, Flynn & Gebhardt 1990, eq. 5; used for the bias of HSC photo-z in Tanaka+18.

    Examples
    --------
    >>> bias_biweight(z_phot=[1.2, 1.0, 1.1, 9.0], z_ref=np.ones(4)) < 0.1
    True
    """
    dz = scaled_residual(z_phot=z_phot, z_ref=z_ref)
    if dz.size == 0:
        return float("nan")
    middle = np.median(dz)
    mad = np.median(np.abs(dz - middle))
    if mad == 0:
        return float(middle)
    u = (dz - middle) / (6 * mad)
    weight = np.where(np.abs(u) < 1, (1 - u**2) ** 2, 0)
    return float(middle + np.sum(weight * (dz - middle)) / np.sum(weight))


def sigma_mad(*, z_phot: ArrayLike, z_ref: ArrayLike) -> float:
    """Give the scatter 1.4826 median|dz - median(dz)|: a Gaussian's sigma, deaf to outliers.

    Examples
    --------
    >>> sigma_mad(z_phot=[1.0, 1.2, 1.4, 1.6, 1.8], z_ref=np.ones(5))
    0.14826
    """
    return _nan_if_empty(
        lambda dz: 1.4826 * np.median(np.abs(dz - np.median(dz))), scaled_residual(z_phot=z_phot, z_ref=z_ref)
    )


def sigma_iqr(*, z_phot: ArrayLike, z_ref: ArrayLike) -> float:
    """Give the scatter (q75 - q25) / 1.349 of dz: a Gaussian's sigma from its middle half.

    Examples
    --------
    >>> round(sigma_iqr(z_phot=[1.0, 1.2, 1.4, 1.6, 1.8], z_ref=np.ones(5)), 4)
    0.1483
    """
    return _nan_if_empty(
        lambda dz: np.subtract(*np.percentile(dz, [75, 25])) / 1.349, scaled_residual(z_phot=z_phot, z_ref=z_ref)
    )


def rms(*, z_phot: ArrayLike, z_ref: ArrayLike) -> float:
    """Give sqrt(mean dz^2) over all galaxies, outliers included.

    Examples
    --------
    >>> round(rms(z_phot=[1.6, 1.8], z_ref=[1.0, 1.0]), 4)
    0.3536
    """
    return _nan_if_empty(lambda dz: np.sqrt(np.mean(dz**2)), scaled_residual(z_phot=z_phot, z_ref=z_ref))


def outlier_fraction(*, z_phot: ArrayLike, z_ref: ArrayLike) -> float:
    """Give the share of galaxies with |dz| > 0.15.

    Examples
    --------
    >>> outlier_fraction(z_phot=[1.0, 1.2, 1.4, 3.0], z_ref=np.ones(4))
    0.5
    """
    return _nan_if_empty(lambda dz: np.mean(np.abs(dz) > OUTLIER_DZ), scaled_residual(z_phot=z_phot, z_ref=z_ref))


def outlier_fraction_3sigma(*, z_phot: ArrayLike, z_ref: ArrayLike) -> float:
    """Give the share of galaxies with |dz - median(dz)| > max(0.06, 3 sigma_iqr), RAIL's and LSST's outliers.

    Examples
    --------
    >>> outlier_fraction_3sigma(z_phot=[1.0, 1.0, 1.0, 1.2], z_ref=np.ones(4))
    0.25
    """
    dz = scaled_residual(z_phot=z_phot, z_ref=z_ref)
    if dz.size == 0:
        return float("nan")
    limit = max(0.06, 3 * sigma_iqr(z_phot=z_phot, z_ref=z_ref))
    return float(np.mean(np.abs(dz - np.median(dz)) > limit))


def catastrophic_fraction(*, z_phot: ArrayLike, z_ref: ArrayLike) -> float:
    """Give the share of galaxies with |z_phot - z_ref| > 1.

    Examples
    --------
    >>> catastrophic_fraction(z_phot=[0.5, 3.0], z_ref=[0.5, 0.5])
    0.5
    """
    off = np.asarray(z_phot, float) - np.asarray(z_ref, float)
    return _nan_if_empty(lambda d: np.mean(np.abs(d) > CATASTROPHE_Z), off)


def hsc_loss(*, z_phot: ArrayLike, z_ref: ArrayLike) -> float:
    """Give the mean of 1 - 1 / (1 + (dz / 0.15)^2): 0 when right, 1/2 at the outlier limit, 1 when lost.

    References
    ----------
    Nishizawa et al. 2020, arXiv:2003.01511.

    Examples
    --------
    >>> hsc_loss(z_phot=[1.0, 1.3], z_ref=[1.0, 1.0])
    0.25
    """
    return _nan_if_empty(
        lambda dz: np.mean(1 - 1 / (1 + (dz / OUTLIER_DZ) ** 2)), scaled_residual(z_phot=z_phot, z_ref=z_ref)
    )


def _nan_if_empty(metric: Callable[[NDArray[np.float64]], Any], dz: NDArray[np.float64]) -> float:
    return float(metric(dz)) if dz.size else float("nan")


POINT_METRICS: dict[str, Metric] = {
    metric.__name__: metric
    for metric in (
        bias,
        bias_biweight,
        sigma_mad,
        sigma_iqr,
        rms,
        outlier_fraction,
        outlier_fraction_3sigma,
        catastrophic_fraction,
        hsc_loss,
    )
}
"""Every point metric by its name."""
