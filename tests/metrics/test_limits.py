"""Where bins, ranges, limits and intervals begin and end, and which draws are whose."""

from __future__ import annotations

import numpy as np
import pytest

from mixz.metrics import Estimates, Sample, judge, paired_difference, pdf_metrics, resample
from mixz.metrics.bins import PDF_BINS, POINT_BINS, Bin
from mixz.metrics.bootstrap import Bootstrap
from mixz.metrics.challenge import challenge_statistics
from mixz.metrics.differences import summarize_differences
from mixz.metrics.metric import METRICS
from mixz.metrics.scores import PdfScores

HALF = np.array([0.5, 0.5])


def test_bins_are_those_of_the_records() -> None:
    by_i = ["i 18-20", "i 20-21", "i 21-22", "i 22-23", "i 23-24", "i 24-25", "i 25-26"]
    steps = ["0-0.3", "0.3-0.6", "0.6-0.9", "0.9-1.2", "1.2-1.5", "1.5-2", "2-3", "3-4"]
    assert [b.name for b in POINT_BINS] == [*by_i, *(f"z_ref {step}" for step in steps)]
    assert [b.name for b in PDF_BINS] == [*by_i, *(f"z_phot {step}" for step in steps)]


@pytest.mark.parametrize("by", ["i", "z_ref", "z_phot"])
def test_a_bin_holds_its_low_end_only(by: str) -> None:
    values = {name: np.full(4, -1.0) for name in ("mag_ref", "z_ref", "z_phot")}
    values["mag_ref" if by == "i" else by] = np.array([0.99, 1.0, 1.99, 2.0])
    assert Bin(by, 1, 2).holds(**values).tolist() == [False, True, True, False]  # type: ignore[arg-type]


def test_ranges_hold_the_ends_that_their_papers_mean() -> None:
    z = np.array([0.3, 1.5, 0.2999, 1.5001, 3.0])
    at = Sample("spec", "test", z_ref=z, mag_ref=np.array([24.0, 25.0, 24.0, 24.0, 24.0])).ranges(z)
    assert at["0.3-1.5"].tolist() == [True, True, False, False, False]
    assert at["lsst"].tolist() == [False, False, False, True, False], "LSST's: 0.3 < z_phot < 3, i < 25"
    assert at["all"].all()


@pytest.mark.parametrize(("level", "ends"), [(0.68, (0.16, 0.84)), (0.5, (0.25, 0.75)), (0.95, (0.025, 0.975))])
def test_bootstrap_intervals_are_central(level: float, ends: tuple[float, float]) -> None:
    even = Bootstrap(np.array(0.5), np.linspace(0, 1, 1001))
    assert even.interval(level) == pytest.approx(ends)
    assert even.interval() == pytest.approx((0.16, 0.84))


def test_two_resamples_are_the_fewest() -> None:
    assert resample(lambda rows: rows.mean(), galaxies=1, seed=1, resamples=2).resampled.shape == (2,)
    with pytest.raises(ValueError, match="at least 1 and 2"):
        resample(lambda rows: rows.mean(), galaxies=1, seed=1, resamples=1)


def test_draws_of_galaxies_and_members_are_streams_of_their_own() -> None:
    """As written once, so that a seed goes on giving the errors that it gave."""
    x = np.random.default_rng(0).normal(size=(4, 6))
    found = resample(lambda rows: x[:, rows].mean(axis=1), galaxies=6, seed=5, resamples=3, over_members=True)
    galaxies, members = (np.random.default_rng([5, stream]) for stream in (0, 1))
    by_hand = [x[:, galaxies.integers(0, 6, 6)].mean(axis=1)[members.integers(0, 4, 4)].mean() for _ in range(3)]
    assert found.resampled == pytest.approx(by_hand)


def test_members_of_two_recipes_are_drawn_apart() -> None:
    x = np.random.default_rng(1).normal(size=(5, 40))

    def metric(rows: np.ndarray) -> np.ndarray:
        return np.asarray(x[:, rows].mean(axis=1))

    same = paired_difference(metric, metric, galaxies=40, seed=2, over_members=True)
    assert float(same.value) == 0
    assert float(same.error) > 0.01
    z = np.linspace(0.4, 1.4, 60)
    sample = Sample("spec", "test", z_ref=z, mag_ref=np.full(60, 22.0))
    judged = judge(sample, Estimates(z + 0.05 * np.random.default_rng(3).normal(size=(5, 60))), resamples=50)
    records = summarize_differences(("a", "b"), judged, judged, seed=4)
    assert {r["difference"] for r in records} == {0.0}
    assert all(r["error"] > 0 for r in records if r["metric"] in ("bias", "rms", "sigma_mad"))


def test_pit_outliers_are_within_a_ten_thousandth_of_the_ends() -> None:
    pit = np.array([0.0, 5e-5, 2e-4, 0.5, 1 - 2e-4, 1 - 5e-5, 1.0])
    found = challenge_statistics(z_phot=np.ones(7), z_ref=np.linspace(0.9, 1.1, 7), pit=pit)
    assert found["outlier"] == pytest.approx(4 / 7)


def test_squared_errors_are_judged_by_the_estimate_made_for_them() -> None:
    members = np.array([[0.5, 1.0], [0.7, 1.2]])
    both = Estimates(members, z_rms_members=members + 1, z_rms=np.array([1.6, 2.1]))
    assert both.ensemble_of("zrms").tolist() == [1.6, 2.1]
    assert both.ensemble_of("zcore") == pytest.approx([0.6, 1.1])
    assert both.names == ("zcore", "zrms")
    for half in ({"z_rms": HALF}, {"z_rms_members": members}):
        with pytest.raises(ValueError, match="both or none"):
            Estimates(members, **half)


def test_the_table_says_what_the_best_would_be() -> None:
    best = {name: metric.best for name, metric in METRICS.items()}
    coverages = {f"coverage_{kind}{level}": level / 100 for kind in ("", "hd_") for level in (68, 90, 95)}
    assert {name: value for name, value in best.items() if name.startswith("coverage")} == coverages
    assert best["cde_loss"] == best["log_score"] == -np.inf
    assert {best[name] for name in best.keys() - coverages.keys() - {"cde_loss", "log_score"}} == {0.0}


def test_galaxies_on_the_edge_of_an_interval_are_inside() -> None:
    """Of densest regions: the credibilities here are the probabilities themselves."""
    edge = PdfScores(*(np.array([0.68, 0.9, 0.95, 1.0]) for _ in range(5)))
    found = {name: metric(edge) for name, metric in pdf_metrics().items() if name.startswith("coverage_hd")}
    assert found == {"coverage_hd_68": 0.25, "coverage_hd_90": 0.5, "coverage_hd_95": 0.75}
