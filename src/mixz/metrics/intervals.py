"""How often intervals of redshift hold it: counted where it is known, weighed where only a noisy label is.

Intervals are of the redshift, and labels are not always it.  How likely the redshift behind a noisy label is inside
follows from what label and density together allow, p(z | z_label, x) ~ K(z_label | z) p(z | x): an answer as good as
kernel and density are.  Exact labels, and a simulation's own redshifts, need neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.metrics.pdf import pit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from mixz.metrics.point import Floats

CHUNK = 2_000

LEAST = 1e-7
"""No redshift is less likely to have such a label than this, relative to the likeliest: as in training (ours)."""


def inside(ends: ArrayLike, *, z_ref: ArrayLike) -> Floats:
    """Say whether each galaxy's interval holds its redshift: 1 or 0, NaN where it has none; shape (galaxy,).

    Parameters
    ----------
    ends
        Ends of the intervals, shape (galaxy, 2).
    z_ref
        Redshifts, shape (galaxy,).

    Examples
    --------
    >>> inside([[0.4, 0.6], [0.4, 0.6], [np.nan, np.nan]], z_ref=[0.5, 0.7, 0.5])
    array([ 1.,  0., nan])
    """
    low, high = np.asarray(ends, float).T
    z = np.asarray(z_ref, float)
    return np.where(np.isfinite(low + high), (low <= z) & (z <= high), np.nan)


def mass_inside(ends: ArrayLike, pdf: ArrayLike, *, z_grid: ArrayLike) -> Floats:
    """Give how much of each density its interval holds, shape (galaxy,); NaN where a galaxy has none.

    Examples
    --------
    >>> mass_inside([[0.25, 0.75]], [[1.0, 1.0]], z_grid=[0.0, 1.0])
    array([0.5])
    """
    low, high = np.asarray(ends, float).T
    below_low, below_high = (pit(pdf, z_grid=z_grid, z_ref=end) for end in (low, high))
    return np.where(np.isfinite(low + high), below_high - below_low, np.nan)


def allowed_pdf(
    pdf: ArrayLike,
    *,
    z_grid: ArrayLike,
    z_label: ArrayLike,
    mag_i: ArrayLike,
    density: Callable[..., Floats],
    z_err: ArrayLike | None = None,
) -> Floats:
    """Give the density of the redshift that density and label together allow, K(z_label | z) p(z | x), normalised.

    Parameters
    ----------
    pdf, z_grid
        Densities, shape (galaxy, z), on nodes of shape (z,).
    z_label, mag_i, z_err
        Labels and i magnitudes, shape (galaxy,), and where known the labels' own errors, shape (galaxy, 2).
    density
        K(z_label | z, i), taking z_label, z, mag_i and z_err by keyword.

    Returns
    -------
    Shape (galaxy, z).

    Examples
    --------
    A density and a label of equal width meet half-way, and are narrower together:

    >>> from mixz.truths.gaussian import GaussianKernel
    >>> z = np.linspace(0, 2, 401)
    >>> p = np.exp(-((z - 1.0) ** 2) / (2 * 0.04**2)) / np.sqrt(2 * np.pi) / 0.04
    >>> label = {"z_label": [1.04], "mag_i": [22.0]}
    >>> both = allowed_pdf([p], z_grid=z, density=GaussianKernel(0.02).density, **label)[0]
    >>> mean = np.trapezoid(both * z, z)
    >>> round(float(mean), 2), round(float(np.sqrt(np.trapezoid(both * (z - mean) ** 2, z))), 3)
    (1.02, 0.028)
    """
    p, z = np.asarray(pdf, float), np.asarray(z_grid, float)
    label, mag = (np.asarray(values, float)[:, None] for values in (z_label, mag_i))
    width = None if z_err is None else np.asarray(z_err, float)[:, None]
    both = np.empty_like(p)
    for start in range(0, len(p), CHUNK):
        here = slice(start, start + CHUNK)
        says = density(z_label=label[here], z=z, mag_i=mag[here], z_err=None if width is None else width[here])
        most = says.max(axis=1, keepdims=True)
        # A label that the kernel holds impossible at every redshift says nothing.
        both[here] = p[here] * np.where(most > 0, np.maximum(says, LEAST * most), 1.0)
    return np.asarray(both / np.trapezoid(both, z, axis=1)[:, None])
