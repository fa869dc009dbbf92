"""What moves in a step: the layers that are not frozen, whole or through low-rank adapters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from mixz.model.embedding import BIAS, FREQUENCY, WEIGHT
from mixz.model.nets import adapter_names, layer_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.model.nets import Weights
    from mixz.settings.network import Network
    from mixz.settings.recipe import Step

DOWN, UP = ".weight_down", ".weight_up"
"""Endings of an adapter's two factors: inputs down to its rank, and up to the layer's width."""


def trainable_start(weights: Weights, shape: Network, step: Step, starts: Sequence[torch.Generator]) -> Weights:
    """Copies of the numbers that a step may change; every other weight stays what it is.

    The layers below `freeze` never move.  With `adapter_rank` r the hidden layers above it move only by a product
    of rank r (LoRA, Hu et al. 2021, arXiv:2106.09685; for photometric redshifts in arXiv:2601.00146):
    W = W0 + down up, with down ~ N(0, 1 / inputs) and up = 0 at the start.  The output layer, too narrow for a
    rank, moves whole (ours).  The adapters of photometric systems and the embedding come
    before every layer: they move where none is frozen.

    Parameters
    ----------
    weights
        The stack before the step; not changed.
    shape, step
        The network's shape, and the step.
    starts
        One generator per member, for the adapters.

    Examples
    --------
    >>> from mixz.settings.network import Network
    >>> from mixz.model.nets import initial_weights
    >>> from mixz.settings.recipe import Step
    >>> shape = Network(hidden=(8, 8))
    >>> weights = initial_weights(5, 1, shape, [torch.Generator()])
    >>> sorted(trainable_start(weights, shape, Step(truths=("spec",), freeze=1, adapter_rank=2), [torch.Generator()]))
    ['hidden.1.weight_down', 'hidden.1.weight_up', 'output.bias', 'output.weight']
    """
    trainable: Weights = {}
    if step.freeze == 0:
        before = (*(f"{name}." for name in adapter_names(weights)), FREQUENCY, WEIGHT, BIAS)
        trainable |= {key: w.detach().clone() for key, w in weights.items() if key.startswith(before)}
    for name in layer_names(shape)[step.freeze :]:
        if step.adapter_rank is None or name == "output":
            trainable |= {key: w.detach().clone() for key, w in weights.items() if key.startswith(f"{name}.")}
        else:
            _, fan_in, fan_out = weights[f"{name}.weight"].shape
            rank = step.adapter_rank
            down = [torch.randn(fan_in, rank, generator=g) / math.sqrt(fan_in) for g in starts]
            trainable[name + DOWN] = torch.stack(down)
            trainable[name + UP] = torch.zeros(len(starts), rank, fan_out)
    return trainable


def joined(fixed: Weights, trainable: Weights) -> Weights:
    """Put trainable weights, and the products of adapters, into the weights they belong to."""
    weights = fixed | {name: w for name, w in trainable.items() if not name.endswith((DOWN, UP))}
    for name in (name.removesuffix(DOWN) for name in trainable if name.endswith(DOWN)):
        weights[f"{name}.weight"] = torch.baddbmm(fixed[f"{name}.weight"], trainable[name + DOWN], trainable[name + UP])
    return weights
