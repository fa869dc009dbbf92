"""Inputs in, estimates out: every member's redshift for any number of galaxies, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from mixz.model.bayes import draw_weights
from mixz.model.devices import Machine
from mixz.model.heads import head_of
from mixz.model.nets import member_count, outputs
from mixz.model.seeds import DRAWS, generators

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.config import Network
    from mixz.model.nets import Weights


@torch.inference_mode()
def predict_rows(
    weights: Weights, shape: Network, x: torch.Tensor, seeds: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Give every member's estimate and, where the head gives one, its standard deviation.

    A Bayesian network's estimate is the mean over weight draws, which are the same for all galaxies; its variance is
    the mean of the draws' variances and the variance of their means.

    Parameters
    ----------
    weights, shape
        The stack.
    x
        Inputs, shape (galaxy, input).
    seeds
        Per member the seed of its weight draws.

    Returns
    -------
    z, sigma
        Shape (member, galaxy).
    """
    if shape.kind == "dense":
        return _push_through(weights, shape, x)
    draws = [
        _push_through(draw_weights(weights, shape, generators(seeds, DRAWS, draw)), shape, x)
        for draw in range(shape.draws)
    ]
    means, widths = torch.stack([z for z, _ in draws]), torch.stack([s for _, s in draws if s is not None])
    mean = means.mean(dim=0)
    return mean, (widths.square() + (means - mean).square()).mean(dim=0).sqrt()


def _push_through(weights: Weights, shape: Network, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Push all galaxies through one stack of dense networks, pieces that fit a core's caches on every core."""
    head, members, machine = head_of(shape), member_count(weights), Machine()
    z = torch.empty(members, len(x))
    sigma = torch.empty(members, len(x)) if head.sigma else None

    def push(start: int) -> None:
        here = slice(start, start + machine.piece(members))
        with torch.inference_mode():
            some = x[here]
            out = outputs(weights, some.expand(members, *some.shape), shape)
            z[:, here] = head.point(out)
            if sigma is not None and head.sigma is not None:
                sigma[:, here] = head.sigma(out)

    starts = range(0, len(x), machine.piece(members))
    if len(starts) == 1:
        push(0)
        return z, sigma
    with machine.pool() as pool:
        for _ in pool.map(push, starts):
            pass
    return z, sigma
