"""Metrics against numbers worked by hand and against other libraries; records against their contract."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.stats import biweight_location, mad_std
from scipy import stats

from mixz import metrics
from mixz.metrics import Estimates, Sample, judge
from mixz.metrics.summary import ratios, summarize

# dz by hand: 0, 0.1, -0.1, 0.2, 0.75
Z_REF = np.array([1.0, 1.0, 1.0, 0.5, 1.0])
Z_PHOT = np.array([1.0, 1.2, 0.8, 0.8, 2.5])


@pytest.mark.parametrize(
    ("metric", "by_hand"),
    [
        ("bias", 0.1),
        ("sigma_mad", 1.4826 * 0.1),
        ("sigma_iqr", (0.2 - 0.0) / 1.349),
        ("rms", np.sqrt((0 + 0.01 + 0.01 + 0.04 + 0.5625) / 5)),
        ("outlier_fraction", 2 / 5),
        ("outlier_fraction_3sigma", 1 / 5),  # limit 3 * 0.1483 = 0.445 about 0.1
        ("catastrophic_fraction", 1 / 5),
        ("hsc_loss", np.mean([0, 1 - 1 / (1 + 4 / 9), 1 - 1 / (1 + 4 / 9), 1 - 1 / (1 + 16 / 9), 1 - 1 / 26])),
    ],
)
def test_by_hand(metric: str, by_hand: float) -> None:
    assert metrics.point_metrics()[metric](z_phot=Z_PHOT, z_ref=Z_REF) == pytest.approx(by_hand)


def test_against_other_libraries() -> None:
    rng = np.random.default_rng(0)
    z_ref = rng.uniform(0, 2, 500)
    z_phot = z_ref + rng.standard_t(2, 500) * 0.05 * (1 + z_ref)
    dz = metrics.scaled_residual(z_phot=z_phot, z_ref=z_ref)
    assert metrics.bias_biweight(z_phot=z_phot, z_ref=z_ref) == pytest.approx(biweight_location(dz, c=6))
    assert metrics.sigma_mad(z_phot=z_phot, z_ref=z_ref) == pytest.approx(mad_std(dz), rel=1e-4)
    assert metrics.sigma_iqr(z_phot=z_phot, z_ref=z_ref) == pytest.approx(stats.iqr(dz) / 1.349)


@pytest.mark.parametrize("metric", metrics.point_metrics().values(), ids=list(metrics.point_metrics()))
def test_laws_of_every_metric(metric: metrics.PointMetric) -> None:
    assert metric(z_phot=Z_REF, z_ref=Z_REF) == pytest.approx(0, abs=1e-12), "a perfect estimate has no error"
    assert np.isnan(metric(z_phot=[], z_ref=[])), "no galaxies, no number"
    order = [3, 1, 4, 0, 2]
    assert metric(z_phot=Z_PHOT[order], z_ref=Z_REF[order]) == pytest.approx(metric(z_phot=Z_PHOT, z_ref=Z_REF))


def test_other_galaxies_are_refused() -> None:
    with pytest.raises(ValueError, match="same galaxies"):
        metrics.rms(z_phot=[1.0, 2.0], z_ref=[1.0])


SAMPLE = Sample("spec", "test", z_ref=np.array([0.2, 0.5, 1.0, 2.0]), mag_ref=np.array([20.0, 21.0, 26.0, 24.0]))
MEMBERS = np.array([[0.2, 0.5, 1.0, 2.0], [0.32, 0.65, 1.2, 2.3]])


def record(z_range: str, metric: str) -> dict[str, object]:
    found = [
        r
        for r in summarize("tl", judge(SAMPLE, Estimates(MEMBERS)))
        if (r["z_range"], r["metric"]) == (z_range, metric)
    ]
    assert len(found) == 1
    return found[0]


def test_records_keep_their_contract() -> None:
    fields = {"recipe", "truth", "sample", "z_range", "metric", "mean", "std", "n", "members", "requirement", "passes"}
    for r in summarize("tl", judge(SAMPLE, Estimates(MEMBERS))):
        assert fields <= r.keys()


def test_mean_and_spread_are_over_members() -> None:
    r = record("all", "rms")
    assert r["mean"] == pytest.approx(0.05)
    assert r["std"] == pytest.approx(0.1 / np.sqrt(2))
    assert (r["n"], r["members"]) == (4, 2)
    assert r["ensemble"] == pytest.approx(0.05)


def test_ranges() -> None:
    assert record("0.3-1.5", "bias")["n"] == 2
    # z_phot of the mean: .26 out, .575 in, 1.1 too faint, 2.15 in
    assert record("lsst", "bias")["n"] == 2


def test_requirements_judge_the_mean() -> None:
    r = record("all", "bias")
    assert (r["requirement"], r["passes"]) == (0.003, False)
    assert r["margin"] == pytest.approx(0.003 - 0.05)
    assert record("all", "hsc_loss")["passes"] is None
    assert record("all", "outlier_fraction")["passes"] is True


def test_one_member_has_no_spread_and_an_empty_range_no_verdict() -> None:
    bright = Sample("spec", "test", z_ref=np.array([2.0]), mag_ref=np.array([20.0]))
    by = {(r["z_range"], r["metric"]): r for r in summarize("tl", judge(bright, Estimates(np.array([[2.0]]))))}
    assert np.isnan(by["all", "rms"]["std"])
    assert by["0.3-1.5", "rms"]["n"] == 0
    assert by["0.3-1.5", "rms"]["passes"] is None


def test_ratios_are_of_absolute_means() -> None:
    place = {"truth": "spec", "sample": "test", "z_range": "all", "metric": "bias"}
    records = [place | {"recipe": "base", "mean": 0.02}, place | {"recipe": "tl", "mean": -0.004}]
    assert ratios(records, over="base", under="tl", truth="spec", z_range="all") == {"bias": pytest.approx(5)}
    assert ratios(records, over="base", under="combo", truth="spec", z_range="all") == {}
