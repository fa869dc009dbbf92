"""Support: which galaxies training covered, with spectra or only with noisier labels, and which lie outside.

A galaxy is covered where training galaxies lie as close as they lie to each other: its distance to the k-th nearest is
no larger than that of nearly all training galaxies among themselves.  Distances are between magnitudes in the common
photometric system, uncorrelated and of spread 1 over the training galaxies, as the networks see them.
"""

from __future__ import annotations

import base64
import io
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace, device
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from mixz.densities.grid import Array

FITTED = ("mean", "matrix", "by_spectra", "by_others", "z_spectra", "z_others", "limit")
"""The numbers of a `Support`, stored with a model."""
MOST = 4_000
"""Training galaxies of each kind that are kept in the model, at most: some hundred kilobytes."""
NEIGHBOUR = 5
"""Which neighbour's distance counts: one odd training galaxy covers nothing (ours)."""
NEIGHBOURS = 10
"""Training galaxies whose labels are compared with an estimate (ours)."""
KEPT = 0.99
"""Share of the training galaxies that count as covered by the others (ours)."""
ROUNDING = 1e-6
"""Share of the limit by which a distance may be longer."""
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
    z_spectra, z_others
        Their labels, shape (galaxy,).
    limit
        The distance to the k-th of them that counts as covered, by spectra and by others, shape (2,).

    Examples
    --------
    >>> cloud = np.random.default_rng(1).normal(size=(2000, 2))
    >>> support = Support.fit(cloud, cloud[:, 1], exact=cloud[:, 0] < 0, seed=0)
    >>> support(np.array([[-1.0, 0.0], [1.0, 0.0], [9.0, 0.0], [np.nan, 0.0]]))
    array([2, 1, 0, 0], dtype=int8)
    """

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]
    by_spectra: NDArray[np.float32]
    by_others: NDArray[np.float32]
    z_spectra: NDArray[np.float32]
    z_others: NDArray[np.float32]
    limit: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name in FITTED:
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float32))

    @classmethod
    def fit(cls, x: ArrayLike, z: ArrayLike, *, exact: ArrayLike, seed: int) -> Self:
        """A sample of the training galaxies, and how close they lie.

        Parameters
        ----------
        x
            Their inputs in the common photometric system, shape (galaxy, band).
        z
            Their labels, shape (galaxy,).
        exact
            Which of them have exact labels, shape (galaxy,).
        seed
            Seed of the sample.
        """
        x, z, exact = np.asarray(x, dtype=np.float64), np.asarray(z, dtype=np.float32), np.asarray(exact, dtype=bool)
        # A direction without spread says nothing; it must not be divided by nothing either.
        mean, spread = x.mean(axis=0), np.maximum(x.std(axis=0), TINY)
        level = (x - mean) / spread
        variance, directions = np.linalg.eigh(level.T @ level / len(level))
        matrix = directions / np.sqrt(np.maximum(variance, TINY)) / spread[:, None]
        placed = ((x - mean) @ matrix).astype(np.float32)
        rng = np.random.default_rng(seed)
        kept = [of[rng.permutation(len(of))[:MOST]] for of in (np.flatnonzero(exact), np.flatnonzero(~exact))]
        spectra, others = (placed[of] for of in kept)
        limit = np.array([_own_distance(spectra), _own_distance(others)])
        return cls(mean, matrix, spectra, others, z[kept[0]], z[kept[1]], limit)

    def place(self, x: Array) -> Array:
        """Carry inputs to where distances are taken, shape (galaxy, band); of numpy and torch alike."""
        xp = array_namespace(x)
        mean, matrix = (xp.asarray(values, dtype=x.dtype, device=device(x)) for values in (self.mean, self.matrix))
        return (x - mean) @ matrix

    def __call__(self, x: ArrayLike) -> NDArray[np.int8]:
        """How each galaxy is covered, shape (galaxy,): 2 by spectra, 1 by other labels only, 0 not (or NaN)."""
        return self.flags(self.place(np.asarray(x, dtype=np.float32)))

    def flags(self, place: NDArray[Any]) -> NDArray[np.int8]:
        """The same for galaxies that are in their places already, shape (galaxy, band)."""
        flag = np.zeros(len(place), np.int8)
        known = np.isfinite(place).all(axis=1)
        for value, tree, limit in zip((OTHERS, SPECTRA), self._trees[::-1], self.limit[::-1], strict=True):
            if tree is not None and known.any():
                near = float(limit) * (1 + ROUNDING)
                distance = tree.query(place[known], k=[min(NEIGHBOUR, tree.n)], distance_upper_bound=near)[0]
                flag[np.flatnonzero(known)[np.isfinite(distance[:, 0])]] = value
        return flag

    def neighbours(self, place: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The labels of the training galaxies nearest to each place, and how far they reach; NaN where a place is.

        Parameters
        ----------
        place
            Shape (galaxy, band).

        Returns
        -------
        pair
            Labels of shape (galaxy, neighbour); the distance to the last in units of `limit`'s larger, shape (galaxy,).
        """
        near, z = self._everyone
        count = min(NEIGHBOURS, len(z))
        labels, distance = np.full((len(place), count), np.nan, np.float32), np.full(len(place), np.nan, np.float32)
        known = np.isfinite(place).all(axis=1)
        if known.any():
            away, which = near.query(place[known], k=np.arange(1, count + 1))
            labels[known], distance[known] = z[which], away[:, -1] / max(float(self.limit.max()), TINY)
        return labels, distance

    def as_text(self) -> str:
        """Everything as one text, for files whose metadata are texts.

        Examples
        --------
        >>> few = np.eye(3, dtype=np.float32)
        >>> support = Support.fit(few, [0.1, 0.2, 0.3], exact=[True] * 3, seed=0)
        >>> Support.from_text(support.as_text())(few)
        array([2, 2, 2], dtype=int8)
        """
        packed = io.BytesIO()
        np.savez(packed, **asdict(self))
        return base64.b64encode(packed.getvalue()).decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `as_text` wrote.

        Raises
        ------
        ValueError, OSError, KeyError
            It is something else, or damaged.
        """
        with np.load(io.BytesIO(base64.b64decode(text, validate=True)), allow_pickle=False) as packed:
            return cls(*(packed[name] for name in FITTED))

    @cached_property
    def _trees(self) -> list[Any]:
        return [cKDTree(group) if len(group) else None for group in (self.by_spectra, self.by_others)]

    @cached_property
    def _everyone(self) -> tuple[Any, NDArray[np.float32]]:
        both = np.concatenate([self.by_spectra, self.by_others])
        return cKDTree(both), np.concatenate([self.z_spectra, self.z_others])


def _own_distance(group: NDArray[np.float32]) -> float:
    """The distance within which nearly all of a group have their k-th neighbour, not counting themselves."""
    if len(group) < 2:
        return 0.0
    distance = cKDTree(group).query(group, k=[min(NEIGHBOUR + 1, len(group))])[0]
    return float(np.quantile(distance, KEPT))
