"""Redshifts for a table of any kind, given back as that kind: astropy, pandas, pyarrow, a dictionary, an array."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from mixz.bridges.model_columns import Asked
from mixz.data.meaning.missing import Account
from mixz.data.table_writers import plain
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.photoz import BESIDE, Column

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from numpy.typing import NDArray

    from mixz.bridges.models import PhotoZModel

    Columns = Mapping[str, Column]

WHERE = "the table"


@dataclass(frozen=True)
class _Kind:
    """How one kind of table is taken apart, and made from columns again."""

    names: list[str]
    frame: Callable[[Collection[str]], pd.DataFrame]
    made: Callable[[Columns, NDArray[Any] | None], Any]


def predict_table(
    model: PhotoZModel,
    table: Any,
    *,
    mag: str | None = None,
    mag_err: str | None = None,
    object_id: str | None = None,
    system: str | None = None,
    flux: str | None = None,
    flux_err: str | None = None,
    flux_zero_point: float | None = None,
    ebv: str | None = None,
    dereddened: bool = False,
    densities: bool = False,
) -> Any:
    """Estimate the redshifts of a table's rows, and give a table of the same kind back.

    Parameters
    ----------
    model
        An ensemble, or what `mixz.open_model` reads.
    table
        An astropy Table or QTable, a pandas DataFrame, a pyarrow Table, a dictionary of arrays, or magnitudes as an
        array of shape (galaxy, band), free of dust where training was; for models that look at errors a pair
        (mag, mag_err) of them.
    mag, mag_err, object_id, system, flux, flux_err, flux_zero_point, ebv, dereddened
        As `mixz predict` has them.  Units of columns are used.
    densities
        Also give ``pdf``, shape (galaxy, z), its nodes ``z_grid`` in the table's metadata (in a dictionary, beside it).

    Returns
    -------
    The table's own kind
        ``z_phot``, ``z_phot_std`` and what else the model gives, with ``object_id``, ``ra`` and ``dec`` where the table
        has them; a pandas frame keeps its index; columns of astropy and pyarrow have units and descriptions; missing
        names are masked.  For an array: z_phot, shape (galaxy,).

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
    asked = Asked(
        mag=mag,
        mag_err=mag_err,
        object_id=object_id,
        system=system,
        flux=flux,
        flux_err=flux_err,
        flux_zero_point=flux_zero_point,
        ebv=ebv,
        dereddened=dereddened,
    )
    kind = _kind_of(table)
    frame = kind.frame(asked.needed(model, kind.names, where=WHERE))
    account = Account(WHERE, len(frame))
    photoz = model.predict(asked.galaxies(model, frame, where=WHERE, account=account))
    account.finish()
    for text in account.warnings():
        warnings.warn(text, stacklevel=2)
    beside = asked.beside(model, frame, where=WHERE)
    columns = {name: BESIDE[name]._replace(data=_hidden(values)) for name, values in beside.items()}
    columns |= {name: column for name, column in photoz.columns().items() if name not in BESIDE}
    if not densities:
        return kind.made(columns, None)
    if photoz.pdf is None:
        raise MixzError("this model gives no densities", "heads binned, mixture", "leave `densities` out")
    pdf = Column(photoz.pdf, "density of the redshift on the nodes z_grid", "1 / redshift")
    return kind.made(columns | {"pdf": pdf}, photoz.z_grid)


def _hidden(values: pd.Series[Any]) -> NDArray[Any]:
    """A column that goes along as plain values, masked where they are missing."""
    found = plain(values)
    data = found.data.astype(str) if found.is_text else found.data
    return np.ma.MaskedArray(data, found.missing) if found.missing.any() and data.dtype.kind != "f" else data


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
            model,
            table,
            mag="mag_{band}",
            mag_err="mag_err_{band}" if len(arrays) == 2 else None,
            system=system,
            dereddened=True,
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
        named = [str(name) for name in table.index.names if name is not None]
        indexed = [name for name in named if name not in table.columns]
        return _Kind(
            [*map(str, table.columns), *indexed],
            lambda names: _of_pandas(table, names, indexed),
            lambda columns, grid: _as_pandas(columns, grid, table),
        )
    if isinstance(table, pa.Table):
        return _Kind(table.column_names, lambda names: _of_arrow(table.select(list(names))), _as_arrow)
    from mixz.data.astropy_tables import frame_of, is_astropy, table_like

    if isinstance(table, dict):
        return _Kind(list(table), lambda names: frame_of(_of_one_length(table, names), names), _as_dictionary)
    if is_astropy(table):
        return _Kind(
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
