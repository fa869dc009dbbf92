"""How a config speaks of a table's columns: which one holds what, and which rows to keep."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from mixz.strict import Strict

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Positive = Annotated[float, Field(gt=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
PerEbv = Annotated[float, Field(gt=0, allow_inf_nan=False)]
ZeroPoint = Annotated[float, Field(gt=-5, lt=5)]
"""More is no zero point's error, but another unit."""
PerBand = str | dict[str, str]
Mark = float | Literal["nan", "inf"]
KINDS = ("mag", "mag_err", "flux", "flux_err", "z", "z_err", "dust", "other")
"""Kinds of columns of numbers: ``z`` redshift labels, ``dust`` E(B-V) and extinctions, ``other`` cut on or carried."""
PHOTOMETRY = KINDS[:4]
DUST_KEYS = {"none": (), "a_band": ("a_band",), "ebv": ("ebv", "extinction_per_ebv")}
"""Per way of taking dust off the keys that it needs."""
FLUX_KEYS = ("flux", "flux_err", "flux_zero_point")


Value = StrictBool | StrictInt | StrictFloat | StrictStr
"""What a cut compares with: truth values, numbers (only those too large for a float as integers), and text."""


class Columns(Strict):
    """How a table names its columns; `{band}` stands for each band, or map band by band.

    Parameters
    ----------
    object_id
        Column with the galaxies' names; without it the row number is the name.
    ra, dec
        Columns of the position [deg]; needed for matching, overlaps and splitting by sky patch.
    mag, mag_err
        Columns of AB magnitudes and their errors: ``"mag_{band}"`` or ``{g: G_MAG, r: R_MAG}``.
        `mag_err: null` for a table without errors, `mag: null` to compute magnitudes from fluxes.
    flux, flux_err
        Columns of fluxes and their errors, used where `mag` is null.
    flux_zero_point
        AB magnitude of flux 1: 23.9 for microjansky, 31.4 for nanojansky, 27 for HSC counts.  Left out, the columns'
        own units say it, and columns without a unit are in microjansky; said, it must agree with their units.
    extinction
        What is taken off the magnitudes for dust in our Galaxy: ``none`` (the default), ``a_band`` (the columns of
        that name) or ``ebv`` (`extinction_per_ebv` times the column `ebv`).  Part of the column map, so that a model
        remembers it.
    a_band
        Columns of the Galactic extinction [mag] in each band.
    ebv
        Column of E(B-V).
    extinction_per_ebv
        Per band A_b / E(B-V).
    zero_points
        Per band what is added to its magnitudes [mag], dust or not, e.g. ``{u: -0.05}`` where they are 0.05 too faint.
        Part of the column map, so that a model remembers it.
    missing
        What stands for "not observed", "not known": numbers by kind of column (``mag``, ``mag_err``, ``flux``,
        ``flux_err``, ``z``, ``z_err``, ``dust``, ``other``) or by a column's own name, e.g. ``{mag: [30], conf:
        [-1]}``; they take the place of the usual ones (docs/values.md), and are compared in the column's own precision.
    undetected
        What stands for "observed, and nothing seen" in a column of magnitudes or fluxes: numbers, ``nan`` or ``inf``,
        e.g. ``[99]`` for RAIL's tables and ``[nan]`` for the DESC challenge's; or by kind of column, e.g.
        ``{mag_err: [-1]}`` where a negative error marks an upper limit.  Where anything is named, fluxes that are not
        positive count so too.  All else that is no magnitude is missing: not observed.
    """

    object_id: str | None = "object_id"
    ra: str | None = None
    dec: str | None = None
    mag: PerBand | None = "mag_{band}"
    mag_err: PerBand | None = "mag_err_{band}"
    flux: PerBand | None = None
    flux_err: PerBand | None = None
    flux_zero_point: Finite | None = None
    extinction: Literal["none", "a_band", "ebv"] = "none"
    a_band: PerBand | None = None
    ebv: str | None = None
    extinction_per_ebv: dict[str, PerEbv] = Field(default_factory=dict)
    zero_points: dict[str, ZeroPoint] = Field(default_factory=dict)
    missing: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    undetected: tuple[Mark, ...] | dict[str, tuple[Mark, ...]] = ()

    @field_validator("mag", "mag_err", "flux", "flux_err", "a_band")
    @classmethod
    def _pattern_has_band(cls, value: PerBand | None) -> PerBand | None:
        if isinstance(value, str) and "{band}" not in value:
            raise ValueError(f"{value!r} names one column for all bands; write {{band}} where the band's name goes")
        return value

    @model_validator(mode="after")
    def _names_what_it_needs(self) -> Columns:
        if self.mag is None and self.flux is None:
            raise ValueError("mag: null needs flux: the columns to compute magnitudes from")
        if (self.ra is None) != (self.dec is None):
            raise ValueError("ra and dec go together")
        if self.extinction == "a_band" and self.a_band is None:
            raise ValueError('extinction: a_band needs a_band: its columns, e.g. "a_{band}"')
        if self.extinction == "ebv" and (self.ebv is None or not self.extinction_per_ebv):
            raise ValueError("extinction: ebv needs ebv: its column, and extinction_per_ebv: A_b / E(B-V) of each band")
        return self

    @model_validator(mode="after")
    def _says_nothing_in_vain(self) -> Columns:
        for key in FLUX_KEYS:
            if self.mag is not None and getattr(self, key) not in (None, ()):
                raise ValueError(f"{key} does nothing beside mag: set mag: null to compute magnitudes from fluxes")
        if self.mag is None and self.mag_err not in (None, type(self).model_fields["mag_err"].default):
            raise ValueError("mag_err does nothing beside mag: null: errors of fluxes are flux_err")
        for way, keys in DUST_KEYS.items():
            for key in keys if way != self.extinction else ():
                if getattr(self, key):
                    raise ValueError(f"{key} does nothing without extinction: {way} (it is {self.extinction})")
        if isinstance(self.undetected, dict):
            for kind in self.undetected:
                if kind not in PHOTOMETRY:
                    raise ValueError(f"undetected: kind of column {kind!r} is none of {', '.join(PHOTOMETRY)}")
        for key, kinds in (("missing", self.missing), ("undetected", self.undetected)):
            for kind in kinds if isinstance(kinds, dict) else ():
                if kind in self._kinds_not_there():
                    raise ValueError(f"{key}: {kind} does nothing: this map has no such columns")
        return self

    def _kinds_not_there(self) -> list[str]:
        """The kinds of columns of which this map can have none, whatever the table."""
        errors = {"mag": self.mag_err, "flux": self.flux_err}
        kind, other = ("mag", "flux") if self.mag is not None else ("flux", "mag")
        without_errors = [f"{kind}_err"] if errors[kind] is None else []
        return [other, f"{other}_err", *without_errors, *(["dust"] if self.extinction == "none" else [])]

    def unseen(self, kind: str) -> tuple[Mark, ...]:
        """The marks of "observed, and nothing seen" in a kind of column.

        Examples
        --------
        >>> Columns(undetected=[99]).unseen("mag"), Columns(undetected={"mag_err": [-1]}).unseen("mag_err")
        ((99.0,), (-1.0,))
        """
        if isinstance(self.undetected, dict):
            return self.undetected.get(kind, ())
        return self.undetected if kind in ("mag", "flux") else ()


def that_apply(columns: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a survey's column map the keys that do nothing, as the map stands: those of fluxes, or of dust.

    Examples
    --------
    >>> that_apply({"mag": "m_{band}", "flux": "f_{band}", "ebv": "EBV"})
    {'mag': 'm_{band}'}
    """
    idle = set(FLUX_KEYS if columns.get("mag") is not None else ("mag_err",))
    for way, keys in DUST_KEYS.items():
        idle |= set(keys) if way != columns.get("extinction", "none") else set()
    return {key: value for key, value in columns.items() if key not in idle}


class Cut(Strict):
    """A named condition; galaxies that fail it are left out and counted in the ledger.

    Parameters
    ----------
    name
        The name the ledger shows, e.g. ``galaxies_only``.
    column
        A column of the table, one of our names (``mag_{band}``, ``mag_err_{band}``, ``z_{truth}``, ``match_arcsec``),
        or arithmetic of these with ``abs``, ``min``, ``max``, ``sqrt``, ``log10`` and ``isnan``, e.g.
        ``lp_chi2_best / lp_NbFilt``; ``flags & 4`` tests bits of whole numbers, also ``flags & (1 << 40 | 0x10)``.
    min, max
        Keep min <= value <= max; either may be left out.
    above, below
        Keep above < value < below; either may be left out.
    equals
        Keep value == equals: a number, a truth value, text (``GALAXY``), or any of a list (``[GALAXY, QSO]``).
    repeated
        What to do with rows that share their value in `column` (text or number): keep the ``first``, or ``drop``
        them all.
    missing
        What to do with galaxies that have no value there: ``drop`` (default) or ``keep``.
    """

    name: Name
    column: str
    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None
    equals: Value | tuple[Value, ...] | None = None
    repeated: Literal["first", "drop"] | None = None
    missing: Literal["drop", "keep"] = "drop"

    def words(self) -> list[str]:
        """The words in `column` that may be names."""
        return re.findall(r"[^\W\d]\w*", self.column)

    @field_validator("equals", mode="before")
    @classmethod
    def _equals_are_values(cls, value: object) -> object:
        return tuple(map(_value, value)) if isinstance(value, list | tuple) else _value(value)

    @model_validator(mode="after")
    def _has_a_condition(self) -> Cut:
        bounds = [self.min, self.above, self.max, self.below]
        kinds = [any(bound is not None for bound in bounds), self.equals is not None, self.repeated is not None]
        if not any(kinds):
            raise ValueError("a cut needs min, max, above, below, equals or repeated")
        if self.repeated is not None and sum(kinds) > 1:
            raise ValueError("repeated stands alone: give the other conditions as a cut of their own")
        if self.equals is not None and sum(kinds) > 1:
            raise ValueError("equals stands alone: give the bounds as a cut of their own")
        if self.equals == ():
            raise ValueError("equals: [] keeps nothing: list what to keep")
        if (self.min is not None and self.above is not None) or (self.max is not None and self.below is not None):
            raise ValueError("min and above are two lower bounds, max and below two upper ones: give one of each")
        lower, upper = (next((b for b in pair if b is not None), None) for pair in (bounds[:2], bounds[2:]))
        strict = self.above is not None or self.below is not None
        if lower is not None and upper is not None and (lower > upper or (strict and lower == upper)):
            raise ValueError(f"nothing lies between {lower:g} and {upper:g}: exchange or correct the bounds")
        return self

    @property
    def wanted(self) -> tuple[bool | int | float | str, ...]:
        """What `equals` lists; nothing for the other conditions."""
        if self.equals is None:
            return ()
        return self.equals if isinstance(self.equals, tuple) else (self.equals,)


def _value(written: object) -> bool | int | float | str | None:
    """What a cut is to compare with, whole numbers as floats where these are exact."""
    match written:
        case None | bool():
            return written
        case int() | float() if abs(written) < 2**64:
            return float(written) if abs(written) <= 2**53 else written
        case str() if written.strip():
            return written.strip()
        case str():
            raise ValueError("empty text is a missing value, and missing values equal nothing")
    raise ValueError("a cut compares with a number, true or false, text, or a list of these")
