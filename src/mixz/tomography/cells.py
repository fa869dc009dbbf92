"""Labelled galaxies made to stand for a sample cell by cell in magnitude space: the choice beside nearest neighbours.

    w_l = sum of w_g over the cell of l / labelled galaxies of that cell

Cells are those of k-means in whitened magnitudes.  This is what is done with the cells of a self-organising map
(Masters et al. 2015, ApJ 813, 53); weights do not use how a map's cells lie beside each other, and k-means' cells are
the more compact ones.  What neighbours hide shows here: nobody stands for a cell without any labelled galaxy.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

from mixz.tomography.neighbours import whitening

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats, Mask

PER_CELL = 20
"""Labelled galaxies that a cell holds on average: a cell's mean is known to a fifth of its width then (ours)."""
MOST_CELLS = 500
FITTED = 20_000
"""Galaxies that cells are found from, at most; all others are put into the nearest."""
ITERATIONS = 20


@dataclass(frozen=True, eq=False)
class MagnitudeCells:
    """Which cell each galaxy is in.

    Parameters
    ----------
    sample, labelled
        1 where a galaxy is in a cell, shapes (cell, sample galaxy) and (cell, labelled galaxy), sparse.

    Examples
    --------
    One faint galaxy in two has a label; none of the bright ones has:

    >>> sample = np.array([[20.0], [20.1], [24.0], [24.1]])
    >>> found = MagnitudeCells.between(sample, np.array([[24.0]]), cells=2)
    >>> found.weights(np.ones((4, 1)), np.ones((1, 1))), found.alone
    (array([[2.]]), array([ True,  True, False, False]))
    """

    sample: csr_array
    labelled: csr_array

    @classmethod
    def between(cls, sample: Floats, labelled: Floats, *, cells: int | None = None, seed: int = 0) -> Self:
        """Divide magnitude space.

        Parameters
        ----------
        sample, labelled
            Magnitudes, shapes (sample galaxy, band) and (labelled galaxy, band); bands that some galaxy lacks must be
            left out.
        cells
            How many; by default as many as leave 20 labelled galaxies to each.
        seed
            Where the search for them starts.
        """
        from scipy.cluster.vq import kmeans2
        from scipy.spatial import cKDTree

        both = np.concatenate([sample, labelled])
        rng = np.random.default_rng([seed, 5])
        seen = both[np.sort(rng.permutation(len(both))[:FITTED])]
        matrix = whitening(both)
        number = cells or int(np.clip(len(labelled) // PER_CELL, 1, MOST_CELLS))
        with warnings.catch_warnings(action="ignore"):  # of a cell that no galaxy is left in
            centres = kmeans2(seen @ matrix, min(number, len(seen)), ITERATIONS, minit="++", rng=rng)[0]
        tree = cKDTree(centres)
        places = (np.asarray(tree.query(mag @ matrix)[1]) for mag in (sample, labelled))
        return cls(*(_members(place, len(centres)) for place in places))

    @property
    def alone(self) -> Mask:
        """Which galaxies of the sample are in a cell without a labelled one, shape (sample galaxy,)."""
        empty = np.asarray(self.labelled.sum(axis=1)) == 0
        return np.asarray(self.sample.T @ empty.astype(float)) > 0

    def weights(self, sample: Floats, labelled: Floats) -> Floats:
        """The weights of labelled galaxies in every resample, shape (labelled galaxy, resample).

        Parameters
        ----------
        sample, labelled
            As `Neighbours.weights`.
        """
        drawn = self.labelled @ labelled
        each = np.divide(self.sample @ sample, drawn, out=np.zeros_like(drawn), where=drawn > 0)
        return np.asarray(labelled * (self.labelled.T @ each))


def _members(place: NDArray[np.intp], cells: int) -> csr_array:
    n = len(place)
    return csr_array((np.ones(n), (place, np.arange(n))), shape=(cells, n))
