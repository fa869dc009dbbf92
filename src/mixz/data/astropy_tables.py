"""astropy tables of magnitudes in, astropy tables of redshifts with units out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
import pandas as pd
from astropy.cosmology import units as cu
from astropy.table import Column, MaskedColumn, QTable, Table

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from mixz import photoz


def is_astropy(table: object) -> bool:
    """Whether it is an astropy table (a QTable is one too)."""
    return isinstance(table, Table)


@dataclass(frozen=True)
class ColumnRoles:
    """What columns with units are read as, where not as AB magnitudes.

    Parameters
    ----------
    errors
        Per column of errors the column of magnitudes that they are of.
    fluxes
        Per column of fluxes, or of their errors, the AB magnitude of flux 1.
    """

    errors: Mapping[str, str] = field(default_factory=dict)
    fluxes: Mapping[str, float] = field(default_factory=dict)


def frame_of(table: Mapping[str, Any], columns: Collection[str], roles: ColumnRoles) -> pd.DataFrame:
    """Take columns out of an astropy table, or a dictionary: magnitudes as numbers, flux densities as AB magnitudes.

    What is masked is missing, as is the magnitude of a flux that is not positive.

    Parameters
    ----------
    table, columns
        The table, and the names of the columns wanted.
    roles
        Which columns are errors, and which are wanted as fluxes.

    Raises
    ------
    MixzError
        A column has a unit that is neither, or is no column.

    Examples
    --------
    >>> table = QTable({"mag_g": [3.631, 36.31] * u.uJy, "mag_err_g": [0.1, 0.1] * u.uJy, "mag_r": [21, 20] * u.mag})
    >>> frame_of(table, ["mag_g", "mag_r", "mag_err_g"], ColumnRoles(errors={"mag_err_g": "mag_g"})).round(3)
       mag_g  mag_r  mag_err_g
    0   22.5   21.0      0.030
    1   20.0   20.0      0.003
    """
    found = {}
    for name in columns:
        column, numbers = table[name], _plain(table[name])
        if getattr(column, "unit", None) is None:
            numbers = np.asarray(numbers)
        elif name in roles.fluxes:
            numbers = _flux(numbers, name, roles.fluxes[name])
        elif name in roles.errors:
            numbers = _error(numbers, name, _plain(table[roles.errors[name]]))
        else:
            numbers = _magnitude(numbers, name)
        found[name] = _hidden(_native(numbers), column)
    return pd.DataFrame(found)


def table_like(table: Table, columns: Mapping[str, photoz.Column], *, meta: Mapping[str, Any]) -> Table:
    """Columns as a table of the same class, with units (redshift is one of astropy's) and descriptions."""
    made = type(table)()
    for name, (values, about, words) in columns.items():
        with u.add_enabled_units([cu.redshift]):
            unit = u.Unit(words) if words else None
        if isinstance(table, QTable) and unit is not None:
            made[name] = u.Quantity(values, unit)
        else:
            made[name] = (MaskedColumn if isinstance(values, np.ma.MaskedArray) else Column)(values, unit=unit)
        made[name].info.description = about
    made.meta.update(meta)
    return made


def _magnitude(column: Any, name: str) -> NDArray[Any]:
    """AB magnitudes; a flux that is not positive has none."""
    quantity = _quantity(column)
    if quantity.unit in (u.mag, u.dimensionless_unscaled):
        return np.asarray(quantity.value)
    with _units_of(name, column), np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(quantity.to_value(u.ABmag))


def _error(column: Any, name: str, of: Any) -> NDArray[Any]:
    """Errors of magnitudes; of fluxes as sigma_m = 2.5 / ln 10 * sigma_f / f."""
    quantity = _quantity(column)
    if quantity.unit in (u.mag, u.ABmag, u.dimensionless_unscaled):
        return np.asarray(quantity.value)
    with _units_of(name, column, of), np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2.5 / np.log(10) * (quantity / _quantity(of)).to_value(u.dimensionless_unscaled))


def _flux(column: Any, name: str, zero_point: float) -> NDArray[Any]:
    """Fluxes as multiples of that of the magnitude `zero_point`."""
    with _units_of(name, column):
        return np.asarray(_quantity(column).to_value(u.AB) * 10 ** (0.4 * zero_point))


@contextmanager
def _units_of(name: str, column: Any, of: Any = None) -> Iterator[None]:
    """Which units do not fit."""
    try:
        yield
    except (u.UnitsError, u.UnitTypeError, TypeError) as error:
        beside = "" if of is None else f", what it is the error of in {getattr(of, 'unit', None) or 'no unit'}"
        raise MixzError(
            f"column {name!r} is in {column.unit}{beside}",
            "mag, ABmag, or a flux density such as nJy; errors as what they are of",
            "convert it, or drop its unit",
        ) from error


def _quantity(column: Any) -> Any:
    """A column as a quantity, which of a logarithmic unit is a magnitude."""
    return column if isinstance(column, u.Quantity) else np.asarray(column) * (getattr(column, "unit", None) or u.mag)


def _plain(column: Any) -> Any:
    """What is under a mask, with its unit."""
    if isinstance(column, np.ma.MaskedArray):
        unit = getattr(column, "unit", None)
        return np.asarray(column.data) if unit is None else Column(column.data, unit=unit)
    return getattr(column, "unmasked", column)


def _hidden(values: NDArray[Any], column: Any) -> NDArray[Any]:
    """Put NaN (None, where there is no such number) where a column is masked."""
    mask = getattr(column, "mask", None) if isinstance(column, np.ndarray) else None
    if mask is None or not np.any(mask):
        return values
    with_holes = values if values.dtype.kind == "f" else values.astype(object)
    with_holes[np.broadcast_to(mask, values.shape)] = np.nan if values.dtype.kind == "f" else None
    return with_holes


def _native(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(values.dtype.newbyteorder("="), copy=True)
