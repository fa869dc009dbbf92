"""What the networks see of a galaxy: magnitudes, scaled by what the training galaxies span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from mixz.schema import GalaxySet


@dataclass(frozen=True, eq=False)
class MinMaxScaler:
    """Map each band's training range onto [0, 1]: x = (mag - low) / (high - low).

    The scaling of the paper group's public example.  It is fitted once, on the first step's training galaxies,
    and travels with the weights: refining on other galaxies must not move the inputs.

    Parameters
    ----------
    low, high
        Smallest and largest training magnitude per band, shape (band,).

    Examples
    --------
    >>> scaler = MinMaxScaler(torch.tensor([20.0]), torch.tensor([25.0]))
    >>> scaler(torch.tensor([[20.0], [22.5]]))
    tensor([[0.0000],
            [0.5000]])
    """

    low: torch.Tensor
    high: torch.Tensor

    @classmethod
    def fit(cls, galaxies: GalaxySet) -> MinMaxScaler:
        """Take the range of each band over `galaxies`, which are measured in every band."""
        mag = magnitudes(galaxies)
        low, high = mag.amin(dim=0), mag.amax(dim=0)
        # A band without spread carries nothing; it maps to 0 instead of dividing by zero.
        return cls(low, torch.where(high > low, high, low + 1))

    def __call__(self, mag: torch.Tensor) -> torch.Tensor:
        """Scale magnitudes of shape (galaxy, band)."""
        return (mag - self.low) / (self.high - self.low)


def magnitudes(galaxies: GalaxySet) -> torch.Tensor:
    """Give the magnitudes as a tensor of shape (galaxy, band); the galaxies' own array stays untouched."""
    return torch.tensor(galaxies.mag, dtype=torch.float32)
