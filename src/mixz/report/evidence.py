"""The numbers behind the plots, for interactive and static figures alike: counts, trends, PIT, coverage, n(z)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from mixz.densities.estimates import OUTLIER_DZ
from mixz.densities.grid import Grid
from mixz.metrics.pdf import pit
from mixz.metrics.point import scaled_residual

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from mixz.arrays import Floats
    from mixz.report.run import ReportEntry

LEVELS = tuple(round(0.05 * k, 2) for k in range(1, 20))
"""Probabilities at which coverage is shown."""

TREND_BINS = 14
LEAST_IN_BIN = 8
"""Fewer galaxies than this in a bin say nothing about a median."""


@dataclass(frozen=True, eq=False)
class Compared:
    """Estimates beside the labels they are judged by, for galaxies that have both; arrays of shape (galaxy,)."""

    z_ref: Floats
    z_phot: Floats
    mag_ref: Floats

    @property
    def dz(self) -> Floats:
        """(z_phot - z_ref) / (1 + z_ref)."""
        return scaled_residual(z_phot=self.z_phot, z_ref=self.z_ref)


def compared(entry: ReportEntry, truth: str) -> Compared:
    """Put a recipe's estimates beside a truth's labels of the test galaxies."""
    test = entry.run.test
    z_phot = entry.photoz.z_phot
    if truth not in test.truths:
        return Compared(np.empty(0), np.empty(0), np.empty(0))
    rows = test.has(truth) & np.isfinite(z_phot)
    return Compared(test.z[truth][rows], z_phot[rows], entry.run.mag_ref(test)[rows])


@dataclass(frozen=True, eq=False)
class Trend:
    """How residuals run with a quantity: per bin its middle, the galaxies, percentiles of dz, and the outliers."""

    at: Floats
    n: Floats
    median: Floats
    p16: Floats
    p84: Floats
    outliers: Floats


def trend(dz: ArrayLike, at: ArrayLike, *, bins: int = TREND_BINS) -> Trend:
    """The run of dz with a quantity in bins of equal width between its 0.5 and 99.5 percentiles.

    Bins of fewer than 8 galaxies are left out.

    Examples
    --------
    >>> found = trend([0.0, 0.1, 0.2] * 10, [1.0] * 15 + [2.0] * 15, bins=2)
    >>> found.n.tolist(), found.median.tolist()
    ([15, 15], [0.1, 0.1])
    """
    both = np.array([np.asarray(dz, float), np.asarray(at, float)])
    residual, where = both[:, np.isfinite(both).all(axis=0)]
    if not residual.size:
        return Trend(*(np.empty(0) for _ in range(6)))
    low, high = np.percentile(where, [0.5, 99.5])
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    of_bin = np.searchsorted(edges, where, side="right") - 1
    of_bin[where == edges[-1]] = bins - 1
    rows = []
    for k in range(bins):
        inside = residual[of_bin == k]
        if inside.size >= min(LEAST_IN_BIN, residual.size):
            p16, median, p84 = np.percentile(inside, [16, 50, 84])
            outliers = np.mean(np.abs(inside) > OUTLIER_DZ)
            rows.append(((edges[k] + edges[k + 1]) / 2, inside.size, median, p16, p84, outliers))
    columns = np.array(rows).reshape(-1, 6).T
    return Trend(columns[0], columns[1].astype(int), *columns[2:])


@dataclass(frozen=True, eq=False)
class Cells:
    """A histogram in two dimensions: lower corners and counts of the cells that are not empty, and their size."""

    x: Floats
    y: Floats
    n: Floats
    step: float


def density_cells(*, z_ref: ArrayLike, z_phot: ArrayLike, top: float, bins: int = 48) -> Cells:
    """Count galaxies in square cells of predicted against reference redshift; estimates beyond `top` count at the edge.

    Examples
    --------
    >>> cells = density_cells(z_ref=[0.1, 0.1, 0.9], z_phot=[0.1, 0.1, 5.0], top=1.0, bins=2)
    >>> cells.x.tolist(), cells.y.tolist(), cells.n.tolist()
    ([0.0, 0.5], [0.0, 0.5], [2, 1])
    """
    edges = np.linspace(0, top, bins + 1)
    below = np.nextafter(top, 0)
    counts, _, _ = np.histogram2d(np.asarray(z_ref, float), np.clip(z_phot, 0, below), bins=[edges, edges])
    i, j = np.nonzero(counts)
    return Cells(edges[i], edges[j], counts[i, j].astype(int), top / bins)


def upper_redshift(z_ref: ArrayLike) -> float:
    """Where a redshift axis should end: a little beyond all but the highest labels.

    Examples
    --------
    >>> upper_redshift([1.0] * 100)
    1.15
    """
    z = np.asarray(z_ref, float)
    z = z[np.isfinite(z)]
    return max(float(np.percentile(z, 99.5)) * 1.15, 0.1) if z.size else 1.0


def pit_values(entry: ReportEntry, truth: str) -> Floats | None:
    """The PIT of every test galaxy with a label; None where the recipe gives no probabilities.

    Densities are smeared by the labels' errors first, so that an honest one looks honest.
    Where members give a redshift and its error instead (Bayesian networks), it is that of their Gaussian mixture.
    """
    photoz, test = entry.photoz, entry.run.test
    if (photoz.pdf is None and photoz.z_sigma_members is None) or truth not in test.truths:
        return None
    rows = np.flatnonzero(test.has(truth) & np.isfinite(photoz.z_phot))
    if not rows.size:
        return np.empty(0)
    z_ref = test.z[truth][rows]
    if photoz.pdf is None or photoz.z_grid is None:
        sigma = photoz.z_sigma_members
        return np.asarray(ndtr((z_ref - photoz.z_phot_members[:, rows]) / sigma[:, rows]).mean(axis=0))  # type: ignore[index]
    grid = Grid(photoz.z_grid)
    of_label = grid.density(entry.run.labels(truth, rows).smeared(grid.mass(photoz.pdf[rows]), grid))
    return np.asarray(pit(of_label, z_grid=photoz.z_grid, z_ref=z_ref))


def coverage_curve(values: ArrayLike) -> Floats:
    """The share of galaxies inside the central interval of each of `LEVELS`, from their PIT.

    Examples
    --------
    >>> coverage_curve(np.linspace(0.0005, 0.9995, 1000))[[0, 9]].round(3)
    array([0.05, 0.5 ])
    """
    u = np.abs(np.asarray(values, float) - 0.5)
    return np.array([np.mean(u <= level / 2) if u.size else np.nan for level in LEVELS])


def redshift_counts(entry: ReportEntry, truth: str, edges: ArrayLike) -> Floats:
    """A recipe's n(z) of the test galaxies of a truth, per bin: the sum of densities, or z_phot counted."""
    photoz, test, bins = entry.photoz, entry.run.test, np.asarray(edges, float)
    rows = test.has(truth) & np.isfinite(photoz.z_phot)
    if photoz.pdf is None or photoz.z_grid is None:
        return np.histogram(photoz.z_phot[rows], bins)[0].astype(float)
    grid = Grid(photoz.z_grid)
    return grid.counts(grid.mass(photoz.pdf[rows]), bins)


def step_histogram(values: ArrayLike, edges: ArrayLike) -> Floats:
    """The share of galaxies in each bin.

    Examples
    --------
    >>> step_histogram([0.1, 0.2, 0.7, np.nan], [0, 0.5, 1]).round(2)
    array([0.67, 0.33])
    """
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    return np.asarray(np.histogram(known, np.asarray(edges, float))[0] / max(known.size, 1))


def shared_edges(samples: Sequence[Any], bins: int = 40) -> Floats:
    """The edges of a histogram that shows all samples but their most extreme values.

    Examples
    --------
    >>> shared_edges([[0.0, 1.0], [2.0]], bins=2).round(1)
    array([0., 1., 2.])
    """
    values = np.concatenate([np.asarray(sample, float) for sample in samples]) if len(samples) else np.empty(0)
    values = values[np.isfinite(values)]
    if not values.size:
        return np.linspace(0, 1, bins + 1)
    low, high = np.percentile(values, [0.2, 99.8])
    return np.linspace(low, high if high > low else low + 1, bins + 1)
