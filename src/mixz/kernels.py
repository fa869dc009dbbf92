"""Error kernels: how wrong a redshift label can be, p(z_label | z); draw labels, or ask how likely one is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Kernel(Protocol):
    """How a label scatters about the redshift: draw labels, or ask how likely one is."""

    @property
    def narrowest(self) -> float:
        """How fine a grid must be to see it: its least width in units of 1 + z."""
        ...

    def draw(self, z: ArrayLike, *, mag_i: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """Draw one label for each redshift `z`, shape (galaxy,); `z_err` as in `density`, shape (galaxy, 2)."""
        ...

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_i: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """Give p(z_label | z, i) per unit redshift, shapes broadcast together.

        `z_err` has one more axis of length 2, how far the label's own 68 % interval reaches below and above it; kernels
        that know better do not look at it.
        """
        ...

    def scaled(self, factor: float) -> Self:
        """Give the kernel whose labels are `factor` times as far off: K_s(z_label | z) = K(z + d / s | z) / s.

        d = z_label - z.
        """
        ...


@dataclass(frozen=True)
class GaussianKernel:
    """Labels with a Gaussian error of `sigma` (1 + z); `sigma` = 0.0005 stands for a good spectrum.

    K(z_label | z) = Normal(z_label; z, sigma (1 + z))

    Examples
    --------
    >>> spectra = GaussianKernel(0.0005)
    >>> z = np.full(20_000, 1.0)
    >>> round(float(spectra.draw(z, mag_i=22, seed=1).std()), 4)
    0.001
    """

    sigma: float

    @property
    def narrowest(self) -> float:
        """Its width."""
        return self.sigma

    def scaled(self, factor: float) -> GaussianKernel:
        """Give the kernel of `factor` times the width."""
        return GaussianKernel(self.sigma * factor)

    def draw(self, z: ArrayLike, *, mag_i: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:  # noqa: ARG002
        """Draw z + sigma (1 + z) N(0, 1); the magnitude plays no part."""
        z = np.asarray(z, float)
        noise = np.random.default_rng(seed).standard_normal(z.shape)
        return np.asarray(z + self.sigma * (1 + z) * noise)

    def density(
        self,
        *,
        z_label: ArrayLike,
        z: ArrayLike,
        mag_i: ArrayLike,
        z_err: ArrayLike | None = None,  # noqa: ARG002
    ) -> Array:
        """Give the Gaussian density at `z_label`."""
        z_label, z, _ = np.broadcast_arrays(*(np.asarray(a, float) for a in (z_label, z, mag_i)))
        from scipy import stats

        return np.asarray(stats.norm.pdf(z_label, loc=z, scale=self.sigma * (1 + z)))


@dataclass(frozen=True)
class CoreTailKernel:
    """Gaussian core and Jones-Faddy skew-t tail, binned in i magnitude (and the core in redshift).

    z_label = z + d,  d ~ (1 - f) Normal(mu, s) + f JF-skew-t(a, b; loc, scale),  cut to `z_range`.

    Parameters
    ----------
    mag_edges, z_edges
        Edges of the bins in i magnitude, shape (I + 1,), and redshift, shape (Z + 1,).  Values outside take
        the nearest bin.
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

    @property
    def narrowest(self) -> float:
        """The least width of the core."""
        return min(s / (1 + z) for row in self.s for s, z in zip(row, self.z_edges[1:], strict=True))

    def scaled(self, factor: float) -> CoreTailKernel:
        """Give the kernel whose core and tail are `factor` times as far off, cut to the same range."""

        def times(values: tuple[float, ...]) -> tuple[float, ...]:
            return tuple(factor * value for value in values)

        s, mu = (tuple(map(times, rows)) for rows in (self.s, self.mu))
        return replace(self, s=s, mu=mu, loc=times(self.loc), scale=times(self.scale))

    def draw(self, z: ArrayLike, *, mag_i: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:  # noqa: ARG002
        """Draw a label for each galaxy; a galaxy with a NaN redshift or magnitude gets NaN.

        Parameters
        ----------
        z, mag_i
            True redshift and i magnitude [AB], shape (galaxy,) or scalars.
        seed
            Seed of the draw: the same seed gives the same labels.

        Examples
        --------
        The labels of faint galaxies scatter more, as published:

        >>> from mixz.truths import COSMOS2020
        >>> z = np.full(50_000, 0.9)
        >>> for i in (21.0, 24.5):
        ...     d = (COSMOS2020.draw(z, mag_i=i, seed=1) - z) / 1.9
        ...     print(i, round(float(1.4826 * np.median(np.abs(d - np.median(d)))), 3))
        21.0 0.015
        24.5 0.017
        """
        z, mag_i = np.broadcast_arrays(np.asarray(z, float), np.asarray(mag_i, float))
        rng = np.random.default_rng(seed)
        i, j = self._bins(mag_i, z)
        label = np.full(z.shape, np.nan)
        todo = np.isfinite(z) & np.isfinite(mag_i)
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

    def density(
        self,
        *,
        z_label: ArrayLike,
        z: ArrayLike,
        mag_i: ArrayLike,
        z_err: ArrayLike | None = None,  # noqa: ARG002
    ) -> Array:
        """Give p(z_label | z, i), zero outside `z_range`, integrating to 1 over z_label.

        Examples
        --------
        >>> from mixz.truths import COSMOS2020
        >>> labels = np.linspace(0, 6, 6001)
        >>> p = COSMOS2020.density(z_label=labels, z=0.5, mag_i=23.5)
        >>> round(float(np.trapezoid(p, labels)), 4)
        1.0
        """
        label, z, mag_i = (np.asarray(a, float) for a in (z_label, z, mag_i))
        i, j = np.broadcast_arrays(*self._bins(mag_i, z))
        f, away = np.asarray(self.f)[i], label - z
        p = (1 - f) * _normal(away, np.asarray(self.mu)[i, j], np.asarray(self.s)[i, j]) + f * self._tail_density(
            away, i
        )
        p /= self._inside(z, i)
        return np.asarray(np.where((label >= self.z_range[0]) & (label <= self.z_range[1]), p, 0.0))

    def _inside(self, z: Array, i: NDArray[np.intp]) -> Array:
        """Give the share of undisturbed draws inside `z_range`; costly functions only once per redshift and bin."""
        from scipy import stats

        found = np.empty(np.broadcast_shapes(z.shape, i.shape))
        z_bin = self._bins(np.zeros(()), z)[1]
        for k in range(len(self.f)):
            core = stats.norm(loc=np.asarray(self.mu)[k, z_bin], scale=np.asarray(self.s)[k, z_bin])
            tail, f = self._tail(np.array(k)), self.f[k]
            low, high = (bound - z for bound in self.z_range)
            share = (1 - f) * (core.cdf(high) - core.cdf(low)) + f * (tail.cdf(high) - tail.cdf(low))
            np.copyto(found, share, where=i == k)
        return found

    def _tail_density(self, away: Array, i: NDArray[np.intp]) -> Array:
        """Give scipy's ``jf_skew_t`` density; written out, since the library's own is many times slower."""
        from scipy.special import beta

        a, b, loc, scale = (np.asarray(t) for t in (self.a, self.b, self.loc, self.scale))
        norm = 1 / (2 ** (a + b - 1) * beta(a, b) * np.sqrt(a + b) * scale)
        x = (away - loc[i]) / scale[i]
        slope = x / np.sqrt((a + b)[i] + np.square(x))
        return np.asarray(norm[i] * (1 + slope) ** (a[i] + 0.5) * (1 - slope) ** (b[i] + 0.5))

    def _bins(self, mag_i: Array, z: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the magnitude and redshift bin of each galaxy (the nearest one outside the edges)."""
        i = np.searchsorted(self.mag_edges[1:-1], mag_i, side="right")
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


LEAST_REPORTED = 0.001
"""No reported interval counts as narrower, in units of 1 + z (ours): many-band labels lie on steps of 0.01."""


def _two_piece_cdf(d: Array, below: Array, above: Array) -> Array:
    """Give the share of labels less than `d` above their redshift."""
    from scipy.special import ndtr

    left = 2 * above / (below + above) * ndtr(np.minimum(d, 0) / above)
    right = 2 * below / (below + above) * (ndtr(np.maximum(d, 0) / below) - 0.5)
    return np.asarray(left + right)


@dataclass(frozen=True)
class TableKernel:
    """Labels as wrong as a table says: a density of dz = (z_label - z) / (1 + z), in bins of i magnitude if need be.

    K(z_label | z, i) = p_i(dz) / (1 + z), p_i straight between the table's points and zero beyond them.

    Parameters
    ----------
    dz, density_of_dz
        Per magnitude bin the points, increasing, and the densities there, which integrate to 1.
    mag_borders
        Where one bin ends and the next begins, one fewer than bins; galaxies of unknown magnitude are in the last.

    Examples
    --------
    >>> triangle = TableKernel(dz=((-0.1, 0.0, 0.1),), density_of_dz=((0.0, 10.0, 0.0),))
    >>> triangle.density(z_label=[1.0, 1.1, 1.3], z=1.0, mag_i=22)
    array([5. , 2.5, 0. ])
    """

    dz: tuple[tuple[float, ...], ...]
    density_of_dz: tuple[tuple[float, ...], ...]
    mag_borders: tuple[float, ...] = ()

    @property
    def narrowest(self) -> float:
        """Half the narrowest bin's 68 % interval."""
        low, high = (
            np.array([self._quantile(bin_, np.array(q)) for bin_ in range(len(self.dz))]) for q in (0.16, 0.84)
        )
        return float((high - low).min() / 2)

    def scaled(self, factor: float) -> TableKernel:
        """Give the kernel whose table is stretched by `factor`."""
        dz = tuple(tuple(factor * x for x in points) for points in self.dz)
        return replace(self, dz=dz, density_of_dz=tuple(tuple(p / factor for p in bin_) for bin_ in self.density_of_dz))

    def draw(self, z: ArrayLike, *, mag_i: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:  # noqa: ARG002
        """Draw labels from the table of each galaxy's magnitude."""
        z, mag_i = np.broadcast_arrays(np.asarray(z, float), np.asarray(mag_i, float))
        share, which = np.random.default_rng(seed).random(z.shape), self._bin(mag_i)
        label = np.full(z.shape, np.nan)
        for number in range(len(self.dz)):
            its = which == number
            label[its] = z[its] + (1 + z[its]) * self._quantile(number, share[its])
        return label

    def density(
        self,
        *,
        z_label: ArrayLike,
        z: ArrayLike,
        mag_i: ArrayLike,
        z_err: ArrayLike | None = None,  # noqa: ARG002
    ) -> Array:
        """Give the table's density at each label, per unit redshift."""
        label, z, mag_i = np.broadcast_arrays(*(np.asarray(a, float) for a in (z_label, z, mag_i)))
        dz, which = (label - z) / (1 + z), self._bin(mag_i)
        p = np.zeros(z.shape)
        for number, (points, values) in enumerate(zip(self.dz, self.density_of_dz, strict=True)):
            its = which == number
            p[its] = np.interp(dz[its], points, values, left=0, right=0)
        return np.asarray(p / (1 + z))

    def _bin(self, mag_i: Array) -> NDArray[np.intp]:
        return np.asarray(np.searchsorted(self.mag_borders, mag_i, side="right"))

    def _quantile(self, number: int, share: Array) -> Array:
        """Give the dz that a `share` of a bin's labels lies below."""
        x, y = np.asarray(self.dz[number]), np.asarray(self.density_of_dz[number])
        cdf = np.concatenate([[0.0], np.cumsum((y[1:] + y[:-1]) / 2 * np.diff(x))])
        wanted = share * cdf[-1]
        cell = np.clip(np.searchsorted(cdf, wanted, side="right") - 1, 0, len(x) - 2)
        # The density is straight in a cell, so the share below is a parabola; this root is exact where it is flat.
        slope, rest = (y[cell + 1] - y[cell]) / (x[cell + 1] - x[cell]), wanted - cdf[cell]
        root = y[cell] + np.sqrt(np.maximum(y[cell] ** 2 + 2 * slope * rest, 0))
        return np.asarray(x[cell] + 2 * rest / np.maximum(root, 1e-300))
