"""What every error kernel does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

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
