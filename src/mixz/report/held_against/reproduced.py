"""Does a measurement bear a claim out?  One small rule per kind of claim, on 95 % intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

WIDEST = 0.05
"""A share known no better than this, either way, tells nothing of a claim (ours)."""


class Answer(StrEnum):
    """What can be said of a claim."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True)
class Judgement:
    """What can be said of a claim, and why."""

    answer: Answer
    why: str

    @property
    def words(self) -> str:
        """Both in a few words."""
        return f"{self.answer}: {self.why}"


def judge_smaller(low: float, high: float, *, allowed: tuple[float, float]) -> Judgement:
    """Judge the claim that a metric is so many times smaller.

    Parameters
    ----------
    low, high
        The 95 % interval of the measured ratio; NaN where there is none.
    allowed
        The ratios that would be written as the claim is.

    Examples
    --------
    >>> for low, high in ((1.3, 1.6), (1.8, 2.0), (1.1, 1.2), (0.9, 1.2), (0.9, 1.7), (0.5, 0.8)):
    ...     print(judge_smaller(low, high, allowed=(1.45, 1.55)).words)
    reproduced: as much as claimed
    reproduced: more than claimed
    not reproduced: smaller, but less than claimed
    not reproduced: no smaller that chance could not explain, and less than claimed
    cannot be told: both none and all of it lie within the errors
    not reproduced: larger, not smaller
    """
    if math.isnan(low) or math.isnan(high):
        return Judgement(Answer.UNKNOWN, "no errors were computed")
    if high < 1:
        return Judgement(Answer.NOT_REPRODUCED, "larger, not smaller")
    if high < allowed[0]:
        why = "smaller, but" if low > 1 else "no smaller that chance could not explain, and"
        return Judgement(Answer.NOT_REPRODUCED, f"{why} less than claimed")
    if low <= 1:
        return Judgement(Answer.UNKNOWN, "both none and all of it lie within the errors")
    return Judgement(Answer.REPRODUCED, "more than claimed" if low > allowed[1] else "as much as claimed")


def judge_worse(low: float, high: float) -> Judgement:
    """Judge the claim that a metric gets worse, by the 95 % interval of how many times smaller it is.

    Examples
    --------
    >>> for low, high in ((0.5, 0.8), (1.1, 1.3), (0.9, 1.1)):
    ...     print(judge_worse(low, high).words)
    reproduced: worse
    not reproduced: better, not worse
    cannot be told: the errors allow both
    """
    if math.isnan(low) or math.isnan(high):
        return Judgement(Answer.UNKNOWN, "no errors were computed")
    if high < 1:
        return Judgement(Answer.REPRODUCED, "worse")
    if low > 1:
        return Judgement(Answer.NOT_REPRODUCED, "better, not worse")
    return Judgement(Answer.UNKNOWN, "the errors allow both")


def judge_share(value: float, error: float, *, claimed: float, digit: float) -> Judgement:
    """Judge the claim that a share of galaxies is what it is, by a measured share and its standard error.

    Examples
    --------
    >>> for value, error in ((0.68, 0.005), (0.60, 0.005), (0.68, 0.04)):
    ...     print(judge_share(value, error, claimed=0.672, digit=0.001).words)
    reproduced: within two errors of it
    not reproduced: less than claimed by more than two errors
    cannot be told: the share is known no better than to 5 %
    """
    if math.isnan(value) or math.isnan(error):
        return Judgement(Answer.UNKNOWN, "no errors were computed")
    if 2 * error > WIDEST:
        return Judgement(Answer.UNKNOWN, f"the share is known no better than to {100 * WIDEST:g} %")
    if abs(value - claimed) <= 2 * error + digit / 2:
        return Judgement(Answer.REPRODUCED, "within two errors of it")
    than = "less" if value < claimed else "more"
    return Judgement(Answer.NOT_REPRODUCED, f"{than} than claimed by more than two errors")


def judge_limit(value: float, error: float, *, limit: float) -> Judgement:
    """Judge the claim that a requirement is met: |metric| below a limit, by two standard errors.

    Examples
    --------
    >>> for value, error in ((-0.001, 0.0005), (0.005, 0.0005), (0.0025, 0.0005)):
    ...     print(judge_limit(value, error, limit=0.003).words)
    reproduced: met
    not reproduced: missed
    cannot be told: the limit lies within two errors
    """
    if math.isnan(value) or math.isnan(error):
        return Judgement(Answer.UNKNOWN, "no errors were computed")
    if abs(value) + 2 * error < limit:
        return Judgement(Answer.REPRODUCED, "met")
    if abs(value) - 2 * error > limit:
        return Judgement(Answer.NOT_REPRODUCED, "missed")
    return Judgement(Answer.UNKNOWN, "the limit lies within two errors")
