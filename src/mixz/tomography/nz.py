"""n(z) of one bin: its masses on a grid, resamples of it, and how sure its mean and width are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from mixz.densities.grid import Grid, cell, centre

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mixz.arrays import Floats

GALAXIES, PATCHES, MEMBERS, SHIFT = "galaxies", "patches", "members", "label shift"
"""Where errors come from: galaxies drawn again, patches of sky drawn again (which holds the former), members of the
ensemble, and how well the labels' own shift is known."""


@dataclass(frozen=True, eq=False)
class NofZ:
    """A redshift distribution and what is known of its error.

    Parameters
    ----------
    grid
        Its nodes.
    mass
        Its masses, shape (z,), which sum to 1.
    resampled
        Those of realisations that scatter as it may be wrong, shape (realisation, z).
    errors
        Per source (`GALAXIES`, `PATCHES`, `MEMBERS`, `SHIFT`) the standard errors of mean and width, shape (2,).

    Examples
    --------
    >>> n = NofZ(Grid([0.0, 0.5, 1.0, 1.5, 2.0]), [0, 0.25, 0.5, 0.25, 0])
    >>> n.mean, round(n.width, 3)
    (1.0, 0.354)
    """

    grid: Grid
    mass: Floats
    resampled: Floats = field(default_factory=lambda: np.empty((0, 0)))
    errors: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        mass = np.asarray(self.mass, dtype=np.float64)
        object.__setattr__(self, "mass", mass / mass.sum())
        resampled = np.asarray(self.resampled, dtype=np.float64).reshape(-1, len(mass))
        object.__setattr__(self, "resampled", normalised(resampled))

    @property
    def mean(self) -> float:
        """The mean redshift."""
        return float(moments(self.mass[None], self.grid)[0, 0])

    @property
    def width(self) -> float:
        """The standard deviation of redshifts."""
        return float(moments(self.mass[None], self.grid)[0, 1])

    @property
    def error(self) -> Floats:
        """The standard errors of mean and width over realisations, shape (2,); NaN without any."""
        if len(self.resampled) < 2:
            return np.full(2, np.nan)
        return np.asarray(moments(self.resampled, self.grid).std(axis=0, ddof=1))

    @property
    def pdf(self) -> Floats:
        """The density at the nodes, shape (z,)."""
        return np.asarray(self.grid.density(self.mass))

    def band(self, level: float = 0.68) -> Floats:
        """The central interval of the realisations' densities at every node, shape (2, z)."""
        if not len(self.resampled):
            return np.full((2, len(self.mass)), np.nan)
        return np.quantile(self.grid.density(self.resampled), [(1 - level) / 2, (1 + level) / 2], axis=0)


def moments(mass: Floats, grid: Grid) -> Floats:
    """Mean and standard deviation of distributions of shape (any, z), shape (any, 2); each triangle at its centre."""
    at = centre(grid)
    mean = mass @ at
    return np.stack([mean, np.sqrt(np.maximum(mass @ np.square(at) - np.square(mean), 0))], axis=1)


def spread(z: Floats, grid: Grid) -> csr_array:
    """The shares that redshifts have in the nodes beside them, shape (galaxy, z), sparse; off the grid in its ends.

    Examples
    --------
    >>> spread(np.array([0.25, 7.0]), Grid([0.0, 1.0, 2.0])).toarray()
    array([[0.75, 0.25, 0.  ],
           [0.  , 0.  , 1.  ]])
    """
    nodes = grid.z
    inside = np.clip(z, nodes[0], nodes[-1])
    right = np.clip(np.searchsorted(nodes, inside, side="right"), 1, len(nodes) - 1)
    share = (inside - nodes[right - 1]) / (nodes[right] - nodes[right - 1])
    row = np.arange(len(z))
    values = np.concatenate([1 - share, share])
    return csr_array((values, (np.tile(row, 2), np.concatenate([right - 1, right]))), shape=(len(z), len(nodes)))


def moved(mass: Floats, grid: Grid, by: Floats) -> Floats:
    """Distributions of shape (any, z) shifted in redshift, each by its own, shape (any,); what leaves the grid is cut.

    Examples
    --------
    >>> moved(np.array([[0.0, 1, 0, 0, 0]]), Grid([0.0, 1, 2, 3, 4]), np.array([1.0])).round(3)
    array([[0., 0., 1., 0., 0.]])
    """
    found = np.empty_like(mass)
    density = mass / cell(grid)
    for row, shift in enumerate(by):
        found[row] = np.interp(grid.z - shift, grid.z, density[row], left=0.0, right=0.0) * cell(grid)
    return np.asarray(normalised(found))


def normalised(mass: Floats) -> NDArray[Any]:
    """Masses that sum to 1, shape (any, z); even where there are none."""
    total = mass.sum(axis=-1, keepdims=True)
    even = np.full(mass.shape[-1], 1 / mass.shape[-1])
    return np.where(total > 0, mass / np.where(total > 0, total, 1), even)


def realised(found: Mapping[str, Floats], grid: Grid, moves: Mapping[str, Floats] | None = None) -> NofZ:
    """n(z) with its realisations: of patches where these are known, moved by what else is uncertain.

    Parameters
    ----------
    found
        Per way of drawing again (`GALAXIES`, `PATCHES`) masses of shape (1 + resample, z), the first as they are.
    grid
        Their nodes.
    moves
        Per further source (`MEMBERS`, `SHIFT`) how far the mean is off in every realisation, shape (resample,).
    """
    kind = PATCHES if PATCHES in found else GALAXIES
    every = {k: np.asarray(normalised(mass)) for k, mass in found.items()}
    mass, resampled = every[GALAXIES][0], every[kind][1:]
    errors = {k: moments(one[1:], grid).std(axis=0, ddof=1) for k, one in every.items() if len(one) > 2}
    mean_width = np.array([1.0, 0.0])
    for source, by in (moves or {}).items():
        if len(by) > 1 and by.any():
            errors[source] = mean_width * by.std(ddof=1)
            resampled = moved(resampled, grid, by)
    return NofZ(grid, mass, resampled, errors)
