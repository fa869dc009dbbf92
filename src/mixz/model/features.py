"""What the networks see of a galaxy: its magnitudes, mapped so that a network learns from them easily."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from mixz.schema import GalaxySet

NARROWEST_MAG = 1e-3
"""Whitening blows no direction up whose spread is below this [mag]: it holds nothing but rounding."""


@dataclass(frozen=True, eq=False)
class InputMap:
    """Map magnitudes to inputs: x = (mag - offset) matrix.

    It is fitted once, on the first step's training galaxies, and travels with the weights: refining on other galaxies
    must not move the inputs.

    Parameters
    ----------
    offset
        Shape (band,).
    matrix
        Shape (band, input).
    """

    offset: torch.Tensor
    matrix: torch.Tensor

    @classmethod
    def fit(cls, mag: torch.Tensor, kind: Literal["minmax", "whitened"]) -> InputMap:
        """Fit the map to training magnitudes, measured in every band.

        - ``minmax``: each band's range onto [0, 1], as in the paper group's public example.
        - ``whitened``: uncorrelated inputs of mean 0 and spread 1 (ours).  Magnitudes of one galaxy nearly follow each
          other, so min-max inputs hide its colours in small differences, which take many updates to find; the
          networks that can be reached are the same.

        Parameters
        ----------
        mag
            Shape (galaxy, band).
        kind
            Which map.

        Examples
        --------
        >>> mag = torch.tensor([[20.0, 21.0], [25.0, 25.0], [21.0, 23.0]])
        >>> InputMap.fit(mag, "minmax")(mag)
        tensor([[0.0000, 0.0000],
                [1.0000, 1.0000],
                [0.2000, 0.5000]])
        >>> x = InputMap.fit(mag, "whitened")(mag)
        >>> torch.allclose(x.T @ x / 3, torch.eye(2), atol=1e-4)
        True
        """
        return _minmax(mag) if kind == "minmax" else _whitened(mag)

    def __call__(self, mag: torch.Tensor) -> torch.Tensor:
        """Map magnitudes of shape (galaxy, band) to inputs (galaxy, input)."""
        return (mag - self.offset) @ self.matrix


def _minmax(mag: torch.Tensor) -> InputMap:
    low, high = mag.amin(dim=0), mag.amax(dim=0)
    # A band without spread carries nothing; it maps to 0 instead of dividing by zero.
    return InputMap(low, torch.diag(1 / torch.where(high > low, high - low, 1.0)))


def _whitened(mag: torch.Tensor) -> InputMap:
    exact = mag.double()
    offset = exact.mean(dim=0)
    covariance = (exact - offset).T @ (exact - offset) / len(exact)
    variance, directions = torch.linalg.eigh(covariance)
    # The symmetric square root: of all whitenings the one that leaves each input closest to its band.
    matrix = directions @ torch.diag(variance.clamp_min(NARROWEST_MAG**2).rsqrt()) @ directions.T
    return InputMap(offset.float(), matrix.float())


def magnitudes(galaxies: GalaxySet) -> torch.Tensor:
    """Give the magnitudes as a tensor of shape (galaxy, band); the galaxies' own array stays untouched."""
    return torch.tensor(galaxies.mag, dtype=torch.float32)
