"""Redshifts for a table of any kind, given back as that kind: astropy, pandas, pyarrow, a dictionary, an array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mixz.bridges.model_columns import Asked
from mixz.data.table_writers import plain
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.photoz import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from numpy.typing import NDArray

    from mixz.bridges.models import PhotoZModel
    from mixz.data.astropy_tables import ColumnRoles

    Columns = Mapping[str, Column]

WHERE = "the table"


@dataclass(frozen=True)
class _Kind:
    """How one kind of table is taken apart, and made from columns again."""

    names: list[str]
    frame: Callable[[Collection[str], ColumnRoles], pd.DataFrame]
    made: Callable[[Columns, NDArray[Any] | None], Any]


def predict_table(
    model: PhotoZModel,
    table: Any,
    *,
    mag: str | None = None,
    mag_err: str | None = None,
    object_id: str | None = None,
    system: str | None = None,
    densities: bool = False,
) -> Any:
    """Estimate the redshifts of a table's rows, and give a table of the same kind back.

    Parameters
    ----------
    model
        An ensemble, or what `mixz.open_model` reads.
    table
        An astropy Table or QTable, a pandas DataFrame, a pyarrow Table, a dictionary of arrays, or magnitudes as an
        array of shape (galaxy, band), for models that look at errors a pair (mag, mag_err) of them.
    mag, mag_err, object_id, system
        As `mixz predict` has them.
    densities
        Also give ``pdf``, shape (galaxy, z), its nodes ``z_grid`` in the table's metadata (in a dictionary, beside it).

    Returns
    -------
    The table's own kind
        ``z_phot``, ``z_phot_std`` and what else the model gives, with ``object_id`` where the table has one; a pandas
        frame keeps its index; columns of astropy and pyarrow have units and
        descriptions; missing names are masked.  For an array: z_phot, shape (galaxy,).

    Raises
    ------
    MixzError
        A column is missing, or the table is of no kind that is known.

    Examples
    --------
    >>> from mixz.model.initial import untrained
    >>> from mixz.settings.recipe import RECIPES
    >>> galaxies = GalaxySet([1, 2], ("g", "r"), [[21, 20], [23, 22.5]], np.full((2, 2), 0.1), {"spec": [0.1, 0.5]},
    ...                      ["train"] * 2)
    >>> model = untrained(galaxies, RECIPES["spec"], members=2)
    >>> list(predict_table(model, pd.DataFrame({"mag_g": [21.0], "mag_r": [20.5]}, index=["ngc"])).index)
    ['ngc']
    >>> predict_table(model, np.array([[21.0, 20.5], [np.nan, 20.0]])).shape
    (2,)
    """
    if isinstance(table, GalaxySet):
        return model.predict(table)
    if (isinstance(table, np.ndarray) and table.dtype.names is None) or _is_pair(table):
        return _of_arrays(model, table, system, densities=densities)
    asked = Asked(mag=mag, mag_err=mag_err, object_id=object_id, system=system)
    kind = _kind_of(table)
    needed = asked.needed(model, kind.names, where=WHERE)
    frame = kind.frame(needed, asked.roles(model, kind.names, where=WHERE))
    photoz = model.predict(asked.galaxies(model, frame, where=WHERE))
    columns = photoz.columns()
    columns.pop("object_id")
    if (name := asked.id_column(kind.names)) is not None:
        columns = {"object_id": Column(_names_of(frame[name]), "name of the galaxy", ""), **columns}
    if not densities:
        return kind.made(columns, None)
    if photoz.pdf is None:
        raise MixzError("this model gives no densities", "heads binned, mixture", "leave `densities` out")
    pdf = Column(photoz.pdf, "density of the redshift on the nodes z_grid", "1 / redshift")
    return kind.made(columns | {"pdf": pdf}, photoz.z_grid)


def _names_of(column: pd.Series[Any]) -> Any:
    """The galaxies' names as masked values: numbers, or text, hidden where there is none."""
    is_whole = column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) == "integer"
    if is_whole and np.abs(column.dropna().astype(float)).max() < 2**63:
        column = column.astype("Int64")
    found = plain(column)
    names = found.data.astype(str) if found.is_text else found.data
    return np.ma.MaskedArray(names, found.missing) if found.missing.any() else names


def _is_pair(table: Any) -> bool:
    return isinstance(table, tuple) and len(table) == 2 and all(isinstance(part, np.ndarray) for part in table)


def _of_arrays(model: PhotoZModel, given: Any, system: str | None, *, densities: bool) -> NDArray[Any]:
    """Estimate redshifts of plain magnitudes, in the order of the model's bands."""
    if densities:
        raise MixzError("densities of an array", "of a table or a dictionary", "give the magnitudes as one of these")
    arrays = given if isinstance(given, tuple) else (given,)
    shapes = [array.shape for array in arrays]
    if len(shapes[0]) != 2 or shapes[0][1] != len(model.bands) or shapes[-1] != shapes[0]:
        raise MixzError(
            f"an array of shape {', '.join(map(str, shapes))}",
            f"(galaxy, {len(model.bands)})",
            f"one column per band: {model.bands}",
        )
    if model.needs_errors and len(arrays) == 1:
        raise MixzError("magnitudes without errors", "a pair (mag, mag_err)", "this model looks at the errors too")
    table = {
        f"{kind}_{band}": array[:, k]
        for kind, array in zip(("mag", "mag_err"), arrays, strict=False)
        for k, band in enumerate(model.bands)
    }
    return np.array(
        predict_table(
            model, table, mag="mag_{band}", mag_err="mag_err_{band}" if len(arrays) == 2 else None, system=system
        )["z_phot"]
    )


def _kind_of(table: Any) -> _Kind:
    """Tell tables apart.

    Raises
    ------
    MixzError
        It is none of them.
    """
    if isinstance(table, pd.DataFrame):
        return _Kind(
            [str(name) for name in table.columns],
            lambda names, _: table[list(names)],
            lambda columns, grid: _as_pandas(columns, grid, table),
        )
    if isinstance(table, pa.Table):
        # Whole numbers stay whole where some are missing: names of galaxies do not fit into a float.
        return _Kind(
            table.column_names,
            lambda names, _: table.select(list(names)).to_pandas(integer_object_nulls=True),
            _as_arrow,
        )
    from mixz.data.astropy_tables import frame_of, is_astropy, table_like

    if isinstance(table, dict):
        return _Kind(
            list(table), lambda names, roles: frame_of(_of_one_length(table, names), names, roles), _as_dictionary
        )
    if is_astropy(table):
        return _Kind(
            table.colnames,
            lambda names, roles: frame_of(table, names, roles),
            lambda columns, grid: table_like(table, columns, meta={} if grid is None else {"z_grid": grid.tolist()}),
        )
    raise MixzError(
        f"a table of kind {type(table).__name__}",
        "GalaxySet, astropy Table, pandas DataFrame, pyarrow Table, dict of arrays, array of magnitudes",
        "convert it to one of these, e.g. astropy.table.Table(rows)",
    )


def _of_one_length(table: Mapping[str, Any], names: Collection[str]) -> Mapping[str, Any]:
    """Refuse a dictionary whose values are no columns."""
    shapes = {name: np.shape(table[name]) for name in names}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise MixzError(
            f"columns of different lengths or shapes: {shapes}", "one value per galaxy each", "mend the dictionary"
        )
    return table


def _as_pandas(columns: Columns, grid: NDArray[Any] | None, table: pd.DataFrame) -> pd.DataFrame:
    made = pd.DataFrame({name: _pandas_column(column.data) for name, column in columns.items()}, index=table.index)
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
