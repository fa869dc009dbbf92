"""Is one recipe better than another?  Paired differences of every point metric, as flat records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.metrics.bootstrap import paired_difference
from mixz.metrics.point import POINT_METRICS
from mixz.metrics.summary import places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.metrics.bins import Bin
    from mixz.metrics.bootstrap import MetricOfRows
    from mixz.metrics.point import Floats
    from mixz.metrics.summary import Record, Sample


def summarize_differences(
    recipes: tuple[str, str],
    sample: Sample,
    first: NDArray[np.floating[Any]],
    second: NDArray[np.floating[Any]],
    *,
    bins: Sequence[Bin] = (),
    resamples: int = 500,
    seed: int,
) -> list[Record]:
    """Compare two recipes on the same galaxies: |metric| of the first minus |metric| of the second.

    Means over members are compared; resamples draw galaxies (the same for both) and members (of each recipe apart).
    Places that hold different galaxies for either recipe (LSST's range, bins of z_phot) are left out.

    Parameters
    ----------
    recipes
        Names of the first and second.
    sample
        Galaxies with labels, shape (galaxy,).
    first, second
        Their point estimates, shape (member, galaxy), without NaN.
    bins
        Bins of i or z_ref, beside the redshift ranges.

    Returns
    -------
    list of dict
        Records {recipe, against, truth, sample, z_range, bin, bin_low, bin_high, metric, difference, error, low, high,
        p_value, n}: negative where the first is better; low and high bound the central 95 % interval; the p-value is
        two-sided, see `paired_difference`.

    Examples
    --------
    >>> from mixz.metrics.summary import Sample
    >>> rng, z = np.random.default_rng(1), np.linspace(0.4, 1.4, 200)
    >>> error = 0.05 * rng.standard_normal(200)
    >>> sample = Sample("spec", "test", z_ref=z, mag_ref=np.full(200, 22.0))
    >>> found = summarize_differences(("fused", "tl"), sample, (z + error)[None], (z + 2 * error)[None],
    ...                               resamples=100, seed=2)
    >>> [(r["difference"] < 0, r["p_value"] < 0.02) for r in found if r["metric"] == "sigma_mad"]
    [(True, True), (True, True)]
    """
    found = []
    for place in places(bins):
        if place.z_range == "lsst" or (place.bin and place.bin.by == "z_phot"):
            continue
        rows = np.flatnonzero(place.holds(sample, sample.z_ref))
        if rows.size == 0:
            continue
        apart = paired_difference(
            _sizes(sample.z_ref[rows], first[:, rows]),
            _sizes(sample.z_ref[rows], second[:, rows]),
            galaxies=rows.size,
            seed=seed,
            resamples=resamples,
            over_members=True,
        )
        named = {"recipe": recipes[0], "against": recipes[1], "truth": sample.truth, "sample": sample.sample}
        numbers = zip(POINT_METRICS, apart.value, apart.error, *apart.interval, apart.p_value, strict=True)
        for metric, *row in numbers:
            values = dict(zip(("difference", "error", "low", "high", "p_value"), map(float, row), strict=True))
            found.append(named | place.fields() | {"metric": metric} | values | {"n": int(rows.size)})
    return found


def _sizes(z_ref: Floats, z_phot_members: Floats) -> MetricOfRows:
    """Give the function from rows to |metric|, shape (member, metric); only biases are ever negative."""

    def sizes(rows: NDArray[np.intp]) -> Floats:
        return np.abs(
            [
                [metric(z_phot=z_phot[rows], z_ref=z_ref[rows]) for metric in POINT_METRICS.values()]
                for z_phot in z_phot_members
            ]
        )

    return sizes
