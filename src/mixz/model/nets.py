"""Dense networks with a member axis: N small networks are one module, so one matrix product serves them all."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.config import Network


class StackedLinear(nn.Module):
    """A dense layer per member: y[m] = x[m] W[m] + b[m].

    Weights start as Keras starts them (Glorot & Bengio 2010, eq. 16: uniform within sqrt(6 / (in + out)), zero
    bias), each member from its own generator, so that member k starts the same in a stack of any size.

    Parameters
    ----------
    n_in, n_out
        Widths of input and output.
    generators
        One random generator per member.
    """

    def __init__(self, n_in: int, n_out: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        limit = math.sqrt(6 / (n_in + n_out))
        starts = [torch.rand(n_in, n_out, generator=g) * (2 * limit) - limit for g in generators]
        self.weight = nn.Parameter(torch.stack(starts))
        self.bias = nn.Parameter(torch.zeros(len(generators), 1, n_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (member, galaxy, n_in) to (member, galaxy, n_out)."""
        return torch.baddbmm(self.bias, x, self.weight)


class StackedNetwork(nn.Module):
    """The paper group's network for each member: dense ReLU layers, input joined again, one redshift out.

    With five bands and four layers of 200 each member has 122,006 weights.

    Parameters
    ----------
    n_in
        Number of inputs.
    shape
        Widths of the hidden layers, and whether the input skips to the output.
    generators
        One random generator per member.

    Examples
    --------
    >>> from mixz.config import Network
    >>> net = StackedNetwork(5, Network(), [torch.Generator().manual_seed(k) for k in range(3)])
    >>> net.members, net.weights_per_member
    (3, 122006)
    >>> net(torch.zeros(3, 7, 5)).shape
    torch.Size([3, 7])
    """

    def __init__(self, n_in: int, shape: Network, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        widths = (n_in, *shape.hidden)
        self.hidden = nn.ModuleList(StackedLinear(a, b, generators) for a, b in pairwise(widths))
        self.skip = shape.skip
        self.output = StackedLinear(widths[-1] + (n_in if shape.skip else 0), 1, generators)

    @property
    def members(self) -> int:
        """Number of networks in the stack."""
        return int(self.output.bias.shape[0])

    @property
    def weights_per_member(self) -> int:
        """Number of trainable numbers in one member."""
        return sum(p[0].numel() for p in self.parameters())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map inputs (member, galaxy, input) to redshifts (member, galaxy)."""
        h = x
        for layer in self.hidden:
            h = torch.relu(layer(h))
        joined = torch.cat([h, x], dim=-1) if self.skip else h
        z: torch.Tensor = self.output(joined)
        return z.squeeze(-1)

    def freeze(self, layers: int) -> None:
        """Let the first `layers` hidden layers keep their weights; all others may move."""
        for number, layer in enumerate([*self.hidden, self.output]):
            layer.requires_grad_(number >= layers)


def network_from_weights(shape: Network, weights: dict[str, torch.Tensor]) -> StackedNetwork:
    """Build a stack around copies of given weights, each with the member axis first."""
    members, n_in = weights["hidden.0.weight"].shape[:2]
    network = StackedNetwork(n_in, shape, [torch.Generator() for _ in range(members)])
    network.load_state_dict(weights)
    return network
