"""What comes out: redshifts by every member of an ensemble, and their density."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.arrays import Floats, all_shaped, frozen, shaped
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PhotoZ:
    """Photometric redshifts of some galaxies by every member of an ensemble.

    Parameters
    ----------
    object_id
        Names of the galaxies, shape (galaxy,).
    z_phot_members
        Each member's point estimate, shape (member, galaxy); NaN where none could be given.
    z_sigma_members
        Each member's own standard deviation of its estimate, shape (member, galaxy); None where members give none.
    z_grid, pdf
        Density of each galaxy's redshift, the mean of its members', shape (galaxy, z), on nodes of shape (z,) between
        which it is straight; None where members give none.
    points
        Point estimates of that density by name (zmode, zmean, zmedian, zbest, zrms), each of shape (galaxy,).
    z_rms_members
        Where members give densities, `z_phot_members` are their zbest and these their zrms, shape (member, galaxy).
    intervals
        By nominal coverage in percent (``"68"``, ``"90"``, ``"95"``) the ends of each galaxy's interval of redshift,
        shape (galaxy, 2); empty where the model gives none.
    support
        Whether training covered the galaxy, shape (galaxy,): 2 by spectra, 1 only by noisier labels, 0 not; None
        where the model does not say.

    Examples
    --------
    >>> photoz = PhotoZ(["a", "b"], [[0.5, 1.0], [0.7, 1.0]], [[0.0, 0.1], [0.0, 0.1]])
    >>> photoz.z_phot, photoz.z_sigma
    (array([0.6, 1. ]), array([0.1, 0.1]))
    """

    object_id: NDArray[Any]
    z_phot_members: Floats
    z_sigma_members: Floats | None = None
    z_grid: Floats | None = None
    pdf: Floats | None = None
    points: Mapping[str, Floats] = field(default_factory=dict)
    z_rms_members: Floats | None = None
    intervals: Mapping[str, Floats] = field(default_factory=dict)
    support: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        set_field = object.__setattr__.__get__(self)
        set_field("object_id", frozen(self.object_id))
        n, members = len(self.object_id), len(self.z_phot_members)
        for name in ("z_phot_members", "z_sigma_members", "z_rms_members"):
            if getattr(self, name) is not None:
                set_field(name, shaped(name, getattr(self, name), (members, n)))
        if (self.pdf is None) != (self.z_grid is None):
            raise MixzError("pdf and z_grid: one without the other", "both or none", "give the grid of the densities")
        if self.pdf is not None and self.z_grid is not None:
            set_field("z_grid", frozen(self.z_grid, np.float64))
            set_field("pdf", shaped("pdf", self.pdf, (n, len(self.z_grid)), None))
        set_field("points", all_shaped("points", self.points, (n,)))
        set_field("intervals", all_shaped("intervals", self.intervals, (n, 2)))
        if self.support is not None:
            set_field("support", shaped("support", self.support, (n,), np.int8))

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.object_id)

    @property
    def z_phot(self) -> Floats:
        """The ensemble's point estimate, shape (galaxy,): zbest of its density, else the mean of its members'."""
        return self.points["zbest"] if "zbest" in self.points else np.asarray(self.z_phot_members.mean(axis=0))

    @property
    def z_phot_std(self) -> Floats:
        """Scatter of the members about their mean (not a redshift error), shape (galaxy,); NaN for one member."""
        if len(self.z_phot_members) < 2:
            return np.full(len(self), np.nan)
        return np.asarray(self.z_phot_members.std(axis=0, ddof=1))

    @property
    def z_sigma(self) -> Floats | None:
        """Standard deviation of the density, or of the equal mixture of the members' estimates, shape (galaxy,).

        sigma^2 = mean(sigma_m^2) + mean((z_m - z)^2); None where members give neither densities nor errors.
        """
        if self.pdf is not None and self.z_grid is not None:
            cell = np.gradient(self.z_grid)
            cell[[0, -1]] /= 2
            mass = self.pdf * cell
            mean = mass @ self.z_grid
            return np.asarray(np.sqrt(np.maximum(mass @ np.square(self.z_grid) - np.square(mean), 0)))
        if self.z_sigma_members is None:
            return None
        scatter = np.square(self.z_phot_members - self.z_phot).mean(axis=0)
        return np.asarray(np.sqrt(np.square(self.z_sigma_members).mean(axis=0) + scatter))
