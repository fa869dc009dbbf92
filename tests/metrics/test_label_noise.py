"""Metrics corrected for the labels' error, against the true redshifts of simulated surveys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mixz import metrics
from mixz.metrics.label_noise import TrueRedshifts, true_redshifts
from mixz.metrics.residual_model import HIGHEST_Z, leads_to_redshift, residual_cells, true_redshift
from mixz.truths import KNOWN_TRUTHS, GaussianKernel, Labels, ReportedKernel, Truth
from mixz.truths.known import COSMOS2020

Array = np.ndarray


def survey(scatter: float, lost: float, *, seed: int, n: int = 1200) -> tuple[Array, Array, Array]:
    """Draw i, z and z_phot: errors that grow with i, wide wings, a skew, and outliers that depend on redshift."""
    rng = np.random.default_rng(seed)
    i = np.clip(25 - rng.exponential(1.3, n), 18, 25)
    z = np.clip(rng.gamma(2.2, 0.12 * (1 + 0.6 * np.clip(i - 20, 0.5, None))), 0.02, 4)
    width = scatter * (1 + np.clip(0.25 * (i - 23), -0.7, 2))
    u = width * (rng.standard_normal(n) * np.where(rng.random(n) < 0.15, 2.5, 1) + 0.2 * (rng.random(n) - 0.3))
    swapped = np.where(z < 1, z + 1.5 + 0.3 * rng.standard_normal(n), 0.3 + 0.1 * rng.standard_normal(n))
    wrong = np.where(rng.random(n) < 0.5, swapped, rng.uniform(0, 4, n))
    return i, z, np.clip(np.where(rng.random(n) < lost, wrong, z + u * (1 + z)), 0, 4.5)


def gaussian(sigma: float) -> Truth:
    return Truth("many_band", GaussianKernel(sigma))


def against(metric: str, z_phot: Array) -> Callable[[Array], float]:
    return lambda z: metrics.point_metrics()[metric](z_phot=z_phot, z_ref=z)


@pytest.fixture(scope="module", params=[(0.01, 0.02), (0.02, 0.04), (0.06, 0.08)], ids=str)
def judged(request: pytest.FixtureRequest) -> tuple[TrueRedshifts, Array, Array]:
    """A survey whose label noise is twice its photo-z error, equal to it, or a third of it."""
    i, z, z_phot = survey(*request.param, seed=1)
    labels = Labels(Truth("many_band", COSMOS2020), z, i).draw(z, seed=2)
    drawn = true_redshifts(labels, z_phot=z_phot, seed=3, draws=4, trials=1)
    return drawn, z_phot, z


# How far the corrected metric may be from the true one, as a share of what the label noise did to it: a correction
# that did nothing would be off by 1.
@pytest.mark.parametrize(
    ("metric", "share"), [("sigma_mad", 0.5), ("outlier_fraction", 0.4), ("hsc_loss", 0.4), ("rms", 1)]
)
def test_corrected_metrics_recover_the_true_ones(
    judged: tuple[TrueRedshifts, Array, Array], metric: str, share: float
) -> None:
    drawn, z_phot, z = judged
    found, true = drawn.correct(against(metric, z_phot)), against(metric, z_phot)(z)
    assert found.raw == against(metric, z_phot)(drawn.z_label)
    assert found.raw > true, "noisy labels make photo-z look worse"
    assert abs(found.value - true) < share * (found.raw - true)
    assert 0 < found.error < found.raw - true


def test_cuts_in_redshift_are_made_in_the_draws(judged: tuple[TrueRedshifts, Array, Array]) -> None:
    drawn, z_phot, z = judged

    def cut(z_ref: Array) -> float:
        inside = (z_ref > 0.3) & (z_ref < 1.5)
        return metrics.outlier_fraction(z_phot=z_phot[inside], z_ref=z_ref[inside])

    found = drawn.correct(cut)
    assert abs(found.value - cut(z)) < 0.5 * abs(found.raw - cut(z))


def test_leaving_the_estimate_out_would_be_wrong() -> None:
    """Draws from the label alone count its error twice over; ours do not."""
    rng = np.random.default_rng(4)
    z = rng.uniform(0.3, 1.5, 1500)
    z_phot = z + 0.02 * (1 + z) * rng.standard_normal(1500)
    labels = Labels(gaussian(0.03), z, np.full(1500, 23.0)).draw(z, seed=5)
    alone = labels.draw(labels.z, seed=6).z  # the posterior of a flat prior, nearly
    drawn = true_redshifts(labels, z_phot=z_phot, seed=7, trials=0)
    found = drawn.correct(against("sigma_mad", z_phot))
    assert against("sigma_mad", z_phot)(alone) > 0.043
    assert found.raw == pytest.approx(np.hypot(0.02, 0.03), rel=0.1)
    assert found.value == pytest.approx(0.02, abs=0.005)
    assert np.isnan(found.error), "without trials there is no error"


def test_exact_labels_are_left_as_they_are() -> None:
    i, z, z_phot = survey(0.03, 0.05, seed=8, n=800)
    drawn = true_redshifts(Labels(gaussian(0.001), z, i), z_phot=z_phot, seed=9, trials=0)
    for metric in ("bias", "sigma_mad", "rms", "outlier_fraction"):
        found = drawn.correct(against(metric, z_phot))
        assert found.value == pytest.approx(found.raw, abs=0.002, rel=0.02)


def test_the_seed_decides() -> None:
    i, z, z_phot = survey(0.03, 0.0, seed=10, n=300)
    labels = Labels(gaussian(0.05), z, i)
    first, again, other = (true_redshifts(labels, z_phot=z_phot, draws=2, trials=1, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first.z_draws, again.z_draws)
    assert np.array_equal(first.trials[0][1], again.trials[0][1])
    assert not np.array_equal(first.z_draws, other.z_draws)


def test_draws_are_possible_redshifts() -> None:
    i, z, z_phot = survey(0.1, 0.3, seed=11, n=300)
    drawn = true_redshifts(Labels(gaussian(0.1), z, i), z_phot=z_phot, seed=12, trials=0)
    # A cell of u that straddles 0 or 6 may lead a little outside.
    assert drawn.z_draws.min() > -0.2
    assert drawn.z_draws.max() < HIGHEST_Z + 0.5


def test_cells_reach_every_redshift() -> None:
    u, edges = residual_cells()
    assert ((edges[:-1] < u) & (u < edges[1:])).all()
    z_phot = np.array([0.01, 1.0, 4.0])
    z = np.where(leads_to_redshift(z_phot), true_redshift(u, z_phot=z_phot[:, None]), np.nan)
    assert np.nanmin(z, axis=1).max() < 0.1
    assert np.nanmax(z, axis=1).min() > 5.5


def test_galaxies_without_magnitude_and_labels_with_errors_of_their_own_are_judged_too() -> None:
    """Honest about labels as wrong as each says of itself, whether its galaxy has a magnitude or not."""
    i, z, z_phot = survey(0.02, 0.0, seed=13, n=1500)
    reported = Truth("many_band", ReportedKernel(fallback=GaussianKernel(0.05), outliers=0.0))
    z_err = np.random.default_rng(14).choice([0.02, 0.12], (1500, 1)) * np.ones((1, 2))
    labels = Labels(reported, z, np.where(i > 24.5, np.nan, i), z_err).draw(z, seed=15)
    metric = against("sigma_mad", z_phot)
    heeded, ignored = (
        true_redshifts(known, z_phot=z_phot, seed=16, trials=0).correct(metric)
        for known in (labels, replace(labels, z_err=None))
    )
    noise = heeded.raw - metric(z)
    assert noise > 0.01
    assert abs(heeded.value - metric(z)) < 0.25 * noise < abs(ignored.value - metric(z))


@pytest.mark.parametrize(
    ("label", "z_phot", "message"),
    [
        (np.ones(400), np.ones(3), "same galaxies"),
        (np.full(400, np.nan), np.ones(400), "finite"),
        (np.ones(20), np.ones(20), "at least 300"),
    ],
)
def test_what_cannot_be_unfolded_is_refused(label: Array, z_phot: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        true_redshifts(Labels(KNOWN_TRUTHS["many_band"], label, np.ones(len(label))), z_phot=z_phot, seed=1)
