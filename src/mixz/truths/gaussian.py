"""Labels with a Gaussian error, such as spectra."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mixz.truths.core_laplace import BROAD, CoreLaplaceKernel

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
    >>> round(float(spectra.draw(z, mag_ref=22, seed=1).std()), 4)
    0.001
    """

    sigma: float

    def narrowest(self, z_err: ArrayLike | None = None) -> float:
        """Its width."""
        return self.sigma

    @property
    def widest(self) -> float:
        """Its width."""
        return self.sigma

    @property
    def uses_z_err(self) -> bool:
        """It does not."""
        return False

    @property
    def core(self) -> GaussianKernel:
        """All of it."""
        return self

    @property
    def tail(self) -> CoreLaplaceKernel:
        """It knows of no outliers: those of `BROAD`."""
        return BROAD

    def tail_share(self, mag_ref: ArrayLike) -> Array:
        """None."""
        return np.zeros(np.shape(mag_ref))

    def scaled(self, factor: float) -> GaussianKernel:
        """The kernel of `factor` times the width."""
        return GaussianKernel(self.sigma * factor)

    def draw(self, z: ArrayLike, *, mag_ref: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """z + sigma (1 + z) N(0, 1); the magnitude plays no part."""
        z = np.asarray(z, float)
        noise = np.random.default_rng(seed).standard_normal(z.shape)
        return np.asarray(z + self.sigma * (1 + z) * noise)

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_ref: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """The Gaussian density at `z_label`."""
        z_label, z = np.broadcast_arrays(np.asarray(z_label, float), mag_ref)[0], np.asarray(z, float)
        width = self.sigma * (1 + z)
        return np.asarray(np.exp(-0.5 * np.square((z_label - z) / width)) / (width * math.sqrt(2 * math.pi)))
