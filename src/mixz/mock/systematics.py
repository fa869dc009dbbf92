"""What goes wrong in real photometry and labels, as switches: zero points, apertures, blends, labels biased by colour.

These are why a network trained on many-band labels in one deep field is biased on spectra elsewhere, and so what
refining on spectra repairs.  Levels are ours, chosen within what the surveys report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.mock.templates import Array


@dataclass(frozen=True)
class Systematics:
    """Levels of what goes wrong; a level of 0 switches one off, `Systematics.none()` all.

    Parameters
    ----------
    cosmos_zero_point_mag
        Offset of the COSMOS field's HSC magnitudes in grizy.  Ours, redder in the deep field by twice what HSC
        reports: its calibration against Pan-STARRS holds to about 0.01-0.02 mag per band (Aihara+19).
    patch_scatter_mag
        Scatter of the zero points from one square degree of the wide fields to the next, per band (same source).
    aperture_gradient_mag
        Strength of the colour gradients of galaxies, bluer outside, as `aperture_loss` uses it for COSMOS2020's
        aperture magnitudes (HSC's cmodel magnitudes have none).  Ours.
    blend_fraction
        Share of galaxies whose flux includes an unrelated neighbour's.  Ours.
    label_bias_per_mag
        Shift of many-band labels, in (1 + z), per magnitude of g - z above `label_bias_colour`.  Ours, about the
        core scatter of the labels across the range of colours.
    label_bias_colour
        The g - z at which labels are unbiased.

    Examples
    --------
    >>> Systematics().blend_fraction, Systematics.none().blend_fraction
    (0.03, 0.0)
    """

    cosmos_zero_point_mag: tuple[float, ...] = (0.04, 0.02, 0.0, -0.02, -0.03)
    patch_scatter_mag: float = 0.01
    aperture_gradient_mag: float = 0.05
    blend_fraction: float = 0.03
    label_bias_per_mag: float = -0.005
    label_bias_colour: float = 1.5

    @classmethod
    def none(cls) -> Systematics:
        """Switch everything off: noise and label scatter only."""
        return cls((0.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.0, 0.0, 0.0)


def blend(mag: Array, *, fraction: float, seed: int) -> Array:
    """Add to a share of the galaxies the light of another one of the same sample, fainter or up to 1 mag brighter.

    Parameters
    ----------
    mag
        Magnitudes [AB], shape (galaxy, band).
    fraction
        Share of galaxies that are blended.
    seed
        The same seed blends the same galaxies.
    """
    rng = np.random.default_rng(seed)
    hit = rng.random(len(mag)) < fraction
    neighbour = mag[rng.integers(len(mag), size=len(mag))]
    # The neighbour's colours at a brightness relative to ours: brighter ones would be deblended as the main object.
    fainter_by = rng.uniform(0.5, 4.0, len(mag))
    i = mag.shape[1] // 2
    neighbour = neighbour + (mag[:, i] + fainter_by - neighbour[:, i])[:, None]
    total = -2.5 * np.log10(10 ** (-0.4 * mag) + 10 ** (-0.4 * neighbour))
    return np.where(hit[:, None], total, mag)


def patch_offsets(patch: NDArray[np.int64], bands: int, *, scatter_mag: float, seed: int) -> Array:
    """Draw one zero-point offset per patch and band; give each galaxy its patch's, shape (galaxy, band)."""
    rng = np.random.default_rng(seed)
    _, index = np.unique(patch, return_inverse=True)
    return np.asarray(rng.normal(0, scatter_mag, (int(index.max(initial=0)) + 1, bands))[index])


def aperture_loss(radius_arcsec: Array, *, diameter_arcsec: float, gradient_mag: float, bands: int) -> Array:
    """What an aperture misses: magnitudes to add per galaxy and band, shape (galaxy, band).

    dm = -2.5 log10(f) + 2 (1 - f) gradient_mag s,  with f the share of light inside and s = 1 in the bluest band, -1
    in the reddest, so that aperture colours come out redder than total ones.  An exponential disc of scale h, smeared
    to 0.6" seeing, has f = 1 - (1 + x) exp(-x) inside x = R / h.

    Parameters
    ----------
    radius_arcsec
        Half-light radii, shape (galaxy,); h = radius / 1.678.
    diameter_arcsec
        Of the aperture.
    gradient_mag
        Strength of the colour gradient.
    bands
        Number of bands, from blue to red.

    Examples
    --------
    >>> loss = aperture_loss(np.array([0.3]), diameter_arcsec=2.0, gradient_mag=0.05, bands=5)
    >>> loss.round(2).tolist()
    [[0.12, 0.11, 0.11, 0.1, 0.1]]
    """
    scale = np.hypot(radius_arcsec, 0.3) / 1.678
    x = 0.5 * diameter_arcsec / scale
    inside = 1 - (1 + x) * np.exp(-x)
    slope = np.linspace(1, -1, bands) * gradient_mag
    return -2.5 * np.log10(inside)[:, None] + (1 - inside)[:, None] * 2 * slope


def label_shift(colour_gz: Array, systematics: Systematics, *, z: Array) -> Array:
    """The shift of many-band labels by colour: b (g - z - c) (1 + z), shape (galaxy,)."""
    redder = np.clip(colour_gz - systematics.label_bias_colour, -1.5, 2.5)
    return np.asarray(systematics.label_bias_per_mag * redder * (1 + z))
