"""What a label says of the redshift: the label likelihood K(z_label | z) on the grid of densities.

-log p(z_label | x) = -log int K(z_label | z) p(z | x) dz = -log sum_k says_k s_k

with s the masses of the density and says_k = int K(z_label | z) hat_k(z) dz / c_k.  Since p is a sum of triangles, this
is exact.  A model trained so gives the density of the redshift, not of the label (forward correction, Patrini et al.
2017, arXiv:1609.03683); spectra say where on the grid they are, many-band labels as much as their kernel allows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from mixz.densities.grid import cell as areas
from mixz.truths.gaussian import GaussianKernel

if TYPE_CHECKING:
    from mixz.arrays import Floats
    from mixz.densities.grid import Grid
    from mixz.truths.kernel import Kernel

PER_CELL = (8, 64)
"""Points at which a kernel is evaluated in every cell of the grid: at least, and at most however narrow it is."""
CHUNK = 2_000
LEAST = 1e-7
"""What every label says at least of any redshift, against the most it says: none is right beyond all doubt (ours)."""


def says_exactly(z_label: Floats, grid: Grid) -> torch.Tensor:
    """Give what labels say that are taken at face value: p(z_label) = sum_k says_k s_k, shape (galaxy, z).

    Labels off the grid count as its ends.

    Examples
    --------
    >>> from mixz.densities.grid import Grid
    >>> grid = Grid([0.0, 1.0, 2.0])
    >>> says_exactly(np.array([0.25]), grid)
    tensor([[1.5000, 0.2500, 0.0000]])
    """
    z = grid.z
    label = np.clip(z_label, z[0], z[-1])
    right = np.clip(np.searchsorted(z, label, side="right"), 1, len(z) - 1)
    share = (label - z[right - 1]) / (z[right] - z[right - 1])
    says = np.zeros((len(label), len(z)), np.float32)
    row, cell = np.arange(len(label)), areas(grid)
    says[row, right - 1] = (1 - share) / cell[right - 1]
    says[row, right] = share / cell[right]
    return torch.from_numpy(says)


def says_through(
    kernel: Kernel, z_label: Floats, mag_i: Floats, grid: Grid, z_err: Floats | None = None
) -> torch.Tensor:
    """Give what labels say that are wrong as `kernel` has it, shape (galaxy, z).

    Parameters
    ----------
    kernel
        How wrong the labels are.
    z_label, mag_i
        The labels, and the i magnitudes that their kernel depends on; shape (galaxy,).
    grid
        The grid of densities.
    z_err
        How far each label's own 68 % interval reaches below and above it, shape (galaxy, 2), where known.

    Examples
    --------
    A density whose true redshifts scatter by 0.03 has labels that scatter by 0.05 when their kernel adds 0.04:

    >>> from mixz.densities.grid import Grid
    >>> grid = Grid(np.linspace(0, 2, 201))
    >>> mass = torch.exp(-((torch.tensor(grid.z, dtype=torch.float32) - 1) ** 2) / (2 * 0.03**2))
    >>> at = np.array([1.0, 1.05])
    >>> likelihood = says_through(GaussianKernel(0.02), at, np.full(2, 22.0), grid) @ (mass / mass.sum())
    >>> round(float(torch.log(likelihood[0] / likelihood[1])), 1)
    0.5
    """
    if isinstance(kernel, GaussianKernel) and kernel.sigma < math.log1p(grid.z[1]) / 2:
        return says_exactly(z_label, grid)
    z = grid.z
    # Simpson's rule needs an even number, and points no farther apart than half the kernel's width.
    points = 2 * math.ceil(float(np.diff(np.log1p(grid.z)).max()) / kernel.narrowest)
    points = min(max(points, PER_CELL[0]), PER_CELL[1])
    fine = np.append((z[:-1, None] + np.diff(z)[:, None] * np.arange(points) / points).ravel(), z[-1])
    hats = _hats(z, fine)
    says = np.empty((len(z_label), len(z)), np.float32)
    for start in range(0, len(z_label), CHUNK):
        here = slice(start, start + CHUNK)
        width = None if z_err is None else z_err[here][:, None]
        density = kernel.density(z_label=z_label[here, None], z=fine[None], mag_i=mag_i[here, None], z_err=width)
        found = density @ hats
        most = found.max(axis=1, keepdims=True)
        # A label that the kernel holds impossible at every redshift says nothing.
        says[here] = np.where(most > 0, np.maximum(found, LEAST * most), 1.0)
    return torch.from_numpy(says)


def _hats(z: Floats, fine: Floats) -> Floats:
    """Tabulate each node's triangle, of area 1, times Simpson's weights at the fine points; shape (fine, z)."""
    weights, points = np.zeros(len(fine)), (len(fine) - 1) // (len(z) - 1)
    simpson = np.array([1, *([4, 2] * (points // 2))[:-1], 1]) / 3
    for cell, width in enumerate(np.diff(z)):
        weights[cell * points : (cell + 1) * points + 1] += simpson * width / points
    hats = np.stack([np.interp(fine, z, node) for node in np.eye(len(z))], axis=1)
    areas = weights @ hats
    return np.asarray(hats * weights[:, None] / areas)
