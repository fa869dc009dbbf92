"""Bayesian dense layers: a Gaussian over every weight instead of one value (mean-field variational inference).

The Bayesian network of Jones et al. 2024 (arXiv:2306.13179) for photometric redshifts.  Its paper's details were not
available to us; the choices here are ours: layers sampled by local reparameterisation (Kingma, Salimans & Welling 2015,
arXiv:1506.02557), biases without a spread, and a prior N(0, 2 / inputs) on each layer's weights.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import softplus

from mixz.model.nets import adapter_names, in_common_system, layer_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.model.nets import Weights
    from mixz.settings.network import Network

FIRST_SPREAD = 0.1
"""Spread of each weight's posterior at the start, in units of its prior's."""


def with_spread(weights: Weights, shape: Network) -> Weights:
    """Add to a dense network the spreads of its weights: ``<layer>.weight_rho``, sigma = softplus(rho)."""
    spread = {}
    for name in layer_names(shape):
        weight = weights[f"{name}.weight"]
        sigma = FIRST_SPREAD * _prior(weight)
        spread[f"{name}.weight_rho"] = torch.full_like(weight, math.log(math.expm1(sigma)))
    return weights | spread


def noise(galaxies: int, shape: Network, n_out: int, sources: Sequence[torch.Generator]) -> torch.Tensor:
    """Draw the unit Gaussians of one pass, shape (member, galaxy, units of all layers), each member from its own."""
    units = sum(shape.hidden) + n_out
    return torch.stack([torch.randn(galaxies, units, generator=g, device=g.device) for g in sources])


def noisy_outputs(weights: Weights, x: torch.Tensor, shape: Network, unit_noise: torch.Tensor) -> torch.Tensor:
    """Push inputs through every member, each galaxy meeting weights of its own draw.

    What a layer gives is Gaussian if its weights are; so draw it instead of them (local reparameterisation):
    y = x mu + b + sqrt(x^2 sigma^2) eps

    Parameters
    ----------
    weights
        Means, biases and spreads.
    x
        Inputs, shape (member, galaxy, input).
    shape
        The network's shape.
    unit_noise
        eps of every layer side by side, from `noise`.
    """
    layers = layer_names(shape)
    n_out = unit_noise.shape[-1] - sum(shape.hidden)
    x = in_common_system(weights, x)
    h = x
    for name, eps in zip(layers, torch.split(unit_noise, [*shape.hidden, n_out], dim=-1), strict=True):
        if name == "output" and shape.skip:
            h = torch.cat([h, x], dim=-1)
        mean = torch.baddbmm(weights[f"{name}.bias"], h, weights[f"{name}.weight"])
        # A unit whose inputs are all zero has no noise; the small number keeps its gradient finite.
        variance = torch.bmm(h.square(), softplus(weights[f"{name}.weight_rho"]).square()) + 1e-12
        h = mean + variance.sqrt() * eps
        if name != "output":
            h = torch.relu_(h)
    return h


def divergence(weights: Weights, shape: Network) -> torch.Tensor:
    """The Kullback-Leibler divergence of each member's posterior from the prior, shape (member,).

    KL = sum ln(prior / sigma) + (sigma^2 + mu^2) / (2 prior^2) - 1/2

    Examples
    --------
    A posterior at its prior has none:

    >>> from mixz.settings.network import Network
    >>> shape = Network(hidden=(3,), skip=False, kind="bayesian")
    >>> prior = {"hidden.0": 1.0, "output": math.sqrt(2 / 3)}
    >>> weights = {f"{k}.weight": torch.zeros(1, n, 3) for k, n in (("hidden.0", 2), ("output", 3))}
    >>> weights |= {f"{k}.weight_rho": torch.full((1, n, 3), math.log(math.expm1(prior[k])))
    ...             for k, n in (("hidden.0", 2), ("output", 3))}
    >>> bool(divergence(weights, shape).abs() < 1e-5)
    True
    """
    total = torch.zeros((), device=weights["output.weight"].device)
    for name in layer_names(shape):
        mean, sigma = weights[f"{name}.weight"], softplus(weights[f"{name}.weight_rho"])
        prior = _prior(mean)
        terms = torch.log(prior / sigma) + (sigma.square() + mean.square()) / (2 * prior**2) - 0.5
        total = total + terms.sum(dim=(1, 2))
    return total


def draw_weights(weights: Weights, shape: Network, sources: Sequence[torch.Generator]) -> Weights:
    """Draw ordinary dense weights from the posterior, each member from its own generator."""
    drawn = {f"{name}.bias": weights[f"{name}.bias"] for name in layer_names(shape)}
    for name in adapter_names(weights):
        drawn |= {f"{name}.{part}": weights[f"{name}.{part}"] for part in ("weight", "bias")}
    for name in layer_names(shape):
        mean, sigma = weights[f"{name}.weight"], softplus(weights[f"{name}.weight_rho"])
        eps = torch.stack([torch.randn(mean.shape[1:], generator=g, device=g.device) for g in sources])
        drawn[f"{name}.weight"] = mean + sigma * eps
    return drawn


def _prior(weight: torch.Tensor) -> float:
    """The prior's spread for a layer: with it, layers of any width pass on signals of one size."""
    return math.sqrt(2 / weight.shape[1])
