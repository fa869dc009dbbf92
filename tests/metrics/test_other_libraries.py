"""Metrics equal those of qp, RAIL and scipy where definitions agree, on a hundred samples that chance makes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mixz import metrics
from mixz.densities.grid import Grid

EXACT = 1e-9
"""How far equal definitions may be apart, relative to their values: they add up in another order."""

Sample = tuple[np.ndarray, np.ndarray]


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Estimates and references of any number of galaxies: with tails, ties, and a shift."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    galaxies = draw(st.integers(1, 300))
    z_ref = rng.uniform(0, 4, galaxies)
    width, shift = draw(st.sampled_from([0.0, 1e-4, 0.02, 0.3])), draw(st.floats(-0.2, 0.2))
    z_phot = z_ref + (shift + width * rng.standard_t(draw(st.sampled_from([1.5, 4, 50])), galaxies)) * (1 + z_ref)
    return np.round(z_phot, draw(st.sampled_from([2, 12]))), z_ref


@given(samples())
@settings(max_examples=100, deadline=None)
def test_point_metrics_are_scipys(sample: Sample) -> None:
    z_phot, z_ref = sample
    dz = (z_phot - z_ref) / (1 + z_ref)
    theirs = {
        "bias": np.median(dz),
        "sigma_mad": 1.4826 * stats.median_abs_deviation(dz),
        "sigma_iqr": stats.iqr(dz) / 1.349,
        "rms": np.sqrt(stats.moment(dz, 2, center=0)),
        "outlier_fraction": 1 - stats.percentileofscore(np.abs(dz), 0.15, kind="weak") / 100,
        "catastrophic_fraction": 1 - stats.percentileofscore(np.abs(z_phot - z_ref), 1.0, kind="weak") / 100,
    }
    ours = {name: metrics.point_metrics()[name](z_phot=z_phot, z_ref=z_ref) for name in theirs}
    assert ours == pytest.approx(theirs, rel=EXACT, abs=1e-12)


@given(samples())
@settings(max_examples=100, deadline=None)
def test_point_metrics_are_those_that_rail_takes_from_qp(sample: Sample) -> None:
    theirs = pytest.importorskip("qp.metrics.point_estimate_metric_classes", reason="needs mixz[rail]")
    z_phot, z_ref = sample
    pairs = {"bias": theirs.PointBias, "sigma_iqr": theirs.PointSigmaIQR, "sigma_mad": theirs.PointSigmaMAD}
    for name, metric in pairs.items():
        ours = metrics.point_metrics()[name](z_phot=z_phot, z_ref=z_ref)
        # RAIL writes the factor of the MAD with two digits more than we do.
        assert ours == pytest.approx(float(metric().evaluate(z_phot, z_ref)), rel=1e-4, abs=1e-12), name


def densities(seed: int, galaxies: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rough densities on a fine grid, the grid, and references on its inner nodes."""
    rng = np.random.default_rng(seed)
    grid = np.linspace(0, 3, 301)
    centre, width = rng.uniform(0.2, 2.8, (2, galaxies, 1)), rng.uniform(0.03, 0.4, (2, galaxies, 1))
    pdf = stats.norm.pdf(grid, centre[0], width[0]) + rng.uniform(0, 1) * stats.norm.pdf(grid, centre[1], width[1])
    return pdf / np.trapezoid(pdf, grid)[:, None], grid, rng.choice(grid[1:-1], galaxies)


@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
@settings(max_examples=100, deadline=None)
def test_the_cde_loss_is_rails(seed: int, galaxies: int) -> None:
    """RAIL looks densities up at the nearest node and integrates their squares by trapezoids."""
    qp: Any = pytest.importorskip("qp", reason="needs mixz[rail]")
    rail: Any = pytest.importorskip("rail.evaluation.metrics.cdeloss", reason="needs mixz[rail]")
    pdf, grid, z = densities(seed, galaxies)
    theirs = rail.CDELoss(qp.Ensemble(qp.interp, data={"xvals": grid, "yvals": pdf}), grid, z).evaluate().statistic
    ours = metrics.cde_loss(pdf, z_grid=grid, z_ref=z).mean()
    # Between nodes the square of a straight line lies below the trapezoid by (difference of its ends)^2 / 6 a step.
    below = (np.square(np.diff(pdf, axis=1)) @ np.diff(grid)).mean() / 6
    assert ours + below == pytest.approx(theirs, rel=1e-6, abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
@settings(max_examples=100, deadline=None)
def test_pit_is_qps(seed: int, galaxies: int) -> None:
    """On nodes, between which qp draws a straight cumulative and we the parabola of a straight density."""
    qp: Any = pytest.importorskip("qp", reason="needs mixz[rail]")
    pdf, grid, z = densities(seed, galaxies)
    theirs = qp.Ensemble(qp.interp, data={"xvals": grid, "yvals": pdf}).cdf(z[:, None])[:, 0]
    assert metrics.pit(pdf, z_grid=grid, z_ref=z) == pytest.approx(theirs, abs=1e-6)


@given(st.lists(st.floats(1e-5, 1 - 1e-5), min_size=2, max_size=200))
@settings(max_examples=100, deadline=None)
def test_statistics_of_pit_are_scipys(pit: list[float]) -> None:
    assert metrics.pit_ks(pit) == pytest.approx(stats.ks_1samp(pit, stats.uniform.cdf).statistic, rel=EXACT)
    assert metrics.pit_cvm(pit) == pytest.approx(stats.cramervonmises(pit, "uniform").statistic, rel=EXACT)
    theirs = stats.goodness_of_fit(
        stats.uniform, pit, known_params={"loc": 0, "scale": 1}, statistic="ad", n_mc_samples=1, rng=1
    )
    assert metrics.pit_ad(pit) == pytest.approx(float(theirs.statistic), rel=1e-6)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_integrals_are_scipys(seed: int) -> None:
    """Of one density: its CRPS by the energy distance of scipy, its moments and quantiles by a histogram's."""
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.uniform(0, 3, 9))
    heights = rng.uniform(0.1, 1, 8)
    flat = stats.rv_histogram((heights / (heights * np.diff(edges)).sum(), edges), density=True)
    grid = np.sort(np.concatenate([edges[:-1] + 1e-9, edges[1:] - 1e-9]))
    pdf = flat.pdf(grid)[None]
    pdf /= np.trapezoid(pdf, grid)
    z, level = rng.uniform(-0.2, 3.2), rng.uniform(0.01, 0.99)
    assert metrics.pit(pdf, z_grid=grid, z_ref=[z])[0] == pytest.approx(flat.cdf(z), abs=1e-6)
    assert metrics.quantiles(pdf, z_grid=grid, levels=[level])[0, 0] == pytest.approx(flat.ppf(level), abs=1e-6)
    assert Grid(grid).mass(pdf).sum() == pytest.approx(1)
    inner = np.unique(np.concatenate([edges, [z]]))
    steps = [stats_square(flat, low, high, z) for low, high in pairwise(inner)]
    assert metrics.crps(pdf, z_grid=grid, z_ref=[z])[0] == pytest.approx(sum(steps), abs=1e-6)


def stats_square(flat: Any, low: float, high: float, z: float) -> float:
    """The integral of (F - [at least z])^2 over a range in which F is straight: Simpson's rule is exact."""
    points = np.array([low, (low + high) / 2, high])
    square = np.square(flat.cdf(points) - (points[1] >= z))
    return float((high - low) * (square @ [1, 4, 1]) / 6)
