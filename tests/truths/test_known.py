"""The label kernels: densities integrate to one, draws follow them, and the published numbers come out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixz.errors import MixzError
from mixz.truths.core_tail import CoreTailKernel
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.known import COSMOS2020, COSMOS2020_MEASURED, KERNELS, KNOWN_TRUTHS, SPECTRUM

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


def test_the_published_kernel_is_as_its_publisher_has_it() -> None:
    degraders = pytest.importorskip("rail.creation.degraders.gaussian_skewt_scatter_selector", reason="needs RAIL")
    published = degraders.khostovan26_selector_model_dict
    ours = {
        "mag_i_bin_edges": COSMOS2020.mag_edges,
        "z_bin_edges": COSMOS2020.z_edges,
        "bias_median_lookup_table": COSMOS2020.mu,
        "bias_std_lookup_table": COSMOS2020.s,
        "f_tail_by_mag_i": COSMOS2020.f,
        "tail_loc_by_mag_i": COSMOS2020.loc,
        "tail_scale_by_mag_i": COSMOS2020.scale,
        "tail_a_by_mag_i": COSMOS2020.a,
        "tail_b_by_mag_i": COSMOS2020.b,
    }
    assert set(ours) == set(published) - {"model_name"}
    for name, numbers in ours.items():
        np.testing.assert_array_equal(numbers, published[name], err_msg=name)


# Of mardom/DDFpz @115e2a57, LePHARE's rows: magnitudes from and to, median of dz, sigma_mad, |dz| > .15 and > .30.
BY_MAGNITUDE = (
    (15.0, 20.0, -0.00110, 0.00696, 0.00653, 0.00479),
    (20.0, 21.5, -0.00283, 0.00814, 0.00696, 0.00381),
    (21.5, 23.0, -0.00294, 0.00947, 0.01694, 0.00961),
    (23.0, 24.5, -0.00405, 0.01665, 0.04587, 0.02376),
    (24.5, 30.0, -0.00639, 0.04102, 0.16151, 0.08797),
)
# The same by redshift: from and to, median of dz.  That of all is -0.00301.
BY_REDSHIFT = (
    (0.01, 0.40, -0.00196),
    (0.40, 0.80, -0.00209),
    (0.80, 1.20, -0.00326),
    (1.20, 1.60, -0.01002),
    (1.60, 3.00, -0.00364),
)
OF_ALL = -0.00301


@pytest.mark.parametrize(("first", "last", "bias", "sigma_mad", "near", "far"), BY_MAGNITUDE)
def test_the_measured_kernel_has_the_numbers_of_labels_against_spectra(
    first: float, last: float, bias: float, sigma_mad: float, near: float, far: float
) -> None:
    z, shift = np.full(200_000, 2.0), BY_REDSHIFT[-1][-1] - OF_ALL
    for mag in (first + 0.01, last - 0.01):
        dz = (COSMOS2020_MEASURED.draw(z, mag_ref=mag, seed=1) - z) / (1 + z)
        assert 1.4826 * np.median(np.abs(dz - np.median(dz))) == pytest.approx(sigma_mad, rel=0.02)
        assert np.median(dz) == pytest.approx(bias + shift, abs=0.03 * sigma_mad)
        # What the range cuts at this redshift, dz below -2/3 and above 4/3, is part of the measured tails.
        assert 0.75 * near < np.mean(np.abs(dz) > 0.15) < 1.05 * near
        assert 0.65 * far < np.mean(np.abs(dz) > 0.30) < 1.08 * far


@pytest.mark.parametrize(("first", "last", "bias"), BY_REDSHIFT)
def test_the_measured_kernel_is_offset_by_redshift(first: float, last: float, bias: float) -> None:
    brightest, sigma_mad = BY_MAGNITUDE[0][2:4]
    peaks = []
    for z in (first + 0.001, last - 0.001):
        near = z + (1 + z) * np.linspace(-0.03, 0.03, 60_001)
        peaks.append((near[np.argmax(COSMOS2020_MEASURED.core.density(z_label=near, z=z, mag_ref=18))] - z) / (1 + z))
    assert peaks == pytest.approx([brightest + bias - OF_ALL] * 2, abs=2e-6 + 0.002 * sigma_mad)


def test_labels_lie_between_no_redshift_and_six() -> None:
    for kernel in (COSMOS2020, COSMOS2020_MEASURED):
        assert (kernel.density(z_label=np.array([-0.001, 6.001]), z=0.1, mag_ref=25) == 0).all()
        assert (kernel.density(z_label=np.array([0.0, 6.0]), z=3.0, mag_ref=25) > 0).all()


def test_the_kernels_that_truths_have() -> None:
    kernels = {truth.name: (truth.kernel, truth.exact, truth.simulated) for truth in KNOWN_TRUTHS.every}
    assert kernels == {
        "spec": (SPECTRUM, True, False),
        "many_band": (COSMOS2020_MEASURED, False, False),
        "true": (SPECTRUM, True, True),
    }
    assert SPECTRUM.density(z_label=1.0, z=1.0, mag_ref=20) == pytest.approx(1 / (0.001 * np.sqrt(2 * np.pi)))
