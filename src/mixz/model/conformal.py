"""Conformal intervals: ranges of redshift that hold the truth as often as they say, for every truth and magnitude.

The score of a galaxy is how much of its density the central interval holds that just reaches its redshift, |2 F(z) - 1|
(distributional conformal prediction, Chernozhukov, Wuthrich & Zhu 2021, arXiv:1909.07889).  In each bin of i magnitude
(Mondrian) the interval of nominal coverage c is the central one of probability q, with q the ceil((n + 1) c)-th of the
n held-out scores; where several truths label the bin, the largest of their q.  So of new galaxies like those of any one
of the truths at least a share c has its redshift inside, whatever the densities are worth.

The intervals are of the redshift, not of the label.  Spectra are the redshift; for them the promise is that of
split-conformal prediction.  A noisy label does not tell the score but how likely each is: that of the redshifts that
label and density together allow.  For such truths the intervals are as good as the label kernel and the densities are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from mixz.model.grid import Grid

FITTED = ("edges", "reach")
"""The numbers of a `Conformal`, stored with the weights."""
LEVELS = (0.68, 0.90, 0.95)
"""The nominal coverages."""
PER_BIN = 500
"""Held-out galaxies in each magnitude bin, at least: coverage is then known to about 2 points (ours)."""
MOST_BINS = 6
FEWEST = 100
"""With fewer held-out galaxies of a truth than this in a bin, the truth has no say there (ours)."""
DRAWS = 8
"""Redshifts drawn for every noisy label."""
CHUNK = 4_096


@dataclass(frozen=True, eq=False)
class Conformal:
    """How much of a density the intervals hold, by magnitude.

    Parameters
    ----------
    edges
        Edges between the bins of i magnitude, shape (bin - 1,), increasing.
    reach
        How much of a density its interval holds, for each of `LEVELS`; shape (bin, level).

    Examples
    --------
    Densities that claim half their true width get intervals twice as wide as they claim:

    >>> from mixz.model.grid import Grid
    >>> grid = Grid(torch.linspace(0, 2, 401))
    >>> mass = torch.exp(-((grid.z - 1) ** 2) / (2 * 0.05**2))
    >>> mass = (mass / mass.sum()).expand(5000, -1)
    >>> z = 1 + 0.1 * torch.randn(5000, generator=torch.Generator().manual_seed(1))
    >>> bright = torch.full((5000,), 20.0)
    >>> fitted = Conformal.fit({"spec": (scores(mass, z[:, None], grid), bright)})
    >>> low, high = fitted.intervals(mass[:1], bright[:1], grid)["68"][0].tolist()
    >>> round((high - low) / 2, 1)
    0.1
    """

    edges: torch.Tensor
    reach: torch.Tensor

    @classmethod
    def fit(cls, held_out: Mapping[str, tuple[torch.Tensor, torch.Tensor]]) -> Self:
        """Find how far intervals must reach.

        Parameters
        ----------
        held_out
            Per truth the scores of its held-out galaxies, shape (galaxy, draw), and their i magnitudes, shape
            (galaxy,).
        """
        mag_i = torch.cat([mag for _, mag in held_out.values()]).float()
        bins = max(1, min(MOST_BINS, len(mag_i) // PER_BIN))
        edges = torch.unique(torch.quantile(mag_i, torch.arange(1, bins) / bins))
        # Where no truth has enough galaxies in a bin, all galaxies of all bins speak for it.
        reach = torch.stack([_reach(score) for score, _ in held_out.values()]).amax(dim=0).repeat(len(edges) + 1, 1)
        for number in range(len(edges) + 1):
            here = [score[_bin(mag, edges) == number] for score, mag in held_out.values()]
            enough = [_reach(score) for score in here if len(score) >= FEWEST]
            if enough:
                reach[number] = torch.stack(enough).amax(dim=0)
        return cls(edges, reach)

    def intervals(self, mass: torch.Tensor, mag_i: torch.Tensor, grid: Grid) -> dict[str, torch.Tensor]:
        """Give each galaxy's interval of every nominal coverage, in percent; each of shape (galaxy, 2).

        Where the magnitude is unknown the widest of all bins holds; where a mass is NaN both ends are.
        """
        pieces = [slice(start, start + CHUNK) for start in range(0, max(len(mass), 1), CHUNK)]
        found = [self.of_piece(mass[here], mag_i[here], grid) for here in pieces]
        return {level: torch.cat([piece[level] for piece in found]).double() for level in found[0]}

    def of_piece(self, mass: torch.Tensor, mag_i: torch.Tensor, grid: Grid) -> dict[str, torch.Tensor]:
        """Give the same of galaxies few enough for the memory, in operations that an ONNX graph knows."""
        widest = torch.cat([self.reach, self.reach.amax(dim=0, keepdim=True)])
        number = torch.where(mag_i.isfinite(), _bin(mag_i, self.edges), len(self.reach))
        unknown = mass.isnan().any(dim=1, keepdim=True)
        found = {}
        for level, reach in zip(LEVELS, widest[number].T, strict=True):
            ends = grid.quantiles(mass, torch.stack([1 - reach, 1 + reach], dim=1) / 2)
            found[f"{100 * level:.0f}"] = ends.masked_fill(unknown, torch.nan)
        return found


def scores(mass: torch.Tensor, z: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Give |2 F(z) - 1| for redshifts of shape (galaxy, draw), same shape."""
    return (2 * grid.cdf(mass, z.float()) - 1).abs()


def likely_redshifts(mass: torch.Tensor, says: torch.Tensor, grid: Grid, *, seed: int) -> torch.Tensor:
    """Draw redshifts that noisy labels and densities together allow, p(z | z_label, x) ~ K(z_label | z) p(z | x).

    Parameters
    ----------
    mass, says
        Masses of the densities and what the labels say, shape (galaxy, z).

    Returns
    -------
    Shape (galaxy, draw).
    """
    allowed = mass * says
    allowed = allowed / allowed.sum(dim=-1, keepdim=True)
    # One draw from each of so many equal parts of every distribution: less noise than as many free ones.
    luck = torch.rand(len(mass), DRAWS, generator=torch.Generator().manual_seed(seed))
    return grid.quantiles(allowed, (torch.arange(DRAWS) + luck) / DRAWS)


def _bin(mag_i: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
    """Number the bin of each magnitude, shape (galaxy,): counted, not searched for, since an ONNX graph cannot."""
    return (mag_i.float()[:, None] > edges).sum(dim=1)


def _reach(score: torch.Tensor) -> torch.Tensor:
    """Give the quantiles of scores that new galaxies stay below as often as each level says, shape (level,)."""
    galaxies = len(score)
    ordered = score.flatten().sort().values
    places = [math.ceil((galaxies + 1) * level) / galaxies * len(ordered) for level in LEVELS]
    return torch.stack([ordered[min(round(place), len(ordered)) - 1] for place in places])
