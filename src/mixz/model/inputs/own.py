"""Own bands: bands that not every survey has, as networks see them: a colour where they are, and whether they are.

An own band's input is its magnitude against the reference band's, of middle 0 and spread 1 over the training galaxies
that have it, and 0 where it is missing; a second input is 1 where it was seen and 0 where not.  They do not pass
through the adapters, which know the shared bands only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mixz.model.inputs.asinh import asinh_mag, typical_noise

if TYPE_CHECKING:
    from typing import Self

MOST_ERROR = 0.7
"""A magnitude less sure than this [mag], a flux of 1.6 sigma, counts as missing: its scatter says nothing (ours)."""
MOST_SPREADS = 6.0
"""A colour so many spreads from the middle counts as missing: it is a fault of the measurement (ours)."""
NARROWEST_MAG = 0.05
"""No spread of a colour is taken to be less."""
HALF = (0.16, 0.5, 0.84)
"""The quantiles of a Gaussian at -1, 0 and +1 standard deviations: absurd colours do not move them."""
FITTED = ("middle", "spread", "softening")
"""The numbers of `OwnBands` that are stored with a model."""


@dataclass(frozen=True, eq=False)
class OwnBands:
    """Map own bands to inputs.

    Parameters
    ----------
    middle, spread
        Of each band's magnitude less the reference band's, shape (own band,).
    softening
        Where asinh magnitudes bend, shape (own band,).
    ref_place
        Which of the shared bands is the reference band.
    asinh
        Whether magnitudes are asinh ones, so that bands in which nothing was detected are seen too.

    Examples
    --------
    >>> mag, err = torch.tensor([[23.0], [24.0], [25.0], [torch.nan]]), torch.tensor([[0.1], [0.1], [0.9], [torch.nan]])
    >>> shared = torch.tensor([[22.0], [22.0], [22.0], [22.0]])
    >>> own = OwnBands(torch.tensor([1.5]), torch.tensor([0.5]), torch.tensor([30.0]), ref_place=0, asinh=False)
    >>> own(mag, err, shared)
    tensor([[-1.,  1.],
            [ 1.,  1.],
            [ 0.,  0.],
            [ 0.,  0.]])
    """

    middle: torch.Tensor
    spread: torch.Tensor
    softening: torch.Tensor
    ref_place: int
    asinh: bool

    @classmethod
    def fit(cls, mag: torch.Tensor, err: torch.Tensor, shared: torch.Tensor, *, ref_place: int, asinh: bool) -> Self:
        """Fit the map to training galaxies.

        Parameters
        ----------
        mag, err
            Magnitudes in own bands and their errors, shape (galaxy, own band); NaN where not measured.
        shared
            Magnitudes in the shared bands, as networks are shown them before whitening, shape (galaxy, band).
        ref_place, asinh
            As the class has them.
        """
        nothing = torch.zeros(mag.shape[1])
        open_map = cls(nothing, nothing + 1, typical_noise(mag, err), ref_place, asinh)
        known, colour = open_map._colours(mag, err, shared)
        ends = [_at_quantiles(colour[known[:, k], k]) for k in range(mag.shape[1])]
        low, middle, high = torch.tensor(ends, dtype=torch.float32).reshape(-1, len(HALF)).T
        return cls(middle, ((high - low) / 2).clamp_min(NARROWEST_MAG), open_map.softening, ref_place, asinh)

    def __call__(self, mag: torch.Tensor, err: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
        """The inputs: standardised colours, then flags of "seen"; shape (galaxy, 2 x own band)."""
        known, colour = self._colours(mag, err, shared)
        x = (colour - self.middle) / self.spread
        seen = known & (x.abs() <= MOST_SPREADS)
        return torch.cat([torch.where(seen, x, 0.0), seen.float()], dim=1)

    def _colours(self, mag: torch.Tensor, err: torch.Tensor, shared: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Which own bands were measured well enough, and their magnitudes against the reference band's."""
        if self.asinh:
            mag = asinh_mag(mag, err, self.softening)
        colour = mag - shared[:, self.ref_place, None]
        sure = torch.ones_like(colour, dtype=torch.bool) if self.asinh else ~(err > MOST_ERROR)
        return colour.isfinite() & sure, colour

    def tensors(self) -> dict[str, torch.Tensor]:
        """The fitted numbers by name."""
        return {name: getattr(self, name) for name in FITTED}


def _at_quantiles(colours: torch.Tensor) -> list[float]:
    """Where the quantiles of some colours lie; around 0, half a magnitude apart, where there are none."""
    return np.quantile(colours.double().numpy(), HALF).tolist() if len(colours) else [-0.5, 0.0, 0.5]
