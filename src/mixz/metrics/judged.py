"""Every point metric of every member of a recipe, at every place, on resampled galaxies too: all else is read off it.

Errors and differences between recipes share these resamples, so that no metric is taken twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.metrics.places import Place, Sample, places
from mixz.metrics.point import CATASTROPHE_Z, OUTLIER_DZ, POINT_METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.metrics.bins import Bin
    from mixz.metrics.point import Floats

OF_SQUARE = ("rms",)
"""Metrics of squared residuals, which a density's estimate of the least expected dz^2 serves best."""

BLOCK = 500_000
"""Residuals worked on at a time: a few MB, which stay in the processor's cache."""


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
        where the squared error counts, and `z_phot` (then zbest) elsewhere.

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
        """Give the ensemble's estimate of one of the names that `name_of` gives, shape (galaxy,)."""
        return self.z_rms if name == "zrms" and self.z_rms is not None else self.of_ensemble

    def name_of(self, metric: str) -> str:
        """Say which estimate a metric is of: ``zrms`` or ``zbest`` of a density, ``mean`` of point estimates."""
        if self.z_rms is None:
            return "mean"
        return "zrms" if metric in OF_SQUARE else "zbest"

    @property
    def names(self) -> tuple[str, ...]:
        """Every estimate that some metric is of."""
        return tuple(dict.fromkeys(self.name_of(metric) for metric in POINT_METRICS))

    @property
    def given(self) -> NDArray[np.bool_]:
        """Which galaxies have an estimate of every kind by every member, shape (galaxy,)."""
        kinds = (self.z_phot_members, self.z_phot, self.z_rms_members, self.z_rms)
        known = [np.atleast_2d(np.isfinite(z)).all(axis=0) for z in kinds if z is not None]
        return np.asarray(np.all(known, axis=0))

    def rows(self, which: NDArray[Any]) -> Estimates:
        """Give the galaxies that `which` (a mask or indices) selects."""
        kinds = (self.z_phot_members, self.z_phot, self.z_rms_members, self.z_rms)
        return Estimates(*(None if z is None else z[..., which] for z in kinds))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class JudgedPlace:
    """The metrics of a recipe at one place, in the order of `POINT_METRICS`.

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
    inside = np.array([place.holds(sample, z) for z in estimates.z_phot_members])
    rows = np.flatnonzero(inside.any(axis=0))
    z_ref = sample.z_ref[rows]
    members = Residuals.of(estimates.z_phot_members[:, rows], z_ref, inside[:, rows])
    ensemble = Residuals.of(estimates.of_ensemble[None, in_ensemble], sample.z_ref[in_ensemble])
    if estimates.z_rms is not None and estimates.z_rms_members is not None:
        of_squares = Residuals.of(estimates.z_rms_members[:, rows], z_ref, inside[:, rows])
        members = replace(members, dz_of_square=of_squares.dz)
        of_square = Residuals.of(estimates.z_rms[None, in_ensemble], sample.z_ref[in_ensemble])
        ensemble = replace(ensemble, dz_of_square=of_square.dz)
    times = place.resamples(resamples) if rows.size else 0
    return JudgedPlace(
        place,
        int(in_ensemble.sum()),
        members.metrics()[0],
        ensemble.metrics()[0, 0],
        members.resampled(times, np.random.default_rng(seed)),
    )


@dataclass(frozen=True, eq=False)
class Residuals:
    """What the metrics of several sets of redshifts (members, or draws of the truth) of the same galaxies hang on.

    Parameters
    ----------
    dz, catastrophic
        Residuals, and whether they are catastrophic (0 or 1), shape (member, galaxy); NaN where a galaxy is elsewhere.
    dz_of_square
        Residuals that rms is of, where not `dz`.
    """

    dz: Floats
    catastrophic: Floats
    dz_of_square: Floats | None = None

    @classmethod
    def of(cls, z_phot: Floats, z_ref: Floats, inside: NDArray[np.bool_] | bool = True) -> Residuals:
        """Take residuals; the shapes of estimates, redshifts and who is inside are broadcast to (member, galaxy)."""
        off = np.where(inside, z_phot - z_ref, np.nan)
        return cls(off / (1 + z_ref), np.where(np.isnan(off), np.nan, np.abs(off) > CATASTROPHE_Z))

    def resampled(self, times: int, rng: np.random.Generator) -> Floats:
        """Take every metric on resamples of the galaxies, shape (resample, member, metric)."""
        members, galaxies = self.dz.shape
        block = max(1, BLOCK // max(self.dz.size, 1))
        blocks = [min(block, times - start) for start in range(0, times, block)]
        drawn = [self.metrics(rng.integers(0, galaxies, (size, galaxies))) for size in blocks]
        return np.concatenate([np.empty((0, members, len(POINT_METRICS))), *drawn])

    def metrics(self, draws: NDArray[np.intp] | None = None) -> Floats:
        """Take every metric of the galaxies that each row of `draws` names, shape (resample, member, metric).

        Without `draws` of all galaxies, once.
        """
        draws = np.arange(self.dz.shape[1])[None] if draws is None else draws
        found = metrics_of_residuals(self.dz[:, draws])
        found["catastrophic_fraction"] = _mean(self.catastrophic[:, draws])
        if self.dz_of_square is not None:
            found["rms"] = np.sqrt(_mean(np.square(self.dz_of_square[:, draws])))
        return np.array([found[name] for name in POINT_METRICS]).T


def metrics_of_residuals(dz: Floats) -> dict[str, Floats]:
    """Take every metric of `mixz.metrics.point` that hangs on dz alone, along the last axis, leaving NaN out.

    They equal those functions' numbers; a thousand resamples at once are much faster this way.

    Parameters
    ----------
    dz
        Residuals (z_phot - z_ref) / (1 + z_ref), shape (..., galaxy).

    Returns
    -------
    dict
        Per metric an array of shape (...); NaN where no galaxy is left.

    Examples
    --------
    >>> found = metrics_of_residuals(np.array([[0.0, 0.1, 0.2], [0.0, 0.4, np.nan]]))
    >>> found["bias"], found["outlier_fraction"].round(2)
    (array([0.1, 0.2]), array([0.33, 0.5 ]))
    """
    ordered = np.sort(dz, axis=-1)  # NaN last
    n = np.isfinite(dz).sum(axis=-1)
    middle = _quantile(ordered, n, 0.5)
    away = dz - middle[..., None]
    size = np.abs(away)
    mad = _quantile(np.sort(size, axis=-1), n, 0.5)
    sigma_iqr = (_quantile(ordered, n, 0.75) - _quantile(ordered, n, 0.25)) / 1.349
    missing = np.isnan(dz)
    limit = np.maximum(0.06, 3 * sigma_iqr)[..., None]
    return {
        "bias": middle,
        "bias_biweight": _biweight(away, middle, mad),
        "sigma_mad": 1.4826 * mad,
        "sigma_iqr": sigma_iqr,
        "rms": np.sqrt(_mean(np.square(dz))),
        "outlier_fraction": _mean(np.where(missing, np.nan, np.abs(dz) > OUTLIER_DZ)),
        "outlier_fraction_3sigma": _mean(np.where(missing, np.nan, size > limit)),
        "hsc_loss": _mean(1 - 1 / (1 + np.square(dz / OUTLIER_DZ))),
    }


def _quantile(ordered: Floats, n: NDArray[np.intp], level: float) -> Floats:
    """Give the quantile of sorted values of which the first `n` count, as numpy does it; NaN where none counts."""
    if ordered.shape[-1] == 0:
        return np.full(n.shape, np.nan)
    at = level * np.maximum(n - 1, 0)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, np.maximum(n - 1, 0))
    below, above = (np.take_along_axis(ordered, k[..., None], axis=-1)[..., 0] for k in (low, high))
    return np.asarray(below + (at - low) * (above - below))


def _mean(values: Floats) -> Floats:
    """Give the mean along the last axis of what is a number; NaN where nothing is."""
    n = np.isfinite(values).sum(axis=-1)
    return np.asarray(np.divide(np.nansum(values, axis=-1), n, out=np.full(n.shape, np.nan), where=n > 0))


def _biweight(away: Floats, middle: Floats, mad: Floats) -> Floats:
    """Give Tukey's biweight location; the median where there is no scatter."""
    scale = np.where(mad > 0, mad, 1)[..., None]
    u2 = np.square(away / (6 * scale))
    weight = np.square(np.maximum(1 - u2, 0))  # NaN stays
    total = np.nansum(weight, axis=-1)
    shift = np.divide(np.nansum(weight * away, axis=-1), total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(middle + np.where(mad > 0, shift, 0))
