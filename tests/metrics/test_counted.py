"""Resamples by counting: the numbers that drawing the rows gives, whatever the galaxies, members, ties and gaps."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixz.metrics import (
    METRICS,
    Estimates,
    Metric,
    PointMetric,
    Residuals,
    Sample,
    bins_between,
    judge,
    pdf_metrics,
    resample,
    score,
    summarize,
    summarize_estimates,
    summarize_pdf,
)
from mixz.metrics.counted import Counted, Draws
from mixz.metrics.judged import metrics_along, resampled


def by_rows(residuals: Residuals, times: int, seed: int) -> np.ndarray:
    """The definition: draw rows, and take every metric of what was drawn."""
    galaxies = residuals.dz.shape[-1]
    draws = np.random.default_rng(seed).integers(0, galaxies, (times, galaxies))
    return np.swapaxes(metrics_along(residuals.drawn(draws)), 0, 1)


@settings(max_examples=60, deadline=None)
@given(
    galaxies=st.integers(1, 60) | st.just(700),
    members=st.integers(1, 3),
    step=st.sampled_from([1.0, 0.1, 1e-3, 1e-9]),
    share=st.sampled_from([0.0, 0.2, 0.7, 1.0]),
    many=st.sampled_from([0, 1_000_000]),
    seed=st.integers(0, 2**32),
)
def test_counting_gives_what_drawing_rows_gives(
    galaxies: int, members: int, step: float, share: float, many: int, seed: int
) -> None:
    """With ties (estimates in coarse steps), with galaxies that count for some members only, in blocks and without."""
    rng = np.random.default_rng(seed)
    z_ref = rng.uniform(0, 3, galaxies)
    z_phot = z_ref + np.round(0.1 * (1 + z_ref) * rng.standard_t(2, (members, galaxies)) / step) * step
    residuals = Residuals.of(z_phot, z_ref, rng.random((members, galaxies)) >= share)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mixz.metrics.counted.MANY", many)
        found = resampled(residuals, 12, np.random.default_rng(seed))
    scale = max(float(np.nanmax(np.abs(residuals.dz), initial=0)), 1e-9)
    # A limit of 3 sigma may fall on a galaxy to rounding where estimates are in steps; elsewhere it never does.
    mine = [name != "outlier_fraction_3sigma" or step < 1e-6 for name, m in METRICS.items() if m.of in POINT]
    expected = by_rows(residuals, 12, seed)
    np.testing.assert_allclose(found[..., mine], expected[..., mine], rtol=1e-5, atol=1e-6 * scale)


POINT = [metric.of for metric in METRICS.values() if isinstance(metric.of, PointMetric)]


def test_the_biweight_of_resamples_with_scatters_far_apart() -> None:
    """Of five galaxies, two of them far off: a resample may have a scatter of .002 or of .47."""
    residuals = Residuals.of(1 + np.array([[0.0, 0.98531262, 0.94912602, 0.9418456, 0.0]]), np.ones(5))
    found, expected = resampled(residuals, 40, np.random.default_rng(6)), by_rows(residuals, 40, 6)
    np.testing.assert_allclose(found[..., 1], expected[..., 1], rtol=1e-5, atol=1e-7)


def test_hand_worked_counts() -> None:
    """dz of 0, 0.1, 0.2 and 2, drawn 0, 3, 1 and 1 times: 0.1, 0.1, 0.1, 0.2, 2."""
    residuals = Residuals.of(np.array([[1.0, 1.2, 1.4, 5.0]]), np.ones(4))
    found = Counted(residuals, Draws(np.array([[0, 3, 1, 1]], np.uint8)))
    assert found.n.tolist() == [[5]]
    assert found.median == pytest.approx(np.array([[0.1]]))
    assert found.quantile(0.9) == pytest.approx(np.array([[1.28]]))
    assert found.mad == pytest.approx(np.array([[0.0]]), abs=1e-12)
    assert found.mean(residuals.dz) == pytest.approx(np.array([[0.5]]))
    assert found.share(residuals.dz > 0.15) == pytest.approx(np.array([[0.4]]))
    assert found.beyond(np.array([[0.5]])) == pytest.approx(np.array([[0.2]]))


def test_nothing_drawn_is_no_number() -> None:
    residuals = Residuals.of(np.array([[1.0, 1.2]]), np.ones(2), np.array([[True, False]]))
    found = Counted(residuals, Draws(np.array([[0, 2], [1, 1]], np.uint8)))
    for metric in POINT:
        assert np.isnan(metric.along(found)).tolist() == [[True, False]]


def test_a_metric_that_needs_the_rows_is_given_them(monkeypatch: pytest.MonkeyPatch) -> None:
    worst = PointMetric(lambda residuals: np.nanmax(np.abs(residuals.dz), axis=-1))
    monkeypatch.setitem(METRICS, "worst", Metric("worst", worst, "worst", "The worst.", "max|dz|"))
    rng = np.random.default_rng(1)
    residuals = Residuals.of(1 + 0.1 * rng.standard_normal((3, 50)), np.ones(50))
    monkeypatch.setattr("mixz.metrics.judged.ROWS", 400)
    found, expected = resampled(residuals, 9, np.random.default_rng(4)), by_rows(residuals, 9, 4)
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.sort(found[..., -1], axis=0), np.sort(expected[..., -1], axis=0))


def test_numbers_do_not_depend_on_cores_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    z = rng.uniform(0.2, 2, 400)
    sample = Sample("spec", "test", z, rng.uniform(20, 25, 400))
    estimates = Estimates(z + 0.05 * rng.standard_normal((5, 400)))

    def records() -> list[dict[str, object]]:
        return summarize("x", judge(sample, estimates, bins=bins_between("i", [20, 22, 25]), resamples=30, seed=3))

    at_once = records()
    monkeypatch.setattr("mixz.metrics.judged.cores", lambda: 3)
    assert json.dumps(records()) == json.dumps(at_once)
    monkeypatch.setattr("mixz.metrics.judged.BLOCK", 1)
    monkeypatch.setattr("mixz.metrics.judged.ROWS", 1)
    for one, other in zip(at_once, records(), strict=True):
        assert one["mean"] == pytest.approx(other["mean"], rel=1e-12, nan_ok=True)
        assert one["bootstrap"] == pytest.approx(other["bootstrap"], rel=1e-5, nan_ok=True)


def test_every_estimate_has_the_error_that_judging_it_gives() -> None:
    rng = np.random.default_rng(5)
    z = rng.uniform(0.2, 2, 300)
    sample = Sample("spec", "test", z, np.full(300, 22.0))
    estimates = {name: z + 0.05 * rng.standard_normal(300) for name in ("zmode", "zmean")}
    found = summarize_estimates("fused", sample, estimates, resamples=20, seed=6)
    for name, z_phot in estimates.items():
        judged = summarize("fused", judge(sample, Estimates(z_phot[None]), resamples=20, seed=6))
        expected = {r["metric"]: r["bootstrap"] for r in judged if r["z_range"] == "all"}
        assert {r["metric"]: r["bootstrap"] for r in found if r["estimate"] == name} == pytest.approx(expected)


def test_errors_of_densities_are_those_of_drawn_rows() -> None:
    rng, grid = np.random.default_rng(7), np.linspace(0, 3, 61)
    z = rng.uniform(0.2, 2, 150)
    pdf = np.exp(-0.5 * ((grid - z[:, None] - 0.1 * rng.standard_normal((150, 1))) / 0.1) ** 2) + 1e-3
    pdf /= np.asarray(np.trapezoid(pdf, grid, axis=1))[:, None]
    sample = Sample("spec", "test", z, np.full(150, 22.0))
    records = summarize_pdf("fused", sample, pdf, z_grid=grid, z_phot=z, resamples=15, seed=8)
    scores = score(pdf, z_grid=grid, z_ref=z)
    by_metric = pdf_metrics()
    drawn = resample(
        lambda rows: [metric(scores.rows(rows)) for metric in by_metric.values()], galaxies=150, seed=8, resamples=15
    )
    found = {r["metric"]: r["bootstrap"] for r in records if r["z_range"] == "all"}
    assert found == pytest.approx(dict(zip(by_metric, drawn.error.tolist(), strict=True)))
