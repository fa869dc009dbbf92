"""What labels say on the grid of densities, through every kernel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mixz.densities.grid import Grid, even_grid
from mixz.model.label_likelihood import says_through
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.kernel import Kernel
from mixz.truths.known import COSMOS2020
from mixz.truths.reported import ReportedKernel
from mixz.truths.table import TableKernel

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


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_it_is_the_integral_of_kernel_and_density(kernel: Kernel, grid: Grid) -> None:
    says = says_through(kernel, LABEL, MAG, grid, Z_ERR)
    assert says.shape == (3, len(grid.z))
    assert (says > 0).all()
    mass = torch.softmax(-((torch.log1p(torch.from_numpy(grid.z).float()) - 0.5) ** 2) / 0.3, dim=0)
    z = np.linspace(0, 4, 400_001)
    density = np.interp(z, grid.z, grid.density(mass).numpy())
    for k in range(3):
        whole = kernel.density(z_label=LABEL[k], z=z, mag_i=MAG[k], z_err=Z_ERR[k]) * density
        assert float(says[k] @ mass) == pytest.approx(np.trapezoid(whole, z), rel=0.03)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_a_label_that_is_impossible_everywhere_says_nothing(kernel: Kernel) -> None:
    says = says_through(kernel, np.array([30.0]), MAG[:1], GRIDS["fine"])
    assert torch.isfinite(says).all()
    assert (says > 0).all()
