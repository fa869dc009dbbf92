"""Densities summed by cells of z_phot and by parts of the sample: n(z) of any bins, however many galaxies there are.

A bin is several cells in a row.  So one pass over a catalogue, part by part, is enough for bins of equal counts too,
whose edges are known when all of it has been seen, and the memory is that of the cells.  Parts of the sample are
patches of sky, which hold cosmic variance when they are drawn again, and groups of galaxies chosen at random, which
hold the drawing of galaxies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

from mixz.errors import MixzError
from mixz.tomography.bins import Bins, require_number
from mixz.tomography.nz import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.densities.grid import Grid
    from mixz.tomography.samples import PhotometricSample

CELLS = 500
"""Cells where bins are of equal counts, evenly in ln(1 + z): on a grid to z = 6 an edge is within .002 (1 + z) of where
it would be, and bins of five differ by some percent of their count (ours)."""
GROUPS = 64
"""Groups of galaxies: the error that they give is itself known to 9 % (ours)."""


def fine_edges(grid: Grid, cells: int = CELLS) -> Floats:
    """The edges of cells from which bins of equal counts are made, shape (cell + 1,)."""
    edges = np.expm1(np.linspace(np.log1p(grid.z[0]), np.log1p(grid.z[-1]), cells + 1))
    edges[[0, -1]] = grid.z[[0, -1]]
    return np.asarray(edges)


@dataclass(frozen=True, eq=False)
class PartSums:
    """The sums of some galaxies.

    Parameters
    ----------
    row
        Which rows of `DensitySums` they belong to, shape (row,), each once.
    values
        What is to be added there, shape (row, value).
    """

    row: NDArray[np.int64]
    values: Floats

    @classmethod
    def joined(cls, several: list[Self]) -> Self:
        """The sums of several groups of galaxies together."""
        return cls.added(np.concatenate([one.row for one in several]), np.concatenate([one.values for one in several]))

    @classmethod
    def added(cls, row: NDArray[np.int64], values: Floats) -> Self:
        """Add up what belongs to the same row.

        Examples
        --------
        >>> found = PartSums.added(np.array([7, 2, 7]), np.array([[1.0], [2.0], [3.0]]))
        >>> found.row, found.values.ravel()
        (array([2, 7]), array([2., 4.]))
        """
        rows, place = np.unique(row, return_inverse=True)
        n = len(place)
        return cls(rows, np.asarray(csr_array((np.ones(n), (place, np.arange(n))), shape=(len(rows), n)) @ values))


@dataclass(frozen=True, eq=False)
class SumLayout:
    """What is summed, and where each sum stands.

    Parameters
    ----------
    edges
        Of the cells in z_phot, shape (cell + 1,); every cell holds its lower edge, the last one its upper edge too.
    grid
        Of the densities.
    patches
        How many patches of sky there may be.
    members
        How many members' points are summed; 0 where they are not.
    truth
        Whether true redshifts are known, of simulated galaxies.
    """

    edges: Floats
    grid: Grid
    patches: int
    members: int = 0
    truth: bool = False

    @property
    def cells(self) -> int:
        """Count the cells."""
        return len(self.edges) - 1

    @property
    def width(self) -> int:
        """Values of a row: galaxies, their weight, members' points, the masses of densities, those of the truth."""
        return 2 + self.members + len(self.grid) * (2 if self.truth else 1)

    def sums(self, sample: PhotometricSample, group: NDArray[np.int64]) -> PartSums:
        """The sums of some galaxies.

        Parameters
        ----------
        sample
            The galaxies; their `patch` is the number of the patch of sky, or -1 where they are in none.
        group
            The group of each, shape (galaxy,), from 0 to `GROUPS` - 1.
        """
        cell = Bins.between(sample.z_phot, self.edges)
        inside = np.flatnonzero((cell >= 0) & np.isfinite(sample.mass).all(axis=1))
        one = sample.rows(inside)
        weight = one.counted
        values = [np.ones(len(one)), weight]
        if self.members:
            values += list(weight * np.nan_to_num(np.asarray(one.z_members)))
        columns = [np.stack(values, axis=1), np.asarray(one.mass, np.float64) * weight[:, None]]
        if self.truth:
            z_true = np.full(len(one), np.nan) if one.z_true is None else np.asarray(one.z_true)
            known = np.isfinite(z_true)
            columns.append(spread(np.where(known, z_true, 0), self.grid).toarray() * (weight * known)[:, None])
        whole = np.concatenate(columns, axis=1)
        patch = np.full(len(one), -1) if one.patch is None else one.patch
        of_group = (self.patches + group[inside]) * self.cells + cell[inside]
        somewhere = patch >= 0
        row = np.concatenate([of_group, (patch * self.cells + cell[inside])[somewhere]])
        return PartSums.added(row, np.concatenate([whole, whole[somewhere]]))


@dataclass(eq=False)
class DensitySums:
    """Sums of all galaxies seen so far.

    Parameters
    ----------
    layout
        What stands where.

    Examples
    --------
    >>> from mixz.densities.grid import Grid
    >>> from mixz.tomography.samples import PhotometricSample
    >>> grid = Grid(np.linspace(0, 1, 3))
    >>> layout = SumLayout(np.array([0.0, 0.5, 1.0]), grid, patches=0)
    >>> some = PhotometricSample(np.zeros((2, 1)), np.array([0.2, 0.7]), np.array([[0.5, 0.5, 0], [0, 0.5, 0.5]]))
    >>> sums = DensitySums(layout)
    >>> sums.add(layout.sums(some, np.zeros(2, int)))
    >>> sums.galaxies(Bins((0.0, 0.5, 1.0))), sums.masses(Bins((0.5, 1.0)), 0)[1].sum(axis=0)
    (array([1, 1]), array([0. , 0.5, 0.5]))
    """

    layout: SumLayout
    summed: Floats = field(init=False)

    def __post_init__(self) -> None:
        layout = self.layout
        self.summed = np.zeros(((layout.patches + GROUPS) * layout.cells, layout.width))

    @classmethod
    def of(cls, layout: SumLayout, summed: Floats) -> Self:
        """Sums as they were kept: `summed`, in rows as `SumLayout.sums` has them."""
        found = cls.__new__(cls)
        found.layout, found.summed = layout, summed
        return found

    def add(self, part: PartSums) -> None:
        """Add the sums of some galaxies."""
        self.summed[part.row] += part.values

    def bins(self, number: int, *, sample: str = "") -> Bins:
        """Bins of equal counts, or equal weights, with edges between cells.

        Raises
        ------
        MixzError
            There are fewer galaxies than bins, or too many share a cell.
        """
        require_number(number)
        weight = self._of_groups()[:, :, 1].sum(axis=0)
        filled = np.flatnonzero(weight)
        if not len(filled):
            raise MixzError("no galaxy is left for the bins", "at least one in every bin", "check cuts and weights")
        below = np.concatenate([[0.0], np.cumsum(weight)])
        inner = [int(np.argmin(np.abs(below - below[-1] * k / number))) for k in range(1, number)]
        places = [int(filled[0]), *inner, int(filled[-1]) + 1]
        if not all(a < b for a, b in pairwise(places)):
            raise MixzError(
                f"{number} bins of equal counts: so many galaxies share one redshift that a bin would be empty",
                "a galaxy in every bin",
                "ask for fewer bins, or give their edges",
            )
        return Bins(tuple(float(self.layout.edges[place]) for place in places), sample)

    @property
    def whole(self) -> Bins:
        """The one bin of all cells."""
        return Bins((float(self.layout.edges[0]), float(self.layout.edges[-1])))

    def galaxies(self, bins: Bins) -> NDArray[np.int64]:
        """How many galaxies each bin holds, shape (bin,)."""
        counts = self._of_groups()[:, :, 0].sum(axis=0)
        return np.array([round(counts[self._cells_of(bins, k)].sum()) for k in range(len(bins))])

    def masses(self, bins: Bins, k: int, *, truth: bool = False) -> tuple[Floats, Floats]:
        """A bin's densities summed over each patch that has galaxies at all, and over each group.

        Returns
        -------
        Shapes (patch, z) and (group, z).
        """
        layout = self.layout
        start = 2 + layout.members + (len(layout.grid) if truth else 0)
        every = self._rows()
        seen = every[: layout.patches, :, 0].sum(axis=1) > 0
        own = every[:, self._cells_of(bins, k), start : start + len(layout.grid)].sum(axis=1)
        return own[: layout.patches][seen], own[layout.patches :]

    def knows_truth(self, bins: Bins, k: int) -> bool:
        """Whether the true redshifts of a bin's galaxies are known, of all but one in a thousand."""
        if not self.layout.truth:
            return False
        return bool(self.masses(bins, k, truth=True)[1].sum() > 0.999 * self.masses(bins, k)[1].sum())

    def member_means(self, bins: Bins, k: int) -> Floats:
        """The mean of a bin's points by each member, shape (member,)."""
        own = self._of_groups()[:, self._cells_of(bins, k)].sum(axis=(0, 1))
        return np.asarray(own[2 : 2 + self.layout.members] / own[1])

    def _rows(self) -> Floats:
        return self.summed.reshape(self.layout.patches + GROUPS, self.layout.cells, -1)

    def _of_groups(self) -> Floats:
        return self._rows()[self.layout.patches :]

    def _cells_of(self, bins: Bins, k: int) -> slice:
        first, last = np.searchsorted(self.layout.edges, bins.edges[k : k + 2])
        return slice(int(first), int(last))
