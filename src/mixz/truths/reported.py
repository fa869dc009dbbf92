"""Labels as wrong as their own catalogue says, galaxy by galaxy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mixz.truths.kernel import Array, Kernel

LEAST_REPORTED = 0.001
"""No reported interval counts as narrower, in units of 1 + z (ours): many-band labels lie on steps of 0.01."""


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
    >>> p = reported.density(z_label=1.0, z=np.array([0.9, 1.0, 1.1]), mag_i=22, z_err=[0.02, 0.10])
    >>> p.round(2)
    array([0.  , 6.52, 3.96])
    """

    fallback: Kernel
    outliers: float = 0.02
    width_scale: float = 1.0
    z_range: tuple[float, float] = (0.0, 6.0)

    @property
    def narrowest(self) -> float:
        """The least width that is believed."""
        return LEAST_REPORTED

    def scaled(self, factor: float) -> ReportedKernel:
        """Give the kernel of intervals `factor` times as wide, where there is none also the fallback's."""
        return replace(self, width_scale=self.width_scale * factor, fallback=self.fallback.scaled(factor))

    def draw(self, z: ArrayLike, *, mag_i: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """Draw labels of galaxies whose intervals are `z_err` wide, shape (galaxy, 2)."""
        from scipy.special import ndtri

        z, mag_i = np.broadcast_arrays(np.asarray(z, float), np.asarray(mag_i, float))
        below, above, known = self._widths(z_err, z)
        rng = np.random.default_rng(seed)
        low, high = (_two_piece_cdf(end - z, below, above) for end in self.z_range)
        share = low + (high - low) * rng.random(z.shape)
        turn = above / (below + above)
        left = above * ndtri(np.clip(share / (2 * turn), 0, 0.5))
        right = below * ndtri(np.clip(0.5 + (share - turn) / (2 * (1 - turn)), 0.5, 1))
        label = z + np.where(share < turn, left, right)
        label = np.where(rng.random(z.shape) < self.outliers, rng.uniform(*self.z_range, z.shape), label)
        return np.asarray(np.where(known, label, self.fallback.draw(z, mag_i=mag_i, seed=seed + 1)))

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_i: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """Give the two-piece normal's density at each label, the fallback's where no interval is known."""
        # The fallback gets them as they came: it is costly once per galaxy and per redshift, not once per pair.
        given = {"z_label": z_label, "z": z, "mag_i": mag_i}
        label, z, _ = np.broadcast_arrays(*(np.asarray(a, float) for a in given.values()))
        below, above, known = self._widths(z_err, z)
        d = label - z
        peak = 2 / (np.sqrt(2 * np.pi) * (below + above))
        core = peak * np.exp(-0.5 * np.square(d / np.where(d > 0, below, above)))
        low, high = (_two_piece_cdf(end - z, below, above) for end in self.z_range)
        p = (1 - self.outliers) * core / np.maximum(high - low, 1e-12)
        p = p + self.outliers / (self.z_range[1] - self.z_range[0])
        p = np.where((label >= self.z_range[0]) & (label <= self.z_range[1]), p, 0.0)
        if not known.all():
            p = np.where(known, p, self.fallback.density(**given))
        return np.asarray(p)

    def _widths(self, z_err: ArrayLike | None, z: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Give how far labels lie above and below the redshift, and whether the catalogue says so."""
        widths = np.full(2, np.nan) if z_err is None else np.asarray(z_err, float)
        below, above = (np.broadcast_to(widths[..., side], z.shape) for side in (0, 1))
        known = np.isfinite(below) & np.isfinite(above)
        least = LEAST_REPORTED * (1 + z)
        below, above = (np.where(known, np.maximum(self.width_scale * w, least), 1.0) for w in (below, above))
        return below, above, known


def _two_piece_cdf(d: Array, below: Array, above: Array) -> Array:
    """Give the share of labels less than `d` above their redshift."""
    from scipy.special import ndtr

    left = 2 * above / (below + above) * ndtr(np.minimum(d, 0) / above)
    right = 2 * below / (below + above) * (ndtr(np.maximum(d, 0) / below) - 0.5)
    return np.asarray(left + right)
