"""How often intervals of redshift hold it: counted where it is known, weighed where only a noisy label is.

Intervals are of the redshift, and labels are not always it.  How likely the redshift behind a noisy label is inside
follows from what label and density together allow (`mixz.truths.likelihood.Labels.allowed`): an answer as good as
kernel and density are.  Exact labels, and a simulation's own redshifts, need neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.metrics.pdf import pit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from mixz.metrics.point import Floats


def inside(ends: ArrayLike, *, z_ref: ArrayLike) -> Floats:
    """Whether each galaxy's interval holds its redshift: 1 or 0, NaN where it has none; shape (galaxy,).

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
    """How much of each density its interval holds, shape (galaxy,); NaN where a galaxy has none.

    Examples
    --------
    >>> mass_inside([[0.25, 0.75]], [[1.0, 1.0]], z_grid=[0.0, 1.0])
    array([0.5])
    """
    low, high = np.asarray(ends, float).T
    below_low, below_high = (pit(pdf, z_grid=z_grid, z_ref=end) for end in (low, high))
    return np.where(np.isfinite(low + high), below_high - below_low, np.nan)
