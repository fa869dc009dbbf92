"""Redshift labels and how far off they may be, as a table has them: what is none is left out and counted by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.data.meaning.missing import Values
from mixz.data.meaning.units import require_redshifts
from mixz.densities.grid import FARTHEST

if TYPE_CHECKING:
    import pandas as pd

    from mixz.arrays import Floats, Mask
    from mixz.data.meaning.missing import Account
    from mixz.settings.tables import Interval
    from mixz.surveys.columns import Columns


def redshifts(frame: pd.DataFrame, column: str, columns: Columns, account: Account, *, end: float = FARTHEST) -> Floats:
    """The redshift labels of a column, shape (row,); NaN where it has none.

    No redshifts are empty cells, marks (docs/values.md), negative numbers, and what lies beyond the end of a grid.

    Parameters
    ----------
    frame, column
        A table, and its column of labels.
    columns
        The column map, which may name marks.
    account
        Where what is no redshift is entered, by column and reason.
    end
        The largest redshift that the densities of a config reach.

    Raises
    ------
    MixzError
        The column holds text, is in a unit, or many of its numbers are no redshifts.

    Examples
    --------
    >>> import pandas as pd
    >>> from mixz.data.meaning.missing import Account
    >>> from mixz.surveys.columns import Columns
    >>> account = Account("demo")
    >>> redshifts(pd.DataFrame({"z": [0.5, -9.0, 9.99, 4.2]}), "z", Columns(), account, end=4)
    array([0.5, nan, nan, nan])
    >>> [f"{reason}: {count}" for (_, reason), count in account.taken.items()]
    ['is 9.99: 1', 'negative: no redshift: 1', "beyond the grid's end, z = 4: 1"]
    """
    values = Values.of(frame, column, where=account.where)
    require_redshifts(values.unit, column, where=account.where)
    z = values.data
    gone = account.marked(values, "z", columns)
    gone |= account.take(column, "negative: no redshift", (z < 0) & ~gone)
    account.require(
        "redshifts",
        column,
        np.where(gone, np.nan, z),
        0,
        FARTHEST,
        do="map the column of redshifts; velocities cz in km/s must be divided by 299792.458",
    )
    gone |= account.take(column, f"beyond z = {FARTHEST:g}: no redshift", (z > FARTHEST) & ~gone)
    if end < FARTHEST:
        gone |= account.take(column, f"beyond the grid's end, z = {end:g}", (z > end) & ~gone)
    label = np.where(gone, np.nan, z)
    account.watch(column, label)
    return label


def widths(
    frame: pd.DataFrame, label: Floats, errors: Interval, columns: Columns, account: Account
) -> tuple[Floats, Floats]:
    """How far the 68 % interval of each label reaches below and above it, two arrays of shape (row,); NaN: unknown.

    Parameters
    ----------
    frame, label
        A table, and its labels as `redshifts` has them.
    errors
        The column of their error, or the two columns of the ends of their interval, the lower first.
    columns, account
        As in `redshifts`.

    Raises
    ------
    MixzError
        As `redshifts`; or many intervals end before they begin.

    Examples
    --------
    >>> import pandas as pd
    >>> from mixz.data.meaning.missing import Account
    >>> from mixz.surveys.columns import Columns
    >>> table = pd.DataFrame({"z": [0.5, 0.5, 0.5], "low": [0.4, 0.0, 0.6], "high": [0.7, 0.0, 0.8]})
    >>> account = Account("demo")
    >>> low, high = widths(table, table.z.to_numpy(), ("low", "high"), Columns(), account)
    >>> low.round(2), [reason for (_, reason) in account.taken]
    (array([0.1, nan, nan]), ['interval of no width', 'interval without its label'])
    """
    if isinstance(errors, str):
        error = _known(Values.of(frame, errors, where=account.where), columns, account, among=np.isfinite(label))
        return error, error.copy()
    low, high = (Values.of(frame, name, where=account.where) for name in errors)
    known = np.isfinite(label)
    for end in (low, high):
        require_redshifts(end.unit, end.name, where=account.where)
        known = known & ~account.marked(end, "z_err", columns, among=np.isfinite(label))
    both = f"{low.name} and {high.name}"
    between = high.data - low.data
    account.require(
        "intervals whose low end is named first: their widths",
        both,
        np.where(known, between, np.nan),
        0,
        np.inf,
        do="name the column of the lower end first",
    )
    known = known & ~account.take(both, "interval with its ends swapped", (between < 0) & known)
    known = known & ~account.take(both, "interval of no width", (between == 0) & known)
    outside = (label < low.data) | (label > high.data)
    known = known & ~account.take(both, "interval without its label", outside & known)
    return np.where(known, label - low.data, np.nan), np.where(known, high.data - label, np.nan)


def _known(errors: Values, columns: Columns, account: Account, *, among: Mask) -> Floats:
    """Errors of labels; NaN where they are none."""
    require_redshifts(errors.unit, errors.name, where=account.where)
    gone = account.marked(errors, "z_err", columns, among=among)
    gone |= account.take(errors.name, "negative error", (errors.data < 0) & among & ~gone)
    gone |= account.take(errors.name, "error of zero", (errors.data == 0) & among & ~gone)
    return np.where(gone | ~among, np.nan, errors.data)
