"""Bootstrap errors against the errors of repeated surveys, and p-values against their promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixz.metrics import outlier_fraction, paired_difference, resample, sigma_mad
from mixz.metrics.point import PointMetric


def survey(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.uniform(0, 2, n)
    return z, z + 0.05 * (1 + z) * rng.standard_t(3, n)


@pytest.mark.parametrize("metric", [sigma_mad, outlier_fraction])
def test_errors_are_those_of_repeated_surveys(metric: PointMetric) -> None:
    repeated = [metric(z_phot=p, z_ref=z) for z, p in map(survey, range(300))]

    def error(seed: int) -> float:
        z, p = survey(seed)
        rows = resample(lambda r: metric(z_phot=p[r], z_ref=z[r]), galaxies=400, seed=1, resamples=100)
        return float(rows.error)

    assert np.mean([error(s) for s in range(8)]) == pytest.approx(np.std(repeated), rel=0.2)


def test_intervals_hold_the_value() -> None:
    x = np.random.default_rng(1).normal(size=(400, 3))
    found = resample(lambda rows: x[rows].mean(axis=0), galaxies=400, seed=2, resamples=500)
    low, high = found.interval(0.95)
    assert found.value == pytest.approx(x.mean(axis=0))
    assert found.resampled.shape == (500, 3)
    assert high - low == pytest.approx(np.full(3, 2 * 1.96 / 20), rel=0.2)


def test_members_add_their_own_scatter() -> None:
    rng = np.random.default_rng(3)
    members, galaxies = 20, 400
    x = rng.normal(size=galaxies) + 0.5 * rng.normal(size=members)[:, None]
    fixed = resample(lambda rows: x[:, rows].mean(), galaxies=galaxies, seed=4, resamples=400)
    both = resample(lambda rows: x[:, rows].mean(axis=1), galaxies=galaxies, seed=4, resamples=400, over_members=True)
    assert both.value == pytest.approx(x.mean())
    assert fixed.error == pytest.approx(1 / 20, rel=0.15)
    between = x.mean(axis=1).std() / np.sqrt(members)
    assert both.error == pytest.approx(np.hypot(x.mean(axis=0).std() / 20, between), rel=0.15)


def test_the_seed_decides() -> None:
    x = np.arange(50.0)
    first, again, other = (resample(lambda r: x[r].mean(), galaxies=50, seed=s, resamples=10) for s in (1, 1, 2))
    assert np.array_equal(first.resampled, again.resampled)
    assert not np.array_equal(first.resampled, other.resampled)


def test_p_values_are_uniform_where_recipes_are_equal() -> None:
    def p_value(seed: int) -> float:
        a, b = np.random.default_rng(seed).normal(size=(2, 100))
        found = paired_difference(
            lambda r: np.mean(a[r] ** 2), lambda r: np.mean(b[r] ** 2), galaxies=100, seed=seed, resamples=100
        )
        return float(found.p_value)

    p = [p_value(seed) for seed in range(80)]
    assert stats.kstest(p, "uniform").statistic < 0.18
    assert np.mean(np.array(p) < 0.05) < 0.15


def test_pairing_finds_what_two_errors_would_hide() -> None:
    rng = np.random.default_rng(5)
    hard = rng.normal(size=300)
    worse = hard + 0.05 + 0.1 * rng.normal(size=300)
    found = paired_difference(lambda r: worse[r].mean(), lambda r: hard[r].mean(), galaxies=300, seed=6)
    alone = resample(lambda r: hard[r].mean(), galaxies=300, seed=6)
    assert found.error == pytest.approx(0.1 / np.sqrt(300), rel=0.15)
    assert found.error < alone.error / 5
    assert found.p_value < 0.01
    assert found.interval[0] < found.value < found.interval[1]


def test_no_difference_is_not_significant() -> None:
    x = np.random.default_rng(7).normal(size=100)
    found = paired_difference(lambda r: x[r].mean(), lambda r: x[r].mean(), galaxies=100, seed=8, resamples=50)
    assert (float(found.value), float(found.p_value)) == (0.0, 1.0)


def test_nothing_to_resample_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        resample(lambda rows: rows.mean(), galaxies=0, seed=1)
