"""How fast weights move: optimisers and learning-rate schedules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mixz.settings.recipe import Step

MOMENTUM = 0.9
ONE_CYCLE_RISE, ONE_CYCLE_START = 0.3, 1 / 25
"""Share of a one-cycle schedule that rises, and the share of the top rate at which it begins."""


def optimiser(step: Step, parameters: Iterable[torch.Tensor], *, on_graph: bool = False) -> torch.optim.Optimizer:
    """Build a step's optimiser over the trainable weights; `on_graph` makes it recordable in a CUDA graph.

    ``adam`` (Kingma & Ba 2014), ``adamw`` (Loshchilov & Hutter 2019, weight decay 0.01) or ``sgd`` (momentum 0.9).
    """
    trainable = list(parameters)
    # A graph replays what it recorded, so there the rate must be a number on the device, not in Python.
    lr = torch.tensor(0.0, device=trainable[0].device) if on_graph else 0.0
    match step.optimiser:
        case "adam":
            return torch.optim.Adam(trainable, lr=lr, fused=True, capturable=on_graph)
        case "adamw":
            return torch.optim.AdamW(trainable, lr=lr, weight_decay=0.01, fused=True, capturable=on_graph)
        case "sgd":
            return torch.optim.SGD(trainable, lr=lr, momentum=MOMENTUM, fused=True)


def set_rate(chosen: torch.optim.Optimizer, rate: float) -> None:
    """Set an optimiser's learning rate for the next update."""
    for group in chosen.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def learning_rate(step: Step, *, update: int, updates_per_epoch: int) -> float:
    """The learning rate of an update, counted from 0 at the step's beginning.

    - ``constant``: lr.
    - ``cosine``: half a cosine from lr to 0 at the last of `epochs` (Loshchilov & Hutter 2017, arXiv:1608.03983).
    - ``one_cycle``: a rise from lr / 25 over the first 30 %, then half a cosine to 0 (Smith & Topin 2019,
      arXiv:1708.07120).

    During the first `warm_up` epochs any of them is multiplied by a line from 0 to 1.

    Examples
    --------
    >>> from mixz.settings.recipe import Step
    >>> step = Step(truths=("spec",), lr=0.01, schedule="cosine", epochs=10, warm_up=1)
    >>> [round(learning_rate(step, update=u, updates_per_epoch=10), 4) for u in (0, 4, 10, 50, 99)]
    [0.001, 0.005, 0.0097, 0.0049, 0.0]
    """
    top = step.lr * step.lr_factor
    done = (update + 0.5) / (step.epochs * updates_per_epoch)
    warm_updates = step.warm_up * updates_per_epoch
    warm = min(1.0, (update + 1) / warm_updates) if warm_updates else 1.0
    match step.schedule:
        case "constant":
            return top * warm
        case "cosine":
            return top * warm * _fall(done)
        case "one_cycle":
            if done < ONE_CYCLE_RISE:
                return top * warm * (ONE_CYCLE_START + (1 - ONE_CYCLE_START) * _fall(1 - done / ONE_CYCLE_RISE))
            return top * warm * _fall((done - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE))


def _fall(share: float) -> float:
    """Go from 1 to 0 along half a cosine."""
    return (1 + math.cos(math.pi * share)) / 2
