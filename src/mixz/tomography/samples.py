"""Galaxies as tomography sees them: those that the bins are of, and those with labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mixz.densities.grid import Grid, cell
from mixz.errors import MixzError
from mixz.tomography.nz import spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mixz.arrays import Floats, Mask
    from mixz.photoz import PhotoZ
    from mixz.truths.likelihood import Labels


ANYWHERE = 0.05
"""Share of galaxies whose points say nothing (ours): about as many as are outliers."""


@dataclass(frozen=True, eq=False)
class PhotometricSample:
    """Galaxies with magnitudes and photo-z.

    Parameters
    ----------
    mag
        Shape (galaxy, band); NaN where not measured.
    z_phot
        Point estimates, shape (galaxy,); NaN where a galaxy has none.
    mass
        Masses of their densities on the grid, shape (galaxy, z); NaN where a galaxy has none.
    z_members
        Point estimates of the members of an ensemble, shape (member, galaxy); None where they are not known.
    weight
        How much each counts, shape (galaxy,); None for all alike.
    patch
        The patch of sky of each, whole numbers, shape (galaxy,); None where positions are not known.
    z_true
        Their true redshifts, where they are simulated, shape (galaxy,).
    before
        Masses of what is known of each before its label, for calibration, where `mass` is of mere points; None where
        it is `mass`.
    """

    mag: Floats
    z_phot: Floats
    mass: NDArray[np.floating[Any]]
    z_members: Floats | None = None
    weight: Floats | None = None
    patch: NDArray[np.int64] | None = None
    z_true: Floats | None = None
    before: NDArray[np.floating[Any]] | None = None

    @classmethod
    def of(
        cls,
        photoz: PhotoZ,
        mag: Floats,
        *,
        weight: Floats | None = None,
        patch: NDArray[np.int64] | None = None,
        z_true: Floats | None = None,
    ) -> Self:
        """The galaxies of some photo-z.

        Raises
        ------
        MixzError
            These have no densities.
        """
        if photoz.pdf is None or photoz.z_grid is None:
            raise MixzError(
                "n(z) needs densities, and the model gives points only",
                "a model whose networks end in a density (head: binned or mixture)",
                "use such a model, e.g. the recipe `fused`",
            )
        mass = Grid(photoz.z_grid).mass(np.asarray(photoz.pdf, np.float32))
        members = photoz.z_phot_members if len(photoz.z_phot_members) > 1 else None
        return cls(np.asarray(mag, float), photoz.z_phot, mass, members, weight, patch, z_true)

    @classmethod
    def of_points(cls, photoz: PhotoZ, mag: Floats, grid: Grid, *, scatter: float, **more: Any) -> Self:
        """The galaxies of photo-z without densities: each counts at its point, and is known to a Gaussian about it.

        Parameters
        ----------
        photoz, mag
            Point estimates, and magnitudes, shape (galaxy, band).
        grid
            Where n(z) is wanted.
        scatter
            Of z_phot about the redshift, in units of (1 + z).  One galaxy in twenty may be anywhere (ours).
        more
            ``weight``, ``patch``, ``z_true``.

        Examples
        --------
        >>> from mixz.photoz import PhotoZ
        >>> grid = Grid([0.0, 0.5, 1.0, 1.5, 2.0])
        >>> found = PhotometricSample.of_points(PhotoZ(["a"], [[0.75]]), [[21.0]], grid, scatter=0.1)
        >>> found.mass
        array([[0. , 0.5, 0.5, 0. , 0. ]], dtype=float32)
        """
        z = np.where(np.isfinite(photoz.z_phot), photoz.z_phot, 0.0)
        known = np.isfinite(photoz.z_phot)[:, None]
        area = cell(grid)
        away = (grid.z - z[:, None]) / (scatter * (1 + z[:, None]))
        core = np.exp(-np.square(away) / 2) * area
        before = (1 - ANYWHERE) * core / np.maximum(
            core.sum(axis=1, keepdims=True), 1e-300
        ) + ANYWHERE * area / area.sum()
        mass = spread(z, grid).toarray()
        return cls(
            np.asarray(mag, float),
            photoz.z_phot,
            np.where(known, mass, np.nan).astype(np.float32),
            photoz.z_phot_members if len(photoz.z_phot_members) > 1 else None,
            **more,
            before=np.where(known, before, np.nan).astype(np.float32),
        )

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.z_phot)

    @property
    def prior(self) -> NDArray[np.floating[Any]]:
        """Masses of what is known of each galaxy before its label, shape (galaxy, z)."""
        return self.mass if self.before is None else self.before

    @property
    def counted(self) -> Floats:
        """How much each galaxy counts, shape (galaxy,)."""
        return np.ones(len(self)) if self.weight is None else np.asarray(self.weight, dtype=np.float64)

    @property
    def colour(self) -> Floats:
        """The colour from the first band to the last, shape (galaxy,); the magnitude where there is one band."""
        return np.asarray(self.mag[:, 0] - self.mag[:, -1] if self.mag.shape[1] > 1 else self.mag[:, 0])

    def rows(self, which: NDArray[Any]) -> PhotometricSample:
        """The galaxies that `which` (a mask or indices) selects."""
        return PhotometricSample(
            self.mag[which],
            self.z_phot[which],
            self.mass[which],
            None if self.z_members is None else self.z_members[:, which],
            None if self.weight is None else self.weight[which],
            None if self.patch is None else self.patch[which],
            None if self.z_true is None else self.z_true[which],
            None if self.before is None else self.before[which],
        )


@dataclass(frozen=True, eq=False)
class LabelledSample:
    """Galaxies with photo-z by the same model and labels of one or several truths.

    Parameters
    ----------
    photometry
        The galaxies.
    labels
        Per truth the labels of all of them; NaN where one has none.
    same
        The row of each in the sample that bins are of, shape (galaxy,); -1 where it is not in it, and everywhere if not
        given.
    held_out
        Which of them the model was not trained on, shape (galaxy,): only their densities are honest; all if not given.
    """

    photometry: PhotometricSample
    labels: Mapping[str, Labels]
    same: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    held_out: Mask = field(default_factory=lambda: np.empty(0, bool))

    def __post_init__(self) -> None:
        n = len(self.photometry)
        if not len(self.same) and n:
            object.__setattr__(self, "same", np.full(n, -1))
        if not len(self.held_out) and n:
            object.__setattr__(self, "held_out", np.ones(n, dtype=bool))
        for name, labels in self.labels.items():
            if len(labels) != n:
                raise ValueError(f"{len(labels)} labels of {name} for {n} galaxies")

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.photometry)

    @property
    def exact(self) -> Floats:
        """The exact label of each galaxy, shape (galaxy,); NaN where it has none."""
        z = np.full(len(self), np.nan)
        for labels in self.labels.values():
            if labels.truth.exact and not labels.truth.simulated:
                z = np.where(np.isfinite(z), z, labels.z)
        return z

    def noisy(self) -> list[str]:
        """Names of the truths whose labels are not the redshift itself, in their order."""
        return [name for name, labels in self.labels.items() if not labels.truth.exact]

    def rows(self, which: NDArray[Any]) -> LabelledSample:
        """The galaxies that `which` (a mask or indices) selects."""
        return LabelledSample(
            self.photometry.rows(which),
            {name: labels.rows(which) for name, labels in self.labels.items()},
            self.same[which],
            self.held_out[which],
        )
