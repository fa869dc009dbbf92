"""Toy galaxies whose redshift is known, with honest or biased densities and labels of both kinds."""

from __future__ import annotations

from typing import Any

import numpy as np

from mixz.densities.grid import Grid
from mixz.tomography import LabelledSample, PhotometricSample
from mixz.truths import GaussianKernel, Labels, Truth

GRID = Grid(np.expm1(np.linspace(0, np.log1p(2.0), 81)))
MANY_BAND = Truth("many_band", GaussianKernel(0.03))
SPEC = Truth("spec", GaussianKernel(0.0005), exact=True)
PHOTO = 0.06
"""Scatter of z_phot / (1 + z)."""


def photometric(galaxies: int, *, seed: int, bias: float = 0.0, patches: int = 0) -> PhotometricSample:
    """Draw galaxies; their densities are Gaussians about z_phot, `bias` (1 + z) too high."""
    rng = np.random.default_rng(seed)
    z = rng.gamma(6, 0.12, galaxies).clip(0.05, 1.9)
    seen = z + PHOTO * (1 + z) * rng.normal(size=galaxies)
    # What a flat prior makes of the scatter is not quite this; the rest is for calibration.
    z_phot = np.clip(seen + bias * (1 + z), 0.02, 1.95)
    mass = np.exp(-((GRID.z - z_phot[:, None]) ** 2) / (2 * (PHOTO * (1 + z_phot[:, None])) ** 2))
    mag = np.stack([22 + 2 * seen, 21.5 + seen], axis=1)
    members = z_phot + rng.normal(0, 0.002, (4, 1))
    patch = rng.integers(0, patches, galaxies) if patches else None
    return PhotometricSample(
        mag, z_phot, (mass / mass.sum(axis=1, keepdims=True)).astype(np.float32), members, patch=patch, z_true=z
    )


def labelled(sample: PhotometricSample, *, seed: int, shift: float = 0.0, spectra: float = 0.2, **more: Any) -> Any:
    """Labels of a sample's galaxies: many-band ones of all, `shift` (1 + z) too high; spectra of a share."""
    rng = np.random.default_rng([seed, 9])
    z, mag_ref = np.asarray(sample.z_true), sample.mag[:, 1]
    noisy = z + (shift + 0.03 * rng.normal(size=len(z))) * (1 + z)
    exact = np.where(rng.random(len(z)) < spectra, z, np.nan)
    return LabelledSample(
        sample, {"many_band": Labels(MANY_BAND, noisy, mag_ref), "spec": Labels(SPEC, exact, mag_ref)}, **more
    )
