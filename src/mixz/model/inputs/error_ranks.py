"""Relative errors: how large a galaxy's magnitude errors are among galaxies of its magnitude and photometric system.

Errors hold information: an extended galaxy's are larger than a compact one's of the same magnitude.  As they are they
also tell which survey measured it.  Their rank among the galaxies of nearest magnitude in the same system tells much
less of that: each is spread alike in every system.  It is given as a normal score, the place in a unit Gaussian with
the same share below it, from tables of quantiles that are fitted on the training galaxies of each system (ours).  What
several bands' ranks still tell together is measured in `benchmarks/leak.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import ndtr

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

FITTED = ("mag", "quantile")
"""The numbers of `ErrorRanks`, stored with a model."""
NEIGHBOURS = 200
"""Galaxies of nearest magnitude among which an error is ranked, or all where there are fewer (ours)."""
FEWEST = 50
"""Among fewer galaxies of a system than this there are no ranks (ours)."""
MAGNITUDES = 24
"""Magnitudes at which quantiles are kept, at equal shares of the galaxies; straight between them."""
SCORES = tuple(np.linspace(-2.5, 2.5, 11).tolist())
"""Normal scores whose quantiles are kept; straight between them, and no score is farther out."""
SMALLEST_ERROR = 1e-4
NARROWEST = 0.03
"""No spread of ln(mag_err) at a magnitude is taken to be less: some surveys' errors follow from the magnitude, and then
their last digits are not to be ranked (ours)."""


@dataclass(frozen=True, eq=False)
class ErrorRanks:
    """Map magnitude errors to normal scores of their ranks.

    Parameters
    ----------
    mag
        Magnitudes, increasing, shape (system, band, m).
    quantile
        Of ln(mag_err) there, at each of `SCORES`, shape (system, band, m, score).

    Examples
    --------
    Errors that are spread by a tenth about what their magnitude has, twice as large in the second survey:

    >>> source = torch.Generator().manual_seed(0)
    >>> mag, luck = 20 + 4 * torch.rand(2000, 1, generator=source), torch.randn(2000, 1, generator=source)
    >>> system = torch.arange(2000) % 2
    >>> err = torch.exp(0.4 * (mag - 24) + 0.1 * luck) * (1 + system[:, None])
    >>> found = ErrorRanks.fit(mag, err, system, ["a", "b"])(mag, err, system)
    >>> bool((found - luck.clamp(-2.5, 2.5)).abs().mean() < 0.1)
    True
    """

    mag: torch.Tensor
    quantile: torch.Tensor

    @classmethod
    def fit(cls, mag: torch.Tensor, err: torch.Tensor, system: torch.Tensor, systems: Sequence[str]) -> Self:
        """Tables of the training galaxies' errors.

        Parameters
        ----------
        mag, err
            Shape (galaxy, band); what is not measured is left out.
        system, systems
            Number of each galaxy's photometric system, shape (galaxy,), and the systems' names.

        Raises
        ------
        MixzError
            A system has too few galaxies with errors in a band.
        """
        tables = []
        for number, name in enumerate(systems):
            its = system == number
            for band in range(mag.shape[1]):
                known = its & mag[:, band].isfinite() & err[:, band].isfinite() & (err[:, band] > 0)
                if int(known.sum()) < FEWEST:
                    where = f"photometric system {name!r} has" if name else "there are"
                    raise MixzError(
                        f"errors: relative, but {where} {int(known.sum())} training galaxies with errors in a band",
                        f"{FEWEST} or more, among which errors are ranked",
                        "give more galaxies of it, or set errors: none",
                    )
                tables.append(_table(mag[known, band].double().numpy(), _logarithm(err[known, band]).double().numpy()))
        shape = (len(systems), mag.shape[1], MAGNITUDES)
        at, quantiles = (torch.from_numpy(np.stack(part)).float() for part in zip(*tables, strict=True))
        return cls(at.reshape(shape), quantiles.reshape(*shape, len(SCORES)))

    def __call__(self, mag: torch.Tensor, err: torch.Tensor, system: torch.Tensor) -> torch.Tensor:
        """The scores, shape (galaxy, band); 0, the middle one, where a magnitude or an error is not known."""
        scores = [self._of_band(band, mag[:, band], _logarithm(err[:, band]), system) for band in range(mag.shape[1])]
        found = torch.stack(scores, dim=1)
        return torch.where(found.isfinite(), found, 0.0)

    def _of_band(self, band: int, mag: torch.Tensor, err: torch.Tensor, system: torch.Tensor) -> torch.Tensor:
        # A system after the other, and places counted instead of searched for: an ONNX graph knows no search.
        quantile = self._quantiles(0, band, mag)
        for number in range(1, len(self.mag)):
            quantile = torch.where((system == number)[:, None], self._quantiles(number, band, mag), quantile)
        steps = quantile.diff(dim=1).clamp_min(1e-6)
        passed = ((err[:, None] - quantile[:, :-1]) / steps).clamp(0.0, 1.0)
        scores: torch.Tensor = SCORES[0] + passed.sum(dim=1) * (SCORES[1] - SCORES[0])
        return scores

    def _quantiles(self, number: int, band: int, mag: torch.Tensor) -> torch.Tensor:
        """The quantiles at galaxies' magnitudes, shape (galaxy, score)."""
        at, quantile = self.mag[number, band], self.quantile[number, band]
        passed = ((mag[:, None] - at[:-1]) / at.diff().clamp_min(1e-6)).clamp(0.0, 1.0)
        return quantile[0] + passed @ quantile.diff(dim=0)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The fitted numbers by name."""
        return {name: getattr(self, name).contiguous() for name in FITTED}


def _logarithm(err: torch.Tensor) -> torch.Tensor:
    return err.clamp_min(SMALLEST_ERROR).log()


def _table(mag: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes, and the quantiles of ln errors among the galaxies nearest to each, its slope with magnitude off."""
    order = np.argsort(mag, kind="stable")
    mag, error = mag[order], error[order]
    places = np.linspace(0, len(mag) - 1, MAGNITUDES)
    at = np.interp(places, np.arange(len(mag)), mag)
    quantiles, count, scores = [], min(NEIGHBOURS, len(mag)), np.array(SCORES)
    for place, here in zip(places, at, strict=True):
        first = int(np.clip(round(place) - count // 2, 0, len(mag) - count))
        near, its = mag[first : first + count] - here, error[first : first + count]
        away = near - near.mean()
        slope = (away @ its) / max(float(away @ away), 1e-9)
        quantiles.append(np.quantile(its - slope * near, ndtr(scores)))
    table = np.array(quantiles)
    middle = table[:, [len(SCORES) // 2]]
    return at, middle + np.sign(scores) * np.maximum(np.abs(table - middle), NARROWEST * np.abs(scores))
