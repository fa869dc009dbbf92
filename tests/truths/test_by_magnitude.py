"""Corrections of kernels per magnitude: known ones are found, few galaxies change little, none change nothing."""

from __future__ import annotations

import numpy as np
import pytest

from mixz.densities.grid import Grid
from mixz.errors import MixzError
from mixz.truths.by_magnitude import MAG_BORDERS, SHARE_WEIGHT, _errors, corrected_kernel, fit_densities, fit_pairs
from mixz.truths.corrected import CorrectedKernel
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.kernel import Kernel
from mixz.truths.known import COSMOS2020, COSMOS2020_MEASURED
from mixz.truths.likelihood import Labels
from mixz.truths.reported import ReportedKernel
from mixz.truths.table import TableKernel
from mixz.truths.truth import Truth

PRIORS = {
    "gaussian": GaussianKernel(0.02),
    "cosmos2020": COSMOS2020,
    "cosmos2020_measured": COSMOS2020_MEASURED,
    "reported": ReportedKernel(fallback=GaussianKernel(0.02)),
    "table": TableKernel(((-0.05, 0.0, 0.05),), ((0.0, 20.0, 0.0),)),
}
WIDTH, OUTLIERS, OFFSET = (0.6, 1.4), (0.03, 0.15), (-0.005, 0.01)
"""Of two bins, 21 to 22 and 23 to 24."""
GALAXIES = 1500


def galaxies(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Redshifts, magnitudes and label intervals of galaxies in the two bins."""
    rng = np.random.default_rng(seed)
    mag_ref = np.where(np.arange(count) % 2, 23.0, 21.0) + rng.random(count)
    return rng.uniform(0.3, 1.5, count), mag_ref, rng.uniform(0.02, 0.06, (count, 2))


def of_bins(*pair: float | None, rest: float | None) -> tuple[float | None, ...]:
    """Lay two values out over all bins."""
    return (rest, rest, pair[0], rest, pair[1], rest, rest)


def true_kernel(prior: Kernel) -> CorrectedKernel:
    """Correct a prior as it is to be found."""
    return CorrectedKernel(
        prior,
        MAG_BORDERS,
        width=of_bins(*WIDTH, rest=1.0),  # type: ignore[arg-type]
        outliers=of_bins(*OUTLIERS, rest=None),
        offset=of_bins(*OFFSET, rest=0.0),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
def test_known_corrections_are_found(prior: Kernel) -> None:
    z, mag_ref, z_err = galaxies(2 * GALAXIES)
    label = Labels(Truth("many_band", true_kernel(prior)), z, mag_ref, z_err).draw(z, seed=2).z
    found = fit_pairs(Labels(Truth("many_band", prior), label, mag_ref, z_err), z=z)
    assert [correction.galaxies for correction in found] == [0, 0, GALAXIES, 0, GALAXIES, 0, 0]
    for correction, width, outliers, offset in zip((found[2], found[4]), WIDTH, OUTLIERS, OFFSET, strict=True):
        assert correction.width == pytest.approx(width, abs=4 * correction.width_error)
        assert correction.outliers == pytest.approx(outliers, abs=4 * correction.outliers_error)
        assert correction.offset == pytest.approx(offset, abs=4 * correction.offset_error)
        assert correction.width_error < 0.1 * width
        assert correction.outliers_error < 0.03
        assert correction.offset_error < 0.003


def test_where_no_galaxy_is_the_prior_stays() -> None:
    z, mag_ref, _ = galaxies(400)
    label = Labels(Truth("many_band", true_kernel(COSMOS2020)), z, mag_ref).draw(z, seed=2).z
    found = fit_pairs(Labels(Truth("many_band", COSMOS2020), label, mag_ref), z=z)
    kernel = corrected_kernel(COSMOS2020, [correction.as_record() for correction in found], MAG_BORDERS)
    labels = np.linspace(0, 3, 301)
    for mag in (19.0, 22.5, 24.5, np.nan):
        given = {"z_label": labels, "z": 0.8, "mag_ref": mag}
        np.testing.assert_array_equal(kernel.density(**given), COSMOS2020.density(**given))
    assert (
        kernel.density(z_label=labels, z=0.8, mag_ref=21.5) != COSMOS2020.density(z_label=labels, z=0.8, mag_ref=21.5)
    ).any()


def test_few_galaxies_move_a_kernel_little_and_many_move_it_all_the_way() -> None:
    truth, wide = Truth("many_band", GaussianKernel(0.01)), Truth("many_band", GaussianKernel(0.04))
    ln_width, share = [], []
    for count in (4, 40, 4000):
        z, mag_ref = np.full(count, 1.0), np.full(count, 22.5)
        found = fit_pairs(Labels(truth, Labels(wide, z, mag_ref).draw(z, seed=3).z, mag_ref), z=z)[3]
        ln_width.append(np.log(found.width))
        share.append(found.outliers)
    assert 0 < ln_width[0] < 0.75 * np.log(4)
    assert ln_width[0] < ln_width[1]
    assert ln_width[2] == pytest.approx(np.log(4), abs=0.06)
    assert max(share) < 0.05, "a core that is too narrow is no outliers"


def test_the_share_of_outliers_is_shrunk_as_its_formula_says() -> None:
    count, wrong = 200, 20
    z, mag_ref = np.full(count, 1.0), np.full(count, 22.5)
    label = 1 + 0.02 * np.random.default_rng(1).standard_normal(count)
    label[:wrong] += 0.8
    prior = ReportedKernel(fallback=GaussianKernel(0.01), outliers=0.02)
    found = fit_pairs(Labels(Truth("many_band", prior), label, mag_ref, np.full((count, 2), 0.02)), z=z)[3]
    assert found.outliers == pytest.approx((wrong + SHARE_WEIGHT * 0.02) / (count + SHARE_WEIGHT), rel=0.05)


def test_labels_of_other_galaxies_are_refused() -> None:
    z = np.random.default_rng(1).uniform(0.1, 3, 500)
    labels = Labels(Truth("many_band", GaussianKernel(0.01)), z[::-1], np.full(500, 22.0))
    with pytest.raises(MixzError, match="are outliers of their kernel"):
        fit_pairs(labels, z=z)


def test_the_same_column_twice_is_refused() -> None:
    z = np.random.default_rng(1).uniform(0.1, 3, 500)
    with pytest.raises(MixzError, match="both columns hold the same redshifts"):
        fit_pairs(Labels(Truth("many_band", COSMOS2020), z, np.full(500, 22.0)), z=z)


def test_a_table_that_holds_right_labels_impossible_can_be_corrected() -> None:
    off = TableKernel(((0.02, 0.04, 0.06),), ((0.0, 50.0, 0.0),))
    z, mag_ref = np.full(500, 1.0), np.full(500, 22.0)
    label = Labels(Truth("many_band", off), z, mag_ref).draw(z, seed=1).z
    found = fit_pairs(Labels(Truth("many_band", off), label, mag_ref), z=z)[3]
    assert found.width == pytest.approx(1, abs=0.1)
    assert found.offset == pytest.approx(0, abs=0.002)


def test_densities_alone_tell_outliers_offsets_and_widths() -> None:
    count, grid = 1200, Grid(np.expm1(np.linspace(0, np.log(3.2), 90)))
    z, mag_ref, _ = galaxies(count)
    prior = GaussianKernel(0.02)
    label = Labels(Truth("many_band", true_kernel(prior)), z, mag_ref).draw(z, seed=2).z
    spread = 0.02 * (1 + z)
    middle = z + np.random.default_rng(5).normal(0, spread)
    mass = np.exp(-(((grid.z - middle[:, None]) / spread[:, None]) ** 2) / 2)
    mass /= mass.sum(axis=1, keepdims=True)
    found = fit_densities(Labels(Truth("many_band", prior), label, mag_ref), mass, grid)
    for correction, width, outliers, offset in zip((found[2], found[4]), WIDTH, OUTLIERS, OFFSET, strict=True):
        assert correction.width == pytest.approx(width, abs=4 * correction.width_error)
        assert correction.outliers == pytest.approx(outliers, abs=4 * correction.outliers_error)
        assert correction.offset == pytest.approx(offset, abs=4 * correction.offset_error)
    assert found[0].outliers is None


def test_errors_are_those_of_a_correlated_gaussian() -> None:
    """At the peak of a Gaussian the roots of the diagonal of its covariance, correlations included."""
    curvature = np.array([[4.0, 1.5, 0.0], [1.5, 1.0, -0.2], [0.0, -0.2, 0.5]])
    found = _errors(lambda at: float(at @ curvature @ at) / 2, np.zeros(3))
    assert found == pytest.approx(np.sqrt(np.diag(np.linalg.inv(curvature))))
