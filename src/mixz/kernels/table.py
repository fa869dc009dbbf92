"""Labels as wrong as a table says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mixz.kernels.kernel import Array


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

    def draw(self, z: ArrayLike, *, mag_i: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """Draw labels from the table of each galaxy's magnitude."""
        z, mag_i = np.broadcast_arrays(np.asarray(z, float), np.asarray(mag_i, float))
        share, which = np.random.default_rng(seed).random(z.shape), self._bin(mag_i)
        label = np.full(z.shape, np.nan)
        for number in range(len(self.dz)):
            its = which == number
            label[its] = z[its] + (1 + z[its]) * self._quantile(number, share[its])
        return label

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_i: ArrayLike, z_err: ArrayLike | None = None) -> Array:
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
