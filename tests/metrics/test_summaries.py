"""Records per bin, of densities and of differences: same fields, nothing renamed, nothing mixed up."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from mixz import metrics
from mixz.metrics import (
    Correction,
    Estimates,
    Sample,
    bins_between,
    judge,
    summarize,
    summarize_differences,
    summarize_estimates,
    summarize_pdf,
    true_redshifts,
)
from mixz.metrics.metric import point_metrics
from mixz.metrics.pdf_summary import SMEARED
from mixz.metrics.residuals import Residuals
from mixz.truths import KNOWN_TRUTHS, GaussianKernel, Labels, Truth

RNG = np.random.default_rng(1)
N = 1000
MAG = RNG.uniform(20, 26, N)
Z = RNG.uniform(0.1, 2.0, N)
ERROR = 0.04 * (1 + Z) * RNG.standard_normal((3, N))
SAMPLE = Sample("spec", "test", z_ref=Z, mag_ref=MAG)
BINS = bins_between("i", [20, 22, 26]) + bins_between("z_phot", [0, 1, 3])
GRID = np.linspace(0, 3, 201)
PDF = stats.norm.pdf(GRID, (Z + ERROR[0])[:, None], 0.04 * (1 + Z[:, None]))
PDF /= np.trapezoid(PDF, GRID, axis=1)[:, None]


def pick(records: list[dict[str, object]], z_range: str, metric: str) -> dict[str, object]:
    found = [r for r in records if (r["z_range"], r["metric"]) == (z_range, metric)]
    assert len(found) == 1, "one record per range or bin and metric"
    return found[0]


def test_bins_are_judged_on_their_galaxies_only() -> None:
    records = summarize("tl", judge(SAMPLE, Estimates(Z + ERROR), bins=BINS))
    r, bright = pick(records, "i 20-22", "rms"), MAG < 22
    expected = [metrics.rms(z_phot=z[bright], z_ref=Z[bright]) for z in Z + ERROR]
    assert (r["bin"], r["bin_low"], r["bin_high"], r["n"]) == ("i", 20, 22, bright.sum())
    assert r["mean"] == pytest.approx(np.mean(expected))
    together = (Z + ERROR).mean(axis=0)
    assert pick(records, "z_phot 0-1", "bias")["n"] == ((together >= 0) & (together < 1)).sum()


def test_ranges_read_as_before_beside_bins() -> None:
    alone, beside = (summarize("tl", judge(SAMPLE, Estimates(Z + ERROR), bins=b)) for b in ((), BINS))
    assert json.dumps(alone) == json.dumps([r for r in beside if r["bin"] is None])
    assert all(np.isnan(r["bootstrap"]) and np.isnan(r["corrected"]) for r in alone)


def test_bootstrap_errors_join_the_records() -> None:
    records = summarize("tl", judge(SAMPLE, Estimates(Z + ERROR), bins=BINS, resamples=40, seed=2))
    # rms of 3 nearly independent members of N Gaussians: sigma / sqrt(2 N 3)
    assert pick(records, "all", "rms")["bootstrap"] == pytest.approx(0.04 / np.sqrt(6 * N), rel=0.3)
    few = pick(records, "i 20-22", "rms")
    assert few["bootstrap"] == pytest.approx(0.04 / np.sqrt(6 * few["n"]), rel=0.3)  # type: ignore[operator]
    faint = summarize("tl", judge(SAMPLE, Estimates(Z + ERROR), bins=bins_between("i", [30, 31]), resamples=5))
    empty = pick(faint, "i 30-31", "rms")
    assert empty["n"] == 0
    assert np.isnan([empty["mean"], empty["bootstrap"]]).all()


def test_corrected_metrics_join_the_records() -> None:
    labels = Labels(Truth("many_band", GaussianKernel(0.03)), Z, MAG).draw(Z, seed=3)
    z_phot = Z + ERROR[:1]
    drawn = true_redshifts(labels, z_phot=z_phot[0], seed=4, draws=2, trials=1)
    correction = Correction(np.arange(N), {"mean": drawn})
    judged = judge(Sample("many_band", "test", labels.z, MAG), Estimates(z_phot), bins=BINS, resamples=20)
    records = summarize("tl", judged, correction=correction)
    r = pick(records, "all", "sigma_mad")
    assert r["ensemble"] > 0.047  # type: ignore[operator]
    assert r["corrected"] == pytest.approx(0.04, abs=0.005)
    assert pick(records, "i 22-26", "sigma_mad")["corrected"] == pytest.approx(0.04, abs=0.008)
    assert r["corrected_error"] > 0  # type: ignore[operator]


def test_densities_make_the_same_records() -> None:
    labels = Labels(Truth("many_band", GaussianKernel(0.05)), Z, MAG).draw(Z, seed=5)
    noisy = Sample("many_band", "test", labels.z, MAG)
    common = {"z_grid": GRID, "z_phot": Z + ERROR[0], "bins": BINS, "resamples": 20, "seed": 6}
    clean = summarize_pdf("fused", SAMPLE, PDF, **common)  # type: ignore[arg-type]
    records = summarize_pdf("fused", noisy, PDF, **common, labels=labels)  # type: ignore[arg-type]
    assert {r["metric"] for r in records} == set(metrics.pdf_metrics())
    assert all(r.keys() == summarize("tl", judge(SAMPLE, Estimates(Z + ERROR)))[0].keys() for r in records)
    assert not set(metrics.pdf_metrics()) & set(metrics.point_metrics())
    assert pick(clean, "all", "coverage_68")["mean"] == pytest.approx(0.68, abs=0.04)
    r = pick(records, "all", "coverage_68")
    assert r["mean"] < 0.55  # type: ignore[operator]
    assert r["corrected"] == pytest.approx(0.68, abs=0.04)
    assert r["bootstrap"] == pytest.approx(np.sqrt(r["mean"] * (1 - r["mean"]) / N), rel=0.5)  # type: ignore[operator]
    assert r["corrected_by"] == SMEARED
    for metric in ("crps", "cde_loss", "log_score"):
        found = pick(records, "all", metric)
        # Densities look worse on noisy labels than on exact ones, and smeared ones better than those that are not.
        assert pick(clean, "all", metric)["mean"] < found["corrected"] < found["mean"], metric  # type: ignore[operator]
    exact = Labels(KNOWN_TRUTHS["spec"], Z, MAG)
    again = summarize_pdf("fused", SAMPLE, PDF, **common, labels=exact)  # type: ignore[arg-type]
    assert json.dumps(again) == json.dumps(clean), "exact labels need no correction"
    assert {r["corrected_by"] for r in again} == {None}


def test_differences_tell_the_better_recipe() -> None:
    fused, tl = (judge(SAMPLE, Estimates(Z + k * ERROR), bins=BINS, resamples=160, seed=7) for k in (1.0, 1.3))
    records = summarize_differences(("fused", "tl"), fused, tl, seed=8)
    assert {r["z_range"] for r in records} == {"all", "0.3-1.5", "i 20-22", "i 22-26"}
    r = pick(records, "all", "sigma_mad")
    assert (r["recipe"], r["against"], r["n"]) == ("fused", "tl", N)
    assert r["difference"] == pytest.approx(-0.3 * 0.04, rel=0.1)
    assert r["low"] < r["difference"] < r["high"] < 0  # type: ignore[operator]
    assert r["p_value"] == pytest.approx(1 / 161)
    assert pick(records, "i 20-22", "sigma_mad")["p_value"] == pytest.approx(1 / 41), "a quarter of the resamples"
    assert r["ratio"] == pytest.approx(1 / 1.3, rel=0.02)
    assert 0 < r["ratio_low"] <= r["ratio"] <= r["ratio_high"] < 1  # type: ignore[operator]
    unbiased = pick(records, "all", "bias")
    assert (unbiased["ratio_low"], unbiased["ratio_high"]) == (0, np.inf), "either bias may be zero"
    one = judge(SAMPLE, Estimates(Z + ERROR[:1]), resamples=20)
    assert all(r["p_value"] == 1 for r in summarize_differences(("a", "b"), one, one, seed=8))
    for times in (1, 2):  # two resamples are the fewest that differ
        few = judge(SAMPLE, Estimates(Z + ERROR), resamples=times, seed=7)
        assert bool(summarize_differences(("a", "b"), few, few, seed=8)) == (times == 2)
    other = judge(SAMPLE.rows(np.arange(10)), Estimates(Z[:10] + ERROR[:, :10]), resamples=20)
    with pytest.raises(ValueError, match="different galaxies"):
        summarize_differences(("a", "b"), one, other, seed=8)


def test_recipes_may_differ_in_whom_they_put_where() -> None:
    """Ranges of the estimates themselves hold no galaxy of a recipe that puts all outside: no difference is told."""
    far = np.full((1, N), 9.0)
    pair = [judge(SAMPLE, Estimates(z), bins=BINS, resamples=20) for z in (Z + ERROR[:1], far)]
    assert {r["z_range"] for r in summarize_differences(("a", "far"), *pair, seed=8)} >= {"all", "0.3-1.5"}


def test_densities_are_judged_by_the_estimate_that_suits_the_metric() -> None:
    best, mean = Z + ERROR, Z + 0.5 * ERROR
    judged = judge(SAMPLE, Estimates(best, best[0], mean, mean[1]))
    records = summarize("fused", judged)
    assert {r["metric"]: r["estimate"] for r in records} == {
        m: "zrms" if m == "rms" else "zcore" for m in point_metrics()
    }
    rms, mad = pick(records, "all", "rms"), pick(records, "all", "sigma_mad")
    assert rms["mean"] == pytest.approx(np.mean([metrics.rms(z_phot=z, z_ref=Z) for z in mean]))
    assert mad["mean"] == pytest.approx(np.mean([metrics.sigma_mad(z_phot=z, z_ref=Z) for z in best]))
    assert rms["ensemble"] == pytest.approx(metrics.rms(z_phot=mean[1], z_ref=Z)), "the ensemble's own estimate"
    assert mad["ensemble"] == pytest.approx(metrics.sigma_mad(z_phot=best[0], z_ref=Z))
    assert mad["ensemble"] != pytest.approx(metrics.sigma_mad(z_phot=best.mean(axis=0), z_ref=Z))


def test_every_estimate_of_a_density_has_its_records() -> None:
    records = summarize_estimates("fused", SAMPLE, {"zmode": Z + ERROR[0], "zmean": Z}, resamples=20)
    by = {(r["estimate"], r["metric"]): r for r in records}
    assert len(by) == len(records) == 2 * len(point_metrics())
    assert by["zmean", "rms"]["value"] == 0
    assert by["zmode", "rms"]["value"] == pytest.approx(metrics.rms(z_phot=Z + ERROR[0], z_ref=Z))
    assert by["zmode", "rms"]["bootstrap"] > 0


@pytest.mark.parametrize("galaxies", [0, 1, 2, 7, 200])
@pytest.mark.parametrize("metric", point_metrics())
def test_metrics_of_many_residuals_are_those_of_each(metric: str, galaxies: int) -> None:
    rng = np.random.default_rng(galaxies)
    z_ref, dz = rng.uniform(0, 3, galaxies), 0.2 * rng.standard_t(2, (3, galaxies))
    z_phot = z_ref + dz * (1 + z_ref)
    order = rng.permutation(galaxies + 4)
    padded = np.concatenate([z_phot, np.full((3, 4), 7.0)], axis=1)[:, order]
    counts = np.concatenate([np.ones(galaxies, dtype=bool), np.zeros(4, dtype=bool)])[order]
    found = point_metrics()[metric].along(Residuals.of(padded, np.append(z_ref, np.zeros(4))[order], counts))
    expected = [point_metrics()[metric](z_phot=row, z_ref=z_ref) for row in z_phot]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_the_range_of_lsst_is_each_members_own() -> None:
    z_ref, mag = np.full(4, 0.32), np.array([22.0, 22.0, 22.0, 26.0])
    members = np.array([[0.33, 0.2, 0.34, 0.4], [0.31, 2.0, 0.35, 0.4]])
    records = summarize("tl", judge(Sample("spec", "test", z_ref, mag), Estimates(members), resamples=20))
    r = pick(records, "lsst", "catastrophic_fraction")
    assert (r["mean"], r["n"]) == (pytest.approx((0 + 1 / 3) / 2), 3), "in the mean, 1.1 is inside LSST's range"
    assert r["bootstrap"] > 0  # type: ignore[operator]


def test_estimates_without_numbers_are_left_to_the_caller() -> None:
    members = Z + ERROR
    members[1, 5] = np.nan
    estimates = Estimates(members)
    assert list(np.flatnonzero(~estimates.given)) == [5]
    with pytest.raises(ValueError, match="1 galaxies have no estimate"):
        judge(SAMPLE, estimates)
    kept = judge(SAMPLE.rows(estimates.given), estimates.rows(estimates.given))
    assert pick(summarize("tl", kept), "all", "bias")["n"] == N - 1
