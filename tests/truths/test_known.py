"""The label kernels: densities integrate to one, draws follow them, and the published numbers come out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixz.errors import MixzError
from mixz.truths.core_tail import CoreTailKernel
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.known import COSMOS2020, COSMOS2020_MEASURED, KERNELS, SPECTRUM

LABELS = np.linspace(0, 6, 24_001)


@pytest.mark.parametrize("mag_ref", [21.0, 22.5, 23.5, 24.5])
@pytest.mark.parametrize("z", [0.02, 0.5, 0.9, 1.8, 3.5, 5.0])
def test_density_integrates_to_one(z: float, mag_ref: float) -> None:
    p = COSMOS2020.density(z_label=LABELS, z=z, mag_ref=mag_ref)
    assert (p >= 0).all()
    assert np.trapezoid(p, LABELS) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(("z", "mag_ref"), [(0.1, 21.0), (0.8, 23.5), (1.7, 24.5)])
def test_draws_follow_the_density(z: float, mag_ref: float) -> None:
    labels = COSMOS2020.draw(np.full(20_000, z), mag_ref=mag_ref, seed=3)
    cdf = np.cumsum(COSMOS2020.density(z_label=LABELS, z=z, mag_ref=mag_ref)) * (LABELS[1] - LABELS[0])
    assert stats.kstest(labels, lambda v: np.interp(v, LABELS, cdf)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("mag_ref", "rms", "outliers"), [(21.0, (0.02, 0.05), (0.0, 0.015)), (24.5, (0.12, 0.22), (0.07, 0.10))]
)
def test_published_consequences(mag_ref: float, rms: tuple[float, float], outliers: tuple[float, float]) -> None:
    z = np.random.default_rng(0).uniform(0.3, 1.5, 50_000)
    dz = (COSMOS2020.draw(z, mag_ref=mag_ref, seed=1) - z) / (1 + z)
    assert rms[0] < np.sqrt(np.mean(dz**2)) < rms[1]
    assert outliers[0] < np.mean(np.abs(dz) > 0.15) < outliers[1]


def test_same_seed_same_labels_and_inputs_untouched() -> None:
    z, mag = np.linspace(0.1, 4, 50), np.linspace(19, 26, 50)
    z.flags.writeable = mag.flags.writeable = False
    first, again = (COSMOS2020.draw(z, mag_ref=mag, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (COSMOS2020.draw(z, mag_ref=mag, seed=6) != first).any()


def test_missing_redshift_gives_missing_label() -> None:
    assert np.isfinite(COSMOS2020.draw([0.5, np.nan], mag_ref=[22, 22], seed=1)).tolist() == [True, False]


def test_galaxies_without_magnitude_count_as_the_faintest() -> None:
    z = np.full(500, 0.9)
    unknown, faint = (COSMOS2020.draw(z, mag_ref=mag, seed=1) for mag in (np.nan, 28.0))
    np.testing.assert_array_equal(unknown, faint)
    at = {"z_label": np.linspace(0, 2, 50), "z": 0.9}
    np.testing.assert_array_equal(COSMOS2020.density(**at, mag_ref=np.nan), COSMOS2020.density(**at, mag_ref=28.0))


def test_impossible_redshift_is_refused() -> None:
    with pytest.raises(MixzError, match="could not be drawn"):
        COSMOS2020.draw([40.0], mag_ref=21, seed=1)


def test_tables_have_the_shape_of_their_edges() -> None:
    i, j = len(COSMOS2020.mag_edges) - 1, len(COSMOS2020.z_edges) - 1
    assert np.shape(COSMOS2020.s) == np.shape(COSMOS2020.mu) == (i, j)
    for name in ("f", "loc", "scale", "a", "b"):
        assert np.shape(getattr(COSMOS2020, name)) == (i,)


def test_a_config_can_name_both_kernels() -> None:
    assert isinstance(KERNELS["cosmos2020"], CoreTailKernel)
    assert KERNELS["exact"] is SPECTRUM


def test_gaussian_density_by_hand() -> None:
    p = GaussianKernel(0.1).density(z_label=1.2, z=1.0, mag_ref=0)
    assert p == pytest.approx(np.exp(-0.5) / (0.2 * np.sqrt(2 * np.pi)))


@pytest.mark.parametrize(
    ("mag", "sigma_mad", "beyond"),
    [
        (19, 0.00696, 0.00653),
        (21, 0.00814, 0.00696),
        (22, 0.00947, 0.01694),
        (24, 0.01665, 0.04587),
        (25, 0.04102, 0.16151),
    ],
)
def test_the_measured_kernel_has_the_numbers_of_labels_against_spectra(
    mag: float, sigma_mad: float, beyond: float
) -> None:
    z = np.full(200_000, 2.0)
    dz = (COSMOS2020_MEASURED.draw(z, mag_ref=mag, seed=1) - z) / (1 + z)
    found = 1.4826 * np.median(np.abs(dz - np.median(dz)))
    assert found == pytest.approx(sigma_mad, rel=0.02)
    # What the range cuts at this redshift, dz below -2/3 and above 4/3, is part of the measured tails.
    assert 0.75 * beyond < np.mean(np.abs(dz) > 0.15) < 1.05 * beyond
