"""Support: which galaxies training covered, with spectra or only with noisier labels, and which lie outside.

A galaxy is covered where training galaxies lie as close as they lie to each other: its distance to the k-th nearest is
no larger than that of nearly all training galaxies among themselves (`mixz.densities.support`).  Distances are between
magnitudes in the common photometric system, uncorrelated and of spread 1 over the training galaxies, as the networks
see them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from mixz.densities.support import Neighbours

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

FITTED = ("mean", "matrix", "by_spectra", "by_others", "limit")
"""The numbers of a `Support`, stored with the weights."""
MOST = 4_000
"""Training galaxies of each kind that are kept in the model, at most: some hundred kilobytes."""
TINY = 1e-6
"""Directions with less variance than this, next to that of single bands, hold nothing but rounding."""


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
        near = Neighbours.of(by_spectra=spectra.numpy(), by_others=others.numpy())
        return cls(mean.float(), matrix, spectra, others, torch.from_numpy(near.limit))

    def place(self, x: torch.Tensor) -> torch.Tensor:
        """Carry inputs to where distances are taken, shape (galaxy, band)."""
        return (x - self.mean) @ self.matrix

    def __call__(self, x: torch.Tensor) -> NDArray[np.int8]:
        """Say how each galaxy is covered, shape (galaxy,): 2 by spectra, 1 by other labels only, 0 not (or NaN)."""
        return self.neighbours.flags(self.place(x).numpy())

    @cached_property
    def neighbours(self) -> Neighbours:
        """The training galaxies that are remembered."""
        return Neighbours(self.by_spectra.numpy(), self.by_others.numpy(), self.limit.numpy())


def _some(group: torch.Tensor, source: torch.Generator) -> torch.Tensor:
    return group[torch.randperm(len(group), generator=source)[:MOST]].clone()
