"""Laws of what labels say on a grid of densities, through every kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mixz import metrics
from mixz.densities.grid import Grid, even_grid
from mixz.galaxies import GalaxySet
from mixz.truths import GaussianKernel, Kernel, Labels, ReportedKernel, TableKernel, Truth
from mixz.truths.known import COSMOS2020, KNOWN_TRUTHS

GRIDS = {"fine": even_grid(200, 4.0), "coarse": even_grid(60, 4.0)}
KERNELS = {
    "gaussian": GaussianKernel(0.02),
    "cosmos2020": COSMOS2020,
    "reported": ReportedKernel(fallback=COSMOS2020),
    "table": TableKernel(((-0.05, 0.0, 0.02),), ((0.0, 200 / 7, 0.0),)),
    "narrow_table": TableKernel(((-0.003, 0.0, 0.003),), ((0.0, 1 / 0.003, 0.0),)),
}
Z_ERR = np.array([[0.03, 0.05], [0.0, 0.0], [np.nan, np.nan]])
LABEL, MAG = np.array([0.4, 0.9, 2.1]), np.array([21.0, 24.0, np.nan])


def labels_of(kernel: Kernel) -> Labels:
    return Labels(Truth("many_band", kernel), LABEL, MAG, Z_ERR)


def gaussians(mean: np.ndarray, width: float, grid: Grid) -> np.ndarray:
    mass = grid.mass(np.exp(-0.5 * np.square((grid.z - np.asarray(mean)[:, None]) / width)))
    return np.asarray(mass / mass.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_likelihood_is_the_integral_of_kernel_and_density(kernel: Kernel, grid: Grid) -> None:
    labels = labels_of(kernel)
    likelihood = labels.likelihood(grid)
    assert likelihood.shape == (3, len(grid))
    assert (likelihood >= 0).all()
    mass = gaussians(np.array([0.8]), 0.6, grid)
    z = np.linspace(0, 4, 400_001)
    density = np.interp(z, grid.z, grid.density(mass)[0])
    whole = np.trapezoid(labels.density(z[None]) * density, z)
    np.testing.assert_allclose(likelihood @ mass[0], whole, rtol=0.03 if grid is GRIDS["coarse"] else 0.01)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_a_label_that_is_impossible_everywhere_says_nothing(kernel: Kernel) -> None:
    grid = GRIDS["fine"]
    labels = Labels(Truth("many_band", kernel), np.array([30.0]), MAG[:1])
    if not labels.at_face_value(grid):
        mass = gaussians(np.array([1.0]), 0.2, grid)
        assert (labels.likelihood(grid) > 0).all()
        np.testing.assert_allclose(labels.allowed(mass, grid), mass, rtol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_allowed_is_likelihood_times_mass(kernel: Kernel) -> None:
    grid, labels = GRIDS["fine"], labels_of(kernel)
    mass = gaussians(np.array([0.42, 0.9, 1.8]), 0.1, grid)
    allowed, product = labels.allowed(mass, grid), labels.likelihood(grid) * mass
    np.testing.assert_allclose(allowed.sum(axis=1), 1)
    np.testing.assert_allclose(allowed, product / product.sum(axis=1, keepdims=True), atol=1e-4)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_smeared_is_the_density_of_drawn_labels(kernel: Kernel) -> None:
    """It integrates to one, and labels drawn for redshifts drawn from a density are spread as it says."""
    grid, rng, n = GRIDS["fine"], np.random.default_rng(1), 20_000
    mass = gaussians(np.array([1.0]), 0.05, grid)
    at = Labels(Truth("many_band", kernel), np.zeros(n), np.full(n, 23.9), np.tile([0.03, 0.06], (n, 1)))
    smeared = at.rows(np.array([0])).smeared(mass, grid)
    assert smeared.sum() == pytest.approx(1)
    drawn = at.draw(1 + 0.05 * rng.standard_normal(n), seed=2).z
    drawn = drawn[drawn < 4]
    share = grid.cdf(np.tile(smeared, (1, 1)), np.sort(drawn)[None])[0]
    # Errors are rounded to a tenth, magnitudes to a quarter.
    assert np.abs(share - (np.arange(len(drawn)) + 0.5) / len(drawn)).max() < 0.02


@pytest.mark.parametrize("width", [0.03, 0.06])
def test_a_gaussian_kernel_adds_its_variance(width: float) -> None:
    grid = Grid(np.linspace(0, 3, 601))
    labels = Labels(Truth("many_band", GaussianKernel(0.04)), [1.0], [22.0])
    smeared = labels.smeared(gaussians(np.ones(1), width, grid), grid)[0]
    mean = smeared @ grid.z
    assert np.sqrt(smeared @ np.square(grid.z - mean)) == pytest.approx(np.hypot(width, 0.08), rel=0.01)


@pytest.mark.parametrize(
    "truth",
    [
        KNOWN_TRUTHS["spec"],
        Truth("grism", GaussianKernel(0.003)),
        Truth("narrow", KERNELS["narrow_table"]),
        Truth("believed", COSMOS2020, exact=True),
    ],
    ids=lambda truth: truth.name,
)
def test_smearing_by_what_the_grid_does_not_resolve_is_the_identity(truth: Truth) -> None:
    grid, labels = GRIDS["fine"], Labels(truth, LABEL, MAG)
    mass = gaussians(LABEL, 0.05, grid)
    assert labels.at_face_value(grid)
    assert labels.smeared(mass, grid) is mass
    np.testing.assert_allclose(
        (labels.likelihood(grid) * mass).sum(axis=1), grid.density_at(mass, LABEL[:, None])[:, 0], rtol=1e-5
    )


def test_where_it_becomes_the_identity_nothing_jumps() -> None:
    grid = GRIDS["fine"]
    mass, step = gaussians(np.ones(1), 0.05, grid), np.log(5) / 199
    just = Labels(Truth("grism", GaussianKernel(0.51 * step)), [1.0], [22.0])
    assert not just.at_face_value(grid)
    assert np.abs(grid.cumulative(just.smeared(mass, grid)) - grid.cumulative(mass)).max() < 0.01


def test_face_value_is_a_choice() -> None:
    grid, labels = GRIDS["fine"], labels_of(COSMOS2020)
    believed = replace(labels, truth=replace(labels.truth, exact=True))
    np.testing.assert_array_equal(labels.likelihood(grid, face_value=True), believed.likelihood(grid))
    assert (labels.likelihood(grid, face_value=True) > 0).sum() <= 6


@pytest.mark.parametrize("ask", ["likelihood", "smeared", "allowed", "density", "draw"])
def test_each_labels_own_error_is_heeded_everywhere(ask: str) -> None:
    grid = GRIDS["fine"]
    wide = Labels(Truth("many_band", KERNELS["reported"]), [1.0], [22.0], [[0.2, 0.2]])
    narrow, none = replace(wide, z_err=[[0.02, 0.02]]), replace(wide, z_err=None)  # type: ignore[arg-type]
    mass = gaussians(np.ones(1), 0.1, grid)
    answer = {
        "likelihood": lambda labels: labels.likelihood(grid),
        "smeared": lambda labels: labels.smeared(mass, grid),
        "allowed": lambda labels: labels.allowed(mass, grid),
        "density": lambda labels: labels.density(np.array([[1.1]])),
        "draw": lambda labels: labels.draw([1.0], seed=1).z,
    }[ask]
    found = [answer(labels) for labels in (wide, narrow, none)]
    assert not np.allclose(found[0], found[1])
    assert not np.allclose(found[0], found[2])


@pytest.mark.parametrize("name", ["cosmos2020", "reported", "gaussian", "table"])
def test_honest_densities_look_honest_on_noisy_labels_once_smeared(name: str) -> None:
    rng, n, grid = np.random.default_rng(4), 4000, even_grid(250, 5.0)
    mean, mag_ref = rng.uniform(0.4, 2, n), rng.choice([21.1, 24.1], n)
    z = mean + 0.05 * rng.standard_normal(n)
    z_err = rng.choice([0.02, 0.05], (n, 2)) * rng.choice([1, 3], (n, 1))
    z_err[::10] = np.nan
    labels = Labels(Truth("many_band", KERNELS[name]), z, mag_ref, z_err).draw(z, seed=5)
    # Densities well resolved by the grid, and cut nowhere.
    labels, mass = labels.rows(labels.z < 5), gaussians(mean, 0.05, grid)[labels.z < 5]
    smeared = labels.smeared(mass, grid)
    np.testing.assert_allclose(smeared.sum(axis=1), 1)
    raw, of_label = (metrics.pit(grid.density(m), z_grid=grid.z, z_ref=labels.z) for m in (mass, smeared))
    for level in (0.68, 0.90, 0.95):
        assert metrics.coverage(raw, level=level) < level - 0.03
        assert metrics.coverage(of_label, level=level) == pytest.approx(level, abs=0.02)


def test_labels_are_taken_from_galaxies() -> None:
    galaxies = GalaxySet(
        np.arange(3),
        ("r", "i"),
        np.array([[21.0, 20.0], [22.0, np.nan], [23.0, 22.5]]),
        np.full((3, 2), 0.1),
        z={"spec": np.array([0.5, np.nan, 0.7]), "many_band": LABEL},
        z_err={"many_band": Z_ERR},
    )
    labels = Labels.of(galaxies, Truth("many_band", COSMOS2020), ref_band="i")
    np.testing.assert_array_equal(labels.mag_ref, [20.0, np.nan, 22.5])
    np.testing.assert_array_equal(labels.z, LABEL)
    assert labels.z_err is not None
    np.testing.assert_array_equal(labels.rows(np.array([0])).z_err, Z_ERR[:1])
    spec = Labels.of(galaxies, KNOWN_TRUTHS["spec"], ref_band="r")
    assert spec.z_err is None
    assert len(spec.rows(np.isfinite(spec.z))) == 2


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_no_labels_no_answers(kernel: Kernel) -> None:
    none, grid = labels_of(kernel).rows(np.zeros(3, bool)), GRIDS["coarse"]
    for found in (none.likelihood(grid), none.smeared(np.empty((0, 60)), grid), none.allowed(np.empty((0, 60)), grid)):
        assert found.shape == (0, 60)


def test_rows_do_not_depend_on_each_other() -> None:
    grid, rng = GRIDS["coarse"], np.random.default_rng(2)
    z, mag_ref = rng.uniform(0.2, 2, 300), rng.uniform(20, 25, 300)
    labels = Labels(Truth("many_band", KERNELS["reported"]), z, mag_ref, rng.choice([0.01, 0.3], (300, 2)))
    mass = gaussians(z, 0.1, grid)
    backwards = np.arange(300)[::-1]
    np.testing.assert_allclose(
        labels.rows(backwards).smeared(mass[backwards], grid), labels.smeared(mass, grid)[backwards], rtol=1e-6
    )
    np.testing.assert_allclose(labels.rows(slice(5, 9)).smeared(mass[5:9], grid), labels.smeared(mass, grid)[5:9])


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="mag_ref has shape"):
        Labels(KNOWN_TRUTHS["spec"], LABEL, MAG[:2])
    with pytest.raises(ValueError, match="z_err has shape"):
        Labels(KNOWN_TRUTHS["spec"], LABEL, MAG, Z_ERR[:, :1])
