"""The calibration that goes into an ONNX graph: laws of the map, and its agreement with scipy's normal distribution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm

from mixz.model.grid import Grid
from mixz.model.onnx_calibration import TracedCalibration, normal_cdf, normal_quantile

GRID = Grid.even(nodes=100, z_max=4.0)
KNOTS = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0])


def densities(count: int = 60) -> torch.Tensor:
    """Simulate densities, narrow and broad."""
    source = torch.Generator().manual_seed(0)
    middle, width = 1.5 * torch.rand(count, 1, generator=source), 0.01 + 0.2 * torch.rand(count, 1, generator=source)
    return torch.softmax(-(((torch.log1p(GRID.z) - middle) / width) ** 2) / 2, dim=-1)


def test_the_normal_distribution_is_scipys() -> None:
    x = np.linspace(-11, 6, 400)
    np.testing.assert_allclose(normal_cdf(torch.tensor(x)).numpy(), norm.cdf(x), rtol=1e-9)
    p = np.logspace(-30, np.log10(0.85), 400)
    np.testing.assert_allclose(normal_quantile(torch.tensor(p)).numpy(), norm.ppf(p), rtol=1e-9, atol=1e-9)


def test_the_identity_changes_nothing() -> None:
    same = TracedCalibration(torch.zeros(1), KNOTS, KNOTS[None])
    mass = densities()
    np.testing.assert_allclose(same(mass, torch.full((60,), 22.0)).numpy(), mass.numpy(), atol=1e-7)


def test_it_is_the_map_it_says() -> None:
    height = torch.stack([0.5 * KNOTS, KNOTS + 0.2])
    mag = torch.tensor([21.0, 23.0])
    mass, mag_i = densities(), torch.linspace(20, 24, 60)
    found = TracedCalibration(mag, KNOTS, height)(mass, mag_i).double().numpy()
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    for galaxy in (0, 30, 59):
        share = np.interp(float(mag_i[galaxy]), mag.numpy(), [0.0, 1.0])
        h = ((1 - share) * height[0] + share * height[1]).numpy()
        cdf = np.clip(np.cumsum(mass[galaxy].double().numpy()), 1e-12, 1 - 1e-9)[:-1]
        inside = (cdf > 2e-3) & (cdf < 1 - 2e-3)
        expected = norm.cdf(np.interp(norm.ppf(cdf), KNOTS.numpy(), h))
        np.testing.assert_allclose(np.cumsum(found[galaxy])[:-1][inside], expected[inside], atol=1e-4)


@pytest.mark.parametrize("mag_i", [float("nan"), 10.0, 30.0])
def test_any_magnitude_will_do(mag_i: float) -> None:
    calibration = TracedCalibration(torch.tensor([21.0, 23.0]), KNOTS, torch.stack([KNOTS, 2 * KNOTS]))
    assert bool(calibration(densities(2), torch.full((2,), mag_i)).isfinite().all())
