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

    from mixz.data.mock.templates import Array


@dataclass(frozen=True)
class Systematics:
    """Levels of what goes wrong; a level of 0 switches one off, `Systematics.none()` all.

    Parameters
    ----------
    cosmos_zero_point_mag
        Offset of the COSMOS field's magnitudes in grizy.  Ours; HSC calibrates to about 0.01-0.02 mag per band and
        field against Pan-STARRS (Aihara+19, sec. 5).
    patch_scatter_mag
        Scatter of the zero points from one square degree of the wide fields to the next, per band (same source).
    aperture_gradient_mag
        How much bluer per 0.4 micron (in mag) a galaxy twice its half-light radius out is: what an aperture loses
        of a colour.  Ours, after colour gradients of about -0.1 to -0.2 mag per dex in g - i.
    blend_fraction
        Share of galaxies whose flux includes an unrelated neighbour's.  Ours.
    label_bias_per_mag
        Shift of many-band labels, in (1 + z), per magnitude of g - z above `label_bias_colour`.  Ours, about half
        the core scatter across the range of colours.
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
    """Give what an aperture misses: magnitudes to add per galaxy and band, shape (galaxy, band).

    The light outside is that of an exponential disc smeared to 0.6"; what is lost is bluer by `gradient_mag` per
    step of two bands, so that aperture colours come out redder than the total ones.
    """
    scale = np.hypot(radius_arcsec, 0.3) / 1.678
    x = 0.5 * diameter_arcsec / scale
    inside = 1 - (1 + x) * np.exp(-x)
    slope = np.linspace(1, -1, bands) * gradient_mag
    return -2.5 * np.log10(inside)[:, None] + (1 - inside)[:, None] * 2 * slope


def label_shift(colour_gz: Array, systematics: Systematics, *, z: Array) -> Array:
    """Give the shift of many-band labels by colour: b (g - z - c) (1 + z), shape (galaxy,)."""
    redder = np.clip(colour_gz - systematics.label_bias_colour, -1.5, 2.5)
    return np.asarray(systematics.label_bias_per_mag * redder * (1 + z))
