"""Dense networks with a member axis: N small networks are one set of arrays, so one matrix product serves them all.

A network is its named weights, a plain dictionary with the member axis first, and functions of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from mixz.model.embedding import embedded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.settings.network import Network

Weights = dict[str, torch.Tensor]
"""Named weights of a stack, each with the member axis first: ``hidden.0.weight`` (member, in, out), ``hidden.0.bias``
(member, 1, out), ..., ``output.weight``, ``output.bias``."""


def layer_names(shape: Network) -> tuple[str, ...]:
    """Name the layers from input to output.

    Examples
    --------
    >>> from mixz.settings.network import Network
    >>> layer_names(Network(hidden=(20, 20)))
    ('hidden.0', 'hidden.1', 'output')
    """
    return (*(f"hidden.{k}" for k in range(len(shape.hidden))), "output")


def initial_weights(n_in: int, n_out: int, shape: Network, starts: Sequence[torch.Generator]) -> Weights:
    """Draw the first weights of each member of the paper group's network: dense ReLU layers, input joined again.

    Weights start as Keras starts them (Glorot & Bengio 2010, eq. 16: uniform within sqrt(6 / (in + out)), zero
    bias), each member from its own generator, so that member k starts the same in a stack of any size.

    Parameters
    ----------
    n_in, n_out
        Numbers of inputs and outputs.
    shape
        Widths of the hidden layers, and whether the input skips to the output.
    starts
        One random generator per member.

    Examples
    --------
    With five bands and four layers of 200 each member has the 122,006 weights of the public GalaxiesML example:

    >>> from mixz.settings.network import Network
    >>> weights = initial_weights(5, 1, Network(), [torch.Generator().manual_seed(k) for k in range(3)])
    >>> sum(w[0].numel() for w in weights.values())
    122006
    """
    weights = {}
    for name, (fan_in, fan_out) in layer_sizes(n_in, n_out, shape).items():
        limit = math.sqrt(6 / (fan_in + fan_out))
        drawn = [torch.rand(fan_in, fan_out, generator=g) * (2 * limit) - limit for g in starts]
        weights[f"{name}.weight"] = torch.stack(drawn)
        weights[f"{name}.bias"] = torch.zeros(len(starts), 1, fan_out)
    return weights


def layer_sizes(n_in: int, n_out: int, shape: Network) -> dict[str, tuple[int, int]]:
    """How many numbers go into each layer, and come out.

    Examples
    --------
    >>> from mixz.settings.network import Network
    >>> layer_sizes(5, 1, Network(hidden=(20, 30)))
    {'hidden.0': (5, 20), 'hidden.1': (20, 30), 'output': (35, 1)}
    """
    widths = (n_in, *shape.hidden)
    inputs = (*widths[:-1], widths[-1] + (n_in if shape.skip else 0))
    return dict(zip(layer_names(shape), zip(inputs, (*shape.hidden, n_out), strict=True), strict=True))


def outputs(weights: Weights, x: torch.Tensor, shape: Network) -> torch.Tensor:
    """Push (embedded) inputs through every member: h[k+1] = ReLU(h[k] W[k] + b[k]), out = [h, x] W + b.

    Parameters
    ----------
    weights
        The stack's weights.
    x
        Inputs, shape (member, galaxy, input).
    shape
        The network's shape.

    Returns
    -------
    torch.Tensor
        Shape (member, galaxy, output).

    Examples
    --------
    >>> from mixz.settings.network import Network
    >>> shape = Network(hidden=(8,))
    >>> weights = initial_weights(5, 1, shape, [torch.Generator() for _ in range(3)])
    >>> outputs(weights, torch.zeros(3, 7, 5), shape).shape
    torch.Size([3, 7, 1])
    """
    x = embedded(weights, in_common_system(weights, x))
    h = x
    for name in layer_names(shape)[:-1]:
        # In place: the product itself is needed no more, and memory traffic is what stands beside the products.
        h = torch.relu_(torch.baddbmm(weights[f"{name}.bias"], h, weights[f"{name}.weight"]))
    weight, out = weights["output.weight"], weights["output.bias"]
    if shape.skip:
        # The same as joining x to h and multiplying once, without the copy.
        out = torch.baddbmm(out, x, weight[:, shape.hidden[-1] :])
    return torch.baddbmm(out, h, weight[:, : shape.hidden[-1]])


def adapter_names(weights: Weights) -> tuple[str, ...]:
    """Name the adapters that carry photometric systems into the common one."""
    return tuple(
        name.removesuffix(".weight") for name in weights if name.startswith("system.") and name.endswith(".weight")
    )


PRIOR = "prior."
"""Before the name of an adapter: where it is held to, which no step moves."""


def with_adapters(
    weights: Weights, *, bands: int, systems: int, starts: Sequence[tuple[torch.Tensor, torch.Tensor]] = ()
) -> Weights:
    """Add an adapter for every photometric system but the first (``system.1.weight``, ``.bias``, ...).

    They start at the identity, or at `starts`, which then also stay on as ``prior.system.1.weight``, ....
    """
    members = member_count(weights)
    adapters = {}
    for number in range(1, systems):
        turn, shift = starts[number - 1] if starts else (torch.zeros(bands, bands), torch.zeros(bands))
        name = f"system.{number}"
        for known in (name, *([PRIOR + name] if starts else [])):
            adapters[f"{known}.weight"] = turn.repeat(members, 1, 1)
            adapters[f"{known}.bias"] = shift.repeat(members, 1, 1)
    return weights | adapters


def in_common_system(weights: Weights, x: torch.Tensor) -> torch.Tensor:
    """Carry inputs of every photometric system into the common one, and drop the columns that name the system.

    x' = x + A_s x + b_s for the inputs x of a galaxy's magnitudes, A and b zero for the first system: colour terms and
    zero points, small and learned, so that the networks meet one system only.

    Parameters
    ----------
    weights
        With the adapters of some systems, or none.
    x
        Inputs, shape (member, galaxy, input): magnitudes first, last a 0/1 column per adapter.

    Examples
    --------
    >>> from mixz.settings.network import Network
    >>> weights = initial_weights(2, 1, Network(hidden=(8,)), [torch.Generator()])
    >>> weights = with_adapters(weights, bands=2, systems=2)
    >>> weights["system.1.bias"] += 0.5
    >>> in_common_system(weights, torch.tensor([[[1.0, 2.0, 0.0], [1.0, 2.0, 1.0]]]))
    tensor([[[1.0000, 2.0000],
             [1.5000, 2.5000]]])
    """
    names = adapter_names(weights)
    if not names:
        return x
    bands = weights[f"{names[0]}.weight"].shape[1]
    seen, others = x[..., : -len(names)], x[..., -len(names) :]
    mag = seen[..., :bands]
    moved = mag
    for number, name in enumerate(names):
        there = others[..., number : number + 1]
        moved = moved + there * torch.baddbmm(weights[f"{name}.bias"], mag, weights[f"{name}.weight"])
    return torch.cat([moved, seen[..., bands:]], dim=-1)


def member_count(weights: Weights) -> int:
    """Count the members of a stack."""
    return int(next(iter(weights.values())).shape[0])
