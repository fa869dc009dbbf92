"""A table of any kind as a GalaxySet: the same reading of values as `mixz build` does of files."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from mixz.bridges.table_kinds import kind_of
from mixz.data.meaning.missing import Account
from mixz.data.meaning.names import identities
from mixz.data.meaning.numbers import require_columns
from mixz.data.photometry import column_names, photometry
from mixz.data.redshifts import redshifts, widths
from mixz.data.sky import positions
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.surveys.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WHERE = "the table"


def galaxy_set(
    table: Any,
    *,
    bands: Sequence[str],
    truths: Mapping[str, str] | None = None,
    truth_errors: Mapping[str, str | tuple[str, str]] | None = None,
    columns: Mapping[str, Any] | None = None,
    system: str = "",
) -> GalaxySet:
    """The galaxies of a table: ids as names, magnitudes in the AB system, labels, what is none of these missing.

    Parameters
    ----------
    table
        An astropy Table or QTable, a pandas DataFrame, a pyarrow Table, or a dictionary of arrays; units are used.
    bands
        Names of the bands.
    truths
        Per truth the column of its redshift labels.
    truth_errors
        Per truth the column of its 68 % error, or the two columns of the ends of its 68 % interval.
    columns
        The column map as a config has it (docs/config.md), e.g. ``{"mag": "{band}_cmodel_mag", "object_id": "ID"}``.
    system
        Name of the photometric system.

    Raises
    ------
    MixzError
        A column is missing or holds something else, or two galaxies share an id.

    Warns
    -----
    UserWarning
        A value repeats exactly in many rows and may stand for none.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"mag_g": [21.0, 99.0], "zs": [0.5, -9.0]}, index=pd.Index([7, 8], name="object_id"))
    >>> galaxies = galaxy_set(table, bands=["g"], truths={"spec": "zs"})
    >>> galaxies.object_id.tolist(), galaxies.mag.ravel().tolist(), galaxies.z["spec"].tolist()
    (['7', '8'], [21.0, nan], [0.5, nan])
    """
    kind, told = kind_of(table), _columns(columns)
    names = kind.names
    if told.mag_err is not None and "mag_err" not in told.model_fields_set:
        there = set(column_names(told, bands).get("mag_err", ())) <= set(names)
        told = told if there else told.model_copy(update={"mag_err": None})
    labels, errors = dict(truths or {}), dict(truth_errors or {})
    guessed = "object_id" not in told.model_fields_set and told.object_id not in names
    object_id = None if guessed else told.object_id
    wanted = [name for group in column_names(told, bands).values() for name in group]
    wanted += [*labels.values(), *(name for e in errors.values() for name in ([e] if isinstance(e, str) else e))]
    wanted += [name for name in (object_id, told.ra, told.dec) if name is not None]
    require_columns(wanted, names, where=WHERE, do="name its columns: columns={'mag': ..., 'object_id': ...}")
    frame, account = kind.frame(list(dict.fromkeys(wanted))), Account(WHERE)
    mag, mag_err = photometry(frame, told, bands, where=WHERE, account=account)
    z = {truth: redshifts(frame, column, told, account) for truth, column in labels.items()}
    z_err = {t: np.column_stack(widths(frame, z[t], e, told, account)) for t, e in errors.items()}
    ra, dec = positions(frame, told, account)
    account.finish()
    for text in account.warnings():
        warnings.warn(text, stacklevel=2)
    return GalaxySet(
        _names(frame, object_id), tuple(bands), mag, mag_err, z, z_err=z_err,
        ra_deg=ra, dec_deg=dec, system=np.full(len(frame), system),
    )  # fmt: skip


def _names(frame: Any, column: str | None) -> Any:
    if column is None:
        return np.arange(len(frame)).astype(str)
    names = identities(frame[column])
    return np.array([f"row-{row}" if name is None else name for row, name in enumerate(names)], dtype=str)


def _columns(told: Mapping[str, Any] | None) -> Columns:
    try:
        return Columns.model_validate(dict(told or {}))
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        raise MixzError(f"columns: {message}", "a column map as configs have it", "see docs/config.md") from None
