"""Labels with a Gaussian error, such as spectra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from mixz.truths.kernel import Array


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

    def draw(self, z: ArrayLike, *, mag_i: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """Draw z + sigma (1 + z) N(0, 1); the magnitude plays no part."""
        z = np.asarray(z, float)
        noise = np.random.default_rng(seed).standard_normal(z.shape)
        return np.asarray(z + self.sigma * (1 + z) * noise)

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_i: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """Give the Gaussian density at `z_label`."""
        z_label, z, _ = np.broadcast_arrays(*(np.asarray(a, float) for a in (z_label, z, mag_i)))
        from scipy import stats

        return np.asarray(stats.norm.pdf(z_label, loc=z, scale=self.sigma * (1 + z)))
