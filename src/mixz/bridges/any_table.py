"""Redshifts for a table of any kind, given back as that kind: astropy, pandas, pyarrow, a dictionary, an array."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.bridges.model_columns import Asked
from mixz.bridges.table_kinds import kind_of
from mixz.data.meaning.missing import Account
from mixz.data.table_writers import plain
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.photoz import BESIDE, Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from mixz.bridges.models import PhotoZModel

    Columns = Mapping[str, Column]

WHERE = "the table"


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
        array of shape (galaxy, band), free of dust where training was and of its zero points; for models that look at
        errors a pair (mag, mag_err) of them.  An array may lack the columns of the model's own bands, its last.
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
    >>> import pandas as pd
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
    return _predicted(model, table, asked, densities=densities)


def _predicted(model: PhotoZModel, table: Any, asked: Asked, *, densities: bool) -> Any:
    """Estimate the redshifts of a table of columns."""
    kind = kind_of(table)
    frame = kind.frame(asked.needed(model, kind.names, where=WHERE))
    account = Account(WHERE, len(frame))
    photoz = model.predict(asked.galaxies(model, frame, where=WHERE, account=account))
    account.finish()
    for text in account.warnings():
        warnings.warn(text, stacklevel=3)
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
    least = len(model.bands) - len(model.own_bands)
    if len(shapes[0]) != 2 or shapes[0][1] not in (least, len(model.bands)) or shapes[-1] != shapes[0]:
        raise MixzError(
            f"an array of shape {', '.join(map(str, shapes))}",
            " or ".join(f"(galaxy, {bands})" for bands in dict.fromkeys((least, len(model.bands)))),
            f"one column per band: {model.bands}",
        )
    if model.needs_errors and len(arrays) == 1:
        raise MixzError("magnitudes without errors", "a pair (mag, mag_err)", "this model looks at the errors too")
    table = {
        f"{kind}_{band}": array[:, k]
        for kind, array in zip(("mag", "mag_err"), arrays, strict=False)
        for k, band in enumerate(model.bands[: shapes[0][1]])
    }
    asked = Asked(
        mag="mag_{band}",
        mag_err="mag_err_{band}" if len(arrays) == 2 else None,
        system=system,
        dereddened=True,
        corrected=True,
    )
    return np.array(_predicted(model, table, asked, densities=False)["z_phot"])
