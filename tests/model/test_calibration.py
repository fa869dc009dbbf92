"""Densities that are known to be dishonest become honest, honest ones stay; noisy labels mislead nobody."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch

from mixz.metrics.pdf import coverage, pit_ks
from mixz.model.calibration import Calibration
from mixz.model.grid import Grid, even_grid
from mixz.model.label_likelihood import says_exactly, says_through
from mixz.truths.known import COSMOS2020

GRID = even_grid(80, 2.5)
TRUE_WIDTH = 0.06


def densities(centre: torch.Tensor, *, shift: float, width: float, grid: Grid = GRID) -> torch.Tensor:
    """Give Gaussian masses in ln(1 + z), off by `shift` and as wide as `width`."""
    x = (torch.log1p(grid.z) - centre[:, None] - shift) / width
    mass = torch.exp(-0.5 * x.square()).double()
    return (mass / mass.sum(dim=1, keepdim=True)).float()


def galaxies(count: int, *, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw centres of ln(1 + z), redshifts about them, and i magnitudes."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0.35, 0.9, count)
    z = np.expm1(centre + TRUE_WIDTH * rng.standard_normal(count))
    return torch.tensor(centre), torch.tensor(z, dtype=torch.float32), torch.tensor(rng.uniform(21, 24.8, count))


@lru_cache(maxsize=1)
def noisily_labelled() -> tuple[torch.Tensor, ...]:
    """Give centres, redshifts, magnitudes, COSMOS2020 labels, and what these say."""
    centre, z, mag = galaxies(2000, seed=3)
    label = COSMOS2020.draw(z.numpy(), mag_i=mag.numpy(), seed=4)
    says = says_through(COSMOS2020, label, mag.numpy(), GRID)
    return centre, z, mag, torch.tensor(label, dtype=torch.float32), says


def pits(mass: torch.Tensor, z: torch.Tensor) -> np.ndarray:
    return GRID.cdf(mass, z[:, None])[:, 0].numpy()


@pytest.mark.parametrize(
    ("shift", "width"), [(0.0, 0.03), (0.03, 0.06), (-0.04, 0.04), (0.0, 0.1)], ids=["narrow", "biased", "both", "wide"]
)
def test_dishonest_densities_become_honest(shift: float, width: float) -> None:
    centre, z, mag = galaxies(4000, seed=1)
    mass = densities(centre, shift=shift, width=width)
    calibration = Calibration.fit(mass, says_exactly(z.numpy(), GRID), mag)
    centre, z, mag = galaxies(20_000, seed=2)
    mass = densities(centre, shift=shift, width=width)
    honest = calibration(mass, mag)
    after = pits(honest, z)
    assert pit_ks(pits(mass, z)) > 0.08
    assert pit_ks(after) < 0.02
    for level in (0.68, 0.90, 0.95):
        assert abs(coverage(after, level=level) - level) < 0.015
    assert float(honest.min()) >= 0
    torch.testing.assert_close(honest.sum(dim=1), torch.ones(len(honest)), rtol=0, atol=1e-5)


def test_dishonesty_may_depend_on_magnitude() -> None:
    def seen(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        centre, z, mag = galaxies(count, seed=seed)
        wide, narrow = densities(centre, shift=0, width=0.09), densities(centre, shift=0, width=0.04)
        return torch.where((mag < 23)[:, None], wide, narrow), z, mag

    mass, z, mag = seen(6000, 1)
    calibration = Calibration.fit(mass, says_exactly(z.numpy(), GRID), mag)
    mass, z, mag = seen(20_000, 2)
    for some in (mag < 22.3, mag > 23.7):
        before, after = pits(mass[some], z[some]), pits(calibration(mass[some], mag[some]), z[some])
        assert abs(coverage(before, level=0.68) - 0.68) > 0.1
        assert abs(coverage(after, level=0.68) - 0.68) < 0.03


def test_noisy_labels_calibrate_the_density_of_the_redshift() -> None:
    centre, _, mag, label, says = noisily_labelled()
    mass = densities(centre, shift=0.02, width=0.04)
    corrected = Calibration.fit(mass, says, mag)
    naive = Calibration.fit(mass, says_exactly(label.numpy(), GRID), mag)
    centre, z, mag = galaxies(20_000, seed=5)
    mass = densities(centre, shift=0.02, width=0.04)
    ks = [pit_ks(pits(m, z)) for m in (mass, corrected(mass, mag), naive(mass, mag))]
    assert ks[0] > 0.1
    assert ks[1] < 0.02
    assert ks[2] > 1.5 * ks[1]


def test_honest_densities_stay() -> None:
    centre, z, mag = galaxies(4000, seed=6)
    mass = densities(centre, shift=0, width=TRUE_WIDTH)
    calibration = Calibration.fit(mass, says_exactly(z.numpy(), GRID), mag)
    moved = (calibration(mass, mag) - mass).abs().sum(dim=1) / 2
    assert float(moved.mean()) < 0.03
    same = Calibration.identity()(mass, mag)
    torch.testing.assert_close(same, mass, rtol=1e-4, atol=1e-7)


def test_few_galaxies_change_little() -> None:
    centre, z, mag = galaxies(40, seed=7)
    mass = densities(centre, shift=0, width=TRUE_WIDTH)
    calibration = Calibration.fit(mass, says_exactly(z.numpy(), GRID), mag)
    assert calibration.height.shape[0] == 1
    slope = calibration.height.diff(dim=1) / calibration.knots.diff()
    assert float(slope.min()) > 0.6
    assert float(slope.max()) < 1.6


def test_a_density_on_one_node_and_unknown_galaxies_pass_through() -> None:
    mass = torch.zeros(3, len(GRID.z))
    mass[0, 50], mass[1, 0], mass[2] = 1, 1, torch.nan
    centre, z, mag = galaxies(500, seed=8)
    calibration = Calibration.fit(densities(centre, shift=0.01, width=0.03), says_exactly(z.numpy(), GRID), mag)
    after = calibration(mass, torch.tensor([22.0, torch.nan, 22.0]))
    torch.testing.assert_close(after[:2].sum(dim=1), torch.ones(2))
    assert float(after[:2].min()) >= 0
    assert after[2].isnan().all()
