"""Training losses, each of shape (member, galaxy) -> (member, galaxy)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def hsc_loss(*, z_phot: torch.Tensor, z_ref: torch.Tensor) -> torch.Tensor:
    """Score a point estimate as the HSC survey does: 0 when right, 1 when an outlier.

    L = 1 - 1 / (1 + (dz / 0.15)^2),  dz = (z_phot - z_ref) / (1 + z_ref)

    Parameters
    ----------
    z_phot, z_ref
        Estimates and labels, shapes that broadcast together.

    References
    ----------
    Nishizawa et al. 2020, arXiv:2003.01511.

    Examples
    --------
    >>> import torch
    >>> hsc_loss(z_phot=torch.tensor([1.0, 1.3]), z_ref=torch.tensor([1.0, 1.0]))
    tensor([0.0000, 0.5000])
    """
    dz = (z_phot - z_ref) / (1 + z_ref)
    scaled = (dz / 0.15).square()
    # The same as 1 - 1 / (1 + scaled), without its loss of digits near zero.
    return scaled / (1 + scaled)
