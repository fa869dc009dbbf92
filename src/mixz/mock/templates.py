"""Galaxy spectra seen through the HSC filters: flux ratios on a grid of template, dust and redshift, made once.

The spectra are the five kcorrect templates (Blanton & Roweis 2007, AJ 133 734) that ship with skypy.  A galaxy is
their positive sum, so its colours follow from the grid by interpolation, without touching a spectrum again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from mixz.mock import hsc
from mixz.mock.packages import need

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

Z_GRID = np.concatenate([np.arange(0.0, 2.0, 0.005), np.arange(2.0, 4.205, 0.01)])
EBV_GRID = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8])


@dataclass(frozen=True)
class TemplateGrid:
    """In-band fluxes of each template, reddened and redshifted, and in rest-frame B.

    Parameters
    ----------
    flux
        Flux in AB maggies, arbitrary common unit, shape (z, dust, template, band).
    flux_b
        The same through Bessell B at rest, shape (dust, template).
    """

    flux: Array
    flux_b: Array

    def colour(self, weights: Array, *, ebv: Array, z: Array) -> Array:
        """m_band - M_B without the distance modulus: band colour and K correction, shape (galaxy, band).

        m_band - M_B - DM = -2.5 log10( sum_t c_t F_t(z, E) / sum_t c_t B_t(E) )

        Parameters
        ----------
        weights
            c_t, shape (galaxy, template).
        ebv, z
            Reddening E(B-V) inside the galaxy and redshift, shape (galaxy,).
        """
        i, s = _position(Z_GRID, z)
        j, t = _position(EBV_GRID, ebv)
        corners = (((1 - s) * (1 - t), 0, 0), ((1 - s) * t, 0, 1), (s * (1 - t), 1, 0), (s * t, 1, 1))
        seen = sum((w[:, None] * _mix(weights, self.flux[i + a, j + b]) for w, a, b in corners), np.zeros(1))
        rest = sum(
            (w * np.einsum("gt,gt->g", weights, self.flux_b[j + b]) for w, b in ((1 - t, 0), (t, 1))), np.zeros(1)
        )
        return np.asarray(-2.5 * np.log10(seen / rest[:, None]))


@cache
def template_grid() -> TemplateGrid:
    """Integrate the templates through the HSC curves on the whole grid; takes seconds, so it is kept.

    Raises
    ------
    MixzError
        skypy or speclite is not installed.
    """
    wave, light = spectra()
    reddened = light[None] * 10 ** (-0.4 * EBV_GRID[:, None, None] * calzetti(wave))
    curves = need("speclite.filters").load_filters(*hsc.FILTERS.values())
    seen = [through(curves, wave * (1 + z), reddened * igm(wave, z=z) / (1 + z)) for z in Z_GRID]
    b_curve = need("speclite.filters").load_filters("bessell-B")
    return TemplateGrid(flux=np.stack(seen), flux_b=through(b_curve, wave, reddened)[..., 0])


def spectra() -> tuple[Array, Array]:
    """Read wavelengths [Angstrom] below 1.2 micron and f_lambda of the five templates, shape (template, wave)."""
    kcorrect = need("skypy.galaxies.spectrum").kcorrect
    wave = np.asarray(kcorrect.wavelength.value, float)
    optical = wave < 12_000
    return wave[optical], np.asarray(kcorrect.templates.value, float)[:, optical]


def through(curves: Any, wave: Array, f_lambda: Array) -> Array:
    """Integrate f_lambda (..., wave) to AB maggies (..., band): photons counted, as CCDs do."""
    step = np.gradient(wave)
    response = np.stack([np.interp(wave, c.wavelength, c.response, left=0, right=0) for c in curves], axis=-1)
    norm = [np.trapezoid(c.response / c.wavelength, c.wavelength) for c in curves]
    return np.asarray(f_lambda @ (response * (wave * step)[:, None]) / np.asarray(norm))


def calzetti(wave: Array) -> Array:
    """k(lambda) = A(lambda) / E(B-V) of starburst galaxies (Calzetti+00, ApJ 533 682, eq. 4), R_V = 4.05.

    Held at its value at 0.12 micron below, where it was not measured.
    """
    x = 1e4 / np.clip(wave, 1200, 22_000)
    blue = 2.659 * (-2.156 + 1.509 * x - 0.198 * x**2 + 0.011 * x**3) + 4.05
    red = 2.659 * (-1.857 + 1.040 * x) + 4.05
    return np.where(wave < 6300, blue, np.maximum(red, 0))


# Lyman alpha to delta: wavelength [Angstrom] and strength of the forest (Madau 1995, ApJ 441 18).
LYMAN_LINES = ((1215.67, 3.6e-3), (1025.72, 1.7e-3), (972.537, 1.2e-3), (949.743, 9.3e-4))
LYMAN_LIMIT = 911.75


def igm(wave: Array, *, z: float) -> Array:
    """The share of light at rest wavelength `wave` that passes the intergalactic hydrogen, 0 to 1.

    Line blanketing: Madau (1995), eq. 15.  Below the Lyman limit: the approximation of his footnote 3.
    """
    short = wave < LYMAN_LINES[0][0]  # all else passes whole
    rest, seen = wave[short], wave[short] * (1 + z)
    tau = sum((np.where(rest < line, a * (seen / line) ** 3.46, 0.0) for line, a in LYMAN_LINES), np.zeros(1))
    xc, xe = np.maximum(seen / LYMAN_LIMIT, 1), 1 + z
    edge = 0.25 * xc**3 * (xe**0.46 - xc**0.46) + 9.4 * xc**1.5 * (xe**0.18 - xc**0.18)
    edge += -0.7 * xc**3 * (xc**-1.32 - xe**-1.32) - 0.023 * (xe**1.68 - xc**1.68)
    passes = np.ones(wave.shape)
    passes[short] = np.exp(-tau - np.where(rest < LYMAN_LIMIT, np.maximum(edge, 0), 0))
    return passes


def _position(grid: Array, x: Array) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.intp]], Array]:
    """Find the cell of `grid` that holds x and how far into it x lies, 0 to 1."""
    i = np.clip(np.searchsorted(grid, x, side="right") - 1, 0, len(grid) - 2)
    return i, np.clip((x - grid[i]) / (grid[i + 1] - grid[i]), 0, 1)


def _mix(weights: Array, flux: Array) -> Array:
    return np.asarray(np.einsum("gt,gtb->gb", weights, flux))
