"""Metrics of densities against closed forms, brute force and other libraries; honest pdfs look honest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mixz import metrics

GRID = np.linspace(0, 3, 601)


def gaussian(mean: np.ndarray, sigma: float, grid: np.ndarray = GRID) -> np.ndarray:
    return np.asarray(stats.norm.pdf(grid, np.asarray(mean)[:, None], sigma))


def rough(galaxies: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Normalised pdfs, zero in places, on an uneven grid."""
    rng = np.random.default_rng(seed)
    grid = np.sort(rng.uniform(0, 2, 12))
    pdf = rng.uniform(0, 1, (galaxies, 12)) * (rng.random((galaxies, 12)) < 0.8) + 1e-3
    return pdf / np.trapezoid(pdf, grid, axis=1)[:, None], grid


def finely(pdf: np.ndarray, grid: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.array([np.interp(z, grid, p, left=0, right=0) for p in pdf])


@given(seed=st.integers(0, 10_000), z_ref=st.floats(-0.5, 2.5))
@settings(max_examples=10, deadline=None)
def test_integrals_are_exact_for_linear_pdfs(seed: int, z_ref: float) -> None:
    pdf, grid = rough(3, seed)
    z = np.linspace(-1, 3, 20_001)
    p, step, ref = finely(pdf, grid, z), z[1] - z[0], np.full(3, z_ref)
    cdf = np.cumsum(p, axis=1) * step
    place = {"z_grid": grid, "z_ref": ref}
    assert metrics.pit(pdf, **place) == pytest.approx(cdf[:, np.searchsorted(z, z_ref)], abs=2e-3)
    assert metrics.crps(pdf, **place) == pytest.approx(((cdf - (z >= z_ref)) ** 2).sum(axis=1) * step, abs=2e-3)
    at = finely(pdf, grid, np.array([z_ref]))
    assert metrics.cde_loss(pdf, **place) == pytest.approx((p**2).sum(axis=1) * step - 2 * at[:, 0], abs=1e-2)
    assert metrics.credibility(pdf, **place) == pytest.approx((p * (p >= at)).sum(axis=1) * step, abs=1e-2)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_quantiles_undo_the_pit(seed: int) -> None:
    pdf, grid = rough(4, seed)
    levels = np.array([0.0, 0.05, 0.16, 0.5, 0.84, 0.99, 1.0])
    z = metrics.quantiles(pdf, z_grid=grid, levels=levels)
    assert (np.diff(z, axis=1) >= 0).all()
    for k, level in enumerate(levels):
        assert metrics.pit(pdf, z_grid=grid, z_ref=z[:, k]) == pytest.approx(np.full(4, level), abs=1e-9)


def test_a_gaussians_closed_forms() -> None:
    sigma, ref = 0.1, np.array([1.5, 1.6, 1.2])
    pdf, place = gaussian(np.full(3, 1.5), sigma), {"z_grid": GRID, "z_ref": ref}
    u = (ref - 1.5) / sigma
    # Gneiting & Raftery 2007, eq. 21
    crps = sigma * (u * (2 * stats.norm.cdf(u) - 1) + 2 * stats.norm.pdf(u) - 1 / np.sqrt(np.pi))
    assert metrics.crps(pdf, **place) == pytest.approx(crps, abs=1e-4)
    square = 1 / (2 * np.sqrt(np.pi) * sigma)
    assert metrics.cde_loss(pdf, **place) == pytest.approx(square - 2 * stats.norm.pdf(u) / sigma, abs=1e-2)
    assert metrics.log_score(pdf, **place) == pytest.approx(-stats.norm.logpdf(u) + np.log(sigma), abs=1e-3)
    assert metrics.pit(pdf, **place) == pytest.approx(stats.norm.cdf(u), abs=1e-3)
    assert metrics.credibility(pdf, **place) == pytest.approx(2 * stats.norm.cdf(np.abs(u)) - 1, abs=2e-3)


def test_a_narrow_pdfs_crps_is_its_distance() -> None:
    grid = np.linspace(0, 2, 20_001)
    pdf = gaussian(np.array([1.0]), 0.001, grid)
    for z_ref, distance in ((0.5, 0.5), (1.7, 0.7), (3.0, 2.0), (-1.0, 2.0)):
        assert metrics.crps(pdf, z_grid=grid, z_ref=[z_ref])[0] == pytest.approx(distance, abs=1e-3)


def test_off_the_grid() -> None:
    pdf, place = gaussian(np.full(2, 1.5), 0.1), {"z_grid": GRID, "z_ref": np.array([-1.0, 5.0])}
    assert metrics.pit(pdf, **place) == pytest.approx([0, 1])
    assert metrics.density_at(pdf, **place).tolist() == [0, 0]
    assert metrics.log_score(pdf, **place) == pytest.approx(-np.log([1e-6, 1e-6]))
    assert metrics.credibility(pdf, **place) == pytest.approx([1, 1])


def test_pit_statistics_agree_with_scipy() -> None:
    u = np.random.default_rng(1).beta(1.2, 1, 300)
    assert metrics.pit_ks(u) == pytest.approx(stats.kstest(u, "uniform").statistic)
    assert metrics.pit_cvm(u) == pytest.approx(stats.cramervonmises(u, "uniform").statistic)
    # Anderson & Darling from the definition: n int (F_n - u)^2 / (u (1 - u)) du
    x = np.linspace(0, 1, 500_002)[1:-1]
    f = np.searchsorted(np.sort(u), x, side="right") / 300
    assert metrics.pit_ad(u) == pytest.approx(300 * np.mean((f - x) ** 2 / (x * (1 - x))), rel=1e-3)
    assert all(np.isnan(f([])) for f in (metrics.pit_ks, metrics.pit_cvm, metrics.pit_ad))
    assert np.isfinite(metrics.pit_ad([0.0, 0.5, 1.0]))


def test_agreement_with_qp() -> None:
    qp = pytest.importorskip("qp", reason="qp-prob is not installed")
    from qp.metrics.goodness_of_fit import goodness_of_fit_metrics
    from qp.metrics.pit import PIT

    rng = np.random.default_rng(2)
    z = rng.uniform(0.5, 2.5, 200)
    pdf = gaussian(z + 0.1 * rng.standard_normal(200), 0.1)
    own = metrics.pit(pdf, z_grid=GRID, z_ref=z)
    theirs = PIT(qp.Ensemble(qp.interp, data={"xvals": GRID, "yvals": pdf}), z)
    # qp interpolates the cumulative between grid points, where ours is exact
    assert own == pytest.approx(theirs.pit_samps, abs=2e-3)
    assert metrics.pit_ks(theirs.pit_samps) == pytest.approx(theirs.evaluate_PIT_KS().statistic)
    assert metrics.pit_cvm(theirs.pit_samps) == pytest.approx(theirs.evaluate_PIT_CvM().statistic)
    a_squared = goodness_of_fit_metrics["ad"](stats.uniform, theirs.pit_samps)
    assert metrics.pit_ad(theirs.pit_samps) == pytest.approx(a_squared, rel=1e-6)


def test_honest_pdfs_look_honest_and_others_do_not() -> None:
    rng = np.random.default_rng(3)
    mean = rng.uniform(1, 2, 2500)
    z = mean + 0.1 * rng.standard_normal(2500)
    honest, bold, shy = (metrics.score(gaussian(mean, s), z_grid=GRID, z_ref=z) for s in (0.1, 0.05, 0.2))
    for level in (0.68, 0.90, 0.95):
        assert metrics.coverage(honest.pit, level=level) == pytest.approx(level, abs=0.02)
        assert np.mean(honest.credibility <= level) == pytest.approx(level, abs=0.02)
        assert metrics.coverage(bold.pit, level=level) < level - 0.1
        assert metrics.coverage(shy.pit, level=level) > level + 0.03
    assert metrics.pit_ks(honest.pit) < 0.03 < metrics.pit_ks(bold.pit)
    for each in ("crps", "cde_loss", "log_score"):
        best = getattr(honest, each).mean()
        assert best < min(getattr(bold, each).mean(), getattr(shy, each).mean())


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="same galaxies"):
        metrics.pit(gaussian(np.ones(2), 0.1), z_grid=GRID, z_ref=[1.0])
    with pytest.raises(ValueError, match="z_grid"):
        metrics.crps([[1.0, 1.0]], z_grid=[0.0, 0.5, 1.0], z_ref=[1.0])
    with pytest.raises(ValueError, match="increase"):
        metrics.crps([[1.0, 1.0]], z_grid=[1.0, 0.0], z_ref=[1.0])


def test_no_galaxies_no_numbers() -> None:
    empty = metrics.score(np.empty((0, len(GRID))), z_grid=GRID, z_ref=[])
    assert all(np.isnan(metric(empty)) for metric in metrics.pdf_metrics().values())


def test_scores_do_not_depend_on_chunks() -> None:
    rng = np.random.default_rng(6)
    mean, grid = rng.uniform(1, 2, 4500), np.linspace(0, 3, 31)
    pdf = gaussian(mean, 0.2, grid)
    whole, part = (metrics.score(pdf[:n], z_grid=grid, z_ref=mean[:n] + 0.05) for n in (4500, 10))
    assert whole.rows(np.arange(10)).crps == pytest.approx(part.crps)
