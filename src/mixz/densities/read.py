"""Reading densities: made honest, then read off as point estimates and intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from array_api_compat import array_namespace

from mixz.densities.estimates import DEFAULT, estimates
from mixz.densities.quality import expected_loss, odds

if TYPE_CHECKING:
    from mixz.densities.calibration import Calibration
    from mixz.densities.grid import Array, Grid
    from mixz.densities.intervals import Intervals


class Reading(NamedTuple):
    """What densities say; NaN where there is no density.

    Parameters
    ----------
    pdf
        The densities at the nodes, shape (galaxy, z).
    points
        Point estimates by name, each of shape (galaxy,).
    intervals
        By nominal coverage in percent the ends of each galaxy's interval, shape (galaxy, 2).
    odds, loss
        How much of each density lies about its `zcore`, and the HSC loss it expects of it, shape (galaxy,).
    """

    pdf: Array
    points: dict[str, Array]
    intervals: dict[str, Array]
    odds: Array
    loss: Array


def read_densities(
    mass: Array,
    mag_ref: Array,
    grid: Grid,
    *,
    system: Array | None = None,
    calibration: Calibration | None = None,
    intervals: Intervals | None = None,
) -> Reading:
    """Densities from their masses, calibrated where there is a calibration, and what they say.

    Parameters
    ----------
    mass
        Masses, shape (galaxy, z), numpy or torch; what comes out is of the same kind.
    mag_ref
        Reference magnitudes, shape (galaxy,).
    grid
        Where the masses are.
    system
        Numbers of the galaxies' photometric systems, shape (galaxy,); all of the first if not given.
    calibration, intervals
        What makes densities honest, and how far intervals reach; without `intervals` there are none.

    Examples
    --------
    >>> from mixz.densities.grid import even_grid
    >>> grid = even_grid(200, 4.0)
    >>> mass = np.zeros((2, 200))
    >>> mass[:, 100] = 1.0
    >>> reading = read_densities(mass, np.array([21.0, 22.0]), grid)
    >>> reading.points["zbest"].round(4), reading.intervals
    (array([1.2451, 1.2451]), {})
    """
    xp = array_namespace(mass)
    if calibration is not None:
        mass = calibration(mass, mag_ref, system)
    # The median and the ends of intervals are all quantiles: found at once, the cdf is built once.
    half = xp.full_like(mass[:, :1], 0.5)
    levels = half if intervals is None else xp.concat([half, intervals.levels(mass, mag_ref)], axis=1)
    quantiles = grid.quantiles(mass, levels)
    found = {} if intervals is None else intervals.ends(mass, quantiles[:, 1:])
    unknown = xp.isnan(xp.sum(mass, axis=-1))
    points = estimates(mass, grid, zmedian=quantiles[:, 0])
    trust = odds(mass, points[DEFAULT], grid), expected_loss(mass, points[DEFAULT], grid)
    points = {name: xp.where(unknown, xp.full_like(z, np.nan), z) for name, z in points.items()}
    return Reading(grid.density(mass), points, found, *trust)
