"""Densities that are known to be dishonest become honest, honest ones stay; noisy labels mislead nobody."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch
from scipy.optimize import check_grad

from mixz.densities.calibration import KNOTS, Calibration, _logit, _Problem, _shares
from mixz.densities.grid import Grid, even_grid
from mixz.metrics.pdf import coverage, pit_ks
from mixz.truths import KNOWN_TRUTHS, Labels

GRID = even_grid(80, 2.5)
TRUE_WIDTH = 0.06


def densities(centre: np.ndarray, *, shift: float, width: float, grid: Grid = GRID) -> np.ndarray:
    """Gaussian masses in ln(1 + z), off by `shift` and as wide as `width`."""
    x = (np.log1p(grid.z) - centre[:, None] - shift) / width
    mass = np.exp(-0.5 * np.square(x))
    return (mass / mass.sum(axis=1, keepdims=True)).astype(np.float32)


def galaxies(count: int, *, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw centres of ln(1 + z), redshifts about them, and i magnitudes."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0.35, 0.9, count)
    z = np.expm1(centre + TRUE_WIDTH * rng.standard_normal(count))
    return centre, z, rng.uniform(21, 24.8, count)


@lru_cache(maxsize=1)
def noisily_labelled() -> tuple[np.ndarray, ...]:
    """Centres, redshifts, magnitudes, COSMOS2020 labels, and their likelihood."""
    centre, z, mag = galaxies(2000, seed=3)
    labels = Labels(KNOWN_TRUTHS["many_band"], z, mag).draw(z, seed=4)
    return centre, z, mag, labels.z, labels.likelihood(GRID)


def at_face_value(z: np.ndarray) -> np.ndarray:
    """The likelihood of labels that are the redshift."""
    return Labels(KNOWN_TRUTHS["spec"], z, np.full(len(z), 22.0)).likelihood(GRID)


def pits(mass: np.ndarray, z: np.ndarray) -> np.ndarray:
    return GRID.cdf(mass, z[:, None])[:, 0]


@pytest.mark.parametrize(
    ("shift", "width"), [(0.0, 0.03), (0.03, 0.06), (-0.04, 0.04), (0.0, 0.1)], ids=["narrow", "biased", "both", "wide"]
)
def test_dishonest_densities_become_honest(shift: float, width: float) -> None:
    centre, z, mag = galaxies(4000, seed=1)
    mass = densities(centre, shift=shift, width=width)
    calibration = Calibration.fit(mass, at_face_value(z), mag)
    centre, z, mag = galaxies(20_000, seed=2)
    mass = densities(centre, shift=shift, width=width)
    honest = calibration(mass, mag)
    after = pits(honest, z)
    assert pit_ks(pits(mass, z)) > 0.08
    assert pit_ks(after) < 0.02
    for level in (0.68, 0.90, 0.95):
        assert abs(coverage(after, level=level) - level) < 0.015
    assert float(honest.min()) >= 0
    np.testing.assert_allclose(honest.sum(axis=1), 1, rtol=0, atol=1e-5)


def test_dishonesty_may_depend_on_magnitude() -> None:
    def seen(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        centre, z, mag = galaxies(count, seed=seed)
        wide, narrow = densities(centre, shift=0, width=0.09), densities(centre, shift=0, width=0.04)
        return np.where((mag < 23)[:, None], wide, narrow), z, mag

    mass, z, mag = seen(6000, 1)
    calibration = Calibration.fit(mass, at_face_value(z), mag)
    mass, z, mag = seen(20_000, 2)
    for some in (mag < 22.3, mag > 23.7):
        before, after = pits(mass[some], z[some]), pits(calibration(mass[some], mag[some]), z[some])
        assert abs(coverage(before, level=0.68) - 0.68) > 0.1
        assert abs(coverage(after, level=0.68) - 0.68) < 0.03


def test_noisy_labels_calibrate_the_density_of_the_redshift() -> None:
    centre, _, mag, label, likelihood = noisily_labelled()
    mass = densities(centre, shift=0.02, width=0.04)
    corrected = Calibration.fit(mass, likelihood, mag)
    naive = Calibration.fit(mass, at_face_value(label), mag)
    centre, z, mag = galaxies(20_000, seed=5)
    mass = densities(centre, shift=0.02, width=0.04)
    ks = [pit_ks(pits(m, z)) for m in (mass, corrected(mass, mag), naive(mass, mag))]
    assert ks[0] > 0.1
    assert ks[1] < 0.02
    assert ks[2] > 1.5 * ks[1]


def test_honest_densities_stay() -> None:
    centre, z, mag = galaxies(4000, seed=6)
    mass = densities(centre, shift=0, width=TRUE_WIDTH)
    calibration = Calibration.fit(mass, at_face_value(z), mag)
    moved = np.abs(calibration(mass, mag) - mass).sum(axis=1) / 2
    assert float(moved.mean()) < 0.03
    same = Calibration.identity()(mass, mag)
    np.testing.assert_allclose(same, mass, rtol=1e-4, atol=1e-7)


def test_few_galaxies_change_little() -> None:
    centre, z, mag = galaxies(40, seed=7)
    mass = densities(centre, shift=0, width=TRUE_WIDTH)
    calibration = Calibration.fit(mass, at_face_value(z), mag)
    assert calibration.height.shape[:2] == (1, 1)
    slope = np.diff(calibration.height[0], axis=1) / np.diff(calibration.knots)
    assert float(slope.min()) > 0.6
    assert float(slope.max()) < 1.6


def test_a_density_on_one_node_and_unknown_galaxies_pass_through() -> None:
    mass = np.zeros((3, len(GRID)), np.float32)
    mass[0, 50], mass[1, 0], mass[2] = 1, 1, np.nan
    centre, z, mag = galaxies(500, seed=8)
    calibration = Calibration.fit(densities(centre, shift=0.01, width=0.03), at_face_value(z), mag)
    after = calibration(mass, np.array([22.0, np.nan, 22.0]))
    np.testing.assert_allclose(after[:2].sum(axis=1), 1, rtol=1e-5)
    assert float(after[:2].min()) >= 0
    assert np.isnan(after[2]).all()


def test_numpy_and_torch_map_alike() -> None:
    centre, z, mag = galaxies(500, seed=9)
    mass = densities(centre, shift=0.01, width=0.03)
    calibration = Calibration.fit(mass, at_face_value(z), mag)
    mine = calibration(mass, mag)
    theirs = calibration(torch.from_numpy(mass), torch.from_numpy(mag))
    np.testing.assert_allclose(theirs.numpy(), mine, rtol=1e-5, atol=1e-9)


def test_the_gradient_is_that_of_the_objective() -> None:
    centre, z, mag = galaxies(300, seed=10)
    mass = densities(centre, shift=0.01, width=0.03).astype(float)
    problem = _Problem(
        t=_logit(mass),
        likelihood=at_face_value(z).astype(float),
        near=_shares(mag, np.array([22.0, 24.0])),
        knots=np.array(KNOTS),
    )
    here = np.random.default_rng(1).normal(0, 0.2, 2 * len(KNOTS))
    wrong = check_grad(lambda x: problem.objective(x)[0], lambda x: problem.objective(x)[1], here)
    assert wrong < 1e-4 * np.abs(problem.objective(here)[1]).max()


@pytest.mark.parametrize("width", [TRUE_WIDTH / 2, TRUE_WIDTH], ids=["unlike", "alike"])
def test_systems_have_maps_of_their_own_where_that_helps(width: float) -> None:
    """One survey's densities are too broad, the other's too narrow: one map for both would mend neither."""
    centre, z, mag = galaxies(3000, seed=11)
    system = np.arange(len(z)) % 3 == 0
    mass = densities(centre, shift=0.0, width=1.5 * width)
    mass[system] = densities(centre[system], shift=0.0, width=0.75 * width if width < TRUE_WIDTH else 1.5 * width)
    calibration = Calibration.fit(mass, at_face_value(z), mag, system=system.astype(int))
    assert len(calibration.height) == (2 if width < TRUE_WIDTH else 1)
    honest = calibration(mass, mag, system.astype(int))
    for its in (system, ~system):
        assert pit_ks(pits(honest[its], z[its])) < 1.6 / np.sqrt(its.sum())


def test_a_system_of_few_galaxies_has_the_map_of_all() -> None:
    centre, z, mag = galaxies(1500, seed=12)
    system = np.repeat([0, 1, 2], [700, 700, 100])
    mass = densities(centre, shift=0.0, width=0.03)
    mass[system == 0] = densities(centre[system == 0], shift=0.0, width=0.12)
    calibration = Calibration.fit(mass, at_face_value(z), mag, system=system)
    assert len(calibration.height) == 3
    shared = Calibration.fit(mass, at_face_value(z), mag)
    np.testing.assert_array_equal(calibration.height[2], shared.height[0])
