"""astropy tables of magnitudes in, astropy tables of redshifts with units out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
import pandas as pd
from astropy.cosmology import units as cu
from astropy.table import Column, MaskedColumn, QTable, Table

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray


def is_astropy(table: object) -> bool:
    """Say whether it is an astropy table (a QTable is one too)."""
    return isinstance(table, Table)


def frame_of(table: Table, columns: Collection[str]) -> pd.DataFrame:
    """Take columns out of an astropy table: magnitudes as numbers, flux densities as AB magnitudes, NaN where masked.

    Raises
    ------
    MixzError
        A column has a unit that is neither.

    Examples
    --------
    >>> frame_of(QTable({"mag_g": [3.631, 36.31] * u.uJy, "mag_r": [21, 20] * u.mag}), ["mag_g", "mag_r"]).round(3)
       mag_g  mag_r
    0   22.5   21.0
    1   20.0   20.0
    """
    return pd.DataFrame({name: _values(table[name], name) for name in columns})


def table_like(table: Table, columns: Mapping[str, NDArray[Any]], *, meta: Mapping[str, Any]) -> Table:
    """Give columns as a table of the same class; redshifts (names with z) in astropy's unit of redshift."""
    made = type(table)()
    for name, values in columns.items():
        unit = _unit_of(name)
        is_quantity = isinstance(table, QTable) and unit is not None
        made[name] = u.Quantity(values, unit) if is_quantity else Column(values, unit=unit)
    made.meta.update(meta)
    return made


def _unit_of(name: str) -> u.UnitBase | None:
    if name == "pdf":
        return 1 / cu.redshift
    return cu.redshift if name.startswith("z") else None


def _values(column: Any, name: str) -> NDArray[Any]:
    unit = getattr(column, "unit", None)
    if isinstance(column, MaskedColumn):
        column = column.filled(np.nan) if column.dtype.kind == "f" else column.astype(float).filled(np.nan)
    if unit is None:
        return _native(np.asarray(column))
    quantity = column if isinstance(column, u.Quantity) else np.asarray(column) * unit  # a magnitude, for units of AB
    if quantity.unit in (u.mag, u.dimensionless_unscaled):
        return _native(np.asarray(quantity.value))
    try:
        return _native(np.asarray(quantity.to_value(u.ABmag)))
    except (u.UnitsError, TypeError) as error:
        raise MixzError(
            f"column {name!r} is in {unit}", "mag, ABmag, or a flux density such as nJy", "convert it, or drop its unit"
        ) from error


def _native(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(values.dtype.newbyteorder("="), copy=True)
