"""Training losses, each of shape (member, galaxy) -> (member, galaxy)."""

from __future__ import annotations

import math

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
    >>> hsc_loss(z_phot=torch.tensor([1.0, 1.3]), z_ref=torch.tensor([1.0, 1.0]))
    tensor([0.0000, 0.5000])
    """
    dz = (z_phot - z_ref) / (1 + z_ref)
    scaled = (dz / 0.15).square()
    # The same as 1 - 1 / (1 + scaled), without its loss of digits near zero.
    return scaled / (1 + scaled)


def gaussian_loss(*, z_phot: torch.Tensor, sigma: torch.Tensor, z_ref: torch.Tensor) -> torch.Tensor:
    """Score a Gaussian estimate by its negative log-likelihood.

    L = ((z_ref - z_phot) / sigma)^2 / 2 + ln(sigma sqrt(2 pi))

    Parameters
    ----------
    z_phot, sigma
        Mean and standard deviation of the estimate, shapes that broadcast with the labels'.
    z_ref
        Labels.

    Examples
    --------
    The right width scores best:

    >>> z_ref = torch.tensor([-0.1, 0.1])
    >>> [round(float(gaussian_loss(z_phot=torch.zeros(2), sigma=torch.tensor(s), z_ref=z_ref).mean()), 3)
    ...  for s in (0.05, 0.1, 0.2)]
    [-0.077, -0.884, -0.565]
    """
    return ((z_ref - z_phot) / sigma).square() / 2 + torch.log(sigma) + math.log(2 * math.pi) / 2
