"""What members of an ensemble disagree on, after labels have calibrated each of them.

Only the members' points are kept, not their densities: a member's density is taken for the ensemble's, tilted
exponentially until its mean has moved as far as the member's point lies from all members' mean point.  Labels then
calibrate it as they did the ensemble's, by one Newton step, so that what members share in labelled galaxies and in the
bin's does not count, and what they do not does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.densities.grid import Grid, centre
from mixz.tomography.nz import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.tomography.samples import PhotometricSample
    from mixz.tomography.tilt import Tilt

LEAST_VARIANCE = 1e-6
LOOKED_AT = 5_000
"""Galaxies of a bin that members are compared on: they scatter far less about their mean than galaxies do."""


def moved_in_mean(mass: Floats, by: Floats, grid: Grid) -> Floats:
    """Masses of shape (galaxy, z), tilted so that their means move, to first order, by shape (galaxy,).

    None moves by more than its own standard deviation.

    Examples
    --------
    >>> grid = Grid(np.linspace(0, 2, 201))
    >>> mass = np.exp(-np.square(grid.z - 1) / (2 * 0.1**2))[None]
    >>> round(float(moved_in_mean(mass / mass.sum(), np.array([0.02]), grid)[0] @ grid.z), 4)
    1.02
    """
    at = centre(grid)
    mean = (mass @ at)[:, None]
    variance = np.maximum((mass @ np.square(at))[:, None] - np.square(mean), LEAST_VARIANCE)
    reach = np.sqrt(variance)
    slope = np.clip(by[:, None], -reach, reach) / variance
    exponent = slope * (at - mean)
    return np.asarray(normalised(mass * np.exp(exponent - exponent.max(axis=1, keepdims=True))))


def member_means(
    sample: PhotometricSample, labelled: PhotometricSample, tilt: Tilt, likelihood: Floats, base: Floats, grid: Grid
) -> Floats | None:
    """The mean of a bin by each member, shape (member,), less their mean; None where members are not known.

    Parameters
    ----------
    sample, labelled
        The bin's galaxies, and the labelled ones that `tilt` was fitted to.
    tilt, likelihood, base
        The fit, and what it was fitted to, shapes (labelled galaxy, z).
    grid
        Of all.
    """
    if sample.z_members is None or labelled.z_members is None:
        return None
    some = sample.rows(np.unique(np.linspace(0, len(sample) - 1, LOOKED_AT).astype(int)))
    known = np.isfinite(some.prior).all(axis=1)
    some = some.rows(known)
    mass, weight = np.asarray(some.prior, dtype=np.float64), some.counted
    at, found = centre(grid), []
    for away, own in zip(_away(labelled), _away(some), strict=True):
        factor = tilt.anew(likelihood, base, moved_in_mean(base, away, grid))
        found.append(np.average(normalised(moved_in_mean(mass, own, grid) * factor) @ at, weights=weight))
    return np.array(found) - np.mean(found)


def _away(sample: PhotometricSample) -> NDArray[Any]:
    """How far each member's point lies from all members' mean, shape (member, galaxy)."""
    points = np.asarray(sample.z_members, dtype=np.float64)
    away = points - points.mean(axis=0)
    return np.where(np.isfinite(away), away, 0.0)
