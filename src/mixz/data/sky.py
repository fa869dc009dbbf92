"""Places on the sky: unit vectors, footprints, and coordinates that are no degrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mixz.data.meaning.missing import USUAL, Values
from mixz.data.meaning.units import in_degrees
from mixz.errors import MixzError

if TYPE_CHECKING:
    import pandas as pd

    from mixz.arrays import Floats, Mask
    from mixz.data.meaning.missing import Account
    from mixz.surveys.columns import Columns

POSITIONS = (
    ("ra", "dec"),
    ("ra_deg", "dec_deg"),
    ("ra", "decl"),
    ("ra_j2000", "dec_j2000"),
    ("target_ra", "target_dec"),
    ("raj2000", "dej2000"),
    ("alpha_j2000", "delta_j2000"),
    ("coord_ra", "coord_dec"),
    ("ra_icrs", "de_icrs"),
)
"""What tables call right ascension and declination, in small letters."""


def unit_vectors(ra_deg: Floats, dec_deg: Floats) -> Floats:
    """Directions as unit vectors, shape (object, 3); near the poles and at ra = 0 nothing special happens.

    Examples
    --------
    >>> unit_vectors(np.array([0.0, 360.0, 90.0]), np.array([0.0, 0.0, 90.0])).round(6).tolist()
    [[1.0, 0.0, 0.0], [1.0, -0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def chord(radius_arcsec: float) -> float:
    """The straight distance of two unit vectors an angle apart: 2 sin(angle / 2)."""
    return float(2 * np.sin(np.radians(radius_arcsec / 3600) / 2))


@dataclass(frozen=True)
class Box:
    """The box around some unit vectors: holds every place close to one of theirs, and few others."""

    low: Floats
    high: Floats

    @classmethod
    def around(cls, ra_deg: Floats, dec_deg: Floats, *, margin_arcsec: float) -> Box:
        """The box around positions, wider by a margin on every side."""
        vectors, margin = unit_vectors(ra_deg, dec_deg), chord(margin_arcsec)
        return cls(vectors.min(axis=0) - margin, vectors.max(axis=0) + margin)

    def holds(self, ra_deg: Floats, dec_deg: Floats) -> Mask:
        """Which positions lie inside, shape (object,); those without a position do not.

        Examples
        --------
        >>> box = Box.around(np.array([359.9, 0.1]), np.array([1.0, 1.2]), margin_arcsec=1)
        >>> box.holds(np.array([0.0, 180.0, np.nan]), np.array([1.1, 1.1, 1.1]))
        array([ True, False, False])
        """
        vectors = unit_vectors(ra_deg, dec_deg)
        return np.asarray(((vectors >= self.low) & (vectors <= self.high)).all(axis=1))


def footprint(ra_deg: Floats, dec_deg: Floats) -> str:
    """Where objects lie, right ascension as the shortest arc that holds all, over 0/360 if need be.

    Examples
    --------
    >>> footprint(np.array([359.5, 0.5, 1.0]), np.array([-1.0, 0.0, 2.0]))
    'ra 359.5 to 1, dec -1 to 2 deg'
    """
    known = np.isfinite(ra_deg) & np.isfinite(dec_deg)
    if not known.any():
        return "nowhere (no positions)"
    ra, dec = np.sort(ra_deg[known] % 360), dec_deg[known]
    gaps = np.diff(ra, append=ra[0] + 360)
    widest = int(np.argmax(gaps))
    west, east = ra[(widest + 1) % len(ra)], ra[widest]
    return f"ra {west:.4g} to {east:.4g}, dec {dec.min():.4g} to {dec.max():.4g} deg"


def positions(frame: pd.DataFrame, columns: Columns, account: Account) -> tuple[Floats, Floats]:
    """Right ascension and declination of a table [deg], whatever their unit; NaN where it has none.

    Raises
    ------
    MixzError
        A column is missing, holds text, is in a unit of no angle, or cannot be a position in degrees.
    """
    if columns.ra is None or columns.dec is None:
        return np.full(len(frame), np.nan), np.full(len(frame), np.nan)
    found = []
    for name in (columns.ra, columns.dec):
        values = Values.of(frame, name, where=account.where)
        gone = account.marked(values, "other", columns)
        found.append(np.where(gone, np.nan, values.data * in_degrees(values.unit, name, where=account.where)))
    ra, dec = found
    # A mark is no declination; a right ascension of 99 is one.
    nowhere = account.take(columns.dec, "no position", (np.abs(dec) > 90) & np.isin(dec, USUAL))
    ra, dec = np.where(nowhere, np.nan, ra), np.where(nowhere, np.nan, dec)
    require_degrees(ra, dec, where=account.where)
    return ra, dec


def require_degrees(ra_deg: Floats, dec_deg: Floats, *, where: str) -> None:
    """Refuse positions that no unit in degrees can have.

    Raises
    ------
    MixzError
        A right ascension lies outside -180 to 360 or a declination outside -90 to 90.
    """
    for name, values, low, high in (("right ascension", ra_deg, -180, 360), ("declination", dec_deg, -90, 90)):
        wrong = values[(values < low) | (values > high)]
        if len(wrong):
            raise MixzError(
                f"{where} has {name} {wrong[0]:g}, and {len(wrong):,} rows like that",
                f"{name} in degrees, {low} to {high}",
                "check that columns.ra and columns.dec name the right columns, in degrees",
            )


# What else a catalogue may call right ascension and declination, and how these become degrees.  Whether a lone
# catalogue is in degrees cannot be told (ra 10.0 is a place in any unit); beside another of the same sky it can.
OTHER_UNITS = {
    "right ascension in hours": (15.0, 1.0),
    "both in radians": (np.degrees(1.0), np.degrees(1.0)),
    "both in arcseconds": (1 / 3600, 1 / 3600),
}


def guess_units(ra_deg: Floats, dec_deg: Floats, box: Box) -> str:
    """Say in which other unit positions would lie inside `box`, or give ``""``.

    Examples
    --------
    >>> ra, dec = np.array([150.1, 150.2]), np.array([2.1, 2.2])
    >>> guess_units(ra / 15, dec, Box.around(ra, dec, margin_arcsec=1))
    'right ascension in hours'
    """
    for unit, (ra_factor, dec_factor) in OTHER_UNITS.items():
        if box.holds(ra_deg * ra_factor, dec_deg * dec_factor).any():
            return unit
    if box.holds(dec_deg, ra_deg).any():
        return "right ascension and declination swapped"
    return ""
