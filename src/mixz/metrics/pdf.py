"""Metrics of probability densities: are they honest (PIT, coverage), and sharp too (CRPS, CDE loss, log score)?

A pdf is a row of an array of shape (galaxy, z), on a grid `z_grid` of shape (z,); it is linear between grid points,
zero outside, integrates to 1, and every integral here is exact for such pdfs.  Functions give one number per galaxy;
the metric of a sample is their mean, save for the PIT, which is judged against the uniform distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.densities.grid import Grid

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from mixz.metrics.point import Floats

LOWEST_DENSITY = 1e-6
"""Densities below this count as this in the log score, or one galaxy off the grid would make it infinite (ours)."""

# PIT values are sorted stably: where they come sorted, that takes no time.

LOWEST_PIT = 1e-6
"""PIT values count as no closer to 0 and 1 than this in the Anderson-Darling statistic, for the same reason (ours)."""


def density_at(pdf: ArrayLike, *, z_grid: ArrayLike, z_ref: ArrayLike) -> Floats:
    """p(z_ref) of each galaxy, shape (galaxy,); 0 outside the grid.

    Examples
    --------
    >>> density_at([[0.0, 2.0, 0.0]] * 2, z_grid=[0.0, 0.5, 1.0], z_ref=[0.25, 7.0])
    array([1., 0.])
    """
    grid, mass = _on_grid(pdf, z_grid)
    return np.asarray(grid.density_at(mass, _of_galaxies(mass, z_ref))[:, 0])


def pit(pdf: ArrayLike, *, z_grid: ArrayLike, z_ref: ArrayLike) -> Floats:
    """The probability integral transform F(z_ref), shape (galaxy,): uniform on [0, 1] where pdfs are honest.

    References
    ----------
    Dawid 1984, J. R. Stat. Soc. A 147, 278; for photo-z Polsterer et al. 2016 (arXiv:1608.08016).

    Examples
    --------
    >>> pit([[1.0, 1.0, 1.0]], z_grid=[0.0, 0.5, 1.0], z_ref=[0.25])
    array([0.25])
    """
    grid, mass = _on_grid(pdf, z_grid)
    return np.asarray(np.clip(grid.cdf(mass, _of_galaxies(mass, z_ref))[:, 0], 0, 1))


def quantiles(pdf: ArrayLike, *, z_grid: ArrayLike, levels: ArrayLike) -> Floats:
    """The redshifts z with F(z) = level, shape (galaxy, level): the inverse of `pit`.

    Examples
    --------
    >>> quantiles([[0.0, 2.0, 0.0]], z_grid=[0.0, 0.5, 1.0], levels=[0.125, 0.5])
    array([[0.25, 0.5 ]])
    """
    grid, mass = _on_grid(pdf, z_grid)
    return np.asarray(grid.quantiles(mass, np.atleast_1d(np.asarray(levels, float))))


def cde_loss(pdf: ArrayLike, *, z_grid: ArrayLike, z_ref: ArrayLike) -> Floats:
    """int p^2 dz - 2 p(z_ref), shape (galaxy,): its mean is the squared distance to the true density, shifted.

    Lower is better, and so is more negative.

    References
    ----------
    Izbicki & Lee 2017 (arXiv:1704.08095), eq. 7; for photo-z Schmidt et al. 2020 (arXiv:2001.03621).

    Examples
    --------
    >>> cde_loss([[1.0, 1.0]], z_grid=[0.0, 1.0], z_ref=[0.3])
    array([-1.])
    """
    pdf, z_grid = _checked(pdf, z_grid)
    left, right = pdf[:, :-1], pdf[:, 1:]
    square = _integral((left**2 + left * right + right**2) / 3, np.diff(z_grid))
    return np.asarray(square - 2 * density_at(pdf, z_grid=z_grid, z_ref=z_ref))


def log_score(pdf: ArrayLike, *, z_grid: ArrayLike, z_ref: ArrayLike) -> Floats:
    """-ln p(z_ref), shape (galaxy,), with p no lower than 1e-6: lower is better.

    Examples
    --------
    >>> log_score([[0.5, 0.5]], z_grid=[0.0, 2.0], z_ref=[0.3]).round(4)
    array([0.6931])
    """
    return np.asarray(-np.log(np.maximum(density_at(pdf, z_grid=z_grid, z_ref=z_ref), LOWEST_DENSITY)))


def crps(pdf: ArrayLike, *, z_grid: ArrayLike, z_ref: ArrayLike) -> Floats:
    """The continuous ranked probability score int (F(z) - [z >= z_ref])^2 dz, shape (galaxy,), in redshift.

    For a pdf of no width it is |z_phot - z_ref|; lower is better.

    References
    ----------
    Matheson & Winkler 1976; Gneiting & Raftery 2007, J. Am. Stat. Assoc. 102, 359, eq. 20.

    Examples
    --------
    A uniform pdf on [0, 1]: the integral of z^2 up to 1/2 and of (1 - z)^2 from there is 1/12.

    >>> crps([[1.0, 1.0]], z_grid=[0.0, 1.0], z_ref=[0.5]).round(6)
    array([0.083333])
    """
    pdf, z_grid = _checked(pdf, z_grid)
    z_ref, step = np.asarray(z_ref, float), np.diff(z_grid)
    grid = Grid(z_grid)
    start = grid.cumulative(grid.mass(pdf))[:, :-1]
    left, slope = pdf[:, :-1] * step, np.diff(pdf, axis=1) * step
    # Share of each cell that lies below z_ref, where (F - 0)^2 counts; above it (F - 1)^2 does.
    share = np.clip((z_ref[:, None] - z_grid[:-1]) / step, 0, 1)
    below = _integrated_square(start, left, slope, share)
    above = _integrated_square(start - 1, left, slope, 1.0) - _integrated_square(start - 1, left, slope, share)
    off_grid = np.maximum(z_grid[0] - z_ref, 0) + np.maximum(z_ref - z_grid[-1], 0)
    return np.asarray(_integral(below + above, step) + off_grid)


def _integrated_square(start: Floats, left: Floats, slope: Floats, t: Floats | float) -> Floats:
    """Integrate (start + left s + slope s^2 / 2)^2 over s from 0 to t."""
    bend = slope / 2
    rest = (left**2 + 2 * start * bend) / 3 + t * (left * bend / 2 + t * bend**2 / 5)
    return np.asarray(t * (start**2 + t * (start * left + t * rest)))


def credibility(pdf: ArrayLike, *, z_grid: ArrayLike, z_ref: ArrayLike) -> Floats:
    """The probability of the highest-density region that just reaches z_ref, shape (galaxy,).

    int p(z) [p(z) >= p(z_ref)] dz; uniform on [0, 1] where pdfs are honest, 1 outside the grid.

    References
    ----------
    Wittman, Bhaskar & Tobin 2016 (arXiv:1601.07857).

    Examples
    --------
    >>> credibility([[0.0, 2.0, 0.0]], z_grid=[0.0, 0.5, 1.0], z_ref=[0.25])
    array([0.75])
    """
    pdf, z_grid = _checked(pdf, z_grid)
    limit = density_at(pdf, z_grid=z_grid, z_ref=z_ref)[:, None]
    high, low = np.maximum(pdf[:, 1:], pdf[:, :-1]), np.minimum(pdf[:, 1:], pdf[:, :-1])
    rise = high - low
    # In a cell that crosses the limit, the part above it is a share of the cell, its mean density (high + limit)/2.
    above = np.clip(high - limit, 0, rise)
    share = np.divide(above, rise, out=np.where(high >= limit, 1.0, 0.0), where=rise > 0)
    return np.clip(_integral(share * (high + np.maximum(low, limit)) / 2, np.diff(z_grid)), 0, 1)


def pit_ks(pit: ArrayLike) -> float:
    """The Kolmogorov-Smirnov distance max |F_n(pit) - pit| from uniform, between 0 and 1.

    Examples
    --------
    >>> pit_ks([0.5, 0.5])
    0.5
    """
    u = np.sort(np.asarray(pit, float), kind="stable")
    if u.size == 0:
        return float("nan")
    rank = np.arange(u.size + 1) / u.size
    return float(max(np.max(rank[1:] - u), np.max(u - rank[:-1])))


def pit_cvm(pit: ArrayLike) -> float:
    """The Cramer-von Mises statistic n int (F_n(u) - u)^2 du; on average 1/6 when honest, growing with n if not.

    W^2 = 1/(12 n) + sum_k ((2 k - 1)/(2 n) - pit_(k))^2, as in scipy and qp.

    Examples
    --------
    >>> round(pit_cvm([0.5]), 4)
    0.0833
    """
    u = np.sort(np.asarray(pit, float), kind="stable")
    if u.size == 0:
        return float("nan")
    middle = (np.arange(u.size) + 0.5) / u.size
    return float(1 / (12 * u.size) + np.sum((middle - u) ** 2))


def pit_ad(pit: ArrayLike) -> float:
    """The Anderson-Darling statistic n int (F_n - u)^2 / (u (1 - u)) du; on average 1 when honest.

    A^2 = -n - sum_k (2 k - 1)/n (ln pit_(k) + ln(1 - pit_(n+1-k))), of one sample against the uniform distribution
    (qp's "ad" goodness of fit, not the two-sample statistic of its PIT class); pit no closer to 0 and 1 than 1e-6.

    References
    ----------
    Anderson & Darling 1954, J. Am. Stat. Assoc. 49, 765.

    Examples
    --------
    >>> round(pit_ad([0.5]), 4)
    0.3863
    """
    u = np.clip(np.sort(np.asarray(pit, float), kind="stable"), LOWEST_PIT, 1 - LOWEST_PIT)
    if u.size == 0:
        return float("nan")
    odd = 2 * np.arange(1, u.size + 1) - 1
    return float(-u.size - np.sum(odd * (np.log(u) + np.log1p(-u[::-1]))) / u.size)


def coverage(pit: ArrayLike, *, level: float) -> float:
    """The share of galaxies in the central interval of probability `level`: |pit - 1/2| <= level / 2.

    Examples
    --------
    >>> coverage([0.05, 0.2, 0.5, 0.99], level=0.68)
    0.5
    """
    u = np.asarray(pit, float)
    return float(np.mean(np.abs(u - 0.5) <= level / 2)) if u.size else float("nan")


def _integral(mean: Floats, step: Floats) -> Floats:
    """Sum what cells hold, given its mean and width in each, shape (galaxy,)."""
    # Not by @, which starts threads that would wait for ours.
    return np.asarray(np.einsum("gz,z->g", mean, step))


def _checked(pdf: ArrayLike, z_grid: ArrayLike) -> tuple[Floats, Floats]:
    """Both as floating arrays whose shapes agree."""
    pdf, z_grid = np.asarray(pdf, float), np.asarray(z_grid, float)
    if pdf.ndim != 2 or pdf.shape[1:] != z_grid.shape:
        raise ValueError(f"pdf has shape {pdf.shape}, z_grid {z_grid.shape}; they must be (galaxy, z) and (z,)")
    return pdf, z_grid


def _on_grid(pdf: ArrayLike, z_grid: ArrayLike) -> tuple[Grid, Floats]:
    """The grid, and the masses of the densities on it."""
    pdf, z_grid = _checked(pdf, z_grid)
    grid = Grid(z_grid)
    return grid, grid.mass(pdf)


def _of_galaxies(mass: Floats, z: ArrayLike) -> Floats:
    """One redshift per galaxy, shape (galaxy, 1)."""
    z = np.asarray(z, float)
    if z.shape != (len(mass),):
        raise ValueError(f"{len(mass)} pdfs, redshifts of shape {z.shape}; they must be the same galaxies")
    return z[:, None]
