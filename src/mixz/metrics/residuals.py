"""Residuals of photo-z, and the means, shares and quantiles of them that metrics are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats


class Statistics(Protocol):
    """What metrics may ask of residuals, whether each galaxy counts once (`Residuals`) or often (`Counted`).

    ``dz`` and ``off`` have galaxies along their last axis, and so have the values and marks that are handed in; what
    comes out has an axis of samples in its place, or none.
    """

    @property
    def dz(self) -> Floats:
        """(z_phot - z_ref) / (1 + z_ref); NaN where a galaxy does not count."""
        ...

    @property
    def off(self) -> Floats:
        """z_phot - z_ref; NaN where a galaxy does not count."""
        ...

    @property
    def median(self) -> Floats:
        """The median of dz."""
        ...

    @property
    def mad(self) -> Floats:
        """The median of |dz - median(dz)|."""
        ...

    @property
    def middle_half(self) -> Floats:
        """q75(dz) - q25(dz)."""
        ...

    def quantile(self, level: float) -> Floats:
        """A quantile of dz."""
        ...

    def mean(self, values: Floats) -> Floats:
        """The mean of something known of every galaxy."""
        ...

    def share(self, which: NDArray[np.bool_]) -> Floats:
        """The share of galaxies for which something holds."""
        ...

    def beyond(self, limit: Floats) -> Floats:
        """The share of galaxies with |dz - median(dz)| > limit."""
        ...

    def biweight_shift(self, reach: Floats) -> Floats:
        """The biweight mean of dz - median(dz), in which nothing beyond `reach` counts."""
        ...


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
    >>> two.median, two.share(np.abs(two.dz) > 0.15).round(2)
    (array([0.1, 0.2]), array([0.33, 0.5 ]))
    """

    dz: Floats
    off: Floats

    @classmethod
    def of(cls, z_phot: Floats, z_ref: Floats, inside: NDArray[np.bool_] | bool = True) -> Residuals:
        """Residuals of the galaxies that are inside; all three are broadcast to the shape (..., galaxy)."""
        off = np.where(inside, z_phot - z_ref, np.nan)
        return cls(off / (1 + z_ref), off)

    def members(self, which: slice) -> Residuals:
        """Those of some members, where there is an axis of members."""
        return Residuals(self.dz[which], self.off[which])

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

    def beyond(self, limit: Floats) -> Floats:
        """The share of the galaxies that count with |dz - median(dz)| > limit, of shape (...) like `limit`."""
        return self.share(self.away > limit[..., None])

    def biweight_shift(self, reach: Floats) -> Floats:
        """sum d (1 - u^2)^2 / sum (1 - u^2)^2 over |u| < 1, with d = dz - median(dz), u = d / reach; shape (...)."""
        away = self.dz - self.median[..., None]
        weight = np.square(np.maximum(1 - np.square(away / reach[..., None]), 0))  # NaN stays
        total = np.nansum(weight, axis=-1)
        shift = np.nansum(weight * away, axis=-1)
        return np.asarray(np.divide(shift, total, out=np.zeros_like(total), where=total > 0))

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
