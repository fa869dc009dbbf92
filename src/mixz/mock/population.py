"""The simulated galaxies: luminosity functions, spectra and dust give redshifts, noiseless magnitudes and sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError
from mixz.mock import hsc
from mixz.mock.templates import Array, template_grid

if TYPE_CHECKING:
    from numpy.random import Generator

Z_RANGE = (0.01, 4.2)

YOUNG = (1, 4)  # kcorrect templates dominated by young stars


@dataclass(frozen=True)
class Population:
    """One kind of galaxy: how bright, how many, and of which spectra.

    Parameters
    ----------
    m_star, m_star_slope
        Rest-frame B (AB): M*(z) = m_star + m_star_slope log10(1 + z).
    z_stop
        M* stays as it is beyond this redshift.
    phi_star, phi_star_slope
        phi*(z) = phi_star exp(phi_star_slope z)  [Mpc^-3 mag^-1, comoving].
    alpha
        Faint-end slope.
    dirichlet_0, dirichlet_1, template_weight
        Shares of the five kcorrect templates: Dirichlet(a_0^(1-z) a_1^z), times the weights
        (Herbel+17 JCAP 08 035, eq. 3.9).
    young_per_mag, young_per_z, young_scatter_dex
        The two young templates count 10^(young_per_mag (M_B + 20) + young_per_z (z - 0.5) + N(0, young_scatter_dex))
        times as much: faint and distant galaxies are bluer, and star formation comes in bursts.
    ebv_mean
        Mean of the exponential distribution of the reddening added to the templates.
    """

    m_star: float
    m_star_slope: float
    z_stop: float
    phi_star: float
    phi_star_slope: float
    alpha: float
    dirichlet_0: tuple[float, ...]
    dirichlet_1: tuple[float, ...]
    template_weight: tuple[float, ...]
    young_per_mag: float
    young_per_z: float
    young_scatter_dex: float
    ebv_mean: float

    def density(self, mag_b: Array, *, z: Array) -> Array:
        """Galaxies per Mpc^3 and mag: 0.4 ln 10 phi* x^(alpha + 1) exp(-x), x = 10^(-0.4 (M - M*))."""
        m_star = self.m_star + self.m_star_slope * np.log10(1 + np.minimum(z, self.z_stop))
        x = 10 ** (-0.4 * (mag_b - m_star))
        phi_star = self.phi_star * np.exp(self.phi_star_slope * z)
        return np.asarray(0.4 * np.log(10) * phi_star * x ** (self.alpha + 1) * np.exp(-x))

    def weights(self, rng: Generator, mag_b: Array, *, z: Array) -> Array:
        """Draw the share of each template, shape (galaxy, template)."""
        # The evolution was measured to z = 1 (Herbel+17); held beyond 1.5 rather than trusted (ours).
        z = np.minimum(z, 1.5)
        shape = np.asarray(self.dirichlet_0) ** (1 - z[:, None]) * np.asarray(self.dirichlet_1) ** z[:, None]
        share = rng.standard_gamma(shape) * self.template_weight
        young = rng.normal(self.young_per_mag * (mag_b + 20) + self.young_per_z * (z - 0.5), self.young_scatter_dex)
        share[:, YOUNG] *= 10 ** young[:, None]
        return np.asarray(share)


# Dirichlet shapes: Herbel+17 as in skypy's SDSS example.  All else is ours: a random search gave the luminosity
# functions; then evolution, template weights and bursts were tuned until g - z at given z and i looked like that of
# real HSC galaxies with spectra, and five-band photo-z were as good as HSC's (mixz.mock.realism prints both).
BLUE = Population(
    m_star=-20.26, m_star_slope=-3.70, z_stop=3.04, phi_star=0.0038, phi_star_slope=-0.45, alpha=-1.27,
    dirichlet_0=(2.079, 3.524, 1.917, 1.992, 2.536), dirichlet_1=(2.265, 3.862, 1.921, 1.685, 2.480),
    template_weight=(3.47e9, 4.0e6, 2.13e9, 1.64e10, 1.3e9),
    young_per_mag=0.1, young_per_z=0.2, young_scatter_dex=0.25, ebv_mean=0.06,
)  # fmt: skip
RED = Population(
    m_star=-20.06, m_star_slope=-2.8, z_stop=3.04, phi_star=0.0038, phi_star_slope=-1.15, alpha=-0.5,
    dirichlet_0=(2.461, 2.358, 2.568, 2.268, 2.402), dirichlet_1=(2.410, 2.340, 2.200, 2.540, 2.464),
    template_weight=(9.0e9, 2.0e5, 2.5e8, 4.66e10, 3.03e7),
    young_per_mag=0.1, young_per_z=0.8, young_scatter_dex=0.3, ebv_mean=0.02,
)  # fmt: skip


@dataclass(frozen=True)
class Galaxies:
    """Simulated galaxies without noise.

    Parameters
    ----------
    z_true
        Redshift, shape (galaxy,).
    mag
        Total AB magnitude in grizy, shape (galaxy, band).
    radius_arcsec
        Half-light radius, shape (galaxy,).
    red
        Drawn from the red population, shape (galaxy,).
    """

    z_true: Array
    mag: Array
    radius_arcsec: Array
    red: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.z_true)

    def rows(self, chosen: Any) -> Galaxies:
        """Keep the `chosen` galaxies (mask or indices)."""
        return Galaxies(self.z_true[chosen], self.mag[chosen], self.radius_arcsec[chosen], self.red[chosen])


def draw_galaxies(
    galaxies: int, *, seed: int, i_limit: float = 25.5, count_tilt: float = 0.0, red_boost: float = 1.0
) -> Galaxies:
    """Draw galaxies brighter than a limit in i from the luminosity functions.

    N(z, M) ~ phi(M, z) dV/dz, made flatter in magnitude by 10^(-count_tilt (i - i_limit)) where asked.

    Parameters
    ----------
    galaxies
        How many.
    seed
        The same seed gives the same galaxies.
    i_limit
        Faintest total i magnitude [AB].
    count_tilt
        0 gives galaxies as they are in the sky; about 0.4 gives as many bright as faint ones, the parent that a
        selection by brightness needs.
    red_boost
        How many times more red galaxies to draw than there are, for the same purpose.

    Raises
    ------
    MixzError
        `galaxies` is not positive, or skypy or speclite is not installed.
    """
    if galaxies < 1:
        raise MixzError(f"galaxies: {galaxies}", "1 or more", "ask for 30000 galaxies for a first look")
    rng = np.random.default_rng(seed)
    cells = _cells(i_limit, count_tilt, red_boost)
    parts, found, drawn = [], 0, 0
    while found < galaxies:
        size = int(1.1 * (galaxies - found) * max(1.0, drawn / max(found, 1)) + 1000)
        batch = _draw_batch(rng, cells, size, i_limit)
        parts.append(batch)
        found, drawn = found + len(batch), drawn + size
    return _joined(parts).rows(slice(galaxies))


@dataclass(frozen=True)
class _Cells:
    """Numbers of galaxies on a grid of population, redshift and B magnitude, ready to draw from."""

    z: Array
    mag_b: Array
    cumulative: Array


def _cells(i_limit: float, count_tilt: float, red_boost: float) -> _Cells:
    """Count galaxies per cell, leaving out those that are surely too faint and tilting the counts."""
    z = np.arange(Z_RANGE[0], Z_RANGE[1], 0.01) + 0.005
    mag_b = np.arange(-25.0, -10.0, 0.1) + 0.05
    volume, modulus = _distances(z)
    tilted = []
    for population, boost in ((BLUE, 1.0), (RED, red_boost)):
        number = population.density(mag_b, z=z[:, None]) * (volume * 0.01)[:, None] * 0.1
        i = mag_b + (modulus + _typical_i(population, z))[:, None]
        kept = np.where(i < i_limit + 1.5, number, 0.0)
        tilted.append(boost * kept * 10 ** (-count_tilt * np.maximum(i - i_limit, -9)))
    return _Cells(z, mag_b, np.cumsum(np.stack(tilted).ravel()))


def _draw_batch(rng: Generator, cells: _Cells, size: int, i_limit: float) -> Galaxies:
    """Draw `size` galaxies from the cells and keep the bright enough ones."""
    flat = np.searchsorted(cells.cumulative, rng.random(size) * cells.cumulative[-1], side="right")
    kind, i, j = np.unravel_index(flat, (2, len(cells.z), len(cells.mag_b)))
    z = cells.z[i] + 0.01 * (rng.random(size) - 0.5)
    mag_b = cells.mag_b[j] + 0.1 * (rng.random(size) - 0.5)
    red = kind == 1
    weights = np.where(red[:, None], RED.weights(rng, mag_b, z=z), BLUE.weights(rng, mag_b, z=z))
    ebv = rng.exponential(np.where(red, RED.ebv_mean, BLUE.ebv_mean))
    mag = (mag_b + _distances(z)[1])[:, None] + template_grid().colour(weights, ebv=ebv, z=z)
    radius = _radius_arcsec(rng, mag_b, red, z=z)
    bright = mag[:, hsc.BANDS.index("i")] < i_limit
    return Galaxies(z, mag, radius, red).rows(bright)


def _typical_i(population: Population, z: Array) -> Array:
    """i - M_B - DM of the population's mean spectrum, shape of `z`."""
    shares = np.asarray(population.dirichlet_0) * population.template_weight
    ebv = np.full_like(z, population.ebv_mean)
    colour = template_grid().colour(np.tile(shares, (len(z), 1)), ebv=ebv, z=z)
    return colour[:, hsc.BANDS.index("i")]


def _distances(z: Array) -> tuple[Array, Array]:
    """Comoving volume per deg^2 and redshift [Mpc^3] and distance modulus [mag] at `z`."""
    from astropy.cosmology import Planck18

    grid = np.linspace(0.001, 4.5, 2000)
    deg2_per_sr = (180 / np.pi) ** 2
    volume = np.interp(z, grid, Planck18.differential_comoving_volume(grid).value / deg2_per_sr)
    return volume, np.interp(z, grid, Planck18.distmod(grid).value)


def _radius_arcsec(rng: Generator, mag_b: Array, red: Any, *, z: Array) -> Array:
    """Draw half-light radii: log-normal about a size-luminosity relation.

    r = 4.5 kpc 10^(-0.1 (M_B + 20.5)) (1 + z)^-1 for blue, 0.7 of it for red, scatter 0.2 dex: ours, after the
    slopes and scatter of Shen+03 (MNRAS 343 978) and van der Wel+14 (ApJ 788 28).
    """
    from astropy.cosmology import Planck18

    grid = np.linspace(0.001, 4.5, 2000)
    kpc_per_arcsec = np.interp(z, grid, 1 / Planck18.arcsec_per_kpc_proper(grid).value)
    kpc = 4.5 * 10 ** (-0.1 * (mag_b + 20.5)) / (1 + z) * np.where(red, 0.7, 1.0)
    return np.asarray(kpc * 10 ** rng.normal(0, 0.2, z.shape) / kpc_per_arcsec)


def _joined(parts: list[Galaxies]) -> Galaxies:
    names = ("z_true", "mag", "radius_arcsec", "red")
    return Galaxies(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})
