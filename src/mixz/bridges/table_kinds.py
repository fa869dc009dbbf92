"""Kinds of tables that Python users have: how each is taken apart, and made from columns again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from numpy.typing import NDArray

    from mixz.photoz import Column

    Columns = Mapping[str, Column]


@dataclass(frozen=True)
class Kind:
    """How one kind of table is taken apart, and made from columns again."""

    names: list[str]
    frame: Callable[[Collection[str]], pd.DataFrame]
    made: Callable[[Columns, NDArray[Any] | None], Any]


def kind_of(table: Any) -> Kind:
    """Tell tables apart.

    Raises
    ------
    MixzError
        It is none of them.
    """
    if isinstance(table, pd.DataFrame):
        named = [str(name) for name in table.index.names if name is not None]
        indexed = [name for name in named if name not in table.columns]
        return Kind(
            [*map(str, table.columns), *indexed],
            lambda names: _of_pandas(table, names, indexed),
            lambda columns, grid: _as_pandas(columns, grid, table),
        )
    if isinstance(table, pa.Table):
        return Kind(table.column_names, lambda names: _of_arrow(table.select(list(names))), _as_arrow)
    from mixz.data.astropy_tables import frame_of, is_astropy, table_like

    if isinstance(table, dict):
        return Kind(list(table), lambda names: frame_of(_of_one_length(table, names), names), _as_dictionary)
    if is_astropy(table):
        return Kind(
            table.colnames,
            lambda names: frame_of(table, names),
            lambda columns, grid: table_like(
                table,
                columns,
                meta={} if grid is None else {"z_grid": grid.tolist()},
            ),
        )
    raise MixzError(
        f"a table of kind {type(table).__name__}",
        "GalaxySet, astropy Table, pandas DataFrame, pyarrow Table, dict of arrays, array of magnitudes",
        "convert it to one of these, e.g. astropy.table.Table(rows)",
    )


def _of_pandas(table: pd.DataFrame, names: Collection[str], indexed: Collection[str]) -> pd.DataFrame:
    """Columns of a frame, of its index too; it says nothing of units."""
    levels = [name for name in names if name in indexed]
    found = table.reset_index(levels)[list(names)] if levels else table[list(names)]
    found = found.copy(deep=False)
    found.attrs = {}
    return found


def _of_arrow(table: pa.Table) -> pd.DataFrame:
    """Columns of an Arrow table, whole where some are missing: names of galaxies do not fit into a float."""
    frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True, ignore_metadata=True)
    units = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in table.schema}
    frame.attrs["units"] = {name: unit for name, unit in units.items() if unit}
    return frame


def _of_one_length(table: Mapping[str, Any], names: Collection[str]) -> Mapping[str, Any]:
    """Refuse a dictionary whose values are no columns."""
    shapes = {name: np.shape(table[name]) for name in names}
    if any(len(shape) == 0 for shape in shapes.values()) or len({shape[0] for shape in shapes.values()}) > 1:
        raise MixzError(
            f"columns of different lengths or shapes: {shapes}", "one value per galaxy each", "mend the dictionary"
        )
    return table


def _as_pandas(columns: Columns, grid: NDArray[Any] | None, table: pd.DataFrame) -> pd.DataFrame:
    # What is a column now is no name of the index besides: `reset_index` would have two of it.
    index = table.index.set_names([None if name in columns else name for name in table.index.names])
    made = pd.DataFrame({name: _pandas_column(column.data) for name, column in columns.items()}, index=index)
    if grid is not None:
        made.attrs["z_grid"] = grid.tolist()
    return made


def _pandas_column(values: NDArray[Any]) -> Any:
    if values.ndim == 2:
        return list(values)
    if not isinstance(values, np.ma.MaskedArray):
        return np.array(values)
    names = values.tolist()
    return pd.array(names, dtype=pd.array(values.data[:0]).dtype) if values.dtype.kind in "iu" else names


def _as_arrow(columns: Columns, grid: NDArray[Any] | None) -> pa.Table:
    fields, arrays = [], []
    for name, (values, about, unit) in columns.items():
        if values.ndim == 2:
            array = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        else:
            array = pa.array(np.ma.getdata(values), mask=np.ma.getmaskarray(values))
        words = {"unit": unit, "description": about}
        fields.append(pa.field(name, array.type, metadata={key: word for key, word in words.items() if word}))
        arrays.append(array)
    about_all = None if grid is None else {"z_grid": str(grid.tolist())}
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=about_all))


def _as_dictionary(columns: Columns, grid: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    made = {name: column.data.copy() for name, column in columns.items()}
    return made if grid is None else {**made, "z_grid": grid}
