"""Labels with a Gaussian core and a skewed tail, such as COSMOS2020's as a whole."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mixz.truths.kernel import Array

TINY = np.finfo(np.float64).tiny
"""Divides what is nothing anyway."""


@dataclass(frozen=True)
class CoreTailKernel:
    """Gaussian core and Jones-Faddy skew-t tail, binned in magnitude (and the core in redshift).

    z_label = z + d,  d ~ (1 - f) Normal(mu, s) + f JF-skew-t(a, b; loc, scale),  cut to `z_range`.

    Parameters
    ----------
    mag_edges, z_edges
        Edges of the bins in magnitude, shape (I + 1,), and redshift, shape (Z + 1,).  Values outside take the nearest
        bin, unknown magnitudes the faintest.
    s, mu
        Width and offset of the core, shape (I, Z), in redshift (not in dz).
    f, loc, scale, a, b
        Weight and shape of the tail per magnitude bin, shape (I,).
    z_range
        Labels lie in this range; a draw outside is drawn again.
    """

    mag_edges: tuple[float, ...]
    z_edges: tuple[float, ...]
    s: tuple[tuple[float, ...], ...]
    mu: tuple[tuple[float, ...], ...]
    f: tuple[float, ...]
    loc: tuple[float, ...]
    scale: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    z_range: tuple[float, float] = (0.0, 6.0)

    def narrowest(self, z_err: ArrayLike | None = None) -> float:
        """The least width of the core."""
        return min(s / (1 + z) for row in self.s for s, z in zip(row, self.z_edges[1:], strict=True))

    @property
    def widest(self) -> float:
        """Unbounded: its tails know no end."""
        return math.inf

    @property
    def uses_z_err(self) -> bool:
        """It does not."""
        return False

    @property
    def core(self) -> CoreTailKernel:
        """The core alone."""
        return replace(self, f=(0.0,) * len(self.f))

    @property
    def tail(self) -> CoreTailKernel:
        """The tail alone."""
        return replace(self, f=(1.0,) * len(self.f))

    def tail_share(self, mag_ref: ArrayLike) -> Array:
        """f of each galaxy's bin."""
        bins, _ = self._bins(np.asarray(mag_ref, float), np.zeros(()))
        return np.asarray(self.f)[bins]

    def scaled(self, factor: float) -> CoreTailKernel:
        """The kernel whose core and tail are `factor` times as far off, cut to the same range."""

        def times(values: tuple[float, ...]) -> tuple[float, ...]:
            return tuple(factor * value for value in values)

        s, mu = (tuple(map(times, rows)) for rows in (self.s, self.mu))
        return replace(self, s=s, mu=mu, loc=times(self.loc), scale=times(self.scale))

    def draw(self, z: ArrayLike, *, mag_ref: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """Labels drawn for galaxies; NaN where the redshift is NaN.

        Parameters
        ----------
        z, mag_ref
            True redshift and magnitude [AB], shape (galaxy,) or scalars.
        seed
            Seed of the draw: the same seed gives the same labels.

        Examples
        --------
        The labels of faint galaxies scatter more, as published:

        >>> from mixz.truths.known import COSMOS2020
        >>> z = np.full(50_000, 0.9)
        >>> for i in (21.0, 24.5):
        ...     d = (COSMOS2020.draw(z, mag_ref=i, seed=1) - z) / 1.9
        ...     print(i, round(float(1.4826 * np.median(np.abs(d - np.median(d)))), 3))
        21.0 0.015
        24.5 0.017
        """
        z, mag_ref = np.broadcast_arrays(np.asarray(z, float), np.asarray(mag_ref, float))
        rng = np.random.default_rng(seed)
        i, j = self._bins(mag_ref, z)
        label = np.full(z.shape, np.nan)
        todo = np.isfinite(z)
        # A redraw keeps the truncated density below exact; the chance of needing many is tiny everywhere.
        for _ in range(1000):
            if not todo.any():
                return label
            k, n = i[todo], int(todo.sum())
            core = rng.normal(np.asarray(self.mu)[k, j[todo]], np.asarray(self.s)[k, j[todo]])
            tail = self._tail(k).rvs(size=n, random_state=rng)
            label[todo] = z[todo] + np.where(rng.random(n) < np.asarray(self.f)[k], tail, core)
            with np.errstate(invalid="ignore"):
                todo &= ~((label >= self.z_range[0]) & (label <= self.z_range[1]))
        raise MixzError(
            f"{int(todo.sum())} labels could not be drawn inside {self.z_range}",
            f"true redshifts inside {self.z_range}",
            "look for wrong redshifts, e.g. the largest one",
        )

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_ref: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """p(z_label | z, m), zero outside `z_range`, integrating to 1 over z_label.

        Examples
        --------
        >>> from mixz.truths.known import COSMOS2020
        >>> labels = np.linspace(0, 6, 6001)
        >>> p = COSMOS2020.density(z_label=labels, z=0.5, mag_ref=23.5)
        >>> round(float(np.trapezoid(p, labels)), 4)
        1.0
        """
        label, z, mag_ref = (np.asarray(a, float) for a in (z_label, z, mag_ref))
        i, j = self._bins(mag_ref, z)
        f, away = np.asarray(self.f)[i], label - z
        p = (1 - f) * _normal(away, np.asarray(self.mu)[i, j], np.asarray(self.s)[i, j])
        if any(self.f):
            p = p + f * self._tail_density(away, i)
        p = p / np.maximum(self._inside(z, i), TINY)  # a core alone may not reach the range
        return np.asarray(np.where((label >= self.z_range[0]) & (label <= self.z_range[1]), p, 0.0))

    def _inside(self, z: Array, i: NDArray[np.intp]) -> Array:
        """The share of undisturbed draws inside `z_range`; costly functions only once per redshift and bin."""
        found = np.empty(np.broadcast_shapes(z.shape, i.shape))
        for k in np.unique(i).tolist():
            its = np.broadcast_to(i == k, found.shape)
            if z.shape == found.shape:
                found[its] = self._share_inside(z[its], k)
            else:
                np.copyto(found, self._share_inside(z, k), where=its)
        return found

    def _share_inside(self, z: Array, k: int) -> Array:
        """The same for galaxies of one magnitude bin."""
        from scipy import stats

        z_bin = self._bins(np.zeros(()), z)[1]
        core = stats.norm(loc=np.asarray(self.mu)[k, z_bin], scale=np.asarray(self.s)[k, z_bin])
        low, high = (bound - z for bound in self.z_range)
        share, f = (1 - self.f[k]) * (core.cdf(high) - core.cdf(low)), self.f[k]
        if f > 0:
            tail = self._tail(np.array(k))
            share = share + f * (tail.cdf(high) - tail.cdf(low))
        return np.asarray(share)

    def _tail_density(self, away: Array, i: NDArray[np.intp]) -> Array:
        """scipy's ``jf_skew_t`` density; written out, since the library's own is many times slower."""
        from scipy.special import beta

        a, b, loc, scale = (np.asarray(t) for t in (self.a, self.b, self.loc, self.scale))
        norm = 1 / (2 ** (a + b - 1) * beta(a, b) * np.sqrt(a + b) * scale)
        x = (away - loc[i]) / scale[i]
        slope = x / np.sqrt((a + b)[i] + np.square(x))
        return np.asarray(norm[i] * (1 + slope) ** (a[i] + 0.5) * (1 - slope) ** (b[i] + 0.5))

    def _bins(self, mag_ref: Array, z: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the magnitude and redshift bin of each galaxy (the nearest one outside the edges)."""
        i = np.searchsorted(self.mag_edges[1:-1], mag_ref, side="right")
        j = np.searchsorted(self.z_edges[1:-1], z, side="right")
        return np.asarray(i), np.asarray(j)

    def _tail(self, i: NDArray[np.intp]) -> Any:
        """Freeze the skew-t of magnitude bins `i`."""
        # scipy.stats takes a second to load; whoever needs no kernel should not wait for it.
        from scipy import stats

        a, b, loc, scale = (np.asarray(t)[i] for t in (self.a, self.b, self.loc, self.scale))
        return stats.jf_skew_t(a, b, loc=loc, scale=scale)


def _normal(x: Array, mean: Array, sigma: Array) -> Array:
    return np.asarray(np.exp(-0.5 * np.square((x - mean) / sigma)) / (sigma * np.sqrt(2 * np.pi)))
