"""Labels as wrong as their own catalogue says, galaxy by galaxy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mixz.truths.kernel import Array, Kernel

LEAST_REPORTED = 0.001
"""No reported interval counts as narrower, in units of 1 + z (ours): many-band labels lie on steps of 0.01."""
FAR = 9.0
"""So many widths away nothing is left of a normal distribution in double precision."""


@dataclass(frozen=True)
class ReportedKernel:
    """Labels as wrong as their own catalogue says, galaxy by galaxy, and a few that are wrong altogether.

    d = z_label - z ~ (1 - f) two-piece normal + f / (width of `z_range`), cut to `z_range`.  The label lies above the
    redshift (d > 0) as far as its 68 % interval reaches below it, and below as far as that reaches above.

    Parameters
    ----------
    fallback
        The kernel of galaxies whose catalogue gives no interval.
    outliers
        f, the share of labels that say nothing.
    width_scale
        Intervals count as so many times as wide as reported.
    z_range
        Labels lie in this range.

    Examples
    --------
    A label of 1.00 that may be 0.02 too high but 0.10 too low says so:

    >>> from mixz.truths.gaussian import GaussianKernel
    >>> reported = ReportedKernel(fallback=GaussianKernel(0.05))
    >>> p = reported.density(z_label=1.0, z=np.array([0.9, 1.0, 1.1]), mag_ref=22, z_err=[0.02, 0.10])
    >>> p.round(2)
    array([0.  , 6.52, 3.96])
    """

    fallback: Kernel
    outliers: float = 0.02
    width_scale: float = 1.0
    z_range: tuple[float, float] = (0.0, 6.0)

    def narrowest(self, z_err: ArrayLike | None = None) -> float:
        """The least width of known intervals, if they are believed, or of the fallback where some are unknown."""
        least = LEAST_REPORTED
        if z_err is not None and np.isfinite(z_err).all():
            # An interval is so wide in z; nowhere is it narrower in units of 1 + z than at the highest redshift.
            return max(least, self.width_scale * float(np.min(z_err, initial=np.inf)) / (1 + self.z_range[1]))
        return min(least, self.fallback.narrowest())

    @property
    def widest(self) -> float:
        """Unbounded: intervals may be of any width."""
        return math.inf

    @property
    def uses_z_err(self) -> bool:
        """It does."""
        return True

    @property
    def core(self) -> ReportedKernel:
        """The intervals alone, where there is none the fallback's core."""
        return replace(self, outliers=0.0, fallback=self.fallback.core)

    @property
    def tail(self) -> ReportedKernel:
        """The labels that say nothing, where there is no interval the fallback's tail."""
        return replace(self, outliers=1.0, fallback=self.fallback.tail)

    def tail_share(self, mag_ref: ArrayLike) -> Array:
        """`outliers`, as if every label had an interval."""
        return np.full(np.shape(mag_ref), self.outliers)

    def scaled(self, factor: float) -> ReportedKernel:
        """The kernel of intervals `factor` times as wide, where there is none also the fallback's."""
        return replace(self, width_scale=self.width_scale * factor, fallback=self.fallback.scaled(factor))

    def draw(self, z: ArrayLike, *, mag_ref: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """Draw labels of galaxies whose intervals are `z_err` wide, shape (galaxy, 2)."""
        from scipy.special import ndtri

        z, mag_ref = np.broadcast_arrays(np.asarray(z, float), np.asarray(mag_ref, float))
        below, above, known = self._widths(z_err, z)
        rng = np.random.default_rng(seed)
        low, high = (_two_piece_cdf(end - z, below, above) for end in self.z_range)
        share = low + (high - low) * rng.random(z.shape)
        turn = above / (below + above)
        left = above * ndtri(np.clip(share / (2 * turn), 0, 0.5))
        right = below * ndtri(np.clip(0.5 + (share - turn) / (2 * (1 - turn)), 0.5, 1))
        label = z + np.where(share < turn, left, right)
        label = np.where(rng.random(z.shape) < self.outliers, rng.uniform(*self.z_range, z.shape), label)
        return np.asarray(np.where(known, label, self.fallback.draw(z, mag_ref=mag_ref, seed=seed + 1)))

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_ref: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """The two-piece normal's density at each label, the fallback's where no interval is known."""
        label, mag_ref = np.broadcast_arrays(np.asarray(z_label, float), np.asarray(mag_ref, float))
        z = np.asarray(z, float)
        below, above, known = self._widths(z_err, z)
        d = label - z
        core = np.exp(-0.5 * np.square(d / np.where(d > 0, below, above)))
        core *= np.sqrt(2 / np.pi) / ((below + above) * self._inside(z, below, above))
        p = (1 - self.outliers) * core + self.outliers / (self.z_range[1] - self.z_range[0])
        p = np.where((label >= self.z_range[0]) & (label <= self.z_range[1]), p, 0.0)
        if not known.all():
            # The fallback gets them as they came: it is costly once per galaxy and per redshift, not once per pair.
            p = np.where(known, p, self.fallback.density(z_label=label, z=z, mag_ref=mag_ref))
        return np.asarray(p)

    def _inside(self, z: Array, below: Array, above: Array) -> Array:
        """The share of the core inside `z_range`; costly functions only near its ends."""
        low, high = self.z_range
        near = (z - low < FAR * above) | (high - z < FAR * below)
        z, below, above = (a[near] for a in np.broadcast_arrays(z, below, above))
        share = np.ones(near.shape)
        share[near] = np.maximum(_two_piece_cdf(high - z, below, above) - _two_piece_cdf(low - z, below, above), 1e-12)
        return share

    def _widths(self, z_err: ArrayLike | None, z: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """How far labels lie above and below the redshift, and whether the catalogue says so."""
        widths = np.full(2, np.nan) if z_err is None else np.asarray(z_err, float)
        known = np.isfinite(widths).all(axis=-1)
        least = LEAST_REPORTED * (1 + z)
        below, above = (np.where(known, np.maximum(self.width_scale * widths[..., s], least), 1.0) for s in (0, 1))
        return below, above, known


def _two_piece_cdf(d: Array, below: Array, above: Array) -> Array:
    """The share of labels less than `d` above their redshift."""
    from scipy.special import ndtr

    left = 2 * above / (below + above) * ndtr(np.minimum(d, 0) / above)
    right = 2 * below / (below + above) * (ndtr(np.maximum(d, 0) / below) - 0.5)
    return np.asarray(left + right)
