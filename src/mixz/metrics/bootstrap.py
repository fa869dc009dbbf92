"""How sure a metric is: errors from resampling the galaxies (and members), and differences between two recipes.

Efron 1979 (Ann. Stat. 7, 1).  A metric is given as a function of rows: indices of galaxies in, numbers out, so that
any metric of any arrays will do, and several at once share their resamples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mixz.metrics.point import Floats

MetricOfRows = Callable[["NDArray[np.intp]"], "ArrayLike"]
"""Takes indices of galaxies, gives numbers."""

TAIL = 0.025
"""What lies on either side of a central 95 % interval."""


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """A metric of all galaxies, and of resamples of them.

    Parameters
    ----------
    value
        Metric of all galaxies, of any shape (often a scalar).
    resampled
        The metric of each resample, shape (resample, *value.shape).
    """

    value: Floats
    resampled: Floats

    @property
    def error(self) -> Floats:
        """The standard error: the standard deviation (ddof = 1) over resamples."""
        return np.asarray(self.resampled.std(axis=0, ddof=1))

    def interval(self, level: float = 0.68) -> Floats:
        """The central interval of the resampled metric (percentile method), shape (2, *value.shape)."""
        return np.asarray(np.quantile(self.resampled, [(1 - level) / 2, (1 + level) / 2], axis=0))


@dataclass(frozen=True, eq=False)
class Difference:
    """One recipe's metric minus another's on the same galaxies, of the metric's shape.

    Parameters
    ----------
    value, error
        The difference and its standard error.
    interval
        Its central 95 % interval, shape (2, *value.shape).
    p_value
        Two-sided: how often a difference as large would come by chance were there none.
    """

    value: Floats
    error: Floats
    interval: Floats
    p_value: Floats


@dataclass(frozen=True, eq=False)
class Ratio:
    """How many times larger in size one recipe's metric is than another's on the same galaxies.

    Parameters
    ----------
    value
        |first| / |second|, of the metric's shape.
    interval
        Its central 95 % interval, shape (2, *value.shape): from 0 where the first, without end (inf) where the second
        may be zero.
    """

    value: Floats
    interval: Floats


def resample(
    metric: MetricOfRows, *, galaxies: int, seed: int, resamples: int = 200, over_members: bool = False
) -> Bootstrap:
    """Resample galaxies with replacement, and take the metric of each resample.

    One resample is in memory at a time, whatever the number of galaxies.

    Parameters
    ----------
    metric
        Takes indices of galaxies, shape (galaxy,), and gives one number or an array of numbers.
    galaxies
        How many galaxies there are.
    over_members
        The metric gives numbers per member of an ensemble, along its first axis, and their mean is wanted.  Every
        resample draws as many members too, with replacement, as training the recipe anew would.

    Raises
    ------
    ValueError
        There is no galaxy, or there are fewer than 2 resamples.

    Examples
    --------
    The error of a mean of 400 numbers of unit scatter is 1/20:

    >>> x = np.tile([-1.0, 1.0], 200)
    >>> round(float(resample(lambda rows: x[rows].mean(), galaxies=400, seed=2).error), 2)
    0.05
    """
    return _resampled(metric, galaxies, resamples, over_members, galaxy_seed=[seed, 0], member_seed=[seed, 1])


def paired_difference(
    first: MetricOfRows,
    second: MetricOfRows,
    *,
    galaxies: int,
    seed: int,
    resamples: int = 1000,
    over_members: bool = False,
) -> Difference:
    """first - second on the same galaxies, and how sure it is that they differ.

    Every resample holds the same galaxies for both, so that what both find hard cancels.  With d the difference seen
    and d* that of a resample,

        p = (1 + #{|d* - d| >= |d|}) / (1 + resamples),

    since d* - d scatters as d would were there no difference (Hall & Wilson 1991, Biometrics 47, 757, guideline 1).

    Parameters
    ----------
    first, second
        Metrics of two recipes, each as in `resample`, giving the same shape.
    over_members
        As in `resample`; members of either recipe are drawn on their own, which overstates the error where member k
        of one grew from member k of the other.

    Raises
    ------
    ValueError
        There is no galaxy, or there are fewer than 2 resamples.

    Examples
    --------
    One recipe is always worse by 0.01, which the scatter of 0.1 between galaxies cannot hide:

    >>> x = 0.1 * np.random.default_rng(1).standard_normal(100)
    >>> found = paired_difference(lambda rows: x[rows].mean() + 0.01, lambda rows: x[rows].mean(),
    ...                           galaxies=100, seed=2)
    >>> round(float(found.value), 3), float(found.error) < 1e-12, float(found.p_value) < 0.01
    (0.01, True, True)
    """
    a = _resampled(first, galaxies, resamples, over_members, galaxy_seed=[seed, 0], member_seed=[seed, 1])
    b = _resampled(second, galaxies, resamples, over_members, galaxy_seed=[seed, 0], member_seed=[seed, 2])
    return difference_of(a, b)


def difference_of(first: Bootstrap, second: Bootstrap) -> Difference:
    """first - second, as `paired_difference` does, of two metrics whose resamples drew the same galaxies.

    Examples
    --------
    >>> a, b = Bootstrap(np.array(3.0), np.array([2.9, 3.1])), Bootstrap(np.array(1.0), np.array([1.0, 1.0]))
    >>> found = difference_of(a, b)
    >>> float(found.value), round(float(found.error), 3), round(float(found.p_value), 3)
    (2.0, 0.141, 0.333)
    """
    apart = Bootstrap(np.asarray(first.value - second.value), first.resampled - second.resampled)
    # Equal to rounding counts as reached, or a difference of exactly none would look significant.
    as_far = np.abs(apart.resampled - apart.value) >= np.abs(apart.value) * (1 - 1e-9)
    p_value = (1 + as_far.sum(axis=0)) / (1 + len(apart.resampled))
    return Difference(apart.value, apart.error, apart.interval(0.95), np.asarray(p_value))


def ratio_of(first: Bootstrap, second: Bootstrap) -> Ratio:
    """|first| / |second| of two metrics whose resamples drew the same galaxies.

    The percentile interval, but that a metric of which more than 2.5 % of the resamples have not the sign of its value
    may be zero: a ratio over it has no upper end, and a ratio of it no lower one.

    Examples
    --------
    >>> a = Bootstrap(np.array([4.0, 4.0]), np.full((100, 2), 4.0))
    >>> b = Bootstrap(np.array([-2.0, 0.1]), np.array([[-2.0, 0.1], [-2.0, -0.1]] * 50))
    >>> found = ratio_of(a, b)
    >>> found.value.tolist(), found.interval.T.tolist()
    ([2.0, 40.0], [[2.0, 2.0], [40.0, inf]])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.abs(first.value) / np.abs(second.value)
        each = np.abs(first.resampled) / np.abs(second.resampled)
    low, high = np.quantile(np.where(np.isnan(each), 1.0, each), [TAIL, 1 - TAIL], axis=0, method="nearest")
    ends = np.where(_may_be_zero(first), 0.0, low), np.where(_may_be_zero(second), np.inf, high)
    unknown = np.isnan(first.value) | np.isnan(second.value)
    return Ratio(np.asarray(value), np.where(unknown, np.nan, ends))


def _may_be_zero(metric: Bootstrap) -> NDArray[np.bool_]:
    """Whether the central 95 % of the resamples reach zero, of the metric's shape."""
    other_side = np.mean(np.sign(metric.resampled) != np.sign(metric.value), axis=0)
    return np.asarray((other_side > TAIL) | (metric.value == 0), dtype=bool)


def _resampled(
    metric: MetricOfRows,
    galaxies: int,
    resamples: int,
    over_members: bool,
    *,
    galaxy_seed: list[int],
    member_seed: list[int],
) -> Bootstrap:
    if galaxies < 1 or resamples < 2:
        raise ValueError(f"{galaxies} galaxies, {resamples} resamples; at least 1 and 2 are needed")
    draw_galaxies, draw_members = np.random.default_rng(galaxy_seed), np.random.default_rng(member_seed)

    def mean(found: ArrayLike, *, drawn: bool) -> Floats:
        numbers = np.asarray(found, float)
        if not over_members:
            return numbers
        n = len(numbers)
        return np.asarray((numbers[draw_members.integers(0, n, n)] if drawn else numbers).mean(axis=0))

    value = mean(metric(np.arange(galaxies)), drawn=False)
    rows = (draw_galaxies.integers(0, galaxies, galaxies) for _ in range(resamples))
    return Bootstrap(value, np.stack([mean(metric(r), drawn=True) for r in rows]))
