"""Inputs in, estimates out: every member's redshift for any number of galaxies, in bounded memory."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import torch

from mixz.densities.estimates import sigma, zcore, zrms
from mixz.densities.read import Reading, read_densities
from mixz.model.bayes import draw_weights
from mixz.model.heads import Head, head_of
from mixz.model.nets import member_count, outputs
from mixz.model.seeds import DRAWS, generators
from mixz.model.training.devices import Machine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.densities.calibration import Calibration
    from mixz.densities.grid import Grid
    from mixz.densities.intervals import Intervals
    from mixz.model.nets import Weights
    from mixz.settings.network import Network

PIECE = 1024
"""Galaxies that a member is asked about at a time: enough for its products, and few enough for a core's caches."""


class MemberEstimates(NamedTuple):
    """What the members of a stack say.

    Parameters
    ----------
    z
        Each member's point estimate (zcore where it gives a density), shape (member, galaxy).
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
def predict_rows(weights: Weights, shape: Network, x: torch.Tensor, seeds: Sequence[int]) -> MemberEstimates:
    """Every member's estimate, on every core in pieces that fit its caches.

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
    head, members = head_of(shape), member_count(weights)
    stacks = stacks_of(weights, shape, seeds)
    # Member by member: the activations of one stay in the caches, those of all do not.
    single = [[{name: w[k : k + 1] for name, w in stack.items()} for stack in stacks] for k in range(members)]
    found = _room(head, members, len(x))

    @torch.inference_mode()
    def ask(here: slice) -> None:
        some = x[here].masked_fill(~x[here].isfinite().all(dim=1, keepdim=True), torch.nan)
        for member, draws in enumerate(single):
            said = estimates([outputs(draw, some[None], shape) for draw in draws], head)
            for whole, part in zip(found[:3], said[:3], strict=True):
                if whole is not None and part is not None:
                    whole[member, here] = part[0]
            if found.mass is not None and said.mass is not None:
                found.mass[here].add_(said.mass, alpha=1 / members)

    Machine().in_pieces(ask, galaxies=len(x), piece=PIECE)
    return found


@torch.inference_mode()
def read_rows(
    mass: torch.Tensor,
    mag_ref: torch.Tensor,
    grid: Grid,
    *,
    system: torch.Tensor | None = None,
    calibration: Calibration | None = None,
    intervals: Intervals | None = None,
) -> Reading:
    """`read_densities` on every core, in pieces that fit its caches; the masses are used up.

    Parameters
    ----------
    mass
        Masses, shape (galaxy, z); in their place in memory come the densities.
    mag_ref, grid, system, calibration, intervals
        As `mixz.densities.read.read_densities` has them.
    """

    @torch.inference_mode()
    def read(here: slice) -> Reading:
        its = None if system is None else system[here]
        reading = read_densities(
            mass[here], mag_ref[here], grid, system=its, calibration=calibration, intervals=intervals
        )
        mass[here] = reading.pdf
        return reading

    parts = list(Machine().in_pieces(read, galaxies=len(mass), piece=PIECE))
    points, intervals_ = (_joined([getattr(part, name) for part in parts]) for name in ("points", "intervals"))
    odds, loss = (torch.cat([getattr(part, name) for part in parts]) for name in ("odds", "loss"))
    return Reading(mass, points, intervals_, odds, loss)


def _joined(parts: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def estimates(outs: Sequence[torch.Tensor], head: Head) -> MemberEstimates:
    """Read the members' estimates off their outputs; of several draws, their mixture.

    Parameters
    ----------
    outs
        Outputs of each draw of the weights (one, but for Bayesian networks), each of shape (member, galaxy, output).
    head
        What the outputs mean.
    """
    return _of_density(outs, head) if head.mass else _of_points(outs, head)


def stacks_of(weights: Weights, shape: Network, seeds: Sequence[int]) -> list[Weights]:
    """The dense stacks that a prediction is the mean of: the stack itself, or draws of a Bayesian one.

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


def _room(head: Head, members: int, galaxies: int) -> MemberEstimates:
    """Make room for what is to come, masses at zero."""
    each = torch.empty(members, galaxies)
    if head.grid is None:
        return MemberEstimates(each, torch.empty_like(each) if head.sigma else None)
    mass = torch.zeros(galaxies, len(head.grid))
    return MemberEstimates(each, torch.empty_like(each), torch.empty_like(each), mass)


def _of_points(outs: Sequence[torch.Tensor], head: Head) -> MemberEstimates:
    assert head.point is not None
    points = torch.stack([head.point(out) for out in outs])
    if head.sigma is None:
        return MemberEstimates(points.mean(dim=0))
    mean, widths = points.mean(dim=0), torch.stack([head.sigma(out) for out in outs])
    return MemberEstimates(mean, (widths.square() + (points - mean).square()).mean(dim=0).sqrt())


def _of_density(outs: Sequence[torch.Tensor], head: Head) -> MemberEstimates:
    assert head.mass is not None
    assert head.grid is not None
    grid = head.grid
    mass = _mean([head.mass(out) for out in outs])
    of_members = mass[0] if len(mass) == 1 else mass.mean(dim=0)
    return MemberEstimates(zcore(mass, grid), sigma(mass, grid), zrms(mass, grid), of_members)


def _mean(several: Sequence[torch.Tensor]) -> torch.Tensor:
    """The mean of tensors of one shape, without copies; where there is one, that itself."""
    return several[0] if len(several) == 1 else reduce(torch.add, several) / len(several)
