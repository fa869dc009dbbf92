"""How far a band's zero point in one survey lies from what its other bands expect, by the galaxies of another survey.

Galaxies of equal magnitudes in the other bands are of equal kinds, wherever they lie: what one survey measures in a
band more or less than another is its zero point, next to what their filters differ in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from mixz.arrays import Floats
    from mixz.galaxies import GalaxySet

NEIGHBOURS = 10
"""Galaxies of the other survey that say what to expect of one (ours)."""
FEWEST = 100
"""Fewer galaxies of a survey say nothing."""
MOST = 5_000
"""Galaxies of a survey that are looked at; more would tell the millimagnitudes that filters hide."""
REACH = 0.9
"""The share of galaxies, those with the nearest neighbours, that count: the others' kinds one of the surveys lacks."""


class ZeroPoint(NamedTuple):
    """A band of a photometric system against what another system's galaxies of like magnitudes have.

    Parameters
    ----------
    band, system, against
        Whose magnitudes, and who says what to expect.
    offset, error
        Median of the magnitude less the expected one, and its standard error [mag].
    galaxies
        How many tell.
    """

    band: str
    system: str
    against: str
    offset: float
    error: float
    galaxies: int

    def as_record(self) -> dict[str, Any]:
        """Its content as plain values, for JSON."""
        return self._asdict() | {"offset": round(self.offset, 4), "error": round(self.error, 4)}


def zero_points(galaxies: GalaxySet, *, seed: int = 0) -> list[ZeroPoint]:
    """Compare every band that two photometric systems have by their galaxies, against the system of most galaxies.

    Parameters
    ----------
    galaxies
        Galaxies of several systems, with labels or without.
    seed
        Which of very many are looked at.

    Examples
    --------
    A survey whose u is 0.1 mag too faint:

    >>> from mixz.galaxies import GalaxySet
    >>> rng = np.random.default_rng(1)
    >>> g, r = rng.uniform(20, 23, 900), rng.uniform(0, 1, 900)
    >>> mag = np.column_stack([g + 2 * r, g, g - r]) + rng.normal(0, 0.02, (900, 3))
    >>> mag[600:, 0] += 0.1
    >>> system, err = ["a"] * 600 + ["b"] * 300, np.full(mag.shape, 0.02)
    >>> both = GalaxySet(np.arange(900), ("u", "g", "r"), mag, err, system=system)
    >>> [(z.band, z.system, z.against, round(z.offset, 1)) for z in zero_points(both) if z.band == "u"]
    [('u', 'b', 'a', 0.1)]
    """
    names, counts = np.unique(galaxies.system, return_counts=True)
    systems = names[np.argsort(-counts, kind="stable")].tolist()
    of_system = {name: _some(galaxies.rows(galaxies.system == name), seed) for name in systems}
    own = galaxies.own_bands()
    shared = [band for band in galaxies.bands if band not in own]
    found = []
    for band in galaxies.bands:
        others = [other for other in shared if other != band]
        having = {n: _measured(some, (band, *others)) for n, some in of_system.items()}
        whole = [name for name, mag in having.items() if len(mag) >= FEWEST]
        found += [_compared(band, name, whole[0], having[name], having[whole[0]]) for name in whole[1:] if others]
    return found


def _some(galaxies: GalaxySet, seed: int) -> GalaxySet:
    if len(galaxies) <= MOST:
        return galaxies
    return galaxies.rows(np.sort(np.random.default_rng(seed).choice(len(galaxies), MOST, replace=False)))


def _measured(galaxies: GalaxySet, bands: tuple[str, ...]) -> Floats:
    """Magnitudes of the galaxies that are measured in all of some bands, shape (galaxy, band)."""
    mag = galaxies.in_bands(bands)[0].astype(np.float64)
    return np.asarray(mag[np.isfinite(mag).all(axis=1)])


def _compared(band: str, system: str, against: str, mine: Floats, theirs: Floats) -> ZeroPoint:
    """Compare the first column with that of the nearest galaxies in the other columns."""
    x, reference = _coordinates(mine[:, 1:]), _coordinates(theirs[:, 1:])
    distance, near = (np.asarray(found) for found in cKDTree(reference).query(x, k=NEIGHBOURS))
    level = theirs[:, 1:].mean(axis=1)
    # A galaxy a little brighter than its neighbours is as much brighter in every band.
    away = mine[:, 1:].mean(axis=1)[:, None] - level[near]
    expected = np.median(theirs[:, 0][near] + away, axis=1)
    close = distance[:, -1] <= np.quantile(distance[:, -1], REACH)
    off = (mine[:, 0] - expected)[close]
    middle = float(np.median(off))
    scatter = 1.4826 * float(np.median(np.abs(off - middle)))
    # Of a Gaussian the median is known sqrt(pi / 2) times less well than the mean.
    return ZeroPoint(band, system, against, middle, scatter * float(np.sqrt(np.pi / 2 / len(off))), len(off))


def _coordinates(mag: Floats) -> Floats:
    """Colours of neighbouring bands, and the mean magnitude, which may differ a tenth as closely."""
    return np.column_stack([mag[:, :-1] - mag[:, 1:], 0.1 * mag.mean(axis=1)])
