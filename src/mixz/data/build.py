"""From the tables of a config to one GalaxySet: map columns, cut, join, split, and keep the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mixz.data.cuts import Ledger, passes
from mixz.data.split import split_by_id
from mixz.data.tables import numbers, read_table, require_columns, table_columns
from mixz.schema import GalaxySet, concatenate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from mixz.config import Columns, Config, Cut, Table
    from mixz.schema import Floats


def build_galaxies(config: Config) -> tuple[GalaxySet, Ledger]:
    """Build the galaxies of a config from its tables.

    Every table goes the same way: read the mapped columns, keep galaxies with a label and all bands measured,
    apply the cuts.  Then the tables are joined and split by object id.

    Raises
    ------
    MixzError
        A file, column or number is missing or wrong, a cut leaves nothing, or two galaxies share an id.
    """
    ledger = Ledger()
    sets = [_read_galaxies(table, config, ledger) for table in config.tables]
    galaxies = concatenate(sets)
    split = config.split
    sides = split_by_id(galaxies.object_id, train=split.train, validation=split.validation, seed=split.seed)
    return replace(galaxies, split=sides), ledger


def photometry(frame: pd.DataFrame, columns: Columns, bands: Sequence[str], *, where: str) -> tuple[Floats, Floats]:
    """Give magnitudes and errors of a table, each of shape (galaxy, band); NaN errors where it maps none.

    Raises
    ------
    MixzError
        A column is missing or holds text.
    """
    names = column_names(columns, bands)
    require_columns([n for pair in names.values() for n in pair], list(frame.columns), where=where)
    mag = np.column_stack([numbers(frame, n, where=where) for n in names["mag"]])
    mag_err = np.full_like(mag, np.nan)
    if names["mag_err"]:
        mag_err = np.column_stack([numbers(frame, n, where=where) for n in names["mag_err"]])
    mag_err[np.isnan(mag)] = np.nan
    return mag, mag_err


def column_names(columns: Columns, bands: Sequence[str]) -> dict[str, list[str]]:
    """Write a column map out band by band.

    Examples
    --------
    >>> from mixz.config import Columns
    >>> column_names(Columns(mag="{band}_cmodel_mag", mag_err=None), ["g", "r"])
    {'mag': ['g_cmodel_mag', 'r_cmodel_mag'], 'mag_err': []}
    """
    patterns = {"mag": columns.mag, "mag_err": columns.mag_err}
    return {kind: [_column(pattern, band) for band in bands] if pattern else [] for kind, pattern in patterns.items()}


def _column(pattern: str | dict[str, str], band: str) -> str:
    if isinstance(pattern, str):
        return pattern.replace("{band}", band)
    return pattern.get(band, f"(no column mapped for band {band})")


def _read_galaxies(table: Table, config: Config, ledger: Ledger) -> GalaxySet:
    name, where = table.path.stem, str(table.path)
    available = table_columns(table.path, table.group)
    cuts = (*table.cuts, *config.cuts)
    frame = read_table(table.path, _needed_columns(table, config, cuts, available), table.group)
    z = {truth: _labels(frame, column, where) for truth, column in table.truths.items()}
    galaxies = GalaxySet(
        _object_ids(frame, table),
        config.bands,
        *photometry(frame, table.columns, config.bands, where=where),
        z=z,
        system=np.full(len(frame), table.system),
    )
    keep = ledger.apply(name, "has_a_label", np.any([galaxies.has(t) for t in galaxies.truths], axis=0))
    steps = [("all_bands_measured", galaxies.measured())]
    steps += [(cut.name, passes(cut, _cut_values(cut, frame, galaxies, where))) for cut in cuts]
    rows = np.flatnonzero(keep)
    for step, mask in steps:
        rows = rows[ledger.apply(name, step, mask[rows])]
    return galaxies.rows(rows)


def _needed_columns(table: Table, config: Config, cuts: Sequence[Cut], available: Sequence[str]) -> list[str]:
    names = column_names(table.columns, config.bands)
    wanted = [*names["mag"], *names["mag_err"], *table.truths.values()]
    wanted += [cut.column for cut in cuts if not _is_ours(cut.column, table, config)]
    # The id column is the one that may be absent without being asked for: its default is only a guess.
    guessed = "object_id" not in table.columns.model_fields_set
    if table.columns.object_id and (table.columns.object_id in available or not guessed):
        wanted.append(table.columns.object_id)
    return wanted


def _is_ours(column: str, table: Table, config: Config) -> bool:
    ours = {f"{kind}_{band}" for kind in ("mag", "mag_err") for band in config.bands}
    return column in ours or column in {f"z_{truth}" for truth in table.truths}


def _cut_values(cut: Cut, frame: pd.DataFrame, galaxies: GalaxySet, where: str) -> NDArray[np.float64]:
    for kind in ("mag_err", "mag"):
        band = cut.column.removeprefix(f"{kind}_")
        if cut.column.startswith(f"{kind}_") and band in galaxies.bands:
            return np.asarray(getattr(galaxies, kind)[:, galaxies.bands.index(band)], dtype=np.float64)
    truth = cut.column.removeprefix("z_")
    if cut.column.startswith("z_") and truth in galaxies.z:
        return np.asarray(galaxies.z[truth])
    return numbers(frame, cut.column, where=where)


def _labels(frame: pd.DataFrame, column: str, where: str) -> NDArray[np.float64]:
    """Read redshift labels; catalogues write "no redshift" as a negative number, which no galaxy here can have."""
    label = numbers(frame, column, where=where)
    label[label < 0] = np.nan
    return label


def _object_ids(frame: pd.DataFrame, table: Table) -> NDArray[np.str_]:
    column = table.columns.object_id
    ids = frame[column].to_numpy() if column in frame else np.arange(len(frame))
    return np.asarray([f"{table.id_prefix}{i}" for i in ids.tolist()], dtype=str)
