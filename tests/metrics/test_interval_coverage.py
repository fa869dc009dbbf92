"""Counting how often intervals hold the redshift, of noisy labels too."""

from __future__ import annotations

import numpy as np
import pytest

from mixz.densities.grid import Grid
from mixz.metrics.intervals import inside, mass_inside
from mixz.truths import GaussianKernel, Labels, Truth

Z = np.linspace(0, 2, 801)


def gauss(mean: np.ndarray, width: float) -> np.ndarray:
    p = np.exp(-(((Z - mean[:, None]) / width) ** 2) / 2)
    return np.asarray(p / np.trapezoid(p, Z, axis=1)[:, None])


def test_ends_count_as_inside() -> None:
    assert inside([[0.2, 0.4]] * 4, z_ref=[0.2, 0.4, 0.1999, 0.4001]).tolist() == [1, 1, 0, 0]


def test_mass_is_what_the_density_has_between_the_ends() -> None:
    found = mass_inside([[0.95, 1.05], [np.nan, np.nan]], gauss(np.array([1.0, 1.0]), 0.05), z_grid=Z)
    assert found[0] == pytest.approx(0.6827, abs=1e-3)
    assert np.isnan(found[1])


@pytest.mark.parametrize("level_width", [(0.6827, 1.0), (0.9545, 2.0)])
def test_noisy_labels_give_the_coverage_that_exact_ones_would(level_width: tuple[float, float]) -> None:
    """Simulated: redshifts scatter by 0.05 about their densities, labels by 0.04 about the redshifts."""
    level, width = level_width
    rng = np.random.default_rng(1)
    middle = rng.uniform(0.8, 1.2, 4_000)
    z = middle + 0.05 * rng.standard_normal(4_000)
    labels = Labels(Truth("many_band", GaussianKernel(0.02)), z, np.full(4_000, 22.0)).draw(z, seed=2)
    ends = np.column_stack([middle - 0.05 * width, middle + 0.05 * width])
    grid = Grid(Z)
    allowed = labels.allowed(grid.mass(gauss(middle, 0.05)), grid)
    weighed = mass_inside(ends, grid.density(allowed), z_grid=Z).mean()
    assert weighed == pytest.approx(level, abs=0.012)
    assert inside(ends, z_ref=z).mean() == pytest.approx(level, abs=0.02)
    assert inside(ends, z_ref=labels.z).mean() < weighed - 0.05, "the labels themselves are inside less often"
