"""Neighbours: which galaxies lie as close to remembered training galaxies as these lie to each other; needs no torch.

Model folders and exported models both ask here for their support flag.
"""

from __future__ import annotations

import base64
import io
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

NEIGHBOUR = 5
"""Which neighbour's distance counts: one odd training galaxy covers nothing (ours)."""
KEPT = 0.99
"""Share of the training galaxies that count as covered by the others (ours)."""
ROUNDING = 1e-6
"""Share of the limit by which a distance may be longer."""
OTHERS, SPECTRA = 1, 2


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Remembered training galaxies, and how near counts as covered.

    Parameters
    ----------
    by_spectra, by_others
        Places of training galaxies with exact labels, and of those with others; shape (galaxy, direction), possibly
        none.
    limit
        The distance to the k-th of them that counts as covered, by spectra and by others, shape (2,).

    Examples
    --------
    >>> places = np.random.default_rng(1).normal(size=(2000, 2)).astype(np.float32)
    >>> near = Neighbours.of(by_spectra=places[places[:, 0] < 0], by_others=places[places[:, 0] >= 0])
    >>> near.flags(np.array([[-1, 0], [1, 0], [9, 0], [np.nan, 0]], np.float32))
    array([2, 1, 0, 0], dtype=int8)
    """

    by_spectra: NDArray[np.float32]
    by_others: NDArray[np.float32]
    limit: NDArray[np.float32]

    @classmethod
    def of(cls, *, by_spectra: NDArray[np.float32], by_others: NDArray[np.float32]) -> Self:
        """Learn from places how close training galaxies lie to each other."""
        return cls(by_spectra, by_others, np.array([_own_distance(by_spectra), _own_distance(by_others)], np.float32))

    def flags(self, place: NDArray[np.float32]) -> NDArray[np.int8]:
        """Say how each galaxy is covered, shape (galaxy,): 2 by spectra, 1 by other labels only, 0 not (or NaN).

        Parameters
        ----------
        place
            Shape (galaxy, direction); NaN where unknown.
        """
        flag = np.zeros(len(place), np.int8)
        known = np.isfinite(place).all(axis=1)
        for value, tree, limit in zip((OTHERS, SPECTRA), self._trees[::-1], self.limit[::-1], strict=True):
            if tree is not None and known.any():
                near = float(limit) * (1 + ROUNDING)
                distance = tree.query(place[known], k=[min(NEIGHBOUR, tree.n)], distance_upper_bound=near)[0]
                flag[np.flatnonzero(known)[np.isfinite(distance[:, 0])]] = value
        return flag

    def as_text(self) -> str:
        """Write everything as one text, for files whose metadata are texts.

        Examples
        --------
        >>> few = np.eye(3, dtype=np.float32)
        >>> near = Neighbours.of(by_spectra=few, by_others=few[:0])
        >>> Neighbours.from_text(near.as_text()).flags(few)
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
            return cls(packed["by_spectra"], packed["by_others"], packed["limit"])

    @cached_property
    def _trees(self) -> list[Any]:
        return [cKDTree(group) if len(group) else None for group in (self.by_spectra, self.by_others)]


def _own_distance(group: NDArray[np.float32]) -> float:
    """Give the distance within which nearly all of a group have their k-th neighbour, not counting themselves."""
    if len(group) < 2:
        return 0.0
    distance = cKDTree(group).query(group, k=[min(NEIGHBOUR + 1, len(group))])[0]
    return float(np.quantile(distance, KEPT))
