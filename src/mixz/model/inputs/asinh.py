"""Asinh magnitudes (Lupton, Gunn & Szalay 1999, AJ 118, 1406): finite where a band was observed and nothing seen."""

from __future__ import annotations

import torch

POGSON = 1.0857362
"""2.5 / ln 10: a magnitude error is this times the relative error of the flux."""


def asinh_mag(mag: torch.Tensor, err: torch.Tensor, softening: torch.Tensor) -> torch.Tensor:
    """Asinh magnitudes m = b - POGSON asinh(f / 2), with f the flux in units of that of magnitude b, the softening.

    Examples
    --------
    >>> asinh_mag(torch.tensor([[20.0, torch.nan]]), torch.tensor([[0.1, torch.inf]]), torch.tensor([26.0, 26.0]))
    tensor([[20., 26.]])
    """
    flux = torch.where(err.isinf(), 0.0, 10 ** (-0.4 * (mag.double() - softening))) / 2
    return (softening - POGSON * (flux + (flux.square() + 1).sqrt()).log()).float()


def typical_noise(mag: torch.Tensor, err: torch.Tensor) -> torch.Tensor:
    """The magnitude of the median flux error in each band (30 where errors are unknown: no bend), shape (band,)."""
    noise = torch.where(err > 0, mag - 2.5 * torch.log10(err.clamp_min(1e-6) / POGSON), torch.nan)
    noise = torch.where(err.isfinite(), noise, torch.nan)
    return noise.nanmedian(dim=0).values.nan_to_num(30.0)
