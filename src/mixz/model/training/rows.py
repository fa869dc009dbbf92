"""What a network learns from or is asked about: inputs, labels and weights, a row per galaxy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    import torch


@dataclass(frozen=True, eq=False)
class Rows:
    """Training material, a row per galaxy; `take` gives each member its own batch of it.

    Parameters
    ----------
    x
        Network inputs, shape (galaxy, input).
    z_ref
        The labels believed, shape (galaxy,).
    weight
        How much each galaxy counts, mean 1, shape (galaxy,); 1 everywhere if not given.
    likelihood
        How likely each label is by where on the grid the redshift is, shape (galaxy, z); for heads with densities.
    renew
        Gives the inputs of an epoch, by its number, where they are to be others in each.
    """

    x: torch.Tensor
    z_ref: torch.Tensor
    weight: torch.Tensor | None = None
    likelihood: torch.Tensor | None = None
    renew: Callable[[int], torch.Tensor] | None = None

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.z_ref)

    def take(self, which: torch.Tensor | slice) -> Self:
        """Some rows: indices of shape (member, galaxy) give every member its own."""
        weight, likelihood = (None if t is None else t[which] for t in (self.weight, self.likelihood))
        return type(self)(self.x[which], self.z_ref[which], weight, likelihood)

    def to(self, device: torch.device) -> Self:
        """The rows on a device."""
        weight, likelihood = (None if t is None else t.to(device) for t in (self.weight, self.likelihood))
        return type(self)(self.x.to(device), self.z_ref.to(device), weight, likelihood, self.renew)

    def of_epoch(self, epoch: int) -> Self:
        """The rows with the inputs of an epoch."""
        if self.renew is None:
            return self
        return replace(self, x=self.renew(epoch).to(self.x.device))

    def weighted(self, loss: torch.Tensor) -> torch.Tensor:
        """Multiply losses of shape (member, galaxy) by the galaxies' weights."""
        return loss if self.weight is None else loss * self.weight
