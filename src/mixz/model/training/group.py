"""Members trained together as one stack, which shrinks as they stop: the inner loop of all training."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch

from mixz.model.bayes import divergence, noise, noisy_outputs
from mixz.model.heads import head_of
from mixz.model.nets import PRIOR, adapter_names, outputs
from mixz.model.seeds import ADAPTER, NOISE, ORDER, generators
from mixz.model.training.cuda_graphs import RecordedUpdate
from mixz.model.training.history import History, Lost, News
from mixz.model.training.optimiser import learning_rate, optimiser, set_rate
from mixz.model.training.trainable import joined, trainable_start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from mixz.model.nets import Weights
    from mixz.model.training.devices import Machine
    from mixz.model.training.rows import Rows
    from mixz.settings.network import Network
    from mixz.settings.recipe import Step

JUDGED = 0
"""Number of the noise that judges a Bayesian network on validation rows: the same in every epoch, so that losses
compare.  Epochs of training count from 1."""


class Group:
    """Members that share every matrix product, each with its own data order, early stopping and best weights.

    Parameters
    ----------
    weights
        Where to start, member axis first; not changed.
    shape, step
        The networks' shape, and what to do.
    seeds
        Per member the seed of its randomness in this step.
    machine
        Device and precision.
    """

    def __init__(self, weights: Weights, shape: Network, step: Step, *, seeds: Sequence[int], machine: Machine) -> None:
        self.shape, self.step, self.seeds, self.machine = shape, step, list(seeds), machine
        self.head = head_of(shape)
        self.loss = self.head.imitate if step.loss == "imitate" and self.head.imitate else self.head.loss
        self.start = {name: w.to(machine.torch_device) for name, w in weights.items()}
        start = trainable_start(weights, shape, step, generators(seeds, ADAPTER))
        self.best = {name: w.to(machine.torch_device) for name, w in start.items()}
        self.epoch = 0
        self.losses: list[list[float]] = [[] for _ in seeds]
        self.best_loss = torch.full((len(seeds),), torch.inf)
        self.best_epoch = torch.zeros(len(seeds), dtype=torch.long)
        self.lost_after = torch.zeros(len(seeds), dtype=torch.long)
        self.running = torch.arange(len(seeds))
        self.restack(self.best, {})

    def train(self, train: Rows, validation: Rows, after_epoch: Callable[[], None]) -> None:
        """Train until every member has stopped; `after_epoch` is called after each epoch, and may raise to end it."""
        train, validation = train.to(self.machine.torch_device), validation.to(self.machine.torch_device)
        while len(self.running) and self.epoch < self.step.epochs:
            self._one_epoch(train)
            self._judge(self._validate(validation))
            self.epoch += 1
            self._drop_those_done()
            after_epoch()
        # What is left is what `weights` and `history` need.
        self.fixed.clear()
        self.trainable.clear()
        del self.optimiser, self.update

    def weights(self) -> Weights:
        """Every member's best weights; those that were frozen are the ones it began with."""
        return {name: w.cpu() for name, w in joined(self.start, self.best).items()}

    def history(self, members: Sequence[int]) -> History:
        """What happened to each member, numbered `members`."""
        return History(tuple(members), tuple(map(tuple, self.losses)), tuple(self.best_epoch.tolist()))

    def lost(self, members: Sequence[int], step_number: int) -> list[Lost]:
        """Name the members whose loss was no number."""
        pairs = zip(members, self.lost_after.tolist(), strict=True)
        return [Lost(member, step_number, epoch) for member, epoch in pairs if epoch]

    def news(self) -> News:
        """How far the group is."""
        count = len(self.losses)
        if len(self.running) == 0:
            return News(count, count, self.epoch, self.epoch, tuple(self.best_loss.tolist()))
        last = int(self.best_epoch[self.running].max()) + self.step.patience_epochs + 1
        due = min(self.step.epochs, last)
        return News(count - len(self.running), count, self.epoch, due, tuple(self.best_loss.tolist()))

    def restack(self, trainable: Weights, memory: dict[str, dict[str, torch.Tensor]]) -> None:
        """Build the stack of the running members from their trainable weights and the optimiser's memory of them."""
        device = self.machine.torch_device
        still = self.running.to(device)
        self.fixed = {name: w[still] for name, w in self.start.items()}
        self.trainable = {name: w.to(device).clone().requires_grad_() for name, w in trainable.items()}
        on_graph = self.machine.on_graph and self.shape.kind == "dense"
        self.optimiser = optimiser(self.step, self.trainable.values(), on_graph=on_graph)
        self.update: Callable[[torch.Tensor], None] = RecordedUpdate(self._update) if on_graph else self._update
        for name, state in memory.items():
            # The count of updates is one number for all members, and stays where the optimiser put it.
            self.optimiser.state[self.trainable[name]] = {
                key: value if key == "step" else value.to(device) for key, value in state.items()
            }

    def memory(self) -> dict[str, dict[str, torch.Tensor]]:
        """The optimiser's memory of the running members' weights, by name."""
        states: dict[str, dict[str, Any]] = {name: self.optimiser.state[w] for name, w in self.trainable.items()}
        return {name: {k: v for k, v in state.items() if v is not None} for name, state in states.items()}

    def _one_epoch(self, train: Rows) -> None:
        """Pass once over the training rows, each member in its own order."""
        device = self.machine.torch_device
        seeds = [self.seeds[m] for m in self.running.tolist()]
        orders = generators(seeds, ORDER, self.epoch, device=device)
        self.rows, self.noises = self._of_epoch(train), generators(seeds, NOISE, self.epoch + 1, device=device)
        order = torch.stack([torch.randperm(len(train), generator=g, device=device) for g in orders])
        batches = torch.split(order, self.step.batch_size, dim=1)
        for number, batch in enumerate(batches):
            update = self.epoch * len(batches) + number
            set_rate(self.optimiser, learning_rate(self.step, update=update, updates_per_epoch=len(batches)))
            self.update(batch)

    def _of_epoch(self, train: Rows) -> Rows:
        """The rows as this epoch sees them; where updates are recorded, in the memory that the record reads."""
        rows = train.of_epoch(self.epoch)
        if rows is not train and self.machine.on_graph:
            train.x.copy_(rows.x)
            return train
        return rows

    def _update(self, batch: torch.Tensor) -> None:
        """Move the weights once, by the galaxies of one batch, indices of shape (member, galaxy)."""
        self.optimiser.zero_grad(set_to_none=True)
        objective = self._objective(self.rows.take(batch), self.noises, len(self.rows))
        # The sum over members keeps their gradients apart: each has its own mean loss.
        objective.sum().backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()

    def _objective(self, rows: Rows, noises: Sequence[torch.Generator], galaxies: int) -> torch.Tensor:
        """What each member minimises, shape (member,): loss, divergence from the prior, pull to the start."""
        weights = joined(self.fixed, self.trainable)
        with self._precision():
            out = self._outputs(weights, rows.x, noises)
        objective = rows.weighted(self.loss(out.float(), rows)).mean(dim=1)
        if self.shape.kind == "bayesian":
            objective = objective + self.shape.kl_weight / galaxies * divergence(weights, self.shape)
        if adapters := [f"{name}.{part}" for name in adapter_names(weights) for part in ("weight", "bias")]:
            # A Gaussian prior on how far photometric systems are apart, as one more term of the mean log-likelihood.
            away = [
                weights[name] - weights[PRIOR + name] if PRIOR + name in weights else weights[name] for name in adapters
            ]
            apart = torch.stack([w.square().sum(dim=(1, 2)) for w in away]).sum(dim=0)
            objective = objective + apart / (2 * self.shape.system_spread**2 * galaxies)
        if self.step.pull:
            moved = [(weights[k] - w).square().sum(dim=(1, 2)) for k, w in self.fixed.items() if weights[k] is not w]
            objective = objective + self.step.pull / 2 * torch.stack(moved).sum(dim=0)
        return objective

    def _outputs(self, weights: Weights, x: torch.Tensor, noises: Sequence[torch.Generator]) -> torch.Tensor:
        if self.shape.kind == "dense":
            return outputs(weights, x, self.shape)
        return noisy_outputs(weights, x, self.shape, noise(x.shape[1], self.shape, self.head.outputs, noises))

    @torch.no_grad()
    def _validate(self, validation: Rows) -> torch.Tensor:
        """Each running member's mean loss over the validation rows, shape (member,)."""
        members = len(self.running)
        seeds = [self.seeds[m] for m in self.running.tolist()]
        noises = generators(seeds, NOISE, JUDGED, device=self.machine.torch_device)
        weights = joined(self.fixed, self.trainable)
        total = torch.zeros(members, dtype=torch.float64, device=self.machine.torch_device)
        for start in range(0, len(validation), piece := self.machine.piece(members)):
            rows = validation.take(slice(start, start + piece))
            with self._precision():
                out = self._outputs(weights, rows.x.expand(members, *rows.x.shape), noises)
            total += rows.weighted(self.loss(out.float(), rows)).sum(dim=1)
        return (total / len(validation)).float().cpu()

    def _judge(self, loss: torch.Tensor) -> None:
        """Note each member's validation loss, and keep the weights of those that improved."""
        for member, value in zip(self.running.tolist(), loss.tolist(), strict=True):
            self.losses[member].append(value)
        self.lost_after[self.running[~loss.isfinite()]] = self.epoch + 1
        improved = loss < self.best_loss[self.running]
        who = self.running[improved]
        self.best_loss[who], self.best_epoch[who] = loss[improved], self.epoch
        there, here = who.to(self.machine.torch_device), improved.to(self.machine.torch_device)
        for name, weight in self.trainable.items():
            self.best[name][there] = weight.detach()[here]

    def _drop_those_done(self) -> None:
        """Drop members that are lost or whose patience is over from the stack, so that they cost nothing more."""
        waited = self.epoch - 1 - self.best_epoch[self.running]
        still = (waited < self.step.patience_epochs) & (self.lost_after[self.running] == 0)
        if still.all():
            return
        self.running = self.running[still]
        if len(self.running):
            here = still.to(self.machine.torch_device)
            memory = {
                name: {key: value if key == "step" else value[here] for key, value in state.items()}
                for name, state in self.memory().items()
            }
            self.restack({name: w.detach()[here] for name, w in self.trainable.items()}, memory)

    def _precision(self) -> AbstractContextManager[object]:
        if self.machine.precision != "bfloat16":
            return nullcontext()
        # Without its cache of rounded weights, which a recorded update would never renew.
        return torch.autocast(self.machine.torch_device.type, dtype=torch.bfloat16, cache_enabled=False)
