"""Metrics of point estimates, each written once: along the last axis of residuals, and so for one sample or thousands.

Called by name they take z_phot and z_ref of shape (galaxy,) and give one number, as in `rms(z_phot=a, z_ref=b)`;
`rms.along(residuals)` takes many sets of residuals at once.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.densities.estimates import OUTLIER_DZ, hsc_loss_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

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


@dataclass(frozen=True, eq=False)
class Residuals:
    """Residuals of many sets of galaxies, and what several metrics need of them, each computed once and when asked for.

    Parameters
    ----------
    dz, off
        (z_phot - z_ref) / (1 + z_ref) and z_phot - z_ref, shape (..., galaxy); NaN where a galaxy does not count.

    Examples
    --------
    >>> two = Residuals.of(np.array([[1.0, 1.2, 1.4], [1.0, 1.8, np.nan]]), np.ones(3))
    >>> bias.along(two), outlier_fraction.along(two).round(2)
    (array([0.1, 0.2]), array([0.33, 0.5 ]))
    """

    dz: Floats
    off: Floats

    @classmethod
    def of(cls, z_phot: Floats, z_ref: Floats, inside: NDArray[np.bool_] | bool = True) -> Residuals:
        """Residuals of the galaxies that are inside; all three are broadcast to the shape (..., galaxy)."""
        off = np.where(inside, z_phot - z_ref, np.nan)
        return cls(off / (1 + z_ref), off)

    def drawn(self, draws: NDArray[np.intp]) -> Residuals:
        """The galaxies of these indices, shape (..., *draws.shape)."""
        return Residuals(self.dz[..., draws], self.off[..., draws])

    @cached_property
    def n(self) -> NDArray[np.intp]:
        """How many galaxies count, shape (...)."""
        return np.asarray(np.isfinite(self.dz).sum(axis=-1))

    @cached_property
    def ordered(self) -> Floats:
        """dz in ascending order, NaN last."""
        return np.sort(self.dz, axis=-1)

    @cached_property
    def median(self) -> Floats:
        """The median of dz, shape (...)."""
        return self.quantile(0.5)

    @cached_property
    def away(self) -> Floats:
        """|dz - median(dz)|, shape (..., galaxy)."""
        return np.abs(self.dz - self.median[..., None])

    @cached_property
    def mad(self) -> Floats:
        """The median of |dz - median(dz)|, shape (...)."""
        return _quantile(np.sort(self.away, axis=-1), self.n, 0.5)

    @cached_property
    def middle_half(self) -> Floats:
        """q75(dz) - q25(dz), shape (...)."""
        return np.asarray(self.quantile(0.75) - self.quantile(0.25))

    def quantile(self, level: float) -> Floats:
        """A quantile of dz, as numpy interpolates it, shape (...); NaN where no galaxy counts."""
        return _quantile(self.ordered, self.n, level)

    def mean(self, values: Floats) -> Floats:
        """The mean over the galaxies that count of something that is NaN for all others, shape (...)."""
        return self._per_galaxy(np.nansum(values, axis=-1))

    def share(self, which: NDArray[np.bool_]) -> Floats:
        """The share of the galaxies that count for which something holds, shape (...)."""
        return self._per_galaxy(np.count_nonzero(which, axis=-1))

    def _per_galaxy(self, total: NDArray[Any]) -> Floats:
        return np.asarray(np.divide(total, self.n, out=np.full(self.n.shape, np.nan), where=self.n > 0))


def _quantile(ordered: Floats, n: NDArray[np.intp], level: float) -> Floats:
    """The quantile of sorted values of which the first `n` count, as numpy interpolates; NaN where none counts."""
    if ordered.shape[-1] == 0:
        return np.full(n.shape, np.nan)
    at = level * np.maximum(n - 1, 0)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, np.maximum(n - 1, 0))
    below, above = (np.take_along_axis(ordered, k[..., None], axis=-1)[..., 0] for k in (low, high))
    return np.asarray(below + (at - low) * (above - below))


class PointMetric:
    """A metric of residuals: called, of the redshifts of one sample; `along` the last axis, of many at once.

    Parameters
    ----------
    along
        Takes residuals of shape (..., galaxy), gives an array of shape (...).
    """

    def __init__(self, along: Callable[[Residuals], Floats]) -> None:
        self.along = along
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


@PointMetric
def bias(residuals: Residuals) -> Floats:
    """The median of dz: positive when redshifts come out too high.

    Examples
    --------
    >>> bias(z_phot=[1.2, 1.0, 1.0, 1.1, 1.4], z_ref=np.ones(5))
    0.05
    """
    return residuals.median


@PointMetric
def bias_biweight(residuals: Residuals) -> Floats:
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
    scale = 6 * np.where(scatters, residuals.mad, 1)[..., None]
    away = residuals.dz - residuals.median[..., None]
    weight = np.square(np.maximum(1 - np.square(away / scale), 0))  # NaN stays
    total = np.nansum(weight, axis=-1)
    shift = np.divide(np.nansum(weight * away, axis=-1), total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(residuals.median + np.where(scatters, shift, 0))


@PointMetric
def sigma_mad(residuals: Residuals) -> Floats:
    """The scatter 1.4826 median|dz - median(dz)|: a Gaussian's sigma, deaf to outliers.

    Examples
    --------
    >>> sigma_mad(z_phot=[1.0, 1.2, 1.4, 1.6, 1.8], z_ref=np.ones(5))
    0.14826
    """
    return np.asarray(1.4826 * residuals.mad)


@PointMetric
def sigma_iqr(residuals: Residuals) -> Floats:
    """The scatter (q75 - q25) / 1.349 of dz: a Gaussian's sigma from its middle half.

    Examples
    --------
    >>> round(sigma_iqr(z_phot=[1.0, 1.2, 1.4, 1.6, 1.8], z_ref=np.ones(5)), 4)
    0.1483
    """
    return np.asarray(residuals.middle_half / 1.349)


@PointMetric
def rms(residuals: Residuals) -> Floats:
    """sqrt(mean dz^2) over all galaxies, outliers included.

    Examples
    --------
    >>> round(rms(z_phot=[1.6, 1.8], z_ref=[1.0, 1.0]), 4)
    0.3536
    """
    return np.sqrt(residuals.mean(np.square(residuals.dz)))


@PointMetric
def outlier_fraction(residuals: Residuals) -> Floats:
    """The share of galaxies with |dz| > 0.15.

    Examples
    --------
    >>> outlier_fraction(z_phot=[1.0, 1.2, 1.4, 3.0], z_ref=np.ones(4))
    0.5
    """
    return residuals.share(np.abs(residuals.dz) > OUTLIER_DZ)


@PointMetric
def outlier_fraction_3sigma(residuals: Residuals) -> Floats:
    """The share of galaxies with |dz - median(dz)| > max(0.06, 3 sigma_iqr), RAIL's and LSST's outliers.

    Examples
    --------
    >>> outlier_fraction_3sigma(z_phot=[1.0, 1.0, 1.0, 1.2], z_ref=np.ones(4))
    0.25
    """
    limit = np.maximum(0.06, 3 * sigma_iqr.along(residuals))
    return residuals.share(residuals.away > limit[..., None])


@PointMetric
def catastrophic_fraction(residuals: Residuals) -> Floats:
    """The share of galaxies with |z_phot - z_ref| > 1.

    Examples
    --------
    >>> catastrophic_fraction(z_phot=[0.5, 3.0], z_ref=[0.5, 0.5])
    0.5
    """
    return residuals.share(np.abs(residuals.off) > CATASTROPHE_Z)


@PointMetric
def hsc_loss(residuals: Residuals) -> Floats:
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
