"""Calibration: what held-out labels say of the densities' honesty, and the map that makes them honest.

A density of cdf F becomes one of cdf F' = Phi(h(Phi^-1(F))), with Phi the standard normal cdf and h increasing and
straight between knots.  Where densities are honest h is the identity; h(x) = a + b x moves and widens Gaussian ones
exactly, and bends let the wings differ from the core.  h changes smoothly with i magnitude.  It is the one that makes
held-out labels likeliest, by the same label likelihood that networks are trained on (`mixz.model.label_likelihood`):
since that passes through the labels' kernel, noisy labels calibrate the density of the redshift, not of themselves.

So every label counts for what it tells: where a truth is scarce or vague at a magnitude, the others decide there.  A
map of magnitudes cannot tell kinds of galaxies of one magnitude apart: where spectra were chosen by redshift, densities
that are honest for all galaxies are not for the chosen ones, nor the other way round.

Recalibration of PIT values: Kuleshov, Fenner & Ermon 2018 (arXiv:1807.00263); this map and the correction for label
noise are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import pad

if TYPE_CHECKING:
    from typing import Self

FITTED = ("mag", "knots", "height")
"""The numbers of a `Calibration`, stored with the weights."""

KNOTS = (-3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Where h may bend, in standard deviations (ours)."""
PER_BIN = 400
"""Held-out galaxies behind each magnitude at which h is fitted, at least; between these it is interpolated (ours)."""
MOST_BINS = 6
FEWEST = 200
"""Calibrating on fewer held-out galaxies would add more noise than it takes away (ours)."""
SPREAD = 0.5
"""Width of the prior of ln h', about 0 (ours)."""
KNOT_STEP = 0.1
"""Width of the prior of the steps of ln h' from knot to knot (ours)."""
MAG_STEP = 0.2
"""Width of the prior of the steps of ln h' and of h(0) from magnitude to magnitude (ours)."""
SHIFT = 0.5
"""Width of the prior of h(0), in standard deviations (ours)."""
SMALLEST = 1e-30
CHUNK = 4_096
"""Galaxies mapped at a time: bounds the memory."""
ROUNDS = 60
ENOUGH = 1e-3
"""The search ends when a round gains less than this in ln likelihood, summed over all galaxies."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """An increasing map of cdfs that depends on i magnitude.

    Parameters
    ----------
    mag
        The i magnitudes where it was fitted, shape (m,), increasing; beyond them the nearest one's map holds.
    knots
        Where h may bend, in standard deviations, shape (knot,).
    height
        h at the knots, shape (m, knot), increasing along each row; it goes on straight beyond the outer knots.

    Examples
    --------
    A density that claims half its true width is widened:

    >>> from mixz.model.grid import Grid
    >>> grid = Grid(torch.linspace(0, 2, 401))
    >>> mass = torch.exp(-((grid.z - 1) ** 2) / (2 * 0.05**2))
    >>> mass = mass / mass.sum()
    >>> knots = torch.tensor([-1.0, 0.0, 1.0])
    >>> honest = Calibration(torch.tensor([22.0]), knots, knots[None] / 2)(mass[None], torch.tensor([22.0]))
    >>> round(float(grid.sigma(honest)), 3), round(float(honest.sum()), 6)
    (0.1, 1.0)
    """

    mag: torch.Tensor
    knots: torch.Tensor
    height: torch.Tensor

    def __post_init__(self) -> None:
        for name in FITTED:
            object.__setattr__(self, name, getattr(self, name).double())

    @classmethod
    def identity(cls) -> Self:
        """Give the map that changes nothing."""
        knots = torch.tensor(KNOTS, dtype=torch.float64)
        return cls(torch.zeros(1, dtype=torch.float64), knots, knots[None].clone())

    @classmethod
    def fit(
        cls, mass: torch.Tensor, says: torch.Tensor, mag_i: torch.Tensor, weight: torch.Tensor | None = None
    ) -> Self:
        """Find the map that makes held-out labels likeliest: argmax sum_g w_g ln sum_k says_gk s'_gk + ln prior.

        Parameters
        ----------
        mass
            Masses of the held-out galaxies' densities, shape (galaxy, z).
        says
            What their labels say of the redshift, shape (galaxy, z).
        mag_i
            Their i magnitudes, shape (galaxy,).
        weight
            How much each counts, shape (galaxy,); 1 if not given.
        """
        mag = _magnitudes(mag_i)
        knots = torch.tensor(KNOTS, dtype=torch.float64)
        near = _shares(mag_i.double(), mag)
        x, told = _standard(mass.double()), says.double()
        counts = torch.ones(len(mass), dtype=torch.float64) if weight is None else weight.double()
        shift = torch.zeros(len(mag), 1, dtype=torch.float64, requires_grad=True)
        steep = torch.zeros(len(mag), len(knots) - 1, dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.LBFGS(
            [shift, steep], max_iter=ROUNDS, tolerance_change=ENOUGH, line_search_fn="strong_wolfe"
        )

        def objective() -> torch.Tensor:
            optimiser.zero_grad()
            inside = _masses(_bent(x, knots, near @ _heights(shift, steep, knots)))
            likely = (inside * told).sum(dim=-1).clamp_min(SMALLEST).log()
            total = _prior(shift, steep) - (counts * likely).sum()
            total.backward()  # type: ignore[no-untyped-call]
            return total

        optimiser.step(objective)  # type: ignore[no-untyped-call]
        return cls(mag, knots, _heights(shift, steep, knots).detach())

    def __call__(self, mass: torch.Tensor, mag_i: torch.Tensor) -> torch.Tensor:
        """Give the masses of honest densities, shape (galaxy, z); they are >= 0 and sum to 1 as before.

        Where the magnitude is unknown the map of the middle magnitude holds; where a mass is NaN all stay so.
        """
        known = torch.where(mag_i.isfinite(), mag_i.double(), self.mag[len(self.mag) // 2])
        found = torch.empty_like(mass)
        for start in range(0, len(mass), CHUNK):
            here = slice(start, start + CHUNK)
            height = _shares(known[here], self.mag) @ self.height
            found[here] = _masses(_bent(_standard(mass[here].double()), self.knots, height))
        return found


def _magnitudes(mag_i: torch.Tensor) -> torch.Tensor:
    """Choose the magnitudes at which h is fitted: medians of bins of equal counts."""
    bins = max(1, min(MOST_BINS, len(mag_i) // PER_BIN))
    middles = (torch.arange(bins, dtype=torch.float64) + 0.5) / bins
    found: torch.Tensor = torch.unique(torch.quantile(mag_i.double(), middles))
    return found


def _shares(mag_i: torch.Tensor, mag: torch.Tensor) -> torch.Tensor:
    """Say how much of each fitted magnitude's map holds for a galaxy, shape (galaxy, m)."""
    if len(mag) == 1:
        return torch.ones(len(mag_i), 1, dtype=torch.float64)
    right = torch.searchsorted(mag, mag_i).clamp(1, len(mag) - 1)
    share = ((mag_i - mag[right - 1]) / (mag[right] - mag[right - 1])).clamp(0, 1)
    shares = torch.zeros(len(mag_i), len(mag), dtype=torch.float64)
    row = torch.arange(len(mag_i))
    shares[row, right - 1], shares[row, right] = 1 - share, share
    return shares


def _standard(mass: torch.Tensor) -> torch.Tensor:
    """Give Phi^-1(F) between the nodes, shape (galaxy, z - 1); exact in both wings."""
    below = mass.cumsum(dim=-1)[..., :-1]
    above = mass.flip(-1).cumsum(dim=-1).flip(-1)[..., 1:]
    x = torch.special.ndtri(torch.minimum(below, above).clamp_min(SMALLEST))
    return torch.where(below < above, x, -x)


def _bent(x: torch.Tensor, knots: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
    """Give h(x), shape (galaxy, z - 1), for its heights at the knots, shape (galaxy, knot)."""
    slope = height.diff(dim=-1) / knots.diff()
    level = height[..., :-1] - slope * knots[:-1]
    piece = torch.bucketize(x, knots[1:-1])
    return torch.addcmul(level.gather(-1, piece), slope.gather(-1, piece), x)


def _masses(x: torch.Tensor) -> torch.Tensor:
    """Give the mass on each node from Phi^-1(F) between the nodes, shape (galaxy, z); exact in both wings."""
    lower = x < 0
    # Not torch's ndtr: it gives (1 + erf) / 2, which is 0 from 9 standard deviations on.
    wing = torch.erfc(torch.where(lower, -x, x) / math.sqrt(2)) / 2
    # F below the middle and F - 1 above it keep what is near 0 and 1 apart; the node of the middle gets its 1 back.
    away = pad(torch.where(lower, wing, -wing), (1, 1))
    middle = pad(pad(lower.double(), (1, 0), value=1.0), (0, 1))
    return away.diff(dim=-1) - middle.diff(dim=-1)


def _heights(shift: torch.Tensor, steep: torch.Tensor, knots: torch.Tensor) -> torch.Tensor:
    """Give h at the knots, shape (m, knot), from h(0) and the logarithms of its slopes."""
    risen = pad((steep.exp() * knots.diff()).cumsum(dim=-1), (1, 0))
    middle = KNOTS.index(0.0)
    return shift + risen - risen[:, middle : middle + 1]


def _prior(shift: torch.Tensor, steep: torch.Tensor) -> torch.Tensor:
    """Give -ln of the prior: near the identity, and alike from knot to knot and from magnitude to magnitude."""
    away = (steep / SPREAD).square().sum() + (shift / SHIFT).square().sum()
    along_knots = (steep.diff(dim=1) / KNOT_STEP).square().sum()
    along_mag = (steep.diff(dim=0) / MAG_STEP).square().sum() + (shift.diff(dim=0) / MAG_STEP).square().sum()
    return (away + along_knots + along_mag) / 2
