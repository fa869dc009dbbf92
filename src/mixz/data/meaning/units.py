"""Units of columns: what files call them, and the numbers that mixz counts in (AB magnitudes, degrees, redshifts)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import astropy.units as u
import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from typing import Any

MAGGY = 3631 * u.Jy
"""Flux of AB magnitude 0."""
SAME_ZERO_POINT = 0.01
"""Zero points that differ by less [mag] mean the same unit: 23.9 and 23.9001 are both microjansky."""

# What files write besides what astropy knows, without blanks and in small letters.
NONE = ("", "-", "--", "---", "none", "null", "unitless", "dimensionless", "redshift", "1", "n/a")
MAGNITUDES = ("mag", "mags", "magnitude", "magnitudes", "abmag", "abmags", "mag_ab", "magab", "ab_mag", "mag(ab)", "ab")
ALIASES: dict[str, Any] = dict.fromkeys(MAGNITUDES, u.mag) | {
    "mmag(ab)": u.mmag,
    "millimag": u.mmag,
    "maggy": MAGGY,
    "maggie": MAGGY,
    "maggies": MAGGY,
    "mgy": MAGGY,
    "nanomaggy": 1e-9 * MAGGY,
    "nanomaggie": 1e-9 * MAGGY,
    "nanomaggies": 1e-9 * MAGGY,
    "nmgy": 1e-9 * MAGGY,
    "nmaggy": 1e-9 * MAGGY,
    "nmaggies": 1e-9 * MAGGY,
    "njy": u.nJy,
    "nanojansky": u.nJy,
    "nanojy": u.nJy,
    "ujy": u.uJy,
    "mujy": u.uJy,
    "microjy": u.uJy,
    "microjansky": u.uJy,
    "microjanskys": u.uJy,
    "millijansky": u.mJy,
    "jansky": u.Jy,
    "deg": u.deg,
    "degs": u.deg,
    "degree": u.deg,
    "degrees": u.deg,
    "rad": u.rad,
    "radian": u.rad,
    "radians": u.rad,
    "arcsec": u.arcsec,
    "arcsecs": u.arcsec,
    "arcseconds": u.arcsec,
    "hourangle": u.hourangle,
    "hours": u.hourangle,
    "hour": u.hourangle,
    "hr": u.hourangle,
    "h": u.hourangle,
}


@dataclass(frozen=True)
class Unit:
    """The unit of a column.

    Parameters
    ----------
    text
        As the file has it.
    known
        As a quantity of astropy's (or a unit); None where nobody knows it.
    """

    text: str
    known: Any

    @property
    def magnitude(self) -> float | None:
        """How many magnitudes one of it is; None where it is no magnitude, as dex and decibel are none."""
        found = self._in(u.mag)
        return found if found is not None and found > 0 else None

    @property
    def degrees(self) -> float | None:
        """How many degrees one of it is; None where it is no angle."""
        return self._in(u.deg)

    @property
    def zero_point(self) -> float | None:
        """AB magnitude of a flux of one of it; None where it is no flux per frequency.

        Examples
        --------
        >>> [round(parsed(text).zero_point, 2) for text in ("nJy", "nanomaggy", "microJy", "erg/s/cm2/Hz")]
        [31.4, 22.5, 23.9, -48.6]
        """
        jansky = self._in(u.Jy)
        return None if jansky is None or self._in(u.mag) is not None else float(-2.5 * np.log10(jansky / 3631))

    @property
    def is_velocity(self) -> bool:
        """Whether it is one of velocities."""
        return self._in(u.km / u.s) is not None

    @property
    def is_flux_per_wavelength(self) -> bool:
        """Whether it is a flux per wavelength, which has no AB magnitude without a wavelength."""
        return self._in(u.W / u.m**2 / u.m) is not None

    def _in(self, other: Any) -> float | None:
        if self.known is None:
            return None
        try:
            return float((1 * self.known).to_value(other))
        except (u.UnitsError, TypeError, AttributeError):
            return None


def parsed(text: str) -> Unit | None:
    """The unit that a file calls so; None where that says that a column has none.

    Examples
    --------
    >>> parsed("ABmag").magnitude, parsed("mmag").magnitude, parsed("MAG").zero_point, parsed("counts per lens").known
    (1.0, 0.001, None, None)
    >>> parsed("dex").magnitude, parsed("[nJy]").zero_point  # the logarithm of a flux
    (None, None)
    >>> parsed(" ") is None, round(parsed("RADIANS").degrees, 3)
    (True, 57.296)
    """
    short = "".join(text.split()).lower()
    if short in NONE:
        return None
    if short in ALIASES:
        return Unit(text, ALIASES[short])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)
        for style in (None, "fits", "cds", "vounit"):
            try:
                known = u.Unit(text.strip(), format=style)
            except (ValueError, TypeError):
                continue
            return Unit(text, _linear(known))
    return Unit(text, None)


def _linear(unit: Any) -> Any:
    """A magnitude of the AB system as a magnitude; the unit `AB` itself, a flux, is left as it is.

    Other logarithms are nobody's: to read them as what they are the logarithm of would be wrong by orders.
    """
    if isinstance(unit, u.MagUnit):
        return unit.function_unit if unit.physical_unit == u.AB else None
    return None if isinstance(unit, u.function.FunctionUnitBase) else unit


def refused(column: str, unit: Unit, *, where: str, allowed: str, do: str) -> MixzError:
    """What to say of a unit that does not fit."""
    return MixzError(f"{where} column {column!r} is in {unit.text!r}", allowed, do)


def in_magnitudes(unit: Unit | None, column: str, *, where: str) -> float:
    """How many magnitudes one of the unit of a column of magnitude errors, or of dust, is.

    Raises
    ------
    MixzError
        It is no magnitude.
    """
    if unit is None:
        return 1.0
    if (factor := unit.magnitude) is None:
        raise refused(column, unit, where=where, allowed="mag or mmag", do="convert it, or correct its unit")
    return factor


def in_degrees(unit: Unit | None, column: str, *, where: str) -> float:
    """How many degrees one of the unit of a column of positions is.

    Raises
    ------
    MixzError
        It is no angle.
    """
    if unit is None:
        return 1.0
    if (factor := unit.degrees) is None:
        raise refused(column, unit, where=where, allowed="an angle: deg, rad, arcsec, hourangle", do="correct its unit")
    return factor


def require_redshifts(unit: Unit | None, column: str, *, where: str) -> None:
    """Refuse columns of redshifts that their unit says are none.

    Raises
    ------
    MixzError
        The unit is a velocity, or anything else.
    """
    if unit is None:
        return
    do = "divide by 299792.458 km/s: cz is no redshift yet" if unit.is_velocity else "map the column of redshifts"
    raise refused(column, unit, where=where, allowed="redshifts, which have no unit", do=do)


def zero_point_of(unit: Unit | None, column: str, *, where: str, told: float | None, usual: float) -> float:
    """AB magnitude of a flux of 1 in a column of fluxes: by its unit, or as a config tells it, which must agree.

    Parameters
    ----------
    unit, column, where
        Its unit, and what to call it.
    told
        What the config says; None where it says nothing.
    usual
        What holds where neither does.

    Raises
    ------
    MixzError
        The two disagree, or the unit is no flux per frequency and nothing is told.
    """
    if unit is None:
        return usual if told is None else told
    if unit.magnitude is not None:
        raise refused(column, unit, where=where, allowed="a flux", do="map it as mag, not as flux")
    found = unit.zero_point
    if found is None:
        if told is not None and not unit.is_flux_per_wavelength:
            return told  # counts, say
        raise refused(
            column,
            unit,
            where=where,
            allowed="a flux per frequency: nJy, uJy, nanomaggy, erg/s/cm2/Hz",
            do="convert it, or of counts say flux_zero_point: the AB magnitude of a flux of 1",
        )
    if told is not None and abs(found - told) > SAME_ZERO_POINT:
        raise MixzError(
            f"{where} column {column!r} is in {unit.text!r}, of which one is AB magnitude {found:.2f}; the zero point "
            f"that was given is {told:g}",
            f"a zero point of {found:.2f}, or none: the unit says it",
            "leave the zero point out, or correct the unit in the table",
        )
    return found
