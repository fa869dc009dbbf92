"""Records per bin, of densities and of differences: same fields, nothing renamed, nothing mixed up."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from mixz import metrics
from mixz.metrics import Sample, bins_between, summarize, summarize_differences, summarize_pdf, true_redshifts
from mixz.truths import GaussianKernel

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
    records = summarize("tl", SAMPLE, Z + ERROR, bins=BINS)
    r, bright = pick(records, "i 20-22", "rms"), MAG < 22
    expected = [metrics.rms(z_phot=z[bright], z_ref=Z[bright]) for z in Z + ERROR]
    assert (r["bin"], r["bin_low"], r["bin_high"], r["n"]) == ("i", 20, 22, bright.sum())
    assert r["mean"] == pytest.approx(np.mean(expected))
    together = (Z + ERROR).mean(axis=0)
    assert pick(records, "z_phot 0-1", "bias")["n"] == ((together >= 0) & (together < 1)).sum()


def test_ranges_read_as_before_beside_bins() -> None:
    alone, beside = (summarize("tl", SAMPLE, Z + ERROR, bins=b) for b in ((), BINS))
    assert json.dumps(alone) == json.dumps([r for r in beside if r["bin"] is None])
    assert all(np.isnan(r["bootstrap"]) and np.isnan(r["corrected"]) for r in alone)


def test_bootstrap_errors_join_the_records() -> None:
    records = summarize("tl", SAMPLE, Z + ERROR, bins=BINS, resamples=40, seed=2)
    # rms of 3 nearly independent members of N Gaussians: sigma / sqrt(2 N 3)
    assert pick(records, "all", "rms")["bootstrap"] == pytest.approx(0.04 / np.sqrt(6 * N), rel=0.3)
    few = pick(records, "i 20-22", "rms")
    assert few["bootstrap"] == pytest.approx(0.04 / np.sqrt(6 * few["n"]), rel=0.3)  # type: ignore[operator]
    faint = summarize("tl", SAMPLE, Z + ERROR, bins=bins_between("i", [30, 31]), resamples=5)
    empty = pick(faint, "i 30-31", "rms")
    assert empty["n"] == 0
    assert np.isnan([empty["mean"], empty["bootstrap"]]).all()


def test_corrected_metrics_join_the_records() -> None:
    kernel = GaussianKernel(0.03)
    label = kernel.draw(Z, mag_i=MAG, seed=3)
    z_phot = Z + ERROR[:1]
    drawn = true_redshifts(z_phot=z_phot[0], z_label=label, mag_i=MAG, kernel=kernel, seed=4, draws=2, trials=1)
    records = summarize("tl", Sample("many_band", "test", label, MAG), z_phot, bins=BINS, true=drawn)
    r = pick(records, "all", "sigma_mad")
    assert r["ensemble"] > 0.047  # type: ignore[operator]
    assert r["corrected"] == pytest.approx(0.04, abs=0.005)
    assert pick(records, "i 22-26", "sigma_mad")["corrected"] == pytest.approx(0.04, abs=0.008)
    assert r["corrected_error"] > 0  # type: ignore[operator]


def test_densities_make_the_same_records() -> None:
    kernel = GaussianKernel(0.05)
    noisy = Sample("many_band", "test", kernel.draw(Z, mag_i=MAG, seed=5), MAG)
    common = {"z_grid": GRID, "z_phot": Z + ERROR[0], "bins": BINS, "resamples": 20, "seed": 6}
    clean = summarize_pdf("fused", SAMPLE, PDF, **common)  # type: ignore[arg-type]
    records = summarize_pdf("fused", noisy, PDF, **common, label_density=kernel.density)  # type: ignore[arg-type]
    assert {r["metric"] for r in records} == set(metrics.PDF_METRICS)
    assert all(r.keys() == summarize("tl", SAMPLE, Z + ERROR)[0].keys() for r in records)
    assert not set(metrics.PDF_METRICS) & set(metrics.POINT_METRICS)
    assert pick(clean, "all", "coverage_68")["mean"] == pytest.approx(0.68, abs=0.04)
    r = pick(records, "all", "coverage_68")
    assert r["mean"] < 0.55  # type: ignore[operator]
    assert r["corrected"] == pytest.approx(0.68, abs=0.04)
    assert r["bootstrap"] == pytest.approx(np.sqrt(r["mean"] * (1 - r["mean"]) / N), rel=0.5)  # type: ignore[operator]
    assert np.isnan(pick(records, "all", "crps")["corrected"])  # type: ignore[call-overload]


def test_differences_tell_the_better_recipe() -> None:
    records = summarize_differences(
        ("fused", "tl"), SAMPLE, Z + ERROR, Z + 1.3 * ERROR, bins=BINS, resamples=40, seed=7
    )
    assert {r["z_range"] for r in records} == {"all", "0.3-1.5", "i 20-22", "i 22-26"}
    r = pick(records, "all", "sigma_mad")
    assert (r["recipe"], r["against"], r["n"]) == ("fused", "tl", N)
    assert r["difference"] == pytest.approx(-0.3 * 0.04, rel=0.1)
    assert r["low"] < r["difference"] < r["high"] < 0  # type: ignore[operator]
    assert r["p_value"] == pytest.approx(1 / 41)
    same = summarize_differences(("a", "b"), SAMPLE, Z + ERROR[:1], Z + ERROR[:1], resamples=20, seed=8)
    assert all(r["p_value"] == 1 for r in same)
