"""Is one recipe better than another?  Paired differences of every point metric, as flat records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.metrics.bootstrap import Bootstrap, difference_of, ratio_of
from mixz.metrics.metric import point_metrics

if TYPE_CHECKING:
    from mixz.arrays import Floats
    from mixz.metrics.judged import Judged, JudgedPlace
    from mixz.metrics.summary import Record

DIFFERENCE_FIELDS = ("difference", "error", "low", "high", "p_value", "ratio", "ratio_low", "ratio_high")
"""Numbers of a record of two recipes."""


def summarize_differences(recipes: tuple[str, str], first: Judged, second: Judged, *, seed: int) -> list[Record]:
    """Compare two recipes on the same galaxies: |metric| of the first minus |metric| of the second.

    Means over members are compared; resamples draw galaxies (the same for both) and members (of each recipe apart).
    Places that hold different galaxies for either recipe (LSST's range, bins of z_phot) are left out, and so are
    places without galaxies or resamples.

    Parameters
    ----------
    recipes
        Names of the first and second.
    first, second
        What `mixz.metrics.judge` found on the same sample, with the same bins, resamples and seed.
    seed
        Of drawing members.

    Returns
    -------
    list of dict
        Records {recipe, against, truth, sample, z_range, bin, bin_low, bin_high, metric, estimate, difference, error,
        low, high, p_value, ratio, ratio_low, ratio_high, n}: negative where the first is better; low and high bound
        the central 95 % interval; the p-value is two-sided, see `paired_difference`; estimate is the first's.  ratio
        is |mean over members| of the first over that of the second, with its interval (`ratio_of`).

    Raises
    ------
    ValueError
        They were judged on different galaxies, or resampled differently.

    Examples
    --------
    >>> from mixz.metrics import Estimates, Sample, judge
    >>> rng, z = np.random.default_rng(1), np.linspace(0.4, 1.4, 200)
    >>> error = 0.05 * rng.standard_normal(200)
    >>> sample = Sample("spec", "test", z_ref=z, mag_ref=np.full(200, 22.0))
    >>> fused, tl = (judge(sample, Estimates((z + k * error)[None]), resamples=100) for k in (1, 2))
    >>> found = summarize_differences(("fused", "tl"), fused, tl, seed=2)
    >>> [(r["difference"] < 0, r["p_value"] < 0.02) for r in found if r["metric"] == "sigma_mad"]
    [(True, True), (True, True)]
    """
    if not np.array_equal(first.sample.z_ref, second.sample.z_ref):
        raise ValueError(f"{recipes[0]} and {recipes[1]} were judged on different galaxies")
    named = {"recipe": recipes[0], "against": recipes[1], "truth": first.sample.truth, "sample": first.sample.sample}
    found = []
    for k, (a, b) in enumerate(zip(first.places, second.places, strict=True)):
        if not a.place.same_for_all:
            continue  # by their own estimates, which may put some galaxies there or none
        if a.resampled.shape[0] != b.resampled.shape[0] or a.place != b.place:
            raise ValueError(f"{recipes[0]} and {recipes[1]} were resampled differently")
        if len(a.resampled) < 2:
            continue
        apart = difference_of(_sizes(a, [seed, k, 1]), _sizes(b, [seed, k, 2]))
        times = ratio_of(_means(a, [seed, k, 1]), _means(b, [seed, k, 2]))
        columns = (apart.value, apart.error, *apart.interval, apart.p_value, times.value, *times.interval)
        for metric, *row in zip(point_metrics(), *columns, strict=True):
            values = dict(zip(DIFFERENCE_FIELDS, map(float, row), strict=True))
            kind = {"metric": metric, "estimate": first.estimates.name_of(metric)}
            found.append(named | a.place.fields() | kind | values | {"n": a.n})
    return found


def _sizes(judged: JudgedPlace, seed: list[int]) -> Bootstrap:
    """The mean of |metric| over members, shape (metric,), with members drawn anew in every resample."""
    return _over_members(np.abs(judged.members), np.abs(judged.resampled), seed)


def _means(judged: JudgedPlace, seed: list[int]) -> Bootstrap:
    """The mean of the metric itself, as tables show it."""
    return _over_members(judged.members, judged.resampled, seed)


def _over_members(each: Floats, resampled: Floats, seed: list[int]) -> Bootstrap:
    times, members = resampled.shape[:2]
    drawn = np.random.default_rng(seed).integers(0, members, (times, members, 1))
    return Bootstrap(each.mean(axis=0), np.take_along_axis(resampled, drawn, axis=1).mean(axis=1))
