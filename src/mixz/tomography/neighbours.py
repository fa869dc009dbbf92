"""Labelled galaxies made to stand for a sample: each galaxy of it hands its weight to its nearest ones in magnitudes.

Lima et al. 2008 (MNRAS 390, 118) count neighbours about labelled galaxies; here they are counted about the sample's, so
that none of these is left without anybody who stands for it:

    w_l = sum_g w_g [l among the k nearest of g] / k

A galaxy of the sample that has a label itself stands for itself.  In a resample only those that were drawn count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats, Mask

NEAREST = 10
"""Labelled galaxies that stand for each one without a label: the fewer, the more alike; the more, the less do single
ones count (ours)."""
NARROWEST_MAG = 0.01
"""No direction of magnitude space is blown up whose spread is below this [mag]: it holds noise only (ours)."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Who stands for whom.

    Parameters
    ----------
    stands_for
        1 where a labelled galaxy stands for one of the sample, shape (sample galaxy, labelled galaxy), sparse.

    Examples
    --------
    Of the sample, one galaxy is bright and three are faint; so the faint labelled galaxies count three times as much:

    >>> found = Neighbours.between(np.array([[20.0], [24], [24.1], [24.2]]), np.array([[20.1], [24.0], [24.3]]), k=1)
    >>> found.weights(np.ones((4, 1)), np.ones((3, 1)))[:, 0]
    array([1., 2., 1.])
    """

    stands_for: csr_array

    @classmethod
    def between(
        cls, sample: Floats, labelled: Floats, *, same: NDArray[np.intp] | None = None, k: int = NEAREST
    ) -> Self:
        """Look for the nearest labelled galaxies of each in the sample.

        Parameters
        ----------
        sample, labelled
            Magnitudes, shapes (sample galaxy, band) and (labelled galaxy, band); bands that some galaxy lacks must be
            left out.
        same
            The row of each labelled galaxy in the sample, shape (labelled galaxy,); -1 where it is not in it.
        k
            How many stand for each.
        """
        from scipy.spatial import cKDTree

        k = min(k, len(labelled))
        own = np.full(len(sample), -1)
        if same is not None:
            own[same[same >= 0]] = np.flatnonzero(same >= 0)
        itself, others = np.flatnonzero(own >= 0), np.flatnonzero(own < 0)
        near = np.empty((0, k), dtype=np.intp)
        if len(others):
            matrix = whitening(np.concatenate([sample, labelled]))
            near = np.asarray(cKDTree(labelled @ matrix).query(sample[others] @ matrix, k=[*range(1, k + 1)])[1])
        row = np.concatenate([itself, np.repeat(others, k)])
        column = np.concatenate([own[itself], near.ravel()])
        return cls(csr_array((np.ones(len(row)), (row, column)), shape=(len(sample), len(labelled))))

    @property
    def alone(self) -> Mask:
        """Which galaxies of the sample nobody stands for, shape (sample galaxy,): none, however far its neighbours."""
        return np.zeros(self.stands_for.shape[0], dtype=bool)

    def weights(self, sample: Floats, labelled: Floats) -> Floats:
        """The weights of labelled galaxies in every resample, shape (labelled galaxy, resample).

        Parameters
        ----------
        sample
            How much each galaxy of the sample counts in every resample, shape (sample galaxy, resample).
        labelled
            How often each labelled galaxy was drawn, shape (labelled galaxy, resample).
        """
        drawn = self.stands_for @ labelled
        each = np.divide(sample, drawn, out=np.zeros_like(drawn), where=drawn > 0)
        return np.asarray(labelled * (self.stands_for.T @ each))


def effective(weight: Floats) -> float:
    """How many equally weighted galaxies scatter as much: (sum w)^2 / sum w^2 (Kish 1965).

    Examples
    --------
    >>> effective(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    square = float(np.square(weight).sum())
    return float(weight.sum()) ** 2 / square if square > 0 else 0.0


def whitening(mag: Floats) -> Floats:
    """The map to coordinates in which colours count as they scatter, shape (band, band)."""
    variance, directions = np.linalg.eigh(np.atleast_2d(np.cov(mag.T, ddof=0)))
    return np.asarray(directions / np.sqrt(np.maximum(variance, NARROWEST_MAG**2)))
