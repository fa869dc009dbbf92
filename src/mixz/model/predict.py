"""Inputs in, estimates out: every member's redshift for any number of galaxies, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from mixz.model.bayes import draw_weights
from mixz.model.devices import Machine
from mixz.model.heads import Head, head_of
from mixz.model.nets import member_count, outputs
from mixz.model.seeds import DRAWS, generators

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.config import Network
    from mixz.model.nets import Weights

DENSITY_SHARE = 4
"""Members' densities take about so many times the memory of what else is pushed through: pieces are smaller by it."""


class Estimates(NamedTuple):
    """What the members of a stack say.

    Parameters
    ----------
    z
        Each member's point estimate (zbest where it gives a density), shape (member, galaxy).
    sigma
        Its own standard deviation, shape (member, galaxy); None where the head gives none.
    z_rms
        The estimate of the least expected dz^2 by its density, shape (member, galaxy); None where the head gives none.
    mass
        Masses of the members' mean density, shape (galaxy, z); None where the head gives none.
    """

    z: torch.Tensor
    sigma: torch.Tensor | None = None
    z_rms: torch.Tensor | None = None
    mass: torch.Tensor | None = None


@torch.inference_mode()
def predict_rows(weights: Weights, shape: Network, x: torch.Tensor, seeds: Sequence[int]) -> Estimates:
    """Give every member's estimate, on every core in pieces that fit its caches.

    A Bayesian network's estimate is the mean over weight draws, which are the same for all galaxies; its variance is
    the mean of the draws' variances and the variance of their means.

    Parameters
    ----------
    weights, shape
        The stack.
    x
        Inputs, shape (galaxy, input); galaxies with a NaN among them get NaN.
    seeds
        Per member the seed of its weight draws.
    """
    head, members, machine = head_of(shape), member_count(weights), Machine()
    stacks = stacks_of(weights, shape, seeds)
    found = _room(head, members, len(x))
    piece = max(1, machine.piece(members) // (DENSITY_SHARE if head.mass else 1))

    def push(start: int) -> None:
        here = slice(start, start + piece)
        with torch.inference_mode():
            some = x[here]
            outs = [outputs(stack, some.expand(members, *some.shape), shape) for stack in stacks]
            said = estimates(outs, head)
            unknown = ~some.isfinite().all(dim=1)
            for whole, part in zip(found, said, strict=True):
                if whole is not None and part is not None:
                    # Galaxies are the last axis, but of densities the first.
                    whole[..., here] = part.masked_fill(unknown, torch.nan)

    starts = range(0, len(x), piece)
    if len(starts) == 1:
        push(0)
    else:
        with machine.pool() as pool:
            for _ in pool.map(push, starts):
                pass
    return found if found.mass is None else found._replace(mass=found.mass.T)


def estimates(outs: Sequence[torch.Tensor], head: Head) -> Estimates:
    """Read the members' estimates off their outputs; of several draws, their mixture.

    Parameters
    ----------
    outs
        Outputs of each draw of the weights (one, but for Bayesian networks), each of shape (member, galaxy, output).
    head
        What the outputs mean.

    Returns
    -------
    Estimates
        Galaxies are the last axis of all of it: masses are of shape (z, galaxy).
    """
    return _of_density(outs, head) if head.mass else _of_points(outs, head)


def stacks_of(weights: Weights, shape: Network, seeds: Sequence[int]) -> list[Weights]:
    """Give the dense stacks that a prediction is the mean of: the stack itself, or draws of a Bayesian one.

    Parameters
    ----------
    weights, shape
        The stack.
    seeds
        Per member the seed of its weight draws, which are the same for all galaxies.
    """
    if shape.kind != "bayesian":
        return [weights]
    return [draw_weights(weights, shape, generators(seeds, DRAWS, draw)) for draw in range(shape.draws)]


def _room(head: Head, members: int, galaxies: int) -> Estimates:
    """Make room for what is to come; densities lie on their side, shape (z, galaxy)."""
    each = torch.empty(members, galaxies)
    if head.grid is None:
        return Estimates(each, torch.empty_like(each) if head.sigma else None)
    return Estimates(each, torch.empty_like(each), torch.empty_like(each), torch.empty(len(head.grid.z), galaxies))


def _of_points(outs: Sequence[torch.Tensor], head: Head) -> Estimates:
    assert head.point is not None
    points = torch.stack([head.point(out) for out in outs])
    if head.sigma is None:
        return Estimates(points.mean(dim=0))
    mean, widths = points.mean(dim=0), torch.stack([head.sigma(out) for out in outs])
    return Estimates(mean, (widths.square() + (points - mean).square()).mean(dim=0).sqrt())


def _of_density(outs: Sequence[torch.Tensor], head: Head) -> Estimates:
    assert head.mass is not None
    assert head.grid is not None
    mass = torch.stack([head.mass(out) for out in outs]).mean(dim=0)
    return Estimates(head.grid.zbest(mass), head.grid.sigma(mass), head.grid.zrms(mass), mass.mean(dim=0).T)
