"""What a pdf of the true redshift says of a noisy label: p(z_label) = int K(z_label | z, i) p(z) dz.

An honest p(z) judged on noisy labels looks too sharp, as if its PIT piled up at 0 and 1.  Its label pdf, judged on
the same labels, looks honest: both are then about the label.  (The converse fails: a smear as wide as the kernel
hides errors of the pdf smaller than it, so label pdfs that look honest say little about much sharper p(z).)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from mixz.metrics.point import Floats

MAG_STEP = 0.25
"""Galaxies of i magnitudes within this share a kernel matrix (ours)."""


def kernel_matrix(density: Callable[..., Floats], *, z_grid: ArrayLike, mag_i: float) -> Floats:
    """Tabulate K(z_label | z, i) with labels and redshifts on one grid, each column integrating to 1.

    Parameters
    ----------
    density
        Takes z_label, z and mag_i by keyword, e.g. ``mixz.truths.known.COSMOS2020.density``.
    z_grid
        Its step must not be wider than about twice the kernel, shape (z,); labels beyond it do not exist.

    Returns
    -------
    Array of shape (z_label, z).

    Raises
    ------
    ValueError
        The kernel falls between the points of the grid.

    Examples
    --------
    >>> from mixz.truths.known import COSMOS2020
    >>> z = np.linspace(0, 6, 301)
    >>> k = kernel_matrix(COSMOS2020.density, z_grid=z, mag_i=23.5)
    >>> k.shape, bool(np.allclose(np.trapezoid(k, z, axis=0), 1))
    ((301, 301), True)
    """
    z = np.asarray(z_grid, float)
    k = density(z_label=z[:, None], z=z[None, :], mag_i=mag_i)
    area = np.trapezoid(k, z, axis=0)
    if not (area > 0).all():
        raise ValueError("the label kernel is narrower than the redshift grid's step; labels this exact need no kernel")
    return np.asarray(k / area)


def label_pdf(pdf: ArrayLike, *, z_grid: ArrayLike, kernel: ArrayLike, kernel_of: NDArray[np.intp]) -> Floats:
    """Smear each galaxy's pdf by its label's kernel.

    Parameters
    ----------
    pdf, z_grid
        Densities of the true redshift, shape (galaxy, z), on a grid of shape (z,).
    kernel
        Kernel matrices, shape (kernel, z_label, z), labels on the same grid.
    kernel_of
        Which of them is a galaxy's, shape (galaxy,).

    Returns
    -------
    Densities of the label, integrating to 1 as `pdf` does; shape (galaxy, z).

    Examples
    --------
    >>> z = np.linspace(0, 2, 201)
    >>> def gauss(z_label, z, mag_i):
    ...     return np.exp(-((z_label - z) ** 2) / (2 * 0.04**2))
    >>> k = kernel_matrix(gauss, z_grid=z, mag_i=22.0)
    >>> p = np.exp(-((z - 1) ** 2) / (2 * 0.03**2)) / np.sqrt(2 * np.pi) / 0.03
    >>> seen = label_pdf([p], z_grid=z, kernel=[k], kernel_of=np.array([0]))[0]
    >>> round(float(np.sqrt(np.trapezoid(seen * (z - 1) ** 2, z))), 3)
    0.05
    """
    p, z, k = np.asarray(pdf, float), np.asarray(z_grid, float), np.asarray(kernel, float)
    cell = np.gradient(z)
    cell[[0, -1]] /= 2
    smeared = np.empty_like(p)
    for which in np.unique(kernel_of):
        rows = kernel_of == which
        smeared[rows] = (p[rows] * cell) @ k[which].T
    return smeared


def smear(pdf: ArrayLike, *, z_grid: ArrayLike, mag_i: ArrayLike, density: Callable[..., Floats]) -> Floats:
    """Smear each galaxy's pdf by the kernel at its i magnitude, in steps of 0.25 mag; shape (galaxy, z).

    `label_pdf` with `kernel_matrix`, for a `density` as in the latter.

    Examples
    --------
    >>> from mixz.truths.gaussian import GaussianKernel
    >>> z = np.linspace(0, 2, 201)
    >>> p = np.exp(-((z - 1) ** 2) / (2 * 0.03**2)) / np.sqrt(2 * np.pi) / 0.03
    >>> seen = smear([p], z_grid=z, mag_i=[22.0], density=GaussianKernel(0.02).density)[0]
    >>> round(float(np.sqrt(np.trapezoid(seen * (z - 1) ** 2, z))), 3)
    0.05
    """
    step, kernel_of = np.unique(np.floor(np.asarray(mag_i, float) / MAG_STEP), return_inverse=True)
    kernel = [kernel_matrix(density, z_grid=z_grid, mag_i=float((s + 0.5) * MAG_STEP)) for s in step]
    return label_pdf(pdf, z_grid=z_grid, kernel=np.array(kernel), kernel_of=kernel_of)
