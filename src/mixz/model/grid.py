"""The redshift grid of densities: even steps in ln(1 + z), a density that is straight between its nodes.

A network's end gives each node a mass s_k (they sum to 1), spread over its neighbours' cells as a triangle:
p(z) = sum_k s_k hat_k(z) / c_k, with c_k the area of the triangle.  So p is >= 0, integrates to 1 exactly, and is what
the trapezoidal rule, linear interpolation and qp's `interp` take it to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import torch

from mixz.model.losses import hsc_loss

if TYPE_CHECKING:
    from typing import Self

    from mixz.arrays import Floats

ESTIMATES = ("zmode", "zmean", "zmedian", "zbest", "zrms")
"""Point estimates of a density: peak, mean, median, and the redshifts of the least expected HSC loss and dz^2."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Nodes in redshift, and what a density on them says.

    Parameters
    ----------
    z
        The nodes, shape (z,), increasing.

    Examples
    --------
    >>> grid = Grid.even(nodes=200, z_max=4.0)
    >>> mass = torch.zeros(1, 200)
    >>> mass[0, 100] = 1.0
    >>> z = float(grid.z[100])
    >>> {name: round(float(value), 2) for name, value in grid.estimates(mass).items()}
    {'zmode': 1.25, 'zmean': 1.25, 'zmedian': 1.25, 'zbest': 1.25, 'zrms': 1.25}
    """

    z: torch.Tensor

    @classmethod
    def even(cls, *, nodes: int, z_max: float) -> Self:
        """Lay nodes from 0 to `z_max` in even steps of ln(1 + z), so that a step is the same dz everywhere."""
        top = torch.tensor(1 + z_max, dtype=torch.float64).log()
        return cls(torch.expm1(torch.linspace(0, float(top), nodes, dtype=torch.float64)).float())

    @cached_property
    def cell(self) -> torch.Tensor:
        """Area of each node's triangle: its weight in the trapezoidal rule, shape (z,)."""
        step = self.z.diff() / 2
        return torch.nn.functional.pad(step, (1, 0)) + torch.nn.functional.pad(step, (0, 1))

    @cached_property
    def _beyond(self) -> torch.Tensor:
        """Share of each node's triangle that lies above the node, shape (z,)."""
        return torch.nn.functional.pad(self.z.diff() / 2, (0, 1)) / self.cell

    @cached_property
    def edges(self) -> torch.Tensor:
        """Middles between nodes in ln(1 + z), shape (z - 1,)."""
        x = torch.log1p(self.z)
        return (x[1:] + x[:-1]) / 2

    @cached_property
    def centre(self) -> torch.Tensor:
        """Mean redshift of each node's triangle, shape (z,)."""
        z = self.z
        inner = (z[:-2] + z[1:-1] + z[2:]) / 3
        return torch.cat([(2 * z[:1] + z[1:2]) / 3, inner, (z[-2:-1] + 2 * z[-1:]) / 3])

    @cached_property
    def risk(self) -> torch.Tensor:
        """HSC loss of estimating node j where the redshift is node k, shape (z of the truth, z of the estimate)."""
        return hsc_loss(z_phot=self.z[None, :], z_ref=self.z[:, None])

    @cached_property
    def _relative(self) -> torch.Tensor:
        """The sums that `zrms` is the ratio of, shape (z, 2): z / (1 + z)^2 and 1 / (1 + z)^2 at the centres."""
        weight = (1 + self.centre).square().reciprocal()
        # Products with few columns are faster by rows.
        return torch.stack([self.centre * weight, weight]).T

    def density(self, mass: torch.Tensor) -> torch.Tensor:
        """Give p at the nodes, shape (..., z); its trapezoidal integral is the sum of the masses, 1."""
        return mass / self.cell

    def zmode(self, mass: torch.Tensor) -> torch.Tensor:
        """Give the redshift where p is highest, shape (...)."""
        return self.z[self.density(mass).argmax(dim=-1)]

    def zmean(self, mass: torch.Tensor) -> torch.Tensor:
        """Give the mean of p, shape (...): the estimate of the least expected squared error."""
        return mass @ self.centre

    def zrms(self, mass: torch.Tensor) -> torch.Tensor:
        """Give the estimate of the least expected dz^2, shape (...): int z p / (1 + z)^2 over int p / (1 + z)^2 (ours).

        The mean is best for (z_phot - z)^2; the rms of dz counts what is wrong at low redshift more.
        """
        weighted, weight = (mass @ self._relative).unbind(dim=-1)
        return weighted / weight

    def sigma(self, mass: torch.Tensor) -> torch.Tensor:
        """Give the standard deviation of p, shape (...), each triangle counted at its centre."""
        away = (self.centre - self.zmean(mass)[..., None]).square_()
        return away.mul_(mass).sum(dim=-1).sqrt()

    def zmedian(self, mass: torch.Tensor) -> torch.Tensor:
        """Give the redshift that as much of p lies below as above, shape (...)."""
        return self.quantiles(mass, mass.new_full((*mass.shape[:-1], 1), 0.5))[..., 0]

    def cumulative(self, mass: torch.Tensor) -> torch.Tensor:
        """Give F at the nodes, p integrated up to each, shape (..., z)."""
        # Of a node's own mass, what lies beyond it is not below it yet.
        return mass.cumsum(dim=-1) - mass * self._beyond

    def quantiles(self, mass: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """Give the redshifts below which shares `level` of p lie, shape (..., level).

        Examples
        --------
        >>> grid = Grid(torch.tensor([0.0, 1.0, 2.0]))
        >>> grid.quantiles(torch.tensor([0.25, 0.5, 0.25]), torch.tensor([0.25, 0.5, 1.0]))
        tensor([0.5000, 1.0000, 2.0000])
        """
        p, below, step = self.density(mass), self.cumulative(mass), self.z.diff()
        sought = level * below[..., -1:]
        # Counted, not searched for: an ONNX graph knows no search.
        cell = ((below[..., None, :] < sought[..., None]).sum(dim=-1) - 1).clamp(0, len(step) - 1)
        left, right = p.gather(-1, cell), p.gather(-1, cell + 1)
        wanted = (sought - below.gather(-1, cell)) / step[cell]
        # share (left + (right - left) share / 2) = wanted, in the form that stays exact where p is flat.
        root = left + (left.square() + 2 * (right - left) * wanted).clamp_min(0).sqrt()
        share = (2 * wanted / root.clamp_min(1e-30)).clamp(0, 1)
        return self.z[cell] + share * step[cell]

    def cdf(self, mass: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Give F at redshifts of shape (..., any), same shape: the inverse of `quantiles`.

        Examples
        --------
        >>> grid = Grid(torch.tensor([0.0, 1.0, 2.0]))
        >>> grid.cdf(torch.tensor([0.25, 0.5, 0.25]), torch.tensor([-1.0, 0.5, 1.0, 7.0]))
        tensor([0.0000, 0.2500, 0.5000, 1.0000])
        """
        p, below, step = self.density(mass), self.cumulative(mass), self.z.diff()
        cell = (torch.searchsorted(self.z, z.contiguous(), right=True) - 1).clamp(0, len(step) - 1)
        share = ((z - self.z[cell]) / step[cell]).clamp(0, 1)
        left, right = p.gather(-1, cell), p.gather(-1, cell + 1)
        return below.gather(-1, cell) + share * (left + (right - left) * share / 2) * step[cell]

    def zbest(self, mass: torch.Tensor) -> torch.Tensor:
        """Give the estimate of the least expected HSC loss, shape (...): argmin sum_k s_k L(z, z_k).

        Between nodes it is the lowest point of the parabola through the best node and its neighbours.  HSC's own
        photo-z have it as their point estimate (Tanaka et al. 2018, arXiv:1704.05988).
        """
        risk = mass @ self.risk
        best = risk.argmin(dim=-1, keepdim=True).clamp(1, risk.shape[-1] - 2) + torch.arange(-1, 2, device=risk.device)
        low, here, high = risk.gather(-1, best).unbind(dim=-1)
        left, z, right = self.z[best].unbind(dim=-1)
        bend = (low - 2 * here + high).clamp_min(1e-12)
        shift = ((low - high) / bend / 2).clamp(-1, 1)
        return z + shift * torch.where(shift > 0, right - z, z - left)

    def estimates(self, mass: torch.Tensor) -> dict[str, torch.Tensor]:
        """Give every point estimate of densities of shape (..., z)."""
        return {name: getattr(self, name)(mass) for name in ESTIMATES}

    def to(self, device: torch.device) -> Grid:
        """Give the grid on a device."""
        return self if self.z.device == device else _moved(self, device)


def estimates_of(pdf: Floats, *, z_grid: Floats) -> dict[str, Floats]:
    """Give every point estimate of densities, anyone's, that are straight between nodes; each of shape (galaxy,).

    Examples
    --------
    >>> import numpy as np
    >>> z = np.linspace(0, 2, 201)
    >>> hill = np.exp(-((z - 0.8) / 0.1) ** 2)[None]
    >>> {name: round(float(value[0]), 3) for name, value in estimates_of(hill, z_grid=z).items()}
    {'zmode': 0.8, 'zmean': 0.8, 'zmedian': 0.8, 'zbest': 0.8, 'zrms': 0.8}
    """
    grid = Grid(torch.tensor(z_grid, dtype=torch.float32))
    mass = torch.tensor(pdf, dtype=torch.float32) * grid.cell
    found = grid.estimates(mass / mass.sum(dim=-1, keepdim=True))
    return {name: z.double().numpy() for name, z in found.items()}


@lru_cache(maxsize=8)
def even_grid(nodes: int, z_max: float) -> Grid:
    """Give `Grid.even`, the same object each time."""
    return Grid.even(nodes=nodes, z_max=z_max)


@lru_cache(maxsize=8)
def _moved(grid: Grid, device: torch.device) -> Grid:
    return Grid(grid.z.to(device))
