"""Resamples of galaxies or of patches of sky, as how often each galaxy is drawn; the first is the sample itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.metrics.counted import Draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats

FEWEST_PATCHES = 8
"""Patches of sky from which on they are drawn again: the scatter of fewer says little of its own error (ours)."""


def drawn_galaxies(galaxies: int, times: int, *, seed: list[int]) -> Floats:
    """How often each galaxy is drawn, shape (galaxy, 1 + resample).

    Examples
    --------
    >>> drawn_galaxies(3, 2, seed=[1]).sum(axis=0)
    array([3., 3., 3.])
    """
    if not galaxies:
        return np.ones((0, 1 + times))
    counts = Draws.of(galaxies, times, np.random.default_rng(seed)).counts
    return np.concatenate([np.ones((galaxies, 1)), counts.T.astype(np.float64)], axis=1)


def drawn_patches(patch: NDArray[np.int64], times: int, *, seed: list[int]) -> Floats | None:
    """How often each galaxy's patch is drawn, shape (galaxy, 1 + resample); None where there are too few patches.

    Examples
    --------
    >>> times = drawn_patches(np.repeat(np.arange(8), 2), 5, seed=[1])
    >>> bool((times[::2] == times[1::2]).all()), drawn_patches(np.zeros(9, int), 5, seed=[1]) is None
    (True, True)
    """
    _, place = np.unique(patch, return_inverse=True)
    patches = int(place.max(initial=-1)) + 1
    if patches < FEWEST_PATCHES:
        return None
    return drawn_galaxies(patches, times, seed=seed)[place]
