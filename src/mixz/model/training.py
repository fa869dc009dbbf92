"""One training function for every recipe: (weights, step, training rows, validation rows) -> (weights, history).

On a CPU the members are divided into groups that fit its caches, and each core trains one group at a time by
itself.  That is faster than all cores sharing every small matrix product, and the result does not depend on how many
cores there are.
"""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import torch

from mixz.model.group import Group, History, News, Rows, Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mixz.config import Network
    from mixz.recipes import Step

GROUP = 10
"""Most members in a group: more fall out of a core's cache and get slower."""


@dataclass(frozen=True)
class Progress:
    """How far a step of training is, over all its members.

    Parameters
    ----------
    epochs_done, epochs_due
        Epochs run, and epochs there will be if no running member improves again (so at least), summed over groups.
    stopped, members
        Members that are done, and all members.
    best_loss
        Median of the members' best validation losses so far.
    """

    epochs_done: int
    epochs_due: float
    stopped: int
    members: int
    best_loss: float


def train_step(
    weights: Weights,
    shape: Network,
    step: Step,
    train: Rows,
    validation: Rows,
    *,
    seeds: Sequence[int],
    watch: Callable[[Progress], None] | None = None,
) -> tuple[Weights, History]:
    """Train every member for one step, from `weights` to the weights of its best validation epoch.

    Each member sees the galaxies in its own order, stops by itself, and is the same in a stack of any size.
    Frozen layers are never handed to the optimiser: their weights come back bit-identical.

    Parameters
    ----------
    weights
        Where to start, member axis first; not changed.
    shape, step
        The network's shape, and what to do.
    train, validation
        Rows to learn from, and rows that decide when to stop and which epoch was best.
    seeds
        Per member the seed of its data order.
    watch
        Called after every epoch of a group.

    Raises
    ------
    MixzError
        A member's loss is no longer a number.
    """
    cores = torch.get_num_threads()
    parts = _parts(len(seeds), cores)
    groups = [Group({k: v[p] for k, v in weights.items()}, shape, step, first=p.start, seeds=seeds[p]) for p in parts]
    board = _Board(groups, len(seeds), watch)
    with _one_thread_each(), ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        jobs = [pool.submit(board.train, number, train, validation) for number in range(len(groups))]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            board.cancelled.set()
            raise
    histories = [group.history() for group in groups]
    return {name: torch.cat([group.best[name] for group in groups]) for name in weights}, History(
        tuple(loss for h in histories for loss in h.validation_loss), tuple(e for h in histories for e in h.best_epoch)
    )


def _parts(members: int, cores: int) -> list[slice]:
    """Divide the members evenly into groups: at least one for each core, none larger than GROUP.

    >>> _parts(10, 2)
    [slice(0, 5, None), slice(5, 10, None)]
    """
    rounds = math.ceil(members / (GROUP * cores))
    count = min(members, rounds * cores)
    return [slice(members * k // count, members * (k + 1) // count) for k in range(count)]


class _Cancelled(Exception):  # noqa: N818  # no error: another group's, or the user's Ctrl-C, ended the work
    """Raised inside a group to end it."""


class _Board:
    """Where the groups post their news, and learn that they should stop."""

    def __init__(self, groups: list[Group], members: int, watch: Callable[[Progress], None] | None) -> None:
        self.groups, self.members, self.watch = groups, members, watch
        self.news: dict[int, News] = {}
        self.lock = threading.Lock()
        self.cancelled = threading.Event()

    def train(self, number: int, train: Rows, validation: Rows) -> None:
        try:
            self.groups[number].train(train, validation, lambda news: self._post(number, news))
        except _Cancelled:
            return

    def _post(self, number: int, news: News) -> None:
        if self.cancelled.is_set():
            raise _Cancelled
        with self.lock:
            self.news[number] = news
            if self.watch is not None:
                self.watch(self._progress())

    def _progress(self) -> Progress:
        heard = list(self.news.values())
        due = sum(news.epochs_due for news in heard)
        return Progress(
            epochs_done=sum(news.epochs_done for news in heard),
            # Groups that have not begun are taken to last as long as the others.
            epochs_due=due * len(self.groups) / len(heard),
            stopped=sum(news.stopped for news in heard),
            members=self.members,
            best_loss=median(loss for news in heard for loss in news.best_loss),
        )


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let matrix products use one core while the groups use the others, and put that back afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
