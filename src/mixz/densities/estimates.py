"""Point estimates of densities: the peak, the mean, the median, and the redshifts of the least expected loss.

All take masses of shape (..., z) on a grid and give redshifts of shape (...), for numpy and torch alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from mixz.densities.grid import Array, Grid, along_z, at_nodes, centre, nodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

OUTLIER_DZ = 0.15
"""|dz| beyond which a galaxy is an outlier, and at which the HSC loss is a half (Nishizawa+20, arXiv:2003.01511)."""
CORE_DZ = 0.03
"""|dz| at which `zcore` counts a galaxy half lost: near the scatter of good photo-z (ours)."""
CORE_SHARE = 0.4
"""How much of a density must lie about the sharp estimate for `zcore` to trust it (ours)."""
OUTLIER_EDGE = 0.008
"""Width in dz of the edge between a galaxy that is no outlier and one that is, as `zcore` counts them (ours)."""


def hsc_loss(*, z_phot: Array, z_ref: Array) -> Array:
    """The loss L = 1 - 1 / (1 + (dz / 0.15)^2), dz = (z_phot - z_ref) / (1 + z_ref), of every galaxy.

    References
    ----------
    Nishizawa et al. 2020, arXiv:2003.01511; Tanaka et al. 2018, arXiv:1704.05988.

    Examples
    --------
    >>> round(hsc_loss(z_phot=1.3, z_ref=1.0), 6)
    0.5
    """
    return hsc_loss_of((z_phot - z_ref) / (1 + z_ref))


def hsc_loss_of(dz: Array) -> Array:
    """The HSC loss of residuals dz, of their shape.

    Examples
    --------
    >>> hsc_loss_of(OUTLIER_DZ)
    0.5
    """
    return _share((dz / OUTLIER_DZ) ** 2)


def _share(square: Array) -> Array:
    """1 - 1 / (1 + square), without its loss of digits near zero."""
    return square / (1 + square)


def zmode(mass: Array, grid: Grid) -> Array:
    """The redshift where p is highest."""
    xp = array_namespace(mass)
    return at_nodes(grid.constant(nodes, mass), xp.argmax(grid.density(mass), axis=-1))


def zmean(mass: Array, grid: Grid) -> Array:
    """The mean of p: the estimate of the least expected squared error."""
    return mass @ grid.constant(centre, mass)


def zmedian(mass: Array, grid: Grid) -> Array:
    """The redshift that as much of p lies below as above."""
    xp = array_namespace(mass)
    return grid.quantiles(mass, xp.full((1,), 0.5, dtype=mass.dtype))[..., 0]


def zbest(mass: Array, grid: Grid) -> Array:
    """The estimate of the least expected HSC loss, argmin_z sum_k s_k L(z, z_k).

    HSC's own photo-z have it as their point estimate (Tanaka et al. 2018, arXiv:1704.05988).
    """
    return _lowest(mass @ grid.constant(risk, mass), grid)


def zcore(mass: Array, grid: Grid, *, z_best: Array | None = None) -> Array:
    """The estimate of the sharpest core, outliers counted (ours): z_phot of every density.

    z2 = argmin_z sum_k s_k [O(dz) + H(dz)], dz = (z - z_k) / (1 + z_k), with H = (dz / .03)^2 / (1 + (dz / .03)^2), and
    O = 1 / (1 + exp((.15 - |dz|) / .008)), which counts outliers.  z2 where more than .4 of the density lies about it,
    1 - sum_k s_k H > .4, else `zbest`: the HSC loss, at its half for an outlier, blurs cores that are narrower; H alone
    runs after any peak.  What it costs is some hundredths of expected HSC loss where densities are broad.

    Parameters
    ----------
    mass, grid
        Masses of the densities on their grid.
    z_best
        Their `zbest`, where it is known already.
    """
    xp = array_namespace(mass)
    sharp = mass @ grid.constant(core_risk, mass)
    best = xp.argmin(sharp, axis=-1)
    away = (at_nodes(grid.constant(nodes, mass), best)[..., None] - grid.constant(nodes, mass)) / (
        1 + grid.constant(nodes, mass)
    )
    held = 1 - xp.sum(mass * _share((away / CORE_DZ) ** 2), axis=-1)
    wide = zbest(mass, grid) if z_best is None else z_best
    return xp.where(held > CORE_SHARE, _lowest(sharp, grid), wide)


def _lowest(expected: Array, grid: Grid) -> Array:
    """Where an expected loss is lowest: of the parabola through the best node and its neighbours."""
    xp = array_namespace(expected)
    best = xp.clip(xp.argmin(expected, axis=-1), 1, len(grid) - 2)
    # Looked up at once: an exported graph has few steps.
    three = best[..., None] + xp.asarray([-1, 0, 1], device=device(expected))
    low, here, high = xp.unstack(along_z(expected, three), axis=-1)
    left, middle, right = xp.unstack(at_nodes(grid.constant(nodes, expected), three), axis=-1)
    bend = xp.clip(low - 2 * here + high, min=1e-12)
    shift = xp.clip((low - high) / bend / 2, min=-1.0, max=1.0)
    return middle + shift * xp.where(shift > 0, right - middle, middle - left)


def zrms(mass: Array, grid: Grid) -> Array:
    """The estimate of the least expected dz^2: int z p / (1 + z)^2 over int p / (1 + z)^2 (ours).

    The mean is best for (z_phot - z)^2; the rms of dz counts what is wrong at low redshift more.
    """
    sums = mass @ grid.constant(relative, mass)
    return sums[..., 0] / sums[..., 1]


def sigma(mass: Array, grid: Grid) -> Array:
    """The standard deviation of p, each triangle counted at its centre."""
    xp = array_namespace(mass)
    away = grid.constant(centre, mass) - zmean(mass, grid)[..., None]
    return xp.sqrt(xp.sum(away * away * mass, axis=-1))


class Estimate(NamedTuple):
    """A point estimate of densities, and what it is.

    Parameters
    ----------
    of
        (masses, grid) to redshifts.
    about
        What it is, in a few words.
    formula
        Its definition.
    """

    of: Callable[[Array, Grid], Array]
    about: str
    formula: str


ESTIMATES: dict[str, Estimate] = {
    "zmode": Estimate(zmode, "redshift where the density is highest", "argmax p(z)"),
    "zmean": Estimate(zmean, "mean of the density, of the least expected (z_phot - z)²", "∫z p(z) dz"),
    "zmedian": Estimate(zmedian, "redshift that half of the density lies below", "F(z) = ½"),
    "zbest": Estimate(zbest, "redshift of the least expected HSC loss", "argmin ∫L(z_phot, z) p(z) dz"),
    "zcore": Estimate(
        zcore,
        "redshift of the sharpest core, outliers counted",
        "argmin ∫(O + H)(dz) p(z) dz where 1 - ∫H p dz > .4, else zbest",
    ),
    "zrms": Estimate(zrms, "redshift of the least expected dz²", "∫z p(z) / (1+z)² dz / ∫p(z) / (1+z)² dz"),
}
"""Every point estimate of a density by its name."""
DEFAULT = "zcore"
"""The estimate that is `z_phot`, chosen on validation rows of observed galaxies (LOG.md)."""


def estimates(mass: Array, grid: Grid, **known: Array) -> dict[str, Array]:
    """Every point estimate of densities of shape (..., z), by name.

    Parameters
    ----------
    mass, grid
        Masses of the densities on their grid.
    known
        Estimates that are known already, by name.

    Examples
    --------
    >>> grid = Grid(np.linspace(0, 2, 201))
    >>> hill = np.exp(-((grid.z - 0.8) / 0.1) ** 2)
    >>> {name: round(float(z), 3) for name, z in estimates(hill / hill.sum(), grid).items()}
    {'zmode': 0.8, 'zmean': 0.8, 'zmedian': 0.8, 'zbest': 0.8, 'zcore': 0.8, 'zrms': 0.8}
    """
    known = {"zbest": zbest(mass, grid), **known}
    known = {"zcore": zcore(mass, grid, z_best=known["zbest"]), **known}
    return {name: known[name] if name in known else estimate.of(mass, grid) for name, estimate in ESTIMATES.items()}


def risk(grid: Grid) -> NDArray[np.float64]:
    """HSC loss of estimating node j where the redshift is node k, shape (z of the truth, z of the estimate)."""
    return np.asarray(hsc_loss(z_phot=grid.z[None, :], z_ref=grid.z[:, None]))


def core_risk(grid: Grid) -> NDArray[np.float64]:
    """O + H of estimating node j where the redshift is node k, shape (z of the truth, z of the estimate)."""
    dz = (grid.z[None, :] - grid.z[:, None]) / (1 + grid.z[:, None])
    outlier = 1 / (1 + np.exp(np.minimum((OUTLIER_DZ - np.abs(dz)) / OUTLIER_EDGE, 700)))
    return np.asarray(outlier + _share((dz / CORE_DZ) ** 2))


def relative(grid: Grid) -> NDArray[np.float64]:
    """The sums that `zrms` is the ratio of, shape (z, 2): z / (1 + z)^2 and 1 / (1 + z)^2 at the centres."""
    weight = 1 / np.square(1 + centre(grid))
    return np.stack([centre(grid) * weight, weight], axis=1)
