"""Labels with a Gaussian core and Laplace tails in dz, by magnitude: the shape that a few measured numbers fix."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from mixz.truths.kernel import Array

MAD = 1.4826
"""sigma_mad is this times the median absolute deviation."""
NEAR, FAR = 0.15, 0.30
"""The two |dz| beyond which outliers are counted."""


@dataclass(frozen=True)
class CoreLaplaceKernel:
    """Gaussian core and Laplace tails of dz = (z_label - z) / (1 + z), in bins of magnitude; the form is ours.

    dz - mu ~ (1 - f) Normal(0, s) + f Laplace(0, b),  cut to labels inside `z_range`.

    Parameters
    ----------
    mag_borders
        Where one bin of magnitude ends and the next begins, one fewer than bins; unknown magnitudes are in the last.
    s, f, b
        Per bin the width of the core, the share of the tails, and their width.
    z_borders, mu
        Borders of bins of redshift, and the offset per bin of magnitude and redshift, shape (magnitude, z).
    z_range
        Labels lie in this range; a draw outside is drawn again.

    Examples
    --------
    >>> kernel = CoreLaplaceKernel((), s=(0.01,), f=(0.1,), b=(0.2,), mu=((0.0,),))
    >>> z = np.linspace(0, 6, 12_001)
    >>> round(float(np.trapezoid(kernel.density(z_label=z, z=0.5, mag_ref=22), z)), 4)
    1.0
    """

    mag_borders: tuple[float, ...]
    s: tuple[float, ...]
    f: tuple[float, ...]
    b: tuple[float, ...]
    mu: tuple[tuple[float, ...], ...]
    z_borders: tuple[float, ...] = ()
    z_range: tuple[float, float] = (0.0, 6.0)

    @classmethod
    def measured(
        cls,
        mag_borders: Sequence[float],
        *,
        sigma_mad: Sequence[float],
        beyond_near: Sequence[float],
        beyond_far: Sequence[float],
        bias: Sequence[float],
        z_borders: Sequence[float] = (),
        bias_of_z: Sequence[float] = (0.0,),
    ) -> Self:
        """The kernel that has these numbers of labels against spectra in each bin of magnitude.

        b = (.30 - .15) / ln(p_15 / p_30), f = p_15 exp(.15 / b), and s from the median absolute deviation; of labels
        that the range does not cut.

        Parameters
        ----------
        mag_borders, z_borders
            Borders of bins of magnitude and of redshift.
        sigma_mad, beyond_near, beyond_far, bias
            Per bin of magnitude: sigma_mad of dz, the shares with |dz| > 0.15 and > 0.30, and the median of dz.
        bias_of_z
            Per bin of redshift, by how much the median of dz differs from that of all.

        Examples
        --------
        >>> numbers = {"sigma_mad": [0.0167], "beyond_near": [0.046], "beyond_far": [0.024], "bias": [0.0]}
        >>> kernel = CoreLaplaceKernel.measured((), **numbers)
        >>> dz = (kernel.draw(np.full(200_000, 2.0), mag_ref=24, seed=1) - 2) / 3
        >>> round(float(np.mean(np.abs(dz) > 0.15)), 3), round(float(1.4826 * np.median(np.abs(dz))), 4)
        (0.043, 0.0166)
        """
        s, f, b = [], [], []
        for width, near, far in zip(sigma_mad, beyond_near, beyond_far, strict=True):
            tail = (FAR - NEAR) / math.log(near / far)
            share = near * math.exp(NEAR / tail)
            half = width / MAD
            of_core = (0.5 - share * (1 - math.exp(-half / tail))) / (1 - share)
            s.append(half / NormalDist().inv_cdf((1 + of_core) / 2))
            f.append(share)
            b.append(tail)
        mu = tuple(tuple(offset + shift for shift in bias_of_z) for offset in bias)
        return cls(tuple(mag_borders), tuple(s), tuple(f), tuple(b), mu, tuple(z_borders))

    def narrowest(self, z_err: ArrayLike | None = None) -> float:
        """The least width of the core."""
        return min(self.s)

    @property
    def widest(self) -> float:
        """Unbounded: its tails know no end."""
        return math.inf

    @property
    def uses_z_err(self) -> bool:
        """It does not."""
        return False

    @property
    def core(self) -> CoreLaplaceKernel:
        """The core alone."""
        return replace(self, f=(0.0,) * len(self.f))

    @property
    def tail(self) -> CoreLaplaceKernel:
        """The tail alone."""
        return replace(self, f=(1.0,) * len(self.f))

    def tail_share(self, mag_ref: ArrayLike) -> Array:
        """f of each galaxy's bin."""
        bins, _ = self._bins(np.asarray(mag_ref, float), np.zeros(()))
        return np.asarray(self.f)[bins]

    def scaled(self, factor: float) -> CoreLaplaceKernel:
        """The kernel whose core, tails and offsets are `factor` times as far off."""
        s, b = (tuple(factor * x for x in values) for values in (self.s, self.b))
        return replace(self, s=s, b=b, mu=tuple(tuple(factor * x for x in row) for row in self.mu))

    def draw(self, z: ArrayLike, *, mag_ref: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """Draw labels, each again until it lies in the range; NaN where the redshift is NaN or lies outside it."""
        z, mag_ref = np.broadcast_arrays(np.asarray(z, float), np.asarray(mag_ref, float))
        rng, (i, j) = np.random.default_rng(seed), self._bins(mag_ref, z)
        s, f, b, mu = (np.asarray(values) for values in (self.s, self.f, self.b, self.mu))
        label = np.full(z.shape, np.nan)
        todo = (z >= self.z_range[0]) & (z <= self.z_range[1])
        while todo.any():
            k, n = i[todo], int(todo.sum())
            dz = np.where(rng.random(n) < f[k], rng.laplace(0, b[k]), rng.normal(0, s[k])) + mu[k, j[todo]]
            label[todo] = z[todo] + (1 + z[todo]) * dz
            todo &= ~((label >= self.z_range[0]) & (label <= self.z_range[1]))
        return label

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_ref: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """p(z_label | z, m) per unit redshift, zero outside the range, integrating to 1 over z_label."""
        label, z, mag_ref = (np.asarray(a, float) for a in (z_label, z, mag_ref))
        i, j = self._bins(mag_ref, z)
        s, f, b = (np.asarray(values)[i] for values in (self.s, self.f, self.b))
        mu = np.asarray(self.mu)[i, j]
        away = (label - z) / (1 + z) - mu
        core = np.exp(-0.5 * np.square(away / s)) / (s * math.sqrt(2 * math.pi))
        tails = np.exp(-np.abs(away) / b) / (2 * b)
        p = ((1 - f) * core + f * tails) / (1 + z) / self._inside(z, s, f, b, mu)
        return np.asarray(np.where((label >= self.z_range[0]) & (label <= self.z_range[1]), p, 0.0))

    def _inside(self, z: Array, s: Array, f: Array, b: Array, mu: Array) -> Array:
        """The share of undisturbed draws inside the range."""
        from scipy.special import ndtr

        low, high = ((bound - z) / (1 + z) - mu for bound in self.z_range)
        core = ndtr(high / s) - ndtr(low / s)
        tails = _laplace_cdf(high / b) - _laplace_cdf(low / b)
        # A core alone may not reach the range; then its density there is nothing, whatever divides it.
        return np.asarray(np.maximum((1 - f) * core + f * tails, np.finfo(np.float64).tiny))

    def _bins(self, mag_ref: Array, z: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        i = np.searchsorted(self.mag_borders, mag_ref, side="right")
        j = np.searchsorted(self.z_borders, z, side="right")
        return np.asarray(i), np.minimum(j, len(self.z_borders))


def _laplace_cdf(x: Array) -> Array:
    return np.asarray(np.where(x < 0, 0.5 * np.exp(-np.abs(x)), 1 - 0.5 * np.exp(-np.abs(x))))


BROAD = CoreLaplaceKernel((), s=(0.05,), f=(1.0,), b=(0.2,), mu=((0.0,),), z_range=(0.0, math.inf))
"""Stands for outliers of kernels that know of none: about as far off as COSMOS2020's (`CoreLaplaceKernel.measured`)."""
