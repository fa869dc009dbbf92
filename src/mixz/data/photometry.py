"""Magnitudes and their errors from whatever a table has: magnitudes, or fluxes, with or without Galactic dust."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mixz.data.tables import numbers, numbers_as_written, require_columns
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.surveys.columns import Columns

AB_RANGE = (5.0, 40.0)
"""Where nearly all AB magnitudes of galaxies lie; fluxes in whatever unit do not."""

FAINTEST = 60.0
"""No source has a magnitude beyond this, of either sign: such numbers are someone's way to say that there is none."""

STRANGERS = 0.2
"""Share of values outside `AB_RANGE` from which a column is no column of magnitudes."""


def photometry(
    frame: pd.DataFrame, columns: Columns, bands: Sequence[str], *, where: str, check: MagnitudeCheck | None = None
) -> tuple[Floats, Floats]:
    """Magnitudes and errors of a table, each of shape (galaxy, band); NaN errors where it maps none.

    A band that was observed and in which nothing was seen has no magnitude (NaN) and an infinite error.  Where the
    frame is a piece of a table, `check` judges the whole of it; else the frame is judged.

    Raises
    ------
    MixzError
        A column is missing, holds text, or holds numbers that are no magnitudes.
    """
    names = column_names(columns, bands)
    require_columns([n for group in names.values() for n in group], list(frame.columns), where=where)
    values = {kind: _stack(frame, group, where=where) for kind, group in names.items() if group}
    if "mag" in values:
        (check.add if check else partial(require_magnitudes, where=where))(values["mag"], names["mag"])
        mag = np.where(np.abs(values["mag"]) > FAINTEST, np.nan, values["mag"])
        mag_err = values.get("mag_err", np.full_like(mag, np.nan))
    else:
        flux = values["flux"]
        flux_err = values.get("flux_err", np.full_like(flux, np.nan))
        mag, mag_err = magnitudes(flux, flux_err, zero_point=columns.flux_zero_point)
    if columns.extinction == "a_band":
        mag = mag - values["a_band"]
    elif columns.extinction == "ebv":
        mag = mag - values["ebv"] * [columns.extinction_per_ebv[band] for band in bands]
    unseen = _undetected(frame, columns, names, values, where=where)
    mag[unseen] = np.nan
    mag_err[np.isnan(mag)] = np.nan
    mag_err[unseen] = np.inf
    return mag, mag_err


def _undetected(
    frame: pd.DataFrame, columns: Columns, names: dict[str, list[str]], values: dict[str, Floats], *, where: str
) -> NDArray[np.bool_]:
    """Which bands were observed without seeing anything, shape (galaxy, band)."""
    kind = "mag" if "mag" in values else "flux"
    unseen = np.zeros(values[kind].shape, dtype=bool)
    if columns.undetected:
        written = _stack(frame, names[kind], where=where, read=numbers_as_written)
        for mark in columns.undetected:
            unseen |= np.isnan(written) if mark == "nan" else written == float(mark)
        if kind == "flux":
            unseen |= values[kind] <= 0
    if kind == "mag" and names["mag_err"]:  # as galaxies.parquet has it
        unseen |= np.isnan(values["mag"]) & np.isposinf(
            _stack(frame, names["mag_err"], where=where, read=numbers_as_written)
        )
    return unseen


def magnitudes(flux: Floats, flux_err: Floats, *, zero_point: float) -> tuple[Floats, Floats]:
    """Turn fluxes into AB magnitudes: m = zero_point - 2.5 log10 f, sigma_m = 2.5 / ln 10 * sigma_f / f.

    Parameters
    ----------
    flux, flux_err
        Fluxes and their errors, any shape; where the flux is not positive there is no magnitude (NaN).
    zero_point
        AB magnitude of flux 1: 23.9 for microjansky.

    Examples
    --------
    >>> mag, err = magnitudes(np.array([1.0, 100.0, -0.2]), np.array([0.1, 1.0, 0.1]), zero_point=23.9)
    >>> mag, err.round(4)
    (array([23.9, 18.9,  nan]), array([0.1086, 0.0109,    nan]))
    """
    positive = np.where(flux > 0, flux, np.nan)
    return zero_point - 2.5 * np.log10(positive), 2.5 / np.log(10) * flux_err / positive


def column_names(columns: Columns, bands: Sequence[str]) -> dict[str, list[str]]:
    """Write the part of a column map that magnitudes come from out, band by band.

    Examples
    --------
    >>> from mixz.surveys.columns import Columns
    >>> column_names(Columns(mag="{band}_cmodel_mag", mag_err=None), ["g", "r"])
    {'mag': ['g_cmodel_mag', 'r_cmodel_mag'], 'mag_err': []}
    >>> column_names(Columns(mag=None, flux="F_{band}", ebv="EBV", extinction="ebv", extinction_per_ebv={"g": 3.2}),
    ...              ["g"])
    {'flux': ['F_g'], 'flux_err': [], 'ebv': ['EBV']}
    """
    kinds = ("mag", "mag_err") if columns.mag is not None else ("flux", "flux_err")
    names = {kind: _per_band(getattr(columns, kind), bands) for kind in kinds}
    if columns.extinction == "a_band":
        names["a_band"] = _per_band(columns.a_band, bands)
    if columns.extinction == "ebv":
        lacking = [band for band in bands if band not in columns.extinction_per_ebv]
        if lacking:
            raise MixzError(
                f"extinction_per_ebv has no value for the bands {lacking}",
                f"bands: {', '.join(columns.extinction_per_ebv)}",
                "add A_b / E(B-V) of each band",
            )
        names["ebv"] = [str(columns.ebv)]
    return names


def require_magnitudes(mag: Floats, names: Sequence[str], *, where: str) -> None:
    """Refuse columns that cannot be AB magnitudes, such as fluxes.

    Parameters
    ----------
    mag
        Their values, shape (galaxy, band); NaN where not measured.
    names
        The columns they come from.

    Raises
    ------
    MixzError
        Many values lie outside `AB_RANGE`.
    """
    check = MagnitudeCheck(where)
    check.add(mag, names)
    check.finish()


@dataclass
class MagnitudeCheck:
    """Whether columns read piece by piece can be AB magnitudes: the same verdict however they are cut into pieces.

    Parameters
    ----------
    where
        What to call the table.
    rows
        How many rows it has at most, where that is known: a column that can no longer pass is refused at once.

    Examples
    --------
    >>> check = MagnitudeCheck("fluxes.csv", rows=4)
    >>> check.add(np.array([[21.0], [22.0], [23.0]]), ["g"])
    >>> check.add(np.array([[1e4]]), ["g"])
    Traceback (most recent call last):
    mixz.errors.MixzError: fluxes.csv column 'g' holds no AB magnitudes: 1 of 4 values lie outside 5 to 40, e.g. 1e+04
      allowed: magnitudes between 5 and 40
      do: if these are fluxes, map them as columns: {mag: null, flux: ..., flux_err: ..., flux_zero_point: ...}
    """

    where: str
    rows: int | None = None
    seen: Counter[str] = field(default_factory=Counter)
    strange: Counter[str] = field(default_factory=Counter)
    example: dict[str, float] = field(default_factory=dict)

    def add(self, mag: Floats, names: Sequence[str]) -> None:
        """Look at some rows, shape (galaxy, band).

        Raises
        ------
        MixzError
            However the rest may be, many values lie outside `AB_RANGE`.
        """
        for name, values in zip(names, mag.T, strict=True):
            outside = values[np.isfinite(values) & ((values < AB_RANGE[0]) | (values > AB_RANGE[1]))]
            self.seen[name] += int(np.isfinite(values).sum())
            self.strange[name] += len(outside)
            if len(outside):
                self.example.setdefault(name, float(outside[0]))
            if self.rows is not None and self.strange[name] > STRANGERS * self.rows:
                raise self._refusal(name)

    def finish(self) -> None:
        """Judge the whole table.

        Raises
        ------
        MixzError
            Many values lie outside `AB_RANGE`.
        """
        for name, strange in self.strange.items():
            if strange > STRANGERS * self.seen[name]:
                raise self._refusal(name)

    def _refusal(self, name: str) -> MixzError:
        low, high = AB_RANGE
        return MixzError(
            f"{self.where} column {name!r} holds no AB magnitudes: {self.strange[name]:,} of {self.seen[name]:,} values"
            f" lie outside {low:g} to {high:g}, e.g. {self.example[name]:.3g}",
            f"magnitudes between {low:g} and {high:g}",
            "if these are fluxes, map them as columns: {mag: null, flux: ..., flux_err: ..., flux_zero_point: ...}",
        )


def _stack(
    frame: pd.DataFrame, names: Sequence[str], *, where: str, read: Callable[..., NDArray[np.float64]] = numbers
) -> Floats:
    return np.column_stack([read(frame, name, where=where) for name in names])


def _per_band(pattern: str | dict[str, str] | None, bands: Sequence[str]) -> list[str]:
    if pattern is None:
        return []
    if isinstance(pattern, str):
        return [pattern.replace("{band}", band) for band in bands]
    return [pattern.get(band, f"(no column mapped for band {band})") for band in bands]
