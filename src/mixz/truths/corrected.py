"""Another kernel, corrected in bins of magnitude: the width of its core, the share of its outliers, its offset."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mixz.truths.kernel import Array, Kernel


@dataclass(frozen=True)
class CorrectedKernel:
    """Another kernel with its core, its outliers and its offset corrected in bins of magnitude.

    K(z_label | z, m) = (1 - f_m) core(z_label | z'; w_m) + f_m tail(z_label | z'),  z' = z + mu_m (1 + z),

    with the prior's own core (`Kernel.core`) of w_m times its width and the prior's own tail.

    Parameters
    ----------
    prior
        The kernel that is corrected.
    mag_borders
        Where one bin of magnitude ends and the next begins, one fewer than bins; unknown magnitudes are in the last.
    width
        Per bin the factor w on the width of the core.
    outliers
        Per bin the share f of outliers; None leaves the prior's own.
    offset
        Per bin the offset mu, in dz.
    scale
        Labels are so many times as far off as all this says.

    Examples
    --------
    >>> from mixz.truths.gaussian import GaussianKernel
    >>> prior = GaussianKernel(0.02)
    >>> kernel = CorrectedKernel(prior, (23.0,), width=(0.5, 1.0), outliers=(0.0, None), offset=(0.01, 0.0))
    >>> labels = kernel.draw(np.full(50_000, 1.0), mag_ref=22, seed=1)
    >>> round(float(np.mean(labels - 1) / 2), 3), round(float(np.std(labels) / 2), 3)
    (0.01, 0.01)
    """

    prior: Kernel
    mag_borders: tuple[float, ...]
    width: tuple[float, ...]
    outliers: tuple[float | None, ...]
    offset: tuple[float, ...]
    scale: float = 1.0

    def narrowest(self, z_err: ArrayLike | None = None) -> float:
        """The prior's least width, by the least factor."""
        return min(self.width) * self._prior.narrowest(z_err)

    @property
    def widest(self) -> float:
        """Unbounded, as tails are."""
        return math.inf

    @property
    def uses_z_err(self) -> bool:
        """As the prior."""
        return self.prior.uses_z_err

    @property
    def core(self) -> CorrectedKernel:
        """The prior's core, corrected."""
        return replace(self, outliers=(0.0,) * len(self.outliers))

    @property
    def tail(self) -> CorrectedKernel:
        """The prior's tail, with the offset."""
        return replace(self, outliers=(1.0,) * len(self.outliers))

    def tail_share(self, mag_ref: ArrayLike) -> Array:
        """The share of outliers of each galaxy's bin."""
        own = self.prior.tail_share(mag_ref)
        share = np.array([math.nan if f is None else f for f in self.outliers])[self._bin(mag_ref)]
        return np.asarray(np.where(np.isnan(share), own, share))

    def scaled(self, factor: float) -> CorrectedKernel:
        """The kernel whose core, tail and offset are `factor` times as far off."""
        return replace(self, scale=factor * self.scale, offset=tuple(factor * mu for mu in self.offset))

    def draw(self, z: ArrayLike, *, mag_ref: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """Draw labels, each from the core or from the tail."""
        z, mag_ref = np.broadcast_arrays(np.asarray(z, float), np.asarray(mag_ref, float))
        rng, which = np.random.default_rng(seed), self._bin(mag_ref)
        is_outlier = rng.random(z.shape) < self.tail_share(mag_ref)
        label = np.full(z.shape, np.nan)
        for number, width in enumerate(self.width):
            parts = ((self._core(width), ~is_outlier), (self._tail, is_outlier))
            for part, its in ((kernel, (which == number) & rows) for kernel, rows in parts):
                error = None if z_err is None else np.broadcast_to(z_err, (*z.shape, 2))[its]
                moved = self._moved(z[its], number)
                label[its] = part.draw(moved, mag_ref=mag_ref[its], seed=int(rng.integers(2**31)), z_err=error)
        return label

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_ref: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """p(z_label | z, m) per unit redshift, each galaxy's by the bin of its magnitude."""
        label, z, mag_ref = (np.asarray(values, float) for values in (z_label, z, mag_ref))
        error = None if z_err is None else np.asarray(z_err, float)
        which = self._bin(mag_ref)
        bins = np.unique(which).tolist()
        if len(bins) == 1:
            return self._density(bins[0], label, z, mag_ref, error)
        shape = np.broadcast_shapes(label.shape, z.shape, mag_ref.shape, () if error is None else error.shape[:-1])
        if mag_ref.ndim < len(shape) or mag_ref.size != shape[0]:
            # Magnitudes that differ along other axes than the first: pair by pair.
            flat = (np.broadcast_to(values, shape).ravel() for values in (label, z, mag_ref))
            error = None if error is None else np.broadcast_to(error, (*shape, 2)).reshape(-1, 2)
            label, z, mag_ref = flat
            return self.density(z_label=label, z=z, mag_ref=mag_ref, z_err=error).reshape(shape)
        found = np.empty(shape)
        for number in bins:
            its = which.ravel() == number
            error_here = None if error is None else _rows(error, its, len(shape) + 1)
            label_here, z_here, mag_here = (_rows(values, its, len(shape)) for values in (label, z, mag_ref))
            found[its] = self._density(number, label_here, z_here, mag_here, error_here)
        return found

    def _density(self, number: int, label: Array, z: Array, mag_ref: Array, z_err: Array | None) -> Array:
        """The density of galaxies of one bin."""
        width, share, moved = self.width[number], self.outliers[number], self._moved(z, number)

        def of(kernel: Kernel) -> Array:
            return kernel.density(z_label=label, z=moved, mag_ref=mag_ref, z_err=z_err)

        if share is None and width == 1:
            return of(self._prior)
        f = self.prior.tail_share(mag_ref) if share is None else np.asarray(share)
        core = of(self._core(width)) if (f < 1).any() else 0.0
        tail = of(self._tail) if (f > 0).any() else 0.0
        return np.asarray((1 - f) * core + f * tail)

    @property
    def _prior(self) -> Kernel:
        return self.prior if self.scale == 1 else self.prior.scaled(self.scale)

    @property
    def _tail(self) -> Kernel:
        return self.prior.tail if self.scale == 1 else self.prior.tail.scaled(self.scale)

    def _core(self, width: float) -> Kernel:
        return self.prior.core.scaled(width * self.scale)

    def _moved(self, z: Array, number: int) -> Array:
        """Redshifts that the prior's labels scatter about; none is moved below 0, where labels end."""
        return np.maximum(z + self.offset[number] * (1 + z), np.minimum(z, 0))

    def _bin(self, mag_ref: ArrayLike) -> NDArray[np.intp]:
        return np.asarray(np.searchsorted(self.mag_borders, np.asarray(mag_ref, float), side="right"))


def _rows(values: Array, its: NDArray[np.bool_], axes: int) -> Array:
    """The values of some galaxies, where the values differ from galaxy to galaxy."""
    return values[its] if values.ndim == axes and len(values) == len(its) else values
