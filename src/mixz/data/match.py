"""Which objects of two catalogues are the same: mutual nearest neighbours on the sky, and how many pairs are chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.coordinates import angular_separation
from scipy.spatial import cKDTree

from mixz.data.sky import chord, unit_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats

    Rows = NDArray[np.intp]

SHIFT_ARCSEC = 60.0
"""How far one catalogue is shifted to count chance pairs (ours): many match radii, and little beside a field's size."""


@dataclass(frozen=True)
class Pairs:
    """Matched objects of a first and a second catalogue.

    Parameters
    ----------
    first, second
        Rows of each pair, shape (pair,); no row occurs twice.
    separation_arcsec
        How far the two are apart, shape (pair,).
    """

    first: Rows
    second: Rows
    separation_arcsec: Floats

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.first)


def mutual_nearest(first: tuple[Floats, Floats], second: tuple[Floats, Floats], *, radius_arcsec: float = 1.0) -> Pairs:
    """Pair objects that are each other's nearest neighbour, no farther apart than `radius_arcsec`.

    So no object is in two pairs, and the order of the rows plays no role.  Where two objects of one catalogue are
    exactly as near, which one is the counterpart cannot be told, and neither is taken.

    Parameters
    ----------
    first, second
        Right ascension and declination [deg] of each catalogue, two arrays of shape (object,); NaN matches nothing.
    radius_arcsec
        Largest separation.

    Returns
    -------
    Pairs
        In the order of the first catalogue.

    Examples
    --------
    >>> hsc = np.array([150.0, 150.1, 0.0]), np.array([2.0, 2.0, 90.0])
    >>> cosmos = np.array([77.0, 150.0, 150.00005]), np.array([89.9999, 2.0001, 2.0])
    >>> pairs = mutual_nearest(hsc, cosmos)
    >>> pairs.first, pairs.second, pairs.separation_arcsec.round(2)
    (array([0, 2]), array([2, 0]), array([0.18, 0.36]))
    """
    rows = [np.flatnonzero(np.isfinite(ra) & np.isfinite(dec)) for ra, dec in (first, second)]
    if not all(map(len, rows)):
        return Pairs(rows[0][:0], rows[1][:0], np.empty(0))
    vectors = [unit_vectors(ra[r], dec[r]) for (ra, dec), r in zip((first, second), rows, strict=True)]
    there = _nearest(vectors[0], vectors[1], radius_arcsec)
    back = _nearest(vectors[1], vectors[0], radius_arcsec)
    mine = np.flatnonzero(there >= 0)
    mine = mine[back[there[mine]] == mine]
    a, b = rows[0][mine], rows[1][there[mine]]
    angles = (np.radians(values) for values in (first[0][a], first[1][a], second[0][b], second[1][b]))
    return Pairs(a, b, np.degrees(angular_separation(*angles)) * 3600)


def false_matches(
    first: tuple[Floats, Floats],
    second: tuple[Floats, Floats],
    *,
    pairs: int,
    radius_arcsec: float = 1.0,
    shift_arcsec: float = SHIFT_ARCSEC,
) -> float:
    """Estimate how many of `pairs` are chance, by matching again with the second catalogue shifted.

    A shifted object of the second catalogue finds a partner by chance with probability f.  Unshifted, true pairs leave
    fewer who seek and fewer to be found: with M and N objects in the two catalogues, and F false and T true ones among
    the P pairs, F = f (N - T) (1 - T / M) and T = P - F.  The definition is ours.

    Parameters
    ----------
    first, second, radius_arcsec
        As in `mutual_nearest`.
    pairs
        How many pairs the match gave.
    shift_arcsec
        How far to shift; what is shifted out of the field is lost to the estimate.

    Returns
    -------
    float
        The number of chance pairs expected, the mean of shifts to the north, south, east and west.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> sky = rng.uniform(150, 150.2, 4000), rng.uniform(2, 2.2, 4000)
    >>> elsewhere = rng.uniform(150, 150.2, 4000), rng.uniform(2, 2.2, 4000)
    >>> pairs = len(mutual_nearest(sky, elsewhere, radius_arcsec=2))      # all of them chance
    >>> bool(abs(false_matches(sky, elsewhere, pairs=pairs, radius_arcsec=2) / pairs - 1) < 0.25)
    True
    """
    ra_deg, dec_deg = second
    step = shift_arcsec / 3600
    found = []
    for east, north in ((step, 0.0), (-step, 0.0), (0.0, step), (0.0, -step)):
        with np.errstate(invalid="ignore"):
            shifted_dec = np.clip(dec_deg + north, -90, 90)
            shifted_ra = ra_deg + east / np.maximum(np.cos(np.radians(dec_deg)), 1e-3)
        found.append(len(mutual_nearest(first, (shifted_ra, shifted_dec), radius_arcsec=radius_arcsec)))
    others, objects = (max(int(np.isfinite(ra).sum()), 1) for ra, _ in (first, second))
    chance, false = float(np.mean(found)) / objects, 0.0
    for _ in range(20):  # each round is closer by a factor of about f
        true = pairs - false
        false = min(chance * (objects - true) * (1 - true / others), float(pairs))
    return false


def _nearest(vectors: Floats, others: Floats, radius_arcsec: float) -> Rows:
    """The row of each object's nearest other one within the radius; -1 where there is none, or two as near."""
    limit = np.nextafter(chord(radius_arcsec), np.inf)  # scipy's bound is exclusive
    found = cKDTree(others).query(vectors, k=2, distance_upper_bound=limit)
    distance, row = np.asarray(found[0]), np.asarray(found[1])
    clear = np.isfinite(distance[:, 0]) & (distance[:, 0] < distance[:, 1])
    return np.where(clear, row[:, 0], -1)
