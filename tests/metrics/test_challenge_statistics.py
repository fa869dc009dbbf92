"""The challenge's statistics are those of the packages that it scores with."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.stats import biweight_location, biweight_scale
from scipy.stats import sigmaclip

from mixz.metrics.challenge import challenge_points, challenge_statistics
from mixz.surveys.desc_challenge import TIERS


def test_point_statistics_are_astropys_of_clipped_residuals() -> None:
    rng = np.random.default_rng(0)
    z = rng.uniform(0.1, 2, 3000)
    dz = 0.03 * rng.standard_t(3, 3000) + 0.01
    found = challenge_statistics(z_phot=z + dz * (1 + z), z_ref=z, pit=rng.random(3000))
    near = dz
    for _ in range(4):
        near = sigmaclip(near, low=3, high=3).clipped
    assert found["mean"] == pytest.approx(biweight_location(near))
    assert found["std"] == pytest.approx(biweight_scale(near))
    assert found["abs_outlier_rate"] == np.mean(np.abs(dz) > 0.2)


def test_pit_statistics_are_qps() -> None:
    qp = pytest.importorskip("qp", reason="needs mixz[rail]")
    rng = np.random.default_rng(1)
    centre, z = rng.uniform(0.5, 1.5, 400), rng.uniform(0.5, 1.5, 400)
    ensemble = qp.Ensemble(qp.stats.norm, data={"loc": centre[:, None], "scale": np.full((400, 1), 0.3)})
    theirs = qp.metrics.PIT(ensemble, z)
    found = challenge_statistics(z_phot=centre, z_ref=z, pit=theirs.pit_samps)
    assert found["ks"] == pytest.approx(theirs.evaluate_PIT_KS().statistic)
    assert found["CvM"] == pytest.approx(theirs.evaluate_PIT_CvM().statistic)
    with pytest.warns(Warning, match=r"p-value|variant"):
        assert found["ksamp"] == pytest.approx(theirs.evaluate_PIT_anderson_ksamp().statistic)


def test_points_are_one_for_every_range() -> None:
    best = dict.fromkeys(TIERS, 0.0)
    assert sum(challenge_points(best, TIERS).values()) == sum(map(len, TIERS.values())) == 21
    assert challenge_points(best | {"std": 0.03, "ks": 0.7}, TIERS)["std"] == 2
    assert challenge_points(best | {"std": 0.03, "ks": float("nan")}, TIERS)["ks"] == 0
