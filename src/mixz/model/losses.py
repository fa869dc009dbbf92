"""The negative log-likelihood of Gaussian estimates."""

from __future__ import annotations

import math

import torch


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
