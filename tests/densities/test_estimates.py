"""Point estimates of densities against sums over the grid, one redshift at a time."""

from __future__ import annotations

import numpy as np
import pytest

from mixz.densities.estimates import zbest, zcore
from mixz.densities.grid import Grid

GRID = Grid(np.linspace(0, 2, 401))


def two_peaks(share: float) -> np.ndarray:
    """A sharp peak at .5, and for the rest a broad one that begins a tenth above it."""
    sharp, broad = (np.exp(-(((GRID.z - at) / sigma) ** 2) / 2) for at, sigma in ((0.5, 0.02), (0.62, 0.1)))
    return np.asarray(share * sharp / sharp.sum() + (1 - share) * broad / broad.sum())[None]


def test_zcore_is_the_lowest_of_its_expected_loss() -> None:
    mass = two_peaks(0.6)
    dz = (GRID.z[:, None] - GRID.z[None]) / (1 + GRID.z[None])
    sharp = (dz / 0.03) ** 2 / (1 + (dz / 0.03) ** 2)
    outlier = 1 / (1 + np.exp((0.15 - np.abs(dz)) / 0.008))
    expected = (outlier + sharp) @ mass[0]
    assert zcore(mass, GRID)[0] == pytest.approx(GRID.z[expected.argmin()], abs=0.005)


def test_zcore_stays_in_a_peak_that_a_wing_pulls_zbest_out_of() -> None:
    mass = two_peaks(0.6)
    assert zcore(mass, GRID)[0] == pytest.approx(0.5, abs=0.006)
    assert zbest(mass, GRID)[0] > 0.52


def test_without_a_core_it_is_zbest() -> None:
    broad = np.exp(-(((GRID.z - 1) / 0.25) ** 2) / 2)[None]
    broad /= broad.sum()
    assert zcore(broad, GRID) == zbest(broad, GRID)
