"""Magnitudes and their errors from whatever a table has: magnitudes, or fluxes, with or without Galactic dust."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.data.meaning.missing import Account, Values
from mixz.data.meaning.numbers import require_columns
from mixz.data.meaning.units import in_magnitudes, refused, zero_point_of
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mixz.arrays import Floats, Mask
    from mixz.surveys.columns import Columns

AB_RANGE = (5.0, 40.0)
"""Where nearly all AB magnitudes of galaxies lie; fluxes in whatever unit do not."""

FAINTEST = 60.0
"""No source has a magnitude, or an error of one, beyond this, of either sign: it is a way to say that there is none."""

NOT_OBSERVED_FLUX = -90.0
"""Fluxes so low with an error that is none were not observed (EAZY's NOT_OBS_THRESHOLD)."""
FLUX_MARKS = (-99.0, -99.9, -999.0, -999.9, -9999.0, -9999.9)
"""What stands for such fluxes where there are no errors to tell by."""

MICROJANSKY = 23.9
"""AB magnitude of a flux of 1 where neither a unit nor a config says another."""

POGSON = 2.5 / np.log(10)
"""A magnitude error is this times the relative error of the flux."""


def photometry(
    frame: pd.DataFrame, columns: Columns, bands: Sequence[str], *, where: str, account: Account | None = None
) -> tuple[Floats, Floats]:
    """Magnitudes and errors of a table, each of shape (galaxy, band); NaN errors where it maps none.

    A band that was observed and in which nothing was seen has no magnitude (NaN) and an infinite error.

    Parameters
    ----------
    frame, columns, bands
        A table, what it calls its columns, and the bands.
    where
        What to call the table.
    account
        Where what is taken for missing is entered, and what judges the whole table where the frame is a piece of it;
        without one the frame is judged.

    Raises
    ------
    MixzError
        A column is missing, holds text, is in a unit that does not fit, or holds numbers that are no magnitudes.

    Examples
    --------
    >>> import pandas as pd
    >>> from mixz.surveys.columns import Columns
    >>> table = pd.DataFrame({"f_g": [3.631, 36.31, -0.2, 5.0], "e_g": [0.3631, 0.3631, 0.1, -1.0]})
    >>> columns = Columns(mag=None, flux="f_{band}", flux_err="e_{band}", undetected=["nan"])
    >>> mag, err = photometry(table, columns, ["g"], where="demo")
    >>> mag.round(2).ravel().tolist(), err.round(2).ravel().tolist()
    ([22.5, 20.0, nan, 22.15], [0.11, 0.01, inf, nan])
    """
    names = column_names(columns, bands)
    require_columns([n for group in names.values() for n in group], [str(n) for n in frame.columns], where=where)
    judge = account or Account(where)
    dust = _dust(frame, columns, names, bands, judge)
    pairs = [_band(frame, columns, names, k, judge) for k in range(len(bands))]
    if account is None:
        judge.finish()
    mag, mag_err = (np.column_stack(values) for values in zip(*pairs, strict=True))
    mag = mag - dust + np.array([columns.zero_points.get(band, 0.0) for band in bands])
    return mag, np.where(np.isnan(mag) & ~np.isposinf(mag_err), np.nan, mag_err)


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
    return zero_point - 2.5 * np.log10(positive), POGSON * flux_err / positive


def _band(
    frame: pd.DataFrame, columns: Columns, names: dict[str, list[str]], k: int, account: Account
) -> tuple[Floats, Floats]:
    """Magnitudes and errors of one band, before dust is taken off."""
    kind = "mag" if "mag" in names else "flux"
    values = Values.of(frame, names[kind][k], where=account.where)
    errors = Values.of(frame, names[f"{kind}_err"][k], where=account.where) if names[f"{kind}_err"] else None
    in_flux = kind == "flux" or (values.unit is not None and values.unit.zero_point is not None)
    unseen = values.are(columns.unseen(kind))
    if errors is not None:
        unseen |= errors.are(columns.unseen(f"{kind}_err"))
        if kind == "mag":  # as galaxies.parquet has it
            unseen |= np.isnan(values.data) & np.isposinf(errors.data)
    if in_flux:
        mag, mag_err = _from_fluxes(values, errors, unseen, columns, account)
    else:
        mag, mag_err = _from_magnitudes(values, errors, unseen, columns, account)
    account.watch(values.name, np.where(np.isnan(mag), np.nan, values.data))
    return mag, np.where(np.isnan(mag) & ~np.isposinf(mag_err), np.nan, mag_err)


def _from_magnitudes(
    values: Values, errors: Values | None, unseen: Mask, columns: Columns, account: Account
) -> tuple[Floats, Floats]:
    name, where = values.name, account.where
    factor = 1.0
    if values.unit is not None:
        if (told := values.unit.magnitude) is None:
            raise refused(
                name,
                values.unit,
                where=where,
                allowed="mag, mmag, or a flux per frequency such as nJy",
                do="convert it to AB magnitudes, or correct its unit",
            )
        factor = told
    mag = values.data * factor
    account.take(name, "observed, nothing seen", unseen)
    gone = account.marked(values, "mag", columns, ~unseen)
    beyond = account.take(name, f"beyond {FAINTEST:g} mag", (np.abs(mag) > FAINTEST) & ~unseen & ~gone)
    # Numbers that are no magnitudes are judged by what they are, also where each alone would be taken for missing.
    account.require(
        "AB magnitudes",
        name,
        np.where(gone | unseen, np.nan, mag),
        *AB_RANGE,
        do="if these are fluxes, map them as fluxes: columns: {mag: null, flux: ..., flux_err: ..., flux_zero_point: "
        "...}; at prediction --flux, --flux-err, --flux-zero-point",
    )
    mag = np.where(gone | beyond | unseen, np.nan, mag)
    if errors is None:
        return mag, np.where(unseen, np.inf, np.nan)
    scale = in_magnitudes(errors.unit, errors.name, where=where)
    # An error of 99 millimagnitudes is one.
    kind = "mag_err" if scale == 1 else _kind("mag_err", columns)
    mag_err = _known_errors(errors, kind, scale, np.isfinite(mag), columns, account, most=FAINTEST)
    return mag, np.where(unseen, np.inf, mag_err)


def _from_fluxes(
    values: Values, errors: Values | None, unseen: Mask, columns: Columns, account: Account
) -> tuple[Floats, Floats]:
    name, where = values.name, account.where
    told = columns.flux_zero_point
    zero_point = zero_point_of(values.unit, name, where=where, told=told, usual=MICROJANSKY)
    if values.unit is None and told is None:
        account.note(f"{where}: columns of fluxes say no unit, and no flux_zero_point is given: taken as microjansky")
    flux = values.data
    flux_err: Floats = np.full(len(flux), np.nan)
    # Fluxes may stand where magnitudes are mapped: then 99 of them is a number, unless the config says otherwise.
    gone = account.marked(values, _kind("mag", columns), columns, ~unseen)
    if errors is not None:
        flux_err = errors.data * 10 ** (0.4 * (zero_point - _zero_point_of_errors(values, errors, zero_point, where)))
        no_error = ~(np.isfinite(flux_err) & (flux_err > 0))
        below = (flux <= NOT_OBSERVED_FLUX) & no_error
    else:
        below = values.are(FLUX_MARKS)
    gone |= account.take(name, "a flux of -90 or less without an error: not observed", below & ~gone & ~unseen)
    negative = (flux <= 0) & ~gone & ~unseen
    if columns.undetected:
        unseen = unseen | account.take(name, "flux not positive: observed, nothing seen", negative)
    else:
        account.take(name, "flux not positive", negative)
    account.take(name, "observed, nothing seen", unseen & ~negative)
    mag, _ = magnitudes(np.where(gone | unseen, np.nan, flux), flux_err, zero_point=zero_point)
    account.require(
        "fluxes in this unit (as AB magnitudes)",
        name,
        mag,
        *AB_RANGE,
        do=f"say which unit they are in: flux_zero_point, the AB magnitude of a flux of 1 (taken: {zero_point:g}; nJy "
        "31.4, uJy 23.9, nanomaggy 22.5, erg/s/cm2/Hz -48.6)",
    )
    mag = np.where(account.take(name, f"beyond {FAINTEST:g} mag", np.abs(mag) > FAINTEST), np.nan, mag)
    if errors is None:
        return mag, np.where(unseen, np.inf, np.nan)
    known = _known_errors(errors, _kind("mag_err", columns), 1.0, np.isfinite(mag), columns, account)
    mag_err = POGSON * np.where(np.isnan(known), np.nan, flux_err) / np.where(np.isfinite(mag), flux, np.nan)
    return mag, np.where(unseen, np.inf, mag_err)


def _kind(mapped_as: str, columns: Columns) -> str:
    """The kind whose marks a column of fluxes, or of their errors, has: that under which it is mapped has none."""
    return mapped_as if mapped_as in columns.missing else mapped_as.replace("mag", "flux")


def _zero_point_of_errors(values: Values, errors: Values, zero_point: float, where: str) -> float:
    """AB magnitude of a flux of 1 in a column of errors of fluxes.

    Raises
    ------
    MixzError
        They are in no unit of fluxes, nor in the fluxes' own, such as counts: an inverse variance is no error.
    """
    if errors.unit is None or (values.unit is not None and errors.unit.text == values.unit.text):
        return zero_point
    if errors.unit.magnitude is None and errors.unit.zero_point is None:
        raise refused(
            errors.name,
            errors.unit,
            where=where,
            allowed="errors of the fluxes, in their unit or in nJy, uJy, nanomaggy, erg/s/cm2/Hz",
            do="convert it (of an inverse variance the error is 1 / sqrt), or correct its unit",
        )
    return zero_point_of(errors.unit, errors.name, where=where, told=None, usual=zero_point)


def _known_errors(
    errors: Values,
    kind: str,
    scale: float,
    measured: Mask,
    columns: Columns,
    account: Account,
    *,
    most: float = np.inf,
) -> Floats:
    """Errors of what was measured; NaN where they are none: empty, marked, negative, zero or absurd."""
    gone = account.marked(errors, kind, columns, measured)
    found, left = errors.data * scale, measured & ~gone
    gone |= account.take(errors.name, "negative error", (found < 0) & left)
    gone |= account.take(errors.name, "error of zero", (found == 0) & left)
    gone |= account.take(errors.name, f"error beyond {most:g} mag", (found > most) & left)
    return np.where(measured & ~gone, found, np.nan)


def _dust(
    frame: pd.DataFrame, columns: Columns, names: dict[str, list[str]], bands: Sequence[str], account: Account
) -> Floats:
    """What dust in our Galaxy takes, shape (galaxy, band) [mag]; NaN where the table does not know."""
    if columns.extinction == "none":
        return np.zeros((len(frame), len(bands)))
    found = []
    for name in names["ebv" if columns.extinction == "ebv" else "a_band"]:
        values = Values.of(frame, name, where=account.where)
        dust = values.data * in_magnitudes(values.unit, name, where=account.where)
        gone = account.marked(values, "dust", columns)
        gone |= account.take(name, "negative: no dust known", (dust < 0) & ~gone)
        gone |= account.take(name, f"beyond {FAINTEST:g} mag", (dust > FAINTEST) & ~gone)
        found.append(np.where(gone, np.nan, dust))
    if columns.extinction == "ebv":
        return np.asarray(found[0][:, None] * [columns.extinction_per_ebv[band] for band in bands])
    return np.column_stack(found)


def _per_band(pattern: str | dict[str, str] | None, bands: Sequence[str]) -> list[str]:
    if pattern is None:
        return []
    if isinstance(pattern, str):
        return [pattern.replace("{band}", band) for band in bands]
    return [pattern.get(band, f"(no column mapped for band {band})") for band in bands]
