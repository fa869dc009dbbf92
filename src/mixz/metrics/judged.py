"""Every point metric of every member of a recipe, at every place, on resampled galaxies too: all else is read off it.

Errors and differences between recipes share these resamples, so that no metric is taken twice.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.densities.estimates import DEFAULT
from mixz.metrics.counted import Counted, Draws
from mixz.metrics.metric import METRICS, point_metrics
from mixz.metrics.places import Place, Sample, places
from mixz.metrics.products import cores
from mixz.metrics.residuals import Residuals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.metrics.bins import Bin
    from mixz.metrics.point import Floats, PointMetric

BLOCK = 48_000_000
"""Counts of drawn galaxies added up at a time by each core, in 4 bytes each (ours)."""

ROWS = 500_000
"""Residuals looked at at a time by each core: a few MB, which stay in its cache (ours)."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """A recipe's point estimates: its members', and the ensemble's own.

    Parameters
    ----------
    z_phot_members
        Each member's estimate, shape (member, galaxy).
    z_phot
        The ensemble's, shape (galaxy,); the mean of its members' if not given.
    z_rms_members, z_rms
        Where members give densities, the estimates of the least expected dz^2, of the same shapes; they are judged
        where the squared error counts, and `z_phot` (then zcore) elsewhere.

    Examples
    --------
    >>> Estimates(np.array([[0.5, 1.0], [0.7, 1.0]])).of_ensemble.round(6)
    array([0.6, 1. ])
    """

    z_phot_members: Floats
    z_phot: Floats | None = None
    z_rms_members: Floats | None = None
    z_rms: Floats | None = None

    def __post_init__(self) -> None:
        if (self.z_rms is None) != (self.z_rms_members is None):
            raise ValueError("z_rms and z_rms_members: give both or none")

    @property
    def of_ensemble(self) -> Floats:
        """The ensemble's estimate, shape (galaxy,)."""
        return np.asarray(self.z_phot_members.mean(axis=0) if self.z_phot is None else self.z_phot)

    def ensemble_of(self, name: str) -> Floats:
        """The ensemble's estimate of one of the names that `name_of` gives, shape (galaxy,)."""
        return self.z_rms if name == "zrms" and self.z_rms is not None else self.of_ensemble

    def name_of(self, metric: str) -> str:
        """Which estimate a metric is of: ``zrms`` or ``zcore`` of a density, ``mean`` of point estimates."""
        if self.z_rms is None:
            return "mean"
        return "zrms" if METRICS[metric].of_square else DEFAULT

    @property
    def names(self) -> tuple[str, ...]:
        """Every estimate that some metric is of."""
        return tuple(dict.fromkeys(self.name_of(metric) for metric in point_metrics()))

    @property
    def given(self) -> NDArray[np.bool_]:
        """Which galaxies have an estimate of every kind by every member, shape (galaxy,)."""
        kinds = (self.z_phot_members, self.z_phot, self.z_rms_members, self.z_rms)
        known = [np.atleast_2d(np.isfinite(z)).all(axis=0) for z in kinds if z is not None]
        return np.asarray(np.all(known, axis=0))

    def rows(self, which: NDArray[Any]) -> Estimates:
        """The galaxies that `which` (a mask or indices) selects."""
        kinds = (self.z_phot_members, self.z_phot, self.z_rms_members, self.z_rms)
        return Estimates(*(None if z is None else z[..., which] for z in kinds))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class JudgedPlace:
    """The metrics of a recipe at one place, in the order of `point_metrics`.

    Parameters
    ----------
    place, n
        Where, and how many galaxies that is for the ensemble's estimate.
    members, ensemble
        Metrics of each member, shape (member, metric), and of the ensemble's own estimate, shape (metric,).
    resampled
        Metrics of each member on resampled galaxies, shape (resample, member, metric); resample k draws the same
        galaxies for every recipe at a place that is the same for all.
    """

    place: Place
    n: int
    members: Floats
    ensemble: Floats
    resampled: Floats

    @property
    def error(self) -> Floats:
        """Standard error of the metrics' mean over members from resampling galaxies, shape (metric,); may be NaN."""
        means = self.resampled.mean(axis=1)
        # A resample of very few galaxies may leave some member none, and then says nothing.
        known = [column[np.isfinite(column)] for column in means.T]
        return np.array([column.std(ddof=1) if len(column) > 1 else np.nan for column in known])


@dataclass(frozen=True, eq=False)
class Judged:
    """A recipe judged on a sample: what `judge` gives, for `summarize` and `summarize_differences`."""

    sample: Sample
    estimates: Estimates
    places: tuple[JudgedPlace, ...]


def judge(
    sample: Sample, estimates: Estimates, *, bins: Sequence[Bin] = (), resamples: int = 0, seed: int = 0
) -> Judged:
    """Take every metric of every member in every redshift range and bin, and on resampled galaxies.

    Parameters
    ----------
    sample
        Galaxies with labels, shape (galaxy,).
    estimates
        Point estimates of the same galaxies, without NaN.
    bins
        Bins to judge apart, beside the redshift ranges.
    resamples, seed
        Bootstrap resamples in the ranges (a quarter as many in bins), and their seed.

    Raises
    ------
    ValueError
        The estimates are of other galaxies, or some are NaN.

    Examples
    --------
    >>> sample = Sample("spec", "test", z_ref=np.array([0.5, 1.0]), mag_ref=np.array([21.0, 22.0]))
    >>> judged = judge(sample, Estimates(np.array([[0.5, 1.0], [0.53, 1.04]])))
    >>> [j.place.z_range for j in judged.places], judged.places[1].members[:, 0].round(3)
    (['0.3-1.5', 'all', 'lsst'], array([0.  , 0.02]))
    """
    if estimates.z_phot_members.shape[1:] != sample.z_ref.shape:
        raise ValueError(f"estimates of {estimates.z_phot_members.shape[1:]} galaxies, labels of {sample.z_ref.shape}")
    if not estimates.given.all():
        raise ValueError(f"{int((~estimates.given).sum())} galaxies have no estimate; leave them out first")
    found = [_judge_at(p, sample, estimates, resamples, [seed, k]) for k, p in enumerate(places(bins))]
    return Judged(sample, estimates, tuple(found))


def _judge_at(place: Place, sample: Sample, estimates: Estimates, resamples: int, seed: list[int]) -> JudgedPlace:
    in_ensemble = place.holds(sample, estimates.of_ensemble)
    if place.same_for_all:
        inside = np.ones((1, int(in_ensemble.sum())), bool)
        rows = np.flatnonzero(in_ensemble)
    else:
        of_each = np.array([place.holds(sample, z) for z in estimates.z_phot_members])
        rows = np.flatnonzero(of_each.any(axis=0))
        inside = of_each[:, rows]
    z_ref = sample.z_ref[rows]
    of_members = Residuals.of(estimates.z_phot_members[:, rows], z_ref, inside)
    of_ensemble = Residuals.of(estimates.of_ensemble[in_ensemble], sample.z_ref[in_ensemble])
    squares, square = None, None
    if estimates.z_rms is not None and estimates.z_rms_members is not None:
        squares = Residuals.of(estimates.z_rms_members[:, rows], z_ref, inside)
        square = Residuals.of(estimates.z_rms[in_ensemble], sample.z_ref[in_ensemble])
    times = place.resamples(resamples) if rows.size else 0
    return JudgedPlace(
        place,
        int(in_ensemble.sum()),
        of_each_member(of_members, squares),
        metrics_along(of_ensemble, square),
        resampled(of_members, times, np.random.default_rng(seed), squares),
    )


def metrics_along(residuals: Residuals, of_square: Residuals | None = None) -> Floats:
    """Every metric of point estimates, shape (..., metric).

    Parameters
    ----------
    residuals, of_square
        Residuals of shape (..., galaxy), and those that metrics of squared residuals are of, where these differ.
    """
    taken = {True: of_square or residuals, False: residuals}
    found = [metric.along(taken[METRICS[name].of_square]) for name, metric in point_metrics().items()]
    return np.stack(found, axis=-1)


def of_each_member(residuals: Residuals, of_square: Residuals | None = None) -> Floats:
    """Every metric, shape (member, metric), from residuals (member, galaxy): some members at a time, on every core."""
    members, galaxies = residuals.dz.shape
    some = max(1, ROWS // max(galaxies, 1))
    parts = [slice(first, first + some) for first in range(0, members, some)]
    with ThreadPoolExecutor(cores()) as pool:
        found = pool.map(
            lambda part: metrics_along(residuals.members(part), None if of_square is None else of_square.members(part)),
            parts,
        )
        return np.concatenate([np.empty((0, len(point_metrics()))), *found])


def resampled(residuals: Residuals, times: int, rng: np.random.Generator, of_square: Residuals | None = None) -> Floats:
    """Every metric on resamples of the galaxies, shape (resample, member, metric), from residuals (member, galaxy).

    Some members at a time are worked on by every core.
    """
    members, galaxies = residuals.dz.shape
    found = np.empty((times, members, len(point_metrics())))
    if not found.size:
        return found
    draws = Draws.of(galaxies, times, rng)
    some = max(1, BLOCK // draws.counts.size)

    def take(first: int) -> None:
        part = slice(first, first + some)
        squares = None if of_square is None else of_square.members(part)
        found[:, part] = _on_draws(residuals.members(part), draws, squares)

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(take, range(0, members, some)))
    return found


def _on_draws(residuals: Residuals, draws: Draws, of_square: Residuals | None) -> Floats:
    """Every metric of some members on resamples, shape (resample, member, metric)."""
    rows = {True: of_square or residuals, False: residuals}
    counted = {square: Counted(of, draws) for square, of in rows.items()}
    found = []
    for name, metric in point_metrics().items():
        square = METRICS[name].of_square
        found.append(metric.along(counted[square]) if metric.of_statistics else _by_rows(metric, rows[square], draws))
    return np.swapaxes(np.stack(found, axis=-1), 0, 1)


def _by_rows(metric: PointMetric, residuals: Residuals, draws: Draws) -> Floats:
    """A metric of some members on the rows that resamples hold, shape (member, resample)."""
    times, block = len(draws.counts), max(1, ROWS // residuals.dz.size)
    parts = (slice(start, start + block) for start in range(0, times, block))
    return np.concatenate([metric.along(residuals.drawn(draws.rows(part))) for part in parts], axis=-1)
