"""What every error kernel does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Kernel(Protocol):
    """How labels scatter about the redshift: draw labels, or ask how likely one is."""

    def narrowest(self, z_err: ArrayLike | None = None) -> float:
        """How fine a grid must be to see it: its least width in units of 1 + z, of labels of these errors."""
        ...

    @property
    def widest(self) -> float:
        """No label is much farther off than this, in units of 1 + z; inf where some may be."""
        ...

    @property
    def uses_z_err(self) -> bool:
        """Whether a label's own error, where known, says how wrong it is, and its magnitude plays no part."""
        ...

    def draw(self, z: ArrayLike, *, mag_ref: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """Labels drawn for redshifts `z`, shape (galaxy,); `z_err` as in `density`, shape (galaxy, 2)."""
        ...

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_ref: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """p(z_label | z, m) per unit redshift, shapes broadcast together.

        `mag_ref` is the magnitude m in the reference band; galaxies without one (NaN) count as the faintest.  `z_err`
        has one more axis of length 2, how far the label's own 68 % interval reaches below and above it; kernels that
        know better do not look at it.
        """
        ...

    @property
    def core(self) -> Kernel:
        """The kernel of labels that are no outliers."""
        ...

    @property
    def tail(self) -> Kernel:
        """The kernel of outliers alone; of kernels that know of none, a broad one (ours)."""
        ...

    def tail_share(self, mag_ref: ArrayLike) -> Array:
        """The share f of outliers among galaxies of a magnitude: K = (1 - f) core + f tail."""
        ...

    def scaled(self, factor: float) -> Self:
        """The kernel whose labels are `factor` times as far off: K_s(z_label | z) = K(z + d / s | z) / s.

        d = z_label - z.
        """
        ...
