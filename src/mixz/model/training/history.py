"""What training did to each member, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, pstdev
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class History:
    """What one step did to each member that came through it.

    Parameters
    ----------
    members
        The members' numbers.
    validation_loss
        Per member its validation loss after each epoch, up to the epoch at which it stopped.
    best_epoch
        Per member the epoch (from 0) whose weights were kept.
    """

    members: tuple[int, ...]
    validation_loss: tuple[tuple[float, ...], ...]
    best_epoch: tuple[int, ...]

    def only(self, members: Sequence[int]) -> History:
        """The history of some members."""
        places = [self.members.index(member) for member in members]
        losses = tuple(self.validation_loss[k] for k in places)
        return History(tuple(members), losses, tuple(self.best_epoch[k] for k in places))

    @classmethod
    def joined(cls, parts: Sequence[History]) -> History:
        """Put the histories of one step together, each of other members."""
        return cls(
            tuple(member for part in parts for member in part.members),
            tuple(losses for part in parts for losses in part.validation_loss),
            tuple(epoch for part in parts for epoch in part.best_epoch),
        )


@dataclass(frozen=True)
class Lost:
    """A member whose loss was no longer a number: it is left out of the ensemble, and this says so.

    Parameters
    ----------
    member
        Its number.
    step
        The step it was lost in, from 1.
    epoch
        The epoch after which its validation loss was no number, from 1.
    """

    member: int
    step: int
    epoch: int

    def __str__(self) -> str:
        """The same in words."""
        return f"member {self.member} was lost in step {self.step}: its loss was no number after epoch {self.epoch}"


@dataclass(frozen=True)
class News:
    """How far a group of members is.

    Parameters
    ----------
    stopped, members
        Members that are done, and all of the group.
    epochs_done, epochs_due
        Epochs run, and epochs there will be if no running member improves again.
    best_loss
        Best validation loss of each member so far; infinite where there is none.
    """

    stopped: int
    members: int
    epochs_done: int
    epochs_due: int
    best_loss: tuple[float, ...]


@dataclass(frozen=True)
class Progress:
    """How far a step of training is, over all its members.

    Parameters
    ----------
    epochs_done, epochs_due
        Epochs run, and epochs there will be if no running member improves again (so at least), summed over groups.
    epoch
        The epoch of the group that is furthest.
    stopped, members
        Members that are done, and all members.
    best_loss, spread
        Median of the members' best validation losses so far, and their standard deviation.
    """

    epochs_done: int
    epochs_due: float
    epoch: int
    stopped: int
    members: int
    best_loss: float
    spread: float

    @classmethod
    def of(cls, heard: Sequence[News], groups: int, members: int) -> Progress:
        """Sum up the news of those of the `groups` that have begun.

        Examples
        --------
        >>> Progress.of([News(1, 2, 30, 40, (0.1, 0.2)), News(0, 2, 10, 20, (0.3, 0.4))], groups=2, members=4)
        Progress(epochs_done=40, epochs_due=60.0, epoch=30, stopped=1, members=4, best_loss=0.25, spread=0.11...)
        """
        losses = [loss for news in heard for loss in news.best_loss if loss < float("inf")]
        return cls(
            epochs_done=sum(news.epochs_done for news in heard),
            # Groups that have not begun are taken to last as long as the others.
            epochs_due=sum(news.epochs_due for news in heard) * groups / len(heard),
            epoch=max(news.epochs_done for news in heard),
            stopped=sum(news.stopped for news in heard),
            members=members,
            best_loss=median(losses) if losses else float("nan"),
            spread=pstdev(losses) if losses else float("nan"),
        )
