"""Heads: what the numbers at a network's end mean, as a loss to train on and an estimate to read off."""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn.functional import softplus

from mixz.densities.estimates import hsc_loss
from mixz.densities.grid import Grid, edges, even_grid
from mixz.model.losses import gaussian_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from mixz.model.training.rows import Rows
    from mixz.settings.network import Network

NARROWEST = 1e-3
"""No Gaussian estimate is narrower than this in redshift: less than any photometry can tell."""
NARROWEST_COMPONENT = 2e-3
"""No component of a mixture is narrower than this in ln(1 + z) (ours)."""


class Head(NamedTuple):
    """The meaning of a network's outputs, of shape (member, galaxy, output).

    Parameters
    ----------
    outputs
        How many there are.
    loss
        (outputs, rows) to the loss of every galaxy, shape (member, galaxy).
    point
        Outputs to point estimates, shape (member, galaxy); None where the head ends in a density.
    sigma
        Outputs to each estimate's own standard deviation, shape (member, galaxy); None where a head gives none.
    mass
        Outputs to the masses of a density on `grid`, shape (member, galaxy, z); None where a head ends in none.
    grid
        The grid of densities.
    imitate
        A loss where rows say masses to imitate instead of labels; None where a head cannot.
    """

    outputs: int
    loss: Callable[[torch.Tensor, Rows], torch.Tensor]
    point: Callable[[torch.Tensor], torch.Tensor] | None = None
    sigma: Callable[[torch.Tensor], torch.Tensor] | None = None
    mass: Callable[[torch.Tensor], torch.Tensor] | None = None
    grid: Grid | None = None
    imitate: Callable[[torch.Tensor, Rows], torch.Tensor] | None = None


def _first(out: torch.Tensor) -> torch.Tensor:
    return out[..., 0]


def _width(out: torch.Tensor) -> torch.Tensor:
    return softplus(out[..., 1]) + NARROWEST


def _point_loss(out: torch.Tensor, rows: Rows) -> torch.Tensor:
    loss: torch.Tensor = hsc_loss(z_phot=_first(out), z_ref=rows.z_ref)
    return loss


def _gaussian_loss(out: torch.Tensor, rows: Rows) -> torch.Tensor:
    return gaussian_loss(z_phot=_first(out), sigma=_width(out), z_ref=rows.z_ref)


POINT = Head(1, _point_loss, _first)
"""One redshift, trained on the HSC loss: the paper's."""

GAUSSIAN = Head(2, _gaussian_loss, _first, _width)
"""A mean and a width, trained on the negative log-likelihood: what a Bayesian network ends in."""


def _binned(grid: Grid) -> Head:
    """A mass on every node of the grid, trained on the label likelihood."""

    def loss(out: torch.Tensor, rows: Rows) -> torch.Tensor:
        assert rows.likelihood is not None
        top = out.amax(dim=-1, keepdim=True).detach()
        raised = (out - top).exp()
        # -ln sum_k L_k s_k without the masses themselves: two sums over one exponential.
        return raised.sum(dim=-1).log() - (raised * rows.likelihood).sum(dim=-1).clamp_min(1e-30).log()

    def imitate(out: torch.Tensor, rows: Rows) -> torch.Tensor:
        assert rows.likelihood is not None
        return -(out.log_softmax(dim=-1) * rows.likelihood).sum(dim=-1)

    return Head(len(grid), loss, mass=partial(torch.softmax, dim=-1), grid=grid, imitate=imitate)


def _mixture(grid: Grid, components: int) -> Head:
    """Gaussians in ln(1 + z), each node with the mass that lies nearest to it, trained on the label likelihood."""

    def mass(out: torch.Tensor) -> torch.Tensor:
        share, mean, width = torch.split(out, components, dim=-1)
        # Spread over the grid at the start, so that no component begins where another is.
        first = torch.linspace(0, math.log1p(grid.z[-1]), components + 2, device=out.device)[1:-1]
        sigma = 0.1 * softplus(width) + NARROWEST_COMPONENT
        away = (grid.constant(edges, out) - (first + 0.1 * mean)[..., None]) / sigma[..., None]
        # Not torch's ndtr: it gives (1 + erf) / 2, which is 0 from 9 standard deviations on.
        below = torch.erfc(-away / math.sqrt(2)) / 2
        in_node = torch.cat([below[..., :1], below.diff(dim=-1), 1 - below[..., -1:]], dim=-1)
        mixed: torch.Tensor = (share.softmax(dim=-1)[..., None] * in_node).sum(dim=-2)
        return mixed

    def loss(out: torch.Tensor, rows: Rows) -> torch.Tensor:
        assert rows.likelihood is not None
        return -(mass(out) * rows.likelihood).sum(dim=-1).clamp_min(1e-12).log()

    return Head(3 * components, loss, mass=mass, grid=grid)


@lru_cache(maxsize=32)
def head_of(network: Network) -> Head:
    """The head that a network ends in.

    Examples
    --------
    >>> from mixz.settings.network import Network
    >>> head_of(Network()).outputs, head_of(Network(kind="bayesian")).outputs
    (1, 2)
    >>> head_of(Network(head="binned", z_max=4)).outputs, head_of(Network(head="mixture", z_max=4)).outputs
    (200, 15)
    """
    match network.head_name:
        case "point":
            return POINT
        case "gaussian":
            return GAUSSIAN
        case "binned":
            return _binned(_grid(network))
        case "mixture":
            return _mixture(_grid(network), network.components)


def _grid(network: Network) -> Grid:
    assert network.z_max is not None, "an ensemble fills it in from its labels"
    return even_grid(network.nodes, network.z_max)
