"""Galaxies for the benchmarks, from numpy alone: a 4000-Angstrom break moving through five bands, with noise.

A caricature that is as hard to learn as it must be for training to take its course; not a mock survey.
"""

from __future__ import annotations

import numpy as np
import torch

from mixz.model.training.rows import Rows

BANDS_MICRON = np.array([0.48, 0.62, 0.77, 0.89, 0.98])  # HSC grizy


def magnitudes(count: int, *, seed: int, faint: float = 24.5) -> tuple[np.ndarray, np.ndarray]:
    """Draw redshifts and grizy magnitudes, shapes (galaxy,) and (galaxy, band)."""
    rng = np.random.default_rng(seed)
    z = rng.gamma(3.0, 0.3, count).clip(0.02, 4.0)
    break_depth, slope = rng.beta(2, 2, count), rng.normal(0.0, 0.4, count)
    rest = BANDS_MICRON / (1 + z[:, None])
    drop = 2.0 * break_depth[:, None] / (1 + np.exp((rest - 0.4) / 0.02))
    lyman = 4.0 / (1 + np.exp((rest - 0.12) / 0.004))
    mag = 20.5 + 2.5 * np.log10(1 + z[:, None]) * 2 + drop + lyman + slope[:, None] * np.log(rest / 0.4)
    mag = mag + rng.exponential(1.2, count)[:, None]
    noise = 0.01 + 0.1 * 10 ** (0.4 * (mag - faint))
    return z, mag + rng.normal(size=mag.shape) * noise.clip(max=0.5)


def rows(count: int, *, seed: int, label_error: float = 0.0, faint: float = 24.5) -> Rows:
    """Draw training rows; labels scatter by `label_error` (1 + z)."""
    z, mag = magnitudes(count, seed=seed, faint=faint)
    labels = z + label_error * (1 + z) * np.random.default_rng([seed, 1]).normal(size=count)
    return Rows(torch.tensor((mag - 18) / 10, dtype=torch.float32), torch.tensor(labels, dtype=torch.float32))
