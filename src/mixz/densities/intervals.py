"""Conformal intervals: ranges of redshift that hold the truth as often as they say, for every truth and magnitude.

The score of a galaxy is how much of its density the central interval holds that just reaches its redshift, |2 F(z) - 1|
(distributional conformal prediction, Chernozhukov, Wuthrich & Zhu 2021, arXiv:1909.07889).  In each bin of the
reference magnitude (Mondrian) the interval of nominal coverage c is the central one of probability q, with q the
ceil((n + 1) c)-th of the n held-out scores; where several truths label the bin, the largest of their q.  So of new
galaxies like those of any one of the truths at least a share c has its redshift inside, whatever the densities are
worth.

The promise is that of split-conformal prediction, for galaxies that nothing else was fitted to: neither the densities
nor the edges of the bins.  It is of the redshift,
not of the label: spectra are the redshift.  A noisy label does not tell the score but how likely each is: that of the
redshifts that label and density together allow.  For such truths the intervals are as good as the label kernel and the
densities are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from mixz.densities.grid import Array, Grid

FITTED = ("edges", "reach")
"""The numbers of `Intervals`, stored with a model."""
LEVELS = (0.68, 0.90, 0.95)
"""The nominal coverages."""
PER_BIN = 500
"""Held-out galaxies in each magnitude bin, at least: coverage is then known to about 2 points (ours)."""
MOST_BINS = 6
FEWEST = 100
"""With fewer held-out galaxies of a truth than this in a bin, the truth has no say there (ours)."""
DRAWS = 8
"""Redshifts drawn for every noisy label."""


@dataclass(frozen=True, eq=False)
class Intervals:
    """How much of a density the intervals hold, by magnitude.

    Parameters
    ----------
    edges
        Edges between the bins of magnitude, shape (bin - 1,), increasing.
    reach
        How much of a density its interval holds, for each of `LEVELS`; shape (bin, level).

    Examples
    --------
    Densities that claim half their true width get intervals twice as wide as they claim:

    >>> from mixz.densities.grid import Grid
    >>> grid = Grid(np.linspace(0, 2, 401))
    >>> mass = np.exp(-((grid.z - 1) ** 2) / (2 * 0.05**2))
    >>> mass = np.tile(mass / mass.sum(), (5000, 1))
    >>> z = 1 + 0.1 * np.random.default_rng(1).standard_normal(5000)
    >>> bright = np.full(5000, 20.0)
    >>> fitted = Intervals.fit({"spec": (scores(mass, z[:, None], grid), bright)})
    >>> low, high = fitted(mass[:1], bright[:1], grid)["68"][0]
    >>> round(float(high - low) / 2, 1)
    0.1
    """

    edges: NDArray[np.float64]
    reach: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in FITTED:
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))

    @classmethod
    def fit(
        cls, held_out: Mapping[str, tuple[ArrayLike, ArrayLike]], *, bins_by: NDArray[np.floating[Any]] | None = None
    ) -> Self:
        """How far intervals must reach.

        Parameters
        ----------
        held_out
            Per truth the scores of its held-out galaxies, shape (galaxy, draw), and their reference magnitudes, shape
            (galaxy,).
        bins_by
            Reference magnitudes of other galaxies, between which the edges of the bins are laid; those of the held-out
            galaxies themselves will do where they are many.
        """
        given = {truth: (np.asarray(score, float), np.asarray(mag, float)) for truth, (score, mag) in held_out.items()}
        mag_ref = np.concatenate([mag for _, mag in given.values()])
        bins = max(1, min(MOST_BINS, len(mag_ref) // PER_BIN))
        edges = np.unique(np.quantile(mag_ref if bins_by is None else bins_by, np.arange(1, bins) / bins))
        # Where no truth has enough galaxies in a bin, all galaxies of all bins speak for it.
        reach = np.tile(np.max([_reach(score) for score, _ in given.values()], axis=0), (len(edges) + 1, 1))
        for number in range(len(edges) + 1):
            here = [score[np.searchsorted(edges, mag) == number] for score, mag in given.values()]
            enough = [_reach(score) for score in here if len(score) >= FEWEST]
            if enough:
                reach[number] = np.max(enough, axis=0)
        return cls(edges, reach)

    def __call__(self, mass: Array, mag_ref: Array, grid: Grid) -> dict[str, Array]:
        """Each galaxy's interval of every nominal coverage, in percent; each of shape (galaxy, 2).

        Where the magnitude is unknown the widest of all bins holds; where a mass is NaN both ends are.
        """
        return self.ends(mass, grid.quantiles(mass, self.levels(mass, mag_ref)))

    def levels(self, mass: Array, mag_ref: Array) -> Array:
        """The shares of each density below the lower ends of all intervals, then below the upper; (galaxy, 2 level)."""
        xp = array_namespace(mass)
        edges, reach = (xp.asarray(v, dtype=mass.dtype, device=device(mass)) for v in (self.edges, self._with_unknown))
        # Bins are counted, not searched for: an ONNX graph knows no search.
        number = xp.sum(xp.astype(xp.astype(mag_ref, mass.dtype)[:, None] > edges, xp.int64), axis=1)
        number = xp.where(xp.isfinite(mag_ref), number, xp.full_like(number, len(self.reach)))
        held = xp.take(reach, number, axis=0)
        return xp.concat([1 - held, 1 + held], axis=1) / 2

    def ends(self, mass: Array, quantiles: Array) -> dict[str, Array]:
        """The intervals whose ends are these quantiles of the densities, in the order of `levels`."""
        xp = array_namespace(mass)
        unknown = xp.isnan(xp.sum(mass, axis=1))[:, None]
        ends = xp.where(unknown, xp.full_like(quantiles, np.nan), quantiles)
        return {
            f"{100 * level:.0f}": xp.stack([ends[:, k], ends[:, k + len(LEVELS)]], axis=1)
            for k, level in enumerate(LEVELS)
        }

    @property
    def _with_unknown(self) -> NDArray[np.float64]:
        """`reach`, and the widest of all bins for galaxies of unknown magnitude."""
        return np.array([*self.reach, self.reach.max(axis=0)])


def scores(mass: ArrayLike, z: ArrayLike, grid: Grid) -> NDArray[np.float64]:
    """|2 F(z) - 1| for redshifts of shape (galaxy, draw), same shape."""
    below = grid.cdf(np.asarray(mass, dtype=np.float64), np.asarray(z, dtype=np.float64))
    return np.asarray(np.abs(2 * below - 1))


def draws(mass: ArrayLike, grid: Grid, *, seed: int) -> NDArray[np.float64]:
    """Redshifts drawn from densities, shape (galaxy, draw).

    One from each of so many equal parts of every distribution: less noise than as many free ones.

    Parameters
    ----------
    mass
        Masses, e.g. of what labels and densities together allow, shape (galaxy, z).

    Examples
    --------
    >>> from mixz.densities.grid import Grid
    >>> drawn = draws([[0.0, 1.0, 0.0]], Grid([0.0, 1.0, 2.0]), seed=1)
    >>> drawn.shape, bool(abs(drawn.mean() - 1) < 0.1)
    ((1, 8), True)
    """
    mass = np.asarray(mass, dtype=np.float64)
    luck = np.random.default_rng(seed).random((len(mass), DRAWS))
    return np.asarray(grid.quantiles(mass, (np.arange(DRAWS) + luck) / DRAWS))


def _reach(score: NDArray[Any]) -> NDArray[np.float64]:
    """The quantiles of scores that new galaxies stay below as often as each level says, shape (level,)."""
    galaxies, ordered = len(score), np.sort(score, axis=None)
    places = [math.ceil((galaxies + 1) * level) / galaxies * len(ordered) for level in LEVELS]
    return np.array([ordered[min(round(place), len(ordered)) - 1] for place in places])
