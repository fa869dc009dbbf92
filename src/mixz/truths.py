"""A truth is a kind of redshift label and how wrong it can be: p(z_label | z), its error kernel.

Spectra are exact on the scale of a photo-z.  Many-band labels (COSMOS2020) scatter by a Gaussian core with a
skewed tail, both depending on i magnitude and redshift.  Training, mock surveys and the judging of models all
ask the kernel here, so that one statement of how wrong a label is serves the whole program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Kernel(Protocol):
    """How a label scatters about the redshift: draw labels, or ask how likely one is."""

    def draw(self, z: ArrayLike, *, mag_i: ArrayLike, seed: int) -> Array:
        """Draw one label for each redshift `z`, shape (galaxy,)."""
        ...

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_i: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """Give p(z_label | z, i) per unit redshift, shapes broadcast together.

        `z_err` has one more axis of length 2, how far the label's own 68 % interval reaches below and above it; kernels
        that know better do not look at it.
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

    def draw(self, z: ArrayLike, *, mag_i: ArrayLike, seed: int) -> Array:  # noqa: ARG002
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

    def draw(self, z: ArrayLike, *, mag_i: ArrayLike, seed: int) -> Array:
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


# Parameters "gaussian_yin+25_tail_khostovan+26" of GaussianSkewtScatterSelector in pz-rail-astro-tools 2.0.5.
COSMOS2020 = CoreTailKernel(
    mag_edges=(15.5, 22, 23, 24, 29),
    z_edges=(0, 0.3, 0.7, 1, 1.5, 2, 2.5, 3, 4),
    s=(
        (0.010, 0.020, 0.026, 0.038, 0.038, 0.038, 0.038, 0.038),
        (0.011, 0.019, 0.025, 0.036, 0.062, 0.062, 0.062, 0.062),
        (0.011, 0.022, 0.027, 0.044, 0.063, 0.115, 0.093, 0.074),
        (0.013, 0.023, 0.025, 0.051, 0.069, 0.120, 0.103, 0.069),
    ),
    mu=(
        (0, 0.002, -0.002, 0.001, 0.001, 0.001, 0.001, 0.001),
        (0, 0, -0.002, -0.004, 0.01, 0.01, 0.01, 0.01),
        (0.003, 0, -0.001, -0.006, -0.002, 0.024, 0.007, 0),
        (0.008, -0.005, 0.007, -0.015, -0.019, 0.017, 0.011, 0),
    ),
    f=(0.0709, 0.0672, 0.0618, 0.2425),
    loc=(0.0431, -0.0847, -0.0371, -0.0979),
    scale=(0.1585, 0.1018, 0.4109, 0.2499),
    a=(8.4098, 0.5426, 1.1277, 0.5394),
    b=(8.747, 0.4436, 0.8467, 0.5454),
)

# Ours: 150 km/s, between DEEP2's 30 km/s and low-resolution grating spectra; far below any photo-z.
SPECTRUM = GaussianKernel(0.0005)

KERNELS: Mapping[str, Kernel] = {"exact": SPECTRUM, "cosmos2020": COSMOS2020}
"""The kernels that a config can name."""

KNOWN_KERNELS: Mapping[str, Kernel] = {"spec": SPECTRUM, "many_band": COSMOS2020, "true": SPECTRUM}
"""The kernels of the truths whose names mixz knows."""


def exact_truths(kernels: Mapping[str, Kernel]) -> tuple[str, ...]:
    """Name the truths whose labels are believed before others' when a galaxy has several.

    Examples
    --------
    >>> exact_truths(KNOWN_KERNELS)
    ('spec', 'true')
    """
    return tuple(truth for truth, kernel in kernels.items() if kernel == SPECTRUM)
