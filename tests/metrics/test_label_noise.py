"""Metrics corrected for the labels' error, against the true redshifts of simulated surveys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mixz import metrics
from mixz.metrics.label_noise import TrueRedshifts, true_redshifts
from mixz.metrics.residual_model import HIGHEST_Z, leads_to_redshift, residual_cells, true_redshift
from mixz.truths.gaussian import GaussianKernel
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


def against(metric: str, z_phot: Array) -> Callable[[Array], float]:
    return lambda z: metrics.point_metrics()[metric](z_phot=z_phot, z_ref=z)


@pytest.fixture(scope="module", params=[(0.01, 0.02), (0.02, 0.04), (0.06, 0.08)], ids=str)
def judged(request: pytest.FixtureRequest) -> tuple[TrueRedshifts, Array, Array]:
    """A survey whose label noise is twice its photo-z error, equal to it, or a third of it."""
    i, z, z_phot = survey(*request.param, seed=1)
    label = COSMOS2020.draw(z, mag_i=i, seed=2)
    drawn = true_redshifts(z_phot=z_phot, z_label=label, mag_i=i, kernel=COSMOS2020, seed=3, draws=4, trials=1)
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
    kernel, mag_i = GaussianKernel(0.03), np.full(1500, 23.0)
    z_phot = z + 0.02 * (1 + z) * rng.standard_normal(1500)
    label = kernel.draw(z, mag_i=mag_i, seed=5)
    alone = kernel.draw(label, mag_i=mag_i, seed=6)  # the posterior of a flat prior, nearly
    drawn = true_redshifts(z_phot=z_phot, z_label=label, mag_i=mag_i, kernel=kernel, seed=7, trials=0)
    found = drawn.correct(against("sigma_mad", z_phot))
    assert against("sigma_mad", z_phot)(alone) > 0.043
    assert found.raw == pytest.approx(np.hypot(0.02, 0.03), rel=0.1)
    assert found.value == pytest.approx(0.02, abs=0.005)
    assert np.isnan(found.error), "without trials there is no error"


def test_exact_labels_are_left_as_they_are() -> None:
    i, z, z_phot = survey(0.03, 0.05, seed=8, n=800)
    drawn = true_redshifts(z_phot=z_phot, z_label=z, mag_i=i, kernel=GaussianKernel(0.001), seed=9, trials=0)
    for metric in ("bias", "sigma_mad", "rms", "outlier_fraction"):
        found = drawn.correct(against(metric, z_phot))
        assert found.value == pytest.approx(found.raw, abs=0.002, rel=0.02)


def test_the_seed_decides() -> None:
    i, z, z_phot = survey(0.03, 0.0, seed=10, n=300)
    known = {"z_phot": z_phot, "z_label": z, "mag_i": i, "kernel": GaussianKernel(0.05), "draws": 2, "trials": 1}
    first, again, other = (true_redshifts(**known, seed=s) for s in (1, 1, 2))  # type: ignore[arg-type]
    assert np.array_equal(first.z_draws, again.z_draws)
    assert np.array_equal(first.trials[0][1], again.trials[0][1])
    assert not np.array_equal(first.z_draws, other.z_draws)


def test_draws_are_possible_redshifts() -> None:
    i, z, z_phot = survey(0.1, 0.3, seed=11, n=300)
    drawn = true_redshifts(z_phot=z_phot, z_label=z, mag_i=i, kernel=GaussianKernel(0.1), seed=12, trials=0)
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mag_i": np.zeros(3)}, "same galaxies"),
        ({"z_label": np.full(400, np.nan)}, "finite"),
        ({name: np.ones(20) for name in ("z_phot", "z_label", "mag_i")}, "at least 300"),
    ],
)
def test_what_cannot_be_unfolded_is_refused(change: dict[str, Array], message: str) -> None:
    known = {name: np.ones(400) for name in ("z_phot", "z_label", "mag_i")} | change
    with pytest.raises(ValueError, match=message):
        true_redshifts(**known, kernel=COSMOS2020, seed=1)
