"""Members trained together as one stack, which shrinks as they stop: the inner loop of all training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from mixz.errors import MixzError
from mixz.model.losses import hsc_loss
from mixz.model.nets import StackedNetwork, network_from_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mixz.config import Network
    from mixz.recipes import Step

Weights = dict[str, torch.Tensor]
"""Named weights of a stack, each with the member axis first."""

ROWS_AT_ONCE = 32_768
"""Galaxies times members pushed through at once outside training; bounds the memory of a prediction."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Training material: network inputs (galaxy, input) and the labels believed, (galaxy,)."""

    x: torch.Tensor
    z_ref: torch.Tensor

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.z_ref)


@dataclass(frozen=True)
class History:
    """What one step did to each member.

    Parameters
    ----------
    validation_loss
        Per member its validation loss after each epoch, up to the epoch at which it stopped.
    best_epoch
        Per member the epoch (from 0) whose weights were kept.
    """

    validation_loss: tuple[tuple[float, ...], ...]
    best_epoch: tuple[int, ...]


@dataclass(frozen=True)
class News:
    """How far a group is: members stopped, epochs done, epochs due if nobody improves again, best losses so far."""

    stopped: int
    epochs_done: int
    epochs_due: int
    best_loss: tuple[float, ...]


class Group:
    """Members that share every matrix product, each with its own data order, early stopping and best weights.

    Parameters
    ----------
    weights
        Where to start, member axis first; not changed.
    shape, step
        The network's shape, and what to do.
    first
        Number of the group's first member, for messages.
    seeds
        Per member the seed of its data order.
    """

    def __init__(self, weights: Weights, shape: Network, step: Step, *, first: int, seeds: Sequence[int]) -> None:
        self.shape, self.step, self.first = shape, step, first
        self.best = {name: w.clone() for name, w in weights.items()}
        self.losses: list[list[float]] = [[] for _ in seeds]
        self.best_loss = torch.full((len(seeds),), torch.inf)
        self.best_epoch = torch.zeros(len(seeds), dtype=torch.long)
        self.running = torch.arange(len(seeds))
        self.orders = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.optimiser: torch.optim.Optimizer
        self._restack(weights, None)

    def train(self, train: Rows, validation: Rows, tell: Callable[[News], None]) -> None:
        """Train until every member has stopped; `tell` hears of each epoch, and may raise to end it all."""
        for epoch in range(self.step.epochs):
            self._one_epoch(train)
            self._judge(epoch, rows_loss(self.network, validation))
            tell(self._news(epoch))
            self._stop_those_done(epoch)
            if len(self.running) == 0:
                return

    def history(self) -> History:
        """Give what happened to each member."""
        return History(tuple(map(tuple, self.losses)), tuple(self.best_epoch.tolist()))

    def _one_epoch(self, train: Rows) -> None:
        order = torch.stack([torch.randperm(len(train), generator=self.orders[m]) for m in self.running.tolist()])
        for batch in torch.split(order, self.step.batch_size, dim=1):
            self.optimiser.zero_grad(set_to_none=True)
            loss = hsc_loss(z_phot=self.network(train.x[batch]), z_ref=train.z_ref[batch])
            # The sum over members keeps their gradients apart: each has its own mean loss.
            loss.mean(dim=1).sum().backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()

    def _judge(self, epoch: int, loss: torch.Tensor) -> None:
        """Note each member's validation loss, and keep the weights of those that improved."""
        for member, value in zip(self.running.tolist(), loss.tolist(), strict=True):
            self.losses[member].append(value)
        if not loss.isfinite().all():
            member = int(self.running[~loss.isfinite()][0]) + self.first
            raise MixzError(
                f"member {member}: the validation loss is no number after epoch {epoch + 1}",
                "finite losses",
                "lower the learning rate, or look for extreme magnitudes",
            )
        improved = loss < self.best_loss[self.running]
        who = self.running[improved]
        self.best_loss[who], self.best_epoch[who] = loss[improved], epoch
        for name, weight in self.network.state_dict().items():
            self.best[name][who] = weight[improved]

    def _news(self, epoch: int) -> News:
        due = min(self.step.epochs, int(self.best_epoch[self.running].max()) + self.step.patience + 1)
        return News(len(self.losses) - len(self.running), epoch + 1, due, tuple(self.best_loss.tolist()))

    def _stop_those_done(self, epoch: int) -> None:
        """Drop members whose patience is over from the stack, so that they cost nothing more."""
        still = epoch - self.best_epoch[self.running] < self.step.patience
        if not still.all():
            self.running = self.running[still]
            if len(self.running):
                self._restack({k: v[still] for k, v in self.network.state_dict().items()}, still)

    def _restack(self, weights: Weights, still: torch.Tensor | None) -> None:
        """Build network and optimiser for the running members, carrying Adam's memory along."""
        memory = [] if still is None else [self.optimiser.state[p] for p in self._movable()]
        self.network = network_from_weights(self.shape, weights)
        self.network.freeze(self.step.freeze)
        self.optimiser = torch.optim.Adam(self._movable(), lr=self.step.lr, fused=True)
        for parameter, state in zip(self._movable(), memory, strict=False):
            self.optimiser.state[parameter] = {k: v if k == "step" else v[still] for k, v in state.items()}

    def _movable(self) -> list[torch.nn.Parameter]:
        return [p for p in self.network.parameters() if p.requires_grad]


@torch.inference_mode()
def predict_rows(network: StackedNetwork, x: torch.Tensor) -> torch.Tensor:
    """Push inputs (galaxy, input) through every member, (member, galaxy), in pieces that bound the memory."""
    pieces = torch.split(x, max(1, ROWS_AT_ONCE // network.members))
    return torch.cat([network(piece.expand(network.members, *piece.shape)) for piece in pieces], dim=1)


def rows_loss(network: StackedNetwork, rows: Rows) -> torch.Tensor:
    """Give each member's mean loss over `rows`, shape (member,)."""
    return hsc_loss(z_phot=predict_rows(network, rows.x), z_ref=rows.z_ref).mean(dim=1).clone()
