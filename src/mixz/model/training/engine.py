"""One training function for every recipe: (weights, step, training rows, validation rows) -> (weights, history).

On a CPU the members are divided into groups that fit its caches, and each core trains one group at a time by
itself.  That is faster than all cores sharing every small matrix product.  On a GPU all members are one group.
"""

from __future__ import annotations

import threading
from concurrent.futures import as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from mixz.model.training.devices import Machine
from mixz.model.training.group import Group
from mixz.model.training.history import History, Lost, News, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mixz.model.nets import Weights
    from mixz.model.training.checkpoint import Checkpoint
    from mixz.model.training.rows import Rows
    from mixz.settings.network import Network
    from mixz.settings.recipe import Step


@dataclass(frozen=True)
class Trained:
    """What a step gives: the weights and history of the members that came through, and those that were lost."""

    weights: Weights
    history: History
    lost: tuple[Lost, ...]


def train_step(
    weights: Weights,
    shape: Network,
    step: Step,
    train: Rows,
    validation: Rows,
    *,
    members: Sequence[int],
    seeds: Sequence[int],
    number: int = 1,
    machine: Machine | None = None,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train every member for one step, from `weights` to the weights of its best validation epoch.

    Each member sees the galaxies in its own order, stops by itself, and is the same in a stack of any size.
    Frozen layers are never handed to the optimiser: their weights come back bit-identical.

    Parameters
    ----------
    weights
        Where to start, member axis first; not changed.
    shape, step
        The networks' shape, and what to do.
    train, validation
        Rows to learn from, and rows that decide when to stop and which epoch was best.
    members, seeds
        The members' numbers, and per member the seed of its randomness in this step.
    number
        Number of the step in its recipe, for messages.
    machine
        Where to train; float32 on the CPU if not given.
    checkpoint
        Where to save after each epoch, and to go on from what is there.
    watch
        Called after every epoch of a group.

    Raises
    ------
    MixzError
        The machine's device is not here, or a checkpoint cannot be written or is damaged.
    """
    machine = machine or Machine()
    machine.require_device()
    parts = machine.parts(len(seeds), step.batch_size)
    if checkpoint:
        # Groups are as they were when training began, though the cores may be others today.
        parts = checkpoint.begin(parts)
    posts = _Posts(len(parts), len(seeds), checkpoint, watch)

    def train_part(part: slice) -> Group:
        some = {name: w[part] for name, w in weights.items()}
        group = Group(some, shape, step, seeds=seeds[part], machine=machine)
        posts.resume(group, part)
        group.train(train, validation, after_epoch=lambda: posts.after_epoch(group, part))
        return group

    with machine.pool() as pool:
        jobs = [pool.submit(train_part, part) for part in parts]
        try:
            for job in as_completed(jobs):
                job.result()
        except BaseException:
            posts.cancelled.set()
            raise
        return _gathered([job.result() for job in jobs], [members[part] for part in parts], number)


def _gathered(groups: Sequence[Group], members: Sequence[Sequence[int]], number: int) -> Trained:
    """Put the groups' results together, without the members that were lost."""
    pairs = list(zip(groups, members, strict=True))
    lost = [one for group, numbers in pairs for one in group.lost(numbers, number)]
    everyone = [member for numbers in members for member in numbers]
    left = [member for member in everyone if member not in {one.member for one in lost}]
    places = [everyone.index(member) for member in left]
    stacks = [group.weights() for group in groups]
    whole = History.joined([group.history(numbers) for group, numbers in pairs])
    weights = {name: torch.cat([stack[name] for stack in stacks])[places] for name in stacks[0]}
    return Trained(weights, whole.only(left), tuple(lost))


class _Cancelled(Exception):  # noqa: N818  # no error: another group's, or the user's Ctrl-C, ended the work
    """Raised inside a group to end it."""


class _Posts:
    """Where the groups save their checkpoints and tell their news, and learn that they should stop."""

    def __init__(
        self, groups: int, members: int, checkpoint: Checkpoint | None, watch: Callable[[Progress], None] | None
    ) -> None:
        self.groups, self.members, self.checkpoint, self.watch = groups, members, checkpoint, watch
        self.news: dict[int, News] = {}
        self.lock = threading.Lock()
        self.cancelled = threading.Event()

    def resume(self, group: Group, part: slice) -> None:
        if self.cancelled.is_set():
            raise _Cancelled
        if self.checkpoint and self.checkpoint.restore(group, part):
            self._tell(group, part)

    def after_epoch(self, group: Group, part: slice) -> None:
        if self.checkpoint:
            self.checkpoint.write(group, part)
        if self.cancelled.is_set():
            raise _Cancelled
        self._tell(group, part)

    def _tell(self, group: Group, part: slice) -> None:
        with self.lock:
            self.news[part.start] = group.news()
            if self.watch is not None:
                self.watch(Progress.of(list(self.news.values()), self.groups, self.members))
