"""Densities as a few Gaussians each: small files for billions of galaxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.densities.grid import Grid, cell

if TYPE_CHECKING:
    from mixz.arrays import Floats

ROUNDS = 60
"""Rounds of expectation and maximisation: more change densities of photo-z by less than a thousandth (ours)."""
NARROWEST = 1e-3
"""No Gaussian is narrower than this in redshift (ours)."""
CHUNK = 100
"""Galaxies at a time: their sums stay in the processor's cache."""
LEAST = 1e-300


def gaussians_of(pdf: Floats, *, z_grid: Floats, components: int) -> tuple[Floats, Floats, Floats]:
    """Fit a mixture of Gaussians to every density, by expectation and maximisation on the nodes' masses.

    It minimises the Kullback-Leibler divergence from the density to the mixture (Dempster, Laird & Rubin 1977, J. R.
    Stat. Soc. B 39, 1), starting at even quantiles.

    Parameters
    ----------
    pdf, z_grid
        Densities of shape (galaxy, z) on nodes of shape (z,), straight between them.
    components
        How many Gaussians.

    Returns
    -------
    means, stds, weights
        Each of shape (galaxy, component); weights sum to 1.

    Examples
    --------
    >>> z = np.linspace(0, 2, 401)
    >>> two = 0.7 * np.exp(-((z - 0.5) / 0.05) ** 2 / 2) + 0.3 * np.exp(-((z - 1.5) / 0.05) ** 2 / 2)
    >>> means, stds, weights = gaussians_of((two / np.trapezoid(two, z))[None], z_grid=z, components=2)
    >>> means.round(2), stds.round(2), weights.round(2)
    (array([[0.5, 1.5]]), array([[0.05, 0.05]]), array([[0.7, 0.3]]))
    """
    grid = Grid(z_grid)
    pieces = [pdf[start : start + CHUNK] for start in range(0, max(1, len(pdf)), CHUNK)]
    found = [_fit(piece, grid, components) for piece in pieces]
    means, stds, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return means, stds, weights


def _fit(pdf: Floats, grid: Grid, components: int) -> tuple[Floats, Floats, Floats]:
    z, mass = grid.z, grid.mass(np.asarray(pdf, dtype=np.float64))
    mass = mass / mass.sum(axis=1, keepdims=True)
    # A node's mass is a triangle, whose variance keeps components from shrinking onto single nodes.
    within = cell(grid) ** 2 / 6
    means = grid.quantiles(mass, (np.arange(components) + 0.5) / components)
    weights = np.full(means.shape, 1 / components)
    mean = mass @ z
    spread = np.sqrt(np.maximum(mass @ z**2 - mean**2, NARROWEST**2))
    stds = np.repeat(np.maximum(spread[:, None] / components, NARROWEST), components, axis=1)
    for _ in range(ROUNDS):
        away = (z - means[..., None]) / stds[..., None]
        joint = (weights / stds)[..., None] * np.exp(-(away**2) / 2)
        shared = joint / np.maximum(joint.sum(axis=1, keepdims=True), LEAST) * mass[:, None]
        weights = np.maximum(shared.sum(axis=2), 1e-12)
        means = (shared @ z) / weights
        variance = (shared * ((z - means[..., None]) ** 2 + within)).sum(axis=2) / weights
        stds = np.sqrt(np.maximum(variance, NARROWEST**2))
    return means, stds, weights / weights.sum(axis=1, keepdims=True)
