"""Support: which galaxies training covered, with spectra or only with noisier labels, and which lie outside.

A galaxy is covered where training galaxies lie as close as they lie to each other: its distance to the k-th nearest is
no larger than that of nearly all training galaxies among themselves.  Distances are between magnitudes in the common
photometric system, uncorrelated and of spread 1 over the training galaxies, as the networks see them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

FITTED = ("mean", "matrix", "by_spectra", "by_others", "limit")
"""The numbers of a `Support`, stored with the weights."""
NEIGHBOUR = 5
"""Which neighbour's distance counts: one odd training galaxy covers nothing (ours)."""
KEPT = 0.99
"""Share of the training galaxies that count as covered by the others (ours)."""
MOST = 4_000
"""Training galaxies of each kind that are kept in the model, at most: some hundred kilobytes."""
TINY = 1e-6
"""Directions with less variance than this, next to that of single bands, hold nothing but rounding."""
OTHERS, SPECTRA = 1, 2


@dataclass(frozen=True, eq=False)
class Support:
    """Where training galaxies lie.

    Parameters
    ----------
    mean, matrix
        Map of inputs to where distances are taken, shapes (band,) and (band, band).
    by_spectra, by_others
        Training galaxies with exact labels, and those with others, there; shape (galaxy, band), possibly none.
    limit
        The distance that counts as covered, by spectra and by others, shape (2,).

    Examples
    --------
    >>> cloud = torch.randn(2000, 2, generator=torch.Generator().manual_seed(1))
    >>> support = Support.fit(cloud, exact=cloud[:, 0] < 0, seed=0)
    >>> support(torch.tensor([[-1.0, 0.0], [1.0, 0.0], [9.0, 0.0], [torch.nan, 0.0]]))
    array([2, 1, 0, 0], dtype=int8)
    """

    mean: torch.Tensor
    matrix: torch.Tensor
    by_spectra: torch.Tensor
    by_others: torch.Tensor
    limit: torch.Tensor

    @classmethod
    def fit(cls, x: torch.Tensor, *, exact: torch.Tensor, seed: int) -> Self:
        """Keep a sample of the training galaxies, and learn how close they lie.

        Parameters
        ----------
        x
            Their inputs in the common photometric system, shape (galaxy, band).
        exact
            Which of them have exact labels, shape (galaxy,).
        seed
            Seed of the sample.
        """
        # A direction without spread says nothing; it must not be divided by nothing either.
        spread = x.double().std(dim=0, correction=0).clamp_min(TINY)
        mean = x.double().mean(dim=0)
        level = (x - mean) / spread
        variance, directions = torch.linalg.eigh(level.T @ level / len(level))
        matrix = (directions / variance.clamp_min(TINY).sqrt() / spread[:, None]).float()
        placed = (x - mean.float()) @ matrix
        source = torch.Generator().manual_seed(seed)
        spectra, others = _some(placed[exact], source), _some(placed[~exact], source)
        limit = torch.tensor([_own_distance(group.numpy()) for group in (spectra, others)])
        return cls(mean.float(), matrix, spectra, others, limit)

    def __call__(self, x: torch.Tensor) -> NDArray[np.int8]:
        """Say how each galaxy is covered, shape (galaxy,): 2 by spectra, 1 by other labels only, 0 not (or NaN)."""
        flag = np.zeros(len(x), np.int8)
        known = x.isfinite().all(dim=1).numpy()
        placed = ((x - self.mean) @ self.matrix).numpy()[known]
        covered = np.zeros(len(placed), np.int8)
        for value, tree, limit in zip((OTHERS, SPECTRA), self._trees[::-1], self.limit.tolist()[::-1], strict=True):
            if tree is not None and len(placed):
                distance = tree.query(placed, k=[min(NEIGHBOUR, tree.n)], distance_upper_bound=limit * (1 + 1e-6))[0]
                covered[np.isfinite(distance[:, 0])] = value
        flag[known] = covered
        return flag

    @cached_property
    def _trees(self) -> list[Any]:
        return [cKDTree(group.numpy()) if len(group) else None for group in (self.by_spectra, self.by_others)]


def _some(group: torch.Tensor, source: torch.Generator) -> torch.Tensor:
    return group[torch.randperm(len(group), generator=source)[:MOST]].clone()


def _own_distance(group: NDArray[np.float32]) -> float:
    """Give the distance within which nearly all of a group have their k-th neighbour, not counting themselves."""
    if len(group) < 2:
        return 0.0
    distance = cKDTree(group).query(group, k=[min(NEIGHBOUR + 1, len(group))])[0]
    return float(np.quantile(distance, KEPT))
