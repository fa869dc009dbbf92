"""Heads: what the numbers at a network's end mean, as a loss to train on and an estimate to read off."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torch.nn.functional import softplus

from mixz.model.losses import gaussian_loss, hsc_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from mixz.config import Network
    from mixz.model.rows import Rows

NARROWEST = 1e-3
"""No Gaussian estimate is narrower than this in redshift: less than any photometry can tell."""


class Head(NamedTuple):
    """The meaning of a network's outputs, of shape (member, galaxy, output).

    Parameters
    ----------
    outputs
        How many there are.
    loss
        (outputs, rows) to the loss of every galaxy, shape (member, galaxy).
    point
        Outputs to point estimates, shape (member, galaxy).
    sigma
        Outputs to each estimate's own standard deviation, shape (member, galaxy); None where a head gives none.
    """

    outputs: int
    loss: Callable[[torch.Tensor, Rows], torch.Tensor]
    point: Callable[[torch.Tensor], torch.Tensor]
    sigma: Callable[[torch.Tensor], torch.Tensor] | None = None


def _first(out: torch.Tensor) -> torch.Tensor:
    return out[..., 0]


def _width(out: torch.Tensor) -> torch.Tensor:
    return softplus(out[..., 1]) + NARROWEST


def _point_loss(out: torch.Tensor, rows: Rows) -> torch.Tensor:
    return hsc_loss(z_phot=_first(out), z_ref=rows.z_ref)


def _gaussian_loss(out: torch.Tensor, rows: Rows) -> torch.Tensor:
    return gaussian_loss(z_phot=_first(out), sigma=_width(out), z_ref=rows.z_ref)


POINT = Head(1, _point_loss, _first)
"""One redshift, trained on the HSC loss: the paper's."""

GAUSSIAN = Head(2, _gaussian_loss, _first, _width)
"""A mean and a width, trained on the negative log-likelihood: what a Bayesian network ends in."""


def head_of(network: Network) -> Head:
    """Give the head that a network ends in.

    Examples
    --------
    >>> from mixz.config import Network
    >>> head_of(Network()).outputs, head_of(Network(kind="bayesian")).outputs
    (1, 2)
    """
    return {"point": POINT, "gaussian": GAUSSIAN}[network.head_name]
