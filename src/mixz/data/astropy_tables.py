"""astropy tables of magnitudes in, astropy tables of redshifts with units out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
import pandas as pd
from astropy.cosmology import units as cu
from astropy.table import Column, MaskedColumn, QTable, Table

from mixz.data.table_frames import numpy_column
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mixz import photoz


def is_astropy(table: object) -> bool:
    """Whether it is an astropy table (a QTable is one too)."""
    return isinstance(table, Table)


def frame_of(
    table: Mapping[str, Any] | pd.DataFrame, columns: Collection[str], *, where: str = "the table"
) -> pd.DataFrame:
    """Take columns out of any table as a table frame: with their units, missing where masked.

    Parameters
    ----------
    table, columns
        An astropy table, a dictionary or a table frame, and the names of the columns wanted.
    where
        What to call the table.

    Raises
    ------
    MixzError
        A column has more than one value per row, or is no column.

    Examples
    --------
    >>> table = QTable({"mag_g": [3.631, 36.31] * u.uJy, "mag_r": [[21], [20]] * u.mag})
    >>> frame = frame_of(table, ["mag_g", "mag_r"])
    >>> frame.mag_r.tolist(), frame.attrs["units"]
    ([21.0, 20.0], {'mag_g': 'uJy', 'mag_r': 'mag'})
    """
    if isinstance(table, pd.DataFrame):
        chosen = table[list(columns)].copy(deep=False)
        chosen.attrs = dict(table.attrs)
        return chosen
    frame = pd.DataFrame({name: _values(table[name], name, where) for name in columns})
    units = {name: getattr(table[name], "unit", None) for name in columns}
    frame.attrs["units"] = {name: _text(unit) for name, unit in units.items() if unit is not None}
    return frame


def _values(column: Any, name: str, where: str) -> Any:
    """A column's values, one per row; what is masked is missing."""
    if isinstance(getattr(column, "dtype", None), pd.api.extensions.ExtensionDtype):
        return pd.Series(column).reset_index(drop=True)  # numpy would round whole numbers beside a missing one
    mask = getattr(column, "mask", None) if isinstance(column, np.ndarray) else None
    values = np.asarray(getattr(getattr(column, "unmasked", column), "value", getattr(column, "unmasked", column)))
    if isinstance(column, np.ma.MaskedArray):
        values = np.asarray(column.data)
    if values.ndim == 2 and values.shape[1] == 1:
        values, mask = values[:, 0], None if mask is None else np.broadcast_to(mask, values.shape)[:, 0]
    if values.ndim != 1:
        raise MixzError(
            f"{where} column {name!r} has shape {values.shape}", "one value per row", "take out the value that is meant"
        )
    hidden = np.zeros(len(values), bool) if mask is None else np.array(np.broadcast_to(mask, values.shape))
    if values.dtype.kind in "biufSU":
        return numpy_column(values, hidden)
    return pd.Series([None if gone else value for value, gone in zip(values, hidden, strict=True)], dtype=object)


def _text(unit: Any) -> str:
    return "mag" if unit == u.ABmag else str(unit)


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
